// A client process: it opens its contestant, says "ready", and upon "go" does
// its work and says what that cost.

import { exit, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { setImmediate, setTimeout } from 'node:timers'
import { contestants } from './contestants.js'
import { Gate } from './gate.js'
import { Meter } from './meter.js'
import { fill, GOODBYE, HELLO, Ledger } from './payload.js'

/** @typedef {import('./spec.js').Spec} Spec */
/** @typedef {import('./spec.js').Told} Told */

/** @type {Spec} */
const spec = JSON.parse(process.argv[2])
const orders = createInterface({ input: stdin })[Symbol.asyncIterator]()
const book = new Ledger()

/** Called for each payload, with its number. @type {(number: number | undefined) => void} */
let received = () => {}

const contestant = await contestants[spec.who](spec, (bytes, offset) => received(book.take(bytes, offset)))
await sayHello()
stdout.write('ready\n')
const { value } = await orders.next()
if (value !== 'go') exit(1)
const told = await (spec.work === 'send' ? send() : receive())
stdout.write(`${JSON.stringify(told)}\n`)
await orders.next() // the end of our input: nobody wants anything any more
exit(0)

/** Asks for an echo until it comes: then the channel stands in both directions. */
async function sayHello() {
	const heard = new Promise((resolve) => (received = (number) => number === HELLO && resolve(undefined)))
	for (let there = false; !there; ) {
		fill(contestant.buffers[0], contestant.offset, HELLO)
		await contestant.send(1)
		const late = new Promise((resolve) => setTimeout(resolve, 100))
		there = await Promise.race([heard.then(() => true), late.then(() => false)])
	}
}

/** Bursts, each in a turn of its own, as many as the far side keeps up with. @returns {Promise<Told>} */
async function send() {
	const { buffers, offset } = contestant
	const gate = new Gate(spec)
	const meter = new Meter()
	let next = 0
	for (let at = performance.now(), begun = false, begin = at + spec.warm, end = begin + spec.measure; at < end; at = performance.now()) {
		if (!begun && at >= begin) {
			begun = true
			meter.begin(next)
		}
		for (let i = 0; i < spec.burst; i++) fill(buffers[i], offset, next++)
		await contestant.send(spec.burst)
		await new Promise((resolve) => setImmediate(resolve))
		gate.wait(next)
	}
	return meter.end(next, next, 0)
}

/** What the far side generates, until it says goodbye. @returns {Promise<Told>} */
function receive() {
	const meter = new Meter()
	/** Valid payloads before the window. */
	let before = -1
	/** @type {Told | undefined} */
	let told
	return new Promise((resolve) => {
		received = (number = 0) => {
			if (number === GOODBYE) {
				resolve({ ...(told ?? meter.end(0, 0, 0)), total: book.valid - Math.max(before, 0), bad: book.bad + book.twice })
			} else if (before < 0 && number >= spec.first) {
				meter.begin((before = book.valid))
			} else if (!told && number >= spec.last) {
				told = meter.end(book.valid, 0, 0)
			}
		}
	})
}
