//! How a run ended, and what can be done then.

use bailiwick_wire::run::{HandoffState, Run, RunStatus, TaskStatus};
use serde_json::Value;

use super::text::{self, one_line};
use crate::output::{Done, Exit, Failure, Output};

/// Characters of a message.
const MAX_TEXT: usize = 2000;

/// Prints what came of a run, and makes its end that of the command.
pub(super) fn finish(run: &Run, out: Output) -> Done {
    if out.json {
        out.value(&serde_json::to_value(run).unwrap_or_default());
    } else if let Some(value) = &run.output {
        output(value, out);
    }
    match failure(run) {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

/// Prints an output: a text as it is, what is more than that as JSON.
pub(in crate::commands) fn output(value: &Value, out: Output) {
    match value {
        Value::String(text) => out.foreign(text),
        value => out.foreign(&serde_json::to_string_pretty(value).unwrap_or_default()),
    }
}

/// What the end of a run means for the command that waited for it.
fn failure(run: &Run) -> Option<Failure> {
    let (exit, what) = match run.status {
        RunStatus::Completed => return None,
        RunStatus::Failed => {
            let error = run.error.as_ref();
            let code = error.map(|error| error.code.as_str()).unwrap_or_default();
            let message = one_line(error.map(|error| error.message.as_str()).unwrap_or_default(), MAX_TEXT);
            (exit(code), format!("the run has failed with {code}: {message}"))
        }
        RunStatus::Cancelled => (Exit::Ended, "the run was cancelled".to_owned()),
        RunStatus::Interrupted => (Exit::Refused, "the run was cut off in calls that may have taken effect".to_owned()),
        status => (Exit::Host, format!("the host let go of the run, which is {}", text::status(status))),
    };
    let next = advice(run).map(|advice| format!("; {advice}")).unwrap_or_default();
    Some(Failure::new(exit, what + &next))
}

/// The exit code for a code of a run.
fn exit(code: &str) -> Exit {
    match code {
        "HOST_FAILURE" | "WORKER_DIED" => Exit::Host,
        "APPROVAL_DENIED" => Exit::Refused,
        _ => Exit::Ended,
    }
}

/// What a person can do for the run.
pub(in crate::commands) fn advice(run: &Run) -> Option<String> {
    let id = &run.id;
    match run.status {
        RunStatus::Completed | RunStatus::Cancelled => None,
        RunStatus::Queued | RunStatus::Running => {
            Some(format!("`bailiwick runs events {id} --follow` shows how it goes on"))
        }
        RunStatus::WaitingApproval if run.awaiting.is_empty() => {
            let handoff = run.handoffs.iter().find(|handoff| handoff.state == HandoffState::Asked).map(|asked| {
                format!(
                    "`bailiwick runs handoff {id} {} --approve`, or `--deny`, says whether `{}` takes over",
                    asked.number, asked.to
                )
            });
            let task = || {
                let asked = run.tasks.iter().find(|task| task.status == TaskStatus::Asked)?;
                Some(format!(
                    "`bailiwick runs task-answer {id} {} --approve`, or `--deny`, says whether the task of `{}` is \
                     tried once more",
                    asked.number, asked.agent
                ))
            };
            handoff.or_else(task)
        }
        RunStatus::WaitingApproval => {
            let first = run.awaiting.first().map_or("ID", |it| it.approval.as_str());
            Some(format!(
                "`bailiwick approvals show {first}` shows what is asked; `bailiwick approvals approve` or `deny` answers"
            ))
        }
        RunStatus::Paused => Some(format!("`bailiwick runs resume {id}` lets it go on")),
        RunStatus::Interrupted => Some(format!(
            "`bailiwick runs resume {id} --repeat` makes the calls again, `--skip` tells the model that nobody knows"
        )),
        RunStatus::Failed => Some(format!("`bailiwick runs retry {id}` tries it again from there")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(status: &str, error: &Value) -> Run {
        let spend = json!({
            "steps": 0, "input_tokens": 0, "output_tokens": 0, "usd": 0.0, "fuel": 0, "host_calls": 0, "busy_ms": 0
        });
        let run = json!({
            "id": "01", "status": status, "strategy": { "kind": "single", "agent": "a" }, "class": "normal",
            "input": "x", "principal": "cli:ada", "trace_id": "4b", "budget": { "steps": 9, "wall": "1 min" },
            "spend": spend, "tasks": [], "awaiting": [], "interrupted": [], "error": error,
            "queued_at": "2026-11-20T11:00:00.000Z", "updated_at": "2026-11-20T11:00:00.000Z", "checkpoint": 1
        });
        serde_json::from_value(run).expect("a run")
    }

    #[test]
    fn each_end_has_its_exit_and_says_what_to_do() {
        let error = |code: &str| json!({ "code": code, "message": "so\u{7}", "retriable": true });
        assert!(failure(&run("completed", &Value::Null)).is_none());
        for (status, error, exit, said) in [
            ("failed", error("TIMEOUT"), Exit::Ended, "TIMEOUT: so\u{fffd}; `bailiwick runs retry 01`"),
            ("failed", error("WORKER_DIED"), Exit::Host, "`bailiwick runs retry 01`"),
            ("failed", error("APPROVAL_DENIED"), Exit::Refused, "APPROVAL_DENIED"),
            ("cancelled", Value::Null, Exit::Ended, "the run was cancelled"),
            ("interrupted", Value::Null, Exit::Refused, "`bailiwick runs resume 01 --repeat`"),
            ("running", Value::Null, Exit::Host, "let go of the run, which is running"),
        ] {
            let failure = failure(&run(status, &error)).expect(status);
            assert_eq!(failure.exit, exit, "{status}");
            assert!(failure.message.contains(said), "{}", failure.message);
        }
    }
}
