//! Whatever the graph and whatever its nodes do, it comes to an end, and to the same one.

use proptest::prelude::*;

use super::{edge, is_agent, node};
use crate::run::graph::{Condition, Edge, Graph, InvalidGraph, Join, Node, NodeState};

/// What a node does: its output, or a failure.
type Outcome = Option<&'static str>;

const OUTCOMES: [Outcome; 4] = [None, Some("yes"), Some("no"), Some("oh yes\nno")];

/// A graph without cycles, and what each of its nodes does. Edges go from those of lower
/// rank to those of higher, and the order of definition says nothing of the rank.
fn graphs() -> impl Strategy<Value = (Graph, Vec<Outcome>)> {
    let nodes = prop::collection::vec((any::<u16>(), any::<bool>(), any::<bool>(), 0..OUTCOMES.len()), 1..24);
    let edges = prop::collection::vec((any::<usize>(), any::<usize>(), 0_u8..7), 0..60);
    (nodes, edges).prop_map(|(nodes, edges)| {
        let outcomes = nodes.iter().map(|(.., outcome)| OUTCOMES[*outcome]).collect();
        let rank = |place: usize| (nodes[place].0, place);
        let mut graph = Graph { nodes: Vec::new(), edges: Vec::new() };
        for (place, (_, is_any, optional, _)) in nodes.iter().enumerate() {
            let join = if *is_any { Join::Any } else { Join::All };
            graph.nodes.push(Node { join, optional: *optional, ..node(&format!("n{place}")) });
        }
        for (one, other, kind) in edges {
            let (one, other) = (one % nodes.len(), other % nodes.len());
            let (low, high) = if rank(one) < rank(other) { (one, other) } else { (other, one) };
            let new = of_kind(low, high, kind);
            if low != high && !graph.edges.contains(&new) {
                graph.edges.push(new);
            }
        }
        (graph, outcomes)
    })
}

fn of_kind(from: usize, to: usize, kind: u8) -> Edge {
    let text = || "yes".to_owned();
    let when = match kind {
        0 => Some(Condition::Failed {}),
        1 => Some(Condition::Contains { text: text() }),
        2 => Some(Condition::Equals { text: text() }),
        3 => Some(Condition::MatchesLabel {}),
        _ => None,
    };
    Edge { label: Some("no".to_owned()), when, ..edge(&format!("n{from}>n{to}")) }
}

/// Whether an edge is taken once its source came to this, said in another way.
fn is_taken(edge: &Edge, source: NodeState<'_>) -> bool {
    match (&edge.when, source) {
        (Some(Condition::Failed {}), source) => source == NodeState::Failed,
        (Some(Condition::Contains { .. }), NodeState::Done(output)) => output == "yes" || output == "oh yes\nno",
        (Some(Condition::Equals { .. }), NodeState::Done(output)) => output == "yes",
        (Some(Condition::MatchesLabel {}), NodeState::Done(output)) => output == "no" || output == "oh yes\nno",
        (_, source) => matches!(source, NodeState::Done(_)),
    }
}

fn place(id: &str) -> usize {
    id[1..].parse().expect("a number")
}

fn came_to(outcome: Outcome) -> NodeState<'static> {
    outcome.map_or(NodeState::Failed, NodeState::Done)
}

/// What becomes of every node, from the definition alone: it is settled when all that lead
/// to it are.
fn expected(graph: &Graph, outcomes: &[Outcome]) -> Vec<NodeState<'static>> {
    let mut states: Vec<Option<NodeState<'static>>> = vec![None; graph.nodes.len()];
    while states.contains(&None) {
        for number in 0..states.len() {
            let incoming: Vec<&Edge> = graph.edges.iter().filter(|edge| place(&edge.to) == number).collect();
            let sources: Option<Vec<_>> = incoming.iter().map(|edge| states[place(&edge.from)]).collect();
            let Some(sources) = sources else { continue };
            let taken = incoming.iter().zip(sources).filter(|(edge, source)| is_taken(edge, *source)).count();
            let opens = match graph.nodes[number].join {
                Join::All => taken == incoming.len(),
                Join::Any => taken > 0 || incoming.is_empty(),
            };
            states[number] = Some(if opens { came_to(outcomes[number]) } else { NodeState::Skipped });
        }
    }
    states.into_iter().flatten().collect()
}

/// Whether the node may begin, as far as one can see from the edges to it.
fn may_open(graph: &Graph, states: &[NodeState<'static>], number: usize) -> bool {
    let mut incoming = graph.edges.iter().filter(|edge| place(&edge.to) == number).peekable();
    if incoming.peek().is_none() {
        return true;
    }
    let mut taken = incoming.map(|edge| is_taken(edge, states[place(&edge.from)]));
    match graph.nodes[number].join {
        Join::All => taken.all(|it| it),
        Join::Any => taken.any(|it| it),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_graph_comes_to_its_one_end(
        (graph, outcomes) in graphs(),
        choices in prop::collection::vec(any::<usize>(), 1..24),
        are_skips_kept in any::<bool>(),
    ) {
        prop_assert_eq!(graph.check(is_agent), Ok(()));
        let mut states = vec![NodeState::Waiting; graph.nodes.len()];
        let mut skipped: Vec<usize> = Vec::new();
        let mut ended = 0;
        loop {
            let advance = graph.advance(&|number| states[number]);
            prop_assert!(advance.open.is_sorted() && advance.skip.is_sorted());
            for number in &advance.open {
                prop_assert_eq!(states[*number], NodeState::Waiting);
                prop_assert!(may_open(&graph, &states, *number), "{number} opens too early");
            }
            for number in &advance.open {
                states[*number] = NodeState::Open;
            }
            for number in &advance.skip {
                prop_assert_eq!(states[*number], NodeState::Waiting);
                if are_skips_kept {
                    states[*number] = NodeState::Skipped;
                }
            }
            if !are_skips_kept {
                prop_assert!(skipped.iter().all(|number| advance.skip.contains(number)), "a skip is for ever");
                skipped = advance.skip;
            }
            let open: Vec<usize> = (0..states.len()).filter(|number| states[*number] == NodeState::Open).collect();
            prop_assert_eq!(advance.finished, open.is_empty());
            if open.is_empty() {
                break;
            }
            let number = open[choices[ended % choices.len()] % open.len()];
            states[number] = came_to(outcomes[number]);
            ended += 1;
            prop_assert!(ended <= states.len(), "a node begins twice");
        }
        for number in skipped {
            states[number] = NodeState::Skipped;
        }
        let wanted = expected(&graph, &outcomes);
        prop_assert_eq!(&states, &wanted);
        let fatal = graph.advance(&|number| states[number]).failed;
        let is_caught = |number: usize| {
            let mut outgoing = graph.edges.iter().filter(|edge| place(&edge.from) == number);
            outgoing.any(|edge| edge.when == Some(Condition::Failed {}))
        };
        let is_fatal = |number: usize| !graph.nodes[number].optional && !is_caught(number);
        let first = (0..states.len()).find(|number| states[*number] == NodeState::Failed && is_fatal(*number));
        prop_assert_eq!(fatal, first);
    }

    #[test]
    fn json_gives_back_the_same_graph(
        (mut graph, _) in graphs(),
        inputs in prop::collection::vec(any::<String>(), 24),
        label in any::<Option<String>>(),
    ) {
        for (node, input) in graph.nodes.iter_mut().zip(inputs) {
            node.input = input;
        }
        for edge in &mut graph.edges {
            edge.label.clone_from(&label);
        }
        let json = serde_json::to_string(&graph).expect("writable");
        prop_assert_eq!(serde_json::from_str::<Graph>(&json).expect("readable"), graph);
    }

    #[test]
    fn a_cycle_that_is_named_is_there((mut graph, _) in graphs(), from in any::<usize>(), to in any::<usize>()) {
        let (from, to) = (from % graph.nodes.len(), to % graph.nodes.len());
        graph.edges.push(Edge { label: Some("back".to_owned()), ..edge(&format!("n{from}>n{to}")) });
        if let Err(problem) = graph.check(is_agent) {
            let words = match problem {
                InvalidGraph::Cycle(words) => words,
                other => return Err(TestCaseError::fail(other.to_string())),
            };
            let steps: Vec<&str> = words.split(" -> ").collect();
            prop_assert_eq!(steps.first(), steps.last());
            for pair in steps.windows(2).filter(|pair| pair.iter().all(|step| step.starts_with('n'))) {
                prop_assert!(graph.edges.iter().any(|edge| edge.from == pair[0] && edge.to == pair[1]), "{words}");
            }
        } else {
            prop_assert!(from != to);
        }
    }

    #[test]
    fn any_template_is_taken_or_refused_and_never_more(input in "(\\{|\\}|a|input|é| ){0,12}") {
        let graph = Graph { nodes: vec![Node { input: input.clone(), ..node("b") }], edges: vec![] };
        let text = graph.render(0, "I", &|_| None);
        if !input.contains("{{") && !input.trim().is_empty() {
            prop_assert_eq!(&text, &input);
            prop_assert_eq!(graph.check(is_agent), Ok(()));
        }
        if graph.check(is_agent).is_ok() && !input.trim().is_empty() {
            prop_assert_eq!(text, input.replace("{{input}}", "I"));
        }
    }
}
