//! Sockets at a server that is no server: what opens, what closes, what is left when nobody closes.

#[path = "../src/bin/quickstart/fake_server.rs"]
mod fake_server;

use std::future::{Future, poll_fn};
use std::net::{SocketAddr, UdpSocket};
use std::pin::{Pin, pin};
use std::sync::{LazyLock, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use fake_server::{FakeServer, Says};
use turnwasm::{Credentials, Driver, Kind, Module, Outcome, Socket};

const LINGER: Duration = Duration::from_secs(2);

static MODULE: LazyLock<Module> = LazyLock::new(|| {
    Module::from_file(concat!(env!("CARGO_MANIFEST_DIR"), "/../../wasm/turn.wasm"))
        .expect("go run ./wasm/internal/build makes it")
});

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], 9000))
}

/// Runs a test in a runtime of its own, which does not wait for ever.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), test).await }).expect("the test hangs");
}

/// Polls once; nothing has come yet.
async fn wants_more<T>(mut future: Pin<&mut impl Future<Output = T>>) {
    let ready = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
    assert!(!ready, "nothing came");
}

async fn open(says: Says) -> (FakeServer, turnwasm::Result<Socket>) {
    let server = FakeServer::start(says).await.unwrap();
    let socket = Driver::start(&MODULE).unwrap().connect(&server.uri(), Credentials::none()).await;
    (server, socket)
}

#[test]
fn opens_and_closes() {
    run(async {
        let (mut server, socket) = open(Says::Yes).await;
        let socket = socket.unwrap();
        assert_eq!(socket.relayed_addr(), "127.0.0.1:49152".parse().unwrap());
        assert_eq!(socket.lifetime(), Duration::from_secs(600));
        assert_eq!(socket.next_event().await.unwrap().name, "allocated");
        let closed = socket.close(LINGER).await.unwrap();
        assert_eq!(closed.outcome, Outcome::Released);
        assert_eq!(socket.close(Duration::ZERO).await.unwrap(), closed, "a second close has the same verdict");
        assert_eq!(server.refreshed().await, Some(0), "the release's LIFETIME");
        assert_eq!(socket.next_event().await.unwrap().name, "closed", "the last event is there after the close");
    });
}

#[test]
fn binds_a_channel_twice() {
    run(async {
        let (_server, socket) = open(Says::Yes).await;
        let socket = socket.unwrap();
        socket.bind_channel(peer()).await.unwrap();
        socket.bind_channel("[::ffff:192.0.2.7]:9000".parse().unwrap()).await.unwrap();
        let sent = socket.stats().unwrap()[0];
        assert_eq!(sent, ("sentMessages", 2), "an Allocate and one ChannelBind");
    });
}

#[test]
fn a_dropped_socket_releases() {
    run(async {
        let (mut server, socket) = open(Says::Yes).await;
        drop(socket.unwrap());
        assert_eq!(server.refreshed().await, Some(0), "the release's LIFETIME");
    });
}

#[test]
fn a_socket_that_outlives_its_runtime_releases() {
    let (tell, told) = mpsc::channel();
    let listener = thread::spawn(|| {
        run(async move {
            let mut server = FakeServer::start(Says::Yes).await.unwrap();
            tell.send(server.uri()).unwrap();
            assert_eq!(server.refreshed().await, Some(0), "the release's LIFETIME");
        });
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let uri = told.recv().unwrap();
    let socket = runtime.block_on(async { Driver::start(&MODULE)?.connect(&uri, Credentials::none()).await }).unwrap();
    drop(runtime);
    drop(socket);
    listener.join().unwrap();
}

#[test]
fn a_connect_that_nobody_waits_for_leaves_nothing() {
    run(async {
        let server = FakeServer::start(Says::Unauthorized).await.unwrap();
        let turn = Driver::start(&MODULE).unwrap();
        let uri = server.uri();
        let mut connect = Box::pin(turn.connect(&uri, Credentials::none()));
        wants_more(connect.as_mut()).await;
        assert_eq!(turn.clients(), 1);
        drop(connect);
        assert_eq!(turn.clients(), 0);
    });
}

#[test]
fn takes_another_port_after_437() {
    run(async {
        let (_server, socket) = open(Says::Mismatch(2)).await;
        assert_eq!(socket.unwrap().close(LINGER).await.unwrap().outcome, Outcome::Released);
    });
}

#[test]
fn gives_up_after_three_ports() {
    run(async {
        let (_server, socket) = open(Says::Mismatch(3)).await;
        assert_eq!(socket.err().map(|e| (e.kind(), e.code())), Some((Kind::Request, 437)));
    });
}

/// ICMP says so at once; a host that does not hear it waits for half a minute.
#[test]
fn a_server_that_is_not_there_is_an_error() {
    run(async {
        let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failed = Driver::start(&MODULE).unwrap().connect(&format!("turn:{closed}"), Credentials::none()).await;
        assert_eq!(failed.err().map(|e| e.kind()), Some(Kind::Request));
    });
}

#[test]
fn a_close_ends_a_read() {
    run(async {
        let (_server, socket) = open(Says::Yes).await;
        let socket = socket.unwrap();
        let mut buffer = [0; 16];
        let mut read = pin!(socket.recv_from(&mut buffer));
        wants_more(read.as_mut()).await;
        socket.close(LINGER).await.unwrap();
        assert_eq!(read.await.unwrap_err().kind(), Kind::Closed);
    });
}

/// A timer that is polled before its driver is made would end.
#[test]
fn every_driver_has_its_timer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let _in = runtime.enter();
    let drivers: Vec<Driver> = (0..64).map(|_| Driver::start(&MODULE).unwrap()).collect();
    assert_eq!(runtime.metrics().num_alive_tasks(), drivers.len());
}

#[test]
fn a_driver_that_is_dropped_leaves_no_task() {
    run(async {
        let (server, socket) = open(Says::Yes).await;
        drop((server, socket));
        let tasks = tokio::runtime::Handle::current().metrics();
        while tasks.num_alive_tasks() > 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_driver_wants_a_runtime() {
    assert_eq!(Driver::start(&MODULE).err().map(|e| e.kind()), Some(Kind::Io));
}
