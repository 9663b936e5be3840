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
//!   u32 length | 4 bytes sha256(salt, length, sequence) | u64 sequence
//!   16 bytes sha256(salt, sequence, changes) | changes | zeros
//! ```
//!
//! Changes are made of what guests and clients wrote, who could write whole records into them.
//! So each opening of the journal has a salt of its own, which the engine keeps and nobody is
//! told: what lies in the file is a record of this log or none at all.
//!
//! Whole blocks are written: the records that are in the first of them already, once more as
//! they are, and zeros behind the new one. So nothing has to be read for it, and the system can
//! give them to the disk as they are.
//!
//! Records count up by one and never begin again, so that what an earlier round left behind
//! the last record is known by its lower number. A record is written when the one before it
//! is durable. So a last record that isn't whole was never acknowledged, and is no loss; but
//! one that isn't whole and has a whole one behind it was damaged, and then the journal does
//! not open.

use std::io;

use bailiwick_domain::digest::Digest;
use redb::StorageBackend;

use crate::block::{BLOCK, Blocks};

/// Where records begin. They do so at multiples of it, so that a search for one finds all.
const ALIGN: usize = 64;

/// What a record has before its changes.
pub(crate) const HEAD: usize = 32;

/// Bytes of a log. The commit of the engine that ends a round takes some milliseconds for
/// each of these.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// Records of one round. However small they are, each may touch another page of the engine,
/// and all of these are in memory until the round ends.
const MAX_RECORDS: u32 = 8192;

/// How much a log grows at once. Writing into a file is much faster where its blocks are
/// there already.
const GROWTH: usize = 256 << 10;

/// What nobody can know who writes into the changes of a record.
pub(crate) type Salt = [u8; 16];

/// What the file begins with.
const MAGIC: &[u8; 16] = b"bailiwick wal 1\n";

/// That, up to where records begin.
const HEADER: [u8; ALIGN] = {
    let mut header = [0; ALIGN];
    let (magic, _) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(MAGIC);
    header
};

/// The log that is written to.
#[derive(Debug)]
pub(crate) struct Wal {
    storage: Box<dyn StorageBackend>,
    /// Room for what is written.
    blocks: Blocks,
    /// The block in which the next record begins, up to there.
    begun: Vec<u8>,
    /// Where the next record goes.
    at: usize,
    /// Bytes that are there.
    length: usize,
    /// Bytes that it may have.
    most: usize,
    /// Records of this round.
    records: u32,
    salt: Secret,
    /// The number of the last record, or what the engine has made durable of them.
    sequence: u64,
}

/// A salt that no log and no error shows.
struct Secret(Salt);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
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
    pub(crate) fn read(storage: &dyn StorageBackend, durable: u64, salt: &Salt) -> io::Result<Found> {
        let length = usize::try_from(storage.len()?).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(Found::Nothing);
        }
        // What is longer is none of ours.
        if length > MAX_BYTES {
            return Ok(Found::NotALog);
        }
        let mut bytes = vec![0; length];
        storage.read(0, &mut bytes)?;
        // The header is durable before the first record is written.
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Found::Nothing);
        }
        if !bytes.starts_with(MAGIC) {
            return Ok(Found::NotALog);
        }
        Ok(scan(&bytes, durable, salt))
    }

    /// Begins a log of at most `most` bytes whose next record follows on the number
    /// `sequence`. Records that are there stay, until the first one is written.
    pub(crate) fn begin(storage: Box<dyn StorageBackend>, sequence: u64, most: usize, salt: Salt) -> io::Result<Self> {
        let length = usize::try_from(storage.len()?).unwrap_or(usize::MAX);
        let mut header = [0; ALIGN];
        if length >= ALIGN {
            storage.read(0, &mut header)?;
        }
        let (blocks, begun) = (Blocks::default(), HEADER.to_vec());
        let mut wal =
            Self { storage, blocks, begun, at: ALIGN, length, most, records: 0, salt: Secret(salt), sequence };
        let is_headless = header != HEADER;
        if is_headless {
            wal.storage.write(0, &HEADER)?;
            wal.length = length.max(ALIGN);
        }
        let is_short = wal.length < wal.growth();
        if is_short {
            wal.grow(wal.growth())?;
        }
        if is_headless || is_short {
            wal.storage.sync_data()?;
        }
        Ok(wal)
    }

    /// The number of the last record.
    pub(crate) const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Whether another record of so many bytes has room in this round.
    pub(crate) const fn has_room(&self, changes: usize) -> bool {
        self.records < MAX_RECORDS && self.at.saturating_add(HEAD).saturating_add(changes) <= self.most
    }

    /// Writes a record, which is durable when this answers: [`HEAD`] bytes for its head, and
    /// its changes.
    pub(crate) fn append(&mut self, record: &mut Vec<u8>) -> io::Result<()> {
        let sequence = self.sequence + 1;
        complete(record, sequence, &self.salt.0)?;
        let end = self.at + record.len();
        if end > self.length {
            // With the record, so that the disk is waited for once.
            self.grow(end.next_multiple_of(self.growth()).min(self.most))?;
        }
        let from = self.at - self.begun.len();
        // All of the file is whole blocks, but for that of a test.
        let to = end.next_multiple_of(BLOCK).min(self.length);
        let blocks = self.blocks.of(&[&self.begun, record], to - from);
        self.storage.write(from as u64, blocks)?;
        self.storage.sync_data()?;
        self.begun.clear();
        self.begun.extend_from_slice(&blocks[end / BLOCK * BLOCK - from..end - from]);
        self.at = end;
        self.sequence = sequence;
        self.records += 1;
        Ok(())
    }

    /// The changes of the records behind the number `after`, which are all durable.
    pub(crate) fn since(&self, after: u64) -> io::Result<Vec<Vec<u8>>> {
        match Self::read(&*self.storage, after, &self.salt.0)? {
            Found::Records(records) if records.len() as u64 == self.sequence - after => Ok(records),
            _ => Err(io::Error::other("the records of the journal's log are not all there")),
        }
    }

    /// Begins a new round, where the engine has made everything durable, up to the number
    /// `sequence`.
    pub(crate) fn restart(&mut self, sequence: u64) {
        self.begun.clear();
        self.begun.extend_from_slice(&HEADER);
        self.at = ALIGN;
        self.sequence = sequence;
        self.records = 0;
    }

    /// How much it grows at once, which is all of it where that is little.
    fn growth(&self) -> usize {
        GROWTH.min(self.most / 4)
    }

    fn grow(&mut self, length: usize) -> io::Result<()> {
        self.storage.write(self.length as u64, &vec![0; length - self.length])?;
        self.length = length;
        Ok(())
    }

    /// Gives the space back, where the engine has made everything durable.
    pub(crate) fn end(self) -> io::Result<()> {
        self.storage.set_len(0)?;
        self.storage.close()
    }
}

/// Makes a record of room for its head and of its changes, up to where the next one begins.
fn complete(record: &mut Vec<u8>, sequence: u64, salt: &Salt) -> io::Result<()> {
    let Some((head, changes)) = record.split_first_chunk_mut::<HEAD>() else {
        return Err(io::Error::other("there is no room for the head of a record"));
    };
    let length = u32::try_from(changes.len()).map_err(io::Error::other)?;
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..8].copy_from_slice(&mark(length, sequence, salt));
    head[8..16].copy_from_slice(&sequence.to_le_bytes());
    head[16..].copy_from_slice(&checksum(sequence, changes, salt));
    record.resize(record.len().next_multiple_of(ALIGN), 0);
    Ok(())
}

/// The number and the changes of a record that is whole, at the start of `bytes`.
fn decode<'b>(bytes: &'b [u8], salt: &Salt) -> Option<(u64, &'b [u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (found, rest) = rest.split_first_chunk::<4>()?;
    let (sequence, rest) = rest.split_first_chunk()?;
    let (check, rest) = rest.split_first_chunk::<16>()?;
    let (length, sequence) = (u32::from_le_bytes(*length), u64::from_le_bytes(*sequence));
    // Space is passed over at once, and nothing has its length believed that isn't a head.
    if sequence == 0 || *found != mark(length, sequence, salt) {
        return None;
    }
    let changes = rest.get(..usize::try_from(length).ok()?)?;
    (*check == checksum(sequence, changes, salt)).then_some((sequence, changes))
}

fn scan(bytes: &[u8], durable: u64, salt: &Salt) -> Found {
    let mut records = Vec::new();
    let (mut at, mut last) = (ALIGN, None);
    while let Some((sequence, changes)) = bytes.get(at..).and_then(|rest| decode(rest, salt)) {
        // Behind the last record there may be one of an earlier round.
        if last.is_some_and(|last: u64| last.checked_add(1) != Some(sequence)) {
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
    let later = |place: usize| decode(&bytes[place..], salt).is_some_and(|(sequence, _)| sequence > known);
    let goes_on = (at..bytes.len()).step_by(ALIGN).any(later);
    if begins_late || goes_on { Found::Damaged { at: at as u64 } } else { Found::Records(records) }
}

/// What tells a head from other bytes.
fn mark(length: u32, sequence: u64, salt: &Salt) -> [u8; 4] {
    let digest = Digest::of_parts(&[salt, &length.to_le_bytes(), &sequence.to_le_bytes()]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

/// Guards against accidents, and by its salt against whoever has a say in the changes.
fn checksum(sequence: u64, changes: &[u8], salt: &Salt) -> [u8; 16] {
    let digest = Digest::of_parts(&[salt, &sequence.to_le_bytes(), changes]);
    let mut half = [0; 16];
    half.copy_from_slice(&digest.as_bytes()[..16]);
    half
}
