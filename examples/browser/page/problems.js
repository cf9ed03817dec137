// What went wrong, in a sentence that says what to do.

/** @param {Error & {kind?: string}} error */
export function explain(error) {
	if (!isSecureContext) return 'Browsers have WebTransport only on https and on localhost: open this page there.'
	if (!('WebTransport' in globalThis)) return 'This browser has no WebTransport. Chromium, Edge and Firefox have it.'
	if (error.message === 'there is no bridge.json') return 'This page is not served by the bridge’s development mode: run `make demo-browser` and open the address that it prints.'
	if (error instanceof TypeError && /fetch/i.test(error.message)) return 'The bridge does not answer. Is `make demo-browser` still running?'
	switch (error.kind) {
		case 'transport':
			return `There is no way to the bridge: ${error.message}. Is it still running?`
		case 'bridge':
			return `${sentence(error.message)}.`
		default:
			return `That did not work: ${error.message}.`
	}
}

/** @param {string} text */
const sentence = (text) => text[0].toUpperCase() + text.slice(1)
