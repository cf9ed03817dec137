/* @ts-self-types="../types/node.d.ts" */
/**
 * A relayed socket over node:dgram, node:net and node:tls, for Node and Deno.
 *
 * ```js
 * import { createTurnSocket } from 'turnwasm/node'
 *
 * await using socket = createTurnSocket({ urls: 'turn:turn.example.org', username: 'alice', credential: 'secret' })
 * await socket.opened
 * console.log(socket.relayedAddress) // for the peer
 * socket.on('message', (msg, rinfo) => console.log(`${rinfo.address} says ${msg}`))
 * socket.send('hello', 4000, '203.0.113.9')
 * ```
 * @module
 */
import { createSocket } from 'node:dgram'
import { isData } from './data.js'
import { TurnError } from './error.js'
import { isLocalGone } from './local.js'
import { find } from './places.js'
import { TurnSocket } from './socket.js'
import { asBuffer, openStream } from './stream.js'
import { isSends, isTooLong, isUnreachable, onlyFrom } from './udp.js'
import { Views } from './views.js'

export { timeLimited } from './renewal.js'
export { TurnError, TurnSocket }

/** @typedef {import('./options.js').TurnSocketOptions} TurnSocketOptions */
/** @typedef {import('./told.js').Closed} Closed */
/** @typedef {import('./transport.js').Transport} Transport */
/** @typedef {import('./told.js').RemoteInfo} RemoteInfo */
/** @typedef {import('./told.js').SocketEvent} SocketEvent */

/** How often a payload is asked after, in ms: requests always are. */
const ASK_EVERY = 250

/** Most runs are no longer. */
const SLAB = 128 << 10

/**
 * Opens a relayed socket. It emits "listening" when the server has allocated; `opened` is the same as a promise.
 * @param {TurnSocketOptions} options
 * @returns {TurnSocket<Buffer>}
 */
export function createTurnSocket(options) {
	return /** @type {TurnSocket<Buffer>} */ (new TurnSocket(options, { carriers: ['udp', 'tcp', 'tls'], payload: asBuffer, find, open }))
}

/** @type {import('./transport.js').Platform['open']} */
async function open(server, local, receiver, signal, carrier) {
	if (carrier.via !== 'udp') return openStream(server, local, receiver, signal, carrier)
	const socket = createSocket(server.address.includes(':') ? 'udp6' : 'udp4')
	try {
		await once(socket, 'listening', () => socket.bind({ port: local.port, address: local.address }))
		await once(socket, 'connect', () => socket.connect(server.port, server.address))
	} catch (e) {
		socket.close()
		throw e
	}
	return new UDP(socket, server, receiver)
}

/**
 * Waits for what begins, or for the error.
 * @param {import('node:dgram').Socket} socket
 * @param {string} event
 * @param {() => void} begin
 * @returns {Promise<void>}
 */
function once(socket, event, begin) {
	return new Promise((resolve, reject) => {
		socket.once('error', reject)
		socket.once(event, () => {
			socket.off('error', reject)
			resolve()
		})
		begin()
	})
}

/** Node says what its sockets have not sent yet; the likenesses of its node:dgram do not. */
const tellsQueue = !('Deno' in globalThis) && !('Bun' in globalThis)

/**
 * A connected UDP socket: the kernel drops what is not the server's, and hands us its ICMP errors.
 * @implements {Transport}
 */
class UDP {
	#socket
	#server
	#receiver
	/** Requests that the kernel has not taken yet. */
	#pending = 0
	#closing = false
	/** What the socket is given to send: linear memory may change before a socket that is full has sent it. */
	#slab = Buffer.alloc(0)
	#views = new Views()
	/** When a payload is next asked after, by performance.now(). */
	#asksAt = 0
	#wonders = false

	/**
	 * @param {import('node:dgram').Socket} socket
	 * @param {{address: string, port: number}} server
	 * @param {import('./transport.js').Receiver} receiver
	 */
	constructor(socket, server, receiver) {
		this.#socket = socket
		this.#server = server
		this.#receiver = receiver
		const { address, port } = socket.address()
		this.local = { address, port }
		const isServer = onlyFrom(server)
		socket.on('message', (data, from) => {
			if (isServer(from.port, from.address)) receiver.received(data)
		})
		socket.on('error', (e) => {
			if (isUnreachable(e)) receiver.unreachable()
			if (isSends(e)) void this.#unsent(e)
			else if (!isUnreachable(e) && !isTooLong(e)) receiver.failed(e)
		})
	}

	/** Only who asks is told what became of a datagram. @type {(error: Error | null) => void} */
	#sent = (error) => {
		if (error) void this.#unsent(error)
	}

	/** What is not sent is lost, as on the way; unless it is because of where we are. @param {Error} error */
	async #unsent(error) {
		if (this.#wonders) return
		this.#wonders = true // one question at a time
		try {
			if (await isLocalGone(error, this.local.address, this.#server)) this.#receiver.homeless()
		} finally {
			this.#wonders = false
		}
	}

	/** @param {Uint8Array} data */
	send(data) {
		this.sendRun(data, 0, data.length, 1, 0)
	}

	/**
	 * The bytes lie in linear memory, which the next call overwrites, and a socket that is full sends later: so they are
	 * copied, to where those before were unless they are still waiting.
	 * @param {Uint8Array} bytes
	 * @param {number} offset
	 * @param {number} length
	 * @param {number} count
	 * @param {number} stride
	 */
	sendRun(bytes, offset, length, count, stride) {
		if (!isData(bytes, offset)) {
			for (let i = 0, at = offset; i < count; i++, at += stride) this.#sendRequest(Buffer.from(bytes.subarray(at, at + length)), true)
			return
		}
		const span = (count - 1) * stride + length
		const waits = !tellsQueue || this.#socket.getSendQueueCount() > 0
		if (waits) this.#slab = Buffer.allocUnsafe(span)
		else if (span > this.#slab.length) this.#slab = Buffer.allocUnsafe(Math.max(span, SLAB))
		this.#slab.set(bytes.subarray(offset, offset + span))
		const now = performance.now()
		const asks = now >= this.#asksAt
		if (asks) this.#asksAt = now + ASK_EVERY
		for (let i = 0; i < count; i++) {
			const data = this.#views.at(i, this.#slab, i * stride, length)
			if (asks && i === 0) this.#socket.send(data, this.#sent)
			else this.#socket.send(data)
		}
	}

	/**
	 * A connected socket answers a send with the ICMP error of an earlier datagram, and does not send: so once more.
	 * @param {Buffer} data
	 * @param {boolean} again
	 */
	#sendRequest(data, again) {
		this.#pending++
		this.#socket.send(data, (error) => {
			this.#pending--
			if (error && again && (isUnreachable(error) || isTooLong(error))) {
				this.#sendRequest(data, false)
				if (isUnreachable(error)) this.#receiver.unreachable()
			} else if (error) void this.#unsent(error)
			this.#maybeClose()
		})
	}

	ref() {
		this.#socket.ref()
	}

	unref() {
		this.#socket.unref()
	}

	/**
	 * What was sent goes out before: a release may be the last of it.
	 * @returns {Promise<void>}
	 */
	close() {
		this.#closing = true
		const closed = new Promise((resolve) => this.#socket.once('close', () => resolve(undefined)))
		this.#maybeClose()
		return /** @type {Promise<void>} */ (closed)
	}

	#maybeClose() {
		if (!this.#closing || this.#pending > 0) return
		this.#pending = Infinity
		this.#socket.close()
	}
}
