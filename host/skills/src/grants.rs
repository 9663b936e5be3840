//! What people allowed, to which bytes: `grants.toml`.
//!
//! The file is small and is read whole. The command line writes it while a host
//! runs, so every user of it looks at most 50 ms later whether it is still the
//! file that was read, and reads it again if not. While it can't be read, no
//! grant holds.

mod error;
mod file;
mod mounts;
mod raw;
mod watch;
mod within;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::manifest::Kind;
use bailiwick_domain::skill_id::SkillId;

pub use self::error::{GrantError, MountError, Wider};
pub(crate) use self::file::rfc3339;
use self::mounts::Guarded;
pub use self::mounts::WORKSPACES;
pub use self::watch::GrantWatch;
use crate::skill::Skill;
use crate::stamp::Stamp;

/// How long a look at the file counts. With the time that reading takes, a
/// revocation by another process holds within 100 ms.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The grants of a host.
pub struct GrantStore {
    path: PathBuf,
    /// Folders that no grant may make writable.
    unwritable: Vec<PathBuf>,
    clock: Arc<dyn Clock>,
    /// When `next_look` counts from.
    start: Instant,
    /// Nanoseconds from `start` on, after which the file is looked at again.
    next_look: AtomicU64,
    current: RwLock<Arc<Grants>>,
    /// Held while the file is read and the outcome put into `current`, so that
    /// an older reading never replaces a newer one.
    reading: Mutex<()>,
    changes: tokio::sync::watch::Sender<u64>,
}

/// The grants at one moment.
#[derive(Debug, Default)]
pub struct Grants {
    generation: u64,
    stamp: Option<Stamp>,
    by_skill: BTreeMap<SkillId, Vec<Arc<GrantEntry>>>,
    problem: Option<GrantError>,
}

/// One grant of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantEntry {
    /// What it says.
    pub grant: Grant,
    /// Why it can't be given effect, such as a folder that is gone. Such a grant allows nothing.
    pub problem: Option<String>,
}

/// A grant that is to be given. The skill, its bytes and the time are added by the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGrant {
    /// Who gives it.
    pub giver: String,
    /// From when on it is void.
    pub expires_at: Option<SystemTime>,
    /// What for.
    pub reason: Option<String>,
    /// What may be touched. Host folders may be given by any path that leads to them.
    pub capabilities: Capabilities,
    /// Risk tags that it accepts for every call.
    pub accepted_risks: BTreeSet<String>,
    /// Limits below those that the manifest asks for.
    pub limits: LimitsRequest,
}

impl GrantStore {
    /// Opens the grants in the file at `path`; where there is none, nothing is granted.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, GrantError> {
        Self::open_guarding(path, Vec::new(), clock)
    }

    /// The same, where no grant may make the folders `unwritable`, or anything in
    /// or above them, writable: a guest that could write to the skills folder
    /// could take the risk tags out of its own manifest.
    pub fn open_guarding(path: &Path, unwritable: Vec<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, GrantError> {
        let (stamp, grants) = file::read(path)?;
        let none = Grants::default();
        let guarded = Guarded { grants: path, unwritable: &unwritable };
        let grants = Grants { stamp, by_skill: entries(grants, &guarded, &none), ..none };
        Ok(Self {
            path: path.to_owned(),
            unwritable,
            start: clock.instant(),
            clock,
            next_look: AtomicU64::new(0),
            changes: tokio::sync::watch::Sender::new(grants.generation),
            current: RwLock::new(Arc::new(grants)),
            reading: Mutex::new(()),
        })
    }

    /// The grants as they are now, or were at most 50 ms ago.
    pub fn current(&self) -> Arc<Grants> {
        let now = nanoseconds(self.clock.instant().saturating_duration_since(self.start));
        let due = self.next_look.load(Ordering::Relaxed);
        let next = now.saturating_add(nanoseconds(LOOK_EVERY));
        // Of all who come at the same time one looks, and the others need not wait for it.
        if now >= due && self.next_look.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.look();
        }
        self.snapshot()
    }

    /// Every grant, by skill and in the order of the file.
    pub fn list(&self) -> Vec<Arc<GrantEntry>> {
        self.look();
        self.snapshot().all().cloned().collect()
    }

    /// Gives `new` to the bytes of `skill`, in place of a grant that they have.
    ///
    /// What the manifest doesn't ask for can't be granted, and folders must
    /// exist. The grant is on disk when this returns.
    pub fn add(&self, skill: &Skill, new: NewGrant) -> Result<Arc<GrantEntry>, GrantError> {
        let grant = self.check(skill, new)?;
        self.change(|grants| {
            grants.retain(|entry| entry.skill != grant.skill || entry.digest != grant.digest);
            grants.push(grant.clone());
        })?;
        let entry = self.snapshot().of(&grant.skill, &grant.digest).cloned();
        // Another process may have revoked it already.
        Ok(entry.unwrap_or_else(|| Arc::new(GrantEntry { grant, problem: None })))
    }

    /// Takes back the grant of `skill` for `digest`, or all of its grants, and returns them.
    pub fn revoke(&self, skill: &SkillId, digest: Option<Digest>) -> Result<Vec<Grant>, GrantError> {
        let mut revoked = Vec::new();
        self.change(|grants| {
            let meant = |grant: &Grant| grant.skill == *skill && digest.is_none_or(|digest| grant.digest == digest);
            revoked = grants.extract_if(.., |grant| meant(grant)).collect();
        })?;
        Ok(revoked)
    }

    /// The number of the last change, and of every one to come.
    pub fn subscribe(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn check(&self, skill: &Skill, new: NewGrant) -> Result<Grant, GrantError> {
        let manifest = &skill.manifest;
        if manifest.kind == Kind::Prompt {
            return Err(GrantError::Prompt(manifest.id.clone()));
        }
        if new.giver.trim().is_empty() {
            return Err(GrantError::NoGiver);
        }
        let now = self.clock.now();
        if let Some(end) = new.expires_at.filter(|end| *end <= now) {
            return Err(GrantError::AlreadyExpired(rfc3339(end)));
        }
        let known = skill.risk_tags();
        if let Some(tag) = new.accepted_risks.iter().find(|tag| !known.contains(tag.as_str())) {
            let known = known.into_iter().map(str::to_owned).collect();
            return Err(GrantError::UnknownRisk { skill: manifest.id.clone(), tag: tag.clone(), known });
        }
        within::check(&manifest.permissions, &new.capabilities)
            .map_err(|wider| GrantError::Wider { skill: manifest.id.clone(), wider })?;
        let capabilities = self.canonical(new.capabilities)?;
        Ok(Grant {
            skill: manifest.id.clone(),
            digest: skill.digest,
            giver: new.giver,
            given_at: file::whole_seconds(now),
            expires_at: new.expires_at.map(file::whole_seconds),
            reason: new.reason,
            capabilities,
            accepted_risks: new.accepted_risks,
            limits: new.limits,
        })
    }

    fn canonical(&self, capabilities: Capabilities) -> Result<Capabilities, GrantError> {
        let fs = capabilities.fs.into_iter().map(mounts::canonical).collect::<Result<Vec<_>, _>>()?;
        let capabilities = Capabilities { fs, ..capabilities };
        mounts::check(&capabilities, &self.guarded())?;
        Ok(capabilities)
    }

    /// Changes the file under its lock, from what it holds at that moment.
    fn change(&self, change: impl FnOnce(&mut Vec<Grant>)) -> Result<(), GrantError> {
        let changed = file::change(&self.path, change);
        self.look();
        changed
    }

    /// Reads the file again if it isn't the one that was read.
    fn look(&self) {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.snapshot();
        if Stamp::of(&self.path) == old.stamp && old.problem.is_none() {
            return;
        }
        let generation = old.generation + 1;
        let new = match file::read(&self.path) {
            Ok((stamp, grants)) => {
                let by_skill = entries(grants, &self.guarded(), &old);
                Grants { generation, stamp, by_skill, problem: None }
            }
            Err(problem) if old.has_problem(&problem) => return,
            Err(problem) => {
                tracing::error!("no grant holds until this is repaired: {problem}");
                Grants { generation, problem: Some(problem), ..Grants::default() }
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        self.changes.send_replace(generation);
    }

    fn guarded(&self) -> Guarded<'_> {
        Guarded { grants: &self.path, unwritable: &self.unwritable }
    }

    fn snapshot(&self) -> Arc<Grants> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Grants {
    /// The grant of `digest` under the id `skill`.
    pub fn of(&self, skill: &SkillId, digest: &Digest) -> Option<&Arc<GrantEntry>> {
        self.of_skill(skill).iter().find(|entry| entry.grant.digest == *digest)
    }

    /// Every grant under one id, for whichever bytes.
    pub fn of_skill(&self, skill: &SkillId) -> &[Arc<GrantEntry>] {
        self.by_skill.get(skill).map_or(&[], Vec::as_slice)
    }

    /// Every grant.
    pub fn all(&self) -> impl Iterator<Item = &Arc<GrantEntry>> {
        self.by_skill.values().flatten()
    }

    /// Why the file can't be read, where it can't; then there are no grants.
    pub fn problem(&self) -> Option<&GrantError> {
        self.problem.as_ref()
    }

    fn has_problem(&self, problem: &GrantError) -> bool {
        self.problem.as_ref().is_some_and(|known| known.to_string() == problem.to_string())
    }

    /// Counts the changes of the file.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

/// The entries by skill. Those that are as in `old` are taken from there, so that
/// what hangs on them stays.
fn entries(grants: Vec<Grant>, guarded: &Guarded<'_>, old: &Grants) -> BTreeMap<SkillId, Vec<Arc<GrantEntry>>> {
    let mut by_skill: BTreeMap<SkillId, Vec<Arc<GrantEntry>>> = BTreeMap::new();
    for grant in grants {
        let mounts = mounts::check_stored(&grant.capabilities, guarded);
        let entries = by_skill.entry(grant.skill.clone()).or_default();
        let twice = entries.iter().any(|entry| entry.grant.digest == grant.digest);
        let problem = match mounts {
            _ if twice => Some("an earlier grant in the file is for the same bytes: expected one".to_owned()),
            Err(error) => Some(error.to_string()),
            Ok(()) => None,
        };
        let entry = GrantEntry { grant, problem };
        let same = old.of_skill(&entry.grant.skill).iter().find(|old| ***old == entry);
        entries.push(same.cloned().unwrap_or_else(|| Arc::new(entry)));
    }
    by_skill
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
