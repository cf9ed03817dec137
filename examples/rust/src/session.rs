//! What is known of a socket: its driver writes it, whoever has the socket reads it and waits.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::abi_gen::*;
use crate::clock;
use crate::closed::{Closed, Outcome};
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::path::Path;

/// Payloads that wait for a reader; further ones are dropped and counted.
const MOST_UNREAD: usize = 1024;

/// Events that wait for a reader; the oldest are dropped.
const MOST_EVENTS: usize = 64;

/// "... default lifetime value of 600 seconds (10 minutes)". <https://www.rfc-editor.org/rfc/rfc8656#section-6>
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

pub(crate) struct Session {
    server: SocketAddr,
    state: Mutex<State>,
    changed: Notify,
}

pub(crate) struct State {
    path: Option<Path>,
    /// How many local ports were tried.
    ports: usize,
    pub(crate) allocation: Option<Allocation>,
    pub(crate) unread: VecDeque<(SocketAddr, Vec<u8>)>,
    pub(crate) dropped: u64,
    pub(crate) events: VecDeque<Event>,
    /// What came of the last request for a peer's channel; none while it is under way.
    pub(crate) channels: HashMap<SocketAddr, Option<Result<()>>>,
    parting: Option<Parting>,
    /// Why nothing more can be done.
    pub(crate) failure: Option<Error>,
    pub(crate) closed: Option<Closed>,
}

#[derive(Clone, Copy)]
pub(crate) struct Allocation {
    pub(crate) relayed: SocketAddr,
    pub(crate) mapped: Option<SocketAddr>,
    pub(crate) lifetime: Duration,
}

struct Parting {
    flow: u32,
    datagram: Vec<u8>,
    until: f64,
}

impl Session {
    pub(crate) fn new(server: SocketAddr, path: Path) -> Self {
        let state = State {
            path: Some(path),
            ports: 1,
            allocation: None,
            unread: VecDeque::new(),
            dropped: 0,
            events: VecDeque::new(),
            channels: HashMap::new(),
            parting: None,
            failure: None,
            closed: None,
        };
        Self { server, state: Mutex::new(state), changed: Notify::new() }
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the state has an answer.
    pub(crate) async fn when<T>(&self, mut answer: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let mut changed = pin!(self.changed.notified());
            changed.as_mut().enable(); // what happens from here on is not missed
            if let Some(answer) = answer(&mut self.state()) {
                return answer;
            }
            changed.await;
        }
    }

    fn change(&self, f: impl FnOnce(&mut State)) {
        f(&mut self.state());
        self.changed.notify_waiters();
    }

    pub(crate) fn ports(&self) -> usize {
        self.state().ports
    }

    /// Goes on over another path; the one before.
    pub(crate) fn set_path(&self, path: Path) -> Option<Path> {
        let mut state = self.state();
        state.ports += 1;
        state.path.replace(path)
    }

    pub(crate) fn transmit(&self, flow: u32, datagram: &[u8]) {
        self.state().ship(flow, datagram);
    }

    pub(crate) fn received(&self, from: SocketAddr, payload: &[u8]) {
        self.change(|state| {
            if state.unread.len() < MOST_UNREAD {
                state.unread.push_back((from, payload.to_vec()));
            } else {
                state.dropped += 1;
            }
        });
    }

    pub(crate) fn keep(&self, flow: u32, datagram: &[u8], until: f64) {
        let parting = Parting { flow, datagram: datagram.to_vec(), until };
        self.state().parting = Some(parting).filter(|p| !p.datagram.is_empty());
    }

    pub(crate) fn happened(&self, event: Event) {
        self.change(|state| state.happened(event));
    }

    /// What came of a request for a channel.
    pub(crate) fn bound(&self, peer: SocketAddr, result: Result<()>) {
        self.change(|state| state.bound(Some(peer), result));
    }

    pub(crate) fn failure(&self) -> Option<Error> {
        self.state().failure.clone()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    /// Nothing more is taken, and why.
    pub(crate) fn fail(&self, why: Error) {
        self.change(|state| _ = state.failure.get_or_insert(why));
    }

    /// The machine is not called any more: its last word is shipped, whose answer nobody will hear.
    pub(crate) fn died(&self, why: &Error) {
        self.change(|state| state.died(why));
    }
}

impl State {
    /// The failure as an answer, if there is one.
    pub(crate) fn failed<T>(&self) -> Option<Result<T>> {
        self.failure.clone().map(Err)
    }

    /// A channel is to be asked for: it is neither bound nor under way. It is from here on.
    pub(crate) fn wants_channel(&mut self, peer: SocketAddr) -> bool {
        let wants = matches!(self.channels.get(&peer), None | Some(Some(Err(_))));
        if wants {
            self.channels.insert(peer, None);
        }
        wants
    }

    fn ship(&self, flow: u32, datagram: &[u8]) -> bool {
        let path = self.path.as_ref().filter(|path| path.flow() == flow);
        path.inspect(|path| path.send(datagram)).is_some()
    }

    fn happened(&mut self, event: Event) {
        match event.number {
            EVENT_ALLOCATED => self.allocated(&event),
            EVENT_REFRESHED => self.allocation.iter_mut().for_each(|a| a.lifetime = event.lifetime),
            EVENT_CHANNEL_BOUND => self.bound(event.peer, Ok(())),
            EVENT_CHANNEL_FAILED | EVENT_COMMAND_DROPPED => {
                self.bound(event.peer, Err(Error::of_request(Kind::Request, &event)))
            }
            EVENT_ALLOCATE_FAILED => _ = self.failure.get_or_insert(Error::of_request(Kind::Request, &event)),
            EVENT_ALLOCATION_LOST => _ = self.failure.get_or_insert(Error::of_request(Kind::Lost, &event)),
            EVENT_CLOSED => self.ended(&event),
            _ => {}
        }
        if self.events.len() >= MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn allocated(&mut self, event: &Event) {
        self.allocation =
            event.relayed.map(|relayed| Allocation { relayed, mapped: event.mapped, lifetime: event.lifetime });
    }

    fn bound(&mut self, peer: Option<SocketAddr>, result: Result<()>) {
        if let Some(asked) = peer.and_then(|peer| self.channels.get_mut(&peer)) {
            *asked = Some(result);
        }
    }

    fn ended(&mut self, event: &Event) {
        self.end(Closed {
            outcome: event.outcome.unwrap_or(Outcome::Abandoned),
            reason: event.reason.clone(),
            until: event.until.and_then(clock::instant),
            reuse_after: event.reuse_after,
        });
    }

    fn end(&mut self, verdict: Closed) {
        self.failure.get_or_insert(Error::closed());
        self.path = None;
        self.parting = None;
        self.closed = Some(verdict);
    }

    fn died(&mut self, why: &Error) {
        self.failure = Some(why.clone());
        let parting = self.parting.take();
        let shipped = parting.as_ref().is_some_and(|p| self.ship(p.flow, &p.datagram));
        let granted = self.allocation.map_or(DEFAULT_LIFETIME, |a| a.lifetime.max(DEFAULT_LIFETIME));
        let now = clock::now();
        let until = parting.map(|p| p.until).filter(|until| *until > now).unwrap_or(now + granted.as_secs_f64() * 1e3);
        self.end(Closed {
            outcome: if shipped { Outcome::Unconfirmed } else { Outcome::Abandoned },
            reason: "trapped".to_owned(),
            until: clock::instant(until),
            reuse_after: clock::duration(until - now),
        });
    }
}
