//! Who asks, where it is counted how much: the account of a token, or the user of one without an
//! account; without either an address.

use std::net::{IpAddr, Ipv6Addr};

use super::viewer::Viewer;

/// Networks of this many bits are given to one household (RFC 6177).
const HOUSEHOLD_BITS: u32 = 64;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Client {
    Account(String),
    User(String),
    Address(IpAddr),
}

impl Client {
    pub fn of(viewer: Option<&Viewer>, address: Option<IpAddr>) -> Self {
        if let Some(account) = viewer.and_then(Viewer::account) {
            return Client::Account(account.to_owned());
        }
        if let Some(user) = viewer.and_then(Viewer::user) {
            return Client::User(user.to_owned());
        }
        Client::Address(address.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), household))
    }
}

/// Whoever has one address of a network can have them all.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << HOUSEHOLD_BITS);
            Ipv6Addr::from_bits(network).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let household = |text: &str| household(text.parse().unwrap());
        assert_eq!(household("2001:db8::1"), household("2001:db8::ffff:0:0:1"));
        assert_ne!(household("2001:db8::1"), household("2001:db8:0:1::1"));
        assert_eq!(household("::ffff:192.0.2.1"), household("192.0.2.1"));
        assert_ne!(household("192.0.2.1"), household("192.0.2.2"));
    }
}
