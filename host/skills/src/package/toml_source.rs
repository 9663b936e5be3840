//! From TOML to a document.

use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::document::{Content, Document, Entry, Node, Syntax, excerpt};
use super::error::{Position, Problem};

/// Parses `text`; the one problem of a text that is not TOML is its first.
pub(super) fn parse(file: PathBuf, text: String) -> Result<Document, Problem> {
    let root = match DeTable::parse(&text) {
        // The top of the document is where a missing key is missed.
        Ok(table) => Node { span: 0..0, content: convert_table(table.into_inner()) },
        Err(error) => return Err(not_toml(file, &text, &error)),
    };
    Ok(Document::new(file, text, Syntax::Toml, root))
}

fn not_toml(file: PathBuf, text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or_default();
    let message = match text.get(span.clone()) {
        None | Some("") => format!("not TOML: {}", error.message()),
        Some(found) => format!("not TOML at {}: {}", excerpt(found), error.message()),
    };
    Problem::new(file, Position::of(text, span.start), "", &message)
}

/// The depth of the recursion is bounded by the parser's own limit on nesting.
fn convert_table(table: DeTable<'_>) -> Content {
    let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let key_span: Range<usize> = key.span();
        Entry { key: String::from(key.into_inner()), key_span, node: convert(value) }
    };
    Content::Table(table.into_iter().map(entry).collect())
}

fn convert(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let content = match value.into_inner() {
        DeValue::String(text) => Content::Text(text.into_owned()),
        DeValue::Integer(integer) => convert_integer(&integer),
        DeValue::Float(_) => Content::Other("the float"),
        DeValue::Boolean(boolean) => Content::Boolean(boolean),
        DeValue::Datetime(_) => Content::Other("the date"),
        DeValue::Array(array) => Content::List(array.into_iter().map(convert).collect()),
        DeValue::Table(table) => convert_table(table),
    };
    Node { span, content }
}

fn convert_integer(integer: &DeInteger<'_>) -> Content {
    match i64::from_str_radix(integer.as_str(), integer.radix()) {
        Ok(number) => Content::Integer(number),
        Err(_) => Content::Other("the integer beyond 64 bits"),
    }
}
