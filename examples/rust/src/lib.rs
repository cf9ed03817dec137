//! A relayed UDP socket for tokio. The TURN client (RFC 8656) is `turn.wasm`, which runs in wasmtime; this crate gives it
//! sockets and the time, and links nothing else of the project.
//!
//! ```no_run
//! # async fn hello() -> turnwasm::Result<()> {
//! use turnwasm::{Credentials, Driver, Module};
//!
//! let turn = Driver::start(&Module::from_file("turn.wasm")?)?;
//! let socket = turn.connect("turn:turn.example.org", Credentials::new("alice", "secret")).await?;
//! println!("peers see us as {}", socket.relayed_addr());
//! socket.send_to(b"hello", "203.0.113.9:4000".parse().unwrap()).await?;
//! let mut buffer = [0; 1500];
//! let (n, from) = socket.recv_from(&mut buffer).await?;
//! println!("{n} bytes from {from}");
//! println!("{}", socket.close(std::time::Duration::from_secs(2)).await?.outcome);
//! # Ok(())
//! # }
//! ```
//!
//! A [`Driver`] has one instance of the module and one timer, and any number of sockets. Below it is [`Instance`], the
//! machine without I/O, and below that [`Guest`], the module as it is.

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod abi_gen;
mod clock;
mod closed;
mod core;
mod credentials;
mod driver;
mod error;
mod event;
mod guest;
mod instance;
mod module;
mod path;
mod record;
mod region;
mod session;
mod socket;
mod uri;
mod wasi;

pub use closed::{Closed, Outcome};
pub use credentials::Credentials;
pub use driver::Driver;
pub use error::{Error, Kind, Result};
pub use event::Event;
pub use guest::Guest;
pub use instance::{Instance, Sink};
pub use module::Module;
pub use record::Record;
pub use region::{Out, Region};
pub use socket::Socket;
