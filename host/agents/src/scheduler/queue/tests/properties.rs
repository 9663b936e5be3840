//! What holds after any sequence of calls, against a model that is slow and plain.

use proptest::prelude::*;

use super::*;

/// A call of the queue, or time that passes. Numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Op {
    Push(Class),
    Start,
    Finish(usize),
    /// A run gives its place back and waits again at once.
    Return(usize),
    Remove(usize),
    Resize(u32),
    Pass(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => proptest::sample::select(Class::ALL.to_vec()).prop_map(Op::Push),
        6 => Just(Op::Start),
        4 => any::<usize>().prop_map(Op::Finish),
        1 => any::<usize>().prop_map(Op::Return),
        1 => any::<usize>().prop_map(Op::Remove),
        1 => (0_u32..14).prop_map(Op::Resize),
        1 => (0_u64..40).prop_map(Op::Pass),
    ]
}

/// A run that waits, in the order in which its class must start: whether it never
/// started, when it was queued, and the turn in which it came.
type Waiting = (bool, Duration, u32);

const CAPACITY: usize = 24;

/// Places at the most.
const CEILING: u32 = 10;

struct Model {
    queue: RunQueue<u32>,
    now: Duration,
    total: u32,
    turn: u32,
    waiting: PerClass<Vec<(Waiting, u32)>>,
    running: Vec<(u32, Duration, Place)>,
}

impl Model {
    fn new() -> Self {
        let queue = RunQueue::new(QueueSettings { capacity: CAPACITY, total: CEILING, ..QueueSettings::default() });
        let waiting = PerClass::from_fn(|_| Vec::new());
        Self { queue, now: START, total: CEILING, turn: 0, waiting, running: Vec::new() }
    }

    fn apply(&mut self, op: Op) -> Result<(), TestCaseError> {
        match op {
            Op::Push(class) => self.push(class)?,
            Op::Start => {
                self.start()?;
            }
            Op::Finish(number) => self.finish(number, false),
            Op::Return(number) => self.finish(number, true),
            Op::Remove(number) => self.remove(number)?,
            Op::Resize(places) => {
                self.total = places.min(CEILING);
                self.queue.resize(places);
            }
            Op::Pass(seconds) => self.now += Duration::from_secs(seconds),
        }
        self.check_counts()
    }

    fn push(&mut self, class: Class) -> Result<(), TestCaseError> {
        let size = self.waiting_count();
        let room = match class {
            Class::Interactive => 24,
            Class::Normal => 21,
            Class::Batch => 18,
        };
        self.turn += 1;
        let pushed = self.queue.push(self.turn, class, self.now);
        prop_assert_eq!(pushed.is_ok(), size < room);
        if let Err(full) = pushed {
            prop_assert_eq!((full.size, full.capacity), (size, room));
            prop_assert!((SECOND..=60 * SECOND).contains(&full.retry_after));
        } else {
            self.waiting[class].push(((true, self.now, self.turn), self.turn));
        }
        Ok(())
    }

    /// Whether a run was started, after all that must hold then was looked at.
    fn start(&mut self) -> Result<bool, TestCaseError> {
        let classes = self.queue.snapshot(self.now).classes;
        let free = self.total.saturating_sub(self.queue.running().sum());
        let (kept, owed) = (self.kept(), PerClass::from_fn(|class| self.is_owed(class)));
        let Some(started) = self.queue.next(self.now) else {
            let waits = |class: Class| classes[class].waiting > 0;
            prop_assert!(!waits(Class::Interactive) || free == 0, "a free place, and interactive waits");
            let others = waits(Class::Normal) || waits(Class::Batch);
            prop_assert!(!others || free <= kept, "{free} free places, and others wait");
            let owed = Class::ALL.into_iter().find(|class| waits(*class) && owed[*class]);
            prop_assert_eq!(owed, None, "it waits for what it is owed");
            return Ok(false);
        };
        let class = started.class;
        prop_assert!(free > 0 || owed[class], "more runs than places");
        let may_take = class == Class::Interactive || free > kept || owed[class];
        prop_assert!(may_take, "a kept place was given to {class:?}");
        if started.borrowed {
            let waits = |it: ClassSnapshot| it.waiting > 0 && it.running < it.share;
            let owner = Class::ALL.into_iter().find(|owner| waits(classes[*owner]));
            prop_assert_eq!(owner, None, "{:?} borrowed while an owner waits", class);
            prop_assert!(classes[class].running >= classes[class].share);
        } else if self.total >= 3 {
            prop_assert!(classes[class].running < classes[class].share);
        }
        let first = self.waiting[class].iter().min().copied();
        prop_assert_eq!(first.map(|(_, id)| id), Some(started.id), "not the first of its class");
        let ((_, queued_at, _), id) = first.expect("it is the one that started");
        prop_assert_eq!(started.waited, self.now.saturating_sub(queued_at));
        self.waiting[class].retain(|(_, waiting)| *waiting != id);
        self.running.push((id, queued_at, started.place));
        Ok(true)
    }

    fn finish(&mut self, number: usize, comes_back: bool) {
        if self.running.is_empty() {
            return;
        }
        let (id, queued_at, place) = self.running.remove(number % self.running.len());
        let class = place.class;
        self.queue.finished(place);
        if comes_back {
            self.turn += 1;
            self.queue.requeue(id, class, queued_at);
            self.waiting[class].push(((false, queued_at, self.turn), id));
        }
    }

    fn remove(&mut self, number: usize) -> Result<(), TestCaseError> {
        let all: Vec<u32> = Class::ALL.iter().flat_map(|class| &self.waiting[*class]).map(|(_, id)| *id).collect();
        prop_assert!(!self.queue.remove(&0), "no run has this name");
        if all.is_empty() {
            return Ok(());
        }
        let id = all[number % all.len()];
        prop_assert!(self.queue.remove(&id));
        for class in Class::ALL {
            self.waiting[class].retain(|(_, waiting)| *waiting != id);
        }
        Ok(())
    }

    /// No place and no run is lost or counted twice.
    fn check_counts(&self) -> Result<(), TestCaseError> {
        let snapshot = self.queue.snapshot(self.now);
        for class in Class::ALL {
            let waiting = &self.waiting[class];
            let oldest = waiting.iter().map(|((_, queued_at, _), _)| self.now.saturating_sub(*queued_at)).max();
            let running = self.running.iter().filter(|(_, _, place)| place.class == class).count();
            prop_assert_eq!(snapshot.classes[class].waiting, waiting.len());
            prop_assert_eq!(snapshot.classes[class].oldest_wait, oldest);
            prop_assert_eq!(usize::try_from(snapshot.classes[class].running).ok(), Some(running));
        }
        prop_assert_eq!((snapshot.total, snapshot.ceiling, snapshot.kept), (self.total, CEILING, self.kept()));
        prop_assert!(self.queue.running().sum() <= CEILING, "more runs than there ever are places");
        Ok(())
    }

    /// What the rule says of a class that waits while there are fewer places than runs.
    fn is_owed(&self, class: Class) -> bool {
        let snapshot = self.queue.snapshot(self.now);
        let running = self.running.len();
        let (own, places) = (snapshot.classes[class], usize::try_from(self.total).expect("few"));
        let over = match class {
            Class::Interactive => self.total >= 2 && running >= places && own.running < own.share.div_ceil(2),
            Class::Normal | Class::Batch => running > places && own.running == 0 && own.share > 0,
        };
        over && running < usize::try_from(CEILING).expect("few")
    }

    /// What the rule says that interactive keeps.
    fn kept(&self) -> u32 {
        let interactive = self.queue.snapshot(self.now).classes.interactive;
        let half = if self.total < 2 { 0 } else { interactive.share.div_ceil(2) };
        half.min(interactive.share.saturating_sub(interactive.running))
    }

    fn waiting_count(&self) -> usize {
        Class::ALL.iter().map(|class| self.waiting[*class].len()).sum()
    }

    /// Whatever came before, with one place all that wait get to start.
    fn drain(&mut self) -> Result<(), TestCaseError> {
        self.queue.resize(1);
        self.total = 1;
        while !self.running.is_empty() {
            self.finish(0, false);
        }
        while self.waiting_count() > 0 {
            prop_assert!(self.start()?, "nothing runs, and nothing starts");
            self.finish(0, false);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn places_and_order_hold_after_any_calls(ops in proptest::collection::vec(op(), 1..200)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op)?;
        }
        model.drain()?;
    }
}
