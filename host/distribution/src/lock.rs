//! `bailiwick.lock`: which packages may be installed, byte for byte. Meant for git.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use semver::Version;
use serde::Deserialize;

use crate::durable;
use crate::key::PublicKey;
use crate::source::Source;
use crate::trust::Signer;

/// The name of the file.
pub const FILE_NAME: &str = "bailiwick.lock";

/// The form of the file that this host reads and writes.
const FORM: i64 = 1;

/// Bytes of the file: a thousand times what ten packages need.
const MAX_LOCK_BYTES: u64 = 4 << 20;

/// Packages of the file: as many as a host reads from one folder.
const MAX_LOCKED: usize = 4096;

/// Bytes of a version, so that the name of a folder has room for it.
const MAX_VERSION: usize = 100;

const HEAD: &str = "\
# Which packages are installed, byte for byte. Written by `bailiwick skills install`,
# which without a source brings a host to what stands here. Keep it in git.
";

/// The packages by skill and version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    packages: BTreeMap<(SkillId, Version), Locked>,
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The skill that it is.
    pub skill: SkillId,
    /// In which version.
    pub version: Version,
    /// Where it comes from. A path that is relative begins at the lock's folder.
    pub source: Source,
    /// The digest of its manifest in the registry; none for a path.
    pub manifest: Option<Digest>,
    /// The digest of its bundle: every file of it.
    pub bundle: Digest,
    /// What grants are bound to: the digest of the component, or of a prompt's `SKILL.md`.
    pub digest: Digest,
    /// Who vouches for it.
    pub signer: Signer,
}

/// Why the lock can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file can't be read.
    #[error("can't read the lock `{path}`: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file can't be written.
    #[error("can't write the lock `{path}`: {error}", path = path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The file says what it may not.
    #[error("the lock `{path}` is wrong: {error}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: InvalidLock,
    },
}

/// What is wrong with the text of a lock.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLock {
    /// No TOML, an unknown key, or a value of another kind.
    #[error("{0}")]
    Shape(String),
    /// Written by another release.
    #[error("its form is {0}: expected `version = {FORM}`; use the release of Bailiwick that wrote it")]
    Form(i64),
    /// More than a host installs.
    #[error("it has more than {MAX_LOCKED} packages")]
    TooMany,
    /// One package is wrong.
    #[error("package {number}: `{key}` {problem}")]
    Package {
        /// Its place in the file, counted from one.
        number: usize,
        /// The key.
        key: &'static str,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    version: i64,
    #[serde(default)]
    package: Vec<RawPackage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    skill: String,
    version: String,
    source: String,
    manifest: Option<String>,
    bundle: String,
    digest: String,
    signed_by: Option<String>,
    public_key: Option<String>,
    unsigned: Option<bool>,
}

impl Lock {
    /// Reads the text of a lock.
    pub fn parse(text: &str) -> Result<Self, InvalidLock> {
        let raw: RawLock =
            toml::from_str(text).map_err(|error| InvalidLock::Shape(error.to_string().trim_end().to_owned()))?;
        if raw.version != FORM {
            return Err(InvalidLock::Form(raw.version));
        }
        if raw.package.len() > MAX_LOCKED {
            return Err(InvalidLock::TooMany);
        }
        let mut lock = Self::default();
        for (index, raw) in raw.package.into_iter().enumerate() {
            let wrong = |(key, problem)| InvalidLock::Package { number: index + 1, key, problem };
            let locked = read(raw).map_err(wrong)?;
            let name = format!("is {} {} for the second time: expected each once", locked.skill, locked.version);
            if lock.put(locked).is_some() {
                return Err(wrong(("skill", name)));
            }
        }
        Ok(lock)
    }

    /// The lock at `path`; empty where there is none.
    pub fn open(path: &Path) -> Result<Self, LockError> {
        Self::parse(&Self::read(path)?).map_err(|error| LockError::Invalid { path: path.to_owned(), error })
    }

    /// The text of the lock at `path`; that of an empty one where there is none.
    pub(crate) fn read(path: &Path) -> Result<String, LockError> {
        let unreadable = |error| LockError::Unreadable { path: path.to_owned(), error };
        let mut text = String::new();
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default().to_text()),
            file => file.map_err(unreadable)?,
        };
        file.take(MAX_LOCK_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_LOCK_BYTES {
            return Err(unreadable(io::Error::other(format!("it has more than {MAX_LOCK_BYTES} bytes"))));
        }
        Ok(text)
    }

    /// Writes the lock to `path`, whole or not at all, and waits until the disk has it.
    pub fn save(&self, path: &Path) -> Result<(), LockError> {
        let unwritable = |error| LockError::Unwritable { path: path.to_owned(), error };
        durable::replace(path, self.to_text().as_bytes(), 0o644).map_err(unwritable)
    }

    /// The only text that this lock has.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEAD}version = {FORM}\n");
        for locked in self.packages.values() {
            let mut line = |key: &str, value: &str| {
                let value = toml::Value::String(value.to_owned());
                // Writing to a string can't fail.
                let _ = writeln!(text, "{key} = {value}");
            };
            line("\n[[package]]\nskill", locked.skill.as_str());
            line("version", &locked.version.to_string());
            line("source", &locked.source.to_string());
            locked.manifest.iter().for_each(|manifest| line("manifest", &manifest.to_string()));
            line("bundle", &locked.bundle.to_string());
            line("digest", &locked.digest.to_string());
            match &locked.signer {
                Signer::Key { name, key } => {
                    line("signed_by", name);
                    line("public_key", &key.to_string());
                }
                Signer::Unsigned => text.push_str("unsigned = true\n"),
            }
        }
        text
    }

    /// Every package, by skill and version.
    pub fn packages(&self) -> impl ExactSizeIterator<Item = &Locked> {
        self.packages.values()
    }

    /// The package that is this version of this skill.
    pub fn get(&self, skill: &SkillId, version: &Version) -> Option<&Locked> {
        self.packages.get(&(skill.clone(), version.clone()))
    }

    /// Puts a package in place of another of the same skill and version, and answers that one.
    pub fn put(&mut self, locked: Locked) -> Option<Locked> {
        self.packages.insert((locked.skill.clone(), locked.version.clone()), locked)
    }

    /// Takes out a package.
    pub fn remove(&mut self, skill: &SkillId, version: &Version) -> Option<Locked> {
        self.packages.remove(&(skill.clone(), version.clone()))
    }

    /// Whether there is room for another package.
    pub fn is_full(&self) -> bool {
        self.packages.len() >= MAX_LOCKED
    }
}

/// Whether a version can be a part of a folder's name.
pub fn check_version(version: &Version) -> Result<(), String> {
    let length = version.to_string().len();
    if length <= MAX_VERSION {
        return Ok(());
    }
    Err(format!("has {length} characters: expected at most {MAX_VERSION}"))
}

fn read(raw: RawPackage) -> Result<Locked, (&'static str, String)> {
    let said = |key: &'static str, error: &dyn std::fmt::Display| (key, format!("is wrong: {error}"));
    let digest = |key: &'static str, text: &str| text.parse::<Digest>().map_err(|error| said(key, &error));
    let skill: SkillId = raw.skill.parse().map_err(|error| said("skill", &error))?;
    let version = Version::parse(&raw.version)
        .map_err(|error| said("version", &format!("`{}` is not a version such as `1.2.3` ({error})", raw.version)))?;
    check_version(&version).map_err(|problem| ("version", problem))?;
    let source: Source = raw.source.parse().map_err(|error| said("source", &error))?;
    let manifest = raw.manifest.map(|text| digest("manifest", &text)).transpose()?;
    match (&source, &manifest) {
        (Source::Registry(_), None) => {
            let problem = "is missing: expected the digest of the manifest, for a package of a registry";
            return Err(("manifest", problem.to_owned()));
        }
        (Source::Path(_), Some(_)) => {
            return Err(("manifest", "is there for a path: expected it for packages of a registry alone".to_owned()));
        }
        _ => {}
    }
    let signer = match (raw.signed_by, raw.public_key, raw.unsigned) {
        (Some(name), Some(key), None) => {
            let key: PublicKey =
                key.parse().map_err(|error: crate::key::InvalidPublicKey| ("public_key", error.to_string()))?;
            Signer::Key { name, key }
        }
        (None, None, Some(true)) => Signer::Unsigned,
        _ => {
            let problem = "is amiss: expected either `signed_by` and `public_key`, or `unsigned = true`";
            return Err(("signed_by", problem.to_owned()));
        }
    };
    let (bundle, digest) = (digest("bundle", &raw.bundle)?, digest("digest", &raw.digest)?);
    Ok(Locked { skill, version, source, manifest, bundle, digest, signer })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

    fn text() -> String {
        let digest = |text: &str| Digest::of(text.as_bytes());
        format!(
            "{HEAD}version = 1\n\n[[package]]\nskill = \"acme/hello\"\nversion = \"1.0.0\"\nsource = \"oci://r.example/acme/hello:1.0.0\"\nmanifest = \"{}\"\nbundle = \"{}\"\ndigest = \"{}\"\nsigned_by = \"acme\"\npublic_key = \"{KEY}\"\n\n[[package]]\nskill = \"local/how\"\nversion = \"0.1.0\"\nsource = \"vendor/how.tar\"\nbundle = \"{}\"\ndigest = \"{}\"\nunsigned = true\n",
            digest("m"),
            digest("b"),
            digest("c"),
            digest("b2"),
            digest("c2"),
        )
    }

    #[test]
    fn a_lock_reads_back_as_it_was_written_and_is_sorted() {
        let lock = Lock::parse(&text()).expect("valid");
        assert_eq!(lock.to_text(), text());
        // The order in which packages came makes no difference.
        let whole = text();
        let (head, packages) = whole.split_at(HEAD.len() + "version = 1\n".len());
        let (first, second) = packages.split_once("\n\n[[").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("two");
        let turned = format!("{head}\n[[{second}{first}\n");
        assert_eq!(Lock::parse(&turned).expect("valid").to_text(), text());
        assert_eq!(Lock::parse("version = 1\n").expect("valid"), Lock::default());
    }

    #[test]
    fn whatever_is_not_a_lock_is_refused_with_its_reason() {
        for (from, to, expected) in [
            ("version = 1\n\n", "version = 2\n\n", "its form is 2"),
            ("version = 1\n\n", "\n", "missing field `version`"),
            ("version = 1\n\n", "version = 1\ncolour = 1\n\n", "unknown field `colour`"),
            ("unsigned = true", "unsigned = true\nnote = 1", "unknown field `note`"),
            ("unsigned = true", "unsigned = false", "expected either `signed_by`"),
            ("unsigned = true", "", "expected either `signed_by`"),
            ("signed_by = \"acme\"\n", "", "expected either `signed_by`"),
            ("signed_by = \"acme\"", "signed_by = \"acme\"\nunsigned = true", "expected either `signed_by`"),
            ("public_key = \"M", "public_key = \"N", "package 1: `public_key` is not an ed25519 public key"),
            ("acme/hello\"\nv", "Acme\"\nv", "package 1: `skill` is wrong"),
            ("version = \"1.0.0\"", "version = \"1.0\"", "package 1: `version` is wrong"),
            ("oci://r.example/acme/hello:1.0.0", "oci://r.example/acme", "package 1: `source` is wrong"),
            ("manifest = ", "bundel = ", "unknown field `bundel`"),
            ("bundle = \"sha256:", "bundle = \"sha257:", "package 1: `bundle` is wrong"),
            ("digest = \"sha256:", "digest = \"", "package 1: `digest` is wrong"),
            ("source = \"oci:", "source = \"x", "package 1: `source` is wrong"),
            (
                "skill = \"local/how\"\nversion = \"0.1.0\"",
                "skill = \"acme/hello\"\nversion = \"1.0.0\"",
                "package 2: `skill` is acme/hello 1.0.0 for the second time",
            ),
            ("source = \"vendor/how.tar\"", "source = \"oci://r.example/how:1\"", "package 2: `manifest` is missing"),
            (
                "source = \"oci://r.example/acme/hello:1.0.0\"",
                "source = \"a.tar\"",
                "package 1: `manifest` is there for a path",
            ),
        ] {
            let changed = text().replacen(from, to, 1);
            assert_ne!(changed, text(), "{from}");
            let error = Lock::parse(&changed).expect_err(from).to_string();
            assert!(error.contains(expected), "{from}: {error}");
        }
    }

    #[test]
    fn a_file_is_written_whole_and_one_that_is_missing_is_empty() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE_NAME);
        assert_eq!(Lock::open(&path).expect("empty"), Lock::default());
        let lock = Lock::parse(&text()).expect("valid");
        lock.save(&path).expect("written");
        lock.save(&path).expect("written again");
        assert_eq!(Lock::open(&path).expect("there"), lock);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
        std::fs::write(&path, "version = [").expect("written");
        let error = Lock::open(&path).expect_err("no TOML").to_string();
        assert!(error.contains(FILE_NAME) && error.contains("line 1"), "{error}");
        std::fs::remove_file(&path).and_then(|()| std::fs::create_dir(&path)).expect("a folder");
        assert!(matches!(Lock::open(&path), Err(LockError::Unreadable { .. })));
    }
}
