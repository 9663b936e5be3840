//! JavaScript and TypeScript, by componentize-js: the library for authors makes WIT of
//! their types and runs it.

use std::path::Path;
use std::process::Command;

use bailiwick_domain::manifest::Language;

use super::{BuildError, Step, Watcher, step};
use crate::embedded::WORK;
use crate::toolchain::{Tool, said};

/// The oldest Node.js that componentize-js runs on.
const OLDEST: u32 = 20;

const COMPONENTIZE: &str = "@bytecodealliance/componentize-js";

pub(super) fn run(step: &Step<'_>, watcher: &mut dyn Watcher) -> Result<Vec<Tool>, BuildError> {
    let nodes = step.toolchains.programs(Language::JavaScript, step.home, &["node"]);
    let Some(node) = nodes.iter().find(|node| major(node).is_some_and(|major| major >= OLDEST)) else {
        let what = format!("Node.js {OLDEST} or newer is not installed");
        return Err(BuildError::Missing { what, cure: "sudo apt-get install nodejs npm" });
    };
    watcher.stage("building with componentize-js");
    let sdk = Path::new(WORK).join("sdk");
    let mut command = Command::new(node);
    command.current_dir(step.root).arg(sdk.join("javascript/build.mjs")).arg("--source").arg(step.source);
    command.arg("--wit").arg(sdk.join("wit")).args(["--work", WORK]);
    command.env("PATH", step.toolchains.path(Language::JavaScript, step.home));
    // Which packages are needed, and in which versions, the library knows best.
    step::run_aloud(&mut command, step::MISSING, watcher)?;
    let mut tools = vec![Tool::at("node", node.clone())];
    tools.extend(componentize(step));
    Ok(tools)
}

fn major(node: &Path) -> Option<u32> {
    let version = said(Command::new(node).arg("--version"))?;
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The package that did the work, where the library looks for it.
fn componentize(step: &Step<'_>) -> Option<Tool> {
    let own = step.toolchains.own(Language::JavaScript).into_iter();
    let places = own.chain(step.home.ancestors().map(Path::to_owned));
    let path = places.map(|place| place.join("node_modules").join(COMPONENTIZE)).find(|path| path.is_dir())?;
    let version = version_of(&path.join("package.json"));
    Some(Tool { name: "componentize-js".to_owned(), path, version })
}

fn version_of(manifest: &Path) -> String {
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    manifest.get("version").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
}
