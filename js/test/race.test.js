// Servers of several addresses: where they are looked for, and which is taken.

import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { formatAddress } from '../src/address.js'
import { TurnError } from '../src/index.js'
import { find, ordered } from '../src/places.js'
import { parseURLs } from '../src/uri.js'
import { Names } from './names.js'
import { startPeers } from './peers/peers.js'
import { flavours } from './runtime.js'

/** @typedef {{address: string, port: number}} Place */

/** @param {string} url @param {Names} resolver @param {string} [localAddress] */
async function placesOf(url, resolver, localAddress) {
	const [target] = parseURLs(url, ['udp', 'tcp', 'tls'], (t) => t)
	const groups = await find(target, { urls: url, resolver, localAddress }, new AbortController().signal)
	const answers = await Promise.allSettled(groups)
	const found = answers.flatMap((a) => (a.status === 'fulfilled' ? a.value : []))
	for (const a of answers) if (found.length === 0 && a.status === 'rejected') throw a.reason
	return found.map(formatAddress)
}

/** @param {string} text @returns {Place} */
function at(text) {
	const [, address, port] = /^\[?(.*?)\]?:(\d+)$/.exec(text) ?? []
	return { address, port: Number(port) }
}

test('places: SRV records where the URI has no port, else addresses', async () => {
	const names = new Names()
		.serve('_turn._udp.example.test', 20, 'b.test', at('192.0.2.20:5020'))
		.serve('_turn._udp.example.test', 10, 'a.test', at('192.0.2.10:5010'))
		.serve('_turn._tcp.example.test', 0, 'tcp.test', at('192.0.2.30:5030'))
		.serve('_turns._tcp.example.test', 0, 'tls.test', at('[2001:db8::40]:5040'))
	names.hosts.set('example.test', ['192.0.2.99']).set('plain.test', ['192.0.2.1', '192.0.2.2', '2001:db8::1']).set('single', ['192.0.2.8'])
	for (const [url, ...want] of [
		['turn:example.test', '192.0.2.10:5010', '192.0.2.20:5020'], ['turn:EXAMPLE.test.', '192.0.2.10:5010', '192.0.2.20:5020'],
		['turn:example.test?transport=tcp', '192.0.2.30:5030'], ['turns:example.test', '[2001:db8::40]:5040'],
		['turn:example.test:1234', '192.0.2.99:1234'], ['turn:192.0.2.7', '192.0.2.7:3478'], ['turns:[2001:db8::7]:443', '[2001:db8::7]:443'],
		['turn:plain.test', '[2001:db8::1]:3478', '192.0.2.1:3478', '192.0.2.2:3478'], ['turns:plain.test', '[2001:db8::1]:5349', '192.0.2.1:5349', '192.0.2.2:5349'],
		['turn:single', '192.0.2.8:3478'],
	]) assert.deepEqual(await placesOf(url, names), want, url)
	assert(!names.asked.some((name) => name.includes('single') || name.includes('192.0.2')))
	assert.deepEqual(await placesOf('turn:plain.test', names, '2001:db8::9'), ['[2001:db8::1]:3478'])
	await assert.rejects(placesOf('turn:single', names, '2001:db8::9'), /no address of the local address's family/)
})

test('places: none', async () => {
	const names = new Names().serve('_turn._udp.dangling.test', 0, 'nowhere.test', at('192.0.2.1:1'))
	names.hosts.delete('nowhere.test')
	names.hosts.set('none.test', ['192.0.2.1']).set('strange.test', ['not an address'])
	for (const root of ['.', '']) {
		names.services.set('_turn._udp.none.test', [{ priority: 0, weight: 0, port: 0, name: root }])
		await assert.rejects(placesOf('turn:none.test', names), /its SRV record says so/)
	}
	assert.deepEqual(await placesOf('turn:none.test:3478', names), ['192.0.2.1:3478'])
	for (const [url, why] of /** @type {[string, RegExp][]} */ ([['turn:dangling.test', /nowhere\.test/], ['turn:missing.test', /missing\.test/], ['turn:strange.test:1', /has no address/]])) {
		await assert.rejects(placesOf(url, names), why)
	}
})

test('places: eight of them, in the order of their weights', async () => {
	const names = new Names()
	for (let i = 19; i >= 0; i--) names.serve('_turn._udp.many.test', i, `h${i}.test`, at(`192.0.2.${i}:${1000 + i}`))
	names.hosts.set('crowd.test', Array.from({ length: 20 }, (_, i) => `192.0.2.${i}`))
	for (const url of ['turn:many.test', 'turn:crowd.test']) {
		const found = await placesOf(url, names)
		assert.deepEqual(found.map((p) => p.split(':')[0]), Array.from({ length: 8 }, (_, i) => `192.0.2.${i}`))
	}
	const weighed = [['a', 1, 0], ['b', 1, 10], ['c', 1, 30], ['d', 0, 0]].map(([name, priority, weight]) => ({ name, priority, weight, port: 1 }))
	const orderOf = (/** @type {number} */ chance) => ordered(/** @type {any} */ (weighed), () => chance).map((r) => r.name).join('')
	assert.deepEqual([orderOf(0), orderOf(0.2), orderOf(0.9999)], ['dabc', 'dbca', 'dcba'])
})

/** An address where a socket hears, and answers nothing. */
async function silence() {
	const socket = createSocket('udp4')
	socket.bind(0, '127.0.0.1')
	await once(socket, 'listening')
	return { ...at(`127.0.0.1:${socket.address().port}`), heard: once(socket, 'message'), end: () => new Promise((resolve) => socket.close(() => resolve(undefined))) }
}

/** An address where no socket is. */
async function desert() {
	const { end, address, port } = await silence()
	await end()
	return { address, port }
}

/** A proxy that keeps a server's Allocate success until it is told. @param {Place} server */
async function slowed(server) {
	const front = createSocket('udp4')
	const back = createSocket('udp4')
	/** @type {(() => void)[]} */
	const kept = []
	let client = 0
	let slow = true
	/** @type {() => void} */
	let tellKept = () => {}
	const whenKept = new Promise((resolve) => (tellKept = () => resolve(undefined)))
	front.on('message', (data, from) => {
		client = from.port
		back.send(data, server.port, server.address)
	})
	back.on('message', (data) => {
		const pass = () => front.send(data, client, '127.0.0.1')
		if (!slow || data.readUInt16BE(0) !== 0x0103) return pass()
		kept.push(pass)
		tellKept()
	})
	for (const s of [front, back]) {
		s.bind(0, '127.0.0.1')
		await once(s, 'listening')
	}
	return {
		...at(`127.0.0.1:${front.address().port}`), whenKept,
		letGo: () => {
			slow = false
			for (const pass of kept) pass()
		},
		end: () => [front, back].forEach((s) => s.close()),
	}
}

/** @param {...Place} places a name leads to, in this order */
function raced(...places) {
	const resolver = new Names()
	places.forEach((p, i) => resolver.serve('_turn._udp.race.test', i, `h${i}.test`, p))
	return { urls: 'turn:race.test', resolver }
}

for (const [flavour, create] of flavours) {
	const pion = await startPeers('pion')
	const coturn = await startPeers('coturn')
	after(() => Promise.all([pion, coturn].map((p) => p.end())))
	const login = pion.login
	const [fast, other] = [pion, coturn].map((p) => at(p.url.slice('turn:'.length)))

	test(`${flavour}: the URIs are tried in their order, though a name takes a while`, async () => {
		const names = new Names()
		names.hosts.set('slow.test', ['127.0.0.1'])
		const slow = { resolveSrv: (/** @type {string} */ n) => names.resolveSrv(n), resolve4: (/** @type {string} */ n) => new Promise((r) => setImmediate(r)).then(() => names.resolve4(n)), resolve6: (/** @type {string} */ n) => names.resolve6(n) }
		const dead = [createSocket('udp4').bind(0, '127.0.0.1'), createSocket('udp4').bind(0, '127.0.0.1')]
		await Promise.all(dead.map((d) => once(d, 'listening')))
		const first = Promise.race(dead.map((d, i) => once(d, 'message').then(() => i)))
		const [a, b] = dead.map((d) => d.address().port)
		const socket = create({ urls: [`turn:slow.test:${a}`, `turn:127.0.0.1:${b}`], username: 'u', credential: 'p', resolver: slow })
		socket.opened.catch(() => {})
		const which = await first
		await socket.close({ linger: 0 })
		for (const d of dead) d.close()
		assert.equal(which, 0)
	})

	test(`${flavour}: a resolver that closes the socket and does not answer`, async () => {
		/** @type {import('../src/socket.js').TurnSocket<any> | undefined} */
		let socket
		const hang = () => {
			void socket?.close()
			return new Promise(() => {})
		}
		socket = create({ urls: 'turn:hang.test:1', username: 'u', credential: 'p', resolver: { resolveSrv: hang, resolve4: hang, resolve6: hang } })
		socket.opened.catch(() => {})
		assert.equal((await socket.closed).outcome, 'nothing_to_release')
	})

	test(`${flavour}: a name that nobody answers for does not hold up the URI behind it`, async () => {
		const names = new Names()
		names.mute.add('hang.test')
		const dead = createSocket('udp4').bind(0, '127.0.0.1')
		await once(dead, 'listening')
		const asked = once(dead, 'message')
		const socket = create({ urls: ['turn:hang.test:1', `turn:127.0.0.1:${dead.address().port}`], username: 'u', credential: 'p', resolver: names })
		socket.opened.catch(() => {})
		await asked
		assert.equal((await socket.close({ linger: 0 })).outcome, 'abandoned') // the Allocate is under way
		await new Promise((resolve) => dead.close(() => resolve(undefined)))
	})

	test(`${flavour}: another address answers`, async () => {
		const silent = await silence()
		for (const first of [silent, await desert()]) {
			const socket = await create({ ...raced(first, fast), ...login, linger: 100 }).opened
			assert.equal(socket.server.port, fast.port)
			assert.equal(await pion.held(1), 1)
			const verdict = await socket.close()
			assert.equal(verdict.outcome, 'released')
			const others = verdict.others?.map((o) => [o.server, o.outcome]) // one that hears may grant
			if (first === silent) assert.deepEqual(others, [[formatAddress(first), 'unconfirmed']])
			assert.equal(await pion.held(0), 0)
		}
		await silent.end()
	})

	test(`${flavour}: what the losers have allocated is released before the socket is closed`, async () => {
		const slow = await slowed(other)
		const socket = create({ ...raced(slow, fast), ...login, linger: 5000 })
		let allocated = 0
		socket.on('allocated', () => allocated++)
		await Promise.all([socket.opened, slow.whenKept])
		assert.equal(socket.server.port, fast.port)
		assert.equal(await coturn.held(1), 1) // before the loser hears of it
		let settled = false
		const closed = socket.close().finally(() => (settled = true))
		assert.equal(await pion.held(0), 0)
		assert.equal(settled, false)
		slow.letGo()
		const verdict = await closed
		assert.deepEqual([verdict.outcome, verdict.others], ['released', undefined])
		assert.deepEqual([await pion.held(0), await coturn.held(0), allocated], [0, 0, 1]) // coturn counts a little later
		slow.end()
	})

	test(`${flavour}: the losers are released while the winner lives`, async () => {
		const slow = await slowed(other)
		const socket = create({ ...raced(slow, fast), ...login, linger: 5000 })
		await Promise.all([socket.opened, slow.whenKept])
		slow.letGo()
		assert.deepEqual([await coturn.held(0), await pion.held(), socket.phase], [0, 1, 'allocated'])
		assert.equal((await socket.close()).others, undefined)
		slow.end()
	})

	test(`${flavour}: none answers, and the error tells what was tried`, async () => {
		const [one, two] = [await desert(), await desert()]
		const socket = create({ ...raced(one, two), ...login, rto: 50, rc: 2, rm: 2 })
		const error = await socket.opened.then(() => assert.fail('it is refused'), (e) => e)
		assert(error instanceof TurnError && error.kind === 'request' && error.method === 'Allocate', String(error))
		assert(error.message.includes(`${formatAddress(one)}: Allocate: `) && error.message.includes(`; ${formatAddress(two)}: Allocate: `), error.message)
		assert.equal(/** @type {AggregateError} */ (error.cause).errors.length, 2)
		await socket.closed
		const nowhere = create({ urls: ['turn:a.missing.test', 'turn:b.missing.test'], resolver: new Names(), ...login })
		await assert.rejects(nowhere.opened, (e) => e instanceof TurnError && e.kind === 'transport' && /a\.missing.*; b\.missing/.test(e.message))
		assert.equal((await nowhere.closed).outcome, 'nothing_to_release')
	})

	test(`${flavour}: a race that is closed, or aborted, leaves nothing`, async () => {
		for (const end of /** @type {const} */ (['close', 'abort'])) {
			const slow = await slowed(other)
			const slower = await slowed(fast)
			const abort = new AbortController()
			const socket = create({ ...raced(slow, slower), ...login, linger: 5000, signal: abort.signal })
			const opened = assert.rejects(socket.opened)
			await Promise.all([slow.whenKept, slower.whenKept])
			if (end === 'close') void socket.close()
			else abort.abort()
			slow.letGo()
			slower.letGo()
			assert.equal((await socket.closed).outcome, 'released')
			await opened
			assert.deepEqual([await pion.held(0), await coturn.held(0)], [0, 0])
			for (const s of [slow, slower]) s.end()
		}
	})

	test(`${flavour}: closed the moment that one of them is allocating, or allocated`, async () => {
		const silent = await silence()
		for (const phase of /** @type {const} */ (['new', 'allocating', 'authenticated', 'allocated'])) {
			const socket = create({ ...raced(silent, fast, other), ...login, linger: 100 })
			socket.opened.catch(() => {})
			socket.closeAt(phase)
			await socket.closed
			assert.deepEqual([await pion.held(0), await coturn.held(0)], [0, 0], phase)
		}
		await silent.end()
	})

	test(`${flavour}: closed while its name is looked up`, async () => {
		const { urls, resolver } = raced(fast)
		resolver.mute.add('_turn._udp.race.test')
		const socket = create({ urls, resolver, ...login })
		socket.opened.catch(() => {})
		while (resolver.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
		assert.equal((await socket.close()).outcome, 'nothing_to_release')
	})

	test(`${flavour}: the caller's own port: one after the other`, async () => {
		const { port: localPort } = await desert()
		const own = { localAddress: '127.0.0.1', localPort, rto: 50, rc: 2, rm: 2, linger: 200 }
		const socket = await create({ ...raced(await desert(), fast), ...login, ...own }).opened
		assert.deepEqual([socket.localAddress?.port, socket.server.port], [localPort, fast.port])
		assert.equal((await socket.close()).outcome, 'released')
		assert.equal(await pion.held(0), 0)
	})

	test(`${flavour}: several URIs, one after the other`, async () => {
		const gone = `turn:${formatAddress(await desert())}?transport=tcp`
		const socket = await create({ urls: ['turn:missing.test', gone, 'turns:127.0.0.1?transport=udp', pion.url, pion.url], resolver: new Names(), ...login }).opened
		assert.equal(socket.server.port, fast.port)
		await socket.createPermission(pion.echo.address)
		const answer = once(/** @type {any} */ (socket), 'message')
		socket.send('hello', pion.echo.port, pion.echo.address)
		assert.equal((await answer)[0].toString(), 'hello')
		const { outcome, others } = await socket.close()
		assert.deepEqual([outcome, others, await pion.held(0)], ['released', undefined, 0])
	})

	test(`${flavour}: the certificate is the URI's host's, whatever its SRV record names`, async () => {
		const resolver = new Names().serve('_turns._tcp.turn.test', 0, 'elsewhere.example', at(pion.tls.slice('turns:'.length)))
		const socket = await create({ urls: 'turns:turn.test', resolver, ...login, ca: pion.ca }).opened
		assert.equal((await socket.close()).outcome, 'released')
		resolver.services.set('_turns._tcp.elsewhere.example', resolver.services.get('_turns._tcp.turn.test') ?? [])
		await assert.rejects(create({ urls: 'turns:elsewhere.example', resolver, ...login, ca: pion.ca }).opened, /^TurnError: TLS with /)
		assert.equal(await pion.held(0), 0)
	})
}

test('a resolver that is none', () => {
	for (const resolver of [null, {}, 7]) assert.throws(() => flavours[0][1]({ urls: 'turn:a.test', resolver: /** @type {any} */ (resolver) }), /resolver has resolveSrv/)
})
