//! The state of skills, seen from beside the server that owns it.

use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{Numbers, StateError, StateStore};

/// Refuses every operation: the store belongs to the server of this data folder.
#[derive(Clone, Copy, Debug)]
pub struct ForeignState;

fn refused<T>() -> Result<T, StateError> {
    Err(StateError::Invalid("a server is using this data folder; call the skill through it".to_owned()))
}

impl StateStore for ForeignState {
    fn get(&self, _: &SkillId, _: &str) -> Result<Option<Vec<u8>>, StateError> {
        refused()
    }

    fn set(&self, _: &SkillId, _: &str, _: &[u8], _: StateQuota) -> Result<(), StateError> {
        refused()
    }

    fn delete(&self, _: &SkillId, _: &str) -> Result<(), StateError> {
        refused()
    }

    fn keys(&self, _: &SkillId, _: Option<&str>, _: usize) -> Result<Vec<String>, StateError> {
        refused()
    }

    fn increment(&self, _: &SkillId, _: &str, _: i128, _: Numbers, _: StateQuota) -> Result<i128, StateError> {
        refused()
    }

    fn compare_and_swap(
        &self,
        _: &SkillId,
        _: &str,
        _: Option<&[u8]>,
        _: &[u8],
        _: StateQuota,
    ) -> Result<bool, StateError> {
        refused()
    }
}
