//! What an author works with, before any server sees the skill.
//!
//! [`new`] writes a package from a template, and [`build`] makes its component by
//! the toolchain of its language. What both need of this project (the libraries
//! for authors, the interfaces of the host) is [`embedded`] in the binary, so that
//! an author needs nothing of it but that. [`check`], [`cases`] and [`inspect`] say
//! what is wrong, what is right, and what is in a component.
//!
//! Nothing here knows an engine or a network: components are read behind the domain's
//! `Sandbox`, calls are made by an `Executor`, and the binary puts both together.

pub mod bench;
pub mod build;
pub mod cases;
pub mod check;
pub mod component;
pub mod embedded;
pub mod files;
pub mod finding;
pub mod inspect;
pub mod interfaces;
pub mod names;
pub mod new;
pub mod shown;
pub mod sources;
pub mod toolchain;
pub mod watch;
pub mod wit;
