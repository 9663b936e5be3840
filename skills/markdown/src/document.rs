//! Markdown as a tree, by comrak.

use std::time::{Duration, Instant};

use comrak::nodes::Node;
use comrak::{Arena, Options, format_html, try_parse_document};

use crate::exports::bailiwick::markdown::tools::{Failure, RawHtml};
use crate::front_matter::{self, Split};

/// Larger than almost any document that people write by hand.
pub const MAX_BYTES: usize = 1024 * 1024;

/// Markdown can be written so that reading it takes time by its square. Honest
/// documents take milliseconds.
const MAX_PARSE_TIME: Duration = Duration::from_secs(3);

/// Markup can make a node of every byte. This is several times what documents
/// of the largest size have, and its tree takes some 70 MiB.
const MAX_NODES: usize = 400_000;

/// How to write HTML.
pub struct Html {
    pub raw_html: RawHtml,
    pub heading_ids: bool,
    pub hard_breaks: bool,
}

/// A parsed document without its front matter.
#[derive(Clone, Copy)]
pub struct Document<'a> {
    pub root: Node<'a>,
    lines_before: usize,
}

impl Document<'_> {
    /// The line that a node begins on, from 1, in the whole document.
    pub fn line(&self, node: Node<'_>) -> u32 {
        let line = node.data().sourcepos.start.line + self.lines_before;
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

/// Parses a document and answers what `take` finds in it.
pub fn read<T>(markdown: &str, take: impl FnOnce(Document<'_>) -> T) -> Result<T, Failure> {
    parse(markdown, &options(), take)
}

pub fn to_html(markdown: &str, html: Html) -> Result<String, Failure> {
    let mut options = options();
    options.render.r#unsafe = html.raw_html == RawHtml::Keep;
    options.render.escape = html.raw_html == RawHtml::Escape;
    options.render.hardbreaks = html.hard_breaks;
    options.extension.header_id_prefix = html.heading_ids.then(String::new);
    let mut out = String::new();
    parse(markdown, &options, |document| format_html(document.root, &options, &mut out))?
        // Writing to a string cannot fail; the signature is that of any writer.
        .map_err(|error| Failure::TooComplex(format!("the HTML could not be written: {error}")))?;
    Ok(out)
}

pub fn check_size(markdown: &str) -> Result<(), Failure> {
    match markdown.len() {
        size if size <= MAX_BYTES => Ok(()),
        size => Err(Failure::TooLarge(format!("the document has {size} bytes; at most {MAX_BYTES} are read"))),
    }
}

fn parse<T>(markdown: &str, options: &Options<'_>, take: impl FnOnce(Document<'_>) -> T) -> Result<T, Failure> {
    check_size(markdown)?;
    let Split { body, lines_before, .. } = front_matter::split(markdown);
    let arena = Arena::new();
    let began = Instant::now();
    let too_much = || began.elapsed() > MAX_PARSE_TIME || arena.len() > MAX_NODES;
    let root = try_parse_document(&arena, body, options, &too_much).map_err(|_| {
        Failure::TooComplex(format!("reading the document took more than {MAX_PARSE_TIME:?} or {MAX_NODES} nodes"))
    })?;
    Ok(take(Document { root, lines_before }))
}

fn options() -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.strikethrough = true;
    extension.table = true;
    extension.autolink = true;
    extension.tasklist = true;
    extension.footnotes = true;
    extension.alerts = true;
    options
}
