//! A question that would write over what the person sees beside it.

use attack_kit::Tried;

pub fn attack(_: &str) -> Tried {
    for summary in ["", " ", "two\nlines", "\u{1b}[2Jgone", "\r over", "\u{9b}1m"] {
        match crate::ask(summary, "{}") {
            Err(crate::approvals::Error::InvalidQuestion(_)) => {}
            other => return Ok(format!("{summary:?}: {other:?}")),
        }
    }
    Err("InvalidQuestion".to_owned())
}
