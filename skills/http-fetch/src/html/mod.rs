//! From HTML to what a reader wants of it.

mod content;
mod dom;
mod parse;
mod render;

pub mod page;
