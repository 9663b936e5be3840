//! Graphs as JSON and as pictures.

use super::graph;
use crate::run::graph::{Condition, Graph};

#[test]
fn json_has_only_what_is_said() {
    let mut graph = graph("plan code? end| plan>code:yes code>end plan>end!");
    graph.nodes[1].input = "{{plan}}".to_owned();
    graph.edges[1].label = Some("done".to_owned());
    graph.edges[1].when = Some(Condition::MatchesLabel {});
    let json = concat!(
        r#"{"nodes":[{"id":"plan","agent":"ada"},"#,
        r#"{"id":"code","agent":"ada","input":"{{plan}}","optional":true},"#,
        r#"{"id":"end","agent":"ada","join":"any"}],"#,
        r#""edges":[{"from":"plan","to":"code","when":{"kind":"contains","text":"yes"}},"#,
        r#"{"from":"code","to":"end","label":"done","when":{"kind":"matches_label"}},"#,
        r#"{"from":"plan","to":"end","when":{"kind":"failed"}}]}"#,
    );
    assert_eq!(serde_json::to_string(&graph).expect("writable"), json);
    assert_eq!(serde_json::from_str::<Graph>(json).expect("readable"), graph);
    let alone: Graph = serde_json::from_str(r#"{"nodes": [{"id": "a", "agent": "ada"}]}"#).expect("readable");
    assert_eq!(alone, super::graph("a"));
}

#[test]
fn what_nobody_knows_is_refused() {
    let cases = [
        r#"{"nodes": [], "edges": [], "name": "x"}"#,
        r#"{"nodes": [{"id": "a", "agent": "ada", "model": "x"}]}"#,
        r#"{"nodes": [{"agent": "ada"}]}"#,
        r#"{"nodes": [{"id": "a", "run": {"kind": "single", "agent": "ada", "model": "x"}}]}"#,
        r#"{"nodes": [{"id": "a", "agent": "ada", "join": "some"}]}"#,
        r#"{"nodes": [], "edges": [{"from": "a", "to": "b", "if": "x"}]}"#,
        r#"{"nodes": [], "edges": [{"from": "a", "to": "b", "when": {"kind": "never"}}]}"#,
        r#"{"nodes": [], "edges": [{"from": "a", "to": "b", "when": {"kind": "failed", "text": "x"}}]}"#,
        r#"{"nodes": [], "edges": [{"from": "a", "to": "b", "when": {"kind": "contains"}}]}"#,
    ];
    for json in cases {
        assert!(serde_json::from_str::<Graph>(json).is_err(), "{json}");
    }
}

#[test]
fn a_picture_has_every_node_and_every_edge_and_no_words_that_act() {
    let mut graph = graph("plan end? any| plan>end plan>any:no end>any!");
    graph.nodes[0].agent = "a\"]<b>".to_owned();
    graph.edges[0].label = Some("say \"#1\"\nnow".to_owned());
    let picture = [
        "flowchart TD",
        "    n0[\"plan<br/>a#34;#93;#60;b#62;\"]",
        "    n1[\"end<br/>ada\"]",
        "    n2{{\"any<br/>ada\"}}",
        "    n0 -->|\"say #34;#35;1#34; now\"| n1",
        "    n0 -->|\"contains: no\"| n2",
        "    n1 -.->|\"failed\"| n2",
        "    style n1 stroke-dasharray: 4 4",
        "",
    ];
    assert_eq!(graph.to_mermaid(), picture.join("\n"));
    graph.edges[0].label = Some("é".repeat(100));
    assert!(graph.to_mermaid().contains(&format!("|\"{}...\"|", "é".repeat(64))));
}
