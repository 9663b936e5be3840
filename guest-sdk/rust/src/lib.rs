//! What a skill in Rust asks its host for.
//!
//! A skill is a WebAssembly component, and a component can do nothing but call
//! what it imports. This library wraps three standard imports in plain blocking
//! functions:
//!
//! | module | imports |
//! |---|---|
//! | [`http`] | `wasi:http/outgoing-handler` and `types`, `@0.2` |
//! | [`state`] | `wasi:keyvalue/store` and `atomics`, `@0.2.0-draft` |
//! | [`config`] | `wasi:config/store@0.2.0-rc.1` |
//!
//! A module adds imports to a skill only where the skill calls it: what a
//! reviewer sees among a component's imports is what its code can reach.
//!
//! Nothing here grants anything. A skill that was not granted a host or a bucket
//! gets an error, and that refusal is a case of its own: `Denied`.

pub mod config;
pub mod http;
pub mod state;
