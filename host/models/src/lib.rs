//! Models that answer from elsewhere, or from a script, and the router before them.
//!
//! [`openai::OpenAi`] asks a service, [`scripted::Scripted`] says what a script says, and
//! [`router::Router`] tries them by preference: again after what may pass, and not at all
//! while a [breaker](bailiwick_domain::breaker) is open or a quota is used up. All are the domain's `Model`, and
//! none knows agents, runs or budgets.

mod calls;
pub mod openai;
pub mod router;
pub mod scripted;

/// Bytes of the longest answer, its calls included: several times what a model can say
/// with the most tokens that any offers.
pub const MAX_ANSWER_BYTES: usize = 4 << 20;
