//! A document as text without markup.

use comrak::arena_tree::NodeEdge;
use comrak::nodes::{ListType, Node, NodeLink, NodeValue};

/// Lists and notes inside each other deeper than this are indented as if they
/// were this deep: the spaces would outgrow the text.
const MAX_INDENTS: usize = 16;

pub fn text(root: Node<'_>, link_urls: bool) -> String {
    let mut writer = Writer::default();
    for edge in root.traverse() {
        match edge {
            NodeEdge::Start(node) => enter(&mut writer, node, link_urls),
            NodeEdge::End(node) => leave(&mut writer, node),
        }
    }
    writer.out.push('\n');
    if writer.out == "\n" {
        writer.out.clear();
    }
    writer.out
}

/// The text of a node that holds inlines, its lines kept.
pub fn inline_text(root: Node<'_>, link_urls: bool) -> String {
    let mut text = String::new();
    for edge in root.traverse() {
        match edge {
            NodeEdge::Start(node) => match &node.data().value {
                NodeValue::Text(literal) => text.push_str(literal),
                NodeValue::Code(code) => text.push_str(&code.literal),
                NodeValue::SoftBreak => text.push(' '),
                NodeValue::LineBreak => text.push('\n'),
                NodeValue::FootnoteReference(note) => {
                    text.push_str(&format!("[{}]", note.name));
                }
                _ => {}
            },
            NodeEdge::End(node) => {
                if let NodeValue::Link(link) = &node.data().value
                    && link_urls
                    && !shows_url(&text, link)
                {
                    text.push_str(&format!(" ({})", link.url));
                }
            }
        }
    }
    text
}

/// Whether the text ends with the address already, as that of a bare link does.
fn shows_url(text: &str, link: &NodeLink) -> bool {
    let address = link.url.trim_start_matches("mailto:");
    text.ends_with(address.trim_start_matches("http://"))
}

fn enter(writer: &mut Writer, node: Node<'_>, link_urls: bool) {
    match &node.data().value {
        NodeValue::Paragraph | NodeValue::Heading(_) => {
            writer.write(&inline_text(node, link_urls));
        }
        NodeValue::CodeBlock(code) => writer.write(code.literal.trim_end_matches('\n')),
        NodeValue::ThematicBreak => writer.write("---"),
        NodeValue::Alert(alert) => {
            let title = alert.title.clone();
            writer.write(&title.unwrap_or_else(|| alert.alert_type.default_title().to_owned()));
        }
        NodeValue::TableRow(_) => {
            writer.tight(!is_first(node));
            let cells = node.children().map(|cell| inline_text(cell, link_urls));
            writer.write(&cells.collect::<Vec<_>>().join(" | "));
        }
        NodeValue::Item(_) => {
            writer.tight(list_is_tight(node) && (!is_first(node) || is_nested(node)));
            let mark = writer.item_mark();
            writer.indent(mark);
        }
        NodeValue::TaskItem(task) => {
            writer.tight(list_is_tight(node) && (!is_first(node) || is_nested(node)));
            let state = if task.symbol.is_some() { "[x] " } else { "[ ] " };
            let mark = writer.item_mark() + state;
            writer.indent(mark);
        }
        NodeValue::List(list) => writer.lists.push(match list.list_type {
            ListType::Bullet => None,
            ListType::Ordered => Some(list.start),
        }),
        NodeValue::FootnoteDefinition(note) => writer.indent(format!("[{}] ", note.name)),
        _ => {}
    }
}

fn leave(writer: &mut Writer, node: Node<'_>) {
    match node.data().value {
        NodeValue::Item(_) | NodeValue::TaskItem(_) | NodeValue::FootnoteDefinition(_) => {
            writer.indents.pop();
        }
        NodeValue::List(_) => {
            writer.lists.pop();
        }
        _ => {}
    }
}

fn is_first(node: Node<'_>) -> bool {
    node.previous_sibling().is_none()
}

fn list_is_tight(item: Node<'_>) -> bool {
    item.parent().is_some_and(|list| match &list.data().value {
        NodeValue::List(list) => list.tight,
        _ => false,
    })
}

/// Whether the list of an item stands in another item.
fn is_nested(item: Node<'_>) -> bool {
    item.parent()
        .and_then(|list| list.parent())
        .is_some_and(|around| matches!(around.data().value, NodeValue::Item(_) | NodeValue::TaskItem(_)))
}

/// What stands before the lines of an item: its mark before the first, spaces
/// before the others.
struct Indent {
    mark: String,
    used: bool,
}

#[derive(Default)]
struct Writer {
    out: String,
    indents: Vec<Indent>,
    /// For each open list the number of its next item, where it has numbers.
    lists: Vec<Option<usize>>,
    tight: bool,
}

impl Writer {
    /// Whether the next block follows without an empty line.
    fn tight(&mut self, tight: bool) {
        self.tight = tight;
    }

    fn write(&mut self, block: &str) {
        if block.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            self.out.push_str(if self.tight { "\n" } else { "\n\n" });
        }
        self.tight = false;
        for (number, line) in block.split('\n').enumerate() {
            if number > 0 {
                self.out.push('\n');
            }
            self.write_line(line);
        }
    }

    fn write_line(&mut self, line: &str) {
        let begin = self.out.len();
        for indent in self.indents.iter_mut().take(MAX_INDENTS) {
            if std::mem::replace(&mut indent.used, true) {
                self.out.extend(indent.mark.chars().map(|_| ' '));
            } else {
                self.out.push_str(&indent.mark);
            }
        }
        self.out.push_str(line.trim_end());
        let end = begin + self.out[begin..].trim_end().len();
        self.out.truncate(end);
    }

    fn indent(&mut self, mark: String) {
        self.indents.push(Indent { mark, used: false });
    }

    fn item_mark(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => "- ".to_owned(),
        }
    }
}
