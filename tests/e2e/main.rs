//! End to end: real guests in the real sandbox, and the real binary as its users meet it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod cli;
mod client;
mod host;
mod hostile;
mod observe;
mod rest;
mod sandbox;
mod secrets;
mod settings;
mod shell;
mod skills;
mod web;
