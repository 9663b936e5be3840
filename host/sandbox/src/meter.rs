//! The limits that the engine asks about while a guest runs.

use wasmtime::ResourceLimiter;

use crate::engine::TABLE_ELEMENTS;

/// Instances, memories and tables of one call; the engine's pool has the same
/// limits, and these hold where a store could be made without it.
const INSTANCES: usize = 64;

/// Counts a call's memory and says no beyond the limit.
#[derive(Debug)]
pub(crate) struct Meter {
    limit: u64,
    held: u64,
    peak: u64,
    refused: bool,
}

impl Meter {
    pub(crate) const fn new(limit: u64) -> Self {
        Self { limit, held: 0, peak: 0, refused: false }
    }

    /// Most bytes of linear memory held at once.
    pub(crate) const fn peak(&self) -> u64 {
        self.peak
    }

    /// Whether the guest asked for more memory than it may have.
    pub(crate) const fn refused(&self) -> bool {
        self.refused
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        let total = self.held.saturating_add(more);
        let declared = maximum.is_none_or(|maximum| desired <= maximum);
        if total > self.limit {
            self.refused = true;
            return Ok(false);
        }
        if declared {
            self.held = total;
            self.peak = self.peak.max(total);
        }
        Ok(declared)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS && maximum.is_none_or(|maximum| desired <= maximum))
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        INSTANCES
    }

    fn memories(&self) -> usize {
        INSTANCES
    }
}
