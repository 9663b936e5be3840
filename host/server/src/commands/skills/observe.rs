//! `bailiwick skills observe`: what a skill needs, from what it does on copies.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use bailiwick_domain::authority::{HostPattern, HttpRule, Scheme};
use bailiwick_domain::manifest::Permissions;
use bailiwick_skills::package::MANIFEST_FILE;
use bailiwick_skills::skill::Skill;
use bailiwick_wire::observe::{ObserveCall, ObserveRequest, Observed, ObservedCall};
use serde_json::Value;
use toml_edit::{DocumentMut, Item};

use super::run::arguments;
use crate::cli::skills::Observe;
use crate::commands::grant::new_grant;
use crate::config::Config;
use crate::desk::{Desk, encode};
use crate::output::{Done, Exit, Failure, Output, note, tame};

/// Bytes of a file of calls that are read: what the server takes too.
const MAX_CALLS_FILE: u64 = 4 << 20;

/// Methods that are let out where a skill asks for no requests and none are named.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

pub(super) fn observe(observe: &Observe, config: &Config, out: Output) -> Done {
    let calls = calls(observe)?;
    let mut desk = Desk::open(config, out)?;
    let skill = desk.resolve(&observe.skill)?;
    let id = &skill.manifest.id;
    let new = new_grant(&observe.terms, &asked(&skill.manifest.permissions))?;
    let within = new.to_json(id, skill.digest).map_err(|error| Failure::new(Exit::Usage, error))?;
    let request = serde_json::to_value(ObserveRequest { calls, within });
    let request = request.map_err(|error| Failure::new(Exit::Host, error))?;
    let path = format!("/v1/skills/{id}@={}/observe", encode(&skill.manifest.version.to_string()));
    let observed: Observed = desk.send("POST", &path, Some(&request))?;
    if let Some(folder) = &observe.save {
        save(folder, &observed)?;
    }
    if observe.update {
        update(&skill, &observed)?;
    }
    if out.json {
        out.value(&serde_json::to_value(&observed).map_err(|error| Failure::new(Exit::Host, error))?);
        return Ok(());
    }
    print(&observed, observe, &skill, out);
    Ok(())
}

fn calls(observe: &Observe) -> Result<Vec<ObserveCall>, Failure> {
    let Some(path) = &observe.calls else {
        let Value::Object(arguments) = arguments(&observe.args, &observe.arg)? else { return Ok(Vec::new()) };
        return Ok(vec![ObserveCall { tool: observe.tool.clone(), arguments }]);
    };
    let wrong = |problem: String| Failure::new(Exit::Arguments, format!("the calls {}: {problem}", path.display()));
    let mut text = String::new();
    let read = fs::File::open(path).and_then(|file| file.take(MAX_CALLS_FILE + 1).read_to_string(&mut text));
    if read.map_err(|error| wrong(error.to_string()))? as u64 > MAX_CALLS_FILE {
        return Err(wrong("it is larger than 4 MiB, the most that is read; observe fewer calls at once".to_owned()));
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let call = |(index, line): (usize, &str)| {
        let wrong =
            |error| wrong(format!("line {}: {error}; expected {{\"tool\": …, \"arguments\": {{…}}}}", index + 1));
        serde_json::from_str(line).map_err(wrong)
    };
    lines.map(call).collect()
}

/// What the skill asks for, where it asks for requests; else every request can be named.
fn asked(permissions: &Permissions) -> Permissions {
    let mut asked = permissions.clone();
    if asked.http.is_empty() {
        let methods = METHODS.map(str::to_owned).to_vec();
        let schemes = vec![Scheme::Http, Scheme::Https];
        asked.http = vec![HttpRule { host: HostPattern::Any, schemes, ports: vec![], methods, paths: vec![] }];
    }
    asked
}

fn save(folder: &Path, observed: &Observed) -> Done {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        let failed = |error| Failure::new(Exit::Host, format!("{}: {error}", path.display()));
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, text)).map_err(failed)
    };
    write("permissions.toml", &observed.permissions)?;
    write("grant.toml", &observed.grant)
}

/// Puts the permissions into the manifest, whose other lines stay as they are.
fn update(skill: &Skill, observed: &Observed) -> Done {
    let path = skill.package_root.join(MANIFEST_FILE);
    let failed = |error: &dyn std::fmt::Display| Failure::new(Exit::Host, format!("{}: {error}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| failed(&error))?;
    let text = with_permissions(&text, &observed.permissions).map_err(|error| failed(&error))?;
    // Whoever reads it meanwhile finds the one or the other, and never a half.
    let beside = path.with_extension("toml.new");
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path)).map_err(|error| failed(&error))
}

fn with_permissions(manifest: &str, permissions: &str) -> Result<String, toml_edit::TomlError> {
    let mut manifest: DocumentMut = manifest.parse()?;
    let mut permissions: DocumentMut = permissions.parse()?;
    match permissions.remove("permissions") {
        Some(Item::Table(mut table)) => {
            // Behind all that stands there, unless it takes the place of older ones.
            table.set_position(None);
            for (_, item) in table.iter_mut() {
                unplaced(item);
            }
            manifest.insert("permissions", Item::Table(table));
        }
        _ => drop(manifest.remove("permissions")),
    }
    Ok(manifest.to_string())
}

/// Tables of another document have places in that one.
fn unplaced(item: &mut Item) {
    match item {
        Item::Table(table) => table.set_position(None),
        Item::ArrayOfTables(tables) => tables.iter_mut().for_each(|table| table.set_position(None)),
        Item::None | Item::Value(_) => {}
    }
}

fn print(observed: &Observed, observe: &Observe, skill: &Skill, out: Output) {
    out.line(format!("{} {} ({})", out.bold(&observed.skill), observed.version, observed.digest));
    observed.calls.iter().for_each(|call| print_call(call, out));
    list("Touched", &observed.touched, out);
    list("Used, and not asked for in the manifest", &observed.missing, out);
    list("Asked for in the manifest, and not used", &observed.unneeded, out);
    out.line(format!("\n{}", out.bold("The smallest permissions, for skill.toml")));
    out.line(tame(observed.permissions.trim_end()));
    out.line(format!("\n{}", out.bold("The smallest grant")));
    out.line(tame(&without_seen(&observed.grant)));
    for text in &observed.notes {
        note(format!("note: {}", tame(text)));
    }
    if let Some(folder) = &observe.save {
        let file = folder.join("grant.toml");
        note(format!("To give it: bailiwick grant import {}", file.display()));
    } else {
        note("With `--save FOLDER` both are written as files, and `bailiwick grant import` gives the grant.");
    }
    if observe.update {
        note(format!("{} now asks for that.", skill.package_root.join(MANIFEST_FILE).display()));
    }
}

fn print_call(call: &ObservedCall, out: Output) {
    let good = call.outcome == "succeeded";
    let outcome = if good { out.green(&call.outcome) } else { out.red(&call.outcome) };
    let answer = [&call.output, &call.failure].into_iter().flatten().next().map(|json| json.get());
    let answer = call.problem.as_deref().or(answer).unwrap_or_default();
    out.line(format!("{} {outcome}: {}", call.tool, tame(&first_line(answer))));
    for denial in &call.denials {
        let text = format!("  denied: {}: {} ({})", denial.capability, denial.request, denial.reason);
        out.line(out.red(&tame(&text)));
    }
}

/// A file of grants without its comments, and without what the giver was shown of the skill.
fn without_seen(grants: &str) -> String {
    let mut seen = false;
    let shown = grants.lines().filter(|line| {
        if line.starts_with('[') {
            seen = *line == "[grant.seen]";
        }
        !seen && !line.starts_with('#')
    });
    shown.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// As much of an answer as shows that it is the expected one.
fn first_line(text: &str) -> String {
    const MAX: usize = 120;
    let line = text.lines().next().unwrap_or_default();
    let mut chars = line.chars();
    let cut: String = chars.by_ref().take(MAX).collect();
    if chars.next().is_some() || text.lines().nth(1).is_some() { format!("{cut}…") } else { cut }
}

fn list(title: &str, lines: &[String], out: Output) {
    if lines.is_empty() {
        return;
    }
    out.line(format!("\n{}", out.bold(title)));
    for line in lines {
        out.line(format!("  {}", tame(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::with_permissions;

    #[test]
    fn the_rest_of_a_manifest_stays() {
        let manifest = "# Whose it is.\nskill_id = \"a/b\" # a comment\n\n[permissions]\nstate = true\n\n\
                        [[permissions.fs]]\nroot = \"/old\"\naccess = \"read\"\n\n[limits] # small\nmemory = \"1 MiB\"\n";
        let new = "[permissions]\nworkspace = true\n\n[[permissions.fs]]\nroot = \"/work\"\naccess = \"read\"\n";
        let changed = with_permissions(manifest, new).expect("TOML");
        assert!(changed.starts_with("# Whose it is.\nskill_id = \"a/b\" # a comment\n"), "{changed}");
        assert!(changed.contains("[limits] # small\nmemory = \"1 MiB\"\n"), "{changed}");
        let read: toml::Table = changed.parse().expect("TOML");
        let expected: toml::Table = new.parse().expect("TOML");
        assert_eq!(read["permissions"], expected["permissions"], "{changed}");
        let added = with_permissions("skill_id = \"a/b\"\n\n[limits]\nmemory = \"1 MiB\"\n", new).expect("TOML");
        let read: toml::Table = added.parse().expect("TOML");
        assert_eq!(read["permissions"], expected["permissions"], "{added}");
        assert_eq!(read["limits"]["memory"].as_str(), Some("1 MiB"), "{added}");
    }
}
