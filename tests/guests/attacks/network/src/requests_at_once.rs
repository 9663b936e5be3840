//! Requests that are begun and not waited for, each with a connection of its own.

use attack_kit::Tried;
use attack_kit::http::Attempt;
use attack_kit::wasip2::http::outgoing_handler;

pub fn attack(target: &str) -> Tried {
    let mut begun = Vec::new();
    loop {
        let (request, options) = Attempt::get(target).request()?;
        begun.push(outgoing_handler::handle(request, Some(options)).map_err(attack_kit::name)?);
        if begun.len() == 150 {
            break;
        }
    }
    let refused = begun.iter().filter(|future| {
        future.subscribe().block();
        matches!(future.get(), Some(Ok(Err(_))))
    });
    Err(format!("{} of {} refused", refused.count(), begun.len()))
}
