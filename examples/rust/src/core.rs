//! What a driver guards: the instance, and whose the clients are.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::abi_gen::*;
use crate::clock;
use crate::credentials::Credentials;
use crate::driver::Shared;
use crate::error::Result;
use crate::event::Event;
use crate::instance::{Instance, Sink};
use crate::path::Path;
use crate::session::Session;

/// Ticks in a row: each wakes some of the clients that are due. Then the sockets get their turn.
const MOST_TICKS: usize = 64;

/// "The client SHOULD try three different client transport addresses before giving up on this server."
/// <https://www.rfc-editor.org/rfc/rfc8656#section-7.4>
const MAX_PORTS: usize = 3;

pub(crate) struct Core {
    instance: Instance,
    clients: Clients,
    runtime: Handle,
    driver: Weak<Shared>,
    /// What the timer is set to.
    armed: f64,
}

impl Core {
    pub(crate) fn new(instance: Instance, runtime: Handle, driver: Weak<Shared>) -> Self {
        Self { instance, clients: Clients::default(), runtime, driver, armed: f64::INFINITY }
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    /// Calls the machine, then does what it asked for.
    pub(crate) fn call<T>(&mut self, f: impl FnOnce(&mut Instance, &mut Clients, f64) -> Result<T>) -> Result<T> {
        let answer = f(&mut self.instance, &mut self.clients, clock::now());
        while let Some((client, task)) = self.clients.tasks.pop_front() {
            let _ = match task {
                Task::Free => self.free(client),
                Task::ChangePort(flow) => self.change_port(client, flow),
            }; // a trap is told below
        }
        if let Some(why) = self.instance.dead() {
            for (_, session) in self.clients.sessions.drain() {
                session.died(why);
            }
        }
        answer
    }

    /// Opens a client with a path to the server, and has it allocate.
    pub(crate) fn open(&mut self, server: SocketAddr, credentials: &Credentials) -> Result<(i32, Arc<Session>)> {
        let client = self.call(|instance, clients, now| {
            let write = |r: &mut crate::Record<'_>| {
                credentials.write(r.address(ATTR_SERVER, server).flag(ATTR_AUTO_PERMISSION));
            };
            instance.open(now, write, clients)
        })?;
        let session = match self.path(client, server, 0) {
            Ok(path) => Arc::new(Session::new(server, path)),
            Err(e) => return self.free(client).and(Err(e)),
        };
        self.clients.sessions.insert(client, session.clone());
        match self.command(client, CMD_ALLOCATE, None) {
            Ok(()) => Ok((client, session)),
            Err(e) => self.free(client).and(Err(e)),
        }
    }

    pub(crate) fn command(&mut self, client: i32, command: u32, peer: Option<SocketAddr>) -> Result<()> {
        self.call(|instance, clients, now| {
            let write = |r: &mut crate::Record<'_>| {
                r.u16(ATTR_CMD, command);
                if let Some(peer) = peer {
                    r.address(ATTR_PEER, peer);
                }
            };
            instance.command(now, client, write, clients)
        })
    }

    pub(crate) fn close(&mut self, client: i32, linger: Duration) -> Result<()> {
        self.call(|instance, clients, now| instance.close(now, client, linger.as_secs_f64() * 1e3, clients))
    }

    /// Does what is due; the next deadline, to which the timer is set then.
    pub(crate) fn tick(&mut self) -> f64 {
        for _ in 0..MOST_TICKS {
            if !self.instance.next().le(&clock::now()) {
                break;
            }
            let _ = self.call(|instance, clients, now| instance.tick(now, clients)); // every socket is told of a trap
        }
        self.armed = self.instance.next();
        self.armed
    }

    /// The next deadline is before what the timer is set to.
    pub(crate) fn is_sooner(&self) -> bool {
        self.instance.next() < self.armed
    }

    fn path(&self, client: i32, server: SocketAddr, flow: u32) -> Result<Path> {
        Path::open(&self.runtime, self.driver.clone(), client, server, flow)
    }

    fn free(&mut self, client: i32) -> Result<()> {
        self.clients.sessions.remove(&client);
        self.instance.free(client)
    }

    /// The server holds another allocation on this local port, says its 437: another one, or the end.
    fn change_port(&mut self, client: i32, flow: u32) -> Result<()> {
        let Some(session) = self.clients.sessions.get(&client).cloned() else { return Ok(()) };
        if session.ports() >= MAX_PORTS {
            return self.flow(client, flow, FLOW_CLOSED);
        }
        let old = match self.path(client, session.server(), flow) {
            Ok(path) => session.set_path(path),
            Err(_) => return self.flow(client, flow, FLOW_CLOSED),
        };
        let opened = self.flow(client, flow, FLOW_OPENED);
        drop(old); // after the new one is open, which so cannot get the same port
        opened
    }

    fn flow(&mut self, client: i32, flow: u32, what: u32) -> Result<()> {
        self.instance.flow(clock::now(), client, flow, what, &mut self.clients)
    }
}

/// Whose the clients are, by their handles.
#[derive(Default)]
pub(crate) struct Clients {
    sessions: HashMap<i32, Arc<Session>>,
    /// What is done when the machine is drained.
    tasks: VecDeque<(i32, Task)>,
}

enum Task {
    Free,
    ChangePort(u32),
}

impl Sink for Clients {
    fn transmit(&mut self, client: i32, flow: u32, datagram: &[u8]) {
        if let Some(session) = self.sessions.get(&client) {
            session.transmit(flow, datagram);
        }
    }

    fn data(&mut self, client: i32, from: SocketAddr, payload: &[u8]) {
        if let Some(session) = self.sessions.get(&client) {
            session.received(from, payload);
        }
    }

    fn event(&mut self, client: i32, event: Event) {
        match event.number {
            EVENT_NEED_NEW_PORT | EVENT_FLOW_NEEDED => self.tasks.push_back((client, Task::ChangePort(event.flow))),
            EVENT_CLOSED => self.tasks.push_back((client, Task::Free)),
            _ => {}
        }
        if let Some(session) = self.sessions.get(&client) {
            session.happened(event);
        }
    }

    fn parting(&mut self, client: i32, flow: u32, datagram: &[u8], until: f64) {
        if let Some(session) = self.sessions.get(&client) {
            session.keep(flow, datagram, until);
        }
    }
}
