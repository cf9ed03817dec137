//! The programs of this folder: a checker of TURN servers, and the tests that every host of the module passes.

mod bad_input;
mod check;
mod fake_server;
mod leaks;
mod rfc3339;
mod tiny_module;
mod transcripts;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Instant;

use turnwasm::Module;

const USAGE: &str = "usage: quickstart [-module FILE] COMMAND
  check -server URI -username U -password P -peer IP:PORT [-count N]
  transcripts FILE
  leaks
  bad-input [-trap FILE]";

/// Where the module lies when nobody says so.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wasm/turn.wasm");

type Failure = Box<dyn std::error::Error>;

/// A command line: flags, each with a value, and words.
struct Args {
    flags: HashMap<String, String>,
    words: Vec<String>,
}

/// Exit status: 0 = all well, 1 = it failed (and why), 2 = usage.
fn main() -> ExitCode {
    let started = Instant::now();
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let done = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(args.run(started)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) if e.is::<Usage>() => {
            eprintln!("{e}\n{USAGE}");
            ExitCode::from(2)
        }
        Err(e) => {
            eprintln!("quickstart: {e}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with a command line.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

impl Args {
    fn parse(mut given: impl Iterator<Item = String>) -> Result<Self, Usage> {
        let mut args = Self { flags: HashMap::new(), words: Vec::new() };
        while let Some(arg) = given.next() {
            if let Some(flag) = arg.strip_prefix('-') {
                let value = given.next().ok_or_else(|| Usage(format!("{arg} has no value")))?;
                args.flags.insert(flag.trim_start_matches('-').to_owned(), value);
            } else {
                args.words.push(arg);
            }
        }
        Ok(args)
    }

    async fn run(&self, started: Instant) -> Result<bool, Failure> {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        match words[..] {
            ["check"] => self.check()?.run(&self.module()?, started).await,
            ["transcripts", file] => transcripts::replay(&self.module()?, file),
            ["leaks"] => leaks::check(&self.module()?),
            ["bad-input"] => bad_input::run(&self.module()?, self.flags.get("trap").map(String::as_str)).await,
            _ => Err(Usage("want a command".to_owned()).into()),
        }
    }

    fn check(&self) -> Result<check::Check, Failure> {
        let peer = self.want("peer")?;
        let count = self.flags.get("count").map_or("1000", String::as_str);
        Ok(check::Check {
            server: self.want("server")?.to_owned(),
            username: self.want("username")?.to_owned(),
            password: self.want("password")?.to_owned(),
            peer: peer.parse().map_err(|e| Usage(format!("-peer {peer}: {e}")))?,
            count: count.parse().map_err(|e| Usage(format!("-count {count}: {e}")))?,
        })
    }

    fn want(&self, flag: &str) -> Result<&str, Usage> {
        self.flags.get(flag).map(String::as_str).ok_or_else(|| Usage(format!("want -{flag}")))
    }

    /// The module of -module or of the environment, or the repository's.
    fn module(&self) -> turnwasm::Result<Module> {
        let environment = std::env::var("TURNWASM_MODULE").ok();
        let file = self.flags.get("module").cloned().or(environment.filter(|file| !file.is_empty()));
        Module::from_file(file.as_deref().unwrap_or(MODULE))
    }
}

/// What the process holds of memory, in kB; 0 where the system does not say it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
