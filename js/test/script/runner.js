// Runs the scripts of client/testdata through this package, as
// client/turntest/script_runner.go does natively: the text that comes out has to
// be the script itself.

import { KIND_EVENT, KIND_TRANSMIT } from '../../src/abi.gen.js'
import { formatAddress } from '../../src/address.js'
import { TurnError } from '../../src/error.js'
import { TurnInstance } from '../../src/instance.js'
import { describe, describeEvent, quotePayload } from './describe.js'
import { formatDuration, fromBytes, hex, parseDuration, toBytes, unhex, utf8 } from './go.js'
import { compose } from './recv.js'
import { Message } from './stun.js'
import { eventRecord, Transcript } from './transcript.js'
import { parseAddress, Words } from './words.js'

/** The instant that a script calls 0, in ns: not the machine's own. */
const START = 60e9

const RULE = '----'
const SERVER = '192.0.2.1:3478'
const NOTHING = new Uint8Array(0)

/**
 * A request that a client sent.
 * @typedef {object} Request
 * @property {number} n
 * @property {Uint8Array} raw
 * @property {Message} message
 * @property {Uint8Array} [key] undefined: unsigned
 */

/** A client of a script. */
class Subject {
	/** @type {import('../../src/client.js').TurnClient | undefined} */
	client
	/** Oldest first. @type {string[]} */
	passwords = []
	/** @type {string[]} likewise */
	usernames = []
	/** Those usernames that name a token's key. @type {string[]} */
	kids = []
	/** By peer. @type {Map<string, number>} */
	channels = new Map()
	closed = false
	freed = false

	/**
	 * @param {number} n
	 * @param {string} name
	 * @param {{address: string, port: number}} server
	 */
	constructor(n, name, server) {
		this.n = n
		this.prefix = name ? `${name}: ` : ''
		this.name = name
		this.server = server
	}
}

/**
 * Answers the script's text with what came out this time.
 * @param {WebAssembly.Module} module
 * @param {string} text a byte string
 */
export async function runScript(module, text) {
	const r = new Runner(await TurnInstance.load(module))
	const out = []
	for (const { lines, commands } of parseScript(text)) {
		if (commands.length === 0) {
			out.push(lines.join('\n'))
			continue
		}
		for (const line of commands) r.run(line)
		r.endBlock()
		out.push([...lines, RULE, ...r.takeLines()].join('\n'))
	}
	out.push([...r.counters(), `# sha256 ${r.transcript.sum}`].join('\n'))
	return `${out.join('\n\n')}\n`
}

/** @param {string} text */
function parseScript(text) {
	return text.trim().split('\n\n').map(parseBlock).filter((b) => b.lines.length > 0)
}

/** @param {string} part */
function parseBlock(part) {
	const lines = []
	for (const raw of part.split('\n')) {
		const line = raw.replace(/[ \t\r]+$/, '')
		if (line === RULE) break
		if (line !== '' && !line.startsWith('# sha256 ') && !line.startsWith('# stats ')) lines.push(line)
	}
	return { lines, commands: lines.filter((l) => !l.startsWith('#')) }
}

class Runner {
	#now = START
	/** @type {Subject[]} */
	#subjects = []
	/** @type {Subject | undefined} */
	#current
	/** By transaction ID. @type {Map<string, Request>} */
	#named = new Map()
	/** @type {Request[]} */
	#order = []
	/** @type {string[]} */
	#lines = []
	transcript = new Transcript()

	/** @param {TurnInstance} instance */
	constructor(instance) {
		this.instance = instance
	}

	get #ms() {
		return this.#now / 1e6
	}

	/** The client that is spoken to. */
	get #subject() {
		if (!this.#current) throw new Error('there is no client yet')
		return this.#current
	}

	get #client() {
		return /** @type {import('../../src/client.js').TurnClient} */ (this.#subject.client)
	}

	takeLines() {
		return this.#lines.splice(0)
	}

	/** @param {string} line */
	run(line) {
		const w = new Words(this.#address(line))
		const name = w.plain('a command')
		const command = COMMANDS[name]
		if (!command) throw new Error(`there is no command ${name}`)
		let refusal
		try {
			command(this, w)
		} catch (e) {
			if (!(e instanceof TurnError)) throw e
			refusal = e
		}
		w.done()
		if (refusal) this.print(this.#current, `error ${utf8(refusal.message)}`)
		this.#drain()
	}

	/** Takes a "NAME: " in front of a command. @param {string} line */
	#address(line) {
		this.#current = this.#subjects[0]
		const found = /^([^ "=]*?): (.*)$/s.exec(line)
		if (!found) return line
		this.#current = this.#subjects.find((s) => s.name === found[1])
		if (!this.#current) throw new Error(`there is no client ${found[1]}`)
		return found[2]
	}

	/**
	 * @param {Subject | undefined} s
	 * @param {string} line
	 */
	print(s, line) {
		this.#lines.push((s?.prefix ?? '') + line)
	}

	/** @param {Words} w */
	new(w) {
		const name = w.named('name') ?? ''
		const server = parseAddress(w.named('server') ?? SERVER)
		const s = new Subject(this.#subjects.length, name, server)
		const config = configOf(w, server, s.n)
		s.passwords.push(config.password ?? '')
		s.usernames.push(config.username ?? '')
		if (config.macKey) {
			s.passwords = [fromBytes(config.macKey)]
			s.kids.push(config.username ?? '')
		}
		this.#current = undefined
		s.client = this.instance.open(this.#ms, config)
		this.#subjects.push(s)
		this.#current = s
	}

	/** The whole exchange, for scripts that are about what follows. @param {Words} w */
	allocated(w) {
		const lifetime = w.named('lifetime') ?? '600'
		const relayed = w.named('relayed') ?? '192.0.2.1:50000'
		const shown = w.named('ticket')
		const ticket = shown === undefined ? '' : ` ticket=${shown}`
		const { prefix } = this.#subject
		const n = this.#order.length
		this.run(`${prefix}allocate`)
		this.run(`${prefix}recv tx=${n + 1} error 401 realm=example.org nonce=n1`)
		this.run(`${prefix}recv tx=${n + 2} success relayed=${relayed} mapped=203.0.113.9:4242 lifetime=${lifetime}${ticket} integrity=ok`)
	}

	/** @param {(client: import('../../src/client.js').TurnClient, now: number) => void} f */
	do(f) {
		f(this.#client, this.#ms)
	}

	/** @param {Words} w */
	setCredentials(w) {
		const [username, password] = [w.named('user') ?? '', w.named('password') ?? '']
		this.#subject.passwords.push(password)
		this.#subject.usernames.push(username)
		this.#client.setCredentials(this.#ms, username, password)
	}

	/** @param {Words} w */
	setToken(w) {
		const [kid, key, token] = [w.named('user') ?? '', w.named('password') ?? '', w.named('token') ?? '']
		this.#subject.passwords.push(key)
		this.#subject.usernames.push(kid)
		this.#subject.kids.push(kid)
		this.#client.setToken(this.#ms, kid, toBytes(key), toBytes(token))
	}

	/** @param {Words} w */
	receive(w) {
		const spoofed = w.named('from')
		const from = spoofed === undefined ? this.#subject.server : spoofed === 'connected' ? undefined : parseAddress(spoofed)
		const flow = w.number('flow')
		const chunk = w.number('chunk')
		const tail = toBytes(w.named('tail') ?? '')
		const bytes = Uint8Array.from([...compose(w, this.#order, this.#subject.channels), ...tail])
		const size = chunk || Math.max(1, bytes.length)
		let at = 0
		do this.#client.input(this.#ms, bytes.subarray(at, at + size), { flow, from })
		while ((at += size) < bytes.length)
	}

	/** Goes to an instant, stopping at each deadline on the way. @param {number} to in ns */
	advance(to) {
		for (let at = this.#nextWake(); at <= to; at = this.#nextWake()) {
			this.#now = at
			const next = this.instance.tick(deadline(at))
			if (!Object.is(next, this.instance.nextTimeout)) throw new Error(`turn_tick answers ${next}, the header says ${this.instance.nextTimeout}`)
			this.#drain()
		}
		this.#now = to
	}

	/** @param {number} by */
	advanceBy(by) {
		this.advance(this.#now + by)
	}

	timeout() {
		this.advance(this.#nextWake())
	}

	#nextWake() {
		return Math.min(...this.#subjects.map((s) => this.#wakeOf(s)))
	}

	/** In ns; Infinity = never. @param {Subject} s */
	#wakeOf(s) {
		const at = s.freed ? undefined : s.client?.state().wakeAt
		return at === undefined ? Infinity : Math.round(at * 1e6)
	}

	#drain() {
		for (const s of this.#subjects) {
			for (let e; (e = s.client?.poll()); ) this.#effect(s, e)
		}
		for (const s of this.#subjects) {
			if (this.#wakeOf(s) <= this.#now) throw new Error('a deadline is not in the future')
		}
	}

	/**
	 * @param {Subject} s
	 * @param {import('../../src/client.js').Effect} e
	 */
	#effect(s, e) {
		if (s.closed) throw new Error('something comes out after Closed')
		if (e.type === 'transmit') return this.#transmit(s, e)
		if (e.type === 'data') {
			const event = { event: 'dataReceived', peer: e.from, channel: e.channel, flow: e.flow }
			return this.#event(s, event, e.data, NOTHING, ` ${quotePayload(e.data)}`)
		}
		if (e.type === 'parting') {
			const what = e.parting ? ` owed until=${formatDuration(Math.round(e.parting.until * 1e6) - START)}` : ' nothing owed'
			return this.#event(s, { event: 'partingChanged' }, NOTHING, e.parting?.data ?? NOTHING, what)
		}
		s.closed ||= e.event.event === 'closed'
		this.#event(s, e.event, NOTHING, NOTHING, '')
	}

	/**
	 * @param {Subject} s
	 * @param {Partial<import('../../src/event.js').TurnEvent> & {event: string}} event
	 * @param {Uint8Array} data
	 * @param {Uint8Array} parting
	 * @param {string} behind
	 */
	#event(s, event, data, parting, behind) {
		this.transcript.record(s.n, this.#now, KIND_EVENT, eventRecord(event), data, parting)
		const whole = /** @type {import('../../src/event.js').TurnEvent} */ (event)
		this.print(s, `${stamp(this.#now)} ${describeEvent(whole, START)}${behind}`)
	}

	/**
	 * @param {Subject} s
	 * @param {{data: Uint8Array, flow: number}} t
	 */
	#transmit(s, { data, flow }) {
		this.transcript.record(s.n, this.#now, KIND_TRANSMIT, Uint8Array.of(flow), data)
		const { label, key } = this.#label(s, data)
		this.print(s, `${stamp(this.#now)} -> ${flow ? `flow ${flow}: ` : ''}${describe(data, key, label)}`)
	}

	/**
	 * Names a request, and finds the key that it should be signed with.
	 * @param {Subject} s
	 * @param {Uint8Array} datagram
	 * @returns {{label: string, key?: Uint8Array}}
	 */
	#label(s, datagram) {
		if (datagram[0] > 3) return { label: '' }
		const message = new Message(datagram)
		if (message.cls !== 0) return { label: '' }
		const id = hex(message.id)
		const request = this.#named.get(id) ?? this.#name(s, message, id)
		if (hex(request.raw) !== hex(datagram)) throw new Error('other bytes under the transaction ID of an earlier request')
		return { label: `tx=${request.n}`, key: request.key }
	}

	/**
	 * @param {Subject} s
	 * @param {Message} message
	 * @param {string} id
	 */
	#name(s, message, id) {
		/** @type {Request} */
		const request = { n: this.#order.length + 1, raw: message.raw, message, key: message.signed ? keyOf(s, message) : undefined }
		const peer = message.attributes.map((a) => message.address(a)).find((a) => a)
		const number = message.get('CHANNEL-NUMBER')
		if (peer && number) s.channels.set(peer, (number[0] << 8) | number[1])
		this.#named.set(id, request)
		this.#order.push(request)
		return request
	}

	/** Writes down what each client waits for. */
	endBlock() {
		for (const s of this.#subjects) {
			if (s.freed) continue
			const state = s.client?.state()
			if (state?.wakeAt === undefined) this.print(s, 'no wake')
			else if (s.closed) throw new Error('a deadline remains after Closed')
			else this.print(s, `wake ${stamp(Math.round(state.wakeAt * 1e6))} ${utf8(state.wakeWhy ?? '')}`)
		}
	}

	state() {
		const s = this.#client.state()
		let line = `state ${s.phase}`
		if (s.relayedAddress) line += ` relayed=${formatAddress(s.relayedAddress)}`
		if (s.additionalAddress) line += ` additional=${formatAddress(s.additionalAddress)}`
		if (s.mappedAddress) line += ` mapped=${formatAddress(s.mappedAddress)}`
		if (s.lifetime) line += ` lifetime=${formatDuration(Math.round(s.lifetime * 1e6))}`
		this.print(this.#current, line)
	}

	roundTrip() {
		const { rto, roundTrip } = this.#client.state()
		const ms = (/** @type {number} */ n) => formatDuration(Math.round(n * 1e6))
		this.print(this.#current, `roundtrip smoothed=${ms(roundTrip?.smoothed ?? 0)} variation=${ms(roundTrip?.variation ?? 0)} rto=${ms(rto)}`)
	}

	stats() {
		this.print(this.#current, ['stats', ...counted(this.#client).filter((c) => !c.includes('Bytes='))].join(' '))
	}

	counters() {
		return this.#subjects.flatMap((s) => {
			const all = s.freed || !s.client ? [] : counted(s.client)
			return all.length > 0 ? [`# stats ${s.prefix}${all.join(' ')}`] : []
		})
	}

	parting() {
		const parting = this.#client.parting(this.#ms)
		if (!parting) return this.print(this.#current, 'parting nothing owed')
		const { label, key } = this.#label(this.#subject, parting.data)
		const until = formatDuration(Math.round(parting.until * 1e6) - START)
		this.print(this.#current, `parting ${describe(parting.data, key, label)} until=${until}`)
	}

	free() {
		this.#client.free()
		this.#subject.freed = true
	}
}

/**
 * @param {Words} w
 * @param {{address: string, port: number}} server
 * @param {number} n
 */
function configOf(w, server, n) {
	const family = /** @type {Record<string, 4 | 6 | 'both'>} */ ({ ipv4: 4, ipv6: 6, both: 'both' })[w.named('family') ?? '']
	const ms = (/** @type {string} */ key) => w.duration(key) / 1e6
	return {
		server, seed: Uint8Array.from([n + 1, ...new Uint8Array(31)]),
		username: w.named('user'), ...secretOf(w), software: w.named('software'), family,
		lifetime: ms('lifetime'), rto: ms('rto'), refreshCap: ms('cap'), rc: w.number('rc'), rm: w.number('rm'),
		fingerprint: w.flag('fingerprint'), autoPermission: w.flag('autopermission'), reclaim: w.flag('reclaim'),
		reallocate: w.flag('reallocate'), anonymous: w.flag('anonymous'), mobility: w.flag('mobility'),
		...optionsOf(w),
	}
}

/** What few clients ask for. @param {Words} w */
function optionsOf(w) {
	const token = w.named('reservation')
	return {
		stream: w.flag('stream'), secured: w.flag('secured'), relay: w.flag('relaytcp') ? /** @type {const} */ ('tcp') : undefined, unsignedBind: w.flag('unsignedbind'),
		minRTO: w.duration('minrto') / 1e6, roundTrip: { smoothed: w.duration('smoothed') / 1e6, variation: w.duration('variation') / 1e6 },
		keepalive: w.duration('keepalive') / 1e6, dontFragment: w.flag('dontfragment'),
		evenPort: /** @type {const} */ ([undefined, 'even', 'reserve'])[w.number('evenport')],
		reservationToken: token === undefined ? undefined : unhex(token),
	}
}

/** @param {Words} w */
function secretOf(w) {
	const [password, token] = [w.named('password'), w.named('token')]
	return token === undefined ? { password } : { password: undefined, macKey: toBytes(password ?? ''), accessToken: toBytes(token) }
}

/**
 * The newest password that verifies; if none does, what the request should have been signed with.
 * @param {Subject} s
 * @param {Message} message
 */
function keyOf(s, message) {
	const user = s.usernames.find((u) => message.by(u)) ?? message.text('USERNAME')
	const keys = s.passwords.map((p) => (s.kids.includes(user) ? toBytes(p) : message.keyOf(user, p))).reverse()
	return keys.find((k) => message.verify(k)) ?? keys[0]
}

/** The counters that are not 0. @param {import('../../src/client.js').TurnClient} client */
const counted = (client) =>
	Object.entries(client.stats()).filter(([, n]) => n !== 0).map(([name, n]) => `${name[0].toUpperCase()}${name.slice(1)}=${n}`)

/** An instant as a script writes it: in seconds. @param {number} at */
const stamp = (at) => `@${(at - START) / 1e9}s`

/**
 * The time to wake at, rounded up where it must be: a nanosecond before it nothing is due.
 * @param {number} ns
 */
function deadline(ns) {
	let ms = ns / 1e6
	while (Math.round(ms * 1e6) < ns) ms *= 1 + Number.EPSILON
	return ms
}

/** @type {(f: (c: import('../../src/client.js').TurnClient, now: number, a: {address: string, port: number}) => void) => (r: Runner, w: Words) => void} */
const ofPeer = (f) => (r, w) => {
	const a = parseAddress(w.plain('a peer'))
	r.do((c, now) => f(c, now, a))
}

/** @type {(f: (c: import('../../src/client.js').TurnClient, now: number, flow: number) => void) => (r: Runner, w: Words) => void} */
const ofFlow = (f) => (r, w) => {
	const flow = Number(w.plain('a flow'))
	r.do((c, now) => f(c, now, flow))
}

/** @type {Record<string, (r: Runner, w: Words) => void>} */
const COMMANDS = {
	new: (r, w) => r.new(w),
	allocate: (r) => r.do((c, now) => c.allocate(now)),
	refresh: (r) => r.do((c, now) => c.refresh(now)),
	rebind: (r) => r.do((c, now) => c.rebind(now)),
	permit: (r, w) => {
		const addresses = [...w.rest()].map((x) => parseAddress(x.value).address)
		r.do((c, now) => c.createPermission(now, addresses))
	},
	unpermit: ofPeer((c, now, a) => c.removePermission(now, a.address)),
	bind: ofPeer((c, now, a) => c.bindChannel(now, a.port, a.address)),
	unbind: ofPeer((c, now, a) => c.unbindChannel(now, a.port, a.address)),
	connect: ofPeer((c, now, a) => c.connect(now, a.port, a.address)),
	accept: (r, w) => {
		const id = Number(w.plain('a connection'))
		r.do((c, now) => c.acceptConnection(now, id))
	},
	send: (r, w) => {
		const a = parseAddress(w.plain('a peer'))
		const payload = toBytes(w.plain('a payload'))
		r.do((c, now) => c.send(now, payload, a.port, a.address))
	},
	setcredentials: (r, w) => r.setCredentials(w),
	settoken: (r, w) => r.setToken(w),
	allocated: (r, w) => r.allocated(w),
	recv: (r, w) => r.receive(w),
	flowopened: ofFlow((c, now, flow) => c.flowOpened(now, flow)),
	flowclosed: ofFlow((c, now, flow) => c.flowClosed(now, flow)),
	patherror: ofFlow((c, now, flow) => c.pathError(now, flow)),
	advance: (r, w) => r.advanceBy(parseDuration(w.plain('a duration'))),
	timeout: (r) => r.timeout(),
	close: (r, w) => {
		const linger = w.duration('linger') / 1e6
		r.do((c, now) => c.close(now, linger))
	},
	free: (r) => r.free(),
	state: (r) => r.state(),
	stats: (r) => r.stats(),
	roundtrip: (r) => r.roundTrip(),
	parting: (r) => r.parting(),
}

/**
 * The first line in which what came out differs from the script; "" when none does.
 * @param {string} want
 * @param {string} got
 */
export function diffScript(want, got) {
	const w = want.split('\n')
	const g = got.split('\n')
	for (let i = 0; i < Math.max(w.length, g.length); i++) {
		if (w[i] !== g[i]) return `line ${i + 1}\n want ${w[i] ?? 'nothing'}\n  got ${g[i] ?? 'nothing'}`
	}
	return ''
}
