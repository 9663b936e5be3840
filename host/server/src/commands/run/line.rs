//! One event as a line.

use bailiwick_wire::run::{RunEvent, RunNews, StepKind};

use super::text::{self, one_line, raw};
use super::tree;

/// Characters of a text that a line shows, at the most.
const MAX_TEXT: usize = 100;

/// An event in one line: when, its number, what, and what is to be said of it.
pub(in crate::commands) fn line(event: &RunEvent) -> String {
    let (at, kind) = (one_line(&event.at, MAX_TEXT), one_line(&event.kind, MAX_TEXT));
    format!("{at}  {:>4}  {kind:<18}  {}", event.seq, about(event)).trim_end().to_owned()
}

/// What a skill tells, where it is for people to read.
pub(super) fn heard(name: &str, news: &RunNews) -> Option<String> {
    let message = one_line(news.message.as_deref().unwrap_or_default(), MAX_TEXT);
    match name {
        "skill.progress" => {
            let of = news.total.map(|total| format!("/{total}")).unwrap_or_default();
            Some(format!("step {}: {}{of} {message}", news.step, news.done.unwrap_or_default()))
        }
        "skill.log" => {
            let level = one_line(news.level.as_deref().unwrap_or_default(), MAX_TEXT);
            Some(format!("step {}: {level}: {message}", news.step))
        }
        _ => None,
    }
}

fn about(event: &RunEvent) -> String {
    let parts = match event.kind.as_str() {
        "run.queued" => queued(event),
        "task.assigned" => assigned(event),
        "step.started" => started(event),
        "step.ended" => ended(event),
        "call.answered" => vec![number("task", event.task), refused(event), words(event.text.as_deref())],
        "approval.requested" => vec![number("step", event.step), words(event.approval.as_deref())],
        "approval.answered" => {
            let said = if event.approved == Some(true) { "approved" } else { "denied" };
            vec![number("step", event.step), said.to_owned(), words(event.reason.as_deref())]
        }
        "task.escalated" => vec![number("task", event.task), error(event), escalated(event)],
        "task.answered" => {
            let said = if event.approved == Some(true) { "tried once more" } else { "not tried again" };
            let by = format!("by {}", words(event.by.as_deref()));
            vec![number("task", event.task), said.to_owned(), by, words(event.reason.as_deref())]
        }
        "subrun.started" => vec![number("subrun", event.subrun), words(event.input.as_deref())],
        "subrun.ended" => vec![number("subrun", event.subrun), output(event), error(event)],
        "graph.grown" => {
            let (nodes, edges) = event.graph.as_ref().map_or((0, 0), |graph| (graph.nodes.len(), graph.edges.len()));
            vec![number("task", event.task), format!("{nodes} nodes and {edges} edges more")]
        }
        "answer.refused" => vec![number("task", event.task), words(event.text.as_deref())],
        "handoff.initiated" => vec![number("task", event.task), handoff(event)],
        "handoff.accepted" | "handoff.rejected" | "handoff.completed" | "handoff.rolled_back" => {
            vec![number("handoff", event.handoff), words(event.reason.as_deref())]
        }
        "run.interrupted" => {
            let steps = event.steps.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
            vec![format!("cut off in {}", steps.join(", "))]
        }
        _ => other(event),
    };
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
}

/// Whom the work is to go to, and how a person answers where one has to.
fn handoff(event: &RunEvent) -> String {
    let to = format!("to {}", words(event.to.as_deref()));
    if event.needs_person != Some(true) {
        return to;
    }
    let (run, number) = (&event.run, event.handoff.unwrap_or_default());
    format!("{to}, if a person agrees: `bailiwick runs handoff {run} {number} --approve`, or `--deny`")
}

/// Where a task goes on that failed, and how a person answers where one is asked.
fn escalated(event: &RunEvent) -> String {
    if event.needs_person == Some(true) {
        let (run, number) = (&event.run, event.task.unwrap_or_default());
        return format!(
            "tried once more, if a person wants it: `bailiwick runs task-answer {run} {number} --approve`, or `--deny`"
        );
    }
    match (&event.to, event.attempt) {
        (Some(agent), _) => format!("goes to {}", words(Some(agent))),
        (None, Some(attempt)) => format!("try {attempt}"),
        (None, None) => String::new(),
    }
}

fn queued(event: &RunEvent) -> Vec<String> {
    let strategy = event.strategy.as_ref().map(text::strategy).unwrap_or_default();
    vec![strategy, words(event.label.as_deref()), words(event.input.as_deref())]
}

fn assigned(event: &RunEvent) -> Vec<String> {
    let role = event.role.and_then(text::role).map(|role| format!(" ({role})")).unwrap_or_default();
    let item = event.item.map(|item| format!(" (item {item})")).unwrap_or_default();
    let who = format!("{}{role}{item}", words(event.agent.as_deref()));
    vec![number("task", event.task), who, words(event.input.as_deref())]
}

fn started(event: &RunEvent) -> Vec<String> {
    let what = match event.asks {
        Some(StepKind::Model) => "model".to_owned(),
        Some(StepKind::Completion) => "model, by the workflow".to_owned(),
        Some(StepKind::Question) => "a person, by the workflow".to_owned(),
        _ => format!("{} {}", words(event.skill.as_deref()), words(event.tool.as_deref())),
    };
    let arguments = event.arguments.as_ref().map(|arguments| text::value(arguments, MAX_TEXT)).unwrap_or_default();
    let again = event.attempt.filter(|attempt| *attempt > 1).map(|attempt| format!("try {attempt}"));
    vec![number("step", event.step), what, arguments, again.unwrap_or_default()]
}

fn ended(event: &RunEvent) -> Vec<String> {
    let answer = event.answer.as_ref().map(tree::answer).unwrap_or_default();
    let failure = event.failure.as_deref().map(|failure| format!("failed: {}", raw(failure, MAX_TEXT)));
    let spend = event.spend.as_ref();
    let tokens = spend.and_then(text::tokens).unwrap_or_default();
    let usd = spend.and_then(|spend| text::usd(spend.usd)).unwrap_or_default();
    let took = spend.map(|spend| text::span(spend.busy_ms)).unwrap_or_default();
    let came = [output(event), failure.unwrap_or_default(), error(event), answer];
    [number("step", event.step), took, tokens, usd].into_iter().chain(came).collect()
}

fn other(event: &RunEvent) -> Vec<String> {
    let by = event.by.as_deref().map(|by| format!("by {}", one_line(by, MAX_TEXT))).unwrap_or_default();
    let repeat = if event.repeat == Some(true) { "calls that were cut off are made again" } else { "" };
    let reason = words(event.reason.as_deref());
    vec![number("task", event.task), by, repeat.to_owned(), reason, error(event), output(event)]
}

fn refused(event: &RunEvent) -> String {
    if event.refused == Some(true) { "refused".to_owned() } else { String::new() }
}

fn output(event: &RunEvent) -> String {
    event.output.as_deref().map(|output| raw(output, MAX_TEXT)).unwrap_or_default()
}

fn error(event: &RunEvent) -> String {
    let error = event.error.as_ref();
    error.map(|error| format!("{}: {}", error.code, one_line(&error.message, MAX_TEXT))).unwrap_or_default()
}

fn number(what: &str, number: Option<u32>) -> String {
    number.map(|number| format!("{what} {number}")).unwrap_or_default()
}

fn words(text: Option<&str>) -> String {
    one_line(text.unwrap_or_default(), MAX_TEXT)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(kind: &str, members: Value) -> RunEvent {
        let mut event = json!({ "run": "01", "seq": 4, "at": "2026-11-20T11:00:00.000Z", "kind": kind });
        let Value::Object(members) = members else { panic!("no object: {members}") };
        event.as_object_mut().expect("an object").extend(members);
        serde_json::from_str(&event.to_string()).expect("an event")
    }

    #[test]
    fn each_kind_says_what_matters_of_it() {
        let spend = json!({
            "steps": 1, "input_tokens": 8, "output_tokens": 2, "usd": 0.5, "fuel": 0, "host_calls": 0, "busy_ms": 1900
        });
        let answer = json!({ "model": "small", "text": "Two.\n", "calls": [], "finish": "stop" });
        let error = json!({ "code": "MODEL_FAILED", "message": "it is\u{1b}[2J down", "retriable": true });
        for (kind, members, said) in [
            ("run.started", json!({}), ""),
            ("run.queued", json!({ "strategy": { "kind": "single", "agent": "a" }, "input": "x" }), "single a  x"),
            (
                "task.assigned",
                json!({ "task": 1, "agent": "a", "role": "reduce", "input": "x" }),
                "task 1  a (reduce)  x",
            ),
            ("step.started", json!({ "step": 2, "task": 1, "asks": "model", "attempt": 2 }), "step 2  model  try 2"),
            (
                "step.started",
                json!({ "step": 2, "asks": "skill", "skill": "a/b", "tool": "t", "arguments": { "x": 1 } }),
                "step 2  a/b t  {\"x\":1}",
            ),
            (
                "step.ended",
                json!({ "step": 2, "answer": answer, "spend": spend }),
                "step 2  1.9 s  8+2 tokens  $0.5000  Two.",
            ),
            ("step.ended", json!({ "step": 2, "error": error }), "step 2  MODEL_FAILED: it is\u{fffd}[2J down"),
            ("step.ended", json!({ "step": 2, "failure": { "no": 1 } }), "step 2  failed: {\"no\":1}"),
            ("approval.requested", json!({ "step": 2, "approval": "apr_1" }), "step 2  apr_1"),
            ("approval.answered", json!({ "step": 2, "approved": false, "reason": "no" }), "step 2  denied  no"),
            ("task.escalated", json!({ "task": 1, "attempt": 2 }), "task 1  try 2"),
            ("task.escalated", json!({ "task": 1, "to": "b" }), "task 1  goes to b"),
            (
                "task.escalated",
                json!({ "task": 1, "needs_person": true }),
                "task 1  tried once more, if a person wants it: `bailiwick runs task-answer 01 1 --approve`, or `--deny`",
            ),
            (
                "task.answered",
                json!({ "task": 1, "approved": false, "by": "key:ops", "reason": "no" }),
                "task 1  not tried again  by key:ops  no",
            ),
            ("answer.refused", json!({ "task": 1, "text": "no\nJSON" }), "task 1  no JSON"),
            ("subrun.started", json!({ "subrun": 0, "node": 1, "input": "x" }), "subrun 0  x"),
            ("subrun.ended", json!({ "subrun": 0, "output": "y" }), "subrun 0  y"),
            (
                "graph.grown",
                json!({ "task": 1, "graph": { "nodes": [], "edges": [] } }),
                "task 1  0 nodes and 0 edges more",
            ),
            ("run.interrupted", json!({ "steps": [2, 3] }), "cut off in 2, 3"),
            ("run.cancelled", json!({ "by": "cli:ada", "reason": "late" }), "by cli:ada  late"),
            ("run.completed", json!({ "output": "a\nb" }), "a b"),
        ] {
            let expected = format!("2026-11-20T11:00:00.000Z     4  {kind:<18}  {said}");
            assert_eq!(line(&event(kind, members)), expected.trim_end());
        }
    }
}
