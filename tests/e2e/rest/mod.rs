//! The REST interface of the real server.

mod calls;
mod catalog;
mod foreign;
mod idempotency;
mod lifecycle;
mod problems;
mod reload;
