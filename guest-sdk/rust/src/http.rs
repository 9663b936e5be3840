//! A blocking HTTP client over `wasi:http/outgoing-handler@0.2`.
//!
//! ```no_run
//! # fn main() -> Result<(), bailiwick_guest::http::Error> {
//! use std::time::Duration;
//! use bailiwick_guest::http::Request;
//!
//! let response = Request::get("https://example.com/rates?base=EUR")
//!     .header("accept", "application/json")
//!     .timeout(Duration::from_secs(5))
//!     .max_response_bytes(64 * 1024)
//!     .send()?;
//! if response.is_success() {
//!     let rates = response.text();
//! }
//! # Ok(()) }
//! ```
//!
//! Redirects are never followed here: each would be a request to another
//! address, which is for the skill to decide and for the host to check again.
//! [`Response::location`] says where a redirect leads.

mod error;
mod exchange;
mod request;
mod response;
mod target;

pub use error::Error;
pub use request::{DEFAULT_MAX_RESPONSE_BYTES, DEFAULT_TIMEOUT, MAX_URL_BYTES, MIN_TIMEOUT, Method, Request};
pub use response::Response;
