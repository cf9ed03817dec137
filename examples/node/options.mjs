// The command line: the flags of the Go program, written as Go's flag package
// takes them.

const MIN_SIZE = 12 // what tells an echo from anything else
const MAX_SIZE = 65000
const PHASES = ['new', 'allocating', 'authenticated', 'allocated']
const UNITS = { ns: 1e-6, us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3600_000 }

const USAGE = `usage: turnclient [flags] turn:HOST[:PORT][?transport=udp]
  -user U -pass P      the long-term credential
  -local ADDRESS       own address: IP, IP:PORT or :PORT; with a port, what an earlier run left there is released
  -peer ADDRESS        echo peer's address (default: one of our own)
  -n 100               payloads to echo; 0 = none (with -cycles: 0)
  -size 1000           their size in bytes
  -rate 500            payloads a second
  -linger 2s           how long to wait for the answer to the release; 0 = one datagram and go
  -hold 0s             keep the allocation for so long before closing it
  -cycles 1            allocate and close so many times from the same local port
  -close-at STATE      close the moment this state is reached: ${PHASES.join(', ')}
  -family 4|6          ask for a relayed address of this family
  -engine wasm         the only one that there is here
  -trace FILE.pcapng   write every datagram to a file that Wireshark opens
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
	'close-at': ['closeAt', oneOf(...PHASES)], family: ['family', (v) => Number(oneOf('4', '6')(v))], engine: ['engine', oneOf('wasm')], trace: ['trace', String],
}

function read(args) {
	const o = { user: '', pass: '', local: {}, n: undefined, size: 1000, rate: 500, linger: 2000, hold: 0, cycles: 1, json: false }
	const rest = [...args]
	while (rest[0]?.startsWith('-')) {
		const [, name, , value] = /^--?([^=]*)(=(.*))?$/s.exec(rest.shift())
		if (name === 'json') o.json = value === undefined || value === 'true'
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
	if (!/^turns?:/.test(o.url)) throw new Error(`"${o.url}" is not a TURN URI: want turn:HOST[:PORT][?transport=udp]`)
	if (o.n < 0 || o.rate <= 0 || o.cycles < 1 || o.linger < 0 || o.hold < 0) throw new Error('-n, -linger and -hold are not negative, -cycles and -rate are positive')
	if (o.size < MIN_SIZE || o.size > MAX_SIZE) throw new Error(`-size is between ${MIN_SIZE} and ${MAX_SIZE}`)
	return o
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
