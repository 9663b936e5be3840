//! Skills on a real disk, grants in a real file, a real journal; only the
//! sandbox and the clock are stand-ins.

mod execute;
mod grant_file;
mod grants;
mod idempotency;
mod policy;
mod registry;
mod script;
mod skill;
mod support;
mod watch;
