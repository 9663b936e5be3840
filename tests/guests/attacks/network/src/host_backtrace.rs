//! What an error says of itself: where in the host it came up is not for guests.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::outgoing_handler;
use attack_kit::wasip2::http::types::Method;
use attack_kit::wasip2::io::streams::StreamError;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt { method: Method::Post, ..Attempt::get(target) };
    attempt.fields.append("content-length", b"2").map_err(attack_kit::name)?;
    let (request, options) = attempt.request()?;
    let outgoing = request.body().expect("a body");
    let _future = outgoing_handler::handle(request, Some(options)).map_err(attack_kit::name)?;
    let stream = outgoing.write().expect("a stream");
    match stream.blocking_write_and_flush(b"more than two bytes") {
        Err(StreamError::LastOperationFailed(error)) => Err(error.to_debug_string()),
        other => Ok(format!("{other:?}")),
    }
}
