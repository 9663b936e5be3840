//! Fields by which a request could say that it is for another host, or where it ends.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    let attempt = Attempt::get(target);
    let names = [
        "host",
        "Host",
        "connection",
        "transfer-encoding",
        "upgrade",
        "keep-alive",
        "proxy-authorization",
        "http2-settings",
    ];
    let taken: Vec<_> = names.into_iter().filter(|name| attempt.fields.append(name, b"hidden").is_ok()).collect();
    if taken.is_empty() { Err("each was refused".to_owned()) } else { Ok(taken.join(" ")) }
}
