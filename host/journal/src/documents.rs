//! Documents: grants, approvals, agents and the like. Each is small, is replaced whole,
//! and is changed together with the audit records that tell of the change.

use crate::Journal;
use crate::audit::{self, Link};
use crate::blocking::block_on;
use crate::error::{self, JournalError};
use crate::tables::{DOCUMENTS, Tables};

/// Bytes of a document.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// Documents of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shelf {
    /// What people allowed, by skill and digest.
    Grants,
    /// What people were asked, by id.
    Approvals,
    /// Permits that the audit chain holds, by their digest.
    Permits,
    /// Signed places of the audit chain, by place.
    Checkpoints,
    /// Agents that were made over the API, by name.
    Agents,
    /// Who paused an agent, by its name.
    Pauses,
}

impl Shelf {
    const fn name(self) -> &'static str {
        match self {
            Self::Grants => "grants",
            Self::Approvals => "approvals",
            Self::Permits => "permits",
            Self::Checkpoints => "checkpoints",
            Self::Agents => "agents",
            Self::Pauses => "pauses",
        }
    }
}

/// The storage failed while a batch was made, so nothing of it is done.
#[derive(Debug)]
pub struct Undone(redb::StorageError);

/// Changes that are made together or not at all.
pub struct Batch<'a, 'txn> {
    tables: &'a mut Tables<'txn>,
    changes: Vec<Change>,
}

enum Change {
    Put(Shelf, String, Vec<u8>),
    Remove(Shelf, String),
    Append(String),
}

impl Batch<'_, '_> {
    /// The document as it is before this batch.
    pub fn get(&self, place: Shelf, key: &str) -> Result<Option<Vec<u8>>, Undone> {
        let found = self.tables.documents.get((place.name(), key)).map_err(Undone)?;
        Ok(found.map(|row| row.value().to_vec()))
    }

    /// Puts a document in place of the one with its key.
    pub fn put(&mut self, place: Shelf, key: impl Into<String>, document: Vec<u8>) {
        self.changes.push(Change::Put(place, key.into(), document));
    }

    /// Removes a document, where there is one.
    pub fn remove(&mut self, place: Shelf, key: impl Into<String>) {
        self.changes.push(Change::Remove(place, key.into()));
    }

    /// Adds a record to the audit chain, with the members of `body`, the text of a
    /// JSON object that has one at least.
    pub fn append(&mut self, body: String) {
        self.changes.push(Change::Append(body));
    }

    fn apply(self) -> Result<Option<Link>, redb::StorageError> {
        let mut last = None;
        for change in self.changes {
            match change {
                Change::Put(place, key, document) => {
                    self.tables.documents.insert((place.name(), key.as_str()), document.as_slice())?;
                }
                Change::Remove(place, key) => {
                    self.tables.documents.remove((place.name(), key.as_str()))?;
                }
                Change::Append(body) => last = Some(audit::append(self.tables, &body)?),
            }
        }
        Ok(last)
    }

    fn check(&self) -> Result<(), JournalError> {
        self.changes.iter().try_for_each(|change| match change {
            Change::Put(_, _, document) if document.len() > MAX_DOCUMENT_BYTES => {
                let size = document.len();
                Err(JournalError::TooLong { what: "document", size, max: MAX_DOCUMENT_BYTES })
            }
            Change::Append(body) => audit::check_body(body),
            Change::Put(..) | Change::Remove(..) => Ok(()),
        })
    }
}

impl Journal {
    /// Every document of a shelf, by key.
    pub fn documents(&self, place: Shelf) -> Result<Vec<(String, Vec<u8>)>, JournalError> {
        let read = || -> Result<Vec<_>, redb::Error> {
            let table = self.store.read()?.open_table(DOCUMENTS)?;
            let mut documents = Vec::new();
            for row in table.range((place.name(), "")..)? {
                let (name, document) = row?;
                let (found, key) = name.value();
                if found != place.name() {
                    break;
                }
                documents.push((key.to_owned(), document.value().to_vec()));
            }
            Ok(documents)
        };
        read().map_err(error::read)
    }

    /// Has `decide` look at documents and say what changes. What it says is done as
    /// a whole, with no other change in between, and is durable when this answers;
    /// an error of its own changes nothing. It sees the journal through the batch alone:
    /// another look at it would wait for itself.
    pub async fn update<T, E>(
        &self,
        decide: impl FnOnce(&mut Batch<'_, '_>) -> Result<Result<T, E>, Undone> + Send + 'static,
    ) -> Result<Result<T, E>, JournalError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let work = move |tables: &mut Tables<'_>| {
            let mut batch = Batch { tables, changes: Vec::new() };
            match decide(&mut batch).map_err(|Undone(error)| error)? {
                Err(refusal) => Ok(Ok(Err(refusal))),
                Ok(answer) => match batch.check() {
                    Err(error) => Ok(Err(error)),
                    Ok(()) => batch.apply().map(|_| Ok(Ok(answer))),
                },
            }
        };
        self.writer.submit(MAX_DOCUMENT_BYTES / 16, work).await?
    }

    /// The same for callers on threads that may block.
    pub fn update_blocking<T, E>(
        &self,
        decide: impl FnOnce(&mut Batch<'_, '_>) -> Result<Result<T, E>, Undone> + Send + 'static,
    ) -> Result<Result<T, E>, JournalError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        block_on(self.update(decide))
    }
}
