//! What makes no sense is said before anything begins, and always in the same words.

use super::{edge, graph, is_agent};
use crate::run::graph::{
    Condition, Graph, MAX_CONDITION, MAX_EDGES, MAX_LABEL, MAX_NODES, MAX_REFERENCES, MAX_TEMPLATE,
};

fn problem(graph: &Graph) -> String {
    graph.check(is_agent).expect_err("a graph that makes no sense").to_string()
}

/// `graph` with this template in its last node.
fn asked(text: &str, input: &str) -> Graph {
    let mut graph = graph(text);
    graph.nodes.last_mut().expect("a node").input = input.to_owned();
    graph
}

/// `a -> b` with this label and condition.
fn joined(label: Option<&str>, when: Option<Condition>) -> Graph {
    let mut graph = graph("a b a>b");
    graph.edges[0].label = label.map(str::to_owned);
    graph.edges[0].when = when;
    graph
}

#[test]
fn each_way_to_be_invalid_has_its_words() {
    let long = "x".repeat(65);
    let cases = [
        ("", "the graph has no nodes: expected one at least"),
        ("A", "`A` is no id of a node: expected 1 to 64 of a-z, 0-9, `_` and `-`"),
        ("?", "`` is no id of a node: expected 1 to 64 of a-z, 0-9, `_` and `-`"),
        ("input", "no node can be named `input`: in templates, that is what the run was asked"),
        ("a b a", "the node `a` is there twice"),
        ("a a>x", "edge `a -> x`: there is no node `x`"),
        ("a y>a", "edge `y -> a`: there is no node `y`"),
        ("a b a>b:", "edge `a -> b`: every output contains an empty text"),
        ("a b a>b a>b", "the edge `a -> b` is there twice, with the same label and condition"),
        ("a b a>b! a>b:no a>b!", "the edge `a -> b` is there twice, with the same label and condition"),
        ("a a>a", "nodes wait for each other: a -> a"),
        ("a b a>b b>a", "nodes wait for each other: a -> b -> a"),
        ("r c b a z r>c c>a a>b b>c c>z", "nodes wait for each other: c -> a -> b -> c"),
        ("z a b a>b b>a a>z", "nodes wait for each other: a -> b -> a"),
    ];
    for (text, words) in cases {
        assert_eq!(problem(&graph(text)), words, "{text}");
    }
    assert_eq!(
        problem(&graph(&long)),
        format!("`{}` is no id of a node: expected 1 to 64 of a-z, 0-9, `_` and `-`", &long[1..])
    );
}

#[test]
fn labels_agents_and_templates_have_theirs() {
    let matches = || Some(Condition::MatchesLabel {});
    let unknown = {
        let mut graph = graph("a b");
        graph.nodes[1].agent = "eve".to_owned();
        graph
    };
    let many = "{{input}}".repeat(MAX_REFERENCES + 1);
    let cases = [
        (unknown, "node `b`: no agent is named `eve`"),
        (joined(Some(" "), None), "edge `a -> b`: its label is blank or has control characters"),
        (joined(Some("a\nb"), None), "edge `a -> b`: its label is blank or has control characters"),
        (joined(None, matches()), "edge `a -> b`: it is taken where its label is the last line, and has no label"),
        (asked("a", "do {{input"), "node `a`: no `}}` follows on `{{input`"),
        (
            asked("a", "{{ input }}"),
            "node `a`: `{{ input }}` is no reference: expected `{{input}}` or the id of a node between the braces",
        ),
        (
            asked("a", r#"{{"a": {}}}"#),
            "node `a`: `{{\"a\": {}}` is no reference: expected `{{input}}` or the id of a node between the braces",
        ),
        (asked("a", "{{a}}"), "node `a`: `{{a}}` is not upstream of it: no edges lead from there to here"),
        (asked("a b", "{{a}}"), "node `b`: `{{a}}` is not upstream of it: no edges lead from there to here"),
        (
            asked("c b a a>b c>a", "{{c}} {{b}}"),
            "node `a`: `{{b}}` is not upstream of it: no edges lead from there to here",
        ),
        (asked("a", &many), "node `a`: its input has 257 references: expected at most 256"),
    ];
    for (graph, words) in cases {
        assert_eq!(problem(&graph), words);
    }
}

#[test]
fn everything_has_a_size() {
    let long = |bytes: usize| "x".repeat(bytes + 1);
    let nodes: Vec<String> = (0..=MAX_NODES).map(|node| format!("n{node}")).collect();
    assert_eq!(problem(&graph(&nodes.join(" "))), "1001 nodes: expected at most 1000");
    assert_eq!(graph(&nodes[1..].join(" ")).check(is_agent), Ok(()));
    let mut edges = graph("a b");
    edges.edges = vec![edge("a>b"); MAX_EDGES + 1];
    assert_eq!(problem(&edges), "10001 edges: expected at most 10000");
    assert_eq!(
        problem(&asked("a", &long(MAX_TEMPLATE))),
        "the input of node `a` has 65537 bytes: expected at most 65536"
    );
    assert_eq!(
        problem(&joined(Some(&long(MAX_LABEL)), None)),
        "the label of edge `a -> b` has 257 bytes: expected at most 256"
    );
    assert_eq!(
        problem(&joined(None, Some(Condition::Equals { text: long(MAX_CONDITION) }))),
        "the condition of edge `a -> b` has 4097 bytes: expected at most 4096"
    );
    let mut full = graph("a b c d e f g h i");
    for node in &mut full.nodes {
        node.input = "x".repeat(MAX_TEMPLATE);
    }
    assert_eq!(problem(&full), "templates, labels and conditions have 589824 bytes: expected at most 524288");
}

#[test]
fn a_long_cycle_is_named_by_its_beginning() {
    let edges: Vec<String> = (0..30).map(|node| format!("n{node} n{node}>n{}", (node + 1) % 30)).collect();
    let words = problem(&graph(&edges.join(" ")));
    assert!(words.starts_with("nodes wait for each other: n0 -> n1 -> n2 -> "), "{words}");
    assert!(words.ends_with(" -> n15 -> (14 more) -> n0"), "{words}");
}

#[test]
fn what_makes_sense_passes() {
    let cases = ["a", "a b", "a b a>b", "a b? c| a>b:yes a>b:no a>b! b>c a>c", "d c b a a>b b>c c>d a>d"];
    for text in cases {
        assert_eq!(graph(text).check(is_agent), Ok(()), "{text}");
    }
    assert_eq!(asked("a b c a>b b>c", "{{input}}: {{a}}{{b}} { {x} }}").check(is_agent), Ok(()));
    assert_eq!(joined(Some("code"), Some(Condition::MatchesLabel {})).check(is_agent), Ok(()));
}
