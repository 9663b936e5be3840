//! The nouns of Bailiwick and the rules between them.
//!
//! Nothing here touches a disk, a network, a clock or a runtime: what needs
//! one of these stands behind a trait (`Clock`, `Model`, `Sandbox`, `SecretStore`, `Services`, `StateStore`,
//! `Tracer`) that another crate implements. So the rules of authority can be read, and
//! tested, on their own.

pub mod authority;
pub mod breaker;
pub mod clock;
pub mod component;
pub mod digest;
pub mod grant;
pub mod invocation;
pub mod limits;
pub mod manifest;
pub mod model;
pub mod observation;
pub mod permit;
pub mod quota;
pub mod receipt;
pub mod redact;
pub mod run;
pub mod sandbox;
pub mod secret;
pub mod services;
pub mod skill_id;
pub mod span;
pub mod state;
pub mod text;
pub mod trace;
pub mod units;
pub mod usage;
pub mod wit;
pub mod workspace;
