// What a client is made from: checked here, so that a mistake is a sentence at
// the caller's own line, and written as a record.

import {
	ATTR_ACCESS_TOKEN, ATTR_ANONYMOUS, ATTR_AUTO_PERMISSION, ATTR_DONT_FRAGMENT, ATTR_EVEN_PORT, ATTR_FAMILY, ATTR_FINGERPRINT, ATTR_KEEPALIVE, ATTR_LIFETIME, ATTR_MIN_RTO, ATTR_MOBILITY, ATTR_PASSWORD, ATTR_RC, ATTR_REALLOCATE,
	ATTR_RECLAIM, ATTR_REFRESH_CAP, ATTR_RELAY, ATTR_RESERVATION_TOKEN, ATTR_RM, ATTR_ROUND_TRIP, ATTR_RTO, ATTR_SECURED, ATTR_SEED, ATTR_SERVER, ATTR_SOFTWARE, ATTR_TRANSPORT, ATTR_UNSIGNED_BIND, ATTR_USERNAME, SEED_SIZE,
} from './abi.gen.js'
import { wantIP, wantPort } from './address.js'
import { prepareCredentials } from './credentials.js'

/**
 * Measured round trips to a server, in ms (RFC 6298). What one client has measured another can begin with.
 * @typedef {{smoothed: number, variation: number}} RoundTrip
 */

/**
 * What a client is made from. Times are in ms; what is left out has the machine's default.
 * @typedef {object} ClientConfig
 * @property {{address: string, port: number}} server the server's transport address
 * @property {string} [username] the long-term credential, as the user typed it
 * @property {string} [password]
 * @property {Uint8Array} [accessToken] a token of RFC 7635; username is then the name of its key, macKey the key
 * @property {Uint8Array} [macKey]
 * @property {boolean} [anonymous] never send the username where others can read it: fail where the server takes no hash of it
 * @property {boolean} [stream] the flows are TCP or TLS: input takes whatever came of them, cut anywhere
 * @property {boolean} [secured] TLS or DTLS keeps what the flows carry from others
 * @property {4 | 6 | 'both'} [family] of the relayed address; 'both': a second one, of the other family, as far as the server has it
 * @property {'even' | 'reserve'} [evenPort] an even port, 'reserve': and the next higher one kept: the event portReserved has its token
 * @property {Uint8Array} [reservationToken] 8 bytes: the port that another allocation had reserved
 * @property {boolean} [dontFragment] have the server set DF on what it relays
 * @property {number} [keepalive] a Binding indication so often, for NATs that forget; 0 = never
 * @property {number} [lifetime] to ask for
 * @property {string} [software] sent in Allocate and Refresh
 * @property {boolean} [fingerprint] adds FINGERPRINT to requests
 * @property {'tcp'} [relay] relays TCP connections (RFC 6062) instead of datagrams; over a stream only
 * @property {boolean} [unsignedBind] believe an unsigned success to ConnectionBind: pion signs none
 * @property {number} [rto] the retransmission time-out before a round trip was measured: 500
 * @property {number} [minRTO] the least that comes of measuring: 500
 * @property {RoundTrip} [roundTrip] what an earlier client has measured
 * @property {number} [rc] sends of a request: 7
 * @property {number} [rm] the wait after the last one, in time-outs: 16
 * @property {number} [refreshCap] the longest time between two Refreshes
 * @property {boolean} [autoPermission] sending makes the permission that it lacks
 * @property {boolean} [reclaim] the local port is the caller's own: an allocation that is found there is released
 * @property {boolean} [reallocate] allocate anew when the allocation is lost
 * @property {boolean} [mobility] ask for a ticket, with which rebind moves the allocation (RFC 8016)
 * @property {Uint8Array} [seed] 32 bytes: transaction IDs that can be foreseen, for tests and replays
 */

const NUMBERS = /** @type {const} */ (['lifetime', 'rto', 'rc', 'rm', 'refreshCap', 'keepalive', 'minRTO'])
const FAMILIES = /** @type {const} */ ([undefined, 4, 6, 'both'])
const EVEN_PORTS = /** @type {const} */ ([undefined, 'even', 'reserve'])
const STREAM = 1
const RELAY_TCP = 1

/** @param {ClientConfig} config */
export function checkConfig(config) {
	if (config === null || typeof config !== 'object') throw new TypeError('a client is made from an object: {server, username, password}')
	if (config.server === null || typeof config.server !== 'object') throw new TypeError('server is missing: {address, port}')
	for (const name of NUMBERS) {
		const n = config[name]
		if (n !== undefined && !(typeof n === 'number' && n >= 0 && n <= 9e12)) throw new TypeError(`${name} is a number that is not negative, not ${n}`)
	}
	if (!FAMILIES.includes(config.family)) throw new TypeError(`family is 4, 6 or 'both', not ${config.family}`)
	if (config.relay !== undefined && config.relay !== 'tcp') throw new TypeError(`relay is 'tcp', not ${config.relay}`)
	if (!EVEN_PORTS.includes(config.evenPort)) throw new TypeError(`evenPort is 'even' or 'reserve', not ${config.evenPort}`)
	if (config.reservationToken !== undefined && !(config.reservationToken instanceof Uint8Array && config.reservationToken.length === 8)) {
		throw new TypeError('reservationToken has 8 bytes')
	}
	checkToken(config)
	if (config.seed !== undefined && !(config.seed instanceof Uint8Array && config.seed.length === SEED_SIZE)) {
		throw new TypeError(`seed has ${SEED_SIZE} bytes`)
	}
}

/** @param {ClientConfig} config */
function checkToken({ username, password, accessToken, macKey }) {
	if (accessToken === undefined && macKey === undefined) return
	if (!(accessToken instanceof Uint8Array && macKey instanceof Uint8Array)) throw new TypeError('accessToken and macKey are bytes, and go together')
	if (!username || password) throw new TypeError('an accessToken has a macKey, whose name is username, and no password (credential)')
}

/**
 * @param {import('./record.js').RecordWriter} r
 * @param {ClientConfig} config
 */
export function writeConfig(r, config) {
	checkConfig(config)
	r.address(ATTR_SERVER, wantIP(config.server.address, 'server.address'), wantPort(config.server.port, 'server.port'))
	writeCredentials(r, config)
	if (config.family) r.u8(ATTR_FAMILY, FAMILIES.indexOf(config.family))
	if (config.software) r.text(ATTR_SOFTWARE, config.software)
	writeTimes(r, config)
	if (config.fingerprint) r.flag(ATTR_FINGERPRINT)
	if (config.autoPermission) r.flag(ATTR_AUTO_PERMISSION)
	if (config.reclaim) r.flag(ATTR_RECLAIM)
	if (config.reallocate) r.flag(ATTR_REALLOCATE)
	if (config.anonymous) r.flag(ATTR_ANONYMOUS)
	if (config.mobility) r.flag(ATTR_MOBILITY)
	writeOptions(r, config)
	if (config.seed) r.bytes(ATTR_SEED, config.seed)
}

/**
 * What few clients ask for.
 * @param {import('./record.js').RecordWriter} r
 * @param {ClientConfig} config
 */
function writeOptions(r, config) {
	if (config.stream) r.u8(ATTR_TRANSPORT, STREAM)
	if (config.secured) r.flag(ATTR_SECURED)
	if (config.evenPort) r.u8(ATTR_EVEN_PORT, EVEN_PORTS.indexOf(config.evenPort))
	if (config.reservationToken) r.bytes(ATTR_RESERVATION_TOKEN, config.reservationToken)
	if (config.dontFragment) r.flag(ATTR_DONT_FRAGMENT)
	if (config.relay) r.u8(ATTR_RELAY, RELAY_TCP)
	if (config.unsignedBind) r.flag(ATTR_UNSIGNED_BIND)
}

/**
 * The key of a token is no text, and its name is not prepared.
 * @param {import('./record.js').RecordWriter} r
 * @param {ClientConfig} config
 */
function writeCredentials(r, config) {
	if (config.accessToken && config.macKey) {
		r.text(ATTR_USERNAME, config.username ?? '')
		r.bytes(ATTR_PASSWORD, config.macKey)
		r.bytes(ATTR_ACCESS_TOKEN, config.accessToken)
		return
	}
	const { username, password } = prepareCredentials(config.username, config.password)
	if (username) r.text(ATTR_USERNAME, username)
	if (password) r.text(ATTR_PASSWORD, password)
}

/**
 * @param {import('./record.js').RecordWriter} r
 * @param {ClientConfig} config
 */
function writeTimes(r, config) {
	if (config.lifetime) r.ms(ATTR_LIFETIME, config.lifetime)
	if (config.rto) r.ms(ATTR_RTO, config.rto)
	if (config.minRTO) r.ms(ATTR_MIN_RTO, config.minRTO)
	if (config.roundTrip && (config.roundTrip.smoothed || config.roundTrip.variation)) {
		r.twoMs(ATTR_ROUND_TRIP, config.roundTrip.smoothed, config.roundTrip.variation)
	}
	if (config.rc) r.u32(ATTR_RC, config.rc)
	if (config.rm) r.u32(ATTR_RM, config.rm)
	if (config.refreshCap) r.ms(ATTR_REFRESH_CAP, config.refreshCap)
	if (config.keepalive) r.ms(ATTR_KEEPALIVE, config.keepalive)
}
