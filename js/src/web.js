/* @ts-self-types="../types/web.d.ts" */
/**
 * A relayed socket in a page or a worker, over a WebTransport session to a bridge.
 *
 * ```js
 * import { createTurnSocket } from 'turnwasm/web'
 *
 * const socket = createTurnSocket({
 *   bridge: 'https://bridge.example.org:4433/turn/1', urls: 'turn:turn.example.org', username: 'alice', credential: 'secret',
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

export { TurnError, TurnSocket }

/** @typedef {import('./options.js').TurnSocketOptions & import('./session.js').BridgeOptions} BridgedSocketOptions */
/** @typedef {import('./socket.js').Closed} Closed */
/** @typedef {import('./socket.js').RemoteInfo} RemoteInfo */
/** @typedef {import('./socket.js').SocketEvent} SocketEvent */

/**
 * Opens a relayed socket. It emits "listening" when the server has allocated; `opened` is the same as a promise.
 * @param {BridgedSocketOptions} options
 * @returns {TurnSocket}
 */
export function createTurnSocket(options) {
	checkBridge(options)
	return new TurnSocket(options, {
		resolve: async (host) => [host], // the bridge resolves it
		open: (server, _local, receiver) => openSession(options, uriOf(server), receiver),
	})
}

/** @param {BridgedSocketOptions} o */
function checkBridge(o) {
	if (o === null || typeof o !== 'object') throw new TypeError('a socket is made from an object: {bridge, urls, username, credential}')
	if (typeof o.bridge !== 'string' || !/^https:\/\//i.test(o.bridge)) throw new TypeError("bridge is the bridge's URL: https://BRIDGE/turn/1")
	if (o.localAddress !== undefined || o.localPort !== undefined) throw new TypeError('a page has no local address: leave localAddress and localPort out')
	if (typeof WebTransport === 'undefined') throw new TurnError('unsupported', 'this runtime has no WebTransport')
}

/** @param {{address: string, port: number}} server */
const uriOf = ({ address, port }) => (address.includes(':') ? `turn:[${address}]:${port}` : `turn:${address}:${port}`)
