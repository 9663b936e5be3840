//! `bailiwick run`: an agent does something, and is watched.

mod end;
mod follow;
mod line;
mod picture;
mod questions;
mod screen;
mod stream;
mod text;
mod tree;

use std::io::Read as _;

use bailiwick_domain::units::format_size;
use bailiwick_wire::run::{OnFailure, Run as Submitted, RunBudgetRequest, RunClass, RunRequest, RunStrategy};
use serde_json::Value;

pub(super) use self::end::{advice, output};
pub(super) use self::follow::follow;
pub(super) use self::line::line;
pub(super) use self::picture::Picture;
pub(super) use self::stream::{Reader, Told};
pub(super) use self::text::{one_line, since_1970, spend, status, strategy, usd};
pub(super) use self::tree::{Detail, tree, what};
use crate::cli::run::{Budget, Class, Run};
use crate::config::Config;
use crate::desk::Desk;
use crate::output::{Done, Exit, Failure, Output};

/// Bytes of an input that are read: what the server takes too.
const MAX_INPUT: u64 = 256 << 10;

/// Runs the command.
pub fn run(run: &Run, config: &Config, out: Output) -> Done {
    let request = request(run)?;
    let desk = Desk::open(config, out)?;
    if run.detach && desk.is_here() {
        let problem = "--detach leaves the run to a server, and none has this data folder: start `bailiwick serve`";
        return Err(Failure::new(Exit::Usage, problem));
    }
    let submitted: Submitted = desk.send("POST", "/v1/agents/runs", Some(&body(&request)))?;
    if !run.detach {
        return follow(&desk, &submitted.id, 0, out);
    }
    if out.json {
        out.value(&serde_json::to_value(&submitted).unwrap_or_default());
    } else {
        out.line(&submitted.id);
    }
    Ok(())
}

fn request(run: &Run) -> Result<RunRequest, Failure> {
    let agent = run.agent.clone();
    // No agent has a slash in its name, and every skill has one.
    let (agent, strategy) = if agent.contains('/') {
        if !(run.hand_to.is_empty() && run.each.is_empty()) {
            let problem = format!("`{agent}` is a workflow, which takes no --each and no --hand-to");
            return Err(Failure::new(Exit::Usage, problem));
        }
        (None, Some(RunStrategy::Workflow { skill: agent }))
    } else if !run.hand_to.is_empty() {
        let agents = std::iter::once(&agent).chain(&run.hand_to).cloned().collect();
        (None, Some(RunStrategy::Handoff { agents, first: Some(agent), max_depth: None }))
    } else if run.each.is_empty() {
        (Some(agent), None)
    } else {
        let on_failure = if run.collect { OnFailure::Collect } else { OnFailure::FailFast };
        let (items, reduce) = (run.each.clone(), run.reduce.clone());
        (None, Some(RunStrategy::ParallelMap { agent, items, reduce, on_failure, at_once: None }))
    };
    Ok(RunRequest {
        agent,
        strategy,
        input: input(&run.input)?,
        class: match run.class {
            Class::Interactive => RunClass::Interactive,
            Class::Normal => RunClass::Normal,
            Class::Batch => RunClass::Batch,
        },
        budget: budget(&run.budget),
        label: run.label.clone(),
    })
}

/// A budget as the routes take it.
pub(super) fn budget(budget: &Budget) -> RunBudgetRequest {
    RunBudgetRequest {
        steps: budget.budget_steps.map(Into::into),
        wall: budget.timeout.clone(),
        tokens: budget.budget_tokens.map(Into::into),
        usd: budget.budget_usd,
        fuel: None,
        host_calls: None,
    }
}

/// A request as JSON: texts and numbers, which can be written.
pub(super) fn body(request: &impl serde::Serialize) -> Value {
    serde_json::to_value(request).unwrap_or_default()
}

/// What is asked for, as it was typed or from stdin.
fn input(typed: &str) -> Result<String, Failure> {
    if typed != "-" {
        return Ok(typed.to_owned());
    }
    let mut text = String::new();
    let read = std::io::stdin().take(MAX_INPUT + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::new(Exit::Usage, format!("the input from stdin: {error}")))?;
    if text.len() as u64 > MAX_INPUT {
        let problem = format!("the input from stdin has more than {}", format_size(MAX_INPUT));
        return Err(Failure::new(Exit::Usage, problem));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use serde_json::json;

    use super::*;
    use crate::cli::{Cli, Command};

    fn body_of(line: &[&str]) -> Value {
        let words = ["bailiwick", "run"].into_iter().chain(line.iter().copied());
        let Ok(Cli { command: Command::Run(run), .. }) = Cli::try_parse_from(words) else { panic!("{line:?}") };
        body(&request(&run).expect("a request"))
    }

    #[test]
    fn what_is_typed_is_what_is_asked_for() {
        let single = body_of(&[
            "scribe",
            "Sum it up.",
            "--budget-steps",
            "9",
            "--timeout",
            "5 min",
            "--label",
            "notes",
            "--budget-tokens",
            "900",
            "--budget-usd",
            "0.5",
        ]);
        let expected = json!({
            "agent": "scribe", "input": "Sum it up.", "class": "interactive",
            "budget": { "steps": 9, "wall": "5 min", "tokens": 900, "usd": 0.5 }, "label": "notes"
        });
        assert_eq!(single, expected);
        let line = ["scribe", "x", "--class", "batch", "--each", "a", "b", "--reduce", "editor", "--collect"];
        let expected = json!({
            "strategy": {
                "kind": "parallel_map", "agent": "scribe", "items": ["a", "b"], "reduce": "editor",
                "on_failure": "collect"
            },
            "input": "x", "class": "batch", "budget": {}
        });
        assert_eq!(body_of(&line), expected);
        let expected = json!({
            "strategy": { "kind": "workflow", "skill": "examples/briefing@^1" },
            "input": "{}", "class": "interactive", "budget": {}
        });
        assert_eq!(body_of(&["examples/briefing@^1", "{}"]), expected);
    }
}
