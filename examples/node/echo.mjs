// Payloads on their way to a peer and back.

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

/** For the echoes that are still under way after the last send. */
const PATIENCE = 2000

/** Between two tries of the peer to be heard. */
const KNOCK_EVERY = 200

export async function echo(socket, options, report) {
	const own = options.peer ? undefined : await startPeer(socket)
	try {
		const peer = options.peer ?? own.seen
		await socket.bindChannel(peer.port, peer.address)
		const rtts = await exchange(socket, peer, options, report)
		report.echoed(options.n, rtts)
		if (rtts.length === 0) throw new Error(`none of ${options.n} payloads came back from ${peer.address}:${peer.port}`)
	} finally {
		own?.sock.close()
	}
}

/** Sends at the rate; it answers the round trips in ms. A payload begins with the run's own number and its index. */
async function exchange(socket, peer, { n, size, rate, rebindAt }, report) {
	const run = randomBytes(8)
	const sent = new Map()
	const rtts = []
	let done
	const allBack = new Promise((resolve) => (done = resolve))
	const onMessage = (msg) => {
		const at = msg.length >= 12 && run.equals(msg.subarray(0, 8)) ? sent.get(msg.readUInt32BE(8)) : undefined
		if (at === undefined) return
		sent.delete(msg.readUInt32BE(8)) // counted once
		if (rtts.push(performance.now() - at) === n) done()
	}
	socket.on('message', onMessage)
	const begin = performance.now()
	for (let i = 0; i < n; i++) {
		const wait = begin + (i * 1000) / rate - performance.now()
		if (wait > 0) await sleep(wait)
		if (i > 0 && i === rebindAt) await move(socket, report)
		const payload = Buffer.alloc(size)
		run.copy(payload)
		payload.writeUInt32BE(i, 8)
		sent.set(i, performance.now())
		socket.send(payload, peer.port, peer.address)
	}
	const patience = new AbortController()
	await Promise.race([allBack, sleep(PATIENCE, undefined, { signal: patience.signal }).catch(() => {})])
	patience.abort()
	socket.off('message', onMessage)
	return rtts
}

/** Another relayed address is a failure: the peer that echoes knows the first one. */
async function move(socket, report) {
	const begin = performance.now()
	const kept = await socket.rebind()
	if (!kept) throw new Error('the allocation was not moved: there is a new one')
	report.moved(socket, kept, performance.now() - begin)
}

/**
 * Opens an echo peer on this machine. It may be behind a NAT, with an address that it does not know: so it sends first,
 * and the relay says where from.
 */
async function startPeer(socket) {
	await socket.createPermission(socket.mappedAddress.address)
	const relay = socket.relayedAddress
	const sock = createSocket(relay.family === 'IPv6' ? 'udp6' : 'udp4')
	sock.bind(0)
	await once(sock, 'listening')
	const token = randomBytes(8)
	const heard = new Promise((resolve) => {
		const onMessage = (msg, from) => {
			if (!token.equals(msg)) return
			socket.off('message', onMessage)
			resolve(from)
		}
		socket.on('message', onMessage)
	})
	for (let tries = 0; tries < 25; tries++) {
		sock.send(token, relay.port, relay.address)
		const seen = await Promise.race([heard, sleep(KNOCK_EVERY)])
		if (!seen) continue
		sock.on('message', (msg, from) => {
			if (from.port === relay.port && from.address === relay.address) sock.send(msg, from.port, from.address)
		})
		return { sock, seen }
	}
	sock.close()
	throw new Error('the relay cannot be reached by a peer on this machine: name one with -peer')
}
