//! The steps of a run, made from its events.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use bailiwick_agents::{ControlError, Runtime};
use bailiwick_domain::run::{Action, Event, Record, Run, RunId, Spend, StepResult};
use bailiwick_domain::trace::TraceContext;
use bailiwick_wire::run::{RunStep, RunSteps, RunStepsQuery, StepError, StepState};

use super::convert::Asked;
use super::{blocking, convert, limit};
use crate::answer;
use crate::auth::caller::{Allowed, ReadRuns};
use crate::extract::{Query, RunPath, Trace};
use crate::openapi::RunProblems;
use crate::problem::Failure;
use crate::state::ApiState;

/// Steps on a page where the query doesn't say.
const DEFAULT_LIMIT: u16 = 50;

/// Steps on a page at the most.
const MAX_LIMIT: u16 = 200;

/// Bytes of answers and outputs on a page; a page has one step at least, however large
/// it is. Many steps that are large would take the memory of everything else.
const MAX_BYTES: usize = 8 << 20;

/// Events that are read at once.
const EVENTS_AT_ONCE: usize = 256;

/// List the steps of a run
///
/// What was asked of models and skills, and what came of it, in the order in which it
/// began.
#[utoipa::path(
    get,
    path = "/v1/agents/runs/{id}/steps",
    operation_id = "listRunSteps",
    tag = "runs",
    security(("key" = ["runs:read"])),
    params(("id" = String, Path, description = "The id of the run."), RunStepsQuery),
    responses((status = 200, description = "One page of steps.", body = RunSteps), RunProblems)
)]
pub(crate) async fn list(
    State(state): State<ApiState>,
    _: Allowed<ReadRuns>,
    Trace(trace): Trace,
    RunPath(id): RunPath,
    Query(query): Query<RunStepsQuery>,
) -> Result<Response, Failure> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MAX_LIMIT)?;
    let wrong_cursor = |_| Failure::invalid_query("`cursor` is not one that a page of this list had");
    let last = query.cursor.as_deref().map(str::parse::<u32>).transpose().map_err(wrong_cursor)?;
    let first = last.map_or(0, |last| last.saturating_add(1));
    answer::json(&blocking(&state, trace, move |runs| page(runs, &id, first, limit, &trace)).await?)
}

/// At most `limit` steps from number `first` on, as they stand at one moment.
fn page(runs: &Runtime, id: &RunId, first: u32, limit: usize, trace: &TraceContext) -> Result<RunSteps, Failure> {
    let failed = |error: ControlError| Failure::control(&error, trace);
    let run = runs.run(id).map_err(failed)?;
    let mut window = Window { first, limit, ..Window::default() };
    let mut seen = 0;
    // Each turn sees one event more at least, and the run had so many.
    while seen < run.last {
        let events = runs.events(id, seen, EVENTS_AT_ONCE).map_err(failed)?;
        let Some((last, _)) = events.last() else { break };
        for (_, record) in events.iter().filter(|(seq, _)| *seq <= run.last) {
            window.take(record)?;
        }
        seen = *last;
    }
    Ok(window.into_page(&run))
}

/// The steps of a page, while events are read.
#[derive(Default)]
struct Window {
    first: u32,
    limit: usize,
    steps: BTreeMap<u32, Draft>,
    /// Bytes of what came of them.
    bytes: usize,
    /// Whether there are steps behind them.
    more: bool,
}

struct Draft {
    step: RunStep,
    spend: Spend,
    bytes: usize,
}

impl Window {
    fn take(&mut self, record: &Record) -> Result<(), Failure> {
        let at = || convert::moment(record.at);
        match &record.event {
            Event::StepStarted { step, task, attempt, action } => self.begin(*step, *task, *attempt, action, at()),
            Event::StepEnded { step, result, spend, receipt } => {
                let Some(draft) = self.steps.get_mut(step) else { return Ok(()) };
                draft.spend = draft.spend.plus(spend);
                draft.step.receipt.clone_from(receipt);
                draft.step.ended_at = Some(at());
                let bytes = draft.result(result)?;
                draft.bytes += bytes;
                self.bytes += bytes;
                self.shrink();
            }
            Event::ApprovalRequested { step, approval } => {
                if let Some(draft) = self.steps.get_mut(step) {
                    draft.step.approval = Some(approval.clone());
                }
            }
            Event::ApprovalAnswered { step, approved: false, reason } => {
                if let Some(draft) = self.steps.get_mut(step) {
                    let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
                    draft.step.error = Some(error("APPROVAL_DENIED", &format!("a person denied this call{why}")));
                    draft.step.ended_at = Some(at());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, number: u32, task: u32, attempt: u32, action: &Action, at: String) {
        if let Some(Draft { step, .. }) = self.steps.get_mut(&number) {
            step.attempt = attempt;
            step.error = None;
            step.ended_at = None;
            return;
        }
        if number < self.first {
            return;
        }
        // Steps begin in the order of their numbers, so that those behind are no loss.
        if self.more || self.steps.len() >= self.limit {
            self.more = true;
            return;
        }
        let step = begun(number, task, attempt, action, at);
        self.steps.insert(number, Draft { step, spend: Spend::default(), bytes: 0 });
    }

    /// Leaves the last steps to the next page where they are too large together.
    fn shrink(&mut self) {
        while self.bytes > MAX_BYTES && self.steps.len() > 1 {
            let Some((_, last)) = self.steps.pop_last() else { return };
            self.bytes -= last.bytes;
            self.more = true;
        }
    }

    fn into_page(self, run: &Run) -> RunSteps {
        let next_cursor = self.steps.keys().next_back().filter(|_| self.more).map(ToString::to_string);
        let stands = |number: u32| {
            let step = run.steps.get(number as usize);
            step.map_or(StepState::Ended, |step| convert::step_state(&step.state))
        };
        let steps = self.steps.into_iter().map(|(number, draft)| draft.into_step(stands(number)));
        RunSteps { steps: steps.collect(), next_cursor }
    }
}

impl Draft {
    /// Takes what came of the step; answers how many bytes that is.
    fn result(&mut self, result: &StepResult) -> Result<usize, Failure> {
        let step = &mut self.step;
        step.error = None;
        match result {
            StepResult::Answer { answer } => {
                step.answer = Some(convert::answer(answer));
                Ok(answer.text.len() + answer.calls.iter().map(|call| call.arguments.len()).sum::<usize>())
            }
            StepResult::Output { json, failed } => {
                let raw = Some(convert::raw(json)?);
                if *failed {
                    step.failure = raw;
                } else {
                    step.output = raw;
                }
                Ok(json.len())
            }
            StepResult::Failed { code, message, retriable } => {
                step.error = Some(StepError { retriable: *retriable, ..error(code, message) });
                Ok(message.len())
            }
        }
    }

    fn into_step(mut self, state: StepState) -> RunStep {
        let step = &self.step;
        let is_settled =
            step.answer.is_some() || step.output.is_some() || step.failure.is_some() || step.error.is_some();
        if state == StepState::Ended && !is_settled {
            let message = "the host stopped while this call was under way; nobody knows whether it took effect";
            self.step.error = Some(error("INTERRUPTED", message));
        }
        self.step.state = state;
        self.step.spend = convert::spend(&self.spend);
        self.step
    }
}

/// A step of which nothing has come yet.
fn begun(number: u32, task: u32, attempt: u32, action: &Action, at: String) -> RunStep {
    let Asked { skill, digest, tool, arguments } = convert::asked(action);
    RunStep {
        number,
        task,
        kind: convert::step_kind(action),
        skill,
        digest,
        tool,
        arguments,
        attempt,
        state: StepState::UnderWay,
        answer: None,
        output: None,
        failure: None,
        error: None,
        spend: convert::spend(&Spend::default()),
        receipt: None,
        approval: None,
        started_at: at,
        ended_at: None,
    }
}

fn error(code: &str, message: &str) -> StepError {
    StepError { code: code.to_owned(), message: message.to_owned(), retriable: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(step: u32, attempt: u32) -> Record {
        Record { at: 1000, event: Event::StepStarted { step, task: 0, attempt, action: Action::Model {} } }
    }

    fn ended(step: u32, result: StepResult) -> Record {
        let spend = Spend { steps: 1, busy_ms: 5, ..Spend::default() };
        Record { at: 2000, event: Event::StepEnded { step, result, spend, receipt: None } }
    }

    fn output(bytes: usize) -> StepResult {
        StepResult::Output { json: format!("\"{}\"", "a".repeat(bytes)), failed: false }
    }

    fn window(first: u32, limit: usize, records: &[Record]) -> Window {
        let mut window = Window { first, limit, ..Window::default() };
        for record in records {
            window.take(record).expect("taken");
        }
        window
    }

    fn numbers(window: &Window) -> Vec<u32> {
        window.steps.keys().copied().collect()
    }

    #[test]
    fn a_page_has_the_steps_behind_the_cursor_and_says_whether_there_are_more() {
        let records: Vec<Record> = (0..5).map(|step| started(step, 1)).collect();
        let middle = window(1, 2, &records);
        assert_eq!((numbers(&middle), middle.more), (vec![1, 2], true));
        let rest = window(3, 2, &records);
        assert_eq!((numbers(&rest), rest.more), (vec![3, 4], false));
    }

    #[test]
    fn attempts_are_one_step_that_has_what_came_of_the_last() {
        let failed = StepResult::Failed { code: "TIMEOUT".to_owned(), message: "late".to_owned(), retriable: true };
        let mut records = vec![started(0, 1), ended(0, failed)];
        let failed = window(0, 10, &records).steps.remove(&0).expect("there").step;
        assert_eq!(failed.error.map(|error| error.code).as_deref(), Some("TIMEOUT"));
        records.extend([started(0, 2), ended(0, output(1))]);
        let draft = window(0, 10, &records).steps.remove(&0).expect("there");
        assert_eq!((draft.step.attempt, draft.spend.steps, draft.spend.busy_ms), (2, 2, 10));
        assert_eq!((draft.step.output.map(|raw| raw.to_string()), draft.step.error), (Some("\"a\"".to_owned()), None));
    }

    #[test]
    fn steps_that_are_too_large_together_are_left_to_the_next_page() {
        let mut records: Vec<Record> = (0..3).map(|step| started(step, 1)).collect();
        records.extend((0..3).map(|step| ended(step, output(MAX_BYTES / 2))));
        let first = window(0, 10, &records);
        assert_eq!((numbers(&first), first.more), (vec![0], true));
        assert_eq!(numbers(&window(1, 10, &records)), [1]);
        assert_eq!(numbers(&window(2, 10, &records)), [2]);
    }

    #[test]
    fn a_call_that_was_cut_off_and_given_up_says_so() {
        let draft = window(0, 10, &[started(0, 1)]).steps.remove(&0).expect("there");
        let step = draft.into_step(StepState::Ended);
        assert_eq!(step.error.expect("an error").code, "INTERRUPTED");
        let draft = window(0, 10, &[started(0, 1)]).steps.remove(&0).expect("there");
        assert!(draft.into_step(StepState::CutOff).error.is_none());
    }
}
