/* @ts-self-types="../types/bun.d.ts" */
/**
 * A relayed socket over Bun.udpSocket, which ships a batch in one call: see sendMany; TCP and TLS by node:net and
 * node:tls.
 *
 * ```js
 * import { createTurnSocket } from 'turnwasm/bun'
 *
 * await using socket = createTurnSocket({ urls: 'turn:turn.example.org', username: 'alice', credential: 'secret' })
 * await socket.opened
 * socket.on('message', (msg, rinfo) => console.log(`${rinfo.address} says ${msg}`))
 * socket.sendMany(['hello', 'again'], 4000, '203.0.113.9')
 * ```
 * @module
 */
import { deferred } from './deferred.js'
import { TurnError } from './error.js'
import { isLocalGone } from './local.js'
import { find } from './places.js'
import { TurnSocket } from './socket.js'
import { asBuffer, openStream } from './stream.js'
import { isTooLong, isUnreachable, onlyFrom } from './udp.js'
import { Views } from './views.js'

export { timeLimited } from './renewal.js'
export { TurnError, TurnSocket }

/** @typedef {import('./options.js').TurnSocketOptions} TurnSocketOptions */
/** @typedef {import('./told.js').Closed} Closed */
/** @typedef {import('./told.js').RemoteInfo} RemoteInfo */
/** @typedef {import('./told.js').SocketEvent} SocketEvent */
/** @typedef {import('./transport.js').Transport} Transport */

/**
 * What we use of a socket of Bun's.
 * @typedef {object} BunSocket
 * @property {(data: Uint8Array) => boolean} send
 * @property {(packets: readonly Uint8Array[]) => number} sendMany
 * @property {() => void} close
 * @property {() => void} ref
 * @property {() => void} unref
 * @property {number} port
 * @property {{address: string, port: number}} address
 */

/** Datagrams that wait for a socket that is full. More are lost, as UDP loses them. */
const MAX_BACKLOG = 1024

/** How long a close waits for the system to take what was sent before it, in ms. */
const LAST_FLUSH = 500

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
	const { Bun } = /** @type {any} */ (globalThis)
	if (!Bun?.udpSocket) throw new TypeError('turnwasm/bun runs in Bun: elsewhere take turnwasm/node')
	const udp = new UDP(server, receiver)
	const isServer = onlyFrom(server)
	udp.attach(
		await Bun.udpSocket({
			connect: { hostname: server.address, port: server.port },
			hostname: local.address ?? (server.address.includes(':') ? '::' : '0.0.0.0'),
			port: local.port,
			socket: {
				/** @type {(socket: BunSocket, data: Buffer, port: number, address: string) => void} */
				data: (_, data, port, address) => isServer(port, address) && receiver.received(data),
				drain: () => udp.drain(),
				error: (/** @type {unknown[]} */ ...args) => {
					const error = args.find((a) => a instanceof Error) // which one it is depends on the version
					if (isUnreachable(error)) receiver.unreachable()
					else if (!isTooLong(error)) receiver.failed(error ?? new Error('the socket has failed'))
				},
			},
		}),
	)
	return udp
}

/**
 * A connected socket. What one call of the machine wants to ship goes out together, straight from linear memory: Bun
 * hands it to the kernel before it returns.
 * @implements {Transport}
 */
class UDP {
	/** @type {BunSocket | undefined} */
	#socket
	#server
	#receiver
	/** @type {Uint8Array[]} */
	#batch = []
	/** Parts of linear memory; most batches are cut like the one before. */
	#views = new Views()
	/** @type {Uint8Array[]} */
	#backlog = []
	#closing = false
	#ended = /** @type {import('./deferred.js').Deferred<void>} */ (deferred())
	#wonders = false
	local = { address: '', port: 0 }

	/**
	 * @param {{address: string, port: number}} server
	 * @param {import('./transport.js').Receiver} receiver
	 */
	constructor(server, receiver) {
		this.#server = server
		this.#receiver = receiver
	}

	/** @param {BunSocket} socket */
	attach(socket) {
		this.#socket = socket
		this.local = { address: socket.address.address, port: socket.port }
	}

	/** @param {Uint8Array} data */
	send(data) {
		this.#batch.push(data)
	}

	/**
	 * @param {Uint8Array} bytes
	 * @param {number} offset
	 * @param {number} length
	 * @param {number} count
	 * @param {number} stride
	 */
	sendRun(bytes, offset, length, count, stride) {
		for (let i = 0, at = offset; i < count; i++, at += stride) this.#batch.push(this.#views.at(this.#batch.length, bytes, at, length))
	}

	flush() {
		const batch = this.#batch
		this.#batch = []
		const sent = this.#backlog.length > 0 ? 0 : this.#ship(batch)
		for (let i = sent; i < batch.length && this.#backlog.length < MAX_BACKLOG; i++) this.#backlog.push(batch[i].slice())
	}

	/** The socket takes more. */
	drain() {
		this.#backlog.splice(0, this.#ship(this.#backlog))
		if (this.#closing && this.#backlog.length === 0) this.#end()
	}

	/**
	 * Hands datagrams to the kernel, and answers how many it took. A connected socket answers a send with the ICMP error
	 * of an earlier datagram, and does not send: so once more.
	 * @param {readonly Uint8Array[]} list
	 */
	#ship(list) {
		for (let tries = 0; tries < 2; tries++) {
			try {
				return this.#handOver(list)
			} catch (error) {
				void this.#unsent(error)
				if (isUnreachable(error)) queueMicrotask(() => this.#receiver.unreachable())
				else if (!isTooLong(error)) return list.length // lost; what matters is sent again
			}
		}
		return list.length
	}

	/** @param {unknown} error */
	async #unsent(error) {
		if (this.#wonders) return
		this.#wonders = true // one question at a time
		try {
			if (await isLocalGone(error, this.local.address, this.#server)) this.#receiver.homeless()
		} finally {
			this.#wonders = false
		}
	}

	/** @param {readonly Uint8Array[]} list */
	#handOver(list) {
		const socket = this.#socket
		if (!socket) return list.length
		if (list.length === 1) return socket.send(list[0]) ? 1 : 0
		return list.length === 0 ? 0 : socket.sendMany(list)
	}

	ref() {
		this.#socket?.ref()
	}

	unref() {
		this.#socket?.unref()
	}

	/**
	 * What was sent goes out before, if the system takes it soon.
	 * @returns {Promise<void>}
	 */
	close() {
		this.#closing = true
		if (this.#backlog.length === 0) this.#end()
		else setTimeout(() => this.#end(), LAST_FLUSH)
		return this.#ended.promise
	}

	#end() {
		this.#socket?.close()
		this.#socket = undefined
		this.#ended.resolve()
	}
}
