//! The keys that may sign packages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bailiwick_distribution::key::PublicKey;
use bailiwick_distribution::lock;
use bailiwick_distribution::trust::{MAX_KEYS, Trust, TrustedKey};
use bailiwick_domain::skill_id::SkillId;

use super::{ConfigError, raw};

/// Bytes of the name of a key.
const MAX_NAME: usize = 64;

/// What installed packages lie in, in the folder of data.
pub const PACKAGES: &str = "packages";

/// What the file says of keys and signatures.
pub(super) fn trust(
    raw: BTreeMap<String, raw::TrustedKey>,
    allow_unsigned: bool,
    path: &Path,
) -> Result<Trust, ConfigError> {
    let wrong = |key: String, problem: String| ConfigError::Contradiction { path: path.to_owned(), key, problem };
    if raw.len() > MAX_KEYS {
        let problem = format!("are {}: expected at most {MAX_KEYS}", raw.len());
        return Err(wrong("skills.trusted_keys".to_owned(), problem));
    }
    let mut keys: Vec<TrustedKey> = Vec::new();
    for (name, raw) in raw {
        let named = |key: &str| format!("skills.trusted_keys.{name}{key}");
        let good = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !(1..=MAX_NAME).contains(&name.len()) || !name.chars().all(good) {
            let problem = format!("is no name of a key: expected 1 to {MAX_NAME} letters, digits and `_.-`");
            return Err(wrong(named(""), problem));
        }
        let key: PublicKey = raw.public_key.parse().map_err(|error| wrong(named(".public_key"), format!("{error}")))?;
        if let Some(other) = keys.iter().find(|other| other.key == key) {
            let problem =
                format!("is that of `{}` too: expected one table for a key, with all its namespaces", other.name);
            return Err(wrong(named(".public_key"), problem));
        }
        let namespaces = namespaces(&raw.namespaces).map_err(|problem| wrong(named(".namespaces"), problem))?;
        keys.push(TrustedKey { name, key, namespaces });
    }
    Ok(Trust { keys, allow_unsigned })
}

/// Where the lock is: beside the configuration, for git, else with the data.
pub(super) fn lock_path(source: Option<&Path>, data_dir: &Path) -> PathBuf {
    let folder = source.map_or(data_dir, |file| file.parent().unwrap_or(Path::new("")));
    // Commands and servers may be started in different folders, and mean one lock.
    let path = folder.join(lock::FILE_NAME);
    std::path::absolute(&path).unwrap_or(path)
}

/// A folder of packages among the installed ones would let in what the lock doesn't name.
pub(super) fn check_directories(data_dir: &Path, skills: &[PathBuf], path: &Path) -> Result<(), ConfigError> {
    let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    let Ok(installed) = real(data_dir).map(|folder| folder.join(PACKAGES)) else { return Ok(()) };
    match skills.iter().find(|folder| real(folder).is_ok_and(|folder| folder.starts_with(&installed))) {
        None => Ok(()),
        Some(folder) => Err(ConfigError::Contradiction {
            path: path.to_owned(),
            key: "skills.directories".to_owned(),
            problem: format!(
                "has `{}`, which is where installed packages are: expected another, for they are read anyway",
                folder.display()
            ),
        }),
    }
}

fn namespaces(raw: &[String]) -> Result<BTreeSet<String>, String> {
    if raw.is_empty() {
        return Err("is empty: expected the namespaces of the skills that the key may sign, such as `acme`".to_owned());
    }
    // What can't stand before the slash of an id would never let in anything.
    let is_one = |name: &&String| format!("{name}/x").parse::<SkillId>().is_ok();
    match raw.iter().find(|name| !is_one(name)) {
        Some(name) => Err(format!(
            "has `{name}`: expected the part of an id before the slash, lowercase letters, digits and single hyphens"
        )),
        None => Ok(raw.iter().cloned().collect()),
    }
}
