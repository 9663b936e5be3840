//! Durable state by `wasi:keyvalue`: one bucket for each skill, on the host's store.
//!
//! Two drafts of the interface are offered, which name the same functions and
//! differ in types: the first one here, the second in [`draft2`]. Both work on
//! the same bucket.

mod draft2;

use std::sync::Arc;

use bailiwick_domain::observation::Touch;
use bailiwick_domain::quota::StateQuota;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{Numbers, StateError, StateStore};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use super::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/keyvalue",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": super::Bucket },
        trappable_error_type: { "wasi:keyvalue/store.error" => super::Refusal },
    });
}

use generated::wasi::keyvalue::store::Error;
use generated::wasi::keyvalue::{atomics, batch, store};

/// Keys in one answer of `list-keys`.
const PAGE: usize = 1000;

/// Keys in one call of the batch interface.
const MAX_BATCH: usize = 1000;

/// Bytes of all values in one answer of the batch interface. One key may be asked
/// for many times, and the host holds the answer as a whole.
const MAX_BATCH_BYTES: usize = 16 << 20;

/// Ends of pages that a bucket remembers. The largest namespace has ten pages;
/// more ends come only of keys that change while they are listed.
const MAX_PAGE_ENDS: usize = 100;

/// An open bucket. It remembers where its pages ended, because the first draft's
/// cursor is a number and the store continues after a key.
#[derive(Debug, Default)]
#[expect(unreachable_pub, reason = "the macro exports it again")]
pub struct Bucket {
    page_ends: Vec<String>,
}

impl Bucket {
    /// The cursor behind `key`: the one that was given before, or a new one.
    fn cursor_after(&mut self, key: &str) -> Result<u64, Refusal> {
        let known = self.page_ends.iter().position(|end| end == key);
        if known.is_none() {
            if self.page_ends.len() >= MAX_PAGE_ENDS {
                let reason = format!("the bucket gave {MAX_PAGE_ENDS} cursors, the most it may give; open it anew");
                return Err(Refusal::Other(reason));
            }
            self.page_ends.push(key.to_owned());
        }
        Ok(known.unwrap_or(self.page_ends.len() - 1) as u64)
    }
}

/// One call's share of the store.
pub(crate) struct State {
    /// How much the permit gives, if any.
    pub(crate) quota: Option<StateQuota>,
    /// Whose namespace.
    pub(crate) skill: SkillId,
    pub(crate) store: Arc<dyn StateStore>,
    /// Handles for swaps that the guest holds.
    pub(crate) swaps: usize,
}

/// What the guest gets as the interface's `error`.
#[expect(unreachable_pub, reason = "the macro exports it again")]
pub enum Refusal {
    NoSuchStore,
    AccessDenied,
    Other(String),
    Table(ResourceTableError),
}

impl From<ResourceTableError> for Refusal {
    fn from(error: ResourceTableError) -> Self {
        Self::Table(error)
    }
}

impl From<StateError> for Refusal {
    fn from(error: StateError) -> Self {
        if let StateError::Store(reason) = &error {
            tracing::error!(reason, "the state store failed");
            return Self::Other("the state store failed".to_owned());
        }
        Self::Other(error.to_string())
    }
}

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    atomics::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    batch::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    draft2::link(linker)
}

struct HasState;

impl HasData for HasState {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) table: &'a mut ResourceTable,
    pub(crate) denials: &'a Denials,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
}

impl View<'_> {
    /// Runs `work` where blocking is allowed: the store waits for the disk.
    async fn blocking<T: Send + 'static>(
        &mut self,
        operation: &str,
        work: impl FnOnce(&dyn StateStore, &SkillId, StateQuota) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.count(operation)?;
        let (store, skill) = (Arc::clone(&self.state.store), self.state.skill.clone());
        // A bucket is only opened where there is a quota.
        let quota = self.state.quota.ok_or(Refusal::AccessDenied)?;
        let done = tokio::task::spawn_blocking(move || work(&*store, &skill, quota)).await;
        let done = done.unwrap_or_else(|error| Err(StateError::Store(error.to_string())));
        if let Err(StateError::Quota(reason)) = &done {
            self.denials.record("state", operation.to_owned(), reason.clone());
        }
        done.map_err(Refusal::from)
    }

    fn count(&self, operation: &str) -> Result<(), Refusal> {
        self.counters.take(Counted::HostCalls, 1).map_err(|reached| {
            self.denials.record("state", operation.to_owned(), reached.to_string());
            Refusal::Other(reached.to_string())
        })
    }

    fn open_bucket(&mut self, identifier: &str) -> Result<Resource<Bucket>, Refusal> {
        if self.state.quota.is_none() {
            self.denials.record("state", format!("open bucket {identifier:?}"), "no state is granted to this skill");
            return Err(Refusal::AccessDenied);
        }
        if !matches!(identifier, "" | "default") {
            self.denials.record("state", format!("open bucket {identifier:?}"), "a skill has one bucket, named \"\"");
            return Err(Refusal::NoSuchStore);
        }
        self.uses.record("state", "bucket");
        self.uses.touch(|| Touch::State);
        Ok(self.table.push(Bucket::default())?)
    }

    async fn get_value(&mut self, key: String) -> Result<Option<Vec<u8>>, Refusal> {
        self.blocking("get", move |store, skill, _| store.get(skill, &key)).await
    }

    async fn set_value(&mut self, key: String, value: Vec<u8>) -> Result<(), Refusal> {
        self.blocking("set", move |store, skill, quota| store.set(skill, &key, &value, quota)).await
    }

    async fn delete_key(&mut self, key: String) -> Result<(), Refusal> {
        self.blocking("delete", move |store, skill, _| store.delete(skill, &key)).await
    }

    async fn key_exists(&mut self, key: String) -> Result<bool, Refusal> {
        self.blocking("exists", move |store, skill, _| store.get(skill, &key).map(|value| value.is_some())).await
    }

    /// One page of keys after `after`, and whether there may be another one.
    async fn page(&mut self, after: Option<String>) -> Result<(Vec<String>, bool), Refusal> {
        let keys = self.blocking("list keys", move |store, skill, _| store.keys(skill, after.as_deref(), PAGE)).await?;
        let more = keys.len() == PAGE;
        Ok((keys, more))
    }

    async fn add(&mut self, key: String, delta: i128, numbers: Numbers) -> Result<i128, Refusal> {
        self.blocking("increment", move |store, skill, quota| store.increment(skill, &key, delta, numbers, quota)).await
    }

    async fn get_batch(&mut self, keys: Vec<String>) -> Result<Vec<Option<(String, Vec<u8>)>>, Refusal> {
        check_batch(keys.len())?;
        self.blocking("get many", move |store, skill, _| {
            let mut room = MAX_BATCH_BYTES;
            let get = |key: String| {
                let Some(value) = store.get(skill, &key)? else { return Ok(None) };
                let full = || StateError::Quota(format!("the values have more than {MAX_BATCH_BYTES} bytes"));
                room = room.checked_sub(value.len()).ok_or_else(full)?;
                Ok(Some((key, value)))
            };
            keys.into_iter().map(get).collect()
        })
        .await
    }

    async fn set_batch(&mut self, entries: Vec<(String, Vec<u8>)>) -> Result<(), Refusal> {
        check_batch(entries.len())?;
        self.blocking("set many", move |store, skill, quota| {
            entries.iter().try_for_each(|(key, value)| store.set(skill, key, value, quota))
        })
        .await
    }

    async fn delete_batch(&mut self, keys: Vec<String>) -> Result<(), Refusal> {
        check_batch(keys.len())?;
        let work =
            move |store: &dyn StateStore, skill: &SkillId, _| keys.iter().try_for_each(|key| store.delete(skill, key));
        self.blocking("delete many", work).await
    }
}

fn check_batch(len: usize) -> Result<(), Refusal> {
    if len <= MAX_BATCH {
        return Ok(());
    }
    Err(Refusal::Other(format!("{len} keys in one batch; at most {MAX_BATCH} are taken")))
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Refusal> {
        self.open_bucket(&identifier)
    }

    fn convert_error(&mut self, refusal: Refusal) -> wasmtime::Result<Error> {
        match refusal {
            Refusal::NoSuchStore => Ok(Error::NoSuchStore),
            Refusal::AccessDenied => Ok(Error::AccessDenied),
            Refusal::Other(reason) => Ok(Error::Other(reason)),
            Refusal::Table(error) => Err(error.into()),
        }
    }
}

impl store::HostBucket for View<'_> {
    async fn get(&mut self, _: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, Refusal> {
        self.get_value(key).await
    }

    async fn set(&mut self, _: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), Refusal> {
        self.set_value(key, value).await
    }

    async fn delete(&mut self, _: Resource<Bucket>, key: String) -> Result<(), Refusal> {
        self.delete_key(key).await
    }

    async fn exists(&mut self, _: Resource<Bucket>, key: String) -> Result<bool, Refusal> {
        self.key_exists(key).await
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Result<store::KeyResponse, Refusal> {
        let ends = &self.table.get(&bucket)?.page_ends;
        let after = match cursor.map(usize::try_from) {
            None => None,
            Some(cursor) => match cursor.ok().and_then(|cursor| ends.get(cursor).cloned()) {
                Some(end) => Some(end),
                None => return Err(Refusal::Other("the cursor is not one that this bucket gave".to_owned())),
            },
        };
        let (keys, more) = self.page(after).await?;
        let cursor = match keys.last().filter(|_| more) {
            Some(last) => Some(self.table.get_mut(&bucket)?.cursor_after(last)?),
            None => None,
        };
        Ok(store::KeyResponse { keys, cursor })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, _: Resource<Bucket>, key: String, delta: u64) -> Result<u64, Refusal> {
        let sum = self.add(key, delta.into(), Numbers::Unsigned).await?;
        u64::try_from(sum).map_err(|_| Refusal::Other("the sum is out of range".to_owned()))
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        _: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Refusal> {
        self.get_batch(keys).await
    }

    async fn set_many(&mut self, _: Resource<Bucket>, entries: Vec<(String, Vec<u8>)>) -> Result<(), Refusal> {
        self.set_batch(entries).await
    }

    async fn delete_many(&mut self, _: Resource<Bucket>, keys: Vec<String>) -> Result<(), Refusal> {
        self.delete_batch(keys).await
    }
}
