//! Zeroes that the host has to make, without end in one request.

use attack_kit::Tried;
use attack_kit::wasip2::cli::stdout::get_stdout;

pub fn attack(_: &str) -> Tried {
    get_stdout().write_zeroes(1 << 40).map_err(attack_kit::name)?;
    Ok("a tebibyte of zeroes".to_owned())
}
