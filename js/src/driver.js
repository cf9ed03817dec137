// The one timer of an instance, and the instance that sockets share.

import { CODE_OK } from './abi.gen.js'
import { codeError } from './error.js'
import { Inbox } from './inbox.js'
import { TurnInstance } from './instance.js'

/** @typedef {import('./client.js').TurnClient} TurnClient */
/** @typedef {import('./client.js').Peer} Peer */

/** The longest time that setTimeout takes; a longer one would be 1 ms. */
const LONGEST = 2 ** 31 - 1

/** Ticks in a row: each wakes some of the clients that are due. Then sockets get their turn. */
const MOST_TICKS = 64

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
	#inbox = new Inbox((datagrams, clients, flows) => {
		this.#tell((now) => this.instance.inputMany(now, datagrams, clients, flows))
	})
	/** A payload went out in this turn: the others wait for its end. */
	#posting = false

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
		const now = this.now()
		try {
			this.instance.ship(now) // what was sent before goes before
			return f(now)
		} finally {
			this.after()
		}
	}

	/**
	 * Hands in what a connected socket has received. It answers the first of a burst at once, the others at the end of the turn.
	 * @param {TurnClient} client
	 * @param {number} flow
	 * @param {Uint8Array} datagram
	 */
	received(client, flow, datagram) {
		if (this.#inbox.waits(this.now)) this.#inbox.put(client, flow, datagram)
		else this.#tell((now) => this.instance.inputOne(client, now, datagram, flow))
	}

	/**
	 * Sends a payload: the first of a turn at once, with a refusal thrown; the others at its end, with a refusal told to the
	 * client's sink.
	 * @param {TurnClient} client
	 * @param {Peer} peer
	 * @param {Uint8Array} payload
	 */
	post(client, peer, payload) {
		const { instance } = this
		if (this.#posting) {
			if (instance.post(client, peer, payload)) return
			instance.ship(this.now())
			instance.post(client, peer, payload)
			return
		}
		this.#posting = true
		queueMicrotask(this.#endTurn)
		const status = instance.sendOne(client, this.now(), payload, peer)
		this.after()
		if (status !== CODE_OK) throw codeError(status)
	}

	#endTurn = () => {
		this.#posting = false
		if (this.instance.posted > 0) this.#tell((now) => this.instance.ship(now))
	}

	/** Hands in what waits: what comes behind it may be the end. */
	settle() {
		this.#inbox.hand()
	}

	/** Calls the machine where nobody waits for an answer. @param {(now: number) => void} f */
	#tell(f) {
		try {
			f(this.now())
		} catch (e) {
			if (e !== this.instance.dead) throw e // every socket was told of that
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
		this.#tell(() => {
			for (let i = 0; i < MOST_TICKS; i++) if (this.instance.tick(this.now()) > this.now()) return
		})
	}
}
