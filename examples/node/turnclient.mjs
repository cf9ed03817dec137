// A TURN checker: it allocates, echoes payloads through the relay, closes, and
// says what came of each. The same file runs in Node, Deno and Bun; see README.md.
//
// Exit status: 0 = all well, 1 = it failed (and why), 2 = usage.

import { setTimeout as sleep } from 'node:timers/promises'
import { TurnError } from 'turnwasm'
import { echo } from './echo.mjs'
import { parse } from './options.mjs'
import { openTrace } from './pcapng.mjs'
import { Report } from './report.mjs'

const { createTurnSocket } = await ('Bun' in globalThis ? import('turnwasm/bun') : import('turnwasm/node'))

const options = parse(process.argv.slice(2))
if (!options) process.exit(2)
const report = new Report(options)

// A first signal ends what is done and releases; a second one kills.
const interrupt = new AbortController()
const onSignal = () => {
	interrupt.abort(new Error('interrupted'))
	for (const name of ['SIGINT', 'SIGTERM']) process.off(name, onSignal)
}
for (const name of ['SIGINT', 'SIGTERM']) process.on(name, onSignal)

let { local } = options
/** @type {ReturnType<typeof openTrace> | undefined} */
let trace
try {
	if (options.trace) trace = openTrace(options.trace)
	for (let i = 1; i <= options.cycles && !report.bad; i++) {
		const rest = await cycle()
		if (i < options.cycles && !report.bad) await sleep(rest, undefined, { signal: interrupt.signal }).catch(() => report.failed(new Error('interrupted between two cycles')))
	}
} catch (e) {
	report.failed(e)
}
process.exit(report.bad ? 1 : 0)

/** Allocates, echoes, holds and closes. It answers how long the local port has to rest. */
async function cycle() {
	let begin = performance.now()
	const socket = createTurnSocket({
		urls: options.url, ...options.login, anonymous: options.anonymous, family: options.family, linger: options.linger,
		keepalive: options.keepalive, evenPort: options.evenPort, reservationToken: options.reservation, dontFragment: options.dontFragment,
		serverName: options.serverName, ca: options.ca, alpn: !options.noALPN, mobility: options.mobility || options.rebindAt > 0,
		redirect: options.redirect, localAddress: local.address, localPort: local.port, trace,
	})
	const state = { holding: false, used: false }
	socket.on('event', (e) => report.option(e))
	/** What goes wrong for good, from whatever side. To end the holding by a signal is well. */
	const wrong = new Promise((resolve, reject) => {
		socket.on('error', reject)
		const onAbort = () => (state.holding ? resolve() : reject(interrupt.signal.reason))
		if (interrupt.signal.aborted) onAbort()
		else interrupt.signal.addEventListener('abort', onAbort, { once: true })
	})
	try {
		await Promise.race([wrong, use(socket, begin, state)])
	} catch (e) {
		report.failed(e)
	}
	if (options.path && state.used) report.path(socket)
	if (!options.closeAt) begin = performance.now()
	const port = socket.localAddress
	const verdict = await socket.close({ linger: options.linger })
	report.tellOptions(false)
	if (port) report.closed(verdict, performance.now() - begin)
	local = port ?? local // the next cycle's too
	return verdict.reuseAfter
}

/** Does with the socket what is asked for before its close. */
async function use(socket, begin, state) {
	if (options.closeAt) return closeEarly(socket)
	await socket.opened
	report.allocated(socket, performance.now() - begin)
	if (options.n > 0) await echo(socket, options, report)
	state.used = true
	if (options.hold > 0) {
		state.holding = true
		report.tellOptions(true)
		socket.on('credentialsExpired', (e) => socket.emit('error', new TurnError('request', `CredentialsExpired: ${e.reason}`, e)))
		await sleep(options.hold)
	}
}

/**
 * Waits for the close that -close-at asks for. It may be that the state is never reached: the server refuses before, or
 * asks for no credentials.
 */
async function closeEarly(socket) {
	socket.closeAt(options.closeAt, options.linger)
	const opened = await socket.opened.then(() => true, (e) => {
		if (e instanceof TurnError && e.kind === 'closed') return false
		throw e
	})
	if (opened && options.closeAt !== 'allocated') throw new Error(`the state ${options.closeAt} was not reached before the allocation`)
	await socket.closed
}
