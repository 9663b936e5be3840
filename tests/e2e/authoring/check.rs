//! `bailiwick check`: each broken package gives one error, which names the cure.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{ADD, INSTRUCTIONS, MANIFEST, built_by_make, package, wasm};
use crate::host::{Home, Ran, component};

/// A package that is broken in one way.
struct Broken {
    what: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    /// The code of its only error.
    code: &'static str,
    /// The file, and the key where there is one.
    place: &'static str,
    /// A part of the message: what was found.
    found: &'static str,
    /// A part of the cure.
    cure: &'static str,
}

fn broken(
    what: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    [code, place, found, cure]: [&'static str; 4],
) -> Broken {
    Broken { what, files, code, place, found, cure }
}

/// The manifest with one line in the place of another.
#[track_caller]
fn manifest(line: &str, other: &str) -> Vec<(&'static str, Vec<u8>)> {
    assert!(MANIFEST.contains(line), "{line}");
    vec![("skill.toml", MANIFEST.replace(line, other).into_bytes())]
}

/// The manifest with more behind it.
fn more(lines: &str) -> (&'static str, Vec<u8>) {
    ("skill.toml", format!("{MANIFEST}\n{lines}").into_bytes())
}

fn instructions(text: String) -> Vec<(&'static str, Vec<u8>)> {
    vec![("SKILL.md", text.into_bytes())]
}

fn component_of(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![("skill.wasm", wasm(text))]
}

/// A component that imports an instance of this name and exports `add`.
fn importing(name: &str) -> String {
    ADD.replacen("(component", &format!("(component (import \"{name}\" (instance (export \"go\" (func))))"), 1)
}

fn of_manifest() -> Vec<Broken> {
    vec![
        broken(
            "an unknown key",
            manifest("version = \"1.0.0\"", "version = \"1.0.0\"\nidempotnt = true"),
            ["invalid", "skill.toml: idempotnt", "idempotent", "the name that was meant"],
        ),
        broken(
            "a version that is none",
            manifest("\"1.0.0\"", "\"1.0\""),
            ["invalid", "skill.toml: version", "is not a version", "change `version` in line 2"],
        ),
        broken(
            "no component",
            manifest("component = \"skill.wasm\"", "component = \"other.wasm\""),
            ["invalid", "skill.toml: component", "expected the component", "`bailiwick build`"],
        ),
        broken(
            "a description of a tool that is not there",
            manifest("[tools.add]", "[tools.ad]"),
            ["unknown-tool", "skill.toml: tools.ad", "no such tool", "name one of `add` in its place"],
        ),
        broken(
            "a schema that is none",
            vec![more("input_schema = \"in.json\""), ("in.json", b"{ \"type\": \"nothing\" }".to_vec())],
            ["invalid", "skill.toml: tools.add.input_schema", "not a JSON Schema", "mend the schema file"],
        ),
        broken(
            "a schema that allows more than the type",
            vec![more("output_schema = \"out.json\""), ("out.json", b"{ \"type\": \"string\" }".to_vec())],
            ["schema-not-narrower", "skill.toml: tools.add.output_schema", "does not narrow", "`bailiwick inspect`"],
        ),
        broken(
            "a workflow that exports none",
            manifest("kind = \"tool\"", "kind = \"workflow\""),
            ["kind", "skill.toml: kind", "bailiwick:skill/workflow", "set `kind = \"tool\"`"],
        ),
        broken(
            "a permission that can't be used",
            vec![more("[permissions]\nconfig = [\"units\"]")],
            [
                "unused-permission",
                "skill.toml: permissions.config",
                "the setting `units`",
                "remove `permissions.config`",
            ],
        ),
    ]
}

fn of_component() -> Vec<Broken> {
    let resource = r#"(component
        (type $r' (resource (rep i32)))
        (export $r "thing" (type $r'))
        (core module $m (func (export "f") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (func (export "add") (result (own $r)) (canon lift (core func $i "f"))))"#;
    let twice = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f")))
        (instance $a (export "add" (func $f)))
        (export "a:one/calc" (instance $a))
        (export "a:two/calc" (instance $a)))"#;
    let whole = wasm(ADD);
    vec![
        broken(
            "no WebAssembly",
            vec![("skill.wasm", b"#!/bin/sh\n".to_vec())],
            ["not-wasm", "skill.wasm", "begins with 23 21 2f 62", "`bailiwick build`"],
        ),
        broken(
            "a core module",
            component_of("(module (func (export \"add\")))"),
            ["core-module", "skill.wasm", "a core module", "`bailiwick wit componentize FILE -o OUT`"],
        ),
        broken(
            "a component that was cut",
            vec![("skill.wasm", whole[..whole.len() / 2].to_vec())],
            ["invalid-component", "skill.wasm", "not a valid component", "build it again"],
        ),
        broken(
            "an import that no host has",
            component_of(&importing("acme:rocket/launch@1.0.0")),
            ["unknown-import", "skill.wasm", "acme:rocket/launch@1.0.0", "`bailiwick inspect FILE`"],
        ),
        broken(
            "a newer world",
            component_of(&importing("bailiwick:skill/skills@9.0.0")),
            [
                "unknown-world",
                "skill.wasm",
                "this host speaks bailiwick:skill 0.1.x",
                "build against the WIT of this host",
            ],
        ),
        broken(
            "a resource in a signature",
            component_of(resource),
            ["unsupported-function", "skill.wasm", "holds a resource", "change the function in the WIT world"],
        ),
        broken(
            "two tools of one name",
            component_of(twice),
            ["unsupported-function", "skill.wasm", "another exported function has the same name", "build again"],
        ),
        broken(
            "nothing to call",
            component_of("(component)"),
            ["no-tools", "skill.wasm", "exports no function", "export at least one function"],
        ),
        broken(
            "an interface that nobody asked for",
            component_of(&importing("bailiwick:shell/commands@0.1.0").replace("(export \"go\" (func))", "")),
            [
                "permission-not-asked",
                "skill.wasm",
                "bailiwick:shell/commands@0.1.0",
                "`permissions.shell` in skill.toml",
            ],
        ),
    ]
}

fn of_instructions() -> Vec<Broken> {
    vec![
        broken(
            "another name",
            instructions(INSTRUCTIONS.replace("name: greet", "name: great")),
            ["invalid", "SKILL.md: name", "expected `greet`", "write the expected name in line 2"],
        ),
        broken(
            "no description",
            instructions(INSTRUCTIONS.replace("description: Adds numbers. Use it to add.\n", "")),
            ["invalid", "SKILL.md: description", "found nothing", "add `description` to SKILL.md"],
        ),
        broken(
            "a key of another format",
            instructions(INSTRUCTIONS.replace("name: greet", "name: greet\nauthor: ada")),
            ["invalid", "SKILL.md: author", "unknown key", "or remove the line"],
        ),
        broken(
            "a link to a file that is not there",
            instructions(format!("{INSTRUCTIONS}\nSee [more](references/more.md).\n")),
            ["missing-reference", "SKILL.md", "`references/more.md`", "add the file `references/more.md`"],
        ),
    ]
}

/// What `check` finds in the package of `home`.
fn findings(home: &Home, code: i32) -> Vec<Value> {
    home.run(&["check", "greet", "--json"]).expect(code).json()["findings"].as_array().unwrap().clone()
}

#[test]
fn each_broken_package_gives_one_error_that_names_the_cure() {
    let all: Vec<Broken> = [of_manifest(), of_component(), of_instructions()].into_iter().flatten().collect();
    assert!(all.len() >= 12, "{}", all.len());
    for Broken { what, files, code, place, found, cure } in all {
        let files: Vec<_> = files.iter().map(|(name, content)| (*name, content.as_slice())).collect();
        let home = package(&files);
        let findings = findings(&home, 1);
        let errors: Vec<_> = findings.iter().filter(|it| it["severity"] == "error").collect();
        assert_eq!(errors.len(), 1, "{what}: {findings:#?}");
        let text = |key: &str| errors[0][key].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("code"), code, "{what}: {findings:#?}");
        assert!(text("message").contains(found), "{what}: {}", text("message"));
        assert!(text("cure").contains(cure), "{what}: {}", text("cure"));
        let (file, key) = (text("file"), text("key"));
        let shown = if key.is_empty() { file } else { format!("{file}: {key}") };
        assert_eq!(shown, place, "{what}");
        // A person reads the same.
        let said = home.run(&["check", "greet"]).expect(1);
        assert!(said.stdout.contains(&format!("error[{code}]")) && said.stdout.contains("  cure: "), "{}", said.stdout);
        assert!(said.stdout.ends_with("not ready: 1 error\n") || said.stdout.contains("1 error, "), "{}", said.stdout);
    }
}

#[test]
fn a_package_in_order_has_nothing_to_say() {
    let home = package(&[]);
    assert_eq!(findings(&home, 0), [] as [Value; 0]);
    assert_eq!(home.run(&["check", "greet", "--strict"]).expect(0).stdout, "ok: nothing to say\n");
    // Nothing was written into the package.
    let mut names: Vec<_> = fs::read_dir(home.path("greet")).unwrap().map(|it| it.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["SKILL.md", "skill.toml", "skill.wasm"]);
}

#[test]
fn warnings_fail_only_where_they_shall() {
    let silent = MANIFEST.split("\n[tools.add]").next().unwrap();
    let home = package(&[("skill.toml", silent.as_bytes()), ("skill.py", b"def add(a, b): ...\n")]);
    let source = fs::File::options().write(true).open(home.path("greet/skill.py")).unwrap();
    source.set_modified(SystemTime::now() + Duration::from_mins(1)).unwrap();
    let found = findings(&home, 0);
    let codes: Vec<_> = found.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["no-description", "stale-component"]);
    assert!(found[0]["cure"].as_str().unwrap().contains("docstring"), "{found:#?}");
    assert!(home.run(&["check", "greet", "--strict"]).expect(1).stdout.contains("ok: 2 warnings"));
}

#[test]
fn what_a_library_brings_along_is_a_note() {
    let home = package(&[("skill.wasm", &component("foreign"))]);
    let manifest = MANIFEST.split("\n[tools.add]").next().unwrap();
    home.write("greet/skill.toml", manifest);
    let found = findings(&home, 0);
    assert!(found.iter().all(|it| it["severity"] != "error"), "{found:#?}");
}

#[test]
fn several_things_are_told_at_once() {
    let home = package(&[
        ("skill.toml", MANIFEST.replace("version = \"1.0.0\"", "version = \"1\"\nfoo = 1").as_bytes()),
        ("skill.wasm", b"no wasm"),
        ("SKILL.md", format!("{INSTRUCTIONS}[x](gone.md)\n").as_bytes()),
    ]);
    let found = findings(&home, 1);
    let codes: Vec<_> = found.iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"not-wasm") && codes.contains(&"missing-reference"), "{codes:?}");
    assert!(codes.iter().filter(|code| **code == "invalid").count() >= 1, "{codes:?}");
}

#[test]
fn what_is_no_package_is_told() {
    let home = Home::new();
    assert!(home.run(&["check", "nowhere"]).expect(2).stderr.contains("nowhere"));
    let said = home.run(&["check", "skills"]).expect(1);
    assert!(said.stdout.contains("error[no-package]") && said.stdout.contains("bailiwick new"), "{}", said.stdout);
}

#[test]
fn the_skills_that_ship_are_in_order() {
    let home = Home::new();
    for name in ["text", "files", "http-fetch"] {
        home.skill(name);
        let said = home.run(&["check", &format!("skills/{name}"), "--json"]).expect(0).json();
        assert_eq!((&said["errors"], &said["warnings"]), (&0.into(), &0.into()), "{name}: {said:#}");
    }
}

#[test]
fn a_component_must_be_what_its_sources_give_each_time() {
    let home = package(&[]);
    home.write("greet/one.bin", wasm(ADD));
    home.write("greet/other.bin", wasm(&ADD.replace("i32.add", "i32.sub")));
    let codes = |toolchains: &Path, code| {
        let mut command = home.command();
        command.args(["check", "greet", "--json", "--reproducible"]).env("BAILIWICK_TOOLCHAINS", toolchains);
        let said = Ran::of(&mut command).expect(code).json();
        let codes = said["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    let toolchains = built_by_make(&home, "cp one.bin $(WORK)/skill.wasm");
    assert_eq!(codes(&toolchains, 0), [] as [&str; 0]);
    // The sources have changed, and the component was of the old ones.
    built_by_make(&home, "cp other.bin $(WORK)/skill.wasm");
    assert_eq!(codes(&toolchains, 0), ["other-component"]);
    assert_eq!(codes(&toolchains, 0), [] as [&str; 0]);
    // The folder decides what is built.
    built_by_make(
        &home,
        "case $$PWD in */greet) cp one.bin $(WORK)/skill.wasm;; *) cp other.bin $(WORK)/skill.wasm;; esac",
    );
    assert_eq!(codes(&toolchains, 1)[0], "not-reproducible");
}
