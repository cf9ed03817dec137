// Servers and networks that do what no real one does on demand: nothing is left behind, and nothing lost without need.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { deferred } from '../src/deferred.js'
import { startFake } from './peers/fake.js'
import { loseAddress } from './peers/nosend.js'
import { flavours } from './runtime.js'

/** @typedef {import('./peers/fake.js').Asked} Asked */

const isMove = (/** @type {Asked} */ a) => a.ticket && !a.release
const isRelease = (/** @type {Asked} */ a) => a.release

/** @param {(server: import('./peers/fake.js').FakeServer) => Promise<void>} f */
async function withFake(f) {
	const server = await startFake()
	try {
		await f(server)
	} finally {
		server.stop()
	}
}

for (const [flavour, create] of flavours) {
	test(`${flavour}: two moves in a row, the second refused: the allocation is released where it was`, () => withFake(async (server) => {
		const { promise: moving, resolve: moves } = deferred()
		/** @type {Set<number>} */
		const tried = new Set()
		server.whim = (a) => {
			if (!isMove(a)) return undefined
			moves(undefined)
			return tried.add(a.port).size === 1 ? 'silence' : 400
		}
		const socket = await create({ ...server.options, mobility: true }).opened
		const first = socket.rebind()
		await moving
		assert.deepEqual(await Promise.all([first, socket.rebind()]), [false, false])
		assert.ok(server.portsOf(isRelease).includes(0), 'the first port gets its release')
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(server.held.size, 0)
	}))

	test(`${flavour}: a redirecting server may hold something: the verdict says so`, () => withFake((first) => withFake(async (second) => {
		first.whim = ({ method }) => (method === 'Allocate' ? { code: 300, signed: false, alternate: second.port } : 'silence')
		const socket = await create({ ...first.options, redirect: 'any' }).opened
		const { outcome, others } = await socket.close()
		assert.equal(outcome, 'released')
		assert.deepEqual(others?.map((o) => [o.server, o.until !== undefined, o.outcome]), [[`127.0.0.1:${first.port}`, true, 'unconfirmed']])
	})))

	test(`${flavour}: closed at a 437: the release goes on from where it began`, () => withFake(async (server) => {
		let releases = 0
		server.whim = ({ method, release, port }, held) => {
			if (release) return ++releases === 1 ? 'silence' : undefined
			if (method !== 'Allocate') return undefined
			const again = held.has(port)
			held.add(port)
			return again ? 437 : 'silence' // the first copy was obeyed, and its answer lost
		}
		const socket = create({ ...server.options, linger: 5000 })
		socket.opened.catch(() => {})
		socket.on('needNewPort', () => void socket.close())
		assert.equal((await socket.closed).outcome, 'released')
		assert.equal(server.held.size, 0)
	}))

	for (const options of [{}, { localAddress: '127.0.0.2' }, { mobility: true }]) {
		test(`${flavour}: sends that fail end nothing where there is nowhere to go: ${JSON.stringify(options)}`, () => withFake(async (server) => {
			const socket = await create({ ...server.options, ...options }).opened
			const { relayedAddress, localAddress } = socket
			const heal = loseAddress(flavour, { ...options, port: /** @type {number} */ (localAddress?.port) })
			try {
				socket.send('lost', 4000, '203.0.113.9')
				await assert.rejects(socket.refresh())
			} finally {
				heal()
			}
			assert.deepEqual([socket.phase, socket.relayedAddress, socket.localAddress], ['allocated', relayedAddress, localAddress])
			await socket.refresh()
			assert.equal((await socket.close()).outcome, 'released')
			assert.equal(server.held.size, 0)
		}))
	}

	test(`${flavour}: with mobility the address that was chosen is left when it is gone`, () => withFake(async (server) => {
		const socket = await create({ ...server.options, mobility: true, localAddress: '127.0.0.2' }).opened
		const heal = loseAddress(flavour, /** @type {{address: string, port: number}} */ (socket.localAddress))
		try {
			const rebound = once(/** @type {any} */ (socket), 'rebound')
			socket.send('lost', 4000, '203.0.113.9')
			await rebound
		} finally {
			heal()
		}
		assert.notEqual(socket.localAddress?.address, '127.0.0.2')
		assert.equal((await socket.close()).outcome, 'released')
	}))

	test(`${flavour}: closed by who hears of the allocation: nothing of it comes back`, () => withFake(async (server) => {
		/** @type {string[]} */
		const told = []
		const socket = create({ ...server.options, expires: new Date(Date.now() + 1000), renew: () => void told.push('renew') })
		socket.opened.catch(() => {})
		socket.on('listening', () => told.push('listening')).on('allocated', () => void socket.close())
		assert.equal((await socket.closed).outcome, 'released')
		assert.throws(() => socket.address(), /closed|no relayed address/)
		await assert.rejects(socket.replace({ username: 'alice', credential: 'secret' }), { kind: 'closed' })
		assert.equal(server.held.size, 0)
		await new Promise((resolve) => void socket.close(() => resolve(undefined)))
		assert.deepEqual(told, [])
	}))

	test(`${flavour}: a credential that is set at the last moment calls nobody`, () => withFake(async (server) => {
		let calls = 0
		const socket = await create({ ...server.options, renew: () => void calls++ }).opened
		const set = socket.setCredentials('alice', 'secret', new Date(Date.now() + 1))
		await socket.close()
		await set.catch(() => {})
		await new Promise((resolve) => setTimeout(resolve, 20))
		assert.equal(calls, 0)
	}))

	test(`${flavour}: closed while another takes its place: neither stays`, () => withFake(async (server) => {
		const socket = await create(server.options).opened
		const next = socket.replace({ username: 'alice', credential: 'secret' })
		await Promise.all([socket.close(), assert.rejects(next, { kind: 'closed' })])
		assert.equal(server.held.size, 0)
	}))

	test(`${flavour}: closed by who hears of the refusal: no error after that`, () => withFake(async (server) => {
		server.whim = ({ method }) => (method === 'Allocate' ? 403 : undefined)
		const socket = create(server.options)
		/** @type {string[]} */
		const told = []
		socket.on('error', () => told.push('error')).on('close', () => told.push('close'))
		socket.on('allocateFailed', () => void socket.close())
		await assert.rejects(socket.opened)
		await socket.closed
		assert.deepEqual(told, ['close'])
	}))

	test(`${flavour}: aborted, everybody is told why`, () => withFake(async (server) => {
		const giveUp = new AbortController()
		const socket = await create({ ...server.options, signal: giveUp.signal }).opened
		server.whim = ({ release }) => (release ? undefined : 'silence')
		const waiting = socket.createPermission('203.0.113.9')
		const why = new Error('the call is over')
		giveUp.abort(why)
		await assert.rejects(waiting, why)
		await assert.rejects(socket.refresh(), why)
		await socket.closed
	}))

	test(`${flavour}: names of SRV records that hang, and a resolver that throws`, () => withFake(async (server) => {
		const services = ['hang.test', 'good.test'].map((name, priority) => ({ name, priority, weight: 0, port: server.port }))
		const never = new Promise(() => {})
		const resolver = {
			resolveSrv: async () => services,
			resolve4: async (/** @type {string} */ name) => (name === 'good.test' ? ['127.0.0.1'] : never),
			resolve6: () => never,
		}
		const socket = await create({ ...server.options, urls: 'turn:example.test', resolver: /** @type {any} */ (resolver) }).opened
		assert.equal((await socket.close()).outcome, 'released')
		const throws = { ...resolver, resolveSrv: () => { throw new Error('no') }, resolve4: async () => ['127.0.0.1'] }
		const urls = [`turn:127.0.0.1:${server.port}`, 'turn:good.test']
		const other = await create({ ...server.options, urls, resolver: /** @type {any} */ (throws) }).opened
		assert.equal((await other.close()).outcome, 'released')
	}))
}
