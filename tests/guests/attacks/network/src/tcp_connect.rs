//! A connection by TCP, past every rule for requests.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::instance_network::instance_network;
use attack_kit::wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use attack_kit::wasip2::sockets::tcp_create_socket::create_tcp_socket;

pub fn attack(target: &str) -> Tried {
    let port = target.parse().expect("a port");
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(attack_kit::socket_error)?;
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    socket.start_connect(&instance_network(), address).map_err(attack_kit::socket_error)?;
    socket.subscribe().block();
    let (_, output) = socket.finish_connect().map_err(attack_kit::socket_error)?;
    output.blocking_write_and_flush(b"GET /page HTTP/1.0\r\n\r\n").map_err(attack_kit::name)?;
    Ok("connected".to_owned())
}
