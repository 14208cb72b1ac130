//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), bits)
}

/// IANA's special-purpose registry, and multicast.
const NOT_PUBLIC_4: [(Ipv4Net, &str); 16] = [
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "carrier-grade NAT"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 88, 99, 0, 24), "reserved"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "benchmarks"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(233, 252, 0, 0, 24), "documentation"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// The only part of IPv6 that is given out; what is not in it needs no name here but for people.
const GLOBAL_6: Ipv6Net = v6(0x2000, 0, 3);

/// Parts of it that lead elsewhere: tunnels hold an IPv4 address of somebody's choice.
const NOT_PUBLIC_6: [(Ipv6Net, &str); 4] = [
    (v6(0x2001, 0x0000, 23), "reserved or a tunnel"),
    (v6(0x2001, 0x0db8, 32), "documentation"),
    (v6(0x2002, 0x0000, 16), "a tunnel to IPv4"),
    (v6(0x3fff, 0x0000, 20), "documentation"),
];

/// Says what an address is when it is none of the public internet.
pub(crate) fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => named(&NOT_PUBLIC_4, |net| net.contains(&address)),
        IpAddr::V6(address) if GLOBAL_6.contains(&address) => {
            named(&NOT_PUBLIC_6, |net| net.contains(&address))
        }
        IpAddr::V6(address) => Some(special(address)),
    }
}

fn named<N>(table: &[(N, &'static str)], holds: impl Fn(&N) -> bool) -> Option<&'static str> {
    let found = table.iter().find(|(net, _)| holds(net));
    found.map(|(_, name)| *name)
}

fn special(address: Ipv6Addr) -> &'static str {
    if address.to_ipv4_mapped().is_some() {
        "an IPv4 address in disguise"
    } else if address.is_loopback() {
        "loopback"
    } else if address.is_unspecified() {
        "unspecified"
    } else if address.is_multicast() {
        "multicast"
    } else if address.is_unicast_link_local() {
        "link-local"
    } else if address.is_unique_local() {
        "private"
    } else {
        "not of the public internet"
    }
}

#[cfg(test)]
mod tests {
    //! The first and last address of each range, and their neighbours outside.
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use super::not_public;

    #[test]
    fn no_address_that_is_not_public_is_taken_for_one() {
        for address in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.255.255",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "233.252.0.9",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff:fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "4000::1",
        ] {
            assert!(not_public(address.parse().unwrap()).is_some(), "{address}");
        }
    }

    #[test]
    fn public_addresses_are() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            assert_eq!(not_public(address.parse().unwrap()), None, "{address}");
        }
    }
}
