//! What goes wrong is an error with a code and a text, and never the end of the program.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use turnwasm::abi_gen::{ATTR_CMD, ATTR_SERVER, CMD_ALLOCATE, CODE_TEXTS, EXPORTS, VERSION};
use turnwasm::{Credentials, Driver, Event, Instance, Module, Outcome, Result, Sink};

use crate::Failure;
use crate::fake_server::{FakeServer, Says};
use crate::tiny_module::tiny_module;

const LINGER: Duration = Duration::from_secs(2);

pub async fn run(module: &Module, trap: Option<&str>) -> std::result::Result<bool, Failure> {
    let mut report = Report { good: true };
    modules(&mut report);
    handles(&mut report, module)?;
    arguments(&mut report, module)?;
    addresses(&mut report, module).await?;
    sockets(&mut report, module).await?;
    if let Some(trap) = trap {
        trapped(&mut report, &Module::from_file(trap)?).await?;
    }
    Ok(report.good)
}

struct Report {
    good: bool,
}

impl Report {
    /// A case, which is to fail in this way: the name of an error's kind.
    fn refuses<T>(&mut self, case: &str, want: &str, came: Result<T>) {
        let (code, number, text) = match came {
            Ok(_) => ("none", 0, "it was taken".to_owned()),
            Err(e) => (e.kind().name(), e.code(), e.to_string()),
        };
        self.line(case, want, code, number, &text);
    }

    fn line(&mut self, case: &str, want: &str, code: &str, number: i32, text: &str) {
        println!("{}", json!({"type": "bad-input", "case": case, "code": code, "number": number, "text": text}));
        if code != want || text.is_empty() {
            self.good = false;
            eprintln!("bad-input: {case}: want {want}, got {code}: {text}");
        }
    }

    /// A call by its name, which is to be refused.
    fn call(&mut self, case: &str, instance: &mut Instance, name: &str, args: &[f64]) {
        match instance.guest().raw(name, args) {
            Ok(code) if code < 0.0 => {
                let known = CODE_TEXTS.iter().find(|(c, _)| *c == code as i32).map_or("", |(_, text)| text);
                let said = Some(instance.guest().error_text()).filter(|text| !text.is_empty());
                self.line(case, "refused", "refused", code as i32, &said.unwrap_or_else(|| known.to_owned()));
            }
            came => self.refuses(case, "refused", came),
        }
    }

    fn holds(&mut self, what: &str, fine: bool) {
        if !fine {
            self.good = false;
            eprintln!("bad-input: {what}");
        }
    }
}

fn modules(report: &mut Report) {
    let names: Vec<&str> = EXPORTS.iter().map(|(name, _)| *name).collect();
    let without = |left_out: &str| names.iter().copied().filter(|name| *name != left_out).collect::<Vec<_>>();
    let made = |exports: &[&str], version: u32| {
        Module::from_bytes(&tiny_module(exports, version as u8)).and_then(|m| Instance::new(&m))
    };
    report.refuses("another version", "module", made(&names, VERSION + 1));
    report.refuses("another signature", "module", made(&names, VERSION));
    report.refuses("a missing export", "module", made(&without("turn_send"), VERSION));
    report.refuses("no turn_abi_version", "module", made(&without("turn_abi_version"), VERSION));
    report.refuses("not wasm", "module", Module::from_bytes(b"<html>404</html>"));
    report.refuses("no bytes", "module", Module::from_bytes(b""));
    report.refuses("wasm that is cut off", "module", Module::from_bytes(b"\0asm\x01\0\0\0\x01\x5a\x03"));
    report.refuses("no such file", "module", Module::from_file("/nonexistent/turn.wasm"));
}

/// Hears nothing.
struct Deaf;

impl Sink for Deaf {
    fn transmit(&mut self, _: i32, _: u32, _: &[u8]) {}
    fn data(&mut self, _: i32, _: SocketAddr, _: &[u8]) {}
    fn event(&mut self, _: i32, _: Event) {}
    fn parting(&mut self, _: i32, _: u32, _: &[u8], _: f64) {}
}

fn peer() -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 7], 9000))
}

fn open(instance: &mut Instance) -> Result<i32> {
    let server = SocketAddr::from(([192, 0, 2, 1], 3478));
    instance.open(0.0, |r| _ = r.address(ATTR_SERVER, server), &mut Deaf)
}

fn allocate(instance: &mut Instance, now: f64, client: i32) -> Result<()> {
    instance.command(now, client, |r| _ = r.u16(ATTR_CMD, CMD_ALLOCATE), &mut Deaf)
}

fn handles(report: &mut Report, module: &Module) -> Result<()> {
    let mut instance = Instance::new(module)?;
    let freed = open(&mut instance)?;
    instance.free(freed)?;
    report.refuses("a freed handle", "refused", allocate(&mut instance, 1.0, freed));
    report.refuses("a handle freed again", "refused", instance.free(freed));
    report.refuses("a foreign handle", "refused", allocate(&mut instance, 1.0, i32::MAX));
    report.refuses("a negative handle", "refused", instance.stats(-5));
    report.refuses("a payload for a stale handle", "refused", instance.send(1.0, freed, peer(), &[0; 10], &mut Deaf));
    let closed = open(&mut instance)?;
    instance.close(1.0, closed, 0.0, &mut Deaf)?;
    report.refuses("a closed client", "closed", allocate(&mut instance, 2.0, closed));
    report.refuses("a payload for a closed client", "closed", instance.send(2.0, closed, peer(), &[0; 10], &mut Deaf));
    Ok(())
}

fn arguments(report: &mut Report, module: &Module) -> Result<()> {
    let mut instance = Instance::new(module)?;
    let client = open(&mut instance)?;
    let handle = f64::from(client);
    report.refuses("a time that is none", "refused", allocate(&mut instance, f64::NAN, client));
    report.refuses("a tick at no time", "refused", instance.tick(-1.0, &mut Deaf));
    report.refuses("a command without a record", "refused", instance.command(1.0, client, |_| (), &mut Deaf));
    report.refuses(
        "a record too long",
        "argument",
        instance.command(1.0, client, |r| _ = r.bytes(ATTR_CMD, &[0; 1 << 16]), &mut Deaf),
    );
    report.call("a record that is cut off", &mut instance, "turn_command", &[1.0, handle, 3.0]);
    report.call("a record longer than its place", &mut instance, "turn_command", &[1.0, handle, 1e9]);
    report.call("a record of a negative length", &mut instance, "turn_command", &[1.0, handle, -1.0]);
    report.call("a batch longer than its place", &mut instance, "turn_input", &[1.0, 1e6]);
    report.refuses("too few arguments", "module", instance.guest().raw("turn_input", &[1.0]));
    report.refuses("a payload too large", "refused", instance.send(1.0, client, peer(), &[0; 70_000], &mut Deaf));
    report.refuses(
        "a payload larger than the arena",
        "refused",
        instance.send(1.0, client, peer(), &vec![0; 64 << 20], &mut Deaf),
    );
    report.refuses(
        "a payload before the allocation",
        "refused",
        instance.send(1.0, client, peer(), &[0; 10], &mut Deaf),
    );
    Ok(())
}

async fn addresses(report: &mut Report, module: &Module) -> std::result::Result<(), Failure> {
    let turn = Driver::start(module)?;
    for uri in ["", "turn:", "http://127.0.0.1", "turn://127.0.0.1", "turn:alice@127.0.0.1", "turn:127.0.0.1:99999"] {
        report.refuses(&format!("the URI '{uri}'"), "argument", turn.connect(uri, Credentials::none()).await);
    }
    report.refuses("a URI with TLS", "unsupported", turn.connect("turns:127.0.0.1", Credentials::none()).await);
    let server = FakeServer::start(Says::Unauthorized).await?;
    for (username, password, case) in
        [("alice", "", "a username without a password"), ("", "secret", "a password without a username")]
    {
        report.refuses(case, "argument", turn.connect(&server.uri(), Credentials::new(username, password)).await);
    }
    report.refuses(
        "no credentials where they are needed",
        "request",
        turn.connect(&server.uri(), Credentials::none()).await,
    );
    let server = FakeServer::start(Says::Mismatch(usize::MAX)).await?;
    report.refuses(
        "a server that refuses every port",
        "request",
        turn.connect(&server.uri(), Credentials::none()).await,
    );
    Ok(())
}

async fn sockets(report: &mut Report, module: &Module) -> std::result::Result<(), Failure> {
    let server = FakeServer::start(Says::Yes).await?;
    let socket = Driver::start(module)?.connect(&server.uri(), Credentials::none()).await?;
    report.refuses("a datagram too large", "refused", socket.send_to(&[0; 70_000], peer()).await);
    report.refuses("a close that lingers for ever", "refused", socket.close(Duration::MAX).await);
    let closed = socket.close(LINGER).await?;
    report.refuses("a payload after the close", "closed", socket.send_to(b"x", peer()).await);
    report.refuses("a read after the close", "closed", socket.recv_from(&mut [0; 16]).await);
    report.refuses("a channel after the close", "closed", socket.bind_channel(peer()).await);
    report.refuses("counters after the close", "closed", socket.stats());
    report.holds("it is not released", closed.outcome == Outcome::Released);
    report.holds("a second close has another verdict", socket.close(Duration::ZERO).await? == closed);
    Ok(())
}

/// The instance dies under an open socket: the release that was kept is shipped, every later call says why.
async fn trapped(report: &mut Report, module: &Module) -> std::result::Result<(), Failure> {
    let mut server = FakeServer::start(Says::Yes).await?;
    let turn = Driver::start(module)?;
    let socket = turn.connect(&server.uri(), Credentials::none()).await?;
    report.refuses("a trap", "trapped", turn.raw("turn_trap"));
    if !report.good {
        return Ok(()); // nothing would end a read
    }
    report.refuses("a payload after the trap", "trapped", socket.send_to(b"x", peer()).await);
    report.refuses("a read after the trap", "trapped", socket.recv_from(&mut [0; 16]).await);
    report.refuses("counters after the trap", "trapped", socket.stats());
    report.refuses("a socket after the trap", "trapped", turn.connect(&server.uri(), Credentials::none()).await);
    let closed = socket.close(LINGER).await?;
    report.holds("a trap's verdict", closed.outcome == Outcome::Unconfirmed && closed.until.is_some());
    let released = tokio::time::timeout(Duration::from_secs(10), server.refreshed()).await;
    report.holds("the release that was kept for a trap did not come", released == Ok(Some(0)));
    Ok(())
}
