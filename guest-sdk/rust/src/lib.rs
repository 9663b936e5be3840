//! What a skill in Rust asks its host for, and what it exports beyond plain functions.
//!
//! A skill is a WebAssembly component, and a component can do nothing but call
//! what it imports. These modules wrap imports in plain blocking functions:
//!
//! | module | imports |
//! |---|---|
//! | [`http`] | `wasi:http/outgoing-handler` and `types`, `@0.2` |
//! | [`state`] | `wasi:keyvalue/store` and `atomics`, `@0.2.0-draft` |
//! | [`config`] | `wasi:config/store@0.2.0-rc.1` |
//! | [`log`] | `wasi:logging/logging@0.1.0-draft` |
//! | [`progress`], [`skills`], [`models`], [`approvals`] | the interface of that name of `bailiwick:skill@0.1.0` |
//!
//! A module adds imports to a skill only where the skill calls it: what a
//! reviewer sees among a component's imports is what its code can reach.
//!
//! Nothing here grants anything. A skill that was not granted a host or a bucket
//! gets an error, and that refusal is a case of its own: `Denied`.
//!
//! A skill exports plain functions by its own WIT. What these can't say is an interface
//! of `bailiwick:skill@0.1.0`: implement the trait `Guest` of [`tools`], [`prompts`],
//! [`resources`] or [`workflow`], and name the type to the macro `export_tools!`,
//! `export_prompts!`, `export_resources!` or `export_workflow!`.

pub mod approvals;
pub mod config;
pub mod http;
pub mod log;
pub mod models;
pub mod progress;
pub mod prompts;
pub mod resources;
pub mod skills;
pub mod state;
pub mod tools;
pub mod workflow;

pub use prompts::bindings::export_prompts;
pub use resources::bindings::export_resources;
pub use tools::bindings::export_tools;
pub use workflow::bindings::export_workflow;
