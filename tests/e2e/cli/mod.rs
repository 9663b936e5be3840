//! The command line, as people and scripts meet it.

mod exits;
mod grants;
mod json;
mod looks;
