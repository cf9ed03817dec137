// What stands at the server for a socket's user: permissions and channels, and who waits for an answer about them.

import { formatAddress, formatIP, parseIP } from './address.js'
import { eventError } from './error.js'
import { Waiters } from './waiters.js'

/** @typedef {import('./address.js').Address} Address */
/** @typedef {import('./told.js').SocketEvent} SocketEvent */

export class Standing {
	#waiters = new Waiters()
	/** @type {Set<string>} */
	#permitted = new Set()
	/** The peers that have a channel. @type {Map<string, Address>} */
	#channels = new Map()

	/** Addresses that have a permission. */
	get permitted() {
		return [...this.#permitted]
	}

	/** Peers that have a channel. */
	get channels() {
		return [...this.#channels.values()]
	}

	/** @returns {Promise<void>} settles with the next refresh */
	refresh() {
		return this.#waiters.add('refresh')
	}

	/** @returns {Promise<boolean>} settles when the allocation has moved, or another has taken its place */
	move() {
		return this.#waiters.add('rebind')
	}

	/** @param {readonly string[]} addresses @returns {Promise<void>[]} the answers to wait for */
	permit(addresses) {
		const missing = addresses.map(plain).filter((a) => !this.#permitted.has(a))
		return missing.map((a) => this.#waiters.add('permission', a))
	}

	/** @param {string} address */
	forbid(address) {
		this.#permitted.delete(plain(address))
	}

	/** @param {number} port @param {string} address @returns {Promise<void>[]} the answers to wait for */
	bind(port, address) {
		const key = formatAddress({ address: plain(address), port })
		return this.#channels.has(key) ? [] : [this.#waiters.add('channel', key)]
	}

	/** @param {number} port @param {string} address */
	unbind(port, address) {
		this.#channels.delete(formatAddress({ address: plain(address), port }))
	}

	/** @param {SocketEvent} e */
	react(e) {
		switch (e.event) {
			case 'allocated':
				this.#waiters.settle('rebind', '', false)
				return this.#clear()
			case 'allocationLost':
				return this.#clear()
			case 'refreshed':
				return this.#waiters.settle('refresh', '')
			case 'permissionCreated':
				this.#permitted.add(keyOf(e, false))
				return this.#waiters.settle('permission', keyOf(e, false))
			case 'permissionFailed':
				this.#permitted.delete(keyOf(e, false))
				return this.#waiters.refuse('permission', keyOf(e, false), eventError(e))
			case 'channelBound':
				if (e.peer) this.#channels.set(keyOf(e, true), e.peer)
				return this.#waiters.settle('channel', keyOf(e, true), e.channel)
			case 'channelFailed':
				this.#channels.delete(keyOf(e, true))
				return this.#waiters.refuse('channel', keyOf(e, true), eventError(e))
			case 'commandDropped':
				this.#waiters.refuse('permission', keyOf(e, false), eventError(e))
				return this.#waiters.refuse('channel', keyOf(e, true), eventError(e))
			case 'credentialsExpired':
			case 'refreshFailed':
				return this.#waiters.refuse('refresh', '', eventError(e))
			case 'rebound':
				return this.#waiters.settle('rebind', '', true)
		}
	}

	/** @param {import('./waiters.js').Want} want @param {unknown} error */
	refuse(want, error) {
		this.#waiters.refuse(want, '', error)
	}

	/** Answers everybody. @param {unknown} error */
	fail(error) {
		this.#waiters.fail(error)
	}

	/** The allocation is gone, and what was under it. */
	#clear() {
		this.#permitted.clear()
		this.#channels.clear()
	}
}

/**
 * The key of the peer that an event is about; a permission's has no port.
 * @param {SocketEvent} e
 * @param {boolean} port
 */
const keyOf = (e, port) => (!e.peer ? '' : port ? formatAddress(e.peer) : e.peer.address)

/** An address as the machine spells it. @param {string} address */
function plain(address) {
	const ip = parseIP(address)
	return ip ? formatIP(ip) : address
}
