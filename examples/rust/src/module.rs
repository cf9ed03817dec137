//! The module: from where it comes, and what it must look like.

use std::path::Path;

use wasmtime::{Config, Engine};

use crate::abi_gen::EXPORTS;
use crate::error::{Error, Result};

/// turn.wasm, compiled for this machine. It takes a second or two: keep it, instances are made of it in milliseconds.
#[derive(Clone)]
pub struct Module(wasmtime::Module);

impl Module {
    pub fn from_file(file: impl AsRef<Path>) -> Result<Self> {
        let file = file.as_ref();
        let bytes = std::fs::read(file).map_err(|e| Error::module(format!("{}: {e}", file.display())))?;
        Self::from_bytes(&bytes)
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut config = Config::new();
        config.wasm_backtrace_max_frames(None); // what it would tell is of no use to who has no symbols
        let compile = || wasmtime::Module::from_binary(&Engine::new(&config)?, bytes);
        let module = compile().map_err(|e| Error::module(e.root_cause()))?;
        match EXPORTS.iter().find(|(name, _)| module.get_export(name).is_none()) {
            Some((name, _)) => Err(Error::module(format!("it has no export {name}"))),
            None => Ok(Self(module)),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.0.engine()
    }

    pub(crate) fn inner(&self) -> &wasmtime::Module {
        &self.0
    }
}
