// A session with the bridge: one UDP socket of its, to one TURN server. The
// protocol, version 1, stands in host/bridge/doc.go.

import { TurnError } from './error.js'

const WELCOME = 1
const DEPOSITED = 2
const DEPOSIT_REFUSED = 3
const PATH_ERROR = 4
const GOING_AWAY = 5

const DEPOSIT = 1

/** How long a close waits for the bridge to have taken back what was deposited. */
const PATIENCE = 1000

/**
 * Where the bridge is, and what it wants of us.
 * @typedef {object} BridgeOptions
 * @property {string} bridge its URL, https://BRIDGE/turn/1
 * @property {string} [certificateHash] the SHA-256 of its certificate in base64, where that is its own
 * @property {string} [token] the bearer token, if it wants one
 */

/**
 * Who is told what comes of a session.
 * @typedef {import('./socket.js').Receiver} Receiver
 */

/**
 * @param {BridgeOptions} options
 * @param {string} server the TURN server's URI
 * @param {Receiver} receiver
 */
export async function openSession(options, server, receiver) {
	const url = new URL(options.bridge)
	url.searchParams.set('server', server)
	if (options.token) url.searchParams.set('token', options.token)
	const hash = options.certificateHash
	const own = hash ? { serverCertificateHashes: [{ algorithm: 'sha-256', value: Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)) }] } : {}
	const wt = new WebTransport(url.href, own)
	wt.closed.catch(() => {}) // whoever waits is told
	try {
		await wt.ready
	} catch (cause) {
		throw new TurnError('transport', `the bridge at ${url.origin} cannot be reached: ${messageOf(cause)}`, { cause })
	}
	const session = new Session(wt, receiver)
	await session.greet()
	return session
}

/** @param {unknown} e */
const messageOf = (e) => (e instanceof Error ? e.message : String(e))

class Session {
	#wt
	#receiver
	#datagrams
	/** @type {WritableStreamDefaultWriter<Uint8Array> | undefined} */
	#packets
	/** @type {WritableStreamDefaultWriter<Uint8Array> | undefined} */
	#control
	/** Deposits that the bridge has not answered yet. */
	#deposits = 0
	/** @type {() => void} */
	#settled = () => {}
	#closing = false
	/** The TURN server's address. */
	server = { address: '', port: 0 }

	/**
	 * @param {WebTransport} wt
	 * @param {Receiver} receiver
	 */
	constructor(wt, receiver) {
		this.#wt = wt
		this.#receiver = receiver
		const { datagrams } = /** @type {{datagrams: WebTransportDatagramDuplexStream & {createWritable?: () => WritableStream}}} */ (/** @type {unknown} */ (wt))
		this.#datagrams = /** @type {WritableStreamDefaultWriter<Uint8Array>} */ ((datagrams.writable ?? datagrams.createWritable?.()).getWriter())
		this.#datagrams.closed.catch(() => {})
	}

	/** Takes the bridge's two streams, in whichever order they come, and its WELCOME. */
	async greet() {
		const streams = this.#wt.incomingBidirectionalStreams.getReader()
		/** @type {Record<string, {reader: ByteReader, writer: WritableStreamDefaultWriter<Uint8Array>}>} */
		const named = {}
		for (let i = 0; i < 2; i++) {
			const { value, done } = await streams.read().catch(() => ({ value: undefined, done: true }))
			if (done) throw await this.#refusal()
			const reader = new ByteReader(value.readable)
			named[String.fromCharCode((await reader.take(1))[0])] = { reader, writer: value.writable.getWriter() }
		}
		this.#packets = named.P.writer
		this.#control = named.C.writer
		const { type, value } = await readFrame(named.C.reader)
		if (type !== WELCOME) throw new TurnError('transport', `the bridge begins with frame ${type}`)
		this.server = serverOf(JSON.parse(new TextDecoder().decode(value)))
		for (const run of [this.#readControl(named.C.reader), this.#readPackets(named.P.reader), this.#readDatagrams()]) {
			run.catch(() => {}) // the session is over, of which #watch tells
		}
		void this.#watch()
	}

	async #refusal() {
		const why = await this.#wt.closed.catch(messageOf)
		const reason = typeof why === 'string' ? why : why?.reason
		return new TurnError('transport', `the bridge refuses: ${reason}`, { reason })
	}

	async #watch() {
		const refusal = await this.#refusal()
		this.#settled()
		if (!this.#closing) this.#receiver.failed(refusal)
	}

	async #readDatagrams() {
		const reader = this.#wt.datagrams.readable.getReader()
		for (;;) {
			const { value, done } = await reader.read()
			if (done) return
			this.#receiver.received(value)
		}
	}

	/** @param {ByteReader} reader */
	async #readPackets(reader) {
		for (;;) {
			const [high, low] = await reader.take(2)
			this.#receiver.received(await reader.take((high << 8) | low))
		}
	}

	/** @param {ByteReader} reader */
	async #readControl(reader) {
		for (;;) {
			const { type, value } = await readFrame(reader)
			if (type === DEPOSITED || type === DEPOSIT_REFUSED) {
				if (--this.#deposits === 0) this.#settled()
			} else if (type === PATH_ERROR) this.#receiver.unreachable()
			else if (type === GOING_AWAY) this.#receiver.leaving(new DataView(value.buffer, value.byteOffset).getUint32(0))
		}
	}

	/**
	 * Sends a packet: as a datagram if it fits into one, else on the stream. What the stream does not take soon is dropped,
	 * as a network would.
	 * @param {Uint8Array} data
	 */
	send(data) {
		if (data.length <= this.#wt.datagrams.maxDatagramSize) {
			this.#datagrams.write(data.slice()).catch(() => {})
			return
		}
		if (!this.#packets || (this.#packets.desiredSize ?? 0) <= 0) return
		const frame = new Uint8Array(2 + data.length)
		frame.set([data.length >> 8, data.length & 0xff])
		frame.set(data, 2)
		this.#packets.write(frame).catch(() => {})
	}

	/**
	 * Leaves with the bridge what to ship when we die; undefined withdraws it.
	 * @param {import('./client.js').Parting | undefined} parting
	 */
	deposit(parting) {
		const length = parting ? 4 + parting.data.length : 0
		const frame = new Uint8Array(3 + length)
		frame.set([DEPOSIT, length >> 8, length & 0xff])
		if (parting) {
			const ms = Math.min(Math.max(Math.ceil(parting.until - performance.now()), 0), 0xffffffff)
			new DataView(frame.buffer).setUint32(3, ms)
			frame.set(parting.data, 7)
		}
		this.#deposits++
		this.#control?.write(frame).catch(() => {})
	}

	/** A close throws away what is still on its way: so it waits until the bridge has taken the last deposit. */
	async close() {
		this.#closing = true
		if (this.#deposits > 0) {
			/** @type {ReturnType<typeof setTimeout> | undefined} */
			let timer
			await new Promise((resolve) => {
				this.#settled = () => resolve(undefined)
				timer = setTimeout(resolve, PATIENCE)
			})
			clearTimeout(timer)
		}
		try {
			this.#wt.close({ closeCode: 0, reason: '' })
		} catch {
			// it was over before
		}
	}
}

/**
 * The server's address, from the bridge's WELCOME.
 * @param {{server: string}} welcome
 */
function serverOf({ server }) {
	const found = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(server)
	if (!found) throw new TurnError('transport', `the bridge names the server ${JSON.stringify(server)}`)
	return { address: found[1] ?? found[2], port: Number(found[3]) }
}

/** @param {ByteReader} reader */
async function readFrame(reader) {
	const [type, high, low] = await reader.take(3)
	return { type, value: await reader.take((high << 8) | low) }
}

/** Reads a byte stream by lengths. */
class ByteReader {
	#reader
	#rest = new Uint8Array(0)

	/** @param {ReadableStream<Uint8Array>} stream */
	constructor(stream) {
		this.#reader = stream.getReader()
	}

	/** @param {number} n */
	async take(n) {
		const out = new Uint8Array(n)
		for (let have = 0; have < n; ) {
			if (this.#rest.length === 0) {
				const { value, done } = await this.#reader.read()
				if (done) throw new Error('the stream has ended')
				this.#rest = new Uint8Array(value)
			}
			const part = this.#rest.subarray(0, n - have)
			out.set(part, have)
			have += part.length
			this.#rest = this.#rest.subarray(part.length)
		}
		return out
	}
}
