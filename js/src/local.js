// Whether a socket's own address is still there, as far as sends tell it.

import { createSocket } from 'node:dgram'

/** The system does not send from the address, or from anywhere, any more. */
const GONE = new Set(['EADDRNOTAVAIL', 'ENETUNREACH', 'ENETDOWN'])

/** It may be gone, or something else may be wrong: Linux's word for it, and what Deno makes of that. */
const DOUBTFUL = new Set(['EINVAL', 'UNKNOWN'])

/**
 * Says whether a send failed because the socket's own address is gone.
 * @param {unknown} error
 * @param {string} address the socket's own
 * @returns {Promise<boolean>}
 */
export async function isLocalGone(error, address) {
	const code = /** @type {NodeJS.ErrnoException} */ (error)?.code ?? ''
	return GONE.has(code) || (DOUBTFUL.has(code) && !(await isThere(address)))
}

/** Says whether a socket can be opened on the address. @param {string} address @returns {Promise<boolean>} */
function isThere(address) {
	return new Promise((resolve) => {
		const probe = createSocket(address.includes(':') ? 'udp6' : 'udp4')
		const answer = (/** @type {boolean} */ there) => {
			probe.close()
			resolve(there)
		}
		probe.once('error', () => answer(false)).once('listening', () => answer(true))
		probe.bind({ port: 0, address })
	})
}
