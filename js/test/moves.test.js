// What becomes of a socket that goes elsewhere: to another local port, to the
// server that a 300 names.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { Trail } from '../src/redirect.js'
import { startPeers } from './peers/peers.js'
import { flavours } from './runtime.js'

/** @param {import('../src/socket.js').TurnSocket<any>} socket @param {import('./peers/peers.js').Peers} peers @param {string} text */
async function wantEcho(socket, peers, text) {
	const answer = once(/** @type {any} */ (socket), 'message')
	socket.send(text, peers.echo.port, peers.echo.address)
	const [msg] = await answer
	assert.equal(Buffer.from(msg).toString(), text)
}

for (const [flavour, create] of flavours) {
	const mobile = await startPeers('coturn', '--', '--mobility')
	const there = await startPeers('coturn')
	const here = await startPeers('coturn', '--', `--alternate-server=${there.url.slice('turn:'.length)}`)
	after(() => Promise.all([mobile, there, here].map((p) => p.end())))

	test(`${flavour}: rebind keeps the relayed address where the server has mobility`, async () => {
		const socket = await create({ urls: mobile.url, ...mobile.login, mobility: true }).opened
		const { relayedAddress, localAddress } = socket
		await socket.bindChannel(mobile.echo.port, mobile.echo.address)
		await wantEcho(socket, mobile, 'before')
		const rebound = once(/** @type {any} */ (socket), 'rebound')
		assert.equal(await socket.rebind(), true)
		await rebound
		assert.deepEqual(socket.relayedAddress, relayedAddress)
		assert.notEqual(socket.localAddress?.port, localAddress?.port)
		await wantEcho(socket, mobile, 'after')
		assert.equal(await socket.rebind(), true)
		await wantEcho(socket, mobile, 'and again')
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await mobile.held(0), 0)
	})

	test(`${flavour}: rebind makes a new allocation where it has not`, async () => {
		const socket = await create({ urls: there.url, ...there.login, mobility: true }).opened
		await socket.createPermission(there.echo.address)
		const { localAddress } = socket
		const failed = once(/** @type {any} */ (socket), 'rebindFailed')
		assert.equal(await socket.rebind(), false)
		assert.match((await failed)[0].reason, /mobility/)
		assert.notEqual(socket.localAddress?.port, localAddress?.port)
		await wantEcho(socket, there, 'through the new one')
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await there.held(0), 0)
	})

	// coturn 4.6 answers bytes that are no STUN, on which the new stream ends.
	test(`${flavour}: rebind over TCP goes on, with the relayed address or with another`, async () => {
		const socket = await create({ urls: mobile.tcp, ...mobile.login, mobility: true }).opened
		await socket.bindChannel(mobile.echo.port, mobile.echo.address)
		const { relayedAddress, localAddress } = socket
		const moved = await socket.rebind()
		assert.equal(moved, socket.relayedAddress?.port === relayedAddress?.port)
		assert.notEqual(socket.localAddress?.port, localAddress?.port)
		await wantEcho(socket, mobile, 'after')
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await mobile.held(0), 0)
	})

	test(`${flavour}: a move that nobody answers ends with the close`, async () => {
		const socket = await create({ urls: mobile.proxied, ...mobile.login, mobility: true, rto: 50 }).opened
		await mobile.fault('silence')
		const moved = assert.rejects(socket.rebind(), /closed/)
		assert.equal((await socket.close({ linger: 100 })).outcome, 'unconfirmed')
		await moved
		await mobile.fault('none')
	})

	test(`${flavour}: a 300 is followed as the policy says`, async () => {
		const error = await create({ urls: here.url, ...here.login }).opened.then(() => assert.fail('it is refused'), (e) => e)
		assert.deepEqual([error.code, error.signed], [300, false]) // coturn signs none
		const socket = create({ urls: here.url, ...here.login, redirect: 'any' })
		const [told] = await once(/** @type {any} */ (socket), 'redirected')
		await socket.opened
		assert.deepEqual(socket.server, { address: told.peer.address, port: told.peer.port, family: 'IPv4' })
		assert.equal(`turn:${told.peer.address}:${told.peer.port}`, there.url)
		await wantEcho(socket, there, 'over there')
		assert.equal(await there.held(1), 1)
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await there.held(0), 0)
		assert.equal(await here.held(), 0)
	})

	test(`${flavour}: a 300 that is followed, closed on the way`, async () => {
		for (const soon of [(/** @type {() => void} */ f) => f(), queueMicrotask, setImmediate, (/** @type {() => void} */ f) => setTimeout(f, 1)]) {
			const socket = create({ urls: here.url, ...here.login, redirect: 'any' })
			socket.opened.catch(() => {})
			socket.on('redirected', () => soon(() => void socket.close()))
			const { outcome } = await socket.closed
			assert(['nothing_to_release', 'released'].includes(outcome), outcome)
			await assert.rejects(socket.refresh(), /closed/)
			assert.equal(await there.held(0), 0)
		}
	})

	test(`${flavour}: both families, from a server that has one`, async () => {
		const socket = await create({ urls: there.url, ...there.login, family: 'both', keepalive: 1000 }).opened
		assert.equal(socket.relayedAddress?.family, 'IPv4')
		assert.equal(socket.additionalAddress, undefined)
		assert.equal((await socket.close()).outcome, 'released')
	})
}

test('redirects: three hops, no circle, nothing inside from outside', () => {
	const at = (/** @type {string} */ address, port = 3478) => ({ address, port })
	const trail = new Trail('signed')
	assert.equal(trail.follows(at('198.51.100.1'), at('198.51.100.2'), false), false)
	assert.equal(trail.follows(at('198.51.100.1'), at('10.0.0.1'), true), false)
	for (const inside of ['127.0.0.1', '192.168.1.1', '172.16.0.1', '169.254.1.1', '0.0.0.0', '::1', 'fe80::1', 'fd00::1', '::ffff:10.0.0.1', 'ff02::1', '224.0.0.1', '100.64.0.1', '100.100.100.200', '198.18.0.1', '192.0.0.8', '240.0.0.1', 'fec0::1', '64:ff9b::7f00:1', '64:ff9b::a00:1', '64:ff9b:1::808:808', '2002:7f00:1::1', '::127.0.0.1']) {
		assert.equal(trail.follows(at('198.51.100.1'), at(inside), true), false, inside)
	}
	assert.equal(trail.follows(at('198.51.100.1'), at('198.51.100.1'), true), false)
	assert.equal(trail.follows(at('198.51.100.1'), at('198.51.100.2'), true), true)
	assert.equal(trail.follows(at('198.51.100.2'), at('198.51.100.1'), true), false)
	assert.equal(trail.follows(at('198.51.100.2'), at('198.51.100.3'), true), true)
	assert.equal(trail.follows(at('198.51.100.3'), at('198.51.100.4'), true), true)
	assert.equal(trail.follows(at('198.51.100.4'), at('198.51.100.5'), true), false)
	assert.equal(new Trail('any').follows(at('127.0.0.1'), at('127.0.0.1', 3479), false), true)
	assert.equal(new Trail('none').follows(at('127.0.0.1'), at('127.0.0.1', 3479), true), false)
})
