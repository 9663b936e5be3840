//! How the number of places follows a machine while runs come and go.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::run::Class;
use futures::FutureExt as _;
use tokio::time::sleep;

use super::super::{CpuTime, Follower, Load, Machine, Reading};
use crate::scheduler::queue::QueueSettings;
use crate::scheduler::{Scheduler, Seat, Ticket};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

/// The clock that the test's timers go by.
struct Paused;

impl Clock for Paused {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// A machine of eight CPUs that is as busy as a test says.
#[derive(Debug, Default)]
struct Scripted {
    busy: AtomicU32,
    reads: AtomicU32,
    time: Mutex<CpuTime>,
}

impl Scripted {
    fn is_busy(&self, share: u32) {
        self.busy.store(share, Ordering::SeqCst);
    }

    fn reads(&self) -> u32 {
        self.reads.load(Ordering::SeqCst)
    }
}

impl Machine for Scripted {
    fn read(&self) -> Reading {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let mut time = self.time.lock().expect("no panic");
        time.busy += u64::from(self.busy.load(Ordering::SeqCst));
        time.all += 1000;
        Reading { cpu: Some(*time), ..Reading::default() }
    }

    fn cpus(&self) -> u32 {
        8
    }
}

/// A scheduler that follows the machine from now on.
fn following(ceiling: u32, machine: &Arc<Scripted>) -> Scheduler {
    let settings = QueueSettings { capacity: 100, total: ceiling, ..QueueSettings::default() };
    let scheduler = Scheduler::new(settings, Arc::new(Paused));
    let machine = Arc::clone(machine) as Arc<dyn Machine>;
    let follower = Follower::new(scheduler.clone(), machine).expect("it tells of itself");
    tokio::spawn(follower.live());
    scheduler
}

/// The seats of those whose turn it is.
fn seated(tickets: &mut Vec<Ticket>) -> Vec<Seat> {
    let mut seats = Vec::new();
    tickets.retain_mut(|ticket| match ticket.seat().now_or_never() {
        Some(seat) => {
            seats.push(seat);
            false
        }
        None => true,
    });
    seats
}

#[tokio::test(start_paused = true)]
async fn an_idle_host_is_not_looked_at() {
    let machine = Arc::<Scripted>::default();
    let scheduler = following(12, &machine);
    sleep(HOUR).await;
    assert_eq!(machine.reads(), 1, "whether it tells anything");
    let seat = scheduler.enter(Class::Normal).expect("room").seat().await;
    sleep(10 * SECOND + SECOND / 2).await;
    assert_eq!(machine.reads(), 1 + 1 + 10, "once to begin, and once a second");
    drop(seat);
    sleep(HOUR).await;
    assert_eq!(machine.reads(), 13, "the sample that was under way");
    drop(scheduler.enter(Class::Normal).expect("room"));
    sleep(HOUR).await;
    assert_eq!(machine.reads(), 13, "whoever came is gone");
}

#[tokio::test(start_paused = true)]
async fn places_go_under_pressure_and_come_back_after_it() {
    let machine = Arc::<Scripted>::default();
    let scheduler = following(12, &machine);
    machine.is_busy(950);
    let mut tickets: Vec<Ticket> = (0..30).map(|_| scheduler.enter(Class::Normal).expect("room")).collect();
    let mut seats = seated(&mut tickets);
    assert_eq!(scheduler.load(), Load { places: 8, running: 7, waiting: 23 }, "one is kept for interactive");
    sleep(10 * SECOND + SECOND / 2).await;
    assert_eq!(scheduler.load(), Load { places: 6, running: 7, waiting: 23 }, "all seven stay, and one cut is enough");
    while let Some(seat) = seats.pop() {
        drop(seat);
        seats.extend(seated(&mut tickets));
        sleep(2 * SECOND).await;
        let Load { places, running, .. } = scheduler.load();
        assert!(places >= 3 && running >= 1, "{places} places, {running} runs");
        if places == 3 && running <= 3 {
            break;
        }
    }
    assert_eq!(scheduler.load().places, 3, "down to one for each class");
    machine.is_busy(850);
    sleep(10 * SECOND).await;
    assert_eq!(scheduler.load().places, 3, "neither pressure nor room");
    machine.is_busy(100);
    sleep(12 * SECOND).await;
    let load = scheduler.load();
    assert_eq!((load.places, load.running), (12, 10), "all are back, and two are kept for interactive");
}

#[tokio::test(start_paused = true)]
async fn nobody_who_waits_is_kept_from_a_free_place_by_a_sample() {
    let machine = Arc::<Scripted>::default();
    let scheduler = following(12, &machine);
    machine.is_busy(1000);
    for _ in 0..100 {
        let mut ticket = scheduler.enter(Class::Batch).expect("room");
        let seat = tokio::time::timeout(SECOND, ticket.seat()).await.expect("a place is free");
        sleep(3 * SECOND).await;
        drop(seat);
    }
    assert_eq!(scheduler.load().places, 3);
}

/// A system that tells nothing.
#[derive(Debug)]
struct Silent;

impl Machine for Silent {
    fn read(&self) -> Reading {
        Reading::default()
    }

    fn cpus(&self) -> u32 {
        1
    }
}

#[tokio::test]
async fn where_nothing_is_known_there_are_as_many_places_as_configured() {
    let settings = QueueSettings { total: 12, ..QueueSettings::default() };
    let scheduler = Scheduler::new(settings, Arc::new(Paused));
    assert!(Follower::new(scheduler.clone(), Arc::new(Silent)).is_none());
    assert_eq!((scheduler.load().places, scheduler.snapshot().ceiling), (12, 12));
}
