//! A datagram.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::instance_network::instance_network;
use attack_kit::wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use attack_kit::wasip2::sockets::udp::OutgoingDatagram;
use attack_kit::wasip2::sockets::udp_create_socket::create_udp_socket;

pub fn attack(target: &str) -> Tried {
    let port = target.parse().expect("a port");
    let socket = create_udp_socket(IpAddressFamily::Ipv4).map_err(attack_kit::socket_error)?;
    let any = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: 0, address: (0, 0, 0, 0) });
    socket.start_bind(&instance_network(), any).map_err(attack_kit::socket_error)?;
    socket.finish_bind().map_err(attack_kit::socket_error)?;
    let (_, outgoing) = socket.stream(None).map_err(attack_kit::socket_error)?;
    let to = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    outgoing.check_send().map_err(attack_kit::socket_error)?;
    let datagram = OutgoingDatagram { data: b"hello".to_vec(), remote_address: Some(to) };
    outgoing.send(&[datagram]).map_err(attack_kit::socket_error)?;
    Ok("sent".to_owned())
}
