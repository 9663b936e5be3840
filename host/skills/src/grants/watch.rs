//! Noticing changes of the grants while nobody asks for them.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{GrantStore, LOOK_EVERY};

/// Twice as often as a look counts, so that one that came a moment too early
/// does not put the next off by a whole turn.
const TURN: Duration = match LOOK_EVERY.checked_div(2) {
    Some(turn) => turn,
    None => LOOK_EVERY,
};

/// Looks at the grants until it is dropped.
#[derive(Debug)]
#[must_use = "the grants are watched only while this is held"]
pub struct GrantWatch {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl GrantStore {
    /// Looks at the file all the time, so that a revocation reaches calls under
    /// way too, whoever made it. One look is one `stat`.
    pub fn watch(self: &Arc<Self>) -> io::Result<GrantWatch> {
        let (stop, stopped) = mpsc::sync_channel(0);
        let store = Arc::downgrade(self);
        let thread = thread::Builder::new().name("grants-watch".to_owned()).spawn(move || {
            while stopped.recv_timeout(TURN) == Err(RecvTimeoutError::Timeout) {
                let Some(store) = Weak::upgrade(&store) else { return };
                store.current();
            }
        })?;
        Ok(GrantWatch { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for GrantWatch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that watched the grants panicked");
        }
    }
}
