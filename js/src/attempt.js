// An attempt to have an allocation from one server, and the allocation that comes
// of it: a transport, a client of the machine, the way to other ports and servers.

import { formatAddress } from './address.js'
import { eventError, TurnError } from './error.js'
import { Move } from './move.js'
import { clientConfig, ownsPort, withoutSecrets } from './options.js'
import { Trail } from './redirect.js'
import { checkRest, noteRest } from './resting.js'
import { noteTrip, tripTo } from './trips.js'

/** @typedef {import('./client.js').TurnClient} TurnClient */
/** @typedef {import('./options.js').TurnSocketOptions} TurnSocketOptions */
/** @typedef {import('./told.js').Closed} Closed */
/** @typedef {import('./told.js').SocketEvent} SocketEvent */
/** @typedef {import('./transport.js').Place} Place */
/** @typedef {import('./transport.js').Transport} Transport */

/**
 * Who is told what comes of an attempt.
 * @typedef {object} Owner
 * @property {(attempt: Attempt) => void} ready its client is there, and not yet asked for anything
 * @property {(attempt: Attempt) => void} left its client is gone: there will be another, of another server
 * @property {(attempt: Attempt, e: SocketEvent) => void} happened
 * @property {(attempt: Attempt, error: Error) => void} failed for good: it is about to release what it may have left
 * @property {(attempt: Attempt, verdict: Closed) => void} ended the last that it tells
 * @property {(what: 'rebind' | 'refresh', error: Error) => void} refuse what is not done
 * @property {(error: unknown) => void} refuseSend
 * @property {(payload: Uint8Array, from: import('./address.js').Address) => void} data
 */

/**
 * What attempts of one socket have in common.
 * @typedef {object} Setting
 * @property {import('./driver.js').Driver} driver
 * @property {import('./transport.js').Platform} platform
 * @property {TurnSocketOptions} options
 * @property {number} linger
 * @property {boolean} keepsAlive
 */

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

/** Between two moves that begin by themselves, in ms: without any network each of them fails at once. */
const MOVE_PAUSE = 1000

/**
 * "each Allocate or Refresh transaction resets this timer to the default lifetime value of 600 seconds (10 minutes)"
 * https://www.rfc-editor.org/rfc/rfc8656#section-6
 */
const DEFAULT_LIFETIME = 600_000

export class Attempt {
	/** @type {TurnClient | undefined} */
	client
	/** @type {Transport | undefined} */
	transport
	/** @type {Place} */
	server
	/** What the server has granted last, in ms. */
	lifetime = 0
	/** It has given its verdict. */
	over = false

	#driver
	#platform
	#options
	#carrier
	#owner
	#linger
	#keepsAlive
	/** The flow that the transport is. */
	#flow = 0
	#ports = 0
	#move = new Move()
	/** No move begins by itself before, by performance.now(). */
	#restsUntil = 0
	#trail
	/** Where the server has sent us. @type {import('./redirect.js').Server | undefined} */
	#alternate
	/** An Allocate was asked for: something may be left behind. */
	#started = false
	/** What is left behind where there is no client. @type {Closed} */
	#left = nothingLeft([])
	/** What servers may hold that have sent us elsewhere. @type {NonNullable<Closed['others']>} */
	#others = []
	#closing = false
	/** Why the transport is of no use any more. @type {Error | undefined} */
	#broken
	/** Gives up what is being opened. */
	#giveUp = new AbortController()
	/** @type {Record<string, number>} */
	#stats = {}

	/**
	 * @param {Place} server
	 * @param {import('./options.js').Carrier} carrier
	 * @param {Setting} setting
	 * @param {Owner} owner
	 */
	constructor(server, carrier, { driver, platform, options, linger, keepsAlive }, owner) {
		this.server = server
		this.#carrier = carrier
		this.#driver = driver
		this.#platform = platform
		this.#options = options
		this.#linger = linger
		this.#keepsAlive = keepsAlive
		this.#owner = owner
		this.#trail = new Trail(options.redirect ?? 'signed')
		const { payload } = platform
		const data = payload && carrier.via !== 'udp' ? this.#streamData(payload) : owner.data
		/** @type {import('./instance.js').Sink} */
		this.sink = { ...this.#path, data, refused: owner.refuseSend, event: (e) => this.#happened(e), died: (error) => this.#orphan(error) }
	}

	/** @returns {import('./event.js').Phase} */
	get phase() {
		if (this.over) return 'closed'
		return this.client && !this.#driver.instance.dead ? this.client.state().phase : 'new'
	}

	/** The counters: the machine's and the transport's. */
	get stats() {
		this.#count()
		return { ...this.#stats, ...this.transport?.stats }
	}

	/** What was measured of the way to the server, and the retransmission time-out that comes of it, in ms. */
	get roundTrip() {
		if (!this.client || this.over || this.#driver.instance.dead) return undefined
		const { roundTrip, rto = 0 } = this.client.state()
		return roundTrip && { ...roundTrip, rto }
	}

	/** @param {boolean} keepsAlive the process */
	hold(keepsAlive) {
		this.#keepsAlive = keepsAlive
		if (keepsAlive) this.transport?.ref?.()
		else this.transport?.unref?.()
	}

	/** From nothing to an Allocate on its way. */
	begin() {
		this.#connect(this.server).catch((e) => this.fail(e))
	}

	/**
	 * Releases what the server holds, in whatever state. A second call can shorten the linger.
	 * @param {number} linger
	 */
	close(linger) {
		this.#shut()
		if (this.client) this.#tell((client, now) => client.close(now, linger))
	}

	/** Calls the machine where nobody waits for an answer. @param {(client: TurnClient, now: number) => void} f */
	#tell(f) {
		const { client } = this
		if (this.over || !client) return
		try {
			this.#driver.run((now) => f(client, now))
		} catch (e) {
			if (e !== this.#driver.instance.dead) throw e
		}
	}

	/** @param {(bytes: Uint8Array) => Uint8Array} payload @returns {Owner['data']} */
	#streamData(payload) {
		const { data } = this.#owner
		return (bytes, from) => data(payload(bytes), from)
	}

	/** @param {Place} server */
	async #connect(server) {
		this.server = server
		this.transport = await this.#open(0, this.#options.localPort ?? 0)
		this.server = this.transport.server ?? server
		if (this.#closing) return void this.#end(this.#left)
		this.#ports = 1
		this.#allocate()
	}

	/** Has the machine allocate from the server that the transport leads to. */
	#allocate() {
		if (!this.#options.impatient) checkRest(formatAddress(this.server))
		this.client = this.#driver.instance.open(this.#driver.now(), { ...clientConfig(this.#options), server: this.server, ...this.#pathConfig() }, this.sink)
		this.#owner.ready(this)
		if (this.#closing) return
		this.#started = true
		this.#driver.run((now) => /** @type {TurnClient} */ (this.client).allocate(now))
	}

	/** What the machine has to know of the path. On streams nothing is measured. */
	#pathConfig() {
		const stream = this.#carrier.via !== 'udp'
		return { stream, secured: this.#carrier.via === 'tls', roundTrip: stream ? undefined : tripTo(this.server.address) }
	}

	/**
	 * @param {number} flow
	 * @param {number} localPort
	 * @param {boolean} [anywhere] from any local address
	 */
	async #open(flow, localPort, anywhere = false) {
		const own = anywhere ? undefined : this.#options.localAddress
		const transport = await this.#platform.open(this.server, { address: own, port: localPort }, {
			received: (data) => this.#received(flow, data),
			unreachable: () => this.#tell((client, now) => client.pathError(now, flow)),
			homeless: () => void this.#moveAway(flow),
			failed: (error) => {
				this.#driver.settle() // it came before
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
		if (!this.over && this.client) this.#driver.received(this.client, flow, data)
	}

	/**
	 * The local address is gone: the allocation moves by itself, to where there is another. Where there is nothing to move,
	 * that can wait.
	 * @param {number} flow
	 */
	async #moveAway(flow) {
		const now = performance.now()
		const wanted = () => !this.#closing && flow === this.#flow && this.phase === 'allocated'
		if (!this.#options.mobility || !wanted() || now < this.#restsUntil) return
		this.#restsUntil = now + MOVE_PAUSE
		if ((await this.#leadsElsewhere()) && wanted()) this.#tell((client, at) => client.rebind(at))
	}

	/** Says whether another transport could be opened: without a ticket a move begins with giving up what there is. */
	async #leadsElsewhere() {
		const nobody = () => {}
		const deaf = { received: nobody, unreachable: nobody, homeless: nobody, failed: nobody, leaving: nobody }
		const opens = async (/** @type {string | undefined} */ address) => {
			await (await this.#platform.open(this.server, { address, port: 0 }, deaf, this.#giveUp.signal, this.#carrier)).close()
			return true
		}
		const { localAddress } = this.#options
		return opens(localAddress).catch(() => this.#mayRoam && opens(undefined)).catch(() => false)
	}

	/** The address that the caller chose may be left when it is gone. */
	get #mayRoam() {
		return this.#options.mobility === true && this.#options.localAddress !== undefined
	}

	/**
	 * The transport will end: what it has is released while there is time.
	 * @param {number} ms
	 * @param {Error} why
	 */
	#leave(ms, why) {
		if (this.#closing) return
		this.#linger = Math.min(ms, this.#linger)
		this.fail(why)
	}

	/** @param {number} flow */
	#pathOf(flow) {
		return flow === this.#flow ? this.transport : this.#move.from(flow)
	}

	/** What the machine wants shipped. */
	#path = {
		/** @type {import('./instance.js').Sink['transmit']} */
		transmit: (data, flow) => {
			this.#pathOf(flow)?.send(data)
		},
		/** @type {NonNullable<import('./instance.js').Sink['run']>} */
		run: (bytes, offset, length, count, stride, flow) => {
			const transport = this.#pathOf(flow)
			if (transport?.sendRun) transport.sendRun(bytes, offset, length, count, stride)
			else for (let i = 0, at = offset; i < count; i++, at += stride) transport?.send(bytes.subarray(at, at + length))
		},
		flush: () => {
			this.transport?.flush?.()
			this.#move.flush()
		},
		/** @type {import('./instance.js').Sink['parting']} */
		parting: (parting) => this.transport?.deposit?.(parting),
	}

	/** @param {import('./event.js').TurnEvent} e */
	#happened(e) {
		if (e.event === '') return // of a later version
		const told = { ...e, until: e.until ? this.#driver.date(e.until) : undefined }
		if (e.event === 'closed') return this.#clientClosed(told)
		if (e.event === 'allocateFailed') {
			this.#mismatched(told)
			// What this server may hold is released with a last datagram.
			if (this.#alternate && !this.#closing) return this.#tell((client, now) => client.close(now, 0))
		}
		this.#note(told)
		this.#owner.happened(this, told)
		this.#react(told)
	}

	/** @param {SocketEvent} e */
	#clientClosed({ outcome = 'abandoned', reason, reuseAfter, until }) {
		this.#count()
		this.client?.free()
		// What the machine cannot release any more, whoever holds its parting datagram does.
		const held = outcome === 'abandoned' && this.#broken && this.transport?.deposited
		this.#left = { outcome: held ? 'unconfirmed' : outcome, reason, reuseAfter, until }
		if (this.#others.length > 0) this.#left.others = this.#others
		if (this.#alternate && !this.#closing) this.#follow(this.#alternate).catch((error) => this.fail(error))
		else void this.#end(this.#left)
	}

	/** What changes before anybody hears of it. @param {SocketEvent} e */
	#note(e) {
		switch (e.event) {
			case 'allocated':
				this.#options = withoutSecrets(this.#options) // the machine has them
				this.lifetime = e.lifetime
				this.#ports = 1
				return this.#arrive()
			case 'refreshed':
				this.lifetime = e.lifetime
				return
			case 'rebound':
				return this.#arrive()
			case 'allocationLost':
				this.lifetime = 0
		}
	}

	/** What is to be done when everybody has heard of it. @param {SocketEvent} e */
	#react(e) {
		switch (e.event) {
			case 'allocateFailed':
				return this.#allocateFailed(e)
			case 'needNewPort':
				return void this.#changePort(e.flow)
			case 'flowNeeded':
				this.#move.begin()
				return void this.#changePort(e.flow)
			case 'rebindFailed':
				this.#move.begin()
				this.#move.failure = eventError(e)
				return
			case 'redirected':
				return this.#redirected(e)
			case 'streamBroken':
				return this.#streamBroken(e)
			case 'allocationLost':
				return this.#allocationLost(e)
		}
	}

	/**
	 * "If the attribute is found, the domain MUST be used to validate the certificate" and "If the attribute is not found,
	 * the same domain that was used for the original request MUST be used to validate the certificate."
	 * https://www.rfc-editor.org/rfc/rfc8489#section-10
	 * @param {SocketEvent} e
	 */
	#redirected({ peer, signed, domain }) {
		if (!peer || !this.#trail.follows(this.server, peer, signed)) return
		this.#alternate = peer
		if (domain) this.#carrier = { ...this.#carrier, serverName: domain }
	}

	/** The machine has done with the stream. What that ends is told by the events that follow. @param {SocketEvent} e */
	#streamBroken({ flow, reason }) {
		if (flow === this.#flow) this.#broken = new Error(`the stream ended: ${reason}`)
		void this.#pathOf(flow)?.close()
	}

	/** A move is over: the allocation is at the new address, or another one is. */
	#arrive() {
		void this.#move.end()
	}

	/**
	 * Goes on to the server that the one before has named.
	 * @param {import('./redirect.js').Server} alternate
	 */
	async #follow(alternate) {
		const old = this.transport
		const { others, ...left } = this.#left
		if (left.until) this.#others.push({ ...left, server: formatAddress(this.server) })
		this.#left = nothingLeft(this.#others)
		this.client = this.transport = this.#alternate = undefined
		this.#owner.left(this)
		this.#flow = 0
		await old?.close()
		if (this.#closing) return void this.#end(this.#left)
		await this.#connect(alternate)
	}

	/** @param {SocketEvent} e */
	#allocateFailed(e) {
		this.#started = e.until !== undefined
		if (this.#broken && (e.code === 0 || this.#move.under)) return this.fail(this.#broken)
		const error = eventError(e)
		noteRest(formatAddress(this.server), error)
		this.fail(error)
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
		const cause = this.#broken ?? eventError(e)
		const error = new TurnError('lost', `the allocation is lost: ${cause.message}`, { ...cause, cause })
		const goesOn = this.phase !== 'new' // by itself
		if (!goesOn && !this.#options.reallocate) return this.fail(error)
		this.#owner.refuse('refresh', error)
		if (!goesOn) this.#tell((client, now) => client.allocate(now)) // over another transport, for which the machine asks
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
			if (moves && this.#mayRoam) return this.#open(flow, 0, true)
			throw e
		}
		/** @type {Error | undefined} */
		let cause
		const opened = giveUp ? undefined : await this.#open(flow, 0).catch(elsewhere).catch((e) => void (cause = e))
		if (this.over || this.#closing) return void opened?.close() // what is to be released is where it was
		if (!opened) return this.#stay(flow, cause)
		this.#broken = undefined
		const old = this.transport
		const oldFlow = this.#flow
		this.transport = opened
		this.#flow = flow
		this.#ports = moves ? 1 : this.#ports + 1
		if (moves && old) this.#move.leave(oldFlow, old) // until the move is answered, to release from
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
		if (this.#move.unanswered) return // the server's answer to the move before this one says where the allocation is
		void this.#move.end()
		this.#owner.refuse('rebind', failure ?? new TurnError('transport', 'no other transport to the server could be opened', { cause }))
	}

	/** The instance has died: nobody can be asked any more. @param {TurnError} error */
	#orphan(error) {
		if (this.over) return
		const verdict = this.#lastWord()
		this.#shut()
		this.#owner.failed(this, error)
		void this.#end(verdict)
	}

	/** Ships the parting datagram, whose answer nobody will hear, and says what is known without the machine. */
	#lastWord() {
		/** @type {Closed} */
		const verdict = { outcome: 'nothing_to_release', reason: 'trapped', reuseAfter: 0 }
		if (!this.#started) return verdict
		const parting = this.client?.lastParting
		verdict.outcome = 'abandoned'
		if (parting && parting.flow === this.#flow) {
			this.transport?.send(parting.data)
			this.transport?.flush?.()
			verdict.outcome = 'unconfirmed'
		}
		const now = performance.now()
		const worst = now + Math.max(DEFAULT_LIFETIME, this.#options.lifetime ?? 0, this.lifetime)
		const until = parting && parting.until > now ? parting.until : worst
		verdict.until = new Date(Date.now() + until - now)
		verdict.reuseAfter = until - now
		return verdict
	}

	/** What went wrong for good; what may be left on the server is released. @param {unknown} cause */
	fail(cause) {
		if (this.#closing && !this.client) return void this.#end(this.#left)
		this.#shut()
		const error = cause instanceof TurnError || cause instanceof TypeError ? cause : new TurnError('transport', message(cause), { cause })
		this.#owner.failed(this, error)
		if (this.client) this.close(this.#linger)
		else void this.#end(this.#left)
	}

	#shut() {
		if (this.#closing) return
		this.#closing = true
		this.#options = withoutSecrets(this.#options)
		this.#giveUp.abort(new TurnError('closed', 'the socket is closed'))
	}

	/** The last thing that happens. @param {Closed} verdict */
	async #end(verdict) {
		if (this.over) return
		this.#shut()
		this.over = true
		await Promise.all([this.transport?.close(), this.#move.end()])
		this.#owner.ended(this, verdict)
	}

	#count() {
		if (!this.client || this.over || this.#driver.instance.dead) return
		this.#stats = this.client.stats()
		noteTrip(this.server.address, this.roundTrip)
	}
}

/** @param {NonNullable<Closed['others']>} others @returns {Closed} */
const nothingLeft = (others) => ({ outcome: 'nothing_to_release', reason: '', reuseAfter: 0, ...(others.length > 0 ? { others } : {}) })

/** @param {unknown} e */
export const message = (e) => (e instanceof Error ? e.message : String(e))
