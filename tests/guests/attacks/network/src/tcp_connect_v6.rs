//! A connection by TCP over IPv6.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::instance_network::instance_network;
use attack_kit::wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv6SocketAddress};
use attack_kit::wasip2::sockets::tcp_create_socket::create_tcp_socket;

pub fn attack(target: &str) -> Tried {
    let port = target.parse().expect("a port");
    let socket = create_tcp_socket(IpAddressFamily::Ipv6).map_err(attack_kit::socket_error)?;
    let address = (0, 0, 0, 0, 0, 0, 0, 1);
    let address = IpSocketAddress::Ipv6(Ipv6SocketAddress { port, flow_info: 0, address, scope_id: 0 });
    socket.start_connect(&instance_network(), address).map_err(attack_kit::socket_error)?;
    socket.subscribe().block();
    socket.finish_connect().map_err(attack_kit::socket_error)?;
    Ok("connected".to_owned())
}
