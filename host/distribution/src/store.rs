//! What is installed: folders below the data folder, held to the lock.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_skills::registry::{Admission, Admitted, NotAdmitted};
use semver::Version;
use tempfile::TempDir;

use crate::bundle::{self, Bundle, BundleError};
use crate::durable;
use crate::lock::{FILE_NAME, Lock, LockError, Locked};
use crate::trust::{Signer, Trust};

/// What the names of folders begin with that are no packages yet, or no longer.
/// Whoever lists packages passes over what is hidden.
const HIDDEN: &str = ".package-";

/// Installed packages, the lock that names them, and whose signatures count.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    lock: PathBuf,
    trust: Trust,
    /// The text that was read last, and what it says: it is asked for once for each package.
    read: Mutex<Option<(String, Arc<Lock>)>>,
}

impl Store {
    /// The packages in `folder`, which need not be there, under the lock at `lock`.
    pub const fn new(folder: PathBuf, lock: PathBuf, trust: Trust) -> Self {
        Self { folder, lock, trust, read: Mutex::new(None) }
    }

    /// Whose signatures count.
    pub const fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Where the lock is, or would be.
    pub fn lock_path(&self) -> &Path {
        &self.lock
    }

    /// The lock as it is now.
    pub fn current(&self) -> Result<Arc<Lock>, LockError> {
        let text = Lock::read(&self.lock)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((before, lock)) = &*read
            && *before == text
        {
            return Ok(Arc::clone(lock));
        }
        let parsed = Lock::parse(&text).map_err(|error| LockError::Invalid { path: self.lock.clone(), error })?;
        let lock = Arc::new(parsed);
        *read = Some((text, Arc::clone(&lock)));
        Ok(lock)
    }

    /// The folder of a package, whether it is there or not.
    pub fn place(&self, skill: &SkillId, version: &Version) -> PathBuf {
        self.folder.join(folder_name(skill, version))
    }

    /// Every installed package, by its folder.
    pub fn installed(&self) -> io::Result<Vec<(SkillId, Version)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            found.extend(read_name(&entry?.file_name().to_string_lossy()));
        }
        found.sort();
        Ok(found)
    }

    /// Whether a package is there with all its bytes.
    pub fn has(&self, locked: &Locked) -> bool {
        let place = self.place(&locked.skill, &locked.version);
        bundle::digest_of(&place).is_ok_and(|digest| digest == locked.bundle)
    }

    /// Writes the files of a package beside the others, where nothing reads them yet.
    pub(crate) fn stage(&self, bundle: &Bundle) -> Result<TempDir, BundleError> {
        let failed = |error| BundleError::Io { path: self.folder.clone(), error };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder).map_err(failed)?;
        durable::sync(durable::parent(&self.folder)).map_err(failed)?;
        let staged = tempfile::Builder::new().prefix(HIDDEN).tempdir_in(&self.folder).map_err(failed)?;
        bundle.unpack(staged.path())?;
        Ok(staged)
    }

    /// Puts staged files in place, as a whole, and waits until the disk has them.
    pub(crate) fn put(&self, staged: TempDir, skill: &SkillId, version: &Version) -> io::Result<()> {
        let place = self.place(skill, version);
        let old = self.set_aside(&place)?;
        fs::rename(staged.path(), &place)?;
        // What was staged has another name now, so that there is nothing to clean up.
        let _ = staged.keep();
        durable::sync(&self.folder)?;
        drop(old);
        Ok(())
    }

    /// Takes a package away; whether it was there.
    pub(crate) fn take(&self, skill: &SkillId, version: &Version) -> io::Result<bool> {
        let old = self.set_aside(&self.place(skill, version))?;
        if old.is_some() {
            durable::sync(&self.folder)?;
        }
        Ok(old.is_some())
    }

    /// Removes what a host left behind that ended in the middle of an installation.
    pub fn sweep(&self) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok) {
            if entry.file_name().as_encoded_bytes().starts_with(HIDDEN.as_bytes())
                && let Err(error) = fs::remove_dir_all(entry.path())
            {
                tracing::warn!(%error, folder = %entry.path().display(), "a leftover of an installation can't be removed");
            }
        }
    }

    /// Gives a folder a name that nothing reads, and has it removed when the answer is dropped.
    fn set_aside(&self, place: &Path) -> io::Result<Option<TempDir>> {
        match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found?,
        };
        let aside = tempfile::Builder::new().prefix(HIDDEN).tempdir_in(&self.folder)?;
        fs::rename(place, aside.path().join("old"))?;
        Ok(Some(aside))
    }

    fn judge(&self, package: &Path, skill: &SkillId, version: &Version) -> Result<Admitted, String> {
        let lock = self.current().map_err(|error| match error {
            LockError::Invalid { error, .. } => {
                format!("`{FILE_NAME}` is wrong, so that nothing in it counts: {error}")
            }
            LockError::Unreadable { .. } | LockError::Unwritable { .. } => format!("`{FILE_NAME}` can't be read"),
        })?;
        let what_to_do = format!(
            "`bailiwick skills install` brings back what stands there, `bailiwick skills remove {skill}@{version}` removes it"
        );
        let Some(locked) = lock.get(skill, version) else {
            return Err(format!(
                "it is installed and not in `{FILE_NAME}`: install it from its source, or remove it with `bailiwick skills remove {skill}@{version}`"
            ));
        };
        let found = bundle::digest_of(package).map_err(|error| {
            let text = error.to_string().replace(&format!("{}/", package.display()), "");
            format!("its files are not those of `{FILE_NAME}` ({text}): {what_to_do}")
        })?;
        if found != locked.bundle {
            let digests = format!("the bundle is {found}, expected {}", locked.bundle);
            return Err(format!("its files are not those of `{FILE_NAME}` ({digests}): {what_to_do}"));
        }
        if let Signer::Key { name, key } = &locked.signer
            && !self.trust.knows(key, skill)
        {
            return Err(format!(
                "it was signed by the key `{name}`, which this host does not trust with the namespace `{}`: put {key} into `skills.trusted_keys`, or remove the skill with `bailiwick skills remove {skill}@{version}`",
                skill.namespace()
            ));
        }
        Ok(Admitted { id: skill.clone(), version: version.clone(), digest: locked.digest })
    }
}

impl Admission for Store {
    fn folder(&self) -> &Path {
        &self.folder
    }

    fn lock(&self) -> &Path {
        &self.lock
    }

    fn files(&self, package: &Path) -> Vec<PathBuf> {
        bundle::paths_of(package)
    }

    fn admit(&self, package: &Path) -> Result<Admitted, NotAdmitted> {
        let name = package.file_name().unwrap_or_default().to_string_lossy();
        let Some((id, version)) = read_name(&name) else {
            let reason = "nothing was ever installed under this name: remove the folder, or move it to one of `skills.directories`";
            return Err(NotAdmitted { id: None, version: None, reason: reason.to_owned() });
        };
        self.judge(package, &id, &version).map_err(|reason| NotAdmitted {
            id: Some(id),
            version: Some(version),
            reason,
        })
    }
}

/// The digest that grants for a package would be bound to, without a look at its code:
/// that of its component, or of a prompt's instructions.
pub(crate) fn digest_in(bundle: &Bundle, component: Option<&Path>) -> Option<Digest> {
    let path = component.unwrap_or(Path::new(bailiwick_skills::package::INSTRUCTIONS_FILE));
    bundle.file(path.to_str()?).map(Digest::of)
}

/// Neither ids nor versions have `_` or `@`, so that no two packages have one name.
fn folder_name(skill: &SkillId, version: &Version) -> String {
    format!("{}_{}@{version}", skill.namespace(), skill.name())
}

fn read_name(name: &str) -> Option<(SkillId, Version)> {
    let (id, version) = name.split_once('@')?;
    Some((id.replacen('_', "/", 1).parse().ok()?, version.parse().ok()?))
}
