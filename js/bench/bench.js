// Measures the data path of this package beside the bare sockets that it stands
// on and werift's TURN client:
//
//	node bench/bench.js [-rounds 7] [-only NAME,...] [-quick] [-json FILE] [-profiles FOLDER]
//
// -quick is one short round of everything, to see that it works: losses are
// forgiven there.
//
// Every contestant is a process of its own, started anew for each run; so is the
// far side, host/hosttest/benchpeers, which is the TURN server and the peer
// behind it. The figure is CPU microseconds (user and system) a packet of the
// contestant's process. A packet counts when the other side has received it and
// compared its number and every byte of it; a run that lost over 1 % is void,
// and has another try. In a round each cell has its turn; a ratio is the median
// of the rounds' ratios. A "limit" is the ratio that the bare socket itself has:
// nothing that stands on it can show more.
//
// The last lines are "ratio NAME VALUE (bound ...) pass|short". The exit status
// is 1 when something could not be measured, and 0 also when a bound is missed.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run, runtimes } from './cell.js'
import { Child } from './child.js'
import { cells, limits, ratios, START } from './plan.js'

/** @typedef {import('./cell.js').Result} Result */

const TRIES = 3

/**
 * In ms: an engine compiles in the background what has become hot, and that is CPU of the process; fewer calls a second
 * come there later.
 */
const WARM = { send: 1000, receive: 4000 }

const { values: flags } = parseArgs({
	args: process.argv.slice(2).map((a) => a.replace(/^-(?=[a-z]{2})/, '--')),
	options: {
		rounds: { type: 'string', default: '7' },
		only: { type: 'string', default: '' },
		quick: { type: 'boolean', default: false },
		json: { type: 'string', default: '' },
		profiles: { type: 'string', default: '' },
	},
})

/** @type {Map<string, (Result | undefined)[]>} */
const measured = new Map()
/** @type {number[]} */
const starts = []

const folder = mkdtempSync(join(tmpdir(), 'turnwasm-bench-'))
try {
	execFileSync('mkfifo', [join(folder, 'gate')])
	await measure(flags.quick ? 1 : Number(flags.rounds))
} finally {
	rmSync(folder, { recursive: true })
}
const values = report()
if (flags.json) writeFileSync(flags.json, JSON.stringify({ cells: Object.fromEntries(measured), starts, ratios: values }, undefined, '\t'))
process.exitCode = values.every((v) => Number.isFinite(v.value)) ? 0 : 1

/** @param {number} rounds */
async function measure(rounds) {
	const names = flags.only.split(',').filter((n) => n)
	const wanted = ratios.filter((r) => names.length === 0 || names.includes(r.name))
	const asked = [...wanted, ...limits.filter((l) => wanted.some((r) => r.name === l.name))]
	const chosen = cells.filter((c) => names.length === 0 || names.includes(c.name) || asked.some((r) => r.ours === c.name || r.theirs === c.name))
	printMachine(rounds)
	for (let round = 0; round < rounds; round++) {
		for (const cell of chosen) note(round, cell.name, await attempt(cell))
		if (names.length === 0 || names.includes(START.name)) await start(round)
	}
}

/** @param {import('./cell.js').Cell} cell */
async function attempt(cell) {
	const times = flags.quick ? { warm: 300, measure: 200 } : { warm: WARM[cell.work], measure: 1000 }
	for (let tries = 1; ; tries++) {
		const result = await run(cell, { ...times, folder, profiles: flags.profiles })
		if (flags.quick && result.late) return { ...result, why: undefined } // it works, on a machine that is busy
		if (!result.why || tries === TRIES) return result
		console.log(`       ${cell.name.padEnd(40)} ${result.why}`)
	}
}

/**
 * @param {number} round
 * @param {string} name
 * @param {Result} result
 */
function note(round, name, result) {
	const { micros, rate, lost, why } = result
	if (!measured.has(name)) measured.set(name, [])
	measured.get(name)?.push(why ? undefined : result)
	console.log(`${String(round + 1).padStart(5)}  ${name.padEnd(40)} ${why ?? `${digits(micros).padStart(7)} ${Math.round(rate).toString().padStart(10)} ${String(lost).padStart(6)}`}`)
}

/** @param {number} round */
async function start(round) {
	const [command, ...args] = runtimes.node('')
	const child = new Child('the start', command, [...args, fileURLToPath(new URL('start.js', import.meta.url))])
	const ms = await child.answer()
	await child.end()
	starts.push(ms)
	console.log(`${String(round + 1).padStart(5)}  ${'start: import to first datagram'.padEnd(40)} ${digits(ms).padStart(7)} ms`)
}

/** @param {number} rounds */
function printMachine(rounds) {
	console.log(`machine: ${cpus().length} cores, Linux ${release()}, Node ${process.versions.node}, load ${load()}`)
	console.log(`${rounds} rounds; payloads of 1200 bytes; us CPU a packet of the client's process\n`)
	console.log(`round  ${''.padEnd(40)}  us CPU  packets/s   lost`)
}

function load() {
	return readFileSync('/proc/loadavg', 'utf8').trim()
}

/** Prints medians and ratios. @returns {{name: string, value: number, rounds: number[]}[]} */
function report() {
	console.log(`\n${'median of the rounds'.padEnd(40)}  us CPU   spread`)
	for (const [name, results] of measured) {
		const all = results.flatMap((r) => (r ? [r.micros] : []))
		const mid = median(all)
		console.log(`${name.padEnd(40)} ${digits(mid).padStart(7)} ${((100 * (Math.max(...all) - Math.min(...all))) / mid).toFixed(0).padStart(6)} %   ${all.map(digits).join(' ')}`)
	}
	console.log(`load ${load()}\n`)
	for (const r of limits.filter((r) => measured.has(r.ours) && measured.has(r.theirs))) console.log(`limit ${r.name} ${digits(median(compare(r.ours, r.theirs)))}`)
	const compared = ratios.filter((r) => measured.has(r.ours) && measured.has(r.theirs)).map((r) => verdict(r.name, compare(r.ours, r.theirs), r.bound, '>='))
	return starts.length > 0 ? [...compared, verdict(START.name, starts, START.bound, '<=')] : compared
}

/**
 * Divides round by round: what disturbs the machine for longer than a cell takes disturbs both.
 * @param {string} ours
 * @param {string} theirs
 */
function compare(ours, theirs) {
	const under = measured.get(ours) ?? []
	return (measured.get(theirs) ?? []).flatMap((over, i) => (over && under[i] ? [over.micros / under[i].micros] : []))
}

/**
 * @param {string} name
 * @param {number[]} rounds
 * @param {number} bound
 * @param {'>=' | '<='} sign
 */
function verdict(name, rounds, bound, sign) {
	const value = median(rounds)
	const pass = sign === '>=' ? value >= bound : value <= bound
	console.log(`ratio ${name} ${digits(value)} (bound ${sign} ${bound}) ${pass ? 'pass' : 'short'}`)
	return { name, value, rounds }
}

/** @param {number[]} list */
function median(list) {
	const s = list.toSorted((a, b) => a - b)
	return (s[(s.length - 1) >> 1] + s[s.length >> 1]) / 2
}

/** @param {number} x */
function digits(x) {
	return x.toFixed(x < 100 ? 3 : 1)
}
