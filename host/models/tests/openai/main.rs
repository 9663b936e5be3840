//! The client against a server on this machine that writes what services write, byte by
//! byte where that matters.

mod answers;
mod failures;
mod quota;
mod server;
