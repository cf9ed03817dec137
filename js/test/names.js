// A name server of our own, as a Resolver of node:dns/promises.

/** @typedef {import('../src/places.js').Service} Service */

export class Names {
	/** @type {Map<string, Service[]>} */
	services = new Map()
	/** @type {Map<string, string[]>} */
	hosts = new Map()
	/** Names that nobody answers for. @type {Set<string>} */
	mute = new Set()
	/** SRV names that were asked for. @type {string[]} */
	asked = []

	/**
	 * Adds an SRV record and the target's address.
	 * @param {string} service
	 * @param {number} priority
	 * @param {string} name
	 * @param {{address: string, port: number}} at
	 */
	serve(service, priority, name, { address, port }) {
		this.services.set(service, [...(this.services.get(service) ?? []), { priority, weight: 0, port, name }])
		this.hosts.set(name, [...(this.hosts.get(name) ?? []), address])
		return this
	}

	/** @param {string} name */
	async resolveSrv(name) {
		this.asked.push(name)
		return this.#answer(name, this.services.get(name))
	}

	/** @param {string} name */
	async resolve4(name) {
		return this.#answer(name, this.hosts.get(name)?.filter((a) => !a.includes(':')))
	}

	/** @param {string} name */
	async resolve6(name) {
		return this.#answer(name, this.hosts.get(name)?.filter((a) => a.includes(':')))
	}

	/**
	 * @template T
	 * @param {string} name
	 * @param {T[] | undefined} found
	 * @returns {Promise<T[]>}
	 */
	#answer(name, found) {
		if (this.mute.has(name)) return new Promise(() => {})
		if (!found || found.length === 0) throw Object.assign(new Error(`query ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
		return Promise.resolve(found)
	}
}
