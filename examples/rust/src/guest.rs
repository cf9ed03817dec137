//! The module in its engine: its exports, as they are, and the memory that it shares with us.

use std::fmt::Display;
use std::net::SocketAddr;

use wasmtime::{Linker, Memory, Store, TypedFunc, Val, WasmParams, WasmResults};

use crate::abi_gen::*;
use crate::error::{Error, Kind, Result};
use crate::module::Module;
use crate::record::Record;
use crate::region::{Out, Region, f64_at, u32_at};
use crate::wasi::Wasi;

/// One instance of the module, for who replays calls: nothing is drained. A trap is its end: every later call has the same
/// error.
pub struct Guest {
    store: Store<Wasi>,
    memory: Memory,
    instance: wasmtime::Instance,
    calls: Calls,
    region: Region,
    dead: Option<Error>,
}

/// The exports that a socket needs.
pub(crate) struct Calls {
    pub(crate) open: TypedFunc<(f64, i32), i32>,
    pub(crate) command: TypedFunc<(f64, i32, i32), i32>,
    pub(crate) flow: TypedFunc<(f64, i32, i32, i32), i32>,
    pub(crate) input: TypedFunc<(f64, i32), i32>,
    pub(crate) send: TypedFunc<(f64, i32), i32>,
    pub(crate) poll: TypedFunc<(), i32>,
    pub(crate) tick: TypedFunc<f64, f64>,
    pub(crate) close: TypedFunc<(f64, i32, f64), i32>,
    pub(crate) stats: TypedFunc<i32, i32>,
    pub(crate) free: TypedFunc<i32, i32>,
}

impl Calls {
    fn of(instance: &wasmtime::Instance, store: &mut Store<Wasi>) -> Result<Self> {
        Ok(Self {
            open: export(instance, store, "turn_open")?,
            command: export(instance, store, "turn_command")?,
            flow: export(instance, store, "turn_flow")?,
            input: export(instance, store, "turn_input")?,
            send: export(instance, store, "turn_send")?,
            poll: export(instance, store, "turn_poll")?,
            tick: export(instance, store, "turn_tick")?,
            close: export(instance, store, "turn_close")?,
            stats: export(instance, store, "turn_stats")?,
            free: export(instance, store, "turn_free")?,
        })
    }
}

fn export<P: WasmParams, R: WasmResults>(
    instance: &wasmtime::Instance,
    store: &mut Store<Wasi>,
    name: &str,
) -> Result<TypedFunc<P, R>> {
    instance
        .get_typed_func(&mut *store, name)
        .map_err(|e| Error::module(format!("its export {name}: {}", e.root_cause())))
}

impl Guest {
    pub fn new(module: &Module) -> Result<Self> {
        let failed = |e: wasmtime::Error| Error::module(e.root_cause());
        let mut linker = Linker::new(module.engine());
        Wasi::add_to(&mut linker).map_err(failed)?;
        let mut store = Store::new(module.engine(), Wasi::new());
        let instance = linker.instantiate(&mut store, module.inner()).map_err(failed)?;
        let start: TypedFunc<(), ()> = export(&instance, &mut store, "_initialize")?;
        start.call(&mut store, ()).map_err(failed)?;
        let version: TypedFunc<(), i32> = export(&instance, &mut store, "turn_abi_version")?;
        let version = version.call(&mut store, ()).map_err(failed)?;
        if version as u32 != VERSION {
            return Err(Error::module(format!("it speaks ABI version {version}, this host {VERSION}")));
        }
        let calls = Calls::of(&instance, &mut store)?;
        let memory = instance.get_memory(&mut store, "memory").ok_or_else(|| Error::module("it exports no memory"))?;
        let place: TypedFunc<(), i32> = export(&instance, &mut store, "turn_memory")?;
        let base = place.call(&mut store, ()).map_err(failed)?;
        let region = Region::read(memory.data(&store), base)?;
        Ok(Self { store, memory, instance, calls, region, dead: None })
    }

    /// Calls an export by its name, its i32s as numbers, and drains nothing. A negative answer is an error code.
    pub fn raw(&mut self, name: &str, args: &[f64]) -> Result<f64> {
        self.living()?;
        let missing = || Error::module(format!("it has no function {name} of such parameters"));
        let f = self.instance.get_func(&mut self.store, name).ok_or_else(missing)?;
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

    /// The next deadline of all clients in ms; infinite for none.
    pub fn next(&self) -> f64 {
        let next = f64_at(self.bytes(), HEAD_NEXT);
        if self.dead.is_some() || next.is_nan() { f64::INFINITY } else { next }
    }

    /// The size of the linear memory in bytes.
    pub fn memory(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// Why every call fails: the instance has trapped.
    pub fn dead(&self) -> Option<&Error> {
        self.dead.as_ref()
    }

    fn bytes_mut(&mut self) -> (&Region, &mut [u8]) {
        (&self.region, self.region.of_mut(self.memory.data_mut(&mut self.store)))
    }

    fn living(&self) -> Result<()> {
        self.dead.clone().map_or(Ok(()), Err)
    }

    /// Calls an export. A trap is the end: an engine runs later calls on the corrupt state.
    pub(crate) fn call<P: WasmParams, R: WasmResults>(
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
    pub(crate) fn answer(&self, answer: i32) -> Result<i32> {
        if answer < 0 { Err(Error::of_code(answer, &self.error_text())) } else { Ok(answer) }
    }

    /// Ends the instance: nothing of it is called any more.
    pub(crate) fn die(&mut self, name: &str, cause: impl Display) -> Error {
        let mut text = format!("turn: the instance died in {name}: {cause}");
        let last = self.store.data().last_words();
        if !last.is_empty() {
            text = format!("{text}: {last}");
        }
        self.dead.get_or_insert(Error::new(Kind::Trapped, text)).clone()
    }
}
