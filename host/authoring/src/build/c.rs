//! C, by make and clang: the fragment `skill.mk` of the library for authors has the rules.

use std::path::Path;
use std::process::Command;

use bailiwick_domain::manifest::Language;

use super::{BuildError, Step, Watcher, step};
use crate::embedded::WORK;
use crate::toolchain::Tool;

const INSTALL: &str = "sudo apt-get install make clang lld wasi-libc libclang-rt-dev-wasm32";

pub(super) fn run(step: &Step<'_>, watcher: &mut dyn Watcher) -> Result<Vec<Tool>, BuildError> {
    let find = |name| step.toolchains.program(Language::C, step.home, &[name]);
    let mut tools = Vec::new();
    for name in ["make", "clang", "wasm-ld"] {
        let Some(path) = find(name) else {
            let what = format!("`{name}` is not installed: neither the toolchain for C nor PATH has it");
            return Err(BuildError::Missing { what, cure: INSTALL });
        };
        tools.push((name, path));
    }
    watcher.stage("compiling with clang");
    let sdk = Path::new(WORK).join("sdk");
    let mut command = Command::new("make");
    command.current_dir(step.root).arg("-f").arg(step.source).arg(variable("BAILIWICK", step.bailiwick));
    command.arg(variable("SDK", &sdk.join("c"))).arg(variable("WIT", &sdk.join("wit")));
    command.arg(variable("WORK", Path::new(WORK)));
    command.env("PATH", step.toolchains.path(Language::C, step.home));
    // make ends with 2 whatever is wrong.
    step::run_aloud(&mut command, None, watcher)?;
    Ok(tools.into_iter().map(|(name, path)| Tool::at(name, path)).collect())
}

fn variable(name: &str, value: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(format!("{name}="));
    text.push(value);
    text
}
