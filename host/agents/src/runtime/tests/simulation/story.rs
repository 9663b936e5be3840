//! What must hold of all of a run, from its first event to its last, when it is over.

mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick_domain::run::{Action, Event, Record, Run, RunId, StepResult, Team};

use super::laws;
use super::log::Log;

/// Codes by which a host says that it has an error of its own, or that a workflow was told
/// something else than before. Here nothing panics, and the workflow asks for the same
/// each time.
const OWN_ERRORS: [&str; 3] = ["HOST_FAILURE", "WORKER_DIED", "REPLAY_DIVERGED"];

/// How often each step took effect, by run, number and tool.
pub(super) type Deeds = BTreeMap<(String, u32, String), u32>;

/// Reads a run event by event, and says what is wrong with it. Takes away from `deeds` what
/// it tells of.
pub(super) fn read(id: &RunId, log: &Log, team: Arc<Team>, deeds: &mut Deeds) -> Vec<String> {
    let mut story = Story { id, faults: Vec::new(), repeats: BTreeMap::new(), calls: BTreeMap::new() };
    story.read(log, team);
    story.compare(deeds);
    story.faults
}

/// What took effect was asked for by a run: nothing is left when all runs were read.
pub(super) fn untold(deeds: &Deeds) -> Vec<String> {
    let untold = deeds.iter().map(|((run, step, tool), times)| {
        format!("`{tool}` was called {times} times for step {step} of {run}, which tells of no such call")
    });
    untold.collect()
}

/// A call that a run tells of.
struct Call {
    tool: String,
    /// Whether it may be made again.
    idempotent: bool,
    /// How often it began.
    begun: u32,
    /// Whether it gave an output.
    gave: bool,
}

/// A run, read event by event.
struct Story<'a> {
    id: &'a RunId,
    faults: Vec<String>,
    /// How often a person said that a step is made again.
    repeats: BTreeMap<u32, u32>,
    /// Calls, by step.
    calls: BTreeMap<u32, Call>,
}

impl Story<'_> {
    fn fault(&mut self, words: &str) {
        self.faults.push(format!("{}: {words}", self.id));
    }

    fn read(&mut self, log: &Log, team: Arc<Team>) {
        let Some((first, rest)) = log.records.split_first() else { return self.fault("it has no events") };
        let mut run = match Run::begin(first, team) {
            Ok(run) => run,
            Err(error) => return self.fault(&format!("it can't begin so: {error}")),
        };
        for record in rest {
            self.heed(&run, record);
            if let Err(error) = run.apply(record) {
                return self.fault(&format!("event {} can't follow: {error}", run.last + 1));
            }
        }
        self.faults.extend(laws::over(&run));
    }

    /// Looks at an event that meets the run so.
    fn heed(&mut self, run: &Run, record: &Record) {
        if record.at < run.updated_at {
            self.fault("time went back in it");
        }
        match &record.event {
            Event::StepStarted { step, action, .. } => self.begin(run, *step, action),
            Event::Resumed { repeat: true, .. } => {
                for step in run.cut_off() {
                    *self.repeats.entry(step).or_default() += 1;
                }
            }
            Event::StepEnded { step, result: StepResult::Output { .. }, .. } => {
                if let Some(call) = self.calls.get_mut(step) {
                    call.gave = true;
                }
            }
            Event::StepEnded { result: StepResult::Failed { code, message, .. }, .. }
            | Event::Failed { code, message, .. }
                if OWN_ERRORS.contains(&code.as_str()) =>
            {
                self.fault(&format!("{code}: {message}"));
            }
            _ => {}
        }
    }

    /// A step begins when something of the budget is left.
    fn begin(&mut self, run: &Run, step: u32, action: &Action) {
        // What is under way is not counted yet. It may exceed the budget but for its steps,
        // and so may a question that is put again.
        let mut spent = run.spend;
        spent.steps = spent.steps.saturating_add(run.under_way().count() as u64);
        let short = run.spec.budget.exhausted(&spent);
        if let Some(what) = short.filter(|_| !action.is_question()) {
            self.fault(&format!("step {step} begins with no {what} left"));
        }
        if let Action::Skill { tool, idempotent, .. } = action {
            let new = || Call { tool: tool.clone(), idempotent: *idempotent, begun: 0, gave: false };
            self.calls.entry(step).or_insert_with(new).begun += 1;
        }
    }

    /// What its calls did, and how often, follows from its log. Takes that away.
    fn compare(&mut self, deeds: &mut Deeds) {
        for (step, Call { tool, idempotent, begun, gave }) in &self.calls {
            let times = deeds.remove(&(self.id.to_string(), *step, tool.clone())).unwrap_or_default();
            let may = 1 + self.repeats.get(step).copied().unwrap_or_default();
            if *gave && times == 0 {
                let words = format!("{}: `{tool}` of step {step} gave an output and took no effect", self.id);
                self.faults.push(words);
            }
            if times > *begun || (!idempotent && times > may) {
                let times = format!("was done {times} times, began {begun} and may be {may}");
                self.faults.push(format!("{}: `{tool}` of step {step} {times}", self.id));
            }
        }
    }
}
