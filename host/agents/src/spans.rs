//! The trace of a run: spans that follow from its durable events.
//!
//! A run is a span, a task is one in it, and each attempt of a step is one in its task;
//! strategies of graphs' nodes stand between. What is said of them is names, sizes and
//! numbers. Their ids follow from the run, so that a step's span is the one that models and
//! skills were told, also where the host was started anew meanwhile.

mod attributes;
pub(crate) mod ids;

use std::collections::BTreeMap;

use bailiwick_domain::run::{Event, Record, Run, RunId, RunOutcome, Spend, StepResult, StepState, TaskOutcome};
use bailiwick_domain::span::{Attribute, Span, SpanOutcome};
use bailiwick_domain::trace::TraceContext;

use self::attributes::Said;

/// What is open in the trace of one run.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    run: RunId,
    trace: TraceContext,
    trace_state: Option<String>,
    /// Of whoever submitted the run; none where the trace begins with it.
    caller: Option<[u8; 8]>,
    /// How often a person wanted it tried again: each time, what is open has new spans.
    round: u32,
    root: Open,
    tasks: BTreeMap<u32, Open>,
    subruns: BTreeMap<u32, Open>,
    steps: BTreeMap<u32, OpenStep>,
}

/// A span that has not ended.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: [u8; 8],
    parent: Option<[u8; 8]>,
    began: u64,
}

#[derive(Clone, Copy, Debug)]
struct OpenStep {
    span: Open,
    attempt: u32,
    /// When a person was asked, in milliseconds since 1970.
    asked: Option<u64>,
}

/// How a step came to its end.
struct StepEnd<'e> {
    result: Option<&'e StepResult>,
    spend: Option<&'e Spend>,
    receipt: Option<&'e str>,
    approved: Option<bool>,
}

impl StepEnd<'_> {
    const NOTHING: Self = Self { result: None, spend: None, receipt: None, approved: None };
}

impl Trail {
    /// That of a run to which nothing has happened. None where it belongs to no trace that
    /// can be read.
    pub(crate) fn begin(run: &Run) -> Option<Self> {
        let trace: TraceContext = run.spec.trace.parse().ok()?;
        let caller = (!trace.is_first()).then_some(trace.span_id);
        Some(Self {
            run: run.spec.id.clone(),
            trace,
            trace_state: run.spec.trace_state.clone(),
            caller,
            round: 0,
            root: Open { id: ids::of_run(&run.spec.id, 0), parent: caller, began: run.queued_at },
            tasks: BTreeMap::new(),
            subruns: BTreeMap::new(),
            steps: BTreeMap::new(),
        })
    }

    /// Takes an event, of which `run` is the state behind it, and answers what has ended.
    pub(crate) fn heed(&mut self, run: &Run, record: &Record) -> Vec<Span> {
        let mut ended = Vec::new();
        match &record.event {
            Event::TaskOpened { task, .. } => self.open_task(run, *task, record.at),
            Event::SubrunStarted { subrun, .. } => self.open_subrun(run, *subrun, record.at),
            Event::StepStarted { step, task, attempt, .. } => self.open_step(*step, *task, *attempt, record.at),
            Event::ApprovalRequested { step, .. } => {
                if let Some(step) = self.steps.get_mut(step) {
                    step.asked = Some(record.at);
                }
            }
            Event::StepEnded { step, result, spend, receipt } => {
                let end =
                    StepEnd { result: Some(result), spend: Some(spend), receipt: receipt.as_deref(), approved: None };
                ended.extend(self.end_step(run, *step, &end, record.at));
            }
            Event::ApprovalAnswered { step, approved, .. } => {
                let end = StepEnd { approved: Some(*approved), ..StepEnd::NOTHING };
                ended.extend(self.end_step(run, *step, &end, record.at));
            }
            Event::TaskEnded { task, .. } => ended.extend(self.end_task(run, *task, record.at)),
            Event::SubrunEnded { .. } | Event::Recovered {} | Event::Interrupted { .. } => {
                self.sweep(run, record.at, &mut ended);
            }
            Event::Retried { .. } => self.begin_anew(run, record.at),
            Event::Completed { .. } | Event::Failed { .. } | Event::Cancelled { .. } => {
                self.end_all(run, record.at, &mut ended);
            }
            _ => {}
        }
        ended
    }

    fn open_task(&mut self, run: &Run, number: u32, at: u64) {
        let scope = run.tasks.get(number as usize).and_then(|task| task.opening.subrun);
        let span = Open { id: ids::of_task(&self.run, number, self.round), parent: Some(self.scope(scope)), began: at };
        self.tasks.insert(number, span);
    }

    fn open_subrun(&mut self, run: &Run, number: u32, at: u64) {
        let scope = run.subruns.get(number as usize).and_then(|subrun| subrun.parent);
        let id = ids::of_subrun(&self.run, number, self.round);
        self.subruns.insert(number, Open { id, parent: Some(self.scope(scope)), began: at });
    }

    fn open_step(&mut self, number: u32, task: u32, attempt: u32, at: u64) {
        let parent = Some(self.tasks.get(&task).map_or(self.root.id, |task| task.id));
        let span = Open { id: ids::of_step(&self.run, number, attempt), parent, began: at };
        self.steps.insert(number, OpenStep { span, attempt, asked: None });
    }

    /// The span of a subrun, or of the run itself.
    fn scope(&self, subrun: Option<u32>) -> [u8; 8] {
        let subrun = subrun.and_then(|number| self.subruns.get(&number));
        subrun.map_or(self.root.id, |subrun| subrun.id)
    }

    /// Ends what the run no more has under way.
    fn sweep(&mut self, run: &Run, at: u64, ended: &mut Vec<Span>) {
        let goes_on = |number: u32| {
            let state = run.steps.get(number as usize).map(|step| &step.state);
            matches!(state, Some(StepState::UnderWay | StepState::Awaiting(_)))
        };
        let steps: Vec<u32> = self.steps.keys().copied().filter(|number| !goes_on(*number)).collect();
        for number in steps {
            ended.extend(self.end_step(run, number, &StepEnd::NOTHING, at));
        }
        let is_open = |number: u32| run.tasks.get(number as usize).is_some_and(|task| task.outcome.is_none());
        let tasks: Vec<u32> = self.tasks.keys().copied().filter(|number| !is_open(*number)).collect();
        for number in tasks {
            ended.extend(self.end_task(run, number, at));
        }
        let is_open = |number: u32| run.subruns.get(number as usize).is_some_and(|subrun| subrun.outcome.is_none());
        let subruns: Vec<u32> = self.subruns.keys().copied().filter(|number| !is_open(*number)).collect();
        for number in subruns {
            ended.extend(self.end_subrun(run, number, at));
        }
    }

    /// The run is over, and with it all that is open.
    fn end_all(&mut self, run: &Run, at: u64, ended: &mut Vec<Span>) {
        for number in self.steps.keys().copied().collect::<Vec<_>>() {
            ended.extend(self.end_step(run, number, &StepEnd::NOTHING, at));
        }
        for number in self.tasks.keys().copied().collect::<Vec<_>>() {
            ended.extend(self.end_task(run, number, at));
        }
        for number in self.subruns.keys().copied().collect::<Vec<_>>() {
            ended.extend(self.end_subrun(run, number, at));
        }
        let outcome = match &run.outcome {
            Some(RunOutcome::Completed { .. }) => SpanOutcome::Done,
            Some(RunOutcome::Failed { code, .. }) => SpanOutcome::Failed(code.clone()),
            Some(RunOutcome::Cancelled { .. }) | None => SpanOutcome::Ended,
        };
        ended.push(self.span(self.root, at, attributes::of_run(run, self.root.began), outcome));
    }

    /// A person wants the run tried again: it is a new span in the same trace, and so is all
    /// that is open in it again.
    fn begin_anew(&mut self, run: &Run, at: u64) {
        self.round += 1;
        self.root = Open { id: ids::of_run(&self.run, self.round), parent: self.caller, began: at };
        // Those around others have the lower numbers.
        for (number, subrun) in (0_u32..).zip(&run.subruns) {
            if subrun.outcome.is_none() {
                self.open_subrun(run, number, at);
            }
        }
        for (number, task) in (0_u32..).zip(&run.tasks) {
            if task.outcome.is_none() {
                self.open_task(run, number, at);
            }
        }
    }

    fn end_step(&mut self, run: &Run, number: u32, end: &StepEnd<'_>, at: u64) -> Option<Span> {
        let open = self.steps.remove(&number)?;
        let mut said = attributes::of_step(run, number, open.attempt)?;
        said.add_end(end.result, end.spend, end.receipt);
        if let Some(asked) = open.asked {
            said.push("bailiwick.approval.wait_ms", Attribute::Number(at.saturating_sub(asked)));
        }
        let outcome = match (end.result, end.approved) {
            (Some(StepResult::Failed { code, .. }), _) => SpanOutcome::Failed(code.clone()),
            (Some(StepResult::Output { failed: true, .. }), _) => SpanOutcome::Failed("tool-failed".to_owned()),
            (Some(_), _) | (None, Some(true)) => SpanOutcome::Done,
            (None, Some(false)) => SpanOutcome::Failed("APPROVAL_DENIED".to_owned()),
            (None, None) => SpanOutcome::Ended,
        };
        Some(self.span(open.span, at, said, outcome))
    }

    fn end_task(&mut self, run: &Run, number: u32, at: u64) -> Option<Span> {
        let open = self.tasks.remove(&number)?;
        let outcome = outcome(run.tasks.get(number as usize)?.outcome.as_ref());
        Some(self.span(open, at, attributes::of_task(run, number)?, outcome))
    }

    fn end_subrun(&mut self, run: &Run, number: u32, at: u64) -> Option<Span> {
        let open = self.subruns.remove(&number)?;
        let outcome = outcome(run.subruns.get(number as usize)?.outcome.as_ref());
        Some(self.span(open, at, attributes::of_subrun(run, number)?, outcome))
    }

    fn span(&self, open: Open, ended: u64, said: Said, outcome: SpanOutcome) -> Span {
        let Said { name, kind, mut attributes } = said;
        if let SpanOutcome::Failed(code) = &outcome {
            attributes.push(("error.type", Attribute::Text(code.clone())));
        }
        Span {
            context: TraceContext { trace_id: self.trace.trace_id, span_id: open.id, sampled: true },
            trace_state: self.trace_state.clone(),
            parent: open.parent,
            name,
            kind,
            began: open.began,
            ended: ended.max(open.began),
            attributes,
            outcome,
        }
    }
}

fn outcome(of: Option<&TaskOutcome>) -> SpanOutcome {
    match of {
        Some(TaskOutcome::Done { .. }) => SpanOutcome::Done,
        Some(TaskOutcome::Failed { code, .. }) => SpanOutcome::Failed(code.clone()),
        None => SpanOutcome::Ended,
    }
}
