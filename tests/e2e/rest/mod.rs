//! The REST interface of the real server.

mod approvals;
mod audit;
mod calls;
mod catalog;
mod crash;
mod foreign;
mod idempotency;
mod large;
mod lifecycle;
mod problems;
mod reload;
