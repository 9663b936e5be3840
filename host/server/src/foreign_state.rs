//! The state of skills, seen from beside the server that owns it.

use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{StateError, StateStore};

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

    fn set(&self, _: &SkillId, _: &str, _: &[u8]) -> Result<(), StateError> {
        refused()
    }

    fn delete(&self, _: &SkillId, _: &str) -> Result<(), StateError> {
        refused()
    }

    fn keys(&self, _: &SkillId, _: Option<&str>, _: usize) -> Result<Vec<String>, StateError> {
        refused()
    }

    fn increment(&self, _: &SkillId, _: &str, _: u64) -> Result<u64, StateError> {
        refused()
    }
}
