//! A day under overload, event by event.
//!
//! Normal and batch runs arrive faster than they can run for the whole day, and
//! interactive ones in bursts of no more than what is kept for them. The queue is asked
//! at each event, so a scheduling step takes no time here. Numbers come from a seed,
//! which `BAILIWICK_SEED` replaces.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::*;

const SEED: u64 = 0x0ba1_1171_c0de;
const DAY: Duration = Duration::from_hours(24);
const TOTAL: u32 = 10;

/// Free places that interactive runs always find, of the 3 that they own.
const KEPT: u32 = 2;

/// How long 95 of 100 interactive runs wait at most.
const INTERACTIVE_P95: Duration = Duration::from_millis(10);

/// How long a run waits at most. Interactive runs wait for one that holds a place of
/// theirs. The others stand behind a queue that is full: 56 runs of some 5 s on 5 places
/// and more, and 48 of some 10 s on 2. Each bound leaves three times as much for chance.
const LONGEST_WAIT: PerClass<Duration> =
    PerClass { interactive: Duration::from_secs(70), normal: Duration::from_mins(5), batch: Duration::from_mins(12) };

/// One of so many normal runs waits for a person before it goes on.
const PAUSES: u64 = 50;

/// How long a person takes.
const PAUSE: Duration = Duration::from_mins(5);

/// How runs of a class arrive, and how long they take.
struct Load {
    /// Mean time between arrivals.
    every: Duration,
    /// Runs that arrive at once, at most.
    burst: u64,
    /// Mean time that a run takes.
    mean: Duration,
    /// Time that a run takes at most.
    most: Duration,
}

fn load(class: Class) -> Load {
    let load = |every, burst, mean, most| Load {
        every: Duration::from_millis(every),
        burst,
        mean: Duration::from_secs(mean),
        most: Duration::from_secs(most),
    };
    match class {
        // A sixth of a place.
        Class::Interactive => load(10_000, 2, 1, 20),
        // 6 places, where 5 are its own.
        Class::Normal => load(833, 1, 5, 30),
        // 4 places, where 2 are its own.
        Class::Batch => load(2_500, 1, 10, 60),
    }
}

/// Marsaglia's xorshift with 64 bits.
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 up to `end`, without it.
    fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }

    /// Exponential: what has lasted long lasts on as if it had just begun.
    fn spread(&mut self, mean: Duration) -> Duration {
        let bits = u32::try_from(self.draw() >> 32).expect("32 bits");
        let unit = (f64::from(bits) + 1.0) / (f64::from(u32::MAX) + 1.0);
        mean.mul_f64(unit.ln().abs())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrive(Class),
    Finish(u64),
    Return(u64, Class),
}

struct Simulation {
    seed: u64,
    random: Random,
    queue: RunQueue<u64>,
    now: Duration,
    /// By time; the number keeps events of one moment in their order.
    events: BinaryHeap<Reverse<(Duration, u64, Event)>>,
    scheduled: u64,
    next_id: u64,
    running: HashMap<u64, Place>,
    admitted: PerClass<usize>,
    refused: PerClass<usize>,
    waits: PerClass<Vec<Duration>>,
    /// Times of all places together in which a run held them.
    busy: Duration,
}

impl Simulation {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            // Of nothing, xorshift makes nothing.
            random: Random(seed.max(1)),
            queue: RunQueue::new(QueueSettings { total: TOTAL, ..QueueSettings::default() }),
            now: START,
            events: BinaryHeap::new(),
            scheduled: 0,
            next_id: 0,
            running: HashMap::new(),
            admitted: PerClass::default(),
            refused: PerClass::default(),
            waits: PerClass::from_fn(|_| Vec::new()),
            busy: Duration::ZERO,
        }
    }

    /// Lets a day pass, and then the runs end that are left.
    fn run(&mut self) {
        for class in Class::ALL {
            self.arrive_later(class);
        }
        while let Some(Reverse((at, _, event))) = self.events.pop() {
            if at <= DAY {
                self.busy += at.saturating_sub(self.now) * self.queue.running().sum();
            }
            self.now = at;
            self.happen(event);
            self.start();
            self.check_no_place_is_idle();
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive(class) => {
                for _ in 0..=self.random.below(load(class).burst) {
                    self.push(class);
                }
                if self.now < DAY {
                    self.arrive_later(class);
                }
            }
            Event::Finish(id) => {
                let place = self.running.remove(&id).expect("it was started once");
                let class = place.class;
                self.queue.finished(place);
                if class == Class::Normal && self.random.below(PAUSES) == 0 {
                    self.after(PAUSE, Event::Return(id, class));
                }
            }
            Event::Return(id, class) => {
                self.queue.requeue(id, class, self.now);
                self.admitted[class] += 1;
            }
        }
    }

    fn push(&mut self, class: Class) {
        self.next_id += 1;
        match self.queue.push(self.next_id, class, self.now) {
            Ok(()) => self.admitted[class] += 1,
            Err(_) => self.refused[class] += 1,
        }
    }

    fn start(&mut self) {
        while let Some(Started { id, class, waited, place, .. }) = self.queue.next(self.now) {
            self.waits[class].push(waited);
            assert!(self.running.insert(id, place).is_none(), "seed {}: run {id} was started twice", self.seed);
            let Load { mean, most, .. } = load(class);
            let takes = self.random.spread(mean).min(most);
            self.after(takes, Event::Finish(id));
        }
    }

    /// Nothing waits that could run: a place is free only if nobody may use it.
    fn check_no_place_is_idle(&self) {
        let (waiting, running) = (self.queue.waiting(), self.queue.running());
        let idle = TOTAL.checked_sub(running.sum()).expect("no more runs than places");
        let kept = KEPT.min(3_u32.saturating_sub(running.interactive));
        let interactive_could = waiting.interactive > 0 && idle > 0;
        let others_could = waiting.normal + waiting.batch > 0 && idle > kept;
        let (seed, now) = (self.seed, self.now);
        assert!(!interactive_could && !others_could, "seed {seed}: {idle} places are idle at {now:?}: {waiting:?}");
    }

    fn arrive_later(&mut self, class: Class) {
        let delay = self.random.spread(load(class).every);
        self.after(delay, Event::Arrive(class));
    }

    fn after(&mut self, delay: Duration, event: Event) {
        self.scheduled += 1;
        self.events.push(Reverse((self.now + delay, self.scheduled, event)));
    }
}

fn seed() -> u64 {
    let given = std::env::var("BAILIWICK_SEED").ok();
    given.map_or(SEED, |text| text.parse().expect("BAILIWICK_SEED is a whole number"))
}

#[test]
fn a_day_of_overload_starves_nobody_and_wastes_nothing() {
    let mut simulation = Simulation::new(seed());
    simulation.run();
    let Simulation { seed, queue, admitted, refused, waits, busy, scheduled, .. } = &mut simulation;
    assert!(*scheduled > 200_000, "seed {seed}: {scheduled} events are no day of overload");
    assert!(refused.batch > 5_000, "seed {seed}: {refused:?} were refused, which is no overload");
    assert_eq!(refused.interactive, 0, "seed {seed}: interactive runs were turned away by others");
    for class in Class::ALL {
        let waits = &mut waits[class];
        waits.sort_unstable();
        assert_eq!(waits.len(), admitted[class], "seed {seed}: not every {class:?} run has started");
        let longest = waits.last().copied().unwrap_or_default();
        assert!(longest <= LONGEST_WAIT[class], "seed {seed}: a {class:?} run waited for {longest:?}");
    }
    let interactive = &waits[Class::Interactive];
    let p95 = interactive[interactive.len() * 95 / 100];
    assert!(p95 <= INTERACTIVE_P95, "seed {seed}: 5 of 100 interactive runs waited for {p95:?} or longer");
    // All places but the kept ones were in use all day, but for the first moments.
    let least = DAY * (TOTAL - KEPT) / 100 * 99;
    assert!(*busy >= least, "seed {seed}: places were in use for {busy:?}, of {least:?} at least");
    assert_eq!((queue.waiting().sum(), queue.running().sum()), (0, 0), "seed {seed}: something is left");
}
