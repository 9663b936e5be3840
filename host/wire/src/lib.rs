//! What crosses the network: the messages of the REST interface.
//!
//! The types here are apart from the domain's, so that neither can change the
//! other unseen. A request that says something unknown is an error; a client
//! that reads an answer should pass over members that it doesn't know, because
//! later releases add some.

pub mod agent;
pub mod approval;
pub mod audit;
pub mod content;
pub mod execute;
pub mod grant;
pub mod health;
pub mod observe;
pub mod package;
pub mod permission;
pub mod problem;
pub mod receipt;
pub mod run;
pub mod skill;
pub mod socket;
