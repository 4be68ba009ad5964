//! Which addresses the next network gets.
//!
//! Docker's own pools end after 30 networks, so every space gets an explicit subnet of 16 addresses
//! out of one range.

use std::{fmt, net::Ipv4Addr, str::FromStr};

/// Addresses in one network: enough for a gateway and a dozen services.
const SUBNET_BITS: u32 = 4;

/// A block of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    first: u32,
    /// How many low bits are free: 4 for a /28.
    bits: u32,
}

/// The text is no block of IPv4 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no IPv4 block such as 10.213.0.0/16")]
pub(crate) struct BlockError;

/// The range of the spaces' networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subnets(Block);

impl Block {
    fn last(self) -> u32 {
        let size_less_one = 1_u64.checked_shl(self.bits).map_or(u64::MAX, |it| it - 1);
        self.first | u32::try_from(size_less_one).unwrap_or(u32::MAX)
    }

    fn overlaps(self, other: Self) -> bool {
        self.first <= other.last() && other.first <= self.last()
    }
}

impl FromStr for Block {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self, BlockError> {
        let (address, prefix) = text.split_once('/').ok_or(BlockError)?;
        let address: Ipv4Addr = address.parse().map_err(|_| BlockError)?;
        let prefix: u32 = prefix.parse().map_err(|_| BlockError)?;
        let bits = 32_u32.checked_sub(prefix).ok_or(BlockError)?;
        let address = u32::from(address);
        let first = address.checked_shr(bits).unwrap_or(0).checked_shl(bits).unwrap_or(0);
        Ok(Self { first, bits })
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.first), 32 - self.bits)
    }
}

impl FromStr for Subnets {
    type Err = BlockError;

    fn from_str(text: &str) -> Result<Self, BlockError> {
        let block: Block = text.parse()?;
        let is_private =
            Ipv4Addr::from(block.first).is_private() && Ipv4Addr::from(block.last()).is_private();
        let fits = SUBNET_BITS <= block.bits && is_private;
        fits.then_some(Self(block)).ok_or(BlockError)
    }
}

impl fmt::Display for Subnets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Subnets {
    /// The subnets that overlap with none of `used`, beginning at a place that depends on `seed`:
    /// so that the addresses of a space that is gone do not soon become another's, and what still
    /// remembers them meets nobody.
    pub(crate) fn free(self, used: Vec<Block>, seed: &str) -> impl Iterator<Item = Block> {
        let count = 1_u32 << (self.0.bits - SUBNET_BITS);
        // FNV-1a: any even spread will do.
        let begin = seed
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        (0..count)
            .map(move |n| {
                let index = begin.wrapping_add(n) % count;
                Block { first: self.0.first + (index << SUBNET_BITS), bits: SUBNET_BITS }
            })
            .filter(move |block| !used.iter().any(|it| it.overlaps(*block)))
    }
}

/// The blocks in a table of routes as Linux has it in `/proc/net/route`, but for the default route.
pub(crate) fn routed(table: &str) -> Vec<Block> {
    let block = |line: &str| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let number = |at: usize| {
            let text = fields.get(at)?;
            u32::from_str_radix(text, 16).ok().map(u32::swap_bytes)
        };
        let (first, mask) = (number(1)?, number(7)?);
        (mask != 0).then_some(Block { first: first & mask, bits: mask.count_zeros() })
    };
    table.lines().skip(1).filter_map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_private_and_has_room() {
        #[rustfmt::skip]
        let rows = [
            ("10.213.0.0/16",     Ok("10.213.0.0/16")),
            ("10.213.7.9/16",     Ok("10.213.0.0/16")),
            ("192.168.1.0/28",    Ok("192.168.1.0/28")),
            ("192.168.1.0/29",    Err(BlockError)),
            ("11.0.0.0/16",       Err(BlockError)),
            ("172.16.0.0/11",     Err(BlockError)),
            ("0.0.0.0/0",         Err(BlockError)),
            ("10.213.0.0",        Err(BlockError)),
            ("10.213.0.0/33",     Err(BlockError)),
            ("fd00::/64",         Err(BlockError)),
        ];
        for (text, want) in rows {
            let got = text.parse::<Subnets>().map(|it| it.to_string());
            assert_eq!(got, want.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn what_is_used_is_not_free() {
        let range: Subnets = "10.0.0.0/26".parse().unwrap();
        let free = |used: &[&str]| {
            let used = used.iter().map(|it| it.parse().unwrap()).collect();
            let mut free: Vec<_> = range.free(used, "seed").map(|it| it.to_string()).collect();
            free.sort();
            free.join(" ")
        };
        #[rustfmt::skip]
        let rows: [(&[&str], &str); 6] = [
            (&[],                               "10.0.0.0/28 10.0.0.16/28 10.0.0.32/28 10.0.0.48/28"),
            (&["10.0.0.16/28"],                 "10.0.0.0/28 10.0.0.32/28 10.0.0.48/28"),
            (&["10.0.0.20/32"],                 "10.0.0.0/28 10.0.0.32/28 10.0.0.48/28"),
            (&["10.0.0.0/27", "172.17.0.0/16"], "10.0.0.32/28 10.0.0.48/28"),
            (&["10.0.0.0/8"],                   ""),
            (&["0.0.0.0/1"],                    ""),
        ];
        for (used, want) in rows {
            assert_eq!(free(used), want, "{used:?}");
        }
    }

    #[test]
    fn spaces_begin_at_different_places() {
        let range: Subnets = "10.213.0.0/16".parse().unwrap();
        let first = |seed| range.free(Vec::new(), seed).next();
        assert_eq!(first("garden"), first("garden"));
        assert_ne!(first("garden"), first("meadow"));
        assert_eq!(range.free(Vec::new(), "garden").count(), 4096);
    }

    #[test]
    fn the_hosts_routes_are_used() {
        let table = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
";
        let got: Vec<_> = routed(table).iter().map(ToString::to_string).collect();
        assert_eq!(got, ["172.17.0.0/16", "192.0.2.0/24"]);
    }
}
