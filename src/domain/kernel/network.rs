//! Network addresses of callers. One caller has one address here, however a socket or a proxy writes it: a limit that
//! counts by address can then be neither shared by strangers nor evaded by one of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The address of a caller. IPv4 behind an IPv6 form is IPv4: `::ffff:192.0.2.1` as a dual-stack socket shows it (RFC
/// 4291 §2.5.5.2), and `64:ff9b::192.0.2.1` as a translator shows it (NAT64, RFC 6052 §2.1).
///
/// An address is personal data, so `Debug` does not print it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallerAddress(IpAddr);

/// The addresses that begin with the same bits: `192.0.2.0/24`, `2001:db8::/48`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl CallerAddress {
    pub const fn ip(self) -> IpAddr {
        self.0
    }

    /// The addresses of one subscriber: a single IPv4 address, or a /64 of IPv6, all of which belongs to one subscriber
    /// (RFC 6177).
    pub fn subscriber(self) -> Network {
        self.network(32, 64)
    }

    /// The network around this address: its first `v4` bits of an IPv4 address, or its first `v6` bits of an IPv6
    /// address.
    pub fn network(self, v4: u8, v6: u8) -> Network {
        match self.0 {
            IpAddr::V4(ip) => {
                let bits = v4.min(32);
                let rest = 32 - u32::from(bits);
                let first = ip.to_bits().checked_shr(rest).and_then(|kept| kept.checked_shl(rest)).unwrap_or(0);
                Network { first: Ipv4Addr::from_bits(first).into(), bits }
            }
            IpAddr::V6(ip) => {
                let bits = v6.min(128);
                let rest = 128 - u32::from(bits);
                let first = ip.to_bits().checked_shr(rest).and_then(|kept| kept.checked_shl(rest)).unwrap_or(0);
                Network { first: Ipv6Addr::from_bits(first).into(), bits }
            }
        }
    }
}

impl From<IpAddr> for CallerAddress {
    fn from(ip: IpAddr) -> Self {
        let canonical = ip.to_canonical();
        Self(match canonical {
            IpAddr::V6(ip) => translated(ip).map_or(canonical, IpAddr::V4),
            IpAddr::V4(_) => canonical,
        })
    }
}

impl Network {
    pub fn contains(self, address: CallerAddress) -> bool {
        address.network(self.bits, self.bits) == self
    }
}

impl FromStr for Network {
    type Err = NotAnAddress;

    /// Reads CIDR (RFC 4632), such as `192.0.2.0/24`, or a single address.
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address = CallerAddress::from(address.parse::<IpAddr>().map_err(|_| NotAnAddress)?);
        let all = if address.ip().is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| NotAnAddress)?;
        if bits > all { Err(NotAnAddress) } else { Ok(address.network(bits, bits)) }
    }
}

/// Returns the IPv4 address in an address with the well-known prefix of NAT64, `64:ff9b::/96`.
fn translated(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    const PREFIX: u128 = 0x0064_ff9b << 96;
    let embedded = u32::try_from(ip.to_bits().checked_sub(PREFIX)?).ok()?;
    Some(Ipv4Addr::from_bits(embedded))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a network address")]
pub struct NotAnAddress;

impl FromStr for CallerAddress {
    type Err = NotAnAddress;

    /// Reads an address as proxies write it, with or without a port: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`,
    /// `[2001:db8::1]`, `[2001:db8::1]:4711`. The port and the zone of a link-local address are left out.
    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let host = match text.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']').ok_or(NotAnAddress)?.0,
            // One colon belongs to a port. An IPv6 address has at least two.
            None if text.bytes().filter(|byte| *byte == b':').count() == 1 => {
                text.split_once(':').map_or(text, |(host, _)| host)
            }
            None => text,
        };
        let host = host.split_once('%').map_or(host, |(host, _)| host);
        host.parse::<IpAddr>().map(Self::from).map_err(|_| NotAnAddress)
    }
}

/// Shows the canonical text (RFC 5952).
impl fmt::Display for CallerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CallerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<String> {
        text.parse::<CallerAddress>().ok().map(|address| address.to_string())
    }

    #[test]
    fn every_form_of_an_address_is_read_as_one() {
        for (text, canonical) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("192.0.2.1:_hidden", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:c000:201", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:4711", "192.0.2.1"),
            // RFC 6052 §2.4
            ("64:ff9b::192.0.2.33", "192.0.2.33"),
            ("64:ff9b::c000:221", "192.0.2.33"),
            ("[64:FF9B:0:0::c000:0221]", "192.0.2.33"),
            ("64:ff9b:1::c000:221", "64:ff9b:1::c000:221"),
            ("64:ff9b::1:c000:221", "64:ff9b::1:c000:221"),
            ("64:ff9a::c000:221", "64:ff9a::c000:221"),
            // RFC 5952 §4
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("[2001:db8:cafe::17]:4711", "2001:db8:cafe::17"),
            ("[2001:db8:cafe::17]", "2001:db8:cafe::17"),
            ("fe80::1%eth0", "fe80::1"),
            ("::1", "::1"),
        ] {
            assert_eq!(read(text).as_deref(), Some(canonical), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_address_is_refused() {
        for text in ["", "unknown", "_hidden", "192.0.2", "192.0.2.256", "192.0.02.1", "[192.0.2.1", "::g", "[]", ":80"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_network_is_named_by_its_first_address() {
        let network = |text: &str, v4, v6| text.parse::<CallerAddress>().unwrap().network(v4, v6).to_string();
        assert_eq!(network("192.0.2.77", 24, 48), "192.0.2.0/24");
        assert_eq!(network("::ffff:192.0.2.77", 24, 48), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:2:3::4", 24, 48), "2001:db8:1::/48");
        assert_eq!(network("192.0.2.77", 0, 0), "0.0.0.0/0");
        assert_eq!(network("2001:db8::1", 99, 200), "2001:db8::1/128");
        let subscriber = |text: &str| text.parse::<CallerAddress>().unwrap().subscriber().to_string();
        assert_eq!(subscriber("192.0.2.77:1"), "192.0.2.77/32");
        assert_eq!(subscriber("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_network_contains_the_addresses_that_begin_with_its_bits() {
        let network = |text: &str| text.parse::<Network>();
        let is_in = |text: &str, address: &str| network(text).unwrap().contains(address.parse().unwrap());
        for inside in ["203.0.113.0", "203.0.113.255:80", "::ffff:203.0.113.9"] {
            assert!(is_in("203.0.113.7/24", inside) && is_in("0.0.0.0/0", inside), "{inside}");
            assert!(!is_in("198.51.100.0/24", inside) && !is_in("::/0", inside), "{inside}");
        }
        assert!(is_in("198.51.100.7", "198.51.100.7") && !is_in("198.51.100.7", "198.51.100.8"));
        assert!(is_in("2001:db8::/32", "2001:db8:1::1") && !is_in("2001:db8::/32", "2001:db9::1"));
        for text in ["", "owls", "203.0.113.0/33", "203.0.113.0/", "203.0.113.0/-1", "::/129", "1.2.3.4:80", "::1/1/1"]
        {
            assert_eq!(network(text), Err(NotAnAddress), "{text}");
        }
    }

    #[test]
    fn debug_prints_no_address() {
        let address: CallerAddress = "192.0.2.1".parse().unwrap();
        assert_eq!(format!("{address:?} {:?}", address.subscriber()), "*** ***");
    }

    proptest! {
        #[test]
        fn an_ipv4_address_is_the_same_in_every_ipv6_form(bits: u32, port: u16) {
            let plain = Ipv4Addr::from_bits(bits);
            let mapped = plain.to_ipv6_mapped();
            for text in [format!("{plain}:{port}"), format!("[{mapped}]:{port}"), format!("64:ff9b::{plain}")] {
                prop_assert_eq!(text.parse::<CallerAddress>(), Ok(CallerAddress::from(IpAddr::V4(plain))), "{}", text);
            }
        }

        #[test]
        fn the_text_of_an_address_reads_as_the_same_address(bits: u128, port: u16) {
            let address = CallerAddress::from(IpAddr::V6(Ipv6Addr::from_bits(bits)));
            prop_assert_eq!(address.to_string().parse::<CallerAddress>(), Ok(address));
            prop_assert_eq!(format!("[{address}]:{port}").parse::<CallerAddress>(), Ok(address));
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = text.parse::<CallerAddress>();
        }
    }
}
