//! What must hold at every moment, whatever happens. A law is told what was seen, as plain
//! data, and says how that breaks it. It is [`super::watch`] that looks.

mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bailiwick_domain::invocation::{Invocation, RunStep};
use bailiwick_domain::run::{Action, Class, Event, EventKind, Record, Run, RunId, StepState};

use super::log::Log;
use super::site::Promise;
use crate::runtime::{Recovered, RunSummary, SubmitError, Submitted};
use crate::scheduler::queue::{PerClass, QueueSnapshot};

/// A model is asked, so many times by now in this trace: that it is was durable before,
/// each time.
pub(super) fn asked(trace: &str, times: usize, run: Option<(&RunId, &Log)>) -> Option<String> {
    let Some((id, log)) = run else {
        return Some(format!("a model was asked in the trace {trace}, of which there is no run"));
    };
    let asks = |record: &&Record| match &record.event {
        Event::StepStarted { action, .. } => matches!(action, Action::Model {} | Action::Complete { .. }),
        _ => false,
    };
    let begun = log.records.iter().filter(asks).count();
    (begun < times).then(|| format!("{id}: models were asked {times} times, and {begun} times it was durable"))
}

/// A call is one of a run.
pub(super) fn belongs(invocation: &Invocation) -> Result<&RunStep, String> {
    invocation.run.as_deref().ok_or_else(|| "a call that belongs to no run".to_owned())
}

/// A skill is called: the call is durable, as it is made, and has no result yet. `log` reads
/// the log of the run, or gives none where the disk is gone and nobody can say.
pub(super) fn called(
    invocation: &Invocation,
    of: &RunStep,
    run: &Run,
    log: impl FnOnce() -> Option<Log>,
) -> Option<String> {
    let step = run.steps.get(of.step as usize);
    let stands = |state: &StepState| match state {
        StepState::UnderWay => true,
        StepState::Abandoned => run.status.is_over() && stood(of.step, run, log().as_ref()),
        _ => false,
    };
    let is_due = step.is_some_and(|step| is_made(invocation, &step.action) && stands(&step.state));
    (!is_due).then(|| format!("{}: step {} is called and stands so: {step:?}", of.run, of.step))
}

/// Whether the call is made as the step says.
fn is_made(invocation: &Invocation, action: &Action) -> bool {
    match action {
        Action::Skill { tool, arguments, .. } | Action::Drive { tool, arguments, .. } => {
            Some(tool) == invocation.tool.as_ref() && *arguments == invocation.arguments
        }
        _ => false,
    }
}

/// Whether the step was under way until the run ended. A run that fails ends its calls a
/// moment after that is durable. What a subrun that failed leaves behind has ended by then.
fn stood(step: u32, run: &Run, log: Option<&Log>) -> bool {
    log.is_none_or(|log| {
        log.before_the_end(Arc::clone(&run.team)).is_some_and(|before| before.under_way().any(|it| it == step))
    })
}

/// Whoever follows a run is told that it has so many events: so many are kept.
pub(super) fn durable(id: &RunId, told: u64, kept: u64) -> Option<String> {
    (kept < told).then(|| format!("{id}: {told} events are told of, and {kept} are kept"))
}

/// The run in memory, of which its row in lists is made, is the fold of what is durable.
pub(super) fn same(run: &Run, row: Option<&[u8]>) -> Option<String> {
    let made = RunSummary::of(run).bytes();
    if row == Some(made.as_slice()) {
        return None;
    }
    let (row, made) = (String::from_utf8_lossy(row.unwrap_or_default()), String::from_utf8_lossy(&made));
    Some(format!("{}: it stood so: {row}\nand its events make it stand so: {made}", run.spec.id))
}

/// What is told of a run is durable.
pub(super) fn told(promise: &Promise, log: &Log) -> Option<String> {
    (!holds(promise, log)).then(|| format!("{promise:?} is told and not durable"))
}

/// Places are nobody's while somebody waits who may have them, and interactive runs find
/// the half of theirs that is kept.
pub(super) fn places(queue: &QueueSnapshot) -> Vec<String> {
    let mut breaches = Vec::new();
    let running = PerClass::from_fn(|class| queue.classes[class].running);
    let (all, total) = (running.sum(), queue.total);
    let free = total.saturating_sub(all);
    for class in Class::ALL {
        let left_alone = if class == Class::Interactive { 0 } else { queue.kept };
        if queue.classes[class].waiting > 0 && free > left_alone {
            breaches.push(format!("{class} runs wait beside free places: {queue:?}"));
        }
    }
    let kept = if total < 2 { 0 } else { queue.classes.interactive.share.div_ceil(2) };
    if all > total || all - running.interactive > total - kept {
        breaches.push(format!("more runs are at work than may be: {queue:?}"));
    }
    breaches
}

/// No stop damages a run.
pub(super) fn whole(recovered: &Recovered) -> Option<String> {
    (!recovered.damaged.is_empty()).then(|| format!("runs are damaged: {recovered:?}"))
}

/// A run that was acknowledged, or read by an earlier process, is there.
pub(super) fn lost<'a>(known: impl IntoIterator<Item = &'a RunId>, rows: &[RunSummary]) -> Option<String> {
    let lost = known.into_iter().find(|id| rows.iter().all(|row| row.id != **id))?;
    Some(format!("{lost}: the run was acknowledged and is gone"))
}

/// Events that an earlier process read are there, and are the same.
pub(super) fn unchanged(id: &RunId, known: &[Vec<u8>], log: &Log) -> Option<String> {
    (!log.raw.starts_with(known)).then(|| format!("{id}: events that were there are others now, or gone"))
}

/// What an earlier process told of a run is in its log.
pub(super) fn remembered(id: &RunId, promises: &[Promise], log: &Log) -> Vec<String> {
    let broken = promises.iter().filter(|promise| promise.run() == id && !holds(promise, log));
    broken.map(|broken| format!("{broken:?} was told, and a process later it is gone")).collect()
}

impl Promise {
    const fn run(&self) -> &RunId {
        match self {
            Self::Word(run, _) | Self::Told(run, ..) | Self::Upto(run, _) => run,
        }
    }
}

/// Whether the log of a run has what was told.
fn holds(promise: &Promise, log: &Log) -> bool {
    match promise {
        Promise::Word(_, by) => log.mentions(&format!("\"by\":\"{by}\"")),
        Promise::Told(_, at, name) => {
            let kind = EventKind::ALL.into_iter().find(|kind| kind.name() == *name);
            let is_it = |record: &Record| record.at == *at && kind.is_none_or(|kind| record.event.kind() == kind);
            log.records.iter().any(is_it)
        }
        Promise::Upto(_, last) => log.records.len() as u64 >= *last,
    }
}

/// What is asked for is taken up, unless the host goes down or its disk is gone.
pub(super) fn refused(order: usize, error: &SubmitError, is_failing: bool) -> Option<String> {
    let may_be = match error {
        SubmitError::Stopping => true,
        SubmitError::Journal(_) => is_failing,
        _ => false,
    };
    (!may_be).then(|| format!("order {order} was refused: {error:?}"))
}

/// Whoever asks for the same again is given the run that they had, and whoever asks for the
/// first time a new one.
pub(super) fn answered(order: usize, before: Option<&RunId>, was_sent: bool, now: &Submitted) -> Vec<String> {
    let Submitted { id, replayed } = now;
    let mut breaches = Vec::new();
    if before.is_some_and(|before| before != id || !replayed) {
        breaches.push(format!("order {order} was {before:?} and is {id} now (replayed: {replayed})"));
    }
    if *replayed && !was_sent {
        breaches.push(format!("order {order} was new and is said to be {id}, an older run"));
    }
    breaches
}

/// Whatever is asked for is one run. Each order has a label of its own.
pub(super) fn one_run_each(rows: &[RunSummary]) -> Vec<String> {
    let mut labels = BTreeMap::new();
    let doubled = rows.iter().filter_map(|row| {
        let other = labels.insert(&row.label, &row.id)?;
        Some(format!("{} and {other} were asked for as one run", row.id))
    });
    doubled.collect()
}

/// A run comes to its end once people answer.
pub(super) fn over(run: &Run) -> Option<String> {
    (!run.status.is_over()).then(|| format!("{}: it is {} at the end of all: {run:?}", run.spec.id, run.status))
}

/// What a host has left when all runs are over.
pub(super) struct Left {
    pub(super) queue: QueueSnapshot,
    /// By agent.
    pub(super) open_tasks: Vec<(&'static str, u32)>,
    /// Questions that nobody has answered.
    pub(super) questions: BTreeSet<String>,
    /// Runs that the journal counts as open.
    pub(super) open_runs: Vec<String>,
}

/// Nothing is left of runs that are over.
pub(super) fn settled(left: &Left) -> Vec<String> {
    let Left { queue, open_tasks, questions, open_runs } = left;
    let mut breaches = Vec::new();
    if Class::ALL.into_iter().any(|class| queue.classes[class].waiting > 0 || queue.classes[class].running > 0) {
        breaches.push(format!("all runs are over, and the queue stands so: {queue:?}"));
    }
    for (agent, open) in open_tasks.iter().filter(|(_, open)| *open > 0) {
        breaches.push(format!("all runs are over, and `{agent}` has {open} open tasks"));
    }
    if !questions.is_empty() {
        breaches.push(format!("all runs are over, and these questions are open: {questions:?}"));
    }
    if !open_runs.is_empty() {
        breaches.push(format!("all runs are over, and these count as open: {open_runs:?}"));
    }
    breaches
}

/// A journal that was closed when all runs were over has none that counts as open.
pub(super) fn closed(open_runs: &[String]) -> Option<String> {
    (!open_runs.is_empty()).then(|| format!("the host was stopped, and these runs count as open: {open_runs:?}"))
}
