//! What happens to runs, as it is told.

use bailiwick_agents::Heard;
use bailiwick_domain::run::{Action, Escalation, Event, Record, RunId, RunSpec, Status, StepResult, TaskOutcome};
use bailiwick_wire::run::{RunEvent, RunNews, StepError};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::graph::shown;
use super::{Asked, answer, asked, budget, class, is_retriable, moment, raw, role, spend, step_kind, strategy};
use crate::problem::Failure;

/// One event that is kept.
pub(crate) fn event(run: &RunId, seq: u64, record: &Record) -> Result<RunEvent, Failure> {
    let kind = record.event.kind().name().to_owned();
    let told = RunEvent { run: run.to_string(), seq, at: moment(record.at), kind, ..RunEvent::default() };
    match &record.event {
        Event::Queued { .. }
        | Event::Started {}
        | Event::Paused { .. }
        | Event::Resumed { .. }
        | Event::Recovered {}
        | Event::Interrupted { .. }
        | Event::Retried { .. }
        | Event::Completed { .. }
        | Event::Failed { .. }
        | Event::Cancelled { .. } => of_run(told, &record.event),
        Event::TaskOpened { .. }
        | Event::StepStarted { .. }
        | Event::StepEnded { .. }
        | Event::CallAnswered { .. }
        | Event::TaskEnded { .. }
        | Event::TaskEscalated { .. }
        | Event::TaskAnswered { .. }
        | Event::AnswerRefused { .. }
        | Event::ApprovalRequested { .. }
        | Event::ApprovalAnswered { .. } => of_work(told, &record.event),
        Event::SubrunStarted { .. } | Event::SubrunEnded { .. } | Event::GraphGrown { .. } => {
            of_subrun(told, &record.event)
        }
        Event::HandoffInitiated { .. }
        | Event::HandoffAccepted { .. }
        | Event::HandoffRejected { .. }
        | Event::HandoffCompleted { .. }
        | Event::HandoffRolledBack { .. } => Ok(of_handoff(told, &record.event)),
    }
}

/// What is heard and not kept: the name of the event, and what it tells.
pub(crate) fn news(run: &RunId, heard: Heard) -> (&'static str, RunNews) {
    let told = RunNews { run: run.to_string(), ..RunNews::default() };
    match heard {
        Heard::Text { task, step, piece } => {
            ("model.text", RunNews { task: Some(task), step, piece: Some(piece), ..told })
        }
        Heard::Again { step, message } => ("model.again", RunNews { step, message: Some(message), ..told }),
        Heard::Progress { step, done, total, message } => {
            ("skill.progress", RunNews { step, done: Some(done), total, message: Some(message), ..told })
        }
        Heard::Log { step, level, message } => {
            ("skill.log", RunNews { step, level: Some(level.to_owned()), message: Some(message), ..told })
        }
    }
}

/// What happens to the run as a whole; of others nothing is added.
fn of_run(told: RunEvent, event: &Event) -> Result<RunEvent, Failure> {
    Ok(match event {
        Event::Queued { spec } => queued(told, spec),
        Event::Paused { by } => RunEvent { by: Some(by.clone()), ..told },
        Event::Resumed { by, repeat } => RunEvent { by: Some(by.clone()), repeat: Some(*repeat), ..told },
        Event::Interrupted { steps } => RunEvent { steps: Some(steps.clone()), ..told },
        Event::Retried { by, budget: renewed } => {
            RunEvent { by: Some(by.clone()), budget: renewed.as_ref().map(budget), ..told }
        }
        Event::Completed { output } => RunEvent { output: Some(written(output)?), ..told },
        Event::Failed { code, message, partial } => RunEvent {
            error: Some(error(code, message, is_retriable(Status::Failed))),
            partial: Some(partial.clone()).filter(|partial| *partial != Value::Null),
            ..told
        },
        Event::Cancelled { by, reason } => RunEvent { by: Some(by.clone()), reason: reason.clone(), ..told },
        _ => told,
    })
}

/// What happens to tasks and steps; of others nothing is added.
fn of_work(told: RunEvent, event: &Event) -> Result<RunEvent, Failure> {
    Ok(match event {
        Event::TaskOpened { task, opening } => RunEvent {
            task: Some(*task),
            agent: Some(opening.agent.clone()),
            role: Some(role(opening.role)),
            item: opening.item,
            node: opening.node,
            subrun: opening.subrun,
            input: Some(opening.input.clone()),
            ..told
        },
        Event::StepStarted { step, task, attempt, action } => {
            let told = RunEvent { step: Some(*step), task: Some(*task), attempt: Some(*attempt), ..told };
            started(told, action)
        }
        Event::StepEnded { step, result, spend: spent, receipt } => {
            let told = RunEvent { step: Some(*step), spend: Some(spend(spent)), receipt: receipt.clone(), ..told };
            ended(told, result)?
        }
        Event::CallAnswered { task, call, text, opened, refused } => RunEvent {
            task: Some(*task),
            call: Some(call.clone()),
            text: Some(text.clone()),
            opened: opened.as_ref().map(ToString::to_string),
            refused: Some(*refused),
            ..told
        },
        Event::TaskEnded { task, outcome: TaskOutcome::Done { output } } => {
            RunEvent { task: Some(*task), output: Some(written(output)?), ..told }
        }
        Event::TaskEnded { task, outcome: TaskOutcome::Failed { code, message } } => {
            RunEvent { task: Some(*task), error: Some(error(code, message, false)), ..told }
        }
        Event::TaskEscalated { task, to, code, message } => {
            escalated(RunEvent { task: Some(*task), error: Some(error(code, message, false)), ..told }, to)
        }
        Event::TaskAnswered { task, again, by, reason } => {
            RunEvent { task: Some(*task), approved: Some(*again), by: Some(by.clone()), reason: reason.clone(), ..told }
        }
        Event::AnswerRefused { task, text } => RunEvent { task: Some(*task), text: Some(text.clone()), ..told },
        Event::ApprovalRequested { step, approval } => {
            RunEvent { step: Some(*step), approval: Some(approval.clone()), ..told }
        }
        Event::ApprovalAnswered { step, approved, reason } => {
            RunEvent { step: Some(*step), approved: Some(*approved), reason: reason.clone(), ..told }
        }
        _ => told,
    })
}

/// Where a task goes on that failed.
fn escalated(told: RunEvent, to: &Escalation) -> RunEvent {
    match to {
        // The first time is no retry.
        Escalation::Retry { number } => RunEvent { attempt: Some(number.saturating_add(1)), ..told },
        Escalation::Agent { name } => RunEvent { to: Some(name.clone()), ..told },
        Escalation::Person {} => RunEvent { needs_person: Some(true), ..told },
    }
}

fn of_subrun(told: RunEvent, event: &Event) -> Result<RunEvent, Failure> {
    Ok(match event {
        Event::SubrunStarted { subrun, parent, node, input } => {
            RunEvent { subrun: Some(*subrun), parent: *parent, node: Some(*node), input: Some(input.clone()), ..told }
        }
        Event::SubrunEnded { subrun, outcome: TaskOutcome::Done { output } } => {
            RunEvent { subrun: Some(*subrun), output: Some(written(output)?), ..told }
        }
        Event::SubrunEnded { subrun, outcome: TaskOutcome::Failed { code, message } } => {
            RunEvent { subrun: Some(*subrun), error: Some(error(code, message, false)), ..told }
        }
        Event::GraphGrown { task, call, graph } => {
            RunEvent { task: Some(*task), call: Some(call.clone()), graph: Some(shown(graph)), ..told }
        }
        _ => told,
    })
}

fn of_handoff(told: RunEvent, event: &Event) -> RunEvent {
    match event {
        Event::HandoffInitiated { handoff, task, call, to, context, asks } => RunEvent {
            handoff: Some(*handoff),
            task: Some(*task),
            call: Some(call.clone()),
            to: Some(to.clone()),
            text: Some(context.clone()),
            needs_person: Some(*asks),
            ..told
        },
        Event::HandoffAccepted { handoff, by } => RunEvent { handoff: Some(*handoff), by: by.clone(), ..told },
        Event::HandoffRejected { handoff, by, reason } => {
            RunEvent { handoff: Some(*handoff), by: Some(by.clone()), reason: reason.clone(), ..told }
        }
        Event::HandoffCompleted { handoff } => RunEvent { handoff: Some(*handoff), ..told },
        Event::HandoffRolledBack { handoff, reason } => {
            RunEvent { handoff: Some(*handoff), reason: Some(reason.clone()), ..told }
        }
        _ => told,
    }
}

fn queued(told: RunEvent, spec: &RunSpec) -> RunEvent {
    RunEvent {
        strategy: Some(strategy(&spec.strategy)),
        class: Some(class(spec.class)),
        principal: Some(spec.principal.clone()),
        label: spec.label.clone(),
        budget: Some(budget(&spec.budget)),
        input: Some(spec.input.clone()),
        ..told
    }
}

fn started(told: RunEvent, action: &Action) -> RunEvent {
    let Asked { skill, digest, tool, arguments } = asked(action);
    let call = match action {
        // A workflow gives its calls no ids.
        Action::Skill { call, .. } if !call.is_empty() => Some(call.clone()),
        _ => None,
    };
    RunEvent { asks: Some(step_kind(action)), call, skill, digest, tool, arguments, ..told }
}

fn ended(told: RunEvent, result: &StepResult) -> Result<RunEvent, Failure> {
    Ok(match result {
        StepResult::Answer { answer: said } => RunEvent { answer: Some(answer(said)), ..told },
        StepResult::Output { json, failed: false } => RunEvent { output: Some(raw(json)?), ..told },
        StepResult::Output { json, failed: true } => RunEvent { failure: Some(raw(json)?), ..told },
        StepResult::Failed { code, message, retriable } => {
            RunEvent { error: Some(error(code, message, *retriable)), ..told }
        }
    })
}

fn error(code: &str, message: &str, retriable: bool) -> StepError {
    StepError { code: code.to_owned(), message: message.to_owned(), retriable }
}

fn written<T: Serialize + ?Sized>(value: &T) -> Result<Box<RawValue>, Failure> {
    to_raw_value(value).map_err(|error| Failure::unwritable(&error))
}

#[cfg(test)]
mod tests {
    use bailiwick_domain::run::Spend;
    use serde_json::json;

    use super::*;

    fn told(event: Event) -> Value {
        let record = Record { at: 1_795_172_400_123, event };
        let run = RunId::from_bytes(&[7; 16]);
        serde_json::to_value(super::event(&run, 4, &record).expect("told")).expect("writable")
    }

    #[test]
    fn an_event_has_its_own_members_beside_those_of_all() {
        let expected = json!({
            "run": "07070707070707070707070707070707",
            "seq": 4,
            "at": "2026-11-20T11:00:00.123Z",
            "kind": "step.started",
            "task": 1,
            "step": 2,
            "attempt": 1,
            "asks": "model"
        });
        assert_eq!(told(Event::StepStarted { step: 2, task: 1, attempt: 1, action: Action::Model {} }), expected);
    }

    #[test]
    fn a_task_that_failed_is_told_with_where_it_goes_on() {
        let escalated = |to| {
            told(Event::TaskEscalated { task: 1, to, code: "MAX_STEPS".to_owned(), message: "too many".to_owned() })
        };
        let retry = escalated(Escalation::Retry { number: 1 });
        assert_eq!(
            (&retry["kind"], &retry["task"], &retry["attempt"]),
            (&json!("task.escalated"), &json!(1), &json!(2))
        );
        assert_eq!(retry["error"], json!({ "code": "MAX_STEPS", "message": "too many", "retriable": false }));
        assert_eq!(escalated(Escalation::Agent { name: "bob".to_owned() })["to"], "bob");
        assert_eq!(escalated(Escalation::Person {})["needs_person"], true);
        let answered = told(Event::TaskAnswered { task: 1, again: false, by: "key:ops".to_owned(), reason: None });
        assert_eq!((&answered["approved"], &answered["by"]), (&json!(false), &json!("key:ops")));
        assert_eq!(told(Event::AnswerRefused { task: 1, text: "no JSON".to_owned() })["text"], "no JSON");
    }

    #[test]
    fn what_a_skill_answered_is_told_as_it_was_written() {
        let json = r#"{"sum":12345678901234567890123,"price":1.50}"#;
        let result = StepResult::Output { json: json.to_owned(), failed: false };
        let event = Event::StepEnded { step: 0, result, spend: Spend::default(), receipt: None };
        let run = RunId::from_bytes(&[7; 16]);
        let event = super::event(&run, 4, &Record { at: 0, event }).expect("told");
        let text = serde_json::to_string(&event).expect("writable");
        assert!(text.contains(&format!("\"output\":{json}")), "{text}");
    }

    #[test]
    fn subruns_and_what_is_added_to_graphs_are_told() {
        let started = told(Event::SubrunStarted { subrun: 1, parent: Some(0), node: 2, input: "x".to_owned() });
        assert_eq!((&started["subrun"], &started["parent"], &started["node"]), (&json!(1), &json!(0), &json!(2)));
        let outcome = TaskOutcome::Failed { code: "MAX_STEPS".to_owned(), message: "many".to_owned() };
        assert_eq!(told(Event::SubrunEnded { subrun: 1, outcome })["error"]["code"], "MAX_STEPS");
        let graph = serde_json::from_value(json!({ "nodes": [{ "id": "a", "agent": "bob" }] })).expect("a graph");
        let grown = told(Event::GraphGrown { task: 3, call: "c".to_owned(), graph });
        assert_eq!((&grown["kind"], &grown["task"]), (&json!("graph.grown"), &json!(3)));
        assert_eq!(grown["graph"]["nodes"][0]["id"], "a");
    }

    #[test]
    fn a_run_that_failed_can_be_tried_again() {
        let event = Event::Failed { code: "TIMEOUT".to_owned(), message: "late".to_owned(), partial: Value::Null };
        let told = told(event);
        assert_eq!(told["error"], json!({ "code": "TIMEOUT", "message": "late", "retriable": true }));
        assert!(told.get("partial").is_none(), "{told}");
    }
}
