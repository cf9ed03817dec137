// The local address goes away under a socket: the allocation moves by itself.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { isLocalGone } from '../src/local.js'
import { failSends, failure } from './peers/nosend.js'
import { startPeers } from './peers/peers.js'
import { flavours } from './runtime.js'

const server = { address: '127.0.0.1', port: 9 }

test('which errors of a send say that the local address is gone', async () => {
	for (const code of ['EADDRNOTAVAIL', 'ENETDOWN']) assert.equal(await isLocalGone(failure(code), '127.0.0.1', server), true, code)
	for (const code of ['EINVAL', 'UNKNOWN', 'ENETUNREACH']) {
		assert.equal(await isLocalGone(failure(code), '127.0.0.1', server), false)
		assert.equal(await isLocalGone(failure(code), '192.0.2.1', server), true)
		assert.equal(await isLocalGone(failure(code), '2001:db8::1', server), true)
	}
	for (const code of ['ECONNREFUSED', 'EHOSTUNREACH', 'EMSGSIZE', 'EPERM', 'ENOBUFS']) assert.equal(await isLocalGone(failure(code), '192.0.2.1', server), false, code)
	assert.equal(await isLocalGone(undefined, '192.0.2.1', server), false)
})

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
