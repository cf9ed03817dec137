// Sockets against real servers. What is left on a server is counted by it.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { TurnError, TurnInstance } from '../src/index.js'
import { startPeers } from './peers/peers.js'
import { flavours } from './runtime.js'
import { trappingInstance } from './trap.js'

/** @typedef {import('./peers/peers.js').Peers} Peers */
/** @typedef {import('../src/node.js').TurnSocketOptions} Options */

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

/** @param {import('../src/socket.js').TurnSocket<any>} socket @param {Peers} peers @param {string} text */
async function wantEcho(socket, peers, text) {
	const answer = once(/** @type {any} */ (socket), 'message')
	socket.send(text, peers.echo.port, peers.echo.address)
	const [msg, rinfo] = await answer
	assert.equal(Buffer.from(msg).toString(), text)
	assert.deepEqual(rinfo, { ...peers.echo, family: 'IPv4', size: text.length })
}

for (const [flavour, create] of flavours) {
	// Servers of its own: one that was left alone is so for the whole process.
	const pion = await startPeers('pion')
	const coturn = await startPeers('coturn')
	const stingy = await startPeers('pion', '-quota', '1')
	const strict = await startPeers('pion', '-deny')
	after(() => Promise.all([pion, coturn, stingy, strict].map((p) => p.end())))
	const servers = /** @type {const} */ ([['pion', pion], ['coturn', coturn]])

	for (const [name, peers] of servers) {
		test(`${flavour}, ${name}: echoes by indications and by a channel, then released`, async () => {
			const socket = create({ urls: peers.url, ...peers.login })
			await once(/** @type {any} */ (socket), 'listening')
			assert.deepEqual(socket.address(), socket.relayedAddress)
			assert.equal(socket.mappedAddress?.port, socket.localAddress?.port)
			assert.equal(socket.lifetime, 600_000)
			assert.equal(socket.phase, 'allocated')
			assert.equal(await peers.held(1), 1)
			await wantEcho(socket, peers, 'by an indication')
			await socket.bindChannel(peers.echo.port, peers.echo.address)
			await socket.bindChannel(peers.echo.port, peers.echo.address)
			await wantEcho(socket, peers, 'by a channel')
			await socket.createPermission(['127.0.0.1', '127.0.0.2'])
			await socket.refresh()
			assert.equal(socket.stats.payloadsReceived, 2)
			const closed = once(/** @type {any} */ (socket), 'close')
			const verdict = await socket.close()
			assert.deepEqual(verdict, { outcome: 'released', reason: '', reuseAfter: 2000, until: undefined })
			assert.deepEqual(await closed, [verdict])
			assert.equal(socket.stats.payloadsReceived, 2)
			assert.equal(socket.phase, 'closed')
			assert.equal(await peers.held(0), 0)
		})

		for (const [phase, outcome] of /** @type {const} */ ([['new', 'nothing_to_release'], ['allocating', 'nothing_to_release'], ['authenticated', 'released'], ['allocated', 'released']])) {
			test(`${flavour}, ${name}: closed the moment it is ${phase}`, async () => {
				const socket = create({ urls: peers.url, ...peers.login })
				const opened = phase === 'allocated' ? socket.opened : turnError(socket.opened)
				socket.closeAt(phase)
				assert.equal((await socket.closed).outcome, outcome)
				assert.equal(await peers.held(0), 0)
				if (phase !== 'allocated') assert.equal(/** @type {TurnError} */ (await opened).kind, 'closed')
			})
		}

		test(`${flavour}, ${name}: closed while a refresh is in flight, without a linger, and twice`, async () => {
			const socket = await create({ urls: peers.url, ...peers.login }).opened
			const refresh = turnError(socket.refresh())
			const first = socket.close()
			assert.equal(await socket.close({ linger: 0 }), await first)
			await refresh
			assert(['released', 'unconfirmed'].includes((await first).outcome))
			assert.equal(await peers.held(0), 0)
		})

		test(`${flavour}, ${name}: the release is lost, its nonce stale`, async () => {
			for (const fault of ['lose-release', 'stale-release']) {
				const socket = await create({ urls: peers.proxied, ...peers.login, rto: 100 }).opened
				await peers.fault(fault, 1)
				assert.equal((await socket.close()).outcome, 'released', fault)
				assert.equal(await peers.held(0), 0)
			}
			await peers.fault('none')
		})

		test(`${flavour}, ${name}: an instance that traps releases with its last datagram`, async () => {
			const { instance, trap } = await trappingInstance('turn_tick')
			const [one, two] = [create({ urls: peers.url, ...peers.login, turn: instance }), create({ urls: peers.url, ...peers.login, turn: instance })]
			await Promise.all([one.opened, two.opened])
			const errors = [one, two].map((s) => once(/** @type {any} */ (s), 'error'))
			trap()
			assert.throws(() => instance.tick(performance.now()))
			for (const [i, socket] of [one, two].entries()) {
				const verdict = await socket.closed
				assert.equal(verdict.outcome, 'unconfirmed')
				assert.equal(verdict.reason, 'trapped')
				assert(verdict.until && verdict.until.getTime() > Date.now())
				const [error] = await errors[i]
				assert(error instanceof TurnError && error.kind === 'trapped')
				assert.equal((await turnError(socket.refresh())).kind, 'trapped')
			}
			assert.equal(await peers.held(0), 0)
		})

		test(`${flavour}, ${name}: a wrong password`, async () => {
			const socket = create({ urls: peers.url, username: peers.login.username, credential: 'a9Xnot2it', rto: 50 })
			const error = await turnError(socket.opened)
			assert.deepEqual([error.kind, error.method, error.code], ['request', 'Allocate', name === 'pion' ? 400 : 401])
			assert.match(error.message, /^Allocate: 40[01] .*check username and password/)
			assert.doesNotMatch(JSON.stringify(error) + error.stack, /a9Xnot2it/)
			await socket.closed
			assert.equal(await peers.held(0), 0)
		})
	}

	test(`${flavour}: a server that is silent, and one that is not there`, async () => {
		await pion.fault('silence')
		const silent = create({ urls: pion.proxied, ...pion.login, rto: 10, rc: 2, rm: 2 })
		assert.match((await turnError(silent.opened)).message, /^Allocate: .*no answer/)
		assert.equal((await silent.closed).outcome, 'unconfirmed') // it may grant without a challenge
		await pion.fault('none')
		const nobody = createSocket('udp4')
		nobody.bind(0, '127.0.0.1')
		await once(nobody, 'listening')
		const { port } = nobody.address()
		nobody.close()
		const socket = create({ urls: `turn:127.0.0.1:${port}`, ...pion.login, rto: 100, rc: 3, rm: 2 })
		const error = await turnError(socket.opened)
		assert.deepEqual([error.method, error.code], ['Allocate', 0])
		await socket.closed
	})

	test(`${flavour}: 437 takes another port, three times, then leaves the server alone`, async () => {
		await pion.fault('mismatch', 1)
		const socket = await create({ urls: pion.proxied, ...pion.login, rto: 50 }).opened
		assert.equal(socket.mappedAddress?.port !== undefined, true)
		await socket.close()
		await coturn.fault('mismatch')
		const refused = create({ urls: coturn.proxied, ...coturn.login, rto: 50 })
		const error = await turnError(refused.opened)
		assert.deepEqual([error.code, error.reason], [437, 'the server holds allocations on all of 3 local ports'])
		await refused.closed
		await coturn.fault('none')
		const resting = await turnError(create({ urls: coturn.proxied, ...coturn.login }).opened)
		assert.deepEqual([resting.kind, resting.code], ['leftAlone', 437])
		assert.equal(await pion.held(0), 0)
	})

	test(`${flavour}: what an earlier run left on our own port is reclaimed`, async () => {
		const first = await create({ urls: pion.proxied, ...pion.login, localAddress: '127.0.0.1' }).opened
		const own = { localAddress: '127.0.0.1', localPort: first.localAddress?.port }
		await pion.fault('lose-release', 1)
		assert.equal((await first.close({ linger: 0 })).outcome, 'unconfirmed')
		assert.equal(await pion.held(1), 1)
		const socket = create({ urls: pion.proxied, ...pion.login, ...own, rto: 50 })
		const reclaimed = once(/** @type {any} */ (socket), 'reclaimed')
		await socket.opened
		await reclaimed
		assert.equal(socket.localAddress?.port, own.localPort)
		await pion.fault('lose-release', 1)
		await socket.close({ linger: 0 })
		const refused = create({ urls: pion.proxied, ...pion.login, ...own, reclaim: false, rto: 50 })
		const error = await turnError(refused.opened)
		assert.deepEqual([error.code, error.reason], [437, 'the server holds another allocation on this local port'])
		await refused.closed
		assert.equal(await pion.held(0), 0)
	})

	test(`${flavour}: a lost allocation ends the socket, or is made anew`, async () => {
		const lost = await create({ urls: pion.proxied, ...pion.login, rto: 50 }).opened
		await pion.fault('mismatch-refresh')
		const failed = once(/** @type {any} */ (lost), 'error')
		lost.refresh().catch(() => {})
		const [error] = await failed
		assert.deepEqual([error.kind, error.method, error.code], ['lost', 'Refresh', 437])
		assert.match(error.message, /^the allocation is lost: Refresh: 437/)
		await lost.closed
		await pion.fault('none')
		const again = await create({ urls: pion.proxied, ...pion.login, rto: 50, reallocate: true }).opened
		await pion.fault('mismatch-refresh')
		const second = once(/** @type {any} */ (again), 'listening')
		assert.equal((await turnError(again.refresh())).kind, 'lost')
		await second
		await pion.fault('none')
		await wantEcho(again, pion, 'through the new one')
		assert.equal((await again.close()).outcome, 'released')
	})

	test(`${flavour}: the server's quota, and a peer that it refuses`, async () => {
		const first = await create({ urls: stingy.url, ...stingy.login }).opened
		const error = await turnError(create({ urls: stingy.url, ...stingy.login, rto: 50 }).opened)
		assert.deepEqual([error.method, error.code], ['Allocate', 486])
		await first.close()
		assert.equal(await stingy.held(0), 0)
		const socket = await create({ urls: strict.url, ...strict.login, rto: 50 }).opened
		const refused = await turnError(socket.createPermission('127.0.0.1'))
		assert.equal(refused.method, 'CreatePermission')
		assert.match(refused.message, /^CreatePermission for 127\.0\.0\.1: 40\d/)
		assert.equal((await turnError(socket.bindChannel(9, '127.0.0.1'))).method, 'ChannelBind')
		await socket.close()
		assert.equal(await strict.held(0), 0)
	})

	test(`${flavour}: sends before "listening", refused sends, sends after the close`, async () => {
		const socket = create({ urls: pion.url, ...pion.login })
		const answer = once(/** @type {any} */ (socket), 'message')
		/** @type {(n: number) => Promise<[Error | null, number?]>} */
		const send = (n) => new Promise((resolve) => socket.send(new Uint8Array(n).fill(65), pion.echo.port, pion.echo.address, (e, bytes) => resolve([e, bytes])))
		assert.deepEqual(await send(3), [null, 3])
		assert.equal((await answer)[0].toString(), 'AAA')
		const [tooLarge] = await send(65535)
		assert(tooLarge instanceof TurnError && /payload too large/.test(tooLarge.message))
		const failed = once(/** @type {any} */ (socket), 'error')
		socket.send(new Uint8Array(65535), pion.echo.port, pion.echo.address)
		assert.match((await failed)[0].message, /payload too large/)
		const parts = once(/** @type {any} */ (socket), 'message')
		socket.send(['one', Buffer.from(' two')], pion.echo.port, pion.echo.address)
		assert.equal((await parts)[0].toString(), 'one two')
		const part = once(/** @type {any} */ (socket), 'message')
		socket.send('a whole sentence', 2, 5, pion.echo.port, pion.echo.address)
		assert.equal((await part)[0].toString(), 'whole')
		await socket.close()
		const [closed] = await send(1)
		assert(closed instanceof TurnError && closed.kind === 'closed')
		assert.throws(() => socket.address(), (e) => e instanceof TurnError && e.kind === 'closed')
	})

	test(`${flavour}: a batch comes back whole`, async () => {
		const socket = await create({ urls: pion.url, ...pion.login }).opened
		await socket.bindChannel(pion.echo.port, pion.echo.address)
		const seen = new Set()
		const all = new Promise((resolve) => socket.on('message', (msg) => seen.add(msg.toString()).size === 50 && resolve(undefined)))
		socket.sendMany(Array.from({ length: 50 }, (_, i) => `payload ${i}`), pion.echo.port, pion.echo.address)
		await all
		await socket.close()
	})

	test(`${flavour}: mistakes`, async () => {
		for (const [options, why] of /** @type {[any, RegExp][]} */ ([
			[undefined, /made from an object/], [{}, /urls is a TURN URI/], [{ urls: 'turn://x' }, /has no slashes/], [{ urls: 'turn:x', username: 'u' }, /a username without a password/],
			[{ urls: 'turn:x', linger: -1 }, /linger is a time/], [{ urls: 'turn:x', localPort: 70000 }, /localPort is a port/], [{ urls: 'turn:x', localAddress: 'here' }, /localAddress is an IP/],
			[{ urls: 'turn:x', signal: {} }, /signal is an AbortSignal/], [{ urls: 'turn:x', turn: {} }, /turn is a TurnInstance/], [{ urls: 'turn:x', rto: 'fast' }, /rto is a number/],
		])) assert.throws(() => create(options), (e) => e instanceof TypeError && why.test(e.message), JSON.stringify(options))
		assert.throws(() => create({ urls: 'turns:x?transport=udp' }), (e) => e instanceof TurnError && e.kind === 'unsupported')
		const socket = await create({ urls: pion.url, ...pion.login }).opened
		for (const [mistake, why] of /** @type {[() => unknown, RegExp][]} */ ([
			[() => socket.send('x', /** @type {any} */ ('9'), '127.0.0.1'), /port is a port/], [() => socket.send('x', 9, 'localhost'), /a name has to be resolved/],
			[() => socket.send(/** @type {any} */ (7), 9, '127.0.0.1'), /a payload is a string/], [() => socket.send('abc', 2, 5, 9, '127.0.0.1'), /do not lie within/],
			[() => socket.send('x', 9, '127.0.0.1', /** @type {any} */ (1)), /the callback is a function/], [() => socket.close({ linger: NaN }), /linger is a time/],
		])) assert.throws(mistake, (e) => e instanceof TypeError && why.test(e.message), String(mistake))
		await wantEcho(socket, pion, 'it works on')
		await socket.close()
	})

	test(`${flavour}: AbortSignal, before and after`, async () => {
		const early = create({ urls: pion.url, ...pion.login, signal: AbortSignal.abort(new Error('too late')) })
		await assert.rejects(early.opened, /too late/)
		assert.equal((await early.closed).outcome, 'nothing_to_release')
		const abort = new AbortController()
		const socket = await create({ urls: pion.url, ...pion.login, signal: abort.signal }).opened
		abort.abort()
		assert.equal((await socket.closed).outcome, 'released')
		assert.equal(await pion.held(0), 0)
	})

	test(`${flavour}: await using, ref and unref`, async () => {
		const socket = create({ urls: pion.url, ...pion.login })
		assert.equal(socket.unref().ref(), socket)
		await socket.opened
		assert.equal(socket.unref().ref(), socket)
		await socket[Symbol.asyncDispose]()
		assert.equal((await socket.closed).outcome, 'released')
	})

	test(`${flavour}: an error without a listener is emitted, and one with is heard once`, async () => {
		const options = { urls: pion.proxied, ...pion.login, rto: 10, rc: 1, rm: 1 }
		await pion.fault('silence')
		const socket = create(options)
		const [error] = await once(/** @type {any} */ (socket), 'error')
		assert(error instanceof TurnError)
		await socket.closed
		await pion.fault('none')
	})

	test(`${flavour}: web streams`, async () => {
		const socket = await create({ urls: pion.url, ...pion.login }).opened
		const reader = socket.readable.getReader()
		const writer = socket.writable.getWriter()
		await writer.write({ data: 'through a stream', ...pion.echo })
		const { value } = await reader.read()
		assert.deepEqual({ ...value, data: value?.data.toString() }, { data: 'through a stream', ...pion.echo, family: 'IPv4' })
		await assert.rejects(writer.write({ data: new Uint8Array(65535), ...pion.echo }), /payload too large/)
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal((await reader.read()).done, true)
	})

	test(`${flavour}: what does not come from the server is not heard`, async () => {
		const socket = await create({ urls: pion.url, ...pion.login, localAddress: '127.0.0.1' }).opened
		const before = socket.stats.receivedMessages
		const stranger = createSocket('udp4')
		await new Promise((resolve) => stranger.send(Buffer.from('40000001', 'hex'), socket.localAddress?.port, '127.0.0.1', () => resolve(undefined)))
		await wantEcho(socket, pion, 'still well')
		assert.equal(socket.stats.receivedMessages - before, 2) // CreatePermission's answer and the echo
		stranger.close()
		await socket.close()
	})

	test(`${flavour}: two instances, many sockets`, async () => {
		const turn = await TurnInstance.load()
		const sockets = await Promise.all(Array.from({ length: 20 }, (_, i) => create({ urls: pion.url, ...pion.login, ...(i % 2 ? { turn } : {}) }).opened))
		assert.equal(turn.clients, 10)
		await Promise.all(sockets.map((s, i) => wantEcho(s, pion, `socket ${i}`)))
		assert.equal(await pion.held(20), 20)
		const verdicts = await Promise.all(sockets.map((s) => s.close()))
		assert(verdicts.every((v) => v.outcome === 'released'))
		assert.equal(await pion.held(0), 0)
		assert.equal(turn.clients, 0)
	})
}
