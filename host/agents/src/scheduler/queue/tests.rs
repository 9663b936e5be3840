mod hazards;
mod properties;
mod resize;
mod simulation;

use std::ops::Range;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const START: Duration = Duration::ZERO;

/// A queue of runs that are named by numbers, with room for a thousand.
fn queue(total: u32) -> RunQueue<u32> {
    RunQueue::new(QueueSettings { capacity: 1000, total, ..QueueSettings::default() })
}

fn with_capacity(capacity: usize) -> RunQueue<u32> {
    RunQueue::new(QueueSettings { capacity, total: 0, ..QueueSettings::default() })
}

fn push(queue: &mut RunQueue<u32>, class: Class, ids: Range<u32>, now: Duration) {
    for id in ids {
        queue.push(id, class, now).expect("room");
    }
}

/// Starts whatever may start.
fn start(queue: &mut RunQueue<u32>, now: Duration) -> Vec<Started<u32>> {
    std::iter::from_fn(|| queue.next(now)).collect()
}

fn ids(started: &[Started<u32>]) -> Vec<u32> {
    started.iter().map(|run| run.id).collect()
}

fn finish(queue: &mut RunQueue<u32>, run: Started<u32>) {
    queue.finished(run.place);
}

/// How many runs of the class wait before one is refused.
fn room(capacity: usize, class: Class) -> usize {
    let mut queue = with_capacity(capacity);
    let mut id = 0;
    while queue.push(id, class, START).is_ok() {
        id += 1;
    }
    queue.waiting()[class]
}

#[test]
fn a_full_queue_refuses_and_says_how_full_it_is() {
    let mut queue = with_capacity(4);
    push(&mut queue, Class::Normal, 0..4, START);
    let refused = queue.push(4, Class::Normal, START).expect_err("it is full");
    assert_eq!((refused.size, refused.capacity), (4, 4));
    assert!(refused.to_string().contains("(4/4)"), "{refused}");
    assert_eq!(queue.waiting().sum(), 4, "what is refused doesn't wait");
    assert!(queue.remove(&2));
    queue.push(5, Class::Normal, START).expect("room again");
}

#[test]
fn lower_classes_leave_room_in_the_queue_for_higher_ones() {
    assert_eq!(Class::ALL.map(|class| room(16, class)), [16, 14, 12]);
    assert_eq!(Class::ALL.map(|class| room(1, class)), [1, 1, 1]);
    assert_eq!(Class::ALL.map(|class| room(0, class)), [0, 0, 0]);
    let mut queue = with_capacity(16);
    push(&mut queue, Class::Batch, 0..12, START);
    push(&mut queue, Class::Normal, 12..14, START);
    push(&mut queue, Class::Interactive, 14..16, START);
    let refused = queue.push(16, Class::Interactive, START).expect_err("it is full for everybody");
    assert_eq!((refused.size, refused.capacity), (16, 16));
}

#[test]
fn whoever_is_refused_hears_when_there_should_be_room() {
    let mut queue = RunQueue::new(QueueSettings { capacity: 4, total: 1, ..QueueSettings::default() });
    for number in 0..10 {
        let now = 2 * SECOND * number;
        queue.push(number, Class::Normal, now).expect("room");
        let run = queue.next(now).expect("a free place");
        finish(&mut queue, run);
    }
    push(&mut queue, Class::Normal, 10..14, 20 * SECOND);
    let retry_after = |queue: &mut RunQueue<u32>, seconds: u32| {
        queue.push(99, Class::Normal, SECOND * seconds).expect_err("it is full").retry_after
    };
    assert_eq!(retry_after(&mut queue, 20), 2 * SECOND, "a run starts each 2 s");
    queue.requeue(14, Class::Normal, START);
    assert_eq!(retry_after(&mut queue, 20), 4 * SECOND, "two have to start");
    assert_eq!(retry_after(&mut queue, 10_000), 60 * SECOND, "nothing starts");
}

#[test]
fn batch_borrows_what_nobody_needs_but_not_what_interactive_keeps() {
    let mut queue = queue(10);
    push(&mut queue, Class::Batch, 0..20, START);
    let batch = start(&mut queue, START);
    assert_eq!(ids(&batch), (0..8).collect::<Vec<_>>(), "in the order in which they came");
    assert_eq!(batch.iter().filter(|run| run.borrowed).count(), 6, "2 places are of batch itself");
    assert!(batch[..2].iter().all(|run| !run.borrowed));
    push(&mut queue, Class::Interactive, 20..22, START);
    assert_eq!(ids(&start(&mut queue, START)), [20, 21], "2 places were kept");
}

#[test]
fn a_class_that_waits_gets_its_own_places_back_first() {
    let mut queue = queue(10);
    push(&mut queue, Class::Batch, 0..20, START);
    let mut batch = start(&mut queue, START);
    push(&mut queue, Class::Interactive, 20..23, START);
    let interactive = start(&mut queue, START);
    assert_eq!(ids(&interactive), [20, 21], "the third place is lent");
    push(&mut queue, Class::Normal, 30..40, START);
    assert!(start(&mut queue, START).is_empty(), "nobody is stopped");
    let mut next = Vec::new();
    while let Some(run) = batch.pop() {
        finish(&mut queue, run);
        next.extend(start(&mut queue, SECOND));
    }
    assert_eq!(ids(&next), [22, 30, 31, 32, 33, 34, 8, 9], "owners up to their shares, and then batch again");
    assert!(next.iter().all(|run| !run.borrowed));
    assert_eq!(queue.running(), PerClass { interactive: 3, normal: 5, batch: 2 });
}

#[test]
fn interactive_may_borrow_every_place() {
    let mut queue = queue(10);
    push(&mut queue, Class::Interactive, 0..12, START);
    let started = start(&mut queue, START);
    assert_eq!(ids(&started), (0..10).collect::<Vec<_>>());
    assert_eq!(started.iter().filter(|run| run.borrowed).count(), 7);
    push(&mut queue, Class::Batch, 20..21, START);
    let first = started.into_iter().next().expect("ten of them");
    finish(&mut queue, first);
    assert_eq!(ids(&start(&mut queue, START)), [20], "batch owns places that are lent");
}

#[test]
fn borrowers_start_by_their_weights() {
    // Nobody interactive runs, so one of 10 places is lent, again and again.
    let mut queue = queue(10);
    push(&mut queue, Class::Normal, 0..400, START);
    push(&mut queue, Class::Batch, 400..600, START);
    let mut borrowed: Vec<_> = start(&mut queue, START).into_iter().filter(|run| run.borrowed).collect();
    let mut normal = 0;
    for _ in 0..100 {
        let run = borrowed.pop().expect("one is lent");
        finish(&mut queue, run);
        borrowed = start(&mut queue, START);
        normal += borrowed.iter().filter(|run| run.class == Class::Normal && run.borrowed).count();
        assert_eq!(borrowed.len(), 1);
    }
    assert!((78..=82).contains(&normal), "{normal} of 100 were normal, at weights of 4 to 1");
}

#[test]
fn a_lower_total_lets_runs_end_and_starts_none_until_then() {
    let mut queue = queue(10);
    push(&mut queue, Class::Normal, 0..20, START);
    let mut running = start(&mut queue, START);
    assert_eq!(running.len(), 8);
    queue.resize(4);
    assert_eq!(queue.snapshot(START).classes.normal.share, 2);
    for _ in 0..5 {
        finish(&mut queue, running.pop().expect("it runs"));
        assert!(start(&mut queue, START).is_empty(), "3 of 4 places are for others than interactive");
    }
    finish(&mut queue, running.pop().expect("it runs"));
    assert_eq!(start(&mut queue, START).len(), 1);
    queue.resize(0);
    for run in running {
        finish(&mut queue, run);
    }
    assert!(start(&mut queue, START).is_empty());
    queue.resize(10);
    assert_eq!(start(&mut queue, START).len(), 7, "one of 8 still runs");
}

#[test]
fn a_run_that_comes_back_is_first_in_its_class() {
    let mut queue = queue(1);
    push(&mut queue, Class::Normal, 0..3, START);
    let first = queue.next(START).expect("a free place");
    assert!(queue.next(START).is_none());
    // It waits for a person, and so do two of long ago.
    finish(&mut queue, first);
    queue.requeue(0, Class::Normal, 2 * SECOND);
    queue.requeue(10, Class::Normal, SECOND);
    queue.requeue(11, Class::Normal, 2 * SECOND);
    let mut started = Vec::new();
    while let Some(run) = queue.next(5 * SECOND) {
        started.push((run.id, run.waited));
        queue.finished(run.place);
    }
    let waits = [4, 3, 3, 5, 5].map(|seconds| SECOND * seconds);
    assert_eq!(started, [10, 0, 11, 1, 2].into_iter().zip(waits).collect::<Vec<_>>());
}

#[test]
fn a_run_that_comes_back_is_never_refused_but_counts() {
    let mut queue = with_capacity(4);
    push(&mut queue, Class::Interactive, 0..4, START);
    queue.requeue(4, Class::Interactive, START);
    let refused = queue.push(5, Class::Interactive, START).expect_err("it is more than full");
    assert_eq!((refused.size, refused.capacity), (5, 4));
    assert!(queue.remove(&4));
    assert!(queue.push(5, Class::Interactive, START).is_err(), "it is still full");
}

#[test]
fn a_run_that_was_cancelled_while_it_waited_never_starts() {
    let mut queue = queue(10);
    push(&mut queue, Class::Normal, 0..4, START);
    queue.requeue(4, Class::Batch, START);
    assert!(queue.remove(&1));
    assert!(queue.remove(&4));
    assert!(!queue.remove(&1), "it is gone");
    assert!(!queue.remove(&9), "it was never there");
    assert_eq!(ids(&start(&mut queue, START)), [0, 2, 3]);
    assert!(!queue.remove(&0), "it has started");
}

#[test]
fn nothing_starves_where_few_places_are_shared() {
    for total in 1..=3 {
        let mut queue = queue(total);
        push(&mut queue, Class::Batch, 0..1, START);
        let mut rounds = 0;
        let mut started = Vec::new();
        while !started.contains(&0) {
            rounds += 1;
            assert!(rounds <= 13, "batch has one of 13 turns, with {total} places");
            // Three of each are always there, so that the higher classes never stop to wait.
            push(&mut queue, Class::Interactive, rounds * 10..rounds * 10 + 3, START);
            push(&mut queue, Class::Normal, rounds * 10 + 3..rounds * 10 + 6, START);
            let runs = start(&mut queue, START);
            started.extend(ids(&runs));
            for run in runs {
                finish(&mut queue, run);
            }
        }
    }
}

#[test]
fn a_run_that_waited_long_overtakes_higher_classes() {
    let first = |waited: Duration| {
        let mut queue = queue(1);
        push(&mut queue, Class::Batch, 0..1, START);
        push(&mut queue, Class::Interactive, 1..2, waited);
        queue.next(waited).expect("a free place").class
    };
    assert_eq!(first(60 * SECOND), Class::Interactive);
    assert_eq!(first(61 * SECOND), Class::Batch);
}

#[test]
fn a_snapshot_tells_how_each_class_stands() {
    let mut queue = queue(4);
    push(&mut queue, Class::Normal, 0..5, SECOND);
    assert_eq!(start(&mut queue, SECOND).len(), 3);
    queue.requeue(9, Class::Normal, 2 * SECOND);
    let snapshot = queue.snapshot(10 * SECOND);
    assert_eq!((snapshot.capacity, snapshot.total, snapshot.ceiling, snapshot.kept), (1000, 4, 4, 1));
    let normal = ClassSnapshot { waiting: 3, running: 3, share: 2, oldest_wait: Some(9 * SECOND) };
    assert_eq!(snapshot.classes.normal, normal, "a run that came back is first, but not the oldest");
    assert_eq!(snapshot.classes.batch, ClassSnapshot { share: 1, ..ClassSnapshot::default() });
}
