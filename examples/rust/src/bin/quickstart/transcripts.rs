//! Replays what "go run ./wasm/internal/transcripts" has written down, and compares every byte.

use std::fmt::Write;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{IpAddr, SocketAddr};

use serde_json::{Map, Value, json};
use turnwasm::{Guest, Module, Out};

use crate::Failure;

/// What is compared of a step.
const EXPECTED: [&str; 6] = ["ret", "status", "error", "control", "next", "out"];

pub fn replay(module: &Module, file: &str) -> Result<bool, Failure> {
    let (mut scripts, mut steps) = (0, 0);
    for line in BufReader::new(File::open(file)?).lines() {
        let script: Value = serde_json::from_str(&line?)?;
        let mut guest = Guest::new(module)?;
        for (i, want) in script["steps"].as_array().ok_or("a script without steps")?.iter().enumerate() {
            let at = || format!("{}: step {}", script["script"], i + 1);
            let got = step(&mut guest, want).map_err(|e| format!("transcripts: {}: {e}", at()))?;
            if let Some(name) = EXPECTED.into_iter().find(|name| !equal(&got[*name], &want[*name])) {
                eprintln!("transcripts: {}: {}: {name}: want {}, got {}", at(), want["call"], want[name], got[name]);
                return Ok(false);
            }
            steps += 1;
        }
        scripts += 1;
    }
    println!("{}", json!({"type": "transcripts", "scripts": scripts, "steps": steps}));
    Ok(scripts > 0)
}

/// Numbers are equal whether they were written with a point or not.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| equal(v, w)))
        }
        _ => a == b,
    }
}

/// Does a step; what came of it.
fn step(guest: &mut Guest, step: &Value) -> Result<Value, Failure> {
    let call = step["call"].as_str().ok_or("a step without a call")?;
    let batch = step.get("desc").is_some();
    let args = arguments(guest, step)?;
    let ret = guest.raw(call, &args)?;
    let status = if batch { guest.status() } else { 0 };
    let mut got = Map::new();
    got.insert("ret".to_owned(), finite(ret));
    if status != 0 {
        got.insert("status".to_owned(), status.into());
    }
    let said = guest.error_text();
    if (ret < 0.0 || status < 0) && !said.is_empty() {
        got.insert("error".to_owned(), said.into());
    }
    if matches!(call, "turn_state" | "turn_stats") && ret > 0.0 {
        got.insert("control".to_owned(), hex(guest.control_out(ret as usize)).into());
    }
    let answered = if batch || call == "turn_parting" { ret } else { 0.0 };
    got.insert("out".to_owned(), drain(guest, answered)?.into());
    got.insert("next".to_owned(), finite(guest.next()));
    Ok(got.into())
}

/// Infinity is null.
fn finite(n: f64) -> Value {
    if n.is_finite() { n.into() } else { Value::Null }
}

/// Puts what goes in where it belongs; the call's arguments.
fn arguments(guest: &mut Guest, step: &Value) -> Result<Vec<f64>, Failure> {
    let mut args: Vec<f64> = step["now"].as_f64().into_iter().collect();
    for n in step["args"].as_array().into_iter().flatten() {
        args.push(n.as_f64().ok_or("an argument that is no number")?);
    }
    if let Some(record) = step["in"].as_str() {
        args.push(guest.record_bytes(&unhex(record)?)?.into());
    }
    if let Some(desc) = step.get("desc") {
        let number = |name: &str| desc[name].as_i64().unwrap_or(0);
        let data = unhex(desc["data"].as_str().unwrap_or_default())?;
        let (client, kind, flow) = (number("client") as i32, number("kind") as u32, number("flow") as u32);
        guest.place(client, kind, flow, &data, address(desc)?)?;
        args.push(1.0);
    }
    Ok(args)
}

fn address(desc: &Value) -> Result<Option<SocketAddr>, Failure> {
    let bytes = unhex(desc["addr"].as_str().unwrap_or_default())?;
    let short = "an address that is too short";
    let ip = match desc["family"].as_i64() {
        None => return Ok(None),
        Some(4) => IpAddr::from(*bytes.first_chunk::<4>().ok_or(short)?),
        Some(_) => IpAddr::from(*bytes.first_chunk::<16>().ok_or(short)?),
    };
    Ok(Some(SocketAddr::new(ip, desc["port"].as_u64().unwrap_or(0) as u16)))
}

/// What the call has answered, and what is to be polled after it.
fn drain(guest: &mut Guest, answered: f64) -> Result<Vec<Value>, Failure> {
    let mut all = Vec::new();
    collect(guest, answered, &mut all)?;
    while guest.pending() {
        let n = guest.raw("turn_poll", &[])?;
        collect(guest, n, &mut all)?;
    }
    Ok(all)
}

fn collect(guest: &Guest, n: f64, all: &mut Vec<Value>) -> Result<(), Failure> {
    for i in 0..n as usize {
        let out = guest.out(i).ok_or("a descriptor reaches outside")?;
        all.push(describe(&out, guest.bytes()));
    }
    Ok(())
}

/// An out-descriptor as the transcript has it: what is 0 is left out.
fn describe(out: &Out, bytes: &[u8]) -> Value {
    let mut m = Map::new();
    m.insert("client".to_owned(), out.client.into());
    m.insert("kind".to_owned(), out.kind.into());
    if let Some(address) = out.address {
        let (family, mut ip) = match address.ip() {
            IpAddr::V4(ip) => (4, hex(&ip.octets())),
            IpAddr::V6(ip) => (6, hex(&ip.octets())),
        };
        ip.push_str(&"0".repeat(32 - ip.len()));
        m.insert("family".to_owned(), family.into());
        m.insert("addr".to_owned(), ip.into());
    }
    let port = i64::from(out.address.map_or(0, |a| a.port()));
    let (flow, peer, status, channel) = (out.flow.into(), out.peer.into(), out.status.into(), out.channel.into());
    for (name, n) in [("port", port), ("flow", flow), ("peer", peer), ("status", status), ("channel", channel)] {
        if n != 0 {
            m.insert(name.to_owned(), n.into());
        }
    }
    if out.tag != 0 {
        m.insert("tag".to_owned(), format!("{:016x}", out.tag).into());
    }
    m.insert("data".to_owned(), out.packets(bytes).map(hex).collect());
    m.into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, Failure> {
    let digit = |d: &u8| char::from(*d).to_digit(16).map(|d| d as u8);
    let byte = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
    text.as_bytes().chunks(2).map(byte).collect::<Option<_>>().ok_or_else(|| "not hexadecimal".into())
}
