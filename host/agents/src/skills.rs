//! The seam before the skills: what a run needs of them.

mod host;

use std::sync::Arc;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::run::{PinnedSkill, Spend};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::catalog::ResolveError;

pub use self::host::HostSkills;

/// Calls skills. The host's calls real ones; simulations have their own.
pub trait Skills: Send + Sync + 'static {
    /// What a selector means now, as runs keep it.
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError>;

    /// Makes one call. Dropping the future ends it.
    fn call(&self, invocation: Invocation, told: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called>;

    /// Waits until a person has answered.
    fn answer(&self, approval: String) -> BoxFuture<'static, Verdict>;
}

/// A call that came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// What came of it.
    pub outcome: CallOutcome,
    /// What it took.
    pub spend: Spend,
    /// Its receipt, where the guest ran.
    pub receipt: Option<String>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The tool answered.
    Output {
        /// JSON.
        json: String,
        /// Whether it is the tool's own failure.
        failed: bool,
    },
    /// A person has to say yes first: the id of the question.
    Approval(String),
    /// Nothing.
    Failed {
        /// A stable name.
        code: String,
        /// For people and models.
        message: String,
        /// Whether the same call may well succeed later, and has done nothing yet.
        retriable: bool,
    },
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Yes.
    pub approved: bool,
    /// Why, where they said so.
    pub reason: Option<String>,
}
