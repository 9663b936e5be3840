//! Graphs that grow while they run.

use super::{edge, graph, is_agent};
use crate::run::graph::{Graph, MAX_NODES};

/// What `more` makes of `a -> b -> c`, of which only `c` still waits.
fn grown(more: &str) -> Result<Graph, String> {
    graph("a b c a>b b>c").with(graph(more), is_agent, |id| id == "c").map_err(|problem| problem.to_string())
}

#[test]
fn what_is_new_follows_on_what_is_old() {
    let whole = grown("d e a>d d>e d>c").expect("a graph");
    assert_eq!(whole, graph("a b c d e a>b b>c a>d d>e d>c"));
    let only_edges = grown("a>c").expect("a graph");
    assert_eq!(only_edges.edges.last(), Some(&edge("a>c")));
}

#[test]
fn what_has_begun_gets_nothing_new_to_wait_for() {
    let cases = [
        ("d d>b", "edge `d -> b`: `b` waits no longer, so that nothing new can lead to it"),
        ("d d>c c>a", "nodes wait for each other: a -> b -> c -> a"),
        ("a", "the node `a` is there twice"),
        ("d d>x", "edge `d -> x`: there is no node `x`"),
        ("b>c", "the edge `b -> c` is there twice, with the same label and condition"),
    ];
    for (more, words) in cases {
        assert_eq!(grown(more), Err(words.to_owned()), "{more}");
    }
}

#[test]
fn a_graph_grows_no_larger_than_it_may_be() {
    let nodes: Vec<String> = (0..MAX_NODES).map(|node| format!("n{node}")).collect();
    assert_eq!(grown(&nodes.join(" ")), Err("1003 nodes: expected at most 1000".to_owned()));
}
