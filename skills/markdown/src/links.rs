//! The links and images of a document.

use comrak::nodes::{Node, NodeLink, NodeValue};

use crate::document::Document;
use crate::exports::bailiwick::markdown::tools::{Link, LinkKind};
use crate::plain::inline_text;

pub fn links(document: Document<'_>) -> Vec<Link> {
    document
        .root
        .descendants()
        .filter_map(|node| match &node.data().value {
            NodeValue::Link(target) => Some(link(document, node, target, LinkKind::Link)),
            NodeValue::Image(target) => Some(link(document, node, target, LinkKind::Image)),
            _ => None,
        })
        .collect()
}

fn link(document: Document<'_>, node: Node<'_>, target: &NodeLink, kind: LinkKind) -> Link {
    Link {
        kind,
        text: inline_text(node, false),
        url: target.url.clone(),
        title: (!target.title.is_empty()).then(|| target.title.clone()),
        line: document.line(node),
    }
}
