//! The actor of one run: the only one who changes it.
//!
//! It goes round: what follows by itself is told; all that was told is made durable, in
//! one piece; then what it tells of begins. So an intent is on disk before anybody is
//! asked, a result before anything follows from it, and both share a commit where they
//! come together.

pub(super) mod at_once;
mod busy;
mod commit;
mod drivers;
mod time;
mod tries;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bailiwick_domain::run::{
    Action, Escalation, Event, EventKind, IllegalEvent, Record, Run, Status, StepResult, StepState, TaskOutcome, next,
};
use bailiwick_domain::span::Span;
use bailiwick_journal::runs::MAX_EVENT_BYTES;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use self::busy::Busy;
use self::drivers::Drivers;
use self::time::TimeLeft;
use super::driver::Mail;
use super::error::ControlError;
use super::hearers::Hearers;
use super::step::{self, Done};
use super::{Inner, keep};
use crate::bus::{self, Told};
use crate::scheduler::{Seat, Ticket};
use crate::spans::Trail;

/// Bytes of why a run failed that are kept where the whole event is too large: far more than
/// people read.
const MAX_REASON: usize = 64 << 10;

/// What workflows tell and is not read yet: who tells more waits.
const MAIL: usize = 16;

/// What a person wants of a run.
pub(super) struct Letter {
    pub(super) event: Event,
    pub(super) answer: oneshot::Sender<Result<Status, ControlError>>,
}

pub(super) struct Actor {
    inner: Arc<Inner>,
    run: Run,
    letters: mpsc::Receiver<Letter>,
    durable: watch::Sender<u64>,
    hearers: Hearers,
    place: Place,
    /// What was told and is not durable yet.
    pending: Vec<Pending>,
    /// Steps that begin when it is.
    begin: Vec<u32>,
    /// Who is answered when it is.
    answers: Vec<(oneshot::Sender<Result<Status, ControlError>>, Status)>,
    work: JoinSet<Done>,
    /// Workflows that drive it.
    drivers: Drivers,
    /// Where they write to.
    desk: mpsc::Sender<Mail>,
    mail: mpsc::Receiver<Mail>,
    /// What each part of `work` is there for.
    errands: HashMap<Id, Errand>,
    /// By which steps are ended whose subrun failed, and waiting for a person is.
    ends: HashMap<u32, AbortHandle>,
    /// When steps that failed begin again.
    retries: BTreeMap<u32, Instant>,
    /// When the next tries of tasks that failed begin.
    rests: BTreeMap<u32, Instant>,
    time: TimeLeft,
    /// When it began to wait for a place, as the scheduler counts.
    waits_since: Duration,
    /// Open tasks, each with its place in the count of its agent.
    busy: BTreeMap<u32, Busy>,
    /// Questions that were withdrawn.
    withdrawn: BTreeSet<String>,
    /// What is open in its trace, where somebody wants spans.
    trail: Option<Trail>,
}

/// An event that is not durable yet.
struct Pending {
    bytes: Vec<u8>,
    /// What the bus tells of it when it is.
    told: Vec<Told>,
    /// What it ended, for traces.
    spans: Vec<Span>,
}

enum Place {
    None,
    Waiting(Ticket),
    Has(#[expect(dead_code, reason = "it is there to be dropped")] Seat),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Errand {
    /// Asks a model or calls a skill.
    Step(u32),
    /// Waits for a person.
    Answer(u32),
}

impl Actor {
    pub(super) fn new(
        inner: Arc<Inner>,
        run: Run,
        letters: mpsc::Receiver<Letter>,
        durable: watch::Sender<u64>,
        hearers: Hearers,
        ticket: Option<Ticket>,
    ) -> Self {
        let waits_since = inner.scheduler.now();
        let time = match run.started_at {
            _ if run.status.is_over() => TimeLeft::All,
            None => TimeLeft::All,
            // How long the host was gone counts for nobody.
            Some(started) => {
                let gone = Duration::from_millis(run.updated_at.saturating_sub(started));
                TimeLeft::of(run.status, run.spec.budget.wall().saturating_sub(gone))
            }
        };
        let (desk, mail) = mpsc::channel(MAIL);
        let trail = inner.trail(&run);
        let mut actor = Self {
            inner,
            run,
            letters,
            durable,
            hearers,
            place: ticket.map_or(Place::None, Place::Waiting),
            pending: Vec::new(),
            begin: Vec::new(),
            answers: Vec::new(),
            work: JoinSet::new(),
            drivers: Drivers::default(),
            desk,
            mail,
            errands: HashMap::new(),
            ends: HashMap::new(),
            retries: BTreeMap::new(),
            rests: BTreeMap::new(),
            time,
            waits_since,
            busy: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            trail,
        };
        actor.take_up();
        actor
    }

    /// What a run that is taken up again waits for.
    fn take_up(&mut self) {
        for step in self.run.backing_off().collect::<Vec<_>>() {
            self.retry_later(step);
        }
        for task in self.run.resting().collect::<Vec<_>>() {
            self.try_later(task);
        }
        for (number, task) in self.run.tasks.iter().enumerate() {
            if task.outcome.is_none() && !self.run.status.is_over() {
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                self.busy.insert(number, Busy::new(&self.inner, &task.opening.agent));
            }
        }
    }

    /// Lives until the run is over or the host stops. `first` is told at once.
    pub(super) async fn live(mut self, first: Vec<Event>) {
        for event in first {
            self.tell_or_fail(event);
        }
        // Somebody wants it back, or there would be no actor. One that ended with its first steps
        // has its place still.
        if self.run.status.is_over() && matches!(self.place, Place::None) && !self.hear().await {
            return;
        }
        loop {
            self.follow_up();
            if !self.commit().await {
                return;
            }
            if self.run.status.is_over() {
                return self.clear_up().await;
            }
            self.withdraw().await;
            self.start_work();
            if !self.go_on().await {
                return;
            }
        }
    }

    /// Waits until something happens, unless it did at once. False when the host stops.
    async fn go_on(&mut self) -> bool {
        if self.pending.is_empty() {
            self.seek_place();
            return self.hear().await;
        }
        if self.inner.stopped.is_cancelled() {
            return false;
        }
        if self.alarm().is_some_and(|at| at <= Instant::now()) {
            self.ring();
        }
        self.take_in();
        true
    }

    /// Nothing of a run that is over is under way any more, and what its calls shared is let go
    /// of. Who follows it learns of its end before that. Who has it tried again writes to the
    /// next actor, and so waits: the letters go last.
    async fn clear_up(self) {
        let Self { inner, run, letters, durable, place, mut work, .. } = self;
        drop((durable, place));
        work.shutdown().await;
        inner.end_run(&run.spec.id).await;
        drop(letters);
    }

    /// Has nobody answer what nobody waits for, when it is durable that nobody does.
    async fn withdraw(&mut self) {
        let forsaken: Vec<String> = self.run.forsaken().map(|(_, approval)| approval.to_owned()).collect();
        for approval in forsaken {
            if self.withdrawn.insert(approval.clone()) {
                self.inner.parts.skills.withdraw(approval, self.run.spec.id.clone()).await;
            }
        }
    }

    /// Everything that follows by itself.
    fn follow_up(&mut self) {
        if self.inner.stopping.is_cancelled() {
            return self.put_askers_away();
        }
        if !matches!(self.place, Place::Has(_)) {
            return;
        }
        // It was paused and resumed while something was under way, and kept its place.
        if self.run.status == Status::Queued && !self.tell_or_fail(Event::Started {}) {
            return;
        }
        loop {
            let events = next(&self.run);
            if events.is_empty() && !(self.may_start() && self.begin_wishes()) {
                return;
            }
            for event in events {
                if !self.tell_or_fail(event) {
                    return;
                }
            }
        }
    }

    /// Tells what must be able to follow. Where it can't, the host has an error of its
    /// own, and the run ends rather than turn in place.
    fn tell_or_fail(&mut self, event: Event) -> bool {
        let Err(error) = self.tell(event) else { return true };
        tracing::error!(run = %self.run.spec.id, %error, "what follows by the host's own rules can't follow");
        let message = format!("the host contradicts itself: {error}");
        let failed = Event::Failed { code: "HOST_FAILURE".to_owned(), message, partial: Value::Null };
        // Only a run that is over can't fail.
        drop(self.tell(failed));
        false
    }

    /// Takes an event into the run and puts it with what becomes durable next.
    fn tell(&mut self, event: Event) -> Result<(), IllegalEvent> {
        let mut record = Record { at: keep::moment(&self.inner.parts, &self.run), event };
        let mut bytes = keep::bytes(&record);
        if bytes.len() > MAX_EVENT_BYTES {
            record.event = too_large(record.event, bytes.len());
            bytes = keep::bytes(&record);
        }
        self.run.apply(&record)?;
        self.inner.count(&self.run, &record);
        let told = if self.inner.bus.is_heard() { bus::told(&self.run, &record) } else { Vec::new() };
        let spans = self.trail.as_mut().map(|trail| trail.heed(&self.run, &record)).unwrap_or_default();
        self.pending.push(Pending { bytes, told, spans });
        match &record.event {
            Event::StepStarted { step, task, .. } => {
                self.retries.remove(step);
                self.rests.remove(task);
                self.begin.push(*step);
            }
            Event::StepEnded { step, .. } => {
                self.drivers.forget(*step);
                self.retry_later(*step);
            }
            Event::ApprovalRequested { step, .. } => self.drivers.forget(*step),
            Event::TaskOpened { task, opening } => {
                self.busy.insert(*task, Busy::new(&self.inner, &opening.agent));
            }
            Event::TaskEnded { task, .. } => {
                self.busy.remove(task);
            }
            Event::SubrunEnded { .. } => self.let_go(),
            Event::TaskEscalated { task, to, .. } => match to {
                Escalation::Retry { .. } => self.try_later(*task),
                Escalation::Agent { name } => {
                    self.busy.insert(*task, Busy::new(&self.inner, name));
                }
                Escalation::Person {} => {}
            },
            Event::Retried { .. } => {
                self.keep_time(EventKind::Retried);
                self.rests.clear();
                // Tasks that failed are open again.
                self.take_up();
            }
            _ => self.keep_time(record.event.kind()),
        }
        Ok(())
    }

    /// Lets go of what a subrun that failed has left behind.
    fn let_go(&mut self) {
        let run = &self.run;
        self.busy.retain(|task, _| run.tasks.get(*task as usize).is_some_and(|task| task.outcome.is_none()));
        let waits: BTreeSet<u32> = run.backing_off().collect();
        self.retries.retain(|step, _| waits.contains(step));
        self.ends.retain(|step, end| {
            let is_left = run.steps.get(*step as usize).is_some_and(|step| match step.state {
                StepState::Abandoned => true,
                StepState::Awaiting(_) => run.tasks.get(step.task as usize).is_some_and(|task| task.outcome.is_some()),
                _ => false,
            });
            if is_left {
                end.abort();
            }
            !is_left
        });
    }

    fn keep_time(&mut self, kind: EventKind) {
        let whole = self.run.spec.budget.wall();
        let left = self.time.left().unwrap_or(whole);
        match kind {
            EventKind::Retried => self.time = TimeLeft::All,
            EventKind::Started | EventKind::Paused | EventKind::Interrupted => {
                self.time = TimeLeft::of(self.run.status, left);
            }
            EventKind::Resumed if !matches!(self.time, TimeLeft::All) => {
                self.time = TimeLeft::of(self.run.status, left);
            }
            _ => {}
        }
    }

    /// Begins what is durable now.
    fn start_work(&mut self) {
        // Before the models, what of which comes at once is not durable yet.
        self.wake_drivers();
        self.answer_drivers();
        for number in std::mem::take(&mut self.begin) {
            let step = self.run.steps.get(number as usize).filter(|step| step.state == StepState::UnderWay);
            let Some(step) = step else { continue };
            let asks_a_model = matches!(step.action, Action::Model {} | Action::Complete { .. });
            let Some(mut work) = step::work(&self.inner, &self.run, number, self.time.left(), &self.hearers) else {
                continue;
            };
            if asks_a_model && let Some(event) = at_once::result(&mut work, number) {
                self.came(event);
                continue;
            }
            let end = self.work.spawn(work);
            self.errands.insert(end.id(), Errand::Step(number));
            self.ends.insert(number, end);
        }
        let asked: BTreeSet<u32> = self.run.awaiting().map(|(step, _)| step).collect();
        let waits = |step: &u32| self.errands.values().any(|errand| *errand == Errand::Answer(*step));
        let unheard: Vec<u32> = asked.into_iter().filter(|step| !waits(step)).collect();
        for number in unheard {
            if let Some(work) = step::answer(&self.inner, &self.run, number) {
                let end = self.work.spawn(work);
                self.errands.insert(end.id(), Errand::Answer(number));
                self.ends.insert(number, end);
            }
        }
    }

    /// Has a place while there is something to do, and gives it back while there isn't.
    fn seek_place(&mut self) {
        let run = &self.run;
        // A workflow that was put away takes no place.
        let at_work = run.under_way().any(|step| !self.drivers.is_asleep(step));
        let wants = match run.status {
            Status::Queued => true,
            Status::Running | Status::WaitingApproval => {
                let goes_on = || !next(run).is_empty() || !self.drivers_due().is_empty();
                let waits = run.backing_off().next().is_some() || run.resting().next().is_some();
                at_work || waits || goes_on()
            }
            _ => at_work && matches!(self.place, Place::Has(_)),
        };
        match (&self.place, wants) {
            (Place::None, true) => {
                let ticket = self.inner.scheduler.enter_again(run.spec.class, self.waits_since);
                self.place = Place::Waiting(ticket);
            }
            (Place::Waiting(_) | Place::Has(_), false) => {
                self.place = Place::None;
                self.waits_since = self.inner.scheduler.now();
            }
            _ => {}
        }
    }

    /// Waits until something happens, and takes in all that has happened. False when the host
    /// stops.
    async fn hear(&mut self) -> bool {
        let stopping = self.inner.stopping.is_cancelled();
        if stopping && self.at_work() == 0 {
            return false;
        }
        let alarm = self.alarm();
        tokio::select! {
            biased;
            () = self.inner.stopped.cancelled() => return false,
            () = self.inner.stopping.cancelled(), if !stopping => return true,
            letter = self.letters.recv() => match letter {
                Some(letter) => self.read(letter),
                None => return false,
            },
            // Before the work, which has no more time than the run: its end is told as the run's.
            () = sleep_until(alarm.unwrap_or_else(Instant::now)), if alarm.is_some() => self.ring(),
            Some(done) = self.work.join_next_with_id(), if !self.work.is_empty() => self.done(done),
            Some(mail) = self.mail.recv() => self.read_mail(mail),
            seat = seat(&mut self.place) => self.seated(seat),
        }
        self.take_in();
        true
    }

    /// What came together becomes durable together.
    fn take_in(&mut self) {
        while let Some(done) = self.work.try_join_next_with_id() {
            self.done(done);
        }
        while let Ok(mail) = self.mail.try_recv() {
            self.read_mail(mail);
        }
        while let Ok(letter) = self.letters.try_recv() {
            self.read(letter);
        }
    }

    /// Models and skills that are asked.
    fn at_work(&self) -> usize {
        self.errands.values().filter(|errand| matches!(errand, Errand::Step(_))).count()
    }

    fn read(&mut self, Letter { event, answer }: Letter) {
        let (kind, status) = (event.kind(), self.run.status);
        let refused = match self.tell(event) {
            Ok(()) => {
                self.answers.push((answer, self.run.status));
                if self.run.status.is_over() {
                    self.work.abort_all();
                }
                return;
            }
            Err(error @ IllegalEvent::Unfit { .. }) => ControlError::Unfit(error),
            Err(_) => ControlError::Illegal { event: kind, status },
        };
        drop(answer.send(Err(refused)));
    }

    fn seated(&mut self, seat: Seat) {
        let waited_ms = seat.waited.as_secs_f64() * 1000.0;
        tracing::debug!(run = %self.run.spec.id, class = %self.run.spec.class, waited_ms, "a run has a place");
        self.place = Place::Has(seat);
    }

    fn done(&mut self, done: Result<(Id, Done), JoinError>) {
        let (id, done) = match done {
            Ok((id, done)) => (id, Some(done)),
            Err(error) => (error.id(), None),
        };
        let Some(errand) = self.errands.remove(&id) else { return };
        let (Errand::Step(step) | Errand::Answer(step)) = errand;
        self.ends.remove(&step);
        let event = match (errand, done) {
            (_, Some(done)) => done.event(),
            (Errand::Step(step), None) => step::died(step),
            // It is asked again by whoever looks for steps that nobody waits for.
            (Errand::Answer(_), None) => return,
        };
        self.came(event);
    }

    /// Takes in what came of a step. A run that ended meanwhile needs it no more, and neither
    /// does one whose subrun failed.
    fn came(&mut self, event: Event) {
        if let Err(error) = self.tell(event) {
            tracing::debug!(run = %self.run.spec.id, %error, "what came too late");
        }
    }

    fn may_start(&self) -> bool {
        let runs = matches!(self.run.status, Status::Running | Status::WaitingApproval);
        runs && matches!(self.place, Place::Has(_)) && !self.inner.stopping.is_cancelled()
    }
}

/// The place that a run waits for.
async fn seat(place: &mut Place) -> Seat {
    match place {
        Place::Waiting(ticket) => ticket.seat().await,
        Place::None | Place::Has(_) => std::future::pending().await,
    }
}

/// What is told in place of an event that is too large to keep.
pub(super) fn too_large(event: Event, size: usize) -> Event {
    let code = "OUTPUT_TOO_LARGE".to_owned();
    let message = format!("what came of it has {size} bytes; {MAX_EVENT_BYTES} can be kept");
    match event {
        Event::StepEnded { step, spend, receipt, .. } => {
            let result = StepResult::Failed { code, message, retriable: false };
            Event::StepEnded { step, result, spend, receipt }
        }
        Event::SubrunEnded { subrun, .. } => {
            Event::SubrunEnded { subrun, outcome: TaskOutcome::Failed { code, message } }
        }
        // Why it failed is worth more than what there was in place of an output.
        Event::Failed { code, mut message, .. } => {
            message.truncate(message.floor_char_boundary(MAX_REASON));
            Event::Failed { code, message, partial: Value::Null }
        }
        _ => Event::Failed { code, message, partial: Value::Null },
    }
}
