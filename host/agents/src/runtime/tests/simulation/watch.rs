//! Looks at a host while it is at work and when all is over, and holds what it sees against
//! the laws.

use std::collections::BTreeSet;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::model::ChatRequest;
use bailiwick_domain::run::{EventKind, RunId};

use super::laws::{self, Left};
use super::log::Log;
use super::site::{Promise, Site};
use super::{people, story};
use crate::bus::Told;
use crate::runtime::{ControlError, Runtime};

/// Whoever may have tasks.
const AGENTS: [&str; 7] = ["ada", "bob", "cyd", "dan", "eli", "fay", "demo/flow"];

/// A model is asked.
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
            site.check(laws::asked(&trace, times, None));
        }
        return;
    };
    match Log::read(&host, &row.id) {
        Ok(log) => site.check(laws::asked(&trace, times, Some((&row.id, &log)))),
        Err(error) => site.blame("the run that asks a model", &error),
    }
}

/// A skill is called.
pub(super) fn called(site: &Site, invocation: &Invocation) {
    let Some(host) = site.host() else { return };
    let of = match laws::belongs(invocation) {
        Ok(of) => of,
        Err(breach) => return site.fault(breach),
    };
    let log = || match Log::read(&host, &of.run) {
        Ok(log) => Some(log),
        Err(_) if site.is_failing() => None,
        // It has no events for all that anybody can see.
        Err(_) => Some(Log::default()),
    };
    match host.run(&of.run) {
        Ok(run) => site.check(laws::called(invocation, of, &run, log)),
        Err(error) => site.blame("the run that calls a skill", &error),
    }
}

/// Whoever follows a run is told that it has so many events.
pub(super) fn durable(site: &Site, host: &Runtime, id: &RunId, last: u64) {
    let kept = host.inner.parts.journal.run_events(id.as_str(), 0, 1).map(|log| log.last);
    match kept.map_err(ControlError::from) {
        Ok(kept) => {
            let breach = laws::durable(id, last, kept);
            if breach.is_none() {
                site.promise(Promise::Upto(id.clone(), last));
            }
            site.check(breach);
        }
        Err(error) => site.blame("a run that is followed", &error),
    }
    // It is dear, and each event has many chances.
    if site.happens(8) {
        same(site, host, id);
    }
}

/// A run, and its row in lists.
fn same(site: &Site, host: &Runtime, id: &RunId) {
    let row = host.inner.parts.journal.run_summary(id.as_str()).map_err(ControlError::from);
    match host.run(id).and_then(|run| Ok((run, row?))) {
        Ok((run, row)) => site.check(laws::same(&run, row.as_deref())),
        Err(error) => site.blame("a run that is compared", &error),
    }
}

/// The bus tells of something.
pub(super) fn told(site: &Site, host: &Runtime, told: &Told) {
    places(site, host);
    let Some(id) = &told.run else { return };
    let promise = Promise::Told(id.clone(), told.at, told.name);
    if site.happens(4) {
        match Log::read(host, id) {
            Ok(log) => site.check(laws::told(&promise, &log)),
            Err(error) => site.blame("a run that is told of", &error),
        }
    }
    site.promise(promise);
}

/// Who has a place, and who waits for one.
pub(super) fn places(site: &Site, host: &Runtime) {
    site.check(laws::places(&host.queue()));
}

/// A new process finds all that an earlier one had told anybody.
pub(super) fn reopened(site: &Site, host: &Runtime) {
    let rows = people::all(site, host);
    let (promises, known, ids) = site.book(|book| {
        let ids: Vec<RunId> = book.orders.iter().filter_map(|order| order.id.clone()).collect();
        (std::mem::take(&mut book.promises), std::mem::take(&mut book.known), ids)
    });
    if let Some(breach) = laws::lost(ids.iter().chain(known.keys()), &rows) {
        if !site.is_failing() {
            site.fault(breach);
        }
        return;
    }
    for row in &rows {
        let log = match Log::read(host, &row.id) {
            Ok(log) => log,
            Err(error) => return site.blame("a run of an earlier process", &error),
        };
        let known = known.get(&row.id);
        site.check(known.and_then(|known| laws::unchanged(&row.id, known, &log)));
        site.check(laws::remembered(&row.id, &promises, &log));
        site.book(|book| book.known.insert(row.id.clone(), log.raw));
    }
}

/// All runs are over.
pub(super) fn settled(site: &Site, host: &Runtime) {
    match host.inner.parts.journal.open_runs().map_err(ControlError::from) {
        Ok(open_runs) => {
            let open_tasks = AGENTS.into_iter().map(|agent| (agent, host.open_tasks(agent))).collect();
            let questions = site.deeds.questions.open();
            site.check(laws::settled(&Left { queue: host.queue(), open_tasks, questions, open_runs }));
        }
        Err(error) => site.blame("the runs that are open", &error),
    }
}

/// Reads every run from its beginning, and says what happened in all of them.
pub(super) fn examine(site: &Site, host: &Runtime) -> BTreeSet<EventKind> {
    let mut kinds = BTreeSet::new();
    let mut deeds = site.deeds.done.lock().expect("no panic").clone();
    let rows = people::all(site, host);
    for row in &rows {
        let (log, team) = match (Log::read(host, &row.id), host.run(&row.id)) {
            (Ok(log), Ok(run)) => (log, run.team),
            (Err(error), _) | (_, Err(error)) => {
                site.blame("a run that is over", &error);
                continue;
            }
        };
        same(site, host, &row.id);
        site.check(story::read(&row.id, &log, team, &mut deeds));
        kinds.extend(log.records.iter().map(|record| record.event.kind()));
        site.note(format!("{} {}", row.id, row.status));
        log.raw.iter().for_each(|bytes| site.note(String::from_utf8_lossy(bytes).into_owned()));
    }
    site.check(laws::one_run_each(&rows));
    site.check(story::untold(&deeds));
    kinds
}
