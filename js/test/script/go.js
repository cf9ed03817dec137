// Texts as Go writes them. A script and what comes out of it are byte strings:
// one character a byte, as Go's strings are.

/** The byte string of a text. @param {string} text */
export const utf8 = (text) => fromBytes(new TextEncoder().encode(text))

/** @param {Uint8Array} bytes */
export const fromBytes = (bytes) => Array.from(bytes, (b) => String.fromCharCode(b)).join('')

/** @param {string} s */
export const toBytes = (s) => Uint8Array.from(s, (c) => c.charCodeAt(0))

/** @param {Uint8Array} bytes */
export const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('')

/** @param {string} text */
export function unhex(text) {
	if (!/^([0-9a-f]{2})*$/i.test(text)) throw new Error(`not hexadecimal: ${text}`)
	return Uint8Array.from(text.match(/../g) ?? [], (b) => parseInt(b, 16))
}

const UNITS = /** @type {Record<string, number>} */ ({ ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 })

/** Reads a duration; in ns. @param {string} text */
export function parseDuration(text) {
	if (text === '0') return 0
	if (!/^([\d.]+(ns|us|ms|s|m|h))+$/.test(text)) throw new Error(`not a duration: ${text}`)
	let sum = 0
	for (const [, n, unit] of text.matchAll(/([\d.]+)(ns|us|ms|s|m|h)/g)) sum += Math.round(Number(n) * UNITS[unit])
	return sum
}

/** Writes a duration. @param {number} ns @returns {string} */
export function formatDuration(ns) {
	if (ns < 0) return `-${formatDuration(-ns)}`
	if (ns === 0) return '0s'
	if (ns < 1e3) return `${ns}ns`
	if (ns < 1e6) return `${ns / 1e3}\u00b5s`
	if (ns < 1e9) return `${ns / 1e6}ms`
	const seconds = `${decimal(ns % 60e9, 9)}s`
	const minutes = Math.floor(ns / 60e9)
	if (minutes === 0) return seconds
	const hours = Math.floor(minutes / 60)
	return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`
}

/**
 * n with a point before its last digits, without zeros at the end.
 * @param {number} n
 * @param {number} digits
 */
function decimal(n, digits) {
	const text = String(n).padStart(digits + 1, '0')
	return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0*$/, '')
}

const ESCAPES = /** @type {Record<string, string>} */ ({ '\x07': 'a', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v', '"': '"', '\\': '\\' })

/** Quotes a byte string. @param {string} s */
export function quote(s) {
	let out = ''
	for (let i = 0; i < s.length; ) {
		const [char, size] = decodeChar(s, i)
		if (char === undefined) out += `\\x${s.charCodeAt(i).toString(16).padStart(2, '0')}`
		else out += quoteChar(char)
		i += size
	}
	return `"${out}"`
}

/** @param {string} char */
function quoteChar(char) {
	if (ESCAPES[char]) return `\\${ESCAPES[char]}`
	if (char === ' ' || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char)) return utf8(char)
	const code = /** @type {number} */ (char.codePointAt(0))
	if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
	return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}

/**
 * The character at i and its size in bytes; undefined for a byte that begins none.
 * @param {string} s
 * @param {number} i
 * @returns {[string | undefined, number]}
 */
function decodeChar(s, i) {
	const first = s.charCodeAt(i)
	const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
	try {
		const char = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(toBytes(s.slice(i, i + size)))
		return [char, size]
	} catch {
		return [undefined, 1]
	}
}

const UNESCAPES = Object.fromEntries(Object.entries(ESCAPES).map(([c, e]) => [e, c]))

/**
 * Reads a quoted string at the start of the text.
 * @param {string} text
 * @returns {[value: string, rest: string]}
 */
export function unquote(text) {
	const found = /^"((?:[^"\\]|\\.)*)"/s.exec(text)
	if (!found) throw new Error(`quotes in ${text}`)
	const value = found[1].replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/gs, (_, e) => {
		if (e[0] === 'x') return String.fromCharCode(parseInt(e.slice(1), 16))
		if (e[0] === 'u' || e[0] === 'U') return utf8(String.fromCodePoint(parseInt(e.slice(1), 16)))
		if (/^[0-7]{3}$/.test(e)) return String.fromCharCode(parseInt(e, 8))
		if (!(e in UNESCAPES)) throw new Error(`escape \\${e}`)
		return UNESCAPES[e]
	})
	return [value, text.slice(found[0].length)]
}
