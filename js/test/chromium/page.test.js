// The example's page in a real Chromium, over the real bridge, to a real coturn.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { logOf, startBridge } from '../peers/bridge.js'
import { startPeers } from '../peers/peers.js'
import { launch, pages, repository, screenshot } from './browser.js'

/** @typedef {import('playwright-core').Page} Page */

const coturn = await startPeers('coturn')
const bridge = await startBridge('-pages', pages, '-server', coturn.url, '-server', coturn.proxied, '-silence', '5s')
const browser = await launch()
after(async () => {
	await browser.close()
	await bridge.end()
	await coturn.end()
})

/** @param {string} url */
async function openPage(url, { dark = false } = {}) {
	const page = await (await browser.context()).newPage()
	if (dark) await page.emulateMedia({ colorScheme: 'dark' })
	page.setDefaultTimeout(60_000)
	page.on('pageerror', (e) => assert.fail(`the page throws ${e.stack}`))
	await page.goto(url)
	await page.waitForFunction(() => document.querySelectorAll('option').length > 0)
	return page
}

/** Fills in where to, as a person does. @param {Page} page @param {string} server */
async function fill(page, server) {
	await page.selectOption('[name=server]', server)
	await page.fill('[name=username]', coturn.login.username)
	await page.fill('[name=credential]', coturn.login.credential)
	await page.fill('[name=peer]', `${coturn.echo.address}:${coturn.echo.port}`)
}

/** @param {Page} page */
async function allocate(page) {
	await page.click('#allocate')
	await page.waitForSelector('#echo:enabled')
}

/** Runs the 1,000 echoes, and answers what the page shows. @param {Page} page */
async function echo(page) {
	await page.click('#echo')
	await page.locator('#log', { hasText: 'echoes: 1000 sent' }).waitFor()
	await page.waitForFunction(() => document.getElementById('sent')?.textContent === '1,000')
	const [, received, lost] = /1000 sent, (\d+) came back, (\d+) lost/.exec(await page.innerText('#log')) ?? []
	return { received: Number(received), lost: Number(lost), shown: await page.innerText('#lost'), rtt: parseFloat(await page.innerText('#rtt')) }
}

/** @param {Page} page */
async function release(page) {
	await page.click('#release')
	await page.locator('#log', { hasText: 'closed released' }).waitFor()
	assert.equal(await page.innerText('#verdict'), 'closed released')
}

test('allocates, echoes 1,000 times, releases, and again after a reload', async () => {
	const page = await openPage(bridge.pages)
	await fill(page, coturn.url)
	await allocate(page)
	assert.equal(await coturn.held(1), 1)
	const { received, lost, shown, rtt } = await echo(page)
	assert.equal(received + lost, 1000)
	assert(received > 500, `${received} of 1000 came back over loopback`)
	assert.equal(shown, `${(lost / 10).toFixed(1)} % (${lost})`)
	assert(rtt > 0, `the round-trip time shown is ${rtt}`)
	await page.screenshot({ path: screenshot('echoes'), fullPage: true })
	await page.click('#flood')
	await page.locator('#log li', { hasText: 'echoes:' }).nth(1).waitFor()
	await release(page)
	assert.equal(await coturn.held(0), 0)
	await page.screenshot({ path: screenshot('released'), fullPage: true })
	await page.reload()
	await page.waitForFunction(() => document.querySelectorAll('option').length > 0)
	await fill(page, coturn.url)
	await allocate(page)
	await release(page)
	assert.equal(await coturn.held(0), 0)
	await page.context().close()
})

test('5 % loss and 50 ms of delay each way', async () => {
	await coturn.fault('lossy')
	const page = await openPage(bridge.pages, { dark: true })
	await fill(page, coturn.proxied)
	await allocate(page)
	const { received, lost, shown, rtt } = await echo(page)
	assert.equal(received + lost, 1000)
	assert(lost > 20 && lost < 300, `${lost} of 1000 were lost`) // 97 is to be expected
	assert.equal(shown, `${(lost / 10).toFixed(1)} % (${lost})`)
	assert(rtt >= 100, `the round-trip time shown is ${rtt}`)
	await page.screenshot({ path: screenshot('lossy'), fullPage: true })
	await release(page)
	await coturn.fault('none')
	assert.equal(await coturn.held(0), 0)
	await page.context().close()
})

test('a narrow window', async () => {
	const page = await openPage(bridge.pages)
	await page.setViewportSize({ width: 420, height: 900 })
	await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth) // the plots follow a frame later
	await page.screenshot({ path: screenshot('narrow'), fullPage: true })
	await page.context().close()
})

/** The page says in a sentence. @param {Page} page @param {RegExp} what */
async function wantProblem(page, what) {
	await page.locator('#problem', { hasText: what }).waitFor()
	await page.waitForSelector('#allocate:enabled')
}

test('what went wrong, in a sentence', async () => {
	const page = await openPage(bridge.pages)
	await fill(page, coturn.url)
	await page.fill('[name=credential]', 'wrong')
	await page.click('#allocate')
	await wantProblem(page, /That did not work: Allocate: 401 .*check username and password/)
	await page.screenshot({ path: screenshot('problem'), fullPage: true })
	await page.fill('[name=peer]', 'nowhere')
	await page.click('#allocate')
	await wantProblem(page, /the peer is ADDRESS:PORT/)
	await fill(page, coturn.url)
	await page.evaluate(() => document.querySelector('select')?.replaceChildren(new Option('turn:192.0.2.1')))
	await page.click('#allocate')
	await wantProblem(page, /The bridge ends the session: .*not a TURN server of this bridge/)
	await page.route('**/bridge.json', async (route) => {
		const config = await (await route.fetch()).json()
		await route.fulfill({ json: { ...config, url: 'https://127.0.0.1:9/turn/1' } })
	})
	await page.evaluate((url) => document.querySelector('select')?.replaceChildren(new Option(url)), coturn.url)
	await page.click('#allocate')
	await wantProblem(page, /There is no way to the bridge: the bridge at https:\/\/127\.0\.0\.1:9 cannot be reached/)
	await page.route('**/bridge.json', (route) => route.abort())
	await page.click('#allocate')
	await wantProblem(page, /The bridge does not answer/)
	await page.route('**/bridge.json', (route) => route.fulfill({ status: 404 }))
	await page.click('#allocate')
	await wantProblem(page, /not served by the bridge’s development mode: run `make demo-browser`/)
	await page.context().close()
	assert.equal(await coturn.held(0), 0)
})

test('a browser without WebTransport is told', async () => {
	const context = await browser.context()
	const page = await context.newPage()
	await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebTransport'))
	await page.goto(bridge.pages)
	await page.locator('#problem', { hasText: /This browser has no WebTransport/ }).waitFor()
	await context.close()
})

test('`make demo-browser`: allocates, echoes, tears a client out, releases, and again after a reload', async () => {
	const demo = spawn('make', ['--no-print-directory', 'demo-browser', 'DEMO_FLAGS=-json -listen 127.0.0.1:0 -pages-listen 127.0.0.1:0'], {
		cwd: repository, stdio: ['ignore', 'ignore', 'pipe'], detached: true,
	})
	const ended = once(demo, 'exit')
	try {
		const page = await openPage((await logOf(demo.stderr)).pages.url)
		const holds = (/** @type {string} */ n) => page.locator('#held', { hasText: `The TURN server holds ${n}` }).waitFor()
		for (let round = 0; round < 2; round++) {
			await allocate(page)
			await echo(page)
			await page.click('#other')
			await holds('2 allocations')
			await page.click('#tear')
			await holds('1 allocation.')
			await release(page)
			await holds('0 allocations')
			if (round === 0) await page.screenshot({ path: screenshot('demo'), fullPage: true })
			await page.reload()
		}
		await page.context().close()
	} finally {
		process.kill(-(/** @type {number} */ (demo.pid)), 'SIGTERM') // make, the Go command and the bridge
		await ended
	}
})
