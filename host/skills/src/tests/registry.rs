use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use bailiwick_domain::permit;
use bailiwick_domain::sandbox::Sandbox;
use std::sync::Arc;

use super::script::{Act, Script};
use super::support::{ALL, Site, component, invocation, manifest, tool};
use crate::catalog::{Broken, BrokenReason, Difference, ResolveError};
use crate::registry::{Registry, RegistryOptions};

fn script() -> Arc<Script> {
    Script::new(permit::authority().1)
}

fn simple(site: &Site, folder: &str, id: &str, version: &str, tools: &[&str]) -> std::path::PathBuf {
    let tools: Vec<_> = tools.iter().map(|name| tool(name)).collect();
    site.package(folder, &manifest(id, version, ""), &tools)
}

fn names(registry: &Registry) -> Vec<String> {
    let name = |skill: &Arc<crate::skill::Skill>| format!("{} {}", skill.manifest.id, skill.manifest.version);
    registry.catalog().list().map(name).collect()
}

fn of_folder<'b>(broken: &'b [Broken], name: &str) -> &'b BrokenReason {
    let found = broken.iter().find(|broken| broken.folder.file_name().is_some_and(|file| file == name));
    &found.unwrap_or_else(|| panic!("{name} is broken")).error
}

#[test]
fn broken_packages_are_listed_and_hurt_no_other() {
    let site = Site::new();
    simple(&site, "good", "demo/good", "1.0.0", &["run"]);
    simple(&site, "garbage", "demo/garbage", "1.0.0", &["run"]);
    fs::write(site.skills().join("garbage/skill.wasm"), "garbage").expect("write");
    site.package("unread", "skill_id = 3", &[]);
    simple(&site, "gone", "demo/gone", "1.0.0", &["run"]);
    fs::remove_file(site.skills().join("gone/skill.wasm")).expect("remove");
    fs::create_dir(site.skills().join("no-package")).expect("a folder");
    fs::write(site.skills().join("file"), "").expect("a file");
    fs::rename(simple(&site, "hidden", "demo/hidden", "1.0.0", &["run"]), site.skills().join(".hidden"))
        .expect("rename");
    let registry = site.registry(&script());
    assert_eq!(names(&registry), ["demo/good 1.0.0"]);
    let catalog = registry.catalog();
    assert_eq!(catalog.broken().len(), 3);
    assert!(matches!(of_folder(catalog.broken(), "garbage"), BrokenReason::Component { .. }));
    assert!(matches!(of_folder(catalog.broken(), "unread"), BrokenReason::Package(_)));
    assert!(matches!(of_folder(catalog.broken(), "gone"), BrokenReason::Package(_)));
    let garbage = catalog.broken().iter().find(|broken| broken.id.is_some()).expect("its manifest was read");
    assert_eq!(garbage.id, Some("demo/garbage".parse().expect("an id")));
    let error = catalog.resolve(&"demo/garbage".parse().expect("a selector")).expect_err("broken");
    assert!(matches!(error, ResolveError::Broken { .. }), "{error}");
}

#[test]
fn a_missing_skills_folder_is_broken_until_it_is_there() {
    let site = Site::new();
    let missing = site.folder.path().join("later");
    let directories = vec![missing.clone(), site.skills(), site.skills()];
    simple(&site, "a", "demo/a", "1.0.0", &["run"]);
    let options = RegistryOptions { directories, strict: true, allow_shell: false, put_off: false };
    let mut progress = Vec::new();
    let registry = Registry::open(options, script() as Arc<dyn Sandbox>, |step| {
        progress.push((step.done, step.total, step.folder.to_owned()));
    });
    assert_eq!(progress, [(0, 1, site.skills().join("a"))], "a folder named twice is read once");
    assert!(matches!(*registry.catalog().broken()[0].error, BrokenReason::Directory { .. }));
    fs::create_dir(&missing).expect("a folder");
    assert!(registry.reload().broken_changed);
    assert!(registry.catalog().broken().is_empty());
}

#[test]
fn versions_stand_side_by_side() {
    let site = Site::new();
    for (folder, version) in [("a", "1.2.0"), ("b", "1.10.0"), ("c", "2.0.0-rc.1"), ("d", "0.9.0")] {
        simple(&site, folder, "demo/many", version, &[folder]);
    }
    let host = site.open();
    let version = |selector: &str| host.skill(selector).manifest.version.to_string();
    assert_eq!(names(&host.registry)[0], "demo/many 2.0.0-rc.1");
    assert_eq!(version("demo/many"), "1.10.0", "the newest that is no pre-release");
    assert_eq!(version("demo/many@1.2.0"), "1.2.0");
    assert_eq!(version("demo/many@^1.2"), "1.10.0");
    assert_eq!(version("demo/many@<1"), "0.9.0");
    assert_eq!(version("demo/many@2.0.0-rc.1"), "2.0.0-rc.1");
    assert_eq!(version("demo/many@>=2.0.0-rc.0"), "2.0.0-rc.1");
    let catalog = host.registry.catalog();
    let error = catalog.resolve(&"demo/many@^3".parse().expect("a selector")).expect_err("none");
    assert!(error.to_string().contains("`2.0.0-rc.1`, `1.10.0`, `1.2.0`, `0.9.0`"), "{error}");
    let error = catalog.resolve(&"demo/mani".parse().expect("a selector")).expect_err("none");
    assert_eq!(error.to_string(), "there is no skill `demo/mani`; did you mean `demo/many`?");
}

#[test]
fn one_release_with_two_contents_is_none() {
    let site = Site::new();
    simple(&site, "a", "demo/x", "1.0.0", &["run"]);
    simple(&site, "b", "demo/x", "1.0.0", &["run", "stop"]);
    simple(&site, "c", "demo/x", "1.1.0", &["run"]);
    simple(&site, "d", "demo/same", "1.0.0", &["run"]);
    simple(&site, "e", "demo/same", "1.0.0", &["run"]);
    simple(&site, "f", "demo/asks", "1.0.0", &["run"]);
    site.package("g", &manifest("demo/asks", "1.0.0", "[permissions]\nstate = true"), &[tool("run")]);
    let sandbox = script();
    let registry = site.registry(&sandbox);
    assert_eq!(names(&registry), ["demo/same 1.0.0", "demo/x 1.1.0"]);
    let catalog = registry.catalog();
    assert_eq!(catalog.broken().len(), 4);
    for (one, other) in [("a", "b"), ("b", "a")] {
        let BrokenReason::Conflict(conflict) = of_folder(catalog.broken(), one) else {
            panic!("{one} conflicts with {other}")
        };
        assert!(conflict.other.ends_with(other));
        assert!(matches!(conflict.differs, Difference::Digests { own, other } if own != other));
    }
    let BrokenReason::Conflict(conflict) = of_folder(catalog.broken(), "g") else { panic!("f conflicts with g") };
    assert_eq!(conflict.differs, Difference::Manifests);
    // When one goes, the other is a skill again, and its code is still loaded.
    fs::remove_dir_all(site.skills().join("b")).expect("remove");
    let loads = sandbox.loads();
    registry.reload();
    assert_eq!(names(&registry), ["demo/same 1.0.0", "demo/x 1.1.0", "demo/x 1.0.0"]);
    assert_eq!(sandbox.loads(), loads);
    let skill = registry.catalog().resolve(&"demo/x@1.0.0".parse().expect("a selector")).expect("there");
    assert!(sandbox.has(&skill.digest));
}

#[test]
fn a_package_may_be_a_symlink_and_a_component_may_not_lead_out() {
    let site = Site::new();
    let elsewhere = site.folder.path().join("elsewhere");
    fs::rename(simple(&site, "linked", "demo/linked", "1.0.0", &["run"]), &elsewhere).expect("move");
    symlink(&elsewhere, site.skills().join("linked")).expect("a symlink");
    let thief = simple(&site, "thief", "demo/thief", "1.0.0", &["run"]);
    fs::remove_file(thief.join("skill.wasm")).expect("remove");
    symlink(elsewhere.join("skill.wasm"), thief.join("skill.wasm")).expect("a symlink");
    let registry = site.registry(&script());
    assert_eq!(names(&registry), ["demo/linked 1.0.0"]);
    let catalog = registry.catalog();
    let error = of_folder(catalog.broken(), "thief").to_string();
    assert!(error.contains("out of the package"), "{error}");
}

#[test]
fn a_reload_tells_what_changed() {
    let site = Site::new();
    for name in ["stays", "goes", "changes"] {
        simple(&site, name, &format!("demo/{name}"), "1.0.0", &["run"]);
    }
    let registry = site.registry(&script());
    let mut changes = registry.subscribe();
    assert_eq!(changes.borrow_and_update().added.len(), 3);
    let stays = registry.catalog().resolve(&"demo/stays".parse().expect("a selector")).expect("there");
    fs::remove_dir_all(site.skills().join("goes")).expect("remove");
    fs::write(site.skills().join("changes/skill.wasm"), component(&[tool("run"), tool("more")])).expect("write");
    simple(&site, "comes", "demo/comes", "1.0.0", &["run"]);
    fs::create_dir(site.skills().join("bad")).expect("a folder");
    fs::write(site.skills().join("bad/skill.toml"), "").expect("write");
    let change = registry.reload();
    let ids = |releases: &[crate::registry::Release]| {
        releases.iter().map(|release| release.id.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (ids(&change.added), ids(&change.removed), ids(&change.changed)),
        (vec!["comes".to_owned()], vec!["goes".to_owned()], vec!["changes".to_owned()])
    );
    assert_eq!((change.broken.len(), change.broken_changed, change.generation), (1, true, 2));
    assert!(changes.has_changed().expect("the registry lives"));
    let catalog = registry.catalog();
    assert_eq!(catalog.generation(), 2);
    let again = catalog.resolve(&"demo/stays".parse().expect("a selector")).expect("there");
    assert!(Arc::ptr_eq(&stays, &again), "what stays is the same skill");
    changes.borrow_and_update();
    let nothing = registry.reload();
    assert!(nothing.is_empty() && nothing.generation == 2);
    assert!(!changes.has_changed().expect("the registry lives"), "nobody is told of nothing");
}

#[test]
fn a_reload_reads_only_what_changed() {
    let site = Site::new();
    for n in 0..100 {
        simple(&site, &format!("s{n}"), &format!("demo/s{n}"), "1.0.0", &["run", &format!("t{n}")]);
    }
    let sandbox = script();
    let registry = site.registry(&sandbox);
    assert_eq!(sandbox.loads(), 100);
    registry.reload();
    assert_eq!(sandbox.loads(), 100);
    // The same length at the same moment is a change too, if the file is another one.
    let file = site.skills().join("s7/skill.wasm");
    replace_keeping_time(&file, &String::from_utf8(fs::read(&file).expect("read")).expect("text").replace("t7", "u7"));
    let change = registry.reload();
    assert_eq!(sandbox.loads(), 101);
    assert_eq!(change.changed.len(), 1);
    for file in ["s8/skill.toml", "s9/SKILL.md"] {
        let text = match file.strip_suffix("skill.toml") {
            Some(_) => manifest("demo/s8", "1.0.1", ""),
            None => "---\nname: s9\ndescription: Nine.\n---\n".to_owned(),
        };
        fs::write(site.skills().join(file), text).expect("write");
    }
    let change = registry.reload();
    assert_eq!((change.added.len(), change.removed.len(), change.changed.len()), (1, 1, 1));
    assert_eq!(sandbox.loads(), 103);
}

fn replace_keeping_time(file: &Path, text: &str) {
    let time = fs::metadata(file).expect("it exists").modified().expect("it has a time");
    let new = file.with_extension("new");
    fs::write(&new, text).expect("write");
    fs::File::options().write(true).open(&new).expect("open").set_modified(time).expect("a time");
    fs::rename(new, file).expect("rename");
}

#[test]
fn a_schema_file_counts_as_the_package() {
    let site = Site::new();
    let rest = "[tools.run]\ninput_schema = \"in.json\"";
    let folder = site.package("p", &manifest("demo/p", "1.0.0", rest), &[tool("run")]);
    fs::write(folder.join("in.json"), r#"{"properties":{"text":{"maxLength":3}}}"#).expect("write");
    let host = site.open();
    fs::write(folder.join("in.json"), r#"{"properties":{"text":{"maxLength":4}}}"#).expect("write");
    assert_eq!(host.registry.reload().changed.len(), 1);
    assert_eq!(host.skill("demo/p").tools[0].input_schema["allOf"][0]["properties"]["text"]["maxLength"], 4);
    // Touched and not changed: whoever holds the skill goes on with it.
    let before = host.skill("demo/p");
    let text = fs::read(folder.join("in.json")).expect("read");
    fs::write(folder.join("in.json"), text).expect("write");
    assert!(host.registry.reload().is_empty());
    assert!(Arc::ptr_eq(&before, &host.skill("demo/p")));
}

#[tokio::test]
async fn a_call_keeps_its_code_while_the_package_changes() {
    let host = Site::new().with("p").open();
    host.grant("demo/p");
    let old = host.skill("demo/p").digest;
    host.sandbox.act(Act::Wait);
    let call = host.start(invocation("demo/p")).await;
    host.site.package("p", &manifest("demo/p", "1.0.0", ALL), &[tool("run"), tool("new")]);
    assert_eq!(host.registry.reload().changed.len(), 1);
    assert!(host.sandbox.has(&old), "a call holds it");
    host.sandbox.release();
    call.await.expect("no panic").expect("it ends as if nothing had happened");
    fs::remove_dir_all(host.site.skills().join("p")).expect("remove");
    host.registry.reload();
    assert!(!host.sandbox.has(&old), "nobody holds it any more");
}
