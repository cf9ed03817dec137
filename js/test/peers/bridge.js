// The bridge, as another process: in its development mode, with its own
// certificate and, unless servers are named, a TURN server of its own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * @typedef {object} Bridge
 * @property {string} url
 * @property {WebTransportHash[]} hashes of its certificate
 * @property {string} pages where it serves the pages
 * @property {(name: string, want: number) => Promise<void>} metric waits until a metric is at least so much
 * @property {(n: number) => Promise<void>} sockets waits until it has so many: a session's is closed when what it owed is sent
 * @property {() => void} terminate lets pages release, then stops
 * @property {() => Promise<void>} end
 */

/**
 * @param {...string} flags
 * @returns {Promise<Bridge>}
 */
export async function startBridge(...flags) {
	const [command, ...args] = process.env.TURNWASM_BRIDGE ? [process.env.TURNWASM_BRIDGE] : ['go', 'run', './examples/bridge']
	const child = spawn(command, [...args, '-dev', '-json', '-listen', '127.0.0.1:0', '-pages-listen', '127.0.0.1:0', '-metrics', '127.0.0.1:0', ...flags], {
		cwd: repository, stdio: ['ignore', 'ignore', 'pipe'],
	})
	const ended = once(child, 'exit')
	const said = await logOf(child.stderr)
	return {
		url: said.listening.url,
		hashes: [{ algorithm: 'sha-256', value: Uint8Array.from(Buffer.from(said.certificate.sha256, 'hex')) }],
		pages: said.pages?.url,
		metric: (name, want) => awaitMetric(said.metrics.url, name, `at least ${want}`, (n) => n >= want),
		sockets: (n) => awaitMetric(said.metrics.url, 'sockets', n, (have) => have === n),
		terminate: () => void child.kill('SIGTERM'),
		end: async () => {
			child.kill('SIGKILL')
			await ended
		},
	}
}

/**
 * The lines of a bridge's log by their messages, until it listens.
 * @param {NodeJS.ReadableStream} stderr
 */
export async function logOf(stderr) {
	/** @type {Record<string, any>} */
	const said = {}
	for await (const line of createInterface({ input: stderr })) {
		if (!line.startsWith('{')) continue // of make, or of the Go command
		const entry = JSON.parse(line)
		if (entry.level === 'ERROR') throw new Error(`the bridge: ${line}`)
		said[entry.msg] = entry
		if (entry.msg === 'listening') break
	}
	if (!said.listening) throw new Error('the bridge does not listen')
	stderr.resume()
	return said
}

/** How long a bridge may take to have counted something. */
const PATIENCE = 30_000

/**
 * @param {string} url
 * @param {string} name
 * @param {number | string} want
 * @param {(value: number) => boolean} holds
 */
async function awaitMetric(url, name, want, holds) {
	for (const until = Date.now() + PATIENCE; ; ) {
		const text = await (await fetch(url)).text()
		const line = text.split('\n').find((l) => l.startsWith(`turnwasm_bridge_${name} `))
		const value = Number(line?.split(' ')[1] ?? 0)
		if (holds(value)) return
		if (Date.now() > until) throw new Error(`${name} is ${value}, want ${want}`)
		await new Promise((resolve) => setTimeout(resolve, 20))
	}
}
