//! Everything that fails.

use std::fmt;
use std::io;

use crate::abi_gen::{CODE_CLOSED, CODE_TEXTS, HINTS, PHRASES};
use crate::event::Event;

pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What was handed in cannot be: a URI, a username.
    Argument,
    /// The URI asks for what this host does not do.
    Unsupported,
    /// The module cannot be loaded, or is of another make.
    Module,
    /// The machine does not do it; [`Error::code`] says why.
    Refused,
    /// The server, its silence or the path refused a request; the code is the STUN error code, 0 = no answer.
    Request,
    /// The allocation is gone.
    Lost,
    /// The socket is closed.
    Closed,
    /// The machine's instance has died; nothing of it is called any more.
    Trapped,
    /// The system refused a socket, a file, a name.
    Io,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Argument => "argument",
            Self::Unsupported => "unsupported",
            Self::Module => "module",
            Self::Refused => "refused",
            Self::Request => "request",
            Self::Lost => "lost",
            Self::Closed => "closed",
            Self::Trapped => "trapped",
            Self::Io => "io",
        }
    }
}

/// A failure, with a text for people.
#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    code: i32,
    method: &'static str,
    text: String,
}

impl Error {
    pub(crate) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, code: 0, method: "", text: text.into() }
    }

    pub(crate) fn module(text: impl fmt::Display) -> Self {
        Self::new(Kind::Module, format!("turn: the module: {text}"))
    }

    pub(crate) fn io(what: impl fmt::Display, cause: &io::Error) -> Self {
        Self::new(Kind::Io, format!("turn: {what}: {cause}"))
    }

    pub(crate) fn closed() -> Self {
        Self { code: CODE_CLOSED, ..Self::new(Kind::Closed, "turn: the socket is closed") }
    }

    /// The error of a code that a call has answered, with what the machine says of it.
    pub(crate) fn of_code(code: i32, said: &str) -> Self {
        let known = CODE_TEXTS.iter().find(|(c, _)| *c == code).map(|(_, text)| (*text).to_owned());
        let text = match known {
            _ if !said.is_empty() => said.to_owned(),
            Some(text) => text,
            None => format!("turn: error code {code}, which this host does not know"),
        };
        let kind = if code == CODE_CLOSED { Kind::Closed } else { Kind::Refused };
        Self { code, ..Self::new(kind, text) }
    }

    /// The error of a request that failed; it names the method, the code and what to do.
    pub(crate) fn of_request(kind: Kind, e: &Event) -> Self {
        let mut text = format!("turn: {}", e.method);
        if let Some(peer) = e.peer {
            text += &format!(" for {peer}");
        }
        let reason = if e.reason.is_empty() { known(PHRASES, e.code) } else { &e.reason };
        text += &if e.code == 0 { format!(": {reason}") } else { format!(": {} {reason}", e.code) };
        let of_allocation = e.method == "Allocate" || e.method == "Refresh"; // hints are about those
        let hint = known(HINTS, e.code);
        if of_allocation && !hint.is_empty() {
            text += &format!(": {hint}");
        }
        Self { kind, code: e.code, method: e.method, text }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The boundary's error code, which is negative, or the server's, which is positive; 0 = none.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// Nothing has come from the server, or nothing of use: another address of it may do better.
    pub(crate) fn is_without_answer(&self) -> bool {
        self.kind == Kind::Io || self.kind == Kind::Request && self.code == 0
    }

    /// The request that failed, "Allocate" for one; empty for other failures.
    pub fn method(&self) -> &'static str {
        self.method
    }
}

fn known(texts: &[(i32, &'static str)], code: i32) -> &'static str {
    texts.iter().find(|(c, _)| *c == code).map_or("", |(_, text)| text)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}
