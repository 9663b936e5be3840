//! Content as plain text whose blocks stay apart: paragraphs by an empty line,
//! headings, lists, quotes, code and tables as Markdown writes them.

use super::content::Selection;
use super::dom::{Descend, Document, Kind, NodeId, PerNode, Visit};

pub struct Rendered {
    pub text: String,
    pub truncated: bool,
}

/// More than a book; a page beyond it is a dump of data.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Quotes and lists inside each other deeper than this stay at this depth: the
/// marks before each line would outgrow the line.
const MAX_PREFIXES: usize = 8;

/// What opens and closes code, unless the code itself has as many backticks.
const MIN_FENCE: usize = 3;

/// Past this an ordered list cannot have been counted by a person.
const MAX_LIST_START: u32 = 999_999;

pub fn render(document: &Document, selection: &Selection) -> Rendered {
    let tables = data_tables(document, selection);
    let mut writer = Writer::default();
    selection.walk(document, |visit| {
        if writer.out.len() > MAX_TEXT_BYTES {
            return Descend::No;
        }
        match visit {
            Visit::Enter(id) => enter(&mut writer, document, selection, &tables, id),
            Visit::Leave(id) => {
                leave(&mut writer, document, id);
                Descend::Yes
            }
        }
    });
    writer.finish()
}

/// The text of a node on one line, as it is read: white space collapsed, blocks
/// apart by a space, images by their description.
pub fn inline_text(document: &Document, selection: &Selection, root: NodeId) -> String {
    let mut line = Line::default();
    document.walk(root, |visit| {
        let (Visit::Enter(id) | Visit::Leave(id)) = visit;
        if selection.has_dropped(id) {
            return Descend::No;
        }
        match document.kind(id) {
            Kind::Text(text) if visit == Visit::Enter(id) => line.push(text),
            Kind::Element(element) => match element.html_name() {
                "img" if visit == Visit::Enter(id) => push_image(&mut line, document, id),
                name if name == "br" || flow(name) != Flow::Inline => line.space(),
                _ => {}
            },
            _ => {}
        }
        Descend::Yes
    });
    line.text
}

/// How an element stands among its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Flow {
    Inline,
    /// On lines of its own.
    Line,
    /// With an empty line before and after.
    Paragraph,
}

fn flow(name: &str) -> Flow {
    match name {
        "article" | "blockquote" | "dl" | "figure" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "main" | "p"
        | "pre" | "section" | "table" => Flow::Paragraph,
        "address" | "aside" | "body" | "caption" | "center" | "dd" | "details" | "dir" | "div" | "dt" | "fieldset"
        | "figcaption" | "footer" | "form" | "header" | "hgroup" | "legend" | "li" | "menu" | "nav" | "ol"
        | "optgroup" | "option" | "summary" | "tbody" | "td" | "tfoot" | "th" | "thead" | "tr" | "ul" => Flow::Line,
        _ => Flow::Inline,
    }
}

fn heading_level(name: &str) -> Option<usize> {
    match name {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        "h4" => Some(4),
        "h5" => Some(5),
        "h6" => Some(6),
        _ => None,
    }
}

fn enter(
    writer: &mut Writer,
    document: &Document,
    selection: &Selection,
    tables: &PerNode<bool>,
    id: NodeId,
) -> Descend {
    if let Kind::Text(text) = document.kind(id) {
        writer.line.push(text);
        return Descend::Yes;
    }
    let name = document.name(id);
    writer.block(flow(name));
    match name {
        "br" => writer.end_line(),
        "img" => push_image(&mut writer.line, document, id),
        "q" => writer.line.push("\""),
        "hr" => {
            writer.line.push("---");
            writer.block(Flow::Paragraph);
        }
        "ul" | "menu" | "dir" => writer.enter_list(None),
        "ol" => writer.enter_list(Some(list_start(document, id))),
        "li" => writer.enter_item(),
        "blockquote" => writer.indent("> ".into(), "> ".into()),
        "dd" => writer.indent("  ".into(), "  ".into()),
        "pre" => {
            write_preformatted(writer, document, selection, id);
            return Descend::No;
        }
        "table" if tables[id] => {
            write_table(writer, document, selection, id);
            return Descend::No;
        }
        _ => {
            if let Some(level) = heading_level(name) {
                write_heading(writer, level, &inline_text(document, selection, id));
                return Descend::No;
            }
        }
    }
    Descend::Yes
}

fn leave(writer: &mut Writer, document: &Document, id: NodeId) {
    let name = document.name(id);
    writer.block(flow(name));
    match name {
        "q" => writer.line.push("\""),
        "ul" | "ol" | "menu" | "dir" => writer.leave_list(),
        "li" | "blockquote" | "dd" => writer.outdent(),
        _ => {}
    }
}

fn push_image(line: &mut Line, document: &Document, id: NodeId) {
    let described = document.attribute(id, "alt").map_or("", str::trim);
    if !described.is_empty() {
        line.push("[image: ");
        line.push(described);
        line.push("]");
    }
}

fn list_start(document: &Document, id: NodeId) -> u32 {
    document.attribute(id, "start").and_then(|start| start.trim().parse().ok()).unwrap_or(1).min(MAX_LIST_START)
}

fn write_heading(writer: &mut Writer, level: usize, text: &str) {
    if !text.is_empty() {
        writer.write_line(&format!("{} {text}", "#".repeat(level)));
        writer.block(Flow::Paragraph);
    }
}

fn write_preformatted(writer: &mut Writer, document: &Document, selection: &Selection, id: NodeId) {
    let mut text = String::new();
    document.walk(id, |visit| {
        if let Visit::Enter(inner) = visit {
            if selection.has_dropped(inner) {
                return Descend::No;
            }
            match document.kind(inner) {
                Kind::Text(piece) => text.push_str(piece),
                Kind::Element(element) if element.html_name() == "br" => text.push('\n'),
                _ => {}
            }
        }
        Descend::Yes
    });
    if text.trim().is_empty() {
        return;
    }
    let fence = "`".repeat(MIN_FENCE.max(longest_run_of_backticks(&text) + 1));
    writer.write_line(&fence);
    for line in text.trim_end().split('\n') {
        writer.write_line(line.trim_end_matches('\r'));
    }
    writer.write_line(&fence);
    writer.block(Flow::Paragraph);
}

fn longest_run_of_backticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

fn write_table(writer: &mut Writer, document: &Document, selection: &Selection, table: NodeId) {
    let mut row: Vec<String> = Vec::new();
    let mut only_headers = true;
    let mut rows = 0_usize;
    document.walk(table, |visit| {
        let (Visit::Enter(id) | Visit::Leave(id)) = visit;
        if selection.has_dropped(id) {
            return Descend::No;
        }
        match (visit, document.name(id)) {
            (Visit::Enter(_), "caption") => {
                writer.write_line(&inline_text(document, selection, id));
                writer.block(Flow::Paragraph);
                return Descend::No;
            }
            (Visit::Enter(_), "tr") => only_headers = true,
            (Visit::Enter(_), name @ ("td" | "th")) => {
                only_headers &= name == "th";
                row.push(inline_text(document, selection, id).replace('|', "\\|"));
                return Descend::No;
            }
            (Visit::Leave(_), "tr") => {
                let cells = std::mem::take(&mut row);
                if cells.iter().any(|cell| !cell.is_empty()) {
                    writer.write_line(&cells.join(" | "));
                    if rows == 0 && only_headers {
                        writer.write_line(&vec!["---"; cells.len()].join(" | "));
                    }
                    rows += 1;
                }
            }
            _ => {}
        }
        Descend::Yes
    });
    writer.block(Flow::Paragraph);
}

/// The tables that hold data: several rows of several cells, and in the cells
/// nothing but text. All others only place blocks on the page.
fn data_tables(document: &Document, selection: &Selection) -> PerNode<bool> {
    #[derive(Default)]
    struct Shape {
        rows: usize,
        cells: usize,
        widest: usize,
        has_blocks: bool,
    }
    let mut data = PerNode::new(document, false);
    let mut open: Vec<Shape> = Vec::new();
    selection.walk(document, |visit| {
        let (Visit::Enter(id) | Visit::Leave(id)) = visit;
        let name = document.name(id);
        let entering = visit == Visit::Enter(id);
        if let Some(table) = open.last_mut().filter(|_| entering) {
            match name {
                "tr" => {
                    table.rows += 1;
                    table.cells = 0;
                }
                "td" | "th" => {
                    table.cells += 1;
                    table.widest = table.widest.max(table.cells);
                }
                "table" | "ul" | "ol" | "dl" | "pre" | "blockquote" => table.has_blocks = true,
                name if heading_level(name).is_some() => table.has_blocks = true,
                _ => {}
            }
        }
        if name == "table" {
            if entering {
                open.push(Shape::default());
            } else if let Some(table) = open.pop() {
                data[id] = table.rows > 1 && table.widest > 1 && !table.has_blocks;
            }
        }
        Descend::Yes
    });
    data
}

/// One line as it grows, with white space collapsed.
#[derive(Default)]
struct Line {
    text: String,
    space: bool,
}

impl Line {
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                // A no-break space is for the layout. The others are marks for
                // line breaking and byte order, which a reader never sees.
                c if c.is_whitespace() => self.space(),
                '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
                c => {
                    if self.space {
                        self.text.push(' ');
                        self.space = false;
                    }
                    self.text.push(c);
                }
            }
        }
    }

    fn space(&mut self) {
        self.space = !self.text.is_empty();
    }

    fn take(&mut self) -> String {
        self.space = false;
        std::mem::take(&mut self.text)
    }
}

/// What stands before each line inside a quote or a list item.
struct Prefix {
    first: String,
    rest: String,
    used: bool,
}

#[derive(Default)]
struct Writer {
    out: String,
    line: Line,
    gap: Option<Flow>,
    prefixes: Vec<Prefix>,
    /// How many of the prefixes the last line and the next one have in common:
    /// an empty line inside a quote belongs to the quote.
    shared_prefixes: usize,
    /// For each open list the number of its next item, where it has numbers.
    lists: Vec<Option<u32>>,
}

impl Writer {
    /// Ends the line where a block begins or ends, and asks for the distance.
    fn block(&mut self, flow: Flow) {
        if flow != Flow::Inline {
            self.end_line();
            self.gap = self.gap.max(Some(flow));
        }
    }

    fn end_line(&mut self) {
        let line = self.line.take();
        if !line.is_empty() {
            self.write_line(&line);
        }
    }

    fn write_line(&mut self, line: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if self.gap == Some(Flow::Paragraph) {
                self.write_prefixed(self.shared_prefixes, "");
                self.out.push('\n');
            }
        }
        self.gap = None;
        self.shared_prefixes = self.prefixes.len();
        self.write_prefixed(self.prefixes.len(), line);
    }

    fn write_prefixed(&mut self, prefixes: usize, line: &str) {
        let begin = self.out.len();
        for prefix in self.prefixes.iter_mut().take(prefixes.min(MAX_PREFIXES)) {
            let used = std::mem::replace(&mut prefix.used, true);
            self.out.push_str(if used { &prefix.rest } else { &prefix.first });
        }
        self.out.push_str(line);
        let end = begin + self.out[begin..].trim_end().len();
        self.out.truncate(end);
    }

    fn indent(&mut self, first: String, rest: String) {
        self.prefixes.push(Prefix { first, rest, used: false });
    }

    fn outdent(&mut self) {
        self.prefixes.pop();
        self.shared_prefixes = self.shared_prefixes.min(self.prefixes.len());
    }

    fn enter_list(&mut self, start: Option<u32>) {
        if self.lists.is_empty() {
            self.block(Flow::Paragraph);
        }
        self.lists.push(start);
    }

    fn leave_list(&mut self) {
        self.lists.pop();
        if self.lists.is_empty() {
            self.block(Flow::Paragraph);
        }
    }

    fn enter_item(&mut self) {
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number += 1;
                mark
            }
            _ => "- ".to_owned(),
        };
        let rest = " ".repeat(mark.len());
        self.indent(mark, rest);
    }

    fn finish(mut self) -> Rendered {
        self.end_line();
        let truncated = self.out.len() > MAX_TEXT_BYTES;
        let end = self.out.floor_char_boundary(MAX_TEXT_BYTES);
        self.out.truncate(end);
        Rendered { text: self.out, truncated }
    }
}
