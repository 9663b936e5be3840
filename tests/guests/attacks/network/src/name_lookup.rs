//! A name looked up, which tells whoever answers for it what the guest knows.

use attack_kit::Tried;
use attack_kit::wasip2::sockets::instance_network::instance_network;
use attack_kit::wasip2::sockets::ip_name_lookup::resolve_addresses;

pub fn attack(target: &str) -> Tried {
    let found = resolve_addresses(&instance_network(), target).map_err(attack_kit::socket_error)?;
    found.subscribe().block();
    let address = found.resolve_next_address().map_err(attack_kit::socket_error)?;
    Ok(format!("{address:?}"))
}
