//! Requests to addresses that are not public, in every form in which one can be written.

use super::network::{ask, rule};
use super::rogue::{self, Rogue};
use crate::sandbox::lab::failure;

// Names and addresses of this machine and of networks around it, where every public host is granted.
cases! { private:
    loopback => "127.0.0.1",
    loopback_other => "127.9.8.7",
    loopback_by_name => "localhost",
    loopback_as_one_number => "2130706433",
    loopback_in_hexadecimal => "0x7f000001",
    loopback_in_octal => "0177.0.0.1",
    loopback_in_two_parts => "127.1",
    loopback_v6 => "[::1]",
    loopback_v6_written_out => "[0:0:0:0:0:0:0:1]",
    loopback_v4_mapped => "[::ffff:127.0.0.1]",
    loopback_v4_mapped_in_hexadecimal => "[::ffff:7f00:1]",
    loopback_v4_compatible => "[::127.0.0.1]",
    loopback_by_nat64 => "[64:ff9b::7f00:1]",
    loopback_by_local_nat64 => "[64:ff9b:1::7f00:1]",
    loopback_by_local_nat64_in_disguise => "[64:ff9b:1:7f00:0:100:808:808]",
    loopback_by_6to4 => "[2002:7f00:1::1]",
    loopback_by_teredo => "[2001:0:7f00:1::1]",
    unspecified => "0.0.0.0",
    unspecified_short => "0",
    unspecified_v6 => "[::]",
    metadata_service => "169.254.169.254",
    metadata_service_v4_mapped => "[::ffff:169.254.169.254]",
    metadata_service_v6 => "[fd00:ec2::254]",
    private_ten => "10.0.0.1",
    private_172 => "172.31.255.254",
    private_192 => "192.168.0.1",
    carrier_network => "100.64.0.1",
    link_local_v6 => "[fe80::1]",
    unique_local_v6 => "[fc00::1]",
    site_local_v6 => "[fec0::1]",
    broadcast => "255.255.255.255",
    multicast => "224.0.0.1",
    multicast_v6 => "[ff02::1]",
    discard_only_v6 => "[100::1]",
    relay_6to4 => "192.88.99.1",
    documentation => "192.0.2.1",
    documentation_v6 => "[2001:db8::1]",
    documentation_v6_new => "[3fff::1]",
    protocols => "192.0.0.1",
    benchmarks => "198.18.0.1",
    reserved => "240.0.0.1",
}

/// Nothing but the address is wrong; it is judged after the rules have agreed.
async fn private(case: &str, host: &str) {
    let server = Rogue::start(rogue::polite);
    // `localhost` is granted by its name too: that it means this machine is only seen when it is looked up.
    let granted = ["*", "localhost"].map(|host| rule(host, server.port()));
    let outcome = ask(granted.to_vec(), "authority", &format!("{host}:{}", server.port())).await;
    assert_eq!(failure(&outcome), "DestinationIpProhibited", "{case}");
    let [denial] = outcome.denials.as_slice() else { panic!("{:?}", outcome.denials) };
    assert_eq!((denial.capability, denial.reason.contains("not a public one")), ("http", true), "{denial:?}");
    assert_eq!(server.connections(), 0);
}

// A block that is wider than any private one grants no private address in passing.
cases! { wide_block:
    block_of_every_address => "0.0.0.0/0",
    block_of_half_of_them => "0.0.0.0/1",
    block_just_too_wide => "126.0.0.0/7",
}

async fn wide_block(case: &str, block: &str) {
    let server = Rogue::start(rogue::polite);
    let outcome = ask(vec![rule(block, server.port())], "authority", &server.authority()).await;
    assert_eq!(failure(&outcome), "DestinationIpProhibited", "{case}");
    assert_eq!(server.connections(), 0);
}
