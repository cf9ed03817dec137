// A TURN server on a UDP socket in this process that answers as a test wants: what no real one does on demand.

import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { be32, Builder, CLASSES, longTermKey, Message, METHODS, typeOf } from '../script/stun.js'

const LOGIN = { username: 'alice', credential: 'secret' }
const KEY = longTermKey(LOGIN.username, 'example.org', LOGIN.credential)
const TICKET = new TextEncoder().encode('a ticket')

/** A signed request, and the local port, of the order in which they came. */
/** @typedef {{method: string, release: boolean, ticket: boolean, port: number}} Asked */

/** An error code, with attributes; nothing; undefined: as the RFC says. @typedef {number | 'silence' | Answer | undefined} Whim */
/** @typedef {{code: number, signed: boolean, alternate?: number}} Answer */

export class FakeServer {
	/** The local ports that hold an allocation. @type {Set<number>} */
	held = new Set()
	/** @type {Asked[]} */
	asked = []
	/** What it does instead. @type {(asked: Asked, held: Set<number>) => Whim} */
	whim = () => undefined
	#socket = createSocket('udp4')

	async start() {
		this.#socket.on('message', (data, from) => {
			const answer = data[0] < 0x40 && this.#answer(new Message(data), from.port)
			if (answer) this.#socket.send(answer, from.port, from.address)
		})
		this.#socket.bind(0, '127.0.0.1')
		await once(this.#socket, 'listening')
		return this
	}

	get port() {
		return this.#socket.address().port
	}

	get options() {
		return { urls: `turn:127.0.0.1:${this.port}`, ...LOGIN, rto: 50, rc: 3, rm: 3, linger: 400 }
	}

	/** The ports, numbered as they came, of the requests that pass. @param {(asked: Asked) => boolean} is */
	portsOf(is) {
		const order = [...new Set(this.asked.map((a) => a.port))]
		return this.asked.filter(is).map((a) => order.indexOf(a.port))
	}

	stop() {
		this.#socket.close()
	}

	/** @param {Message} m @param {number} port */
	#answer(m, port) {
		const refusal = (/** @type {number} */ code) => new Builder(m.method, CLASSES.indexOf('error'), m.id).error(code, 'as the test wants')
		if (!m.signed) return refusal(401).text(typeOf('REALM'), 'example.org').text(typeOf('NONCE'), 'n1').datagram
		const method = METHODS.byNumber.get(m.method) ?? ''
		const release = m.get('LIFETIME')?.every((x) => x === 0) ?? false
		const asked = { method, release, ticket: (m.get('MOBILITY-TICKET')?.length ?? 0) > 0, port }
		this.asked.push(asked)
		const whim = this.whim(asked, this.held)
		if (whim === 'silence') return undefined
		if (typeof whim === 'number') return refusal(whim).integrity(KEY).datagram
		if (whim) return this.#special(refusal(whim.code), whim)
		return this.#obey(m, asked)
	}

	/** @param {Builder} b @param {Answer} answer */
	#special(b, { signed, alternate }) {
		if (alternate) b.add(typeOf('ALTERNATE-SERVER'), Uint8Array.of(0, 1, alternate >> 8, alternate & 255, 127, 0, 0, 1))
		return signed ? b.integrity(KEY).datagram : b.datagram
	}

	/** @param {Message} m @param {Asked} asked */
	#obey(m, { method, release, port }) {
		const b = new Builder(m.method, CLASSES.indexOf('success'), m.id)
		if (method === 'Allocate') {
			this.held.add(port)
			b.address(typeOf('XOR-RELAYED-ADDRESS'), { address: '192.0.2.1', port: 50000 }).address(typeOf('XOR-MAPPED-ADDRESS'), { address: '127.0.0.1', port })
			b.add(typeOf('MOBILITY-TICKET'), TICKET)
		}
		if (release) this.held.delete(port)
		return b.add(typeOf('LIFETIME'), be32(release ? 0 : 600)).integrity(KEY).datagram
	}
}

export const startFake = () => new FakeServer().start()
