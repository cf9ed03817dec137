// Chromium, headless, and what its pages come from.

import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

export const repository = fileURLToPath(new URL('../../..', import.meta.url))

/** The example's page with all that belongs to it; `make js` puts it there. */
export const pages = join(repository, 'examples/browser/build')

/** For people to look at. @param {string} name */
export const screenshot = (name) => join(repository, `js/build/page-${name}.png`)

/** A browser in processes of its own. */
export async function launch() {
	const server = await chromium.launchServer({
		executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
		args: process.getuid?.() === 0 ? ['--no-sandbox'] : [], // which Chromium does not have for root
	})
	const browser = await chromium.connect(server.wsEndpoint())
	return {
		context: () => browser.newContext({ viewport: { width: 1200, height: 1000 } }),
		/** Ends the browser's process without a goodbye. */
		kill: () => process.kill(/** @type {number} */ (server.process().pid), 'SIGKILL'),
		close: () => server.close(),
	}
}

const TYPES = /** @type {Record<string, string>} */ ({ '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' })

/** Serves this repository on loopback, without the bridge. */
export async function serveRepository() {
	const server = createServer(async ({ url = '/' }, answer) => {
		try {
			const { pathname } = new URL(url, 'http://localhost') // without dots that lead out
			const body = pathname === '/' ? '<!doctype html>' : await readFile(join(repository, decodeURIComponent(pathname)))
			answer.writeHead(200, { 'content-type': TYPES[extname(pathname) || '.html'] ?? 'text/plain' }).end(body)
		} catch {
			answer.writeHead(404).end()
		}
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
	return { url: `http://127.0.0.1:${port}`, close: () => server.closeAllConnections() ?? server.close() }
}

