//! Graphs, written as text: `a` is a node, `b?` an optional one, `c|` one that joins any;
//! `a>b` is an edge, `a>b:yes` one that is taken where the output contains `yes`, and `a>b!`
//! one that is taken by a failure.

mod grow;
mod invalid;
mod progress;
mod property;
mod template;
mod written;

use super::{Condition, Edge, Graph, Join, Node};

fn graph(text: &str) -> Graph {
    let (edges, nodes): (Vec<&str>, Vec<&str>) = text.split_whitespace().partition(|item| item.contains('>'));
    Graph { nodes: nodes.into_iter().map(node).collect(), edges: edges.into_iter().map(edge).collect() }
}

fn node(text: &str) -> Node {
    Node {
        id: text.trim_end_matches(['?', '|']).to_owned(),
        agent: "ada".to_owned(),
        run: None,
        input: String::new(),
        join: if text.contains('|') { Join::Any } else { Join::All },
        optional: text.contains('?'),
        plans: false,
    }
}

fn edge(text: &str) -> Edge {
    let (from, rest) = text.split_once('>').expect("an edge");
    let (to, when) = match (rest.strip_suffix('!'), rest.split_once(':')) {
        (Some(to), _) => (to, Some(Condition::Failed {})),
        (None, Some((to, text))) => (to, Some(Condition::Contains { text: text.to_owned() })),
        (None, None) => (rest, None),
    };
    Edge { from: from.to_owned(), to: to.to_owned(), label: None, when }
}

/// The agents of these tests.
fn is_agent(name: &str) -> bool {
    name == "ada" || name == "bob"
}
