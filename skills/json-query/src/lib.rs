//! JSON with the jq language: query, validate, format, diff, pointer.

mod builtins;
mod diff;
mod failure;
mod filter;
mod json;
mod limits;
mod number;
mod options;
mod parse;
mod pointer;
mod query;
mod run;
mod text;
mod value;
mod write;

mod bindings {
    wit_bindgen::generate!({ world: "skill", path: "wit" });
    export!(Tools);

    /// What the component exports.
    pub struct Tools;
}

use bindings::Tools;
use bindings::exports::bailiwick::json_query::tools as wit;
use failure::{invalid_argument, too_large};
use json::Json;
use limits::MAX_DUPLICATES;
use wit::{Difference, Failure, FormatOptions, LinesAnswer, LinesOptions, QueryAnswer, QueryOptions, Style, Validity};
use write::Layout;

impl wit::Guest for Tools {
    fn query(filter: String, input: String, options: Option<QueryOptions>) -> Result<QueryAnswer, Failure> {
        query::text(&filter, &input, options.unwrap_or(options::QUERY))
    }

    fn query_lines(filter: String, input: String, options: Option<LinesOptions>) -> Result<LinesAnswer, Failure> {
        query::lines(&filter, &input, options.unwrap_or(options::LINES))
    }

    fn validate(input: String) -> Result<Validity, Failure> {
        match parse::one("input", &input) {
            Ok(value) => {
                Ok(Validity { valid: true, problem: None, duplicate_keys: diff::duplicates(&value, MAX_DUPLICATES) })
            }
            Err(Failure::InvalidJson(problem)) => {
                Ok(Validity { valid: false, problem: Some(problem), duplicate_keys: Vec::new() })
            }
            Err(failure) => Err(failure),
        }
    }

    fn format(input: String, options: Option<FormatOptions>) -> Result<String, Failure> {
        let layout = layout(options.unwrap_or(options::FORMAT))?;
        write::text(&parse::one("input", &input)?, layout)
    }

    fn diff(before: String, after: String) -> Result<Difference, Failure> {
        let before = parse::one("before", &before)?;
        let after = parse::one("after", &after)?;
        let operations = diff::patch(&before, &after)?;
        let count = u32::try_from(operations.len())
            .map_err(|_| too_large("the patch has more operations than can be counted"))?;
        let patch = write::text(&Json::Array(operations), write::COMPACT)?;
        Ok(Difference { patch, operations: count })
    }

    fn pointer(input: String, pointer: String) -> Result<String, Failure> {
        let value = parse::one("input", &input)?;
        write::text(pointer::get(&value, &pointer)?, write::COMPACT)
    }
}

fn layout(options: FormatOptions) -> Result<Layout, Failure> {
    let indent = options.indent.unwrap_or(2);
    if !(1..=8).contains(&indent) {
        return Err(invalid_argument(format!("indent is {indent}, but must be from 1 to 8")));
    }
    let pretty = options.style.unwrap_or(Style::Pretty) == Style::Pretty;
    Ok(Layout { indent: pretty.then(|| usize::from(indent)), sort_keys: options.sort_keys.unwrap_or(false) })
}
