//! Where the programs are that build skills.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bailiwick_domain::manifest::Language;

/// The variable that names a folder of toolchains, one folder a language, which are taken first.
pub const VARIABLE: &str = "BAILIWICK_TOOLCHAINS";

/// Where programs are in a toolchain, be it a Python environment, a folder of npm, or an unpacked archive.
const OWN_PLACES: &[&str] = &["bin", "usr/bin", "node_modules/.bin"];

/// Where package managers put the programs that a package of their language asks for.
const PACKAGE_PLACES: &[&str] = &[".venv/bin", "venv/bin", "node_modules/.bin"];

/// The places where programs are looked for.
#[derive(Clone, Debug)]
pub struct Toolchains {
    own: Option<PathBuf>,
    path: Vec<PathBuf>,
}

/// A program that took part in a build.
#[derive(Clone, Debug)]
pub struct Tool {
    /// What it is called.
    pub name: String,
    /// Where it was found.
    pub path: PathBuf,
    /// What it says of itself; empty where it says nothing.
    pub version: String,
}

impl Toolchains {
    /// As the environment has them.
    pub fn from_env() -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let own = env::var_os(VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Self { own, path: env::split_paths(&path).collect() }
    }

    /// The folder of toolchains for one language, where there is one.
    pub fn own(&self, language: Language) -> Option<PathBuf> {
        Some(self.own.as_ref()?.join(language.name())).filter(|folder| folder.is_dir())
    }

    /// Every program of one of these names, in the order in which they are to be taken: of the
    /// toolchain of `language`, of the package's own environments, of the system.
    pub fn programs(&self, language: Language, package: &Path, names: &[&str]) -> Vec<PathBuf> {
        let folders = self.folders(language, package);
        let candidates = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        candidates.filter(|path| is_program(path)).collect()
    }

    /// The first of those programs.
    pub fn program(&self, language: Language, package: &Path, names: &[&str]) -> Option<PathBuf> {
        self.programs(language, package, names).into_iter().next()
    }

    /// The search path for the programs that a build starts by itself.
    pub fn path(&self, language: Language, package: &Path) -> OsString {
        // A folder whose name can't stand in a search path is left to `programs`.
        let folders = self.folders(language, package);
        env::join_paths(folders).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
    }

    fn folders(&self, language: Language, package: &Path) -> Vec<PathBuf> {
        let own = self.own(language).into_iter().flat_map(|folder| below(&folder, OWN_PLACES));
        own.chain(below(package, PACKAGE_PLACES)).chain(self.path.iter().cloned()).collect()
    }
}

fn below(folder: &Path, places: &[&str]) -> Vec<PathBuf> {
    places.iter().map(|place| folder.join(place)).filter(|place| place.is_dir()).collect()
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

impl Tool {
    /// The program at `path`, asked for its version.
    pub fn at(name: &str, path: PathBuf) -> Self {
        let version = said(Command::new(&path).arg("--version")).unwrap_or_default();
        let version = version.lines().next().unwrap_or_default().trim().to_owned();
        Self { name: name.to_owned(), path, version }
    }
}

/// What a command prints, where it can be run and ends well.
pub(crate) fn said(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}
