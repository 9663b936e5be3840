//! The state of skills: a namespace of keys and values for each skill id.

use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{StateError, StateStore};
use redb::{ReadOnlyTable, ReadableDatabase, ReadableTable};

use crate::Journal;
use crate::blocking::block_on;
use crate::error::{self, JournalError};
use crate::tables::{Applied, STATE, Tables};

/// Bytes of a key: a path or a hash fits well, a value does not.
pub const MAX_KEY_BYTES: usize = 1 << 10;

/// Bytes of a value: what a guest can take in one piece without a second thought.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// Bytes of all keys and values of one skill, so that none fills the disk.
pub const MAX_NAMESPACE_BYTES: u64 = 64 << 20;

/// Keys of one skill, so that a list of all of them stays small.
pub const MAX_NAMESPACE_KEYS: u64 = 10_000;

/// Digits of the largest number that can be counted to, 2^64 - 1.
const COUNTER_DIGITS: usize = 20;

impl StateStore for Journal {
    fn get(&self, skill: &SkillId, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        check_key(key)?;
        self.read_state(|table| Ok(table.get((skill.as_str(), key))?.map(|value| value.value().to_vec())))
    }

    fn set(&self, skill: &SkillId, key: &str, value: &[u8]) -> Result<(), StateError> {
        check_key(key)?;
        check_value(value)?;
        let (skill, key, value) = (skill.clone(), key.to_owned(), value.to_vec());
        self.write_state(key.len() + value.len(), move |tables| put(tables, skill.as_str(), &key, &value))
    }

    fn delete(&self, skill: &SkillId, key: &str) -> Result<(), StateError> {
        check_key(key)?;
        let (skill, key) = (skill.clone(), key.to_owned());
        self.write_state(key.len(), move |tables| remove(tables, skill.as_str(), &key).map(Ok))
    }

    fn keys(&self, skill: &SkillId, after: Option<&str>, limit: usize) -> Result<Vec<String>, StateError> {
        let start = (skill.as_str(), after.unwrap_or(""));
        self.read_state(|table| {
            let mut keys = Vec::new();
            for row in table.range(start..)? {
                let (name, _) = row?;
                let (owner, key) = name.value();
                if owner != skill.as_str() || keys.len() >= limit {
                    break;
                }
                if after != Some(key) {
                    keys.push(key.to_owned());
                }
            }
            Ok(keys)
        })
    }

    fn increment(&self, skill: &SkillId, key: &str, delta: u64) -> Result<u64, StateError> {
        check_key(key)?;
        let (skill, key) = (skill.clone(), key.to_owned());
        self.write_state(key.len() + COUNTER_DIGITS, move |tables| add(tables, skill.as_str(), &key, delta))
    }
}

impl Journal {
    fn read_state<T>(
        &self,
        read: impl FnOnce(&ReadOnlyTable<(&'static str, &'static str), &'static [u8]>) -> Result<T, redb::StorageError>,
    ) -> Result<T, StateError> {
        let table = || -> Result<_, redb::Error> { Ok(self.database.begin_read()?.open_table(STATE)?) };
        let table = table().map_err(|error| store(&error::read(error)))?;
        read(&table).map_err(|error| store(&error::read(error)))
    }

    fn write_state<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce(&mut Tables<'_>) -> Applied<Result<T, StateError>> + Send + 'static,
    ) -> Result<T, StateError> {
        block_on(self.writer.submit(bytes, work)).map_err(|error| store(&error))?
    }
}

/// The seam's error has no chain, so the chain is written out.
fn store(error: &JournalError) -> StateError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    StateError::Store(text)
}

fn check_key(key: &str) -> Result<(), StateError> {
    if key.len() > MAX_KEY_BYTES {
        let size = key.len();
        return Err(StateError::Quota(format!("the key has {size} bytes; at most {MAX_KEY_BYTES} are allowed")));
    }
    Ok(())
}

fn check_value(value: &[u8]) -> Result<(), StateError> {
    if value.len() > MAX_VALUE_BYTES {
        let size = value.len();
        return Err(StateError::Quota(format!("the value has {size} bytes; at most {MAX_VALUE_BYTES} are allowed")));
    }
    Ok(())
}

/// Puts `value` under `key`, or refuses and changes nothing.
pub(crate) fn put(tables: &mut Tables<'_>, skill: &str, key: &str, value: &[u8]) -> Applied<Result<(), StateError>> {
    let before = tables.state.get((skill, key))?.map(|old| entry_bytes(key, old.value()));
    let (keys, bytes) = tables.state_size.get(skill)?.map_or((0, 0), |size| size.value());
    let keys = keys + u64::from(before.is_none());
    let bytes = bytes - before.unwrap_or(0) + entry_bytes(key, value);
    if let Err(refusal) = check_namespace(keys, bytes) {
        return Ok(Err(refusal));
    }
    tables.wrote = true;
    tables.state.insert((skill, key), value)?;
    tables.state_size.insert(skill, (keys, bytes))?;
    Ok(Ok(()))
}

fn check_namespace(keys: u64, bytes: u64) -> Result<(), StateError> {
    if keys > MAX_NAMESPACE_KEYS {
        return Err(StateError::Quota(format!("the skill has {MAX_NAMESPACE_KEYS} keys, the most it may have")));
    }
    if bytes > MAX_NAMESPACE_BYTES {
        return Err(StateError::Quota(format!(
            "the skill's keys and values would have {bytes} bytes; at most {MAX_NAMESPACE_BYTES} are allowed"
        )));
    }
    Ok(())
}

fn remove(tables: &mut Tables<'_>, skill: &str, key: &str) -> Applied<()> {
    let Some(removed) = tables.state.remove((skill, key))?.map(|old| entry_bytes(key, old.value())) else {
        return Ok(());
    };
    tables.wrote = true;
    let (keys, bytes) = tables.state_size.get(skill)?.map_or((1, removed), |size| size.value());
    if keys == 1 {
        tables.state_size.remove(skill)?;
    } else {
        tables.state_size.insert(skill, (keys - 1, bytes - removed))?;
    }
    Ok(())
}

fn add(tables: &mut Tables<'_>, skill: &str, key: &str, delta: u64) -> Applied<Result<u64, StateError>> {
    let before = tables.state.get((skill, key))?.map_or(Ok(0), |value| number(key, value.value()));
    let sum = before.and_then(|before| {
        before
            .checked_add(delta)
            .ok_or_else(|| StateError::Invalid(format!("`{key}` is {before}; {delta} more would pass {}", u64::MAX)))
    });
    let sum = match sum {
        Ok(sum) => sum,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(put(tables, skill, key, sum.to_string().as_bytes())?.map(|()| sum))
}

/// The decimal number that `value` is: digits alone, as `add` writes them.
fn number(key: &str, value: &[u8]) -> Result<u64, StateError> {
    let invalid = || StateError::Invalid(format!("the value under `{key}` is not a decimal number below 2^64"));
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()).ok_or_else(invalid)
}

fn entry_bytes(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}
