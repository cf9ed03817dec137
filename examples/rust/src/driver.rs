//! An instance of the machine with its sockets and its one timer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::clock;
use crate::core::Core;
use crate::credentials::Credentials;
use crate::error::{Error, Kind, Result};
use crate::instance::Instance;
use crate::module::Module;
use crate::socket::{Client, Socket};
use crate::uri;

/// An instance of the machine: any number of sockets share it, and one timer. It lives as long as one of them, or a clone
/// of it. What a socket does is a short call into the machine, by whoever asks, one at a time; two tasks bring it the time
/// and what comes from the network.
#[derive(Clone)]
pub struct Driver(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    core: Mutex<Core>,
    /// The next deadline has come nearer, or there will be no more.
    sooner: Arc<Notify>,
}

impl Driver {
    /// Makes an instance of the module. The runtime that it is called in, which has I/O and time enabled, carries its
    /// tasks.
    pub fn start(module: &Module) -> Result<Self> {
        let runtime = Handle::try_current().map_err(|e| Error::new(Kind::Io, format!("turn: {e}")))?;
        let instance = Instance::new(module)?;
        let shared = Arc::new_cyclic(|driver| Shared {
            core: Mutex::new(Core::new(instance, runtime.clone(), driver.clone())),
            sooner: Arc::default(),
        });
        // Not before: a timer that finds no driver ends.
        runtime.spawn(keep_time(Arc::downgrade(&shared), shared.sooner.clone()));
        Ok(Self(shared))
    }

    /// Allocates at the server of a TURN URI, turn:HOST[:PORT], and waits for it. The addresses of the host are tried one
    /// after the other until one answers; of one that is silent it takes about 40 seconds to know. Whoever stops waiting has
    /// what the server may have given released.
    pub async fn connect(&self, uri: &str, credentials: Credentials) -> Result<Socket> {
        let target = uri::parse(uri)?;
        let credentials = credentials.prepared()?;
        self.connect_to_one(resolve(&target).await?, &credentials).await
    }

    /// Allocates at the first of the addresses that answers; else, why the last one does not.
    async fn connect_to_one(&self, servers: Vec<SocketAddr>, credentials: &Credentials) -> Result<Socket> {
        let mut answer = Err(Error::new(Kind::Io, "turn: the server has no address"));
        for server in servers {
            answer = self.connect_to(server, credentials).await;
            if !answer.as_ref().is_err_and(Error::is_without_answer) {
                break;
            }
        }
        answer
    }

    async fn connect_to(&self, server: SocketAddr, credentials: &Credentials) -> Result<Socket> {
        let (client, session) = self.0.call(|core| core.open(server, credentials))?;
        Socket::new(Client { driver: self.clone(), client, session }).await
    }

    /// How many clients the machine has: sockets, and what is left of some that were closed.
    pub fn clients(&self) -> u32 {
        self.0.call(|core| core.instance().clients())
    }

    /// Calls an export of the module by its name, for tests of what a trap does.
    #[doc(hidden)]
    pub fn raw(&self, name: &str) -> Result<f64> {
        self.0.call(|core| core.call(|instance, _, _| instance.guest().raw(name, &[])))
    }
}

/// The addresses of a host, in the order in which the system wants them tried.
async fn resolve(target: &uri::Target) -> Result<Vec<SocketAddr>> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let canonical = |a: SocketAddr| SocketAddr::new(a.ip().to_canonical(), a.port());
    Ok(found.map_err(|e| Error::io(&target.host, &e))?.map(canonical).collect())
}

impl Shared {
    /// Calls the machine, then sees to the timer.
    pub(crate) fn call<T>(&self, f: impl FnOnce(&mut Core) -> T) -> T {
        let mut core = self.core();
        let answer = f(&mut core);
        if core.is_sooner() {
            self.sooner.notify_one();
        }
        answer
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.sooner.notify_one(); // the timer finds no driver, and ends
    }
}

/// The one timer.
async fn keep_time(driver: Weak<Shared>, sooner: Arc<Notify>) {
    while let Some(shared) = driver.upgrade() {
        let next = shared.core().tick();
        drop(shared);
        match clock::duration(next - clock::now()) {
            Duration::ZERO => yield_now().await, // the sockets get their turn
            wait => _ = timeout(wait, sooner.notified()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wasm/turn.wasm");

    #[test]
    fn tries_every_address() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sockets = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let closed = sockets.map(|s| s.local_addr().unwrap());
        let failed = runtime.block_on(async {
            let turn = Driver::start(&Module::from_file(MODULE).unwrap()).unwrap();
            turn.connect_to_one(closed.to_vec(), &Credentials::none()).await.unwrap_err()
        });
        assert!(failed.to_string().contains(&closed[2].to_string()), "it is not about the last address: {failed}");
    }
}
