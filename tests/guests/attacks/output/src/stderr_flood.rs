//! Lines without end on stderr, in pieces as large as the guest can make them.

use attack_kit::Tried;
use attack_kit::wasip2::cli::stderr::get_stderr;

pub fn attack(_: &str) -> Tried {
    let out = get_stderr();
    let piece = vec![b'x'; 8 << 20];
    for _ in 0..8 {
        out.write(&piece).map_err(attack_kit::name)?;
    }
    Err("64 MiB written".to_owned())
}
