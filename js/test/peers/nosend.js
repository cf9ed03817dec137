// Local addresses that are gone, as far as sockets of this process can tell.

import { Socket } from 'node:dgram'

/** @param {string} code @param {string} [syscall] */
export const failure = (code, syscall = 'send') => Object.assign(new Error(`${syscall} ${code}`), { code, syscall })

/**
 * Has the sends of the local port fail, until what it answers is called.
 * @param {string} flavour
 * @param {number} port
 * @param {string} code
 */
export function failSends(flavour, port, code) {
	if (flavour === 'bun') return failBunSends(port, code)
	const send = Socket.prototype.send
	/** @this {any} @param {any[]} args */
	function failing(...args) {
		if (this.address().port !== port) return send.apply(this, /** @type {any} */ (args))
		const callback = args.at(-1)
		if (typeof callback === 'function') queueMicrotask(() => callback(failure(code)))
	}
	Socket.prototype.send = /** @type {any} */ (failing)
	return () => void (Socket.prototype.send = send)
}

/** Bun's sockets are all of one class. @param {number} port @param {string} code */
function failBunSends(port, code) {
	const proto = /** @type {any} */ (bunSockets)
	const { send, sendMany } = proto
	for (const [name, f] of Object.entries({ send, sendMany })) {
		proto[name] = function (/** @type {unknown[]} */ ...args) {
			if (this.port === port) throw failure(code)
			return f.apply(this, args)
		}
	}
	return () => void Object.assign(proto, { send, sendMany })
}

const probe = 'Bun' in globalThis ? await /** @type {any} */ (globalThis).Bun.udpSocket({}) : undefined
const bunSockets = probe && Object.getPrototypeOf(probe)
probe?.close()

/**
 * Has binds fail, too, to the address or to any.
 * @param {string} flavour
 * @param {{address?: string, port: number}} local
 */
export function loseAddress(flavour, { address, port }) {
	const code = 'EADDRNOTAVAIL'
	const heal = [failSends(flavour, port, code), flavour === 'bun' ? failBunBinds(address, code) : failBinds(address, code)]
	return () => heal.forEach((f) => f())
}

/** @param {string | undefined} address @param {string} code */
function failBinds(address, code) {
	const bind = Socket.prototype.bind
	/** @this {any} @param {any[]} args */
	function failing(...args) {
		if (address && args[0]?.address !== address) return bind.apply(this, /** @type {any} */ (args))
		queueMicrotask(() => this.emit('error', failure(code, 'bind')))
		return this
	}
	Socket.prototype.bind = /** @type {any} */ (failing)
	return () => void (Socket.prototype.bind = bind)
}

/** @param {string | undefined} address @param {string} code */
function failBunBinds(address, code) {
	const { Bun } = /** @type {any} */ (globalThis)
	const { udpSocket } = Bun
	Bun.udpSocket = async (/** @type {any} */ options) => {
		if (!address || options.hostname === address) throw failure(code, 'bind')
		return udpSocket(options)
	}
	return () => void (Bun.udpSocket = udpSocket)
}
