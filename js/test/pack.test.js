// The package as people get it: packed, checked, and installed in an empty
// folder.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startPeers } from './peers/peers.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'turnwasm-pack-'))
after(() => rmSync(folder, { recursive: true }))

/** @param {string} cwd @param {string} command @param {...string} args */
const run = (cwd, command, ...args) => execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

const [{ filename, files }] = JSON.parse(run(root, 'npm', 'pack', '--json', '--pack-destination', folder))
const tarball = join(folder, filename)

test('the tarball holds what it needs, and no test', () => {
	const names = files.map((/** @type {{path: string}} */ f) => f.path)
	for (const name of ['LICENSE', 'README.md', 'package.json', 'turn.wasm', 'src/index.js', 'types/index.d.ts', 'types/node.d.ts', 'types/bun.d.ts', 'types/web.d.ts']) {
		assert(names.includes(name), name)
	}
	assert(names.every((/** @type {string} */ n) => /^(src|types)\/|^(LICENSE|README\.md|package\.json|turn\.wasm)$/.test(n)), names.join(' '))
})

test('package.json and jsr.json say the same', () => {
	const npm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
	const jsr = JSON.parse(readFileSync(join(root, 'jsr.json'), 'utf8'))
	assert.equal(jsr.version, npm.version)
	const code = Object.entries(npm.exports).filter(([, e]) => typeof e === 'object').map(([name, e]) => [name, e.default])
	assert.deepEqual(Object.entries(jsr.exports), code)
	assert.deepEqual(npm.dependencies, undefined)
})

test('publint and arethetypeswrong find nothing', () => {
	assert.match(run(root, 'npx', 'publint', '--strict', tarball), /All good/)
	run(root, 'npx', 'attw', '--profile', 'esm-only', '--exclude-entrypoints', 'turn.wasm', '--', tarball)
})

/** The first block of README's that imports the entry point, with what a test has to put in. @param {string} part @param {Record<string, string>} put */
function snippet(part, put) {
	const readme = readFileSync(join(root, 'README.md'), 'utf8')
	let code = [...readme.matchAll(/```js\n(.*?)```/gs)].map((m) => m[1]).find((c) => c.includes(part))
	assert(code, `README has a block with ${part}`)
	for (const [from, to] of Object.entries(put)) {
		assert(code.includes(from), `it holds ${from}`)
		code = code.replace(from, to)
	}
	return code
}

test("README's snippet runs in an empty folder, and its types hold", async () => {
	const peers = await startPeers('pion')
	try {
		writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
		run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--offline', tarball)
		const code = snippet('createTurnSocket', {
			'turn:turn.example.org': peers.url, alice: peers.login.username, secret: peers.login.credential,
			"4000, '203.0.113.9'": `${peers.echo.port}, '${peers.echo.address}'`,
			'const verdict': "await new Promise((r) => socket.once('message', r))\nconst verdict",
		})
		writeFileSync(join(folder, 'snippet.mjs'), code)
		assert.match(run(folder, process.execPath, 'snippet.mjs'), /relayed address .*\n.* says hello\nreleased\n$/s)
		assert.equal(await peers.held(0), 0)
		writeFileSync(join(folder, 'snippet.mts'), `${code}\nconst text: string = (await new Promise<Buffer>((r) => socket.on('message', r))).toString()\nsocket.on('close', (v) => v.outcome === 'released' && text)\n`)
		const tsc = join(root, 'node_modules/typescript/bin/tsc')
		run(folder, process.execPath, tsc, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), 'snippet.mts')
	} finally {
		await peers.end()
	}
})
