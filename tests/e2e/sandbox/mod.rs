//! The sandbox by its own seam: guests, types, limits, capabilities, cache.

mod cache;
mod capabilities;
mod components;
pub(crate) mod lab;
mod limits;
mod quotas;
mod types;
mod workspaces;
