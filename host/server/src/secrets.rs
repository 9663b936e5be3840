//! Secrets from the environment and from files.
//!
//! A file is looked at whenever secrets are asked for, and read again when it is
//! another one; so a rotated secret holds from the next call on. A secret that can't
//! be read any more is not sent; it is kept out of texts as before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bailiwick_domain::redact::TooManySecrets;
use bailiwick_domain::secret::{InvalidSecret, MAX_SECRET, SecretSet, SecretStore, SecretValue};
use zeroize::Zeroizing;

use crate::config::SecretSource;

/// Permissions that the file of a secret must not have: others may do nothing with it,
/// and its group may read it, because service managers hand out files like that.
const FORBIDDEN_MODE: u32 = 0o037;

/// Former values of a secret that are still kept out of texts.
const FORMER: usize = 4;

/// The secrets of a configuration.
pub struct ConfiguredSecrets {
    current: RwLock<Arc<SecretSet>>,
    secrets: Mutex<Vec<Secret>>,
    /// Whether any of them can change.
    has_files: bool,
}

/// One secret, as it was read last.
struct Secret {
    name: String,
    source: SecretSource,
    stamp: Option<Stamp>,
    value: Result<Arc<SecretValue>, SecretProblem>,
    former: Vec<Arc<SecretValue>>,
}

/// A secret, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: SecretSource,
    /// Why it can't be read, where it can't.
    pub problem: Option<SecretProblem>,
}

/// Why a secret can't be read. It says nothing of the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretProblem {
    /// There is no such variable.
    #[error("is to come from `{0}`, which is not in the environment")]
    NoVariable(String),
    /// The file can't be read.
    #[error("is to come from `{path}`, which can't be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Others could read the file.
    #[error(
        "is to come from `{path}`, which others may read or change (mode {mode:03o}): expected mode 600, by `chmod 600 {path}`"
    )]
    Exposed {
        /// The file.
        path: String,
        /// Its permissions.
        mode: u32,
    },
    /// The value can't be a secret.
    #[error(transparent)]
    Invalid(InvalidSecret),
}

/// Which file it was, and when it was last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    mode: u32,
    changed: (i64, i64),
}

impl ConfiguredSecrets {
    /// Reads all of `sources`.
    pub fn open(sources: &BTreeMap<String, SecretSource>) -> Result<Self, TooManySecrets> {
        let secrets: Vec<Secret> = sources.iter().map(|(name, source)| Secret::read(name, source)).collect();
        let has_files = secrets.iter().any(|secret| matches!(secret.source, SecretSource::File(_)));
        let current = RwLock::new(Arc::new(set(&secrets)?));
        Ok(Self { current, secrets: Mutex::new(secrets), has_files })
    }

    /// What there is, without the values.
    pub fn list(&self) -> Vec<SecretInfo> {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().map(Secret::info).collect()
    }

    /// Reads the files that are no longer those that were read.
    fn look(&self) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = false;
        for secret in secrets.iter_mut() {
            changed |= secret.look();
        }
        if !changed {
            return;
        }
        match set(&secrets) {
            Ok(set) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set),
            Err(error) => tracing::error!("the secrets stay as they were: {error}"),
        }
    }
}

impl SecretStore for ConfiguredSecrets {
    fn current(&self) -> Arc<SecretSet> {
        if self.has_files {
            self.look();
        }
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn set(secrets: &[Secret]) -> Result<SecretSet, TooManySecrets> {
    let value = |secret: &Secret| Some((secret.name.clone(), Arc::clone(secret.value.as_ref().ok()?)));
    let former = secrets.iter().flat_map(|it| it.former.iter().map(|value| (it.name.clone(), Arc::clone(value))));
    SecretSet::new(secrets.iter().filter_map(value).collect(), &former.collect::<Vec<_>>())
}

impl Secret {
    fn read(name: &str, source: &SecretSource) -> Self {
        let (stamp, value) = read(source);
        Self { name: name.to_owned(), source: source.clone(), stamp, value, former: Vec::new() }
    }

    /// Reads the file if it is another one, and answers whether it was.
    fn look(&mut self) -> bool {
        let SecretSource::File(path) = &self.source else { return false };
        if stamp_of(path) == self.stamp {
            return false;
        }
        let (stamp, value) = read(&self.source);
        if let Err(problem) = &value {
            tracing::error!("the secret `{}` is not sent any more: it {problem}", self.name);
        }
        if let Ok(former) = std::mem::replace(&mut self.value, value) {
            self.former.insert(0, former);
            self.former.truncate(FORMER);
        }
        self.stamp = stamp;
        true
    }

    fn info(&self) -> SecretInfo {
        let problem = self.value.as_ref().err().cloned();
        SecretInfo { name: self.name.clone(), source: self.source.clone(), problem }
    }
}

type Value = Result<Arc<SecretValue>, SecretProblem>;

fn read(source: &SecretSource) -> (Option<Stamp>, Value) {
    match source {
        SecretSource::Env(variable) => {
            let value = std::env::var_os(variable).ok_or_else(|| SecretProblem::NoVariable(variable.clone()));
            (None, value.and_then(|value| secret(value.into_vec())))
        }
        SecretSource::File(path) => read_file(path),
    }
}

/// The stamp is of the very file that is read, and older than what is read: whatever
/// changes meanwhile shows at the next look.
fn read_file(path: &Path) -> (Option<Stamp>, Value) {
    let shown = || path.display().to_string();
    let unreadable = |reason: String| SecretProblem::Unreadable { path: shown(), reason };
    let opened = File::open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let (file, metadata) = match opened {
        Ok(opened) => opened,
        Err(error) => return (None, Err(unreadable(error.to_string()))),
    };
    let stamp = Some(Stamp::from(&metadata));
    let mode = metadata.mode() & 0o777;
    let value = if !metadata.is_file() {
        Err(unreadable("it is not a file".to_owned()))
    } else if mode & FORBIDDEN_MODE != 0 {
        Err(SecretProblem::Exposed { path: shown(), mode })
    } else {
        content(file).map_err(|error| unreadable(error.to_string())).and_then(secret)
    };
    (stamp, value)
}

/// The whole file, and a byte more than a secret may have where it is longer.
fn content(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 3));
    file.take(MAX_SECRET as u64 + 3).read_to_end(&mut bytes)?;
    Ok(std::mem::take(&mut *bytes))
}

/// Editors end a file with a line break, which is not part of the secret.
fn secret(mut bytes: Vec<u8>) -> Value {
    if bytes.pop_if(|byte| *byte == b'\n').is_some() {
        bytes.pop_if(|byte| *byte == b'\r');
    }
    SecretValue::new(bytes).map(Arc::new).map_err(SecretProblem::Invalid)
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    std::fs::metadata(path).ok().as_ref().map(Stamp::from)
}

impl From<&std::fs::Metadata> for Stamp {
    fn from(metadata: &std::fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            mode: metadata.mode(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use tempfile::TempDir;

    use super::*;

    fn write(folder: &TempDir, name: &str, text: &str, mode: u32) -> SecretSource {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        SecretSource::File(path)
    }

    fn open(source: SecretSource) -> ConfiguredSecrets {
        ConfiguredSecrets::open(&[("key".to_owned(), source)].into()).expect("few")
    }

    fn value(secrets: &ConfiguredSecrets) -> Option<Vec<u8>> {
        secrets.current().get("key").map(|value| value.expose().to_vec())
    }

    fn problem(source: SecretSource) -> String {
        let secrets = open(source);
        assert_eq!(value(&secrets), None);
        secrets.list()[0].problem.clone().expect("a problem").to_string()
    }

    #[test]
    fn the_line_break_at_the_end_of_a_file_is_not_of_the_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, expected) in
            [("a secret\n", "a secret"), ("a secret\r\n", "a secret"), ("a secret\n\n", "a secret\n")]
        {
            let secrets = open(write(&folder, "key", text, 0o600));
            assert_eq!(value(&secrets).as_deref(), Some(expected.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        for mode in [0o604, 0o644, 0o620, 0o602, 0o660] {
            let says = problem(write(&folder, "key", "correct horse", mode));
            assert!(says.contains("others may read") && says.contains(&format!("mode {mode:03o}")), "{says}");
            assert!(!says.contains("correct"), "{says}");
        }
        for mode in [0o600, 0o400, 0o440] {
            assert!(value(&open(write(&folder, "key", "correct horse", mode))).is_some(), "{mode:o}");
            fs::remove_file(folder.path().join("key")).expect("removed");
        }
    }

    #[test]
    fn what_is_missing_or_short_or_long_is_told_without_its_value() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(problem(SecretSource::Env("BAILIWICK_NO_SUCH_VARIABLE".into())).contains("not in the environment"));
        assert!(problem(SecretSource::File(folder.path().join("none"))).contains("can't be read"));
        assert!(problem(SecretSource::File(folder.path().to_owned())).contains("not a file"));
        let short = problem(write(&folder, "key", "hunter2\n", 0o600));
        assert!(short.contains("has 7 bytes, expected at least 8") && !short.contains("hunter"), "{short}");
        assert!(problem(write(&folder, "key", &"x".repeat(9000), 0o600)).contains("more than 8192 bytes"));
    }

    #[test]
    fn a_changed_file_is_read_again_and_its_former_value_still_kept_out_of_texts() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = open(write(&folder, "key", "the first one", 0o600));
        assert_eq!(value(&secrets).as_deref(), Some(b"the first one".as_slice()));
        let same = secrets.current();
        assert!(Arc::ptr_eq(&same, &secrets.current()), "an unchanged file is not read again");
        write(&folder, "new", "the second one", 0o600);
        fs::rename(folder.path().join("new"), folder.path().join("key")).expect("rotated");
        assert_eq!(value(&secrets).as_deref(), Some(b"the second one".as_slice()));
        write(&folder, "key", "the third one", 0o644);
        assert_eq!(value(&secrets), None, "others may read it now");
        let set = secrets.current();
        assert_eq!(set.redactor().text("the first one, the second one"), "[secret key], [secret key]");
        fs::remove_file(folder.path().join("key")).expect("removed");
        assert_eq!(value(&secrets), None);
    }
}
