//! Who hears what is told of a run while it happens.

use std::sync::{Arc, OnceLock};

use tokio::sync::broadcast;

use super::Heard;

/// What is heard of a run and not read yet. Who reads too slowly misses some.
const HEARD: usize = 256;

/// Those who follow a run. The room for what they have not read is made when the first of them
/// comes: nobody follows most runs.
#[derive(Clone, Default)]
pub(super) struct Hearers(Arc<OnceLock<broadcast::Sender<Heard>>>);

impl Hearers {
    /// What is told from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Heard> {
        self.0.get_or_init(|| broadcast::Sender::new(HEARD)).subscribe()
    }

    /// Tells those who are there. Nobody has to be.
    pub(super) fn tell(&self, what: impl FnOnce() -> Heard) {
        if let Some(hearers) = self.0.get() {
            drop(hearers.send(what()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(step: u32) -> Heard {
        Heard::Again { step, message: String::new() }
    }

    #[test]
    fn who_comes_late_hears_what_is_told_after_that_by_everybody() {
        let hearers = Hearers::default();
        let other = hearers.clone();
        hearers.tell(|| told(0));
        let (mut first, mut second) = (hearers.subscribe(), other.subscribe());
        other.tell(|| told(1));
        hearers.tell(|| told(2));
        for receiver in [&mut first, &mut second] {
            assert_eq!((receiver.try_recv(), receiver.try_recv()), (Ok(told(1)), Ok(told(2))));
        }
        drop((hearers, other));
        assert_eq!(first.try_recv(), Err(broadcast::error::TryRecvError::Closed));
    }
}
