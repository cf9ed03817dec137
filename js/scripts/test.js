// Runs the tests in Node, Deno, Bun and Chromium, and prints their results as
// `go test -json` does, one event a line, for host/hosttest/testsum to count:
//
//	node scripts/test.js [node] [deno] [bun] [chromium]
//
// Tests that only npm concerns (pack) run in Node alone; those of test/deno and
// test/chromium there. Each file is a run of its own: one that hangs is ended, and
// fails under its name.

import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file that takes longer hangs: the slowest takes one minute. */
const LIMIT_MINUTES = 5

/** What a file has started may take so long to end, in ms. */
const GRACE = 10_000

const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name)
/** The tests of a folder. */
const those = (folder = '') => readdirSync(join(root, 'test', folder)).filter((f) => f.endsWith('.test.js')).map((f) => `./${join('test', folder, f)}`)
const everywhere = those().filter((f) => basename(f) !== 'pack.test.js')

/** A command with its arguments. @typedef {string[]} Command */

/** Node's runner, which prints what has passed too: of a file that hangs there is no report. @type {(report: string, file: string) => Command} */
const node = (report, file) => [
	process.execPath, '--test', '--test-reporter=junit', `--test-reporter-destination=${report}`, '--test-reporter=spec', '--test-reporter-destination=stdout', file,
]

/** Which files a runtime runs, and how: where the report goes. @type {Record<string, {files: string[], command: (report: string, file: string) => Command}>} */
const runtimes = {
	node: { files: those(), command: node },
	deno: {
		files: [...everywhere, ...those('deno')],
		command: (report, file) => [bin('deno'), 'test', '-A', '--unstable-net', '--no-check', '--quiet', `--junit-path=${report}`, file],
	},
	bun: { files: everywhere, command: (report, file) => [bin('bun'), 'test', '--timeout=60000', '--reporter=junit', `--reporter-outfile=${report}`, file] },
	chromium: { files: those('chromium'), command: node },
}

/** @param {string} name @param {string} file */
async function run(name, file) {
	const report = join(folder, `${name}-${basename(file)}.xml`)
	const { status, late, output } = await execute(runtimes[name].command(report, file))
	const cases = readReport(report).filter((c) => c.name !== join(root, file)) // Node's word of a file that ends badly: ours says more
	for (const c of cases) tell(`js/${name}`, c)
	const well = status === 0 && !late && cases.length > 0
	if (late || (!well && !cases.some((c) => c.action === 'fail'))) {
		tell(`js/${name}`, { name: file, action: 'fail', output: `${late ? `it is not over after ${LIMIT_MINUTES} minutes\n` : ''}${output}` })
	}
	return well
}

/** Sends a signal to what runs, with all that it has started. */
let signalAll = (/** @type {NodeJS.Signals} */ _) => {}
process.on('exit', () => {
	signalAll('SIGKILL')
	rmSync(folder, { recursive: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

/**
 * Runs a command, in a process group of its own.
 * @param {Command} command
 * @returns {Promise<{status: number | null, late: boolean, output: string}>}
 */
function execute([command, ...args]) {
	const child = spawn(command, args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
	signalAll = (signal) => {
		try {
			process.kill(-(/** @type {number} */ (child.pid)), signal)
		} catch {
			// nothing of it is left
		}
	}
	let late = false
	let output = ''
	for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
	const killSoon = () => setTimeout(() => signalAll('SIGKILL'), GRACE)
	let timer = setTimeout(() => {
		late = true
		signalAll('SIGTERM')
		timer = killSoon()
	}, LIMIT_MINUTES * 60_000)
	// What outlives it holds on to its output.
	child.on('exit', () => {
		clearTimeout(timer)
		timer = killSoon()
	})
	return new Promise((resolve) => {
		child.on('error', (e) => (output += e))
		child.on('close', (status) => {
			clearTimeout(timer)
			signalAll('SIGKILL')
			signalAll = () => {}
			resolve({ status, late, output })
		})
	})
}

/**
 * @typedef {{name: string, action: 'pass' | 'fail' | 'skip', output: string}} Case
 */

/**
 * The test cases of a JUnit report.
 * @param {string} file
 * @returns {Case[]}
 */
function readReport(file) {
	let xml
	try {
		xml = readFileSync(file, 'utf8')
	} catch {
		return [] // it did not come that far
	}
	return [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)].map(([, attributes, body = '']) => ({
		name: plain(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? '?'),
		action: /<(failure|error)\b/.test(body) ? 'fail' : /<skipped\b/.test(body) ? 'skip' : 'pass',
		output: plain(body),
	}))
}

/** @param {string} xml */
const plain = (xml) =>
	xml.replace(/&(lt|gt|quot|apos|#10|#x0?a);/gi, (_, e) => /** @type {Record<string, string>} */ ({ lt: '<', gt: '>', quot: '"', apos: "'" })[e.toLowerCase()] ?? '\n').replaceAll('&amp;', '&')

/**
 * @param {string} suite
 * @param {Case} c
 */
function tell(suite, { name, action, output }) {
	const event = { Package: suite, Test: name.replaceAll(' ', '_') }
	if (action !== 'pass') print({ ...event, Action: 'output', Output: `${output}\n` })
	print({ ...event, Action: action })
}

/** @param {object} event */
const print = (event) => process.stdout.write(`${JSON.stringify(event)}\n`)

const chosen = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'turnwasm-test-'))
let failed = false
for (const name of chosen.length > 0 ? chosen : Object.keys(runtimes)) {
	for (const file of runtimes[name].files) failed = !(await run(name, file)) || failed
}
process.exitCode = failed ? 1 : 0
