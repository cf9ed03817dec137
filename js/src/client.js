// A TURN client without I/O: the machine, as JavaScript calls it.

import {
	ATTR_ACCESS_TOKEN, ATTR_CMD, ATTR_CONNECTION, ATTR_PASSWORD, ATTR_PEER, ATTR_USERNAME, CMD_ACCEPT_CONNECTION, CMD_ALLOCATE, CMD_BIND_CHANNEL, CMD_CONNECT,
	CMD_CREATE_PERMISSION, CMD_REBIND, CMD_REFRESH,
	CMD_REMOVE_PERMISSION, CMD_SET_CREDENTIALS, CMD_SET_TOKEN, CMD_UNBIND_CHANNEL, FLOW_CLOSED, FLOW_OPENED, PATH_ERROR,
} from './abi.gen.js'
import { wantIP, wantPort } from './address.js'
import { prepareCredentials } from './credentials.js'
import { codeError } from './error.js'
import { readState, readStats } from './event.js'

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./event.js').TurnEvent} TurnEvent */

/**
 * The datagram that a close would send now. A host keeps the newest and ships it when all else has died.
 * @typedef {object} Parting
 * @property {number} flow
 * @property {Uint8Array} data
 * @property {number} until the server may hold the allocation until this instant, in ms
 */

/**
 * A peer on the data path: a number that host and machine agree on once, 0 = none, and what it stands for.
 * @typedef {{number: number, ip: Uint8Array, port: number}} Peer
 */

/**
 * What the machine wants, when nobody else is told.
 * @typedef {{type: 'transmit', data: Uint8Array, flow: number}
 *   | {type: 'data', data: Uint8Array, from: Address, channel: number, flow: number}
 *   | {type: 'event', event: TurnEvent}
 *   | {type: 'parting', parting: Parting | undefined}} Effect
 */

/** @type {{flow?: number, from?: {address: string, port: number}}} */
const NO_OPTIONS = Object.freeze({})

/** Peers that are remembered, each with its number; the machine gives no more numbers either. */
const MAX_PEERS = 4096

export class TurnClient {
	#instance
	#handle
	/** @type {Effect[]} */
	#effects = []
	/** By address, then by port. @type {Map<string, Map<number, Peer>>} */
	#peers = new Map()
	/** Whom was sent to last. */
	#last = { port: -1, address: '', peer: /** @type {Peer} */ ({ number: 0, ip: new Uint8Array(4), port: 0 }) }
	/** By number. @type {Address[]} */
	#numbered = []
	#freed = false

	/**
	 * What was told last that a close would send; it outlives a trap.
	 * @type {Parting | undefined}
	 */
	lastParting

	/**
	 * Clients are made by TurnInstance.open.
	 * @param {import('./instance.js').TurnInstance} instance
	 * @param {number} handle
	 * @param {import('./instance.js').Sink} [sink]
	 */
	constructor(instance, handle, sink) {
		this.#instance = instance
		this.#handle = handle
		/** @type {import('./instance.js').Sink} */
		this.sink = sink ?? {
			transmit: (data, flow) => this.#effects.push({ type: 'transmit', data: data.slice(), flow }),
			data: (data, from, channel, flow) => this.#effects.push({ type: 'data', data, from, channel, flow }),
			event: (event) => this.#effects.push({ type: 'event', event }),
			parting: (parting) => this.#effects.push({ type: 'parting', parting }),
			died: () => {},
		}
	}

	get handle() {
		return this.#handle
	}

	/** The next thing that the machine wants; undefined when there is nothing more. What it sends comes before what it tells. */
	poll() {
		return this.#effects.shift()
	}

	/** When to call tick, an instant in ms; Infinity = never. It is the earliest of the instance's. */
	get nextTimeout() {
		return this.#instance.nextTimeout
	}

	/**
	 * Does what is due, for all clients of the instance.
	 * @param {number} now
	 */
	tick(now) {
		return this.#instance.tick(now)
	}

	/**
	 * Hands in what was received: a datagram, or several that came together.
	 * @param {number} now
	 * @param {Uint8Array | readonly Uint8Array[]} datagrams
	 * @param {object} [o]
	 * @param {number} [o.flow]
	 * @param {{address: string, port: number}} [o.from] the source; left out where the socket is connected to the server
	 */
	input(now, datagrams, o = NO_OPTIONS) {
		if (datagrams instanceof Uint8Array && !o.from) return this.#instance.inputOne(this, now, datagrams, o.flow ?? 0)
		const list = datagrams instanceof Uint8Array ? [datagrams] : datagrams
		if (!Array.isArray(list) || !list.every((d) => d instanceof Uint8Array)) throw new TypeError('a datagram is a Uint8Array')
		const from = o.from && { ip: wantIP(o.from.address, 'from.address'), port: o.from.port }
		this.#instance.input(this, now, list, o.flow ?? 0, from)
	}

	/** @param {number} now */
	allocate(now) {
		this.#command(now, CMD_ALLOCATE)
	}

	/** @param {number} now */
	refresh(now) {
		this.#command(now, CMD_REFRESH)
	}

	/**
	 * The local address has changed: the allocation moves to another flow.
	 * @param {number} now
	 */
	rebind(now) {
		this.#command(now, CMD_REBIND)
	}

	/**
	 * Lets peers send to the relayed address.
	 * @param {number} now
	 * @param {string | readonly string[]} addresses
	 */
	createPermission(now, addresses) {
		const list = typeof addresses === 'string' ? [addresses] : addresses
		const ips = list.map((a) => wantIP(a, 'a peer'))
		this.#command(now, CMD_CREATE_PERMISSION, (r) => ips.forEach((ip) => r.address(ATTR_PEER, ip, 0)))
	}

	/**
	 * @param {number} now
	 * @param {string} address
	 */
	removePermission(now, address) {
		const ip = wantIP(address, 'a peer')
		this.#command(now, CMD_REMOVE_PERMISSION, (r) => r.address(ATTR_PEER, ip, 0))
	}

	/**
	 * @param {number} now
	 * @param {number} port
	 * @param {string} address
	 */
	bindChannel(now, port, address) {
		this.peer(port, address) // what comes over the channel names its number, not its address
		this.#ofPeer(now, CMD_BIND_CHANNEL, port, address)
	}

	/**
	 * @param {number} now
	 * @param {number} port
	 * @param {string} address
	 */
	unbindChannel(now, port, address) {
		this.#ofPeer(now, CMD_UNBIND_CHANNEL, port, address)
	}

	/**
	 * Has a TCP allocation connect to a peer: the event flowNeeded asks for the connection to the server, and
	 * connectionReady says that the peer's bytes follow on it.
	 * @param {number} now
	 * @param {number} port
	 * @param {string} address
	 */
	connect(now, port, address) {
		this.#ofPeer(now, CMD_CONNECT, port, address)
	}

	/**
	 * Takes a peer's connection, of which connectionAttempt told: as connect does.
	 * @param {number} now
	 * @param {number} id
	 */
	acceptConnection(now, id) {
		this.#command(now, CMD_ACCEPT_CONNECTION, (r) => r.u32(ATTR_CONNECTION, id))
	}

	/**
	 * @param {number} now
	 * @param {string} username
	 * @param {string} password
	 */
	setCredentials(now, username, password) {
		const c = prepareCredentials(username, password)
		this.#command(now, CMD_SET_CREDENTIALS, (r) => {
			r.text(ATTR_USERNAME, c.username)
			r.text(ATTR_PASSWORD, c.password)
		})
	}

	/**
	 * Replaces the access token of RFC 7635 and its key, of which kid is the name.
	 * @param {number} now
	 * @param {string} kid
	 * @param {Uint8Array} macKey
	 * @param {Uint8Array} accessToken
	 */
	setToken(now, kid, macKey, accessToken) {
		this.#command(now, CMD_SET_TOKEN, (r) => {
			r.text(ATTR_USERNAME, kid)
			r.bytes(ATTR_PASSWORD, macKey)
			r.bytes(ATTR_ACCESS_TOKEN, accessToken)
		})
	}

	/**
	 * Sends a payload to a peer. It throws when the machine does not take it.
	 * @param {number} now
	 * @param {Uint8Array} payload
	 * @param {number} port
	 * @param {string} address
	 */
	send(now, payload, port, address) {
		const status = this.#instance.sendOne(this, now, payload, this.peer(port, address))
		if (status < 0) throw codeError(status)
	}

	/**
	 * Sends payloads to a peer in one call. It answers how many the machine has taken, and the first error.
	 * @param {number} now
	 * @param {readonly Uint8Array[]} payloads
	 * @param {number} port
	 * @param {string} address
	 */
	sendMany(now, payloads, port, address) {
		return this.#instance.send(this, now, payloads, this.peer(port, address))
	}

	/**
	 * A peer, with its number.
	 * @param {number} port
	 * @param {string} address
	 * @returns {Peer}
	 */
	peer(port, address) {
		const last = this.#last
		if (last.port === port && last.address === address) return last.peer
		const peer = this.#peers.get(address)?.get(port) ?? this.#newPeer(port, address)
		this.#last = { port, address, peer }
		return peer
	}

	/**
	 * @param {number} port
	 * @param {string} address
	 * @returns {Peer}
	 */
	#newPeer(port, address) {
		const ip = wantIP(address, 'address')
		/** @type {Peer} */
		const peer = { number: 0, ip, port: wantPort(port, 'port') }
		if (this.#numbered.length > MAX_PEERS) return peer
		peer.number = this.#instance.peer(this, ip, ATTR_PEER, port)
		if (peer.number === 0) return peer
		this.#numbered[peer.number] ??= { address, port, family: ip.length === 4 ? 'IPv4' : 'IPv6' }
		const ports = this.#peers.get(address) ?? new Map()
		this.#peers.set(address, ports.set(port, peer))
		return peer
	}

	/**
	 * The address behind a peer's number.
	 * @param {number} number
	 * @returns {Address | undefined}
	 */
	peerOf(number) {
		return this.#numbered[number]
	}

	/**
	 * @param {number} now
	 * @param {number} flow
	 */
	flowOpened(now, flow) {
		this.#instance.flow(this, now, flow, FLOW_OPENED)
	}

	/**
	 * @param {number} now
	 * @param {number} flow
	 */
	flowClosed(now, flow) {
		this.#instance.flow(this, now, flow, FLOW_CLOSED)
	}

	/**
	 * The path has said that the server cannot be reached.
	 * @param {number} now
	 * @param {number} flow
	 */
	pathError(now, flow) {
		this.#instance.flow(this, now, flow, PATH_ERROR)
	}

	/**
	 * Releases what the server holds, in whatever state. The event "closed" says what came of it, at the latest after the
	 * linger.
	 * @param {number} now
	 * @param {number} linger in ms
	 */
	close(now, linger) {
		if (typeof linger !== 'number' || !(linger >= 0 && linger <= 9e12)) throw new TypeError(`linger is a time in ms that is not negative, not ${linger}`)
		this.#instance.close(this, now, linger)
	}

	state() {
		return readState(this.#instance.ask(this, 'turn_state'))
	}

	stats() {
		return readStats(this.#instance.ask(this, 'turn_stats'))
	}

	/**
	 * The datagram that a close would send now; undefined when none is owed. After a trap it is the one that was told last.
	 * @param {number} now
	 */
	parting(now) {
		return this.#instance.dead ? this.lastParting : this.#instance.parting(this, now)
	}

	/**
	 * All that the client knows of its allocation: TurnInstance.restore makes a client of it that goes on, here or
	 * elsewhere. It holds the password and keys. There is none while something is to be polled, nor on a stream.
	 * @param {number} now
	 */
	snapshot(now) {
		return this.#instance.snapshot(this, now)
	}

	/** Wipes the client. What it had still to say is lost; so first close, and wait for "closed". */
	free() {
		if (this.#freed || this.#instance.dead) return
		this.#freed = true
		this.#instance.free(this)
	}

	/**
	 * @param {number} now
	 * @param {number} cmd
	 * @param {number} port
	 * @param {string} address
	 */
	#ofPeer(now, cmd, port, address) {
		const ip = wantIP(address, 'address')
		wantPort(port, 'port')
		this.#command(now, cmd, (r) => r.address(ATTR_PEER, ip, port))
	}

	/**
	 * @param {number} now
	 * @param {number} cmd
	 * @param {(r: import('./record.js').RecordWriter) => void} [write]
	 */
	#command(now, cmd, write) {
		this.#instance.command(this, now, (r) => {
			r.u16(ATTR_CMD, cmd)
			write?.(r)
		})
	}
}
