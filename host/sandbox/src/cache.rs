//! Compiled code on disk, sealed by this host.
//!
//! Loading compiled code runs whatever it holds, so a file is used only if
//! its seal, a keyed BLAKE3 hash, is right. The key lies beside the cache,
//! readable by this user alone: who can read it could replace the host itself.
//! A file that does not fit its seal is compiled anew, never run.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bailiwick_domain::component::Inspection;
use bailiwick_domain::digest::Digest;
use serde::{Deserialize, Serialize};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Changes when what is stored beside the code changes its form.
const FORMAT: &str = "1";

/// Most bytes of a description: tools and their documentation.
const MAX_DESCRIPTION: u64 = 16 << 20;

/// The compiled code of one kind of engine.
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

/// What is stored beside the code. The seal of this text covers the code by its hash.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    inspection: Inspection,
    code: [u8; 32],
}

impl Cache {
    /// Opens the cache below `root` for code of `engine`.
    ///
    /// The folder's name holds the engine's version, settings and processor, so
    /// that another engine's code is never looked at.
    pub(crate) fn open(root: &Path, engine: &Engine, name: &str) -> io::Result<Self> {
        private_folder(root)?;
        let key = key(&root.join("seal.key"))?;
        let folder = root.join(format!("{name}-{FORMAT}-{}", compatibility(engine)));
        private_folder(&folder)?;
        Ok(Self { folder, key })
    }

    /// The stored description of `digest`, if it is whole.
    pub(crate) fn describe(&self, digest: &Digest) -> Option<Inspection> {
        self.description(digest).map(|description| description.inspection)
    }

    /// The stored code of `digest`, mapped from disk, if it is whole.
    pub(crate) fn load(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let sealed = self.description(digest)?.code;
        let mut file = File::open(self.path(digest, "cwasm")).ok()?;
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update_reader(&mut file).ok()?;
        if hasher.finalize() != blake3::Hash::from_bytes(sealed) {
            tracing::warn!(%digest, "compiled code on disk is not what this host wrote; compiling it anew");
            return None;
        }
        map(engine, &file)
            .inspect_err(|error| tracing::warn!(%digest, %error, "compiled code on disk can't be used"))
            .ok()
    }

    /// Stores what was compiled. Code first: a description without its code would be a lie.
    pub(crate) fn store(&self, inspection: &Inspection, code: &[u8]) -> io::Result<()> {
        let digest = &inspection.digest;
        self.write(&self.path(digest, "cwasm"), &[code])?;
        let sealed = *blake3::keyed_hash(&self.key, code).as_bytes();
        let text = serde_json::to_vec(&Description { inspection: inspection.clone(), code: sealed })?;
        let seal = blake3::keyed_hash(&self.key, &text);
        self.write(&self.path(digest, "json"), &[seal.as_bytes(), &text])
    }

    fn description(&self, digest: &Digest) -> Option<Description> {
        let mut bytes = Vec::new();
        let file = File::open(self.path(digest, "json")).ok()?;
        file.take(MAX_DESCRIPTION).read_to_end(&mut bytes).ok()?;
        let (seal, text) = bytes.split_first_chunk::<32>()?;
        if blake3::keyed_hash(&self.key, text) != blake3::Hash::from_bytes(*seal) {
            tracing::warn!(%digest, "a description on disk is not what this host wrote; compiling anew");
            return None;
        }
        let description: Description = serde_json::from_slice(text).ok()?;
        // The seal does not cover the file's name.
        (description.inspection.digest == *digest).then_some(description)
    }

    fn path(&self, digest: &Digest, extension: &str) -> PathBuf {
        self.folder.join(format!("{}.{extension}", digest.hex()))
    }

    /// Writes beside and renames, so that no reader sees half a file. A file
    /// that a crash cut short fails its seal, so nothing waits for the disk here.
    fn write(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let partial = self.folder.join(format!(".{}-{:?}", std::process::id(), std::thread::current().id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
        for part in parts {
            file.write_all(part)?;
        }
        drop(file);
        fs::rename(&partial, path)
    }
}

/// Maps the code in `file`, of which the seal was just checked.
fn map(engine: &Engine, file: &File) -> wasmtime::Result<Component> {
    // By the open file and not by its path, which might name another file by now.
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // SAFETY: `deserialize_file` demands bytes that `Component::serialize` wrote
    // and that do not change while mapped. The seal, keyed with a secret of this
    // user, shows the first. For the second, the file lies in a folder of mode
    // 0700, is only ever replaced by rename, and the mapping holds its inode.
    #[expect(unsafe_code, reason = "the one way to map compiled code; see the argument above")]
    unsafe {
        Component::deserialize_file(engine, path)
    }
}

fn compatibility(engine: &Engine) -> String {
    let mut hasher = Blake(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    hasher.0.update(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.0.finalize().to_hex()[..16].to_owned()
}

/// A stable hasher: the standard library's may change with the compiler.
struct Blake(blake3::Hasher);

impl std::hash::Hasher for Blake {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The seal's key, made at first use.
fn key(path: &Path) -> io::Result<[u8; 32]> {
    match read_key(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        other => return other,
    }
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(io::Error::other)?;
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(&fresh)?;
    file.sync_all()?;
    // Of two hosts that start at once, the first one's key stays.
    match fs::hard_link(&partial, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => fs::remove_file(&partial)?,
    }
    read_key(path)
}

fn read_key(path: &Path) -> io::Result<[u8; 32]> {
    let mut bytes = Vec::new();
    File::open(path)?.take(33).read_to_end(&mut bytes)?;
    let wrong = |_| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is not a key of 32 bytes; remove it and the cache is made anew", path.display()),
        )
    };
    bytes.try_into().map_err(wrong)
}
