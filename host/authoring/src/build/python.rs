//! Python, by componentize-py: the library for authors makes WIT of type hints and runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick_domain::manifest::Language;

use super::{BuildError, Step, Watcher, step};
use crate::embedded::WORK;
use crate::toolchain::{Tool, said};

/// What is installed with `pip`.
const INSTALL: &str = "python3 -m pip install componentize-py==0.25.1";

/// The oldest Python that the library for authors runs on.
const OLDEST: (u32, u32) = (3, 10);

pub(super) fn run(step: &Step<'_>, watcher: &mut dyn Watcher) -> Result<Vec<Tool>, BuildError> {
    let pythons = step.toolchains.programs(Language::Python, step.home, &["python3", "python"]);
    let python = choose(&pythons)?;
    watcher.stage("building with componentize-py");
    let sdk = Path::new(WORK).join("sdk");
    let mut command = Command::new(&python);
    command.current_dir(step.root).args(["-m", "bailiwick_skill.build", "--source"]).arg(step.source);
    command.arg("--wit").arg(sdk.join("wit")).args(["--work", WORK]);
    command.env("PYTHONPATH", sdk.join("python")).env("PATH", step.toolchains.path(Language::Python, step.home));
    // Compiled files beside the source would only be in the way of a package, and lines come as they are printed.
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUNBUFFERED", "1");
    step::run_aloud(&mut command, step::MISSING, watcher)?;
    let version = said(Command::new(&python).args(["-m", "pip", "show", "componentize-py"]));
    let version = version.as_deref().and_then(|text| text.lines().find_map(|line| line.strip_prefix("Version: ")));
    let componentize = Tool {
        name: "componentize-py".to_owned(),
        path: python.clone(),
        version: version.unwrap_or_default().to_owned(),
    };
    Ok(vec![Tool::at("python", python), componentize])
}

/// The first Python that has componentize-py.
fn choose(pythons: &[PathBuf]) -> Result<PathBuf, BuildError> {
    let (major, minor) = OLDEST;
    let newer = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let new_enough = |python: &&PathBuf| said(Command::new(python).args(["-c", &newer])).is_some();
    let new: Vec<&PathBuf> = pythons.iter().filter(new_enough).collect();
    let Some(first) = new.first() else {
        let what = format!("Python {major}.{minor} or newer is not installed");
        return Err(BuildError::Missing { what, cure: "sudo apt-get install python3 python3-pip python3-venv" });
    };
    let finds = "import importlib.util, sys; sys.exit(importlib.util.find_spec('componentize_py') is None)";
    let complete = new.iter().find(|python| said(Command::new(python).args(["-c", finds])).is_some());
    complete.map(|python| (*python).clone()).ok_or_else(|| {
        let what = format!("componentize-py is not installed for `{}`", first.display());
        BuildError::Missing { what, cure: INSTALL }
    })
}
