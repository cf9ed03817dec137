// TURN URIs (RFC 7065).
//
//	turnURI       = scheme ":" host [ ":" port ] [ "?transport=" transport ]

import { parseIP } from './address.js'
import { TurnError } from './error.js'

const FORM = 'want turn:HOST[:PORT][?transport=udp|tcp] or turns:'

/** What carries TURN to the server. @typedef {'udp' | 'tcp' | 'tls'} Via */

/** @typedef {{host: string, port: number, portGiven: boolean, via: Via}} Target */

/**
 * What the URIs that this version can use are made into. When it can use none, the first one's error is thrown.
 * @template T
 * @param {string | readonly string[]} urls
 * @param {readonly Via[]} carriers that there are
 * @param {(target: Target) => T} make
 * @returns {T[]}
 */
export function parseURLs(urls, carriers, make) {
	const list = typeof urls === 'string' ? [urls] : urls
	if (!Array.isArray(list) || list.length === 0) throw new TypeError(`urls is a TURN URI or a list of them: ${FORM}`)
	/** @type {unknown[]} */
	const errors = []
	const made = list.flatMap((url) => {
		try {
			return [make(parseURL(url, carriers))]
		} catch (e) {
			errors.push(e)
			return []
		}
	})
	if (made.length === 0) throw errors[0]
	return made
}

/**
 * @param {string} url
 * @param {readonly Via[]} carriers
 * @returns {Target}
 */
export function parseURL(url, carriers) {
	if (typeof url !== 'string') throw new TypeError(`a TURN URI is a string, not ${typeof url}: ${FORM}`)
	if (url.startsWith('turn://')) throw bad(url, `a TURN URI has no slashes: turn:${url.slice(7)}`)
	if (/[@#/ ]/.test(url)) throw bad(url, `${FORM}; the credentials are not part of it`)
	const found = /^(turns?|stuns?):(\[[^\]]+\]|[^:?[\]]+)(?::(\d{1,6}))?(?:\?transport=([a-z]+))?$/i.exec(url)
	if (!found) throw bad(url, FORM)
	const [, scheme, name, digits, transport = ''] = found
	if (!/^turns?$/i.test(scheme)) throw bad(url, 'the scheme is neither turn: nor turns:')
	const secured = /^turns$/i.test(scheme)
	const port = digits === undefined ? (secured ? 5349 : 3478) : Number(digits)
	if (port < 1 || port > 65535) throw bad(url, 'the port is not in 1..65535')
	if (!['', 'udp', 'tcp'].includes(transport.toLowerCase())) throw bad(url, FORM)
	const stream = secured ? !/^udp$/i.test(transport) : /^tcp$/i.test(transport)
	if (secured && !stream) throw unsupported(`${quoted(url)}: TURN over DTLS: not supported here: use turns: without transport=udp`)
	const via = secured ? 'tls' : stream ? 'tcp' : 'udp'
	if (!carriers.includes(via)) throw unsupported(`${quoted(url)}: TURN over ${via.toUpperCase()}: not supported here: use a turn: URI with transport=udp`)
	const host = name.startsWith('[') ? name.slice(1, -1) : name.toLowerCase()
	if (name.startsWith('[') && !parseIP(host)) throw bad(url, FORM)
	return { host, port, portGiven: digits !== undefined, via }
}

/** @param {string} url */
const quoted = (url) => JSON.stringify(url)

/**
 * @param {string} url
 * @param {string} why
 */
const bad = (url, why) => new TypeError(`${quoted(url)} is not a TURN URI: ${why}`)

/** @param {string} message */
const unsupported = (message) => new TurnError('unsupported', message)
