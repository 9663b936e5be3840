//! Skills on a real disk, grants in a real journal; only the
//! sandbox and the clock are stand-ins.

mod approvals;
mod audit;
mod execute;
mod grant_file;
mod grants;
mod idempotency;
mod observe;
mod policy;
mod registry;
mod script;
mod skill;
mod support;
mod watch;
