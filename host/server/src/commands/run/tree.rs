//! A run as lines of text: its tasks as branches, their steps as leaves.

use bailiwick_wire::run::{RunStatus, RunStep, RunTask, StepAnswer, StepKind, StepState, TaskStatus};

use super::picture::Picture;
use super::text::{self, clip, one_line, span, tail};

/// Characters of a text that a line shows, at the most.
const MAX_TEXT: usize = 80;

/// Characters of what is heard of a step.
const MAX_HEARD: usize = 60;

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Detail {
    /// Steps of tasks that have not ended.
    Open,
    /// Every step.
    Whole,
}

/// The run as lines of at most `width` characters. `now` is in milliseconds since 1970.
pub(in crate::commands) fn tree(picture: &Picture, now: u64, width: usize, detail: Detail) -> Vec<String> {
    let mut lines = vec![head(picture, now)];
    let tasks = &picture.run.tasks;
    for (index, task) in tasks.iter().enumerate() {
        let (joint, rail) = if index + 1 == tasks.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        lines.push(format!("{joint}{}", task_line(task)));
        if detail == Detail::Open && task.status != TaskStatus::Working {
            continue;
        }
        let steps: Vec<_> = picture.steps.values().filter(|step| step.task == task.number).collect();
        for (index, step) in steps.iter().enumerate() {
            let joint = if index + 1 == steps.len() { "└─ " } else { "├─ " };
            let heard = picture.heard.get(&step.number).map(String::as_str);
            lines.push(format!("{rail}{joint}{}", step_line(step, heard, now)));
        }
    }
    lines.into_iter().map(|line| clip(&line, width)).collect()
}

/// The same in at most `height` lines: the head, and of the rest the end.
pub(super) fn fit(mut lines: Vec<String>, height: usize) -> Vec<String> {
    // The head, the line that says what is missing, and one more.
    let height = height.max(3);
    if lines.len() > height {
        let hidden = lines.len() - (height - 2);
        let gap = format!("   … {} lines above", hidden - 1);
        lines.splice(1..hidden, [gap]);
    }
    lines
}

fn head(picture: &Picture, now: u64) -> String {
    let run = &picture.run;
    let end = if text::is_over(run.status) { text::millis(&run.updated_at).unwrap_or(now) } else { now };
    let begin = text::millis(run.started_at.as_ref().unwrap_or(&run.queued_at)).unwrap_or(end);
    let parts =
        [run.id.clone(), text::status(run.status).to_owned(), span(end.saturating_sub(begin)), text::spend(&run.spend)];
    let why = match (&run.error, run.status) {
        (Some(error), RunStatus::Failed) => format!("  {}", error.code),
        _ => String::new(),
    };
    format!("run {}{why}", parts.join("  "))
}

fn task_line(task: &RunTask) -> String {
    let mark = match task.status {
        TaskStatus::Working => "●",
        TaskStatus::Asked => "?",
        TaskStatus::Done => "✓",
        TaskStatus::Failed => "✗",
    };
    let role = text::role(task.role).map(|role| format!(" ({role})")).unwrap_or_default();
    let item = task.item.map(|item| format!(" (item {item})")).unwrap_or_default();
    let subrun = task.subrun.map(|subrun| format!(" (subrun {subrun})")).unwrap_or_default();
    let why = match &task.error {
        Some(error) => format!("  {}: {}", error.code, one_line(&error.message, MAX_TEXT)),
        None => String::new(),
    };
    format!("{mark} {}{role}{item}{subrun}  {}{why}", task.agent, text::spend(&task.spend))
}

fn step_line(step: &RunStep, heard: Option<&str>, now: u64) -> String {
    let ended = step.ended_at.as_deref().and_then(text::millis);
    let begin = text::millis(&step.started_at).unwrap_or(now);
    let took = |end: u64| span(end.saturating_sub(begin));
    let again = if step.attempt > 1 { format!("  try {}", step.attempt) } else { String::new() };
    let (mark, rest) = match step.state {
        StepState::UnderWay => ("●", [Some(took(now)), heard.map(|heard| tail(heard, MAX_HEARD))]),
        StepState::AwaitingApproval => {
            let approval = step.approval.as_deref().unwrap_or("?");
            ("?", [Some(format!("waits for approval {approval}")), None])
        }
        StepState::Ready => ("●", [Some("begins".to_owned()), None]),
        StepState::Backoff => ("↻", [error(step), Some("begins again".to_owned())]),
        StepState::CutOff => ("!", [Some("cut off: nobody knows what came of it".to_owned()), None]),
        StepState::Abandoned => ("–", [Some("abandoned".to_owned()), None]),
        StepState::Ended => {
            let failed = step.failure.is_some() || step.error.is_some();
            (if failed { "✗" } else { "✓" }, [Some(took(ended.unwrap_or(now))), outcome(step)])
        }
    };
    let mut parts = vec![format!("{mark} {}{again}", what(step))];
    parts.extend(rest.into_iter().flatten().filter(|part| !part.is_empty()));
    parts.join("  ")
}

/// What is asked: `model small  812+64 tokens`, `bailiwick/files read {"path":"ports.txt"}`.
pub(in crate::commands) fn what(step: &RunStep) -> String {
    if step.kind == StepKind::Question {
        let summary = step.arguments.as_ref().and_then(|asked| asked.get("summary")?.as_str()).unwrap_or_default();
        return format!("question {}", one_line(summary, MAX_TEXT)).trim_end().to_owned();
    }
    if matches!(step.kind, StepKind::Model | StepKind::Completion) {
        let model = step.answer.as_ref().map(|answer| format!(" {}", one_line(&answer.model, MAX_TEXT)));
        let tokens = text::tokens(&step.spend).map(|tokens| format!("  {tokens}"));
        return format!("model{}{}", model.unwrap_or_default(), tokens.unwrap_or_default());
    }
    let skill = step.skill.as_deref().unwrap_or("a skill");
    let tool = one_line(step.tool.as_deref().unwrap_or_default(), MAX_TEXT);
    let arguments = step.arguments.as_ref().map(|arguments| text::value(arguments, MAX_TEXT)).unwrap_or_default();
    format!("{skill} {tool} {arguments}").trim_end().to_owned()
}

/// What came of a step that has ended.
fn outcome(step: &RunStep) -> Option<String> {
    let output = || step.output.as_deref().map(|output| text::raw(output, MAX_TEXT));
    let failure = || step.failure.as_deref().map(|failure| format!("failed: {}", text::raw(failure, MAX_TEXT)));
    error(step).or_else(failure).or_else(|| step.answer.as_ref().map(answer)).or_else(output)
}

fn error(step: &RunStep) -> Option<String> {
    step.error.as_ref().map(|error| format!("{}: {}", error.code, one_line(&error.message, MAX_TEXT)))
}

/// What a model wants called, or else what it said.
pub(super) fn answer(answer: &StepAnswer) -> String {
    if answer.calls.is_empty() {
        return one_line(&answer.text, MAX_TEXT);
    }
    let names: Vec<_> = answer.calls.iter().map(|call| call.name.as_str()).collect();
    one_line(&format!("calls {}", names.join(", ")), MAX_TEXT)
}

#[cfg(test)]
mod tests;
