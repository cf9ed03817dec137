// The client without I/O, and the module behind it.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { EXPORTS } from '../src/abi.gen.js'
import { compile, TurnClient, TurnError, TurnInstance } from '../src/index.js'
import { Wasi } from '../src/wasi.js'
import { LOGIN, namesOf, PEER, Server, SERVER, settle } from './server.js'
import { trappingInstance } from './trap.js'

const bytes = readFileSync(new URL('../turn.wasm', import.meta.url))

let time = 1000
const now = () => time

/** @param {TurnInstance} [instance] */
async function allocated(instance) {
	const turn = instance ?? (await TurnInstance.load())
	const server = new Server()
	const client = turn.open(now(), { server: SERVER, ...LOGIN, autoPermission: true })
	client.allocate(now())
	const told = settle(client, server, now)
	assert.deepEqual(namesOf(told), ['allocated'])
	return { turn, server, client }
}

/** @param {Awaited<ReturnType<typeof allocated>>} a */
async function bound(a) {
	a.client.bindChannel(now(), PEER.port, PEER.address)
	assert.deepEqual(namesOf(settle(a.client, a.server, now)), ['channelBound'])
	return a
}

test('the module comes from bytes, a module, a URL and a response', async () => {
	const server = createServer((request, response) => {
		response.writeHead(200, { 'content-type': request.url === '/typed' ? 'application/wasm' : 'text/plain' }).end(bytes)
	})
	await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
	try {
		const url = `http://127.0.0.1:${port}`
		for (const source of [bytes, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), await compile(), new URL('../turn.wasm', import.meta.url), `${url}/typed`, `${url}/untyped`, fetch(`${url}/typed`)]) {
			assert.equal((await TurnInstance.load(source)).clients, 0)
		}
		await assert.rejects(() => TurnInstance.load(new Response('', { status: 404 })), /cannot be fetched: 404/)
	} finally {
		server.closeAllConnections()
		server.close()
	}
})

test('what is no module of ours is refused by name', async () => {
	await assert.rejects(() => TurnInstance.load(/** @type {any} */ (7)), TypeError)
	await assert.rejects(() => TurnInstance.load(Uint8Array.of(1, 2, 3)), (e) => e instanceof TurnError && e.kind === 'module')
	const renamed = Buffer.from(bytes.toString('latin1').replaceAll('turn_input', 'turn_1nput'), 'latin1')
	await assert.rejects(() => TurnInstance.load(renamed), /has no export turn_input/)
	const swapped = Buffer.from(bytes.toString('latin1').replaceAll('turn_poll', 'turn_xxxx').replaceAll('turn_tick', 'turn_poll').replaceAll('turn_xxxx', 'turn_tick'), 'latin1')
	await assert.rejects(() => TurnInstance.load(swapped), /export turn_poll takes 1 arguments, want 0/)
})

test('the module imports what the stub has, and nothing else', async () => {
	const wanted = new Set(WebAssembly.Module.imports(await compile()).map((i) => `${i.module}.${i.name}`))
	const offered = Object.keys(new Wasi().imports.wasi_snapshot_preview1).map((name) => `wasi_snapshot_preview1.${name}`)
	assert.deepEqual([...wanted].sort(), offered.sort())
	assert.equal(offered.length, 10)
})

test('a client, from its first datagram to its verdict', async () => {
	const { turn, server, client } = await allocated()
	assert.equal(client.state().phase, 'allocated')
	assert.deepEqual(client.state().relayedAddress, { address: '192.0.2.1', port: 50000, family: 'IPv4' })
	assert.equal(client.nextTimeout, now() + 540_000)
	assert(client.parting(now()), 'a release is owed')
	client.send(now(), Buffer.from('hello'), PEER.port, PEER.address)
	const data = settle(client, server, now).filter((e) => e.type === 'data')
	assert.deepEqual(data.map((e) => [Buffer.from(e.data).toString(), e.from.address, e.from.port]), [['hello', PEER.address, PEER.port]])
	client.close(now(), 2000)
	const [last] = settle(client, server, now).slice(-1)
	assert(last.type === 'event' && last.event.event === 'closed' && last.event.outcome === 'released')
	assert.equal(server.allocations, 0)
	assert.equal(client.poll(), undefined)
	client.free()
	client.free()
	assert.equal(turn.clients, 0)
	assert.throws(() => client.allocate(now()), (e) => e instanceof TurnError && e.kind === 'refused' && /no such client/.test(e.message))
})

test('two clients in one instance do not touch each other', async () => {
	const one = await bound(await allocated())
	const two = await bound(await allocated(one.turn))
	assert.equal(one.turn.clients, 2)
	one.client.send(now(), Buffer.from('one'), PEER.port, PEER.address)
	two.client.send(now(), Buffer.from('two'), PEER.port, PEER.address)
	for (const [a, want] of /** @type {const} */ ([[one, 'one'], [two, 'two']])) {
		const got = settle(a.client, a.server, now).flatMap((e) => (e.type === 'data' ? [Buffer.from(e.data).toString()] : []))
		assert.deepEqual(got, [want])
	}
	one.client.close(now(), 0)
	settle(one.client, one.server, now)
	one.client.free()
	assert.equal(two.client.state().phase, 'allocated')
	assert.deepEqual([one.server.allocations, two.server.allocations], [0, 1])
})

test('a snapshot goes on in another instance', async () => {
	const before = await bound(await allocated())
	const snapshot = before.client.snapshot(now())
	before.client.free()
	const turn = await TurnInstance.load()
	const client = turn.restore(now(), 0, snapshot)
	assert.equal(client.state().phase, 'allocated')
	client.send(now(), new TextEncoder().encode('goes on'), PEER.port, PEER.address)
	const effects = []
	for (let e; (e = client.poll()); ) effects.push(e)
	assert.deepEqual(effects.map((e) => (e.type === 'transmit' ? e.data[0] >> 4 : e.type)), [4]) // by the channel
	client.close(now(), 1000)
	const outcomes = settle(client, before.server, now).flatMap((e) => (e.type === 'event' && e.event.outcome ? [e.event.outcome] : []))
	assert.deepEqual(outcomes, ['released'])
	assert.equal(before.server.allocations, 0)
	assert.throws(() => turn.restore(now(), 0, snapshot.subarray(1)), (e) => e instanceof TurnError && /snapshot/.test(e.message))
	assert.throws(() => turn.restore(now(), -1, snapshot), /elapsed/)
	assert.throws(() => turn.restore(now(), 0, /** @type {any} */ ('x')), TypeError)
	assert.throws(() => turn.open(now(), { server: SERVER }).snapshot(now()), /there is no allocation/)
})

test('a batch: equal payloads, unlike ones, more than the arena holds', async () => {
	const { server, client } = await bound(await allocated())
	server.echoes = false
	const lists = [
		Array.from({ length: 100 }, (_, i) => new Uint8Array(1200).fill(i)),
		Array.from({ length: 300 }, (_, i) => new Uint8Array(i).fill(i)),
		Array.from({ length: 3000 }, (_, i) => new Uint8Array(1000).fill(i)),
		Array.from({ length: 2500 }, (_, i) => new Uint8Array(i % 2).fill(i)),
	]
	for (const payloads of lists) {
		server.payloads = []
		assert.deepEqual(client.sendMany(now(), payloads, PEER.port, PEER.address), { sent: payloads.length, error: undefined })
		settle(client, server, now)
		assert.equal(server.payloads.length, payloads.length)
		payloads.forEach((p, i) => assert.deepEqual(server.payloads[i], p))
	}
})

test('a batch without a channel, and one of which the machine refuses a part', async () => {
	const { server, client } = await allocated()
	server.echoes = false
	const payloads = Array.from({ length: 1500 }, (_, i) => new Uint8Array(1000).fill(i))
	client.createPermission(now(), PEER.address)
	settle(client, server, now)
	assert.deepEqual(client.sendMany(now(), payloads, PEER.port, PEER.address), { sent: 1500, error: undefined })
	settle(client, server, now)
	payloads.forEach((p, i) => assert.deepEqual(server.payloads[i], p))
	server.payloads = []
	const pairs = Array.from({ length: 1500 }, (_, i) => new Uint8Array(1000 - ((i >> 1) % 2)).fill(i)) // runs of two, and more than one call answers
	assert.deepEqual(client.sendMany(now(), pairs, PEER.port, PEER.address), { sent: 1500, error: undefined })
	settle(client, server, now)
	assert.equal(server.payloads.length, 1500)
	pairs.forEach((p, i) => assert.deepEqual(server.payloads[i], p))
	const mixed = [new Uint8Array(10), new Uint8Array(65535), new Uint8Array(20)]
	const { sent, error } = client.sendMany(now(), mixed, PEER.port, PEER.address)
	assert.equal(sent, 2)
	assert(error instanceof TurnError && /payload too large/.test(error.message))
})

test('a payload is a part of the datagram that brought it; several datagrams in one call', async () => {
	const { server, client } = await bound(await allocated())
	client.sendMany(now(), [Buffer.from('a'), Buffer.from('bcd')], PEER.port, PEER.address)
	const answers = []
	for (let e; (e = client.poll()); ) if (e.type === 'transmit') answers.push(Buffer.from(/** @type {Uint8Array} */ (server.answer(e.data))))
	client.input(now(), answers)
	for (const [i, want] of ['a', 'bcd'].entries()) {
		const e = client.poll()
		assert(e?.type === 'data' && Buffer.isBuffer(e.data) && e.data.toString() === want)
		assert.equal(e.data.buffer, answers[i].buffer)
	}
})

test('whoever is told may call again; what comes of it is told afterwards', async () => {
	const turn = await TurnInstance.load()
	const server = new Server()
	/** @type {string[]} */
	const told = []
	/** @type {Uint8Array[]} */
	const out = []
	let fail = true
	/** @type {TurnClient} */
	const client = turn.open(now(), { server: SERVER, ...LOGIN }, {
		transmit: (data) => out.push(data.slice()),
		data: () => {},
		parting: () => {},
		died: () => {},
		event: (e) => {
			told.push(`begin ${e.event}`)
			if (e.event === 'allocated') client.close(now(), 0)
			told.push(`end ${e.event}`)
			if (e.event === 'allocated' && fail) throw new Error('a listener of mine')
		},
	})
	client.allocate(now())
	for (let i = 0; i < 2; i++) {
		const answer = /** @type {Uint8Array} */ (server.answer(/** @type {Uint8Array} */ (out.shift())))
		if (i === 0) client.input(now(), answer)
		else assert.throws(() => client.input(now(), answer), /a listener of mine/)
	}
	await Promise.resolve()
	assert.deepEqual(told, ['begin allocated', 'end allocated', 'begin closed', 'end closed'])
	fail = false
})

test('mistakes are TypeErrors that say what is wrong', async () => {
	const { turn, client } = await allocated()
	for (const [mistake, why] of /** @type {[() => unknown, RegExp][]} */ ([
		[() => client.allocate(/** @type {any} */ (undefined)), /now is the time in ms/], [() => client.allocate(-1), /now is the time/],
		[() => client.allocate(NaN), /now is the time/], [() => client.input(now(), /** @type {any} */ ('x')), /a datagram is a Uint8Array/],
		[() => client.input(now(), new Uint8Array(70000)), /at most 65535/], [() => client.send(now(), new Uint8Array(1), 1.5, PEER.address), /port is a port/],
		[() => client.send(now(), new Uint8Array(1), 1, 'example.org'), /a name has to be resolved first/], [() => client.close(now(), -1), /linger is a time/],
		[() => client.bindChannel(now(), 1, /** @type {any} */ (undefined)), /address is an IP address/],
		[() => turn.open(now(), /** @type {any} */ (undefined)), /made from an object/], [() => turn.open(now(), /** @type {any} */ ({})), /server is missing/],
		[() => turn.open(now(), { server: SERVER, lifetime: -1 }), /lifetime is a number/], [() => turn.open(now(), { server: SERVER, family: /** @type {any} */ (5) }), /family is 4, 6 or 'both'/],
		[() => turn.open(now(), { server: SERVER, username: 'a' }), /a username without a password/], [() => turn.open(now(), { server: SERVER, seed: new Uint8Array(3) }), /seed has 32 bytes/],
		[() => turn.open(now(), { server: SERVER, ...LOGIN, software: 'x'.repeat(70000) }), /too long/],
	])) assert.throws(mistake, (e) => e instanceof TypeError && why.test(e.message), String(mistake))
	assert.throws(() => turn.open(now(), { server: SERVER, software: 'x'.repeat(200) }), (e) => e instanceof TurnError && /Software is longer/.test(e.message))
	assert.equal(client.state().phase, 'allocated')
})

test('after the memory has grown the views are new', async () => {
	const { turn, server, client } = await bound(await allocated())
	const before = turn.memory
	for (let i = 0; turn.memory === before && i < 20_000; i++) turn.open(now(), { server: SERVER, ...LOGIN })
	assert(turn.memory > before, 'it has grown')
	client.send(now(), Buffer.from('still there'), PEER.port, PEER.address)
	assert.deepEqual(settle(client, server, now).map((e) => e.type === 'data' && Buffer.from(e.data).toString()), ['still there'])
})

test('200,000 calls: the collector runs, memory stays flat', async () => {
	const { turn, server, client } = await bound(await allocated())
	const payload = new Uint8Array(1000)
	const round = () => {
		for (let i = 0; i < 20_000; i++) {
			time += 7
			client.send(now(), payload, PEER.port, PEER.address)
			server.payloads.length = 0
			settle(client, server, now)
			if (client.nextTimeout <= time) client.tick(now())
			client.state()
			client.stats()
		}
		return turn.memory
	}
	round()
	const warm = round()
	for (let i = 0; i < 3; i++) round()
	assert(turn.memory - warm <= 4 * 65536, `it grew from ${warm} to ${turn.memory} bytes`)
	assert(client.stats().payloadsReceived === 100_000 && client.stats().retransmissions === 0)
})

test('without a random source no client is made', async () => {
	const wasi = new Wasi()
	const { exports } = await WebAssembly.instantiate(await compile(), wasi.imports)
	wasi.attach(/** @type {WebAssembly.Memory} */ (exports.memory))
	const turn = new TurnInstance(exports, wasi)
	const real = crypto.getRandomValues
	crypto.getRandomValues = () => {
		throw new Error('no entropy today')
	}
	try {
		const client = turn.open(now(), { server: SERVER, ...LOGIN })
		assert.throws(() => client.allocate(now()), (e) => e instanceof TurnError && /entropy/.test(e.message))
	} catch (e) {
		assert(e instanceof TurnError && /entropy/.test(e.message), String(e))
	} finally {
		crypto.getRandomValues = real
	}
})

test('after a trap every call throws, and the parting is there to be shipped', async () => {
	const { instance, trap } = await trappingInstance('turn_tick')
	const { client, server } = await allocated(instance)
	const other = await allocated(instance)
	let told = 0
	client.sink.died = () => told++
	instance.onDeath(() => told++)
	const parting = client.parting(now())
	trap()
	for (const call of [() => instance.tick(now()), () => client.send(now(), new Uint8Array(1), 1, PEER.address), () => client.close(now(), 0), () => client.state(), () => client.input(now(), new Uint8Array(1)), () => other.client.refresh(now()), () => instance.open(now(), { server: SERVER })]) {
		assert.throws(call, (e) => e instanceof TurnError && e.kind === 'trapped' && /died in turn_tick: .*planted trap/s.test(e.message), String(call))
	}
	assert.equal(told, 2)
	assert.equal(client.nextTimeout, Infinity)
	assert.deepEqual(client.parting(now()), parting)
	server.answer(/** @type {import('../src/client.js').Parting} */ (parting).data)
	assert.equal(server.allocations, 0)
	client.free()
})

test('every export is used', () => {
	const used = readFileSync(new URL('../src/instance.js', import.meta.url), 'utf8')
	for (const [name] of EXPORTS) assert(used.includes(`'${name}'`), name)
})
