use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wasmparser::Parser;

use super::*;

const WORLD: &str = "package a:b;\nworld w {\n  export add: func(a: u32, b: u32) -> u32;\n}\n";

/// A core module that fits that world.
const ADD: &str =
    r#"(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;

/// A folder with these files of WIT.
fn wit(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn wanted<'a>(folder: &'a TempDir, world: Option<&'a str>) -> Wanted<'a> {
    Wanted { folder: folder.path(), deps: None, world }
}

fn core(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

fn said(wanted: &Wanted<'_>) -> String {
    bindings(wanted, Path::new("/nowhere")).unwrap_err().to_string()
}

#[test]
fn the_names_in_c_do_not_depend_on_the_name_of_the_world() {
    let (folder, out) = (wit(&[("w.wit", WORLD)]), tempfile::tempdir().unwrap());
    let made = bindings(&wanted(&folder, None), out.path()).unwrap();
    assert_eq!(made.world, "w");
    let names: Vec<_> = made.files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["skill.c", "skill.h", "skill_component_type.o", "skill_imports.h"]);
    let header = fs::read_to_string(out.path().join("skill.h")).unwrap();
    assert!(header.contains("uint32_t exports_skill_add(uint32_t a, uint32_t b);"), "{header}");
}

#[test]
fn a_header_says_which_interfaces_are_there() {
    let text =
        "package a:b;\ninterface mine { f: func(); }\nworld w {\n  import mine;\n  import c:d/far-off@1.2.0;\n}\n";
    let folder = wit(&[("w.wit", text), ("deps/far/f.wit", "package c:d@1.2.0;\ninterface far-off { g: func(); }\n")]);
    let out = tempfile::tempdir().unwrap();
    bindings(&wanted(&folder, None), out.path()).unwrap();
    let header = fs::read_to_string(out.path().join("skill_imports.h")).unwrap();
    let defined: Vec<_> = header.lines().filter(|line| line.starts_with("#define")).collect();
    assert_eq!(defined, ["#define SKILL_IMPORTS_A_B_MINE 1", "#define SKILL_IMPORTS_C_D_FAR_OFF 1"]);
}

#[test]
fn bindings_that_are_right_stay_as_they_are() {
    let (folder, out) = (wit(&[("w.wit", WORLD)]), tempfile::tempdir().unwrap());
    let time = || fs::metadata(out.path().join("skill.h")).unwrap().modified().unwrap();
    bindings(&wanted(&folder, None), out.path()).unwrap();
    let before = time();
    bindings(&wanted(&folder, None), out.path()).unwrap();
    assert_eq!(time(), before);
    fs::write(folder.path().join("w.wit"), WORLD.replace("add", "sum")).unwrap();
    bindings(&wanted(&folder, None), out.path()).unwrap();
    assert_ne!(time(), before);
}

#[test]
fn packages_come_from_the_own_deps_before_those_of_the_host() {
    let text = "package a:b;\nworld w { import c:d/e; }\n";
    let folder = wit(&[("w.wit", text), ("deps/mine/d.wit", "package c:d;\ninterface e { mine: func(); }\n")]);
    let host = wit(&[
        ("other/d.wit", "package c:d;\ninterface e { theirs: func(); }\n"),
        ("unused/u.wit", "package u:u;\ninterface u {}\n"),
    ]);
    let header = |wanted: &Wanted<'_>| {
        let out = tempfile::tempdir().unwrap();
        bindings(wanted, out.path()).unwrap();
        fs::read_to_string(out.path().join("skill.h")).unwrap()
    };
    let both = Wanted { deps: Some(host.path()), ..wanted(&folder, None) };
    assert!(header(&both).contains("c_d_e_mine"));
    fs::remove_dir_all(folder.path().join("deps")).unwrap();
    assert!(header(&both).contains("c_d_e_theirs"));
}

#[test]
fn another_version_that_nobody_uses_changes_no_name() {
    let text = "package a:b;\nworld w { import c:d/e@1.0.0; }\n";
    let one = ("deps/one/d.wit", "package c:d@1.0.0;\ninterface e { use f:g/h.{t}; f: func() -> t; }\n");
    let two = ("deps/two/d.wit", "package c:d@2.0.0;\ninterface e { f: func(); }\n");
    let far = ("deps/far/g.wit", "package f:g;\ninterface h { type t = u32; }\n");
    let header = |files: &[(&str, &str)]| {
        let (folder, out) = (wit(files), tempfile::tempdir().unwrap());
        bindings(&wanted(&folder, None), out.path()).unwrap();
        fs::read_to_string(out.path().join("skill.h")).unwrap()
    };
    assert_eq!(header(&[("w.wit", text), one, two, far]), header(&[("w.wit", text), one, far]));
    let nested = format!("{text}package c:d@1.0.0 {{ interface e {{ f: func(); }} }}\n");
    assert!(header(&[("w.wit", &nested), two]).contains("c_d_e_f"));
}

#[test]
fn wrong_wit_is_named_with_file_and_line() {
    let place = |text: &str| said(&wanted(&wit(&[("w.wit", text)]), None));
    for (text, at, what) in [
        ("package a:b;\nworld w { export }\n", "w.wit:2:", "expected"),
        ("package a:b;\nworld w {\n  export f: func(a: strng);\n}\n", "w.wit:3:", "`strng` does not exist"),
        ("package a:b;\nworld w { import c:d/e; }\n", "w.wit:2:", "'c:d' not found"),
    ] {
        let said = place(text);
        assert!(said.contains(at) && said.contains(what), "{said}");
    }
    let far = wit(&[("w.wit", "package a:b;\nworld w { import c:d/e; }\n"), ("deps/d/d.wit", "package c:d;\nface\n")]);
    let said = said(&wanted(&far, None));
    assert!(said.contains("d.wit:2:"), "{said}");
}

#[test]
fn a_world_is_chosen_or_asked_for() {
    let two = wit(&[("w.wit", "package a:b;\nworld one {}\nworld two {}\n")]);
    assert!(said(&wanted(&two, None)).contains("several worlds (`one`, `two`): choose one with --world"));
    assert!(said(&wanted(&two, Some("three"))).contains("no world `three`; it has `one`, `two`"));
    let out = tempfile::tempdir().unwrap();
    assert_eq!(bindings(&wanted(&two, Some("two")), out.path()).unwrap().world, "two");
    let none = wit(&[("w.wit", "package a:b;\ninterface i {}\n")]);
    assert!(said(&wanted(&none, None)).contains("has no world: write `world skill {"));
    let gone = Wanted { folder: Path::new("no/such/wit"), deps: None, world: None };
    assert!(said(&gone).contains("there is no folder `no/such/wit`"));
}

#[test]
fn a_module_becomes_a_component_of_its_world() {
    let folder = wit(&[("w.wit", WORLD)]);
    let component = componentize(&core(ADD), Some(&wanted(&folder, None))).unwrap();
    assert!(Parser::is_component(&component));
    let said = componentize(&component, None).unwrap_err().to_string();
    assert!(said.contains("is a component already"), "{said}");
}

#[test]
fn a_module_that_does_not_fit_is_told_in_what() {
    let folder = wit(&[("w.wit", WORLD)]);
    let said = |module: &str| componentize(&core(module), Some(&wanted(&folder, None))).unwrap_err().to_string();
    for (module, what) in [
        ("(module)", "`add`"),
        (r#"(module (func (export "add") (param i64)))"#, "type mismatch"),
        (r#"(module (import "x:y/z" "f" (func)))"#, "`x:y/z`"),
        (r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#, "WASI 0.1 (`fd_write`)"),
        (r#"(module (import "env" "helper" (func)))"#, "`helper` is called and not defined"),
        (r#"(module (import "env" "exports_skill_add" (func)))"#, "write `exports_skill_add`, as skill.h declares it"),
    ] {
        let said = said(module);
        assert!(said.contains(what), "{what} is not in: {said}");
    }
}

#[test]
fn what_is_no_module_or_has_no_world_is_told_so() {
    let said = |bytes: &[u8]| componentize(bytes, None).unwrap_err().to_string();
    assert!(said(&core(ADD)).contains("skill_component_type.o"));
    assert!(said(b"text").contains("is no core module of WebAssembly"));
    assert!(said(b"\0asm\x01\0\0\0\x01").contains("is no core module of WebAssembly"));
}
