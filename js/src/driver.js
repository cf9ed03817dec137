// The one timer of an instance, and the instance that sockets share.

import { TurnInstance } from './instance.js'

/** The longest time that setTimeout takes; a longer one would be 1 ms. */
const LONGEST = 2 ** 31 - 1

/** @type {WeakMap<TurnInstance, Driver>} */
const drivers = new WeakMap()

/** @type {Promise<TurnInstance> | undefined} */
let shared

export class Driver {
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer
	/** What the timer is set to; Infinity: it is not. */
	#armed = Infinity
	/** @type {Set<() => void>} */
	#watchers = new Set()

	/** @param {TurnInstance} instance */
	constructor(instance) {
		this.instance = instance
	}

	/**
	 * The driver of an instance.
	 * @param {TurnInstance} instance
	 */
	static of(instance) {
		let driver = drivers.get(instance)
		if (!driver) drivers.set(instance, (driver = new Driver(instance)))
		return driver
	}

	/**
	 * The driver of the instance that is shared by all who do not bring one.
	 * @returns {Promise<Driver>}
	 */
	static async shared() {
		shared ??= TurnInstance.load()
		const loading = shared
		try {
			const instance = await loading
			if (!instance.dead) return Driver.of(instance)
		} catch (e) {
			if (shared === loading) shared = undefined // the next one may fare better
			throw e
		}
		if (shared === loading) shared = undefined
		return Driver.shared()
	}

	now() {
		return performance.now()
	}

	/** The instant of the machine's clock as a date. @param {number} ms */
	date(ms) {
		return new Date(Date.now() + ms - this.now())
	}

	/**
	 * Calls the machine, then does what every call asks for.
	 * @template T
	 * @param {(now: number) => T} f
	 * @returns {T}
	 */
	run(f) {
		try {
			return f(this.now())
		} finally {
			this.after()
		}
	}

	/** After every call: whoever watches looks, and the timer is set to the next deadline. */
	after() {
		if (this.#watchers.size > 0) for (const f of this.#watchers) f()
		const next = this.instance.nextTimeout
		if (next < this.#armed) this.#arm(next) // a later one is seen to when the timer comes
		else if (next === Infinity && this.#armed !== Infinity) this.#disarm()
	}

	/** Has f called after every call. @param {() => void} f */
	watch(f) {
		this.#watchers.add(f)
	}

	/** @param {() => void} f */
	unwatch(f) {
		this.#watchers.delete(f)
	}

	/** @param {number} next */
	#arm(next) {
		this.#disarm()
		this.#armed = next
		const ms = Math.min(Math.max(Math.ceil(next - this.now()), 0), LONGEST)
		this.#timer = setTimeout(() => this.#tick(), ms)
		// What keeps a program alive is its sockets.
		if (typeof this.#timer === 'object') this.#timer.unref()
	}

	#disarm() {
		clearTimeout(this.#timer)
		this.#armed = Infinity
	}

	#tick() {
		this.#armed = Infinity
		try {
			this.run((now) => this.instance.tick(now))
		} catch (e) {
			if (e !== this.instance.dead) throw e // every socket was told of that
		}
	}
}
