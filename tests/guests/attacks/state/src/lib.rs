//! State: that of others, and more of it than there is room for.

mod bucket_handles;
mod cursor_flood;
mod cursor_forged;
mod fill_the_disk;
mod increment_past_the_end;
mod increment_text;
mod key_of_another;
mod keys_of_another;
mod large_value;
mod long_key;
mod many_in_a_batch;
mod one_key_a_thousand_times;
mod open;
mod open_long;
mod open_other;

use bindings::wasi::keyvalue::{atomics, batch, store};

mod bindings {
    wit_bindgen::generate!({ world: "wasi:keyvalue/imports", path: "../../../../wit/keyvalue" });
}

/// The name of an error.
fn name(error: store::Error) -> String {
    attack_kit::name(error)
}

attack_kit::cases! {
    bucket_handles,
    cursor_flood,
    cursor_forged,
    fill_the_disk,
    increment_past_the_end,
    increment_text,
    key_of_another,
    keys_of_another,
    large_value,
    long_key,
    many_in_a_batch,
    one_key_a_thousand_times,
    open,
    open_long,
    open_other,
}
