//! What is stored, under which keys.

use redb::{StorageError, Table, TableDefinition, TableError, WriteTransaction};

/// The layout below. A layout that this release can't read gets a higher number.
pub(crate) const VERSION: u64 = 3;

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

/// Runs by id: the number and the checksum of the last event, when it was appended
/// (milliseconds since 1970), the digest of the team, scope and key of the
/// creation, and the summary.
pub(crate) const RUNS: TableDefinition<'_, &str, RunRow<'_>> = TableDefinition::new("runs");

/// Events of runs by run and number, from 1: the checksum, and the event itself.
pub(crate) const RUN_EVENTS: TableDefinition<'_, (&str, u64), EventRow<'_>> = TableDefinition::new("run-events");

/// Creations by scope and idempotency key: the digest of the request, the run, and
/// when it was made (milliseconds since 1970).
pub(crate) const RUN_KEYS: TableDefinition<'_, (&str, &str), RunKeyRow<'_>> = TableDefinition::new("run-keys");

/// Ids of the runs that are open, so that a start looks at no other.
pub(crate) const OPEN_RUNS: TableDefinition<'_, &str, ()> = TableDefinition::new("open-runs");

/// Ids of the runs that have ended, by when their last event was appended. A run
/// is here or in [`OPEN_RUNS`].
pub(crate) const ENDED_RUNS: TableDefinition<'_, (u64, &str), ()> = TableDefinition::new("ended-runs");

/// Ids of runs that are gone but for some of their events.
pub(crate) const REMOVED_RUNS: TableDefinition<'_, &str, ()> = TableDefinition::new("removed-runs");

/// Torn events that were cut off their logs, by run and from 1: the number that
/// they had, and what was stored.
pub(crate) const CUT_EVENTS: TableDefinition<'_, (&str, u64), CutRow<'_>> = TableDefinition::new("cut-events");

/// Teams by digest.
pub(crate) const TEAMS: TableDefinition<'_, &[u8; 32], &[u8]> = TableDefinition::new("teams");

/// How many runs have a team, by its digest; apart, so that the team itself is
/// written once.
pub(crate) const TEAM_USES: TableDefinition<'_, &[u8; 32], u64> = TableDefinition::new("team-uses");

/// A row of [`RUNS`].
pub(crate) type RunRow<'a> = (u64, &'a [u8; 16], u64, &'a [u8; 32], Option<(&'a str, &'a str)>, &'a [u8]);

/// A row of [`RUN_EVENTS`].
pub(crate) type EventRow<'a> = (&'a [u8; 16], &'a [u8]);

/// A row of [`RUN_KEYS`].
pub(crate) type RunKeyRow<'a> = (&'a [u8; 32], &'a str, u64);

/// A row of [`CUT_EVENTS`].
pub(crate) type CutRow<'a> = (u64, &'a [u8; 16], &'a [u8]);

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
    pub(crate) runs: Table<'txn, &'static str, RunRow<'static>>,
    pub(crate) run_events: Table<'txn, (&'static str, u64), EventRow<'static>>,
    pub(crate) run_keys: Table<'txn, (&'static str, &'static str), RunKeyRow<'static>>,
    pub(crate) open_runs: Table<'txn, &'static str, ()>,
    pub(crate) ended_runs: Table<'txn, (u64, &'static str), ()>,
    pub(crate) removed_runs: Table<'txn, &'static str, ()>,
    pub(crate) cut_events: Table<'txn, (&'static str, u64), CutRow<'static>>,
    pub(crate) teams: Table<'txn, &'static [u8; 32], &'static [u8]>,
    pub(crate) team_uses: Table<'txn, &'static [u8; 32], u64>,
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
            runs: transaction.open_table(RUNS)?,
            run_events: transaction.open_table(RUN_EVENTS)?,
            run_keys: transaction.open_table(RUN_KEYS)?,
            open_runs: transaction.open_table(OPEN_RUNS)?,
            ended_runs: transaction.open_table(ENDED_RUNS)?,
            removed_runs: transaction.open_table(REMOVED_RUNS)?,
            cut_events: transaction.open_table(CUT_EVENTS)?,
            teams: transaction.open_table(TEAMS)?,
            team_uses: transaction.open_table(TEAM_USES)?,
            wrote: false,
        })
    }
}

/// What an operation answers to the writer: an `Err` undoes the whole transaction.
pub(crate) type Applied<T> = Result<T, StorageError>;
