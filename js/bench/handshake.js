// A channel for who has no TURN client: Allocate and ChannelBind by hand, with
// code that shares nothing with the machine.

import { be32, Builder, CLASSES, longTermKey, Message, METHODS, typeOf } from '../test/script/stun.js'
import { LOGIN } from './spec.js'

export const CHANNEL = 0x4000

/** The channel number of a ChannelData message. @param {Uint8Array} data */
export const channelOf = (data) => (data[0] << 8) | data[1]

/** Requests are sent again on loopback as well: the far side may not read yet. */
const AGAIN = 200

/**
 * @param {{address: string, port: number}} peer
 * @param {(data: Uint8Array) => void} send
 * @param {(hear: (data: Uint8Array) => void) => () => void} listen answers how to stop listening
 */
export async function shake(peer, send, listen) {
	const udp = [17, 0, 0, 0]
	const allocate = () => start('Allocate').add(typeOf('REQUESTED-TRANSPORT'), udp)
	const challenge = await ask(allocate().datagram, send, listen)
	const realm = challenge.text('REALM')
	const key = longTermKey(LOGIN.username, realm, LOGIN.password)
	/** @param {Builder} b */
	const signed = (b) => b.text(typeOf('USERNAME'), LOGIN.username).text(typeOf('REALM'), realm).text(typeOf('NONCE'), challenge.text('NONCE')).integrity(key).datagram
	wantSuccess(await ask(signed(allocate()), send, listen))
	const bind = start('ChannelBind').add(typeOf('CHANNEL-NUMBER'), be32(CHANNEL * 65536)).address(typeOf('XOR-PEER-ADDRESS'), peer)
	wantSuccess(await ask(signed(bind), send, listen))
}

/** @param {string} method */
const start = (method) => new Builder(/** @type {number} */ (METHODS.byName.get(method)), 0, crypto.getRandomValues(new Uint8Array(12)))

/** @param {Message} m */
function wantSuccess(m) {
	if (CLASSES[m.cls] !== 'success') throw new Error(`the far side refuses ${METHODS.byNumber.get(m.method)}`)
}

/**
 * @param {Uint8Array} request
 * @param {(data: Uint8Array) => void} send
 * @param {(hear: (data: Uint8Array) => void) => () => void} listen
 * @returns {Promise<Message>}
 */
function ask(request, send, listen) {
	return new Promise((resolve) => {
		const stop = listen((data) => {
			clearInterval(again)
			stop()
			resolve(new Message(data))
		})
		const again = setInterval(() => send(request), AGAIN)
		send(request)
	})
}
