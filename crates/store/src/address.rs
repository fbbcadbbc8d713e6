//! Which addresses are one: those that a single customer has for the asking.

use std::net::IpAddr;

/// What an address is counted under, for limits and for how many strangers say something: an IPv4 address as it is, also where it is written as IPv6;
/// of IPv6 the network of 64 bits, of which the smallest customer gets one or more (RFC 6177; the interface's half of an address is theirs to
/// choose, RFC 4291, 2.5.1).
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => IpAddr::V6((it.to_bits() & (u128::MAX << 64)).into()),
        it @ IpAddr::V4(_) => it,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_customer_is_one_network_of_ipv6() {
        let network = |text: &str| super::network(text.parse().unwrap());
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::3"), network("2001:db8:1:3::3"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_eq!(network("2001:db8:1:2::"), network(&network("2001:db8:1:2::3").to_string()));
    }
}
