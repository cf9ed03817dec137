// A relayed socket: a client of the machine, with a transport to its server.
// Which transports there are is the platform's matter.

import { formatAddress, formatIP, parseIP } from './address.js'
import { Driver } from './driver.js'
import { Emitter } from './emitter.js'
import { requestError, TurnError } from './error.js'
import { checkOptions, clientConfig, ownsPort, wantLinger } from './options.js'
import { checkRest, noteRest } from './resting.js'
import { Move } from './move.js'
import { Trail } from './redirect.js'
import { readableOf, writableOf } from './streams.js'
import { traced } from './trace.js'
import { noteTrip, tripTo } from './trips.js'
import { Waiters } from './waiters.js'

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./client.js').TurnClient} TurnClient */
/** @typedef {import('./event.js').Phase} Phase */
/** @typedef {import('./event.js').TurnEvent} TurnEvent */
/** @typedef {import('./options.js').TurnSocketOptions} TurnSocketOptions */

/**
 * A path to the server: what the platform makes of a flow.
 * @typedef {object} Transport
 * @property {(data: Uint8Array) => void} send ships a datagram; its bytes are good until the call returns, or, where
 *   there is a flush, until that is called right after
 * @property {(bytes: Uint8Array, offset: number, length: number, count: number, stride: number) => void} [sendRun] the same
 *   for datagrams of one length that lie a stride apart
 * @property {() => void} [flush]
 * @property {() => void | Promise<void>} close ships what was sent before; settles when the local port is free
 * @property {{address: string, port: number}} [local] its own address, where it can be known
 * @property {{address: string, port: number}} [server] the server's address, where the transport knows it better
 * @property {() => void} [ref]
 * @property {() => void} [unref]
 * @property {(parting: import('./client.js').Parting | undefined) => void} [deposit] leaves what to ship when we die
 * @property {boolean} [deposited] what was left would be shipped now
 * @property {Promise<void>} [drained] settles when what was sent is on its way
 * @property {Record<string, number>} [stats] its own counters
 */

/**
 * Who is told what comes of a transport.
 * @typedef {object} Receiver
 * @property {(data: Uint8Array) => void} received a datagram, which is the receiver's to keep
 * @property {() => void} unreachable the path has said that the server cannot be reached
 * @property {(error: Error) => void} failed the transport is of no use any more
 * @property {(ms: number, why: Error) => void} leaving the transport will end after so long: whoever wants to release does it before
 */

/**
 * @typedef {object} Platform
 * @property {readonly import('./uri.js').Via[]} carriers that it has
 * @property {(host: string) => Promise<string[]>} resolve the IP addresses of a name
 * @property {(server: {address: string, port: number}, local: {address?: string, port: number}, receiver: Receiver, signal: AbortSignal, carrier: import('./options.js').Carrier) => Promise<Transport>} open the signal
 *   says that nobody wants it any more
 */

/**
 * The verdict of a close.
 * @typedef {object} Closed
 * @property {import('./event.js').Outcome} outcome
 * @property {string} reason why it is not released; empty if it is
 * @property {number} reuseAfter how long the local port should rest before the next allocation from it, in ms
 * @property {Date} [until] when the server lets go of the allocation at the latest; undefined when it holds none
 */

/** What a socket tells: an event of the machine's, its instant a date. @typedef {Omit<TurnEvent, 'until'> & {until?: Date}} SocketEvent */

/** @typedef {Address & {size: number}} RemoteInfo */

/**
 * @template {Uint8Array} [Data=Uint8Array]
 * @typedef {{
 *   message: [msg: Data, rinfo: RemoteInfo],
 *   listening: [],
 *   error: [error: Error],
 *   close: [verdict: Closed],
 *   event: [event: SocketEvent],
 *   allocated: [event: SocketEvent],
 *   allocateFailed: [event: SocketEvent],
 *   permissionCreated: [event: SocketEvent],
 *   permissionFailed: [event: SocketEvent],
 *   channelBound: [event: SocketEvent],
 *   channelFailed: [event: SocketEvent],
 *   refreshed: [event: SocketEvent],
 *   refreshFailed: [event: SocketEvent],
 *   peerICMP: [event: SocketEvent],
 *   needNewPort: [event: SocketEvent],
 *   credentialsExpired: [event: SocketEvent],
 *   allocationLost: [event: SocketEvent],
 *   commandDropped: [event: SocketEvent],
 *   reclaimed: [event: SocketEvent],
 *   tokenNeeded: [event: SocketEvent],
 *   redirected: [event: SocketEvent],
 *   mobilityRefused: [event: SocketEvent],
 *   rebound: [event: SocketEvent],
 *   rebindFailed: [event: SocketEvent],
 *   portReserved: [event: SocketEvent],
 *   optionRefused: [event: SocketEvent],
 *   addressRefused: [event: SocketEvent],
 *   flowNeeded: [event: SocketEvent],
 *   streamBroken: [event: SocketEvent],
 * }} TurnSocketEvents
 */

/**
 * @template T
 * @typedef {{promise: Promise<T>, resolve: (value: T) => void, reject: (error: unknown) => void}} Deferred
 */

/** @typedef {(error: Error | null, bytes?: number) => void} SendCallback */

/**
 * "The client SHOULD try three different client transport addresses before giving up on this server."
 * https://www.rfc-editor.org/rfc/rfc8656#section-7.4
 */
const MAX_PORTS = 3

/**
 * "Once the client gives up on the server, it SHOULD NOT try to create another allocation on the server for 2 minutes."
 * https://www.rfc-editor.org/rfc/rfc8656#section-7.4
 */
const REST_AFTER_MISMATCH = 120_000

/** Larger payloads no datagram holds: each has its own answer. */
const MAX_POSTED = 65535

/** Payloads that wait for the allocation. */
const MAX_WAITING = 512

/**
 * "each Allocate or Refresh transaction resets this timer to the default lifetime value of 600 seconds (10 minutes)"
 * https://www.rfc-editor.org/rfc/rfc8656#section-6
 */
const DEFAULT_LIFETIME = 600_000

/**
 * A relayed socket, with the vocabulary of node:dgram. It emits `listening` when the server has allocated, `message`,
 * `error`, at last `close`, and what else happens under the names of SocketEvent.
 * @template {Uint8Array} [Data=Uint8Array]
 * @extends {Emitter<TurnSocketEvents<Data>>}
 */
export class TurnSocket extends Emitter {
	#platform
	#options
	#target
	#carrier
	#linger
	/** @type {Driver | undefined} */
	#driver
	/** @type {TurnClient | undefined} */
	#client
	/** @type {Transport | undefined} */
	#transport
	/** The flow that the transport is. */
	#flow = 0
	#ports = 0
	#move = new Move()
	#trail
	/** Where the server has sent us. @type {import('./redirect.js').Server | undefined} */
	#alternate
	/** @type {{address: string, port: number}} */
	#server = { address: '', port: 0 }
	#keepsAlive = true

	/** An Allocate was asked for: something may be left behind. */
	#started = false
	/** What is left behind where there is no client. @type {Closed} */
	#left = { outcome: 'nothing_to_release', reason: '', reuseAfter: 0 }
	/** Nobody sends any more: close was called, or it failed for good. */
	#closing = false
	#ended = false
	/** @type {TurnError | undefined} */
	#failure
	/** Why the transport is of no use any more. @type {Error | undefined} */
	#broken
	/** Gives up what is being opened. */
	#giveUp = new AbortController()
	/** @type {Address | undefined} */
	#relayed
	/** @type {Address | undefined} */
	#mapped
	/** @type {Address | undefined} */
	#additional
	#lifetime = 0
	/** @type {Record<string, number>} */
	#stats = {}

	#waiters = new Waiters()
	/** @type {Set<string>} */
	#permitted = new Set()
	/** @type {Map<string, number>} */
	#channels = new Map()
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
	 */
	constructor(options, platform) {
		super()
		const { target, carrier, linger } = checkOptions(options, platform.carriers)
		this.#platform = options.trace ? { ...platform, open: traced(platform.open, options.trace) } : platform
		this.#options = { ...options }
		this.#target = target
		this.#carrier = carrier
		this.#linger = linger
		this.#trail = new Trail(options.redirect ?? 'signed')
		const { signal } = options
		if (signal) {
			const onAbort = () => void this.close()
			signal.addEventListener('abort', onAbort, { once: true })
			this.#closed.promise.then(() => signal.removeEventListener('abort', onAbort))
			if (signal.aborted) this.#shut(this.#closedError())
		}
		this.#start().catch((e) => this.#fail(e))
	}

	/** Settles when the server has allocated: with the socket; when that fails, with the error, which then is not emitted. */
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
		return this.#lifetime
	}

	/** The socket's own transport address. */
	get localAddress() {
		return this.#transport?.local
	}

	/** The server's transport address. */
	get server() {
		return this.#server
	}

	/** @returns {Phase} */
	get phase() {
		if (this.#ended) return 'closed'
		return this.#client && !this.#driver?.instance.dead ? this.#client.state().phase : 'new'
	}

	/**
	 * The counters: the machine's, the transport's, and payloads that nobody took.
	 * @returns {Record<string, number>}
	 */
	get stats() {
		this.#count()
		return { ...this.#stats, ...this.#transport?.stats, payloadsUnread: this.#unread }
	}

	/** What was measured of the way to the server, and the retransmission time-out that comes of it, in ms. */
	get roundTrip() {
		if (!this.#client || this.#ended || this.#driver?.instance.dead) return undefined
		const { roundTrip, rto = 0 } = this.#client.state()
		return roundTrip && { ...roundTrip, rto }
	}

	/** Settles when what was sent is on its way: who waits for it now and then has nothing dropped on this side. */
	get drained() {
		return this.#transport?.drained ?? Promise.resolve()
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
		this.#keepsAlive = true
		this.#transport?.ref?.()
		return this
	}

	unref() {
		this.#keepsAlive = false
		this.#transport?.unref?.()
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
		await this.#ask((client, now) => client.refresh(now), () => [this.#waiters.add('refresh')])
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
		await this.#ask((client, now) => client.rebind(now), () => [(moved = this.#waiters.add('rebind'))])
		return /** @type {Promise<boolean>} */ (moved)
	}

	/**
	 * Lets peers send to the relayed address, and waits until the server has agreed.
	 * @param {string | readonly string[]} addresses IP addresses
	 */
	async createPermission(addresses) {
		const list = typeof addresses === 'string' ? [addresses] : addresses
		const missing = () => list.map(plain).filter((a) => !this.#permitted.has(a))
		await this.#ask((client, now) => client.createPermission(now, list), () => missing().map((a) => this.#waiters.add('permission', a)))
	}

	/**
	 * Stops the refreshes of a permission: the server drops it within five minutes.
	 * @param {string} address
	 */
	async removePermission(address) {
		await this.#ask((client, now) => client.removePermission(now, address), () => [])
		this.#permitted.delete(plain(address))
	}

	/**
	 * Binds a channel to a peer, and waits until the server has agreed: four bytes a payload instead of 36 or more.
	 * @param {number} port
	 * @param {string} address
	 */
	async bindChannel(port, address) {
		const key = formatAddress({ address: plain(address), port })
		await this.#ask(
			(client, now) => client.bindChannel(now, port, address),
			() => (this.#channels.has(key) ? [] : [this.#waiters.add('channel', key)]),
		)
	}

	/**
	 * Stops the refreshes of a channel; it serves until it expires.
	 * @param {number} port
	 * @param {string} address
	 */
	async unbindChannel(port, address) {
		await this.#ask((client, now) => client.unbindChannel(now, port, address), () => [])
		this.#channels.delete(formatAddress({ address: plain(address), port }))
	}

	/**
	 * Replaces the credential: the next request is signed with it.
	 * @param {string} username
	 * @param {string} credential
	 */
	async setCredentials(username, credential) {
		await this.#ask((client, now) => client.setCredentials(now, username, credential), () => [])
	}

	/**
	 * Replaces the access token of RFC 7635 and its key, of which kid is the name: the next request is signed with it.
	 * @param {string} kid
	 * @param {Uint8Array} macKey
	 * @param {Uint8Array} accessToken
	 */
	async setToken(kid, macKey, accessToken) {
		await this.#ask((client, now) => client.setToken(now, kid, macKey, accessToken), () => [])
	}

	/**
	 * Releases the allocation and answers the verdict, in whatever state. A second call can shorten the linger; its
	 * verdict is the same.
	 * @param {{linger?: number} | (() => void)} [options] linger: how long to wait for the server's verdict, in ms; a function
	 *   is called on "close", as node:dgram does
	 * @returns {Promise<Closed>}
	 */
	close(options) {
		if (typeof options === 'function') this.once('close', options)
		const linger = wantLinger((typeof options === 'object' ? options?.linger : undefined) ?? this.#linger)
		this.#shut(this.#closedError())
		if (!this.#ended && this.#client) this.#tell((client, now) => client.close(now, linger))
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
			if (this.#ended || !this.#client || this.#driver?.instance.dead || this.phase !== phase) return
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

	/** From nothing to an Allocate on its way. */
	async #start() {
		const driver = this.#options.turn ? Driver.of(this.#options.turn) : await Driver.shared()
		const { host, port } = this.#target
		const found = parseIP(host) ? [host] : await this.#platform.resolve(host)
		if (this.#closing) return void this.#end(this.#left)
		this.#transport = await this.#connect(found, port)
		if (this.#closing) return void this.#end(this.#left)
		this.#ports = 1
		this.#driver = driver
		this.#apply()
	}

	/** Has the machine allocate from the server that the transport leads to. */
	#apply() {
		const driver = /** @type {Driver} */ (this.#driver)
		checkRest(formatAddress(this.#server))
		this.#client = driver.instance.open(driver.now(), { ...clientConfig(this.#options), server: this.#server, ...this.#pathConfig() }, this.#sink)
		this.#watch(driver)
		this.#clientThere.resolve(this.#client)
		if (this.#closing) return
		this.#started = true
		driver.run((now) => /** @type {TurnClient} */ (this.#client).allocate(now))
	}

	/** What the machine has to know of the path. On streams nothing is measured. */
	#pathConfig() {
		const stream = this.#carrier.via !== 'udp'
		return { stream, secured: this.#carrier.via === 'tls', roundTrip: stream ? undefined : tripTo(this.#server.address) }
	}

	/**
	 * Opens a transport to the first of the addresses that takes one.
	 * @param {readonly string[]} addresses
	 * @param {number} port
	 */
	async #connect(addresses, port) {
		const own = this.#options.localAddress
		const usable = addresses.filter((a) => !own || a.includes(':') === own.includes(':'))
		if (usable.length === 0) throw new TurnError('transport', `${this.#target.host} has no address of the local address's family`)
		/** @type {unknown} */
		let first
		for (const address of usable) {
			try {
				this.#server = { address, port }
				const transport = await this.#open(0, this.#options.localPort ?? 0)
				this.#server = transport.server ?? this.#server
				return transport
			} catch (e) {
				first ??= e
			}
		}
		throw first
	}

	/**
	 * @param {number} flow
	 * @param {number} localPort
	 * @param {boolean} [anywhere] from any local address
	 */
	async #open(flow, localPort, anywhere = false) {
		const own = anywhere ? undefined : this.#options.localAddress
		const transport = await this.#platform.open(this.#server, { address: own, port: localPort }, {
			received: (data) => this.#received(flow, data),
			unreachable: () => this.#tell((client, now) => client.pathError(now, flow)),
			failed: (error) => {
				this.#driver?.settle() // it came before
				if (flow === this.#flow) this.#broken = error
				this.#tell((client, now) => client.flowClosed(now, flow))
			},
			leaving: (ms, why) => this.#leave(ms, why),
		}, this.#giveUp.signal, this.#carrier)
		if (!this.#keepsAlive) transport.unref?.()
		return transport
	}

	/**
	 * @param {number} flow
	 * @param {Uint8Array} data
	 */
	#received(flow, data) {
		if (!this.#ended && this.#client) this.#driver?.received(this.#client, flow, data)
	}

	/**
	 * The transport will end: what it has is released while there is time.
	 * @param {number} ms
	 * @param {Error} why
	 */
	#leave(ms, why) {
		if (this.#closing) return
		this.#linger = Math.min(ms, this.#linger)
		this.#fail(why)
	}

	/** Calls the machine where nobody waits for an answer. @param {(client: TurnClient, now: number) => void} f */
	#tell(f) {
		const client = this.#client
		if (this.#ended || !client || !this.#driver) return
		try {
			this.#driver.run((now) => f(client, now))
		} catch (e) {
			if (e !== this.#driver.instance.dead) throw e
		}
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

	/** @param {number} flow */
	#pathOf(flow) {
		return flow === this.#flow ? this.#transport : this.#move.from(flow)
	}

	/** What the machine tells. @type {import('./instance.js').Sink} */
	#sink = {
		transmit: (data, flow) => {
			this.#pathOf(flow)?.send(data)
		},
		run: (bytes, offset, length, count, stride, flow) => {
			const transport = this.#pathOf(flow)
			if (transport?.sendRun) transport.sendRun(bytes, offset, length, count, stride)
			else for (let i = 0, at = offset; i < count; i++, at += stride) transport?.send(bytes.subarray(at, at + length))
		},
		flush: () => {
			this.#transport?.flush?.()
			this.#move.flush()
		},
		refused: (error) => this.#refuseSend(error),
		data: (payload, from) => {
			this.emit('message', /** @type {Data} */ (payload), { address: from.address, family: from.family, port: from.port, size: payload.length })
		},
		event: (e) => this.#happened(e),
		parting: (parting) => this.#transport?.deposit?.(parting),
		died: (error) => this.#orphan(error),
	}

	/** @param {TurnEvent} e */
	#happened(e) {
		if (e.event === '') return // of a later version
		const driver = /** @type {Driver} */ (this.#driver)
		const told = { ...e, until: e.until ? driver.date(e.until) : undefined }
		if (e.event === 'closed') return this.#clientClosed(told)
		if (e.event === 'allocateFailed') {
			this.#mismatched(told)
			// What this server may hold is released with a last datagram.
			if (this.#alternate && !this.#closing) return this.#tell((client, now) => client.close(now, 0))
		}
		this.emit(/** @type {'event'} */ (e.event), told)
		this.emit('event', told)
		this.#react(told)
	}

	/** @param {SocketEvent} e */
	#clientClosed({ outcome = 'abandoned', reason, reuseAfter, until }) {
		this.#count()
		this.#client?.free()
		// What the machine cannot release any more, whoever holds its parting datagram does.
		const held = outcome === 'abandoned' && this.#broken && this.#transport?.deposited
		this.#left = { outcome: held ? 'unconfirmed' : outcome, reason, reuseAfter, until }
		if (this.#alternate && !this.#closing) this.#follow(this.#alternate).catch((error) => this.#fail(error))
		else void this.#end(this.#left)
	}

	/** @param {SocketEvent} e */
	#react(e) {
		switch (e.event) {
			case 'allocated':
				return this.#allocated(e)
			case 'allocateFailed':
				return this.#allocateFailed(e)
			case 'refreshed':
				this.#lifetime = e.lifetime
				return this.#waiters.settle('refresh', '')
			case 'permissionCreated':
				this.#permitted.add(keyOf(e, false))
				return this.#waiters.settle('permission', keyOf(e, false))
			case 'permissionFailed':
				this.#permitted.delete(keyOf(e, false))
				return this.#waiters.refuse('permission', keyOf(e, false), this.#errorOf(e))
			case 'channelBound':
				this.#channels.set(keyOf(e, true), e.channel)
				return this.#waiters.settle('channel', keyOf(e, true), e.channel)
			case 'channelFailed':
				this.#channels.delete(keyOf(e, true))
				return this.#waiters.refuse('channel', keyOf(e, true), this.#errorOf(e))
			case 'commandDropped':
				this.#waiters.refuse('permission', keyOf(e, false), this.#errorOf(e))
				return this.#waiters.refuse('channel', keyOf(e, true), this.#errorOf(e))
			case 'credentialsExpired':
			case 'refreshFailed':
				return this.#waiters.refuse('refresh', '', this.#errorOf(e))
			case 'needNewPort':
				return void this.#changePort(e.flow)
			case 'flowNeeded':
				this.#move.begin()
				return void this.#changePort(e.flow)
			case 'rebound':
				this.#mapped = e.mappedAddress
				return this.#arrive(true)
			case 'rebindFailed':
				this.#move.begin()
				this.#move.failure = this.#errorOf(e)
				return
			case 'redirected':
				return this.#redirected(e)
			case 'streamBroken':
				return this.#streamBroken(e)
			case 'allocationLost':
				return this.#allocationLost(e)
		}
	}

	/** @param {SocketEvent} e */
	#allocated(e) {
		this.#options = { ...this.#options, username: undefined, credential: undefined, accessToken: undefined, macKey: undefined } // the machine has it
		this.#relayed = e.relayedAddress
		this.#additional = e.additionalAddress
		this.#mapped = e.mappedAddress
		this.#lifetime = e.lifetime
		this.#ports = 1
		this.#arrive(false)
		this.#permitted.clear()
		this.#channels.clear()
		this.#opened.resolve(this)
		this.emit('listening')
		for (const send of this.#waiting.splice(0)) send()
	}

	/**
	 * "If the attribute is found, the domain MUST be used to validate the certificate" and "If the attribute is not found,
	 * the same domain that was used for the original request MUST be used to validate the certificate."
	 * https://www.rfc-editor.org/rfc/rfc8489#section-10
	 * @param {SocketEvent} e
	 */
	#redirected({ peer, signed, domain }) {
		if (!peer || !this.#trail.follows(this.#server, peer, signed)) return
		this.#alternate = peer
		if (domain) this.#carrier = { ...this.#carrier, serverName: domain }
	}

	/** The machine has done with the stream. What that ends is told by the events that follow. @param {SocketEvent} e */
	#streamBroken({ flow, reason }) {
		if (flow === this.#flow) this.#broken = new Error(`the stream ended: ${reason}`)
		void this.#pathOf(flow)?.close()
	}

	/** A move is over: the allocation is at the new address, or another one is. @param {boolean} moved */
	#arrive(moved) {
		void this.#move.end()?.close()
		this.#waiters.settle('rebind', '', moved)
	}

	/**
	 * Goes on to the server that the one before has named.
	 * @param {import('./redirect.js').Server} alternate
	 */
	async #follow(alternate) {
		const old = this.#transport
		this.#client = this.#transport = this.#alternate = undefined
		this.#clientThere = deferred()
		this.#stopWatching?.()
		this.#flow = 0
		await old?.close()
		if (this.#closing) return void this.#end(this.#left)
		this.#server = alternate
		this.#transport = await this.#open(0, this.#options.localPort ?? 0)
		if (this.#closing) return void this.#end(this.#left)
		this.#ports = 1
		this.#apply()
	}

	/** @param {SocketEvent} e */
	#allocateFailed(e) {
		this.#started = e.until !== undefined
		if (this.#broken && (e.code === 0 || this.#move.under)) return this.#fail(this.#broken)
		const error = this.#errorOf(e)
		noteRest(formatAddress(this.#server), error)
		this.#fail(error)
	}

	/**
	 * Only the host knows how many local ports were tried. One that the caller chose says nothing of the others.
	 * @param {SocketEvent} e
	 */
	#mismatched(e) {
		e.method ||= 'Allocate'
		if (e.code !== 437) return
		if (this.#ports >= MAX_PORTS) {
			e.reason = `the server holds allocations on all of ${MAX_PORTS} local ports`
			e.retryAfter = REST_AFTER_MISMATCH
			return
		}
		e.retryAfter = 0
		if (ownsPort(this.#options)) e.reason = 'the server holds another allocation on this local port'
	}

	/** @param {SocketEvent} e */
	#allocationLost(e) {
		this.#permitted.clear()
		this.#channels.clear()
		this.#relayed = this.#mapped = this.#additional = undefined
		this.#lifetime = 0
		const cause = this.#broken ?? this.#errorOf(e)
		const error = new TurnError('lost', `the allocation is lost: ${cause.message}`, { ...cause, cause })
		const goesOn = this.phase !== 'new' // by itself
		if (!goesOn && !this.#options.reallocate) return this.#fail(error)
		this.#waiters.refuse('refresh', '', error)
		if (!goesOn) this.#tell((client, now) => client.allocate(now)) // over another transport, for which the machine asks
	}

	/** @param {SocketEvent} e */
	#errorOf(e) {
		const peer = e.peer && (e.peer.port === 0 ? e.peer.address : formatAddress(e.peer))
		return requestError({ ...e, peer })
	}

	/**
	 * Goes to another local port: to move there, or after a 437; then it gives up after three, or when the caller chose
	 * the port.
	 * @param {number} flow
	 */
	async #changePort(flow) {
		const moves = this.#move.under
		const giveUp = !moves && (this.#ports >= MAX_PORTS || ownsPort(this.#options))
		const elsewhere = (/** @type {Error} */ e) => {
			if (moves && this.#options.localAddress) return this.#open(flow, 0, true) // it may be gone
			throw e
		}
		/** @type {Error | undefined} */
		let cause
		const opened = giveUp ? undefined : await this.#open(flow, 0).catch(elsewhere).catch((e) => void (cause = e))
		if (this.#ended) return void opened?.close()
		if (!opened) return this.#stay(flow, cause)
		this.#broken = undefined
		const old = this.#transport
		const oldFlow = this.#flow
		this.#transport = opened
		this.#flow = flow
		this.#ports = moves ? 1 : this.#ports + 1
		if (moves && old) void this.#move.leave(oldFlow, old)?.close() // until the move is answered, to release from
		this.#tell((client, now) => client.flowOpened(now, flow))
		if (!moves) void old?.close() // after the new one is open, which so cannot get the same port
	}

	/**
	 * There is no other transport.
	 * @param {number} flow
	 * @param {Error} [cause]
	 */
	#stay(flow, cause) {
		const before = this.#broken
		if (this.#move.under) this.#broken ??= cause
		this.#tell((client, now) => client.flowClosed(now, flow))
		const { failure } = this.#move
		if (!this.#move.under || this.#closing) return
		this.#broken = before
		void this.#move.end()?.close()
		this.#waiters.refuse('rebind', '', failure ?? new TurnError('transport', 'no other transport to the server could be opened', { cause }))
	}

	/** The instance has died: nobody can be asked any more. @param {TurnError} error */
	#orphan(error) {
		if (this.#ended) return
		const verdict = this.#lastWord()
		this.#shut(error)
		this.#report(error)
		void this.#end(verdict)
	}

	/** Ships the parting datagram, whose answer nobody will hear, and says what is known without the machine. */
	#lastWord() {
		/** @type {Closed} */
		const verdict = { outcome: 'nothing_to_release', reason: 'trapped', reuseAfter: 0 }
		if (!this.#started) return verdict
		const parting = this.#client?.lastParting
		verdict.outcome = 'abandoned'
		if (parting && parting.flow === this.#flow) {
			this.#transport?.send(parting.data)
			this.#transport?.flush?.()
			verdict.outcome = 'unconfirmed'
		}
		const now = performance.now()
		const worst = now + Math.max(DEFAULT_LIFETIME, this.#options.lifetime ?? 0, this.#lifetime)
		const until = parting && parting.until > now ? parting.until : worst
		verdict.until = new Date(Date.now() + until - now)
		verdict.reuseAfter = until - now
		return verdict
	}

	/** What went wrong for good; what may be left on the server is released. @param {unknown} cause */
	#fail(cause) {
		const error = cause instanceof TurnError || cause instanceof TypeError ? cause : new TurnError('transport', message(cause), { cause })
		if (this.#closing && !this.#client) {
			this.#opened.reject(error)
			return void this.#end(this.#left)
		}
		this.#shut(error)
		this.#report(error)
		if (this.#client) void this.close()
		else void this.#end(this.#left)
	}

	/**
	 * Sends everybody away.
	 * @param {Error} error
	 */
	#shut(error) {
		if (this.#closing) return
		this.#closing = true
		if (error instanceof TurnError && error.kind !== 'closed') this.#failure = error
		const aborted = this.#options.signal?.aborted ? this.#options.signal.reason : undefined
		this.#giveUp.abort(error)
		this.#opened.reject(aborted ?? error)
		this.#opened.promise.catch(() => {})
		this.#clientThere.reject(error)
		this.#clientThere.promise.catch(() => {})
		this.#waiters.fail(error)
		this.#relayed = undefined
		for (const send of this.#waiting.splice(0)) send() // each is told that it is too late
	}

	/** Tells an error to whoever listens. @param {Error} error */
	#report(error) {
		if (this.listenerCount('error') > 0) this.emit('error', error)
		else if (!this.#awaited) queueMicrotask(() => this.#complain(error))
	}

	/** Emits an error; who made no listener is told by an exception, as ever. @param {Error} error */
	#complain(error) {
		this.emit('error', error)
	}

	#closedError() {
		return this.#failure ?? new TurnError('closed', 'the socket is closed')
	}

	/** The last thing that happens. @param {Closed} verdict */
	async #end(verdict) {
		if (this.#ended) return
		this.#shut(this.#closedError())
		this.#ended = true
		this.#stopWatching?.()
		await Promise.all([this.#transport?.close(), this.#move.end()?.close()])
		this.#closed.resolve(verdict)
		this.emit('close', verdict)
	}

	#count() {
		if (!this.#client || this.#ended || this.#driver?.instance.dead) return
		this.#stats = this.#client.stats()
		noteTrip(this.#server.address, this.roundTrip)
	}
}

/**
 * @template T
 * @returns {Deferred<T>}
 */
function deferred() {
	/** @type {any} */
	const r = {}
	r.promise = new Promise((resolve, reject) => Object.assign(r, { resolve, reject }))
	return r
}

/**
 * The key of the peer that an event is about; a permission's has no port.
 * @param {SocketEvent} e
 * @param {boolean} port
 */
const keyOf = (e, port) => (!e.peer ? '' : port ? formatAddress(e.peer) : e.peer.address)

/** An address as the machine spells it. @param {string} address */
function plain(address) {
	const ip = parseIP(address)
	return ip ? formatIP(ip) : address
}

/** @param {unknown} e */
const message = (e) => (e instanceof Error ? e.message : String(e))

/** @param {readonly Uint8Array[]} list */
const sumOf = (list) => list.reduce((n, p) => n + p.length, 0)

/**
 * A payload as its bytes.
 * @param {unknown} msg
 * @returns {Uint8Array}
 */
function bytesOf(msg) {
	if (msg instanceof Uint8Array) return msg
	if (typeof msg === 'string') return new TextEncoder().encode(msg)
	if (ArrayBuffer.isView(msg)) return new Uint8Array(msg.buffer, msg.byteOffset, msg.byteLength)
	if (!Array.isArray(msg)) throw new TypeError('a payload is a string, a Uint8Array, a DataView or a list of them')
	const parts = msg.map(bytesOf)
	const all = new Uint8Array(sumOf(parts))
	let at = 0
	for (const p of parts) {
		all.set(p, at)
		at += p.length
	}
	return all
}

/**
 * @param {Uint8Array} bytes
 * @param {number} offset
 * @param {number} length
 */
function slice(bytes, offset, length) {
	if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) {
		throw new TypeError(`offset ${offset} and length ${length} do not lie within the ${bytes.length} bytes of the payload`)
	}
	return bytes.subarray(offset, offset + length)
}
