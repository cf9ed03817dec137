//! A datagram socket at a TURN server.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::consume_budget;

use crate::abi_gen::CMD_BIND_CHANNEL;
use crate::closed::Closed;
use crate::core::Core;
use crate::driver::Driver;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::session::{Allocation, Session};

/// A datagram socket at a TURN server: peers see the relayed address. Any task may use it, through a shared reference;
/// a call that nobody waits for any more has lost nothing.
///
/// [`Socket::close`] releases the allocation and says what came of it. A socket that is dropped sends the release and
/// waits for no answer.
pub struct Socket {
    client: Client,
    allocation: Allocation,
}

impl Socket {
    /// Waits for the allocation.
    pub(crate) async fn new(client: Client) -> Result<Self> {
        let allocation = client.session.when(|s| s.allocation.map(Ok).or_else(|| s.failed())).await?;
        Ok(Self { client, allocation })
    }

    /// What peers send to.
    pub fn relayed_addr(&self) -> SocketAddr {
        self.allocation.relayed
    }

    /// Where the server sees us.
    pub fn mapped_addr(&self) -> Option<SocketAddr> {
        self.allocation.mapped
    }

    /// How long the server keeps the allocation from one refresh to the next, which are done by themselves.
    pub fn lifetime(&self) -> Duration {
        self.client.session.state().allocation.unwrap_or(self.allocation).lifetime
    }

    /// Sends a payload to a peer; the permission that it needs is made with it. Like every datagram it may be lost.
    pub async fn send_to(&self, payload: &[u8], peer: SocketAddr) -> Result<()> {
        consume_budget().await;
        let peer = canonical(peer);
        self.client
            .call(|core, client| core.call(|instance, clients, now| instance.send(now, client, peer, payload, clients)))
    }

    /// Waits for a payload, puts it into the buffer, as much as fits, and answers how much that is and its sender.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr)> {
        consume_budget().await;
        let next = self.client.session.when(|s| s.unread.pop_front().map(Ok).or_else(|| s.failed()));
        let (from, payload) = next.await?;
        let n = payload.len().min(buffer.len());
        buffer[..n].copy_from_slice(&payload[..n]);
        Ok((n, from))
    }

    /// Binds a channel to a peer, and waits until the server has agreed: four bytes a payload instead of 36 or more.
    pub async fn bind_channel(&self, peer: SocketAddr) -> Result<()> {
        let peer = canonical(peer);
        self.client.call(|core, client| {
            if !self.client.session.state().wants_channel(peer) {
                return Ok(());
            }
            let asked = core.command(client, CMD_BIND_CHANNEL, Some(peer));
            asked.inspect_err(|e| self.client.session.bound(peer, Err(e.clone())))
        })?;
        self.client.session.when(|s| s.channels.get(&peer).cloned().flatten().or_else(|| s.failed())).await
    }

    /// Waits for the next event; "closed" is the last. The oldest of 64 that nobody took are dropped.
    pub async fn next_event(&self) -> Result<Event> {
        self.client.session.when(|s| s.events.pop_front().map(Ok).or_else(|| s.failed())).await
    }

    /// The machine's counters, and the payloads that nobody took in time.
    pub fn stats(&self) -> Result<Vec<(&'static str, u64)>> {
        let mut stats = self.client.call(|core, client| core.call(|instance, _, _| instance.stats(client)))?;
        stats.push(("payloadsUnread", self.client.session.state().dropped));
        Ok(stats)
    }

    /// Releases the allocation and says what came of it, after the linger at the latest. A second call has the same
    /// verdict.
    pub async fn close(&self, linger: Duration) -> Result<Closed> {
        self.client.release(linger)?;
        Ok(self.client.session.when(|s| s.closed.clone()).await)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("relayed", &self.relayed_addr()).finish_non_exhaustive()
    }
}

/// A client of the machine, which is closed when it is dropped.
pub(crate) struct Client {
    pub(crate) driver: Driver,
    pub(crate) client: i32,
    pub(crate) session: Arc<Session>,
}

impl Client {
    /// Calls the machine, unless it is over.
    fn call<T>(&self, f: impl FnOnce(&mut Core, i32) -> Result<T>) -> Result<T> {
        self.driver.0.call(|core| {
            if let Some(why) = self.session.failure() {
                return Err(why);
            }
            f(core, self.client)
        })
    }

    /// Has the client released; of one that is closed already there is a verdict.
    fn release(&self, linger: Duration) -> Result<()> {
        self.driver.0.call(|core| {
            if self.session.is_closed() {
                return Ok(());
            }
            let asked = core.close(self.client, linger);
            if self.session.is_closed() {
                return Ok(()); // it has died meanwhile, with a verdict
            }
            asked?;
            self.session.fail(Error::closed());
            Ok(())
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.release(Duration::ZERO); // a trap has shipped the release
    }
}

/// An IPv4 address that is written as an IPv6 one is an IPv4 address.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}
