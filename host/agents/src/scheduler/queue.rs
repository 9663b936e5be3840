//! The queue of runs: who waits, who may start next, and whose place that is.
//!
//! It is plain data. Every method is told the time as a [`Duration`] since one fixed
//! start, by a clock that never goes back, so that whole days can be simulated.
//!
//! **Places.** A run that is under way holds a place. Each class owns a share of the
//! places, in the proportion of the settings: at 10 places, 3 are of interactive runs,
//! 5 of normal and 2 of batch. From 3 places on, each class owns at least one. Of 2
//! places, one is of interactive runs and the others share the second; a single place
//! is everybody's. Whose place a run holds is counted by class and not by place: of a
//! class that runs more than it owns, the surplus is borrowed.
//!
//! 1. *Owners first.* While a class that runs less than it owns waits and could start,
//!    no class starts beyond what it owns. Runs that are under way stay.
//! 2. *Interactive keeps half.* Runs of other classes start only if afterwards half of
//!    what interactive owns, rounded up, is free, or all that it does not use if that
//!    is less. So up to that many interactive runs at once never wait behind batch. A
//!    single place is not kept.
//! 3. *Whatever else is free may be borrowed*, by whoever waits.
//! 4. *Places are taken away as they come free.* Where places were taken away, more runs
//!    may hold one than there are. They stay, and others start only when enough of them
//!    have ended, but for what a class is owed: interactive the half that it would keep,
//!    each other class one run. So nobody waits for all that was lent to end. Never more
//!    run than the places that the queue was made with.
//!
//! **Order.** Among the classes that may start, the weights decide, and a run that has
//! waited long counts as one of a higher class. Within a class, the first come is the
//! first to start.
//!
//! Nothing starves: a class that waits takes its own places as soon as runs of others
//! end on them, and among classes that share one place the weights let each have turns.

mod lane;
mod order;
mod per_class;
mod places;
mod rate;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bailiwick_domain::run::Class;

use self::lane::Lane;
use self::order::Order;
pub use self::per_class::PerClass;
use self::places::{Claim, Places};
pub use self::places::{GUARANTEED, MAX_PLACES};
use self::rate::Rate;

/// What a queue is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// Runs that wait at most. Normal runs may fill seven eighths of it and batch runs
    /// three quarters, rounded up, so that no flood of them turns interactive runs away.
    pub capacity: usize,
    /// Places: runs that are under way at most. What exceeds [`MAX_PLACES`] does not
    /// count, and with 0 nothing starts. [`RunQueue::resize`] goes up to it.
    pub total: u32,
    /// In what proportion the classes own the places.
    pub shares: PerClass<u32>,
    /// In what proportion classes that wait get to start; 0 counts as 1.
    pub weights: PerClass<u32>,
    /// A run that has waited longer counts one class higher, and after twice that two.
    pub ageing: Duration,
}

impl Default for QueueSettings {
    /// Room for a burst, and few enough runs that whoever waits last still gets to start
    /// within minutes.
    fn default() -> Self {
        Self {
            capacity: 64,
            total: 10,
            shares: PerClass { interactive: 3, normal: 5, batch: 2 },
            weights: PerClass { interactive: 8, normal: 4, batch: 1 },
            ageing: Duration::from_secs(30),
        }
    }
}

/// Refuses a run, because enough of them wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run queue is full ({size}/{capacity})")]
pub struct RunQueueFull {
    /// Runs that wait, of all classes. Runs that came back may lift it above `capacity`.
    pub size: usize,
    /// Runs that may wait before one of this class is refused.
    pub capacity: usize,
    /// When to try again, from 1 s to 60 s: by the recent rate of starts, there should be
    /// room then.
    pub retry_after: Duration,
}

/// A run that was given a place.
#[derive(Debug)]
pub struct Started<T> {
    /// Which run.
    pub id: T,
    /// Its class.
    pub class: Class,
    /// Whether its class now runs more than it owns.
    pub borrowed: bool,
    /// How long it waited.
    pub waited: Duration,
    /// What to give back when it ends or pauses.
    pub place: Place,
}

/// A place that a run holds. It is free again only after [`RunQueue::finished`].
#[derive(Debug)]
#[must_use = "a place that is not given back is lost"]
pub struct Place {
    class: Class,
}

impl Place {
    /// Takes the place, so that it is given back only once.
    fn into_class(self) -> Class {
        self.class
    }
}

/// How a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSnapshot {
    /// Runs that may wait.
    pub capacity: usize,
    /// Places now.
    pub total: u32,
    /// Places at the most.
    pub ceiling: u32,
    /// Free places that only interactive runs get.
    pub kept: u32,
    /// How each class stands.
    pub classes: PerClass<ClassSnapshot>,
}

/// How a class stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSnapshot {
    /// Runs that wait.
    pub waiting: usize,
    /// Runs that hold a place.
    pub running: u32,
    /// Places that it owns.
    pub share: u32,
    /// How long the oldest run that waits has waited.
    pub oldest_wait: Option<Duration>,
}

/// Runs that wait, and the places of those under way. `T` names a run.
///
/// A queue never looks whether a name is given twice: that is its caller's to know.
#[derive(Debug)]
pub struct RunQueue<T> {
    capacity: usize,
    lanes: PerClass<Lane<T>>,
    places: Places,
    order: Order,
    rate: Rate,
}

impl<T> RunQueue<T> {
    /// An empty queue, all of whose places are free.
    pub fn new(settings: QueueSettings) -> Self {
        Self {
            capacity: settings.capacity,
            lanes: PerClass::from_fn(|_| Lane::new()),
            places: Places::new(settings.shares, settings.total),
            order: Order::new(settings.weights, settings.ageing),
            rate: Rate::default(),
        }
    }

    /// Lets a run wait behind those of its class. O(1).
    ///
    /// Fails if as many wait as may, and says when to try again.
    pub fn push(&mut self, id: T, class: Class, now: Duration) -> Result<(), RunQueueFull> {
        let (size, capacity) = (self.waiting().sum(), self.room(class));
        if size >= capacity {
            let retry_after = self.rate.time_for(size - capacity + 1, now);
            return Err(RunQueueFull { size, capacity, retry_after });
        }
        self.begin(class);
        self.lanes[class].push(id, now);
        Ok(())
    }

    /// Lets a run wait again that has given its place back, before those that were never
    /// started. Among such runs the least `queued_at` is first, and waits are counted from
    /// it. O(log n).
    ///
    /// It is never refused, because it was admitted once, but it counts. So more than the
    /// capacity wait only if runs that were admitted come back.
    pub fn requeue(&mut self, id: T, class: Class, queued_at: Duration) {
        self.begin(class);
        self.lanes[class].requeue(id, queued_at);
    }

    /// Gives a place to the run whose turn it is, or `None` if no run that waits may start
    /// now. Whoever adds, removes, finishes or resizes calls it until `None`.
    /// O(log n) if the run came back, else O(1).
    pub fn next(&mut self, now: Duration) -> Option<Started<T>> {
        let owner = self.order.pick(self.claims(Claim::Own, now));
        let (class, borrowed) = match owner {
            Some(class) => (class, false),
            None => (self.order.pick(self.claims(Claim::Borrowed, now))?, true),
        };
        let (queued_at, id) = self.lanes[class].pop()?;
        let waited = now.saturating_sub(queued_at);
        self.places.take(class);
        self.order.charge(class, waited);
        self.rate.started(now);
        Some(Started { id, class, borrowed, waited, place: Place { class } })
    }

    /// Takes the place back of a run that ended, or that waits for something else. O(1).
    pub fn finished(&mut self, place: Place) {
        self.places.give_back(place.into_class());
    }

    /// Changes how many places there are, up to those that the queue was made with, and
    /// what the classes own of them. Runs that hold a place keep it: places that are taken
    /// away go as they come free (rule 4). O(total) where it changes.
    pub fn resize(&mut self, places: u32) {
        self.places.resize(places);
    }

    /// Places now. O(1).
    pub fn places(&self) -> u32 {
        self.places.total()
    }

    /// Runs that wait. O(1).
    pub fn waiting(&self) -> PerClass<usize> {
        PerClass::from_fn(|class| self.lanes[class].len())
    }

    /// Runs that hold a place. O(1).
    pub fn running(&self) -> PerClass<u32> {
        self.places.running()
    }

    /// How the queue stands. O(1).
    pub fn snapshot(&self, now: Duration) -> QueueSnapshot {
        let classes = PerClass::from_fn(|class| {
            let lane = &self.lanes[class];
            ClassSnapshot {
                waiting: lane.len(),
                running: self.places.running()[class],
                share: self.places.owned()[class],
                oldest_wait: lane.oldest().map(|queued_at| now.saturating_sub(queued_at)),
            }
        });
        QueueSnapshot {
            capacity: self.capacity,
            total: self.places.total(),
            ceiling: self.places.ceiling(),
            kept: self.places.kept(),
            classes,
        }
    }

    /// The classes whose first run may start by such a claim, and how long that run has
    /// waited.
    fn claims(&self, wanted: Claim, now: Duration) -> impl Iterator<Item = (Class, Duration)> {
        let classes = Class::ALL.into_iter().filter(move |class| self.places.claim(*class) == Some(wanted));
        classes.filter_map(move |class| {
            let queued_at = self.lanes[class].head()?;
            Some((class, now.saturating_sub(queued_at)))
        })
    }

    /// Tells the order that a class waits from now on, if it did not.
    fn begin(&mut self, class: Class) {
        if self.lanes[class].len() == 0 {
            self.order.begin(class);
        }
    }

    /// Runs that may wait before one of this class is refused.
    fn room(&self, class: Class) -> usize {
        match class {
            Class::Interactive => self.capacity,
            Class::Normal => self.capacity - self.capacity / 8,
            Class::Batch => self.capacity - self.capacity / 4,
        }
    }
}

impl<T: PartialEq> RunQueue<T> {
    /// Takes a run out that waits, and says whether it did. O(n): cancelling is rare, and
    /// a map of all that wait would cost at every start.
    pub fn remove(&mut self, id: &T) -> bool {
        Class::ALL.into_iter().any(|class| self.lanes[class].remove(id))
    }
}
