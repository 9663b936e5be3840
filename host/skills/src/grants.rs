//! What people allowed, to which bytes.
//!
//! A grant is a document of the journal. It is given, narrowed and taken back in
//! one transaction with the audit record that says so, and all of them are few
//! enough to be in memory too, where every call looks. Nothing but this module
//! writes them, and no skill and no agent reaches it.

mod change;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod json;
mod mounts;
mod narrow;
mod new;
mod raw;
mod within;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use bailiwick_domain::authority::{Access, FsMount};
use bailiwick_domain::clock::Clock;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::grant::{Capabilities, Grant, Seen};
use bailiwick_domain::manifest::Kind;
use bailiwick_domain::skill_id::SkillId;
use bailiwick_journal::{Journal, JournalError, Shelf, Undone};
use serde_json::Value;

use self::change::{Basis, Change, is_still};
pub use self::error::{GrantError, MountError, Wider};
use self::mounts::Guarded;
pub use self::mounts::WORKSPACES;
pub use self::narrow::Narrowing;
pub use self::new::NewGrant;
pub(crate) use self::within::rule_is_asked_for;
use crate::audit::record;
use crate::package::asked;
use crate::skill::Skill;

/// Bytes of a file of grants: a thousand grants of a kilobyte, four times.
const MAX_FILE_BYTES: usize = 4 << 20;

/// How often a revocation looks for grants that others gave meanwhile, such as to new bytes
/// what the old ones had. Whoever gives more of them than that gives them afterwards.
const MAX_ROUNDS: usize = 3;

/// 9999-12-31T23:59:59Z, the last moment that RFC 3339 can write.
const LAST_SECOND: u64 = 253_402_300_799;

/// The grants of a host.
pub struct GrantStore {
    journal: Arc<Journal>,
    /// The folder of the journal, which no grant may show to a guest.
    home: PathBuf,
    guarded: GuardedPlaces,
    clock: Arc<dyn Clock>,
    current: RwLock<Arc<Grants>>,
    /// Held while documents are read and put into `current`, so that an older
    /// reading never replaces a newer one.
    reading: Mutex<()>,
    changes: tokio::sync::watch::Sender<u64>,
}

/// Folders and files of the host, beside that of the journal, that guests must not have.
#[derive(Clone, Debug, Default)]
pub struct GuardedPlaces {
    /// No grant may show these to a guest: what seals compiled code, and secrets.
    pub hidden: Vec<PathBuf>,
    /// No grant may make these writable, nor anything in or above them: a guest that
    /// could write to the skills folder could take the risk tags out of its own manifest.
    pub unwritable: Vec<PathBuf>,
}

/// The grants at one moment.
#[derive(Debug, Default)]
pub struct Grants {
    generation: u64,
    by_skill: BTreeMap<SkillId, Vec<Arc<GrantEntry>>>,
    problem: Option<GrantError>,
}

/// One grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantEntry {
    /// What it says.
    pub grant: Grant,
    /// sha256 of what it says. Approvals are bound to it.
    pub fingerprint: Digest,
    /// Why it can't be given effect, such as a folder that is gone. Such a grant allows nothing.
    pub problem: Option<String>,
}

/// The time as grants have it.
pub(crate) fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// The time for people and for files: RFC 3339 in UTC. What lies beyond the years
/// that it can write is written as the nearest of them.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    let last = SystemTime::UNIX_EPOCH + Duration::from_secs(LAST_SECOND);
    humantime::format_rfc3339_seconds(whole_seconds(time).min(last)).to_string()
}

impl GrantStore {
    /// The grants in `journal`, whose folder is `home`. No grant may show that folder
    /// to a guest, nor anything in or above it, nor what is `guarded` besides.
    pub fn open(
        journal: Arc<Journal>,
        home: &Path,
        guarded: GuardedPlaces,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GrantError> {
        let store = Self {
            journal,
            home: home.to_owned(),
            guarded,
            clock,
            current: RwLock::default(),
            reading: Mutex::new(()),
            changes: tokio::sync::watch::Sender::new(0),
        };
        store.read_again();
        Ok(store)
    }

    /// The grants as they are now.
    pub fn current(&self) -> Arc<Grants> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Every grant, by skill and digest.
    pub fn list(&self) -> Vec<Arc<GrantEntry>> {
        self.current().all().cloned().collect()
    }

    /// Gives `new` to the bytes of `skill`, in place of a grant that they have.
    ///
    /// What the manifest doesn't ask for can't be granted, and folders must
    /// exist. The grant is on disk when this returns. Blocks.
    pub fn add(&self, skill: &Skill, new: NewGrant) -> Result<Arc<GrantEntry>, GrantError> {
        new::check_reason(&skill.manifest.id, new.reason.as_deref())?;
        let grant = self.check(skill, new)?;
        let giver = grant.giver.clone();
        self.put(grant, None, &giver)
    }

    /// Gives to the new bytes of `skill` what its latest grant for others gave, as far
    /// as the manifest still asks for it. `digest` says which bytes were looked at. Blocks.
    pub fn accept(&self, skill: &Skill, digest: Digest, by: &str) -> Result<Arc<GrantEntry>, GrantError> {
        self.accept_by(&self.current(), skill, digest, by)
    }

    /// The same by the grants as they were at some moment. What was changed since then, of the
    /// old bytes or of the new ones, is neither given nor lost. Blocks.
    pub(crate) fn accept_by(
        &self,
        known: &Grants,
        skill: &Skill,
        digest: Digest,
        by: &str,
    ) -> Result<Arc<GrantEntry>, GrantError> {
        let id = &skill.manifest.id;
        if skill.digest != digest {
            return Err(GrantError::OtherBytes { skill: id.clone(), expected: digest, now: skill.digest });
        }
        let Some(old) = known.latest_of_others(id, &digest) else {
            return Err(GrantError::NoSuchGrant(format!("other bytes of {id}")));
        };
        let asked = &skill.manifest.permissions;
        let tags = skill.risk_tags();
        let old = &old.grant;
        let new = NewGrant {
            giver: by.to_owned(),
            expires_at: old.expires_at,
            reason: old.reason.clone(),
            capabilities: within::cut(asked, &old.capabilities),
            accepted_risks: old.accepted_risks.iter().filter(|tag| tags.contains(tag.as_str())).cloned().collect(),
            limits: old.limits.clone(),
            one_shot: old.one_shot,
        };
        // What was taken back meanwhile is given to no new bytes, and what these had is not
        // given back to them.
        let own = known.of(id, &digest).map(|entry| entry.grant.clone());
        let grant = self.check(skill, new)?;
        let basis = Basis { old: old.clone(), key: key(&grant), own };
        self.put(grant, Some(basis), by)
    }

    /// Takes something away from a grant. Calls that began with more are ended. Blocks.
    pub fn narrow(
        &self,
        skill: &SkillId,
        digest: Option<Digest>,
        narrowing: &Narrowing,
        by: &str,
    ) -> Result<Arc<GrantEntry>, GrantError> {
        let key = key(&self.current().one_of(skill, digest)?.grant);
        let (skill, narrowing) = (skill.clone(), narrowing.clone());
        let (now, by) = (self.clock.now(), by.to_owned());
        let narrowed = self.journal.update_blocking(move |batch| {
            // It is narrowed as it is now, so that nothing is lost of what others change meanwhile.
            let Some(document) = batch.get(Shelf::Grants, &key)? else {
                return Ok::<_, Undone>(Err(GrantError::NoSuchGrant(skill.to_string())));
            };
            let narrowed = read((key, document)).and_then(|grant| narrow::apply(&grant, &narrowing));
            let change = narrowed.and_then(|grant| Change::of(grant, now, "grant-narrowed", &by));
            Ok(change.map(|change| {
                let entry = change.entry();
                change.make(batch);
                entry
            }))
        });
        self.read_again();
        Ok(self.known(narrowed??))
    }

    /// Takes back the grant of `skill` for `digest`, or all of its grants, and returns
    /// them. Calls under way are ended. Blocks.
    pub fn revoke(&self, skill: &SkillId, digest: Option<Digest>, by: &str) -> Result<Vec<Grant>, GrantError> {
        let mut revoked = Vec::new();
        for _ in 0..MAX_ROUNDS {
            let current = self.current();
            let meant = current.of_skill(skill).iter().filter(|entry| digest.is_none_or(|it| entry.grant.digest == it));
            let keys: Vec<String> = meant.map(|entry| key(&entry.grant)).collect();
            if keys.is_empty() {
                break;
            }
            revoked.extend(self.remove(keys, by)?);
        }
        Ok(revoked)
    }

    /// Removes the documents under `keys`, and returns the grants that were there.
    fn remove(&self, keys: Vec<String>, by: &str) -> Result<Vec<Grant>, GrantError> {
        let (now, by) = (self.clock.now(), by.to_owned());
        let removed = self.journal.update_blocking(move |batch| {
            let mut removed = Vec::with_capacity(keys.len());
            for key in keys {
                // Somebody else may have been faster.
                let Some(document) = batch.get(Shelf::Grants, &key)? else { continue };
                // And somebody may have narrowed it: it is taken back as it is now.
                let (grant, fingerprint) = match entry((key.clone(), document)) {
                    Ok(entry) => entry,
                    Err(error) => return Ok::<_, Undone>(Err(error)),
                };
                batch.remove(Shelf::Grants, key);
                batch.append(record::grant(now, "grant-revoked", &by, &grant, fingerprint, None));
                removed.push(grant);
            }
            Ok(Ok(removed))
        });
        self.read_again();
        removed?
    }

    /// Every grant as a file that a team can keep in git.
    pub fn export(&self) -> Result<String, GrantError> {
        let grants: Vec<_> = self.current().all().map(|entry| entry.grant.clone()).collect();
        raw::write(&grants).map_err(GrantError::Inexpressible)
    }

    /// Gives every grant of the file with this `text`, each in place of one for the
    /// same bytes, all of them or none. Blocks.
    ///
    /// A grant for a skill or for bytes that are not here yet waits for them. What the
    /// manifest doesn't ask for is without effect.
    pub fn import(&self, path: &Path, text: &str, by: &str) -> Result<Vec<Grant>, GrantError> {
        if text.len() > MAX_FILE_BYTES {
            return Err(GrantError::TooLarge { path: path.to_owned(), max: MAX_FILE_BYTES as u64 });
        }
        let grants = raw::parse(path, text)?;
        let now = self.clock.now();
        let mut changes = Vec::new();
        for (index, grant) in grants.iter().enumerate() {
            let same = |other: &Grant| other.skill == grant.skill && other.digest == grant.digest;
            if grants.iter().take(index).any(same) {
                let problem = format!("two grants of {} are for the same bytes, {}", grant.skill, grant.digest);
                return Err(GrantError::Inexpressible(problem));
            }
            new::check_reason(&grant.skill, grant.reason.as_deref())?;
            mounts::check_stored(&grant.capabilities, &self.guarded())?;
            changes.push(Change::of(grant.clone(), now, "grant-given", by)?);
        }
        self.apply(None, changes)?;
        Ok(grants)
    }

    /// Marks a grant for one call as used, durably, before that call begins. Whether
    /// it was still as `entry` has it until now, which is unused.
    pub(crate) async fn use_up(&self, entry: &GrantEntry, by: &str) -> Result<bool, JournalError> {
        let now = self.clock.now();
        let grant = Grant { used_at: Some(whole_seconds(now)), ..entry.grant.clone() };
        let record = record::grant(now, "grant-used-up", by, &grant, entry.fingerprint, None);
        let Ok(document) = raw::document(&grant) else { return Ok(false) };
        // Boxed, because it would be part of every call.
        let (key, unused) = (key(&grant), Box::new(entry.grant.clone()));
        let used = self.journal.update(move |batch| {
            if !is_still(batch, &key, Some(&*unused))? {
                return Ok::<_, Undone>(Err(()));
            }
            batch.put(Shelf::Grants, key, document.into_bytes());
            batch.append(record);
            Ok(Ok(()))
        });
        let used = used.await?;
        self.read_again();
        Ok(used.is_ok())
    }

    /// The number of the last change, and of every one to come.
    pub fn subscribe(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What `new` says as the bounds of an observation: checked like a grant, but for
    /// what the manifest asks for, and kept nowhere. Folders are only read, because
    /// they are copied. Blocks.
    pub(crate) fn bounds(&self, skill: &Skill, new: NewGrant) -> Result<GrantEntry, GrantError> {
        new::check_reason(&skill.manifest.id, new.reason.as_deref())?;
        let grant = self.check_without_manifest(skill, new, |capabilities| {
            let mut read = capabilities.clone();
            read.fs.iter_mut().for_each(|mount| mount.access = Access::Read);
            let canonical = self.canonical(read)?;
            let access = canonical.fs.into_iter().zip(&capabilities.fs);
            let fs = access.map(|(mount, given)| FsMount { access: given.access, ..mount }).collect();
            Ok(Capabilities { fs, ..capabilities })
        })?;
        let fingerprint = fingerprint(&grant).map_err(GrantError::Inexpressible)?;
        Ok(GrantEntry { grant, fingerprint, problem: None })
    }

    fn check(&self, skill: &Skill, new: NewGrant) -> Result<Grant, GrantError> {
        let id = &skill.manifest.id;
        self.check_without_manifest(skill, new, |capabilities| {
            within::check(&skill.manifest.permissions, &capabilities)
                .map_err(|wider| GrantError::Wider { skill: id.clone(), wider })?;
            self.canonical(capabilities)
        })
    }

    fn check_without_manifest(
        &self,
        skill: &Skill,
        new: NewGrant,
        capabilities: impl FnOnce(Capabilities) -> Result<Capabilities, GrantError>,
    ) -> Result<Grant, GrantError> {
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
        let capabilities = capabilities(new.capabilities)?;
        Ok(Grant {
            skill: manifest.id.clone(),
            digest: skill.digest,
            giver: new.giver,
            given_at: whole_seconds(now),
            expires_at: new.expires_at.map(whole_seconds),
            reason: new.reason,
            capabilities,
            accepted_risks: new.accepted_risks,
            limits: new.limits,
            one_shot: new.one_shot,
            used_at: None,
            seen: seen(skill),
        })
    }

    fn canonical(&self, capabilities: Capabilities) -> Result<Capabilities, GrantError> {
        let fs = capabilities.fs.into_iter().map(mounts::canonical).collect::<Result<Vec<_>, _>>()?;
        let capabilities = Capabilities { fs, ..capabilities };
        mounts::check(&capabilities, &self.guarded())?;
        Ok(capabilities)
    }

    /// Puts `grant` in the place of the one for the same bytes, if `basis`, which it was
    /// made of, is still as it was.
    fn put(&self, grant: Grant, basis: Option<Basis>, by: &str) -> Result<Arc<GrantEntry>, GrantError> {
        let change = Change::of(grant, self.clock.now(), "grant-given", by)?;
        let entry = change.entry();
        self.apply(basis, vec![change])?;
        Ok(self.known(entry))
    }

    /// The entry of a grant that was put.
    fn known(&self, put: GrantEntry) -> Arc<GrantEntry> {
        let entry = self.current().of(&put.grant.skill, &put.grant.digest).cloned();
        // Somebody else may have revoked it already.
        entry.unwrap_or_else(|| Arc::new(put))
    }

    /// Makes all of `changes`, or none where `basis` is no longer as it was.
    fn apply(&self, basis: Option<Basis>, changes: Vec<Change>) -> Result<(), GrantError> {
        let applied = self.journal.update_blocking(move |batch| {
            if let Some(basis) = basis
                && !basis.is_still(batch)?
            {
                return Ok::<_, Undone>(Err(GrantError::Changed(basis.old.skill)));
            }
            for change in changes {
                change.make(batch);
            }
            Ok(Ok(()))
        });
        self.read_again();
        applied?
    }

    /// Reads the documents again and tells whoever waits for a change.
    fn read_again(&self) {
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.current();
        let generation = old.generation + 1;
        let documents = self.journal.documents(Shelf::Grants).map_err(GrantError::from);
        let new = match documents.and_then(|documents| documents.into_iter().map(read).collect::<Result<Vec<_>, _>>()) {
            Ok(grants) => Grants { generation, by_skill: entries(grants, &self.guarded(), &old), problem: None },
            Err(problem) => {
                tracing::error!(problem = &problem as &dyn std::error::Error, "no grant holds until this is repaired");
                Grants { generation, problem: Some(problem), ..Grants::default() }
            }
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        self.changes.send_replace(generation);
    }

    fn guarded(&self) -> Guarded<'_> {
        let GuardedPlaces { hidden, unwritable } = &self.guarded;
        Guarded { home: &self.home, hidden, unwritable }
    }
}

/// The text of a file with `grants`, which can be imported.
pub(crate) fn file(grants: &[Grant]) -> Result<String, GrantError> {
    raw::write(grants).map_err(GrantError::Inexpressible)
}

/// Under which key a grant is kept: one for each digest of a skill.
fn key(grant: &Grant) -> String {
    format!("{} {}", grant.skill, grant.digest)
}

/// The sha256 of what a grant says. That it was used is not part of it.
fn fingerprint(grant: &Grant) -> Result<Digest, String> {
    let unused = Grant { used_at: None, ..grant.clone() };
    raw::document(&unused).map(|text| Digest::of(text.as_bytes()))
}

fn read((key, document): (String, Vec<u8>)) -> Result<Grant, GrantError> {
    let text = String::from_utf8_lossy(&document);
    raw::read_document(&text).map_err(|problem| GrantError::Document { key, problem })
}

/// The grant of a document, and its fingerprint.
fn entry(row: (String, Vec<u8>)) -> Result<(Grant, Digest), GrantError> {
    let grant = read(row)?;
    let fingerprint = fingerprint(&grant).map_err(GrantError::Inexpressible)?;
    Ok((grant, fingerprint))
}

/// What can be known of a skill now, for the difference to its next bytes.
fn seen(skill: &Skill) -> Seen {
    let imports = skill.inspection.iter().flat_map(|inspection| &inspection.imports);
    Seen {
        version: Some(skill.manifest.version.to_string()),
        imports: imports.cloned().collect(),
        asked: asked::lines(&skill.manifest.permissions),
    }
}

impl GrantEntry {
    /// The grant as JSON, by the keys of a file of grants but without the values of
    /// settings, with its fingerprint and its problem where it has one.
    pub fn to_json(&self) -> Value {
        let mut value = json::told(&self.grant).unwrap_or_default();
        value["fingerprint"] = Value::String(self.fingerprint.to_string());
        if let Some(problem) = &self.problem {
            value["problem"] = Value::String(problem.clone());
        }
        value
    }

    /// What the grant says, for records: without the values of settings.
    pub(crate) fn told(&self) -> Value {
        json::told(&self.grant).unwrap_or_default()
    }

    /// The grant that such JSON says.
    pub fn from_json(mut value: Value) -> Result<Self, String> {
        let mut take = |key| value.as_object_mut().and_then(|members| members.remove(key));
        let (fingerprint, problem) = (take("fingerprint"), take("problem"));
        let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
        let fingerprint = text(fingerprint).and_then(|text| text.parse().ok()).ok_or("a grant has no fingerprint")?;
        Ok(Self { grant: json::from_json(&value)?, fingerprint, problem: text(problem) })
    }
}

impl Narrowing {
    /// What is to be taken away, from JSON: `fs`, `read_only`, `http`, `config`,
    /// `secrets` and `risks` as lists of names, `state` as a flag, `limits` and `expires_at` as in a
    /// grant.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        narrow::from_json(value)
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

    /// The grant that was given last to other bytes of a skill.
    pub fn latest_of_others(&self, skill: &SkillId, digest: &Digest) -> Option<&Arc<GrantEntry>> {
        let others = self.of_skill(skill).iter().filter(|entry| entry.grant.digest != *digest);
        others.max_by_key(|entry| entry.grant.given_at)
    }

    /// The grant for `digest`, or the only one of the skill.
    fn one_of(&self, skill: &SkillId, digest: Option<Digest>) -> Result<&Arc<GrantEntry>, GrantError> {
        match (digest, self.of_skill(skill)) {
            (Some(digest), _) => {
                self.of(skill, &digest).ok_or_else(|| GrantError::NoSuchGrant(format!("{skill} ({digest})")))
            }
            (None, []) => Err(GrantError::NoSuchGrant(skill.to_string())),
            (None, [only]) => Ok(only),
            (None, several) => {
                let digests = several.iter().map(|entry| entry.grant.digest).collect();
                Err(GrantError::SeveralGrants { skill: skill.clone(), digests })
            }
        }
    }

    /// Every grant.
    pub fn all(&self) -> impl Iterator<Item = &Arc<GrantEntry>> {
        self.by_skill.values().flatten()
    }

    /// Why the grants can't be read, where they can't; then there are none.
    pub const fn problem(&self) -> Option<&GrantError> {
        self.problem.as_ref()
    }

    /// Counts the changes.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

/// The entries by skill. Those that are as in `old` are taken from there, so that
/// what hangs on them stays.
fn entries(grants: Vec<Grant>, guarded: &Guarded<'_>, old: &Grants) -> BTreeMap<SkillId, Vec<Arc<GrantEntry>>> {
    let mut by_skill: BTreeMap<SkillId, Vec<Arc<GrantEntry>>> = BTreeMap::new();
    for grant in grants {
        let problem = mounts::check_stored(&grant.capabilities, guarded).err().map(|error| error.to_string());
        let entries = by_skill.entry(grant.skill.clone()).or_default();
        // What was read can be written.
        let fingerprint = fingerprint(&grant).unwrap_or(Digest::from_bytes([0; 32]));
        let entry = GrantEntry { grant, fingerprint, problem };
        let same = old.of_skill(&entry.grant.skill).iter().find(|old| ***old == entry);
        entries.push(same.cloned().unwrap_or_else(|| Arc::new(entry)));
    }
    by_skill
}
