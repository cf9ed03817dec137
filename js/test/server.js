// A TURN server in this process for clients without I/O: what they send is
// answered before the call returns, and what they send to peers comes back.

import { be32, Builder, channelData, CLASSES, longTermKey, Message, METHODS, typeOf } from './script/stun.js'

export const SERVER = { address: '192.0.2.1', port: 3478 }
export const LOGIN = { username: 'alice', password: 'secret' }
export const PEER = { address: '203.0.113.9', port: 4000 }

const KEY = longTermKey(LOGIN.username, 'example.org', LOGIN.password)

export class Server {
	allocations = 0
	/** Datagrams that a client has sent. */
	sent = 0
	/** Payloads that came to the peer. @type {Uint8Array[]} */
	payloads = []
	/** It echoes what it gets for peers. */
	echoes = true

	/**
	 * Answers a datagram.
	 * @param {Uint8Array} datagram
	 * @returns {Uint8Array | undefined}
	 */
	answer(datagram) {
		this.sent++
		if (datagram[0] >= 0x40) return this.#channelData(datagram)
		const m = new Message(datagram)
		const method = METHODS.byNumber.get(m.method)
		if (method === 'Send') return this.#indication(m)
		if (!m.signed) return new Builder(m.method, 3, m.id).error(401, 'Unauthorized').text(typeOf('REALM'), 'example.org').text(typeOf('NONCE'), 'n1').datagram
		if (!m.verify(KEY)) return new Builder(m.method, 3, m.id).error(401, 'Unauthorized').datagram
		const b = new Builder(m.method, CLASSES.indexOf('success'), m.id)
		const lifetime = m.get('LIFETIME')?.every((x) => x === 0) ? 0 : 600
		if (method === 'Allocate') {
			this.allocations++
			b.address(typeOf('XOR-RELAYED-ADDRESS'), { address: SERVER.address, port: 50000 }).address(typeOf('XOR-MAPPED-ADDRESS'), { address: '203.0.113.7', port: 4242 })
		}
		if (method === 'Refresh' && lifetime === 0) this.allocations--
		if (method === 'Allocate' || method === 'Refresh') b.add(typeOf('LIFETIME'), be32(lifetime))
		return b.integrity(KEY).datagram
	}

	/** @param {Uint8Array} datagram */
	#channelData(datagram) {
		const payload = datagram.slice(4, 4 + ((datagram[2] << 8) | datagram[3]))
		this.payloads.push(payload)
		return this.echoes ? channelData((datagram[0] << 8) | datagram[1], payload) : undefined
	}

	/** @param {Message} m */
	#indication(m) {
		const payload = m.get('DATA') ?? new Uint8Array(0)
		this.payloads.push(payload.slice())
		if (!this.echoes) return undefined
		return new Builder(/** @type {number} */ (METHODS.byName.get('Data')), 1, m.id).address(typeOf('XOR-PEER-ADDRESS'), PEER).add(typeOf('DATA'), payload).datagram
	}
}

/**
 * Runs a client until it wants nothing more; it answers what was not sent.
 * @param {import('../src/client.js').TurnClient} client
 * @param {Server} server
 * @param {() => number} now
 */
export function settle(client, server, now) {
	/** @type {Exclude<import('../src/client.js').Effect, {type: 'transmit'}>[]} */
	const told = []
	for (let e; (e = client.poll()); ) {
		if (e.type !== 'transmit') {
			told.push(e)
			continue
		}
		const answer = server.answer(e.data)
		if (answer) client.input(now(), answer)
	}
	return told
}

/** The names of the events among effects. @param {import('../src/client.js').Effect[]} told */
export const namesOf = (told) => told.flatMap((e) => (e.type === 'event' ? [e.event.event] : []))
