//! Packages: packed, signed, published, installed, held to the lock, and removed.

mod files;
mod locked;
mod nonsense;
mod registry;
mod server;
mod signed;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::Client;
use crate::host::{Home, Ran, component, eventually, target};

/// A key of an author, in a folder of its own.
pub(crate) struct Author {
    folder: TempDir,
    public: String,
}

impl Author {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new();
        let file = folder.path().join("key.pem");
        let made = home.run(&["--json", "skills", "keygen", file.to_str().unwrap()]).expect(0).json();
        Self { folder, public: made["public_key"].as_str().unwrap().to_owned() }
    }

    pub(crate) fn file(&self) -> String {
        self.folder.path().join("key.pem").to_str().unwrap().to_owned()
    }

    /// What a host that trusts this author has in its configuration.
    pub(crate) fn trusted(&self, name: &str, namespaces: &[&str]) -> String {
        let public = &self.public;
        format!("[skills.trusted_keys.{name}]\npublic_key = \"{public}\"\nnamespaces = {namespaces:?}\n")
    }
}

/// A package in a folder that no host reads.
pub(crate) struct Source(TempDir);

impl Source {
    /// `id` with the component of a guest of the tests.
    pub(crate) fn new(id: &str, version: &str, guest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest =
            format!("skill_id = \"{id}\"\nversion = \"{version}\"\nkind = \"tool\"\ncomponent = \"{guest}.wasm\"\n");
        fs::write(folder.path().join("skill.toml"), manifest).unwrap();
        fs::write(folder.path().join(format!("{guest}.wasm")), component(guest)).unwrap();
        Self(folder)
    }

    /// `acme/hello`, which echoes.
    pub(crate) fn hello() -> Self {
        Self::new("acme/hello", "1.0.0", "hostile")
    }

    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    /// The same with another file.
    pub(crate) fn with(self, file: &str, content: &str) -> Self {
        fs::write(self.0.path().join(file), content).unwrap();
        self
    }
}

/// A registry: the real one, from the distribution's packages.
pub(crate) struct Registry {
    child: Child,
    folder: TempDir,
    port: u16,
}

/// The user and password of a registry that wants to know who asks, and the line
/// of its file of passwords (bcrypt).
pub(crate) const LOGIN: (&str, &str) = ("ada", "analytical");
const PASSWORDS: &str = "ada:$2b$05$06lTqthaXab6fdoSum85h.Tggy57YSekYlJSX8TDkluKINaMoGN.O\n";

impl Registry {
    /// Starts it, or says why there is none, where this system has no package of it.
    pub(crate) fn start() -> Option<Self> {
        Self::with("")
    }

    /// One that wants to know who asks.
    pub(crate) fn with_login() -> Option<Self> {
        let passwords = tempfile::NamedTempFile::new().unwrap().into_temp_path().keep().unwrap();
        fs::write(&passwords, PASSWORDS).unwrap();
        Self::with(&format!("auth:\n  htpasswd:\n    realm: registry\n    path: {}\n", passwords.display()))
    }

    fn with(more: &str) -> Option<Self> {
        let program = program()?;
        // Between this and its start another process may take the port; then the next is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let folder = tempfile::tempdir().unwrap();
            let config = folder.path().join("config.yml");
            let text = format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n{more}",
                folder.path().join("data").display()
            );
            fs::write(&config, text).unwrap();
            let child =
                Command::new(&program).arg("serve").arg(&config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut registry = Self { child: child.unwrap(), folder, port };
            if registry.answers() {
                return Some(registry);
            }
        }
        panic!("{} does not start", program.display());
    }

    fn answers(&mut self) -> bool {
        eventually("the registry answers or ends", || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            thread::sleep(Duration::from_millis(20));
            std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok().then_some(true)
        })
    }

    /// `oci://…` of a repository with its tag or digest.
    pub(crate) fn place(&self, rest: &str) -> String {
        format!("oci://127.0.0.1:{}/{rest}", self.port)
    }

    /// Asks it as it is asked by tools of others.
    pub(crate) fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port), None)
    }

    /// Where it keeps the bytes with this digest.
    pub(crate) fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.strip_prefix("sha256:").unwrap();
        self.folder.path().join("data/docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data")
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The registry's program. Where there is apt it must be there, because `tools/setup` gets it.
#[expect(clippy::print_stdout, reason = "whoever reads the log should see what was not run")]
fn program() -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|file| file.is_file());
    let unpacked = target().join("registry/usr/bin/docker-registry");
    let found = find("docker-registry").or_else(|| Some(unpacked).filter(|file| file.is_file()));
    assert!(
        found.is_some() || find("apt-get").is_none(),
        "docker-registry is missing: `tools/setup` gets it, or `apt-get install docker-registry`"
    );
    if found.is_none() {
        println!("not run: this system has no `docker-registry`, and no apt to get it with");
    }
    found
}

/// Publishes `source`, and answers what was published.
pub(crate) fn publish(source: &Source, place: &str, by: Option<&Author>) -> Value {
    let home = Home::new();
    let key = by.map(Author::file);
    let mut arguments = vec!["--json", "skills", "publish", source.path(), place];
    arguments.extend(key.iter().flat_map(|key| ["--sign", key.as_str()]));
    home.run(&arguments).expect(0).json()
}

pub(crate) fn install(home: &Home, more: &[&str]) -> Ran {
    home.run(&[&["skills", "install"], more].concat())
}

/// What the host has, by id and version, and what is broken.
pub(crate) fn listed(home: &Home) -> (Vec<String>, Vec<String>) {
    let list = home.run(&["--json", "skills", "list"]).expect(0).json();
    let texts = |list: &Value, text: &dyn Fn(&Value) -> String| list.as_array().unwrap().iter().map(text).collect();
    let name = |skill: &Value| format!("{} {}", skill["id"].as_str().unwrap(), skill["version"].as_str().unwrap());
    (texts(&list["skills"], &name), texts(&list["broken"], &|it| it["error"].as_str().unwrap().to_owned()))
}

/// A refusal with this code, whose text has all of these, and after which nothing is installed.
#[track_caller]
pub(crate) fn refused(home: &Home, ran: Ran, code: i32, says: &[&str]) {
    let ran = ran.expect(code);
    for text in says {
        assert!(ran.stderr.contains(text), "`{text}` is missing in: {}", ran.stderr);
    }
    assert_eq!(listed(home), (vec![], vec![]), "nothing was installed");
    assert!(!home.path("bailiwick.lock").exists(), "nothing is in the lock");
}

/// The folder of an installed package.
pub(crate) fn placed(home: &Home, name: &str) -> PathBuf {
    home.path("data/packages").join(name)
}

/// Records of the audit chain of one kind.
pub(crate) fn records(home: &Home, kind: &str) -> Vec<Value> {
    let list = home.run(&["--json", "audit", "list", "--kind", kind]).expect(0).json();
    list["records"].as_array().unwrap().iter().map(|entry| entry["record"].clone()).collect()
}

/// Every file below a folder by its content, for those who look whether any has changed.
pub(crate) fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    for entry in entries {
        if entry.file_type().unwrap().is_dir() {
            found.extend(content(&entry.path()));
        } else {
            found.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap()));
        }
    }
    found.sort();
    found
}
