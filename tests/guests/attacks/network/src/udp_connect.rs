//! A datagram from a socket that was not bound, but connected.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use attack_kit::wasip2::sockets::udp_create_socket::create_udp_socket;

pub fn attack(target: &str) -> Tried {
    let port = target.parse().expect("a port");
    let socket = create_udp_socket(IpAddressFamily::Ipv4).map_err(attack_kit::socket_error)?;
    let to = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    socket.stream(Some(to)).map_err(attack_kit::socket_error)?;
    Ok("connected".to_owned())
}
