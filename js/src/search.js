// Where the servers of several URIs are.

import { formatAddress } from './address.js'
import { ATTEMPT_DELAY } from './race.js'

/** The addresses, and the SRV records, of one name that are tried. */
export const MAX_PLACES = 8

/** @typedef {import('./transport.js').Place} Place */
/** @typedef {import('./uri.js').Target & {carrier: import('./options.js').Carrier}} Target */

/**
 * @typedef {object} Searcher
 * @property {(target: Target) => Promise<Promise<Place[]>[]>} find
 * @property {(places: Place[], target: Target) => void} found places that no URI before has named
 * @property {(target: Target, error: unknown) => void} failed
 */

/**
 * Looks up all of them at once, and tells of them in their order: one whose name server is silent is passed over for those
 * behind it, and told of when it is found. It returns when all have been told of.
 * @param {readonly Target[]} targets
 * @param {AbortSignal} signal nobody waits any more
 * @param {Searcher} searcher
 */
export async function search(targets, signal, searcher) {
	/** @type {Set<string>} */
	const known = new Set()
	const asked = targets.map((t) => unless(signal, searcher.find(t)))
	for (const a of asked) a.catch(() => {}) // whose turn may come after it has failed
	await inTurn(asked.entries(), ([i, groups]) => tell(targets[i], groups, signal, known, searcher))
}

/**
 * Tells of the places of a URI: of those that its names have, in their order.
 * @param {Target} target
 * @param {Promise<Promise<Place[]>[]>} asked
 * @param {AbortSignal} signal
 * @param {Set<string>} known
 * @param {Searcher} searcher
 */
async function tell(target, asked, signal, known, { found, failed }) {
	const { via } = target.carrier
	let room = MAX_PLACES
	/** @type {unknown[]} */
	const failures = []
	try {
		const groups = (await asked).map((g) => unless(signal, g))
		for (const g of groups) g.catch(() => {})
		await inTurn(groups, async (group) => {
			try {
				const fresh = (await group).filter((at) => !known.has(`${via} ${formatAddress(at)}`)).slice(0, room)
				for (const at of fresh) known.add(`${via} ${formatAddress(at)}`)
				room -= fresh.length
				found(fresh, target)
			} catch (e) {
				failures.push(e)
			}
		})
		if (failures.length === groups.length) failed(target, failures[0])
	} catch (e) {
		failed(target, e)
	}
}

/**
 * Begins one after the other, when those before are done or have taken a while, and waits for all of them.
 * @template T
 * @param {Iterable<T>} list
 * @param {(item: T) => Promise<void>} begin
 */
async function inTurn(list, begin) {
	const begun = []
	for (const item of list) {
		const one = begin(item)
		begun.push(one)
		await within(one, ATTEMPT_DELAY)
	}
	await Promise.all(begun)
}

/**
 * @template T
 * @param {AbortSignal} signal
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function unless(signal, promise) {
	return new Promise((resolve, reject) => {
		const onAbort = () => reject(signal.reason)
		signal.addEventListener('abort', onAbort)
		if (signal.aborted) onAbort()
		promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
	})
}

/**
 * Settles with the promise, or after so many ms.
 * @param {Promise<unknown>} promise
 * @param {number} ms
 */
function within(promise, ms) {
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer
	const late = new Promise((resolve) => (timer = setTimeout(resolve, ms)))
	return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
