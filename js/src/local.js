// Whether a socket's own address is still there, as far as sends tell it.

import { createSocket } from 'node:dgram'

/** @typedef {{address: string, port: number}} Server */

/** The system does not send from the address, or from anywhere, any more. */
const GONE = new Set(['EADDRNOTAVAIL', 'ENETDOWN'])

/** It may be gone, or something else may be wrong: Linux's word for it, what Deno makes of that, and what a router may have said. */
const DOUBTFUL = new Set(['EINVAL', 'UNKNOWN', 'ENETUNREACH'])

/**
 * Says whether a send failed because the socket's own address is gone.
 * @param {unknown} error
 * @param {string} address the socket's own
 * @param {Server} server
 * @returns {Promise<boolean>}
 */
export async function isLocalGone(error, address, server) {
	const code = /** @type {NodeJS.ErrnoException} */ (error)?.code ?? ''
	return GONE.has(code) || (DOUBTFUL.has(code) && !(await leads(address, server)))
}

/**
 * Says whether a socket of the address has a way to the server, as far as this host knows.
 * @param {string} address
 * @param {Server} server
 * @returns {Promise<boolean>}
 */
function leads(address, server) {
	return new Promise((resolve) => {
		const probe = createSocket(address.includes(':') ? 'udp6' : 'udp4')
		const answer = (/** @type {boolean} */ there) => {
			probe.close()
			resolve(there)
		}
		probe.once('error', () => answer(false)).once('connect', () => answer(true))
		probe.once('listening', () => probe.connect(server.port, server.address)).bind({ port: 0, address })
	})
}
