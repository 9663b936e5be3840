//! Finding cases, making packages of them, and comparing what is said with what was expected.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick_skills::package::{self, LoadOptions, Package};
use tempfile::TempDir;

/// One case.
pub(crate) struct Case {
    /// The file.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
}

impl Case {
    /// Whether a line `#! WORD` asks for something; such lines are comments in TOML.
    pub(crate) fn asks(&self, word: &str) -> bool {
        self.text.lines().any(|line| line.strip_prefix("#! ") == Some(word))
    }

    /// How the case is to be loaded.
    pub(crate) fn options(&self) -> LoadOptions {
        LoadOptions { strict: !self.asks("lenient"), allow_shell: self.asks("allow shell") }
    }

    /// Compares `said` with the file of expectations beside the case. A case
    /// without such a file expects that nothing is said.
    pub(crate) fn compare(&self, said: &str) {
        let path = self.path.with_extension("expected");
        if std::env::var_os("BLESS").is_some() {
            match said {
                "" => drop(fs::remove_file(&path)),
                said => fs::write(&path, format!("{said}\n")).expect("the case can be blessed"),
            }
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(said, expected.trim_end(), "{}", self.path.display());
    }
}

/// The folder of this package's test files.
pub(crate) fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// All cases in a folder below `tests/`, in the order of their names.
pub(crate) fn cases(folder: &str, extension: &str) -> Vec<Case> {
    let folder = tests_folder().join(folder);
    let entries = fs::read_dir(&folder).expect("the folder of cases is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    let read = |path: PathBuf| Case { text: fs::read_to_string(&path).expect("a case is text"), path };
    paths.into_iter().map(read).collect()
}

/// A folder with all the files that cases name.
pub(crate) fn fixture() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let write = |name: &str, contents: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("writable");
        fs::write(path, contents).expect("writable");
    };
    write("skill.wasm", "\0asm");
    write("SKILL.md", "---\nname: note\ndescription: Takes notes.\n---\nUse it to take notes.\n");
    write("schemas/narrow.json", r#"{ "type": "object" }"#);
    write("schemas/not-json.json", "{ type: object }");
    write("schemas/not-a-schema.json", r#"{ "properties": { "a": { "type": "text" } } }"#);
    write("schemas/remote.json", r#"{ "$ref": "https://example.com/schema.json" }"#);
    write("schemas/local.json", r#"{ "$ref": "file:///etc/hostname" }"#);
    write("schemas/lookahead.json", r#"{ "pattern": "^(?!a).*$" }"#);
    write("schemas/large.json", &" ".repeat(300 << 10));
    fs::create_dir(folder.path().join("folder.wasm")).expect("writable");
    folder
}

/// Loads a folder; the error is what is said, with paths relative to it.
pub(crate) fn load(folder: &TempDir, options: LoadOptions) -> Result<Package, String> {
    package::load(folder.path(), &options).map_err(|error| {
        let root = format!("{}/", folder.path().display());
        error.to_string().replace(&root, "")
    })
}

/// The warnings of a package, with paths relative to it.
pub(crate) fn warnings(folder: &TempDir, package: &Package) -> String {
    let root = format!("{}/", folder.path().display());
    package.warnings.join("\n").replace(&root, "")
}
