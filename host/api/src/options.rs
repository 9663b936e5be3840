//! What an operator can set. Nothing here has a default that means "no limit".

use std::time::Duration;

use crate::host_check::AllowedHosts;

/// How requests are treated.
#[derive(Clone, Debug)]
pub struct ApiOptions {
    /// The names that this host is known by.
    pub hosts: AllowedHosts,
    /// Bytes that the body of a request may have.
    pub body_limit: usize,
    /// Bytes that the bodies of all requests under way may have together. A
    /// parsed body can take some twenty times as much memory.
    pub bodies_limit: usize,
    /// How long the body of a request may take to come in.
    pub body_timeout: Duration,
    /// Whether callers on this very machine need no key. They may read and execute.
    pub allow_unauthenticated_loopback: bool,
}

impl ApiOptions {
    /// Four mebibytes a body, 64 for all of them, 30 s for each, and no caller without a key.
    pub fn new(hosts: AllowedHosts) -> Self {
        Self {
            hosts,
            body_limit: 4 << 20,
            bodies_limit: 64 << 20,
            body_timeout: Duration::from_secs(30),
            allow_unauthenticated_loopback: false,
        }
    }
}

/// How connections are treated.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Connections at the same time; more wait in the system's queue.
    pub max_connections: usize,
    /// How long the head of a request may take to come in; so long may a kept
    /// connection be idle too.
    pub header_timeout: Duration,
    /// Bytes that the head of a request may have.
    pub max_header_bytes: usize,
    /// How long a client may take no byte of its answer.
    pub write_timeout: Duration,
    /// How long requests under way may take to end after a shutdown began.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    /// So many connections fit into the 1024 files that many systems give a
    /// process; half a minute is long for a network, and short for a client that
    /// only means to hold a place.
    fn default() -> Self {
        Self {
            max_connections: 960,
            header_timeout: Duration::from_secs(30),
            max_header_bytes: 32 << 10,
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(30),
        }
    }
}
