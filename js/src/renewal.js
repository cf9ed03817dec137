// Credentials that are good for a while: those of the "TURN REST API", and the
// call that gets others in time.

/** Left for asking a web server, which may be slow, and for the allocation that follows, in ms. */
const RENEW_BEFORE = 60_000

/** Between two calls, in ms: credentials that come with less left than that are asked for no more often. */
const MOST_OFTEN = 10_000

/** Timers of JavaScript count no further, in ms. */
const LONGEST = 2 ** 31 - 1

/**
 * What may be given of a credential: the names of the options.
 * @typedef {object} Credentials
 * @property {string} [username]
 * @property {string} [credential]
 * @property {Uint8Array} [accessToken]
 * @property {Uint8Array} [macKey]
 * @property {Date} [expires]
 */

/**
 * Makes the credentials that a server with the shared secret takes until then: coturn's --use-auth-secret, and others'
 * "TURN REST API". It is for those who have the secret, which a client has not.
 *
 * "username: ... a colon-delimited combination of the expiration timestamp and the username parameter from the request
 * (if specified). password: ... computed from the secret key shared with the TURN server and the returned username value,
 * by performing base64(hmac(secret key, returned username))."
 * https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00#section-2.2
 * @param {Uint8Array | string} secret
 * @param {string} name may be empty
 * @param {Date} until
 * @returns {Promise<{username: string, credential: string}>}
 */
export async function timeLimited(secret, name, until) {
	if (!(until instanceof Date) || Number.isNaN(until.getTime())) throw new TypeError('until is a Date')
	if (typeof name !== 'string') throw new TypeError('name is a string')
	const utf8 = new TextEncoder()
	const bytes = typeof secret === 'string' ? utf8.encode(secret) : secret
	if (!(bytes instanceof Uint8Array)) throw new TypeError('secret is bytes or a string')
	const seconds = String(Math.floor(until.getTime() / 1000))
	const username = name === '' ? seconds : `${seconds}:${name}`
	const key = await crypto.subtle.importKey('raw', /** @type {BufferSource} */ (bytes), { name: 'HMAC', hash: 'SHA-1' }, false, ['sign'])
	const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8.encode(username)))
	return { username, credential: btoa(String.fromCharCode(...mac)) }
}

/**
 * When a credential expires: as it says, or as a username of timeLimited begins; undefined when that is no time.
 * @param {Credentials} c
 */
export function expiryOf({ username = '', expires }) {
	if (expires) return expires
	const [stamp] = username.split(':')
	const until = new Date(/^\d{1,12}$/.test(stamp) ? Number(stamp) * 1000 : NaN)
	return until.getTime() > 0 ? until : undefined
}

/** Calls somebody once, ahead of an instant. One that fails is not called again: what it was to get may be half there. */
export class Renewal {
	#renew
	#before
	#failed
	/** When it was called last, as Date.now() has it. */
	last
	/** @type {Date | undefined} */
	#until
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer
	#ended = false

	/**
	 * @param {((until: Date) => void | Promise<void>) | undefined} renew
	 * @param {number} [before] in ms
	 * @param {(error: Error) => void} [failed] is told what renew throws, or rejects with
	 * @param {number} [last] when it was called last for what this is in the place of
	 */
	constructor(renew, before = RENEW_BEFORE, failed = () => {}, last = -Infinity) {
		this.#renew = renew
		this.#before = before
		this.#failed = failed
		this.last = last
	}

	/** An instant that it was armed for is no news. @param {Date | undefined} until */
	arm(until) {
		if (this.#ended || !this.#renew || !until || until.getTime() === this.#until?.getTime()) return
		clearTimeout(this.#timer)
		this.#until = until
		this.#wait(until, this.#renew)
	}

	/**
	 * @param {Date} until
	 * @param {(until: Date) => void | Promise<void>} renew
	 */
	#wait(until, renew) {
		const ms = Math.max(until.getTime() - this.#before, this.last + MOST_OFTEN) - Date.now()
		this.#timer = setTimeout(() => (ms > LONGEST ? this.#wait(until, renew) : this.#call(until, renew)), Math.min(ms, LONGEST))
		if (typeof this.#timer === 'object') this.#timer.unref() // what keeps a program alive is its sockets
	}

	/**
	 * @param {Date} until
	 * @param {(until: Date) => void | Promise<void>} renew
	 */
	async #call(until, renew) {
		this.last = Date.now()
		try {
			await renew(until)
		} catch (e) {
			const error = e instanceof Error ? e : new Error('renew has failed', { cause: e })
			queueMicrotask(() => this.#failed(error)) // what a listener throws is not a rejection of ours
		}
	}

	/** Nobody is called any more. */
	end() {
		this.#ended = true
		clearTimeout(this.#timer)
	}
}
