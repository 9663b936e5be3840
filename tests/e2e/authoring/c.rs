//! Skills in C, by the real toolchain that set-up gets: clang, wasm-ld and wasi-libc.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::host::{Home, Ran, target};

const MANIFEST: &str = "skill_id = \"tests/small\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \"small.wasm\"\n\n\
                        [build]\nlanguage = \"c\"\n";
const WORLD: &str = "package tests:small;\nworld skill {\n  /// Says something.\n  export say: func(what: string) -> \
                     result<string, string>;\n}\n";
const MAKEFILE: &str = "SDK ?= .build/sdk/c\nSOURCES = small.c\ninclude $(SDK)/skill.mk\n";
/// What every tool here begins with.
const SAY: &str = "bool exports_skill_say(skill_string_t *what, skill_string_t *ret, skill_string_t *err) {";

/// The root of the repository.
fn root() -> PathBuf {
    target().parent().unwrap().to_owned()
}

/// A package in `skills/small` with this source.
fn small(home: &Home, source: &str) {
    home.write("skills/small/skill.toml", MANIFEST);
    home.write(
        "skills/small/SKILL.md",
        "---\nname: small\ndescription: Says things. Use it to hear them.\n---\n\nCall `say`.\n",
    );
    home.write("skills/small/wit/skill.wit", WORLD);
    home.write("skills/small/Makefile", MAKEFILE);
    home.write("skills/small/small.c", source);
}

/// A tool of one line.
fn saying(line: &str) -> String {
    format!(
        "#include <assert.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include \"bailiwick.h\"\n\n{SAY}\n    {line}\n}}\n"
    )
}

fn build(home: &Home, folder: &str) -> Ran {
    assert!(
        std::env::var_os("BAILIWICK_TOOLCHAINS").is_some(),
        "the toolchain of C is where target/setup.env says: set -a; . target/setup.env; set +a"
    );
    home.run(&["--json", "build", folder])
}

/// What the author reads when this source is built.
fn complaint(source: &str) -> String {
    let home = Home::new();
    small(&home, source);
    build(&home, "skills/small").expect(1).stderr
}

fn imports(home: &Home, skill: &str) -> Vec<String> {
    let shown = home.run(&["--json", "skills", "show", skill]).expect(0).json();
    let imports = shown["imports"].as_array().unwrap_or_else(|| panic!("{shown}"));
    imports.iter().map(|import| import.as_str().unwrap().split('@').next().unwrap().to_owned()).collect()
}

/// Everything that a skill in C imports which has no more to ask for than last words.
const LAST_WORDS: [&str; 3] = ["wasi:io/error", "wasi:io/streams", "wasi:cli/stderr"];

/// The fenced blocks of that language in a document.
fn blocks(document: &Path, language: &str) -> Vec<String> {
    let text = fs::read_to_string(document).unwrap();
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn new_skills_in_c_are_built_alike_everywhere_and_pass_their_tests() {
    let home = Home::new();
    for kind in ["tool", "prompt", "workflow"] {
        let folder = format!("skills/my-{kind}");
        home.run(&["new", &format!("my-{kind}"), "--lang", "c", "--kind", kind, "--path", &folder]).expect(0);
        let built = home.run(&["--json", "build", "--check-reproducible", &folder]).expect(0).json();
        assert_eq!((&built["docs"], &built["reproduced"]), (&json!("added"), &json!(true)), "{built}");
        let tools: Vec<_> = built["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
        assert_eq!(tools, ["make", "clang", "wasm-ld"]);
        home.run(&["check", &folder]).expect(0);
        if kind != "prompt" {
            home.run(&["test", &folder]).expect(0);
        }
        // The warnings of a compiler are for the author's own code, and a template has none.
        assert!(!fs::read_to_string(home.path(&folder).join(".build/link.log")).unwrap().contains("warning"));
    }
    assert_eq!(imports(&home, "local/my-tool"), LAST_WORDS);
    let workflow = imports(&home, "local/my-workflow");
    assert!(workflow.contains(&"bailiwick:skill/skills".to_owned()), "{workflow:?}");
    assert!(!workflow.contains(&"bailiwick:skill/models".to_owned()), "{workflow:?}");
}

#[test]
fn the_skill_that_hashes_is_built_and_hashes_right() {
    let home = Home::new();
    copy_source(&root().join("examples/skills/hash"), &home.path("skills/hash"));
    let built = build(&home, "skills/hash").expect(0).json();
    assert_eq!(built["docs"], "added");
    let ran = home.run(&["--json", "test", "skills/hash"]).expect(0).json();
    assert_eq!(ran["failed"], 0, "{ran}");
    assert_eq!(imports(&home, "examples/hash"), LAST_WORDS);
}

#[test]
fn the_example_of_the_library_works_as_it_is_written() {
    let readme = root().join("guest-sdk/c/README.md");
    let home = Home::new();
    let manifest = MANIFEST.replace("small", "greet").replace("tests/", "demo/");
    home.write("skills/greet/skill.toml", manifest);
    home.write("skills/greet/wit/skill.wit", &blocks(&readme, "wit")[0]);
    home.write("skills/greet/greet.c", &blocks(&readme, "c")[0]);
    home.write("skills/greet/Makefile", &blocks(&readme, "make")[0]);
    build(&home, "skills/greet").expect(0);
    home.grant("demo/greet", &[]);
    let say = |name: &str| home.run(&["skills", "run", "demo/greet", "--arg", &format!("name={name}")]);
    assert_eq!(say("Ada").expect(0).stdout, "Hello, Ada!\n");
    let ran = say("").expect(5);
    assert!((ran.stdout + &ran.stderr).contains("`name` is empty, expected whom to greet"));
}

#[test]
fn a_build_after_a_change_makes_what_depends_on_it() {
    let home = Home::new();
    small(&home, &saying("bailiwick_print(ret, \"one\"); return true;"));
    let digest = || build(&home, "skills/small").expect(0).json()["digest"].clone();
    let first = digest();
    assert_eq!(digest(), first);
    home.write("skills/small/small.h", "#define WORD \"one\"\n");
    home.write(
        "skills/small/small.c",
        format!("#include \"small.h\"\n{}", saying("bailiwick_print(ret, WORD); return true;")),
    );
    digest();
    home.write("skills/small/small.h", "#define WORD \"two\"\n");
    assert_ne!(digest(), first, "the header is not followed");
    home.write("skills/small/wit/skill.wit", WORLD.replace("what: string", "what: string, loud: bool"));
    assert!(build(&home, "skills/small").expect(1).stderr.contains("small.c:"), "the world is not followed");
}

#[test]
fn mistakes_in_c_are_named_where_they_are() {
    for (line, says) in [
        ("return tru;", &["small.c:7:", "use of undeclared identifier 'tru'"][..]),
        ("return helper(1);", &["small.c:7:", "helper"]),
        (
            "bailiwick_info(\"%d\", 1); return true;",
            &["small.c:7:", "write `import wasi:logging/logging@0.1.0-draft;`"],
        ),
        ("bailiwick_progress(1, 2, \"\"); return true;", &["write `import bailiwick:skill/progress@0.1.0;`"]),
        ("extern int helper(int); return helper(1);", &["undefined symbol: helper", "small.o"]),
        (
            "bailiwick_print(ret, __DATE__); return true;",
            &["small.c:7:", "__DATE__", "date or time macro is not reproducible"],
        ),
        ("bailiwick_print(ret, \"%s\", 1); return true;", &["small.c:7:", "[-Wformat]"]),
    ] {
        // The last only warns, and is shown all the same.
        let home = Home::new();
        small(&home, &saying(line));
        let ran = home.run(&["build", "skills/small"]);
        assert_eq!(ran.code != 0, !line.contains("%s"), "{line}: {}", ran.stderr);
        for text in says {
            assert!(ran.stderr.contains(text), "{text} is missing for {line}: {}", ran.stderr);
        }
    }
    let said = complaint("#include \"bailiwick.h\"\nvoid other(void) {}\n");
    assert!(said.contains("exports a function that no file of SOURCES defines"), "{said}");
    assert!(said.contains("write exports_skill_say as skill.h declares it"), "{said}");
}

#[test]
fn mistakes_around_the_source_are_named_too() {
    let home = Home::new();
    small(&home, &saying("return true;"));
    let wrong = |file: &str, text: &str, says: &str| {
        let before = fs::read(home.path("skills/small").join(file)).unwrap();
        home.write(&format!("skills/small/{file}"), text);
        let said = build(&home, "skills/small").expect(1).stderr;
        assert!(said.contains(says), "{says} is missing: {said}");
        home.write(&format!("skills/small/{file}"), before);
    };
    wrong("wit/skill.wit", &WORLD.replace("string,", "strng,"), "wit/skill.wit:4:");
    wrong(
        "wit/skill.wit",
        &WORLD.replace("world skill {", "world skill {\n  import bailiwick:skill/skill@0.1.0;"),
        "wit/skill.wit:3:",
    );
    wrong(
        "wit/skill.wit",
        &format!("{WORLD}\nworld other {{}}\n"),
        "several worlds (`skill`, `other`): choose one with --world",
    );
    wrong("Makefile", "SOURCES =\ninclude $(SDK)/skill.mk\n", "SOURCES names no file");
    wrong(
        "Makefile",
        "SOURCES = small.c big.c\ninclude $(SDK)/skill.mk\n",
        "SOURCES names big.c, and there is no such file",
    );
    build(&home, "skills/small").expect(0);
}

#[test]
fn last_words_are_said_before_the_trap() {
    let home = Home::new();
    for (line, says) in [
        ("abort();", "abort() was called"),
        ("assert(what->len > 100); return true;", "small.c:7: exports_skill_say: assertion failed: what->len > 100"),
        ("bailiwick_panic(\"the sky fell\");", "the sky fell"),
        ("bailiwick_alloc(4000000000u); return true;", "out of memory: 4000000000 bytes more were asked for"),
    ] {
        small(&home, &saying(line));
        build(&home, "skills/small").expect(0);
        home.run(&["grant", "revoke", "tests/small"]);
        home.grant("tests/small", &[]);
        let ran = home.run(&["skills", "run", "tests/small", "--arg", "what=x"]).expect(7);
        assert!(ran.stderr.contains(says), "{says} is missing: {}", ran.stderr);
    }
}

#[test]
fn whole_lines_of_stdout_are_not_lost() {
    let home = Home::new();
    small(&home, &saying("printf(\"a line\\n\"); bailiwick_print(ret, \"%.1Lf\", 1.5L); return true;"));
    build(&home, "skills/small").expect(0);
    home.grant("tests/small", &[]);
    let ran = home.run(&["skills", "run", "tests/small", "--arg", "what=x"]).expect(0);
    assert!(ran.stderr.contains("a line"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "1.5\n");
}

/// Strings and JSON, where sanitizers see each wrong byte.
#[test]
fn the_library_reads_and_writes_nothing_wrong() {
    let library = root().join("guest-sdk/c");
    let home = Home::new();
    let program = home.path("library");
    let mut compiler = Command::new("cc");
    compiler.current_dir(library).args(["-std=c11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror"]);
    compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover", "-Itests", "-I.", "tests/library.c"]);
    compiler.args(["bailiwick.c", "bailiwick_json.c", "-lm", "-o"]).arg(&program);
    Ran::of(&mut compiler).expect(0);
    let ran = Ran::of(&mut Command::new(&program)).expect(0);
    assert_eq!(ran.stderr, "");
}

/// A package without what its build made.
fn copy_source(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_name() == ".build" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy_source(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn bindings_and_components_can_be_made_by_hand() {
    let home = Home::new();
    home.write("wit/w.wit", "package a:b;\nworld w { export add: func(a: u32, b: u32) -> u32; }\n");
    let made = home.run(&["--json", "wit", "bindings", "--lang", "c", "--out", "gen"]).expect(0).json();
    assert_eq!(made["world"], "w");
    assert!(made["files"].as_array().unwrap().contains(&Value::from("gen/skill.h")), "{made}");
    let module = r#"(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))"#;
    home.write("core.wasm", super::wasm(module));
    let said = home.run(&["wit", "componentize", "core.wasm", "-o", "out.wasm"]).expect(2).stderr;
    assert!(said.contains("doesn't say which world it is for"), "{said}");
    home.run(&["wit", "componentize", "core.wasm", "-o", "out.wasm", "--wit", "wit"]).expect(0);
    let inspected = home.run(&["--json", "inspect", "out.wasm"]).expect(0).json();
    assert!(inspected.to_string().contains("\"add\""), "{inspected}");
    let said = home.run(&["wit", "componentize", "none.wasm", "-o", "out.wasm"]).expect(2).stderr;
    assert!(said.contains("can't read `none.wasm`"), "{said}");
}
