// The golden bytes of the boundary: the same file that the Go codec is held to.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as abi from '../src/abi.gen.js'
import { parseIP } from '../src/address.js'
import { writeConfig } from '../src/config.js'
import { readEvent, readState, readStats } from '../src/event.js'
import { RecordWriter } from '../src/record.js'
import { OutDesc, Region } from '../src/region.js'
import { hex, unhex } from './script/go.js'

const text = readFileSync(new URL('../../wasm/abi/testdata/golden.txt', import.meta.url), 'utf8')
const golden = new Map(text.split('\n').filter((l) => l.includes(' = ') && !l.startsWith('#')).map((l) => /** @type {[string, string]} */ (l.split(' = '))))

/** @param {string} name */
function bytes(name) {
	const found = golden.get(name)
	assert(found, `golden.txt has ${name}`)
	return unhex(found)
}

const ipv4 = { address: '192.0.2.15', port: 32853, family: 'IPv4' }
const ipv6 = { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 443, family: 'IPv6' }

/** @param {(r: RecordWriter) => void} write */
function record(write) {
	const into = new Uint8Array(512).fill(0xee)
	const r = new RecordWriter(into)
	write(r)
	return hex(into.subarray(0, r.length))
}

/** A memory with a region of the golden layout. */
function regionOf() {
	const memory = new WebAssembly.Memory({ initial: 64 })
	new Uint8Array(memory.buffer).set(bytes('header'), 4096)
	return { memory, region: new Region(memory, 4096) }
}

test('header', () => {
	const { memory, region } = regionOf()
	assert.equal(region.size, 0x255000)
	assert.deepEqual([region.controlIn, region.controlOut], [{ offset: 0x1000, size: 0x4000 }, { offset: 0x5000, size: 0x20000 }])
	assert.deepEqual([region.ins, region.outs], [{ offset: 0x25000, count: 1024 }, { offset: 0x35000, count: 2048 }])
	assert.deepEqual(region.arena, { offset: 0x55000, size: 2 << 20 })
	assert.equal(region.next, Infinity)
	region.mostClients = 7
	assert.equal(new DataView(memory.buffer).getUint32(4096 + abi.HEAD_MOST, true), 7)
})

test('a region of another make is refused with the reason', () => {
	const memory = new WebAssembly.Memory({ initial: 64 })
	for (const [at, value, why] of /** @type {const} */ ([
		[0, 1, /it begins with 1/], [4, 2, /version 2, this host speaks 1/], [8, 1 << 30, /longer than the memory/], [12, 32, /descriptors of 32/],
		[48, 0x255000, /a part lies outside/], [44, 1 << 20, /descriptors lie outside/], [56, 8, /headroom 8/],
	])) {
		new Uint8Array(memory.buffer).set(bytes('header'), 0)
		new DataView(memory.buffer).setUint32(at, value, true)
		assert.throws(() => new Region(memory, 0), why)
	}
})

test('descriptor', () => {
	const { memory, region } = regionOf()
	new Uint8Array(memory.buffer).set(bytes('descriptor'), 4096 + region.outs.offset + 64)
	const d = new OutDesc()
	assert(region.readOut(1, d), 'it lies inside')
	const { client, kind, flow, peer, offset, length, count, stride, channel, tag } = d
	assert.deepEqual({ client, kind, flow, peer, offset, length, count, stride, channel, tag }, {
		client: 0x40005, kind: abi.KIND_TRANSMIT, flow: 3, peer: 9, offset: 0x23040, length: 1204, count: 54, stride: 1204, channel: 0x4000, tag: 0x05060708,
	})
	assert.deepEqual(region.addressOf(d), ipv6)

	region.setIn(2, 0x40005, abi.KIND_TRANSMIT, 3, 9, 0x23040, 1204, 54, 1204)
	region.setInAddress(2, /** @type {Uint8Array} */ (parseIP(ipv6.address)), ipv6.port)
	const at = 4096 + region.ins.offset + 128
	const view = new DataView(memory.buffer)
	view.setInt32(at + abi.DESC_STATUS, abi.CODE_NO_PERMISSION, true)
	view.setUint32(at + abi.DESC_CHANNEL, 0x4000, true)
	view.setBigUint64(at + abi.DESC_TAG, 0x0102030405060708n, true)
	assert.equal(hex(new Uint8Array(memory.buffer, at, 64)), golden.get('descriptor'))
	assert.equal(region.statusOf(2), abi.CODE_NO_PERMISSION)
	assert.equal(region.countOf(2), 54)
})

test('a descriptor that reaches outside is told', () => {
	const { memory, region } = regionOf()
	const view = new DataView(memory.buffer)
	view.setUint32(4096 + region.outs.offset + abi.DESC_OFFSET, region.size - 10, true)
	view.setUint32(4096 + region.outs.offset + abi.DESC_LENGTH, 11, true)
	assert.equal(region.readOut(0, new OutDesc()), false)
})

test('config', () => {
	const seed = new TextEncoder().encode('0123456789abcdef0123456789abcdef')
	const all = {
		server: ipv4, username: 'alice', password: 'secret', family: /** @type {6} */ (6), lifetime: 1200_000, software: 'turnwasm', fingerprint: true,
		rto: 250, rc: 5, rm: 8, refreshCap: 240_000, autoPermission: true, reclaim: true, reallocate: true, seed,
	}
	assert.equal(record((r) => writeConfig(r, all)), golden.get('config'))
	assert.equal(record((r) => writeConfig(r, { server: ipv6 })), golden.get('config minimal'))
})

test('commands', () => {
	assert.equal(record((r) => r.u16(abi.ATTR_CMD, abi.CMD_ALLOCATE)), golden.get('command allocate'))
	assert.equal(record((r) => {
		r.u16(abi.ATTR_CMD, abi.CMD_CREATE_PERMISSION)
		for (const a of [ipv4, ipv6]) r.address(abi.ATTR_PEER, /** @type {Uint8Array} */ (parseIP(a.address)), a.port)
	}), golden.get('command create permission'))
	assert.equal(record((r) => {
		r.u16(abi.ATTR_CMD, abi.CMD_SET_CREDENTIALS)
		r.text(abi.ATTR_USERNAME, 'bob')
		r.text(abi.ATTR_PASSWORD, 'other')
	}), golden.get('command set credentials'))
	assert.equal(record((r) => r.address(abi.ATTR_PEER, /** @type {Uint8Array} */ (parseIP(ipv4.address)), ipv4.port)), golden.get('peer'))
})

/** What an event says, without what it leaves unsaid. @param {string} name */
const event = (name) => Object.fromEntries(Object.entries(readEvent(bytes(`event ${name}`))).filter(([, v]) => v))

test('events', () => {
	assert.deepEqual(event('Allocated'), { event: 'allocated', relayedAddress: ipv4, mappedAddress: ipv6, lifetime: 600_000 })
	assert.deepEqual(event('AllocateFailed'), {
		event: 'allocateFailed', method: 'Allocate', code: 486, signed: true, reason: 'Allocation Quota Reached', retryAfter: 60_000,
	})
	assert.deepEqual(event('ChannelBound'), { event: 'channelBound', peer: ipv6, channel: 0x4321 })
	assert.deepEqual(event('PeerICMP'), { event: 'peerICMP', peer: ipv4, icmp: { type: 3, code: 4, data: Uint8Array.of(0, 0, 5, 0xdc) } })
	assert.deepEqual(event('NeedNewPort'), { event: 'needNewPort', code: 437, flow: 7 })
	assert.deepEqual(event('Closed'), { event: 'closed', outcome: 'unconfirmed', reason: 'no answer', reuseAfter: 2.5, until: 601_000.5 })
})

test('state and stats', () => {
	assert.deepEqual(readState(bytes('state')), {
		phase: 'allocated', relayedAddress: ipv4, additionalAddress: undefined, mappedAddress: ipv6, lifetime: 600_000,
		wakeAt: 540_000, wakeWhy: 'refresh allocation', flow: 0, rto: 0, roundTrip: undefined,
	})
	const stats = readStats(bytes('stats'))
	assert.deepEqual(Object.values(stats), Array.from({ length: 20 }, (_, i) => i + 1))
	assert.equal(stats.payloadsDropped, 20)
})

test('records that are broken are refused, whatever their bytes are', () => {
	const good = bytes('event Closed')
	for (let n = 1; n < good.length; n++) {
		try {
			readEvent(good.slice(0, n))
		} catch (e) {
			assert(e instanceof RangeError, String(e))
		}
	}
})
