// The command line: the flags of the Go program, written as Go's flag package
// takes them.

import { readFileSync } from 'node:fs'

const MIN_SIZE = 12 // what tells an echo from anything else
const MAX_SIZE = 65000
const PHASES = ['new', 'allocating', 'authenticated', 'allocated']
const UNITS = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3600_000 }

const USAGE = `usage: turnclient [flags] turn[s]:HOST[:PORT][?transport=udp|tcp]
  -user U -pass P      the long-term credential
  -anonymous           never send the username in the clear: fail where the server takes no hash of it
  -token BASE64        access token of RFC 7635; -user is then its key's name, -pass the key in base64
  -server-name NAME    whose certificate is expected behind turns: (default: the URL's host; a URL with an address needs it)
  -ca FILE             PEM file with the authorities that may have signed it (default: the runtime's)
  -no-alpn             do not offer the protocol stun.turn (RFC 7443)
  -local ADDRESS       own address: IP, IP:PORT or :PORT; with a port, what an earlier run left there is released
  -peer ADDRESS        echo peer's address (default: one of our own)
  -n 100               payloads to echo; 0 = none (with -cycles: 0)
  -size 1000           their size in bytes
  -rate 500            payloads a second
  -linger 2s           how long to wait for the answer to the release; 0 = one datagram and go
  -hold 0s             keep the allocation for so long before closing it
  -keepalive 0s        send a Binding indication so often, for NATs on the way; 0 = never
  -even-port KIND      ask for an even port: even, or reserve to have the next one kept
  -reservation TOKEN   allocate the port that this token was given for, 16 hexadecimal digits
  -dont-fragment       have the relay set DF on what is sent without a channel
  -redirect signed     which kind of 300 (Try Alternate) answers to follow: signed, any, none
  -mobility            ask for a ticket, with which the allocation can move (RFC 8016)
  -rebind-at N         move it to another local port before payload N; it implies -mobility
  -cycles 1            allocate and close so many times from the same local port
  -close-at STATE      close the moment this state is reached: ${PHASES.join(', ')}
  -family 4|6|both     ask for a relayed address of this family
  -engine wasm         the only one that there is here
  -trace FILE.pcapng   write every datagram to a file that Wireshark opens
  -path                say what was measured of the way to the server, and the retransmission time-out that comes of it
  -json                one JSON object a line on stdout`

/** The options; undefined when they are wrong, which is on stderr then. */
export function parse(args) {
	try {
		return check(read(args))
	} catch (e) {
		console.error(`turnclient: ${e.message}\n${USAGE}`)
		return undefined
	}
}

const flags = {
	user: ['user', String], pass: ['pass', String], local: ['local', parseLocal], peer: ['peer', parsePeer], n: ['n', integer], size: ['size', integer],
	rate: ['rate', number], linger: ['linger', duration], hold: ['hold', duration], cycles: ['cycles', integer],
	'close-at': ['closeAt', oneOf(...PHASES)], family: ['family', family], engine: ['engine', oneOf('wasm')], trace: ['trace', String],
	token: ['token', base64], keepalive: ['keepalive', duration], 'even-port': ['evenPort', oneOf('even', 'reserve')], reservation: ['reservation', reservation],
	'server-name': ['serverName', String], ca: ['ca', pem], 'rebind-at': ['rebindAt', integer],
	redirect: ['redirect', oneOf('signed', 'any', 'none')],
}

/** Flags without a value. */
const switches = { json: 'json', path: 'path', anonymous: 'anonymous', 'dont-fragment': 'dontFragment', 'no-alpn': 'noALPN', mobility: 'mobility' }

function read(args) {
	const o = { user: '', pass: '', local: {}, n: undefined, size: 1000, rate: 500, linger: 2000, hold: 0, cycles: 1, keepalive: 0, json: false, path: false, anonymous: false, dontFragment: false, noALPN: false, mobility: false, rebindAt: 0 }
	const rest = [...args]
	while (rest[0]?.startsWith('-')) {
		const [, name, , value] = /^--?([^=]*)(=(.*))?$/s.exec(rest.shift())
		if (name in switches) o[switches[name]] = value === undefined || value === 'true'
		else if (!(name in flags)) throw new Error(`flag provided but not defined: -${name}`)
		else {
			const given = value ?? rest.shift()
			if (given === undefined) throw new Error(`flag needs an argument: -${name}`)
			const [key, take] = flags[name]
			o[key] = take(given, name)
		}
	}
	if (rest.length !== 1) throw new Error('want one URL')
	return { ...o, url: rest[0], n: o.n ?? (o.cycles > 1 ? 0 : 100) }
}

function check(o) {
	if (!/^turns?:/.test(o.url)) throw new Error(`"${o.url}" is not a TURN URI: want turn[s]:HOST[:PORT][?transport=udp|tcp]`)
	if (o.n < 0 || o.rate <= 0 || o.cycles < 1 || o.linger < 0 || o.hold < 0 || o.keepalive < 0) throw new Error('-n, -linger, -hold and -keepalive are not negative, -cycles and -rate are positive')
	if (o.rebindAt < 0 || (o.rebindAt > 0 && o.rebindAt >= o.n)) throw new Error('-rebind-at is the number of a payload, less than -n')
	if (o.size < MIN_SIZE || o.size > MAX_SIZE) throw new Error(`-size is between ${MIN_SIZE} and ${MAX_SIZE}`)
	return { ...o, ...credentials(o) }
}

/** With a token the password is its key. */
function credentials({ user, pass, token }) {
	return token ? { login: { username: user, accessToken: token, macKey: base64(pass, 'pass') } } : { login: { username: user, credential: pass } }
}

function pem(file, name) {
	const text = readFileSync(file, 'latin1')
	if (!text.includes('-----BEGIN CERTIFICATE-----')) throw new Error(`-${name}: there is no certificate in it`)
	return text
}

function base64(v, name) {
	if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(v)) throw new Error(`-${name}: "${v}" is not base64`)
	return Buffer.from(v, 'base64')
}

function reservation(v, name) {
	if (!/^[0-9a-f]{16}$/i.test(v)) throw new Error(`-${name}: want 16 hexadecimal digits`)
	return Buffer.from(v, 'hex')
}

function family(v, name) {
	const found = oneOf('4', '6', 'both')(v, name)
	return found === 'both' ? found : Number(found)
}

function number(v, name) {
	if (v === '' || !Number.isFinite(Number(v))) throw new Error(`-${name}: "${v}" is not a number`)
	return Number(v)
}

function integer(v, name) {
	if (!Number.isInteger(number(v, name))) throw new Error(`-${name}: "${v}" is not a whole number`)
	return Number(v)
}

/** In ms. */
function duration(v, name) {
	const found = /^(-?)((?:\d+(?:\.\d+)?(?:ns|us|ms|s|m|h))+)$/.exec(v)
	if (v === '0') return 0
	if (!found) throw new Error(`-${name}: "${v}" is not a duration: 1500ms, 2s, 1h30m`)
	let sum = 0
	for (const [, n, unit] of found[2].matchAll(/([\d.]+)(ns|us|ms|s|m|h)/g)) sum += Number(n) * UNITS[unit]
	return found[1] ? -sum : sum
}

function oneOf(...words) {
	return (v, name) => {
		if (!words.includes(v)) throw new Error(`-${name}: want ${words.join(' or ')}`)
		return v
	}
}

function parsePeer(v) {
	const found = /^(?:\[(.+)\]|([\d.]+)):(\d+)$/.exec(v)
	if (!found) throw new Error(`-peer: "${v}" is not IP:PORT`)
	return { address: found[1] ?? found[2], port: Number(found[3]) }
}

/** IP, IP:PORT or :PORT; what is wrong with an address the socket says. */
function parseLocal(v) {
	const found = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(v)
	if (!found) return { address: v }
	return { address: found[1] ?? (found[2] || undefined), port: Number(found[3]) }
}
