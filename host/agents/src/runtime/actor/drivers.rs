//! Workflows that drive the run: begun, answered, put away and begun anew.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::run::{Action, Event, Recorded, Spend, StepResult, StepState};
use bailiwick_domain::services::Services;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::{Actor, Errand};
use crate::runtime::driver::{Answer, Driven, Mail, Word};
use crate::runtime::step;
use crate::skills::Serve;

/// The code of a workflow that asks for something else than it did before.
const REPLAY_DIVERGED: &str = "REPLAY_DIVERGED";

/// The workflows of a run.
#[derive(Default)]
pub(super) struct Drivers {
    /// Those that run, by step.
    awake: BTreeMap<u32, Awake>,
    /// Those that were put away, by step, with the steps that they wait for.
    asleep: BTreeMap<u32, BTreeSet<u32>>,
    /// How many were begun.
    activations: u64,
    /// Questions that can be put when they are durable.
    to_ask: Vec<(u32, oneshot::Sender<Answer>)>,
}

/// A workflow that runs.
struct Awake {
    activation: u64,
    errand: AbortHandle,
    /// Steps that it has asked for.
    taken: BTreeSet<u32>,
    /// Steps whose results it waits for.
    waits: Vec<(u32, oneshot::Sender<Answer>)>,
    /// What it asks for and has not begun.
    held: VecDeque<(Wish, oneshot::Sender<Answer>)>,
}

enum Wish {
    New(Action),
    /// A question that was cut off before it was put.
    Again(u32),
}

impl Drivers {
    pub(super) fn is_asleep(&self, step: u32) -> bool {
        self.asleep.contains_key(&step)
    }

    /// The workflow of this step has ended, or waits for a person itself.
    pub(super) fn forget(&mut self, step: u32) {
        self.awake.remove(&step);
        self.asleep.remove(&step);
    }
}

impl Actor {
    /// Takes what a workflow's services tell.
    pub(super) fn read_mail(&mut self, mail: Mail) {
        let Mail { driver, activation, word } = mail;
        // One that was put away has nothing to say.
        let Some(awake) = self.drivers.awake.get_mut(&driver).filter(|it| it.activation == activation) else { return };
        match word {
            Word::Asks { action, answer } => {
                let Some(task) = self.run.steps.get(driver as usize).map(|step| step.task) else { return };
                match self.run.recorded(task, &action, &awake.taken) {
                    Recorded::Step(step) => {
                        awake.taken.insert(step);
                        let state = self.run.steps.get(step as usize).map(|step| &step.state);
                        let is_unput = matches!(state, Some(StepState::Ready | StepState::UnderWay));
                        if action.is_question() && is_unput {
                            awake.held.push_back((Wish::Again(step), answer));
                        } else {
                            awake.waits.push((step, answer));
                        }
                    }
                    Recorded::New => awake.held.push_back((Wish::New(*action), answer)),
                    Recorded::Diverged(step) => self.diverged(driver, step, &action),
                }
            }
            Word::Put { step, approval, answer } => {
                awake.waits.push((step, answer));
                self.tell_late(Event::ApprovalRequested { step, approval });
            }
            Word::Settled { step, result, answer } => {
                awake.waits.push((step, answer));
                let spend = Spend { steps: 1, ..Spend::default() };
                self.tell_late(Event::StepEnded { step, result: *result, spend, receipt: None });
            }
            Word::Sleeps => self.put_away(driver),
        }
    }

    /// Begins what workflows ask for. False where there was nothing.
    pub(super) fn begin_wishes(&mut self) -> bool {
        let mut begun = false;
        let awake: Vec<u32> = self.drivers.awake.keys().copied().collect();
        for driver in awake {
            while let Some((wish, answer)) = self.wish(driver) {
                begun = true;
                if !self.begin_wish(driver, wish, answer) {
                    return true;
                }
            }
        }
        begun
    }

    fn wish(&mut self, driver: u32) -> Option<(Wish, oneshot::Sender<Answer>)> {
        self.drivers.awake.get_mut(&driver)?.held.pop_front()
    }

    /// False where nothing more begins in this run.
    fn begin_wish(&mut self, driver: u32, wish: Wish, answer: oneshot::Sender<Answer>) -> bool {
        let Some(task) = self.run.steps.get(driver as usize).map(|step| step.task) else { return false };
        let (step, is_question, event) = match wish {
            Wish::New(action) => {
                let step = u32::try_from(self.run.steps.len()).unwrap_or(u32::MAX);
                (step, action.is_question(), Some(self.run.begin_asked(task, action)))
            }
            Wish::Again(number) => {
                let Some(step) = self.run.steps.get(number as usize) else { return true };
                let again = (step.state == StepState::Ready).then(|| Event::StepStarted {
                    step: number,
                    task,
                    attempt: step.attempt + 1,
                    action: step.action.clone(),
                });
                (number, true, again)
            }
        };
        if event.is_some_and(|event| !self.tell_or_fail(event)) || self.run.status.is_over() {
            return false;
        }
        if let Some(awake) = self.drivers.awake.get_mut(&driver) {
            awake.taken.insert(step);
            if is_question {
                self.drivers.to_ask.push((step, answer));
            } else {
                awake.waits.push((step, answer));
            }
        }
        true
    }

    /// Tells workflows what is durable now.
    pub(super) fn answer_drivers(&mut self) {
        for (step, answer) in std::mem::take(&mut self.drivers.to_ask) {
            // One that was put away asks again.
            drop(answer.send(Answer::Ask(step)));
        }
        let run = &self.run;
        for awake in self.drivers.awake.values_mut() {
            let (came, waits) =
                std::mem::take(&mut awake.waits).into_iter().partition(|(step, _)| run.came(*step).is_some());
            awake.waits = waits;
            for (step, answer) in Vec::from_iter::<Vec<_>>(came) {
                if let Some(result) = run.came(step) {
                    drop(answer.send(Answer::Came(result.clone())));
                }
            }
        }
    }

    /// Workflows that can go on, and don't run.
    pub(super) fn drivers_due(&self) -> Vec<u32> {
        let is_due = |driver: &u32| {
            let waits = self.drivers.asleep.get(driver);
            !self.drivers.awake.contains_key(driver)
                && waits.is_none_or(|steps| steps.iter().all(|step| self.run.came(*step).is_some()))
        };
        self.run.drivers().filter(is_due).collect()
    }

    /// Has workflows run that can go on.
    pub(super) fn wake_drivers(&mut self) {
        if !self.may_start() {
            return;
        }
        for driver in self.drivers_due() {
            self.drivers.asleep.remove(&driver);
            self.drivers.activations += 1;
            let activation = self.drivers.activations;
            let Some(serve) = self.serve(driver, activation) else { continue };
            let left = self.time.left();
            let Some(work) = step::drive(&self.inner, &self.run, driver, left, &self.hearers, serve) else { continue };
            let errand = self.work.spawn(work);
            self.errands.insert(errand.id(), Errand::Step(driver));
            let (taken, waits, held) = (BTreeSet::new(), Vec::new(), VecDeque::new());
            self.drivers.awake.insert(driver, Awake { activation, errand, taken, waits, held });
        }
    }

    /// What a workflow is served by, around what serves any call.
    fn serve(&self, driver: u32, activation: u64) -> Option<Serve> {
        let task = self.run.steps.get(driver as usize)?.task;
        let member = self.run.tasks.get(task as usize)?.opening.agent.clone();
        let seed = *Digest::of(format!("{}/{task}", self.run.spec.id).as_bytes()).as_bytes();
        let (mail, team) = (self.desk.clone(), Arc::clone(&self.run.team));
        Some(Arc::new(move |own| -> Arc<dyn Services> {
            let (mail, team, member) = (mail.clone(), Arc::clone(&team), member.clone());
            Arc::new(Driven { own, mail, driver, activation, team, member, seed })
        }))
    }

    /// Takes a workflow's component away until what it waits for is there.
    fn put_away(&mut self, driver: u32) {
        let Some(awake) = self.drivers.awake.remove(&driver) else { return };
        awake.errand.abort();
        self.errands.remove(&awake.errand.id());
        let waits = awake.waits.iter().map(|(step, _)| *step).filter(|step| self.run.came(*step).is_none()).collect();
        self.drivers.asleep.insert(driver, waits);
    }

    /// Takes those away that ask for what begins no more in this process.
    pub(super) fn put_askers_away(&mut self) {
        let asks = self.drivers.awake.iter().filter(|(_, awake)| !awake.held.is_empty());
        for driver in asks.map(|(driver, _)| *driver).collect::<Vec<_>>() {
            self.put_away(driver);
        }
    }

    fn diverged(&mut self, driver: u32, step: u32, action: &Action) {
        let Some(awake) = self.drivers.awake.remove(&driver) else { return };
        awake.errand.abort();
        self.errands.remove(&awake.errand.id());
        let before = self.run.steps.get(step as usize).map_or_else(String::new, |step| named(&step.action));
        let message = format!(
            "the workflow asked for {} where it had asked for {before} (step {step}) when it ran before: what it asks \
             for must follow from its input and from what it was answered",
            named(action),
        );
        let result = StepResult::Failed { code: REPLAY_DIVERGED.to_owned(), message, retriable: false };
        let spend = Spend { steps: 1, ..Spend::default() };
        self.tell_late(Event::StepEnded { step: driver, result, spend, receipt: None });
    }

    /// Tells what a run that ended meanwhile needs no more.
    fn tell_late(&mut self, event: Event) {
        if let Err(error) = self.tell(event) {
            tracing::debug!(run = %self.run.spec.id, %error, "what came too late");
        }
    }
}

/// What is asked for, in a few words.
fn named(action: &Action) -> String {
    match action {
        Action::Skill { skill, tool, .. } | Action::Drive { skill, tool, .. } => format!("`{tool}` of `{skill}`"),
        Action::Complete { model, .. } => format!("an answer of the model `{model}`"),
        Action::Question { summary, .. } => format!("a person's word on \"{summary}\""),
        Action::Model {} => "an answer".to_owned(),
    }
}
