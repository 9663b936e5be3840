//! The headings of a document.

use comrak::Anchorizer;
use comrak::nodes::NodeValue;

use crate::document::Document;
use crate::exports::bailiwick::markdown::tools::Heading;

pub fn headings(document: Document<'_>) -> Vec<Heading> {
    let mut anchors = Anchorizer::new();
    document
        .root
        .descendants()
        .filter_map(|node| {
            let NodeValue::Heading(heading) = node.data().value else {
                return None;
            };
            let text = node.collect_text();
            Some(Heading { level: heading.level, anchor: anchors.anchorize(&text), text, line: document.line(node) })
        })
        .collect()
}
