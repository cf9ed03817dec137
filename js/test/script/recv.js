// What a script's server sends: the words behind "recv", as datagrams.

import { toBytes, unhex } from './go.js'
import { ATTRIBUTES, be32, Builder, channelData, CLASSES, longTermKey, METHODS, typeOf } from './stun.js'
import { parseAddress } from './words.js'

/** An ID that no client draws. */
const UNKNOWN_ID = Uint8Array.from([...'new'.padEnd(12, '\0')], (c) => c.charCodeAt(0))

/**
 * @param {import('./words.js').Words} w
 * @param {import('./runner.js').Request[]} requests in the order of their names
 * @param {Map<string, number>} channels by peer
 * @returns {Uint8Array}
 */
export function compose(w, requests, channels) {
	const tx = w.named('tx')
	if (tx !== undefined) return composeResponse(w, tx, requests)
	const what = w.plain('what is received')
	if (what === 'data') return composeData(w)
	if (what === 'indication') return withAttributes(new Builder(method(w.plain('a method')), 1, UNKNOWN_ID), w)
	if (what === 'channeldata') return composeChannelData(w, channels)
	if (what === 'hex') return unhex(w.plain('bytes'))
	throw new Error(`nobody receives ${what}`)
}

/** @param {string} name */
function method(name) {
	const n = METHODS.byName.get(name)
	if (n === undefined) throw new Error(`there is no method ${name}`)
	return n
}

/**
 * @param {import('./words.js').Words} w
 * @param {string} tx
 * @param {import('./runner.js').Request[]} requests
 */
function composeResponse(w, tx, requests) {
	const request = tx === 'new' ? undefined : requests[Number(tx) - 1]
	if (tx !== 'new' && !request) throw new Error(`there is no tx=${tx}`)
	const name = w.named('method')
	const about = name === undefined ? (request?.message.method ?? method('Allocate')) : method(name)
	const cls = CLASSES.indexOf(w.plain('success or error'))
	if (cls < 0) throw new Error('there is no such class')
	const b = new Builder(about, cls, request?.message.id ?? UNKNOWN_ID)
	if (CLASSES[cls] === 'error') addErrorCode(b, w)
	return withAttributes(b, w, request?.key)
}

/**
 * @param {Builder} b
 * @param {import('./words.js').Words} w
 */
function addErrorCode(b, w) {
	const code = w.plain('an error code')
	if (code !== 'none') b.error(Number(code), w.named('reason') ?? '')
}

/** @param {import('./words.js').Words} w */
function composeData(w) {
	const b = new Builder(method('Data'), 1, UNKNOWN_ID)
	b.address(typeOf('XOR-PEER-ADDRESS'), parseAddress(w.plain('a peer')))
	if (w.list.length > 0 && w.list[0].key === '') b.text(typeOf('DATA'), w.plain('a payload'))
	return withAttributes(b, w)
}

/**
 * @param {import('./words.js').Words} w
 * @param {Map<string, number>} channels
 */
function composeChannelData(w, channels) {
	const name = w.plain('a channel')
	const datagram = channelData(channels.get(name) ?? Number(name), toBytes(w.plain('a payload')))
	const claim = w.number('claim')
	if (claim) datagram.set([claim >> 8, claim & 0xff], 2)
	return Uint8Array.from([...datagram, ...new Uint8Array(w.number('pad'))])
}

/** @type {Record<string, string>} */
const TEXTS = { realm: 'REALM', nonce: 'NONCE', software: 'SOFTWARE', data: 'DATA', ticket: 'MOBILITY-TICKET' }

/** @type {Record<string, string>} */
const ADDRESSES = { relayed: 'XOR-RELAYED-ADDRESS', mapped: 'XOR-MAPPED-ADDRESS', peer: 'XOR-PEER-ADDRESS' }

/**
 * Adds the rest of the words, in their order.
 * @param {Builder} b
 * @param {import('./words.js').Words} w
 * @param {Uint8Array} [key] the request's
 */
function withAttributes(b, w, key) {
	for (const { key: name, value } of w.rest()) {
		if (name in TEXTS) b.text(typeOf(TEXTS[name]), value)
		else if (name in ADDRESSES) b.address(typeOf(ADDRESSES[name]), parseAddress(value))
		else if (name === 'connection') b.add(typeOf('CONNECTION-ID'), be32(Number(value)))
		else if (name === 'lifetime') b.add(typeOf('LIFETIME'), be32(Number(value)))
		else if (name === 'icmp') addICMP(b, value)
		else if (name === 'algorithms') addAlgorithms(b, value)
		else if (name === 'integrity') addIntegrity(b, value, key)
		else if (name === 'integrity256') addIntegrity256(b, value, key)
		else if (name === 'fingerprint') spoilt(b.fingerprint(), value)
		else addByNumber(b, name, value)
	}
	return b.datagram
}

/**
 * @param {Builder} b
 * @param {string} value TYPE/CODE/DATA
 */
function addICMP(b, value) {
	const found = /^(\d+)\/(\d+)\/([0-9a-f]{8})$/.exec(value)
	if (!found) throw new Error(`icmp=${value} is not TYPE/CODE/8 digits`)
	const bits = (Number(found[1]) << 9) | Number(found[2])
	b.add(typeOf('ICMP'), [0, 0, bits >> 8, bits & 0xff, ...unhex(found[3])])
}

/**
 * @param {Builder} b
 * @param {string} value
 * @param {Uint8Array} [key]
 */
function addIntegrity(b, value, key) {
	if (value === 'none') return
	const parts = value.split(':')
	const with_ = parts.length === 3 ? longTermKey(parts[0], parts[1], parts[2]) : key
	if (!with_) throw new Error('the request has no key to answer with')
	spoilt(b.integrity(with_), value)
}

/**
 * @param {Builder} b
 * @param {string} value
 * @param {Uint8Array} [key]
 */
function addIntegrity256(b, value, key) {
	if (!key) throw new Error('the request has no key to answer with')
	spoilt(b.integrity256(key), value)
}

/**
 * @param {Builder} b
 * @param {string} value numbers, as 2,1; none for an empty list
 */
function addAlgorithms(b, value) {
	const list = value.split(',').filter((n) => n !== 'none').map(Number)
	b.add(typeOf('PASSWORD-ALGORITHMS'), list.flatMap((n) => [n >> 8, n & 0xff, 0, 0]))
}

/**
 * @param {Builder} b
 * @param {string} value
 */
function spoilt(b, value) {
	if (value === 'bad') b.spoil()
}

/**
 * @param {Builder} b
 * @param {string} name the RFC's own, or a number
 * @param {string} value in hexadecimal
 */
function addByNumber(b, name, value) {
	const type = ATTRIBUTES.byName.get(name) ?? Number(name)
	if (!Number.isInteger(type)) throw new Error(`there is no attribute ${name}`)
	b.add(type, unhex(value))
}
