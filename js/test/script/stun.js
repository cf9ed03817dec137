// STUN messages, read and written by code that shares nothing with the machine.

import { hmac } from '@noble/hashes/hmac.js'
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { formatAddress, formatIP, parseIP } from '../../src/address.js'
import { fromBytes, hex, toBytes } from './go.js'

const COOKIE = 0x2112a442
const HEADER = 20
const INTEGRITY = 24
const INTEGRITY256 = 36

export const METHODS = table({
	Binding: 1, Allocate: 3, Refresh: 4, Send: 6, Data: 7, CreatePermission: 8, ChannelBind: 9, Connect: 10,
	ConnectionBind: 11, ConnectionAttempt: 12,
})

export const CLASSES = ['request', 'indication', 'success', 'error']

export const ATTRIBUTES = table({
	'MAPPED-ADDRESS': 0x0001, USERNAME: 0x0006, 'MESSAGE-INTEGRITY': 0x0008, 'ERROR-CODE': 0x0009,
	'UNKNOWN-ATTRIBUTES': 0x000a, 'CHANNEL-NUMBER': 0x000c, LIFETIME: 0x000d, 'XOR-PEER-ADDRESS': 0x0012, DATA: 0x0013,
	REALM: 0x0014, NONCE: 0x0015, 'XOR-RELAYED-ADDRESS': 0x0016, 'REQUESTED-ADDRESS-FAMILY': 0x0017, 'EVEN-PORT': 0x0018,
	'REQUESTED-TRANSPORT': 0x0019, 'DONT-FRAGMENT': 0x001a, 'ACCESS-TOKEN': 0x001b, 'MESSAGE-INTEGRITY-SHA256': 0x001c,
	'PASSWORD-ALGORITHM': 0x001d, USERHASH: 0x001e, 'XOR-MAPPED-ADDRESS': 0x0020, 'RESERVATION-TOKEN': 0x0022,
	'CONNECTION-ID': 0x002a, 'ADDITIONAL-ADDRESS-FAMILY': 0x8000, 'ADDRESS-ERROR-CODE': 0x8001,
	'PASSWORD-ALGORITHMS': 0x8002, 'ALTERNATE-DOMAIN': 0x8003, ICMP: 0x8004, SOFTWARE: 0x8022, 'ALTERNATE-SERVER': 0x8023,
	FINGERPRINT: 0x8028, 'THIRD-PARTY-AUTHORIZATION': 0x802e, 'MOBILITY-TICKET': 0x8030,
})

/**
 * Numbers by name, and names by number.
 * @param {Record<string, number>} numbers
 */
function table(numbers) {
	const byName = new Map(Object.entries(numbers))
	return { byName, byNumber: new Map([...byName].map(([name, n]) => [n, name])) }
}

/** @param {string} name */
export const typeOf = (name) => /** @type {number} */ (ATTRIBUTES.byName.get(name))

/** @param {number} type */
export const isXOR = (type) => ['XOR-MAPPED-ADDRESS', 'XOR-PEER-ADDRESS', 'XOR-RELAYED-ADDRESS'].includes(ATTRIBUTES.byNumber.get(type) ?? '')

/** @param {string} username @param {string} realm @param {string} password byte strings */
export const longTermKey = (username, realm, password) => md5(toBytes(`${username}:${realm}:${password}`))

/** @param {string} username @param {string} realm @param {string} password byte strings */
export const longTermKey256 = (username, realm, password) => sha256(toBytes(`${username}:${realm}:${password}`))

/** @param {string} username @param {string} realm byte strings */
export const userhash = (username, realm) => sha256(toBytes(`${username}:${realm}`))

/** A message that is being written. */
export class Builder {
	/** @type {number[]} */
	#bytes

	/**
	 * @param {number} method
	 * @param {number} cls
	 * @param {Uint8Array} id
	 */
	constructor(method, cls, id) {
		const type = ((method & 0xf80) << 2) | ((method & 0x70) << 1) | (method & 0xf) | ((cls & 2) << 7) | ((cls & 1) << 4)
		this.id = id
		this.#bytes = [type >> 8, type & 0xff, 0, 0, 0x21, 0x12, 0xa4, 0x42, ...id]
	}

	/** @param {number} end */
	#setLength(end) {
		this.#bytes[2] = (end - HEADER) >> 8
		this.#bytes[3] = (end - HEADER) & 0xff
	}

	/**
	 * @param {number} type
	 * @param {ArrayLike<number> & Iterable<number>} value
	 */
	add(type, value) {
		const n = value.length
		this.#bytes.push(type >> 8, type & 0xff, n >> 8, n & 0xff, ...value, ...Array(-n & 3).fill(0))
		this.#setLength(this.#bytes.length)
		return this
	}

	/** @param {number} type @param {string} text a byte string */
	text(type, text) {
		return this.add(type, toBytes(text))
	}

	/** @param {number} type @param {{address: string, port: number}} a */
	address(type, a) {
		const ip = /** @type {Uint8Array} */ (parseIP(a.address)).slice()
		let { port } = a
		if (isXOR(type)) {
			port ^= COOKIE >>> 16
			mask(this.id).forEach((m, i) => i < ip.length && (ip[i] ^= m))
		}
		return this.add(type, [0, ip.length === 4 ? 1 : 2, port >> 8, port & 0xff, ...ip])
	}

	/** @param {number} code @param {string} reason */
	error(code, reason) {
		return this.add(typeOf('ERROR-CODE'), [0, 0, Math.floor(code / 100), code % 100, ...toBytes(reason)])
	}

	/** @param {Uint8Array} key */
	integrity(key) {
		this.#setLength(this.#bytes.length + INTEGRITY)
		return this.add(typeOf('MESSAGE-INTEGRITY'), hmac(sha1, key, Uint8Array.from(this.#bytes)))
	}

	/** @param {Uint8Array} key */
	integrity256(key) {
		this.#setLength(this.#bytes.length + INTEGRITY256)
		return this.add(typeOf('MESSAGE-INTEGRITY-SHA256'), hmac(sha256, key, Uint8Array.from(this.#bytes)))
	}

	fingerprint() {
		this.#setLength(this.#bytes.length + 8)
		const sum = (crc32(Uint8Array.from(this.#bytes)) ^ 0x5354554e) >>> 0
		return this.add(typeOf('FINGERPRINT'), be32(sum))
	}

	/** Breaks the last byte. */
	spoil() {
		this.#bytes[this.#bytes.length - 1] ^= 1
	}

	get datagram() {
		return Uint8Array.from(this.#bytes)
	}
}

/** @param {number} n */
export const be32 = (n) => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff]

/** What an address is XORed with. @param {Uint8Array} id */
const mask = (id) => [...be32(COOKIE), ...id]

/** @param {Uint8Array} bytes */
function crc32(bytes) {
	let crc = 0xffffffff
	for (const b of bytes) {
		crc ^= b
		for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
	}
	return ~crc >>> 0
}

/** A message that was read. */
export class Message {
	/** @type {{type: number, value: Uint8Array}[]} */
	attributes = []
	#integrityAt = 0
	#integrity256At = 0
	#fingerAt = 0

	/** @param {Uint8Array} raw */
	constructor(raw) {
		const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
		if (raw.length < HEADER || raw[0] > 3 || view.getUint32(4) !== COOKIE) throw new Error('turntest: not a STUN message')
		const length = view.getUint16(2)
		if (length % 4 !== 0 || length !== raw.length - HEADER) throw new Error('turntest: not a STUN message')
		const type = view.getUint16(0)
		this.raw = raw
		this.cls = ((type >> 7) & 2) | ((type >> 4) & 1)
		this.method = ((type >> 2) & 0xf80) | ((type >> 1) & 0x70) | (type & 0xf)
		this.id = raw.slice(8, HEADER)
		for (let at = HEADER; at < raw.length; ) at = this.#attribute(view, at)
	}

	/**
	 * @param {DataView} view
	 * @param {number} at
	 */
	#attribute(view, at) {
		const type = view.getUint16(at)
		const n = view.getUint16(at + 2)
		if (at + 4 + n > this.raw.length) throw new Error('turntest: attribute runs past the message')
		if (this.#fingerAt) throw new Error('turntest: attribute behind FINGERPRINT')
		if (this.#counts(type)) {
			this.attributes.push({ type, value: this.raw.subarray(at + 4, at + 4 + n) })
			if (type === typeOf('MESSAGE-INTEGRITY')) this.#integrityAt = at
			if (type === typeOf('MESSAGE-INTEGRITY-SHA256')) this.#integrity256At = at
			if (type === typeOf('FINGERPRINT')) this.#fingerAt = at
		}
		return at + 4 + ((n + 3) & ~3)
	}

	/** Whether an attribute at this place is to be read at all. @param {number} type */
	#counts(type) {
		if (type === typeOf('FINGERPRINT')) return true
		if (this.#integrity256At) return false
		return !this.#integrityAt || type === typeOf('MESSAGE-INTEGRITY-SHA256')
	}

	/** @param {string} name */
	get(name) {
		return this.attributes.find((a) => a.type === typeOf(name))?.value
	}

	/** @param {string} name */
	text(name) {
		return fromBytes(this.get(name) ?? new Uint8Array(0))
	}

	get signed() {
		return this.#integrityAt !== 0 || this.#integrity256At !== 0
	}

	/** By MESSAGE-INTEGRITY-SHA256 where it is there. @param {Uint8Array} key */
	verify(key) {
		return this.#integrity256At ? this.verify256(key) : this.verify1(key)
	}

	/** @param {Uint8Array} key */
	verify1(key) {
		const value = this.get('MESSAGE-INTEGRITY')
		if (!value || key.length === 0) return false
		return hex(hmac(sha1, key, this.#covered(this.#integrityAt, INTEGRITY))) === hex(value)
	}

	/** @param {Uint8Array} key */
	verify256(key) {
		const value = this.get('MESSAGE-INTEGRITY-SHA256')
		if (value?.length !== 32 || key.length === 0) return false
		return hex(hmac(sha256, key, this.#covered(this.#integrity256At, INTEGRITY256))) === hex(value)
	}

	/**
	 * The bytes before an integrity attribute, the header's length behind it.
	 * @param {number} at
	 * @param {number} size
	 */
	#covered(at, size) {
		const covered = this.raw.slice(0, at)
		const length = at + size - HEADER
		covered[2] = length >> 8
		covered[3] = length & 0xff
		return covered
	}

	/** Whether the request names the user. @param {string} username */
	by(username) {
		const hash = this.get('USERHASH')
		return hash ? hex(hash) === hex(userhash(username, this.realm)) : this.text('USERNAME') === username
	}

	/** The realm without the quotes and NULs that some servers send. */
	get realm() {
		return this.text('REALM').replace(/\0+$/, '').replace(/^"+|"+$/g, '')
	}

	/** The key that the request's own attributes make of a password. @param {string} username @param {string} password */
	keyOf(username, password) {
		const sha = hex(this.get('PASSWORD-ALGORITHM') ?? new Uint8Array(0)) === '00020000'
		return (sha ? longTermKey256 : longTermKey)(username, this.realm, password)
	}

	get fingerprintRight() {
		const value = this.get('FINGERPRINT')
		if (!value) return true
		const sum = (crc32(this.raw.subarray(0, this.#fingerAt)) ^ 0x5354554e) >>> 0
		return hex(value) === hex(Uint8Array.from(be32(sum)))
	}

	/**
	 * An address as text; undefined when it is broken.
	 * @param {{type: number, value: Uint8Array}} attribute
	 */
	address({ type, value }) {
		const size = value.length < 4 ? 0 : { 1: 4, 2: 16 }[value[1]] ?? 0
		if (size === 0 || value.length !== 4 + size) return undefined
		let port = (value[2] << 8) | value[3]
		const ip = value.slice(4)
		if (isXOR(type)) {
			port ^= COOKIE >>> 16
			const m = mask(this.id)
			ip.forEach((_, i) => (ip[i] ^= m[i]))
		}
		return formatAddress({ address: formatIP(ip), port })
	}
}

/** @param {number} number @param {Uint8Array} payload */
export const channelData = (number, payload) =>
	Uint8Array.from([number >> 8, number & 0xff, payload.length >> 8, payload.length & 0xff, ...payload])
