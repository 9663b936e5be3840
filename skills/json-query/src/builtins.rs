//! The library that filters see: jaq's pure parts, with replacements for what
//! would panic, accept more than JSON, or reach outside.

mod encode;
mod math;
mod order;
mod regex;
mod time;
mod values;

use jaq_core::data::JustLut;
use jaq_core::load::{self, parse::Def};
use jaq_core::native::{Filter, Fun};
use jaq_core::{RunPtr, native};
use jaq_json::Val;

/// What filters run over: values, and no data from outside.
pub type Data = JustLut<Val>;

/// Builtins as they are written in a table: name, parameters, function.
type Table<const N: usize> = [Filter<RunPtr<Data>>; N];

/// Definitions in the jq language. Later ones replace earlier ones.
pub fn defs() -> impl Iterator<Item = Def<&'static str>> {
    let own = load::parse(include_str!("builtins/prelude.jq"), |parser| parser.defs());
    jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(own.into_iter().flatten())
}

/// Native builtins. The first of a name counts, so ours stand before jaq's.
pub fn funs() -> impl Iterator<Item = Fun<Data>> {
    let own = values::table()
        .into_iter()
        .chain(order::table())
        .chain(regex::table())
        .chain(encode::table())
        .chain(math::table())
        .chain(time::table());
    own.map(native::run::<Data>).chain(jaq_core::funs()).chain(jaq_std::base_funs()).chain(jaq_json::funs())
}

/// Names and numbers of arguments of all builtins.
pub fn signatures() -> impl Iterator<Item = (&'static str, usize)> {
    let defs = defs().map(|def| (def.name, def.args.len()));
    defs.chain(funs().map(|(name, parameters, _)| (name, parameters.len())))
}
