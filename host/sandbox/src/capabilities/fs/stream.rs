//! What is written to a file through a stream, counted before it is written.

use std::sync::Arc;

use bytes::Bytes;
use wasmtime_wasi::p2::{DynOutputStream, OutputStream, Pollable, StreamError, StreamResult};

use super::root::{Addition, Root};
use crate::capabilities::Denials;

/// A stream into a file below a root.
pub(super) struct Counted {
    pub(super) inner: DynOutputStream,
    pub(super) root: Arc<Root>,
    pub(super) denials: Arc<Denials>,
    /// The file, as the guest sees it.
    pub(super) path: String,
    /// Bytes between the file's end and where the stream begins, which the first
    /// write adds to the file.
    pub(super) gap: u64,
}

impl Counted {
    fn charge(&mut self, len: usize) -> StreamResult<()> {
        if len == 0 {
            return Ok(());
        }
        let addition = Addition { bytes: self.gap.saturating_add(len as u64), files: 0 };
        self.root.charge(addition).map_err(|reached| {
            self.denials.record("fs", format!("write {}", self.path), reached.to_string());
            StreamError::LastOperationFailed(reached.into())
        })?;
        self.gap = 0;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Pollable for Counted {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Counted {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.charge(bytes.len())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.charge(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
