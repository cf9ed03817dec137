// The examples, each in a process of its own, in the runtime that runs this
// test.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startPeers } from './peers/peers.js'

const folder = fileURLToPath(new URL('../../examples/node/', import.meta.url))
const prefix = 'Deno' in globalThis ? ['run', '-A', '--quiet'] : []

// What `npm install` does there.
if (!existsSync(`${folder}node_modules/turnwasm`)) {
	mkdirSync(`${folder}node_modules`, { recursive: true })
	symlinkSync(fileURLToPath(new URL('..', import.meta.url)), `${folder}node_modules/turnwasm`, 'junction')
}

const pion = await startPeers('pion')
const coturn = await startPeers('coturn')
after(() => Promise.all([pion.end(), coturn.end()]))

/** @param {string} file @param {...string} args */
function start(file, ...args) {
	const child = spawn(process.execPath, [...prefix, `${folder}${file}`, ...args])
	const out = { text: '', errors: '' }
	child.stdout.on('data', (d) => (out.text += d))
	child.stderr.on('data', (d) => (out.errors += d))
	const ended = once(child, 'close').then(([code]) => ({ code, ...out }))
	return { child, ended, out }
}

/** @param {...string} args */
async function turnclient(...args) {
	const { code, text, errors } = await start('turnclient.mjs', '-json', '-user', 'user', '-pass', 'pass', ...args).ended
	assert.equal(errors, '')
	return { code, records: text.trim().split('\n').map((line) => JSON.parse(line)) }
}

/** @param {any[]} records */
const events = (records) => records.map((r) => r.event).join(' ')

for (const [name, peers] of /** @type {const} */ ([['pion', pion], ['coturn', coturn]])) {
	test(`turnclient, ${name}: all is well`, async () => {
		const { code, records } = await turnclient('-n', '20', peers.url)
		assert.equal(events(records), 'allocated echoed closed')
		assert.deepEqual(Object.keys(records[0]), ['event', 'relayed', 'mapped', 'lifetime', 'ms'])
		assert.deepEqual([records[0].lifetime, records[1].sent, records[1].received], [600, 20, 20])
		const { ms, ...closed } = records[2]
		assert(ms >= 0)
		assert.deepEqual(closed, { event: 'closed', outcome: 'released', reason: '', reuseAfterMs: 2000, until: '' })
		assert.equal(code, 0)
		assert.equal(await peers.held(0), 0)
	})

	test(`turnclient, ${name}: -close-at`, async () => {
		for (const [state, outcome] of Object.entries({ new: 'nothing_to_release', allocating: 'nothing_to_release', authenticated: 'released', allocated: 'released' })) {
			const { code, records } = await turnclient('-close-at', state, peers.url)
			assert.deepEqual([events(records), records[0].outcome, code], ['closed', outcome, 0], state)
		}
		assert.equal(await peers.held(0), 0)
	})
}

// What differs from run to run.
const VOLATILE = new Set(['relayed', 'mapped', 'ms', 'rttMs', 'until', 'p50', 'p99', 'reservation', 'roundTripMs', 'variationMs', 'resent'])

/** A rest that lasts until the server lets go differs too. @param {string} k @param {any} v */
const isVolatile = (k, v) => VOLATILE.has(k) || (k === 'reuseAfterMs' && v > 10_000)

/** A record as its keys, in their order, with what is the same in each run. @param {any} r @returns {any} */
const shapeOf = (r) => Object.entries(r).map(([k, v]) => [k, v !== null && typeof v === 'object' ? shapeOf(v) : isVolatile(k, v) ? typeof v : v])

for (const [name, peers] of /** @type {const} */ ([['pion', pion], ['coturn', coturn]])) {
	test(`turnclient, ${name}: the lines are those of the Go program`, async () => {
		let { url } = peers
		const ca = join(mkdtempSync(join(tmpdir(), 'turnwasm-')), 'ca.pem')
		writeFileSync(ca, peers.ca)
		/** @param {...string} args */
		const compare = async (...args) => {
			const flags = ['-json', '-user', 'user', '-pass', 'pass', ...args, url]
			const go = spawn(process.env.TURNWASM_TURNCLIENT ?? 'go', [...(process.env.TURNWASM_TURNCLIENT ? [] : ['run', './examples/turnclient']), ...flags], { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
			let lines = ''
			go.stdout.on('data', (d) => (lines += d))
			const [wanted] = await once(go, 'close')
			const { code, records } = await turnclient(...args, url)
			assert.deepEqual(records.map(shapeOf), lines.trim().split('\n').map((l) => shapeOf(JSON.parse(l))), args.join(' '))
			assert.equal(code === 0, wanted === 0)
		}
		await compare('-n', '10')
		await compare('-n', '2', '-even-port', 'reserve', '-dont-fragment', '-keepalive', '10s')
		await compare('-n', '2', '-family', 'both', '-path')
		url = peers.tcp
		await compare('-n', '10')
		await compare('-close-at', 'authenticated')
		url = peers.tls
		await compare('-n', '10', '-server-name', 'turn.test', '-ca', ca)
		await compare('-n', '10', '-server-name', 'turn.test', '-ca', ca, '-no-alpn')
		url = peers.url
		await compare('-close-at', 'authenticated')
		await compare('-close-at', 'new')
		await compare('-pass', 'another', '-linger', '0')
		await compare('-peer', `${peers.echo.address}:${peers.echo.port}`, '-n', '3')
	})
}

test('turnclient: a 300 is followed, or not', async () => {
	const here = await startPeers('coturn', '--', `--alternate-server=${coturn.url.slice('turn:'.length)}`)
	const { code, records } = await turnclient('-n', '1', '-redirect', 'any', here.url)
	assert.deepEqual([events(records), `turn:${records[0].server}`, code], ['redirected allocated echoed closed', coturn.url, 0])
	const refused = await turnclient('-n', '1', here.url)
	assert.deepEqual([events(refused.records), refused.records[0].code, refused.code], ['failed redirected closed', 300, 1])
	await here.end()
})

test('turnclient: the allocation moves between two payloads, or that is a failure', async () => {
	const mobile = await startPeers('coturn', '--', '--mobility')
	const moved = await turnclient('-n', '10', '-rebind-at', '5', mobile.url)
	assert.deepEqual([events(moved.records), moved.records[1].kept, moved.code], ['allocated moved echoed closed', true, 0])
	const refused = await turnclient('-n', '10', '-rebind-at', '5', coturn.url)
	assert.deepEqual([events(refused.records), refused.code], ['allocated failed closed', 1])
	assert.equal(await mobile.held(0), 0)
	await mobile.end()
})

test('turnclient: cycles keep the port; a foreign peer; text for people', async () => {
	const { code, records } = await turnclient('-cycles', '2', pion.url)
	assert.deepEqual([events(records), code], ['allocated closed allocated closed', 0])
	assert.equal(records[0].mapped, records[2].mapped)
	const foreign = await turnclient('-peer', `${pion.echo.address}:${pion.echo.port}`, '-n', '5', pion.url)
	assert.deepEqual([foreign.records[1].received, foreign.code], [5, 0])
	const { text } = await start('turnclient.mjs', '-user', 'user', '-pass', 'pass', '-n', '3', pion.url).ended
	assert.match(text, /^allocated {2}127.*\nechoed {5}3 of 3;.*\nclosed {5}released in .*\n$/)
})

test('turnclient: a trace holds each datagram, in headers whose checksums are right', async () => {
	const file = join(mkdtempSync(join(tmpdir(), 'turnwasm-')), 'trace.pcapng')
	const { code } = await turnclient('-n', '3', '-trace', file, pion.url)
	assert.equal(code, 0)
	const packets = readTrace(readFileSync(file))
	const port = Number(new URL(pion.url.replace('turn:', 'udp://')).port)
	for (const { ip, udp } of packets) {
		assert.equal(sum(ip.subarray(0, 20)), 0xffff)
		assert.equal(sum(ip.subarray(12, 20), Buffer.from([0, 17]), udp.subarray(4, 6), udp), 0xffff)
		assert(udp.readUInt16BE(0) === port || udp.readUInt16BE(2) === port)
	}
	const methods = packets.map(({ udp }) => udp.readUInt16BE(8).toString(16))
	assert.deepEqual([methods.slice(0, 4), methods.slice(-2)], [['3', '113', '3', '103'], ['4', '104']])
	rmSync(file)
})

/** The packets of a pcapng file. @param {Buffer} b */
function readTrace(b) {
	const packets = []
	for (let at = 0; at < b.length; ) {
		const [type, length] = [b.readUInt32LE(at), b.readUInt32LE(at + 4)]
		assert.equal(b.readUInt32LE(at + length - 4), length)
		const ip = b.subarray(at + 28, at + 28 + b.readUInt32LE(at + 20))
		if (type === 6) packets.push({ ip, udp: ip.subarray(20) })
		at += length
	}
	return packets
}

/** The ones' complement sum of 16-bit words. @param {...Buffer} parts */
function sum(...parts) {
	let sum = 0
	for (const p of parts) for (let i = 0; i < p.length; i += 2) sum += i + 1 < p.length ? p.readUInt16BE(i) : p[i] << 8
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
	return sum
}

test('turnclient: failures say what to know', async () => {
	const wrong = await turnclient('-pass', 'another', '-linger', '0', pion.url)
	assert.deepEqual([events(wrong.records), wrong.records[0].method, wrong.records[0].code, wrong.code], ['failed closed', 'Allocate', 400, 1])
	const url = await turnclient('turns:127.0.0.1') // an address, and no name to verify
	assert.deepEqual([events(url.records), url.code], ['failed', 1])
})

test('turnclient: usage', async () => {
	for (const args of [[], ['a', 'b'], ['-bogus', 'turn:x'], ['http://x'], ['-n', '-1', 'turn:x'], ['-n', 'many', 'turn:x'], ['-size', '1', 'turn:x'], ['-rate', '0', 'turn:x'], ['-hold', 'soon', 'turn:x'], ['-close-at', 'sometime', 'turn:x'], ['-engine', 'steam', 'turn:x'], ['-family', '5', 'turn:x'], ['-token', '?', 'turn:x'], ['-reservation', 'ab', 'turn:x'], ['-redirect', 'all', 'turn:x'], ['-even-port', 'odd', 'turn:x'], ['-peer', 'nowhere', 'turn:x'], ['-n']]) {
		const { code, text, errors } = await start('turnclient.mjs', ...args).ended
		assert.deepEqual([code, text], [2, ''], args.join(' '))
		assert.match(errors, /usage: turnclient/)
	}
})

test('turnclient: a signal releases, in each state', async () => {
	const held = start('turnclient.mjs', '-json', '-user', 'user', '-pass', 'pass', '-n', '0', '-hold', '1h', pion.url)
	await once(held.child.stdout, 'data')
	process.kill(/** @type {number} */ (held.child.pid), 'SIGTERM') // Deno's child.kill hides the exit code
	const { code, text } = await held.ended
	assert.deepEqual([code, JSON.parse(text.trim().split('\n')[1]).outcome], [0, 'released'])
	assert.equal(await pion.held(0), 0)
	const silent = createSocket('udp4')
	silent.bind(0, '127.0.0.1')
	await once(silent, 'listening')
	const waiting = start('turnclient.mjs', '-json', '-user', 'u', '-pass', 'p', '-linger', '100ms', `turn:127.0.0.1:${silent.address().port}`)
	await once(silent, 'message')
	process.kill(/** @type {number} */ (waiting.child.pid), 'SIGINT')
	const { code: interrupted, text: lines } = await waiting.ended
	const records = lines.trim().split('\n').map((l) => JSON.parse(l))
	assert.deepEqual([interrupted, events(records), records[0].reason], [1, 'failed closed', 'interrupted'])
	silent.close()
})

test('quickstart', async () => {
	const { code, text, errors } = await start('quickstart.mjs', pion.url, 'user', 'pass', pion.echo.address, String(pion.echo.port)).ended
	assert.equal(errors, '')
	assert.match(text, /^relayed address: .*\n.* answers: hello\nclose: released\n$/s)
	assert.equal(code, 0)
})
