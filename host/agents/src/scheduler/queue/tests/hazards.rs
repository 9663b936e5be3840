//! What would be a deadlock or an inversion, and what holds instead.

use super::*;

/// Fills the queue with batch and normal runs that never end.
fn full_of_others(places: u32) -> RunQueue<u32> {
    let mut queue = queue(places);
    push(&mut queue, Class::Batch, 0..100, START);
    push(&mut queue, Class::Normal, 100..200, START);
    // Their places are never given back.
    drop(start(&mut queue, START));
    queue
}

#[test]
fn of_two_places_and_more_others_never_hold_the_last() {
    for places in 2..=64 {
        let mut queue = full_of_others(places);
        push(&mut queue, Class::Interactive, 1000..1001, START);
        let started = start(&mut queue, START);
        assert_eq!(ids(&started), [1000], "of {places} places");
    }
}

#[test]
fn however_many_places_are_taken_away_interactive_starts_at_once() {
    for places in 3..=64 {
        for left in 2..places {
            let mut queue = full_of_others(places);
            queue.resize(left);
            push(&mut queue, Class::Interactive, 1000..1001, START);
            assert_eq!(ids(&start(&mut queue, START)), [1000], "{left} of {places} places are left");
        }
    }
}

#[test]
fn a_single_place_is_held_by_one_run_and_then_by_the_more_urgent() {
    let mut queue = queue(1);
    push(&mut queue, Class::Batch, 0..3, START);
    let batch = start(&mut queue, START);
    push(&mut queue, Class::Interactive, 10..11, SECOND);
    assert!(start(&mut queue, SECOND).is_empty(), "nobody is stopped");
    for run in batch {
        finish(&mut queue, run);
    }
    let next = start(&mut queue, 2 * SECOND);
    assert_eq!(ids(&next), [10], "it waited for one batch run, and not for those that wait before it");
}

#[test]
fn runs_that_gave_their_place_back_hold_none_however_many_they_are() {
    let mut queue = queue(1);
    for id in 0..500 {
        queue.push(id, Class::Normal, START).expect("room");
        let run = queue.next(START).expect("the one place is free");
        // It waits for a person.
        finish(&mut queue, run);
    }
    assert_eq!((queue.running().sum(), queue.waiting().sum()), (0, 0));
    // All are answered at once.
    for id in 0..500 {
        queue.requeue(id, Class::Normal, START);
    }
    for id in 0..500 {
        let run = queue.next(SECOND).expect("the one place is free");
        assert_eq!(run.id, id);
        finish(&mut queue, run);
    }
}
