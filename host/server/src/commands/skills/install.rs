//! `skills install` and `skills remove`. The host does both: see [`crate::desk`].

use std::io::{IsTerminal as _, Read as _};
use std::time::Duration;

use bailiwick_domain::skill_id::SkillSelector;
use bailiwick_skills::skill::Skill;
use bailiwick_wire::package::{Credentials, InstallRequest, Installation, InstalledPackage, Removal};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::show::{requested, section};
use crate::cli::skills::{Install, RegistryAccess};
use crate::config::Config;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output, tame};

/// Bytes of a password on stdin; tokens of registries have some thousand.
const MAX_PASSWORD: u64 = 64 << 10;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(100);

pub(super) fn install(install: &Install, config: &Config, out: Output) -> Done {
    let request = InstallRequest {
        source: install.source.as_deref().map(whole_source).transpose()?,
        digest: install.digest.clone(),
        allow_unsigned: install.allow_unsigned,
        plain_http: install.registry.plain_http,
        credentials: credentials(&install.registry)?
            .map(|(username, password)| Credentials { username, password: password.to_string() }),
    };
    let mut desk = Desk::open(config, out)?;
    let spinner = spinner("installing", out);
    let body = serde_json::to_value(&request).unwrap_or_default();
    let done = desk.send::<Installation>("POST", "/v1/packages", Some(&body));
    spinner.finish_and_clear();
    let done = done?;
    if out.json {
        let installed = done.installed.iter().map(|package| described(package, &mut desk));
        let installed = installed.collect::<Result<Vec<_>, _>>()?;
        out.value(&json!({ "installed": installed, "unchanged": done.unchanged, "removed": done.removed }));
        return Ok(());
    }
    for package in &done.unchanged {
        out.line(format!("{} {} is installed already, with the same bytes", package.skill, package.version));
    }
    for package in &done.removed {
        out.line(format!("removed {} {}, which is not in the lock", package.skill, package.version));
    }
    for package in &done.installed {
        tell(package, &mut desk, out)?;
    }
    if done.installed.is_empty() && done.unchanged.is_empty() && done.removed.is_empty() {
        out.line(format!(
            "The lock {} names no package. Install one with `bailiwick skills install SOURCE`.",
            config.lock.display()
        ));
    }
    Ok(())
}

pub(super) fn remove(skill: &str, config: &Config, out: Output) -> Done {
    let desk = Desk::open(config, out)?;
    let gone: Removal = desk.send("DELETE", &format!("/v1/packages/{}", encode(skill)), None)?;
    if out.json {
        out.value(&serde_json::to_value(&gone).unwrap_or_default());
        return Ok(());
    }
    for package in &gone.removed {
        out.line(format!("removed {} {}", package.skill, package.version));
    }
    if let Some(package) = gone.removed.first() {
        out.line(format!(
            "Its grants stay, for these bytes alone: `bailiwick grant revoke {}` takes them back.",
            package.skill
        ));
    }
    Ok(())
}

/// Who asks a registry, where the command line says so.
pub(super) fn credentials(access: &RegistryAccess) -> Result<Option<(String, Zeroizing<String>)>, Failure> {
    let Some(username) = &access.username else { return Ok(None) };
    let mut password = Zeroizing::new(String::new());
    let read = std::io::stdin().take(MAX_PASSWORD).read_to_string(&mut password);
    read.map_err(|error| Failure::new(Exit::Usage, format!("the password on stdin can't be read: {error}")))?;
    // What types a password ends it with a line break, which is not part of it.
    let password = Zeroizing::new(password.trim_end_matches(['\r', '\n']).to_owned());
    if password.is_empty() {
        return Err(Failure::new(Exit::Usage, "there is no password on stdin: expected one behind `--password-stdin`"));
    }
    Ok(Some((username.clone(), password)))
}

/// Something that turns on stderr where a person waits.
pub(super) fn spinner(what: &'static str, out: Output) -> ProgressBar {
    if out.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    spinner.enable_steady_tick(TICK);
    spinner
}

/// The host may have another working folder than whoever types this.
fn whole_source(text: &str) -> Result<String, Failure> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    let path = std::path::absolute(text).map_err(|error| Failure::new(Exit::Usage, format!("`{text}`: {error}")))?;
    let path = path.into_os_string().into_string();
    path.map_err(|_| Failure::new(Exit::Usage, "the path is not UTF-8, so that the lock can't name it"))
}

fn skill_of(package: &InstalledPackage, desk: &mut Desk) -> Result<std::sync::Arc<Skill>, Failure> {
    let selector: SkillSelector =
        format!("{}@{}", package.skill, package.version).parse().map_err(|error| Failure::new(Exit::Host, error))?;
    desk.registry()?.catalog().resolve(&selector).map_err(|error| Failure::new(Exit::Host, error))
}

fn described(package: &InstalledPackage, desk: &mut Desk) -> Result<Value, Failure> {
    let skill = skill_of(package, desk)?;
    let mut value = serde_json::to_value(package).unwrap_or_default();
    value["imports"] = json!(skill.inspection.as_ref().map(|it| &it.imports));
    value["requested"] = json!(requested(&skill.manifest.permissions));
    value["next"] = json!(next(package, &skill, desk)?);
    Ok(value)
}

fn tell(package: &InstalledPackage, desk: &mut Desk, out: Output) -> Done {
    let skill = skill_of(package, desk)?;
    out.line(format!("installed {} {} ({})", out.bold(&package.skill), package.version, package.digest));
    out.line(format!("  from {}", tame(&package.source)));
    match &package.signed_by {
        Some(name) => out.line(format!("  signed by the key {}", out.green(name))),
        None => out.line(out.red("  unsigned: nobody vouches for it")),
    }
    let imports = skill.inspection.as_ref().map(|it| it.imports.clone()).unwrap_or_default();
    section("Imports, and so can reach nothing else", &imports, "nothing", out);
    section("Asks for", &requested(&skill.manifest.permissions), "nothing", out);
    out.line(match next(package, &skill, desk)? {
        Some(command) => format!("\nNothing is granted by this. Next: {command}"),
        None if skill.inspection.is_none() => "\nIt is a prompt, which makes no calls and needs no grant.".to_owned(),
        None => "\nThese bytes were granted before, and that grant holds.".to_owned(),
    });
    Ok(())
}

/// The command that lets the skill run, where it can't.
fn next(package: &InstalledPackage, skill: &Skill, desk: &Desk) -> Result<Option<String>, Failure> {
    let grants = desk.grants()?;
    if skill.inspection.is_none() || super::granted(skill, &grants) {
        return Ok(None);
    }
    let others = grants.iter().any(|entry| entry.grant.skill == skill.manifest.id);
    let verb = if others { "review" } else { "add" };
    Ok(Some(format!("bailiwick grant {verb} {}@{}", package.skill, package.version)))
}
