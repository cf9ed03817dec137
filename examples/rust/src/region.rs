//! The region of linear memory that host and guest share; the layout stands in wasm/abi/doc.go.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::abi_gen::*;
use crate::error::{Error, Result};

/// The most packets of one descriptor.
const MAX_RUN: usize = 1 << 16;

/// Where everything lies. What was read from the guest was checked once, here: the ranges are good for the region's bytes.
#[derive(Debug, Clone)]
pub struct Region {
    range: Range<usize>,
    control_in: Range<usize>,
    control_out: Range<usize>,
    ins: usize,
    outs: usize,
    most_outs: usize,
    arena: Range<usize>,
}

impl Region {
    pub(crate) fn read(memory: &[u8], base: i32) -> Result<Self> {
        let bad = |why: String| Error::module(format!("not a region of this ABI: {why}"));
        let base = base as u32 as usize;
        let bytes = memory.get(base..).unwrap_or_default();
        let size = if bytes.len() < HEADER_SIZE as usize { 0 } else { u32_at(bytes, 8) as usize };
        if size < HEADER_SIZE as usize || size > bytes.len() {
            return Err(bad("it lies outside of the memory".to_owned()));
        }
        for (at, want) in [(0, MAGIC), (4, VERSION), (12, DESC_SIZE), (56, HEADROOM), (60, TAILROOM)] {
            let got = u32_at(bytes, at);
            if got != want {
                return Err(bad(format!("at {at} stands {got}, want {want}")));
            }
        }
        let part = |at: u32, unit: u32| {
            let (start, n) = (u64::from(u32_at(bytes, at)), u64::from(u32_at(bytes, at + 4)));
            let end = start + n * u64::from(unit);
            let inside = start >= u64::from(HEADER_SIZE) && n > 0 && end <= size as u64;
            inside.then_some(start as usize..end as usize).ok_or_else(|| bad("a part lies outside".to_owned()))
        };
        Ok(Self {
            range: base..base + size,
            control_in: part(16, 1)?,
            control_out: part(24, 1)?,
            ins: part(32, DESC_SIZE)?.start,
            outs: part(40, DESC_SIZE)?.start,
            most_outs: u32_at(bytes, 44) as usize,
            arena: part(48, 1)?,
        })
    }

    /// Its bytes. Memory never shrinks.
    pub(crate) fn of<'a>(&self, memory: &'a [u8]) -> &'a [u8] {
        &memory[self.range.clone()]
    }

    pub(crate) fn of_mut<'a>(&self, memory: &'a mut [u8]) -> &'a mut [u8] {
        &mut memory[self.range.clone()]
    }

    pub(crate) fn control_in<'a>(&self, region: &'a mut [u8]) -> &'a mut [u8] {
        &mut region[self.control_in.clone()]
    }

    /// So much of control-out.
    pub(crate) fn control_out<'a>(&self, region: &'a [u8], length: usize) -> &'a [u8] {
        let all = &region[self.control_out.clone()];
        &all[..length.min(all.len())]
    }

    /// The last error's text.
    pub(crate) fn error_text(&self, region: &[u8]) -> String {
        let length = u32_at(region, HEAD_ERROR_LEN) as usize;
        String::from_utf8_lossy(self.control_out(region, length)).into_owned()
    }

    /// Describes one datagram or payload of a batch of one, and puts it into the arena; false when it does not fit there.
    pub(crate) fn write_in(
        &self,
        region: &mut [u8],
        client: i32,
        kind: u32,
        flow: u32,
        data: &[u8],
        address: Option<SocketAddr>,
    ) -> bool {
        let at = self.arena.start + HEADROOM as usize;
        let end = at.saturating_add(data.len());
        if end.saturating_add(TAILROOM as usize) > self.arena.end {
            return false;
        }
        region[at..end].copy_from_slice(data);
        let desc = &mut region[self.ins..self.ins + DESC_SIZE as usize];
        desc.fill(0);
        put(desc, DESC_CLIENT, &client.to_le_bytes());
        put(desc, DESC_KIND, &[kind as u8]);
        put(desc, DESC_FLOW, &flow.to_le_bytes());
        put(desc, DESC_OFFSET, &(at as u32).to_le_bytes());
        put(desc, DESC_LENGTH, &(data.len() as u32).to_le_bytes());
        put(desc, DESC_COUNT, &1u32.to_le_bytes());
        match address.map(|a| (a.port(), a.ip())) {
            None => {}
            Some((port, IpAddr::V4(ip))) => put_address(desc, 4, port, &ip.octets()),
            Some((port, IpAddr::V6(ip))) => put_address(desc, 6, port, &ip.octets()),
        }
        true
    }

    /// What became of the batch of one.
    pub(crate) fn status(&self, region: &[u8]) -> i32 {
        u32_at(&region[self.ins..], DESC_STATUS) as i32
    }

    /// Reads out-descriptor i; none when it reaches outside of the region.
    pub(crate) fn out(&self, region: &[u8], i: usize) -> Option<Out> {
        if i >= self.most_outs {
            return None;
        }
        let at = self.outs + i * DESC_SIZE as usize;
        let out = Out::read(&region[at..at + DESC_SIZE as usize]);
        let run = out.count == 1 || (out.stride >= out.length && out.stride > 0 && out.count <= MAX_RUN);
        let end =
            out.count.checked_sub(1)?.checked_mul(out.stride)?.checked_add(out.offset)?.checked_add(out.length)?;
        (run && end <= region.len()).then_some(out)
    }
}

/// An out-descriptor.
#[derive(Debug, Clone)]
pub struct Out {
    pub client: i32,
    pub kind: u32,
    pub flow: u32,
    pub peer: u32,
    pub status: i32,
    pub channel: u32,
    pub tag: u64,
    pub address: Option<SocketAddr>,
    offset: usize,
    length: usize,
    count: usize,
    stride: usize,
}

impl Out {
    fn read(d: &[u8]) -> Self {
        Self {
            client: u32_at(d, DESC_CLIENT) as i32,
            kind: u32::from(d[DESC_KIND as usize]),
            flow: u32_at(d, DESC_FLOW),
            peer: u32_at(d, DESC_PEER),
            status: u32_at(d, DESC_STATUS) as i32,
            channel: u32_at(d, DESC_CHANNEL),
            tag: u64::from_le_bytes(array(d, DESC_TAG)),
            address: address_of(d),
            offset: u32_at(d, DESC_OFFSET) as usize,
            length: u32_at(d, DESC_LENGTH) as usize,
            count: (u32_at(d, DESC_COUNT) as usize).max(1),
            stride: u32_at(d, DESC_STRIDE) as usize,
        }
    }

    /// The packets, or what else it points at.
    pub fn packets<'a>(&self, region: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let Self { offset, length, count, stride, .. } = *self;
        (0..count).map(move |i| &region[offset + i * stride..][..length])
    }
}

fn address_of(d: &[u8]) -> Option<SocketAddr> {
    let ip = match d[DESC_FAMILY as usize] {
        0 => return None,
        4 => IpAddr::from(array::<4>(d, DESC_ADDR)),
        _ => IpAddr::from(array::<16>(d, DESC_ADDR)),
    };
    Some(SocketAddr::new(ip, u16::from_le_bytes(array(d, DESC_PORT))))
}

fn put_address(desc: &mut [u8], family: u8, port: u16, ip: &[u8]) {
    put(desc, DESC_FAMILY, &[family]);
    put(desc, DESC_PORT, &port.to_le_bytes());
    put(desc, DESC_ADDR, ip);
}

pub(crate) fn put(bytes: &mut [u8], at: u32, value: &[u8]) {
    bytes[at as usize..][..value.len()].copy_from_slice(value);
}

fn array<const N: usize>(bytes: &[u8], at: u32) -> [u8; N] {
    *bytes[at as usize..].first_chunk().expect("a field lies inside of what was checked to be as long")
}

pub(crate) fn u32_at(bytes: &[u8], at: u32) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(crate) fn f64_at(bytes: &[u8], at: u32) -> f64 {
    f64::from_le_bytes(array(bytes, at))
}
