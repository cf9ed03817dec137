// Where a server may be, by node:dns, which Deno and Bun have too.

import { lookup, resolveSrv } from 'node:dns/promises'
import { parseIP } from './address.js'
import { TurnError } from './error.js'

/** @typedef {import('./transport.js').Place} Place */
/** @typedef {{priority: number, weight: number, port: number, name: string}} Service */

/**
 * Who looks names up, as a Resolver of node:dns/promises does.
 * @typedef {object} Resolver
 * @property {(name: string) => Promise<Service[]>} resolveSrv
 * @property {(name: string) => Promise<string[]>} resolve4
 * @property {(name: string) => Promise<string[]>} resolve6
 */

/** The addresses, and the SRV records, of one name that are tried. */
const MAX_PLACES = 8

/** How long an answer about services may take before the name's own addresses are taken, in ms. */
const MOST_SRV = 5000

/** How a transport is called in SRV records. https://www.rfc-editor.org/rfc/rfc5928#section-3 */
const SERVICES = { udp: '_turn._udp', tcp: '_turn._tcp', tls: '_turns._tcp' }

/**
 * The transport addresses where the server may be, in the order in which they are tried: of an address, or a name with
 * a port, the name's addresses; else its SRV records, and the addresses of what they name; without such records the
 * name's addresses, and the default port. https://www.rfc-editor.org/rfc/rfc5928#section-3
 *
 * NAPTR records, which would choose the transport, are not looked up: the URI says it. A name without a dot is this
 * host's or this network's: it has no records for services.
 * @type {import('./transport.js').Platform['find']}
 */
export async function find(target, { resolver, localAddress }, signal) {
	const { host, port, portGiven, via } = target
	const asked = { addresses: resolver ? both(resolver) : ofSystem, services: (/** @type {string} */ name) => (resolver ?? { resolveSrv }).resolveSrv(name) }
	/** @param {string} name @param {number} port */
	const places = async (name, port) => {
		const found = parseIP(name) ? [name] : (await asked.addresses(name)).filter((a) => typeof a === 'string' && parseIP(a))
		if (found.length === 0) throw new TurnError('transport', `${name} has no address`)
		const usable = found.filter((a) => !localAddress || a.includes(':') === localAddress.includes(':'))
		if (usable.length === 0) throw new TurnError('transport', `${name} has no address of the local address's family`)
		return interleaved(usable).slice(0, MAX_PLACES).map((address) => ({ address, port }))
	}
	if (parseIP(host) || portGiven || !host.includes('.')) return places(host, port)
	const own = places(host, port) // asked for at the same time: most names have no SRV records
	own.catch(() => {})
	const name = host.replace(/\.$/, '')
	const targets = await servicesOf(asked.services(`${SERVICES[via]}.${name}`), name, via, signal)
	return targets.length === 0 ? own : joined(targets.map((t) => places(t.name, t.port)))
}

/** @param {string} name */
const ofSystem = async (name) => (await lookup(name, { all: true })).map((a) => a.address)

/**
 * Both families of a resolver's: one that is not there is not in the way of the other.
 * @param {Resolver} resolver
 */
const both = (resolver) => async (/** @type {string} */ name) => {
	const answers = await Promise.allSettled([resolver.resolve6(name), resolver.resolve4(name)])
	const found = answers.flatMap((a) => (a.status === 'fulfilled' ? a.value : []))
	if (found.length === 0) for (const a of answers) if (a.status === 'rejected') throw a.reason
	return found
}

/**
 * "The SRV algorithm recommends doing an A query if the SRV query returns an error or no SRV RR".
 * https://www.rfc-editor.org/rfc/rfc5928#section-3
 * @param {Promise<Service[]>} asked
 * @param {string} name
 * @param {import('./uri.js').Via} via
 * @param {AbortSignal} signal
 */
async function servicesOf(asked, name, via, signal) {
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer
	/** @type {Promise<Service[]>} */
	const late = new Promise((resolve) => (timer = setTimeout(() => resolve([]), MOST_SRV)))
	const stop = () => clearTimeout(timer)
	signal.addEventListener('abort', stop)
	const records = await Promise.race([asked.catch(() => []), late])
	stop()
	signal.removeEventListener('abort', stop)
	// The root as a target: there is no such service (RFC 2782).
	if (records.length === 1 && ['', '.'].includes(records[0].name)) throw new TurnError('transport', `${name} has no TURN over ${via.toUpperCase()}: its SRV record says so`)
	return ordered(records.filter((r) => r.name && r.name !== '.' && r.port > 0 && r.port < 65536)).slice(0, MAX_PLACES)
}

/**
 * By priority, and among equals by chance: "The following algorithm SHOULD be used to order the SRV RRs of the same
 * priority: [...] Compute the sum of the weights of those RRs, and with each RR associate the running sum in the selected
 * order. Then choose a uniform random number between 0 and the sum computed (inclusive), and select the RR whose running
 * sum value is the first in the selected order which is greater than or equal to the random number selected."
 * https://www.rfc-editor.org/rfc/rfc2782
 * @param {readonly Service[]} records
 * @param {() => number} [random]
 */
export function ordered(records, random = Math.random) {
	const rest = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight)
	/** @type {Service[]} */
	const order = []
	while (rest.length > 0) {
		const equals = rest.filter((r) => r.priority === rest[0].priority)
		let left = Math.floor(random() * (equals.reduce((sum, r) => sum + r.weight, 0) + 1))
		const chosen = equals.findIndex((r) => (left -= r.weight) <= 0)
		order.push(...rest.splice(Math.max(chosen, 0), 1))
	}
	return order
}

/**
 * What all of them name. One that is not found is not in the way of the others.
 * @param {readonly Promise<Place[]>[]} looked
 */
async function joined(looked) {
	const answers = await Promise.allSettled(looked)
	const all = answers.flatMap((a) => (a.status === 'fulfilled' ? a.value : []))
	const refused = answers.find((a) => a.status === 'rejected')
	if (all.length === 0) throw refused?.reason
	return all.slice(0, MAX_PLACES)
}

/**
 * Of either family in turns: "Whichever address family is first in the list should be followed by an address of the
 * other address family". https://www.rfc-editor.org/rfc/rfc8305#section-4
 * @param {readonly string[]} addresses
 */
function interleaved(addresses) {
	const first = addresses.filter((a) => a.includes(':') === addresses[0].includes(':'))
	const other = addresses.filter((a) => !first.includes(a))
	return first.flatMap((a, i) => (i < other.length ? [a, other[i]] : [a])).concat(other.slice(first.length))
}
