//! `bailiwick build`: by real cargo where Rust is built; for the other languages, whose real
//! toolchains are exercised with their libraries, programs stand in that show what they are asked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::host::{Home, Ran, component};

/// A crate that depends on nothing, so that it is built within a second.
const CRATE: &str = "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                     [lib]\ncrate-type = [\"cdylib\"]\n\n[workspace]\n";

/// Writes where it was built into the component.
const PLACE: &str = r#"
const PLACE: &[u8] = env!("CARGO_MANIFEST_DIR").as_bytes();

#[used]
#[unsafe(link_section = "place")]
static BUILT_AT: [u8; PLACE.len()] = {
    let mut place = [0; PLACE.len()];
    let mut i = 0;
    while i < PLACE.len() {
        place[i] = PLACE[i];
        i += 1;
    }
    place
};
"#;

/// A stand-in for an interpreter: it says what it was asked, and leaves a component and WIT.
const STAND_IN: &str = r#"#!/bin/sh
case "$1" in
--version) echo "${VERSION:-Stand-in 22.1}"; exit 0 ;;
-c) exit 0 ;;
-m) [ "$2" = pip ] && { echo 'Version: 0.25.1'; exit 0; } ;;
esac
echo "asked: $*" >&2
echo "path of modules: $PYTHONPATH" >&2
mkdir -p .build/wit
printf 'package stand:in;\nworld w {\n  /// Said by the source.\n  export same: func();\n}\n' > .build/wit/skill.wit
cp "$COMPONENT" .build/skill.wasm
"#;

fn manifest(name: &str, build: &str) -> String {
    format!(
        "skill_id = \"tests/{name}\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \"{name}.wasm\"\n\n[build]\n{build}\n"
    )
}

/// A crate in `skills/small`.
fn small(home: &Home, source: &str) {
    home.write("skills/small/skill.toml", manifest("small", "language = \"rust\""));
    home.write("skills/small/Cargo.toml", CRATE);
    home.write("skills/small/src/lib.rs", source);
}

/// The command with the Rust of the person who runs the tests, and nothing from the network:
/// what a new package needs was fetched with this tree.
fn build(home: &Home, arguments: &[&str]) -> Command {
    let real = PathBuf::from(std::env::var_os("HOME").unwrap());
    let folder = |name: &str, usual: &str| std::env::var_os(name).map_or_else(|| real.join(usual), PathBuf::from);
    let mut command = home.command();
    command.env("CARGO_HOME", folder("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", folder("RUSTUP_HOME", ".rustup"));
    command.env("CARGO_NET_OFFLINE", "true").env_remove("BAILIWICK_TOOLCHAINS").arg("build").args(arguments);
    command
}

fn json_of(command: &mut Command) -> Value {
    Ran::of(command.arg("--json")).expect(0).json()
}

/// A program in the toolchain of a language, and the variable that leads there.
fn toolchain(home: &Home, program: &str, text: &str) -> PathBuf {
    let path = home.write(&format!("toolchains/{program}"), text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    home.path("toolchains")
}

/// Programs that any system has, and none that builds anything.
fn bare_path(home: &Home) -> PathBuf {
    let folder = home.path("bare");
    fs::create_dir_all(&folder).unwrap();
    for program in ["sh", "mkdir", "cp", "printf", "env"] {
        let found = ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(program)).find(|it| it.exists());
        let _ = std::os::unix::fs::symlink(found.unwrap(), folder.join(program));
    }
    folder
}

#[test]
fn a_new_skill_in_rust_is_built_and_runs() {
    let home = Home::new();
    home.run(&["new", "words", "--lang", "rust", "--path", "skills/words"]).expect(0);
    let built = json_of(&mut build(&home, &["skills/words"]));
    assert_eq!((&built["skill"], &built["language"]), (&json!("local/words"), &json!("rust")));
    assert_eq!(built["docs"], "added");
    let bytes = fs::read(home.path("skills/words/words.wasm")).unwrap();
    assert_eq!(built["size"], bytes.len());
    let tools: Vec<_> = built["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]).collect();
    assert_eq!(tools, ["cargo", "rustc"]);
    assert!(built["tools"][0]["version"].as_str().unwrap().starts_with("cargo 1."), "{built}");
    // The words in the WIT have become the description of the tool, and the digest is what grants are bound to.
    let shown = home.run(&["--json", "skills", "show", "local/words"]).expect(0).json();
    assert_eq!(shown["digest"], built["digest"]);
    let described = |tool: &&Value| tool["name"] == "count" && tool["description"] != "";
    assert!(shown["tools"].as_array().unwrap().iter().any(|tool| described(&tool)), "{shown}");
    home.grant("local/words", &[]);
    let ran = home.run(&["skills", "run", "local/words", "frequent", "--arg", "text=a b a", "--arg", "most=1"]);
    assert_eq!(ran.expect(0).stdout.replace(char::is_whitespace, ""), r#"[{"word":"a","times":2}]"#);
    // Nothing of this machine is in it.
    let text = String::from_utf8_lossy(&bytes);
    for folder in [home.path("").display().to_string(), std::env::var("HOME").unwrap() + "/.cargo"] {
        assert!(!text.contains(&folder), "{folder} is in the component");
    }
}

#[test]
fn a_person_reads_what_was_built_and_with_what() {
    let home = Home::new();
    small(&home, "");
    let ran = Ran::of(&mut build(&home, &["skills/small"])).expect(0);
    assert!(ran.stdout.starts_with("built tests/small in "), "{}", ran.stdout);
    for text in ["small.wasm", "sha256:", "with cargo 1.", "with rustc 1.", "without documentation"] {
        assert!(ran.stdout.contains(text), "{text} is missing in: {}", ran.stdout);
    }
    // Lines and no drawing, because no terminal is there.
    assert!(ran.stderr.starts_with("compiling with cargo …\n"), "{:?}", ran.stderr);
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stderr.contains('\r'), "{:?}", ran.stderr);
}

#[test]
fn the_same_source_gives_the_same_bytes_and_what_does_not_is_found() {
    let home = Home::new();
    small(&home, "pub fn nothing() {}\n");
    let first = json_of(&mut build(&home, &["skills/small"]));
    let checked = json_of(&mut build(&home, &["skills/small", "--check-reproducible"]));
    assert_eq!((&checked["digest"], &checked["reproduced"]), (&first["digest"], &json!(true)));
    assert_eq!(first["reproduced"], false);

    let before = fs::read(home.path("skills/small/small.wasm")).unwrap();
    home.write("skills/small/src/lib.rs", PLACE);
    let ran = Ran::of(&mut build(&home, &["skills/small", "--check-reproducible"])).expect(1);
    assert!(ran.stderr.contains("two builds of the same source differ"), "{}", ran.stderr);
    // A build that failed leaves the component as it was.
    assert_eq!(fs::read(home.path("skills/small/small.wasm")).unwrap(), before);
}

#[test]
fn what_the_compiler_says_reaches_the_author() {
    let home = Home::new();
    small(&home, "\npub fn wrong() -> u32 { \"text\" }\n");
    let ran = Ran::of(&mut build(&home, &["skills/small"])).expect(1);
    let last = ran.stderr.lines().last().unwrap();
    assert!(ran.stderr.contains("src/lib.rs:2:") && ran.stderr.contains("mismatched types"), "{}", ran.stderr);
    assert!(last.starts_with("bailiwick: cargo ended with") && last.contains("stands above"), "{last}");
    // The same where a program reads the answer.
    let ran = Ran::of(build(&home, &["skills/small"]).arg("--json")).expect(1);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("src/lib.rs:2:"), "{} {}", ran.stdout, ran.stderr);
    assert!(!home.path("skills/small/small.wasm").exists());
}

#[test]
fn a_crate_that_makes_no_component_is_told_what_is_missing() {
    let home = Home::new();
    small(&home, "");
    home.write("skills/small/Cargo.toml", CRATE.replace("crate-type = [\"cdylib\"]", ""));
    let ran = Ran::of(&mut build(&home, &["skills/small"])).expect(1);
    assert!(ran.stderr.contains("crate-type = [\"cdylib\"]"), "{}", ran.stderr);
}

#[test]
fn flags_of_the_environment_reach_the_compiler() {
    let home = Home::new();
    small(&home, "#[cfg(not(told))]\ncompile_error!(\"not told\");\n");
    let ran = Ran::of(&mut build(&home, &["skills/small"])).expect(1);
    assert!(ran.stderr.contains("not told"), "{}", ran.stderr);
    let flags = std::env::var("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS").unwrap_or_default() + " --cfg told";
    Ran::of(build(&home, &["skills/small"]).env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", flags)).expect(0);
}

#[test]
fn the_manifest_says_what_is_built() {
    let home = Home::new();
    small(&home, "");
    let refused = |build_table: &str, says: &[&str]| {
        home.write("skills/small/skill.toml", build_table);
        let ran = Ran::of(&mut build(&home, &["skills/small"])).expect(2);
        for text in says {
            assert!(ran.stderr.contains(text), "{text} is missing in: {}", ran.stderr);
        }
    };
    let whole = manifest("small", "language = \"rust\"");
    refused(whole.split("[build]").next().unwrap(), &["skill.toml", "[build]", "language = \"rust\""]);
    refused(&manifest("small", "language = \"ruby\""), &["skill.toml:7:", "build.language", "ruby"]);
    refused(&manifest("small", "language = \"python\""), &["skill.py", "source", "skill.toml"]);
    refused(
        &manifest("small", "language = \"rust\"\nsource = \"crate/Cargo.toml\""),
        &["build.source", "crate/Cargo.toml"],
    );
    refused("skill_id = \"tests/small\"\nversion = \"1.0.0\"\nkind = \"tool\"\n", &["component"]);
    home.prompt("greet");
    let ran = Ran::of(&mut build(&home, &["skills/greet"])).expect(2);
    assert!(ran.stderr.contains("is a prompt, which has nothing to build"), "{}", ran.stderr);
    let ran = Ran::of(&mut build(&home, &["skills/nowhere"])).expect(2);
    assert!(ran.stderr.contains("skills/nowhere"), "{}", ran.stderr);
}

#[test]
fn the_source_that_the_manifest_names_is_built() {
    let home = Home::new();
    home.write("skills/small/skill.toml", manifest("small", "language = \"rust\"\nsource = \"deep/crate/Cargo.toml\""));
    home.write("skills/small/deep/crate/Cargo.toml", CRATE);
    home.write("skills/small/deep/crate/src/lib.rs", "");
    let built = json_of(&mut build(&home, &["skills/small"]));
    assert_eq!(built["component"], "skills/small/small.wasm");
    assert!(home.path("skills/small/small.wasm").is_file());
}

#[test]
fn the_other_languages_are_built_by_their_libraries() {
    for (language, program, source, asked) in [
        (
            "python",
            "python/bin/python3",
            "skill.py",
            "-m bailiwick_skill.build --source skill.py --wit .build/sdk/wit --work .build",
        ),
        (
            "python",
            "python/bin/python3",
            "lib/other.py",
            "-m bailiwick_skill.build --source lib/other.py --wit .build/sdk/wit --work .build",
        ),
        (
            "javascript",
            "javascript/node_modules/.bin/node",
            "skill.js",
            ".build/sdk/javascript/build.mjs --source skill.js --wit .build/sdk/wit --work .build",
        ),
        (
            "javascript",
            "javascript/node_modules/.bin/node",
            "skill.ts",
            ".build/sdk/javascript/build.mjs --source skill.ts --wit .build/sdk/wit --work .build",
        ),
    ] {
        let home = Home::new();
        let named = if source.starts_with("lib/") { format!("\nsource = \"{source}\"") } else { String::new() };
        home.write("skills/other/skill.toml", manifest("other", &format!("language = \"{language}\"{named}")));
        home.write(&format!("skills/other/{source}"), "");
        home.write(
            "toolchains/javascript/node_modules/@bytecodealliance/componentize-js/package.json",
            r#"{"version": "0.23.0"}"#,
        );
        let toolchains = toolchain(&home, program, STAND_IN);
        let whole = home.write("whole.wasm", component("foreign"));
        let mut command = build(&home, &["skills/other"]);
        command.env("BAILIWICK_TOOLCHAINS", &toolchains).env("COMPONENT", whole).env("VERSION", "v22.1.0");
        let ran = Ran::of(&mut command).expect(0);
        assert!(ran.stderr.contains(&format!("asked: {asked}\n")), "{}", ran.stderr);
        assert!(language != "python" || ran.stderr.contains("path of modules: .build/sdk/python\n"), "{}", ran.stderr);
        assert!(ran.stdout.contains(&format!("({})", toolchains.join(program).display())), "{}", ran.stdout);
        let built = fs::read(home.path("skills/other/other.wasm")).unwrap();
        assert!(built.starts_with(&component("foreign")[..8]));
        // The component has words of its own, which stay.
        assert_eq!(String::from_utf8_lossy(&built).matches("package-docs").count(), 1);
    }
}

#[test]
fn c_is_built_by_make_with_what_its_rules_need() {
    let home = Home::new();
    home.write("skills/other/skill.toml", manifest("other", "language = \"c\""));
    home.write("skills/other/Makefile", "all:\n\t@echo asked: $(SDK) $(WIT) $(WORK) >&2\n\t@$(BAILIWICK) --version >&2\n\tcp \"$$COMPONENT\" .build/skill.wasm\n");
    toolchain(&home, "c/bin/clang", "#!/bin/sh\necho 'clang version 19'\n");
    let toolchains = toolchain(&home, "c/bin/wasm-ld", "#!/bin/sh\necho 'LLD 19'\n");
    let whole = home.write("whole.wasm", component("foreign"));
    let mut command = build(&home, &["skills/other"]);
    let ran = Ran::of(command.env("BAILIWICK_TOOLCHAINS", toolchains).env("COMPONENT", whole)).expect(0);
    // Make says on the other stream what it runs, which can come between the two.
    assert!(ran.stderr.contains("asked: .build/sdk/c .build/sdk/wit .build\n"), "{}", ran.stderr);
    assert!(ran.stderr.lines().any(|line| line.starts_with("bailiwick ")), "{}", ran.stderr);
    assert!(home.path("skills/other/other.wasm").is_file());
}

#[test]
fn a_missing_tool_is_named_with_the_one_command_that_installs_it() {
    let home = Home::new();
    let path = bare_path(&home);
    let cure = |language: &str, source: &str, toolchains: Option<&Path>, cure: &str| {
        home.write("skills/other/skill.toml", manifest("other", &format!("language = \"{language}\"")));
        home.write(&format!("skills/other/{source}"), CRATE);
        let mut command = build(&home, &["skills/other"]);
        command.env("PATH", &path);
        if let Some(toolchains) = toolchains {
            command.env("BAILIWICK_TOOLCHAINS", toolchains);
        }
        let ran = Ran::of(&mut command).expect(2);
        let last = ran.stderr.lines().last().unwrap_or_default();
        assert!(last.ends_with(&format!("To install it: {cure}")), "{}", ran.stderr);
    };
    cure("rust", "Cargo.toml", None, "rustup toolchain install stable --profile minimal");
    cure("python", "skill.py", None, "sudo apt-get install python3 python3-pip python3-venv");
    cure("javascript", "skill.js", None, "sudo apt-get install nodejs npm");
    cure("c", "Makefile", None, "sudo apt-get install make clang lld wasi-libc libclang-rt-dev-wasm32");

    // Something is there, and a part of it is missing.
    toolchain(&home, "rust/bin/cargo", "#!/bin/sh\nexit 0\n");
    toolchain(&home, "rust/bin/rustc", "#!/bin/sh\necho /nowhere\n");
    let lacks = "#!/bin/sh\ncase \"$2\" in *componentize*) exit 1 ;; esac\nexit 0\n";
    toolchain(&home, "python/bin/python3", lacks);
    let toolchains = home.path("toolchains");
    let some = Some(toolchains.as_path());
    cure("rust", "Cargo.toml", some, "rustup target add wasm32-wasip2");
    cure("python", "skill.py", some, "python3 -m pip install componentize-py==0.25.1");
    // Too old is as good as missing.
    toolchain(&home, "javascript/node_modules/.bin/node", "#!/bin/sh\necho v18.20.0\n");
    cure("javascript", "skill.js", some, "sudo apt-get install nodejs npm");
}

#[test]
fn a_library_can_say_itself_what_is_missing() {
    let home = Home::new();
    home.write("skills/other/skill.toml", manifest("other", "language = \"javascript\""));
    home.write("skills/other/skill.js", "");
    let lacks =
        "#!/bin/sh\n[ \"$1\" = --version ] && { echo v22.1.0; exit 0; }\necho 'run: npm install x' >&2\nexit 2\n";
    let toolchains = toolchain(&home, "javascript/node_modules/.bin/node", lacks);
    let ran = Ran::of(build(&home, &["skills/other"]).env("BAILIWICK_TOOLCHAINS", toolchains)).expect(2);
    assert!(ran.stderr.contains("run: npm install x\nbailiwick: node lacks a tool"), "{}", ran.stderr);
}

#[test]
fn a_build_that_leaves_no_component_is_told_so() {
    let home = Home::new();
    home.write("skills/other/skill.toml", manifest("other", "language = \"c\""));
    toolchain(&home, "c/bin/clang", "#!/bin/sh\n");
    let toolchains = toolchain(&home, "c/bin/wasm-ld", "#!/bin/sh\n");
    let fails = |makefile: &str, says: &str| {
        home.write("skills/other/Makefile", makefile);
        let ran = Ran::of(build(&home, &["skills/other"]).env("BAILIWICK_TOOLCHAINS", &toolchains)).expect(1);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
        assert!(!home.path("skills/other/other.wasm").exists());
    };
    fails("all:\n\ttrue\n", "left no `");
    fails("all:\n\tprintf '\\0asm\\1\\0\\0\\0' > .build/skill.wasm\n", "is a core module, expected a component");
    fails("all:\n\techo text > .build/skill.wasm\n", "is something else, expected a component");
    // What an older build left doesn't pass for the new one.
    fails("all:\n\ttrue\n", "left no `");
    fails("all:\n\t@echo 'skill.c:3: no such thing' >&2; false\n", "skill.c:3: no such thing\n");
}

#[test]
fn the_library_of_the_binary_is_written_anew() {
    let home = Home::new();
    small(&home, "");
    let stale = home.write("skills/small/.build/sdk/wit/skill/host.wit", "old");
    json_of(&mut build(&home, &["skills/small"]));
    assert!(fs::read_to_string(stale).unwrap().contains("package bailiwick:skill@"));
}
