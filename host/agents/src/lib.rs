//! Agents at work: definitions, runs, the scheduler.
//!
//! What a run is and what follows on what is the domain's ([`bailiwick_domain::run`]).
//! Here it is done: [`runtime::Runtime`] takes runs up, keeps their events in the
//! journal before anything that they tell of begins, and has models and skills do what
//! they ask for. The [`scheduler`] says who has a place, the [`registry`] which agents
//! there are, [`standing`] what each is at, and the [`bus`] tells everybody who listens
//! what happens.
//!
//! Nothing here knows HTTP or an engine: models are behind the domain's `Model`, skills
//! behind [`skills::Skills`].

pub mod bus;
pub mod definition;
pub mod registry;
pub mod runtime;
pub mod scheduler;
pub mod skills;
mod spans;
pub mod standing;

pub use self::definition::AgentDefinition;
pub use self::registry::Agents;
pub use self::runtime::{
    BudgetRequest, ControlError, Follow, Heard, Ids, KillSwitch, RandomIds, RunFilter, RunSummary, Runtime,
    RuntimeOptions, RuntimeParts, Submission, SubmitError, Submitted,
};
