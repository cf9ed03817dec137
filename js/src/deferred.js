// A promise with what settles it.

/**
 * @template T
 * @typedef {{promise: Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void}} Deferred
 */

/**
 * @template T
 * @returns {Deferred<T>}
 */
export function deferred() {
	/** @type {any} */
	const r = {}
	r.promise = new Promise((resolve, reject) => Object.assign(r, { resolve, reject }))
	return r
}
