//! The second draft of `wasi:keyvalue`: signed numbers, and compare-and-swap.

use bailiwick_domain::state::Numbers;
use wasmtime::component::{Linker, Resource};

use super::{Bucket, HasState, Refusal, View};
use crate::guest::Guest;

mod generated {
    wasmtime::component::bindgen!({
        path: "../../wit/keyvalue-draft2",
        world: "wasi:keyvalue/imports",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::capabilities::state::Bucket,
            "wasi:keyvalue/atomics.cas": super::Cas,
        },
        trappable_error_type: { "wasi:keyvalue/store.error" => crate::capabilities::state::Refusal },
    });
}

use generated::wasi::keyvalue::atomics::CasError;
use generated::wasi::keyvalue::store::Error;
use generated::wasi::keyvalue::{atomics, batch, store};

/// Handles for swaps that a guest may hold at once: each keeps a value, of which
/// a megabyte is possible, in the host's memory.
const MAX_SWAPS: usize = 16;

/// The value that a key had when the handle was made.
#[derive(Clone, Debug)]
#[expect(unreachable_pub, reason = "the macro exports it again")]
pub struct Cas {
    key: String,
    noted: Option<Vec<u8>>,
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    atomics::add_to_linker::<_, HasState>(linker, Guest::state_view)?;
    batch::add_to_linker::<_, HasState>(linker, Guest::state_view)
}

impl View<'_> {
    async fn note(&mut self, key: String) -> Result<Resource<Cas>, Refusal> {
        if self.state.swaps >= MAX_SWAPS {
            return Err(Refusal::Other(format!("at most {MAX_SWAPS} handles for swaps may be held at once")));
        }
        let noted = self.get_value(key.clone()).await?;
        let handle = self.table.push(Cas { key, noted })?;
        self.state.swaps += 1;
        Ok(handle)
    }

    fn take_handle(&mut self, cas: Resource<Cas>) -> wasmtime::Result<Cas> {
        let cas = self.table.delete(cas)?;
        self.state.swaps -= 1;
        Ok(cas)
    }

    /// Swaps, or answers a handle that knows what is there by now.
    async fn try_swap(&mut self, cas: Cas, value: Vec<u8>) -> Result<Option<Resource<Cas>>, Refusal> {
        let Cas { key, noted } = cas;
        let again = key.clone();
        let swapped = self
            .blocking("swap", move |store, skill, quota| {
                store.compare_and_swap(skill, &key, noted.as_deref(), &value, quota)
            })
            .await?;
        if swapped { Ok(None) } else { self.note(again).await.map(Some) }
    }
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

    /// The cursor is the last key of the page before.
    async fn list_keys(&mut self, _: Resource<Bucket>, cursor: Option<String>) -> Result<store::KeyResponse, Refusal> {
        let (keys, more) = self.page(cursor).await?;
        let cursor = keys.last().filter(|_| more).cloned();
        Ok(store::KeyResponse { keys, cursor })
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::HostCas for View<'_> {
    async fn new(&mut self, _: Resource<Bucket>, key: String) -> Result<Resource<Cas>, Refusal> {
        self.note(key).await
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Result<Option<Vec<u8>>, Refusal> {
        Ok(self.table.get(&cas)?.noted.clone())
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.take_handle(cas).map(drop)
    }
}

impl atomics::Host for View<'_> {
    async fn increment(&mut self, _: Resource<Bucket>, key: String, delta: i64) -> Result<i64, Refusal> {
        let sum = self.add(key, delta.into(), Numbers::Signed).await?;
        i64::try_from(sum).map_err(|_| Refusal::Other("the sum is out of range".to_owned()))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> wasmtime::Result<Result<(), CasError>> {
        let cas = self.take_handle(cas)?;
        match self.try_swap(cas, value).await {
            Ok(None) => Ok(Ok(())),
            Ok(Some(newer)) => Ok(Err(CasError::CasFailed(newer))),
            Err(refusal) => Ok(Err(CasError::StoreError(store::Host::convert_error(self, refusal)?))),
        }
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
