//! The only way for a package into a host, and out of it.
//!
//! Fetched bytes are vouched for, unpacked beside the others, read and compiled as
//! they will be, recorded in the audit chain, put into the lock, and only then put
//! in place. Whatever happens in between, nothing runs that the lock doesn't name.

mod error;
mod fetch;

use std::path::Path;
use std::sync::Arc;

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_skills::audit::{Audit, PackageEvent, PackageStep};
use bailiwick_skills::package;
use bailiwick_skills::registry::Registry;
use semver::Version;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use self::fetch::{Fetched, Wanted};
use crate::lock::{self, Lock, Locked};
use crate::oci::Access;
use crate::source::Source;
use crate::store::Store;
use crate::trust::Signer;

pub use self::error::{Class, InstallError};

/// Installs and removes the packages of one host.
#[derive(Clone)]
pub struct Installer(Arc<Parts>);

struct Parts {
    store: Arc<Store>,
    registry: Arc<Registry>,
    audit: Arc<Audit>,
    /// Held for as long as the lock is changed, so that there is one change at a time.
    busy: tokio::sync::Mutex<()>,
}

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it comes from.
    pub source: Source,
    /// What it must be: the digest of the manifest in a registry, else of the bundle.
    pub digest: Option<Digest>,
    /// Whether it may come without a signature that counts.
    pub allow_unsigned: bool,
    /// How a registry is asked.
    pub access: Access,
}

/// Who asks, for the record.
#[derive(Clone, Debug)]
pub struct By {
    /// Who.
    pub principal: String,
    /// In which trace.
    pub trace_id: String,
}

/// A package that is installed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// What the lock says of it.
    pub locked: Locked,
    /// Whether it was there before, with the same bytes.
    pub already: bool,
}

/// What a host was brought to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// Every package of the lock.
    pub installed: Vec<Installed>,
    /// What was there and not in the lock.
    pub removed: Vec<(SkillId, Version)>,
}

impl Installer {
    /// The installer of `store`, whose packages `registry` reads.
    pub fn new(store: Arc<Store>, registry: Arc<Registry>, audit: Arc<Audit>) -> Self {
        store.sweep();
        Self(Arc::new(Parts { store, registry, audit, busy: tokio::sync::Mutex::default() }))
    }

    /// What the lock names, and whether each is there with all its bytes.
    pub async fn list(&self) -> Result<Vec<Installed>, InstallError> {
        let store = Arc::clone(&self.0.store);
        let list = move || {
            let lock = store.current()?;
            let installed = |locked: &Locked| Installed { locked: locked.clone(), already: store.has(locked) };
            Ok(lock.packages().map(installed).collect())
        };
        blocking(list).await
    }

    /// Installs one package. It is finished also where whoever asked went away.
    pub async fn install(&self, request: Request, by: By) -> Result<Installed, InstallError> {
        let parts = Arc::clone(&self.0);
        finish(async move {
            let _one_at_a_time = parts.busy.lock().await;
            let done = parts.install(&request, &by).await;
            parts.record_refusal(&request.source, &done, &by).await;
            done
        })
        .await
    }

    /// Brings what is installed to what the lock says.
    pub async fn sync(&self, allow_unsigned: bool, access: Access, by: By) -> Result<Synced, InstallError> {
        let parts = Arc::clone(&self.0);
        finish(async move {
            let _one_at_a_time = parts.busy.lock().await;
            parts.sync(allow_unsigned, &access, &by).await
        })
        .await
    }

    /// Removes a skill, in one version or in all. Grants stay as they are.
    pub async fn remove(
        &self,
        skill: SkillId,
        version: Option<Version>,
        by: By,
    ) -> Result<Vec<(SkillId, Version)>, InstallError> {
        let parts = Arc::clone(&self.0);
        finish(async move {
            let _one_at_a_time = parts.busy.lock().await;
            let all = parts
                .names()
                .await?
                .into_iter()
                .filter(|(id, found)| *id == skill && version.as_ref().is_none_or(|version| version == found));
            let gone: Vec<_> = all.collect();
            if gone.is_empty() {
                let version = version.map(|version| format!(" {version}")).unwrap_or_default();
                return Err(InstallError::NotInstalled { skill: format!("{skill}{version}") });
            }
            for (skill, version) in &gone {
                parts.remove(skill, version, &by).await?;
            }
            parts.reload().await?;
            Ok(gone)
        })
        .await
    }
}

/// A package whose files are on the disk, and not yet in their place.
struct Staged {
    folder: TempDir,
    locked: Locked,
}

impl Parts {
    async fn install(self: &Arc<Self>, request: &Request, by: &By) -> Result<Installed, InstallError> {
        let lock = self.lock().await?;
        let wanted = Wanted { digest: request.digest, allow_unsigned: request.allow_unsigned, access: &request.access };
        let fetched = fetch::fetch(&request.source, &self.store, &wanted).await?;
        let source = self.locked_source(&request.source);
        let staged = self.stage(fetched, source, request.allow_unsigned).await?;
        let locked = staged.locked.clone();
        if let Some(before) = lock.get(&locked.skill, &locked.version) {
            if before.bundle != locked.bundle {
                return Err(InstallError::conflict(before, &locked));
            }
            let says_more = before.signer == Signer::Unsigned && locked.signer != Signer::Unsigned;
            if !says_more && self.has(before).await? {
                return Ok(Installed { locked: before.clone(), already: true });
            }
        } else if lock.is_full() {
            return Err(InstallError::Full);
        }
        self.compile(&staged).await?;
        self.put(staged, by).await?;
        self.reload().await?;
        Ok(Installed { locked, already: false })
    }

    async fn sync(self: &Arc<Self>, allow_unsigned: bool, access: &Access, by: &By) -> Result<Synced, InstallError> {
        let lock = self.lock().await?;
        let mut synced = Synced::default();
        for locked in lock.packages() {
            let already = self.has(locked).await?;
            if !already {
                let done = self.restore(locked, allow_unsigned, access, by).await;
                self.record_refusal(&locked.source, &done, by).await;
                done?;
            }
            synced.installed.push(Installed { locked: locked.clone(), already });
        }
        let names = self.names().await?;
        for (skill, version) in names.into_iter().filter(|(id, version)| lock.get(id, version).is_none()) {
            self.remove(&skill, &version, by).await?;
            synced.removed.push((skill, version));
        }
        self.reload().await?;
        Ok(synced)
    }

    /// Fetches a package of the lock again. What comes must be what the lock says, in every respect.
    async fn restore(
        self: &Arc<Self>,
        locked: &Locked,
        allow_unsigned: bool,
        access: &Access,
        by: &By,
    ) -> Result<(), InstallError> {
        let digest = Some(locked.manifest.unwrap_or(locked.bundle));
        let wanted = Wanted { digest, allow_unsigned, access };
        let source = fetch::pinned(locked, self.store.lock_path());
        let fetched = fetch::fetch(&source, &self.store, &wanted).await?;
        let staged = self.stage(fetched, locked.source.clone(), allow_unsigned).await?;
        if staged.locked != *locked {
            return Err(InstallError::other_than_locked(locked, &staged.locked));
        }
        self.compile(&staged).await?;
        self.put(staged, by).await
    }

    /// Unpacks a package and finds out what it is and who vouches for it.
    async fn stage(
        self: &Arc<Self>,
        fetched: Fetched,
        source: Source,
        allow_unsigned: bool,
    ) -> Result<Staged, InstallError> {
        let parts = Arc::clone(self);
        blocking(move || {
            let Fetched { bundle, manifest, signed } = fetched;
            let wrong = |error| InstallError::Bundle { from: source.to_string(), error };
            let folder = parts.store.stage(&bundle).map_err(wrong)?;
            let package = package::load(folder.path(), &parts.registry.load_options())
                .map_err(|error| InstallError::package(&source, folder.path(), &error))?;
            let (skill, version) = (package.manifest.id, package.manifest.version);
            lock::check_version(&version)
                .map_err(|problem| InstallError::invalid(&source, format!("its version {problem}")))?;
            let refused = |error| InstallError::Untrusted { from: source.to_string(), error };
            let signer = signed.vouch(parts.store.trust(), &skill, allow_unsigned).map_err(refused)?;
            let digest = crate::store::digest_in(&bundle, package.manifest.component.as_deref());
            let digest = digest
                .ok_or_else(|| InstallError::invalid(&source, "its component is not one of its files".to_owned()))?;
            let locked = Locked { skill, version, source, manifest, bundle: bundle.digest(), digest, signer };
            Ok(Staged { folder, locked })
        })
        .await
    }

    /// Reads the package as the registry will, its code compiled: what is broken is not installed.
    async fn compile(self: &Arc<Self>, staged: &Staged) -> Result<(), InstallError> {
        let (parts, folder) = (Arc::clone(self), staged.folder.path().to_owned());
        let source = staged.locked.source.clone();
        blocking(move || match parts.registry.inspect(&folder) {
            Ok(_) => Ok(()),
            Err(broken) => Err(InstallError::package(&source, &folder, &*broken.error)),
        })
        .await
    }

    /// Records the package, puts it into the lock and in place, in this order: nothing
    /// runs that isn't in the lock, and nothing is in the lock that wasn't recorded.
    async fn put(self: &Arc<Self>, staged: Staged, by: &By) -> Result<(), InstallError> {
        let event = event(&staged.locked, by);
        self.record(PackageStep::Installed, &event).await?;
        let parts = Arc::clone(self);
        let done = blocking(move || {
            let Staged { folder, locked } = staged;
            let mut lock = Lock::clone(&*parts.store.current()?);
            let (skill, version) = (locked.skill.clone(), locked.version.clone());
            lock.put(locked);
            lock.save(parts.store.lock_path())?;
            parts.store.put(folder, &skill, &version).map_err(InstallError::Disk)
        });
        self.done(done.await, event).await
    }

    async fn remove(self: &Arc<Self>, skill: &SkillId, version: &Version, by: &By) -> Result<(), InstallError> {
        let lock = self.lock().await?;
        let event = match lock.get(skill, version) {
            Some(locked) => event(locked, by),
            // It lies there without being in the lock, so that this is all that is known.
            None => PackageEvent {
                principal: by.principal.clone(),
                trace_id: by.trace_id.clone(),
                skill: Some(skill.to_string()),
                version: Some(version.to_string()),
                ..PackageEvent::default()
            },
        };
        self.record(PackageStep::Removed, &event).await?;
        let (parts, skill, version) = (Arc::clone(self), skill.clone(), version.clone());
        let done = blocking(move || {
            let mut lock = Lock::clone(&lock);
            if lock.remove(&skill, &version).is_some() {
                lock.save(parts.store.lock_path())?;
            }
            parts.store.take(&skill, &version).map(drop).map_err(InstallError::Disk)
        });
        self.done(done.await, event).await
    }

    /// Tells the chain too, where what it was told did not come to pass.
    async fn done(&self, done: Result<(), InstallError>, event: PackageEvent) -> Result<(), InstallError> {
        if let Err(error) = &done {
            let event = PackageEvent { reason: Some(error.to_string()), ..event };
            self.record(PackageStep::Failed, &event).await?;
        }
        done
    }

    async fn record(&self, step: PackageStep, event: &PackageEvent) -> Result<(), InstallError> {
        self.audit.package(step, event).await.map_err(|error| InstallError::Record(Box::new(error)))
    }

    /// Records that a package was not let in. That it wasn't holds whether this succeeds or not.
    async fn record_refusal<T>(&self, source: &Source, done: &Result<T, InstallError>, by: &By) {
        let Err(error) = done else { return };
        if !matches!(error.class(), Class::Refused | Class::Conflict) {
            return;
        }
        let event = PackageEvent {
            principal: by.principal.clone(),
            trace_id: by.trace_id.clone(),
            source: source.to_string(),
            reason: Some(error.to_string()),
            ..PackageEvent::default()
        };
        if let Err(error) = self.record(PackageStep::Refused, &event).await {
            tracing::error!(%error, "a package that was refused can't be recorded");
        }
    }

    async fn lock(self: &Arc<Self>) -> Result<Arc<Lock>, InstallError> {
        let parts = Arc::clone(self);
        blocking(move || Ok(parts.store.current()?)).await
    }

    async fn has(self: &Arc<Self>, locked: &Locked) -> Result<bool, InstallError> {
        let (parts, locked) = (Arc::clone(self), locked.clone());
        blocking(move || Ok(parts.store.has(&locked))).await
    }

    /// Everything that is in the lock, or lies in the folder, or both.
    async fn names(self: &Arc<Self>) -> Result<Vec<(SkillId, Version)>, InstallError> {
        let lock = self.lock().await?;
        let parts = Arc::clone(self);
        blocking(move || {
            let mut names = parts.store.installed().map_err(InstallError::Disk)?;
            names.extend(lock.packages().map(|locked| (locked.skill.clone(), locked.version.clone())));
            names.sort();
            names.dedup();
            Ok(names)
        })
        .await
    }

    async fn reload(self: &Arc<Self>) -> Result<(), InstallError> {
        let parts = Arc::clone(self);
        blocking(move || {
            parts.registry.reload();
            Ok(())
        })
        .await
    }

    /// A path as the lock has it: from the lock's own folder on where it lies there, so
    /// that the lock means the same on the next machine.
    fn locked_source(&self, source: &Source) -> Source {
        let Source::Path(path) = source else { return source.clone() };
        let folder = self.store.lock_path().parent().unwrap_or(Path::new(""));
        match path.strip_prefix(folder) {
            Ok(relative) if !relative.as_os_str().is_empty() => Source::Path(relative.to_owned()),
            _ => source.clone(),
        }
    }
}

fn event(locked: &Locked, by: &By) -> PackageEvent {
    let (signed_by, public_key) = match &locked.signer {
        Signer::Key { name, key } => (Some(name.clone()), Some(key.to_string())),
        Signer::Unsigned => (None, None),
    };
    PackageEvent {
        principal: by.principal.clone(),
        trace_id: by.trace_id.clone(),
        skill: Some(locked.skill.to_string()),
        version: Some(locked.version.to_string()),
        digest: Some(locked.digest),
        bundle: Some(locked.bundle),
        source: locked.source.to_string(),
        manifest: locked.manifest,
        signed_by,
        public_key,
        reason: None,
    }
}

/// Does work that waits for the disk where that is allowed.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, InstallError> + Send + 'static,
) -> Result<T, InstallError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(InstallError::Broke(Box::new(error))))
}

/// Does work to its end, whether somebody still waits for it or not.
async fn finish<T: Send + 'static>(
    work: impl Future<Output = Result<T, InstallError>> + Send + 'static,
) -> Result<T, InstallError> {
    tokio::spawn(work).await.unwrap_or_else(|error| Err(InstallError::Broke(Box::new(error))))
}
