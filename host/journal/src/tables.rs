//! What is stored, under which keys.

use std::cell::RefCell;

use redb::{StorageError, TableDefinition, WriteTransaction};

use crate::logged::{self, Logged, Pending, Unreadable};

/// The layout below, and that of the log. A layout that this release can't read gets a
/// higher number.
pub(crate) const VERSION: u64 = 5;

/// Facts about the file: its version, and how far the log was followed.
pub(crate) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Defines the tables: the number by which the log knows each, the name by which the code
/// does, the constant, the name in the file, and the types of keys and values. Numbers and
/// names are forever.
macro_rules! tables {
    ($($(#[$doc:meta])* $number:literal $field:ident $constant:ident $name:literal: $key:ty => $value:ty;)*) => {
        $($(#[$doc])* pub(crate) const $constant: TableDefinition<'_, $key, $value> = TableDefinition::new($name);)*

        /// What the engine's transaction has not yet, table by table.
        #[derive(Default)]
        pub(crate) struct Rows {
            $($field: Pending,)*
        }

        impl Rows {
            /// Roughly the memory that they take.
            pub(crate) const fn bytes(&self) -> usize {
                0 $(+ self.$field.bytes())*
            }
        }

        /// The tables of one write transaction.
        pub(crate) struct Tables<'t> {
            $($(#[$doc])* pub(crate) $field: Logged<'t, $key, $value>,)*
        }

        impl<'t> Tables<'t> {
            /// These write what they change behind what is in `changes`, as [`Tables::redo`] takes it.
            pub(crate) const fn of(
                transaction: &'t WriteTransaction,
                rows: &'t mut Rows,
                changes: &'t RefCell<Vec<u8>>,
            ) -> Self {
                Self { $($field: Logged::new($number, transaction, $constant, &mut rows.$field, changes),)* }
            }

            /// Makes every table that there isn't, so that readers find all of them.
            pub(crate) fn make(&mut self) -> Applied<()> {
                $(self.$field.read()?;)*
                Ok(())
            }

            /// Gives the engine's transaction all that it has not.
            pub(crate) fn flush(&mut self) -> Applied<()> {
                $(self.$field.flush()?;)*
                Ok(())
            }

            /// Makes changes again that a transaction of before made.
            pub(crate) fn redo(&mut self, changes: &[u8]) -> Result<(), Unreadable> {
                for change in logged::read(changes)? {
                    match change.table {
                        $($number => self.$field.redo(&change),)*
                        _ => return Err(Unreadable),
                    }
                }
                Ok(())
            }
        }
    };
}

tables! {
    /// Values of skills by skill id and key.
    1 state STATE "state": (&'static str, &'static str) => &'static [u8];

    /// Keys and bytes of each skill's namespace, by skill id; exact, because it is
    /// changed in the transaction that changes the values.
    2 state_size STATE_SIZE "state-size": &'static str => (u64, u64);

    /// Calls by scope and idempotency key: when they began (milliseconds since
    /// 1970), the digest of the request, and the record of how they ended.
    3 calls CALLS "calls": (&'static str, &'static str) => CallRow<'static>;

    /// Scopes and keys of calls by when they began, so that the oldest are found
    /// without a look at the others.
    4 calls_by_age CALLS_BY_AGE "calls-by-age": (u64, &'static str, &'static str) => ();

    /// The audit chain by place in it, from 1: the digest of the record, and the
    /// record itself.
    5 audit AUDIT "audit": u64 => AuditRow<'static>;

    /// Documents by shelf and key: what is small, and replaced whole.
    6 documents DOCUMENTS "documents": (&'static str, &'static str) => &'static [u8];

    /// Runs by id: the number and the checksum of the last event, when it was appended
    /// (milliseconds since 1970), the digest of the team, scope and key of the
    /// creation, and the summary.
    7 runs RUNS "runs": &'static str => RunRow<'static>;

    /// What releases before version 5 kept instead of [`RUN_SEGMENTS`]: events of runs by run
    /// and number, from 1, with the checksum. Empty, once it was moved there.
    8 run_events RUN_EVENTS "run-events": (&'static str, u64) => EventRow<'static>;

    /// Creations by scope and idempotency key: the digest of the request, the run, and
    /// when it was made (milliseconds since 1970).
    9 run_keys RUN_KEYS "run-keys": (&'static str, &'static str) => RunKeyRow<'static>;

    /// Ids of the runs that are open, so that a start looks at no other.
    10 open_runs OPEN_RUNS "open-runs": &'static str => ();

    /// Ids of the runs that have ended, by when their last event was appended. A run
    /// is here or in [`OPEN_RUNS`].
    11 ended_runs ENDED_RUNS "ended-runs": (u64, &'static str) => ();

    /// Ids of runs that are gone but for some of their events.
    12 removed_runs REMOVED_RUNS "removed-runs": &'static str => ();

    /// Torn events that were cut off their logs, by run and from 1: the number that
    /// they had, and what was stored.
    13 cut_events CUT_EVENTS "cut-events": (&'static str, u64) => CutRow<'static>;

    /// Teams by digest.
    14 teams TEAMS "teams": &'static [u8; 32] => &'static [u8];

    /// How many runs have a team, by its digest; apart, so that the team itself is
    /// written once.
    15 team_uses TEAM_USES "team-uses": &'static [u8; 32] => u64;

    /// Events of runs, those together that were appended together, by run and the number of
    /// the first, counted from 1.
    16 run_segments RUN_SEGMENTS "run-segments": SegmentKey => &'static [u8];
}

/// A row of [`RUNS`].
pub(crate) type RunRow<'a> = (u64, &'a [u8; 16], u64, &'a [u8; 32], Option<(&'a str, &'a str)>, &'a [u8]);

/// A row of [`RUN_EVENTS`].
pub(crate) type EventRow<'a> = (&'a [u8; 16], &'a [u8]);

/// A key of [`RUN_SEGMENTS`].
pub(crate) type SegmentKey = (&'static str, u64);

/// A row of [`RUN_KEYS`].
pub(crate) type RunKeyRow<'a> = (&'a [u8; 32], &'a str, u64);

/// A row of [`CUT_EVENTS`].
pub(crate) type CutRow<'a> = (u64, &'a [u8; 16], &'a [u8]);

/// A row of [`AUDIT`].
pub(crate) type AuditRow<'a> = (&'a [u8; 32], &'a [u8]);

/// A row of [`CALLS`].
pub(crate) type CallRow<'a> = (u64, &'a [u8; 32], Option<&'a [u8]>);

/// What an operation answers to the writer: an `Err` undoes the whole transaction.
pub(crate) type Applied<T> = Result<T, StorageError>;
