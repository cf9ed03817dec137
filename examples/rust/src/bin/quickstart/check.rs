//! Checks a TURN server: allocates, echoes payloads through the relay, closes, and says what came of each.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tokio::time::timeout;
use turnwasm::{Closed, Credentials, Driver, Module, Socket};

use crate::{Failure, resident, rfc3339::rfc3339};

const SIZE: usize = 100;
const MOST_UNDER_WAY: usize = 32;

/// When nothing comes for so long, what is under way is lost.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a close waits for the server's answer.
const LINGER: Duration = Duration::from_secs(2);

pub struct Check {
    pub server: String,
    pub username: String,
    pub password: String,
    pub peer: SocketAddr,
    pub count: usize,
}

impl Check {
    pub async fn run(&self, module: &Module, started: Instant) -> Result<bool, Failure> {
        self.figures(module, started).await.or_else(|e| {
            let Some(e) = e.downcast_ref::<turnwasm::Error>() else { return Err(e) };
            println!(
                "{}",
                json!({"event": "failed", "method": e.method(), "code": e.code().max(0), "reason": e.to_string()})
            );
            Ok(false)
        })
    }

    async fn figures(&self, module: &Module, started: Instant) -> Result<bool, Failure> {
        let socket = self.open(module).await?;
        let cold = ms(started);
        allocated(&socket, cold);
        let cpu = processor_time();
        let echoed = self.echo(&socket).await?;
        let cpu = processor_time() - cpu;
        let released = close(&socket).await?;

        let started = Instant::now();
        let socket = self.open(module).await?;
        let warm = ms(started);
        let again = socket.close(LINGER).await?.outcome.is_clean();
        println!(
            "{}",
            json!({"type": "figures", "cold_ms": cold, "warm_ms": warm, "rss_kb": resident(),
                "us_per_packet": cpu.as_secs_f64() * 1e6 / (2 * self.count.max(1)) as f64})
        );
        Ok(echoed && released && again)
    }

    async fn open(&self, module: &Module) -> turnwasm::Result<Socket> {
        let turn = Driver::start(module)?;
        turn.connect(&self.server, Credentials::new(&self.username, &self.password)).await
    }

    /// Sends all payloads, at most so many at a time; what is lost is sent once again.
    async fn echo(&self, socket: &Socket) -> turnwasm::Result<bool> {
        socket.bind_channel(self.peer).await?;
        let mut echoes = Echoes::new(self.count);
        let mut buffer = [0; 2048];
        loop {
            while let Some(payload) = echoes.next() {
                socket.send_to(&payload, self.peer).await?;
            }
            if echoes.under_way.is_empty() {
                return Ok(echoes.report());
            }
            match timeout(PATIENCE, socket.recv_from(&mut buffer)).await {
                Ok(come) => echoes.back(&buffer[..come?.0]),
                Err(_) => echoes.lost(),
            }
        }
    }
}

/// The payloads of a run: each is the run's number and its own.
struct Echoes {
    run: [u8; 8],
    sent: Vec<Option<Instant>>,
    under_way: Vec<usize>,
    /// What is to be sent, again or for the first time.
    waiting: Vec<usize>,
    again: Vec<bool>,
    round_trips: Vec<f64>,
}

impl Echoes {
    fn new(count: usize) -> Self {
        let nanoseconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos());
        Self {
            run: (nanoseconds as u64).to_le_bytes(),
            sent: vec![None; count],
            under_way: Vec::new(),
            waiting: (0..count).rev().collect(),
            again: vec![false; count],
            round_trips: Vec::new(),
        }
    }

    /// The next payload to send, if one may be sent now.
    fn next(&mut self) -> Option<[u8; SIZE]> {
        if self.under_way.len() >= MOST_UNDER_WAY {
            return None;
        }
        let i = self.waiting.pop()?;
        self.under_way.push(i);
        self.sent[i].get_or_insert_with(Instant::now);
        let mut payload = [0; SIZE];
        payload[..8].copy_from_slice(&self.run);
        payload[8..16].copy_from_slice(&i.to_le_bytes());
        Some(payload)
    }

    fn back(&mut self, payload: &[u8]) {
        let Some((run, rest)) = payload.split_first_chunk() else { return };
        let Some(i) = rest.first_chunk().map(|i| usize::from_le_bytes(*i)) else { return };
        let Some(at) = self.under_way.iter().position(|u| *u == i) else { return };
        if *run == self.run && payload.len() == SIZE {
            self.under_way.swap_remove(at);
            self.round_trips.extend(self.sent[i].map(ms));
        }
    }

    /// What is under way will not come: it is sent again, once.
    fn lost(&mut self) {
        for i in std::mem::take(&mut self.under_way) {
            if !std::mem::replace(&mut self.again[i], true) {
                self.waiting.push(i);
            }
        }
    }

    fn report(mut self) -> bool {
        self.round_trips.sort_by(f64::total_cmp);
        let (sent, received) = (self.sent.len(), self.round_trips.len());
        let percentile =
            |p: usize| self.round_trips.get((received * p).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0.0);
        let lost = self.again.iter().filter(|a| **a).count();
        println!(
            "{}",
            json!({"event": "echoed", "sent": sent, "received": received, "lost": lost,
                "rttMs": {"p50": percentile(50), "p99": percentile(99)}})
        );
        received == sent
    }
}

fn allocated(socket: &Socket, ms: f64) {
    let mapped = socket.mapped_addr().map(|a| a.to_string());
    println!(
        "{}",
        json!({"event": "allocated", "relayed": socket.relayed_addr().to_string(), "mapped": mapped,
            "lifetime": socket.lifetime().as_secs(), "ms": ms})
    );
}

async fn close(socket: &Socket) -> turnwasm::Result<bool> {
    let started = Instant::now();
    let Closed { outcome, reason, until, reuse_after } = socket.close(LINGER).await?;
    println!(
        "{}",
        json!({"event": "closed", "outcome": outcome.to_string(), "reason": reason, "reuseAfterMs": reuse_after.as_millis() as u64,
            "until": until.map(rfc3339).unwrap_or_default(), "ms": ms(started)})
    );
    Ok(outcome.is_clean())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// What the process has used of the processors, user and system.
fn processor_time() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}
