//! A server of the guest's own.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::instance_network::instance_network;
use attack_kit::wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use attack_kit::wasip2::sockets::tcp_create_socket::create_tcp_socket;

pub fn attack(_: &str) -> Tried {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(attack_kit::socket_error)?;
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, address: (0, 0, 0, 0) });
    socket.start_bind(&instance_network(), address).map_err(attack_kit::socket_error)?;
    socket.finish_bind().map_err(attack_kit::socket_error)?;
    socket.start_listen().map_err(attack_kit::socket_error)?;
    socket.finish_listen().map_err(attack_kit::socket_error)?;
    Ok("listening".to_owned())
}
