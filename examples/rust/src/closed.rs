//! What came of a close.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::abi_gen::OUTCOMES;

/// What the server still holds of a socket that is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server has said that the allocation is gone.
    Released,
    /// No allocation of ours can exist.
    NothingToRelease,
    /// A release was sent and no valid verdict came.
    Unconfirmed,
    /// No release was sent although an allocation may live.
    Abandoned,
}

impl Outcome {
    /// The outcome of this number at the boundary; of one that this host does not know, the worst.
    pub(crate) fn of(number: u8) -> Self {
        match OUTCOMES.get(usize::from(number)).copied() {
            Some("released") => Self::Released,
            Some("nothing_to_release") => Self::NothingToRelease,
            Some("unconfirmed") => Self::Unconfirmed,
            _ => Self::Abandoned,
        }
    }

    /// The server holds nothing of ours.
    pub fn is_clean(self) -> bool {
        matches!(self, Self::Released | Self::NothingToRelease)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Released => "released",
            Self::NothingToRelease => "nothing_to_release",
            Self::Unconfirmed => "unconfirmed",
            Self::Abandoned => "abandoned",
        })
    }
}

/// The verdict of a close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub outcome: Outcome,
    /// Why it is not released; empty if it is.
    pub reason: String,
    /// When the server lets go of the allocation at the latest; none when it holds none.
    pub until: Option<SystemTime>,
    /// How long the local port should rest before the next Allocate from it.
    pub reuse_after: Duration,
}
