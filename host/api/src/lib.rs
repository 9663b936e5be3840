//! The REST interface, over axum: a handler extracts, calls one function, converts.
//!
//! [`router`] makes the routes, [`serve()`] the connections, [`openapi()`] the
//! document that describes both. Every error leaves as a problem document, made
//! in `problem.rs`; every domain type leaves as a wire type, made in `convert.rs`.

pub mod auth;
pub mod host_check;
pub mod options;
pub mod problem;
pub mod state;
pub mod time;

mod agents;
mod answer;
mod approvals;
mod audit;
mod body;
mod content;
mod control;
mod convert;
mod execute;
mod extract;
mod grants;
mod guard;
mod health;
mod observe;
mod openapi;
mod packages;
mod page;
mod router;
mod runs;
mod serve;
mod skills;
mod storage;
mod ws;

pub use auth::caller::{Owner, Peer};
pub use axum::Router;
pub use control::{ControlClient, Pieces, serve_control};
pub use openapi::openapi;
pub use router::router;
pub use serve::serve;
pub use storage::StorageError;
