// turnwasm/web in Deno, which has WebTransport and no page.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { TurnError } from '../../src/index.js'
import { createTurnSocket } from '../../src/web.js'
import { startBridge } from '../peers/bridge.js'
import { startPeers } from '../peers/peers.js'

const peers = await startPeers('coturn')
const bridge = await startBridge('-origin', 'none', '-server', peers.url)
after(() => Promise.all([bridge.end(), peers.end()]))

const options = { bridge: bridge.url, serverCertificateHashes: bridge.hashes, urls: peers.url, ...peers.login }

test('web: echoes of every size over the bridge, then released', async () => {
	const socket = await createTurnSocket(options).opened
	assert.equal(await peers.held(1), 1)
	for (const size of [1, 1000, 1200, 1280, 1400, 9000]) {
		const answer = once(/** @type {any} */ (socket), 'message')
		socket.send(new Uint8Array(size).fill(size), peers.echo.port, peers.echo.address)
		const [message, from] = await answer
		assert.deepEqual(message, new Uint8Array(size).fill(size))
		assert.deepEqual(from, { ...peers.echo, family: 'IPv4', size })
	}
	assert.equal((await socket.close()).outcome, 'released')
	assert.equal(await peers.held(0), 0)
})

test('web: a server that is not on the list', async () => {
	const error = await createTurnSocket({ ...options, urls: 'turn:192.0.2.1' }).opened.catch((e) => e)
	assert(error instanceof TurnError)
	assert.deepEqual([error.kind, error.code], ['bridge', 404])
})
