//! A configuration file as a tree that remembers where each part stands.

use std::ops::Range;
use std::path::PathBuf;

use super::error::{Position, Problem};
use super::key_path::{KeyPath, Step};

/// Most characters of a value that a message shows.
const MAX_EXCERPT_CHARS: usize = 60;

/// The language of a document, for hints that show how to write something in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Toml,
    Yaml,
}

/// A file that could be parsed.
pub(super) struct Document {
    file: PathBuf,
    text: String,
    pub(super) syntax: Syntax,
    /// The table at the top.
    pub(super) root: Node,
}

/// A value with its place in the text.
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) content: Content,
}

/// What a value is.
pub(super) enum Content {
    Text(String),
    Integer(i64),
    Boolean(bool),
    /// A scalar that no key takes as it is, such as `a date`.
    Other(&'static str),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key and its value; keys of one table differ.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) node: Node,
}

impl Node {
    /// The value of `key`, where this is a table that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Table(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node),
            _ => None,
        }
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        match (step, &self.content) {
            (Step::Key(key), _) => self.get(key),
            (Step::Index(index), Content::List(nodes)) => nodes.get(*index),
            (Step::Index(_), _) => None,
        }
    }
}

impl Document {
    pub(super) const fn new(file: PathBuf, text: String, syntax: Syntax, root: Node) -> Self {
        Self { file, text, syntax, root }
    }

    /// A problem with the value at `path`, or with its table where it is missing.
    pub(super) fn problem(&self, path: &KeyPath, message: impl AsRef<str>) -> Problem {
        let mut node = &self.root;
        for step in path.steps() {
            match node.step(step) {
                Some(inner) => node = inner,
                None => break,
            }
        }
        self.problem_at(node.span.start, path, message)
    }

    /// A problem at a byte of the text.
    pub(super) fn problem_at(&self, offset: usize, path: &KeyPath, message: impl AsRef<str>) -> Problem {
        let position = Position::of(&self.text, offset);
        Problem::new(self.file.clone(), position, &path.to_string(), message.as_ref())
    }

    /// The source text of a scalar.
    pub(super) fn source(&self, node: &Node) -> &str {
        self.text.get(node.span.clone()).unwrap_or_default()
    }

    /// A value as messages show it, with its type where the text doesn't tell.
    pub(super) fn found(&self, node: &Node) -> String {
        let source = || excerpt(self.source(node));
        match &node.content {
            Content::Table(_) => "a table".to_owned(),
            Content::List(nodes) if nodes.is_empty() => "an empty list".to_owned(),
            Content::List(nodes) if nodes.len() == 1 => "a list of 1 entry".to_owned(),
            Content::List(nodes) => format!("a list of {} entries", nodes.len()),
            Content::Text(_) => format!("the string {}", source()),
            Content::Integer(_) => format!("the integer {}", source()),
            Content::Boolean(_) => source(),
            Content::Other(kind) => format!("{kind} {}", source()),
        }
    }
}

/// The first characters of a text's first line, in backticks.
pub(super) fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_EXCERPT_CHARS) {
        Some((end, _)) => format!("`{}…`", &line[..end]),
        None if line.len() < text.trim_end().len() => format!("`{line}…`"),
        None => format!("`{line}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(excerpt("a b"), "`a b`");
        assert_eq!(excerpt("a\nb"), "`a…`");
        assert_eq!(excerpt(&"é".repeat(100)), format!("`{}…`", "é".repeat(MAX_EXCERPT_CHARS)));
    }
}
