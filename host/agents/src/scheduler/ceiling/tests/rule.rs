//! How many places follow from a sample.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{Bounds, CLIMB, CpuTime, Load, Reading, Sample};

const NOTHING: Sample = Sample { busy: None, stalled: None, available: None };
const IDLE: Sample = Sample { busy: Some(100), stalled: Some(0), available: Some(900) };

fn busy(share: u32) -> Sample {
    Sample { busy: Some(share), ..IDLE }
}

fn available(share: u32) -> Sample {
    Sample { available: Some(share), ..IDLE }
}

fn load(places: u32, running: u32, waiting: usize) -> Load {
    Load { places, running, waiting }
}

#[test]
fn the_bounds_leave_each_class_one_place_where_there_are_so_many() {
    let bounds = |ceiling: u32| (Bounds::below(ceiling).floor(), Bounds::below(ceiling).ceiling());
    assert_eq!([0, 1, 2, 3, 10].map(bounds), [(1, 1), (1, 1), (2, 2), (3, 3), (3, 10)]);
    assert_eq!(bounds(u32::MAX), (3, 4096));
    assert_eq!([1, 8, 500].map(|cpus| Bounds::below(100).start(cpus)), [3, 8, 100]);
}

#[test]
fn more_places_come_only_where_runs_wait_and_there_is_room() {
    let next = |load: Load, sample: &Sample| Bounds::below(100).next(load, sample);
    assert_eq!(next(load(10, 10, 1), &IDLE), 15, "a twentieth of the ceiling");
    assert_eq!(next(load(10, 10, 0), &IDLE), 10, "nobody waits");
    assert_eq!(next(load(98, 98, 1), &IDLE), 100, "not above the ceiling");
    assert_eq!(next(load(10, 10, 1), &busy(800)), 15);
    assert_eq!(next(load(10, 10, 1), &busy(801)), 10, "neither room nor none");
    assert_eq!(next(load(10, 10, 1), &available(200)), 15);
    assert_eq!(next(load(10, 10, 1), &available(199)), 10);
    assert_eq!(next(load(10, 10, 1), &Sample { stalled: Some(251), ..IDLE }), 10);
    assert_eq!(next(load(10, 10, 1), &NOTHING), 15, "what isn't known is no pressure");
}

#[test]
fn a_quarter_of_what_runs_goes_where_there_is_no_room() {
    let next = |load: Load, sample: &Sample| Bounds::below(100).next(load, sample);
    assert_eq!(next(load(40, 40, 5), &busy(900)), 40, "not yet");
    for sample in [busy(901), available(99), Sample { stalled: Some(501), ..IDLE }] {
        assert_eq!(next(load(40, 40, 5), &sample), 30, "{sample:?}");
        assert_eq!(next(load(40, 40, 0), &sample), 30, "whoever waits: {sample:?}");
    }
    assert_eq!(next(load(80, 40, 0), &busy(1000)), 30, "what nobody has is no load");
    assert_eq!(next(load(30, 40, 5), &busy(1000)), 30, "the last cut has not taken effect");
    assert_eq!(next(load(30, 30, 5), &busy(1000)), 23);
    assert_eq!(next(load(5, 5, 5), &busy(1000)), 4);
    assert_eq!(next(load(3, 3, 5), &busy(1000)), 3, "each class keeps a place");
    assert_eq!(next(load(50, 0, 0), &busy(1000)), 3);
}

#[test]
fn a_sample_is_what_happened_between_two_readings() {
    let reading = |busy, all, stalled| Reading {
        cpu: Some(CpuTime { busy, all }),
        stalled: Some(Duration::from_millis(stalled)),
        available: Some(700),
    };
    let (before, now) = (reading(500, 1000, 100), reading(650, 1200, 350));
    let between = |passed| Sample::between(&before, &now, Duration::from_millis(passed));
    let sample = Sample { busy: Some(750), stalled: Some(250), available: Some(700) };
    assert_eq!(between(1000), sample);
    assert_eq!(between(100).stalled, Some(1000), "not more than all of the time");
    assert_eq!(between(0).stalled, None, "no time has passed");
    let back = Sample::between(&now, &before, Duration::from_secs(1));
    assert_eq!((back.busy, back.stalled), (None, Some(0)), "a counter that goes back counts nothing");
    assert_eq!(Sample::between(&Reading::default(), &now, Duration::from_secs(1)).busy, None);
}

fn any_share() -> impl Strategy<Value = Option<u32>> {
    proptest::option::of(0_u32..=1000)
}

prop_compose! {
    fn any_sample()(busy in any_share(), stalled in any_share(), available in any_share()) -> Sample {
        Sample { busy, stalled, available }
    }
}

proptest! {
    #[test]
    fn places_stay_within_their_bounds_and_come_back(
        ceiling in 0_u32..6000,
        steps in proptest::collection::vec((any_sample(), 0_u32..6000, 0_usize..300), 0..60),
    ) {
        let bounds = Bounds::below(ceiling);
        let mut places = bounds.start(4);
        for (sample, running, waiting) in steps {
            let next = bounds.next(load(places, running, waiting), &sample);
            prop_assert!((bounds.floor()..=bounds.ceiling()).contains(&next));
            prop_assert!(waiting > 0 || next <= places, "more places, and nobody waits");
            let pressed = Sample { busy: Some(1000), ..sample };
            let fewer = bounds.next(load(places, running, waiting), &pressed);
            prop_assert!(fewer <= next.min(places), "more places under more pressure");
            let is_cut = fewer < places || places == bounds.floor();
            prop_assert!(is_cut || running > places, "pressure that nothing follows from");
            places = next;
        }
        // Whatever came before, the pressure goes.
        for _ in 0..=CLIMB {
            places = bounds.next(load(places, places, 1), &IDLE);
        }
        prop_assert_eq!(places, bounds.ceiling());
    }

    #[test]
    fn a_sample_is_a_share_whatever_the_counters_do(
        times in any::<[u64; 4]>(),
        stalled in any::<[u64; 2]>(),
        passed in any::<u64>(),
    ) {
        let [busy, all, later_busy, later_all] = times;
        let [stalled, later_stalled] = stalled.map(Duration::from_micros);
        let before = Reading { cpu: Some(CpuTime { busy, all }), stalled: Some(stalled), available: None };
        let cpu = Some(CpuTime { busy: later_busy, all: later_all });
        let now = Reading { cpu, stalled: Some(later_stalled), available: None };
        let sample = Sample::between(&before, &now, Duration::from_micros(passed));
        prop_assert!(sample.busy.is_none_or(|share| share <= 1000));
        prop_assert!(sample.stalled.is_none_or(|share| share <= 1000));
    }
}
