//! What opens, what is skipped and how it ends, over graphs made by hand.

use serde_json::{Value, json};

use super::graph;
use crate::run::graph::{Condition, Graph, NodeState};

/// `a=yes` is done with the output `yes`, `a!` has failed, `a.` is at work, and `a-` is skipped.
/// Nodes of which nothing is said wait.
fn state<'t>(graph: &Graph, states: &'t str, node: usize) -> NodeState<'t> {
    let id = graph.nodes[node].id.as_str();
    let mut found = states.split_whitespace().filter_map(|item| item.strip_prefix(id));
    found
        .find_map(|rest| match rest {
            "!" => Some(NodeState::Failed),
            "." => Some(NodeState::Open),
            "-" => Some(NodeState::Skipped),
            _ => rest.strip_prefix('=').map(NodeState::Done),
        })
        .unwrap_or(NodeState::Waiting)
}

/// What follows, as text: `+a` opens, `-b` is skipped, `!c` has failed the run, `end`.
fn follows(graph: &Graph, states: &str) -> String {
    let advance = graph.advance(&|node| state(graph, states, node));
    let name = |sign: char, node: &usize| format!("{sign}{}", graph.nodes[*node].id);
    let mut words: Vec<String> = advance.open.iter().map(|node| name('+', node)).collect();
    words.extend(advance.skip.iter().map(|node| name('-', node)));
    words.extend(advance.failed.iter().map(|node| name('!', node)));
    words.extend(advance.finished.then(|| "end".to_owned()));
    words.join(" ")
}

fn outputs(graph: &Graph, states: &str) -> Value {
    graph.outputs(&|node| state(graph, states, node))
}

/// Each pair is the states of the nodes and what follows on them.
fn check(text: &str, steps: &[(&str, &str)]) {
    let graph = graph(text);
    for (states, expected) in steps {
        assert_eq!(follows(&graph, states), *expected, "{text} with {states}");
    }
}

#[test]
fn one_goes_after_another() {
    check("a b c a>b b>c", &[("", "+a"), ("a.", ""), ("a=1", "+b"), ("a=1 b.", ""), ("a=1 b=2 c=3", "end")]);
}

#[test]
fn many_begin_at_once_and_the_last_waits_for_all() {
    let steps = [
        ("", "+a"),
        ("a=1", "+b +c"),
        ("a=1 b.", "+c"),
        ("a=1 b=2 c.", ""),
        ("a=1 b=2 c=3", "+d"),
        ("a=1 b=2 c=3 d=4", "end"),
    ];
    check("d a b c a>b a>c b>d c>d", &steps);
}

#[test]
fn roots_open_in_the_order_of_their_definition() {
    check("c b a a>b", &[("", "+c +a"), ("c.", "+a"), ("c. a=1", "+b")]);
}

#[test]
fn one_side_of_a_diamond_is_taken() {
    let steps = [
        ("a=yes", "+b -c"),
        ("a=yes b.", "-c"),
        ("a=no", "+c -b"),
        ("a=perhaps", "-b -c -d end"),
        ("a=yes b=1", "+d -c"),
        ("a=yes b=1 c-", "+d"),
        ("a=yes b=1 c- d=2", "end"),
    ];
    check("a b c d| a>b:yes a>c:no b>d c>d", &steps);
}

#[test]
fn a_join_of_all_is_skipped_with_the_first_edge_that_is_not_taken() {
    check("a b c d a>c:yes b>c c>d", &[("a=no", "+b -c -d"), ("a=no b.", "-c -d"), ("a=no b=1", "-c -d end")]);
}

#[test]
fn a_join_of_any_opens_with_the_first_edge_and_only_once() {
    let steps = [
        ("a. b.", ""),
        ("a=1 b.", "+c"),
        ("a=1 b. c.", ""),
        ("a=1 b=2 c.", ""),
        ("a! b.", "!a"),
        ("a! b=2", "+c !a"),
        ("a- b-", "-c end"),
    ];
    check("a b c| a>c b>c", &steps);
}

#[test]
fn a_failure_has_edges_of_its_own() {
    let steps =
        [("a!", "+c -b"), ("a=1", "+b -c"), ("a! b- c=3", "end"), ("a! c!", "-b !c end"), ("a! b- c!", "!c end")];
    check("a b c a>b a>c!", &steps);
}

#[test]
fn the_first_failure_in_the_order_of_definition_is_the_runs() {
    check("b a c", &[("a! b! c=1", "!b end"), ("a! b=1 c.", "!a")]);
}

#[test]
fn the_failure_of_an_optional_node_is_not_the_runs() {
    check("a? b c| a>b b>c a>c", &[("a!", "-b -c end")]);
    check("a? b c| a>c b>c", &[("a! b.", ""), ("a! b=1", "+c")]);
}

#[test]
fn skips_go_down_to_the_last_node_at_once() {
    let steps = [("a=no", "-b -c -d -e end"), ("a=no b-", "-c -d -e end"), ("a=no b- c- d- e-", "end")];
    check("e a d c b a>b:yes b>c c>d d>e", &[("a=no", "-e -d -c -b end")]);
    check("a b c d e a>b:yes b>c c>d d>e", &steps);
}

#[test]
fn a_skipped_node_takes_not_even_the_edges_of_a_failure() {
    check("a b c a>b:yes b>c!", &[("a=no", "-b -c end")]);
}

#[test]
fn conditions_look_at_the_output_as_they_say() {
    let equals = Condition::Equals { text: "yes".to_owned() };
    let contains = Condition::Contains { text: "yes".to_owned() };
    let cases = [
        (Some(Condition::Always {}), "", true),
        (None, "", true),
        (Some(Condition::Failed {}), "yes", false),
        (Some(contains.clone()), "oh,yes.", true),
        (Some(contains), "Yes", false),
        (Some(equals.clone()), "\n yes ", true),
        (Some(equals), "yes.", false),
        (Some(Condition::MatchesLabel {}), "well\nto code \n\n", true),
        (Some(Condition::MatchesLabel {}), "to code\nor not", false),
        (Some(Condition::MatchesLabel {}), "go to code", false),
        (Some(Condition::MatchesLabel {}), "", false),
    ];
    for (when, output, is_taken) in cases {
        let mut graph = graph("a b a>b");
        graph.edges[0].label = Some("to code".to_owned());
        graph.edges[0].when = when;
        let states = [NodeState::Done(output), NodeState::Waiting];
        let advance = graph.advance(&|node| states[node]);
        assert_eq!((advance.open == [1], advance.skip == [1]), (is_taken, !is_taken), "{:?} {output}", graph.edges);
    }
}

#[test]
fn the_ends_that_are_done_are_what_came_of_it() {
    let cases = [
        ("a b a>b", "a=1 b=2", json!("2")),
        ("b a", "a=1 b=2", json!({ "b": "2", "a": "1" })),
        ("a b c a>b:yes a>c:no", "a=yes b=2", json!("2")),
        ("a b a>b:yes", "a=no b-", json!("no")),
        // Nothing was made of the output, so that it is not lost.
        ("a b c a>c b>c:yes", "a=1 b=no c-", json!({ "a": "1", "b": "no" })),
        ("a b? a>b", "a=1 b!", json!("1")),
        ("a b c a>b b>c!", "a=1 b! c=3", json!("3")),
        ("a?", "a!", json!({})),
        ("a b a>b", "a=1 b.", json!("1")),
    ];
    for (text, states, expected) in cases {
        assert_eq!(outputs(&graph(text), states), expected, "{text} with {states}");
    }
    let both = outputs(&graph("b a"), "a=1 b=2").to_string();
    assert_eq!(both, r#"{"b":"2","a":"1"}"#, "in the order of the nodes");
}
