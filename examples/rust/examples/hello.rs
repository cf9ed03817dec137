//! Sends one message through a relay, waits for an answer, and takes the allocation back.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use turnwasm::{Credentials, Driver, Module, Socket};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [module, server, username, password, peer] = &args[..] else {
        return Err("usage: hello turn.wasm turn:HOST[:PORT] USERNAME PASSWORD PEER-IP:PORT".into());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(hello(module, server, Credentials::new(username, password), peer.parse()?))
}

async fn hello(module: &str, server: &str, credentials: Credentials, peer: SocketAddr) -> Result<(), Failure> {
    let turn = Driver::start(&Module::from_file(module)?)?;
    let socket = turn.connect(server, credentials).await?;
    println!("peers see us as {}", socket.relayed_addr());

    let said = tokio::select! {
        said = say_hello(&socket, peer) => said,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()), // which would end us, and drop nothing
    };
    println!("closed {}", socket.close(Duration::from_secs(2)).await?.outcome);
    said
}

async fn say_hello(socket: &Socket, peer: SocketAddr) -> Result<(), Failure> {
    socket.send_to(b"hello", peer).await?;
    let mut buffer = [0; 1500];
    match timeout(Duration::from_secs(5), socket.recv_from(&mut buffer)).await {
        Ok(come) => {
            let (n, from) = come?;
            println!("{} from {from}", String::from_utf8_lossy(&buffer[..n]));
        }
        Err(_) => println!("no answer"),
    }
    Ok(())
}
