// Chromium and the bridge agree on the wire, below the socket: packets of every
// size, refusals with their reasons, deposits.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { startBridge } from '../peers/bridge.js'
import { launch, pages } from './browser.js'

/** A server that sends back ChannelData, and keeps what else it gets. */
async function startMirror() {
	const socket = createSocket('udp4')
	/** @type {Buffer[]} */
	const heard = []
	socket.on('message', (b, from) => {
		if (b[0] >> 4 === 4) socket.send(b, from.port, from.address)
		else heard.push(b)
	})
	socket.bind(0, '127.0.0.1')
	await once(socket, 'listening')
	return { url: `turn:127.0.0.1:${socket.address().port}`, heard, close: () => socket.close() }
}

const mirror = await startMirror()
const bridge = await startBridge('-pages', pages, '-server', mirror.url)
const browser = await launch()
after(async () => {
	await browser.close()
	await bridge.end()
	mirror.close()
})

/**
 * Runs f in a page that has opened a session; s is the session, got what came of it.
 * @template T
 * @param {string} server
 * @param {(o: {s: any, got: any, next: (what: string) => Promise<any>}) => T | Promise<T>} f
 * @returns {Promise<T>}
 */
async function inSession(server, f) {
	const context = await browser.context()
	try {
		const page = await context.newPage()
		await page.goto(bridge.pages)
		return await page.evaluate(
			async ({ server, code }) => {
				const src = './turnwasm/src/session.js'
				const { openSession } = await import(new URL(src, location.href).href)
				const { url, hash } = await (await fetch('bridge.json')).json()
				const serverCertificateHashes = [{ algorithm: 'sha-256', value: Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)) }]
				/** @type {Record<string, any[]>} */
				const got = { received: [], unreachable: [], failed: [], leaving: [] }
				let wake = () => {}
				const receiver = Object.fromEntries(Object.keys(got).map((k) => [k, (/** @type {any} */ x) => {
					got[k].push(x)
					wake()
				}]))
				const next = async (/** @type {string} */ what) => {
					const before = got[what].length
					while (got[what].length === before) await new Promise((resolve) => (wake = () => resolve(undefined)))
					return got[what].at(-1)
				}
				const s = await openSession({ bridge: url, serverCertificateHashes }, server, receiver, new AbortController().signal)
				return new Function(`return (${code})`)()({ s, got, next })
			},
			{ server, code: f.toString() },
		)
	} finally {
		await context.close()
	}
}

test('packets of every size, there and back', async () => {
	const wrong = await inSession(mirror.url, async ({ s, next }) => {
		for (const size of [4, 100, 1100, 1200, 1300, 1500, 9000, 60000]) {
			const packet = crypto.getRandomValues(new Uint8Array(Math.min(size, 65536)))
			packet.set([0x40, 0, (size - 4) >> 8, (size - 4) & 255])
			const answer = next('received')
			s.send(packet)
			const back = await answer
			if (back.length !== size || !packet.every((b, i) => b === back[i])) return `${size} bytes came back as ${back.length}`
		}
		return s.stats.bridgeFrames < 3 || s.stats.bridgeDropped > 0 ? JSON.stringify(s.stats) : ''
	})
	assert.equal(wrong, '')
	await bridge.metric('packets_total{direction="from_page",way="stream"}', 3)
	await bridge.metric('packets_total{direction="from_server",way="stream"}', 3)
})

test('a burst waits in bounded room, and who awaits drained loses none of it here', async () => {
	const { drained, unpaced } = await inSession(mirror.url, async ({ s }) => {
		const packet = new Uint8Array(1104)
		packet.set([0x40, 0, 1100 >> 8, 1100 & 255])
		for (let i = 0; i < 1500; i++) {
			s.send(packet)
			if (i % 100 === 99) await s.drained
		}
		await s.drained
		const drained = s.stats.bridgeDropped
		for (let i = 0; i < 3000; i++) s.send(packet)
		return { drained, unpaced: s.stats.bridgeDropped }
	})
	assert.equal(drained, 0)
	assert(unpaced > 2000, `${unpaced} of 3000 unpaced packets were dropped: the room is bounded`)
})

test('a request goes after the deposit that came with it', async () => {
	const heard = mirror.heard.length
	const order = await inSession(mirror.url, async ({ s }) => {
		const refresh = new Uint8Array([0, 4, 0, 8, 0x21, 0x12, 0xa4, 0x42, ...crypto.getRandomValues(new Uint8Array(12)), 0, 13, 0, 4, 0, 0, 0, 0])
		const binding = new Uint8Array([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...crypto.getRandomValues(new Uint8Array(12))])
		s.send(binding) // as the machine does: the request first, and its parting in the same call
		s.deposit({ data: refresh, until: performance.now() + 600_000, flow: 0 })
		for (let i = 0; i < 5; i++) await undefined // what the page itself has to do is done, nothing can have come from the bridge
		const order = [s.deposited, s.stats.bridgeDatagrams]
		while (s.stats.bridgeDatagrams === 0) await new Promise((resolve) => setTimeout(resolve, 1))
		order.push(s.deposited)
		s.deposit(undefined)
		await s.close()
		order.push(s.deposited)
		return order
	})
	assert.deepEqual(order, [false, 0, true, false])
	await bridge.metric('deposits_total{result="withdrawn"}', 1)
	assert(mirror.heard.slice(heard).every((b) => b[1] !== 4), 'the bridge has sent nothing for a page that owes nothing')
})

test('a deposit that is none is refused, and the one before stays', async () => {
	const { refused, deposited } = await inSession(mirror.url, async ({ s }) => {
		s.deposit({ data: new Uint8Array(20), until: 0, flow: 0 })
		for (let i = 0; i < 200 && s.stats.bridgeDepositsRefused === 0; i++) await new Promise((resolve) => setTimeout(resolve, 10))
		return { refused: s.stats.bridgeDepositsRefused, deposited: s.deposited }
	})
	assert.deepEqual({ refused, deposited }, { refused: 1, deposited: false })
})

test('a server that is not on the list, a page that speaks another protocol', async () => {
	await assert.rejects(inSession('turn:192.0.2.1', () => 'let in'), /not a TURN server of this bridge/)
	const why = await inSession(mirror.url, async ({ s, next }) => {
		const failed = next('failed')
		s.deposit({ data: new Uint8Array(60_000), until: 0, flow: 0 })
		return (await failed).message
	})
	assert.match(why, /^the bridge ends the session: ./)
})
