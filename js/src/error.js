// What goes wrong, by one class. A caller's mistake is a TypeError instead.

import { CODE_TEXTS, HINTS, PHRASES } from './abi.gen.js'
import { formatAddress } from './address.js'

/**
 * What kind of failure it is:
 * `request`: the server, its silence or the path refused a request; `leftAlone`: the server is left alone after such
 * an answer; `lost`: the allocation is gone; `closed`: the socket or client is closed; `trapped`: the machine's
 * instance died; `unsupported`: a URL or command that this version does not do; `refused`: the machine does not do
 * it, `abi` says why; `module`: the module cannot be loaded; `transport`: the socket below fails; `bridge`: the bridge
 * refuses a session or ends it.
 * @typedef {'request' | 'leftAlone' | 'lost' | 'closed' | 'trapped' | 'unsupported' | 'refused' | 'module' | 'transport' | 'bridge'} TurnErrorKind
 */

/**
 * @typedef {object} TurnErrorFields
 * @property {number} [code] STUN error code, 0 = there was no answer that could be used; of the kind `bridge`, the bridge's
 * @property {string} [method] the request that failed: "Allocate", "ChannelBind", ...
 * @property {string} [reason] the server's phrase, or a sentence that says what was tried
 * @property {boolean} [signed] the answer carried a valid MESSAGE-INTEGRITY
 * @property {number} [retryAfter] leave the server alone for so many ms
 * @property {Date} [until] the server may hold what the request left behind until then
 * @property {number} [abi] the error code of the boundary (a CODE_ of wasm/abi); 0 = none
 * @property {unknown} [cause]
 */

/** Everything that fails and is not the caller's mistake. */
export class TurnError extends Error {
	/**
	 * @param {TurnErrorKind} kind
	 * @param {string} message
	 * @param {TurnErrorFields} [fields]
	 */
	constructor(kind, message, fields = {}) {
		super(message, fields.cause === undefined ? undefined : { cause: fields.cause })
		this.name = 'TurnError'
		this.kind = kind
		this.code = fields.code ?? 0
		this.method = fields.method ?? ''
		this.reason = fields.reason ?? message
		this.signed = fields.signed ?? false
		this.retryAfter = fields.retryAfter ?? 0
		this.until = fields.until
		this.abi = fields.abi ?? 0
	}
}

/**
 * The error of a code that a call has answered.
 * @param {number} code
 * @param {string} [text] what the machine says of it
 */
export function codeError(code, text) {
	const message = text || CODE_TEXTS.get(code) || `turn: error code ${code}, which this host does not know`
	return new TurnError('refused', message, { abi: code })
}

/**
 * A failure as the machine tells it.
 * @typedef {object} Failure
 * @property {string} method
 * @property {number} code
 * @property {string} reason
 * @property {boolean} signed
 * @property {number} retryAfter
 * @property {string} [peer] whom it was about
 * @property {Date} [until]
 */

/**
 * The error of a request that failed; it names the method, the code and what to do.
 * @param {Failure} f
 * @param {TurnErrorKind} [kind]
 */
export function requestError(f, kind = 'request') {
	return new TurnError(kind, describe(f), f)
}

/** The error that an event tells of. @param {import('./told.js').SocketEvent} e */
export function eventError(e) {
	const peer = e.peer && (e.peer.port === 0 ? e.peer.address : formatAddress(e.peer))
	return requestError({ ...e, peer })
}

/** @param {Failure} f */
function describe(f) {
	const reason = f.reason || (PHRASES.get(f.code) ?? '')
	let text = f.method + (f.peer ? ` for ${f.peer}` : '') + ': '
	text += f.code === 0 ? reason : `${f.code} ${reason}`.trim()
	const hint = advice(f.method, f.code)
	if (hint) text += `: ${hint}`
	if (f.until) text += `; ${doubt(f)}the server may hold an allocation until ${clock(f.until)}`
	return text
}

/**
 * Why an allocation may live although the server refused it.
 * @param {Failure} f
 */
function doubt(f) {
	if (f.code === 0 || f.code === 437 || f.signed) return ''
	return 'the answer was not signed, and if it was forged '
}

/**
 * @param {string} method
 * @param {number} code
 */
function advice(method, code) {
	const ofPeer = method !== 'Allocate' && method !== 'Refresh'
	if (code === 400 && ofPeer) return ''
	if (code === 403 && ofPeer) return "the server's policy refuses this peer"
	if (code === 437 && method !== 'Allocate') return 'the server does not hold the allocation any more: dial again'
	return HINTS.get(code) ?? ''
}

/** @param {Date} at */
const clock = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':')
