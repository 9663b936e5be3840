//! The seam before the randomness that names runs.

use std::time::SystemTime;

use bailiwick_domain::run::RunId;
use bailiwick_skills::random;

/// Names that nothing else has. Those of a host are random; simulations have their own.
pub trait Ids: Send + Sync + 'static {
    /// The id of a run that is taken up now. Ids sort by time.
    ///
    /// # Errors
    ///
    /// When the system has no randomness.
    fn run(&self, now: SystemTime) -> Result<RunId, getrandom::Error>;
}

/// Names by the system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    fn run(&self, now: SystemTime) -> Result<RunId, getrandom::Error> {
        Ok(RunId::from_bytes(&random::name_in_time(now)?))
    }
}
