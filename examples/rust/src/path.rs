//! A path to the server: a connected UDP socket, which the machine knows as a flow.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Weak};

use tokio::io::Interest;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::abi_gen::{FLOW_CLOSED, PATH_ERROR};
use crate::driver::Shared;
use crate::error::{Error, Result};

/// Datagrams that are read before others have their turn.
const MOST_READS: usize = 64;

/// No datagram is longer.
const MAX_DATAGRAM: usize = 65535;

pub(crate) struct Path {
    flow: u32,
    /// It sends where there is no runtime any more, too.
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
}

impl Path {
    /// Opens a socket on a port of its own; what comes is handed to the client.
    pub(crate) fn open(
        runtime: &Handle,
        driver: Weak<Shared>,
        client: i32,
        server: SocketAddr,
        flow: u32,
    ) -> Result<Self> {
        let _in = runtime.enter();
        let failed = |e: io::Error| Error::io(format!("a socket to {server}"), &e);
        let socket = Arc::new(connected(server).map_err(failed)?);
        let ready = socket.try_clone().and_then(tokio::net::UdpSocket::from_std).map_err(failed)?;
        let reader = runtime.spawn(read(ready, socket.clone(), driver, client, flow));
        Ok(Self { flow, socket, reader })
    }

    pub(crate) fn flow(&self) -> u32 {
        self.flow
    }

    /// What the system has no room for is lost, as on the way: the machine sends again what matters.
    pub(crate) fn send(&self, datagram: &[u8]) {
        match self.socket.send(datagram) {
            // What an earlier one brought about: this one was not sent.
            Err(e) if e.kind() == ErrorKind::ConnectionRefused => _ = self.socket.send(datagram),
            _ => {}
        }
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

fn connected(server: SocketAddr) -> io::Result<UdpSocket> {
    let any = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Hands in what comes until the path, or the driver, is gone. That a server cannot be reached is an error, and nothing to
/// read: it is waited for by itself, and forgotten once the socket has no more to say.
async fn read(ready: tokio::net::UdpSocket, socket: Arc<UdpSocket>, driver: Weak<Shared>, client: i32, flow: u32) {
    let mut buffer = vec![0; MAX_DATAGRAM];
    while ready.ready(Interest::READABLE | Interest::ERROR).await.is_ok() {
        let Some(driver) = driver.upgrade() else { return };
        for _ in 0..MOST_READS {
            let mut receive = || socket.recv(&mut buffer);
            let come = match ready.try_io(Interest::READABLE, &mut receive) {
                // One after the other: of two that it is asked for at once, tokio's try_io clears none, and ready spins.
                Err(e) if e.kind() == ErrorKind::WouldBlock => ready.try_io(Interest::ERROR, &mut receive),
                come => come,
            };
            if matches!(&come, Err(e) if e.kind() == ErrorKind::WouldBlock) {
                break;
            }
            let broken = matches!(&come, Err(e) if !is_passing(e));
            // What the machine refuses it counts; every socket is told of a trap.
            let _ = driver.call(|core| {
                core.call(|instance, clients, now| match come {
                    Ok(n) => instance.input(now, client, flow, &buffer[..n], clients),
                    Err(_) if broken => instance.flow(now, client, flow, FLOW_CLOSED, clients),
                    Err(_) => instance.flow(now, client, flow, PATH_ERROR, clients),
                })
            });
            if broken {
                return;
            }
        }
    }
}

/// The path has said that the server cannot be reached, which may change.
fn is_passing(e: &io::Error) -> bool {
    use ErrorKind::{ConnectionRefused, HostUnreachable, Interrupted, NetworkDown, NetworkUnreachable};
    matches!(e.kind(), ConnectionRefused | HostUnreachable | NetworkUnreachable | NetworkDown | Interrupted)
}
