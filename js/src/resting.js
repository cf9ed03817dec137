// Servers that have asked to be left alone, by an answer of their own: 437 on
// three ports, 486, 508.

import { TurnError } from './error.js'

/** @type {Map<string, {until: number, why: TurnError}>} */
const servers = new Map()

/**
 * Remembers an answer that asks to be left alone; others it passes over.
 * @param {string} server
 * @param {TurnError} why
 */
export function noteRest(server, why) {
	if (!(why.retryAfter > 0)) return
	const now = performance.now()
	for (const [other, { until }] of servers) if (until <= now) servers.delete(other)
	servers.set(server, { until: now + why.retryAfter, why })
}

/**
 * Throws while the server is left alone.
 * @param {string} server
 */
export function checkRest(server) {
	const rest = servers.get(server)
	const left = rest ? rest.until - performance.now() : 0
	if (!rest || left <= 0) return
	const { why } = rest
	throw new TurnError('leftAlone', `the server is left alone for another ${Math.ceil(left / 1000)}s: ${why.message}`, {
		code: why.code, method: why.method, reason: why.reason, signed: why.signed, retryAfter: left, cause: why,
	})
}
