//! Places that are taken away and come back while runs are under way.

use super::*;

/// A queue of ten places, eight of which batch runs hold: as many as they may.
fn full_of_batch() -> (RunQueue<u32>, Vec<Started<u32>>) {
    let mut queue = queue(10);
    push(&mut queue, Class::Batch, 0..20, START);
    let batch = start(&mut queue, START);
    assert_eq!(batch.len(), 8);
    (queue, batch)
}

#[test]
fn nobody_who_has_a_place_loses_it() {
    let (mut queue, mut batch) = full_of_batch();
    queue.resize(GUARANTEED);
    let snapshot = queue.snapshot(START);
    assert_eq!((snapshot.total, snapshot.ceiling), (3, 10));
    assert_eq!(snapshot.classes.batch.running, 8, "they are under way still");
    // A place that ends is gone, until fewer run than there are places for others.
    for left in (2..8).rev() {
        finish(&mut queue, batch.pop().expect("it runs"));
        assert!(start(&mut queue, START).is_empty(), "{left} run, and one place of 3 is interactive's");
    }
    finish(&mut queue, batch.pop().expect("it runs"));
    assert_eq!(start(&mut queue, START).len(), 1);
}

#[test]
fn places_that_are_taken_away_are_not_those_that_interactive_keeps() {
    let (mut queue, _batch) = full_of_batch();
    queue.resize(GUARANTEED);
    push(&mut queue, Class::Interactive, 100..102, START);
    let started = start(&mut queue, START);
    assert_eq!(ids(&started), [100], "of 3 places it keeps one, whoever holds the others");
    assert!(!started[0].borrowed);
    assert!(start(&mut queue, START).is_empty(), "the next one waits for it");
    for run in started {
        finish(&mut queue, run);
    }
    assert_eq!(ids(&start(&mut queue, START)), [101]);
}

#[test]
fn every_class_has_one_run_while_others_hold_more_than_there_is() {
    let (mut queue, batch) = full_of_batch();
    queue.resize(GUARANTEED);
    push(&mut queue, Class::Normal, 100..103, START);
    assert_eq!(ids(&start(&mut queue, START)), [100], "it doesn't wait until seven of eight have ended");
    push(&mut queue, Class::Interactive, 200..203, START);
    assert_eq!(ids(&start(&mut queue, START)), [200]);
    assert_eq!(queue.running(), PerClass { interactive: 1, normal: 1, batch: 8 });
    // As batch drains, no class has more than its one.
    for run in batch {
        finish(&mut queue, run);
    }
    assert_eq!(ids(&start(&mut queue, START)), [8], "each runs what it owns");
}

#[test]
fn there_are_never_more_places_than_the_queue_was_made_with() {
    let mut queue = queue(4);
    queue.resize(u32::MAX);
    assert_eq!(queue.snapshot(START).total, 4);
    push(&mut queue, Class::Interactive, 0..9, START);
    assert_eq!(start(&mut queue, START).len(), 4);
    queue.resize(3);
    push(&mut queue, Class::Normal, 10..11, START);
    assert!(start(&mut queue, START).is_empty(), "a fifth run is above the ceiling, whatever normal is owed");
}

#[test]
fn places_that_come_back_are_given_by_the_same_rules() {
    let (mut queue, batch) = full_of_batch();
    queue.resize(GUARANTEED);
    push(&mut queue, Class::Normal, 100..110, START);
    push(&mut queue, Class::Interactive, 200..210, START);
    assert_eq!(start(&mut queue, START).len(), 2, "one of each");
    queue.resize(10);
    assert!(start(&mut queue, START).is_empty(), "all ten are held");
    for run in batch {
        finish(&mut queue, run);
        assert_eq!(start(&mut queue, START).len(), 1);
    }
    assert_eq!(queue.running(), PerClass { interactive: 3, normal: 5, batch: 2 });
}

#[test]
fn nothing_starves_while_there_are_few_places() {
    let (mut queue, batch) = full_of_batch();
    queue.resize(GUARANTEED);
    for run in batch {
        finish(&mut queue, run);
    }
    let mut started = PerClass::<u32>::default();
    for round in 0..100 {
        let first = 1000 + round * 10;
        for (class, first) in Class::ALL.into_iter().zip([first, first + 3, first + 6]) {
            push(&mut queue, class, first..first + 3, START);
        }
        let runs = start(&mut queue, START);
        assert!(queue.running().sum() <= GUARANTEED);
        for run in runs {
            started[run.class] += 1;
            finish(&mut queue, run);
        }
    }
    let each = Class::ALL.map(|class| started[class]);
    assert_eq!(each, [100, 100, 100], "each has its own place");
}
