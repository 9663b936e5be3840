//! What was not granted of settings, and what lies around the process.

mod all_settings;
mod arguments;
mod environment;
mod folders;
mod host_clock;
mod seed;
mod setting_not_granted;
mod stdin;
mod terminals;
mod working_folder;

use bindings::wasi::config::store;

mod bindings {
    wit_bindgen::generate!({ world: "config", path: "../../../../guest-sdk/rust/wit", generate_all });
}

attack_kit::cases! {
    all_settings,
    arguments,
    environment,
    folders,
    host_clock,
    seed,
    setting_not_granted,
    stdin,
    terminals,
    working_folder,
}
