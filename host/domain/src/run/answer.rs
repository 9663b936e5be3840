//! Answers of agents that have to fit a schema.

use jsonschema::{Draft, PatternOptions};
use serde_json::Value;

use super::event::Role;
use super::state::{Handoff, HandoffState, Run};
use super::task::Task;
use super::team::Member;
use crate::text::start_of;

/// Most bytes of a compiled pattern: as many as for the schemas of tools.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Bytes of an answer that is held against a schema: as many as the next one may be asked.
/// It is judged on the thread of its run, which answers nobody meanwhile.
const MAX_ANSWER: usize = 256 << 10;

/// Problems of an answer that its model is told at once.
const MAX_PROBLEMS: usize = 5;

/// Characters of a problem: it may show the whole value.
const MAX_SHOWN: usize = 300;

/// Why an answer is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// It is not as the schema wants it: how.
    Answer(String),
    /// The schema judges nothing: why.
    Schema(String),
}

/// The schema that the last answer in the task has to fit, where there is one. Who chooses
/// an agent answers by a call, and what a workflow gives has a type.
pub(super) fn wanted<'m>(task: &Task, member: &'m Member) -> Option<&'m Value> {
    match task.opening.role {
        Role::Work | Role::Reduce => member.output_schema.as_ref(),
        Role::Route | Role::Drive => None,
    }
}

/// What a model is told of the schema before anything else.
pub(super) fn instructions(schema: &Value) -> String {
    format!("Your last answer must be JSON that fits this JSON Schema, and nothing else:\n{schema}")
}

/// What a model is told whose answer does not fit.
pub(super) fn correction(problem: &str) -> String {
    format!("Your answer does not fit the JSON Schema: {problem}. Answer again, with JSON that fits and nothing else.")
}

/// The JSON that an answer is, without the fence that models put around it.
pub(super) fn fit<'t>(schema: &Value, answer: &'t str) -> Result<&'t str, Misfit> {
    let text = unfenced(answer);
    if text.len() > MAX_ANSWER {
        return Err(Misfit::Answer(format!("it has {} bytes; it may have {MAX_ANSWER}", text.len())));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|error| Misfit::Answer(format!("it is not JSON: {error}")))?;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(MAX_PATTERN_BYTES))
        .build(schema)
        .map_err(|error| Misfit::Schema(start_of(&error.to_string(), MAX_SHOWN)))?;
    let problems = validator.iter_errors(&value).take(MAX_PROBLEMS);
    let problems: Vec<String> =
        problems.map(|error| told(&error.instance_path().to_string(), &error.to_string())).collect();
    if problems.is_empty() { Ok(text) } else { Err(Misfit::Answer(problems.join("; "))) }
}

/// A problem with the place that it has in the answer.
fn told(path: &str, problem: &str) -> String {
    let place = if path.is_empty() { "(root)" } else { path };
    format!("{}: {}", start_of(place, MAX_SHOWN), start_of(problem, MAX_SHOWN))
}

fn unfenced(answer: &str) -> &str {
    let text = answer.trim();
    let inside = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    match inside.and_then(|inside| inside.split_once('\n')) {
        // Behind the fence stands the language, if anything.
        Some((language, body)) if language.trim().chars().all(char::is_alphanumeric) => body.trim(),
        _ => text,
    }
}

impl Run {
    /// What a task gave, as its run gives it: JSON where a workflow or a schema made it so,
    /// and text otherwise.
    pub(super) fn given(&self, task: &Task, output: &str) -> Value {
        let text = || Value::String(output.to_owned());
        let task = self.answered_by(task);
        let has_schema = self.team.members.get(&task.opening.agent).is_some_and(|it| wanted(task, it).is_some());
        if task.opening.role == Role::Drive || has_schema {
            // It was read before.
            serde_json::from_str(output).unwrap_or_else(|_| text())
        } else {
            text()
        }
    }

    /// The task whose answer the task has: its own, or that of whom the work was given to
    /// last.
    fn answered_by<'r>(&'r self, task: &'r Task) -> &'r Task {
        let number = self.tasks.iter().position(|it| std::ptr::eq(it, task));
        let is_done =
            |handoff: &&Handoff| handoff.state == HandoffState::Completed && Some(handoff.from as usize) == number;
        let given = self.handoffs.iter().position(|handoff| is_done(&handoff)).and_then(|it| u32::try_from(it).ok());
        let receiver = given.and_then(|given| self.tasks.iter().find(|it| it.opening.handoff == Some(given)));
        // Who received it has a higher number, so that this ends.
        receiver.map_or(task, |receiver| self.answered_by(receiver))
    }
}
