// The local address goes away under a socket: the allocation moves by itself.

import assert from 'node:assert/strict'
import { Socket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { isLocalGone } from '../src/local.js'
import { startPeers } from './peers/peers.js'
import { flavours } from './runtime.js'

/** @param {string} code */
const failure = (code) => Object.assign(new Error(`send ${code}`), { code, syscall: 'send' })

test('which errors of a send say that the local address is gone', async () => {
	for (const code of ['EADDRNOTAVAIL', 'ENETUNREACH', 'ENETDOWN']) assert.equal(await isLocalGone(failure(code), '127.0.0.1'), true, code)
	for (const code of ['EINVAL', 'UNKNOWN']) {
		assert.equal(await isLocalGone(failure(code), '127.0.0.1'), false)
		assert.equal(await isLocalGone(failure(code), '192.0.2.1'), true)
		assert.equal(await isLocalGone(failure(code), '2001:db8::1'), true)
	}
	for (const code of ['ECONNREFUSED', 'EHOSTUNREACH', 'EMSGSIZE', 'EPERM', 'ENOBUFS']) assert.equal(await isLocalGone(failure(code), '192.0.2.1'), false, code)
	assert.equal(await isLocalGone(undefined, '192.0.2.1'), false)
})

/**
 * Has the sends of the local port fail until the test is over.
 * @param {string} flavour
 * @param {number} port
 * @param {string} code
 */
function failSends(flavour, port, code) {
	if (flavour === 'bun') return failBunSends(port, code)
	const send = Socket.prototype.send
	/** @this {any} @param {any[]} args */
	function failing(...args) {
		if (this.address().port !== port) return send.apply(this, /** @type {any} */ (args))
		const callback = args.at(-1)
		if (typeof callback === 'function') queueMicrotask(() => callback(failure(code)))
	}
	Socket.prototype.send = /** @type {any} */ (failing)
	return () => void (Socket.prototype.send = send)
}

/** Bun's sockets are all of one class. @param {number} port @param {string} code */
function failBunSends(port, code) {
	const proto = /** @type {any} */ (bunSockets)
	const { send, sendMany } = proto
	for (const [name, f] of Object.entries({ send, sendMany })) {
		proto[name] = function (/** @type {unknown[]} */ ...args) {
			if (this.port === port) throw failure(code)
			return f.apply(this, args)
		}
	}
	return () => Object.assign(proto, { send, sendMany })
}

const probe = 'Bun' in globalThis ? await /** @type {any} */ (globalThis).Bun.udpSocket({}) : undefined
const bunSockets = probe && Object.getPrototypeOf(probe)
probe?.close()

for (const [flavour, create] of flavours) {
	const mobile = await startPeers('coturn', '--', '--mobility')
	const plain = await startPeers('pion')
	after(() => Promise.all([mobile, plain].map((p) => p.end())))

	for (const [how, tell] of /** @type {const} */ ([
		['a request', (/** @type {import('../src/socket.js').TurnSocket<any>} */ s) => void s.refresh().catch(() => {})],
		['a payload', (/** @type {import('../src/socket.js').TurnSocket<any>} */ s) => s.send('lost', mobile.echo.port, mobile.echo.address)],
	])) {
		test(`${flavour}: ${how} that cannot be sent moves the allocation`, async () => {
			const socket = await create({ urls: mobile.url, ...mobile.login, mobility: true }).opened
			await socket.bindChannel(mobile.echo.port, mobile.echo.address)
			const { relayedAddress, localAddress } = socket
			const heal = failSends(flavour, /** @type {number} */ (localAddress?.port), 'EADDRNOTAVAIL')
			try {
				const rebound = once(/** @type {any} */ (socket), 'rebound')
				tell(socket)
				await rebound
			} finally {
				heal()
			}
			assert.deepEqual(socket.relayedAddress, relayedAddress)
			assert.notEqual(socket.localAddress?.port, localAddress?.port)
			const answer = once(/** @type {any} */ (socket), 'message')
			socket.send('from elsewhere', mobile.echo.port, mobile.echo.address)
			assert.equal(Buffer.from((await answer)[0]).toString(), 'from elsewhere')
			assert.equal((await socket.close()).outcome, 'released')
			assert.equal(await mobile.held(0), 0)
		})
	}

	test(`${flavour}: what routers say of a datagram, a long one for one, ends nothing`, async (t) => {
		const socket = await create({ urls: plain.url, ...plain.login }).opened
		await socket.bindChannel(plain.echo.port, plain.echo.address)
		for (let code = 0; code < 16; code++) {
			if (!(await plain.icmp(code, /** @type {number} */ (socket.localAddress?.port)))) return t.skip('no raw sockets here')
			const answer = once(/** @type {any} */ (socket), 'message')
			const send = () => socket.send(`${code}`, plain.echo.port, plain.echo.address)
			const again = setInterval(send, 100) // the first may meet the error, and is lost then
			send()
			await answer.finally(() => clearInterval(again))
		}
		await socket.refresh()
		assert.equal((await socket.close()).outcome, 'released')
	})

	test(`${flavour}: a datagram that the system refuses for its own reasons is lost, and no more`, async () => {
		const socket = await create({ urls: plain.url, ...plain.login }).opened
		const heal = failSends(flavour, /** @type {number} */ (socket.localAddress?.port), 'EPERM')
		socket.send('lost', plain.echo.port, plain.echo.address)
		const refreshed = socket.refresh()
		heal()
		await refreshed // it is sent again
		assert.equal(socket.phase, 'allocated')
		assert.equal((await socket.close()).outcome, 'released')
	})
}
