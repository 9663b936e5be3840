//! Addresses: which of them are public, and blocks of them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Whether an address is reachable on the public internet. All others (loopback,
/// private, link-local, the cloud's metadata service, multicast, reserved) need
/// a rule that names the address itself, or a block that it lies in.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
                || v4.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                // Relays of 6to4: whoever is near answers.
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (18..20).contains(&b)))
        }
        IpAddr::V6(v6) => {
            // Forms that carry an IPv4 address are judged by it.
            if let Some(v4) = v6.to_ipv4_mapped().or_else(|| nat64(v6)) {
                return is_public(IpAddr::V4(v4));
            }
            let [a, b, ..] = v6.segments();
            // 2000::/3 is all that is routed; of it 6to4, Teredo and documentation are not hosts.
            (a & 0xe000) == 0x2000 && a != 0x2002 && !(a == 0x2001 && (b < 0x200 || b == 0xdb8)) && a != 0x3fff
        }
    }
}

/// The IPv4 address that a translator reaches by `address`, if that is of `64:ff9b::/96`.
fn nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(last_four(address)),
        _ => None,
    }
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

/// Every address that a connection to `address` might reach: itself, and the IPv4
/// address that it carries.
fn forms(address: IpAddr) -> [Option<IpAddr>; 2] {
    let carried = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().or_else(|| nat64(v6)).or_else(|| six_to_four(v6)),
    };
    [Some(address), carried.map(IpAddr::V4)]
}

/// The IPv4 address in one of `2002::/16`, or in `::a.b.c.d` as it was once written.
fn six_to_four(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.octets() {
        [0x20, 0x02, a, b, c, d, ..] => Some(Ipv4Addr::new(a, b, c, d)),
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] if a != 0 => Some(Ipv4Addr::new(a, b, c, d)),
        _ => None,
    }
}

/// A block of addresses, such as `10.0.0.0/8`: all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressBlock {
    first: IpAddr,
    bits: u8,
}

impl AddressBlock {
    /// Whether `address`, as the system would connect to it, lies in the block.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => first.to_bits() == address.to_bits() & mask4(self.bits),
            (IpAddr::V6(first), IpAddr::V6(address)) => first.to_bits() == address.to_bits() & mask6(self.bits),
            _ => false,
        }
    }

    /// Whether `address`, or an IPv4 address that it carries, lies in the block.
    pub fn touches(&self, address: IpAddr) -> bool {
        forms(address).into_iter().flatten().any(|form| self.contains(form))
    }

    /// Whether every address of `other` lies in this block.
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.first)
    }

    /// Whether the block is narrow enough to speak for each of its addresses: one
    /// that is wider than the widest private block would grant those in passing.
    pub(super) const fn names_its_addresses(&self) -> bool {
        match self.first {
            IpAddr::V4(_) => self.bits >= 8,
            IpAddr::V6(_) => self.bits >= 7,
        }
    }
}

/// Whether a connection to `address` might reach `denied`.
pub(super) fn may_reach(address: IpAddr, denied: IpAddr) -> bool {
    forms(address).into_iter().flatten().any(|form| form.to_canonical() == denied.to_canonical())
}

/// The first `bits` bits set.
fn mask4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

/// The first `bits` bits set.
fn mask6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128_u32.saturating_sub(u32::from(bits))).unwrap_or(0)
}

impl fmt::Display for AddressBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.bits)
    }
}

/// The text is not a block of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBlock {
    /// It has another form.
    #[error("`{0}` is not a block of addresses: expected one such as `10.0.0.0/8` or `fd00::/8`")]
    Form(String),
    /// The address has bits behind those that count.
    #[error("`{text}` is not the beginning of a block of addresses: expected `{expected}`")]
    Inside {
        /// What was found.
        text: String,
        /// The block that it lies in.
        expected: AddressBlock,
    },
}

impl FromStr for AddressBlock {
    type Err = InvalidBlock;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || InvalidBlock::Form(text.to_owned());
        let (address, bits) = text.split_once('/').ok_or_else(form)?;
        let address: IpAddr = address.parse().map_err(|_| form())?;
        let digits = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits: u8 = bits.parse().ok().filter(|_| digits).ok_or_else(form)?;
        let first = first_of(address, bits).ok_or_else(form)?;
        let block = Self { first, bits };
        if first == address { Ok(block) } else { Err(InvalidBlock::Inside { text: text.to_owned(), expected: block }) }
    }
}

/// The first address of the block that `address` lies in. IPv4 that is written as
/// IPv6 would be in the blocks of neither.
fn first_of(address: IpAddr, bits: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) if bits <= 32 => Some(Ipv4Addr::from_bits(v4.to_bits() & mask4(bits)).into()),
        IpAddr::V6(v6) if bits <= 128 && v6.to_ipv4_mapped().is_none() => {
            Some(Ipv6Addr::from_bits(v6.to_bits() & mask6(bits)).into())
        }
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> AddressBlock {
        text.parse().expect(text)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn private_addresses_are_not_public() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.88.99.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::808:808",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address(private)), "{private}");
        }
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(address(public)), "{public}");
        }
    }

    #[test]
    fn a_block_has_the_addresses_that_begin_alike() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0"]),
            ("169.254.169.254/32", ["169.254.169.254"; 3], ["169.254.169.253", "169.254.169.255"]),
            ("172.16.0.0/12", ["172.16.0.1", "172.31.255.255", "172.20.0.0"], ["172.32.0.0", "172.15.0.0"]),
            ("fd00::/8", ["fd00::1", "fdff::", "fd12:3456::1"], ["fc00::1", "10.0.0.1"]),
            ("0.0.0.0/0", ["0.0.0.0", "8.8.8.8", "255.255.255.255"], ["::", "2606:4700::1"]),
            ("::/0", ["::1", "2606:4700::1", "fe80::1"], ["8.8.8.8", "::ffff:8.8.8.8"]),
        ] {
            let block = block(text);
            assert_eq!(block.to_string(), text);
            assert!(inside.iter().all(|it| block.contains(address(it))), "{text}");
            assert!(!outside.iter().any(|it| block.contains(address(it))), "{text}");
        }
    }

    #[test]
    fn an_address_that_carries_another_touches_its_block() {
        let private = block("10.0.0.0/8");
        for carrier in ["::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::10.0.0.1"] {
            assert!(private.touches(address(carrier)), "{carrier}");
            assert!(may_reach(address(carrier), address("10.0.0.1")), "{carrier}");
        }
        assert!(!private.touches(address("64:ff9b::b00:1")));
        assert!(!may_reach(address("::1"), address("0.0.0.1")));
    }

    #[test]
    fn a_block_covers_those_inside_it() {
        assert!(block("10.0.0.0/8").covers(&block("10.1.0.0/16")));
        assert!(block("10.0.0.0/8").covers(&block("10.0.0.0/8")));
        assert!(!block("10.1.0.0/16").covers(&block("10.0.0.0/8")));
        assert!(!block("10.0.0.0/8").covers(&block("11.0.0.0/16")));
        assert!(!block("::/0").covers(&block("10.0.0.0/8")));
    }

    #[test]
    fn blocks_have_one_form() {
        for bad in ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/+8", "::/129", "::/999", "a/8", "10.0.0/8"] {
            assert!(matches!(bad.parse::<AddressBlock>(), Err(InvalidBlock::Form(_))), "{bad}");
        }
        assert!("::ffff:10.0.0.0/104".parse::<AddressBlock>().is_err());
        let inside = "10.1.2.3/8".parse::<AddressBlock>().expect_err("not the beginning");
        assert!(inside.to_string().ends_with("expected `10.0.0.0/8`"), "{inside}");
    }
}
