//! The state of skills: a namespace of keys and values for each skill id.

use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{Numbers, StateError, StateStore};
use redb::ReadOnlyTable;

use crate::Journal;
use crate::blocking::block_on;
use crate::error::{self, JournalError};
use crate::tables::{Applied, STATE, Tables};

/// Bytes of a key: a path or a hash fits well, a value does not.
pub const MAX_KEY_BYTES: usize = 1 << 10;

/// Bytes of a value: what a guest can take in one piece without a second thought.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// Digits and sign of the longest numbers that can be counted to.
const COUNTER_DIGITS: usize = 20;

impl StateStore for Journal {
    fn get(&self, skill: &SkillId, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        check_key(key)?;
        self.read_state(|table| Ok(table.get((skill.as_str(), key))?.map(|value| value.value().to_vec())))
    }

    fn set(&self, skill: &SkillId, key: &str, value: &[u8], quota: StateQuota) -> Result<(), StateError> {
        check_key(key)?;
        check_value(value)?;
        let (skill, key, value) = (skill.clone(), key.to_owned(), value.to_vec());
        self.write_state(key.len() + value.len(), move |tables| put(tables, skill.as_str(), &key, &value, quota))
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

    fn increment(
        &self,
        skill: &SkillId,
        key: &str,
        delta: i128,
        numbers: Numbers,
        quota: StateQuota,
    ) -> Result<i128, StateError> {
        check_key(key)?;
        let (skill, key) = (skill.clone(), key.to_owned());
        let bytes = key.len() + COUNTER_DIGITS;
        self.write_state(bytes, move |tables| add(tables, skill.as_str(), &key, delta, numbers, quota))
    }

    fn compare_and_swap(
        &self,
        skill: &SkillId,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        quota: StateQuota,
    ) -> Result<bool, StateError> {
        check_key(key)?;
        check_value(value)?;
        let (skill, key, value) = (skill.clone(), key.to_owned(), value.to_vec());
        let expected = expected.map(<[u8]>::to_vec);
        let bytes = key.len() + value.len() + expected.as_ref().map_or(0, Vec::len);
        self.write_state(bytes, move |tables| swap(tables, skill.as_str(), &key, expected.as_deref(), &value, quota))
    }
}

impl Journal {
    fn read_state<T>(
        &self,
        read: impl FnOnce(&ReadOnlyTable<(&'static str, &'static str), &'static [u8]>) -> Result<T, redb::StorageError>,
    ) -> Result<T, StateError> {
        let table = || -> Result<_, redb::Error> { Ok(self.store.read()?.open_table(STATE)?) };
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
pub(crate) fn put(
    tables: &mut Tables<'_>,
    skill: &str,
    key: &str,
    value: &[u8],
    quota: StateQuota,
) -> Applied<Result<(), StateError>> {
    let before = tables.state.get((skill, key))?.map(|old| entry_bytes(key, old.value()));
    let (keys, bytes) = tables.state_size.get(skill)?.map_or((0, 0), |size| size.value());
    let (old_keys, old_bytes) = (keys, bytes);
    let keys = keys + u64::from(before.is_none());
    let bytes = bytes - before.unwrap_or(0) + entry_bytes(key, value);
    if let Err(refusal) = check_namespace((old_keys, old_bytes), (keys, bytes), quota) {
        return Ok(Err(refusal));
    }
    tables.state.insert((skill, key), value)?;
    tables.state_size.insert(skill, (keys, bytes))?;
    Ok(Ok(()))
}

/// Whether a namespace may go from one number of keys and bytes to another. One
/// that has more than a new grant allows can't grow, and can shrink.
fn check_namespace(old: (u64, u64), new: (u64, u64), quota: StateQuota) -> Result<(), StateError> {
    let most = StateQuota::MOST;
    let (max_keys, max_bytes) = (quota.max_keys.min(most.max_keys), quota.max_bytes.min(most.max_bytes));
    if new.0 > max_keys && new.0 > old.0 {
        return Err(StateError::Quota(format!("the skill would have {} keys; at most {max_keys} are allowed", new.0)));
    }
    if new.1 > max_bytes && new.1 > old.1 {
        let bytes = new.1;
        return Err(StateError::Quota(format!(
            "the skill's keys and values would have {bytes} bytes; at most {max_bytes} are allowed"
        )));
    }
    Ok(())
}

/// Puts `value` under `key` if what is there is exactly `expected`.
fn swap(
    tables: &mut Tables<'_>,
    skill: &str,
    key: &str,
    expected: Option<&[u8]>,
    value: &[u8],
    quota: StateQuota,
) -> Applied<Result<bool, StateError>> {
    let same = match (tables.state.get((skill, key))?, expected) {
        (Some(found), Some(expected)) => found.value() == expected,
        (None, None) => true,
        _ => false,
    };
    if !same {
        return Ok(Ok(false));
    }
    Ok(put(tables, skill, key, value, quota)?.map(|()| true))
}

fn remove(tables: &mut Tables<'_>, skill: &str, key: &str) -> Applied<()> {
    let Some(removed) = tables.state.take((skill, key), |old| entry_bytes(key, old))? else {
        return Ok(());
    };
    let (keys, bytes) = tables.state_size.get(skill)?.map_or((1, removed), |size| size.value());
    if keys == 1 {
        tables.state_size.remove(skill)?;
    } else {
        tables.state_size.insert(skill, (keys - 1, bytes - removed))?;
    }
    Ok(())
}

fn add(
    tables: &mut Tables<'_>,
    skill: &str,
    key: &str,
    delta: i128,
    numbers: Numbers,
    quota: StateQuota,
) -> Applied<Result<i128, StateError>> {
    let before = tables.state.get((skill, key))?.map_or(Ok(0), |value| number(key, value.value(), numbers));
    let sum = before.and_then(|before| {
        let sum = before.checked_add(delta).filter(|sum| numbers.range().contains(sum));
        let (least, most) = numbers.range().into_inner();
        sum.ok_or_else(|| {
            StateError::Invalid(format!("`{key}` is {before}; {delta} more would leave the range {least} to {most}"))
        })
    });
    let sum = match sum {
        Ok(sum) => sum,
        Err(refusal) => return Ok(Err(refusal)),
    };
    Ok(put(tables, skill, key, sum.to_string().as_bytes(), quota)?.map(|()| sum))
}

/// The decimal number that `value` is: digits, below zero after a minus, as `add` writes them.
fn number(key: &str, value: &[u8], numbers: Numbers) -> Result<i128, StateError> {
    let (least, most) = numbers.range().into_inner();
    let invalid =
        || StateError::Invalid(format!("the value under `{key}` is not a decimal number from {least} to {most}"));
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(invalid());
    }
    let number: Option<i128> = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.filter(|number| numbers.range().contains(number)).ok_or_else(invalid)
}

fn entry_bytes(key: &str, value: &[u8]) -> u64 {
    (key.len() + value.len()) as u64
}
