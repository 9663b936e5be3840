//! JSON to values of the Component Model and back. An input that begins with `{` is
//! `{"type": …, "value": …}`; any other is read as choices of a type and of JSON
//! that mostly fits it.

mod choices;
mod meaning;

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use bailiwick_domain::wit::{Case, Field, WitType};
use bailiwick_sandbox::fuzzing::{Refused, echo};
use serde::Deserialize;
use serde_json::{Value, json};

/// The parameter that the value is given for.
const PARAM: &str = "x";

/// An input that a person can read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "type")]
    ty: WitType,
    value: Value,
}

/// Sends JSON through a type: what comes back means the same, or an error says
/// where it does not fit; and which of both it is, a second reading decides.
pub fn check(input: &[u8]) {
    let (ty, value) = if input.starts_with(b"{") {
        let Ok(Written { ty, value }) = serde_json::from_slice(input) else { return };
        (ty, value)
    } else {
        let mut u = Unstructured::new(input);
        let Ok(ty) = choices::ty(&mut u, choices::DEPTH) else { return };
        let Ok(value) = choices::value(&mut u, &ty) else { return };
        (ty, value)
    };
    if is_declarable(&ty) {
        crosses_unchanged_or_not_at_all(&ty, &value);
    }
}

fn crosses_unchanged_or_not_at_all(ty: &WitType, value: &Value) {
    let params = [Field { name: PARAM.to_owned(), ty: ty.clone(), docs: None }];
    let arguments = json!({ PARAM: value });
    let meant = meaning::of(ty, value);
    match echo(&params, &arguments, usize::MAX) {
        Ok(texts) => {
            let [Some(text)] = texts.as_slice() else { panic!("one value without a limit is {texts:?}") };
            let meant = meant.unwrap_or_else(|| panic!("it does not fit, and was taken for {text}: {value}"));
            let back: Value = serde_json::from_str(text).expect("what is written is JSON");
            assert_eq!(meaning::of(ty, &back), Some(meant), "{value} became {text}");
            let again = echo(&params, &json!({ PARAM: back }), usize::MAX);
            assert_eq!(again, Ok(vec![Some(text.clone())]), "it is written differently");
            assert_eq!(echo(&params, &arguments, text.len()), Ok(vec![Some(text.clone())]));
            assert_eq!(echo(&params, &arguments, text.len() - 1), Ok(vec![None]), "longer than the limit: {text}");
        }
        Err(Refused { path, problem }) => {
            assert_eq!(meant, None, "it fits, and was refused: {path}: {problem}");
            the_place_is_there(&arguments, &path, &problem);
        }
    }
}

/// An error's path leads to what is wrong, or to where something is missing.
fn the_place_is_there(arguments: &Value, path: &str, problem: &str) {
    assert!(!problem.is_empty(), "refused, and nobody knows why");
    if arguments.pointer(path).is_some() {
        assert!(!problem.starts_with("missing"), "{path} is there: {problem}");
        return;
    }
    let (parent, _) = path.rsplit_once('/').unwrap_or_else(|| panic!("{path} is no pointer"));
    let parent = arguments.pointer(parent);
    assert!(parent.is_some_and(Value::is_object), "{path} leads nowhere: {problem}");
    assert!(problem.starts_with("missing"), "{path} is not there: {problem}");
}

/// Whether a component can declare such a type: names differ, and what is a choice has one.
fn is_declarable(ty: &WitType) -> bool {
    let all = |types: &[Option<&WitType>]| types.iter().flatten().all(|ty| is_declarable(ty));
    let cases = |cases: &[Case]| {
        let types: Vec<_> = cases.iter().map(|case| case.ty.as_ref()).collect();
        !cases.is_empty() && differ(cases.iter().map(|case| &case.name)) && all(&types)
    };
    let bare = |cases: &[Case]| cases.iter().all(|case| case.ty.is_none());
    match ty {
        WitType::List(inner) | WitType::Option(inner) => is_declarable(inner),
        WitType::Tuple(types) => !types.is_empty() && types.iter().all(is_declarable),
        WitType::Result { ok, err } => all(&[ok.as_deref(), err.as_deref()]),
        WitType::Record { fields, .. } => {
            let types = fields.iter().all(|field| is_declarable(&field.ty));
            !fields.is_empty() && differ(fields.iter().map(|field| &field.name)) && types
        }
        WitType::Variant { cases: declared, .. } => cases(declared),
        WitType::Enum { cases: declared, .. } | WitType::Flags { flags: declared, .. } => {
            bare(declared) && cases(declared)
        }
        _ => true,
    }
}

fn differ<'a>(names: impl Iterator<Item = &'a String>) -> bool {
    let mut seen = BTreeSet::new();
    names.into_iter().all(|name| seen.insert(name))
}
