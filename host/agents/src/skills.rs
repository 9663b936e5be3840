//! The seam before the skills: what a run needs of them.

mod guarded;
mod host;

use std::sync::Arc;

use bailiwick_domain::invocation::Invocation;
use bailiwick_domain::run::{PinnedSkill, RunId, Spend};
use bailiwick_domain::sandbox::BoxFuture;
use bailiwick_domain::services::Report;
use bailiwick_domain::skill_id::{SkillId, SkillSelector};
use bailiwick_skills::catalog::ResolveError;
pub use bailiwick_skills::execute::Serve;

pub use self::guarded::Guarded;
pub use self::host::HostSkills;

/// Calls skills. The host's calls real ones; simulations have their own.
pub trait Skills: Send + Sync + 'static {
    /// What a selector means now, as runs keep it.
    fn pin(&self, selector: &SkillSelector) -> Result<PinnedSkill, ResolveError>;

    /// Makes one call. Dropping the future ends it.
    fn call(&self, invocation: Invocation, told: Arc<dyn Fn(Report) + Send + Sync>) -> BoxFuture<'static, Called>;

    /// The workflow that a selector means now, as runs keep it.
    fn driver(&self, selector: &SkillSelector) -> Result<Driver, DriverError>;

    /// Has a workflow run, served by what `serve` puts around the services of any call.
    /// Dropping the future ends it.
    fn drive(
        &self,
        invocation: Invocation,
        told: Arc<dyn Fn(Report) + Send + Sync>,
        serve: Serve,
    ) -> BoxFuture<'static, Called>;

    /// Waits until a person has answered. Where no call is going to use a yes up, it is used
    /// up for the principal `by`.
    fn answer(&self, approval: String, by: Option<String>) -> BoxFuture<'static, Verdict>;

    /// Withdraws a question of a run that waits for the answer no more.
    fn withdraw(&self, approval: String, run: RunId) -> BoxFuture<'static, ()>;

    /// Lets go of what calls of a run shared, which is over, and of the questions that they asked.
    fn end_run(&self, run: RunId) -> BoxFuture<'static, ()>;

    /// Runs whose calls have left something that lasts, or a question that is open.
    fn runs(&self) -> BoxFuture<'static, Vec<RunId>>;
}

/// A workflow that can drive a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driver {
    /// It, with the one tool by which it runs.
    pub skill: PinnedSkill,
    /// What it may ask for.
    pub calls: Vec<PinnedSkill>,
}

/// Why a skill can't drive a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// There is no such skill.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// It is of another kind.
    #[error("`{0}` is no workflow: expected a skill of the kind `workflow`")]
    NoWorkflow(SkillId),
    /// It acts by itself.
    #[error(
        "the workflow `{skill}` asks for `{permission}`, and what it does with it would be done again when it is \
         taken up after a stop: a workflow that drives runs acts through the skills that it calls"
    )]
    Acts {
        /// Which.
        skill: SkillId,
        /// By what.
        permission: &'static str,
    },
    /// A skill that it asks for isn't there.
    #[error("the workflow `{skill}` can't have the skill `{callee}`: {reason}")]
    Callee {
        /// Which workflow.
        skill: SkillId,
        /// What it asks for.
        callee: SkillSelector,
        /// Why not.
        reason: Box<ResolveError>,
    },
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
