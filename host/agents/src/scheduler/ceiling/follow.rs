//! Keeps the number of places where the machine wants it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Bounds, Machine, Reading, Sample};
use crate::scheduler::Scheduler;

/// How long a sample is: long enough that a burst of some milliseconds is none.
const EVERY: Duration = Duration::from_secs(1);

/// Has the number of places follow a machine.
pub(crate) struct Follower {
    scheduler: Scheduler,
    machine: Arc<dyn Machine>,
    bounds: Bounds,
}

impl Follower {
    /// From now on there are as many places as there are CPUs, within their bounds. `None`
    /// where the machine tells nothing of itself: then there stay as many as configured,
    /// which is said.
    pub(crate) fn new(scheduler: Scheduler, machine: Arc<dyn Machine>) -> Option<Self> {
        let bounds = Bounds::below(scheduler.ceiling());
        if machine.read().is_empty() {
            let places = bounds.ceiling();
            tracing::warn!(
                places,
                "this system tells nothing of its CPUs and its memory, so that no places follow them"
            );
            return None;
        }
        scheduler.resize(bounds.start(machine.cpus()));
        Some(Self { scheduler, machine, bounds })
    }

    /// Never ends. While nobody has a place or wants one, it sleeps until somebody does.
    pub(crate) async fn live(self) {
        loop {
            self.scheduler.until_used().await;
            // What the machine did while nobody used it says nothing of now.
            let mut before = self.read();
            while !self.scheduler.load().is_idle() {
                sleep(EVERY).await;
                let now = self.read();
                self.look(&Sample::between(&before.1, &now.1, now.0.saturating_sub(before.0)));
                before = now;
            }
        }
    }

    /// These files are made in memory when they are read, so that no disk is waited for.
    fn read(&self) -> (Duration, Reading) {
        (self.scheduler.now(), self.machine.read())
    }

    fn look(&self, sample: &Sample) {
        let load = self.scheduler.load();
        let places = self.bounds.next(load, sample);
        if places != load.places {
            tracing::debug!(places, was = load.places, ?sample, "the number of places follows the machine");
            self.scheduler.resize(places);
        }
    }
}
