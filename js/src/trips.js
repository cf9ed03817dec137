// What was measured of the way to each server: the next client begins with it.

/** @typedef {import('./config.js').RoundTrip} RoundTrip */

/**
 * "The value SHOULD be considered stale and discarded if no transactions have occurred to the same server in the last
 * 10 minutes." https://www.rfc-editor.org/rfc/rfc8489#section-6.2.1
 */
const STALE = 600_000

/** Servers that are remembered. */
const MOST = 256

/** By address; whoever was talked to longest ago comes first. @type {Map<string, {at: number, trip: RoundTrip}>} */
const servers = new Map()

/**
 * @param {string} address
 * @param {RoundTrip | undefined} trip
 */
export function noteTrip(address, trip) {
	if (!trip) return
	servers.delete(address)
	for (const oldest of servers.keys()) {
		if (servers.size < MOST) break
		servers.delete(oldest)
	}
	servers.set(address, { at: performance.now(), trip })
}

/** @param {string} address */
export function tripTo(address) {
	const known = servers.get(address)
	return known && performance.now() - known.at < STALE ? known.trip : undefined
}
