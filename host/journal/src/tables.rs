//! What is stored, under which keys.

use redb::{StorageError, Table, TableDefinition, TableError, WriteTransaction};

/// The layout below. A layout that this release can't read gets a higher number.
pub(crate) const VERSION: u64 = 2;

/// Facts about the file: `version` alone so far.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Values of skills by skill id and key.
pub(crate) const STATE: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("state");

/// Keys and bytes of each skill's namespace, by skill id; exact, because it is
/// changed in the transaction that changes the values.
pub(crate) const STATE_SIZE: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("state-size");

/// Calls by scope and idempotency key: when they began (milliseconds since
/// 1970), the digest of the request, and the record of how they ended.
pub(crate) const CALLS: TableDefinition<'_, (&str, &str), CallRow<'_>> = TableDefinition::new("calls");

/// Scopes and keys of calls by when they began, so that the oldest are found
/// without a look at the others.
pub(crate) const CALLS_BY_AGE: TableDefinition<'_, (u64, &str, &str), ()> = TableDefinition::new("calls-by-age");

/// The audit chain by place in it, from 1: the digest of the record, and the
/// record itself.
pub(crate) const AUDIT: TableDefinition<'_, u64, AuditRow<'_>> = TableDefinition::new("audit");

/// Documents by shelf and key: what is small, and replaced whole.
pub(crate) const DOCUMENTS: TableDefinition<'_, (&str, &str), &[u8]> = TableDefinition::new("documents");

/// A row of [`AUDIT`].
pub(crate) type AuditRow<'a> = (&'a [u8; 32], &'a [u8]);

/// A row of [`CALLS`].
pub(crate) type CallRow<'a> = (u64, &'a [u8; 32], Option<&'a [u8]>);

/// The tables of one write transaction, and whether anything was written.
pub(crate) struct Tables<'txn> {
    pub(crate) state: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    pub(crate) state_size: Table<'txn, &'static str, (u64, u64)>,
    pub(crate) calls: Table<'txn, (&'static str, &'static str), CallRow<'static>>,
    pub(crate) calls_by_age: Table<'txn, (u64, &'static str, &'static str), ()>,
    pub(crate) audit: Table<'txn, u64, AuditRow<'static>>,
    pub(crate) documents: Table<'txn, (&'static str, &'static str), &'static [u8]>,
    /// A transaction that wrote nothing is not committed, which saves an `fsync`.
    pub(crate) wrote: bool,
}

impl<'txn> Tables<'txn> {
    pub(crate) fn open(transaction: &'txn WriteTransaction) -> Result<Self, TableError> {
        Ok(Self {
            state: transaction.open_table(STATE)?,
            state_size: transaction.open_table(STATE_SIZE)?,
            calls: transaction.open_table(CALLS)?,
            calls_by_age: transaction.open_table(CALLS_BY_AGE)?,
            audit: transaction.open_table(AUDIT)?,
            documents: transaction.open_table(DOCUMENTS)?,
            wrote: false,
        })
    }
}

/// What an operation answers to the writer: an `Err` undoes the whole transaction.
pub(crate) type Applied<T> = Result<T, StorageError>;
