// A trace as pcapng: https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-05.html
// The headers below the payload are made up from the socket's addresses.

import { openSync, writeSync } from 'node:fs'
import { isIPv6 } from 'node:net'

const RAW = 101 // LINKTYPE_RAW: packets begin with their IP header
const UDP = 17

/** Opens a file for a socket's option `trace`. Each datagram is in it before it is handed on. */
export function openTrace(path) {
	const file = openSync(path, 'w')
	const write = (type, body) => writeSync(file, block(type, body))
	write(0x0a0d0d0a, bytes([4, 0x1a2b3c4d], [2, 1], [2, 0], [4, 0xffffffff], [4, 0xffffffff])) // the section: little-endian, of unknown length
	write(1, bytes([2, RAW], [2, 0], [4, 0])) // its one interface; times are in microseconds
	return ({ sent, data, local, server }) => {
		const us = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000))
		const packet = packetOf(...(sent ? [local, server] : [server, local]), data)
		write(6, Buffer.concat([bytes([4, 0], [4, Number(us >> 32n)], [4, Number(us & 0xffffffffn)], [4, packet.length], [4, packet.length]), packet]))
	}
}

/** Numbers in little-endian order: [how many bytes, value]. */
function bytes(...numbers) {
	return Buffer.concat(numbers.map(([size, value]) => {
		const b = Buffer.alloc(size)
		b.writeUIntLE(value, 0, size)
		return b
	}))
}

function block(type, body) {
	const pad = Buffer.alloc(-body.length & 3)
	const length = [4, 12 + body.length + pad.length]
	return Buffer.concat([bytes([4, type], length), body, pad, bytes(length)])
}

function packetOf(from, to, payload) {
	const addresses = Buffer.concat([ipBytes(from.address), ipBytes(to.address)])
	const udp = Buffer.alloc(8)
	udp.writeUInt16BE(from.port, 0)
	udp.writeUInt16BE(to.port, 2)
	udp.writeUInt16BE(8 + payload.length, 4)
	const pseudo = Buffer.from([0, UDP, (8 + payload.length) >> 8, (8 + payload.length) & 0xff])
	udp.writeUInt16BE(checksum(addresses, pseudo, udp, payload) || 0xffff, 6)
	return Buffer.concat([ipHeader(addresses, 8 + payload.length), udp, payload])
}

function ipHeader(addresses, length) {
	const four = addresses.length === 8
	const header = Buffer.alloc(four ? 12 : 8)
	if (!four) {
		header[0] = 0x60
		header.writeUInt16BE(length, 4)
		header.set([UDP, 64], 6)
		return Buffer.concat([header, addresses])
	}
	header[0] = 0x45
	header.writeUInt16BE(20 + length, 2)
	header.set([64, UDP], 8)
	header.writeUInt16BE(checksum(header, addresses), 10)
	return Buffer.concat([header, addresses])
}

/** The Internet checksum (RFC 1071) of parts, of which only the last may be odd. */
function checksum(...parts) {
	let sum = 0
	for (const part of parts) {
		for (let i = 0; i < part.length; i++) sum += i % 2 === 0 ? part[i] << 8 : part[i]
	}
	while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
	return ~sum & 0xffff
}

function ipBytes(address) {
	if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number))
	const [head, tail] = address.split('%')[0].replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => `${((+a << 8) | +b).toString(16)}:${((+c << 8) | +d).toString(16)}`).split('::')
	const words = (text) => (text ? text.split(':') : [])
	const missing = tail === undefined ? 0 : 8 - words(head).length - words(tail).length
	const all = [...words(head), ...Array(missing).fill('0'), ...words(tail)]
	return Buffer.from(all.flatMap((w) => [parseInt(w, 16) >> 8, parseInt(w, 16) & 0xff]))
}
