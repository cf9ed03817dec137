// The emitter that sockets are: node:events where there is one, and its small
// likeness in a browser.

/**
 * What sockets need of an EventEmitter.
 * @template {Record<string, any[]>} Events
 */
export class SmallEmitter {
	/** @type {Map<string, {listener: (...args: any[]) => void, once: boolean}[]>} */
	#listeners = new Map()

	/**
	 * @template {string & keyof Events} Name
	 * @param {Name} name
	 * @param {(...args: Events[Name]) => void} listener
	 * @returns {this}
	 */
	on(name, listener) {
		return this.#add(name, listener, false)
	}

	/**
	 * @template {string & keyof Events} Name
	 * @param {Name} name
	 * @param {(...args: Events[Name]) => void} listener
	 * @returns {this}
	 */
	once(name, listener) {
		return this.#add(name, listener, true)
	}

	/**
	 * @template {string & keyof Events} Name
	 * @param {Name} name
	 * @param {(...args: Events[Name]) => void} listener
	 * @returns {this}
	 */
	off(name, listener) {
		const list = this.#listeners.get(name) ?? []
		const i = list.findLastIndex((l) => l.listener === listener)
		if (i >= 0) this.#listeners.set(name, list.toSpliced(i, 1))
		return this
	}

	/**
	 * @template {string & keyof Events} Name
	 * @param {Name} name
	 * @param {(...args: Events[Name]) => void} listener
	 * @returns {this}
	 */
	addListener(name, listener) {
		return this.on(name, listener)
	}

	/**
	 * @template {string & keyof Events} Name
	 * @param {Name} name
	 * @param {(...args: Events[Name]) => void} listener
	 * @returns {this}
	 */
	removeListener(name, listener) {
		return this.off(name, listener)
	}

	/** @param {string & keyof Events} name */
	listenerCount(name) {
		return this.#listeners.get(name)?.length ?? 0
	}

	/**
	 * @template {string & keyof Events} Name
	 * @param {Name} name
	 * @param {Events[Name]} args
	 * @returns {boolean} whether anybody listened
	 */
	emit(name, ...args) {
		const list = this.#listeners.get(name) ?? []
		if (list.length === 0 && name === 'error') throw args[0]
		for (const { listener, once } of list) {
			if (once) this.off(name, listener)
			listener.apply(this, args)
		}
		return list.length > 0
	}

	/**
	 * @param {string} name
	 * @param {(...args: any[]) => void} listener
	 * @param {boolean} once
	 */
	#add(name, listener, once) {
		if (typeof listener !== 'function') throw new TypeError('a listener is a function')
		this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), { listener, once }])
		return this
	}
}

// Asked for in this way no bundler for browsers stumbles over it. Node before
// 20.16 has no such question, and does with the likeness.
const events = globalThis.process?.getBuiltinModule?.('node:events')

export const Emitter = /** @type {typeof SmallEmitter} */ (/** @type {unknown} */ (events?.EventEmitter) ?? SmallEmitter)
