// The module: from where it comes, and what it must look like.

import { EXPORTS } from './abi.gen.js'
import { TurnError } from './error.js'

/**
 * Where a module comes from: its bytes, a URL (fetched, or read when it is a file), a Response, or a module that
 * was compiled before.
 * @typedef {BufferSource | URL | string | Response | PromiseLike<Response> | WebAssembly.Module} ModuleSource
 */

/** The module that is packed with this file. */
const packaged = new URL('../turn.wasm', import.meta.url)

/** @type {Promise<WebAssembly.Module> | undefined} */
let compiled

/**
 * Compiles the module; the packaged one once for all.
 * @param {ModuleSource} [source]
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compile(source) {
	if (source !== undefined) return checked(await fromSource(source))
	compiled ??= fromSource(packaged).then(checked)
	try {
		return await compiled
	} catch (cause) {
		compiled = undefined // the next one may fare better
		throw cause
	}
}

/**
 * @param {ModuleSource} source
 * @returns {Promise<WebAssembly.Module>}
 */
async function fromSource(source) {
	if (source instanceof WebAssembly.Module) return source
	if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return fromBytes(source)
	if (typeof source === 'string' || source instanceof URL) return fromURL(new URL(source, globalThis.location?.href))
	const response = await source
	if (response instanceof Response) return fromResponse(response)
	throw new TypeError('the module comes from bytes, a URL, a Response or a WebAssembly.Module')
}

/** @param {URL} url */
async function fromURL(url) {
	if (url.protocol !== 'file:') return fromResponse(await fetch(url))
	// Not every runtime fetches files. The name in a variable keeps bundlers for browsers away from it.
	const fs = 'node:fs/promises'
	const { readFile } = await import(/* @vite-ignore */ /* webpackIgnore: true */ fs)
	return fromBytes(await readFile(url))
}

/** @param {Response} response */
async function fromResponse(response) {
	if (!response.ok) throw new TurnError('module', `the module cannot be fetched: ${response.status} ${response.url}`)
	// Streaming asks for the right content type, which not every server sends.
	if (response.headers.get('content-type') === 'application/wasm' && WebAssembly.compileStreaming) {
		return WebAssembly.compileStreaming(response)
	}
	return fromBytes(await response.arrayBuffer())
}

/** @param {BufferSource} bytes */
async function fromBytes(bytes) {
	try {
		return await WebAssembly.compile(bytes)
	} catch (cause) {
		throw new TurnError('module', `the module does not compile: ${cause instanceof Error ? cause.message : cause}`, { cause })
	}
}

/**
 * A module of another make is refused with the name of what is missing.
 * @param {WebAssembly.Module} module
 */
function checked(module) {
	const functions = new Set(WebAssembly.Module.exports(module).filter((e) => e.kind === 'function').map((e) => e.name))
	for (const [name] of EXPORTS) {
		if (!functions.has(name)) throw new TurnError('module', `the module has no export ${name}: it is of another make`)
	}
	return module
}

/**
 * What JavaScript tells of a signature is the number of its parameters.
 * @param {WebAssembly.Exports} exports
 */
export function checkSignatures(exports) {
	for (const [name, params] of EXPORTS) {
		const f = /** @type {Function} */ (exports[name])
		if (f.length !== params) throw new TurnError('module', `the module's export ${name} takes ${f.length} arguments, want ${params}`)
	}
}
