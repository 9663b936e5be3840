//! End to end: real guests in the real sandbox, and the real binary as its users meet it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod authoring;
mod authors;
mod cli;
mod client;
mod host;
mod hostile;
mod install;
mod observe;
mod plain;
mod rest;
mod runs;
mod sandbox;
mod secrets;
mod services;
mod settings;
mod shell;
mod skills;
mod web;
