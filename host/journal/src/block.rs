//! Whole blocks, and a file that takes them past the page cache.
//!
//! The page cache is a detour for what is to be durable at once and is read only after a crash:
//! a copy, a page to mark and to clean again, and a thread of the kernel that does so.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;
use redb::backends::FileBackend;

/// Bytes of a block. Disks want a multiple of 512 or of this, in place and in memory.
pub(crate) const BLOCK: usize = 4096;

/// Bytes that are kept for later.
const KEPT: usize = 64 << 10;

/// Room for blocks, which begin at a multiple of a block in memory too.
#[derive(Debug, Default)]
pub(crate) struct Blocks(Vec<u8>);

/// A file whose blocks go to the disk as they are, where its file system does such a thing.
#[derive(Debug)]
pub(crate) struct BlockFile {
    file: FileBackend,
    /// The same file, open for that.
    direct: Option<File>,
    /// Whether it would not take them after all: some want larger blocks.
    is_refused: AtomicBool,
}

impl Blocks {
    /// These parts one behind another, and zeros up to so many bytes, which are as many as the
    /// parts have or more.
    pub(crate) fn of(&mut self, parts: &[&[u8]], bytes: usize) -> &[u8] {
        self.0.clear();
        if bytes <= KEPT {
            self.0.shrink_to(KEPT + BLOCK);
        }
        self.0.reserve(bytes + BLOCK);
        // There is room for as much before them.
        let from = self.0.as_ptr().align_offset(BLOCK).min(BLOCK);
        self.0.resize(from, 0);
        for part in parts {
            self.0.extend_from_slice(part);
        }
        self.0.resize(from + bytes, 0);
        &self.0[from..]
    }
}

impl BlockFile {
    /// The file at `path`, which is open already.
    pub(crate) fn new(file: File, path: &Path) -> io::Result<Self> {
        let file = FileBackend::new(file).map_err(io::Error::other)?;
        Ok(Self { file, direct: direct(path), is_refused: AtomicBool::new(false) })
    }

    /// The file that takes such bytes at such a place.
    fn direct(&self, offset: u64, data: &[u8]) -> Option<&File> {
        let block = BLOCK as u64;
        let is_whole = offset.is_multiple_of(block) && data.len().is_multiple_of(BLOCK);
        let may = is_whole && data.as_ptr().addr().is_multiple_of(BLOCK) && !self.is_refused.load(Ordering::Relaxed);
        self.direct.as_ref().filter(|_| may)
    }
}

impl StorageBackend for BlockFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let Some(direct) = self.direct(offset, data) else { return self.file.write(offset, data) };
        match direct.write_all_at(data, offset) {
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
                self.is_refused.store(true, Ordering::Relaxed);
                self.file.write(offset, data)
            }
            written => written,
        }
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

/// The file at `path`, open past the page cache; none where that can't be.
#[cfg(target_os = "linux")]
fn direct(path: &Path) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = i32::try_from(OFlags::DIRECT.bits()).ok()?;
    File::options().write(true).custom_flags(flags).open(path).ok()
}

#[cfg(not(target_os = "linux"))]
fn direct(_: &Path) -> Option<File> {
    None
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, BlockFile, Blocks, File, KEPT, StorageBackend as _};

    #[test]
    fn blocks_begin_at_a_multiple_of_a_block_and_end_with_zeros() {
        let mut blocks = Blocks::default();
        for bytes in [BLOCK, 3 * BLOCK, 20 * KEPT, BLOCK] {
            let of = blocks.of(&[&[1; 100], &[2; 50]], bytes);
            assert!(of.as_ptr().addr().is_multiple_of(BLOCK));
            assert_eq!(of.len(), bytes);
            assert!(of[..100].iter().all(|byte| *byte == 1) && of[100..150].iter().all(|byte| *byte == 2));
            assert!(of[150..].iter().all(|byte| *byte == 0), "what was there before is gone");
        }
        assert!(blocks.0.capacity() <= KEPT + 2 * BLOCK, "much is not kept: {}", blocks.0.capacity());
    }

    /// Whether this goes past the page cache or not: what was written is what is read.
    #[test]
    fn blocks_and_other_bytes_are_written_to_one_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("blocks");
        let file = File::options().read(true).write(true).create_new(true).open(&path).expect("opens");
        let file = BlockFile::new(file, &path).expect("is a file");
        let mut blocks = Blocks::default();
        file.write(0, b"header").expect("writes");
        file.write(BLOCK as u64, blocks.of(&[&[7; 100]], 2 * BLOCK)).expect("writes a whole block");
        file.write(BLOCK as u64 + 50, b"between").expect("writes within");
        file.write(0, blocks.of(&[b"another"], BLOCK)).expect("writes over it");
        file.sync_data().expect("syncs");
        let mut expected = vec![0; 3 * BLOCK];
        expected[..7].copy_from_slice(b"another");
        expected[BLOCK..BLOCK + 100].fill(7);
        expected[BLOCK + 50..BLOCK + 57].copy_from_slice(b"between");
        assert_eq!(std::fs::read(&path).expect("reads"), expected);
        let mut bytes = vec![0; 3 * BLOCK];
        file.read(0, &mut bytes).expect("reads");
        assert_eq!((bytes, file.len().expect("has a length")), (expected, 3 * BLOCK as u64));
    }
}
