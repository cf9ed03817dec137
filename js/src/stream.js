// TURN over TCP and TLS, by node:net and node:tls, which Deno and Bun have too.

import { connect as connectTCP } from 'node:net'
import { connect as connectTLS } from 'node:tls'
import { formatAddress } from './address.js'
import { isData } from './data.js'

/** @typedef {import('./transport.js').Receiver} Receiver */
/** @typedef {import('./transport.js').Transport} Transport */

/** How long the making of a connection may take, its handshake included. */
const MOST_DIAL = 15_000

/** What may be unsent before `drained` waits. */
const MOST_UNSENT = 256 << 10

/** What may be unsent before payloads are dropped, whole ones, as a network would. */
const MOST_DATA = 1 << 20

/** What may be unsent before the stream is given up, because requests are not dropped. */
const MOST_STUCK = 4 << 20

/** How long a close waits for what was sent before it. */
const LAST_FLUSH = 500

/** What is handed in at once. */
const ROOM = 32 << 10

/**
 * The "Application-Layer Protocol Negotiation (ALPN) Protocol ID" of TURN.
 * https://www.rfc-editor.org/rfc/rfc7443#section-3
 */
const ALPN = 'stun.turn'

/**
 * Connects to the server. The certificate is verified, as node:tls does by default.
 * @type {import('./transport.js').Platform['open']}
 */
export async function openStream(server, local, receiver, signal, carrier) {
	signal.throwIfAborted()
	const at = { host: server.address, port: server.port, localAddress: local.address, localPort: local.port || undefined, noDelay: true }
	const secured = carrier.via === 'tls'
	const socket = secured ? connectTLS({ ...at, ...secretsOf(carrier) }) : connectTCP(at)
	socket.on('error', () => {}) // who waits for it is told besides
	try {
		await connected(socket, secured ? 'secureConnect' : 'connect', signal)
	} catch (e) {
		socket.destroy()
		if (signal.aborted || !secured) throw e
		throw new Error(`TLS with ${formatAddress(server)}: ${e instanceof Error ? e.message : e}`, { cause: e })
	}
	return new Stream(socket, receiver)
}

/** Others are parts of a chunk, and so Buffers. @param {Uint8Array} bytes */
export const asBuffer = (bytes) => (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))

/** @param {import('./options.js').Carrier} carrier */
const secretsOf = ({ serverName, ca, alpn }) => ({
	servername: serverName, ...(ca === undefined ? {} : { ca: /** @type {any} */ (ca) }), ...(alpn ? { ALPNProtocols: [ALPN] } : {}),
})

/**
 * Waits for what is begun, for the error, the signal, or for too long.
 * @param {import('node:net').Socket} socket
 * @param {string} event
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function connected(socket, event, signal) {
	return new Promise((resolve, reject) => {
		const over = () => {
			clearTimeout(timer)
			signal.removeEventListener('abort', onAbort)
			socket.off('error', fail).off('close', onClose).off(event, done)
		}
		const fail = (/** @type {unknown} */ e) => {
			over()
			reject(e)
		}
		const done = () => {
			over()
			resolve()
		}
		const onAbort = () => fail(signal.reason)
		const onClose = () => fail(new Error('the server has closed the connection'))
		const timer = setTimeout(() => fail(new Error(`no connection in ${MOST_DIAL / 1000}s`)), MOST_DIAL)
		signal.addEventListener('abort', onAbort)
		socket.once('error', fail).once('close', onClose).once(event, done)
	})
}

/** @implements {Transport} */
class Stream {
	#socket
	#receiver
	/** What goes out together. @type {Uint8Array[]} */
	#batch = []
	#size = 0
	#dropped = 0
	#closing = false
	/** Nothing comes or goes any more. */
	#over = false
	/** The socket is closed, and its port free. */
	#gone
	/** Settles when there is room. */
	#drained = Promise.resolve()
	#full = false
	#hasRoom = () => {}

	/**
	 * @param {import('node:net').Socket} socket
	 * @param {Receiver} receiver
	 */
	constructor(socket, receiver) {
		this.#socket = socket
		this.#receiver = receiver
		this.local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
		this.#gone = socket.destroyed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve(undefined)))
		socket.on('data', (chunk) => this.#received(chunk))
		socket.on('drain', () => this.#roomy())
		socket.on('error', (e) => this.#fail(e.message))
		const onEnd = () => this.#fail('the server has closed it')
		socket.on('end', onEnd).on('close', onEnd)
		if (socket.destroyed) this.#fail('it was reset')
	}

	get stats() {
		return { streamDropped: this.#dropped }
	}

	/** Settles when there is room: who waits for it has nothing dropped. */
	get drained() {
		return this.#drained
	}

	/** Hands on what comes, however it is cut: the machine finds the frames. @param {Uint8Array} chunk */
	#received(chunk) {
		for (let at = 0; at < chunk.length && !this.#over; at += ROOM) this.#receiver.received(chunk.subarray(at, at + ROOM))
	}

	/** @param {Uint8Array} frame */
	send(frame) {
		const unsent = this.#socket.writableLength + this.#size + frame.length
		if (this.#over || this.#closing) return
		if (unsent > MOST_DATA && isData(frame, 0)) return void this.#dropped++
		if (unsent > MOST_STUCK) return this.#fail('the server reads nothing any more')
		this.#size += frame.length
		this.#batch.push(frame)
	}

	/** @type {NonNullable<Transport['sendRun']>} */
	sendRun(bytes, offset, length, count, stride) {
		for (let i = 0, at = offset; i < count; i++, at += stride) this.send(bytes.subarray(at, at + length))
	}

	/** The bytes are those of linear memory, and the socket writes later: they are copied. */
	flush() {
		if (this.#size === 0) return
		const bytes = Buffer.concat(this.#batch, this.#size)
		this.#batch = []
		this.#size = 0
		if (this.#over || this.#socket.write(bytes) || this.#socket.writableLength <= MOST_UNSENT) return
		if (this.#full) return
		this.#full = true
		this.#drained = new Promise((resolve) => (this.#hasRoom = resolve))
	}

	#roomy() {
		this.#full = false
		this.#hasRoom()
	}

	ref() {
		this.#socket.ref()
	}

	unref() {
		this.#socket.unref()
	}

	/**
	 * What was sent goes out before, if it goes soon: a release may be the last of it.
	 * @returns {Promise<void>}
	 */
	async close() {
		this.flush()
		this.#closing = true
		const timer = setTimeout(() => this.#socket.destroy(), LAST_FLUSH)
		this.#socket.end(() => this.#socket.destroy())
		await this.#gone
		clearTimeout(timer)
	}

	/**
	 * The end of the stream. It may be in the midst of a call of the machine's.
	 * @param {string} why
	 */
	#fail(why) {
		if (this.#over) return
		this.#over = true
		this.#roomy()
		this.#socket.destroy()
		if (!this.#closing) queueMicrotask(() => this.#receiver.failed(new Error(`the stream ended: ${why}`)))
	}
}
