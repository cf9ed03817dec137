/* @ts-self-types="../types/node.d.ts" */
/**
 * A relayed socket over node:dgram, for Node and Deno.
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
import { TurnError } from './error.js'
import { TurnSocket } from './socket.js'
import { isUnreachable, onlyFrom, resolve } from './udp.js'

export { TurnError, TurnSocket }

/** @typedef {import('./options.js').TurnSocketOptions} TurnSocketOptions */
/** @typedef {import('./socket.js').Closed} Closed */
/** @typedef {import('./socket.js').Transport} Transport */
/** @typedef {import('./socket.js').RemoteInfo} RemoteInfo */
/** @typedef {import('./socket.js').SocketEvent} SocketEvent */

/**
 * Opens a relayed socket. It emits "listening" when the server has allocated; `opened` is the same as a promise.
 * @param {TurnSocketOptions} options
 * @returns {TurnSocket<Buffer>}
 */
export function createTurnSocket(options) {
	return /** @type {TurnSocket<Buffer>} */ (new TurnSocket(options, { resolve, open }))
}

/** @type {import('./socket.js').Platform['open']} */
async function open(server, local, receiver) {
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

const EMPTY = Buffer.alloc(0)

/** Node says what its sockets have not sent yet; the likenesses of its node:dgram do not. */
const tellsQueue = !('Deno' in globalThis) && !('Bun' in globalThis)

/**
 * A connected UDP socket: the kernel drops what is not the server's, and hands us its ICMP errors.
 * @implements {Transport}
 */
class UDP {
	#socket
	#receiver
	#scratch = EMPTY
	/** Requests that the kernel has not taken yet. */
	#pending = 0
	#closing = false

	/**
	 * @param {import('node:dgram').Socket} socket
	 * @param {{address: string, port: number}} server
	 * @param {import('./socket.js').Receiver} receiver
	 */
	constructor(socket, server, receiver) {
		this.#socket = socket
		this.#receiver = receiver
		const { address, port } = socket.address()
		this.local = { address, port }
		const isServer = onlyFrom(server)
		socket.on('message', (data, from) => {
			if (isServer(from.port, from.address)) receiver.received(data)
		})
		socket.on('error', (e) => (isUnreachable(e) ? receiver.unreachable() : receiver.failed(e)))
	}

	/**
	 * The data lies in linear memory, which the next call overwrites, and a socket that is full sends later: so it is
	 * copied, to where the one before was unless that is still waiting.
	 * @param {Uint8Array} data
	 */
	send(data) {
		if (!isData(data)) return this.#sendRequest(Buffer.from(data), true)
		if (this.#scratch.length !== data.length) this.#scratch = Buffer.allocUnsafe(data.length)
		this.#scratch.set(data)
		this.#socket.send(this.#scratch)
		if (!tellsQueue || this.#socket.getSendQueueCount() > 0) this.#scratch = EMPTY
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
			if (error && again && isUnreachable(error)) {
				this.#sendRequest(data, false)
				this.#receiver.unreachable()
			}
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

/**
 * ChannelData and Send indications: lost ones are lost, and nobody waits for them.
 * @param {Uint8Array} b
 */
const isData = (b) => b[0] >= 0x40 || (b[0] === 0 && b[1] === 0x16)
