//! The laws can be broken: what a host may not do is found in each story in which it does.

use std::collections::BTreeSet;
use std::sync::Mutex;

use bailiwick_domain::run::{Event, Record, RunId, StepResult, Strategy};

use super::super::crash::seeds;
use super::orders::Order;
use super::site::{Promise, Site};
use super::{agents, over_all, repeat, simulate};

/// Stories that are spoilt.
const SPOILT: u64 = 24;

/// More than a model is asked, or a run has steps.
const FAR: u32 = 9999;

/// Tells stories in which `spoil` does what a host may not, and says whether it could. A
/// fault with these words is found in these stories, and in no other.
pub(super) fn find(words: &str, spoil: impl Fn(&Site) -> bool + Sync) {
    let folder = agents();
    let spoilt = Mutex::new(BTreeSet::new());
    let all = over_all(&seeds(SPOILT), |seed| {
        simulate(folder.path(), seed, |site| {
            if spoil(site) {
                spoilt.lock().expect("no panic").insert(seed);
            }
        })
    });
    let spoilt = spoilt.into_inner().expect("no panic");
    for (seed, told) in &all {
        let is_found = told.faults.iter().any(|fault| fault.contains(words));
        assert_eq!(is_found, spoilt.contains(seed), "{:#?}\n{}", told.faults, repeat(*seed));
    }
    assert!(!spoilt.is_empty() || all.len() == 1, "there was nothing to spoil");
}

#[test]
fn a_call_that_took_no_effect_and_has_an_output_is_found() {
    find("took no effect", |site| {
        let outputs = outputs(site);
        let mut done = site.deeds.done.lock().expect("no panic");
        let deed = done.keys().find(|(run, step, _)| outputs.contains(&(run.clone(), *step))).cloned();
        deed.is_some_and(|deed| done.remove(&deed).is_some())
    });
}

#[test]
fn a_call_that_no_run_tells_of_is_found() {
    find("which tells of no such call", |site| {
        let Some(run) = acknowledged(site) else { return false };
        let deed = (run.to_string(), FAR, "delete".to_owned());
        site.deeds.done.lock().expect("no panic").insert(deed, 1).is_none()
    });
}

#[test]
fn a_model_that_is_asked_without_a_word_of_it_in_the_log_is_found() {
    find("models were asked", |site| {
        site.book(|book| {
            // The last process takes it up, and asks a model first of all.
            let asks = |order: &&Order| !order.sent && !matches!(order.submission.strategy, Strategy::Workflow { .. });
            let trace = book.orders.iter().find(asks).map(|order| order.submission.trace.trace_id_hex());
            trace.is_some_and(|trace| book.asked.insert(trace, FAR as usize).is_none())
        })
    });
}

#[test]
fn a_word_that_was_told_and_is_gone_is_found() {
    find("and a process later it is gone", |site| {
        let Some(run) = acknowledged(site) else { return false };
        site.promise(Promise::Word(run, "nobody".to_owned()));
        true
    });
}

#[test]
fn a_run_that_was_acknowledged_and_is_gone_is_found() {
    find("the run was acknowledged and is gone", |site| {
        site.book(|book| book.known.insert(RunId::from_bytes(&[7; 16]), Vec::new()).is_none())
    });
}

#[test]
fn an_event_that_became_another_one_is_found() {
    find("events that were there are others now", |site| {
        site.book(|book| {
            let first = book.known.values_mut().find_map(|events| events.first_mut());
            first.is_some_and(|first| {
                first.clear();
                true
            })
        })
    });
}

/// A run that somebody was told of.
fn acknowledged(site: &Site) -> Option<RunId> {
    site.book(|book| book.orders.iter().find_map(|order| order.id.clone()))
}

/// Steps that have an output for ever, each with its run.
fn outputs(site: &Site) -> BTreeSet<(String, u32)> {
    let known = site.book(|book| book.known.clone());
    let mut outputs = BTreeSet::new();
    for (run, events) in known {
        for bytes in events {
            let Record { event, .. } = serde_json::from_slice(&bytes).expect("an event");
            if let Event::StepEnded { step, result: StepResult::Output { .. }, .. } = event {
                outputs.insert((run.to_string(), step));
            }
        }
    }
    outputs
}
