//! `bailiwick runs show`: all that there is to know of a run.

use bailiwick_domain::clock::Clock as _;
use bailiwick_wire::run::{Run, RunBudget, RunClass};

use crate::clock::SystemClock;
use crate::commands::run::{Detail, Picture, advice, one_line, output, since_1970, spend, status, strategy, tree, usd};
use crate::desk::Desk;
use crate::output::{Done, Output, tame};

/// Characters of a line: a terminal wraps what is more than it has.
const WIDTH: usize = 200;

/// Characters of the words that a run was given.
const MAX_TEXT: usize = 200;

pub(super) fn show(id: &str, desk: &Desk, out: Output) -> Done {
    let picture = desk.runtime().block_on(Picture::read(desk.client(), id))?;
    if out.json {
        let mut run = serde_json::to_value(&picture.run).unwrap_or_default();
        let steps: Vec<_> = picture.steps.values().collect();
        run["steps"] = serde_json::to_value(steps).unwrap_or_default();
        out.value(&run);
        return Ok(());
    }
    head(&picture.run, out);
    let now = since_1970(SystemClock.now());
    for line in tree(&picture, now, WIDTH, Detail::Whole) {
        out.line(line);
    }
    came(&picture.run, out);
    Ok(())
}

fn head(run: &Run, out: Output) {
    out.line(format!("{}  {}", out.bold(&run.id), status(run.status)));
    out.line(format!("  strategy   {}", strategy(&run.strategy)));
    out.line(format!("  class      {}", class(run.class)));
    if let Some(label) = &run.label {
        out.line(format!("  label      {}", one_line(label, MAX_TEXT)));
    }
    out.line(format!("  for        {}, trace {}", tame(&run.principal), run.trace_id));
    out.line(format!("  may take   {}", budget(&run.budget)));
    out.line(format!("  took       {}", spend(&run.spend)));
    let began = run.started_at.as_ref().map(|at| format!(", began {at}")).unwrap_or_default();
    out.line(format!("  queued     {}{began}, last changed {}", run.queued_at, run.updated_at));
    out.line(format!("  input      {}", one_line(&run.input, MAX_TEXT)));
}

/// What came of the run, and what can be done.
fn came(run: &Run, out: Output) {
    if let Some(value) = &run.output {
        out.line(out.bold("output"));
        output(value, out);
    }
    if let Some(error) = &run.error {
        out.line(out.red(&format!("{}: {}", error.code, tame(&error.message))));
        if !error.partial.is_null() {
            out.line(out.bold("in place of an output"));
            output(&error.partial, out);
        }
    }
    if let Some(advice) = advice(run) {
        out.line(format!("next: {advice}"));
    }
}

fn budget(budget: &RunBudget) -> String {
    let number = |number: Option<u64>, what: &str| number.map(|number| format!("{number} {what}"));
    let parts = [
        number(Some(budget.steps), "steps"),
        Some(budget.wall.clone()),
        number(budget.tokens, "tokens"),
        budget.usd.and_then(usd),
        number(budget.fuel, "fuel"),
        number(budget.host_calls, "calls of the host"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(super) const fn class(class: RunClass) -> &'static str {
    match class {
        RunClass::Interactive => "interactive",
        RunClass::Normal => "normal",
        RunClass::Batch => "batch",
    }
}
