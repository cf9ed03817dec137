// TURN over TCP and TLS against real servers.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { TurnError } from '../src/index.js'
import { startPeers } from './peers/peers.js'
import { startStreamProxy } from './peers/stream.js'
import { flavours } from './runtime.js'
import { Message, METHODS } from './script/stun.js'

/** @typedef {import('../src/socket.js').TurnSocket<any>} Socket */
/** @typedef {import('./peers/peers.js').Peers} Peers */

const CERT_NAME = 'turn.test'

/** @param {Promise<unknown>} promise @returns {Promise<TurnError>} */
async function turnError(promise) {
	try {
		await promise
	} catch (e) {
		assert(e instanceof TurnError, String(e))
		return e
	}
	return assert.fail('it is refused')
}

/** Payloads of every alignment, one after the other. @param {Socket} socket @param {Peers} peers @param {readonly number[]} sizes */
async function wantEchoes(socket, peers, sizes) {
	for (const n of sizes) {
		const answer = once(/** @type {any} */ (socket), 'message')
		socket.send(new Uint8Array(n).fill(n), peers.echo.port, peers.echo.address)
		const [msg] = await answer
		assert(msg instanceof Buffer)
		assert.deepEqual([...msg], Array(n).fill(n & 255))
	}
}

for (const [flavour, create] of flavours) {
	const pion = await startPeers('pion')
	const coturn = await startPeers('coturn')
	const mobile = await startPeers('coturn', '--', '--mobility')
	const elsewhere = await startPeers('coturn', '--', `--alternate-server=${coturn.url.slice('turn:'.length)}`)
	const proxy = await startStreamProxy(coturn.tcp)
	const mobileProxy = await startStreamProxy(mobile.tcp)
	const nobody = await startStreamProxy('')
	after(() => Promise.all([pion, coturn, mobile, mobileProxy, elsewhere, proxy, nobody].map((p) => p.end())))

	for (const [name, peers, sizes] of /** @type {const} */ ([['pion', pion, [5, 6, 7, 8, 999, 1200]], ['coturn', coturn, [1, 2, 3, 4, 999, 1200]]])) {
		const secrets = { ...peers.login, serverName: CERT_NAME, ca: peers.ca }
		for (const [via, urls] of /** @type {const} */ ([['TCP', peers.tcp], ['TLS', peers.tls]])) {
			test(`${flavour}, ${name}: over ${via} a socket is what it is over UDP`, async () => {
				const socket = await create({ urls, ...secrets }).opened
				assert.equal(await peers.held(1), 1)
				assert.equal(socket.mappedAddress?.port, socket.localAddress?.port)
				await wantEchoes(socket, peers, sizes)
				await socket.bindChannel(peers.echo.port, peers.echo.address)
				await wantEchoes(socket, peers, sizes)
				await socket.refresh()
				const most = name === 'coturn' ? 45 : 50 // coturn 4.6 loses payloads where what it reads at once ends
				const batch = new Promise((resolve) => {
					let n = 0
					socket.on('message', () => ++n === most && resolve(undefined))
				})
				socket.sendMany(Array.from({ length: 50 }, (_, i) => new Uint8Array(1000 + i)), peers.echo.port, peers.echo.address)
				await batch
				assert.equal((await socket.close()).outcome, 'released')
				assert.equal(await peers.held(0), 0)
			})

			for (const [phase, outcome] of /** @type {const} */ ([['new', 'nothing_to_release'], ['allocating', 'nothing_to_release'], ['authenticated', 'released'], ['allocated', 'released']])) {
				test(`${flavour}, ${name}: over ${via} closed the moment it is ${phase}`, async () => {
					const socket = create({ urls, ...secrets })
					socket.opened.catch(() => {})
					socket.closeAt(phase)
					assert.equal((await socket.closed).outcome, outcome)
					assert.equal(await peers.held(0), 0)
				})
			}

			test(`${flavour}, ${name}: over ${via} a release without a linger goes out before the stream ends`, async () => {
				const socket = await create({ urls, ...secrets }).opened
				assert.equal((await socket.close({ linger: 0 })).outcome, 'unconfirmed')
				assert.equal(await peers.held(0), 0)
			})
		}

		test(`${flavour}, ${name}: certificates are verified`, async () => {
			for (const [change, why] of /** @type {[object, RegExp][]} */ ([
				[{ ca: undefined }, /^TLS with 127\.0\.0\.1:\d+: /], [{ serverName: 'other.test' }, /^TLS with 127\.0\.0\.1:\d+: /],
			])) {
				const socket = create({ urls: peers.tls, ...secrets, ...change })
				const error = await turnError(socket.opened)
				assert.deepEqual([error.kind, why.test(error.message)], ['transport', true], error.message)
				assert.equal((await socket.closed).outcome, 'nothing_to_release')
			}
			assert.throws(() => create({ urls: peers.tls, ...peers.login }), (e) => e instanceof TypeError && /serverName/.test(e.message))
			const socket = await create({ urls: peers.tls, ...secrets, alpn: false }).opened
			assert.equal((await socket.close()).outcome, 'released')
		})
	}

	test(`${flavour}: the release is on the stream before its end`, async () => {
		const socket = await create({ urls: proxy.url, ...coturn.login }).opened
		proxy.heard.length = 0
		assert.equal((await socket.close({ linger: 0 })).outcome, 'unconfirmed')
		await proxy.idle()
		const release = new Message(Buffer.concat(proxy.heard))
		assert.deepEqual([release.method, ...(release.get('LIFETIME') ?? [])], [METHODS.byName.get('Refresh'), 0, 0, 0, 0])
		assert.equal(await coturn.held(0), 0)
	})

	test(`${flavour}: every byte comes alone`, async () => {
		proxy.cut(true)
		const socket = await create({ urls: proxy.url, ...coturn.login }).opened
		await wantEchoes(socket, coturn, [1, 2, 3, 4, 100])
		await socket.bindChannel(coturn.echo.port, coturn.echo.address)
		await wantEchoes(socket, coturn, [1, 2, 3, 4, 100])
		assert.equal((await socket.close()).outcome, 'released')
		proxy.cut(false)
		assert.equal(await coturn.held(0), 0)
	})

	test(`${flavour}: the stream breaks, or ends, or says nonsense`, async () => {
		for (const [how, why] of /** @type {[() => void, RegExp][]} */ ([
			[() => proxy.break(), /the stream ended/], [() => proxy.finish(), /the stream ended/], [() => proxy.inject(new Uint8Array(64).fill(0xff)), /stream/],
		])) {
			const socket = await create({ urls: proxy.url, ...coturn.login }).opened
			const lost = once(/** @type {any} */ (socket), 'allocationLost')
			const failed = once(/** @type {any} */ (socket), 'error')
			how()
			const [error] = await failed
			await lost
			assert(error instanceof TurnError && error.kind === 'lost' && why.test(error.message), error.message)
			const verdict = await socket.closed
			assert.deepEqual([verdict.outcome, verdict.until instanceof Date], ['abandoned', true])
		}
	})

	test(`${flavour}: the stream breaks before the allocation`, async () => {
		const socket = create({ urls: nobody.url, ...coturn.login })
		const opened = turnError(socket.opened)
		while (nobody.heard.length === 0) await new Promise((resolve) => setImmediate(resolve))
		nobody.break()
		assert.match((await opened).message, /the stream ended/)
		await socket.closed
		nobody.heard.length = 0
	})

	test(`${flavour}: a lost stream is replaced where the caller wants an allocation again`, async () => {
		const socket = await create({ urls: proxy.url, ...coturn.login, reallocate: true }).opened
		await wantEchoes(socket, coturn, [10])
		const again = once(/** @type {any} */ (socket), 'listening')
		proxy.break()
		await again
		await wantEchoes(socket, coturn, [10])
		assert.equal((await socket.close()).outcome, 'released')
	})

	test(`${flavour}: a handshake that does not come is given up by close and by a signal`, async () => {
		for (const end of /** @type {const} */ (['close', 'abort'])) {
			const abort = new AbortController()
			const socket = create({ urls: `turns:${nobody.host}`, ...coturn.login, serverName: CERT_NAME, signal: abort.signal })
			socket.opened.catch(() => {})
			while (nobody.heard.length === 0) await new Promise((resolve) => setImmediate(resolve))
			const hello = Buffer.concat(nobody.heard.splice(0)).toString('latin1')
			assert(hello.includes(CERT_NAME) && hello.includes('stun.turn'))
			if (end === 'close') void socket.close()
			else abort.abort()
			assert.equal((await socket.closed).outcome, 'nothing_to_release')
		}
	})

	test(`${flavour}: a server that reads nothing: payloads are dropped, none of those who wait`, async () => {
		const socket = await create({ urls: proxy.url, ...coturn.login }).opened
		await socket.bindChannel(coturn.echo.port, coturn.echo.address)
		proxy.stall(true)
		const payload = new Uint8Array(1200)
		while (!socket.stats.streamDropped) {
			socket.sendMany(Array(1000).fill(payload), 9, coturn.echo.address)
			await new Promise((resolve) => setImmediate(resolve))
		}
		let roomy = false
		const room = socket.drained.then(() => (roomy = true))
		await new Promise((resolve) => setImmediate(resolve))
		assert.equal(roomy, false)
		proxy.stall(false)
		await room
		await wantEchoes(socket, coturn, [100])
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await coturn.held(0), 0)
	})

	test(`${flavour}: a close while nothing can be written ends all the same`, async () => {
		const socket = await create({ urls: proxy.url, ...coturn.login }).opened
		await socket.bindChannel(coturn.echo.port, coturn.echo.address)
		proxy.stall(true)
		while (!socket.stats.streamDropped) {
			socket.sendMany(Array(1000).fill(new Uint8Array(1200)), 9, coturn.echo.address)
			await new Promise((resolve) => setImmediate(resolve))
		}
		const { outcome, until } = await socket.close({ linger: 50 })
		assert.deepEqual([outcome, until instanceof Date], ['unconfirmed', true])
		proxy.stall(false)
		proxy.break()
	})

	test(`${flavour}: a move takes another stream`, async () => {
		const socket = await create({ urls: proxy.url, ...coturn.login, mobility: true }).opened
		const { localAddress } = socket
		const before = proxy.connections()
		assert.equal(await socket.rebind(), false) // it has no mobility
		assert.notEqual(socket.localAddress?.port, localAddress?.port)
		assert.equal(proxy.connections(), before + 1)
		await wantEchoes(socket, coturn, [10])
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await coturn.held(0), 0)
	})

	test(`${flavour}: a move whose stream breaks`, async () => {
		for (const reallocate of [false, true]) {
			const socket = await create({ urls: mobileProxy.url, ...mobile.login, mobility: true, reallocate }).opened
			const before = mobileProxy.connections()
			mobileProxy.stall(true)
			const moved = socket.rebind().catch((e) => e)
			while (mobileProxy.connections() === before) await new Promise((resolve) => setImmediate(resolve))
			mobileProxy.inject(new Uint8Array(64).fill(0xff))
			await once(/** @type {any} */ (socket), 'allocationLost')
			mobileProxy.stall(false)
			assert.equal(await moved, false) // another allocation, on a third stream
			await wantEchoes(socket, mobile, [10])
			assert.equal((await socket.close()).outcome, 'released')
		}
	})

	test(`${flavour}: a 300 is followed over the same carrier`, async () => {
		const socket = await create({ urls: elsewhere.tcp, ...coturn.login, redirect: 'any' }).opened
		await wantEchoes(socket, coturn, [10])
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await coturn.held(0), 0)
	})

	test(`${flavour}: nobody listens there`, async () => {
		const gone = await startStreamProxy('')
		await gone.end()
		const socket = create({ urls: gone.url, ...coturn.login })
		assert.equal((await turnError(socket.opened)).kind, 'transport')
		assert.equal((await socket.closed).outcome, 'nothing_to_release')
	})
}
