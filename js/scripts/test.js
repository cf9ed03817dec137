// Runs the tests in Node, Deno, Bun and Chromium, and prints their results as
// `go test -json` does, one event a line, for host/hosttest/testsum to count:
//
//	node scripts/test.js [node] [deno] [bun] [chromium]
//
// Tests that only npm concerns (pack) run in Node alone; those of test/deno and
// test/chromium there.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const all = readdirSync(join(root, 'test')).filter((f) => f.endsWith('.test.js'))
const everywhere = all.filter((f) => f !== 'pack.test.js')
const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name)
const paths = (/** @type {string[]} */ files) => files.map((f) => `./test/${f}`)
/** The tests of a folder. */
const those = (/** @type {string} */ folder) => paths(readdirSync(join(root, 'test', folder)).filter((f) => f.endsWith('.test.js')).map((f) => join(folder, f)))
/** Node's runner. @type {(report: string, files: string[]) => [command: string, args: string[]]} */
const node = (report, files) => [process.execPath, ['--test', '--test-timeout=600000', '--test-reporter=junit', `--test-reporter-destination=${report}`, ...files]]

/** How each runtime runs files and where its report goes. @type {Record<string, (report: string) => [command: string, args: string[]]>} */
const runtimes = {
	node: (report) => node(report, paths(all)),
	deno: (report) => [bin('deno'), ['test', '-A', '--unstable-net', '--no-check', '--quiet', `--junit-path=${report}`, ...paths(everywhere), ...those('deno')]],
	bun: (report) => [bin('bun'), ['test', '--timeout=60000', '--reporter=junit', `--reporter-outfile=${report}`, ...paths(everywhere)]],
	chromium: (report) => node(report, those('chromium')),
}

/** @param {string} name */
function run(name) {
	const report = join(folder, `${name}.xml`)
	const [command, args] = runtimes[name](report)
	const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, NO_COLOR: '1' } })
	const cases = readReport(report)
	for (const c of cases) tell(`js/${name}`, c)
	const well = done.status === 0 && cases.length > 0
	if (!well && !cases.some((c) => c.action === 'fail')) {
		tell(`js/${name}`, { name: 'TestRuns', action: 'fail', output: `${done.error ?? ''}${done.stdout}${done.stderr}` })
	}
	return well
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
try {
	for (const name of chosen.length > 0 ? chosen : Object.keys(runtimes)) failed = !run(name) || failed
} finally {
	rmSync(folder, { recursive: true })
}
process.exitCode = failed ? 1 : 0
