//! Who calls. The address of the connection, unless that is a proxy which we trust: then the last
//! address in `X-Forwarded-For` that is none of ours. What a stranger writes there counts nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{Extensions, HeaderMap};
use foundation_runtime::listen::Peer;

use crate::settings::Network;

/// The address of the caller.
pub(super) fn address(extensions: &Extensions, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let peer = extensions
        .get::<Peer>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut caller = peer;
    for text in forwarded.into_iter().rev() {
        let Ok(address) = text.parse::<IpAddr>() else {
            break;
        };
        caller = address.to_canonical();
        if !is_trusted(caller) {
            break;
        }
    }
    caller
}

/// What counts as one caller: an address, or the network of a house for IPv6, in which anybody has
/// as many addresses as they want.
pub(super) fn bucket(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(Peer(peer.parse().expect("an address")));
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a header"));
        }
        let trusted = [Network::read("10.0.0.0/8").expect("a network")];
        address(&extensions, &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_what_it_added_itself() {
        assert_eq!(caller("192.0.2.1:9", &["203.0.113.5"]), "192.0.2.1");
        assert_eq!(caller("10.0.0.1:9", &["203.0.113.5"]), "203.0.113.5");
        assert_eq!(caller("10.0.0.1:9", &["6.6.6.6, 203.0.113.5, 10.0.0.2"]), "203.0.113.5");
        assert_eq!(caller("10.0.0.1:9", &["6.6.6.6", "203.0.113.5"]), "203.0.113.5");
        assert_eq!(caller("10.0.0.1:9", &["nonsense"]), "10.0.0.1");
        assert_eq!(caller("10.0.0.1:9", &[]), "10.0.0.1");
        assert_eq!(caller("[::ffff:10.0.0.1]:9", &["203.0.113.5"]), "203.0.113.5");
    }

    #[test]
    fn the_addresses_of_one_house_are_one_caller() {
        let of = |text: &str| bucket(text.parse().expect("an address"));
        assert_eq!(of("2001:db8:0:1::5"), of("2001:db8:0:1:ffff::6"));
        assert_ne!(of("2001:db8:0:1::5"), of("2001:db8:0:2::5"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
