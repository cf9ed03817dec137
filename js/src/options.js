// What a socket is made from, checked before anything else happens.

import { parseIP, wantIP, wantPort } from './address.js'
import { checkConfig } from './config.js'
import { prepareCredentials } from './credentials.js'
import { TurnInstance } from './instance.js'
import { REDIRECTS } from './redirect.js'
import { parseURLs } from './uri.js'

/**
 * What a socket is made from: the names of RTCIceServer, and then some. Times are in ms.
 * @typedef {object} TurnSocketOptions
 * @property {string | readonly string[]} urls TURN URIs, turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT] for TLS.
 *   Of several, and of a name with several addresses, the first that allocates is taken
 * @property {import('./places.js').Resolver} [resolver] looks names up (resolveSrv, resolve4, resolve6): as node:dns/promises does
 * @property {string} [serverName] whose certificate turns: expects: the URI's host, which cannot be an address
 * @property {string | Uint8Array | readonly (string | Uint8Array)[]} [ca] who may vouch for it, as node:tls takes them: the
 *   runtime's roots
 * @property {boolean} [alpn] offer "stun.turn" to turns: (RFC 7443): true
 * @property {string} [username] the long-term credential, as the user typed it
 * @property {string} [credential]
 * @property {Uint8Array} [accessToken] a token of RFC 7635; username is then the name of its key, macKey the key
 * @property {Uint8Array} [macKey]
 * @property {(socket: import('./socket.js').TurnSocket<any>, until: Date) => void | Promise<void>} [renew] called once when the credential is
 *   about to expire: for `replace`, or with the same username for `setCredentials`. What it throws or rejects with is emitted as `error`
 *   where somebody listens; the socket goes on
 * @property {number} [renewBefore] how long before: 60000
 * @property {Date} [expires] when; without it as a username of timeLimited says
 * @property {boolean} [impatient] ask a server all the same that wants to be left alone
 * @property {boolean} [anonymous] never send the username where others can read it: fail where the server takes no hash of it
 * @property {string} [localAddress] the socket's own IP address
 * @property {number} [localPort] its own port. An allocation that an earlier run left there is released first (reclaim)
 * @property {number} [linger] how long close waits for the server's verdict: 2000; 0 = one datagram and go
 * @property {AbortSignal} [signal] aborting it closes the socket
 * @property {4 | 6 | 'both'} [family] of the relayed address; 'both': `additionalAddress` is of the other family, where the server gives it
 * @property {'even' | 'reserve'} [evenPort] an even port, 'reserve': and the next higher one kept: the event portReserved has its token
 * @property {Uint8Array} [reservationToken] 8 bytes: the port that another allocation had reserved
 * @property {boolean} [dontFragment] have the server set DF on what it relays
 * @property {number} [keepalive] a Binding indication so often, for NATs that forget; 0 = never
 * @property {boolean} [mobility] ask for a ticket, with which rebind keeps the relayed address (RFC 8016)
 * @property {import('./redirect.js').RedirectPolicy} [redirect] which 300 answers to follow: "signed", "any" or "none"; coturn
 *   signs none. The event redirected tells of each
 * @property {number} [lifetime] to ask for
 * @property {string} [software] sent in Allocate and Refresh: "turnwasm"; "" sends none
 * @property {boolean} [fingerprint] adds FINGERPRINT to requests
 * @property {number} [rto] the first retransmission time-out: 500. Once round trips are measured it follows those
 * @property {number} [minRTO] and is never less than this: rto
 * @property {number} [rc] sends of a request: 7
 * @property {number} [rm] the wait after the last one, in time-outs: 16
 * @property {number} [refreshCap] the longest time between two Refreshes
 * @property {boolean} [autoPermission] sending makes the permission that it lacks: true
 * @property {boolean} [reclaim] release what an earlier run left on localPort: true
 * @property {boolean} [reallocate] allocate anew when the allocation is lost; the relayed address changes
 * @property {import('./trace.js').Trace} [trace] is told of every datagram, before it is handed on
 * @property {TurnInstance} [turn] the instance to live in; without one all sockets share one
 */

const LINGER = 2000

/**
 * What carries TURN to the server.
 * @typedef {object} Carrier
 * @property {import('./uri.js').Via} via
 * @property {string} serverName
 * @property {TurnSocketOptions['ca']} ca
 * @property {boolean} alpn
 */

/**
 * @param {TurnSocketOptions} o
 * @param {readonly import('./uri.js').Via[]} carriers that there are
 */
export function checkOptions(o, carriers) {
	if (o === null || typeof o !== 'object') throw new TypeError('a socket is made from an object: {urls, username, credential}')
	const targets = parseURLs(o.urls, carriers, (target) => ({ ...target, carrier: carrierOf(o, target) }))
	if (!o.accessToken) prepareCredentials(o.username, o.credential)
	checkConfig({ ...clientConfig(o), server: { address: '192.0.2.1', port: 1 } })
	if (o.redirect !== undefined && !REDIRECTS.includes(o.redirect)) throw new TypeError(`redirect is "signed", "any" or "none", not ${o.redirect}`)
	if (o.localAddress !== undefined) wantIP(o.localAddress, 'localAddress')
	if (o.localPort !== undefined) wantPort(o.localPort, 'localPort')
	const linger = o.linger ?? LINGER
	wantLinger(linger)
	if (o.signal !== undefined && !(o.signal instanceof AbortSignal)) throw new TypeError('signal is an AbortSignal')
	if (o.resolver !== undefined) checkResolver(o.resolver)
	if (o.renew !== undefined && typeof o.renew !== 'function') throw new TypeError('renew is a function')
	if (o.renewBefore !== undefined) wantTime(o.renewBefore, 'renewBefore')
	if (o.expires !== undefined) wantDate(o.expires)
	if (o.trace !== undefined && typeof o.trace !== 'function') throw new TypeError('trace is a function')
	if (o.turn !== undefined && !(o.turn instanceof TurnInstance)) throw new TypeError('turn is a TurnInstance')
	return { targets, linger }
}

/**
 * @param {TurnSocketOptions} o
 * @param {import('./uri.js').Target} target
 * @returns {Carrier}
 */
function carrierOf({ serverName, ca, alpn = true }, { via, host }) {
	if (serverName !== undefined && typeof serverName !== 'string') throw new TypeError('serverName is a string')
	if (typeof alpn !== 'boolean') throw new TypeError('alpn is true or false')
	if (via === 'tls' && !serverName && parseIP(host)) {
		throw new TypeError(`${host} is an address: serverName must say whose certificate is expected there`)
	}
	return { via, serverName: serverName || host, ca, alpn }
}

/** @param {any} r */
function checkResolver(r) {
	if (['resolveSrv', 'resolve4', 'resolve6'].some((name) => typeof r?.[name] !== 'function')) throw new TypeError("resolver has resolveSrv, resolve4 and resolve6, as node:dns/promises' has them")
}

/** @param {unknown} linger */
export const wantLinger = (linger) => wantTime(linger, 'linger')

/**
 * @param {unknown} ms
 * @param {string} what
 */
function wantTime(ms, what) {
	if (typeof ms === 'number' && ms >= 0 && ms <= 9e12) return ms
	throw new TypeError(`${what} is a time in ms that is not negative, not ${ms}`)
}

/** @param {unknown} at */
export function wantDate(at) {
	if (!(at instanceof Date) || Number.isNaN(at.getTime())) throw new TypeError('expires is a Date')
	return at
}

/**
 * The caller chose the local port. A live socket of ours on it would make the bind fail, so whatever the server holds
 * there is an earlier run's.
 * @param {TurnSocketOptions} o
 */
export const ownsPort = (o) => (o.localPort ?? 0) !== 0

/**
 * What is left of them when the machine has what is secret.
 * @param {TurnSocketOptions} o
 * @returns {TurnSocketOptions}
 */
export const withoutSecrets = (o) => ({ ...o, username: undefined, credential: undefined, accessToken: undefined, macKey: undefined })

/**
 * The machine's part; its server is yet to be found.
 * @param {TurnSocketOptions} o
 */
export function clientConfig(o) {
	const { username, credential: password, family, lifetime, fingerprint, rto, minRTO, rc, rm, refreshCap, reallocate, anonymous, accessToken, macKey } = o
	const { evenPort, reservationToken, dontFragment, keepalive, mobility } = o
	return {
		username, password, family, lifetime, fingerprint, rto, minRTO, rc, rm, refreshCap, reallocate, anonymous, accessToken, macKey,
		evenPort, reservationToken, dontFragment, keepalive, mobility,
		software: o.software ?? 'turnwasm',
		autoPermission: o.autoPermission ?? true,
		reclaim: ownsPort(o) && (o.reclaim ?? true),
	}
}
