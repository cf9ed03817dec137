// What goes out and comes in by one call for all of a turn.

import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { TurnInstance } from '../src/index.js'
import { Driver } from '../src/driver.js'
import { Inbox } from '../src/inbox.js'
import { LOGIN, PEER, SERVER, Server } from './server.js'
import { channelData } from './script/stun.js'

/** A client with a channel, and what it is told. */
async function open() {
	const driver = Driver.of(await TurnInstance.load())
	const server = new Server()
	server.echoes = false
	/** @type {number[]} */
	const runs = []
	/** @type {string[]} */
	const told = []
	/** @type {Uint8Array[]} */
	const answers = []
	let channel = 0
	/** @type {import('../src/instance.js').Sink} */
	const sink = {
		transmit: () => assert.fail('there is a run'),
		run: (bytes, offset, length, count, stride) => {
			runs.push(count)
			for (let i = 0; i < count; i++) {
				const answer = server.answer(bytes.slice(offset + i * stride, offset + i * stride + length))
				if (answer) answers.push(answer)
			}
		},
		refused: (error) => told.push(error.message),
		data: (payload) => told.push(Buffer.from(payload).toString()),
		event: (e) => {
			channel ||= e.channel
		},
		parting: () => {},
		died: (e) => assert.fail(e),
	}
	const client = driver.instance.open(driver.now(), { server: SERVER, ...LOGIN }, sink)
	const settle = () => {
		for (let a; (a = answers.shift()); ) client.input(driver.now(), a)
	}
	driver.run((now) => client.allocate(now))
	settle()
	driver.run((now) => client.bindChannel(now, PEER.port, PEER.address))
	settle()
	assert.notEqual(channel, 0)
	runs.length = 0
	return { driver, client, server, runs, told, channel, peer: client.peer(PEER.port, PEER.address), settle }
}

const text = (/** @type {Uint8Array[]} */ list) => list.map((p) => Buffer.from(p).toString())

test('of the payloads of a turn the first goes at once, the others together at its end, in their order', async () => {
	const { driver, client, server, runs, peer } = await open()
	const payloads = Array.from({ length: 200 }, (_, i) => `payload ${i}`)
	for (const p of payloads) {
		const bytes = Buffer.from(p)
		driver.post(client, peer, bytes)
		bytes.fill(0) // it is the caller's again
	}
	assert.equal(runs[0], 1)
	assert(runs.length < 10, 'those of equal length are one run')
	await turn()
	assert.deepEqual(text(server.payloads), payloads)
	driver.post(client, peer, Buffer.from('another turn'))
	assert.equal(server.payloads.length, payloads.length + 1)
})

test('what was posted goes before a command', async () => {
	const { driver, client, server, peer } = await open()
	driver.post(client, peer, Buffer.from('one'))
	driver.post(client, peer, Buffer.from('two'))
	driver.run((now) => client.close(now, 0))
	assert.deepEqual(text(server.payloads), ['one', 'two'])
	assert.equal(server.allocations, 0)
})

test('a refusal at the end of a turn is told, and disturbs nobody', async () => {
	const { driver, client, server, told, peer } = await open()
	driver.post(client, peer, Buffer.from('one'))
	driver.post(client, peer, new Uint8Array(65535))
	driver.post(client, peer, Buffer.from('two'))
	await turn()
	assert.deepEqual(text(server.payloads), ['one', 'two'])
	assert.equal(told.length, 1)
	assert.match(told[0], /large/)
	assert.throws(() => driver.post(client, peer, new Uint8Array(65535)), /large/)
})

test('datagrams of a burst are told in their order, and a payload stays as it came', async () => {
	const { driver, client, told, channel } = await open()
	const sent = Array.from({ length: 150 }, (_, i) => `payload ${i}`)
	for (const p of sent) driver.received(client, 0, channelData(channel, Buffer.from(p)))
	await turn()
	await turn()
	assert.deepEqual(told, sent)
})

test('a tick that serves some of those who are due is asked again', async () => {
	const instance = await TurnInstance.load()
	const driver = Driver.of(instance)
	let now = 0
	driver.now = () => now
	let sent = 0
	for (let i = 0; i < 200; i++) {
		const client = instance.open(0, { server: SERVER }, { transmit: () => sent++, data() {}, event() {}, parting() {}, died() {} })
		client.allocate(0)
	}
	assert.equal(sent, 200)
	now = instance.nextTimeout
	driver.after()
	await new Promise((resolve) => setTimeout(resolve, 1)) // set behind the driver's own, and as soon
	assert.equal(sent, 400)
	assert(instance.nextTimeout > now)
})

test('the inbox keeps bursts, not what comes alone', async () => {
	/** @type {number[]} */
	const delivered = []
	const inbox = new Inbox((datagrams) => delivered.push(datagrams.length))
	const client = /** @type {any} */ ({})
	let now = 0
	const clock = () => now
	/** @param {number} ms after the one before */
	const come = (ms) => {
		now += ms
		const waits = inbox.waits(clock)
		if (waits) inbox.put(client, 0, new Uint8Array(1))
		return waits
	}
	assert.deepEqual([come(1000), come(1), come(0.01), come(0.01), come(10)], [false, false, true, true, true])
	await turn()
	assert.deepEqual(delivered, [3])
	assert.equal(come(1), true, 'bursts go on')
	await turn()
	assert.deepEqual(delivered, [3, 1])
	assert.deepEqual([come(1), come(0.01), come(0.01)], [false, false, false], 'the one before waited in vain')
	for (let i = 0; i < 200; i++) come(0.01)
	await turn()
	assert.equal(delivered.reduce((a, b) => a + b), 4 + 200 - (32 - 3) - 1)
	assert(Math.max(...delivered) <= 64)
})
