//! A path with the rest of a request behind a line break.

use attack_kit::Tried;
use attack_kit::http::Attempt;

pub fn attack(target: &str) -> Tried {
    for path in ["/page HTTP/1.1\r\nx-injected: yes\r\n\r\n", "/page\nx", "/page x", "page", "//hidden/page\r"] {
        if let Ok((request, _)) = (Attempt { path, ..Attempt::get(target) }).request() {
            return Ok(format!("{:?}", request.path_with_query()));
        }
    }
    Err("each was refused".to_owned())
}
