// Sockets of turnwasm/web in Chromium: in pages and workers, and what is left of
// those that end without a goodbye. The server counts.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { startBridge } from '../peers/bridge.js'
import { startPeers } from '../peers/peers.js'
import { launch, pages } from './browser.js'

const coturn = await startPeers('coturn')
const pion = await startPeers('pion')
/** The bridge's list holds names, and not what they are resolved to. */
const named = pion.proxied.replace('127.0.0.1', 'localhost')
const bridge = await startBridge('-pages', pages, '-server', coturn.url, '-server', coturn.proxied, '-server', pion.url, '-server', named, '-silence', '5s')
const browser = await launch()
after(async () => {
	await browser.close()
	await bridge.end()
	await coturn.end()
	await pion.end()
})

/** @typedef {Awaited<ReturnType<typeof browser.context>>} Context */

/** A tab whose page can make sockets: `create()`. @param {Context} context @param {string} server */
async function openTab(context, server) {
	const tab = await context.newPage()
	tab.setDefaultTimeout(60_000)
	await tab.goto(bridge.pages)
	await tab.evaluate(
		async ({ server, login }) => {
			const { createTurnSocket, TurnError } = await import(new URL('./turnwasm/src/web.js', location.href).href)
			const { url, hash } = await (await fetch('bridge.json')).json()
			const options = {
				bridge: new URL(url).origin, serverCertificateHashes: [{ algorithm: 'sha-256', value: Uint8Array.from(atob(hash), (c) => c.charCodeAt(0)) }],
				urls: server, ...login,
			}
			Object.assign(globalThis, { TurnError, options, create: (/** @type {object} */ o) => createTurnSocket({ ...options, ...o }) })
		},
		{ server, login: coturn.login },
	)
	return tab
}

/** @param {Context} context @param {import('../peers/peers.js').Peers} peers */
async function allocatedTab(context, peers) {
	const tab = await openTab(context, peers.url)
	await tab.evaluate(() => /** @type {any} */ (globalThis).create().opened.then(() => {}))
	assert((await peers.held()) >= 1)
	return tab
}

for (const [name, peers, largest] of /** @type {const} */ ([['coturn', coturn, 9000], ['pion', pion, 1500]])) {
	test(`${name}: echoes of every size, channels, streams, then released`, async () => {
		const context = await browser.context()
		const tab = await openTab(context, peers.url)
		const told = await tab.evaluate(async ({ address, port, largest }) => {
			const { create } = /** @type {any} */ (globalThis)
			const socket = await create().opened
			const next = () => new Promise((resolve) => socket.once('message', (/** @type {Uint8Array} */ m, /** @type {any} */ from) => resolve([m, from])))
			const sizes = []
			for (const size of [0, 5, 1000, 1200, 1400, largest]) {
				const answer = next()
				socket.send(new Uint8Array(size).fill(65), port, address)
				const [message, from] = /** @type {any} */ (await answer)
				sizes.push([message.length, message instanceof Uint8Array, from.port === port])
			}
			await socket.bindChannel(port, address)
			const answer = next()
			socket.send('through a channel', port, address)
			const text = new TextDecoder().decode((/** @type {any} */ (await answer))[0])
			const reader = socket.readable.getReader()
			await socket.writable.getWriter().write({ data: 'through a stream', port, address })
			const { value } = await reader.read()
			const phase = socket.phase
			const { stats } = socket
			return { sizes, text, stream: new TextDecoder().decode(value.data), phase, stats, verdict: await socket.close() }
		}, { ...peers.echo, largest })
		assert.deepEqual(told.sizes, [0, 5, 1000, 1200, 1400, largest].map((n) => [n, true, true]))
		assert.deepEqual([told.text, told.stream, told.phase], ['through a channel', 'through a stream', 'allocated'])
		assert.deepEqual(told.verdict, { outcome: 'released', reason: '', reuseAfter: 2000, until: undefined })
		assert(told.stats.bridgeFrames > 0 && told.stats.bridgeDropped === 0, JSON.stringify(told.stats))
		assert.equal(await peers.held(0), 0)
		await context.close()
	})

	test(`${name}: a closed tab, a closed context, one that goes elsewhere, crashes or is reloaded: nothing is left`, async () => {
		const context = await browser.context()
		await (await allocatedTab(context, peers)).close()
		assert.equal(await peers.held(0), 0, 'a closed tab')
		const away = await allocatedTab(context, peers)
		await away.goto('about:blank')
		assert.equal(await peers.held(0), 0, 'a tab that goes elsewhere')
		const again = await allocatedTab(context, peers)
		await again.reload()
		assert.equal(await peers.held(0), 0, 'a reloaded tab')
		const crashed = await allocatedTab(context, peers)
		crashed.goto('chrome://crash').catch(() => {})
		assert.equal(await peers.held(0), 0, 'a crashed tab')
		await allocatedTab(context, peers)
		await context.close()
		assert.equal(await peers.held(0), 0, 'a closed context')
	})
}

test('a tab that dies while it allocates leaves nothing', async () => {
	const context = await browser.context()
	// A phase goes by in less time than a timer of the page needs to see it, unless the answer that ends it is lost.
	for (const [phase, fault, holds] of /** @type {const} */ ([['allocating', 'lose-challenge', 0], ['authenticated', 'lose-allocated', 1], ['allocated', 'none', 1]])) {
		await coturn.fault(fault)
		const tab = await openTab(context, coturn.proxied)
		await tab.evaluate(() => {
			const socket = /** @type {any} */ (globalThis).create()
			Object.assign(globalThis, { socket })
			socket.opened.catch(() => {})
		})
		await tab.waitForFunction((phase) => /** @type {any} */ (globalThis).socket.phase === phase, phase)
		assert.equal(await coturn.held(holds), holds, phase)
		await tab.close()
		await bridge.sockets(0)
		assert.equal(await coturn.held(0), 0, phase)
	}
	await coturn.fault('none')
	await context.close()
})

test('a browser that is killed leaves nothing, once it has been silent', async () => {
	const own = await launch()
	await allocatedTab(await own.context(), coturn)
	await allocatedTab(await own.context(), pion)
	own.kill()
	await bridge.metric('partings_total{result="released"}', 2)
	assert.equal(await coturn.held(0), 0)
	assert.equal(await pion.held(0), 0)
	await own.close()
})

test('a worker', async () => {
	const context = await browser.context()
	const tab = await openTab(context, pion.url)
	const told = await tab.evaluate(async ({ address, port }) => {
		const { options } = /** @type {any} */ (globalThis)
		const code = `import { createTurnSocket } from '${new URL('./turnwasm/src/web.js', location.href)}'
			onmessage = async ({ data: { options, address, port } }) => {
				const socket = await createTurnSocket(options).opened
				const answer = new Promise((resolve) => socket.once('message', resolve))
				socket.send('from a worker', port, address)
				const text = new TextDecoder().decode(await answer)
				postMessage({ text, verdict: await socket.close() })
			}`
		const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })), { type: 'module' })
		return new Promise((resolve, reject) => {
			worker.onmessage = ({ data }) => resolve(data)
			worker.onerror = (e) => reject(new Error(e.message))
			worker.postMessage({ options, address, port })
		})
	}, pion.echo)
	assert.equal(told.text, 'from a worker')
	assert.equal(told.verdict.outcome, 'released')
	assert.equal(await pion.held(0), 0)
	await context.close()
})

test('437 takes another session to the same name, and so another port of the bridge', async () => {
	const context = await browser.context()
	const tab = await openTab(context, named)
	await pion.fault('mismatch', 1)
	const { first, verdict } = await tab.evaluate(async () => {
		const socket = /** @type {any} */ (globalThis).create({ rto: 50 })
		const first = new Promise((resolve) => socket.once('needNewPort', (/** @type {any} */ e) => resolve(e.code)))
		await socket.opened
		return { first: await first, verdict: await socket.close() }
	})
	assert.deepEqual([first, verdict.outcome], [437, 'released'])
	await pion.fault('none')
	await bridge.sockets(0)
	assert.equal(await pion.held(0), 0)
	await context.close()
})

test('mistakes, refusals and aborts', async () => {
	const silent = createSocket('udp4')
	silent.bind(0, '127.0.0.1')
	await once(silent, 'listening')
	const context = await browser.context()
	const tab = await openTab(context, pion.url)
	const told = await tab.evaluate(async (hole) => {
		const { create, TurnError } = /** @type {any} */ (globalThis)
		/** @type {Record<string, unknown>} */
		const told = {}
		for (const [name, o] of Object.entries({ bridge: { bridge: 'http://x' }, hash: { bridge: 'https://x/#y' }, token: { token: 7 }, hashes: { serverCertificateHashes: 'abc' }, port: { localPort: 7 }, urls: { urls: 'http:x' } })) {
			try {
				create(o)
			} catch (e) {
				told[name] = e instanceof TypeError && e.message
			}
		}
		const refused = await create({ urls: 'turn:192.0.2.1' }).opened.catch((/** @type {unknown} */ e) => e)
		told.refused = [refused instanceof TurnError, refused.kind, refused.code]
		const unreached = await create({ bridge: 'https://127.0.0.1:9', token: 'sesame' }).opened.catch((/** @type {unknown} */ e) => e)
		told.unreached = [unreached.kind, unreached.message]
		const early = create({ signal: AbortSignal.abort(new Error('too late')) })
		told.early = [await early.opened.catch((/** @type {Error} */ e) => e.message), (await early.closed).outcome]
		const hopeless = new WebTransport(hole).ready.catch(() => 'the browser has given up before')
		const connecting = create({ bridge: hole })
		await new Promise((resolve) => setTimeout(resolve)) // it is on its way
		told.connecting = await Promise.race([connecting.close().then((/** @type {any} */ v) => v.outcome), hopeless])
		return told
	}, `https://127.0.0.1:${silent.address().port}`)
	silent.close()
	assert.match(String(told.bridge), /^bridge is the bridge's URL/)
	assert.match(String(told.hash), /^bridge is the bridge's URL/)
	assert.match(String(told.token), /^token is a string/)
	assert.match(String(told.hashes), /^serverCertificateHashes is/)
	assert.match(String(told.port), /^a page has no local address/)
	assert.match(String(told.urls), /not a TURN URI/)
	assert.deepEqual(told.refused, [true, 'bridge', 404])
	const [kind, message] = /** @type {string[]} */ (told.unreached)
	assert.equal(kind, 'transport')
	assert.match(message, /^the bridge at https:\/\/127\.0\.0\.1:9 cannot be reached/)
	assert.doesNotMatch(message, /sesame/)
	assert.deepEqual(told.early, ['too late', 'nothing_to_release'])
	assert.equal(told.connecting, 'nothing_to_release')
	await context.close()
})

test('a listener that throws stops nothing but itself', async () => {
	const context = await browser.context()
	const tab = await openTab(context, pion.url)
	const errors = /** @type {string[]} */ ([])
	tab.on('pageerror', (e) => errors.push(e.message))
	const text = await tab.evaluate(async ({ address, port }) => {
		const socket = await /** @type {any} */ (globalThis).create().opened
		socket.once('message', () => {
			throw new Error('of a listener')
		})
		socket.send('one', port, address)
		while (socket.stats.payloadsReceived < 1) await new Promise((resolve) => setTimeout(resolve, 10))
		const answer = new Promise((resolve) => socket.once('message', resolve))
		socket.send('two', port, address)
		const got = new TextDecoder().decode(/** @type {any} */ (await answer))
		await socket.close()
		return got
	}, pion.echo)
	assert.equal(text, 'two')
	assert.deepEqual(errors, ['of a listener'])
	await context.close()
})

test('a bridge that stops lets pages release; one that dies is told of with its reason', async () => {
	const flags = ['-origin', new URL(bridge.pages).origin, '-server', pion.url]
	const [stopping, dying] = [await startBridge(...flags), await startBridge(...flags)]
	const context = await browser.context()
	const tab = await openTab(context, pion.url)
	/** @param {import('../peers/bridge.js').Bridge} b */
	const through = (b) =>
		tab.evaluate(
			async ({ url, hash }) => {
				const socket = await /** @type {any} */ (globalThis).create({ bridge: url, serverCertificateHashes: [{ algorithm: 'sha-256', value: Uint8Array.from(hash) }] }).opened
				Object.assign(globalThis, {
					told: new Promise((resolve) => {
						let error = { kind: '', message: '' }
						socket.on('error', (/** @type {any} */ e) => (error = { kind: e.kind, message: e.message }))
						socket.on('close', (/** @type {any} */ v) => resolve({ ...error, outcome: v.outcome, until: v.until instanceof Date }))
					}),
				})
			},
			{ url: b.url, hash: [.../** @type {Uint8Array} */ (b.hashes[0].value)] },
		)
	const told = () => tab.evaluate(() => /** @type {any} */ (globalThis).told)
	await through(stopping)
	stopping.terminate()
	assert.deepEqual(await told(), { kind: 'bridge', message: 'the bridge is going away', outcome: 'released', until: false })
	assert.equal(await pion.held(0), 0)
	await through(dying)
	await dying.end()
	const last = await told()
	assert.deepEqual([last.kind, last.outcome, last.until], ['lost', 'unconfirmed', true])
	assert.match(last.message, /^the allocation is lost: the connection to the bridge is lost/)
	await stopping.end()
	await context.close()
})
