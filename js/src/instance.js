// One instance of the module: its calls, and what they answer.

import {
	CODE_LIMIT, CODE_OK, CODE_TOO_LARGE, HEADROOM, KIND_DATA, KIND_EVENT, KIND_INPUT, KIND_PARTING, KIND_SEND, KIND_TRANSMIT, TAILROOM, VERSION,
} from './abi.gen.js'
import { TurnClient } from './client.js'
import { writeConfig } from './config.js'
import { codeError, TurnError } from './error.js'
import { readEvent } from './event.js'
import { checkSignatures, compile } from './module.js'
import { RecordWriter } from './record.js'
import { OutDesc, Region } from './region.js'
import { RUN_GAP, Staging } from './staging.js'
import { Telling } from './telling.js'
import { Wasi } from './wasi.js'

/** What one drain may hand out, so that a machine gone wrong cannot keep us for ever. */
const MAX_ROUNDS = 1 << 16

/** The largest UDP payload. */
const MAX_DATAGRAM = 65535

/** @type {readonly Uint8Array[]} */
const NONE = []

/** The part of the arena where payloads wait for the end of the turn. */
const STAGED = 256 << 10

/**
 * Whoever is told what the machine wants of one client.
 *
 * `transmit` is called while a call is answered: it ships the datagram and calls nothing of the instance; the bytes
 * are good until it returns, or, if there is a `flush`, until that is called right after. The others are called when
 * the machine is drained, and may call it again.
 * @typedef {object} Sink
 * @property {(data: Uint8Array, flow: number) => void} transmit a datagram to ship to the server
 * @property {(bytes: Uint8Array, offset: number, length: number, count: number, stride: number, flow: number) => void} [run]
 *   the same for datagrams of one length that lie a stride apart; then transmit is not called
 * @property {() => void} [flush]
 * @property {(error: TurnError) => void} [refused] payloads that were posted are not taken
 * @property {(payload: Uint8Array, from: import('./address.js').Address, channel: number, flow: number) => void} data a payload
 *   from a peer, for the sink to keep; the flow of a data connection that was not yet the host's (RFC 6062)
 * @property {(event: import('./event.js').TurnEvent) => void} event
 * @property {(parting: import('./client.js').Parting | undefined) => void} parting what to ship if all of this dies
 * @property {(error: TurnError) => void} died
 */

/** @typedef {Record<string, (...args: number[]) => number>} Calls */

export class TurnInstance {
	/** @type {Calls} */
	#calls
	#memory
	#wasi
	#region
	/** What is ours of the arena in a call that hands something in. */
	#arena
	#staging
	#out = new OutDesc()
	/** @type {Map<number, TurnClient>} */
	#clients = new Map()
	/** @type {TurnError | undefined} */
	#dead
	/** Sinks that got a transmit in the call that is being answered. @type {Sink[]} */
	#shipping = []
	/** What is told when the machine is drained. */
	#telling = new Telling()
	/** @type {Uint8Array} */
	#view = new Uint8Array(0)
	#viewAt = -1
	/** The datagrams of the turn_input that is being answered. @type {readonly Uint8Array[]} */
	#sources = NONE
	/** The list of one. @type {Uint8Array[]} */
	#single = []
	/** Where in the region they were put. @type {number[]} */
	#placed = []
	/** Called when the instance dies. @type {(() => void)[]} */
	#mourners = []

	/**
	 * @param {WebAssembly.Exports} exports
	 * @param {Wasi} wasi
	 */
	constructor(exports, wasi) {
		checkSignatures(exports)
		this.#calls = /** @type {Calls} */ (/** @type {unknown} */ (exports))
		this.#memory = /** @type {WebAssembly.Memory} */ (exports.memory)
		this.#wasi = wasi
		this.#call('_initialize')
		const version = this.#call('turn_abi_version')
		if (version !== VERSION) throw new TurnError('module', `turn: the module speaks ABI version ${version}, this host ${VERSION}`)
		this.#region = new Region(this.#memory, this.#call('turn_memory'))
		const { offset, size } = this.#region.arena
		if (size < 2 * STAGED) throw new TurnError('module', `turn: an arena of ${size} bytes is too small`)
		this.#arena = { offset, end: offset + size - STAGED }
		this.#staging = new Staging({ offset: this.#arena.end, size: STAGED })
	}

	/**
	 * Makes an instance of the module: of the packaged one, or of the source.
	 * @param {import('./module.js').ModuleSource} [source]
	 * @returns {Promise<TurnInstance>}
	 */
	static async load(source) {
		const module = await compile(source)
		const wasi = new Wasi()
		const { exports } = await WebAssembly.instantiate(module, wasi.imports)
		if (!(exports.memory instanceof WebAssembly.Memory)) throw new TurnError('module', 'the module exports no memory')
		wasi.attach(exports.memory)
		return new TurnInstance(exports, wasi)
	}

	/** Why every call throws: the instance has trapped. */
	get dead() {
		return this.#dead
	}

	/** How many clients are alive. */
	get clients() {
		return this.#region.clients
	}

	/** Lets at most so many clients live. @param {number} n */
	set mostClients(n) {
		this.#region.mostClients = n
	}

	/** The size of the linear memory in bytes. */
	get memory() {
		return this.#memory.buffer.byteLength
	}

	/** The next deadline of all clients, an instant in ms; Infinity = none. */
	get nextTimeout() {
		return this.#dead ? Infinity : this.#region.next
	}

	/**
	 * Opens a client. It sends nothing before a command of its own.
	 * @param {number} now
	 * @param {import('./config.js').ClientConfig} config
	 * @param {Sink} [sink] who is told what the machine wants; without one it waits in the client's poll()
	 * @returns {TurnClient}
	 */
	open(now, config, sink) {
		const n = this.#record((r) => writeConfig(r, config))
		const handle = this.#answer(this.#call('turn_open', wantNow(now), n))
		const client = new TurnClient(this, handle, sink)
		this.#clients.set(handle, client)
		this.#drain()
		return client
	}

	/**
	 * All that a client knows of its allocation, for restore: with the password and keys, so whoever stores it seals it.
	 * @param {TurnClient} client
	 * @param {number} now
	 */
	snapshot(client, now) {
		const { offset, end } = this.#arena
		const length = this.#answer(this.#call('turn_snapshot', wantNow(now), client.handle, offset, end - offset))
		const part = this.#region.bytes.subarray(offset, offset + length)
		const snapshot = part.slice()
		part.fill(0)
		return snapshot
	}

	/**
	 * Makes a client that goes on from a snapshot, on the flow that its state names. What became due meanwhile is done.
	 * Only one of the two may go on: the other is freed, without a close.
	 * @param {number} now
	 * @param {number} elapsed how long ago it was taken, in ms
	 * @param {Uint8Array} snapshot
	 * @param {Sink} [sink] as open's
	 * @returns {TurnClient}
	 */
	restore(now, elapsed, snapshot, sink) {
		if (!(snapshot instanceof Uint8Array)) throw new TypeError('a snapshot is a Uint8Array')
		if (typeof elapsed !== 'number' || !(elapsed >= 0 && elapsed <= 9e12)) throw new TypeError(`elapsed is a time in ms that is not negative, not ${elapsed}`)
		const { offset, end } = this.#arena
		if (snapshot.length > end - offset) throw codeError(CODE_TOO_LARGE)
		this.#living()
		this.#region.bytes.set(snapshot, offset)
		const handle = this.#answer(this.#call('turn_restore', wantNow(now), elapsed, offset, snapshot.length))
		const client = new TurnClient(this, handle, sink)
		this.#clients.set(handle, client)
		this.#drain()
		return client
	}

	/**
	 * Does what is due, for every client. It answers the next deadline.
	 * @param {number} now
	 * @returns {number}
	 */
	tick(now) {
		const next = this.#call('turn_tick', wantNow(now))
		this.#drain()
		return next
	}

	/** Has f called when the instance dies, after its clients were told. @param {() => void} f */
	onDeath(f) {
		this.#mourners.push(f)
	}

	/**
	 * A command; write puts its record where the guest reads it.
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {(r: RecordWriter) => void} write
	 */
	command(client, now, write) {
		const n = this.#record(write)
		this.#control(this.#call('turn_command', wantNow(now), client.handle, n))
	}

	/**
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {number} flow
	 * @param {number} what
	 */
	flow(client, now, flow, what) {
		this.#control(this.#call('turn_flow', wantNow(now), client.handle, flow, what))
	}

	/**
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {number} linger
	 */
	close(client, now, linger) {
		this.#control(this.#call('turn_close', wantNow(now), client.handle, linger))
	}

	/**
	 * A number for a peer; 0 when as many have one as can.
	 * @param {TurnClient} client
	 * @param {Uint8Array} ip
	 * @param {number} attribute
	 * @param {number} port
	 */
	peer(client, ip, attribute, port) {
		const n = this.#record((r) => r.address(attribute, ip, port))
		const number = this.#call('turn_peer', client.handle, n)
		return number === CODE_LIMIT ? 0 : this.#answer(number)
	}

	/**
	 * A record that a call leaves in control-out.
	 * @param {TurnClient} client
	 * @param {'turn_state' | 'turn_stats'} name
	 */
	ask(client, name) {
		const length = this.#answer(this.#call(name, client.handle))
		return this.#region.part(this.#region.controlOut).slice(0, length)
	}

	/**
	 * @param {TurnClient} client
	 * @param {number} now
	 * @returns {import('./client.js').Parting | undefined}
	 */
	parting(client, now) {
		if (this.#answer(this.#call('turn_parting', wantNow(now), client.handle)) === 0) return undefined
		if (!this.#region.readOut(0, this.#out)) throw this.#die('turn_parting', new RangeError('a descriptor reaches outside of the region'))
		return this.#partingOf(this.#out)
	}

	/** @param {TurnClient} client */
	free(client) {
		this.#clients.delete(client.handle)
		this.#answer(this.#call('turn_free', client.handle))
	}

	/**
	 * Hands datagrams in.
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {readonly Uint8Array[]} datagrams payloads that they bring are parts of them
	 * @param {number} flow
	 * @param {{ip: Uint8Array, port: number}} [from] without it the socket is connected and vouches for the source
	 */
	input(client, now, datagrams, flow, from) {
		const n = datagrams.length
		this.#inputs(now, datagrams, Array(n).fill(client), Array(n).fill(flow), from)
	}

	/**
	 * Hands in what came for several clients, over sockets that are connected.
	 * @param {number} now
	 * @param {readonly Uint8Array[]} datagrams
	 * @param {readonly TurnClient[]} clients whose each of them is
	 * @param {readonly number[]} flows
	 */
	inputMany(now, datagrams, clients, flows) {
		this.#inputs(now, datagrams, clients, flows)
	}

	/**
	 * @param {number} now
	 * @param {readonly Uint8Array[]} datagrams
	 * @param {readonly TurnClient[]} clients
	 * @param {readonly number[]} flows
	 * @param {{ip: Uint8Array, port: number}} [from]
	 */
	#inputs(now, datagrams, clients, flows, from) {
		wantNow(now)
		const n = datagrams.length
		for (let first = 0; first < n; ) {
			const r = this.#living()
			let i = first
			for (let at = this.#arena.offset; i < n && i - first < r.ins.count; i++) {
				const end = this.#placeInput(i - first, datagrams[i], at, clients[i].handle, flows[i])
				if (end > this.#arena.end) break
				if (from) r.setInAddress(i - first, from.ip, from.port)
				at = (end + 7) & ~7
			}
			this.#sources = first === 0 ? datagrams : datagrams.slice(first)
			try {
				this.#batch('turn_input', now, i - first)
			} finally {
				this.#sources = NONE
			}
			first = i
		}
	}

	/**
	 * Puts a datagram into the arena, if it ends there.
	 * @param {number} i its in-descriptor
	 * @param {Uint8Array} datagram
	 * @param {number} at
	 * @param {number} handle
	 * @param {number} flow
	 * @returns {number} where it ends
	 */
	#placeInput(i, datagram, at, handle, flow) {
		const { length } = datagram
		if (length > MAX_DATAGRAM) throw new TypeError(`a datagram of ${length} bytes: at most ${MAX_DATAGRAM} fit UDP`)
		if (at + length > this.#arena.end) return at + length
		this.#region.bytes.set(datagram, at)
		this.#region.setIn(i, handle, KIND_INPUT, flow, 0, at, length, 1, 0)
		this.#placed[i] = at
		return at + length
	}

	/**
	 * Sends one payload: what send does for most, without an object of its own. It answers the status.
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {Uint8Array} payload
	 * @param {import('./client.js').Peer} peer
	 * @returns {number}
	 */
	sendOne(client, now, payload, peer) {
		wantNow(now)
		const r = this.#living()
		const { length } = payload
		if (HEADROOM + length + TAILROOM > this.#arena.end - this.#arena.offset) return CODE_TOO_LARGE
		const at = this.#arena.offset + HEADROOM
		r.bytes.set(payload, at)
		r.setIn(0, client.handle, KIND_SEND, 0, peer.number, at, length, 1, 0)
		if (peer.number === 0) r.setInAddress(0, peer.ip, peer.port)
		return this.#one('turn_send', now)
	}

	/**
	 * Hands one datagram of a connected socket in: what input does for most.
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {Uint8Array} datagram
	 * @param {number} flow
	 */
	inputOne(client, now, datagram, flow) {
		wantNow(now)
		this.#living()
		this.#placeInput(0, datagram, this.#arena.offset, client.handle, flow)
		this.#single[0] = datagram
		this.#sources = this.#single
		try {
			this.#one('turn_input', now)
		} finally {
			this.#sources = NONE
		}
	}

	/**
	 * Runs the first in-descriptor through a call, and answers its status.
	 * @param {'turn_input' | 'turn_send'} name
	 * @param {number} now
	 */
	#one(name, now) {
		const r = this.#region
		let outs
		try {
			outs = name === 'turn_send' ? this.#calls.turn_send(now, 1) : this.#calls.turn_input(now, 1)
		} catch (cause) {
			throw this.#die(name, cause)
		}
		r.refresh()
		if (outs < 0) throw codeError(outs, r.errorText)
		if (r.consumed !== 1) {
			this.#take(name, outs) // a run of answers that was too long for one call
			this.#poll()
			return this.#batch(name, now, 1).error?.abi ?? CODE_OK
		}
		const status = r.statusOf(0)
		if (outs > 0) this.#take(name, outs)
		if (r.pending || this.#telling.waits) this.#drain()
		return status
	}

	/**
	 * Sends payloads to one peer. It answers how many the machine has taken, and the first error.
	 * @param {TurnClient} client
	 * @param {number} now
	 * @param {readonly Uint8Array[]} payloads
	 * @param {import('./client.js').Peer} peer
	 * @returns {{sent: number, error: TurnError | undefined}}
	 */
	send(client, now, payloads, peer) {
		wantNow(now)
		let sent = 0
		/** @type {TurnError | undefined} */
		let error
		for (let done = 0; done < payloads.length; ) {
			const { runs, n } = this.#placeSends(client, payloads, done, peer)
			const failed = this.#batch('turn_send', now, runs)
			error ??= failed.error
			sent += n - failed.packets
			done += n
		}
		return { sent, error }
	}

	/**
	 * Puts payloads into the arena, equal ones behind each other as a run.
	 * @param {TurnClient} client
	 * @param {readonly Uint8Array[]} payloads
	 * @param {number} first
	 * @param {import('./client.js').Peer} peer
	 * @returns {{runs: number, n: number}} in-descriptors in use, payloads placed
	 */
	#placeSends(client, payloads, first, peer) {
		const r = this.#living()
		const { end } = this.#arena
		let at = this.#arena.offset
		let next = first
		let runs = 0
		for (; next < payloads.length && runs < r.ins.count; runs++) {
			const { length } = payloads[next]
			const start = at + HEADROOM
			let count = 0
			for (at = start; next < payloads.length && payloads[next].length === length && at + length + TAILROOM <= end; next++, count++) {
				r.bytes.set(payloads[next], at)
				at += length + RUN_GAP
			}
			if (count === 0) break
			r.setIn(runs, client.handle, KIND_SEND, 0, peer.number, start, length, count, count > 1 ? length + RUN_GAP : 0)
			if (peer.number === 0) r.setInAddress(runs, peer.ip, peer.port)
			at = (at + 7) & ~7
		}
		return { runs, n: next - first }
	}

	/**
	 * Takes a payload that ship sends. It answers false when there is no room: then ship first. What the machine does not
	 * take the client's sink is told.
	 * @param {TurnClient} client
	 * @param {import('./client.js').Peer} peer
	 * @param {Uint8Array} payload
	 */
	post(client, peer, payload) {
		return this.#staging.put(this.#living().bytes, client, peer, payload)
	}

	/** How many runs of payloads wait for ship. */
	get posted() {
		return this.#staging.used
	}

	/**
	 * Sends what was posted.
	 * @param {number} now
	 */
	ship(now) {
		const { runs, used } = this.#staging
		if (used === 0) return
		wantNow(now)
		const r = this.#living()
		for (let i = 0; i < used; i++) {
			const { client, peer, offset, length, count } = runs[i]
			r.setIn(i, client.handle, KIND_SEND, 0, peer.number, offset, length, count, count > 1 ? length + RUN_GAP : 0)
			if (peer.number === 0) r.setInAddress(i, peer.ip, peer.port)
		}
		this.#staging.clear()
		this.#batch('turn_send', now, used, true)
	}

	/**
	 * Runs in-descriptors through a call until all are done.
	 * @param {'turn_input' | 'turn_send'} name
	 * @param {number} now
	 * @param {number} n
	 * @param {boolean} [posted] whom a refusal is told
	 */
	#batch(name, now, n, posted = false) {
		const failed = { packets: 0, error: /** @type {TurnError | undefined} */ (undefined) }
		for (let rounds = 0; n > 0; rounds++) {
			const outs = this.#answer(this.#call(name, now, n))
			const r = this.#region
			const done = r.consumed
			if (done > n || rounds > MAX_ROUNDS) throw this.#die(name, new RangeError('its batches make no progress'))
			for (let i = 0; i < done; i++) {
				const status = r.statusOf(i)
				if (status === CODE_OK) continue
				failed.error ??= codeError(status)
				failed.packets += r.countOf(i)
				if (posted) this.#refuse(r.clientOf(i), codeError(status))
			}
			if (done < n) r.shiftIns(done, n)
			n -= done
			this.#take(name, outs)
			if (n > 0) this.#poll()
		}
		this.#drain()
		return failed
	}

	/**
	 * @param {number} handle
	 * @param {TurnError} error
	 */
	#refuse(handle, error) {
		const client = this.#clients.get(handle)
		if (client) this.#telling.push(() => client.sink.refused?.(error))
	}

	/**
	 * Calls an export. Whatever it throws is the end: an engine runs later calls on the corrupt state.
	 * @param {string} name
	 * @param {...number} args
	 */
	#call(name, ...args) {
		if (this.#dead) throw this.#dead
		let answer
		try {
			answer = this.#calls[name](...args)
		} catch (cause) {
			throw this.#die(name, cause)
		}
		this.#region?.refresh()
		return answer
	}

	#living() {
		if (this.#dead) throw this.#dead
		return this.#region
	}

	/**
	 * A negative answer is the machine's error.
	 * @param {number} answer
	 */
	#answer(answer) {
		if (answer < 0) throw codeError(answer, this.#region.errorText)
		return answer
	}

	/**
	 * The end of a control call: what it brought about is told, refused or not.
	 * @param {number} answer
	 */
	#control(answer) {
		const error = answer < 0 ? codeError(answer, this.#region.errorText) : undefined
		this.#drain()
		if (error) throw error
	}

	/** @param {(r: RecordWriter) => void} write */
	#record(write) {
		const region = this.#living()
		const into = region.part(region.controlIn)
		const r = new RecordWriter(into)
		try {
			write(r)
		} catch (e) {
			into.fill(0, 0, r.length) // a password may lie there
			throw e
		}
		return r.length
	}

	/** Takes what the machine has to say, then tells it. */
	#drain() {
		this.#poll()
		this.#telling.tell()
	}

	#poll() {
		for (let rounds = 0; this.#region.pending; rounds++) {
			if (rounds > MAX_ROUNDS) throw this.#die('turn_poll', new RangeError(`it does not drain in ${MAX_ROUNDS} rounds`))
			this.#take('turn_poll', this.#call('turn_poll'))
		}
	}

	/**
	 * Reads the out-descriptors of a call.
	 * @param {string} name
	 * @param {number} n
	 */
	#take(name, n) {
		const d = this.#out
		for (let i = 0; i < n; i++) {
			if (i >= this.#region.outs.count || !this.#region.readOut(i, d) || d.count > MAX_ROUNDS) {
				throw this.#die(name, new RangeError('a descriptor reaches outside of the region'))
			}
			const client = this.#clients.get(d.client)
			if (client) this.#takeOne(client, d)
		}
		for (const sink of this.#shipping) sink.flush?.()
		if (this.#shipping.length > 0) this.#shipping.length = 0
	}

	/**
	 * @param {TurnClient} client
	 * @param {OutDesc} d
	 */
	#takeOne(client, d) {
		const { bytes } = this.#region
		if (d.kind === KIND_TRANSMIT) {
			const { sink } = client
			if (sink.run) sink.run(bytes, d.offset, d.length, d.count, d.stride, d.flow)
			else for (let i = 0, at = d.offset; i < d.count; i++, at += d.stride) sink.transmit(this.#viewOf(bytes, at, d.length), d.flow)
			if (sink.flush && !this.#shipping.includes(sink)) this.#shipping.push(sink)
		} else if (d.kind === KIND_DATA) {
			const from = client.peerOf(d.peer) ?? this.#region.addressOf(d)
			const { channel, flow } = d
			for (let i = 0, at = d.offset; from && i < d.count; i++, at += d.stride) {
				this.#telling.payload(client, this.#payload(d, at), from, channel, flow)
			}
		} else if (d.kind === KIND_EVENT) {
			const event = readEvent(bytes.slice(d.offset, d.offset + d.length))
			this.#telling.push(() => client.sink.event(event))
		} else if (d.kind === KIND_PARTING) {
			const parting = (client.lastParting = d.length > 0 ? this.#partingOf(d) : undefined)
			this.#telling.push(() => client.sink.parting(parting))
		}
	}

	/**
	 * A part of the region; most ask for the same one as before.
	 * @param {Uint8Array} bytes
	 * @param {number} at
	 * @param {number} length
	 */
	#viewOf(bytes, at, length) {
		if (this.#viewAt !== at || this.#view.length !== length || this.#view.buffer !== bytes.buffer) {
			this.#view = bytes.subarray(at, at + length)
			this.#viewAt = at
		}
		return this.#view
	}

	/**
	 * A payload lies in the datagram that brought it, which is the caller's: no copy is made of it. Others are in
	 * control-out.
	 * @param {OutDesc} d
	 * @param {number} at
	 */
	#payload(d, at) {
		const { arena, bytes } = this.#region
		const source = this.#sources[d.tag]
		if (!source || at < arena.offset || at >= arena.offset + arena.size) return bytes.slice(at, at + d.length)
		const from = at - this.#placed[d.tag]
		return source.subarray(from, from + d.length)
	}

	/** @param {OutDesc} d */
	#partingOf(d) {
		return { flow: d.flow, data: this.#region.bytes.slice(d.offset, d.offset + d.length), until: this.#region.instantOf(d) }
	}

	/**
	 * Ends the instance: nothing of it is called any more.
	 * @param {string} name
	 * @param {unknown} cause
	 */
	#die(name, cause) {
		if (this.#dead) return this.#dead
		const why = cause instanceof Error ? cause.message : String(cause)
		const last = this.#wasi.output.split('\n', 1)[0]
		const text = `the instance died in ${name}: ${why}${last ? `: ${last}` : ''}`
		this.#dead = new TurnError('trapped', `turn: ${text}`, { cause, reason: text })
		const clients = [...this.#clients.values()]
		this.#clients.clear()
		const error = this.#dead
		for (const { sink } of clients) this.#telling.push(() => sink.died(error))
		for (const mourn of this.#mourners) this.#telling.push(mourn)
		this.#telling.tell()
		return error
	}
}

/** @param {number} now */
function wantNow(now) {
	if (typeof now !== 'number' || !(now >= 0)) throw new TypeError(`now is the time in ms on a monotonic clock, performance.now() for one, not ${now}`)
	return now
}
