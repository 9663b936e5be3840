//! The keys of `[secrets.NAME]`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::host::{Home, Ran};

const SECRET: &str = "correct horse battery";

/// What a tool answers that was told the secret, which shows whether the host knows it.
fn echoed(settings: &str, variable: &str) -> String {
    let home = Home::with(settings);
    let path = home.write("secret", format!("{SECRET}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    home.guest("hostile", "").grant("tests/hostile", &[]);
    let arguments = json!({ "text": SECRET }).to_string();
    let run = ["skills", "run", "tests/hostile", "echo", "--args", &arguments];
    Ran::of(home.command().args(run).env("HORSE", variable)).expect(0).stdout
}

#[test]
pub(super) fn a_secret_comes_from_the_variable_that_is_named() {
    assert_eq!(echoed("", SECRET), format!("{SECRET}\n"));
    assert_eq!(echoed("[secrets.horse]\nenv = \"HORSE\"\n", SECRET), "[secret horse]\n");
    assert_eq!(echoed("[secrets.horse]\nenv = \"HORSE\"\n", "another value"), format!("{SECRET}\n"));
}

#[test]
pub(super) fn a_secret_comes_from_the_file_that_is_named() {
    assert_eq!(echoed("[secrets.horse]\nfile = \"secret\"\n", ""), "[secret horse]\n");
}
