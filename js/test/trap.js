// The module with a planted trap, which exists for tests alone.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { TurnInstance } from '../src/index.js'
import { Wasi } from '../src/wasi.js'

const file = fileURLToPath(new URL('../build/trap.wasm', import.meta.url))

/**
 * An instance that dies in the export, once trap is called.
 * @param {string} name
 */
export async function trappingInstance(name) {
	if (!existsSync(file)) {
		execFileSync('go', ['run', './wasm/internal/build', '-tags', 'turntrap', '-o', file], { cwd: fileURLToPath(new URL('../..', import.meta.url)) })
	}
	const wasi = new Wasi()
	const { exports } = (await WebAssembly.instantiate(readFileSync(file), wasi.imports)).instance
	wasi.attach(/** @type {WebAssembly.Memory} */ (exports.memory))
	const healthy = /** @type {(...args: number[]) => number} */ (exports[name])
	const die = /** @type {() => number} */ (exports.turn_trap)
	let trapped = false
	const wrapper = (/** @type {number[]} */ ...args) => (trapped ? die() : healthy(...args))
	Object.defineProperty(wrapper, 'length', { value: healthy.length })
	const instance = new TurnInstance({ ...exports, [name]: wrapper }, wasi)
	return { instance, trap: () => void (trapped = true) }
}
