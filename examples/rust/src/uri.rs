//! TURN URIs (RFC 7065): turn:HOST[:PORT][?transport=udp]. This host has UDP alone to the server.

use std::net::Ipv6Addr;

use crate::error::{Error, Kind, Result};

const DEFAULT_PORT: u16 = 3478;

/// Where a URI leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
}

pub(crate) fn parse(uri: &str) -> Result<Target> {
    let bad = |why: &str| Error::new(Kind::Argument, format!("turn: {uri:?} is not a TURN URI: {why}"));
    let form = "want turn:HOST[:PORT][?transport=udp]; the credentials are not part of it";
    let (scheme, rest) = uri.split_once(':').ok_or_else(|| bad(form))?;
    let secured = scheme.eq_ignore_ascii_case("turns");
    if !secured && !scheme.eq_ignore_ascii_case("turn") {
        return Err(bad("the scheme is not turn:"));
    }
    let (address, transport) = rest.split_once("?transport=").unwrap_or((rest, "udp"));
    let stream = transport.eq_ignore_ascii_case("tcp");
    let (host, port) = split(address).ok_or_else(|| bad(form))?;
    if !stream && !transport.eq_ignore_ascii_case("udp") {
        return Err(bad(form));
    }
    let port = match port.map(|p| (p.parse(), p.as_bytes()[0])) {
        None => DEFAULT_PORT,
        Some((Ok(port @ 1..), b'0'..=b'9')) => port,
        Some(_) => return Err(bad("the port is not in 1..65535")),
    };
    if secured || stream {
        let why = "this host speaks UDP to the server: use turn: without transport=tcp";
        return Err(Error::new(Kind::Unsupported, format!("turn: {uri:?}: {why}")));
    }
    Ok(Target { host: host.to_ascii_lowercase(), port })
}

/// The host, an IPv6 address without its brackets, and the port's digits.
fn split(address: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
        }
        None => match address.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (address, None),
        },
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "/@?#[]\\".contains(c);
    (!host.is_empty() && !host.contains(odd) && port != Some("")).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16) -> Target {
        Target { host: host.to_owned(), port }
    }

    #[test]
    fn takes_what_rfc_7065_writes() {
        assert_eq!(parse("turn:Example.org").unwrap(), target("example.org", 3478));
        assert_eq!(parse("TURN:192.0.2.1:80?transport=UDP").unwrap(), target("192.0.2.1", 80));
        assert_eq!(parse("turn:[2001:db8::1]:65535").unwrap(), target("2001:db8::1", 65535));
    }

    #[test]
    fn refuses_the_rest() {
        for uri in [
            "",
            "turn",
            "turn:",
            "turn::1",
            "turn:a:",
            "turn:a:0",
            "turn:a:65536",
            "turn:a:+1",
            "turn://a",
            "turn:u@a",
            "turn:[::1",
            "turn:[::1]1",
            "turn:[x]",
            "turn:a b",
            "turn:a?transport=",
            "turn:a?x=1",
            "http:a",
            "stun:a",
            "é",
        ] {
            assert_eq!(parse(uri).map_err(|e| e.kind()), Err(Kind::Argument), "{uri}");
        }
        for uri in ["turns:a", "turn:a?transport=tcp", "turns:a?transport=udp"] {
            assert_eq!(parse(uri).map_err(|e| e.kind()), Err(Kind::Unsupported), "{uri}");
        }
    }
}
