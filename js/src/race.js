// Attempts at several places, of which the first that allocates wins.

import { formatAddress } from './address.js'
import { TurnError } from './error.js'

/** @typedef {import('./attempt.js').Attempt} Attempt */
/** @typedef {import('./told.js').Closed} Closed */

/**
 * When the next place is tried beside those before it, in ms: "One recommended value for a default delay is 250
 * milliseconds." https://www.rfc-editor.org/rfc/rfc8305#section-5
 */
export const ATTEMPT_DELAY = 250

/** What closes leave behind, the best first. @type {readonly Closed['outcome'][]} */
const OUTCOMES = ['nothing_to_release', 'released', 'unconfirmed', 'abandoned']

/**
 * Tries one place after the other: the next one after a while, or at once when one has failed. The first allocation
 * wins; the others are given up, and what they have allocated is released.
 *
 * "Once one of the connection attempts succeeds (generally when the TCP handshake completes), all other connections
 * attempts that have not yet succeeded SHOULD be canceled." https://www.rfc-editor.org/rfc/rfc8305#section-5
 *
 * Two transports cannot have the caller's own port: then a place is tried when the attempt before has ended.
 */
export class Race {
	/** @type {Attempt | undefined} */
	winner
	#oneByOne
	#linger
	/** Attempts that are yet to be made. @type {(() => Attempt)[]} */
	#waiting = []
	/** @type {Set<Attempt>} */
	#running = new Set()
	/** The one that began last. @type {Attempt | undefined} */
	#last
	#begun = 0
	/** No more places will come. */
	#complete = false
	#closed = false
	/** What became of the others. @type {{where: string, error: Error, attempt?: Attempt}[]} */
	#failures = []
	/** @type {{attempt: Attempt, verdict: Closed}[]} */
	#verdicts = []
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	#timer

	/**
	 * @param {boolean} oneByOne
	 * @param {number} linger of those that have lost
	 */
	constructor(oneByOne, linger) {
		this.#oneByOne = oneByOne
		this.#linger = linger
	}

	/** Those that have not ended. */
	get running() {
		return this.#running
	}

	/** Whom to ask how it stands: the winner, or who has been at it for longest. */
	get leader() {
		return this.winner ?? this.#running.values().next().value ?? this.#last
	}

	/** The one attempt of a race that is none. */
	get only() {
		return this.#complete && this.#begun + this.#waiting.length === 1 ? this.#last : undefined
	}

	/** Nobody will allocate any more. */
	get lost() {
		return this.#complete && !this.winner && this.#waiting.length === 0 && this.#failures.length >= this.#begun
	}

	/** Every attempt has ended. */
	get over() {
		return this.#running.size === 0
	}

	/** @param {readonly (() => Attempt)[]} attempts to be made */
	add(attempts) {
		if (this.#closed) return
		this.#waiting.push(...attempts)
		if (this.#timer === undefined && !(this.#oneByOne && !this.over)) this.#next()
	}

	/** No more places will come. */
	complete() {
		this.#complete = true
	}

	#next() {
		clearTimeout(this.#timer)
		this.#timer = undefined
		const make = this.#waiting.shift()
		if (!make) return
		this.#begun++
		const attempt = (this.#last = make())
		this.#running.add(attempt)
		if (!this.#oneByOne) this.#timer = setTimeout(() => this.#next(), ATTEMPT_DELAY)
		attempt.begin()
	}

	/** Says whether the attempt is the winner, or may become it. @param {Attempt} attempt */
	has(attempt) {
		return !this.winner || this.winner === attempt
	}

	/** The attempt has allocated. @param {Attempt} attempt */
	won(attempt) {
		if (this.winner) return
		this.winner = attempt
		this.#stop()
		for (const loser of this.#running) if (loser !== attempt) loser.close(this.#linger)
	}

	/**
	 * An attempt has failed, or a name.
	 * @param {string} where
	 * @param {Error} error
	 * @param {Attempt} [attempt]
	 */
	failed(where, error, attempt) {
		if (this.winner || this.#failures.some((f) => attempt && f.attempt === attempt)) return
		if (!attempt) this.#begun++
		this.#failures.push({ where, error, attempt })
		if (attempt && !this.#oneByOne && !this.#closed) this.#next()
	}

	/** @param {Attempt} attempt @param {Closed} verdict */
	ended(attempt, verdict) {
		this.#running.delete(attempt)
		this.#verdicts.push({ attempt, verdict })
		if (this.#oneByOne && !this.#closed && this.over) this.#next()
	}

	/** What failed, in one error. */
	get error() {
		const [{ error }] = this.#failures
		if (this.#failures.length === 1) return error
		const cause = new AggregateError(this.#failures.map((f) => f.error))
		const text = this.#failures.map((f) => `${f.where}: ${f.error.message}`).join('; ')
		return error instanceof TurnError ? new TurnError(error.kind, text, { ...error, cause }) : new TurnError('transport', text, { cause })
	}

	/** Releases what all of them hold. @param {number} linger */
	close(linger) {
		this.#stop()
		for (const attempt of this.#running) attempt.close(linger)
	}

	#stop() {
		this.#closed = true
		clearTimeout(this.#timer)
		this.#waiting = []
	}

	/**
	 * The winner's verdict, with what others have left; without a winner the worst.
	 * @returns {Closed | undefined}
	 */
	get verdict() {
		const worst = this.#verdicts.map((v) => v.verdict).sort((a, b) => OUTCOMES.indexOf(b.outcome) - OUTCOMES.indexOf(a.outcome))
		const own = this.#verdicts.find((v) => v.attempt === this.winner)
		if (this.#verdicts.length < 2) return worst[0]
		if (!own) return { ...worst[0], ...latest(worst) }
		const losers = this.#verdicts.filter((v) => v !== own && OUTCOMES.indexOf(v.verdict.outcome) > 1)
		const others = [...(own.verdict.others ?? []), ...losers.map(({ attempt, verdict }) => ({ ...verdict, server: formatAddress(attempt.server) }))]
		return others.length === 0 ? own.verdict : { ...own.verdict, others }
	}
}

/** @param {readonly Closed[]} verdicts */
function latest(verdicts) {
	const untils = verdicts.flatMap((v) => (v.until ? [v.until.getTime()] : []))
	return { reuseAfter: Math.max(...verdicts.map((v) => v.reuseAfter)), until: untils.length > 0 ? new Date(Math.max(...untils)) : undefined }
}
