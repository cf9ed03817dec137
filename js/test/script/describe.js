// Datagrams and events in one line, as the scripts show them.

import { fromBytes, formatDuration, hex, quote, utf8 } from './go.js'
import { ATTRIBUTES, CLASSES, Message, METHODS } from './stun.js'
import { formatAddress } from '../../src/address.js'

/**
 * @param {Uint8Array} datagram
 * @param {Uint8Array | undefined} key what its integrity is judged with
 * @param {string} label the name that the script gave to the transaction
 */
export function describe(datagram, key, label) {
	const channel = describeChannelData(datagram)
	if (channel) return channel
	let m
	try {
		m = new Message(datagram)
	} catch (e) {
		return `garbage of ${datagram.length} bytes: ${/** @type {Error} */ (e).message}`
	}
	const words = [METHODS.byNumber.get(m.method) ?? `method-0x${m.method.toString(16).padStart(3, '0')}`, CLASSES[m.cls]]
	if (label) words.push(label)
	for (const a of m.attributes) words.push(describeAttribute(m, a, key))
	return words.join(' ')
}

/** @param {Uint8Array} b */
function describeChannelData(b) {
	if (b.length < 4) return undefined
	const number = (b[0] << 8) | b[1]
	const end = 4 + ((b[2] << 8) | b[3])
	if (number < 0x4000 || number > 0x4fff || end > b.length) return undefined
	return `ChannelData 0x${number.toString(16)} ${quotePayload(b.subarray(4, end))}`
}

/** @param {Uint8Array} payload */
export function quotePayload(payload) {
	if (payload.length <= 32) return quote(fromBytes(payload))
	return `${quote(fromBytes(payload.subarray(0, 32)))}+${payload.length - 32}`
}

/**
 * @param {Message} m
 * @param {{type: number, value: Uint8Array}} a
 * @param {Uint8Array | undefined} key
 */
function describeAttribute(m, a, key) {
	const name = ATTRIBUTES.byNumber.get(a.type) ?? `attribute-0x${a.type.toString(16).padStart(4, '0')}`
	if (name === 'MESSAGE-INTEGRITY') return `integrity=${key ? (m.verify1(key) ? 'ok' : 'WRONG') : 'present'}`
	if (name === 'MESSAGE-INTEGRITY-SHA256') return `integrity256=${key ? (m.verify256(key) ? 'ok' : 'WRONG') : 'present'}`
	if (name === 'FINGERPRINT') return `fingerprint=${m.fingerprintRight ? 'ok' : 'WRONG'}`
	if (name.endsWith('-ADDRESS') || name === 'ALTERNATE-SERVER') return `${name}=${m.address(a) ?? 'broken'}`
	const value = (RENDERINGS[name] ?? hex)(a.value)
	return value === '' ? name : `${name}=${value}`
}

/** @param {Uint8Array} v */
function text(v) {
	const s = fromBytes(v)
	const q = quote(s)
	return q.length !== s.length + 2 || s === '' || /[ =]/.test(s) ? q : s
}

/** @type {(f: (v: Uint8Array) => string) => (v: Uint8Array) => string} */
const four = (f) => (v) => (v.length === 4 ? f(v) : 'broken')

/** @type {(names: Record<number, string>) => (v: Uint8Array) => string} */
const named = (names) => four((v) => names[v[0]] ?? String(v[0]))

/** @param {Uint8Array} v */
const u32 = (v) => new DataView(v.buffer, v.byteOffset).getUint32(0)

/** @param {Uint8Array} v */
function errorCode(v) {
	if (v.length < 4) return 'broken'
	const reason = fromBytes(v.subarray(4)).replace(/\0+$/, '')
	const code = (v[2] & 7) * 100 + v[3]
	return reason ? `${code}:${quote(reason)}` : String(code)
}

/** @param {Uint8Array} v */
function types(v) {
	const names = []
	for (let i = 0; i + 2 <= v.length; i += 2) {
		const type = (v[i] << 8) | v[i + 1]
		names.push(ATTRIBUTES.byNumber.get(type) ?? `attribute-0x${type.toString(16).padStart(4, '0')}`)
	}
	return names.join(',')
}

/** @param {Uint8Array} v */
function icmp(v) {
	if (v.length !== 8) return 'broken'
	const bits = (v[2] << 8) | v[3]
	return `${bits >> 9}/${bits & 0x1ff}/${hex(v.subarray(4))}`
}

/** Those that have no parameters, as MD5,SHA-256. @param {Uint8Array} v */
function algorithms(v) {
	if (v.length % 4 !== 0) return 'broken'
	const names = []
	for (let i = 0; i < v.length; i += 4) {
		if (v[i + 2] || v[i + 3]) return 'parameters'
		const n = (v[i] << 8) | v[i + 1]
		names.push({ 1: 'MD5', 2: 'SHA-256' }[n] ?? String(n))
	}
	return names.join(',')
}

const family = named({ 1: 'IPv4', 2: 'IPv6' })

/** @type {Record<string, (v: Uint8Array) => string>} */
const RENDERINGS = {
	USERNAME: text, REALM: text, NONCE: text, SOFTWARE: text, 'ALTERNATE-DOMAIN': text, 'THIRD-PARTY-AUTHORIZATION': text,
	DATA: quotePayload, 'ERROR-CODE': errorCode, 'ADDRESS-ERROR-CODE': errorCode,
	LIFETIME: four((v) => `${u32(v)}s`),
	'CHANNEL-NUMBER': four((v) => `0x${((v[0] << 8) | v[1]).toString(16).padStart(4, '0')}`),
	'REQUESTED-TRANSPORT': named({ 6: 'TCP', 17: 'UDP' }),
	'UNKNOWN-ATTRIBUTES': types,
	'REQUESTED-ADDRESS-FAMILY': family, 'ADDITIONAL-ADDRESS-FAMILY': family,
	'EVEN-PORT': (v) => (v.length !== 1 ? 'broken' : v[0] & 0x80 ? 'reserve' : 'even'),
	ICMP: icmp, 'PASSWORD-ALGORITHMS': algorithms, 'PASSWORD-ALGORITHM': algorithms,
	'MOBILITY-TICKET': (v) => (v.length === 0 ? '' : text(v)),
}

/**
 * @param {import('../../src/event.js').TurnEvent} e
 * @param {number} start the instant that the script calls 0, in ns
 */
export function describeEvent(e, start) {
	const words = ['event', e.event[0].toUpperCase() + e.event.slice(1)]
	const ms = (/** @type {number} */ n) => formatDuration(Math.round(n * 1e6))
	if (e.outcome) words.push(e.outcome)
	if (e.method) words.push(`method=${e.method}`)
	if (e.code) words.push(`code=${e.code}`)
	if (e.signed) words.push('signed')
	if (e.reason) words.push(`reason=${quote(utf8(e.reason))}`)
	if (e.serverName) words.push(`server=${quote(utf8(e.serverName))}`)
	if (e.flow) words.push(`flow=${e.flow}`)
	if (e.peer) words.push(`peer=${formatAddress(e.peer)}`)
	if (e.channel) words.push(`channel=0x${e.channel.toString(16).padStart(4, '0')}`)
	if (e.connection) words.push(`connection=${e.connection}`)
	if (e.relayedAddress) words.push(`relayed=${formatAddress(e.relayedAddress)}`)
	if (e.mappedAddress) words.push(`mapped=${formatAddress(e.mappedAddress)}`)
	if (e.lifetime) words.push(`lifetime=${ms(e.lifetime)}`)
	if (e.retryAfter) words.push(`retryAfter=${ms(e.retryAfter)}`)
	if (e.additionalAddress) words.push(`additional=${formatAddress(e.additionalAddress)}`)
	if (e.domain) words.push(`domain=${quote(utf8(e.domain))}`)
	if (e.family) words.push(`family=${e.family === 4 ? 1 : 2}`)
	if (e.reservationToken) words.push(`reservation=${hex(e.reservationToken)}`)
	if (e.reuseAfter) words.push(`reuseAfter=${ms(e.reuseAfter)}`)
	if (e.until) words.push(`until=${formatDuration(Math.round(e.until * 1e6) - start)}`)
	if (e.icmp) words.push(`icmp=${e.icmp.type}/${e.icmp.code}`)
	return words.join(' ')
}
