//! The audit chain: records that are only ever added, each of which holds the
//! digest of the one before.
//!
//! A record is the text of a JSON object. Its digest is the sha256 of that text,
//! byte for byte, so that whoever has the records can check them with nothing
//! but a hash function.

use bailiwick_domain::digest::Digest;
use redb::ReadableTable;

use crate::Journal;
use crate::error::{self, JournalError};
use crate::tables::{AUDIT, Applied, Tables};

/// What the first record names as the one before it.
pub const ORIGIN: Digest = Digest::from_bytes([0; 32]);

/// Bytes of a record's own members. A call with as many denials as are kept has far fewer.
pub const MAX_BODY_BYTES: usize = 256 << 10;

/// The place of a record in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Counted from 1, without gaps.
    pub seq: u64,
    /// The digest of the record.
    pub hash: Digest,
}

/// One record with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub link: Link,
    /// The text that was hashed.
    pub record: String,
}

impl Journal {
    /// Adds a record with the members of `body`, the text of a JSON object that has
    /// one at least. The record is durable when this answers.
    pub async fn append(&self, body: String) -> Result<Link, JournalError> {
        check_body(&body)?;
        self.writer.submit(body.len(), move |tables| append(tables, &body)).await
    }

    /// The last record's place, or that before the first where there is none.
    pub fn head(&self) -> Result<Link, JournalError> {
        let read = || -> Result<Link, redb::Error> {
            let table = self.store.read()?.open_table(AUDIT)?;
            Ok(head(&table)?)
        };
        read().map_err(error::read)
    }

    /// Up to `limit` records behind the place `after`, in their order.
    pub fn chain(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let read = || -> Result<Vec<Entry>, redb::Error> {
            let table = self.store.read()?.open_table(AUDIT)?;
            let rows = table.range(after.saturating_add(1)..)?.take(limit);
            let mut entries = Vec::new();
            for row in rows {
                let (seq, row) = row?;
                let (hash, record) = row.value();
                let link = Link { seq: seq.value(), hash: Digest::from_bytes(*hash) };
                entries.push(Entry { link, record: String::from_utf8_lossy(record).into_owned() });
            }
            Ok(entries)
        };
        read().map_err(error::read)
    }

    /// The record at the place `seq`.
    pub fn record(&self, seq: u64) -> Result<Option<Entry>, JournalError> {
        let found = self.chain(seq.saturating_sub(1), 1)?.into_iter().next();
        Ok(found.filter(|entry| entry.link.seq == seq))
    }
}

pub(crate) fn check_body(body: &str) -> Result<(), JournalError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(JournalError::TooLong { what: "audit record", size: body.len(), max: MAX_BODY_BYTES });
    }
    Ok(())
}

/// Adds one record. Places are given here, where one writes at a time.
pub(crate) fn append(tables: &mut Tables<'_>, body: &str) -> Applied<Link> {
    let last = head(tables.audit.read()?)?;
    let seq = last.seq + 1;
    let members = body.strip_prefix('{').unwrap_or(body);
    let record = format!("{{\"seq\":{seq},\"prev\":\"{}\",{members}", last.hash);
    let hash = Digest::of(record.as_bytes());
    tables.audit.insert(seq, (hash.as_bytes(), record.as_bytes()))?;
    Ok(Link { seq, hash })
}

fn head(table: &impl ReadableTable<u64, crate::tables::AuditRow<'static>>) -> Applied<Link> {
    let last = table.last()?.map(|(seq, row)| Link { seq: seq.value(), hash: Digest::from_bytes(*row.value().0) });
    Ok(last.unwrap_or(Link { seq: 0, hash: ORIGIN }))
}
