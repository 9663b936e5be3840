//! Types for the tests to name, and random ones.

use bailiwick_domain::wit::{Answer, Case, Field, ToolSignature, WitType};
use proptest::prelude::*;

/// Deepest random type, its size, and the most parts of one type.
const SHAPE: (u32, u32, u32) = (4, 32, 4);

pub(crate) fn field(name: &str, ty: WitType) -> Field {
    Field { name: name.to_owned(), ty, docs: None }
}

pub(crate) fn case(name: &str, ty: Option<WitType>) -> Case {
    Case { name: name.to_owned(), ty, docs: None }
}

pub(crate) fn record(fields: Vec<Field>) -> WitType {
    WitType::Record { docs: None, fields }
}

pub(crate) fn variant(cases: Vec<Case>) -> WitType {
    WitType::Variant { docs: None, cases }
}

pub(crate) fn enumeration(names: &[&str]) -> WitType {
    WitType::Enum { docs: None, cases: names.iter().map(|name| case(name, None)).collect() }
}

pub(crate) fn flags(names: &[&str]) -> WitType {
    WitType::Flags { docs: None, flags: names.iter().map(|name| case(name, None)).collect() }
}

pub(crate) fn list(item: WitType) -> WitType {
    WitType::List(Box::new(item))
}

pub(crate) fn option(inner: WitType) -> WitType {
    WitType::Option(Box::new(inner))
}

pub(crate) fn result(ok: Option<WitType>, err: Option<WitType>) -> WitType {
    WitType::Result { ok: ok.map(Box::new), err: err.map(Box::new) }
}

/// A tool that takes `params` and answers `output`.
pub(crate) fn tool(params: Vec<Field>, answer: Answer) -> ToolSignature {
    ToolSignature {
        name: "run".to_owned(),
        interface: Some("demo:note/tools@0.1.0".to_owned()),
        function: "run".to_owned(),
        docs: None,
        params,
        answer,
    }
}

/// A tool that answers one value of `ty`.
pub(crate) fn tool_that_answers(ty: WitType) -> ToolSignature {
    tool(Vec::new(), Answer::Value(Some(ty)))
}

/// Any type.
pub(crate) fn any_type() -> impl Strategy<Value = WitType> {
    let (depth, size, parts) = SHAPE;
    any_leaf().prop_recursive(depth, size, parts, move |inner| {
        let parts = 1..=parts as usize;
        prop_oneof![
            inner.clone().prop_map(list),
            inner.clone().prop_map(option),
            prop::collection::vec(inner.clone(), parts.clone()).prop_map(WitType::Tuple),
            prop::collection::vec(inner.clone(), parts.clone()).prop_map(|types| record(fields(types))),
            prop::collection::vec(prop::option::of(inner.clone()), parts).prop_map(|types| variant(cases(types))),
            (prop::option::of(inner.clone()), prop::option::of(inner)).prop_map(|(ok, err)| result(ok, err)),
        ]
    })
}

fn any_leaf() -> impl Strategy<Value = WitType> {
    let scalars = [
        WitType::Bool,
        WitType::S8,
        WitType::U8,
        WitType::S16,
        WitType::U16,
        WitType::S32,
        WitType::U32,
        WitType::S64,
        WitType::U64,
        WitType::F32,
        WitType::F64,
        WitType::Char,
        WitType::String,
        list(WitType::U8),
    ];
    let names = ["red", "dark-green", "b"];
    prop_oneof![
        8 => prop::sample::select(scalars.to_vec()),
        1 => (1..=names.len()).prop_map(move |count| enumeration(&names[..count])),
        1 => (1..=names.len()).prop_map(move |count| flags(&names[..count])),
    ]
}

fn name(index: usize) -> String {
    format!("part-{index}")
}

pub(crate) fn fields(types: Vec<WitType>) -> Vec<Field> {
    types.into_iter().enumerate().map(|(index, ty)| field(&name(index), ty)).collect()
}

fn cases(types: Vec<Option<WitType>>) -> Vec<Case> {
    types.into_iter().enumerate().map(|(index, ty)| case(&name(index), ty)).collect()
}
