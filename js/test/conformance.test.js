// The scripts of client/testdata, byte for byte: what this package sends and
// tells is what the machine itself does.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { compile } from '../src/index.js'
import { diffScript, runScript } from './script/runner.js'

const folder = new URL('../../client/testdata/', import.meta.url)
const scripts = readdirSync(folder).filter((name) => name.endsWith('.txt'))
const module = await compile()

/** @param {string} name */
const read = (name) => readFileSync(new URL(name, folder), 'latin1')

assert(scripts.length > 100, 'there are no scripts')

for (const name of scripts) {
	test(`script ${name}`, async () => {
		const text = read(name)
		assert.equal(diffScript(text, await runScript(module, text)), '')
	})
}

test('a changed byte of a script or of what came out is noticed', async () => {
	const text = read('p06_auto_permission.txt')
	for (const [from, to] of [
		['"first"', '"fisrt"'], ['@0s -> Send', '@1s -> Send'], ['lifetime=10m0s', 'lifetime=11m0s'],
		['password=secret', 'password=secreT'], ['SentBytes=388', 'SentBytes=389'], ['sha256 e2', 'sha256 e3'],
		['tx=4 error 403', 'tx=4 error 404'],
	]) {
		const changed = text.replace(from, to)
		assert.notEqual(changed, text, `the script holds ${from}`)
		assert.notEqual(diffScript(changed, await runScript(module, changed)), '', `${from} became ${to}`)
	}
})
