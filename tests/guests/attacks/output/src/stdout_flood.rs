//! Lines without end on stdout.

use attack_kit::Tried;
use attack_kit::wasip2::cli::stdout::get_stdout;

pub fn attack(_: &str) -> Tried {
    let out = get_stdout();
    for _ in 0..4096 {
        out.blocking_write_and_flush(&[b'x'; 4096]).map_err(attack_kit::name)?;
    }
    Err("16 MiB written".to_owned())
}
