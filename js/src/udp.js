// What the UDP transports share.

import { formatIP, parseIP } from './address.js'

/** What the kinds of ICMP's Destination Unreachable become; Windows says ECONNRESET and ENETRESET. */
const UNREACHABLE = new Set([
	'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENONET', 'ENOPROTOOPT', 'EPROTO', 'EACCES', 'EOPNOTSUPP', 'ENOTSUP', 'ECONNRESET', 'ENETRESET',
])

/** The path said that the server cannot be reached. @param {unknown} e */
export const isUnreachable = (e) => UNREACHABLE.has(/** @type {NodeJS.ErrnoException} */ (e)?.code ?? '')

/**
 * An earlier datagram, or this one, is longer than a link on the way takes. The kernel has noted that, and cuts what comes
 * after into fragments.
 * @param {unknown} e
 */
export const isTooLong = (e) => /** @type {NodeJS.ErrnoException} */ (e)?.code === 'EMSGSIZE'

/** The error is one datagram's, not the socket's. @param {unknown} e */
export const isSends = (e) => /** @type {NodeJS.ErrnoException} */ (e)?.syscall === 'send'

/**
 * Whether a source is the server. A connected socket has its kernel see to that, but not every runtime's node:dgram
 * does connect its socket.
 * @param {{address: string, port: number}} server
 * @returns {(port: number, address: string) => boolean}
 */
export function onlyFrom(server) {
	const spelt = (/** @type {string} */ a) => formatIP(parseIP(a) ?? new Uint8Array(4))
	const want = spelt(server.address)
	let known = server.address
	return (port, address) => {
		if (port !== server.port) return false
		if (address === known) return true
		if (spelt(address) !== want) return false
		known = address
		return true
	}
}
