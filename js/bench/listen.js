// A relayed socket over Deno.listenDatagram, to see whether the package should
// have one: node:dgram is what it uses in Deno.

import { find } from '../src/places.js'
import { TurnSocket } from '../src/socket.js'
import { onlyFrom } from '../src/udp.js'

/** @param {import('../src/options.js').TurnSocketOptions} options */
export const createTurnSocket = (options) => new TurnSocket(options, { carriers: ['udp'], find, open })

/** @type {import('../src/transport.js').Platform['open']} */
async function open(server, local, receiver) {
	const { Deno } = /** @type {any} */ (globalThis)
	const socket = Deno.listenDatagram({ transport: 'udp', hostname: local.address ?? '0.0.0.0', port: local.port })
	const to = { transport: 'udp', hostname: server.address, port: server.port }
	const isServer = onlyFrom(server)
	void (async () => {
		for await (const [data, from] of socket) if (isServer(from.port, from.hostname)) receiver.received(data)
	})()
	return {
		local: { address: socket.addr.hostname, port: socket.addr.port },
		send: (data) => void socket.send(data.slice(), to).catch(() => {}),
		close: () => socket.close(),
	}
}
