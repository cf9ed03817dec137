// Transport addresses: as text, and as the boundary's bytes. node:net does not
// exist in a browser.

/**
 * A transport address.
 * @typedef {object} Address
 * @property {string} address
 * @property {number} port
 * @property {'IPv4' | 'IPv6'} family
 */

/**
 * The bytes of an IP address, 4 or 16; undefined when the text is none. An IPv4 address that is written as an IPv6
 * one is itself. A zone is dropped: it means something to one machine alone.
 * @param {string} text
 * @returns {Uint8Array | undefined}
 */
export function parseIP(text) {
	if (typeof text !== 'string') return undefined
	if (!text.includes(':')) return parseIPv4(text)
	const bytes = parseIPv6(text.replace(/%.*$/s, ''))
	const mapped = bytes && bytes.subarray(0, 10).every((b) => b === 0) && bytes[10] === 0xff && bytes[11] === 0xff
	return mapped ? bytes.slice(12) : bytes
}

/** @param {string} text */
function parseIPv4(text) {
	const parts = text.split('.')
	if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256)) return undefined
	return Uint8Array.from(parts, Number)
}

/** @param {string} text */
function parseIPv6(text) {
	const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
	if (dotted) {
		const v4 = parseIPv4(dotted[2])
		if (!v4) return undefined
		text = `${dotted[1]}${((v4[0] << 8) | v4[1]).toString(16)}:${((v4[2] << 8) | v4[3]).toString(16)}`
	}
	const halves = text.split('::')
	if (halves.length > 2) return undefined
	const [left, right] = halves.map((h) => (h === '' ? [] : h.split(':')))
	const missing = 8 - left.length - (right?.length ?? 0)
	if (right ? missing < 1 : missing !== 0) return undefined
	const groups = [...left, ...(right ? Array(missing).fill('0') : []), ...(right ?? [])]
	if (!groups.every((g) => /^[0-9a-f]{1,4}$/i.test(g))) return undefined
	return Uint8Array.from(groups.flatMap((g) => [parseInt(g, 16) >> 8, parseInt(g, 16) & 0xff]))
}

/**
 * The text of an IP address of 4 or 16 bytes; IPv6 as RFC 5952 has it.
 * @param {Uint8Array} bytes
 */
export function formatIP(bytes) {
	if (bytes.length === 4) return bytes.join('.')
	const groups = []
	for (let i = 0; i < 16; i += 2) groups.push((bytes[i] << 8) | bytes[i + 1])
	const [from, length] = longestZeros(groups)
	const hex = groups.map((g) => g.toString(16))
	if (length < 2) return hex.join(':')
	return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`
}

/**
 * The first of the longest runs of zeros.
 * @param {number[]} groups
 */
function longestZeros(groups) {
	let best = [0, 0]
	for (let i = 0; i < groups.length; i++) {
		let n = 0
		while (i + n < groups.length && groups[i + n] === 0) n++
		if (n > best[1]) best = [i, n]
		i += n
	}
	return best
}

/**
 * An address and a port as one text: 192.0.2.1:3478, [2001:db8::1]:3478.
 * @param {{address: string, port: number}} a
 */
export const formatAddress = (a) => (a.address.includes(':') ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`)

/**
 * The IP address that a caller has given, as its bytes.
 * @param {string} text
 * @param {string} what
 */
export function wantIP(text, what) {
	const bytes = parseIP(text)
	if (!bytes) throw new TypeError(`${what} is an IP address, not ${JSON.stringify(text)}: a name has to be resolved first`)
	return bytes
}

/**
 * The port that a caller has given.
 * @param {unknown} port
 * @param {string} what
 */
export function wantPort(port, what) {
	if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65535) {
		throw new TypeError(`${what} is a port, 0 to 65535, not ${JSON.stringify(port) ?? typeof port}`)
	}
	return port
}
