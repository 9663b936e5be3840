//! Calls that would never end.

mod file_calls;
mod file_that_never_ends;
mod host_calls;
mod naps;
mod poll_nothing;
mod recurse;
mod sleep;
mod sleep_until;
mod spin;
mod stdin;

attack_kit::cases! {
    file_calls,
    file_that_never_ends,
    host_calls,
    naps,
    poll_nothing,
    recurse,
    sleep,
    sleep_until,
    spin,
    stdin,
}
