//! `bailiwick test`: cases that pass, cases that fail, and what a case can't touch.

use std::fs;

use serde_json::{Value, json};

use super::package;
use crate::host::{Home, Ran, component};

/// A home with the package of `add` and these cases.
fn cases(text: &str) -> Home {
    package(&[("tests/first.toml", text.as_bytes())])
}

/// A home with the keeper, which asks for state and a setting, and these cases.
fn keeper(text: &str) -> Home {
    let home = Home::new();
    home.guest("keeper", "[permissions]\nstate = true\nconfig = [\"units\"]\n");
    home.write("skills/keeper/tests/first.toml", text);
    home
}

/// A home with the skill of files and these cases about `data`.
fn files(text: &str) -> Home {
    let home = Home::new();
    home.skill("files");
    home.write("skills/files/tests/first.toml", text);
    home.write("skills/files/tests/data/note.txt", "as it was\n");
    home
}

fn case(ran: &Value, name: &str) -> Value {
    let cases = ran["cases"].as_array().unwrap();
    cases.iter().find(|it| it["name"] == name).unwrap_or_else(|| panic!("{name} in {ran:#}")).clone()
}

fn said(ran: &Ran, line: &str) {
    assert!(ran.stdout.contains(line), "`{line}` is missing in:\n{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn cases_pass_or_say_what_was_expected() {
    let home = cases(
        "[[case]]\nname = \"adds\"\ntool = \"add\"\narguments = { a = 1, b = 2 }\nexpect = { output = 3 }\n\n\
         [[case]]\nname = \"adds wrong\"\narguments = { a = 1, b = 2 }\nexpect = { output = 4 }\n\n\
         [[case]]\nname = \"takes no text\"\narguments = { a = \"x\", b = 2 }\nexpect = { error = \"u32\" }\n\n\
         [[case]]\nname = \"any\"\narguments = { a = 1, b = 2 }\nexpect = { schema_only = true }\n",
    );
    let ran = home.run(&["test", "greet"]).expect(1);
    said(&ran, "ok    adds");
    said(&ran, "FAIL  adds wrong     tests/first.toml:7\n      expected `4`, and the tool answered `3`\n");
    said(&ran, "ok    takes no text");
    said(&ran, "3 passed, 1 failed\n");
    assert_eq!(ran.stderr, "");
    let ran = home.run(&["test", "greet", "any", "--json"]).expect(0).json();
    assert_eq!((&ran["passed"], &ran["failed"], ran["cases"].as_array().unwrap().len()), (&json!(1), &json!(0), 1));
    assert!(case(&ran, "any")["wall_ns"].as_u64().unwrap() > 0);
    assert!(home.run(&["test", "greet", "none of them"]).expect(3).stderr.contains("there are 4"));
}

#[test]
fn snapshots_are_written_when_asked_and_compared_from_then_on() {
    let text = "[[case]]\nname = \"Adds: 1 + 2\"\narguments = { a = 1, b = 2 }\nexpect = { snapshot = true }\n";
    let home = cases(text);
    let ran = home.run(&["test", "greet"]).expect(1);
    said(&ran, "there is no snapshot tests/snapshots/adds-1-2.json yet; the tool answered");
    said(&ran, "cure: if that is right, write it down: `bailiwick test --update`");
    assert!(!home.path("greet/tests/snapshots").exists());
    said(&home.run(&["test", "greet", "--update"]).expect(0), "1 passed, 1 snapshot written\n");
    let snapshot = home.path("greet/tests/snapshots/adds-1-2.json");
    assert_eq!(fs::read_to_string(&snapshot).unwrap(), "{\n  \"output\": 3\n}\n");
    said(&home.run(&["test", "greet"]).expect(0), "1 passed\n");
    fs::write(&snapshot, "{\n  \"output\": 4\n}\n").unwrap();
    home.write("greet/tests/snapshots/of-nobody.json", "{}");
    let ran = home.run(&["test", "greet"]).expect(1);
    said(&ran, "-   \"output\": 4");
    said(&ran, "+   \"output\": 3");
    assert!(ran.stderr.contains("tests/snapshots/of-nobody.json belongs to no case"), "{}", ran.stderr);
}

#[test]
fn a_case_gets_what_it_allows_and_nothing_of_the_case_before() {
    let home = keeper(
        "[[case]]\nname = \"counts\"\ntool = \"add\"\narguments = { key = \"n\", delta = 2 }\nexpect = { output_json = '2' }\n\
         allow = { state = true }\n\n\
         [[case]]\nname = \"counts from nothing again\"\ntool = \"add\"\narguments = { key = \"n\", delta = 2 }\n\
         expect = { output_json = '2' }\nallow = { state = true }\n\n\
         [[case]]\nname = \"keeps nothing unasked\"\ntool = \"put\"\narguments = { key = \"n\", value = \"x\" }\n\
         expect = { error = \"\", denied = [\"state\"] }\n\n\
         [[case]]\nname = \"reads its setting\"\ntool = \"setting\"\narguments = { key = \"units\" }\n\
         expect = { output = \"metric\" }\nallow = { config = { units = \"metric\" } }\n\n\
         [[case]]\nname = \"asks for too much\"\ntool = \"keys\"\nexpect = { schema_only = true }\n\
         allow = { workspace = true }\n\n\
         [[case]]\nname = \"expects a refusal that doesn't come\"\ntool = \"keys\"\n\
         expect = { schema_only = true, denied = [\"http\"] }\nallow = { state = true }\n",
    );
    let ran = home.run(&["test", "skills/keeper", "--json"]).expect(1).json();
    for name in ["counts", "counts from nothing again", "keeps nothing unasked", "reads its setting"] {
        assert_eq!(case(&ran, name)["problem"], Value::Null, "{ran:#}");
    }
    let problem = |name: &str, key: &str| case(&ran, name)["problem"][key].as_str().unwrap_or_default().to_owned();
    assert!(problem("asks for too much", "message").contains("`allow` can't be given"), "{ran:#}");
    assert!(problem("asks for too much", "cure").contains("`[permissions]`"), "{ran:#}");
    assert!(problem("expects a refusal that doesn't come", "message").contains("refuse `http`"), "{ran:#}");
}

#[test]
fn folders_are_copies_and_what_is_written_there_is_looked_at() {
    let home = files(
        "[[case]]\nname = \"writes\"\ntool = \"write\"\narguments = { path = \"/work/new/a.txt\", content = \"hi\", create-parents = true }\n\
         allow = { fs = [{ root = \"/work\", host = \"data\", access = \"read-write\" }] }\n\
         [case.expect]\nschema_only = true\nfiles = [\n\
         { root = \"/work\", path = \"new/a.txt\", text = \"hi\" },\n\
         { root = \"/work\", path = \"note.txt\", same_as = \"data/note.txt\" },\n\
         { root = \"/work\", path = \"b.txt\", absent = true },\n]\n\n\
         [[case]]\nname = \"writes only where it may\"\ntool = \"write\"\n\
         arguments = { path = \"/work/a.txt\", content = \"hi\" }\n\
         allow = { fs = [{ root = \"/work\", host = \"data\", access = \"read\" }] }\n\
         [case.expect]\nerror = \"\"\nfiles = [{ root = \"/work\", path = \"a.txt\", absent = true }]\n\n\
         [[case]]\nname = \"sees nothing\"\ntool = \"read\"\narguments = { path = \"/work/note.txt\" }\nexpect = { error = \"\" }\n\n\
         [[case]]\nname = \"expects another text\"\ntool = \"read\"\narguments = { path = \"/work/note.txt\" }\n\
         allow = { fs = [{ root = \"/work\", host = \"data\", access = \"read\" }] }\n\
         [case.expect]\nschema_only = true\nfiles = [{ root = \"/work\", path = \"note.txt\", text = \"as it is\\n\" }]\n",
    );
    let ran = home.run(&["test", "skills/files"]).expect(1);
    for name in ["ok    writes ", "ok    writes only where it may", "ok    sees nothing"] {
        said(&ran, name);
    }
    said(&ran, "the file /work/note.txt is not the expected one");
    said(&ran, "- as it is");
    said(&ran, "+ as it was");
    let left: Vec<_> = fs::read_dir(home.path("skills/files/tests/data")).unwrap().collect();
    assert_eq!(left.len(), 1, "the package's own folder is as it was");
}

#[test]
fn a_case_can_not_reach_out_of_its_package() {
    let home = files(
        "[[case]]\nname = \"reaches out\"\ntool = \"read\"\narguments = { path = \"/work/x\" }\nexpect = { schema_only = true }\n\
         allow = { fs = [{ root = \"/work\", host = \"../../..\", access = \"read\" }] }\n",
    );
    said(&home.run(&["test", "skills/files"]).expect(1), "expected one in the package's folder `tests/`");
    std::os::unix::fs::symlink("/etc", home.path("skills/files/tests/data/etc")).unwrap();
    home.write(
        "skills/files/tests/first.toml",
        "[[case]]\nname = \"follows a link\"\ntool = \"read\"\narguments = { path = \"/work/x\" }\n\
         expect = { schema_only = true }\nallow = { fs = [{ root = \"/work\", host = \"data\", access = \"read\" }] }\n",
    );
    said(&home.run(&["test", "skills/files"]).expect(1), "is neither a file nor a folder");
}

#[test]
fn a_host_of_a_case_has_nothing_of_the_one_that_is_configured() {
    let home = Home::with("[secrets.token]\nenv = \"TOKEN\"\n");
    home.guest("keeper", "[permissions]\nstate = true\n");
    home.grant("tests/keeper", &["--state"]);
    home.write(
        "skills/keeper/tests/first.toml",
        "[[case]]\nname = \"no grant\"\ntool = \"keys\"\nexpect = { error = \"\", denied = [\"state\"] }\n",
    );
    // The secret can't be read, and nothing asks for it.
    home.run(&["test", "skills/keeper"]).expect(0);
}

#[test]
fn other_packages_are_there_when_a_case_names_them() {
    let home = keeper(
        "[[case]]\nname = \"with another\"\ntool = \"keys\"\nexpect = { output = [] }\nallow = { state = true }\n\
         packages = [{ path = \"../../greet\" }]\n\n\
         [[case]]\nname = \"with none\"\ntool = \"keys\"\nexpect = { output = [] }\nallow = { state = true }\n\
         packages = [{ path = \"../../nowhere\" }]\n",
    );
    home.write("greet/skill.toml", super::MANIFEST);
    home.write("greet/skill.wasm", super::wasm(super::ADD));
    let ran = home.run(&["test", "skills/keeper", "--json"]).expect(1).json();
    assert_eq!(case(&ran, "with another")["problem"], Value::Null, "{ran:#}");
    assert!(case(&ran, "with none")["problem"]["message"].as_str().unwrap().contains("nowhere"), "{ran:#}");
}

#[test]
fn a_broken_package_and_a_broken_file_are_told_apart() {
    let home = cases("[[case]]\nname = \"a\"\nexpect = { output = 3, error = \"x\" }\n");
    let ran = home.run(&["test", "greet"]).expect(2);
    assert!(
        ran.stderr.contains("tests/first.toml:1: the case `a`: `expect` has `output` and `error`"),
        "{}",
        ran.stderr
    );
    let home = cases("[[case]]\nname = \"a\"\narguments = { a = 1, b = 2 }\nexpect = { output = 3 }\n");
    home.write("greet/skill.wasm", "no wasm");
    let ran = home.run(&["test", "greet"]).expect(1);
    said(&ran, "can't be used");
    said(&ran, "`bailiwick check");
    let home = package(&[]);
    let ran = home.run(&["test", "greet"]).expect(2);
    assert!(ran.stderr.contains("expected one such as tests/first.toml"), "{}", ran.stderr);
    home.prompt("letter");
    assert!(home.run(&["test", "skills/letter"]).expect(2).stderr.contains("nothing to test"));
}

#[test]
fn a_trap_is_told_with_what_the_guest_said() {
    let home = Home::new();
    home.write("skills/hostile/skill.wasm", component("hostile"));
    home.write(
        "skills/hostile/skill.toml",
        "skill_id = \"tests/hostile\"\nversion = \"1.0.0\"\nkind = \"tool\"\ncomponent = \"skill.wasm\"\n",
    );
    home.write(
        "skills/hostile/tests/first.toml",
        "[[case]]\nname = \"traps\"\ntool = \"panic\"\narguments = { message = \"it went wrong\" }\nexpect = { schema_only = true }\n",
    );
    let ran = home.run(&["test", "skills/hostile"]).expect(1);
    said(&ran, "the call ended with `guest-trapped`");
    said(&ran, "it went wrong");
}

#[test]
fn a_skill_that_sends_requests_has_a_server_of_files() {
    let home = Home::new();
    home.skill("http-fetch");
    home.write("skills/http-fetch/tests/site/page.txt", "a page");
    home.write(
        "skills/http-fetch/tests/first.toml",
        "[[case]]\nname = \"fetches\"\ntool = \"fetch\"\narguments = { url = \"{server}/page.txt\" }\nserver = \"site\"\n\
         expect = { snapshot = true }\n\
         allow = { http = [{ host = \"127.0.0.1\", schemes = [\"http\"], ports = [\"{port}\"], methods = [\"GET\"] }] }\n\n\
         [[case]]\nname = \"is not let out\"\ntool = \"fetch\"\narguments = { url = \"{server}/page.txt\" }\nserver = \"site\"\n\
         expect = { error = \"\", denied = [\"http\"] }\n",
    );
    home.run(&["test", "skills/http-fetch", "--update"]).expect(0);
    let snapshot = fs::read_to_string(home.path("skills/http-fetch/tests/snapshots/fetches.json")).unwrap();
    assert!(snapshot.contains("a page") && !snapshot.contains("127.0.0.1:"), "{snapshot}");
    // Another port, and the same answer.
    home.run(&["test", "skills/http-fetch"]).expect(0);
}
