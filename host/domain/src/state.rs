//! The seam before the durable store behind `wasi:keyvalue`.

use std::ops::RangeInclusive;

use crate::quota::StateQuota;
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

/// The numbers that an interface counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// From 0 to 2^64 - 1.
    Unsigned,
    /// From -2^63 to 2^63 - 1.
    Signed,
}

impl Numbers {
    /// All of them.
    pub const fn range(self) -> RangeInclusive<i128> {
        match self {
            Self::Unsigned => 0..=u64::MAX as i128,
            Self::Signed => i64::MIN as i128..=i64::MAX as i128,
        }
    }
}

/// Durable state, apart for each skill id. A call that returned `Ok` survives a crash.
///
/// Methods block; callers that must not block call them from a thread that may.
pub trait StateStore: Send + Sync + 'static {
    /// The value under `key`.
    fn get(&self, skill: &SkillId, key: &str) -> Result<Option<Vec<u8>>, StateError>;

    /// Puts `value` under `key`, as far as `quota` has room.
    fn set(&self, skill: &SkillId, key: &str, value: &[u8], quota: StateQuota) -> Result<(), StateError>;

    /// Removes `key`; removing what is not there is no error.
    fn delete(&self, skill: &SkillId, key: &str) -> Result<(), StateError>;

    /// At most `limit` keys in their order, after `after`.
    fn keys(&self, skill: &SkillId, after: Option<&str>, limit: usize) -> Result<Vec<String>, StateError>;

    /// Adds `delta` to the decimal number under `key` (absent is 0), in one step.
    /// Both the number and the sum must be among `numbers`.
    fn increment(
        &self,
        skill: &SkillId,
        key: &str,
        delta: i128,
        numbers: Numbers,
        quota: StateQuota,
    ) -> Result<i128, StateError>;

    /// Puts `value` under `key` if there is exactly `expected` (none means that the
    /// key is absent), in one step, and answers whether it did.
    fn compare_and_swap(
        &self,
        skill: &SkillId,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        quota: StateQuota,
    ) -> Result<bool, StateError>;
}
