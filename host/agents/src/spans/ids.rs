//! The ids of a run's spans. They follow from the run and the number of what they are of, so
//! that nobody has to keep them.

use bailiwick_domain::run::RunId;
use bailiwick_domain::trace::span_id;

/// Of a run, which was tried again so often.
pub(super) fn of_run(run: &RunId, round: u32) -> [u8; 8] {
    id(run, "run", 0, round)
}

/// Of a task, in a run that was tried again so often when the task was opened.
pub(super) fn of_task(run: &RunId, task: u32, round: u32) -> [u8; 8] {
    id(run, "task", task, round)
}

/// Of a subrun, likewise.
pub(super) fn of_subrun(run: &RunId, subrun: u32, round: u32) -> [u8; 8] {
    id(run, "subrun", subrun, round)
}

/// Of an attempt of a step. Models and skills are told this one.
pub(crate) fn of_step(run: &RunId, step: u32, attempt: u32) -> [u8; 8] {
    id(run, "step", step, attempt)
}

fn id(run: &RunId, of: &str, number: u32, time: u32) -> [u8; 8] {
    span_id(&[run.as_str().as_bytes(), of.as_bytes(), &number.to_be_bytes(), &time.to_be_bytes()])
}
