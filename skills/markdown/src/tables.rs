//! The tables of a document.

use comrak::nodes::{Node, NodeValue, TableAlignment};

use crate::document::Document;
use crate::exports::bailiwick::markdown::tools::{Alignment, Table};
use crate::plain::inline_text;

pub fn tables(document: Document<'_>) -> Vec<Table> {
    document.root.descendants().filter_map(|node| table(document, node)).collect()
}

fn table(document: Document<'_>, node: Node<'_>) -> Option<Table> {
    let NodeValue::Table(properties) = &node.data().value else {
        return None;
    };
    let mut rows = node.children().map(cells);
    Some(Table {
        header: rows.next().unwrap_or_default(),
        rows: rows.collect(),
        alignment: properties.alignments.iter().map(alignment).collect(),
        line: document.line(node),
    })
}

fn cells(row: Node<'_>) -> Vec<String> {
    row.children().map(|cell| inline_text(cell, false)).collect()
}

fn alignment(alignment: &TableAlignment) -> Alignment {
    match alignment {
        TableAlignment::None => Alignment::None,
        TableAlignment::Left => Alignment::Left,
        TableAlignment::Center => Alignment::Center,
        TableAlignment::Right => Alignment::Right,
    }
}
