//! One instance of the module: its calls, and what they answer.

use std::net::SocketAddr;

use wasmtime::{Linker, Memory, Store, TypedFunc, Val, WasmParams, WasmResults};

use crate::abi_gen::*;
use crate::error::{Error, Kind, Result};
use crate::event::Event;
use crate::module::Module;
use crate::record::Record;
use crate::region::{Out, Region, f64_at, u32_at};
use crate::wasi::Wasi;

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
    store: Store<Wasi>,
    memory: Memory,
    guest: wasmtime::Instance,
    calls: Calls,
    region: Region,
    dead: Option<Error>,
}

/// The exports that a socket needs.
struct Calls {
    open: TypedFunc<(f64, i32), i32>,
    command: TypedFunc<(f64, i32, i32), i32>,
    flow: TypedFunc<(f64, i32, i32, i32), i32>,
    input: TypedFunc<(f64, i32), i32>,
    send: TypedFunc<(f64, i32), i32>,
    poll: TypedFunc<(), i32>,
    tick: TypedFunc<f64, f64>,
    close: TypedFunc<(f64, i32, f64), i32>,
    stats: TypedFunc<i32, i32>,
    free: TypedFunc<i32, i32>,
}

impl Calls {
    fn of(guest: &wasmtime::Instance, store: &mut Store<Wasi>) -> Result<Self> {
        Ok(Self {
            open: export(guest, store, "turn_open")?,
            command: export(guest, store, "turn_command")?,
            flow: export(guest, store, "turn_flow")?,
            input: export(guest, store, "turn_input")?,
            send: export(guest, store, "turn_send")?,
            poll: export(guest, store, "turn_poll")?,
            tick: export(guest, store, "turn_tick")?,
            close: export(guest, store, "turn_close")?,
            stats: export(guest, store, "turn_stats")?,
            free: export(guest, store, "turn_free")?,
        })
    }
}

fn export<P: WasmParams, R: WasmResults>(
    guest: &wasmtime::Instance,
    store: &mut Store<Wasi>,
    name: &str,
) -> Result<TypedFunc<P, R>> {
    guest.get_typed_func(&mut *store, name).map_err(|e| Error::module(format!("its export {name}: {}", e.root_cause())))
}

impl Instance {
    pub fn new(module: &Module) -> Result<Self> {
        let failed = |e: wasmtime::Error| Error::module(e.root_cause());
        let mut linker = Linker::new(module.engine());
        Wasi::add_to(&mut linker).map_err(failed)?;
        let mut store = Store::new(module.engine(), Wasi::new());
        let guest = linker.instantiate(&mut store, module.inner()).map_err(failed)?;
        let start: TypedFunc<(), ()> = export(&guest, &mut store, "_initialize")?;
        start.call(&mut store, ()).map_err(failed)?;
        let version: TypedFunc<(), i32> = export(&guest, &mut store, "turn_abi_version")?;
        let version = version.call(&mut store, ()).map_err(failed)?;
        if version as u32 != VERSION {
            return Err(Error::module(format!("it speaks ABI version {version}, this host {VERSION}")));
        }
        let calls = Calls::of(&guest, &mut store)?;
        let memory = guest.get_memory(&mut store, "memory").ok_or_else(|| Error::module("it exports no memory"))?;
        let place: TypedFunc<(), i32> = export(&guest, &mut store, "turn_memory")?;
        let base = place.call(&mut store, ()).map_err(failed)?;
        let region = Region::read(memory.data(&store), base)?;
        Ok(Self { store, memory, guest, calls, region, dead: None })
    }

    /// Opens a client, whose configuration write writes; its handle. It sends nothing before a command.
    pub fn open(&mut self, now: f64, write: impl FnOnce(&mut Record<'_>), sink: &mut impl Sink) -> Result<i32> {
        let n = self.record(write)?;
        let handle = self.call("turn_open", |c| &c.open, (now, n))?;
        let handle = self.answer(handle)?;
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
        let n = self.record(write)?;
        let code = self.call("turn_command", |c| &c.command, (now, client, n))?;
        self.finish(code, sink)
    }

    /// Says what has become of a flow: FLOW_OPENED, FLOW_CLOSED, PATH_ERROR.
    pub fn flow(&mut self, now: f64, client: i32, flow: u32, what: u32, sink: &mut impl Sink) -> Result<()> {
        let code = self.call("turn_flow", |c| &c.flow, (now, client, flow as i32, what as i32))?;
        self.finish(code, sink)
    }

    /// Hands in a datagram of a connected socket. One that the machine does not take is counted there.
    pub fn input(&mut self, now: f64, client: i32, flow: u32, datagram: &[u8], sink: &mut impl Sink) -> Result<()> {
        self.place(client, KIND_INPUT, flow, datagram, None)?;
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
        self.place(client, KIND_SEND, 0, payload, Some(peer))?;
        match self.batch("turn_send", |c| &c.send, now, sink)? {
            CODE_OK => Ok(()),
            code => Err(Error::of_code(code, "")),
        }
    }

    /// Does what is due, for some of the clients at least.
    pub fn tick(&mut self, now: f64, sink: &mut impl Sink) -> Result<()> {
        let next = self.call("turn_tick", |c| &c.tick, now)?;
        self.drain(sink)?;
        if next.is_nan() { Err(Error::of_code(CODE_ARGUMENT, "")) } else { Ok(()) }
    }

    /// Releases what the server holds, in whatever state. The event "closed" says what came of it, at the latest after the
    /// linger, in ms.
    pub fn close(&mut self, now: f64, client: i32, linger: f64, sink: &mut impl Sink) -> Result<()> {
        let code = self.call("turn_close", |c| &c.close, (now, client, linger))?;
        self.finish(code, sink)
    }

    /// The counters, under the names of package client's Stats.
    pub fn stats(&mut self, client: i32) -> Result<Vec<(&'static str, u64)>> {
        let length = self.call("turn_stats", |c| &c.stats, client)?;
        let length = self.answer(length)?;
        let (counters, _) = self.control_out(length as usize).as_chunks();
        Ok(STATS.iter().copied().zip(counters.iter().map(|c| u64::from_le_bytes(*c))).collect())
    }

    /// Wipes a client. What it had still to say is lost; so first close, and wait for "closed".
    pub fn free(&mut self, client: i32) -> Result<()> {
        let code = self.call("turn_free", |c| &c.free, client)?;
        self.answer(code).map(|_| ())
    }

    /// The next deadline of all clients in ms; infinite for none.
    pub fn next(&self) -> f64 {
        let next = f64_at(self.bytes(), HEAD_NEXT);
        if self.dead.is_some() || next.is_nan() { f64::INFINITY } else { next }
    }

    /// How many clients are alive.
    pub fn clients(&self) -> u32 {
        u32_at(self.bytes(), HEAD_CLIENTS)
    }

    /// The size of the linear memory in bytes.
    pub fn memory(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Why every call fails: the instance has trapped.
    pub fn dead(&self) -> Option<&Error> {
        self.dead.as_ref()
    }

    // What follows is for who replays calls, and for the calls above.

    /// Calls an export by its name, its i32s as numbers, and drains nothing. A negative answer is an error code.
    pub fn raw(&mut self, name: &str, args: &[f64]) -> Result<f64> {
        self.living()?;
        let missing = || Error::module(format!("it has no function {name} of such parameters"));
        let f = self.guest.get_func(&mut self.store, name).ok_or_else(missing)?;
        let types = f.ty(&self.store);
        if types.params().len() != args.len() || types.results().len() > 1 {
            return Err(missing());
        }
        let convert = |(ty, n): (wasmtime::ValType, &f64)| {
            if ty.is_f64() { Val::F64(n.to_bits()) } else { Val::I32(*n as i64 as i32) }
        };
        let args: Vec<Val> = types.params().zip(args).map(convert).collect();
        let mut answer = [Val::I32(0)];
        match f.call(&mut self.store, &args, &mut answer[..types.results().len()]) {
            Ok(()) => Ok(answer[0].f64().unwrap_or(f64::from(answer[0].i32().unwrap_or(0)))),
            Err(e) => Err(self.die(name, e.root_cause())),
        }
    }

    /// Puts a record where turn_open and turn_command read it; its length.
    pub fn record(&mut self, write: impl FnOnce(&mut Record<'_>)) -> Result<i32> {
        self.living()?;
        let (region, bytes) = self.bytes_mut();
        let mut record = Record::new(region.control_in(bytes));
        write(&mut record);
        record.finish()
    }

    /// Puts a record there that was written elsewhere; its length.
    pub fn record_bytes(&mut self, record: &[u8]) -> Result<i32> {
        let (region, bytes) = self.bytes_mut();
        let into = region
            .control_in(bytes)
            .get_mut(..record.len())
            .ok_or_else(|| Error::new(Kind::Argument, "turn: the record is too long"))?;
        into.copy_from_slice(record);
        Ok(record.len() as i32)
    }

    /// Describes and places what a batch of one hands in.
    pub fn place(&mut self, client: i32, kind: u32, flow: u32, data: &[u8], address: Option<SocketAddr>) -> Result<()> {
        self.living()?;
        let (region, bytes) = self.bytes_mut();
        if region.write_in(bytes, client, kind, flow, data, address) {
            Ok(())
        } else {
            Err(Error::of_code(CODE_TOO_LARGE, ""))
        }
    }

    /// What became of the batch of one.
    pub fn status(&self) -> i32 {
        self.region.status(self.bytes())
    }

    pub fn pending(&self) -> bool {
        self.dead.is_none() && u32_at(self.bytes(), HEAD_PENDING) != 0
    }

    pub fn error_text(&self) -> String {
        self.region.error_text(self.bytes())
    }

    pub fn control_out(&self, length: usize) -> &[u8] {
        self.region.control_out(self.bytes(), length)
    }

    /// Out-descriptor i of the last call.
    pub fn out(&self, i: usize) -> Option<Out> {
        self.region.out(self.bytes(), i)
    }

    /// The region's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.region.of(self.memory.data(&self.store))
    }

    fn bytes_mut(&mut self) -> (&Region, &mut [u8]) {
        (&self.region, self.region.of_mut(self.memory.data_mut(&mut self.store)))
    }

    fn living(&self) -> Result<()> {
        self.dead.clone().map_or(Ok(()), Err)
    }

    /// Calls an export. A trap is the end: an engine runs later calls on the corrupt state.
    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        name: &str,
        f: impl FnOnce(&Calls) -> &TypedFunc<P, R>,
        args: P,
    ) -> Result<R> {
        self.living()?;
        let answer = f(&self.calls).call(&mut self.store, args);
        answer.map_err(|e| self.die(name, e.root_cause()))
    }

    /// A negative answer is the machine's error.
    fn answer(&self, answer: i32) -> Result<i32> {
        if answer < 0 { Err(Error::of_code(answer, &self.error_text())) } else { Ok(answer) }
    }

    /// The end of a control call: what it brought about is told, refused or not.
    fn finish(&mut self, code: i32, sink: &mut impl Sink) -> Result<()> {
        let refused = self.answer(code).map(|_| ()); // before the drain writes over the text
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
            let outs = self.call(name, &f, (now, 1))?;
            let outs = self.answer(outs)?;
            let done = u32_at(self.bytes(), HEAD_CONSUMED) == 1;
            let status = self.status();
            self.take(name, outs, sink)?;
            self.drain(sink)?;
            if done {
                return Ok(status);
            }
        }
        Err(self.die(name, "its batches make no progress"))
    }

    /// Takes what the machine has to say.
    fn drain(&mut self, sink: &mut impl Sink) -> Result<()> {
        for _ in 0..MAX_ROUNDS {
            if !self.pending() {
                return Ok(());
            }
            let outs = self.call("turn_poll", |c| &c.poll, ())?;
            self.take("turn_poll", outs, sink)?;
        }
        Err(self.die("turn_poll", "it does not drain"))
    }

    /// Reads the out-descriptors of a call.
    fn take(&mut self, name: &str, outs: i32, sink: &mut impl Sink) -> Result<()> {
        for i in 0..usize::try_from(outs).unwrap_or(0) {
            if self.out(i).and_then(|out| tell(&out, self.bytes(), sink)).is_none() {
                return Err(self.die(name, "a descriptor or record that reaches outside of its place"));
            }
        }
        Ok(())
    }

    /// Ends the instance: nothing of it is called any more.
    fn die(&mut self, name: &str, cause: impl std::fmt::Display) -> Error {
        let mut text = format!("turn: the instance died in {name}: {cause}");
        let last = self.store.data().last_words();
        if !last.is_empty() {
            text = format!("{text}: {last}");
        }
        self.dead.get_or_insert(Error::new(Kind::Trapped, text)).clone()
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
