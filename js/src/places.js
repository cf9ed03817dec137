// Where a server may be, by node:dns, which Deno and Bun have too.

import { getServers, lookup, Resolver as DNS } from 'node:dns/promises'
import { parseIP } from './address.js'
import { TurnError } from './error.js'
import { MAX_PLACES } from './search.js'

/** @typedef {import('./transport.js').Place} Place */
/** @typedef {{priority: number, weight: number, port: number, name: string}} Service */

/**
 * Who looks names up, as a Resolver of node:dns/promises does.
 * @typedef {object} Resolver
 * @property {(name: string) => Promise<Service[]>} resolveSrv
 * @property {(name: string) => Promise<string[]>} resolve4
 * @property {(name: string) => Promise<string[]>} resolve6
 */

/** How long an answer about services may take before the name's own addresses are taken, in ms. */
const MOST_SRV = 5000

/** How a transport is called in SRV records. https://www.rfc-editor.org/rfc/rfc5928#section-3 */
const SERVICES = { udp: '_turn._udp', tcp: '_turn._tcp', tls: '_turns._tcp' }

/**
 * For the other family's addresses, in ms: "The RECOMMENDED value for the Resolution Delay is 50 milliseconds."
 * https://www.rfc-editor.org/rfc/rfc8305#section-3
 */
const RESOLUTION_DELAY = 50

/**
 * The transport addresses where the server may be, in the order in which they are tried: of an address, or a name with
 * a port, the name's addresses; else its SRV records, and for each the addresses of what it names; without such records
 * the name's addresses, and the default port. https://www.rfc-editor.org/rfc/rfc5928#section-3
 *
 * NAPTR records, which would choose the transport, are not looked up: the URI says it. A name without a dot is this
 * host's or this network's: it has no records for services.
 * @type {import('./transport.js').Platform['find']}
 */
export async function find(target, { resolver, localAddress }, signal) {
	const { host, port, portGiven, via } = target
	const addresses = resolver ? both(resolver) : ofSystem
	/** @param {string} name @param {number} port */
	const places = async (name, port) => {
		const found = parseIP(name) ? [name] : (await addresses(name)).filter((a) => typeof a === 'string' && parseIP(a))
		if (found.length === 0) throw new TurnError('transport', `${name} has no address`)
		const usable = found.filter((a) => !localAddress || a.includes(':') === localAddress.includes(':'))
		if (usable.length === 0) throw new TurnError('transport', `${name} has no address of the local address's family`)
		return interleaved(usable).slice(0, MAX_PLACES).map((address) => ({ address, port }))
	}
	if (parseIP(host) || portGiven || !host.includes('.')) return [places(host, port)]
	const own = places(host, port) // asked for at the same time: most names have no SRV records
	own.catch(() => {})
	const targets = await servicesOf(resolver, host.replace(/\.$/, ''), via, signal)
	return targets.length === 0 ? [own] : targets.map((t) => places(t.name, t.port))
}

/** @param {string} name */
const ofSystem = async (name) => (await lookup(name, { all: true })).map((a) => a.address)

/**
 * Both families of a resolver's: one that is not there, or late, is not in the way of the other.
 * @param {Resolver} resolver
 */
const both = (resolver) => async (/** @type {string} */ name) => {
	/** @type {string[][]} */
	const found = [[], []]
	/** @type {unknown[]} */
	const failures = []
	const ask = async (/** @type {number} */ i, /** @type {(name: string) => Promise<string[]>} */ resolve) => {
		try {
			found[i] = await resolve.call(resolver, name)
		} catch (e) {
			failures.push(e)
		}
	}
	const asked = [ask(0, resolver.resolve6), ask(1, resolver.resolve4)]
	const all = Promise.all(asked)
	await Promise.race([all, ...asked.map((a, i) => a.then(() => (found[i].length > 0 ? after(RESOLUTION_DELAY) : all)))])
	if (found.flat().length === 0 && failures.length > 0) throw failures[0]
	return found.flat()
}

/** @param {number} ms */
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A resolver of the system's servers, which can be called off: an answer that does not come keeps a process alive. */
function systemResolver() {
	const dns = new DNS()
	try {
		dns.setServers(getServers()) // which the program may have set
	} catch {} // it has the system's
	return dns
}

/**
 * "The SRV algorithm recommends doing an A query if the SRV query returns an error or no SRV RR".
 * https://www.rfc-editor.org/rfc/rfc5928#section-3
 * @param {Resolver | undefined} resolver
 * @param {string} name
 * @param {import('./uri.js').Via} via
 * @param {AbortSignal} signal
 */
async function servicesOf(resolver, name, via, signal) {
	const records = await answered(resolver, `${SERVICES[via]}.${name}`, signal)
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
 * The SRV records of a name; none when there is no answer in time, or nobody wants it any more.
 * @param {Resolver | undefined} resolver
 * @param {string} name
 * @param {AbortSignal} signal
 * @returns {Promise<Service[]>}
 */
async function answered(resolver, name, signal) {
	const own = resolver ? undefined : systemResolver()
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer
	/** @type {(records: Service[]) => void} */
	let stop = () => {}
	/** @type {Promise<Service[]>} */
	const stopped = new Promise((resolve) => (stop = resolve))
	const onAbort = () => stop([])
	signal.addEventListener('abort', onAbort)
	try {
		const asked = (async () => (resolver ?? /** @type {DNS} */ (own)).resolveSrv(name))()
		if (signal.aborted) stop([])
		timer = setTimeout(stop, MOST_SRV, [])
		return await Promise.race([asked.catch(() => []), stopped])
	} finally {
		clearTimeout(timer)
		signal.removeEventListener('abort', onAbort)
		own?.cancel()
	}
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
