//! Every key, wrong in each way: what stands in the file, and what is said of it.

use super::super::read::{KEYS, KEYS_IN_FILES, LIMITS, ON_FAILURE};
use super::parse;

const NAME: &str = "expected 1 to 64 lowercase letters, digits and single hyphens, a letter first";
const DESCRIPTION: &str = "expected one line of 1 to 1024 characters";
const INSTRUCTIONS: &str = "expected a text of 1 to 65536 bytes that is not blank";
const MODEL: &str = "expected the name of a model: 1 to 256 characters without blanks";
const SELECTOR: &str = "expected `namespace/name`, or `namespace/name@` and a range of versions such as `^1.2`";
const COUNT: &str = "expected a whole number from 1 to 9007199254740991";
const TEMPERATURE: &str = "expected a number from 0 to 2 with at most 3 decimals";
const USD: &str = "expected a number above 0 and up to 1000000";
const WALL: &str = "expected a time such as `10 min`, at most 720 h";

const SCHEMA: &str = "expected a JSON Schema (2020-12) of at most 65536 bytes that needs no other document: a table, \
                      or a text with its JSON";

/// A valid file but for the keys that `replaced` begin with, which say something else.
fn file(replaced: &str) -> String {
    let good = [
        ("name", "\"researcher\""),
        ("description", "\"Finds things out.\""),
        ("instructions", "\"Look it up.\""),
        ("models", "[\"m\"]"),
    ];
    let takes_the_place_of = |key: &str| {
        let whole = replaced.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['=', '-']));
        whole || (key == "instructions" && replaced.starts_with("instructions_file = \"../"))
    };
    let kept = good.iter().filter(|(key, _)| !takes_the_place_of(key));
    let kept: Vec<String> = kept.map(|(key, value)| format!("{key} = {value}\n")).collect();
    let kept = kept.concat();
    // `KEY-` takes a key away.
    let added = if replaced.ends_with('-') { "" } else { replaced };
    format!("{kept}{added}\n")
}

fn identity() -> Vec<(String, String)> {
    let long = "x".repeat(1025);
    let shown = "x".repeat(60);
    let cases = [
        ("name-", format!("name: found nothing, {NAME}")),
        ("name = \"Bad Name\"", format!("name: found the text `Bad Name`, {NAME}")),
        ("name = \"runs\"", format!("name: found the text `runs`, {NAME}")),
        ("name = 3", format!("name: found the number `3`, {NAME}")),
        (
            "name = \"other\"",
            "name: found the text `other` in a file that is named `researcher.toml`, expected the same name: \
             change it, or name the file `other.toml`"
                .to_owned(),
        ),
        ("description-", format!("description: found nothing, {DESCRIPTION}")),
        ("description = \"\"", format!("description: found an empty text, {DESCRIPTION}")),
        ("description = \"a\\nb\"", format!("description: found the text `a\\u{{a}}b`, {DESCRIPTION}")),
        ("instructions-", format!("instructions: found nothing, {INSTRUCTIONS}")),
        ("instructions = \" \"", format!("instructions: found the text ` `, {INSTRUCTIONS}")),
        ("instructions = true", format!("instructions: found `true`, {INSTRUCTIONS}")),
        (
            "instructions_file = \"../a.md\"",
            "instructions_file: found the text `../a.md`, expected the relative path of a file in the agent's \
             folder or below it"
                .to_owned(),
        ),
        (
            "instructions_file = \"a.md\"",
            "instructions_file: found the text `a.md`, expected no `instructions_file` beside `instructions`"
                .to_owned(),
        ),
    ];
    let mut cases: Vec<_> = cases.map(|(file, error)| (file.to_owned(), error)).into();
    cases.push((
        format!("description = \"{long}\""),
        format!("description: found the text `{shown}…` of 1025 characters, {DESCRIPTION}"),
    ));
    // It is bytes that are counted: these characters have two each, but for the last.
    cases.push((
        format!("instructions = \"{}x\"", "é".repeat(32_768)),
        format!("instructions: found the text `{}…` of 32769 characters, {INSTRUCTIONS}", "é".repeat(60)),
    ));
    cases
}

fn lists() -> Vec<(String, String)> {
    let nine: Vec<String> = (0..9).map(|number| format!("\"m{number}\"")).collect();
    let many: Vec<String> = (0..65).map(|number| format!("\"a/s{number}\"")).collect();
    let shown = "m".repeat(60);
    let cases = [
        ("models-", "models: found nothing, expected a list of 1 to 8 entries".to_owned()),
        ("models = []", "models: found an empty list, expected a list of 1 to 8 entries".to_owned()),
        ("models = \"m\"", "models: found the text `m`, expected a list of 1 to 8 entries".to_owned()),
        ("models = [\"a b\"]", format!("models[0]: found the text `a b`, {MODEL}")),
        ("models = [\"a\", 1]", format!("models[1]: found the number `1`, {MODEL}")),
        ("models = [\"a\", \"a\"]", "models[1]: found the text `a` again, expected each once".to_owned()),
        ("skills = [\"files\"]", format!("skills[0]: found the text `files`, {SELECTOR}")),
        ("skills = [\"a/b@nope\"]", format!("skills[0]: found the text `a/b@nope`, {SELECTOR}")),
        ("skills = [\"a/b\", \"a/b@^1\"]", "skills[1]: found the text `a/b@^1` again, expected each once".to_owned()),
        ("capabilities = [\"Web\"]", format!("capabilities[0]: found the text `Web`, {NAME}")),
        (
            "capabilities = [\"web\", \"web\"]",
            "capabilities[1]: found the text `web` again, expected each once".to_owned(),
        ),
        ("capabilities = {}", "capabilities: found a table, expected a list of at most 64 entries".to_owned()),
    ];
    let mut cases: Vec<_> = cases.map(|(file, error)| (file.to_owned(), error)).into();
    cases.push((
        format!("models = [{}]", nine.join(", ")),
        "models: found a list of 9 entries, expected a list of 1 to 8 entries".to_owned(),
    ));
    cases.push((
        format!("skills = [{}]", many.join(", ")),
        "skills: found a list of 65 entries, expected a list of at most 64 entries".to_owned(),
    ));
    cases.push((
        format!("models = [\"{}\"]", "m".repeat(257)),
        format!("models[0]: found the text `{shown}…` of 257 characters, {MODEL}"),
    ));
    cases.push((
        format!("capabilities = [{}]", words(65)),
        "capabilities: found a list of 65 entries, expected a list of at most 64 entries".to_owned(),
    ));
    cases
}

/// So many words for a list, each once.
fn words(count: usize) -> String {
    (0..count).map(|number| format!("\"c{number}\"")).collect::<Vec<_>>().join(", ")
}

fn values() -> Vec<(String, String)> {
    let tokens = "expected a whole number from 1 to 1000000";
    let disclosure = "expected `progressive` or `all`";
    let cases = [
        ("disclosure = \"some\"", format!("disclosure: found the text `some`, {disclosure}")),
        ("max_tokens = 0", format!("max_tokens: found the number `0`, {tokens}")),
        ("max_tokens = 1000001", format!("max_tokens: found the number `1000001`, {tokens}")),
        ("max_tokens = 1.5", format!("max_tokens: found the number `1.5`, {tokens}")),
        ("temperature = 2.5", format!("temperature: found the number `2.5`, {TEMPERATURE}")),
        ("temperature = -1", format!("temperature: found the number `-1`, {TEMPERATURE}")),
        ("temperature = 0.1234", format!("temperature: found the number `0.1234`, {TEMPERATURE}")),
        ("temperature = nan", "temperature: found the number `NaN`, expected a finite number".to_owned()),
        ("can_delegate = 1", "can_delegate: found the number `1`, expected `true` or `false`".to_owned()),
        ("limits = 3", "limits: found the number `3`, expected a table".to_owned()),
        ("on_failure = \"ask\"", "on_failure: found the text `ask`, expected a table".to_owned()),
        ("output_schema = 3", format!("output_schema: found the number `3`, which is no object, {SCHEMA}")),
        (
            "model = \"m\"",
            "model: found an unknown key with the text `m`, expected one of `name`, `description`, `instructions`, \
             `models`, `skills`, `capabilities`, `disclosure`, `max_tokens`, `temperature`, `can_delegate`, `limits`, \
             `on_failure`, `output_schema`, `instructions_file`; did you mean `models`?"
                .to_owned(),
        ),
    ];
    cases.map(|(file, error)| (file.to_owned(), error)).into()
}

fn limits() -> Vec<(String, String)> {
    let steps = "expected a whole number from 1 to 1000";
    let cases = [
        ("max_steps = 0", format!("max_steps: found the number `0`, {steps}")),
        ("max_steps = 1001", format!("max_steps: found the number `1001`, {steps}")),
        ("tokens = 0", format!("tokens: found the number `0`, {COUNT}")),
        // 2^53, the first whole number that a reader of JSON may take for its neighbour.
        ("tokens = 9007199254740992", format!("tokens: found the number `9007199254740992`, {COUNT}")),
        ("fuel = 9007199254740992", format!("fuel: found the number `9007199254740992`, {COUNT}")),
        ("host_calls = 9007199254740992", format!("host_calls: found the number `9007199254740992`, {COUNT}")),
        ("usd = 0", format!("usd: found the number `0`, {USD}")),
        ("usd = \"1\"", format!("usd: found the text `1`, {USD}")),
        ("usd = 1000000.5", format!("usd: found the number `1000000.5`, {USD}")),
        ("fuel = -1", format!("fuel: found the number `-1`, {COUNT}")),
        ("wall = \"soon\"", format!("wall: found the text `soon`, {WALL}")),
        ("wall = \"0 s\"", format!("wall: found the text `0 s`, {WALL}")),
        ("wall = \"721 h\"", format!("wall: found the text `721 h`, {WALL}")),
        ("wall = 10", format!("wall: found the number `10`, {WALL}")),
        (
            "wall = 1979-05-27",
            "wall: found the date `1979-05-27`, expected a text, a number, a list or a table".to_owned(),
        ),
        ("host_calls = [1]", format!("host_calls: found a list of 1 entry, {COUNT}")),
        (
            "max_step = 3",
            "max_step: found an unknown key with the number `3`, expected one of `max_steps`, `tokens`, `usd`, `fuel`, `wall`, `host_calls`; did you mean `max_steps`?"
                .to_owned(),
        ),
    ];
    cases.map(|(file, error)| (format!("[limits]\n{file}"), format!("limits.{error}"))).into()
}

fn on_failure() -> Vec<(String, String)> {
    let retries = "expected a whole number from 0 to 5";
    let fallback = "expected the name of another agent";
    let cases = [
        ("retries = 6", format!("retries: found the number `6`, {retries}")),
        ("retries = -1", format!("retries: found the number `-1`, {retries}")),
        ("retries = true", format!("retries: found `true`, {retries}")),
        ("fallback = \"No One\"", format!("fallback: found the text `No One`, {fallback}")),
        ("fallback = \"researcher\"", format!("fallback: found the text `researcher`, {fallback}")),
        ("fallback = [\"a\"]", format!("fallback: found a list of 1 entry, {fallback}")),
        ("ask = \"yes\"", "ask: found the text `yes`, expected `true` or `false`".to_owned()),
        (
            "retrie = 1",
            "retrie: found an unknown key with the number `1`, expected one of `retries`, `fallback`, `ask`; did you \
             mean `retries`?"
                .to_owned(),
        ),
    ];
    cases.map(|(file, error)| (format!("[on_failure]\n{file}"), format!("on_failure.{error}"))).into()
}

#[test]
fn each_key_that_is_wrong_is_told_with_what_was_expected() {
    let cases = [identity(), lists(), values(), limits(), on_failure()].concat();
    for (replaced, expected) in &cases {
        let error = parse(&file(replaced)).expect_err(replaced).to_string();
        assert_eq!(error, format!("agents/researcher.toml: {expected}"), "{replaced}");
    }
    let keys = KEYS.into_iter().chain(KEYS_IN_FILES).map(str::to_owned);
    let inner = LIMITS.map(|key| format!("limits.{key}")).into_iter();
    let inner = inner.chain(ON_FAILURE.map(|key| format!("on_failure.{key}")));
    for key in keys.chain(inner) {
        let begins = |error: &String| {
            let rest = error.strip_prefix(&key);
            rest.is_some_and(|rest| rest.starts_with([':', '[']))
        };
        assert!(cases.iter().any(|(_, error)| begins(error)), "`{key}` has no case");
    }
}

#[test]
fn what_is_just_at_its_bound_is_taken() {
    for replaced in [
        format!("instructions = \"{}\"", "é".repeat(32_768)),
        format!("models = [\"{}\"]", "m".repeat(256)),
        format!("capabilities = [{}]", words(64)),
        "max_tokens = 1000000".to_owned(),
        "[limits]\ntokens = 9007199254740991".to_owned(),
        "[limits]\nfuel = 9007199254740991".to_owned(),
        "[limits]\nhost_calls = 9007199254740991".to_owned(),
    ] {
        let error = parse(&file(&replaced)).err().map(|error| error.to_string());
        assert_eq!(error, None);
    }
}
