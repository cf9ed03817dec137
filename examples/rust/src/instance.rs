//! A TURN client without I/O: what the machine is asked, and what it says then.

use std::net::SocketAddr;

use wasmtime::TypedFunc;

use crate::abi_gen::*;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::guest::{Calls, Guest};
use crate::module::Module;
use crate::record::Record;
use crate::region::{Out, u32_at};

/// What one drain may hand out, so that a machine gone wrong cannot keep us for ever.
const MAX_ROUNDS: usize = 1 << 16;

/// Whoever is told what the machine wants, while a call is answered.
pub trait Sink {
    /// A datagram to ship to the server.
    fn transmit(&mut self, client: i32, flow: u32, datagram: &[u8]);

    /// A payload from a peer.
    fn data(&mut self, client: i32, from: SocketAddr, payload: &[u8]);

    fn event(&mut self, client: i32, event: Event);

    /// The datagram that a close would send now, empty for none: whoever keeps the newest ships it when all else has died.
    /// The server may hold the allocation until this instant, in ms.
    fn parting(&mut self, client: i32, flow: u32, datagram: &[u8], until: f64);
}

/// A TURN client without I/O: no sockets, no clock. Whoever calls it says what the time is, in ms on a monotonic clock.
/// Every call drains the machine into the sink; arm one timer for [`Instance::next`] then.
///
/// A trap is its end: every later call has the same error.
pub struct Instance {
    guest: Guest,
}

impl Instance {
    pub fn new(module: &Module) -> Result<Self> {
        Ok(Self { guest: Guest::new(module)? })
    }

    /// Opens a client, whose configuration write writes; its handle. It sends nothing before a command.
    pub fn open(&mut self, now: f64, write: impl FnOnce(&mut Record<'_>), sink: &mut impl Sink) -> Result<i32> {
        let n = self.guest.record(write)?;
        let handle = self.guest.call("turn_open", |c| &c.open, (now, n))?;
        let handle = self.guest.answer(handle)?;
        self.drain(sink)?;
        Ok(handle)
    }

    /// Gives a client a command, which write writes.
    pub fn command(
        &mut self,
        now: f64,
        client: i32,
        write: impl FnOnce(&mut Record<'_>),
        sink: &mut impl Sink,
    ) -> Result<()> {
        let n = self.guest.record(write)?;
        let code = self.guest.call("turn_command", |c| &c.command, (now, client, n))?;
        self.finish(code, sink)
    }

    /// Says what has become of a flow: FLOW_OPENED, FLOW_CLOSED, PATH_ERROR.
    pub fn flow(&mut self, now: f64, client: i32, flow: u32, what: u32, sink: &mut impl Sink) -> Result<()> {
        let code = self.guest.call("turn_flow", |c| &c.flow, (now, client, flow as i32, what as i32))?;
        self.finish(code, sink)
    }

    /// Hands in a datagram of a connected socket. One that the machine does not take is counted there.
    pub fn input(&mut self, now: f64, client: i32, flow: u32, datagram: &[u8], sink: &mut impl Sink) -> Result<()> {
        self.guest.place(client, KIND_INPUT, flow, datagram, None)?;
        self.batch("turn_input", |c| &c.input, now, sink).map(|_| ())
    }

    /// Sends a payload to a peer.
    pub fn send(
        &mut self,
        now: f64,
        client: i32,
        peer: SocketAddr,
        payload: &[u8],
        sink: &mut impl Sink,
    ) -> Result<()> {
        self.guest.place(client, KIND_SEND, 0, payload, Some(peer))?;
        match self.batch("turn_send", |c| &c.send, now, sink)? {
            CODE_OK => Ok(()),
            code => Err(Error::of_code(code, "")),
        }
    }

    /// Does what is due, for some of the clients at least.
    pub fn tick(&mut self, now: f64, sink: &mut impl Sink) -> Result<()> {
        let next = self.guest.call("turn_tick", |c| &c.tick, now)?;
        self.drain(sink)?;
        if next.is_nan() { Err(Error::of_code(CODE_ARGUMENT, "")) } else { Ok(()) }
    }

    /// Releases what the server holds, in whatever state. The event "closed" says what came of it, at the latest after the
    /// linger, in ms.
    pub fn close(&mut self, now: f64, client: i32, linger: f64, sink: &mut impl Sink) -> Result<()> {
        let code = self.guest.call("turn_close", |c| &c.close, (now, client, linger))?;
        self.finish(code, sink)
    }

    /// The counters, under the names of package client's Stats.
    pub fn stats(&mut self, client: i32) -> Result<Vec<(&'static str, u64)>> {
        let length = self.guest.call("turn_stats", |c| &c.stats, client)?;
        let length = self.guest.answer(length)?;
        let (counters, _) = self.guest.control_out(length as usize).as_chunks();
        Ok(STATS.iter().copied().zip(counters.iter().map(|c| u64::from_le_bytes(*c))).collect())
    }

    /// Wipes a client. What it had still to say is lost; so first close, and wait for "closed".
    pub fn free(&mut self, client: i32) -> Result<()> {
        let code = self.guest.call("turn_free", |c| &c.free, client)?;
        self.guest.answer(code).map(|_| ())
    }

    /// The next deadline of all clients in ms; infinite for none.
    pub fn next(&self) -> f64 {
        self.guest.next()
    }

    /// How many clients are alive.
    pub fn clients(&self) -> u32 {
        u32_at(self.guest.bytes(), HEAD_CLIENTS)
    }

    /// Why every call fails: the instance has trapped.
    pub fn dead(&self) -> Option<&Error> {
        self.guest.dead()
    }

    /// Below the drain rule: the exports by their names, the memory.
    pub fn guest(&mut self) -> &mut Guest {
        &mut self.guest
    }

    /// The end of a control call: what it brought about is told, refused or not.
    fn finish(&mut self, code: i32, sink: &mut impl Sink) -> Result<()> {
        let refused = self.guest.answer(code).map(|_| ()); // before the drain writes over the text
        self.drain(sink)?;
        refused
    }

    /// Runs the batch of one until it is done; its status.
    fn batch(
        &mut self,
        name: &str,
        f: impl Fn(&Calls) -> &TypedFunc<(f64, i32), i32>,
        now: f64,
        sink: &mut impl Sink,
    ) -> Result<i32> {
        for _ in 0..MAX_ROUNDS {
            let outs = self.guest.call(name, &f, (now, 1))?;
            let outs = self.guest.answer(outs)?;
            let done = u32_at(self.guest.bytes(), HEAD_CONSUMED) == 1;
            let status = self.guest.status();
            self.take(name, outs, sink)?;
            self.drain(sink)?;
            if done {
                return Ok(status);
            }
        }
        Err(self.guest.die(name, "its batches make no progress"))
    }

    /// Takes what the machine has to say.
    fn drain(&mut self, sink: &mut impl Sink) -> Result<()> {
        for _ in 0..MAX_ROUNDS {
            if !self.guest.pending() {
                return Ok(());
            }
            let outs = self.guest.call("turn_poll", |c| &c.poll, ())?;
            self.take("turn_poll", outs, sink)?;
        }
        Err(self.guest.die("turn_poll", "it does not drain"))
    }

    /// Reads the out-descriptors of a call.
    fn take(&mut self, name: &str, outs: i32, sink: &mut impl Sink) -> Result<()> {
        for i in 0..usize::try_from(outs).unwrap_or(0) {
            if self.guest.out(i).and_then(|out| tell(&out, self.guest.bytes(), sink)).is_none() {
                return Err(self.guest.die(name, "a descriptor or record that reaches outside of its place"));
            }
        }
        Ok(())
    }
}

/// Tells of one out-descriptor; none when it holds no record where there should be one.
fn tell(out: &Out, bytes: &[u8], sink: &mut impl Sink) -> Option<()> {
    for packet in out.packets(bytes) {
        match out.kind {
            KIND_TRANSMIT => sink.transmit(out.client, out.flow, packet),
            KIND_DATA => sink.data(out.client, out.address?, packet),
            KIND_EVENT => sink.event(out.client, Event::read(packet)?),
            KIND_PARTING => sink.parting(out.client, out.flow, packet, f64::from_bits(out.tag)),
            _ => {} // of a later version
        }
    }
    Some(())
}
