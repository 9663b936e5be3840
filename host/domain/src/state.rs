//! The seam before the durable store behind `wasi:keyvalue`.

use crate::skill_id::SkillId;

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The key or the value is larger than the store takes, or the namespace is full.
    #[error("{0}")]
    Quota(String),
    /// The stored value is not what the operation needs.
    #[error("{0}")]
    Invalid(String),
    /// The store itself failed.
    #[error("the state store failed: {0}")]
    Store(String),
}

/// Durable state, apart for each skill id. A call that returned `Ok` survives a crash.
///
/// Methods block; callers that must not block call them from a thread that may.
pub trait StateStore: Send + Sync + 'static {
    /// The value under `key`.
    fn get(&self, skill: &SkillId, key: &str) -> Result<Option<Vec<u8>>, StateError>;

    /// Puts `value` under `key`.
    fn set(&self, skill: &SkillId, key: &str, value: &[u8]) -> Result<(), StateError>;

    /// Removes `key`; removing what is not there is no error.
    fn delete(&self, skill: &SkillId, key: &str) -> Result<(), StateError>;

    /// At most `limit` keys in their order, after `after`.
    fn keys(&self, skill: &SkillId, after: Option<&str>, limit: usize) -> Result<Vec<String>, StateError>;

    /// Adds `delta` to the decimal number under `key` (absent is 0), in one step.
    fn increment(&self, skill: &SkillId, key: &str, delta: u64) -> Result<u64, StateError>;
}
