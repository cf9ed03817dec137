// A session with the bridge: one UDP socket of its, to one TURN server. The
// protocol, version 1, stands in host/bridge/doc.go.

import { TurnError } from './error.js'
import { depositFrame, DEPOSITED, DEPOSIT_REFUSED, FrameReader, GOING_AWAY, MAX_PACKET, packetFrame, PATH_ERROR, WELCOME } from './frames.js'
import { Outbox } from './outbox.js'

/** How long the bridge may take to greet. */
const GREETING = 15_000

/** How long a close waits for the bridge to have taken back what was deposited, and an end for its reason. */
const PATIENCE = 2000

/** Requests that wait for the bridge to have the deposit that came with them. */
const MAX_HELD = 64

/**
 * Where the bridge is, and what it wants of us.
 * @typedef {object} BridgeOptions
 * @property {string | URL} bridge its URL: https://BRIDGE, or where it is: https://BRIDGE/turn/1
 * @property {string} [token] the bearer token, if it wants one
 * @property {WebTransportHash[]} [serverCertificateHashes] of its certificate, where that is its own: as WebTransport takes them
 */

/** @typedef {import('./transport.js').Receiver} Receiver */
/** @typedef {import('./transport.js').Transport} Transport */

/**
 * Opens a session to a TURN server.
 * @param {BridgeOptions} options
 * @param {string} server the server's URI
 * @param {Receiver} receiver
 * @param {AbortSignal} signal gives up
 */
export async function openSession(options, server, receiver, signal) {
	signal.throwIfAborted()
	const session = new Session(connect(options, server), receiver)
	const late = new TurnError('transport', `the bridge at ${urlOf(options.bridge).origin} does not greet`)
	const timer = setTimeout(() => session.end(late), GREETING)
	const onAbort = () => session.end(signal.reason)
	signal.addEventListener('abort', onAbort)
	try {
		await session.greet(urlOf(options.bridge).origin)
		return session
	} catch (e) {
		session.end(e)
		throw session.ended
	} finally {
		clearTimeout(timer)
		signal.removeEventListener('abort', onAbort)
	}
}

/**
 * Where a session is opened.
 * @param {string | URL} bridge
 */
export function urlOf(bridge) {
	const url = new URL(bridge)
	if (url.pathname === '/') url.pathname = '/turn/1'
	return url
}

/**
 * @param {BridgeOptions} options
 * @param {string} server
 */
function connect({ bridge, token, serverCertificateHashes }, server) {
	const url = urlOf(bridge)
	url.searchParams.set('server', server)
	if (token) url.searchParams.set('token', token)
	return new WebTransport(url.href, serverCertificateHashes ? { serverCertificateHashes } : {})
}

/** @implements {Transport} */
class Session {
	#wt
	#receiver
	#datagrams
	/** @type {Outbox | undefined} */
	#packets
	/** @type {Outbox | undefined} */
	#control
	/** The bridge has greeted: from here on the receiver is told of the end. */
	#open = false
	#closing = false
	/** Why the session is over. @type {unknown} */
	ended = undefined
	#whenEnded = /** @type {() => void} */ (() => {})
	#end = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#whenEnded = resolve)))

	/** Deposits that the bridge has not answered yet: whether each owes something. @type {boolean[]} */
	#deposits = []
	#settled = () => {}
	#refused = 0
	/** @type {Uint8Array[]} */
	#held = []
	#shipping = false
	#dropped = 0

	/** The TURN server's address. */
	server = { address: '', port: 0 }
	/** The bridge has what releases the allocation when the session is over. */
	deposited = false

	/**
	 * @param {WebTransport} wt
	 * @param {Receiver} receiver
	 */
	constructor(wt, receiver) {
		this.#wt = wt
		this.#receiver = receiver
		const datagrams = /** @type {{writable?: WritableStream, createWritable?: () => WritableStream}} */ (wt.datagrams)
		this.#datagrams = new Outbox(/** @type {WritableStream} */ (datagrams.writable ?? datagrams.createWritable?.()).getWriter())
		wt.closed.catch(() => {}) // whoever waits is told
		wt.ready.catch(() => {})
	}

	get stats() {
		return {
			bridgeDatagrams: this.#datagrams.sent,
			bridgeFrames: this.#packets?.sent ?? 0,
			bridgeDropped: this.#dropped + this.#datagrams.dropped + (this.#packets?.dropped ?? 0),
			bridgeDepositsRefused: this.#refused,
		}
	}

	/** Settles when what was sent is on its way: who waits for it loses nothing here. */
	get drained() {
		return Promise.all([this.#datagrams.drained, this.#packets?.drained]).then(() => {})
	}

	/**
	 * Takes the bridge's two streams, in whichever order they come, and its WELCOME.
	 * @param {string} origin
	 */
	async greet(origin) {
		await this.#unlessEnded(this.#wt.ready).catch((cause) => {
			throw this.ended ?? new TurnError('transport', `the bridge at ${origin} cannot be reached, or does not let us in: ${messageOf(cause)}`, { cause })
		})
		const named = await this.#unlessEnded(this.#takeStreams())
		const { type, value } = await this.#unlessEnded(named.C.reader.control())
		if (type !== WELCOME) throw broken(`the bridge begins with frame ${type}`)
		this.server = serverOf(value)
		this.#packets = new Outbox(named.P.writer)
		this.#control = new Outbox(named.C.writer)
		this.#open = true
		void this.#run(this.#readControl(named.C.reader))
		void this.#run(this.#readPackets(named.P.reader))
		void this.#run(this.#readDatagrams())
		void this.#endOf().then((e) => this.end(e))
	}

	/**
	 * @template T
	 * @param {Promise<T>} promise
	 * @returns {Promise<T>}
	 */
	async #unlessEnded(promise) {
		promise.catch(() => {})
		const gone = this.#end.then(() => {
			throw this.ended
		})
		return Promise.race([promise, gone])
	}

	async #takeStreams() {
		const streams = this.#wt.incomingBidirectionalStreams.getReader()
		/** @type {Record<string, {reader: FrameReader, writer: WritableStreamDefaultWriter<Uint8Array>}>} */
		const named = {}
		for (let i = 0; i < 2; i++) {
			const { value, done } = await streams.read().catch(() => ({ value: undefined, done: true }))
			if (done) throw await this.#endOf()
			const reader = new FrameReader(value.readable)
			const [name] = await reader.take(1)
			named[String.fromCharCode(name)] = { reader, writer: value.writable.getWriter() }
		}
		streams.releaseLock()
		if (!named.P || !named.C) throw broken(`the bridge names its streams ${Object.keys(named)}`)
		return named
	}

	/** Settles when the session is over, with the reason. */
	async #endOf() {
		try {
			const { closeCode = 0, reason = '' } = (await this.#wt.closed) ?? {}
			return new TurnError('bridge', `the bridge ends the session: ${reason || `code ${closeCode}`}`, { code: closeCode, reason })
		} catch (cause) {
			return new TurnError('transport', `the connection to the bridge is lost: ${messageOf(cause)}`, { cause })
		}
	}

	/**
	 * The session ends with the first of its readers. They may know of an end before its reason has come.
	 * @param {Promise<void>} reading
	 */
	async #run(reading) {
		const cause = await reading.catch((e) => e)
		if (cause instanceof TurnError) return this.end(cause)
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		let timer
		await Promise.race([this.#end, new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE)))])
		clearTimeout(timer)
		this.end(broken(`the bridge has ended a stream: ${messageOf(cause)}`))
	}

	/** What happens once. @param {unknown} why */
	end(why) {
		if (this.ended !== undefined) return
		this.ended = why
		this.#whenEnded()
		this.#dropped += this.#held.splice(0).length
		this.#settled()
		try {
			this.#wt.close({ closeCode: 0, reason: '' })
		} catch {
			// it was over before
		}
		if (this.#open && !this.#closing) this.#receiver.failed(/** @type {Error} */ (why))
	}

	async #readDatagrams() {
		const reader = this.#wt.datagrams.readable.getReader()
		for (;;) {
			const { value, done } = await reader.read()
			if (done) return
			this.#deliver(value)
		}
	}

	/** @param {FrameReader} reader */
	async #readPackets(reader) {
		for (;;) this.#deliver(await reader.packet())
	}

	/**
	 * What a listener throws is an error that nobody has caught, and no end of ours.
	 * @param {Uint8Array} data
	 */
	#deliver(data) {
		try {
			this.#receiver.received(data)
		} catch (e) {
			queueMicrotask(() => {
				throw e
			})
		}
	}

	/** @param {FrameReader} reader */
	async #readControl(reader) {
		for (;;) {
			const { type, value } = await reader.control()
			if (type === DEPOSITED || type === DEPOSIT_REFUSED) this.#answered(type === DEPOSITED)
			else if (type === PATH_ERROR) this.#receiver.unreachable()
			else if (type === GOING_AWAY) {
				if (value.length < 4) throw broken('the bridge sends a GOING_AWAY without its time')
				this.#receiver.leaving(new DataView(value.buffer).getUint32(0), new TurnError('bridge', 'the bridge is going away', { code: 1001 }))
			}
		}
	}

	/** The bridge has answered the oldest deposit. @param {boolean} taken */
	#answered(taken) {
		const owed = this.#deposits.shift()
		if (owed === undefined) throw broken('the bridge answers a deposit that was not made')
		if (taken) this.deposited = owed
		else this.#refused++
		if (this.#deposits.length > 0) return
		this.#settled()
		this.#ship()
	}

	/**
	 * Sends a packet. A request waits for what is deposited with it: a deposit that comes second, or is lost with a page
	 * that dies, would leave an allocation that nobody releases.
	 * @param {Uint8Array} data
	 */
	send(data) {
		if (this.ended !== undefined) return void this.#dropped++
		if (!isRequest(data)) return this.#put(data)
		if (this.#held.length >= MAX_HELD) this.#dropped += this.#held.splice(0, 1).length // it is sent again, as its transaction wants
		this.#held.push(data.slice())
		if (this.#shipping) return
		this.#shipping = true
		// The machine's parting comes after its datagrams, in the same call, or, when a listener throws, right after it.
		queueMicrotask(() => queueMicrotask(() => {
			this.#shipping = false
			this.#ship()
		}))
	}

	#ship() {
		if (this.#deposits.length > 0 || this.#shipping) return
		for (const data of this.#held.splice(0)) this.#put(data)
	}

	/**
	 * As a datagram if it fits into one, else on the stream.
	 * @param {Uint8Array} data
	 */
	#put(data) {
		if (data.length <= this.#wt.datagrams.maxDatagramSize) this.#datagrams.put(data.slice())
		else if (data.length <= MAX_PACKET) this.#packets?.put(packetFrame(data))
		else this.#dropped++
	}

	/**
	 * Leaves with the bridge what to ship when we die; undefined withdraws it.
	 * @param {import('./client.js').Parting | undefined} parting
	 */
	deposit(parting) {
		if (this.ended !== undefined) return
		this.#deposits.push(parting !== undefined)
		this.#control?.put(depositFrame(parting, performance.now()))
	}

	/** A close throws away what is still on its way: so it waits until the bridge has taken the last deposit. */
	async close() {
		this.#closing = true
		if (this.#deposits.length > 0 && this.ended === undefined) {
			/** @type {ReturnType<typeof setTimeout> | undefined} */
			let timer
			await new Promise((resolve) => {
				this.#settled = () => resolve(undefined)
				timer = setTimeout(resolve, PATIENCE)
			})
			clearTimeout(timer)
		}
		this.end(new TurnError('closed', 'the socket is closed'))
	}
}

/** @param {unknown} e */
const messageOf = (e) => (e instanceof Error ? e.message : e === undefined ? 'it is over' : String(e))

/** @param {string} message */
const broken = (message) => new TurnError('transport', message)

/**
 * A STUN request: two bits of its type say so.
 * @param {Uint8Array} b
 */
const isRequest = (b) => b[0] < 0x40 && (b[0] & 0x01) === 0 && (b[1] & 0x10) === 0

/**
 * The server's address, from the bridge's WELCOME.
 * @param {Uint8Array} value
 */
function serverOf(value) {
	const text = new TextDecoder().decode(value)
	let found
	try {
		found = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(JSON.parse(text).server)
	} catch {
		// it is said below
	}
	if (!found) throw broken(`the bridge's greeting names no server: ${JSON.stringify(text.slice(0, 100))}`)
	return { address: found[1] ?? found[2], port: Number(found[3]) }
}
