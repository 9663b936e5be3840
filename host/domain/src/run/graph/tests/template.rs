//! What nodes are asked.

use super::graph;
use crate::run::graph::{Graph, MAX_RENDERED};

/// What the last node of `graph` is asked with this template, where `a` said `A`, `b` said
/// `{{a}}`, and nobody else said anything.
fn rendered(graph: &mut Graph, input: &str) -> String {
    let last = graph.nodes.len() - 1;
    graph.nodes[last].input = input.to_owned();
    graph.render(last, "Do it.", &|id| match id {
        "a" => Some("A".to_owned()),
        "b" => Some("{{a}}".to_owned()),
        _ => None,
    })
}

#[test]
fn references_are_what_others_said_and_the_rest_is_plain_text() {
    let cases = [
        ("Say hello.", "Say hello."),
        ("{{input}}", "Do it."),
        ("<{{input}}> {{a}}{{a}} é", "<Do it.> AA é"),
        ("{ {a} }} {a}", "{ {a} }} {a}"),
        ("{{c}}.", "."),
        ("{{b}}", "{{a}}"),
    ];
    for (input, expected) in cases {
        assert_eq!(rendered(&mut graph("a b c d a>b b>c c>d"), input), expected);
    }
}

#[test]
fn where_nothing_is_said_it_is_the_input_and_all_that_leads_there() {
    for blank in ["", " \n"] {
        let text = rendered(&mut graph("a b c d b>d a>d:yes c>d a>d:no"), blank);
        assert_eq!(text, "Do it.\n\nThe output of `b`:\n{{a}}\n\nThe output of `a`:\nA");
        assert_eq!(rendered(&mut graph("a"), blank), "Do it.");
    }
}

#[test]
fn what_is_too_long_is_cut_and_says_so() {
    let mut graph = graph("a b a>b");
    graph.nodes[1].input = "{{a}}{{a}}!".to_owned();
    let long = "é".repeat(MAX_RENDERED / 2 - 1) + "x";
    let text = graph.render(1, "", &|_| Some(long.clone()));
    let (kept, note) = text.rsplit_once('\n').expect("a note");
    assert_eq!(kept, long, "no half of a character");
    assert_eq!(note, format!("(the first {} of {} bytes)", long.len(), 2 * long.len() + 1));
    graph.nodes[1].input = "{{a}}!".to_owned();
    assert_eq!(graph.render(1, "", &|_| Some(long.clone())), long.clone() + "!", "as long as may be");
}

#[test]
fn a_place_without_a_node_is_asked_nothing() {
    assert_eq!(graph("a").render(1, "Do it.", &|_| None), "");
}
