// A long-term credential, prepared as RFC 8265 wants it. The machine takes it
// prepared: it has no tables for Unicode, the JavaScript engine has.

/**
 * "It MUST contain a UTF-8-encoded [RFC3629] sequence of fewer than 509 bytes and MUST have been processed using the
 * OpaqueString profile [RFC8265]." https://www.rfc-editor.org/rfc/rfc8489#section-14.3
 */
const MAX_USERNAME = 509

/** What the FreeformClass of RFC 8264 section 4.3 does not contain, as far as one code point says it. */
const DISALLOWED = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u1100-\u11FF\uA960-\uA97C\uD7B0-\uD7FB]/u

/**
 * @param {string | undefined} username
 * @param {string | undefined} password
 * @returns {{username: string, password: string}} both empty for a server without authentication
 */
export function prepareCredentials(username = '', password = '') {
	if (typeof username !== 'string') throw new TypeError('username is a string')
	if (typeof password !== 'string') throw new TypeError('password (credential) is a string')
	if (username === '' && password === '') return { username, password }
	if (username === '') throw new TypeError('a password without a username')
	if (password === '') throw new TypeError('a username without a password')
	const prepared = { username: opaqueString(username, 'username'), password: opaqueString(password, 'password') }
	if (new TextEncoder().encode(prepared.username).length >= MAX_USERNAME) {
		throw new TypeError(`username: longer than ${MAX_USERNAME - 1} bytes`)
	}
	return prepared
}

/**
 * The OpaqueString profile: other spaces become plain ones, then NFC.
 * https://www.rfc-editor.org/rfc/rfc8265#section-4.2.1
 * @param {string} text
 * @param {string} what
 */
function opaqueString(text, what) {
	const prepared = text.replace(/\p{Zs}/gu, ' ').normalize('NFC')
	if (DISALLOWED.test(prepared)) throw new TypeError(`${what}: it holds a character that a credential must not hold (RFC 8265)`)
	return prepared
}
