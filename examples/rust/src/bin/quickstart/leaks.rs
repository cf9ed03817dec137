//! 1,000 clients in one instance, 20 instances in turn: nothing is left, and memory is flat.

use std::net::SocketAddr;

use serde_json::json;
use turnwasm::abi_gen::{ATTR_CMD, ATTR_PASSWORD, ATTR_SERVER, ATTR_USERNAME, CMD_ALLOCATE, EVENT_CLOSED};
use turnwasm::{Event, Instance, Module, Sink};

use crate::{Failure, resident};

const CLIENTS: usize = 1000;
const INSTANCES: usize = 20;
const CLIENTS_EACH: usize = 50;

/// What linear memory may grow by in the second half: Go's heap takes its time to settle.
const MOST_LINEAR: usize = 1 << 20;

/// What the process may grow by in the second half, in kB: less than one instance, of which there are ten more.
const MOST_RESIDENT: u64 = 4 << 10;

/// Hears nothing but how many were closed.
#[derive(Default)]
struct Counter {
    closed: usize,
}

impl Sink for Counter {
    fn transmit(&mut self, _: i32, _: u32, _: &[u8]) {}
    fn data(&mut self, _: i32, _: SocketAddr, _: &[u8]) {}
    fn event(&mut self, _: i32, event: Event) {
        self.closed += usize::from(event.number == EVENT_CLOSED);
    }
    fn parting(&mut self, _: i32, _: u32, _: &[u8], _: f64) {}
}

pub fn check(module: &Module) -> Result<bool, Failure> {
    let mut counter = Counter::default();
    let mut one = Instance::new(module)?;
    live(&mut one, CLIENTS / 2, &mut counter)?;
    let linear_first = one.guest().memory();
    live(&mut one, CLIENTS / 2, &mut counter)?;
    let (linear, mut left) = (one.guest().memory(), one.clients());
    drop(one);

    left += instances(module, INSTANCES / 2, &mut counter)?;
    let resident_first = resident();
    left += instances(module, INSTANCES / 2, &mut counter)?;
    let resident = resident();
    println!(
        "{}",
        json!({"type": "leaks", "clients_left": left, "closed": counter.closed, "linear_first": linear_first, "linear": linear,
            "rss_first_kb": resident_first, "rss_kb": resident})
    );
    let all_closed = counter.closed == CLIENTS + INSTANCES * CLIENTS_EACH;
    Ok(left == 0 && all_closed && linear <= linear_first + MOST_LINEAR && resident <= resident_first + MOST_RESIDENT)
}

fn instances(module: &Module, n: usize, counter: &mut Counter) -> turnwasm::Result<u32> {
    let mut left = 0;
    for _ in 0..n {
        let mut instance = Instance::new(module)?;
        live(&mut instance, CLIENTS_EACH, counter)?;
        left += instance.clients();
    }
    Ok(left)
}

/// The lives of clients: each allocates, is woken at its deadline, closes, is freed.
fn live(instance: &mut Instance, n: usize, sink: &mut Counter) -> turnwasm::Result<()> {
    let server = SocketAddr::from(([192, 0, 2, 1], 3478));
    for _ in 0..n {
        let config = |r: &mut turnwasm::Record<'_>| {
            r.address(ATTR_SERVER, server).bytes(ATTR_USERNAME, b"alice").bytes(ATTR_PASSWORD, b"secret");
        };
        let client = instance.open(0.0, config, sink)?;
        instance.command(0.0, client, |r| _ = r.u16(ATTR_CMD, CMD_ALLOCATE), sink)?;
        let woken = instance.next();
        instance.tick(woken, sink)?;
        instance.close(woken, client, 0.0, sink)?;
        instance.free(client)?;
    }
    Ok(())
}
