// Credentials that are good for a while, and the socket that takes over under others.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { timeLimited } from '../src/index.js'
import { expiryOf, Renewal } from '../src/renewal.js'
import { startPeers } from './peers/peers.js'
import { flavours } from './runtime.js'

const SECRET = 'north'

/** @param {string} name @param {number} seconds */
const rest = (name, seconds) => timeLimited(SECRET, name, new Date(Date.now() + 1000 * seconds))

/** @param {import('../src/socket.js').TurnSocket<any>} socket @param {import('./peers/peers.js').Peers} peers @param {string} text */
async function wantEcho(socket, peers, text) {
	const answer = once(/** @type {any} */ (socket), 'message')
	socket.send(text, peers.echo.port, peers.echo.address)
	assert.equal(Buffer.from((await answer)[0]).toString(), text)
}

test('timeLimited is what the draft says', async () => {
	for (const [name, want] of [['alice', '1700000000:alice'], ['', '1700000000']]) {
		for (const secret of [SECRET, Buffer.from(SECRET)]) {
			const got = await timeLimited(secret, name, new Date(1_700_000_000_999))
			assert.deepEqual(got, { username: want, credential: createHmac('sha1', SECRET).update(want).digest('base64') })
		}
	}
	for (const wrong of [() => timeLimited(SECRET, 'a', new Date(NaN)), () => timeLimited(/** @type {any} */ (1), 'a', new Date()), () => timeLimited(SECRET, /** @type {any} */ (1), new Date())]) {
		await assert.rejects(wrong, TypeError)
	}
})

test('when a credential expires', () => {
	const given = new Date(5)
	assert.equal(expiryOf({ username: '1700000000:a', expires: given }), given)
	assert.equal(expiryOf({ username: '1700000000:a' })?.getTime(), 1_700_000_000_000)
	assert.equal(expiryOf({ username: '1700000000' })?.getTime(), 1_700_000_000_000)
	for (const username of ['', 'alice', 'a:1', '0:a', '-5:a', '1e9', '9999999999999999:a', '1700000000x']) assert.equal(expiryOf({ username }), undefined, username)
})

test('a renewal is called once, and not after it was called off', async () => {
	const now = Date.now()
	/** @type {Date[]} */
	const called = []
	const due = new Date(now + 5)
	const told = new Promise((resolve) => {
		const renewal = new Renewal((until) => {
			called.push(until)
			renewal.arm(new Date(due)) // no news
			resolve(undefined)
		}, 60_000)
		renewal.arm(undefined)
		renewal.arm(new Date(now + 1e12)) // further than timers count
		renewal.arm(due)
	})
	const off = new Renewal(() => assert.fail('it was called off'), 0)
	off.arm(new Date(now + 1))
	off.end()
	off.arm(new Date(now + 2))
	new Renewal(undefined).arm(due)
	await told
	await new Promise((resolve) => new Renewal(resolve, 0).arm(new Date(Date.now() + 3)))
	assert.deepEqual(called, [due])
})

test('a credential that comes too late is asked for no more often than every ten seconds', async () => {
	let calls = 0
	const renewal = new Renewal(() => {
		renewal.arm(new Date(Date.now() + 1000 + calls++)) // less than what is left for it
	})
	renewal.arm(new Date(Date.now() + 1000))
	await new Promise((resolve) => new Renewal(resolve, 0).arm(new Date(Date.now() + 50)))
	renewal.end()
	assert.equal(calls, 1)
	assert(Date.now() - renewal.last < 10_000)
})

test('what a renewal throws or rejects with is told, and is an error', async () => {
	const boom = new Error('boom')
	const failing = [() => Promise.reject(boom), () => Promise.reject('text'), () => Promise.reject(Object.create(null)), () => { throw boom }]
	for (const renew of failing) {
		const error = await new Promise((resolve) => new Renewal(renew, 0, resolve).arm(new Date(Date.now() + 1)))
		assert(error instanceof Error && (error === boom || error.message === 'renew has failed'), String(error))
	}
})

for (const [flavour, create] of flavours) {
	const coturn = await startPeers('coturn', '--', '--use-auth-secret', `--static-auth-secret=${SECRET}`)
	const pion = await startPeers('pion', '-secret', SECRET)
	after(() => Promise.all([coturn, pion].map((p) => p.end())))

	for (const [name, peers] of /** @type {const} */ ([['coturn', coturn], ['pion', pion]])) {
		test(`${flavour}, ${name}: replace makes before it breaks`, async () => {
			const old = await create({ urls: peers.url, ...(await rest('alice', 3600)), autoPermission: false }).opened
			await old.createPermission(peers.echo.address)
			await old.bindChannel(peers.echo.port, peers.echo.address)
			const next = await old.replace(await rest('alice', 7200))
			assert.notDeepEqual(next.relayedAddress, old.relayedAddress)
			assert.notEqual(next.localAddress?.port, old.localAddress?.port)
			assert.equal(await peers.held(2), 2)
			await wantEcho(next, peers, 'from the new one')
			await wantEcho(old, peers, 'and the old one')
			assert.equal((await old.close()).outcome, 'released')
			await wantEcho(next, peers, 'after the old one')
			assert.equal((await next.close()).outcome, 'released')
			assert.equal(await peers.held(0), 0)
			await assert.rejects(old.replace(await rest('alice', 1)), /closed/)
		})

		test(`${flavour}, ${name}: what does not come to be leaves the old one as it was`, async () => {
			const old = await create({ urls: peers.url, ...(await rest('alice', 3600)) }).opened
			await assert.rejects(old.replace({ username: '1:alice', credential: 'wrong' }), /Allocate/)
			await assert.rejects(old.replace({ username: 'x' }), TypeError)
			await wantEcho(old, peers, 'as before')
			assert.equal((await old.close()).outcome, 'released')
			assert.equal(await peers.held(0), 0)
		})
	}

	test(`${flavour}: a renew that fails is mentioned, and the socket goes on`, async () => {
		for (const listens of [true, false]) {
			const boom = new Error('no credentials to be had')
			let calls = 0
			/** @type {() => void} */
			let tellCalled = () => {}
			const called = new Promise((resolve) => (tellCalled = () => resolve(undefined)))
			const renew = async () => {
				calls++
				tellCalled()
				throw boom
			}
			const socket = create({ urls: coturn.url, ...(await rest('alice', 3600)), renewBefore: 3600_000, renew })
			/** @type {Error[]} */
			const told = []
			if (listens) socket.on('error', (e) => told.push(e))
			await Promise.all([socket.opened, called])
			await new Promise((resolve) => setImmediate(resolve)) // events.once, below, would listen for errors
			await wantEcho(socket, coturn, 'as before')
			await socket.refresh()
			assert.deepEqual([calls, told], [1, listens ? [boom] : []])
			assert.equal((await socket.close()).outcome, 'released')
		}
	})

	test(`${flavour}: renew is called ahead of the expiry`, async () => {
		const began = await rest('alice', 3600)
		/** @type {Promise<Date>} */
		const called = new Promise((resolve) => {
			const socket = create({ urls: coturn.url, ...began, renewBefore: 3600_000, renew: (s, until) => resolve(s === socket ? until : new Date(0)) })
			socket.opened.then(() => called.then(() => socket.close()))
		})
		assert.equal((await called).getTime(), Number(began.username.split(':')[0]) * 1000)
		assert.equal(await coturn.held(0), 0)
		for (const wrong of [{ renew: 1 }, { renewBefore: -1 }, { expires: 5 }]) {
			assert.throws(() => create(/** @type {any} */ ({ urls: coturn.url, ...coturn.login, ...wrong })), TypeError)
		}
	})
}
