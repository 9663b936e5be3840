//! What must hold at every moment, whatever happens.

use std::sync::Arc;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::model::ChatRequest;
use bailiwick_domain::run::{Action, Class, Event, EventKind, Record, RunId, StepState};

use super::log::Log;
use super::people;
use super::site::{Promise, Site};
use crate::bus::Told;
use crate::runtime::{ControlError, RunSummary, Runtime};
use crate::scheduler::queue::PerClass;

/// A model is asked: that it is was durable before, each time.
pub(super) fn asked(site: &Site, request: &ChatRequest) {
    let Some(host) = site.host() else { return };
    let trace = request.trace.trace_id_hex();
    let times = site.book(|book| {
        let asked = book.asked.entry(trace.clone()).or_default();
        *asked += 1;
        *asked
    });
    let Some(row) = people::all(site, &host).into_iter().find(|row| row.trace_id == trace) else {
        if !site.is_failing() {
            site.fault(format!("a model was asked in the trace {trace}, of which there is no run"));
        }
        return;
    };
    let log = match Log::read(&host, &row.id) {
        Ok(log) => log,
        Err(error) => return site.blame("the run that asks a model", &error),
    };
    let asks = |record: &&Record| match &record.event {
        Event::StepStarted { action, .. } => matches!(action, Action::Model {} | Action::Complete { .. }),
        _ => false,
    };
    let begun = log.records.iter().filter(asks).count();
    if begun < times {
        site.fault(format!("{}: models were asked {times} times, and {begun} times it was durable", row.id));
    }
}

/// A skill is called: the call is durable, as it is made, and has no result yet.
pub(super) fn called(site: &Site, invocation: &Invocation) {
    let Some(host) = site.host() else { return };
    let Some(of) = &invocation.run else { return site.fault("a call that belongs to no run".to_owned()) };
    let run = match host.run(&of.run) {
        Ok(run) => run,
        Err(error) => return site.blame("the run that calls a skill", &error),
    };
    let step = run.steps.get(of.step as usize);
    let is_this = |action: &Action| match action {
        Action::Skill { tool, arguments, .. } | Action::Drive { tool, arguments, .. } => {
            Some(tool) == invocation.tool.as_ref() && *arguments == invocation.arguments
        }
        _ => false,
    };
    // A run that fails ends its calls a moment after that is durable. What a subrun that failed
    // leaves behind has ended by then.
    let stood = || match Log::read(&host, &of.run) {
        Ok(log) => log.before_the_end(Arc::clone(&run.team)).is_some_and(|run| run.under_way().any(|it| it == of.step)),
        Err(_) => site.is_failing(),
    };
    let stands = |state: &StepState| match state {
        StepState::UnderWay => true,
        StepState::Abandoned => run.status.is_over() && stood(),
        _ => false,
    };
    let is_due = step.is_some_and(|step| is_this(&step.action) && stands(&step.state));
    if !is_due {
        site.fault(format!("{}: step {} is called and stands so: {step:?}", of.run, of.step));
    }
}

/// Whoever follows a run is told that it has so many events.
pub(super) fn durable(site: &Site, host: &Runtime, id: &RunId, last: u64) {
    let kept = host.inner.parts.journal.run_events(id.as_str(), 0, 1).map(|log| log.last);
    match kept.map_err(ControlError::from) {
        Ok(kept) if kept < last => site.fault(format!("{id}: {last} events are told of, and {kept} are kept")),
        Ok(_) => site.promise(Promise::Upto(id.clone(), last)),
        Err(error) => site.blame("a run that is followed", &error),
    }
    // It is dear, and each event has many chances.
    if site.happens(8) {
        same(site, host, id);
    }
}

/// The run in memory, of which its row in lists is made, is the fold of what is durable.
pub(super) fn same(site: &Site, host: &Runtime, id: &RunId) {
    let row = host.inner.parts.journal.run_summary(id.as_str()).map_err(ControlError::from);
    match host.run(id).and_then(|run| Ok((run, row?))) {
        Ok((run, row)) => {
            let made = RunSummary::of(&run).bytes();
            if row.as_ref() != Some(&made) {
                let [row, made] = [row.unwrap_or_default(), made].map(|row| String::from_utf8_lossy(&row).into_owned());
                site.fault(format!("{id}: it stood so: {row}\nand its events make it stand so: {made}"));
            }
        }
        Err(error) => site.blame("a run that is compared", &error),
    }
}

/// The bus tells of something: it is durable.
pub(super) fn told(site: &Site, host: &Runtime, told: &Told) {
    places(site, host);
    let Some(id) = &told.run else { return };
    let promise = Promise::Told(id.clone(), told.at, told.name);
    if site.happens(4) {
        match Log::read(host, id) {
            Ok(log) if !holds(&promise, &log) => site.fault(format!("{promise:?} is told and not durable")),
            Ok(_) => {}
            Err(error) => site.blame("a run that is told of", &error),
        }
    }
    site.promise(promise);
}

/// Places are nobody's while somebody waits who may have them, and interactive runs find
/// the half of theirs that is kept.
pub(super) fn places(site: &Site, host: &Runtime) {
    let queue = host.queue();
    let running = PerClass::from_fn(|class| queue.classes[class].running);
    let (all, total) = (running.sum(), queue.total);
    let free = total.saturating_sub(all);
    for class in Class::ALL {
        let left_alone = if class == Class::Interactive { 0 } else { queue.kept };
        if queue.classes[class].waiting > 0 && free > left_alone {
            site.fault(format!("{class} runs wait beside free places: {queue:?}"));
        }
    }
    let kept = if total < 2 { 0 } else { queue.classes.interactive.share.div_ceil(2) };
    if all > total || all - running.interactive > total - kept {
        site.fault(format!("more runs are at work than may be: {queue:?}"));
    }
}

/// A new process finds all that an earlier one had told anybody.
pub(super) fn reopened(site: &Site, host: &Runtime) {
    let rows = people::all(site, host);
    let (promises, known, ids) = site.book(|book| {
        let ids: Vec<RunId> = book.orders.iter().filter_map(|order| order.id.clone()).collect();
        (std::mem::take(&mut book.promises), std::mem::take(&mut book.known), ids)
    });
    if let Some(lost) = ids.iter().chain(known.keys()).find(|id| rows.iter().all(|row| row.id != **id)) {
        if !site.is_failing() {
            site.fault(format!("{lost}: the run was acknowledged and is gone"));
        }
        return;
    }
    for row in &rows {
        let log = match Log::read(host, &row.id) {
            Ok(log) => log,
            Err(error) => return site.blame("a run of an earlier process", &error),
        };
        if known.get(&row.id).is_some_and(|known| !log.raw.starts_with(known)) {
            site.fault(format!("{}: events that were there are others now, or gone", row.id));
        }
        let of_it = promises.iter().filter(|promise| *promise.run() == row.id);
        for broken in of_it.filter(|promise| !holds(promise, &log)) {
            site.fault(format!("{broken:?} was told, and a process later it is gone"));
        }
        site.book(|book| book.known.insert(row.id.clone(), log.raw));
    }
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

/// Nothing is left of runs that are over.
pub(super) fn settled(site: &Site, host: &Arc<Runtime>) {
    let queue = host.queue();
    for class in Class::ALL {
        let at = queue.classes[class];
        if at.waiting > 0 || at.running > 0 {
            site.fault(format!("all runs are over, and the queue stands so: {queue:?}"));
        }
    }
    for agent in ["ada", "bob", "cyd", "dan", "eli", "fay", "demo/flow"] {
        if host.open_tasks(agent) > 0 {
            site.fault(format!("all runs are over, and `{agent}` has {} open tasks", host.open_tasks(agent)));
        }
    }
    let questions = site.deeds.questions.open();
    if !questions.is_empty() {
        site.fault(format!("all runs are over, and these questions are open: {questions:?}"));
    }
    match host.inner.parts.journal.open_runs() {
        Ok(open) if open.is_empty() => {}
        other => site.fault(format!("all runs are over, and these count as open: {other:?}")),
    }
}
