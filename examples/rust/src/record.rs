//! Records of the control plane: type, length, value, zeros to a multiple of 4. The layout stands in wasm/abi/doc.go.

use std::net::{IpAddr, SocketAddr};

use crate::error::{Error, Kind, Result};

/// A record that is written where the guest reads it, and wipes it: a password goes through no other memory.
pub struct Record<'a> {
    into: &'a mut [u8],
    length: usize,
    fits: bool,
}

impl<'a> Record<'a> {
    pub(crate) fn new(into: &'a mut [u8]) -> Self {
        Self { into, length: 0, fits: true }
    }

    pub fn flag(&mut self, kind: u32) -> &mut Self {
        self.bytes(kind, &[])
    }

    pub fn u16(&mut self, kind: u32, n: u32) -> &mut Self {
        self.bytes(kind, &(n as u16).to_le_bytes())
    }

    pub fn bytes(&mut self, kind: u32, value: &[u8]) -> &mut Self {
        let end = self.length + 4 + value.len().next_multiple_of(4);
        let Some(into) = self.into.get_mut(self.length..end).filter(|_| value.len() <= 0xffff) else {
            self.fits = false;
            return self;
        };
        into.fill(0);
        into[..2].copy_from_slice(&(kind as u16).to_le_bytes());
        into[2..4].copy_from_slice(&(value.len() as u16).to_le_bytes());
        into[4..4 + value.len()].copy_from_slice(value);
        self.length = end;
        self
    }

    pub fn address(&mut self, kind: u32, address: SocketAddr) -> &mut Self {
        let port = address.port().to_le_bytes();
        match address.ip() {
            IpAddr::V4(ip) => self.bytes(kind, &[&[4, 0], &port[..], &ip.octets()].concat()),
            IpAddr::V6(ip) => self.bytes(kind, &[&[6, 0], &port[..], &ip.octets()].concat()),
        }
    }

    /// The record's length. One that does not fit is wiped.
    pub(crate) fn finish(self) -> Result<i32> {
        if self.fits {
            return Ok(self.length as i32);
        }
        self.into[..self.length].fill(0);
        Err(Error::new(Kind::Argument, "turn: the configuration or command is too long"))
    }
}

/// A record that was read. Of what is missing, or too short, there is none.
pub(crate) struct Attributes<'a>(Vec<(u32, &'a [u8])>);

impl<'a> Attributes<'a> {
    /// Reads a record; none when it ends inside of an attribute.
    pub(crate) fn read(mut record: &'a [u8]) -> Option<Self> {
        let mut all = Vec::new();
        while !record.is_empty() {
            let (head, rest) = record.split_at_checked(4)?;
            let size = usize::from(u16::from_le_bytes([head[2], head[3]]));
            all.push((u32::from(u16::from_le_bytes([head[0], head[1]])), rest.get(..size)?));
            record = rest.get(size.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(Self(all))
    }

    /// The first of that type counts.
    pub(crate) fn bytes(&self, kind: u32) -> Option<&'a [u8]> {
        self.0.iter().find(|(k, _)| *k == kind).map(|(_, value)| *value)
    }

    fn array<const N: usize>(&self, kind: u32) -> Option<[u8; N]> {
        self.bytes(kind)?.first_chunk().copied()
    }

    pub(crate) fn has(&self, kind: u32) -> bool {
        self.bytes(kind).is_some()
    }

    pub(crate) fn u8(&self, kind: u32) -> Option<u8> {
        self.array::<1>(kind).map(|b| b[0])
    }

    pub(crate) fn u16(&self, kind: u32) -> Option<u16> {
        self.array(kind).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&self, kind: u32) -> Option<u32> {
        self.array(kind).map(u32::from_le_bytes)
    }

    pub(crate) fn f64(&self, kind: u32) -> Option<f64> {
        self.array(kind).map(f64::from_le_bytes)
    }

    pub(crate) fn text(&self, kind: u32) -> String {
        String::from_utf8_lossy(self.bytes(kind).unwrap_or_default()).into_owned()
    }

    pub(crate) fn address(&self, kind: u32) -> Option<SocketAddr> {
        let (head, ip) = self.bytes(kind)?.split_at_checked(4)?;
        let ip = match head[0] {
            4 => IpAddr::from(*ip.first_chunk::<4>()?),
            _ => IpAddr::from(*ip.first_chunk::<16>()?),
        };
        Some(SocketAddr::new(ip, u16::from_le_bytes([head[2], head[3]])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi_gen::*;

    /// The worked example of wasm/abi/doc.go.
    #[test]
    fn writes_the_documented_bytes() {
        let mut place = [0xff; 64];
        let mut r = Record::new(&mut place);
        r.address(ATTR_SERVER, "192.0.2.1:3478".parse().unwrap());
        r.bytes(ATTR_USERNAME, b"bob").bytes(ATTR_RTO, &500f64.to_le_bytes());
        let n = r.finish().unwrap() as usize;
        let want = "100008000400960dc000020111000300626f6200170008000000000000407f40";
        let got: String = place[..n].iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(got, want);
        let read = Attributes::read(&place[..n]).unwrap();
        assert_eq!(read.address(ATTR_SERVER), Some("192.0.2.1:3478".parse().unwrap()));
        assert_eq!((read.text(ATTR_USERNAME).as_str(), read.f64(ATTR_RTO)), ("bob", Some(500.0)));
    }

    #[test]
    fn wipes_what_does_not_fit() {
        let mut place = [0; 16];
        let mut r = Record::new(&mut place);
        r.bytes(ATTR_PASSWORD, b"secret").bytes(ATTR_USERNAME, b"bob");
        assert_eq!(r.finish().unwrap_err().kind(), Kind::Argument);
        assert_eq!(place, [0; 16]);
    }

    #[test]
    fn records_that_end_too_early_are_none() {
        assert!(Attributes::read(&[2, 0, 8, 0, 1, 0]).is_none());
        assert!(Attributes::read(&[2, 0, 8]).is_none());
        let short = [54, 0, 4, 0, 4, 0, 1, 2]; // an address without its IP
        assert_eq!(Attributes::read(&short).unwrap().address(ATTR_RELAYED), None);
    }
}
