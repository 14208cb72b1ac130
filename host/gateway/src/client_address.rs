//! Who speaks: the peer of a connection, or whom a proxy names that the configuration trusts.
//!
//! `X-Forwarded-For` is anybody's word. It counts only from a trusted proxy, and only as far as
//! trusted proxies wrote it: each appends whom it saw, so the list is read from its end.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

/// Whom proxies say they saw.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a connection comes from, as an extension of its requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// The address of the caller. An IPv4 address within IPv6 is the IPv4 address.
pub(crate) fn of(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(&address));
    let mut address = peer.to_canonical();
    let named: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        // What does not read ends the walk, and hides nothing behind it.
        .map(|value| value.to_str().unwrap_or("?"))
        .flat_map(|list| list.split(','))
        .collect();
    for hop in named.iter().rev() {
        if !is_trusted(address) {
            break;
        }
        match hop.trim().parse::<IpAddr>() {
            Ok(named) => address = named.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    //! Whose word counts.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_trusted_proxies_say_who_calls_and_only_as_far_as_they_wrote_it() {
        let trusted: [IpNet; 2] = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, header, wanted) in [
            ("203.0.113.9", None, "203.0.113.9"),
            ("203.0.113.9", Some("127.0.0.1"), "203.0.113.9"),
            ("10.0.0.1", None, "10.0.0.1"),
            ("10.0.0.1", Some("203.0.113.9"), "203.0.113.9"),
            ("::ffff:10.0.0.1", Some("::ffff:203.0.113.9"), "203.0.113.9"),
            // What the caller wrote itself stands before what the proxy appended.
            ("10.0.0.1", Some("127.0.0.1, 203.0.113.9"), "203.0.113.9"),
            (
                "10.0.0.1",
                Some("127.0.0.1, 203.0.113.9, 10.0.0.2"),
                "203.0.113.9",
            ),
            ("fd00::1", Some("2001:db8::1 ,10.9.9.9"), "2001:db8::1"),
            ("10.0.0.1", Some("10.0.0.2, 10.0.0.3"), "10.0.0.2"),
            // What is no address ends the walk where it was still known.
            ("10.0.0.1", Some("203.0.113.9, unknown"), "10.0.0.1"),
            ("10.0.0.1", Some("203.0.113.9:80, 10.0.0.2"), "10.0.0.2"),
            ("10.0.0.1", Some(""), "10.0.0.1"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(FORWARDED_FOR, header.parse().unwrap());
            }
            let found = of(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(found.to_string(), wanted, "{peer} {header:?}");
        }
        let mut two = HeaderMap::new();
        two.append(FORWARDED_FOR, "127.0.0.1".parse().unwrap());
        two.append(FORWARDED_FOR, "203.0.113.9".parse().unwrap());
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(of(peer, &two, &trusted).to_string(), "203.0.113.9");
        assert_eq!(of(peer, &two, &[]).to_string(), "10.0.0.1");
        // A line that does not read hides nothing behind it.
        let unreadable = HeaderValue::from_bytes(b"\xff, 203.0.113.9").unwrap();
        two.append(FORWARDED_FOR, unreadable);
        assert_eq!(of(peer, &two, &trusted).to_string(), "10.0.0.1");
    }
}
