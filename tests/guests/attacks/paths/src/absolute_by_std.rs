//! The path of the file on the host, as a standard library opens it.

use attack_kit::Tried;
use std::io::ErrorKind;

pub fn attack(target: &str) -> Tried {
    std::fs::read_to_string(target).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => "not there".to_owned(),
        _ => error.to_string(),
    })
}
