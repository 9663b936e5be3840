//! A graph as a picture.

use std::fmt::Write as _;

use super::wiring::places;
use super::{Condition, Edge, Graph, Join, Node};

/// Characters of a text that a picture shows: as many as an id has.
const MAX_SHOWN: usize = 64;

impl Graph {
    /// A flowchart in the language of Mermaid. Nodes that join any are hexagons, those with a
    /// strategy of their own have double sides, optional
    /// ones have dashed borders, and edges that are taken by a failure are dotted. Nodes are
    /// named by their places, because ids may be words of the language.
    pub fn to_mermaid(&self) -> String {
        let places = places(self);
        let mut lines = vec!["flowchart TD".to_owned()];
        lines.extend(self.nodes.iter().enumerate().map(|(place, node)| node_line(place, node)));
        for edge in &self.edges {
            if let (Some(from), Some(to)) = (places.get(edge.from.as_str()), places.get(edge.to.as_str())) {
                lines.push(edge_line(*from, *to, edge));
            }
        }
        let optional = self.nodes.iter().enumerate().filter(|(_, node)| node.optional);
        lines.extend(optional.map(|(place, _)| format!("    style n{place} stroke-dasharray: 4 4")));
        lines.join("\n") + "\n"
    }
}

fn node_line(place: usize, node: &Node) -> String {
    let who = match &node.run {
        Some(strategy) => strategy.name(),
        None => node.agent.as_str(),
    };
    let words = format!("{}<br/>{}", escaped(&node.id), escaped(who));
    match node.join {
        Join::All if node.run.is_some() => format!("    n{place}[[\"{words}\"]]"),
        Join::All => format!("    n{place}[\"{words}\"]"),
        Join::Any => format!("    n{place}{{{{\"{words}\"}}}}"),
    }
}

fn edge_line(from: usize, to: usize, edge: &Edge) -> String {
    let arrow = if edge.when == Some(Condition::Failed {}) { "-.->" } else { "-->" };
    let words: Vec<String> = edge.label.as_deref().map(escaped).into_iter().chain(condition(edge)).collect();
    if words.is_empty() {
        format!("    n{from} {arrow} n{to}")
    } else {
        format!("    n{from} {arrow}|\"{}\"| n{to}", words.join(", "))
    }
}

/// When the edge is taken, where its label or its line doesn't say it.
fn condition(edge: &Edge) -> Option<String> {
    match edge.when.as_ref()? {
        Condition::Always {} | Condition::MatchesLabel {} => None,
        Condition::Contains { text } => Some(format!("contains: {}", escaped(text))),
        Condition::Equals { text } => Some(format!("is: {}", escaped(text))),
        Condition::Failed {} => Some("failed".to_owned()),
    }
}

/// The beginning of a text. What may mean something to Mermaid or HTML stands there by its
/// number.
fn escaped(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ',' | ':' | '!' | '?');
    let mut escaped = String::new();
    for c in text.chars().take(MAX_SHOWN) {
        if is_plain(c) {
            escaped.push(c);
        } else if c.is_control() {
            escaped.push(' ');
        } else {
            // Writing to a text can't fail.
            let _ = write!(escaped, "#{};", u32::from(c));
        }
    }
    if text.chars().nth(MAX_SHOWN).is_some() {
        escaped.push_str("...");
    }
    escaped
}
