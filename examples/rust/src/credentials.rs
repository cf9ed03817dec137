//! A long-term credential, prepared as RFC 8265 wants it. The machine takes it prepared: it has no tables for Unicode.

use std::fmt;
use std::hint::black_box;

use unicode_normalization::UnicodeNormalization;

use crate::abi_gen::{ATTR_PASSWORD, ATTR_USERNAME};
use crate::error::{Error, Kind, Result};
use crate::record::Record;

/// "It MUST contain a UTF-8-encoded [RFC3629] sequence of fewer than 509 bytes and MUST have been processed using the
/// OpaqueString profile [RFC8265]." <https://www.rfc-editor.org/rfc/rfc8489#section-14.3>
const MAX_USERNAME: usize = 509;

/// A username and its password. They are wiped when they are dropped.
#[derive(Clone, Default)]
pub struct Credentials {
    username: String,
    password: String,
}

impl Credentials {
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// For a server without authentication.
    pub fn none() -> Self {
        Self::default()
    }

    /// Both as they are sent, or why they cannot be.
    pub(crate) fn prepared(&self) -> Result<Self> {
        let bad = |why: String| Err(Error::new(Kind::Argument, format!("turn: {why}")));
        match (self.username.is_empty(), self.password.is_empty()) {
            (true, true) => return Ok(Self::none()),
            (true, false) => return bad("a password without a username".to_owned()),
            (false, true) => return bad("a username without a password".to_owned()),
            (false, false) => {}
        }
        for (what, text) in [("username", &self.username), ("password", &self.password)] {
            if text.chars().any(disallowed) {
                return bad(format!("{what}: it holds a character that a credential must not hold (RFC 8265)"));
            }
        }
        let prepared = Self { username: opaque(&self.username), password: opaque(&self.password) };
        if prepared.username.len() >= MAX_USERNAME {
            return bad(format!("username: longer than {} bytes", MAX_USERNAME - 1));
        }
        Ok(prepared)
    }

    /// Writes both, or neither for a server without authentication.
    pub(crate) fn write(&self, record: &mut Record<'_>) {
        if !self.username.is_empty() {
            record.bytes(ATTR_USERNAME, self.username.as_bytes());
            record.bytes(ATTR_PASSWORD, self.password.as_bytes());
        }
    }
}

/// The OpaqueString profile: other spaces become plain ones, then NFC.
/// <https://www.rfc-editor.org/rfc/rfc8265#section-4.2.1>
fn opaque(text: &str) -> String {
    let mut prepared = String::with_capacity(4 * text.len()); // no growing, which would leave a copy behind
    prepared.extend(text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).nfc());
    prepared
}

/// What the FreeformClass of RFC 8264 section 4.3 does not contain, as far as a range says it: controls, characters for
/// private use, old Hangul, what is invisible, what is no character. Which others are unassigned std does not know.
fn disallowed(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11FF}' | '\u{A960}'..='\u{A97C}' | '\u{D7B0}'..='\u{D7FB}'
        | '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{17B4}'..='\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' | '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..)
        || c.is_control()
        || u32::from(c) & 0xFFFE == 0xFFFE
        || ('\u{FDD0}'..='\u{FDEF}').contains(&c)
}

impl Drop for Credentials {
    fn drop(&mut self) {
        for text in [&mut self.username, &mut self.password] {
            let mut bytes = std::mem::take(text).into_bytes();
            bytes.fill(0);
            black_box(&bytes); // the compiler would leave the zeros out
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_prepared_by_the_profile() {
        let c = Credentials::new("a\u{3000}b", "Cafe\u{301}").prepared().unwrap();
        assert_eq!((c.username.as_str(), c.password.as_str()), ("a b", "Café"));
    }

    #[test]
    fn refuse_what_the_profile_refuses() {
        for (username, password) in
            [("a", ""), ("", "b"), ("a\n", "b"), ("a", "b\u{200B}"), ("a\u{E000}", "b"), ("a\u{2028}", "b")]
        {
            assert!(Credentials::new(username, password).prepared().is_err(), "{username:?} {password:?}");
        }
        assert!(Credentials::new("a".repeat(509), "b").prepared().is_err());
        assert!(Credentials::new("a".repeat(508), "b").prepared().is_ok());
    }

    #[test]
    fn do_not_print_the_password() {
        assert!(!format!("{:?}", Credentials::new("alice", "secret")).contains("secret"));
    }
}
