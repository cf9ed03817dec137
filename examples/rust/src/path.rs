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

/// Errors in a row, with nothing read and no wait between, after which it is the socket that is broken and not the path.
const MOST_ERRORS: usize = 16;

/// "Message too long", for which ErrorKind has no name.
const EMSGSIZE: i32 = if cfg!(windows) {
    10040
} else if cfg!(any(target_os = "linux", target_os = "android")) {
    90
} else {
    40
};

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

    /// What the system has no room for, or finds too long, is lost, as on the way: the machine sends again what matters.
    pub(crate) fn send(&self, datagram: &[u8]) {
        match self.socket.send(datagram) {
            // It may be what an earlier one has brought about: then this one was not sent.
            Err(e) if e.kind() != ErrorKind::WouldBlock => _ = self.socket.send(datagram),
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
        let mut errors = Errors::default();
        for _ in 0..MOST_READS {
            let come = match receive(&ready, &socket, &mut buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                come => errors.what(come),
            };
            // What the machine refuses it counts; every socket is told of a trap.
            let _ = driver.call(|core| {
                core.call(|instance, clients, now| match come {
                    Come::Datagram(n) => instance.input(now, client, flow, &buffer[..n], clients),
                    Come::Flow(what) => instance.flow(now, client, flow, what, clients),
                    Come::Nothing => Ok(()),
                })
            });
            if come == Come::Flow(FLOW_CLOSED) {
                return;
            }
        }
    }
}

fn receive(ready: &tokio::net::UdpSocket, socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<usize> {
    let mut receive = || socket.recv(buffer);
    match ready.try_io(Interest::READABLE, &mut receive) {
        // One after the other: of two that it is asked for at once, tokio's try_io clears none, and ready spins.
        Err(e) if e.kind() == ErrorKind::WouldBlock => ready.try_io(Interest::ERROR, &mut receive),
        come => come,
    }
}

/// What a receive has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Come {
    Datagram(usize),
    /// What has become of the flow: PATH_ERROR, FLOW_CLOSED.
    Flow(u32),
    Nothing,
}

/// How many errors a socket has answered in a row.
#[derive(Default)]
struct Errors(usize);

impl Errors {
    /// An error is the path's word on an earlier datagram, and the socket goes on: ICMP has more of them than ErrorKind has
    /// names. "Message too long" is no word against the server: the system knows the path better now, and fragments.
    fn what(&mut self, received: io::Result<usize>) -> Come {
        self.0 = if received.is_ok() { 0 } else { self.0 + 1 };
        match received {
            Ok(n) => Come::Datagram(n),
            Err(_) if self.0 >= MOST_ERRORS => Come::Flow(FLOW_CLOSED),
            Err(e) if e.raw_os_error() == Some(EMSGSIZE) || e.kind() == ErrorKind::Interrupted => Come::Nothing,
            Err(_) => Come::Flow(PATH_ERROR),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(number: i32) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(number))
    }

    #[test]
    fn an_error_is_the_paths() {
        for kind in [ErrorKind::ConnectionRefused, ErrorKind::ConnectionReset, ErrorKind::HostUnreachable] {
            assert_eq!(Errors::default().what(Err(kind.into())), Come::Flow(PATH_ERROR), "{kind}");
        }
        for (number, name) in [(64, "ENONET"), (92, "ENOPROTOOPT"), (112, "EHOSTDOWN")] {
            assert_eq!(Errors::default().what(error(number)), Come::Flow(PATH_ERROR), "Linux' {name}");
        }
    }

    #[test]
    fn a_datagram_too_long_is_no_error_of_the_path() {
        assert_eq!(Errors::default().what(error(EMSGSIZE)), Come::Nothing);
    }

    #[test]
    fn a_socket_that_has_only_errors_is_broken() {
        let mut errors = Errors::default();
        for _ in 1..MOST_ERRORS {
            assert_ne!(errors.what(error(EMSGSIZE)), Come::Flow(FLOW_CLOSED));
        }
        assert_eq!(errors.what(Ok(20)), Come::Datagram(20), "then all is well again");
        for _ in 1..MOST_ERRORS {
            assert_eq!(errors.what(error(9)), Come::Flow(PATH_ERROR));
        }
        assert_eq!(errors.what(error(9)), Come::Flow(FLOW_CLOSED));
    }
}
