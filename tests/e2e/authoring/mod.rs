//! What authors work with, through the real binary. But for builds it needs no toolchain: components
//! are written as text, or are those of tests/guests.

mod bench;
mod build;
mod c;
mod cases;
mod check;
mod dev;
mod examples;
mod inspect;
mod new;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::host::Home;

/// A package that nothing is to be said of.
pub(super) const MANIFEST: &str = "skill_id = \"tests/greet\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \
                                   \"skill.wasm\"\n\n[tools.add]\ndescription = \"Adds two numbers. Use it to add.\"\n";

/// Its instructions.
pub(super) const INSTRUCTIONS: &str =
    "---\nname: greet\ndescription: Adds numbers. Use it to add.\n---\n\nCall `add`.\n";

/// Its component.
pub(super) const ADD: &str = r#"(component
    (core module $m (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

/// The bytes of a component that is written as text.
#[track_caller]
pub(super) fn wasm(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// A home with that package in `greet/`, and these files in place of or beside its own.
pub(super) fn package(files: &[(&str, &[u8])]) -> Home {
    let home = Home::new();
    let component = wasm(ADD);
    let own: [(&str, &[u8]); 3] =
        [("skill.toml", MANIFEST.as_bytes()), ("SKILL.md", INSTRUCTIONS.as_bytes()), ("skill.wasm", &component)];
    for (file, content) in own.iter().chain(files) {
        home.write(&format!("greet/{file}"), content);
    }
    home
}

/// Has the package `greet/` built by `rule` of a Makefile, so that a build is a real one
/// and takes no time. Answers where the toolchain is, whose compilers have nothing to do.
pub(super) fn built_by_make(home: &Home, rule: &str) -> PathBuf {
    home.write("greet/skill.toml", format!("{MANIFEST}\n[build]\nlanguage = \"c\"\n"));
    home.write("greet/Makefile", format!("all:\n\t{rule}\n"));
    for program in ["clang", "wasm-ld"] {
        let path = home.write(&format!("toolchains/c/bin/{program}"), "#!/bin/sh\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    home.path("toolchains")
}
