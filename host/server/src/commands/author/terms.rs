//! A grant of what a manifest asks for, confined to a folder: for a session at an
//! author's desk, where nobody's data is at stake.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_domain::authority::{FsMount, GuestPath};
use bailiwick_domain::grant::Capabilities;
use bailiwick_domain::quota::{Quota, StateQuota};
use bailiwick_skills::grants::NewGrant;
use bailiwick_skills::skill::Skill;

use crate::output::{Exit, Failure};

/// A grant, in words too.
pub(super) struct Terms {
    pub(super) grant: NewGrant,
    /// What is given, a line each.
    pub(super) given: Vec<String>,
    /// What is asked for and not given, and why.
    pub(super) withheld: Vec<String>,
}

/// What `skill` asks for, with its folders below `folder` and these settings.
pub(super) fn asked(
    skill: &Skill,
    folder: &Path,
    settings: &BTreeMap<String, String>,
    giver: &str,
) -> Result<Terms, Failure> {
    let asked = &skill.manifest.permissions;
    let (mut granted, mut withheld) = (Vec::new(), Vec::new());
    let mut capabilities = Capabilities::default();
    for request in &asked.fs {
        let host = place(folder, &request.root)?;
        granted.push(format!("folder {} is {} ({})", request.root, host.display(), request.access));
        let quota = Quota::default();
        capabilities.fs.push(FsMount { root: request.root.clone(), host, access: request.access, quota });
    }
    granted.extend(asked.http.iter().map(|rule| format!("requests {rule}")));
    capabilities.http.clone_from(&asked.http);
    if asked.workspace.is_some() {
        granted.push("a folder of its own at /workspace for each call".to_owned());
        capabilities.workspace = Some(Quota::default());
    }
    if asked.state.is_some() {
        granted.push("state, gone with this session".to_owned());
        capabilities.state = Some(StateQuota::default());
    }
    for key in &asked.config {
        match settings.get(key) {
            Some(value) => {
                granted.push(format!("setting {key}"));
                capabilities.config.insert(key.clone(), value.clone());
            }
            None => withheld.push(format!("setting {key}: `--setting {key}=VALUE` gives it")),
        }
    }
    withheld.extend(asked.secrets.iter().map(|name| format!("secret {name}: no secret of yours is used here")));
    withheld.extend(asked.shell.iter().map(|rule| format!("command {rule}: nothing is run on your machine from here")));
    withheld.extend(asked.skills.iter().map(|skill| format!("skill {skill}: there is no other skill here")));
    withheld.extend(asked.models.iter().map(|model| format!("model {model}: there is no model here")));
    let grant = NewGrant {
        giver: giver.to_owned(),
        capabilities,
        accepted_risks: skill.risk_tags().into_iter().map(str::to_owned).collect(),
        ..NewGrant::default()
    };
    Ok(Terms { grant, given: granted, withheld })
}

/// The folder that a root is in, which is made where there is none.
fn place(folder: &Path, root: &GuestPath) -> Result<PathBuf, Failure> {
    let below = root.to_string();
    let below = below.trim_start_matches('/');
    let host = folder.join(if below.is_empty() { "root" } else { below });
    fs::create_dir_all(&host).map_err(|error| Failure::new(Exit::Host, format!("{}: {error}", host.display())))?;
    Ok(host)
}

/// Settings as they are typed.
pub(super) fn settings(pairs: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |pair: &String| {
        let split = pair.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        split.ok_or_else(|| Failure::new(Exit::Usage, format!("`{pair}` is not KEY=VALUE")))
    };
    pairs.iter().map(pair).collect()
}
