// Who is compared. Each opens its client or its bare socket, with a channel to
// the peer.

import { Buffer } from 'node:buffer'
import { createSocket } from 'node:dgram'
import { CHANNEL, channelOf, shake } from './handshake.js'
import { HEADER, SIZE } from './payload.js'
import { buffersOf, LOGIN } from './spec.js'

/** @typedef {import('./spec.js').Spec} Spec */
/** @typedef {import('./spec.js').Contestant} Contestant */
/** @typedef {import('./spec.js').Received} Received */

/** @type {Record<string, (spec: Spec, received: Received) => Promise<Contestant>>} */
export const contestants = {
	dgram,
	ours,
	werift,
	bun,
	oursBun,
	listen,
	oursListen,
}

/** node:dgram alone, connected, with the bytes of ChannelData made by hand. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function dgram({ server, peer, burst }, received) {
	const socket = createSocket('udp4')
	await new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(undefined)))
	await new Promise((resolve) => socket.connect(server.port, server.address, () => resolve(undefined)))
	await shake(peer, (data) => socket.send(data), (hear) => {
		socket.on('message', hear)
		return () => socket.off('message', hear)
	})
	socket.on('message', (data) => channelOf(data) === CHANNEL && received(data, HEADER))
	const buffers = framed(burst)
	const queued = 'Deno' in globalThis ? callbacks : undefined
	return {
		buffers,
		offset: HEADER,
		send: (n) => {
			if (queued) return queued(n, (i, done) => socket.send(buffers[i], done))
			for (let i = 0; i < n; i++) socket.send(buffers[i])
		},
	}
}

/** This package, as its users call it: over node:dgram. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function ours(spec, received) {
	const { createTurnSocket } = await import('../src/node.js')
	const socket = createTurnSocket(optionsOf(spec))
	return oneByOne(spec, await bound(spec, socket, received))
}

/** The TURN client of werift. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function werift({ server, peer, burst }, received) {
	const name = 'werift'
	const { createTurnClient } = await import(name)
	const client = await createTurnClient({ address: [server.address, server.port], ...LOGIN })
	client.onData.subscribe((/** @type {Buffer} */ data) => received(data, 0))
	/** @type {[string, number]} */
	const to = [peer.address, peer.port]
	await client.getChannel(to)
	const buffers = buffersOf(burst, SIZE)
	return {
		buffers,
		offset: 0,
		send: (n) => {
			let last
			for (let i = 0; i < n; i++) last = client.sendData(buffers[i], to)
			return last // it copies what it is given, once the channel is known to stand
		},
	}
}

/** Bun.udpSocket alone, a burst a call, with the bytes of ChannelData made by hand. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function bun({ server, peer, burst }, received) {
	const { Bun } = /** @type {any} */ (globalThis)
	/** @type {(data: Buffer) => void} */
	let hear = () => {}
	const socket = await Bun.udpSocket({
		connect: { hostname: server.address, port: server.port },
		socket: { data: (/** @type {unknown} */ _, /** @type {Buffer} */ data) => hear(data) },
	})
	await shake(peer, (data) => socket.send(data), (f) => {
		hear = f
		return () => {}
	})
	hear = (data) => void (channelOf(data) === CHANNEL && received(data, HEADER))
	const buffers = framed(burst)
	return { buffers, offset: HEADER, send: (n) => socket.sendMany(n === burst ? buffers : buffers.slice(0, n)) }
}

/** This package over Bun.udpSocket, a burst a call. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function oursBun(spec, received) {
	const { createTurnSocket } = await import('../src/bun.js')
	const socket = await bound(spec, createTurnSocket(optionsOf(spec)), received)
	const buffers = buffersOf(spec.burst, SIZE)
	const { address, port } = spec.peer
	return {
		buffers,
		offset: 0,
		send: (n) => socket.sendMany(n === spec.burst ? buffers : buffers.slice(0, n), port, address),
	}
}

/** Deno.listenDatagram alone, with the bytes of ChannelData made by hand. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function listen({ server, peer, burst }, received) {
	const { Deno } = /** @type {any} */ (globalThis)
	const socket = Deno.listenDatagram({ transport: 'udp', hostname: '127.0.0.1', port: 0 })
	const to = { transport: 'udp', hostname: server.address, port: server.port }
	/** @type {(data: Uint8Array) => void} */
	let hear = () => {}
	void (async () => {
		for await (const [data] of socket) hear(data)
	})()
	await shake(peer, (data) => socket.send(data, to), (f) => {
		hear = f
		return () => {}
	})
	hear = (data) => void (channelOf(data) === CHANNEL && received(data, HEADER))
	const buffers = framed(burst)
	return {
		buffers,
		offset: HEADER,
		send: (n) => Promise.all(buffers.slice(0, n).map((b) => socket.send(b, to))),
	}
}

/** This package over Deno.listenDatagram. @type {(spec: Spec, received: Received) => Promise<Contestant>} */
async function oursListen(spec, received) {
	const { createTurnSocket } = await import('./listen.js')
	return oneByOne(spec, await bound(spec, createTurnSocket(optionsOf(spec)), received))
}

/**
 * Sends as most programs do.
 * @param {Spec} spec
 * @param {any} socket a TurnSocket
 * @returns {Contestant}
 */
function oneByOne({ burst, peer: { address, port } }, socket) {
	const buffers = buffersOf(burst, SIZE)
	return {
		buffers,
		offset: 0,
		send: (n) => {
			for (let i = 0; i < n; i++) socket.send(buffers[i], port, address)
		},
	}
}

/** @param {Spec} spec */
const optionsOf = ({ server }) => ({ urls: `turn:${server.address}:${server.port}`, username: LOGIN.username, credential: LOGIN.password })

/**
 * @param {Spec} spec
 * @param {any} socket a TurnSocket
 * @param {Received} received
 */
async function bound({ peer }, socket, received) {
	await socket.opened
	socket.on('message', (/** @type {Uint8Array} */ data) => received(data, 0))
	await socket.bindChannel(peer.port, peer.address)
	return socket
}

/** Buffers with ChannelData's header in front of the payload. @param {number} n */
function framed(n) {
	const buffers = buffersOf(n, HEADER + SIZE)
	for (const b of buffers) {
		b.writeUInt16BE(CHANNEL, 0)
		b.writeUInt16BE(SIZE, 2)
	}
	return buffers
}

/**
 * Sends n and waits for the last callback: a buffer is good for the next payload then, and not before.
 * @param {number} n
 * @param {(i: number, done: () => void) => void} send
 */
const callbacks = (n, send) =>
	new Promise((resolve) => {
		let left = n
		for (let i = 0; i < n; i++) send(i, () => --left === 0 && resolve(undefined))
	})
