//! The data at the beginning of a document.

use serde_json::{Map, Value};
use serde_saphyr::{Budget, NonFiniteFloatPolicy, RenderOptions, SnippetMode, UserMessageFormatter};

use crate::document::check_size;
use crate::exports::bailiwick::markdown::tools::{Failure, FrontMatterBlock, FrontMatterFormat};

/// A document in its two parts.
pub struct Split<'a> {
    pub front_matter: Option<Found<'a>>,
    pub body: &'a str,
    /// How many lines stand before the body.
    pub lines_before: usize,
}

/// Front matter as it is written, without the lines around it.
pub struct Found<'a> {
    format: FrontMatterFormat,
    text: &'a str,
}

/// Far more than a person writes there. A few lines of YAML that refer to each
/// other can stand for very much, so what comes out is bounded as well.
const MAX_FRONT_MATTER_BYTES: usize = 64 * 1024;
const MAX_YAML_NODES: usize = 20_000;
const MAX_YAML_TEXT_BYTES: usize = 512 * 1024;

/// The line that opens front matter, of which there is one.
const OPENING_LINES: u64 = 1;

/// Takes a document apart. A `---` before an empty line is a rule across the
/// page and opens nothing, as in Pandoc.
pub fn split(markdown: &str) -> Split<'_> {
    let markdown = markdown.trim_start_matches('\u{feff}');
    let whole = Split { front_matter: None, body: markdown, lines_before: 0 };
    let mut lines = markdown.split_inclusive('\n');
    let opening = lines.next().unwrap_or("");
    let Some(format) = opened(opening) else {
        return whole;
    };
    let mut end = opening.len();
    for (number, line) in lines.enumerate() {
        if number == 0 && line.trim().is_empty() {
            return whole;
        }
        if closes(format, line) {
            return Split {
                front_matter: Some(Found { format, text: &markdown[opening.len()..end] }),
                body: &markdown[end + line.len()..],
                lines_before: number + 2,
            };
        }
        end += line.len();
    }
    whole
}

pub fn read(markdown: &str) -> Result<Option<FrontMatterBlock>, Failure> {
    check_size(markdown)?;
    let split = split(markdown);
    let Some(found) = split.front_matter else {
        return Ok(None);
    };
    if found.text.len() > MAX_FRONT_MATTER_BYTES {
        return Err(Failure::TooLarge(format!(
            "the front matter has {} bytes; at most {MAX_FRONT_MATTER_BYTES} are read",
            found.text.len()
        )));
    }
    let value = match found.format {
        FrontMatterFormat::Yaml => yaml(found.text)?,
        FrontMatterFormat::Toml => toml(found.text)?,
    };
    Ok(Some(FrontMatterBlock {
        format: found.format,
        json: value.to_string(),
        body_line: u32::try_from(split.lines_before + 1).unwrap_or(u32::MAX),
    }))
}

fn opened(line: &str) -> Option<FrontMatterFormat> {
    match line.trim_end() {
        "---" => Some(FrontMatterFormat::Yaml),
        "+++" => Some(FrontMatterFormat::Toml),
        _ => None,
    }
}

fn closes(format: FrontMatterFormat, line: &str) -> bool {
    match format {
        FrontMatterFormat::Yaml => matches!(line.trim_end(), "---" | "..."),
        FrontMatterFormat::Toml => line.trim_end() == "+++",
    }
}

fn yaml(text: &str) -> Result<Value, Failure> {
    let mut budget = Budget::default();
    budget.max_nodes = MAX_YAML_NODES;
    budget.max_total_scalar_bytes = MAX_YAML_TEXT_BYTES;
    let mut options = serde_saphyr::Options::default();
    options.budget = Some(budget);
    options.non_finite_float_policy = NonFiniteFloatPolicy::PassThrough;
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let mut shown = RenderOptions::default();
        shown.formatter = &UserMessageFormatter;
        shown.snippets = SnippetMode::Off;
        shown.line_offset = OPENING_LINES;
        Failure::InvalidFrontMatter(format!("the YAML is not valid: {}", error.render_with_options(shown)))
    })
}

fn toml(text: &str) -> Result<Value, Failure> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().map_or("", |span| &text[..span.start]);
        Failure::InvalidFrontMatter(format!(
            "the TOML is not valid: {} at line {}",
            error.message(),
            before.matches('\n').count() as u64 + 1 + OPENING_LINES
        ))
    })?;
    Ok(Value::Object(json_object(table)))
}

fn json_object(table: toml::Table) -> Map<String, Value> {
    table.into_iter().map(|(key, value)| (key, json_value(value))).collect()
}

/// The depth is bounded: the parser refuses values nested more than 80 deep.
fn json_value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json_value).collect(),
        toml::Value::Table(table) => Value::Object(json_object(table)),
    }
}
