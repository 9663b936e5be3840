//! Rust, by cargo for `wasm32-wasip2`: what comes out is a component already.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_domain::manifest::Language;
use serde_json::Value;

use super::{BuildError, COMPONENT, Step, Watcher, step};
use crate::embedded;
use crate::files;
use crate::toolchain::{Tool, said};

const TARGET: &str = "wasm32-wasip2";

/// Flags of the compiler for that target, as cargo takes them from the environment.
const FLAGS: &str = "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS";

pub(super) fn run(step: &Step<'_>, watcher: &mut dyn Watcher) -> Result<Vec<Tool>, BuildError> {
    let find = |name| step.toolchains.program(Language::Rust, step.home, &[name]);
    let (Some(cargo), Some(rustc)) = (find("cargo"), find("rustc")) else {
        let what = "Rust is not installed: neither its toolchain nor PATH has both `cargo` and `rustc`".to_owned();
        return Err(BuildError::Missing { what, cure: "rustup toolchain install stable --profile minimal" });
    };
    if !has_std(&rustc, step.root) {
        let what = format!("`{}` has no standard library for {TARGET}", rustc.display());
        return Err(BuildError::Missing { what, cure: "rustup target add wasm32-wasip2" });
    }
    seed_lock(&cargo, step)?;
    watcher.stage("compiling with cargo");
    let mut command = Command::new(&cargo);
    command.current_dir(step.root).args(["build", "--release", "--target", TARGET, "--target-dir"]);
    command.arg(step.work().join("target")).arg("--manifest-path").arg(step.source);
    command.args(["--message-format", "json-render-diagnostics"]);
    for folder in remapped(step.root) {
        command.arg("--config").arg(folder);
    }
    let built = artifact(&step::run(&mut command, watcher)?);
    let built = built.ok_or_else(|| BuildError::NoLibrary { manifest: step.root.join(step.source) })?;
    let to = step.work().join(COMPONENT);
    fs::copy(&built, &to).map_err(BuildError::io("copy", &built))?;
    Ok(vec![Tool::at("cargo", cargo), Tool::at("rustc", rustc)])
}

/// Whether the compiler can build for the target, by the flags that cargo will give it.
fn has_std(rustc: &Path, root: &Path) -> bool {
    let flags = env::var(FLAGS).unwrap_or_default();
    let mut command = Command::new(rustc);
    // rustup chooses the toolchain by the folder that it is called in.
    command.current_dir(root).args(flags.split_whitespace());
    let Some(libs) = said(command.args(["--print", "target-libdir", "--target", TARGET])) else { return false };
    let is_std = |name: OsString| name.to_string_lossy().starts_with("libstd-");
    fs::read_dir(libs).is_ok_and(|mut libs| libs.any(|lib| lib.is_ok_and(|lib| is_std(lib.file_name()))))
}

/// A crate that has no lock yet begins with the versions that the library for
/// authors was tested with; cargo takes out of them what the crate doesn't use.
fn seed_lock(cargo: &Path, step: &Step<'_>) -> Result<(), BuildError> {
    let mut command = Command::new(cargo);
    command.current_dir(step.root).args(["locate-project", "--workspace", "--message-format", "plain"]);
    // What is wrong with a manifest, cargo says better when it builds.
    let Some(workspace) = said(command.arg("--manifest-path").arg(step.source)) else { return Ok(()) };
    let lock = Path::new(&workspace).with_file_name("Cargo.lock");
    // The lock of a workspace around the package is not this package's to begin.
    if lock.exists() || !lock.starts_with(step.root) {
        return Ok(());
    }
    files::write_changed(&lock, embedded::rust_lock().as_bytes()).map_err(BuildError::io("write", &lock))
}

/// Configuration for cargo that takes this machine's folders out of panic
/// messages: the same source then gives the same bytes wherever it is built. As
/// configuration it is added to the flags of the environment, and may have blanks.
fn remapped(root: &Path) -> Vec<String> {
    let home = || env::home_dir().map(|home| home.join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    let folders = [Some((root.to_owned(), "/skill")), cargo.map(|cargo| (cargo, "/cargo"))];
    let flag = |(folder, name): (PathBuf, &str)| {
        // JSON's strings are TOML's too.
        let flag = Value::from(format!("--remap-path-prefix={}={name}", folder.display()));
        format!("target.{TARGET}.rustflags=[{flag}]")
    };
    folders.into_iter().flatten().map(flag).collect()
}

/// The file that cargo says it made last: that of the package itself, after its libraries.
fn artifact(messages: &[String]) -> Option<PathBuf> {
    let file = |line: &String| {
        let message: Value = serde_json::from_str(line).ok()?;
        let files = message.get("filenames")?.as_array()?;
        let mut files = files.iter().filter_map(Value::as_str).map(PathBuf::from);
        files.find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
    };
    messages.iter().rev().find_map(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_file_of_webassembly_is_taken() {
        let lines = [
            r#"{"reason":"compiler-artifact","filenames":["/t/libserde.rlib","/t/libserde.rmeta"]}"#,
            r#"{"reason":"compiler-artifact","filenames":["/t/word_count.wasm"]}"#,
            r#"{"reason":"build-finished","success":true}"#,
            "not JSON",
        ];
        assert_eq!(artifact(&lines.map(str::to_owned)), Some(PathBuf::from("/t/word_count.wasm")));
        assert_eq!(artifact(&[lines[0].to_owned()]), None);
    }

    #[test]
    fn folders_with_blanks_and_quotes_are_remapped_too() {
        let config = remapped(Path::new("/a b/\"c\""));
        assert_eq!(config[0], r#"target.wasm32-wasip2.rustflags=["--remap-path-prefix=/a b/\"c\"=/skill"]"#);
    }
}
