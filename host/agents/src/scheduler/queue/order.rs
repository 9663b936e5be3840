//! Which class is next: weighted fair order with ageing.
//!
//! Each start takes a stretch of a virtual time, the shorter the heavier its class is.
//! The class goes first whose next stretch would end first. So over many starts the
//! classes that wait get to start in the proportion of their weights.

use std::cmp::Reverse;
use std::time::Duration;

use bailiwick_domain::run::Class;

use super::PerClass;

/// The stretch of a start with weight 1, in units of the virtual time. A heavier weight
/// divides it, and weights above it count as equal. 64 bits last for 2^44 such starts.
const STRETCH: u64 = 1 << 20;

/// Where each class stands in the virtual time.
#[derive(Debug)]
pub(super) struct Order {
    weights: PerClass<u32>,
    ageing: Duration,
    /// The end of the last stretch of each class.
    ends: PerClass<u64>,
    /// The latest begin of a stretch that was taken.
    reached: u64,
}

impl Order {
    pub(super) fn new(weights: PerClass<u32>, ageing: Duration) -> Self {
        Self { weights, ageing, ends: PerClass::default(), reached: 0 }
    }

    /// A class waits from now on: it has no claim from the time in which it did not.
    pub(super) fn begin(&mut self, class: Class) {
        self.ends[class] = self.ends[class].max(self.reached);
    }

    /// The class that is next among those whose first run has waited so long; of equals,
    /// the one that has waited longest, and then the one that is named first.
    pub(super) fn pick(&self, heads: impl Iterator<Item = (Class, Duration)>) -> Option<Class> {
        let first = heads.min_by_key(|&(class, waited)| (self.stretch(class, waited).1, Reverse(waited)));
        first.map(|(class, _)| class)
    }

    /// A run of this class was started, after it had waited so long.
    pub(super) fn charge(&mut self, class: Class, waited: Duration) {
        let (begin, end) = self.stretch(class, waited);
        self.ends[class] = end;
        self.reached = self.reached.max(begin);
    }

    /// Begin and end of the stretch that the class would take now. A class that waited
    /// for a place is behind the others by no more than its turn, or it would have
    /// all turns until it had caught up.
    fn stretch(&self, class: Class, waited: Duration) -> (u64, u64) {
        let longest = Class::ALL.into_iter().map(|class| length(self.weights[class])).max().unwrap_or(STRETCH);
        let begin = self.ends[class].max(self.reached.saturating_sub(longest));
        (begin, begin.saturating_add(length(self.weight(class, waited))))
    }

    /// The weight of a run that has waited so long.
    fn weight(&self, class: Class, waited: Duration) -> u32 {
        let mut counted = class;
        if waited > self.ageing {
            counted = higher(counted);
        }
        if waited > self.ageing.saturating_mul(2) {
            counted = higher(counted);
        }
        self.weights[class].max(self.weights[counted])
    }
}

/// The length of a stretch with this weight.
fn length(weight: u32) -> u64 {
    (STRETCH / u64::from(weight.max(1))).max(1)
}

/// One class higher, as far as there is one.
fn higher(class: Class) -> Class {
    match class {
        Class::Batch => Class::Normal,
        Class::Normal | Class::Interactive => Class::Interactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGEING: Duration = Duration::from_secs(30);

    fn order() -> Order {
        Order::new(PerClass { interactive: 8, normal: 4, batch: 1 }, AGEING)
    }

    /// Which classes start, if all of `heads` wait on.
    fn starts(order: &mut Order, heads: &[(Class, Duration)], count: usize) -> Vec<Class> {
        let mut started = Vec::new();
        while started.len() < count {
            let class = order.pick(heads.iter().copied()).expect("one waits");
            let waited = heads.iter().find(|head| head.0 == class).expect("it is one of them").1;
            order.charge(class, waited);
            started.push(class);
        }
        started
    }

    fn count(started: &[Class], class: Class) -> usize {
        started.iter().filter(|it| **it == class).count()
    }

    #[test]
    fn starts_are_in_the_proportion_of_the_weights() {
        let heads = Class::ALL.map(|class| (class, Duration::ZERO));
        let started = starts(&mut order(), &heads, 130);
        assert_eq!(Class::ALL.map(|class| count(&started, class)), [80, 40, 10]);
        assert_eq!(count(&started[..13], Class::Batch), 1, "batch has its turn in each round");
    }

    #[test]
    fn a_class_that_waited_for_a_place_has_no_more_than_a_turn_at_once() {
        let mut order = order();
        let normal = [(Class::Normal, Duration::ZERO)];
        starts(&mut order, &normal, 1000);
        let heads = [(Class::Normal, Duration::ZERO), (Class::Batch, Duration::ZERO)];
        let started = starts(&mut order, &heads, 50);
        let batch = count(&started, Class::Batch);
        assert!((10..=12).contains(&batch), "{batch} of 50 starts were batch");
    }

    #[test]
    fn a_class_gathers_no_turns_while_it_does_not_wait() {
        let mut order = order();
        starts(&mut order, &[(Class::Interactive, Duration::ZERO)], 1000);
        order.begin(Class::Batch);
        let heads = [(Class::Interactive, Duration::ZERO), (Class::Batch, Duration::ZERO)];
        assert_eq!(count(&starts(&mut order, &heads, 7), Class::Batch), 0);
    }

    #[test]
    fn a_run_that_waited_long_counts_as_one_of_a_higher_class() {
        let first = |waited: Duration| {
            let heads = [(Class::Interactive, AGEING / 2), (Class::Normal, AGEING / 2), (Class::Batch, waited)];
            starts(&mut order(), &heads, 3)
        };
        let moment = Duration::from_millis(1);
        assert!(!first(AGEING).contains(&Class::Batch), "not yet");
        assert_eq!(first(AGEING + moment)[1..], [Class::Batch, Class::Interactive], "as normal, and the longer wait");
        assert_eq!(first(AGEING * 2)[0], Class::Interactive, "not yet as interactive");
        assert_eq!(first(AGEING * 2 + moment)[0], Class::Batch, "as interactive, and the longer wait");
    }

    #[test]
    fn weights_of_nothing_and_of_too_much_still_give_turns() {
        let mut order = Order::new(PerClass { interactive: u32::MAX, normal: 0, batch: 0 }, AGEING);
        let heads = [(Class::Normal, Duration::ZERO), (Class::Batch, Duration::ZERO)];
        let started = starts(&mut order, &heads, 10);
        assert_eq!([count(&started, Class::Normal), count(&started, Class::Batch)], [5, 5]);
    }
}
