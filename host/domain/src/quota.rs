//! How much may be kept: below a writable root, and in a skill's state.

/// What one call may add below a writable root.
///
/// Every byte that is written counts, over old ones too, and so do the bytes by
/// which a file is made longer without writing them. Every file, folder and link
/// that is made counts as one file. Taking something away gives nothing back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes.
    pub max_bytes: u64,
    /// Files, folders and links.
    pub max_files: u64,
}

impl Default for Quota {
    /// What a grant gives that names no quota: room for what tools write, and
    /// not for filling a disk.
    fn default() -> Self {
        Self { max_bytes: 64 << 20, max_files: 1_000 }
    }
}

/// The quota that a manifest asks for; what is absent is left to the grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaRequest {
    /// See [`Quota::max_bytes`].
    pub max_bytes: Option<u64>,
    /// See [`Quota::max_files`].
    pub max_files: Option<u64>,
}

impl QuotaRequest {
    /// What is asked for, as far as `granted` goes.
    #[must_use]
    pub fn cut(&self, granted: Quota) -> Quota {
        Quota {
            max_bytes: self.max_bytes.unwrap_or(u64::MAX).min(granted.max_bytes),
            max_files: self.max_files.unwrap_or(u64::MAX).min(granted.max_files),
        }
    }
}

/// What a skill may keep in its state, over all calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateQuota {
    /// Bytes of all keys and values.
    pub max_bytes: u64,
    /// Keys.
    pub max_keys: u64,
}

impl StateQuota {
    /// The most that any skill gets, so that none fills the disk and a list of
    /// all keys stays small. It holds where a grant names no quota.
    pub const MOST: Self = Self { max_bytes: 64 << 20, max_keys: 10_000 };
}

impl Default for StateQuota {
    fn default() -> Self {
        Self::MOST
    }
}

/// The state that a manifest asks for; what is absent is left to the grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateRequest {
    /// See [`StateQuota::max_bytes`].
    pub max_bytes: Option<u64>,
    /// See [`StateQuota::max_keys`].
    pub max_keys: Option<u64>,
}

impl StateRequest {
    /// What is asked for, as far as `granted` and the host go.
    #[must_use]
    pub fn cut(&self, granted: StateQuota) -> StateQuota {
        let most = StateQuota::MOST;
        StateQuota {
            max_bytes: self.max_bytes.unwrap_or(most.max_bytes).min(granted.max_bytes).min(most.max_bytes),
            max_keys: self.max_keys.unwrap_or(most.max_keys).min(granted.max_keys).min(most.max_keys),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lesser_of_request_and_grant_holds() {
        let granted = Quota { max_bytes: 10, max_files: 10 };
        let asked = QuotaRequest { max_bytes: Some(5), max_files: Some(50) };
        assert_eq!(asked.cut(granted), Quota { max_bytes: 5, max_files: 10 });
        assert_eq!(QuotaRequest::default().cut(granted), granted);
        let granted = StateQuota { max_bytes: 10, max_keys: u64::MAX };
        let asked = StateRequest { max_bytes: Some(50), max_keys: None };
        assert_eq!(asked.cut(granted), StateQuota { max_bytes: 10, max_keys: StateQuota::MOST.max_keys });
    }
}
