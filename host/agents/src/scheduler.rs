//! Who gets a place, and when.
//!
//! The rules are in [`queue`], which knows neither clocks nor threads. Here, those who
//! wait for a place are woken when it is theirs, and places come back by themselves. How
//! many places there are may follow the machine: [`ceiling`].

pub mod ceiling;
pub mod queue;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::run::Class;
use tokio::sync::{Notify, oneshot};

use self::ceiling::Load;
use self::queue::{Place, QueueSettings, QueueSnapshot, RunQueue, RunQueueFull};

/// Gives places to runs.
#[derive(Clone)]
pub struct Scheduler(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    start: Instant,
    /// Somebody came to wait for a place.
    entered: Notify,
}

struct State {
    queue: RunQueue<u64>,
    waiting: HashMap<u64, oneshot::Sender<Seat>>,
    next: u64,
}

/// A run in the queue. Dropped, it is out of it.
pub struct Ticket {
    number: u64,
    seat: oneshot::Receiver<Seat>,
    shared: Arc<Shared>,
}

/// A place that a run has. Dropped, it is free again.
pub struct Seat {
    place: Option<Place>,
    /// How long the run waited for it.
    pub waited: Duration,
    shared: Arc<Shared>,
}

impl Scheduler {
    /// A scheduler by these settings.
    pub fn new(settings: QueueSettings, clock: Arc<dyn Clock>) -> Self {
        let start = clock.instant();
        let state = State { queue: RunQueue::new(settings), waiting: HashMap::new(), next: 0 };
        Self(Arc::new(Shared { state: Mutex::new(state), clock, start, entered: Notify::new() }))
    }

    /// Puts a new run into the queue.
    pub fn enter(&self, class: Class) -> Result<Ticket, RunQueueFull> {
        let now = self.0.now();
        self.0.wait(|queue, number| queue.push(number, class, now))
    }

    /// Puts a run into the queue that was taken up before, and waited since `queued_at`;
    /// it is never refused.
    pub fn enter_again(&self, class: Class, queued_at: Duration) -> Ticket {
        let entered = self.0.wait(|queue, number| {
            queue.requeue(number, class, queued_at);
            Ok::<_, std::convert::Infallible>(())
        });
        match entered {
            Ok(ticket) => ticket,
            Err(never) => match never {},
        }
    }

    /// The time by which the queue counts.
    pub fn now(&self) -> Duration {
        self.0.now()
    }

    /// Who waits and who runs.
    pub fn snapshot(&self) -> QueueSnapshot {
        let now = self.0.now();
        self.0.lock().queue.snapshot(now)
    }

    /// Changes how many places there are, up to those of the settings. Whoever has one
    /// keeps it.
    pub fn resize(&self, places: u32) {
        self.0.lock().queue.resize(places);
        self.0.give();
    }

    /// Places at the most.
    pub(crate) fn ceiling(&self) -> u32 {
        self.snapshot().ceiling
    }

    /// What is asked of the places.
    pub(crate) fn load(&self) -> Load {
        let state = self.0.lock();
        Load {
            places: state.queue.places(),
            running: state.queue.running().sum(),
            waiting: state.queue.waiting().sum(),
        }
    }

    /// Waits until somebody has a place or wants one.
    pub(crate) async fn until_used(&self) {
        while self.load().is_idle() {
            self.0.entered.notified().await;
        }
    }
}

impl Ticket {
    /// Waits for the place.
    pub async fn seat(&mut self) -> Seat {
        match (&mut self.seat).await {
            Ok(seat) => seat,
            // The sender is kept until the seat is given.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.queue.remove(&self.number);
        state.waiting.remove(&self.number);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(place) = self.place.take() {
            self.shared.lock().queue.finished(place);
            self.shared.give();
        }
    }
}

impl Shared {
    fn wait<E>(self: &Arc<Self>, enter: impl FnOnce(&mut RunQueue<u64>, u64) -> Result<(), E>) -> Result<Ticket, E> {
        let (sender, seat) = oneshot::channel();
        let number = {
            let mut state = self.lock();
            let number = state.next;
            enter(&mut state.queue, number)?;
            state.next += 1;
            state.waiting.insert(number, sender);
            number
        };
        let ticket = Ticket { number, seat, shared: Arc::clone(self) };
        // It is kept for who looks later.
        self.entered.notify_one();
        self.give();
        Ok(ticket)
    }

    /// Gives every place that somebody may have.
    fn give(self: &Arc<Self>) {
        let now = self.now();
        let mut given = Vec::new();
        {
            let mut state = self.lock();
            while let Some(started) = state.queue.next(now) {
                let seat = Seat { place: Some(started.place), waited: started.waited, shared: Arc::clone(self) };
                given.push((state.waiting.remove(&started.id), seat));
            }
        }
        // Out of the lock: whoever is gone gives its seat back at once.
        for (sender, seat) in given {
            if let Some(sender) = sender {
                drop(sender.send(seat));
            }
        }
    }

    fn now(&self) -> Duration {
        self.clock.instant().saturating_duration_since(self.start)
    }

    /// The queue is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn instant(&self) -> Instant {
            Instant::now()
        }
    }

    fn scheduler(total: u32) -> Scheduler {
        Scheduler::new(QueueSettings { total, ..QueueSettings::default() }, Arc::new(Still))
    }

    #[tokio::test]
    async fn a_place_comes_back_when_its_seat_is_dropped() {
        let scheduler = scheduler(1);
        let mut first = scheduler.enter(Class::Normal).expect("room");
        let mut second = scheduler.enter(Class::Normal).expect("room");
        let seat = first.seat().await;
        let early = tokio::time::timeout(Duration::from_millis(20), second.seat()).await;
        assert!(early.is_err(), "there is one place");
        drop(seat);
        second.seat().await;
    }

    #[tokio::test]
    async fn places_that_come_back_are_given_at_once() {
        let scheduler = scheduler(2);
        scheduler.resize(1);
        let mut first = scheduler.enter(Class::Normal).expect("room");
        let mut second = scheduler.enter(Class::Interactive).expect("room");
        let seat = first.seat().await;
        let early = tokio::time::timeout(Duration::from_millis(20), second.seat()).await;
        assert!(early.is_err(), "there is one place");
        scheduler.resize(2);
        let other = second.seat().await;
        assert_eq!(scheduler.load(), Load { places: 2, running: 2, waiting: 0 });
        scheduler.resize(1);
        assert_eq!(scheduler.load().running, 2, "who has a place keeps it");
        drop((seat, other));
        assert!(scheduler.load().is_idle());
    }

    #[tokio::test]
    async fn who_leaves_the_queue_takes_no_place() {
        let scheduler = scheduler(1);
        let mut first = scheduler.enter(Class::Normal).expect("room");
        let gone = scheduler.enter(Class::Normal).expect("room");
        let mut last = scheduler.enter(Class::Normal).expect("room");
        let seat = first.seat().await;
        drop(gone);
        drop(seat);
        last.seat().await;
        drop((first, last));
        let given_and_not_taken = scheduler.enter(Class::Normal).expect("room");
        drop(given_and_not_taken);
        scheduler.enter(Class::Normal).expect("room").seat().await;
    }
}
