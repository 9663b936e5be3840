//! The record of an observation, which is ended however the observation ends.

use std::sync::Arc;

use bailiwick_domain::digest::Digest;

use super::{ObserveError, ObservedCall};
use crate::audit::Audit;
use crate::audit::record::{Observed as About, ObservedCallRecord};
use crate::grants::GrantEntry;

/// The outcome of an observation whose calls were all made, and of which there is a report.
pub(super) const COMPLETED: &str = "completed";

/// The outcome of an observation, and of its call, that nobody waited for any more.
const CANCELLED: &str = "cancelled";

/// An observation that is in the chain as begun. Dropped before it is ended, because
/// whoever observed went away, it leaves a record of what was done until then.
pub(super) struct OnRecord {
    audit: Arc<Audit>,
    about: About,
    calls: Vec<ObservedCallRecord>,
    under_way: Option<(String, Digest)>,
    ended: bool,
}

impl OnRecord {
    /// Records that the observation begins, and within which bounds.
    pub(super) async fn begin(audit: &Arc<Audit>, about: About, within: &GrantEntry) -> Result<Self, ObserveError> {
        let audit = Arc::clone(audit);
        let mut record = Self { audit, about, calls: Vec::new(), under_way: None, ended: false };
        if let Err(error) = record.audit.observation_begun(&record.about, within).await {
            record.ended = true;
            return Err(error.into());
        }
        Ok(record)
    }

    /// Notes that a call begins.
    pub(super) fn call_begins(&mut self, tool: &str, arguments: Digest) {
        self.under_way = Some((tool.to_owned(), arguments));
    }

    /// Notes what it did.
    pub(super) fn call_ended(&mut self, call: &ObservedCall) {
        self.under_way = None;
        self.calls.push(call.record());
    }

    /// Records the end, and waits until that is durable.
    pub(super) async fn end(mut self, outcome: &str) -> Result<(), ObserveError> {
        self.ended = true;
        let Some(written) = self.audit.observation_ended(&self.about, outcome, &self.calls) else { return Ok(()) };
        Ok(written.await.map_err(|error| ObserveError::Host(error.to_string()))??)
    }
}

impl Drop for OnRecord {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        if let Some((tool, arguments)) = self.under_way.take() {
            let (denials, used) = (Vec::new(), Vec::new());
            self.calls.push(ObservedCallRecord { tool, arguments, outcome: CANCELLED, denials, used });
        }
        drop(self.audit.observation_ended(&self.about, CANCELLED, &self.calls));
    }
}
