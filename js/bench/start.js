// A process that says how long it takes from the import of the package to the
// first datagram, in ms.

import { createSocket } from 'node:dgram'
import { exit, stdout } from 'node:process'

const server = createSocket('udp4')
await new Promise((resolve) => server.bind(0, '127.0.0.1', () => resolve(undefined)))
const begin = performance.now()
server.on('message', () => {
	stdout.write(`${performance.now() - begin}\n`)
	exit(0)
})
const { createTurnSocket } = await import('../src/node.js')
createTurnSocket({ urls: `turn:127.0.0.1:${server.address().port}`, username: 'user', credential: 'pass' })
