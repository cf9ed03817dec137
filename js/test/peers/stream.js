// A TCP proxy in front of a server, which does to streams what networks do.

import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/**
 * @typedef {object} StreamProxy
 * @property {string} url turn: to it, over TCP
 * @property {string} host its address and port
 * @property {(cut: boolean) => void} cut each byte comes alone from here on
 * @property {(stall: boolean) => void} stall reads nothing of what clients send from here on, or goes on
 * @property {(bytes: Uint8Array) => void} inject sends clients what the server has not sent
 * @property {() => void} break ends all connections
 * @property {() => void} finish ends them as a server does that has nothing more to say
 * @property {() => number} connections how many there were
 * @property {() => Promise<void>} idle settles when no client is connected
 * @property {() => Promise<void>} end
 */

/**
 * @param {string} to turn:HOST:PORT?transport=tcp; '' is nobody. What clients send is kept in `heard`
 * @returns {Promise<StreamProxy & {heard: Buffer[]}>}
 */
export async function startStreamProxy(to) {
	const found = /^turns?:(.*):(\d+)/.exec(to)
	/** @type {Set<import('node:net').Socket>} */
	const clients = new Set()
	/** @type {Set<import('node:net').Socket>} */
	const sockets = new Set()
	/** @type {Buffer[]} */
	const heard = []
	let [cut, stalled, count] = [false, false, 0]
	/** @param {import('node:net').Socket} socket */
	const keep = (socket) => {
		sockets.add(socket)
		socket.on('error', () => {}).on('close', () => sockets.delete(socket))
		return socket.setNoDelay(true)
	}
	/** @param {import('node:net').Socket} from @param {import('node:net').Socket} into */
	const pipe = (from, into) => {
		let last = Promise.resolve()
		from.on('data', (chunk) => (last = last.then(() => pass(chunk, into))))
		from.on('end', () => last.then(() => into.end()))
		from.on('close', () => last.then(() => into.destroy()))
	}
	/** @param {Buffer} chunk @param {import('node:net').Socket} into */
	const pass = async (chunk, into) => {
		const parts = cut ? Array.from(chunk, (byte) => Uint8Array.of(byte)) : [chunk]
		for (const part of parts) await new Promise((resolve) => into.write(part, () => setImmediate(resolve)))
	}
	const server = createServer((client) => {
		count++
		clients.add(keep(client))
		client.on('close', () => clients.delete(client))
		if (stalled) client.pause()
		client.on('data', (chunk) => heard.push(chunk))
		if (!found) return
		const upstream = keep(connect(Number(found[2]), found[1]))
		pipe(client, upstream)
		pipe(upstream, client)
		if (stalled) client.pause()
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
	return {
		url: `turn:127.0.0.1:${port}?transport=tcp`,
		host: `127.0.0.1:${port}`,
		heard,
		cut: (c) => void (cut = c),
		stall: (s) => {
			stalled = s
			for (const c of clients) s ? c.pause() : c.resume()
		},
		inject: (bytes) => clients.forEach((c) => c.write(bytes)),
		break: () => clients.forEach((c) => c.destroy()),
		finish: () => clients.forEach((c) => c.end()),
		connections: () => count,
		idle: async () => {
			while (clients.size > 0) await new Promise((resolve) => setImmediate(resolve))
		},
		end: async () => {
			for (const s of sockets) s.destroy()
			server.close()
			await once(server, 'close')
		},
	}
}
