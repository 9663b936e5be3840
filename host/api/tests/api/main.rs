//! The REST interface, from outside: the real registry, grants and executor
//! behind it, and only the sandbox and the clock are stand-ins.

mod access;
mod catalog;
mod execute;
mod host;
mod keys;
mod openapi;
mod runs;
mod sandbox;
mod serve;
mod ws;
