// The scripts of client/testdata in a page, byte for byte: the runner and the
// goldens are the ones of the other runtimes.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, test } from 'node:test'
import { launch, serveRepository } from './browser.js'

const site = await serveRepository()
const browser = await launch()
after(async () => {
	await browser.close()
	site.close()
})
const page = await (await browser.context()).newPage()
await page.goto(`${site.url}/`)
await page.setContent(`<script type="importmap">{ "imports": { "@noble/hashes/": "${site.url}/js/node_modules/@noble/hashes/" } }</script>`)
await page.evaluate(async (root) => {
	const { compile } = await import(`${root}/js/src/index.js`)
	const { diffScript, runScript } = await import(`${root}/js/test/script/runner.js`)
	const module = await compile(`${root}/wasm/turn.wasm`)
	Object.assign(globalThis, {
		/** @param {string} name @param {string} [from] @param {string} [to] */
		diff: async (name, from = '', to = '') => {
			const bytes = new Uint8Array(await (await fetch(`${root}/client/testdata/${name}`)).arrayBuffer())
			const text = Array.from(bytes, (b) => String.fromCharCode(b)).join('')
			if (!text.includes(from)) throw new Error(`the script holds ${from}`)
			const changed = text.replace(from, to)
			return diffScript(changed, await runScript(module, changed))
		},
	})
}, site.url)

/** @param {...string} args @returns {Promise<string>} */
const diff = (...args) => page.evaluate((a) => /** @type {any} */ (globalThis).diff(...a), args)

const scripts = readdirSync(new URL('../../../client/testdata/', import.meta.url)).filter((name) => name.endsWith('.txt'))
assert(scripts.length > 100, 'there are no scripts')

for (const name of scripts) test(`script ${name}`, async () => assert.equal(await diff(name), ''))

test('a changed byte of a script or of what came out is noticed', async () => {
	for (const [from, to] of [['"first"', '"fisrt"'], ['lifetime=10m0s', 'lifetime=11m0s'], ['sha256 e2', 'sha256 e3']]) {
		assert.notEqual(await diff('p06_auto_permission.txt', from, to), '', `${from} became ${to}`)
	}
})
