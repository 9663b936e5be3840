//! A body that ends before the length that its field says: the server waits for the rest.

use attack_kit::Tried;
use attack_kit::http::{Attempt, body, head};
use attack_kit::wasip2::http::outgoing_handler;
use attack_kit::wasip2::http::types::{Method, OutgoingBody};

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt { method: Method::Post, ..Attempt::get(target) };
    attempt.fields.append("content-length", b"100").map_err(attack_kit::name)?;
    let (request, options) = attempt.request()?;
    let outgoing = request.body().expect("a body");
    let future = outgoing_handler::handle(request, Some(options)).map_err(attack_kit::name)?;
    let stream = outgoing.write().expect("a stream");
    stream.blocking_write_and_flush(b"hi").map_err(attack_kit::name)?;
    drop(stream);
    OutgoingBody::finish(outgoing, None).map_err(attack_kit::name)?;
    body(&head(&future)?)
}
