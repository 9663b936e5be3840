//! Tables that remember what was changed, so that a log can say it again.

use std::borrow::Borrow;
use std::cell::OnceCell;

use redb::{
    AccessGuard, Key, ReadableTable as _, StorageError, Table, TableDefinition, TableError, Value, WriteTransaction,
};

use crate::tables::Applied;

/// What is done to a row.
const PUT: u8 = 1;
const REMOVE: u8 = 2;

/// A table of one write transaction, opened when it is first needed, because most
/// transactions need few. It is read as what it is, and changed only through what remembers
/// the change.
pub(crate) struct Logged<'txn, K: Key + 'static, V: Value + 'static> {
    number: u8,
    transaction: &'txn WriteTransaction,
    definition: TableDefinition<'static, K, V>,
    table: OnceCell<Table<'txn, K, V>>,
    changes: Vec<u8>,
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

impl<'txn, K: Key + 'static, V: Value + 'static> Logged<'txn, K, V> {
    pub(crate) const fn new(
        number: u8,
        transaction: &'txn WriteTransaction,
        definition: TableDefinition<'static, K, V>,
    ) -> Self {
        Self { number, transaction, definition, table: OnceCell::new(), changes: Vec::new() }
    }

    /// The table as it is now. It is made where there is none.
    pub(crate) fn read(&self) -> Applied<&Table<'txn, K, V>> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = self.open()?;
        Ok(self.table.get_or_init(|| table))
    }

    pub(crate) fn get<'k>(&self, key: impl Borrow<K::SelfType<'k>>) -> Applied<Option<AccessGuard<'_, V>>> {
        self.read()?.get(key)
    }

    pub(crate) fn insert<'k, 'v>(
        &mut self,
        key: impl Borrow<K::SelfType<'k>>,
        value: impl Borrow<V::SelfType<'v>>,
    ) -> Applied<()> {
        let (key, value) = (key.borrow(), value.borrow());
        self.with(|table| table.insert(key, value).map(drop))?;
        self.changes.extend([self.number, PUT]);
        write(&mut self.changes, K::as_bytes(key).as_ref());
        write(&mut self.changes, V::as_bytes(value).as_ref());
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
        let taken = self.with(|table| Ok(table.remove(key)?.map(|row| read(row.value()))))?;
        if taken.is_some() {
            self.changes.extend([self.number, REMOVE]);
            write(&mut self.changes, K::as_bytes(key).as_ref());
        }
        Ok(taken)
    }

    /// Makes a change that was remembered, and doesn't remember it again.
    pub(crate) fn redo(&mut self, change: &Change<'_>) -> Applied<()> {
        let key = K::from_bytes(change.key);
        self.with(|table| match change.value {
            Some(value) => table.insert(key, V::from_bytes(value)).map(drop),
            None => table.remove(key).map(drop),
        })
    }

    /// What was changed, in its order, as [`read`] reads it.
    pub(crate) fn changes(&self) -> &[u8] {
        &self.changes
    }

    fn with<T>(&mut self, change: impl FnOnce(&mut Table<'txn, K, V>) -> Applied<T>) -> Applied<T> {
        let mut table = self.table.take().map_or_else(|| self.open(), Ok)?;
        let done = change(&mut table)?;
        self.table = table.into();
        Ok(done)
    }

    fn open(&self) -> Applied<Table<'txn, K, V>> {
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
