//! `check`: what a host, a reviewer or an agent will stumble over, before they do.

mod broken;
mod component;
mod freshness;
mod instructions;
mod manifest;
mod permissions;
mod reproducible;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick_domain::sandbox::Sandbox;
use bailiwick_skills::package::{self, INSTRUCTIONS_FILE, LoadOptions, MANIFEST_FILE, Package, PackageError};
use bailiwick_skills::registry::{Registry, RegistryOptions};

pub use self::reproducible::reproducible;
use crate::component::Facts;
use crate::finding::{Finding, Report, Severity};

/// As strict as a host can be; what a host may allow or not is said in notes.
const OPTIONS: LoadOptions = LoadOptions { strict: true, allow_shell: true };

/// Bytes of the largest file that is read here. The sandbox has limits of its own.
const MAX_FILE: u64 = 128 << 20;

/// Checks the package in `root`. Components are compiled by `sandbox`, which blocks.
pub fn check(root: &Path, sandbox: &Arc<dyn Sandbox>) -> Report {
    let mut findings = match package::load(root, &OPTIONS) {
        Ok(package) => whole(root, &package, sandbox),
        Err(error) => unreadable(root, error, sandbox),
    };
    findings.extend(instructions::check(root));
    for finding in &mut findings {
        finding.file = shown(root, &finding.file);
    }
    Report::new(findings)
}

/// A package whose files are as they should be, each by itself.
fn whole(root: &Path, package: &Package, sandbox: &Arc<dyn Sandbox>) -> Vec<Finding> {
    let mut findings = manifest::notes(package);
    let facts = package.component_path().and_then(|path| facts(&path));
    if let (Some(facts), Some(path)) = (&facts, &package.manifest.component) {
        let foreign = component::newer_interfaces(facts, path);
        if !foreign.is_empty() {
            // The host's own refusal would say the same again.
            findings.extend(foreign);
            return findings;
        }
    }
    let options = RegistryOptions { strict: OPTIONS.strict, allow_shell: OPTIONS.allow_shell, ..Default::default() };
    let registry = Registry::open(options, Arc::clone(sandbox), |_| ());
    let skill = match registry.inspect(root) {
        Ok(skill) => skill,
        Err(broken) => {
            findings.push(broken::finding(&broken.error, package));
            return findings;
        }
    };
    if let (Some(facts), Some(path)) = (&facts, &package.manifest.component) {
        findings.extend(permissions::check(facts, &package.manifest.permissions, path));
        findings.extend(tools::check(root, facts, &skill));
        findings.extend(freshness::check(root, path));
    }
    findings
}

/// A package of which not all can be read: what can be said of its component all the same.
fn unreadable(root: &Path, error: PackageError, sandbox: &Arc<dyn Sandbox>) -> Vec<Finding> {
    let mut findings = broken::package(error);
    let Some(path) = manifest::component(root) else { return findings };
    // A file that isn't there, or isn't to be read, was told of already.
    if !findings.iter().any(|finding| finding.key.as_deref() == Some("component"))
        && let Err(error) = sandbox.load(&root.join(&path))
    {
        findings.push(broken::component(&error, &path));
    }
    findings
}

/// What the component's bytes say, where they can be read at all.
fn facts(path: &Path) -> Option<Facts> {
    let size = fs::metadata(path).ok()?.len();
    (size <= MAX_FILE).then(|| fs::read(path).ok()).flatten().and_then(|bytes| Facts::of(&bytes).ok())
}

/// The file as it is called in the package.
fn shown(root: &Path, file: &Path) -> PathBuf {
    let real = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let below = file.strip_prefix(root).or_else(|_| file.strip_prefix(&real));
    match below {
        Ok(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Ok(below) => below.to_owned(),
        Err(_) => file.to_owned(),
    }
}

/// A finding about the manifest.
fn about_manifest(severity: Severity, code: &'static str, message: String, cure: String) -> Finding {
    Finding::new(severity, code, MANIFEST_FILE, message, cure)
}

/// A finding about the instructions.
fn about_instructions(severity: Severity, code: &'static str, message: String, cure: String) -> Finding {
    Finding::new(severity, code, INSTRUCTIONS_FILE, message, cure)
}
