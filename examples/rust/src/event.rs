//! What happens to a client.

use std::net::SocketAddr;
use std::time::Duration;

use crate::abi_gen::*;
use crate::clock;
use crate::closed::Outcome;
use crate::record::Attributes;

/// What happened to a client. Which fields are set depends on the event: wasm/README.md says so.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// Its number, one of `EVENT_...` at the boundary.
    pub number: u32,
    /// "allocated", "permissionCreated", ...; "" for one that this host does not know.
    pub name: &'static str,
    /// The request that failed.
    pub method: &'static str,
    /// STUN error code; 0 = none.
    pub code: i32,
    /// The server's phrase, or a sentence that says what was tried.
    pub reason: String,
    /// The answer carried a valid MESSAGE-INTEGRITY.
    pub signed: bool,
    /// The path that it is about.
    pub flow: u32,
    pub channel: u16,
    pub peer: Option<SocketAddr>,
    pub relayed: Option<SocketAddr>,
    pub mapped: Option<SocketAddr>,
    /// What the server has granted.
    pub lifetime: Duration,
    /// Leave the server alone for so long.
    pub retry_after: Duration,
    pub outcome: Option<Outcome>,
    /// How long the local port should rest.
    pub reuse_after: Duration,
    /// The server may hold the allocation until this instant of the machine's clock, in ms.
    pub until: Option<f64>,
}

impl Event {
    /// Reads an event record; none when it is not one.
    pub(crate) fn read(record: &[u8]) -> Option<Self> {
        let a = Attributes::read(record)?;
        let number = u32::from(a.u16(ATTR_EVENT)?);
        let method = i32::from(a.u16(ATTR_METHOD).unwrap_or(0));
        let duration = |kind| clock::duration(a.f64(kind).unwrap_or(0.0));
        Some(Self {
            number,
            name: EVENTS.get(number as usize).copied().unwrap_or_default(),
            method: METHODS.iter().find(|(m, _)| *m == method).map_or("", |(_, name)| name),
            code: a.u32(ATTR_CODE).unwrap_or(0) as i32,
            reason: a.text(ATTR_REASON),
            signed: a.has(ATTR_SIGNED),
            flow: a.u32(ATTR_FLOW).unwrap_or(0),
            channel: a.u16(ATTR_CHANNEL).unwrap_or(0),
            peer: a.address(ATTR_PEER),
            relayed: a.address(ATTR_RELAYED),
            mapped: a.address(ATTR_MAPPED),
            lifetime: duration(ATTR_LIFETIME),
            retry_after: duration(ATTR_RETRY_AFTER),
            outcome: a.u8(ATTR_OUTCOME).map(Outcome::of),
            reuse_after: duration(ATTR_REUSE_AFTER),
            until: a.f64(ATTR_UNTIL),
        })
    }
}
