//! How many places there are, where that follows the machine.
//!
//! What is configured is the ceiling. Below it, [`Bounds::next`] says once a second how
//! many places there are, by additive increase and multiplicative decrease: a few more
//! while runs wait and the machine has room, a quarter less when it has none. So the
//! number feels its way up and is down again in seconds. It is a function of what is
//! asked for and of one [`Sample`]: it knows neither clocks nor files.
//!
//! Runs that have a place keep it. Places go as they come free, which the queue sees to.

mod follow;
mod machine;
mod proc;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use self::follow::Follower;
pub use self::machine::{CpuTime, Machine, Reading, Sample};
pub use self::proc::Proc;
use super::queue::{GUARANTEED, MAX_PLACES};

/// Samples after which all places are back, while runs wait and the machine has room:
/// slow enough that what each step does is seen before the next.
const CLIMB: u32 = 20;

/// The part of the places that goes at once: runs that ask models take little of the
/// machine, so that half would be too much.
const CUT: u32 = 4;

/// Shares in thousandths beyond which the machine has no room. The CPUs still have to do
/// what the runs under way ask for, and memory that is used up ends processes.
const PRESSED: Marks = Marks { busy: 900, stalled: 500, available: 100 };

/// Shares in thousandths within which there is room for more. They lie apart from the
/// others, so that the number of places doesn't swing.
const ROOMY: Marks = Marks { busy: 800, stalled: 250, available: 200 };

/// What the number of places follows.
#[derive(Clone, Debug, Default)]
pub enum Parallelism {
    /// There are as many as configured.
    #[default]
    Fixed,
    /// There are as many as this machine has room for, and as configured at the most.
    Resources(Arc<dyn Machine>),
}

/// Between which numbers the places move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    floor: u32,
    ceiling: u32,
}

/// What is asked of the places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Places now.
    pub places: u32,
    /// Runs that hold one. More than there are, while places are taken away.
    pub running: u32,
    /// Runs that wait for one.
    pub waiting: usize,
}

impl Load {
    /// Whether nobody has a place, and nobody wants one.
    pub const fn is_idle(&self) -> bool {
        self.running == 0 && self.waiting == 0
    }
}

impl Bounds {
    /// From one place for each class up to `ceiling`, or all of it if that is less.
    pub fn below(ceiling: u32) -> Self {
        let ceiling = ceiling.clamp(1, MAX_PLACES);
        Self { floor: GUARANTEED.min(ceiling), ceiling }
    }

    /// Places at the least.
    pub const fn floor(self) -> u32 {
        self.floor
    }

    /// Places at the most.
    pub const fn ceiling(self) -> u32 {
        self.ceiling
    }

    /// Places before anything was sampled: a run for each CPU is no risk.
    pub fn start(self, cpus: u32) -> u32 {
        cpus.clamp(self.floor, self.ceiling)
    }

    /// How many places there are from now on.
    pub fn next(self, load: Load, sample: &Sample) -> u32 {
        let places = load.places.clamp(self.floor, self.ceiling);
        let next = match Room::of(sample) {
            // What was taken away before has to take effect first: until then nothing new
            // starts anyway.
            Room::Pressed if load.running <= places => cut(load.running),
            Room::Roomy if load.waiting > 0 => places.saturating_add(self.ceiling.div_ceil(CLIMB)),
            Room::Pressed | Room::Roomy | Room::Between => places,
        };
        next.clamp(self.floor, self.ceiling)
    }
}

/// Less than run now: places that nobody has are no load of the machine.
fn cut(running: u32) -> u32 {
    running.saturating_sub((running / CUT).max(1))
}

/// How much room a sample shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Pressed,
    Between,
    Roomy,
}

impl Room {
    fn of(sample: &Sample) -> Self {
        if !PRESSED.hold(sample) {
            Self::Pressed
        } else if ROOMY.hold(sample) {
            Self::Roomy
        } else {
            Self::Between
        }
    }
}

/// Shares in thousandths: at the most, at the most, and at the least.
struct Marks {
    busy: u32,
    stalled: u32,
    available: u32,
}

impl Marks {
    /// Whether a sample is within them. What it doesn't tell is.
    fn hold(&self, sample: &Sample) -> bool {
        sample.busy.is_none_or(|share| share <= self.busy)
            && sample.stalled.is_none_or(|share| share <= self.stalled)
            && sample.available.is_none_or(|share| share >= self.available)
    }
}
