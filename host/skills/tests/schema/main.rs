//! JSON Schemas of tools: the mapping from types, what narrows, and what a violation says.

mod derive;
mod narrow;
mod types;
mod validator;
mod values;
