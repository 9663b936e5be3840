//! From the YAML of a front matter to a document.
//!
//! Two choices keep YAML's surprises out. Every scalar is text, as in the
//! reference reader of the Agent Skills format, so that `version: 1.10` stays
//! what was written. Aliases, tags and directives are refused: no front matter
//! needs one, and without aliases nothing can grow while it is read.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::document::{Content, Entry, Node};

/// Deepest nesting of the front matter, which has two levels where it is valid.
const MAX_DEPTH: usize = 16;

/// Most keys of one mapping; each is compared with those before it.
const MAX_KEYS: usize = 256;

/// What is wrong with a text, and at which byte.
pub(super) struct Fault {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// The tree of `text[range]`, with places counted in `text`. No YAML at all is an empty table.
pub(super) fn parse(text: &str, range: Range<usize>) -> Result<Node, Fault> {
    let options = granit_parser::options! {
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let empty = Node { span: range.start..range.start, content: Content::Table(Vec::new()) };
    let base = range.start;
    let yaml = text.get(range).unwrap_or_default();
    let mut source = Source { events: Parser::new_from_str_with_options(yaml, options), base };
    let mut root = None;
    loop {
        match source.next()? {
            (Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _) => {}
            (Event::StreamEnd, _) => return Ok(root.unwrap_or(empty)),
            (event, place) if root.is_none() => root = Some(source.node(event, place)?),
            (_, place) => return Err(fault(place.start, "found a second document, expected one")),
        }
    }
}

struct Source<'t> {
    events: Parser<'t, StrInput<'t>>,
    /// Where the YAML begins in the whole text.
    base: usize,
}

/// A place in the whole text.
type Place = Range<usize>;

impl<'t> Source<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Place), Fault> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, self.place(span))),
            Some(Err(error)) => {
                let offset = self.base + error.marker().byte_offset().unwrap_or_default();
                Err(fault(offset, &format!("not YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, self.base..self.base)),
        }
    }

    fn place(&self, span: Span) -> Place {
        let range = span.byte_range().unwrap_or_default();
        self.base + range.start..self.base + range.end
    }

    /// The node that `event` begins. The parser's own limits bound the recursion.
    fn node(&mut self, event: Event<'t>, place: Place) -> Result<Node, Fault> {
        let (content, anchor, tagged) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style, &place), anchor, tag.is_some()),
            Event::SequenceStart(_, anchor, tag) => (Content::List(self.list()?), anchor, tag.is_some()),
            Event::MappingStart(_, anchor, tag) => (Content::Table(self.table()?), anchor, tag.is_some()),
            _ => return Err(fault(place.start, "found an alias, expected the value itself: aliases are refused")),
        };
        if anchor != 0 {
            return Err(fault(place.start, "found an anchor, expected a plain value: anchors and aliases are refused"));
        }
        if tagged {
            return Err(fault(place.start, "found a tag, expected a plain value: tags are refused"));
        }
        Ok(Node { span: place, content })
    }

    fn list(&mut self) -> Result<Vec<Node>, Fault> {
        let mut nodes = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(nodes),
                (event, place) => nodes.push(self.node(event, place)?),
            }
        }
    }

    fn table(&mut self) -> Result<Vec<Entry>, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(entries);
            }
            let key = self.node(event, place)?;
            let Content::Text(text) = key.content else {
                return Err(fault(key.span.start, "found a list or a mapping as a key, expected a string"));
            };
            if entries.iter().any(|entry| entry.key == text) {
                return Err(fault(key.span.start, &format!("found the key `{text}` again, expected each key once")));
            }
            if entries.len() == MAX_KEYS {
                return Err(fault(key.span.start, &format!("found more than {MAX_KEYS} keys, expected fewer")));
            }
            let (event, place) = self.next()?;
            let node = self.node(event, place)?;
            entries.push(Entry { key: text, key_span: key.span, node });
        }
    }
}

/// All scalars are text but those that say that there is no value. One that was
/// left out is reported as `~` by the parser, and has no place of its own.
fn scalar(text: &str, style: ScalarStyle, place: &Place) -> Content {
    match text {
        _ if style != ScalarStyle::Plain => Content::Text(text.to_owned()),
        "~" if place.is_empty() => Content::Text(String::new()),
        "~" | "null" => Content::Other("the null"),
        text => Content::Text(text.to_owned()),
    }
}

fn fault(offset: usize, message: &str) -> Fault {
    Fault { offset, message: message.to_owned() }
}
