// What is measured, and what it must show.

/** @typedef {import('./cell.js').Cell} Cell */

/** Packets a second, where a runtime does not keep up with more. */
const SLOW = 10_000

/** @type {Cell[]} */
export const cells = [
	{ name: 'send: node:dgram alone', runtime: 'node', who: 'dgram', work: 'send' },
	{ name: 'send: turnwasm/node', runtime: 'node', who: 'ours', work: 'send' },
	{ name: 'send: werift', runtime: 'node', who: 'werift', work: 'send' },
	{ name: 'send: Bun.udpSocket alone', runtime: 'bun', who: 'bun', work: 'send' },
	{ name: 'send: turnwasm/bun', runtime: 'bun', who: 'oursBun', work: 'send' },
	{ name: "send: Deno's node:dgram alone", runtime: 'deno', who: 'dgram', work: 'send' },
	{ name: 'send: turnwasm/node in Deno', runtime: 'deno', who: 'ours', work: 'send' },
	{ name: 'send: Deno.listenDatagram alone', runtime: 'deno', who: 'listen', work: 'send' },
	{ name: 'send: ours over Deno.listenDatagram', runtime: 'deno', who: 'oursListen', work: 'send' },
	{ name: 'one a turn: node:dgram alone', runtime: 'node', who: 'dgram', work: 'send', burst: 1 },
	{ name: 'one a turn: turnwasm/node', runtime: 'node', who: 'ours', work: 'send', burst: 1 },
	{ name: 'one a turn: werift', runtime: 'node', who: 'werift', work: 'send', burst: 1 },
	{ name: 'receive: node:dgram alone', runtime: 'node', who: 'dgram', work: 'receive' },
	{ name: 'receive: turnwasm/node', runtime: 'node', who: 'ours', work: 'receive' },
	{ name: 'receive: werift', runtime: 'node', who: 'werift', work: 'receive' },
	{ name: 'receive: Bun.udpSocket alone', runtime: 'bun', who: 'bun', work: 'receive' },
	{ name: 'receive: turnwasm/bun', runtime: 'bun', who: 'oursBun', work: 'receive' },
	{ name: "receive: Deno's node:dgram alone", runtime: 'deno', who: 'dgram', work: 'receive', rate: SLOW },
	{ name: 'receive: turnwasm/node in Deno', runtime: 'deno', who: 'ours', work: 'receive', rate: SLOW },
	{ name: 'receive: Deno.listenDatagram alone', runtime: 'deno', who: 'listen', work: 'receive', rate: SLOW },
	{ name: 'receive: ours over Deno.listenDatagram', runtime: 'deno', who: 'oursListen', work: 'receive', rate: SLOW },
]

/**
 * How many times fewer CPU microseconds a packet one cell takes than another.
 * @typedef {{name: string, ours: string, theirs: string, bound: number}} Ratio
 */

/** @type {Ratio[]} */
export const ratios = [
	{ name: 'node-send-vs-dgram', ours: 'send: turnwasm/node', theirs: 'send: node:dgram alone', bound: 0.9 },
	{ name: 'node-recv-vs-dgram', ours: 'receive: turnwasm/node', theirs: 'receive: node:dgram alone', bound: 0.9 },
	{ name: 'node-send-vs-werift', ours: 'send: turnwasm/node', theirs: 'send: werift', bound: 1 },
	{ name: 'node-recv-vs-werift', ours: 'receive: turnwasm/node', theirs: 'receive: werift', bound: 1.05 },
	{ name: 'bun-batch-vs-node-dgram', ours: 'send: turnwasm/bun', theirs: 'send: node:dgram alone', bound: 2.5 },
]

/** The same of the bare socket in our place. @type {Omit<Ratio, 'bound'>[]} */
export const limits = [
	{ name: 'node-send-vs-werift', ours: 'send: node:dgram alone', theirs: 'send: werift' },
	{ name: 'node-recv-vs-werift', ours: 'receive: node:dgram alone', theirs: 'receive: werift' },
	{ name: 'bun-batch-vs-node-dgram', ours: 'send: Bun.udpSocket alone', theirs: 'send: node:dgram alone' },
]

/** The most that a start may take, in ms. */
export const START = { name: 'node-start-ms', bound: 150 }
