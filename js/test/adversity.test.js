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
}
