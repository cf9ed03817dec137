// Where the servers of several URIs are.

import { formatAddress } from './address.js'
import { ATTEMPT_DELAY } from './race.js'

/** @typedef {import('./transport.js').Place} Place */
/** @typedef {import('./uri.js').Target & {carrier: import('./options.js').Carrier}} Target */

/**
 * @typedef {object} Searcher
 * @property {(target: Target) => Promise<Place[]>} find
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
	const told = []
	for (const [i, a] of asked.entries()) {
		const telling = tell(targets[i], a, known, searcher)
		told.push(telling)
		await within(telling, ATTEMPT_DELAY)
	}
	await Promise.all(told)
}

/**
 * @param {Target} target
 * @param {Promise<Place[]>} asked
 * @param {Set<string>} known
 * @param {Searcher} searcher
 */
async function tell(target, asked, known, { found, failed }) {
	try {
		const { via } = target.carrier
		found((await asked).filter((at) => known.size < known.add(`${via} ${formatAddress(at)}`).size), target)
	} catch (e) {
		failed(target, e)
	}
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
