// The page: a relayed socket over the bridge, what it does and what it leaves.

import { createTurnSocket } from 'turnwasm/web'
import { Echoes } from './echoes.js'
import { Plots } from './plots.js'
import { explain } from './problems.js'

const $ = (id) => document.getElementById(id)
const framed = new URLSearchParams(location.search).has('framed')
document.body.classList.toggle('framed', framed)

const plots = new Plots($('rtt-plot'), $('rate-plot'))
/** @type {import('turnwasm/web').TurnSocket | undefined} */
let socket
/** @type {Echoes | undefined} */
let echoes
let fastest = 0

/** What the bridge's development mode tells its pages. A bridge that was started anew has another certificate. */
async function ask() {
	const answer = await fetch('bridge.json')
	if (!answer.ok) throw new Error('there is no bridge.json')
	return answer.json()
}

function fillIn({ url, servers, username, password, peer }) {
	const { server, username: user, credential, peer: echo } = $('where').elements
	server.replaceChildren(...servers.map((s) => new Option(s)))
	user.value ||= username ?? ''
	credential.value ||= password ?? ''
	echo.value ||= peer ?? ''
	mark('bridge', new URL(url).host)
}

/** @param {string} node @param {string} [text] without it, it is not there */
function mark(node, text, there = false) {
	const li = $(`at-${node}`)
	li.classList.toggle('there', there)
	li.querySelector('span').textContent = text ?? '–'
}

function log(text, kind = '') {
	const li = document.createElement('li')
	li.className = kind
	const time = document.createElement('time')
	time.textContent = new Date().toTimeString().slice(0, 8)
	const what = document.createElement('span')
	what.textContent = text
	li.append(time, what)
	$('log').append(li)
	while ($('log').children.length > 500) $('log').firstChild.remove()
	li.scrollIntoView({ block: 'nearest' })
}

function tell(text) {
	const li = document.createElement('li')
	li.textContent = text
	$('story').append(li)
}

let shown

/** Shows what went wrong, once, or that nothing is wrong any more. @param {Error} [error] */
function problem(error) {
	$('problem').hidden = !error
	if (!error || error === shown) return
	shown = error
	$('problem').textContent = explain(error)
	log(error.message, 'bad')
}

function verdict(text, outcome) {
	$('verdict').textContent = text
	$('verdict').dataset.outcome = outcome
}

/** Which buttons can be used. */
function enable({ allocate = false, use = false, release = false }) {
	$('allocate').disabled = !allocate
	$('echo').disabled = $('flood').disabled = !use
	$('release').disabled = !release
}

async function allocate() {
	problem()
	enable({})
	$('story').replaceChildren()
	socket = undefined
	try {
		const config = await ask()
		const { server, username, credential, peer } = Object.fromEntries(new FormData($('where')))
		const to = addressOf(peer)
		const hash = Uint8Array.from(atob(config.hash), (c) => c.charCodeAt(0))
		socket = createTurnSocket({
			bridge: config.url, serverCertificateHashes: [{ algorithm: 'sha-256', value: hash }],
			urls: server, username, credential, linger: 5000,
		})
		watch(socket)
		enable({ release: true })
		await socket.opened
		mark('bridge', new URL(config.url).host, true)
		use(socket, to)
	} catch (error) {
		problem(error)
		if (!socket || socket.phase === 'closed') enable({ allocate: true }) // else its close does that
	}
}

/** @param {string} text */
function addressOf(text) {
	const found = /^\[?([^\]]+)\]?:(\d+)$/.exec(text)
	if (!found) throw new TypeError(`the peer is ADDRESS:PORT, not ${JSON.stringify(text)}`)
	return { address: found[1], port: Number(found[2]) }
}

/** @param {NonNullable<typeof socket>} s */
function watch(s) {
	s.on('event', (e) => log(describe(e), /Failed|Lost|Expired|Dropped/.test(e.event) ? 'bad' : ''))
	s.on('error', problem)
	s.on('close', closed)
}

/** @param {import('turnwasm/web').SocketEvent} e */
function describe(e) {
	const at = (a) => a && (a.port ? `${a.address}:${a.port}` : a.address)
	const parts = { relayed: at(e.relayedAddress), mapped: at(e.mappedAddress), peer: at(e.peer), channel: e.channel && `0x${e.channel.toString(16)}`, lifetime: e.lifetime && `${e.lifetime / 1000} s`, code: e.code, reason: e.reason }
	return [e.event, ...Object.entries(parts).filter(([, v]) => v).map(([k, v]) => `${k}=${v}`)].join(' ')
}

/** @param {NonNullable<typeof socket>} s @param {{address: string, port: number}} peer */
function use(s, peer) {
	const relayed = `${s.relayedAddress.address}:${s.relayedAddress.port}`
	mark('page', 'turn.wasm', true)
	mark('server', `${s.server.address}:${s.server.port}`, true)
	mark('relay', relayed, true)
	mark('peer', `${peer.address}:${peer.port}`, true)
	verdict(`allocated ${relayed}`, 'allocated')
	tell(`The server holds ${relayed} for ${s.lifetime / 60_000} minutes; it is refreshed in time.`)
	tell('What releases it lies with the bridge, which sends it if this tab closes, crashes or goes silent.')
	echoes = new Echoes(s, peer)
	plots.restart()
	echoes.onecho = (ms) => plots.echo(ms)
	fastest = 0
	enable({ use: true, release: true })
}

/** @param {() => Promise<void>} what */
async function busy(what) {
	enable({ release: true })
	try {
		await echoes.open()
		await what()
		log(`echoes: ${echoes.sent} sent, ${echoes.received} came back, ${echoes.lost} lost`)
	} catch (error) {
		problem(error)
	}
	if (socket?.phase === 'allocated') enable({ use: true, release: true })
}

function release() {
	enable({})
	tell('Release: the page has sent a signed Refresh with LIFETIME 0 and waits for the server’s word.')
	void socket.close()
}

/** @param {import('turnwasm/web').Closed} v */
function closed(v) {
	log(`closed ${v.outcome}${v.reason ? `: ${v.reason}` : ''}`, v.outcome === 'released' ? 'good' : '')
	verdict(`closed ${v.outcome}`, v.outcome)
	tell(ends[v.outcome](v))
	plots.rate = 0
	for (const node of ['page', 'bridge', 'server', 'relay', 'peer']) $(`at-${node}`).classList.remove('there')
	enable({ allocate: true })
}

const ends = {
	released: () => 'The server has said, signed, that the allocation is gone. The bridge has forgotten the page.',
	nothing_to_release: () => 'Nothing of ours can be on the server.',
	unconfirmed: (v) => `A release was sent and nobody has confirmed it. ${untilOf(v)}`,
	abandoned: (v) => `No release could be sent. ${untilOf(v)}`,
}

const untilOf = ({ until }) => (until ? `At the latest the server lets go at ${until.toTimeString().slice(0, 8)}.` : '')

/** What the server holds: the demo's own tells. */
async function count() {
	const answer = await fetch('held.json').catch(() => undefined)
	if (answer?.status === 404) {
		$('held').textContent = 'This TURN server tells no page what it holds.'
		return
	}
	const { held } = answer?.ok ? await answer.json() : {}
	$('held').textContent = held === undefined ? '' : `The TURN server holds ${held} ${held === 1 ? 'allocation' : 'allocations'}.`
	setTimeout(count, 500)
}

function show() {
	$('phase').textContent = socket?.phase ?? 'new'
	if (!echoes || !socket) return
	if (socket.phase !== 'closed') plots.count(echoes.bytesSent, echoes.bytesReceived)
	const done = echoes.received + echoes.lost
	fastest = Math.max(fastest, plots.rate)
	$('sent').textContent = echoes.sent.toLocaleString('en')
	$('received').textContent = echoes.received.toLocaleString('en')
	$('lost').innerHTML = done ? `${((100 * echoes.lost) / done).toFixed(1)} % <small>(${echoes.lost})</small>` : '–'
	$('rtt').textContent = echoes.received ? `${echoes.within(0.5).toFixed(1)} ms` : '–'
	$('rtt95').textContent = echoes.received ? `${echoes.within(0.95).toFixed(1)} ms` : '–'
	$('rate').innerHTML = `${plots.rate.toFixed(1)} <small>top ${fastest.toFixed(1)}</small>`
}

function openFrame() {
	const frame = document.createElement('iframe')
	frame.src = '?framed'
	frame.title = 'a second client'
	$('frame').replaceChildren(frame)
	$('other').disabled = true
	$('tear').disabled = false
}

function tearFrame() {
	$('frame').replaceChildren()
	$('other').disabled = false
	$('tear').disabled = true
	log('the frame is gone without a goodbye: watch what the server holds')
}

$('allocate').onclick = allocate
$('release').onclick = release
$('echo').onclick = () => busy(() => echoes.paced(1000, 250, 200))
$('flood').onclick = () => busy(() => echoes.fullSpeed(5000, 64, 1000))
$('other').onclick = openFrame
$('tear').onclick = tearFrame
setInterval(show, 250)

try {
	fillIn(await ask())
	if (framed) await allocate()
	else void count()
} catch (error) {
	problem(error)
	enable({ allocate: true })
}
if (!('WebTransport' in globalThis)) problem(new Error('there is no WebTransport'))
