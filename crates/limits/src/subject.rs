//! Whose bucket it is.

use std::{fmt, net::IpAddr};

use domain::{Wallet, hex};

/// Whose requests are counted together, as a piece of a key: lower-case letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Subject(String);

impl From<Wallet> for Subject {
    fn from(wallet: Wallet) -> Self {
        Self(wallet.to_string().to_ascii_lowercase())
    }
}

impl From<IpAddr> for Subject {
    /// An IPv6 address counts as the network of 64 bits that it is in: a provider gives each
    /// customer at least that, so whoever has one address has them all.
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V4(address) => address.to_string().replace('.', "-"),
            IpAddr::V6(address) => hex(&address.octets()[..8]),
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_one_safe_name() {
        let wallet: Wallet = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse().unwrap();
        let address = |text: &str| Subject::from(text.parse::<IpAddr>().unwrap());
        #[rustfmt::skip]
        let rows = [
            (Subject::from(wallet),              "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"),
            (address("192.0.2.1"),               "192-0-2-1"),
            (address("::ffff:192.0.2.1"),        "192-0-2-1"),
            (address("2001:db8:1:2::"),          "20010db800010002"),
            (address("2001:db8:1:2:3:4:5:6"),    "20010db800010002"),
            (address("2001:db8:1:3::"),          "20010db800010003"),
            (address("::1"),                     "0000000000000000"),
        ];
        for (subject, want) in rows {
            assert_eq!(subject.to_string(), want);
        }
    }
}
