/**
 * ChannelData and Send indications: lost ones are lost, and nobody waits for them.
 * @param {Uint8Array} b
 * @param {number} at
 */
export const isData = (b, at) => b[at] >= 0x40 || (b[at] === 0 && b[at + 1] === 0x16)
