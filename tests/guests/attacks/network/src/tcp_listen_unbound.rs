//! A server on whatever port the system gives, without a word of where.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::network::IpAddressFamily;
use attack_kit::wasip2::sockets::tcp_create_socket::create_tcp_socket;

pub fn attack(_: &str) -> Tried {
    let socket = create_tcp_socket(IpAddressFamily::Ipv4).map_err(attack_kit::socket_error)?;
    socket.start_listen().map_err(attack_kit::socket_error)?;
    socket.finish_listen().map_err(attack_kit::socket_error)?;
    Ok("listening".to_owned())
}
