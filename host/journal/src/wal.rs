//! The write-ahead log: what transactions changed, made durable before anybody is told.
//!
//! A commit of the storage engine writes pages of trees here and there and waits for the
//! disk twice. Here one record is written behind another into space that is there already,
//! and the disk is waited for once. The engine gets the same changes without waiting; when
//! the log is full it makes them durable itself, and the log begins again at its start.
//!
//! ```text
//! header, 64 bytes: "bailiwick wal 1\n", zeros
//! record, at a multiple of 64 bytes:
//!   u32 length | u32 zero | u64 sequence | 16 bytes sha256(sequence, changes) | changes | zeros
//! ```
//!
//! Records count up by one and never begin again, so that what an earlier round left behind
//! the last record is known by its lower number. A record is written when the one before it
//! is durable. So a last record that isn't whole was never acknowledged, and is no loss; but
//! one that isn't whole and has a whole one behind it was damaged, and then the journal does
//! not open.

use std::io;

use bailiwick_domain::digest::Digest;
use redb::StorageBackend;

/// Where records begin. They do so at multiples of it, so that a search for one finds all.
const ALIGN: usize = 64;

/// What a record has before its changes.
const HEAD: usize = 32;

/// Bytes of a log. The commit of the engine that ends a round takes some milliseconds for
/// each of these.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// How much a log grows at once. Writing into a file is much faster where its blocks are
/// there already.
const GROWTH: usize = 256 << 10;

/// What the file begins with.
const MAGIC: &[u8; 16] = b"bailiwick wal 1\n";

/// The log that is written to.
#[derive(Debug)]
pub(crate) struct Wal {
    storage: Box<dyn StorageBackend>,
    /// Where the next record goes.
    at: usize,
    /// Bytes that are there.
    length: usize,
    /// Bytes that it may have.
    most: usize,
    /// The number of the last record, or what the engine has made durable of them.
    sequence: u64,
}

/// What was found in a log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing at all, as in a new one.
    Nothing,
    /// The changes of the records behind the one that was asked for, in their order.
    Records(Vec<Vec<u8>>),
    /// It is another file.
    NotALog,
    /// A record that was acknowledged can't be read.
    Damaged {
        /// The byte where it begins.
        at: u64,
    },
}

impl Wal {
    /// Reads the records behind the number `durable`, which the engine has.
    pub(crate) fn read(storage: &dyn StorageBackend, durable: u64) -> io::Result<Found> {
        // What is longer is none of ours.
        let length = usize::try_from(storage.len()?).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(Found::Nothing);
        }
        let mut bytes = vec![0; length.min(MAX_BYTES)];
        storage.read(0, &mut bytes)?;
        // The header is durable before the first record is written.
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Found::Nothing);
        }
        if !bytes.starts_with(MAGIC) {
            return Ok(Found::NotALog);
        }
        Ok(scan(&bytes, durable))
    }

    /// Begins a log of at most `most` bytes whose next record follows on the number
    /// `sequence`. What was in it is durable elsewhere.
    pub(crate) fn begin(storage: Box<dyn StorageBackend>, sequence: u64, most: usize) -> io::Result<Self> {
        let length = usize::try_from(storage.len()?).unwrap_or(usize::MAX);
        let mut wal = Self { storage, at: ALIGN, length, most, sequence };
        let least = GROWTH.min(most);
        if length < least {
            let mut start = vec![0; least];
            start[..MAGIC.len()].copy_from_slice(MAGIC);
            wal.storage.write(0, &start)?;
            wal.storage.sync_data()?;
            wal.length = least;
        }
        Ok(wal)
    }

    /// The number of the last record.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether another record of so many bytes has room in this round.
    pub(crate) const fn has_room(&self, changes: usize) -> bool {
        self.at.saturating_add(HEAD).saturating_add(changes) <= self.most
    }

    /// Writes a record, which is durable when this answers.
    pub(crate) fn append(&mut self, changes: &[u8]) -> io::Result<()> {
        let sequence = self.sequence + 1;
        let record = encode(sequence, changes)?;
        let end = self.at + record.len();
        if end > self.length {
            // With the record, so that the disk is waited for once.
            let grown = end.next_multiple_of(GROWTH).min(self.most);
            self.storage.write(self.length as u64, &vec![0; grown - self.length])?;
            self.length = grown;
        }
        self.storage.write(self.at as u64, &record)?;
        self.storage.sync_data()?;
        self.at = end;
        self.sequence = sequence;
        Ok(())
    }

    /// Begins a new round, where the engine has made everything durable, up to the number
    /// `sequence`.
    pub(crate) const fn restart(&mut self, sequence: u64) {
        self.at = ALIGN;
        self.sequence = sequence;
    }

    /// Gives the space back, where the engine has made everything durable.
    pub(crate) fn end(self) -> io::Result<()> {
        self.storage.set_len(0)?;
        self.storage.close()
    }
}

/// A record as it is written, up to where the next one begins.
fn encode(sequence: u64, changes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(changes.len()).map_err(io::Error::other)?;
    let mut record = Vec::with_capacity((HEAD + changes.len()).next_multiple_of(ALIGN));
    record.extend(length.to_le_bytes());
    record.extend([0; 4]);
    record.extend(sequence.to_le_bytes());
    record.extend(checksum(sequence, changes));
    record.extend(changes);
    record.resize(record.len().next_multiple_of(ALIGN), 0);
    Ok(record)
}

/// The number and the changes of a record that is whole, at the start of `bytes`.
fn decode(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (zero, rest) = rest.split_first_chunk()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (check, rest) = rest.split_first_chunk::<16>()?;
    let changes = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let sequence = u64::from_le_bytes(*sequence);
    let is_whole = *zero == [0; 4] && sequence > 0 && *check == checksum(sequence, changes);
    is_whole.then_some((sequence, changes))
}

fn scan(bytes: &[u8], durable: u64) -> Found {
    let mut records = Vec::new();
    let (mut at, mut last) = (ALIGN, None);
    while let Some((sequence, changes)) = bytes.get(at..).and_then(decode) {
        // Behind the last record there may be one of an earlier round.
        if last.is_some_and(|last| sequence != last + 1) {
            break;
        }
        if sequence > durable {
            records.push(changes.to_vec());
        }
        last = Some(sequence);
        at += (HEAD + changes.len()).next_multiple_of(ALIGN);
    }
    let known = last.unwrap_or_default().max(durable);
    let begins_late = last.is_some_and(|last| last - records.len() as u64 > durable);
    let goes_on = (at..bytes.len()).step_by(ALIGN).any(|place| decode(&bytes[place..]).is_some_and(|it| it.0 > known));
    if begins_late || goes_on { Found::Damaged { at: at as u64 } } else { Found::Records(records) }
}

/// Guards against accidents, not against whoever can write the file.
fn checksum(sequence: u64, changes: &[u8]) -> [u8; 16] {
    let digest = Digest::of_parts(&[&sequence.to_le_bytes(), changes]);
    let mut half = [0; 16];
    half.copy_from_slice(&digest.as_bytes()[..16]);
    half
}
