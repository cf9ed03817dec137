// Which 300 (Try Alternate) answers are followed.

import { formatAddress, parseIP } from './address.js'

/** @typedef {{address: string, port: number}} Server */
/** @typedef {'signed' | 'any' | 'none'} RedirectPolicy */

export const REDIRECTS = /** @type {const} */ (['signed', 'any', 'none'])

/** How often one socket is sent elsewhere. */
const MAX_REDIRECTS = 3

/** The way from server to server of one socket. */
export class Trail {
	/** @type {string[]} */
	#been = []

	/** @param {RedirectPolicy} policy */
	constructor(policy) {
		this.policy = policy
	}

	/**
	 * Says whether to go on to the alternate, and notes it.
	 *
	 * "If the client has been redirected to a server to which it has already sent this request within the last five
	 * minutes, it MUST ignore the redirection and consider the transaction to have failed."
	 * https://www.rfc-editor.org/rfc/rfc8489#section-10
	 *
	 * And no server outside makes us talk to what only we can reach.
	 * @param {Server} server
	 * @param {Server} alternate
	 * @param {boolean} signed
	 */
	follows(server, alternate, signed) {
		if (this.policy === 'none' || (this.policy === 'signed' && !signed)) return false
		const to = formatAddress(alternate)
		const from = formatAddress(server)
		if (this.#been.length >= MAX_REDIRECTS || to === from || this.#been.includes(to)) return false
		if (!inside(server.address) && inside(alternate.address)) return false
		this.#been.push(from)
		return true
	}
}

/** An address that is not one of the Internet's. @param {string} address */
export function inside(address) {
	const ip = parseIP(address)
	if (!ip) return true
	const mapped = ip.length === 16 && ip.subarray(0, 10).every((b) => b === 0) && ip[10] === 0xff && ip[11] === 0xff
	return ip.length === 4 ? inside4(ip) : mapped ? inside4(ip.subarray(12)) : inside6(ip)
}

/** @param {Uint8Array} ip */
function inside4([a, b, c]) {
	if (a === 0 || a === 127 || a === 10 || (a === 192 && b === 168) || (a === 172 && b >> 4 === 1) || (a === 169 && b === 254)) return true
	// A provider's or an overlay's own (RFC 6598), IETF's, benchmarks'; multicast and what is reserved.
	return (a === 100 && b >> 6 === 1) || (a === 192 && b === 0 && c === 0) || (a === 198 && b >> 1 === 9) || a >= 224
}

/** @param {Uint8Array} ip */
function inside6(ip) {
	const local = ip.subarray(0, 15).every((b) => b === 0) && ip[15] < 2 // :: and ::1
	const link = ip[0] === 0xfe && ip[1] >> 7 === 1 // and what was a site's
	if (local || link || ip[0] >> 1 === 0x7e || ip[0] === 0xff) return true
	if (begins(ip, [0, 0x64, 0xff, 0x9b, 0, 1])) return true
	const at = embedding.find(([prefix]) => begins(ip, prefix))?.[1]
	return at !== undefined && inside4(ip.subarray(at))
}

/**
 * Prefixes with an IPv4 address at the byte: where it leads is that one's.
 * @type {[prefix: number[], at: number][]}
 */
const embedding = [[Array(12).fill(0), 12], [[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], 12], [[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], 12], [[0x20, 0x02], 2]]

/** @param {Uint8Array} ip @param {number[]} prefix */
const begins = (ip, prefix) => prefix.every((b, i) => ip[i] === b)
