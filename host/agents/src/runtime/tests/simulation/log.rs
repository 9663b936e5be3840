//! The log of a run, and what must hold of all of it when the run is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_domain::run::{Action, Event, EventKind, Record, Run, RunId, StepResult, Team};

use super::site::Site;
use super::{laws, people};
use crate::runtime::{ControlError, Runtime};

/// Codes by which a host says that it has an error of its own, or that a workflow was told
/// something else than before. Here nothing panics, and the workflow asks for the same
/// each time.
const OWN_ERRORS: [&str; 3] = ["HOST_FAILURE", "WORKER_DIED", "REPLAY_DIVERGED"];

/// The durable events of a run.
pub(super) struct Log {
    pub(super) raw: Vec<Vec<u8>>,
    pub(super) records: Vec<Record>,
}

impl Log {
    pub(super) fn read(host: &Runtime, id: &RunId) -> Result<Self, ControlError> {
        let (mut raw, mut records, mut after) = (Vec::new(), Vec::new(), 0);
        loop {
            let log = host.inner.parts.journal.run_events(id.as_str(), after, usize::MAX)?;
            if let Some(damage) = log.damage {
                return Err(ControlError::Damaged { at: damage.at });
            }
            for (number, bytes) in log.events {
                let record = serde_json::from_slice(&bytes).map_err(|_| ControlError::Damaged { at: number })?;
                records.push(record);
                raw.push(bytes);
                after = number;
            }
            if after >= log.last {
                return Ok(Self { raw, records });
            }
        }
    }

    /// The run as it was before its last event, by which it ended.
    pub(super) fn before_the_end(&self, team: Arc<Team>) -> Option<Run> {
        let (_, before) = self.records.split_last()?;
        let (first, rest) = before.split_first()?;
        let mut run = Run::begin(first, team).ok()?;
        for record in rest {
            run.apply(record).ok()?;
        }
        Some(run)
    }

    /// Whether these words are in one of the events.
    pub(super) fn mentions(&self, words: &str) -> bool {
        self.raw.iter().any(|bytes| bytes.windows(words.len()).any(|part| part == words.as_bytes()))
    }
}

/// How often each step took effect, by run, number and tool.
type Deeds = BTreeMap<(String, u32, String), u32>;

/// Reads every run from its beginning, and says what happened in all of them.
pub(super) fn examine(site: &Site, host: &Runtime) -> BTreeSet<EventKind> {
    let mut kinds = BTreeSet::new();
    let mut labels: BTreeMap<Option<String>, RunId> = BTreeMap::new();
    let mut deeds = site.deeds.done.lock().expect("no panic").clone();
    for row in people::all(site, host) {
        let (log, team) = match (Log::read(host, &row.id), host.run(&row.id)) {
            (Ok(log), Ok(run)) => (log, run.team),
            (Err(error), _) | (_, Err(error)) => {
                site.blame("a run that is over", &error);
                continue;
            }
        };
        laws::same(site, host, &row.id);
        let mut story = Story::new(site, &row.id);
        story.read(&log, team);
        story.compare(&mut deeds);
        kinds.extend(log.records.iter().map(|record| record.event.kind()));
        site.note(format!("{} {}", row.id, row.status));
        log.raw.iter().for_each(|bytes| site.note(String::from_utf8_lossy(bytes).into_owned()));
        if let Some(other) = labels.insert(row.label, row.id.clone()) {
            site.fault(format!("{} and {other} were asked for as one run", row.id));
        }
    }
    for ((run, step, tool), times) in &deeds {
        site.fault(format!("`{tool}` was called {times} times for step {step} of {run}, which tells of no such call"));
    }
    kinds
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
    site: &'a Site,
    id: &'a RunId,
    /// How often a person said that a step is made again.
    repeats: BTreeMap<u32, u32>,
    /// Calls, by step.
    calls: BTreeMap<u32, Call>,
}

impl<'a> Story<'a> {
    fn new(site: &'a Site, id: &'a RunId) -> Self {
        Self { site, id, repeats: BTreeMap::new(), calls: BTreeMap::new() }
    }

    fn fault(&self, words: &str) {
        self.site.fault(format!("{}: {words}", self.id));
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
        if !run.status.is_over() {
            self.fault(&format!("it is {} at the end of all", run.status));
        }
    }

    /// Looks at an event that meets the run so.
    fn heed(&mut self, run: &Run, record: &Record) {
        if record.at < run.updated_at {
            self.fault("time went back in it");
        }
        match &record.event {
            Event::StepStarted { step, action, .. } => {
                // What is under way is not counted yet. It may exceed the budget but for its
                // steps, and so may a question that is put again.
                let mut spent = run.spend;
                spent.steps = spent.steps.saturating_add(run.under_way().count() as u64);
                let short = run.spec.budget.exhausted(&spent);
                if let Some(what) = short.filter(|_| !action.is_question()) {
                    self.fault(&format!("step {step} begins with no {what} left"));
                }
                if let Action::Skill { tool, idempotent, .. } = action {
                    let new = || Call { tool: tool.clone(), idempotent: *idempotent, begun: 0, gave: false };
                    self.calls.entry(*step).or_insert_with(new).begun += 1;
                }
            }
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

    /// What its calls did, and how often, follows from its log. Takes that away.
    fn compare(&self, deeds: &mut Deeds) {
        for (step, Call { tool, idempotent, begun, gave }) in &self.calls {
            let times = deeds.remove(&(self.id.to_string(), *step, tool.clone())).unwrap_or_default();
            let may = 1 + self.repeats.get(step).copied().unwrap_or_default();
            if *gave && times == 0 {
                self.fault(&format!("`{tool}` of step {step} gave an output and took no effect"));
            }
            if times > *begun || (!idempotent && times > may) {
                self.fault(&format!("`{tool}` of step {step} was done {times} times, began {begun} and may be {may}"));
            }
        }
    }
}
