//! Durable state by `wasi:keyvalue`: one bucket for each skill, on the host's store.

use std::sync::Arc;

use bailiwick_domain::skill_id::SkillId;
use bailiwick_domain::state::{StateError, StateStore};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable, ResourceTableError};

use super::{Denials, Uses};
use crate::guest::Guest;

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

/// An open bucket. It remembers where its pages ended, because the interface's
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
                return Err(Refusal::Typed(Error::Other(reason)));
            }
            self.page_ends.push(key.to_owned());
        }
        Ok(known.unwrap_or(self.page_ends.len() - 1) as u64)
    }
}

/// One call's share of the store.
pub(crate) struct State {
    /// Whether the permit gives it.
    pub(crate) granted: bool,
    /// Whose namespace.
    pub(crate) skill: SkillId,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) calls: u64,
}

/// What the guest gets as the interface's `error`.
#[expect(unreachable_pub, reason = "the macro exports it again")]
pub enum Refusal {
    Typed(Error),
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
            return Self::Typed(Error::Other("the state store failed".to_owned()));
        }
        Self::Typed(Error::Other(error.to_string()))
    }
}

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    atomics::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    batch::add_to_linker::<_, HasState>(linker, Guest::state_view)
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
}

impl View<'_> {
    /// Runs `work` where blocking is allowed: the store waits for the disk.
    async fn blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&dyn StateStore, &SkillId) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.state.calls += 1;
        let (store, skill) = (Arc::clone(&self.state.store), self.state.skill.clone());
        let done = tokio::task::spawn_blocking(move || work(&*store, &skill)).await;
        done.unwrap_or_else(|error| Err(StateError::Store(error.to_string()))).map_err(Refusal::from)
    }
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Resource<Bucket>, Refusal> {
        if !self.state.granted {
            self.denials.record("state", format!("open bucket {identifier:?}"), "no state is granted to this skill");
            return Err(Refusal::Typed(Error::AccessDenied));
        }
        if !matches!(identifier.as_str(), "" | "default") {
            self.denials.record("state", format!("open bucket {identifier:?}"), "a skill has one bucket, named \"\"");
            return Err(Refusal::Typed(Error::NoSuchStore));
        }
        self.uses.record("state", "bucket");
        Ok(self.table.push(Bucket::default())?)
    }

    fn convert_error(&mut self, refusal: Refusal) -> wasmtime::Result<Error> {
        match refusal {
            Refusal::Typed(error) => Ok(error),
            Refusal::Table(error) => Err(error.into()),
        }
    }
}

impl store::HostBucket for View<'_> {
    async fn get(&mut self, _: Resource<Bucket>, key: String) -> Result<Option<Vec<u8>>, Refusal> {
        self.blocking(move |store, skill| store.get(skill, &key)).await
    }

    async fn set(&mut self, _: Resource<Bucket>, key: String, value: Vec<u8>) -> Result<(), Refusal> {
        self.blocking(move |store, skill| store.set(skill, &key, &value)).await
    }

    async fn delete(&mut self, _: Resource<Bucket>, key: String) -> Result<(), Refusal> {
        self.blocking(move |store, skill| store.delete(skill, &key)).await
    }

    async fn exists(&mut self, _: Resource<Bucket>, key: String) -> Result<bool, Refusal> {
        self.blocking(move |store, skill| store.get(skill, &key).map(|value| value.is_some())).await
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
                None => {
                    return Err(Refusal::Typed(Error::Other("the cursor is not one that this bucket gave".to_owned())));
                }
            },
        };
        let keys = self.blocking(move |store, skill| store.keys(skill, after.as_deref(), PAGE)).await?;
        let next = match keys.last().filter(|_| keys.len() == PAGE) {
            Some(last) => Some(self.table.get_mut(&bucket)?.cursor_after(last)?),
            None => None,
        };
        Ok(store::KeyResponse { keys, cursor: next })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, _: Resource<Bucket>, key: String, delta: u64) -> Result<u64, Refusal> {
        self.blocking(move |store, skill| store.increment(skill, &key, delta)).await
    }
}

fn check_batch(len: usize) -> Result<(), Refusal> {
    if len <= MAX_BATCH {
        return Ok(());
    }
    Err(Refusal::Typed(Error::Other(format!("{len} keys in one batch; at most {MAX_BATCH} are taken"))))
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        _: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Refusal> {
        check_batch(keys.len())?;
        self.blocking(move |store, skill| {
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

    async fn set_many(&mut self, _: Resource<Bucket>, entries: Vec<(String, Vec<u8>)>) -> Result<(), Refusal> {
        check_batch(entries.len())?;
        self.blocking(move |store, skill| entries.iter().try_for_each(|(key, value)| store.set(skill, key, value)))
            .await
    }

    async fn delete_many(&mut self, _: Resource<Bucket>, keys: Vec<String>) -> Result<(), Refusal> {
        check_batch(keys.len())?;
        self.blocking(move |store, skill| keys.iter().try_for_each(|key| store.delete(skill, key))).await
    }
}
