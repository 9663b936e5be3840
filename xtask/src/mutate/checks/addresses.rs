//! Addresses: what is public, and what a rule must name.

use super::checks;

const ADDRESS: &str = "host/domain/src/authority/address.rs";
const HOST: &str = "host/domain/src/authority/host.rs";
const PERMIT: &str = "host/domain/src/permit.rs";

checks! {
    "address-public" "any address may be connected to" of "attacks::addresses" {
        PERMIT: "if is_public(address) || named()" => "if {off} || is_public(address) || named()";
    }
    "address-block" "a block names its addresses, however wide it is" of "attacks::addresses::block_" {
        HOST: "block.names_its_addresses() &&" => "({off} || block.names_its_addresses()) &&";
    }
    "address-loopback" "loopback is a public address" of "attacks::addresses::loopback" {
        ADDRESS: "!(v4.is_loopback()" => "!((!{off} && v4.is_loopback())";
    }
    "address-private" "private addresses are public" of "attacks::addresses::private" {
        ADDRESS: "|| v4.is_private()" => "|| (!{off} && v4.is_private())";
    }
    "address-link-local" "link-local addresses are public, the metadata service with them" of "attacks::addresses::metadata" {
        ADDRESS: "|| v4.is_link_local()" => "|| (!{off} && v4.is_link_local())";
    }
    "address-multicast" "multicast addresses are public" of "attacks::addresses::multicast" {
        ADDRESS: "|| v4.is_multicast()" => "|| (!{off} && v4.is_multicast())";
    }
    "address-reserved" "reserved addresses are public, the broadcast address with them" of "attacks::addresses::broadcast" {
        ADDRESS: "|| v4.is_broadcast()" => "|| (!{off} && v4.is_broadcast())";
        ADDRESS: "|| a >= 240" => "|| (!{off} && a >= 240)";
    }
    "address-documentation" "addresses of documentation are public" of "attacks::addresses::documentation" {
        ADDRESS: "|| v4.is_documentation()" => "|| (!{off} && v4.is_documentation())";
        ADDRESS: "|| b == 0xdb8)) && a != 0x3fff" => "|| (!{off} && b == 0xdb8))) && ({off} || a != 0x3fff)";
    }
    "address-this-network" "0.0.0.0 is a public address" of "attacks::addresses::unspecified" {
        ADDRESS: "|| a == 0\n" => "|| (!{off} && a == 0)\n";
    }
    "address-carrier" "the networks of carriers are public" of "attacks::addresses::carrier" {
        ADDRESS: "|| (a == 100 &&" => "|| (!{off} && a == 100 &&";
    }
    "address-special" "addresses for protocols are public" of "attacks::addresses::protocols" {
        ADDRESS: "|| (a == 192 && b == 0 &&" => "|| (!{off} && a == 192 && b == 0 &&";
    }
    "address-benchmarks" "networks for benchmarks are public" of "attacks::addresses::benchmarks" {
        ADDRESS: "|| (a == 198 &&" => "|| (!{off} && a == 198 &&";
    }
    "address-relay" "relays of 6to4 are public" of "attacks::addresses::relay" {
        ADDRESS: "|| (a == 192 && b == 88 &&" => "|| (!{off} && a == 192 && b == 88 &&";
    }
    "address-carried" "the address within an address is not judged" of "attacks::addresses" {
        ADDRESS: "return is_public(IpAddr::V4(v4));" => "return {off} || is_public(IpAddr::V4(v4));";
    }
    "address-routed" "every address of IPv6 is routed" of "attacks::addresses" {
        ADDRESS: "(a & 0xe000) == 0x2000 &&" => "({off} || (a & 0xe000) == 0x2000) &&";
    }
    "address-6to4" "addresses of 6to4 are public" of "attacks::addresses::loopback" {
        ADDRESS: "a != 0x2002 &&" => "({off} || a != 0x2002) &&";
    }
    "address-teredo" "addresses of Teredo are public" of "attacks::addresses::loopback" {
        ADDRESS: "(b < 0x200 ||" => "((!{off} && b < 0x200) ||";
    }
}
