// Addresses, URIs and credentials: what people write; and the small emitter.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIP, parseIP } from '../src/address.js'
import { checkConfig } from '../src/config.js'
import { prepareCredentials } from '../src/credentials.js'
import { SmallEmitter } from '../src/emitter.js'
import { TurnError } from '../src/index.js'
import { parseURLs } from '../src/uri.js'
import { formatDuration, parseDuration, quote, unquote } from './script/go.js'

test('IP addresses', () => {
	for (const [written, plain] of [
		['192.0.2.1', '192.0.2.1'], ['255.255.255.255', '255.255.255.255'], ['::', '::'], ['::1', '::1'], ['1::', '1::'],
		['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'], ['2001:db8::0:1', '2001:db8::1'], ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
		['::ffff:192.0.2.1', '192.0.2.1'], ['::ffff:c000:201', '192.0.2.1'], ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'], ['fe80::1%eth0', 'fe80::1'],
	]) {
		const bytes = parseIP(written)
		assert(bytes, written)
		assert.equal(formatIP(bytes), plain)
	}
	for (const bad of ['', 'localhost', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.-4', '1:2', ':::', '1::2::3', '1:2:3:4:5:6:7:8:9', '12345::', '1:2:3:4:5:6:7::8', '::g', '::1.2.3']) {
		assert.equal(parseIP(bad), undefined, bad)
	}
})

/** @param {string | readonly string[]} urls @param {readonly import('../src/uri.js').Via[]} carriers */
const parse = (urls, carriers) => parseURLs(urls, carriers, (target) => target)

test('TURN URIs', () => {
	const all = /** @type {const} */ (['udp', 'tcp', 'tls'])
	for (const [url, host, port, via = 'udp'] of /** @type {const} */ ([
		['turn:turn.example.org', 'turn.example.org', 3478], ['TURN:Example.ORG:99?transport=UDP', 'example.org', 99],
		['turn:192.0.2.1:1', '192.0.2.1', 1], ['turn:[2001:db8::1]:3478?transport=udp', '2001:db8::1', 3478],
		['turn:a?transport=tcp', 'a', 3478, 'tcp'], ['turns:a', 'a', 5349, 'tls'], ['TURNS:a:1?transport=TCP', 'a', 1, 'tls'],
	])) assert.deepEqual(parse(url, all), [{ host, port, portGiven: /:\d+(\?|$)/.test(url), via }])
	assert.deepEqual(parse(['turns:a', 'turn:b'], ['udp']), [{ host: 'b', port: 3478, portGiven: false, via: 'udp' }])
	assert.deepEqual(parse(['turns:a?transport=udp', 'turns:b', 'turn:c'], all).map((t) => t.host), ['b', 'c'])
	for (const [url, why] of /** @type {const} */ ([
		['turn://a', /has no slashes: turn:a/], ['turn:u:p@a', /the credentials are not part of it/], ['http:a', /want turn:/], ['stun:a', /the scheme is neither turn: nor turns:/],
		['turn:', /want turn:/], ['turn:a:0', /not in 1..65535/], ['turn:a:99999', /not in 1..65535/], ['turn:[1]:2', /want turn:/], ['turn:a?x=y', /want turn:/], ['turn:a?transport=sctp', /want turn:/], ['', /want turn:/],
	])) assert.throws(() => parse(url, all), (e) => e instanceof TypeError && why.test(e.message), url)
	for (const url of ['turns:a', 'turn:a?transport=tcp', 'turns:a?transport=udp']) {
		assert.throws(() => parse(url, ['udp']), (e) => e instanceof TurnError && e.kind === 'unsupported')
	}
	assert.throws(() => parse([], all), TypeError)
	assert.throws(() => parse(/** @type {any} */ (7), all), TypeError)
})

test('credentials are prepared as OpaqueString says', () => {
	assert.deepEqual(prepareCredentials('e\u0301\u00a0x', 'p\u3000w'), { username: '\u00e9 x', password: 'p w' })
	assert.deepEqual(prepareCredentials(), { username: '', password: '' })
	assert.deepEqual(prepareCredentials('\u1100\u1161', 'x').username, '\uac00')
	for (const [u, p, why] of /** @type {const} */ ([
		['u', '', /a username without a password/], ['', 'p', /a password without a username/], ['a\u0007', 'p', /^username: /], ['u', 'p\u200b', /^password: /],
		['\u1100', 'p', /^username: /], ['\ud800', 'p', /^username: /], ['u'.repeat(509), 'p', /longer than 508/],
	])) {
		assert.throws(() => prepareCredentials(u, p), (e) => e instanceof TypeError && why.test(e.message) && !(p && e.message.includes(p) && p.length > 1))
	}
})

test('an access token goes with its key, and with no password', () => {
	const server = { address: '192.0.2.1', port: 3478 }
	const [accessToken, macKey] = [new Uint8Array(3), new Uint8Array(20)]
	checkConfig({ server, username: 'kid', accessToken, macKey })
	for (const wrong of /** @type {any[]} */ ([
		{ username: 'kid', accessToken }, { username: 'kid', macKey }, { accessToken, macKey }, { username: 'kid', accessToken: 'text', macKey },
		{ username: 'kid', password: 'p', accessToken, macKey },
	])) {
		assert.throws(() => checkConfig({ server, ...wrong }), TypeError)
	}
})

test('durations and quotes are as Go writes them', () => {
	for (const text of ['0s', '1ns', '1.5\u00b5s', '2.5ms', '1s', '1.5s', '1m0s', '9m59.999s', '1h0m0s', '100h1m0.5s']) {
		assert.equal(formatDuration(parseDuration(text.replace('\u00b5', 'u'))), text)
	}
	assert.equal(formatDuration(-1e9), '-1s')
	for (const bytes of ['plain', 'a\nb"\\', '\x00\xff\x7f', '\xc3\xa9', '\xe2\x80\x8b', '\xf0\x9f\x98\x80']) {
		const quoted = quote(bytes)
		assert.deepEqual(unquote(`${quoted} rest`), [bytes, ' rest'])
	}
	assert.equal(quote('\x00\xff\n\xe2\x80\x8b\xc3\xa9'), '"\\x00\\xff\\n\\u200b\xc3\xa9"')
})

test('the emitter of browsers does as node:events does', () => {
	/** @type {SmallEmitter<{message: [number], error: [Error]}>} */
	const emitter = new SmallEmitter()
	/** @type {string[]} */
	const heard = []
	const first = (/** @type {number} */ n) => {
		heard.push(`first ${n}`)
		emitter.off('message', second)
	}
	const second = (/** @type {number} */ n) => heard.push(`second ${n}`)
	assert.equal(emitter.emit('message', 0), false)
	emitter.on('message', first).once('message', (n) => heard.push(`once ${n}`)).addListener('message', second)
	assert.equal(emitter.listenerCount('message'), 3)
	assert.equal(emitter.emit('message', 1), true)
	emitter.emit('message', 2)
	emitter.removeListener('message', first).emit('message', 3)
	assert.deepEqual(heard, ['first 1', 'once 1', 'second 1', 'first 2'])
	assert.throws(() => emitter.emit('error', new Error('nobody listens')), /nobody listens/)
	assert.throws(() => emitter.on('message', /** @type {any} */ (7)), TypeError)
})
