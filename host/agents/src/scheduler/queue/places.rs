//! Who owns how many places, and who may take one.
//!
//! There may be fewer places than runs that hold one, because places were taken away
//! while runs were under way. None of them loses its place; rule 4 of the queue says who
//! starts meanwhile.

use bailiwick_domain::run::Class;

use super::PerClass;

/// Places at most: each is a run with its memory, and they are dealt out one by one.
pub const MAX_PLACES: u32 = 4096;

/// Places of which each class owns one: with so many, no class has to wait until others
/// leave it one of theirs.
pub const GUARANTEED: u32 = 3;

/// By what right a class may start a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It runs less than it owns.
    Own,
    /// Nobody needs the place now.
    Borrowed,
}

/// The places: how many there are, and how many each class owns and uses.
#[derive(Debug)]
pub(super) struct Places {
    total: u32,
    /// Places that there are at the most.
    ceiling: u32,
    shares: PerClass<u32>,
    owned: PerClass<u32>,
    running: PerClass<u32>,
}

impl Places {
    pub(super) fn new(shares: PerClass<u32>, ceiling: u32) -> Self {
        let ceiling = ceiling.min(MAX_PLACES);
        Self { total: ceiling, ceiling, shares, owned: dealt(shares, ceiling), running: PerClass::default() }
    }

    pub(super) fn resize(&mut self, total: u32) {
        let total = total.min(self.ceiling);
        if total != self.total {
            self.total = total;
            self.owned = dealt(self.shares, total);
        }
    }

    pub(super) fn ceiling(&self) -> u32 {
        self.ceiling
    }

    pub(super) fn total(&self) -> u32 {
        self.total
    }

    pub(super) fn owned(&self) -> PerClass<u32> {
        self.owned
    }

    pub(super) fn running(&self) -> PerClass<u32> {
        self.running
    }

    /// Whether a run of this class may start, and by what right.
    pub(super) fn claim(&self, class: Class) -> Option<Claim> {
        let left_alone = if class == Class::Interactive { 0 } else { self.kept() };
        if self.free() > left_alone {
            return Some(if self.below_share(class) { Claim::Own } else { Claim::Borrowed });
        }
        self.is_owed(class).then_some(Claim::Own)
    }

    pub(super) fn take(&mut self, class: Class) {
        self.running[class] += 1;
    }

    pub(super) fn give_back(&mut self, class: Class) {
        self.running[class] = self.running[class].saturating_sub(1);
    }

    /// Free places that only interactive runs get: half of what interactive owns, rounded
    /// up, or all that it does not use. A single place is everybody's.
    pub(super) fn kept(&self) -> u32 {
        let unused = self.owned.interactive.saturating_sub(self.running.interactive);
        self.reserve().min(unused)
    }

    /// Half of what interactive owns, rounded up. A single place is everybody's.
    fn reserve(&self) -> u32 {
        if self.total < 2 { 0 } else { self.owned.interactive.div_ceil(2) }
    }

    /// Whether runs of others hold what this class would have, because places were taken
    /// away under them. Where none were, this is never so: others leave interactive its
    /// reserve, and no more runs start than there are places.
    fn is_owed(&self, class: Class) -> bool {
        let running = self.running.sum();
        let (left, is_over) = match class {
            Class::Interactive => (self.reserve(), running >= self.total),
            Class::Normal | Class::Batch => (self.owned[class].min(1), running > self.total),
        };
        is_over && self.running[class] < left && running < self.ceiling
    }

    fn free(&self) -> u32 {
        self.total.saturating_sub(self.running.sum())
    }

    /// Whether the classes that share this one's places use less than these.
    fn below_share(&self, class: Class) -> bool {
        let home = self.home(class);
        let guests = Class::ALL.into_iter().filter(|guest| self.home(*guest) == home);
        let used: u32 = guests.map(|guest| self.running[guest]).sum();
        used < self.owned[home]
    }

    /// The class on whose places this one is an owner: itself, unless there are too few
    /// places for each to own one.
    fn home(&self, class: Class) -> Class {
        match (self.total, class) {
            (0 | 1, _) => Class::Interactive,
            (2, Class::Batch) => Class::Normal,
            _ => class,
        }
    }
}

/// Deals the places out: the first [`GUARANTEED`] one to each class, and each further one to the
/// class that is furthest below its share (by the rule of Sainte-Laguë).
fn dealt(shares: PerClass<u32>, total: u32) -> PerClass<u32> {
    let mut owned = PerClass::default();
    for number in 0..total {
        let class = match number {
            0 => Class::Interactive,
            1 => Class::Normal,
            2 => Class::Batch,
            _ => furthest_below(shares, owned),
        };
        owned[class] += 1;
    }
    owned
}

/// The class with the least of `(2 * owned + 1) / share`; of equals, the highest class.
fn furthest_below(shares: PerClass<u32>, owned: PerClass<u32>) -> Class {
    // No product overflows: what is owned is at most MAX_PLACES.
    let scaled = |class: Class, other: Class| (2 * u64::from(owned[class]) + 1) * u64::from(shares[other]);
    let mut found = Class::Interactive;
    for class in [Class::Normal, Class::Batch] {
        if scaled(class, found) < scaled(found, class) {
            found = class;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: PerClass<u32> = PerClass { interactive: 3, normal: 5, batch: 2 };

    fn owned(total: u32) -> [u32; 3] {
        let PerClass { interactive, normal, batch } = dealt(SHARES, total);
        [interactive, normal, batch]
    }

    #[test]
    fn places_are_dealt_by_share_and_each_class_has_one_of_three() {
        assert_eq!(owned(0), [0, 0, 0]);
        assert_eq!(owned(1), [1, 0, 0]);
        assert_eq!(owned(2), [1, 1, 0]);
        assert_eq!(owned(3), [1, 1, 1]);
        assert_eq!(owned(4), [1, 2, 1]);
        assert_eq!(owned(5), [2, 2, 1]);
        assert_eq!(owned(8), [2, 4, 2]);
        assert_eq!(owned(10), [3, 5, 2]);
        assert_eq!(owned(20), [6, 10, 4]);
        assert_eq!(owned(1000), [300, 500, 200]);
    }

    #[test]
    fn a_class_without_a_share_still_owns_one_place() {
        let shares = PerClass { interactive: 0, normal: 7, batch: 0 };
        assert_eq!(dealt(shares, 10), PerClass { interactive: 1, normal: 8, batch: 1 });
    }

    #[test]
    fn more_places_than_the_limit_count_as_the_limit() {
        let mut places = Places::new(SHARES, u32::MAX);
        assert_eq!(places.owned().sum(), MAX_PLACES);
        places.resize(u32::MAX);
        assert_eq!((places.total(), places.ceiling()), (MAX_PLACES, MAX_PLACES));
    }

    #[test]
    fn interactive_keeps_half_of_its_places_or_what_it_has_left() {
        let kept = |total: u32, interactive: u32| {
            let mut places = Places::new(SHARES, total);
            for _ in 0..interactive {
                places.take(Class::Interactive);
            }
            places.kept()
        };
        assert_eq!([0, 1, 2, 3, 4].map(|running| kept(10, running)), [2, 2, 1, 0, 0]);
        assert_eq!([0, 1, 2, 3].map(|total| kept(total, 0)), [0, 0, 1, 1]);
    }
}
