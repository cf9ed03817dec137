//! As much of a TURN server without authentication as a socket needs to open and to close, on loopback. It relays nothing.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const COOKIE: u32 = 0x2112_A442;
const ALLOCATE: u16 = 0x0003;
const REFRESH: u16 = 0x0004;
const CREATE_PERMISSION: u16 = 0x0008;
const CHANNEL_BIND: u16 = 0x0009;
const SUCCESS: u16 = 0x0100;
const FAILURE: u16 = 0x0110;

const ERROR_CODE: u16 = 0x0009;
const LIFETIME: u16 = 0x000D;
const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const XOR_RELAYED_ADDRESS: u16 = 0x0016;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// What the server says to an Allocate.
#[derive(Clone, Copy)]
pub enum Says {
    /// It gives what is asked for.
    Yes,
    /// 401: it wants to know who asks.
    Unauthorized,
    /// 437 to so many, from other ports, and yes to those that follow.
    Mismatch(usize),
}

pub struct FakeServer {
    address: SocketAddr,
    lifetimes: mpsc::UnboundedReceiver<u32>,
    task: JoinHandle<()>,
}

impl FakeServer {
    pub async fn start(says: Says) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = socket.local_addr()?;
        let (refreshed, lifetimes) = mpsc::unbounded_channel();
        Ok(Self { address, lifetimes, task: tokio::spawn(serve(socket, says, refreshed)) })
    }

    pub fn uri(&self) -> String {
        format!("turn:{}", self.address)
    }

    /// The LIFETIME of the next Refresh.
    pub async fn refreshed(&mut self) -> Option<u32> {
        self.lifetimes.recv().await
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(socket: UdpSocket, mut says: Says, refreshed: mpsc::UnboundedSender<u32>) {
    let mut buffer = [0; 2048];
    while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
        let request = &buffer[..n];
        if let Some(answer) = answer(request, from, &mut says, &refreshed) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

fn answer(
    request: &[u8],
    from: SocketAddr,
    says: &mut Says,
    refreshed: &mpsc::UnboundedSender<u32>,
) -> Option<Vec<u8>> {
    let method = u16::from_be_bytes(*request.first_chunk()?);
    let transaction = request.get(4..20)?;
    let lifetime = lifetime(request).unwrap_or(600);
    let mut attributes = Vec::new();
    let class = match method {
        ALLOCATE => allocate(says, from, &mut attributes),
        REFRESH => refreshed.send(lifetime).ok().map(|()| SUCCESS)?,
        CREATE_PERMISSION | CHANNEL_BIND => SUCCESS,
        _ => return None,
    };
    if class == SUCCESS {
        put(&mut attributes, LIFETIME, &lifetime.to_be_bytes());
    }
    let length = attributes.len() as u16;
    Some([&(method | class).to_be_bytes(), &length.to_be_bytes(), transaction, &attributes[..]].concat())
}

/// Answers an Allocate: success or failure, and the attributes.
fn allocate(says: &mut Says, from: SocketAddr, attributes: &mut Vec<u8>) -> u16 {
    match *says {
        Says::Yes => {
            put(attributes, XOR_RELAYED_ADDRESS, &xored(49152));
            put(attributes, XOR_MAPPED_ADDRESS, &xored(from.port()));
            return SUCCESS;
        }
        Says::Unauthorized => {
            put(attributes, ERROR_CODE, &[0, 0, 4, 1]);
            put(attributes, REALM, b"example.org");
            put(attributes, NONCE, b"nonce");
        }
        Says::Mismatch(left) => {
            *says = if left > 1 { Says::Mismatch(left - 1) } else { Says::Yes };
            put(attributes, ERROR_CODE, &[0, 0, 4, 37]);
        }
    }
    FAILURE
}

fn lifetime(request: &[u8]) -> Option<u32> {
    let mut rest = request.get(20..)?;
    loop {
        let (head, value) = rest.split_first_chunk::<4>()?;
        let size = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if u16::from_be_bytes([head[0], head[1]]) == LIFETIME {
            return value.first_chunk().map(|v| u32::from_be_bytes(*v));
        }
        rest = value.get(size.next_multiple_of(4)..)?;
    }
}

fn put(attributes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    attributes.extend(kind.to_be_bytes());
    attributes.extend((value.len() as u16).to_be_bytes());
    attributes.extend(value);
    attributes.resize(attributes.len().next_multiple_of(4), 0);
}

/// 127.0.0.1 and a port.
fn xored(port: u16) -> [u8; 8] {
    let [p, q] = (port ^ (COOKIE >> 16) as u16).to_be_bytes();
    let [a, b, c, d] = (u32::from(Ipv4Addr::LOCALHOST) ^ COOKIE).to_be_bytes();
    [0, 1, p, q, a, b, c, d]
}
