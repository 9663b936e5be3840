//! Tables that remember what was changed, so that a log can say it again, and give it to the
//! engine only after a while.
//!
//! The engine's price is by the row. A run's row changes with each of its steps, and many rows
//! are gone again soon: of all changes that come together, the engine gets what is left of them.

use std::borrow::Borrow;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;

use redb::{
    AccessGuard, Key, ReadableTable as _, ReadableTableMetadata as _, StorageError, Table, TableDefinition, TableError,
    Value, WriteTransaction,
};

use crate::tables::Applied;

/// What is done to a row.
const PUT: u8 = 1;
const REMOVE: u8 = 2;

/// Bytes of the length of a key or a value.
const LENGTH: usize = size_of::<u32>();

/// Bytes of a row that the engine is sure to take. All that is stored has lower bounds.
const MAX_ROW_BYTES: usize = 1 << 30;

/// Changes of a table that are not in the engine's transaction yet: keys, and what they have now.
#[derive(Default)]
pub(crate) struct Pending {
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Of all that was put there.
    bytes: usize,
    /// Rows that the engine has, where it was asked since it was last given any: to open a table is
    /// dear, and many are empty.
    stored: Cell<Option<u64>>,
}

/// A table of one write transaction, opened when it is first needed, because most
/// transactions need few. It is read as what it is with what is pending, and changed only
/// through what remembers the change.
pub(crate) struct Logged<'t, K: Key + 'static, V: Value + 'static> {
    number: u8,
    transaction: &'t WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: OnceCell<Table<'t, K, V>>,
    pending: &'t mut Pending,
    changes: &'t RefCell<Vec<u8>>,
}

/// The value of a row.
pub(crate) enum Found<'a, V: Value + 'static> {
    Pending(&'a [u8]),
    Stored(AccessGuard<'a, V>),
}

/// A row that was changed.
pub(crate) struct Change<'a> {
    /// The table, by its number.
    pub(crate) table: u8,
    key: &'a [u8],
    /// What was put there; nothing where the row was removed.
    value: Option<&'a [u8]>,
}

/// The bytes are no changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the changes in the log can't be read")]
pub(crate) struct Unreadable;

impl Pending {
    /// Roughly the memory that it takes.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn put(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.bytes += key.len() + value.map_or(0, <[u8]>::len);
        let value = value.map(<[u8]>::to_vec);
        match self.rows.get_mut(key) {
            Some(row) => *row = value,
            None => drop(self.rows.insert(key.to_vec(), value)),
        }
    }
}

impl<V: Value> Found<'_, V> {
    pub(crate) fn value(&self) -> V::SelfType<'_> {
        match self {
            Self::Pending(bytes) => V::from_bytes(bytes),
            Self::Stored(row) => row.value(),
        }
    }
}

impl<'t, K: Key + 'static, V: Value + 'static> Logged<'t, K, V> {
    pub(crate) const fn new(
        number: u8,
        transaction: &'t WriteTransaction,
        definition: TableDefinition<'static, K, V>,
        pending: &'t mut Pending,
        changes: &'t RefCell<Vec<u8>>,
    ) -> Self {
        Self { number, transaction, definition, table: OnceCell::new(), pending, changes }
    }

    /// The whole table as it is now, for which the engine gets what is pending. It is made where
    /// there is none.
    pub(crate) fn read(&mut self) -> Applied<&Table<'t, K, V>> {
        self.flush()?;
        self.table()
    }

    /// Whether there are fewer rows than so many.
    pub(crate) fn has_fewer_than(&mut self, most: u64) -> Applied<bool> {
        // What is pending may be more rows, and may be others.
        let at_most = self.stored()?.saturating_add(self.pending.rows.len() as u64);
        Ok(at_most < most || self.read()?.len()? < most)
    }

    pub(crate) fn get<'k>(&self, key: impl Borrow<K::SelfType<'k>>) -> Applied<Option<Found<'_, V>>> {
        let key = key.borrow();
        match self.pending.rows.get(K::as_bytes(key).as_ref()) {
            Some(row) => Ok(row.as_deref().map(Found::Pending)),
            None if self.stored()? == 0 => Ok(None),
            None => Ok(self.table()?.get(key)?.map(Found::Stored)),
        }
    }

    pub(crate) fn insert<'k, 'v>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        value: impl Borrow<V::SelfType<'v>>,
    ) -> Applied<()> {
        let (key, value) = (K::as_bytes(key.borrow()), V::as_bytes(value.borrow()));
        let (key, value) = (key.as_ref(), value.as_ref());
        let bytes = key.len().saturating_add(value.len());
        if bytes > MAX_ROW_BYTES {
            return Err(StorageError::ValueTooLarge(bytes));
        }
        let mut changes = self.changes.borrow_mut();
        changes.reserve(2 + 2 * LENGTH + bytes);
        changes.extend([self.number, PUT]);
        write(&mut changes, key);
        write(&mut changes, value);
        self.pending.put(key, Some(value));
        Ok(())
    }

    /// Removes a row, where there is one.
    pub(crate) fn remove<'k>(&mut self, key: impl Borrow<K::SelfType<'k>>) -> Applied<()> {
        self.take(key, |_| ()).map(drop)
    }

    /// Removes a row, and answers with what `read` makes of it.
    pub(crate) fn take<'k, T>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        read: impl FnOnce(V::SelfType<'_>) -> T,
    ) -> Applied<Option<T>> {
        let key = key.borrow();
        let taken = self.get(key)?.map(|row| read(row.value()));
        if taken.is_some() {
            let key = K::as_bytes(key);
            let mut changes = self.changes.borrow_mut();
            changes.extend([self.number, REMOVE]);
            write(&mut changes, key.as_ref());
            self.pending.put(key.as_ref(), None);
        }
        Ok(taken)
    }

    /// Makes a change that was remembered, and doesn't remember it again.
    pub(crate) fn redo(&mut self, change: &Change<'_>) {
        self.pending.put(change.key, change.value);
    }

    /// Gives the engine what is pending.
    pub(crate) fn flush(&mut self) -> Applied<()> {
        if self.pending.rows.is_empty() {
            return Ok(());
        }
        let Pending { rows, .. } = std::mem::take(self.pending);
        let mut table = self.table.take().map_or_else(|| self.open(), Ok)?;
        for (key, value) in &rows {
            let key = K::from_bytes(key);
            match value {
                Some(value) => drop(table.insert(key, V::from_bytes(value))?),
                None => drop(table.remove(key)?),
            }
        }
        self.table = table.into();
        Ok(())
    }

    /// How many rows the engine has.
    fn stored(&self) -> Applied<u64> {
        if let Some(rows) = self.pending.stored.get() {
            return Ok(rows);
        }
        let rows = self.table()?.len()?;
        self.pending.stored.set(Some(rows));
        Ok(rows)
    }

    fn table(&self) -> Applied<&Table<'t, K, V>> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = self.open()?;
        Ok(self.table.get_or_init(|| table))
    }

    fn open(&self) -> Applied<Table<'t, K, V>> {
        self.transaction.open_table(self.definition).map_err(|error| match error {
            TableError::Storage(error) => error,
            other => StorageError::Corrupted(other.to_string()),
        })
    }
}

/// The changes in `bytes`, in their order.
pub(crate) fn read(mut bytes: &[u8]) -> Result<Vec<Change<'_>>, Unreadable> {
    let mut changes = Vec::new();
    while let [table, what, rest @ ..] = bytes {
        bytes = rest;
        let key = take(&mut bytes)?;
        let value = match *what {
            PUT => Some(take(&mut bytes)?),
            REMOVE => None,
            _ => return Err(Unreadable),
        };
        changes.push(Change { table: *table, key, value });
    }
    if bytes.is_empty() { Ok(changes) } else { Err(Unreadable) }
}

fn write(bytes: &mut Vec<u8>, part: &[u8]) {
    // The engine takes no key and no value that is longer.
    bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend(part);
}

fn take<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Unreadable> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Unreadable)?;
    let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| Unreadable)?;
    let (part, rest) = rest.split_at_checked(length).ok_or(Unreadable)?;
    *bytes = rest;
    Ok(part)
}
