//! The ten functions of WASI that the module imports: a random source, the clock of Go's own runtime, and a standard error
//! of which the end is kept. The machine takes its time as an argument and reaches no file and no socket.

use std::time::Instant;

use wasmtime::{Caller, Error, Extern, Linker, Result};

const SUCCESS: i32 = 0;
const EBADF: i32 = 8;
const EIO: i32 = 29;

/// Most bytes of the standard error that are kept.
const TAIL: usize = 4096;

/// Most vectors or subscriptions of a call: the guest's own are one or two.
const MOST: u32 = 1024;

/// A guest's surroundings.
pub(crate) struct Wasi {
    started: Instant,
    /// The last bytes of the standard error: Go's word on a fatal fault is there and nowhere else.
    tail: Vec<u8>,
}

type Guest<'a> = Caller<'a, Wasi>;

impl Wasi {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), tail: Vec::new() }
    }

    /// The first line that is left of what was written to the standard error.
    pub(crate) fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.tail).lines().next().unwrap_or_default().to_owned()
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
    }

    pub(crate) fn add_to(linker: &mut Linker<Self>) -> Result<()> {
        const WASI: &str = "wasi_snapshot_preview1";
        linker.func_wrap(WASI, "args_get", |_: i32, _: i32| SUCCESS)?;
        linker.func_wrap(WASI, "args_sizes_get", nothing)?;
        linker.func_wrap(WASI, "environ_get", |_: i32, _: i32| SUCCESS)?;
        linker.func_wrap(WASI, "environ_sizes_get", nothing)?;
        linker.func_wrap(WASI, "clock_time_get", clock)?;
        linker.func_wrap(WASI, "fd_write", write)?;
        linker.func_wrap(WASI, "poll_oneoff", poll)?;
        linker.func_wrap(WASI, "proc_exit", |status: i32| Err::<(), _>(Error::msg(format!("exit status {status}"))))?;
        linker.func_wrap(WASI, "random_get", random)?;
        linker.func_wrap(WASI, "sched_yield", || SUCCESS)?;
        Ok(())
    }
}

/// No arguments, no environment.
fn nothing(mut guest: Guest<'_>, count: u32, size: u32) -> Result<i32> {
    put(&mut guest, count, &0u32.to_le_bytes())?;
    put(&mut guest, size, &0u32.to_le_bytes())?;
    Ok(SUCCESS)
}

fn clock(mut guest: Guest<'_>, _id: u32, _precision: u64, at: u32) -> Result<i32> {
    let ns = guest.data().started.elapsed().as_nanos() as u64;
    put(&mut guest, at, &ns.to_le_bytes())?;
    Ok(SUCCESS)
}

/// That there is no entropy is for the machine to say: it makes no client then.
fn random(mut guest: Guest<'_>, at: u32, length: u32) -> Result<i32> {
    let (memory, _) = memory(&mut guest)?;
    let into = part(memory, at, length)?;
    Ok(if getrandom::fill(into).is_ok() { SUCCESS } else { EIO })
}

fn write(mut guest: Guest<'_>, fd: i32, vectors: u32, count: u32, written: u32) -> Result<i32> {
    if fd != 1 && fd != 2 {
        return Ok(EBADF);
    }
    let mut total = 0u32;
    for i in 0..count.min(MOST) {
        let (memory, wasi) = memory(&mut guest)?;
        let vector = part(memory, vectors.wrapping_add(8 * i), 8)?;
        let (at, length) = (word(&vector[..4]), word(&vector[4..]));
        let bytes = part(memory, at, length)?;
        if fd == 2 {
            wasi.keep(bytes);
        }
        total = total.wrapping_add(length);
    }
    put(&mut guest, written, &total.to_le_bytes())?;
    Ok(SUCCESS)
}

/// Go's runtime polls its clock at every collection, and dies of an error: so each subscription has come to pass at once.
fn poll(mut guest: Guest<'_>, subscriptions: u32, events: u32, count: u32, stored: u32) -> Result<i32> {
    let count = count.min(MOST);
    for i in 0..count {
        let (memory, _) = memory(&mut guest)?;
        let subscription: [u8; 48] = part(memory, subscriptions.wrapping_add(48 * i), 48)?.try_into()?;
        let event = part(memory, events.wrapping_add(32 * i), 32)?;
        event.fill(0);
        event[..8].copy_from_slice(&subscription[..8]); // userdata
        event[10] = subscription[8]; // type
    }
    put(&mut guest, stored, &count.to_le_bytes())?;
    Ok(SUCCESS)
}

fn memory<'a>(guest: &'a mut Guest<'_>) -> Result<(&'a mut [u8], &'a mut Wasi)> {
    match guest.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory.data_and_store_mut(guest)),
        _ => Err(Error::msg("it exports no memory")),
    }
}

/// What the guest says is its own, if it is: otherwise the call traps.
fn part(memory: &mut [u8], at: u32, length: u32) -> Result<&mut [u8]> {
    let (at, length) = (at as usize, length as usize);
    at.checked_add(length)
        .and_then(|end| memory.get_mut(at..end))
        .ok_or_else(|| Error::msg("a pointer outside of the memory"))
}

fn put(guest: &mut Guest<'_>, at: u32, value: &[u8]) -> Result<()> {
    let (memory, _) = memory(guest)?;
    part(memory, at, value.len() as u32)?.copy_from_slice(value);
    Ok(())
}

fn word(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}
