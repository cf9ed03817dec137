// A TURN server, an echo peer and a proxy that plants faults, as another process.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Peers
 * @property {string} url the server's
 * @property {string} proxied the same server's, through the proxy
 * @property {string} tcp its URL over TCP
 * @property {string} tls over TLS
 * @property {string} ca who vouches for its certificate, which is for turn.test
 * @property {{address: string, port: number}} echo
 * @property {{username: string, credential: string}} login
 * @property {(n?: number) => Promise<number>} held what the server holds; with n, when it has come to that
 * @property {(name: string, n?: number) => Promise<void>} fault
 * @property {(code: number, port: number) => Promise<boolean>} icmp has a router tell the local port that the server is
 *   unreachable, with a code of RFC 792's; false where that is not allowed
 * @property {() => Promise<void>} stop stops the server alone
 * @property {() => Promise<void>} end
 */

/**
 * @param {'pion' | 'coturn'} server
 * @param {...string} flags
 * @returns {Promise<Peers>}
 */
export async function startPeers(server, ...flags) {
	const [command, ...args] = process.env.TURNWASM_PEERS ? [process.env.TURNWASM_PEERS] : ['go', 'run', './internal/peers']
	const child = spawn(command, [...args, '-server', server, ...flags], {
		cwd: fileURLToPath(new URL('../..', import.meta.url)),
		stdio: ['pipe', 'pipe', 'inherit'],
	})
	const ended = new Promise((resolve) => child.once('exit', resolve))
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
	const answer = async () => {
		const { value, done } = await lines.next()
		if (done) throw new Error('the peers have ended')
		const told = JSON.parse(value)
		if (told.error) throw new Error(`peers: ${told.error}`)
		return told
	}
	/** @param {...(string | number)} words */
	const ask = (...words) => {
		child.stdin.write(`${words.join(' ')}\n`)
		return answer()
	}
	const told = await answer()
	const [, address, port] = /^(.*):(\d+)$/.exec(told.echo) ?? []
	return {
		url: `turn:${told.server}`,
		proxied: `turn:${told.proxy}`,
		tcp: `turn:${told.carriers.tcp}?transport=tcp`,
		tls: `turns:${told.carriers.tls}`,
		ca: told.carriers.ca,
		echo: { address, port: Number(port) },
		login: { username: told.username, credential: told.password },
		held: async (n) => (await (n === undefined ? ask('held') : ask('held', n))).held,
		fault: (name, n = 0) => ask('fault', name, n),
		icmp: async (code, port) => (await ask('icmp', code, port)).told,
		stop: () => ask('stop'),
		end: async () => {
			child.stdin.end()
			await ended
		},
	}
}
