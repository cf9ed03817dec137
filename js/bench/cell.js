// One cell: one contestant's process does one work with one far side's.

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { SIZE } from './payload.js'

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url))
const bin = (/** @type {string} */ name) => here(`../node_modules/.bin/${name}`)

/** How each runtime runs a file. @type {Record<string, (profiles: string) => [command: string, ...args: string[]]>} */
export const runtimes = {
	node: (profiles) => [process.execPath, ...(profiles ? ['--cpu-prof', `--cpu-prof-dir=${profiles}`] : [])],
	bun: () => [bin('bun')],
	deno: () => [bin('deno'), 'run', '-A', '--no-check', '--quiet', '--unstable-net'],
}

/** As host/hosttest/benchpeers is built by `make bench-js`. */
const FAR = process.env.TURNWASM_BENCHPEERS ?? here('../build/benchpeers')

/** More than so much of a run may not be lost. */
const LOST = 0.01

/**
 * @typedef {object} Cell
 * @property {string} name
 * @property {string} runtime
 * @property {string} who
 * @property {'send' | 'receive'} work
 * @property {number} [burst] payloads that are sent in one turn
 * @property {number} [rate] payloads a second that are received
 */

/** @typedef {{warm: number, measure: number, folder: string, profiles: string}} Times */

/**
 * What a run has shown.
 * @typedef {object} Result
 * @property {number} micros CPU microseconds a packet
 * @property {number} rate packets a second
 * @property {number} lost packets, or counted for nothing
 * @property {boolean} late more was lost than may be
 * @property {string} [why] it is void
 */

/**
 * Carries out a cell with fresh processes.
 * @param {Cell} cell
 * @param {Times} times
 * @returns {Promise<Result>}
 */
export async function run(cell, times) {
	const gate = join(times.folder, 'gate')
	const pipe = openSync(gate, 'r+') // both ends, so that neither process waits for the other's
	const far = new Child('the far side', FAR, ['-role', 'far', '-spec', JSON.stringify(farSpec(cell, times))], pipe)
	try {
		return await withFar(cell, times, gate, far)
	} finally {
		await far.end()
		closeSync(pipe)
	}
}

/** Packets that the far side generates in a second unless a cell says otherwise, and how long from one burst to the next, in s. */
const RATE = 30_000
const BURST_EVERY = 0.001

/** Payloads that a client sends in one turn of its event loop, unless a cell says otherwise. */
const SENT_AT_ONCE = 16

/**
 * The first payload that is generated at an instant of the stream.
 * @param {Cell} cell
 * @param {number} ms
 */
const firstOf = ({ rate = RATE }, ms) => Math.floor((rate * ms) / 1000)

/** Packets under way, at most. */
const WINDOW = 128

/**
 * How long the far side lets packets gather, in ms: whoever sends one to a process that waits for it pays for waking it,
 * and the slower he is, the more often.
 */
const NAP = 0.3

/**
 * A spec of benchpeers'; its times are in ns.
 * @param {Cell} cell
 * @param {Times} times
 */
const farSpec = ({ work, rate = RATE }, { warm, measure }) => ({
	Work: work === 'send' ? 'write' : 'read',
	Sizes: [SIZE],
	Warm: warm * 1e6,
	Measure: measure * 1e6,
	Window: WINDOW,
	Nap: NAP * 1e6,
	Rate: rate,
	Burst: rate * BURST_EVERY,
})

/**
 * @param {Cell} cell
 * @param {Times} times
 * @param {string} gate
 * @param {Child} far
 * @returns {Promise<Result>}
 */
async function withFar(cell, { warm, measure, profiles }, gate, far) {
	const [, address, port] = /** @type {RegExpExecArray} */ (/^(.*):(\d+)$/.exec(await far.line()))
	const { who, work, burst = SENT_AT_ONCE } = cell
	/** @type {import('./spec.js').Spec} */
	const spec = {
		who, work, gate, burst, warm, measure,
		window: WINDOW,
		first: firstOf(cell, warm),
		last: firstOf(cell, warm + 0.95 * measure),
		server: { address, port: Number(port) },
		peer: { address: '127.0.0.1', port: 40000 },
	}
	const [command, ...args] = runtimes[cell.runtime](profiles)
	const client = new Child(cell.name, command, [...args, here('client.js'), JSON.stringify(spec)])
	try {
		await client.line()
		client.order('go')
		if (work === 'receive') far.order('go')
		const told = await client.answer()
		far.order(`report ${work === 'send' ? told.total : 1}`)
		return judge(work, told, await far.answer(), firstOf(cell, warm))
	} finally {
		await client.end()
	}
}

/**
 * @param {'send' | 'receive'} work
 * @param {import('./spec.js').Told} told
 * @param {{Valid: number, Bad: number, Twice: number, Indications: number, Sent: number}} heard
 * @param {number} first what is generated before is to warm up
 * @returns {Result}
 */
function judge(work, told, heard, first) {
	const [sent, came, bad] = work === 'send' ? [told.total, heard.Valid, heard.Bad + heard.Twice + heard.Indications] : [heard.Sent - first, told.total, told.bad]
	const lost = sent - came
	const late = bad === 0 && told.packets > 0 && lost > LOST * sent
	const why = bad > 0 || told.packets <= 0 ? `void: ${bad} packets were wrong, ${told.packets} right` : late ? `void: ${lost} of ${sent} lost` : undefined
	return { micros: told.cpu / told.packets, rate: (1000 * told.packets) / told.wall, lost, late, why }
}
