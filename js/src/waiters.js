// Those who wait for the server's answer to a command.

/** @typedef {'refresh' | 'permission' | 'channel' | 'rebind'} Want */
/** @typedef {{want: Want, key: string, resolve: (value: any) => void, reject: (error: unknown) => void}} Waiter */

export class Waiters {
	/** @type {Waiter[]} */
	#list = []

	/**
	 * @param {Want} want
	 * @param {string} [key] whom it is about
	 * @returns {Promise<any>}
	 */
	add(want, key = '') {
		return new Promise((resolve, reject) => this.#list.push({ want, key, resolve, reject }))
	}

	/**
	 * @param {Want} want
	 * @param {string} key
	 * @param {unknown} [value]
	 */
	settle(want, key, value) {
		for (const w of this.#take((w) => w.want === want && w.key === key)) w.resolve(value)
	}

	/**
	 * @param {Want} want
	 * @param {string} key
	 * @param {unknown} error
	 */
	refuse(want, key, error) {
		for (const w of this.#take((w) => w.want === want && w.key === key)) w.reject(error)
	}

	/** Answers everybody. @param {unknown} error */
	fail(error) {
		for (const w of this.#take(() => true)) w.reject(error)
	}

	/** @param {(w: Waiter) => boolean} is */
	#take(is) {
		const taken = this.#list.filter(is)
		this.#list = this.#list.filter((w) => !is(w))
		return taken
	}
}
