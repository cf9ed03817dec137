/* @ts-self-types="../types/web.d.ts" */
/**
 * A relayed socket in a page or a worker, over a WebTransport session to a bridge.
 *
 * ```js
 * import { createTurnSocket } from 'turnwasm/web'
 *
 * const socket = createTurnSocket({
 *   bridge: 'https://bridge.example.org:4433', urls: 'turn:turn.example.org', username: 'alice', credential: 'secret',
 * })
 * await socket.opened
 * socket.on('message', (msg, rinfo) => console.log(rinfo.address, new TextDecoder().decode(msg)))
 * socket.send('hello', 4000, '203.0.113.9')
 * ```
 *
 * What a close would send lies with the bridge at any time: the allocation of a tab that is closed is released.
 * @module
 */
import { TurnError } from './error.js'
import { openSession } from './session.js'
import { TurnSocket } from './socket.js'
import { parseURLs } from './uri.js'

export { timeLimited } from './renewal.js'
export { TurnError, TurnSocket }

/** @typedef {import('./options.js').TurnSocketOptions & import('./session.js').BridgeOptions} BridgedSocketOptions */
/** @typedef {import('./told.js').Closed} Closed */
/** @typedef {import('./told.js').RemoteInfo} RemoteInfo */
/** @typedef {import('./told.js').SocketEvent} SocketEvent */

/** The bridge has UDP sockets. @type {readonly import('./uri.js').Via[]} */
const CARRIERS = ['udp']

/**
 * Opens a relayed socket. It emits "listening" when the server has allocated; `opened` is the same as a promise.
 * @param {BridgedSocketOptions} options
 * @returns {TurnSocket}
 */
export function createTurnSocket(options) {
	checkBridge(options)
	const { bridge, token, serverCertificateHashes } = options
	// The bridge knows the server by the name in its list, and resolves it.
	const [server] = parseURLs(options.urls, CARRIERS, uriOf)
	return new TurnSocket({ ...options, urls: server }, {
		carriers: CARRIERS,
		find: async ({ host, port }) => [Promise.resolve([{ address: host, port }])],
		open: (_server, _local, receiver, signal) => openSession({ bridge, token, serverCertificateHashes }, server, receiver, signal),
	})
}

/** @param {BridgedSocketOptions} o */
function checkBridge(o) {
	if (o === null || typeof o !== 'object') throw new TypeError('a socket is made from an object: {bridge, urls, username, credential}')
	if (!isBridge(o.bridge)) throw new TypeError("bridge is the bridge's URL: https://BRIDGE")
	if (o.token !== undefined && typeof o.token !== 'string') throw new TypeError('token is a string')
	if (o.serverCertificateHashes !== undefined && !Array.isArray(o.serverCertificateHashes)) {
		throw new TypeError("serverCertificateHashes is WebTransport's: [{algorithm: 'sha-256', value}]")
	}
	if (o.localAddress !== undefined || o.localPort !== undefined) throw new TypeError('a page has no local address: leave localAddress and localPort out')
	if (typeof WebTransport === 'undefined') {
		throw new TurnError('unsupported', 'there is no WebTransport here: pages have it over https and on localhost, in a browser that is not too old')
	}
}

/** @param {unknown} bridge */
function isBridge(bridge) {
	try {
		const { protocol, hash } = new URL(/** @type {string} */ (bridge))
		return protocol === 'https:' && hash === ''
	} catch {
		return false
	}
}

/** @param {{host: string, port: number}} target */
const uriOf = ({ host, port }) => (host.includes(':') ? `turn:[${host}]:${port}` : `turn:${host}:${port}`)
