//! Sockets made and none dropped: each would be a file of the host.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::network::IpAddressFamily;
use attack_kit::wasip2::sockets::tcp_create_socket::create_tcp_socket;

pub fn attack(_: &str) -> Tried {
    let mut held = Vec::new();
    while held.len() < 100_000 {
        held.push(create_tcp_socket(IpAddressFamily::Ipv4).map_err(attack_kit::name)?);
    }
    Ok(format!("{} sockets", held.len()))
}
