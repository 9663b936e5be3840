//! `wasi:filesystem` as a guest meets it: wasmtime's implementation, behind a
//! count of what is added and a record of what is refused.

use std::sync::Arc;

use bailiwick_domain::observation::Touch;
use wasmtime::component::{HasData, Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode, Filesize,
    HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::bindings::filesystem::{preopens, types};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::root::{Addition, QuotaReached, Root};
use super::stream::Counted as CountedStream;
use super::{Files, Held, join};
use crate::capabilities::{Denials, Uses};
use crate::guest::Guest;
use crate::meter::{Counted, Counters};

/// One file, folder or link.
const ONE_FILE: Addition = Addition { bytes: 0, files: 1 };

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    preopens::add_to_linker::<_, HasFiles>(linker, Guest::files_view)?;
    types::add_to_linker::<_, HasFiles>(linker, Guest::files_view)
}

struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = View<'a>;
}

/// What the interface's functions work on.
pub(crate) struct View<'a> {
    pub(crate) inner: WasiFilesystemCtxView<'a>,
    pub(crate) files: &'a mut Files,
    pub(crate) denials: &'a Arc<Denials>,
    pub(crate) uses: &'a Uses,
    pub(crate) counters: &'a Counters,
}

/// The same descriptor once more, for wasmtime's implementation.
fn again(fd: &Resource<Descriptor>) -> Resource<Descriptor> {
    Resource::new_borrow(fd.rep())
}

/// Whether a failure tells the guest something of the path itself, such as that nothing
/// is there, for which it must have been let look.
fn is_about_the_path(error: &FsError) -> bool {
    let about = [ErrorCode::NoEntry, ErrorCode::Exist, ErrorCode::NotDirectory, ErrorCode::IsDirectory];
    error.downcast_ref().is_some_and(|code| about.contains(code))
}

/// What a guest tries, for the record of a refusal.
struct Attempt {
    root: Arc<Root>,
    what: &'static str,
    path: String,
    /// Whether it would change something, which a root that is only read forbids.
    changes: bool,
}

impl Attempt {
    fn reason(&self) -> &'static str {
        if self.changes && !self.root.is_writable() {
            "the folder is granted for reading only"
        } else {
            "the path leads out of the granted folder, or the system forbids it"
        }
    }
}

impl View<'_> {
    fn held(&self, fd: &Resource<Descriptor>) -> FsResult<&Held> {
        // Every descriptor that a guest can name was put there when it was made.
        self.files.held.get(&fd.rep()).ok_or_else(|| ErrorCode::BadDescriptor.into())
    }

    /// Counts a call on what `fd` is open for.
    fn on(&self, fd: &Resource<Descriptor>, what: &'static str, changes: bool) -> FsResult<Attempt> {
        let held = self.held(fd)?;
        self.count(Attempt { root: Arc::clone(&held.root), what, path: held.path.clone(), changes })
    }

    /// Counts a call on what `path` means below `fd`.
    fn at(&self, fd: &Resource<Descriptor>, path: &str, what: &'static str, changes: bool) -> FsResult<Attempt> {
        let held = self.held(fd)?;
        self.count(Attempt { root: Arc::clone(&held.root), what, path: join(&held.path, path), changes })
    }

    fn count(&self, attempt: Attempt) -> FsResult<Attempt> {
        match self.counters.take(Counted::HostCalls, 1) {
            Ok(()) => Ok(attempt),
            Err(reached) => Err(self.deny(&attempt, &reached.to_string(), ErrorCode::Quota)),
        }
    }

    fn deny(&self, attempt: &Attempt, reason: &str, code: ErrorCode) -> FsError {
        self.denials.record("fs", format!("{} {}", attempt.what, attempt.path), reason);
        code.into()
    }

    /// Charges `addition` before it is made.
    fn charge(&self, attempt: &Attempt, addition: Addition) -> FsResult<()> {
        attempt.root.charge(addition).map_err(|reached| self.deny(attempt, &reached.to_string(), ErrorCode::Quota))
    }

    /// The result, recorded where it is a refusal, and where it is the first of its kind.
    fn told<T>(&self, attempt: &Attempt, result: FsResult<T>) -> FsResult<T> {
        if result.is_ok() && attempt.root.is_first(attempt.changes) {
            let how = if attempt.changes { "written" } else { "read" };
            self.uses.record("fs", format_args!("{} {how}", attempt.root.path));
        }
        if result.is_ok() || result.as_ref().is_err_and(is_about_the_path) {
            self.touch(&attempt.root, &attempt.path, attempt.changes);
        }
        if let Err(error) = &result
            && matches!(error.downcast_ref(), Some(ErrorCode::NotPermitted))
        {
            self.denials.record("fs", format!("{} {}", attempt.what, attempt.path), attempt.reason());
        }
        result
    }

    fn touch(&self, root: &Arc<Root>, path: &str, changed: bool) {
        self.uses.touch(|| Touch::Path { root: root.path.clone(), path: path.to_owned(), changed });
    }

    /// Notes the other path of an operation on two.
    fn touch_at(&self, fd: &Resource<Descriptor>, path: &str, changed: bool) -> FsResult<()> {
        let held = self.held(fd)?;
        self.touch(&held.root, &join(&held.path, path), changed);
        Ok(())
    }

    /// The result of what was charged; a failure takes nothing.
    fn settle<T>(&self, attempt: &Attempt, charged: Addition, result: FsResult<T>) -> FsResult<T> {
        if result.is_err() {
            attempt.root.refund(charged);
        }
        self.told(attempt, result)
    }

    /// A name may only be moved or linked within one root: what was paid for from
    /// the quota of one must not turn up below another.
    fn same_root(&self, attempt: &Attempt, fd: &Resource<Descriptor>) -> FsResult<()> {
        let other = &self.held(fd)?.root;
        if Arc::ptr_eq(&attempt.root, other) || !attempt.root.is_writable() || !other.is_writable() {
            return Ok(());
        }
        let reason = format!("it would cross from `{}` to `{}`", attempt.root.path, other.path);
        Err(self.deny(attempt, &reason, ErrorCode::CrossDevice))
    }

    /// Bytes that lie between the end of the file and `offset`.
    async fn gap(&mut self, fd: &Resource<Descriptor>, offset: u64) -> FsResult<u64> {
        let held = self.held(fd)?;
        if offset <= held.end || !held.root.is_writable() {
            return Ok(0);
        }
        let size = HostDescriptor::stat(&mut self.inner, again(fd)).await?.size;
        Ok(offset.saturating_sub(size))
    }

    fn keep(&mut self, fd: &Resource<Descriptor>, root: Arc<Root>, path: String) {
        self.files.held.insert(fd.rep(), Held { root, path, end: 0 });
    }

    /// The stream, counted.
    fn counted(
        &mut self,
        attempt: Attempt,
        gap: u64,
        stream: Resource<DynOutputStream>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.inner.table.delete(stream)?;
        let Attempt { root, path, .. } = attempt;
        let counted = CountedStream { inner, root, denials: Arc::clone(self.denials), path, gap };
        Ok(self.inner.table.push(Box::new(counted) as DynOutputStream)?)
    }
}

impl preopens::Host for View<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let folders = preopens::Host::get_directories(&mut self.inner)?;
        for (fd, path) in &folders {
            let root = self.files.roots.iter().find(|root| root.path.as_str() == path);
            let root = root.ok_or_else(|| wasmtime::Error::msg("a folder that was not granted is open"))?;
            self.keep(fd, Arc::clone(root), path.clone());
        }
        Ok(folders)
    }
}

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        types::Host::convert_error_code(&mut self.inner, error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        if self.inner.table.get(&error)?.is::<QuotaReached>() {
            return Ok(Some(ErrorCode::Quota));
        }
        types::Host::filesystem_error_code(&mut self.inner, error)
    }
}

impl HostDescriptor for View<'_> {
    async fn advise(
        &mut self,
        fd: Resource<Descriptor>,
        offset: Filesize,
        len: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        self.on(&fd, "advise", false)?;
        HostDescriptor::advise(&mut self.inner, fd, offset, len, advice).await
    }

    async fn sync_data(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.on(&fd, "sync", false)?;
        HostDescriptor::sync_data(&mut self.inner, fd).await
    }

    async fn get_flags(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        self.on(&fd, "get flags of", false)?;
        HostDescriptor::get_flags(&mut self.inner, fd).await
    }

    async fn get_type(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorType> {
        self.on(&fd, "get type of", false)?;
        HostDescriptor::get_type(&mut self.inner, fd).await
    }

    async fn set_size(&mut self, fd: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        let attempt = self.on(&fd, "set size of", true)?;
        let charged = Addition { bytes: self.gap(&fd, size).await?, files: 0 };
        self.charge(&attempt, charged)?;
        let result = HostDescriptor::set_size(&mut self.inner, again(&fd), size).await;
        if let (Ok(()), Some(held)) = (&result, self.files.held.get_mut(&fd.rep())) {
            held.end = size;
        }
        self.settle(&attempt, charged, result)
    }

    async fn set_times(
        &mut self,
        fd: Resource<Descriptor>,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let attempt = self.on(&fd, "set times of", true)?;
        let result = HostDescriptor::set_times(&mut self.inner, fd, accessed, modified).await;
        self.told(&attempt, result)
    }

    async fn read(&mut self, fd: Resource<Descriptor>, len: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        self.on(&fd, "read", false)?;
        HostDescriptor::read(&mut self.inner, fd, len, offset).await
    }

    async fn write(&mut self, fd: Resource<Descriptor>, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let attempt = self.on(&fd, "write", true)?;
        let (gap, len) = (self.gap(&fd, offset).await?, bytes.len() as u64);
        let charged = Addition { bytes: gap.saturating_add(len), files: 0 };
        self.charge(&attempt, charged)?;
        let result = HostDescriptor::write(&mut self.inner, again(&fd), bytes, offset).await;
        if let Ok(written) = result {
            attempt.root.refund(Addition { bytes: len.saturating_sub(written), files: 0 });
            if let Some(held) = self.files.held.get_mut(&fd.rep()) {
                held.end = held.end.max(offset.saturating_add(written));
            }
        }
        self.settle(&attempt, charged, result)
    }

    async fn read_directory(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DirectoryEntryStream>> {
        let attempt = self.on(&fd, "list", false)?;
        let result = HostDescriptor::read_directory(&mut self.inner, fd).await;
        self.told(&attempt, result)
    }

    async fn sync(&mut self, fd: Resource<Descriptor>) -> FsResult<()> {
        self.on(&fd, "sync", false)?;
        HostDescriptor::sync(&mut self.inner, fd).await
    }

    async fn create_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let attempt = self.at(&fd, &path, "create folder", true)?;
        self.charge(&attempt, ONE_FILE)?;
        let result = HostDescriptor::create_directory_at(&mut self.inner, fd, path).await;
        self.settle(&attempt, ONE_FILE, result)
    }

    async fn stat(&mut self, fd: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        self.on(&fd, "stat", false)?;
        HostDescriptor::stat(&mut self.inner, fd).await
    }

    async fn stat_at(&mut self, fd: Resource<Descriptor>, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        let attempt = self.at(&fd, &path, "stat", false)?;
        let result = HostDescriptor::stat_at(&mut self.inner, fd, flags, path).await;
        self.told(&attempt, result)
    }

    async fn set_times_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let attempt = self.at(&fd, &path, "set times of", true)?;
        let result = HostDescriptor::set_times_at(&mut self.inner, fd, flags, path, accessed, modified).await;
        self.told(&attempt, result)
    }

    async fn link_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let attempt = self.at(&new_fd, &new_path, "link", true)?;
        self.same_root(&attempt, &fd)?;
        self.charge(&attempt, ONE_FILE)?;
        self.touch_at(&fd, &old_path, false)?;
        let result = HostDescriptor::link_at(&mut self.inner, fd, flags, old_path, new_fd, new_path).await;
        self.settle(&attempt, ONE_FILE, result)
    }

    async fn open_at(
        &mut self,
        fd: Resource<Descriptor>,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE)
            || flags.intersects(DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY);
        let attempt = self.at(&fd, &path, "open", changes)?;
        let mut charged = Addition::default();
        if open_flags.contains(OpenFlags::CREATE) && attempt.root.is_writable() {
            let found = HostDescriptor::stat_at(&mut self.inner, again(&fd), path_flags, path.clone()).await;
            let absent = found.is_err_and(|error| matches!(error.downcast_ref(), Some(ErrorCode::NoEntry)));
            charged.files = u64::from(absent);
        }
        self.charge(&attempt, charged)?;
        let result = HostDescriptor::open_at(&mut self.inner, fd, path_flags, path, open_flags, flags).await;
        if let Ok(opened) = &result {
            self.keep(opened, Arc::clone(&attempt.root), attempt.path.clone());
        }
        self.settle(&attempt, charged, result)
    }

    fn drop(&mut self, fd: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.files.held.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    async fn readlink_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<String> {
        let attempt = self.at(&fd, &path, "read link", false)?;
        let result = HostDescriptor::readlink_at(&mut self.inner, fd, path).await;
        self.told(&attempt, result)
    }

    async fn remove_directory_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let attempt = self.at(&fd, &path, "remove folder", true)?;
        let result = HostDescriptor::remove_directory_at(&mut self.inner, fd, path).await;
        self.told(&attempt, result)
    }

    async fn rename_at(
        &mut self,
        fd: Resource<Descriptor>,
        old_path: String,
        new_fd: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let attempt = self.at(&new_fd, &new_path, "rename to", true)?;
        self.same_root(&attempt, &fd)?;
        self.touch_at(&fd, &old_path, true)?;
        let result = HostDescriptor::rename_at(&mut self.inner, fd, old_path, new_fd, new_path).await;
        self.told(&attempt, result)
    }

    async fn symlink_at(&mut self, fd: Resource<Descriptor>, target: String, path: String) -> FsResult<()> {
        let attempt = self.at(&fd, &path, "create symlink", true)?;
        let charged = Addition { bytes: target.len() as u64, files: 1 };
        self.charge(&attempt, charged)?;
        let result = HostDescriptor::symlink_at(&mut self.inner, fd, target, path).await;
        if result.is_ok() {
            // From here on names below the root tell no more where something lies.
            self.touch(&attempt.root, attempt.root.path.as_str(), true);
        }
        self.settle(&attempt, charged, result)
    }

    async fn unlink_file_at(&mut self, fd: Resource<Descriptor>, path: String) -> FsResult<()> {
        let attempt = self.at(&fd, &path, "remove", true)?;
        let result = HostDescriptor::unlink_file_at(&mut self.inner, fd, path).await;
        self.told(&attempt, result)
    }

    fn read_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        self.on(&fd, "read", false)?;
        HostDescriptor::read_via_stream(&mut self.inner, fd, offset)
    }

    fn write_via_stream(&mut self, fd: Resource<Descriptor>, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        let attempt = self.on(&fd, "write", true)?;
        let gap = match self.inner.table.get(&fd)? {
            // This function can't wait; asking a file that is open for its length
            // is answered from memory.
            Descriptor::File(file) if offset > self.held(&fd)?.end => {
                offset.saturating_sub(file.file.metadata().map_or(0, |metadata| metadata.len()))
            }
            _ => 0,
        };
        let result = HostDescriptor::write_via_stream(&mut self.inner, fd, offset);
        let stream = self.told(&attempt, result)?;
        self.counted(attempt, gap, stream)
    }

    fn append_via_stream(&mut self, fd: Resource<Descriptor>) -> FsResult<Resource<DynOutputStream>> {
        let attempt = self.on(&fd, "append to", true)?;
        let result = HostDescriptor::append_via_stream(&mut self.inner, fd);
        let stream = self.told(&attempt, result)?;
        self.counted(attempt, 0, stream)
    }

    async fn is_same_object(&mut self, a: Resource<Descriptor>, b: Resource<Descriptor>) -> wasmtime::Result<bool> {
        self.counters.take(Counted::HostCalls, 1)?;
        HostDescriptor::is_same_object(&mut self.inner, a, b).await
    }

    async fn metadata_hash(&mut self, fd: Resource<Descriptor>) -> FsResult<MetadataHashValue> {
        self.on(&fd, "hash metadata of", false)?;
        HostDescriptor::metadata_hash(&mut self.inner, fd).await
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Resource<Descriptor>,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let attempt = self.at(&fd, &path, "hash metadata of", false)?;
        let result = HostDescriptor::metadata_hash_at(&mut self.inner, fd, flags, path).await;
        self.told(&attempt, result)
    }
}

impl HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        HostDirectoryEntryStream::read_directory_entry(&mut self.inner, stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        HostDirectoryEntryStream::drop(&mut self.inner, stream)
    }
}
