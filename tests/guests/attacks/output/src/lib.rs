//! Output that is too much, or made to deceive.

mod escaped_result;
mod exit;
mod huge_failure;
mod huge_result;
mod log_forgery;
mod panic;
mod stderr_flood;
mod stdout_flood;

attack_kit::cases! {
    escaped_result,
    exit,
    huge_failure,
    huge_result,
    log_forgery,
    panic,
    stderr_flood,
    stdout_flood,
}
