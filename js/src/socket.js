// A relayed socket: what its user sees of the attempts at allocations, of which one wins.
// Which transports there are is the platform's matter.

import { formatAddress } from './address.js'
import { Attempt, message } from './attempt.js'
import { deferred } from './deferred.js'
import { Driver } from './driver.js'
import { Emitter } from './emitter.js'
import { TurnError } from './error.js'
import { checkOptions, ownsPort, wantDate, wantLinger, withoutSecrets } from './options.js'
import { bytesOf, slice, sumOf } from './payload.js'
import { Race } from './race.js'
import { expiryOf, Renewal } from './renewal.js'
import { search } from './search.js'
import { Standing } from './standing.js'
import { readableOf, writableOf } from './streams.js'
import { traced } from './trace.js'

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./client.js').TurnClient} TurnClient */
/** @typedef {import('./event.js').Phase} Phase */
/** @typedef {import('./options.js').TurnSocketOptions} TurnSocketOptions */
/** @typedef {import('./transport.js').Platform} Platform */
/** @template T @typedef {import('./deferred.js').Deferred<T>} Deferred */

/** @typedef {import('./told.js').Closed} Closed */
/** @typedef {import('./told.js').RemoteInfo} RemoteInfo */
/** @typedef {import('./told.js').SocketEvent} SocketEvent */
/**
 * @template {Uint8Array} [Data=Uint8Array]
 * @typedef {import('./told.js').TurnSocketEvents<Data>} TurnSocketEvents
 */
/** @typedef {(error: Error | null, bytes?: number) => void} SendCallback */

/** Larger payloads no datagram holds: each has its own answer. */
const MAX_POSTED = 65535

/** Of a socket that has asked no server. @type {Closed} */
const NOTHING = { outcome: 'nothing_to_release', reason: '', reuseAfter: 0 }

/** Payloads that wait for the allocation. */
const MAX_WAITING = 512

/**
 * A relayed socket, with the vocabulary of node:dgram. It emits `listening` when the server has allocated, `message`,
 * `error`, at last `close`, and what else happens under the names of SocketEvent.
 * @template {Uint8Array} [Data=Uint8Array]
 * @extends {Emitter<TurnSocketEvents<Data>>}
 */
export class TurnSocket extends Emitter {
	/** As it was given: for another socket. */
	#base
	#platform
	#options
	#targets
	#renewal
	#linger
	#race
	/** @type {Driver | undefined} */
	#driver
	/** @type {TurnClient | undefined} */
	#client
	#keepsAlive = true

	/** Nobody sends any more: close was called, or it failed for good. */
	#closing = false
	#ended = false
	/** @type {TurnError | undefined} */
	#failure
	/** What everybody is told who comes later. @type {Error | undefined} */
	#why
	/** Sockets that are about to take this one's place. @type {Set<TurnSocket<Data>>} */
	#heirs = new Set()
	/** When the credential expires that was given last. @type {Date | undefined} */
	#expiry
	/** Gives up what is being looked up. */
	#giveUp = new AbortController()
	/** @type {Address | undefined} */
	#relayed
	/** @type {Address | undefined} */
	#mapped
	/** @type {Address | undefined} */
	#additional

	#standing = new Standing()
	/** Sends that wait for the allocation. @type {(() => void)[]} */
	#waiting = []
	#unread = 0

	#opened = /** @type {Deferred<this>} */ (deferred())
	#clientThere = /** @type {Deferred<TurnClient>} */ (deferred())
	#closed = /** @type {Deferred<Closed>} */ (deferred())
	#awaited = false

	/** @type {ReadableStream<{data: Data} & Address> | undefined} */
	#readable
	/** @type {WritableStream<{data: Uint8Array | string, port: number, address: string}> | undefined} */
	#writable
	/** Of closeAt: looks whether it is time. @type {(() => void) | undefined} */
	#watcher
	/** @type {(() => void) | undefined} */
	#stopWatching

	/**
	 * Sockets are made by createTurnSocket.
	 * @param {TurnSocketOptions} options
	 * @param {Platform} platform
	 * @param {number} [renewedAt] when the socket in whose place this one is has called renew
	 */
	constructor(options, platform, renewedAt) {
		super()
		const { targets, linger } = checkOptions(options, platform.carriers)
		this.#base = platform
		this.#platform = options.trace ? { ...platform, open: traced(platform.open, options.trace) } : platform
		this.#options = { ...options }
		this.#targets = targets
		this.#linger = linger
		const { renew } = options
		this.#expiry = expiryOf(options)
		this.#renewal = new Renewal(renew && ((until) => this.#renew(until, renew)), options.renewBefore, (e) => this.#mention(e), renewedAt)
		this.#race = new Race(ownsPort(options), linger)
		const { signal } = options
		if (signal) {
			const onAbort = () => void this.close()
			signal.addEventListener('abort', onAbort, { once: true })
			this.#closed.promise.then(() => signal.removeEventListener('abort', onAbort))
			if (signal.aborted) this.#shut(this.#closedError())
		}
		this.#start().catch((e) => this.#fail(e))
	}

	/**
	 * Settles when the server has allocated: with the socket; when that fails, with the error, which then is emitted only to
	 * those who listen.
	 */
	get opened() {
		this.#awaited = true
		return this.#opened.promise
	}

	/** Settles with the verdict when the socket is closed, whoever closed it. It never rejects. */
	get closed() {
		return this.#closed.promise
	}

	/** The relayed transport address: what peers send to. */
	get relayedAddress() {
		return this.#relayed
	}

	/** The relayed transport address of the other family, where `family: 'both'` asked for it and the server gave it. */
	get additionalAddress() {
		return this.#additional
	}

	/** The server-reflexive transport address: where the server sees us. */
	get mappedAddress() {
		return this.#mapped
	}

	/** What the server has granted last, in ms. */
	get lifetime() {
		return this.#race.leader?.lifetime ?? 0
	}

	/** The socket's own transport address. */
	get localAddress() {
		return this.#race.leader?.transport?.local
	}

	/** The server's transport address. */
	get server() {
		return this.#race.leader?.server ?? { address: '', port: 0 }
	}

	/** @returns {Phase} */
	get phase() {
		if (this.#ended) return 'closed'
		return this.#race.leader?.phase ?? 'new'
	}

	/**
	 * The counters: the machine's, the transport's, and payloads that nobody took.
	 * @returns {Record<string, number>}
	 */
	get stats() {
		return { ...this.#race.leader?.stats, payloadsUnread: this.#unread }
	}

	/** What was measured of the way to the server, and the retransmission time-out that comes of it, in ms. */
	get roundTrip() {
		return this.#race.leader?.roundTrip
	}

	/** Settles when what was sent is on its way: who waits for it now and then has nothing dropped on this side. */
	get drained() {
		return this.#race.leader?.transport?.drained ?? Promise.resolve()
	}

	/** Payloads as they come: `{data, address, port, family}`. What is not taken in time is dropped, and counted. */
	get readable() {
		this.#readable ??= readableOf(/** @type {any} */ (this), () => this.#unread++)
		return this.#readable
	}

	/** Takes `{data, port, address}`. Closing it closes the socket. */
	get writable() {
		this.#writable ??= writableOf(/** @type {any} */ (this))
		return this.#writable
	}

	/** The relayed address, as node:dgram's address() says where a socket listens. */
	address() {
		if (!this.#relayed) throw this.#failure ?? new TurnError(this.#closing ? 'closed' : 'refused', 'the socket has no relayed address: it has one from "listening" to its close')
		return this.#relayed
	}

	ref() {
		return this.#hold(true)
	}

	unref() {
		return this.#hold(false)
	}

	/** @param {boolean} keepsAlive the process */
	#hold(keepsAlive) {
		this.#keepsAlive = keepsAlive
		for (const attempt of this.#race.running) attempt.hold(keepsAlive)
		return this
	}

	/**
	 * Sends a payload to a peer, as node:dgram does: `send(msg, port, address, callback)` or
	 * `send(msg, offset, length, port, address, callback)`. Before "listening" it waits. Without a callback a refusal is
	 * emitted as an error.
	 * @param {Uint8Array | DataView | string | readonly (Uint8Array | string)[]} msg
	 * @param {[port: number, address: string, callback?: SendCallback] | [offset: number, length: number, port: number, address: string, callback?: SendCallback]} args
	 */
	send(msg, ...args) {
		if (typeof args[1] === 'number') {
			const [offset, length, port, address, callback] = /** @type {[number, number, number, string, SendCallback?]} */ (args)
			this.#submit([slice(bytesOf(msg), offset, length)], port, address, callback)
		} else {
			const [port, address, callback] = /** @type {[number, string, SendCallback?]} */ (args)
			const payload = msg instanceof Uint8Array ? msg : bytesOf(msg)
			if (callback === undefined && this.#relayed && payload.length <= MAX_POSTED) this.#post(payload, port, address)
			else this.#submit([payload], port, address, callback)
		}
	}

	/**
	 * Sends a payload, with others of this turn if there are any.
	 * @param {Uint8Array} payload
	 * @param {number} port
	 * @param {string} address
	 */
	#post(payload, port, address) {
		const client = /** @type {TurnClient} */ (this.#client)
		try {
			/** @type {Driver} */ (this.#driver).post(client, client.peer(port, address), payload)
		} catch (e) {
			if (e instanceof TypeError) throw e
			this.#refuseSend(e)
		}
	}

	/**
	 * Sends payloads to one peer in one batch.
	 * @param {readonly (Uint8Array | string)[]} msgs
	 * @param {number} port
	 * @param {string} address
	 * @param {SendCallback} [callback]
	 */
	sendMany(msgs, port, address, callback) {
		if (!Array.isArray(msgs)) throw new TypeError('sendMany takes a list of payloads')
		this.#submit(msgs.every((m) => m instanceof Uint8Array) ? msgs : msgs.map(bytesOf), port, address, callback)
	}

	/**
	 * @param {readonly Uint8Array[]} payloads
	 * @param {number} port
	 * @param {string} address
	 * @param {SendCallback} [callback]
	 */
	#submit(payloads, port, address, callback) {
		if (callback !== undefined && typeof callback !== 'function') throw new TypeError('the callback is a function')
		if (!this.#relayed) return this.#wait(payloads, port, address, callback)
		const driver = /** @type {Driver} */ (this.#driver)
		const client = /** @type {TurnClient} */ (this.#client)
		let failed
		try {
			driver.instance.ship(driver.now()) // what was sent before goes before
			if (payloads.length === 1) client.send(driver.now(), payloads[0], port, address)
			else failed = client.sendMany(driver.now(), payloads, port, address).error
			if (callback && !failed) queueMicrotask(() => callback(null, sumOf(payloads)))
		} catch (e) {
			if (e instanceof TypeError) throw e
			failed = e
		} finally {
			driver.after()
		}
		if (failed) this.#refuseSend(failed, callback)
	}

	/**
	 * @param {readonly Uint8Array[]} payloads
	 * @param {number} port
	 * @param {string} address
	 * @param {SendCallback} [callback]
	 */
	#wait(payloads, port, address, callback) {
		if (this.#closing) return this.#refuseSend(this.#closedError(), callback)
		if (this.#waiting.length >= MAX_WAITING) return this.#refuseSend(new TurnError('refused', 'turn: queue is full: nothing is allocated yet'), callback)
		const copies = payloads.map((p) => p.slice())
		this.#waiting.push(() => this.#submit(copies, port, address, callback))
	}

	/**
	 * @param {unknown} error
	 * @param {SendCallback} [callback]
	 */
	#refuseSend(error, callback) {
		const e = /** @type {Error} */ (error)
		queueMicrotask(() => (callback ? callback(e) : this.#complain(e)))
	}

	/** Refreshes the allocation now, beside the refreshes that happen by themselves. */
	async refresh() {
		await this.#ask((client, now) => client.refresh(now), () => [this.#standing.refresh()])
	}

	/**
	 * The local address has changed, or is about to: goes on from a new local port. It answers whether the allocation has
	 * moved there with its relayed address (RFC 8016: the option mobility, and a server that has it); if not, a new
	 * allocation has taken its place, with its permissions and channels.
	 * @returns {Promise<boolean>}
	 */
	async rebind() {
		/** @type {Promise<boolean> | undefined} */
		let moved
		await this.#ask((client, now) => client.rebind(now), () => [(moved = this.#standing.move())])
		return /** @type {Promise<boolean>} */ (moved)
	}

	/**
	 * Lets peers send to the relayed address, and waits until the server has agreed.
	 * @param {string | readonly string[]} addresses IP addresses
	 */
	async createPermission(addresses) {
		const list = typeof addresses === 'string' ? [addresses] : addresses
		await this.#ask((client, now) => client.createPermission(now, list), () => this.#standing.permit(list))
	}

	/**
	 * Stops the refreshes of a permission: the server drops it within five minutes.
	 * @param {string} address
	 */
	async removePermission(address) {
		await this.#ask((client, now) => client.removePermission(now, address), () => [])
		this.#standing.forbid(address)
	}

	/**
	 * Binds a channel to a peer, and waits until the server has agreed: four bytes a payload instead of 36 or more.
	 * @param {number} port
	 * @param {string} address
	 */
	async bindChannel(port, address) {
		await this.#ask((client, now) => client.bindChannel(now, port, address), () => this.#standing.bind(port, address))
	}

	/**
	 * Stops the refreshes of a channel; it serves until it expires.
	 * @param {number} port
	 * @param {string} address
	 */
	async unbindChannel(port, address) {
		await this.#ask((client, now) => client.unbindChannel(now, port, address), () => [])
		this.#standing.unbind(port, address)
	}

	/**
	 * Replaces the credential: the next request is signed with it. A new username serves the next allocation only (RFC 8656
	 * section 5): `replace` makes one beside this.
	 * @param {string} username
	 * @param {string} credential
	 * @param {Date} [expires]
	 */
	async setCredentials(username, credential, expires) {
		if (expires !== undefined) wantDate(expires)
		await this.#ask((client, now) => client.setCredentials(now, username, credential), () => [])
		this.#expire(expiryOf({ username, expires }))
	}

	/**
	 * Replaces the access token of RFC 7635 and its key, of which kid is the name: the next request is signed with it.
	 * @param {string} kid
	 * @param {Uint8Array} macKey
	 * @param {Uint8Array} accessToken
	 * @param {Date} [expires]
	 */
	async setToken(kid, macKey, accessToken, expires) {
		if (expires !== undefined) wantDate(expires)
		await this.#ask((client, now) => client.setToken(now, kid, macKey, accessToken), () => [])
		this.#expire(expires)
	}

	/** @param {Date | undefined} at */
	#expire(at) {
		this.#expiry = at
		this.#renewal.arm(at)
	}

	/**
	 * Between two allocations there is nothing to be replaced, nor anybody to take a credential.
	 * @param {Date} until
	 * @param {NonNullable<TurnSocketOptions['renew']>} renew
	 */
	async #renew(until, renew) {
		if (!this.#relayed) await new Promise((resolve) => this.once('listening', () => resolve(undefined)))
		await renew(this, until)
	}

	/**
	 * Makes a second allocation with other credentials, beside this one: make before break. It is for a new username, which
	 * a live allocation does not take up; for a new password `setCredentials` does.
	 *
	 * The new socket is made with this one's options, from another local port, and has the permissions and channels that
	 * this one has at the call. The relayed address is another: tell the peers, send from the new socket, take what still comes to this
	 * one, and close this one when nothing does. An error leaves nothing behind, and this socket as it is; so does its close
	 * in the meantime, with which the new one is closed.
	 * @param {import('./renewal.js').Credentials} credentials
	 * @returns {Promise<TurnSocket<Data>>}
	 */
	async replace({ username, credential, accessToken, macKey, expires }) {
		if (this.#closing) throw this.#closedError()
		if (!this.#relayed) throw new TurnError('refused', 'there is no allocation to be replaced')
		const options = { ...this.#options, username, credential, accessToken, macKey, expires, localPort: undefined, reservationToken: undefined }
		const { permitted, channels } = this.#standing
		const next = /** @type {TurnSocket<Data>} */ (new TurnSocket(options, this.#base, this.#renewal.last))
		if (!this.#keepsAlive) next.unref()
		this.#heirs.add(next)
		try {
			await next.opened
			await next.createPermission(permitted)
			await Promise.all(channels.map(({ address, port }) => next.bindChannel(port, address)))
			return next
		} catch (e) {
			await next.close()
			throw e
		} finally {
			this.#heirs.delete(next)
		}
	}

	/**
	 * Releases the allocation and answers the verdict, in whatever state. A second call can shorten the linger; its
	 * verdict is the same.
	 * @param {{linger?: number} | (() => void)} [options] linger: how long to wait for the server's verdict, in ms; a function
	 *   is called on "close", as node:dgram does
	 * @returns {Promise<Closed>}
	 */
	close(options) {
		if (typeof options === 'function') {
			if (this.#ended) queueMicrotask(options)
			else this.once('close', options)
		}
		const linger = wantLinger((typeof options === 'object' ? options?.linger : undefined) ?? this.#linger)
		this.#shut(this.#closedError())
		this.#race.close(linger)
		for (const heir of this.#heirs) void heir.close({ linger })
		return this.closed
	}

	async [Symbol.asyncDispose]() {
		await this.close()
	}

	/**
	 * Closes the socket the moment that its client is in the phase, before anything else can happen to it: for checkers
	 * and tests of what a close leaves behind.
	 * @param {Phase} phase
	 * @param {number} [linger]
	 */
	closeAt(phase, linger = this.#linger) {
		wantLinger(linger)
		this.#stopWatching?.()
		const look = () => {
			if (this.#ended || ![...this.#race.running].some((a) => a.client && a.phase === phase)) return
			this.#stopWatching?.()
			void this.close({ linger })
		}
		this.#watcher = look
		if (this.#driver) this.#watch(this.#driver)
	}

	/** @param {Driver} driver */
	#watch(driver) {
		const look = this.#watcher
		if (!look) return
		driver.watch(look)
		this.#stopWatching = () => driver.unwatch(look)
		look()
	}

	/** From nothing to attempts at all places. */
	async #start() {
		const driver = this.#options.turn ? Driver.of(this.#options.turn) : await Driver.shared()
		this.#driver = driver
		const { signal } = this.#giveUp
		await search(this.#closing ? [] : this.#targets, signal, {
			find: (target) => this.#platform.find(target, this.#options, signal),
			found: (places, { carrier }) => this.#race.add(places.map((at) => () => this.#attempt(driver, at, carrier))),
			failed: ({ host }, error) => this.#race.failed(host, asError(error)),
		})
		this.#race.complete()
		if (this.#race.lost && !this.#closing) this.#fail(this.#race.error)
		if (this.#closing && this.#race.over) void this.#end()
	}

	/**
	 * @param {Driver} driver
	 * @param {import('./transport.js').Place} at
	 * @param {import('./options.js').Carrier} carrier
	 */
	#attempt(driver, at, carrier) {
		return new Attempt(at, carrier, { driver, platform: this.#platform, options: this.#options, linger: this.#linger, keepsAlive: this.#keepsAlive }, this.#owner)
	}

	/** What attempts tell. @type {import('./attempt.js').Owner} */
	#owner = {
		ready: (attempt) => {
			if (this.#driver) this.#watch(this.#driver)
			if (attempt === (this.#race.winner ?? this.#race.only)) this.#own(attempt)
		},
		left: (attempt) => {
			if (!this.#client || attempt !== (this.#race.winner ?? this.#race.only)) return
			this.#client = undefined
			this.#clientThere = deferred()
		},
		happened: (attempt, e) => {
			if (!this.#race.has(attempt)) return
			if (e.event === 'allocated') this.#won(attempt)
			this.emit(/** @type {'event'} */ (e.event), e)
			this.emit('event', e)
			this.#react(e)
		},
		failed: (attempt, error) => {
			if (!this.#race.has(attempt)) return
			this.#race.failed(formatAddress(attempt.server), error, attempt)
			if (this.#race.winner ?? this.#race.only) this.#fail(error)
			else if (this.#race.lost && !this.#closing) this.#fail(this.#race.error)
		},
		ended: (attempt, verdict) => {
			this.#race.ended(attempt, verdict)
			if (this.#closing && this.#race.over) void this.#end()
		},
		refuse: (what, error) => this.#standing.refuse(what, error),
		refuseSend: (error) => this.#refuseSend(error),
		data: (payload, from) => {
			this.emit('message', /** @type {Data} */ (payload), { address: from.address, family: from.family, port: from.port, size: payload.length })
		},
	}

	/** Commands are for this attempt's client. @param {Attempt} attempt */
	#own(attempt) {
		this.#client = /** @type {TurnClient} */ (attempt.client)
		this.#clientThere.resolve(this.#client)
	}

	/** The attempt is the first that has allocated. @param {Attempt} attempt */
	#won(attempt) {
		this.#race.won(attempt)
		this.#own(attempt)
	}

	/**
	 * Asks the machine for something, and waits for what wait names. That is made before the command is given: its answer
	 * may come at once.
	 * @param {(client: TurnClient, now: number) => void} command
	 * @param {() => Promise<unknown>[]} wait
	 */
	async #ask(command, wait) {
		if (this.#closing) throw this.#closedError()
		const client = this.#client ?? (await this.#clientThere.promise)
		if (this.#closing) throw this.#closedError()
		const driver = /** @type {Driver} */ (this.#driver)
		const answers = wait()
		for (const a of answers) a.catch(() => {}) // refused commands have no waiters to tell
		driver.run((now) => command(client, now))
		await Promise.all(answers)
	}

	/** @param {SocketEvent} e */
	#react(e) {
		this.#standing.react(e)
		if (e.event === 'allocated') this.#allocated(e)
		else if (e.event === 'rebound') this.#mapped = e.mappedAddress
		else if (e.event === 'allocationLost') this.#relayed = this.#mapped = this.#additional = undefined
	}

	/** @param {SocketEvent} e */
	#allocated(e) {
		if (this.#closing) return // a listener has closed it
		this.#renewal.arm(this.#expiry)
		this.#options = withoutSecrets(this.#options) // the machine has them
		this.#relayed = e.relayedAddress
		this.#additional = e.additionalAddress
		this.#mapped = e.mappedAddress
		this.#opened.resolve(this)
		this.emit('listening')
		for (const send of this.#waiting.splice(0)) send()
	}

	/** What went wrong for good. @param {unknown} cause */
	#fail(cause) {
		if (this.#closing && this.#race.over) return void this.#end()
		const error = asError(cause)
		const news = !this.#closing
		this.#shut(error)
		if (news) this.#report(error)
		if (this.#race.over) void this.#end()
	}

	/**
	 * Sends everybody away.
	 * @param {Error} error
	 */
	#shut(error) {
		if (this.#closing) return
		this.#closing = true
		if (error instanceof TurnError && error.kind !== 'closed') this.#failure = error
		this.#why = error
		this.#giveUp.abort(error)
		this.#opened.reject(error)
		this.#opened.promise.catch(() => {})
		this.#clientThere.reject(error)
		this.#clientThere.promise.catch(() => {})
		this.#standing.fail(error)
		this.#renewal.end()
		this.#relayed = undefined
		for (const send of this.#waiting.splice(0)) send() // each is told that it is too late
	}

	/** Tells an error to whoever listens. @param {Error} error */
	#report(error) {
		if (this.listenerCount('error') > 0) this.emit('error', error)
		else if (!this.#awaited) queueMicrotask(() => this.#complain(error))
	}

	/** Tells an error after which the socket goes on, and only if somebody listens. @param {Error} error */
	#mention(error) {
		if (!this.#ended && this.listenerCount('error') > 0) this.emit('error', error)
	}

	/** Emits an error; who made no listener is told by an exception, as ever. @param {Error} error */
	#complain(error) {
		this.emit('error', error)
	}

	#closedError() {
		const { signal } = this.#options
		return this.#why ?? (signal?.aborted ? signal.reason : new TurnError('closed', 'the socket is closed'))
	}

	/** The last thing that happens. */
	async #end() {
		if (this.#ended) return
		this.#shut(this.#closedError())
		this.#ended = true
		this.#stopWatching?.()
		const verdict = this.#race.verdict ?? NOTHING
		this.#closed.resolve(verdict)
		this.emit('close', verdict)
	}
}

/** @param {unknown} cause */
const asError = (cause) => (cause instanceof TurnError || cause instanceof TypeError ? cause : new TurnError('transport', message(cause), { cause }))
