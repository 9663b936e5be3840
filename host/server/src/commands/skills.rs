//! `bailiwick skills`: list, show, run, observe, install and publish.

mod follow;
mod install;
mod observe;
mod publish;
mod run;
mod show;

use bailiwick_domain::manifest::Kind;
use bailiwick_skills::catalog::{Broken, Catalog};
use bailiwick_skills::grants::GrantEntry;
use bailiwick_skills::skill::Skill;
use serde_json::{Value, json};

pub(super) use self::run::arguments;
use crate::cli::skills::Skills;
use crate::config::Config;
use crate::desk::Desk;
use crate::output::{Done, Output, tame};

/// Runs the command.
pub fn run(command: Skills, config: &Config, out: Output) -> Done {
    match command {
        Skills::List { filter } => list(filter.as_deref().unwrap_or_default(), config, out),
        Skills::Show { skill } => show::show(&skill, config, out),
        Skills::Run(run) => run::run(&run, config, out),
        Skills::Observe(observe) => observe::observe(&observe, config, out),
        Skills::Install(install) => install::install(&install, config, out),
        Skills::Remove { skill } => install::remove(&skill, config, out),
        Skills::Pack(pack) => publish::pack(&pack, config, out),
        Skills::Publish(publish) => publish::publish(&publish, config, out),
        Skills::Keygen { file } => publish::keygen(&file, out),
    }
}

fn list(filter: &str, config: &Config, out: Output) -> Done {
    let mut desk = Desk::open(config, out)?;
    let (registry, grants) = (desk.registry()?, desk.grants()?);
    let catalog = registry.catalog();
    let matches = |skill: &Skill| skill.manifest.id.as_str().contains(filter) || summary(skill).contains(filter);
    let skills: Vec<_> = catalog.list().filter(|skill| matches(skill)).collect();
    if out.json {
        let skills: Vec<_> = skills.iter().map(|skill| describe(skill, &grants)).collect();
        let broken: Vec<_> = catalog.broken().iter().map(describe_broken).collect();
        out.value(&json!({ "skills": skills, "broken": broken }));
        return Ok(());
    }
    let row = |skill: &&std::sync::Arc<Skill>| {
        let manifest = &skill.manifest;
        let granted = if granted(skill, &grants) { "yes" } else { "no" };
        let about = tame(&first_sentence(&summary(skill))).into_owned();
        [
            manifest.id.to_string(),
            manifest.version.to_string(),
            kind(manifest.kind).to_owned(),
            granted.to_owned(),
            about,
        ]
    };
    if skills.is_empty() && catalog.broken().is_empty() {
        out.line(nothing_found(config, &catalog));
        return Ok(());
    }
    out.table(["SKILL", "VERSION", "KIND", "GRANTED", "ABOUT"], &skills.iter().map(row).collect::<Vec<_>>());
    for broken in catalog.broken() {
        let error = broken.error.to_string();
        out.line(out.red(&format!("broken: {}: {}", broken.folder.display(), tame(&error))));
    }
    Ok(())
}

fn nothing_found(config: &Config, catalog: &Catalog) -> String {
    if catalog.list().next().is_some() {
        return "No skill matches.".to_owned();
    }
    let folders: Vec<_> = config.skill_directories.iter().map(|folder| folder.display().to_string()).collect();
    format!("There is no skill below {}. Set `skills.directories` in the configuration.", folders.join(", "))
}

/// What the skill says it is for.
fn summary(skill: &Skill) -> String {
    skill.instructions.as_ref().map(|it| it.description.clone()).unwrap_or_default()
}

/// Enough for a line in a list.
fn first_sentence(text: &str) -> String {
    const MAX: usize = 70;
    let sentence = text.split(". ").next().unwrap_or_default();
    if sentence.chars().count() <= MAX {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(MAX - 1).collect();
    format!("{cut}…")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Tool => "tool",
        Kind::Prompt => "prompt",
        Kind::Workflow => "workflow",
    }
}

/// The grant for the bytes of `skill`.
fn grant_of<'g>(skill: &Skill, grants: &'g [GrantEntry]) -> Option<&'g GrantEntry> {
    let is = |entry: &&GrantEntry| entry.grant.skill == skill.manifest.id && entry.grant.digest == skill.digest;
    grants.iter().find(is)
}

fn granted(skill: &Skill, grants: &[GrantEntry]) -> bool {
    grant_of(skill, grants).is_some_and(|entry| entry.problem.is_none())
}

fn describe(skill: &Skill, grants: &[GrantEntry]) -> Value {
    let tools: Vec<_> = skill.tools.iter().map(|tool| tool.name.as_str()).collect();
    json!({
        "id": skill.manifest.id.as_str(),
        "version": skill.manifest.version.to_string(),
        "kind": kind(skill.manifest.kind),
        "digest": skill.digest.to_string(),
        "description": summary(skill),
        "tools": tools,
        "granted": granted(skill, grants),
        "warnings": skill.warnings,
    })
}

fn describe_broken(broken: &Broken) -> Value {
    json!({ "folder": broken.folder, "error": broken.error.to_string() })
}
