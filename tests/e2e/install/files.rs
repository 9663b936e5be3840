//! Installing from this machine: folders, and files that `skills pack` made.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::{Author, Source, install, listed, placed, records, refused};
use crate::host::Home;

/// Packs `source` into a file of the home.
fn pack(home: &Home, source: &Source, by: Option<&Author>) -> String {
    let file = home.path("hello.tar").to_str().unwrap().to_owned();
    let key = by.map(Author::file);
    let mut arguments = vec!["skills", "pack", source.path(), "--out", &file];
    arguments.extend(key.iter().flat_map(|key| ["--sign", key.as_str()]));
    home.run(&arguments).expect(0);
    file
}

#[test]
fn a_folder_is_unsigned_and_installed_only_if_told_so() {
    let (home, source) = (Home::new(), Source::hello());
    let why = ["it is not signed, and this host takes no unsigned packages", "--allow-unsigned"];
    refused(&home, install(&home, &[source.path()]), 4, &why);
    let done = install(&home, &[source.path(), "--allow-unsigned"]).expect(0).stdout;
    for text in [
        "installed acme/hello 1.0.0 (sha256:",
        "unsigned: nobody vouches for it",
        "Imports, and so can reach nothing else",
        "Asks for",
        "Nothing is granted by this. Next: bailiwick grant add acme/hello@1.0.0",
    ] {
        assert!(done.contains(text), "`{text}` is missing in: {done}");
    }
    // Installing granted nothing.
    let run = ["skills", "run", "acme/hello", "echo", "--arg", "text=hi"];
    assert!(home.run(&run).expect(4).stderr.contains("bailiwick grant add acme/hello"));
    home.grant("acme/hello", &[]);
    assert_eq!(home.run(&run).expect(0).stdout, "hi\n");
    // The same bytes once more are no news.
    let again = install(&home, &[source.path(), "--allow-unsigned"]).expect(0).stdout;
    assert_eq!(again, "acme/hello 1.0.0 is installed already, with the same bytes\n");
    assert_eq!(records(&home, "package-installed").len(), 1);
    let mode = fs::metadata(placed(&home, "")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[test]
fn a_signed_file_is_installed_and_the_lock_says_by_whom() {
    let (author, source) = (Author::new(), Source::hello().with("NOTES.md", "for people"));
    let home = Home::with(&author.trusted("acme-release", &["acme"]));
    let file = pack(&home, &source, Some(&author));
    let done = home.run(&["--json", "skills", "install", &file]).expect(0).json();
    let package = &done["installed"][0];
    assert_eq!(package["signed_by"], "acme-release");
    assert_eq!(package["next"], "bailiwick grant add acme/hello@1.0.0");
    assert!(package["imports"].is_array() && package["requested"].is_array(), "{package}");
    assert_eq!(listed(&home), (vec!["acme/hello 1.0.0".to_owned()], vec![]));
    // The lock lies beside the configuration, and names the file from there.
    let lock = fs::read_to_string(home.path("bailiwick.lock")).unwrap();
    let expected = format!(
        "\nversion = 1\n\n[[package]]\nskill = \"acme/hello\"\nversion = \"1.0.0\"\nsource = \"hello.tar\"\nbundle = {}\ndigest = {}\nsigned_by = \"acme-release\"\npublic_key = \"{}\"\n",
        package["bundle"], package["digest"], author.public
    );
    assert!(lock.ends_with(&expected), "{lock}");
    let record = records(&home, "package-installed").remove(0);
    for key in ["skill", "version", "digest", "bundle", "source", "signed_by", "public_key"] {
        assert_eq!(record[key], package[key], "{key}: {record}");
    }
    assert_eq!(record["principal"], "cli:tester");
    assert_eq!(fs::read_to_string(placed(&home, "acme_hello@1.0.0/NOTES.md")).unwrap(), "for people");
}

#[test]
fn where_there_is_no_configuration_the_lock_lies_with_the_data() {
    let (home, source) = (Home::new(), Source::hello());
    let mut command = home.command();
    command.env_remove("BAILIWICK_CONFIG").current_dir(source.path());
    command.args(["--data-dir", home.path("data").to_str().unwrap()]);
    let ran = crate::host::Ran::of(command.args(["skills", "install", source.path(), "--allow-unsigned"]));
    ran.expect(0);
    assert!(home.path("data/bailiwick.lock").is_file());
    assert!(!home.path("bailiwick.lock").exists());
}

#[test]
fn signatures_that_do_not_count_let_nothing_in() {
    let (author, stranger) = (Author::new(), Author::new());
    let source = Source::hello();
    let home = Home::with(&(author.trusted("acme", &["acme"]) + &stranger.trusted("others", &["others", "more"])));
    let file = pack(&home, &source, None);
    refused(&home, install(&home, &[&file]), 4, &["it is not signed"]);
    // A key of another namespace, also where unsigned packages are let in.
    pack(&home, &source, Some(&stranger));
    let why = ["the trusted key `others` signed it, and may sign only skills of `more`, `others`", "`acme/hello`"];
    refused(&home, install(&home, &[&file]), 4, &why);
    refused(&home, install(&home, &[&file, "--allow-unsigned"]), 4, &why);
    // A key that nobody trusts.
    let unknown = Author::new();
    pack(&home, &source, Some(&unknown));
    let why = ["none of its 1 signatures was made by a key that this host trusts", "skills.trusted_keys"];
    refused(&home, install(&home, &[&file]), 4, &why);
    // A good signature of other bytes.
    pack(&home, &Source::new("acme/other", "1.0.0", "hostile"), Some(&author));
    let copied = fs::read(format!("{file}.sig")).unwrap();
    pack(&home, &source, None);
    fs::write(format!("{file}.sig"), copied).unwrap();
    refused(&home, install(&home, &[&file]), 4, &["none of its 1 signatures"]);
    fs::write(format!("{file}.sig"), "no signature").unwrap();
    refused(&home, install(&home, &[&file]), 1, &["hello.tar.sig` is no signature: expected the 64 bytes"]);
    assert_eq!(records(&home, "package-refused").len(), 5);
    // Every byte of the file is signed.
    pack(&home, &source, Some(&author));
    let mut tar = fs::read(&file).unwrap();
    tar[0] = b't';
    fs::write(&file, tar).unwrap();
    refused(&home, install(&home, &[&file]), 4, &["none of its 1 signatures"]);
    pack(&home, &source, Some(&author));
    install(&home, &[&file]).expect(0);
}

#[test]
fn the_digest_that_was_asked_for_must_be_it() {
    let (home, source) = (Home::new(), Source::hello());
    let packed = home.run(&["--json", "skills", "pack", source.path(), "--out", "hello.tar"]).expect(0).json();
    let bundle = packed["bundle"].as_str().unwrap();
    let other = format!("sha256:{}", "0".repeat(64));
    for place in [source.path(), "hello.tar"] {
        let ran = install(&home, &[place, "--allow-unsigned", "--digest", &other]);
        refused(&home, ran, 4, &[&format!("its bundle has the digest {bundle}, and {other} was asked for")]);
    }
    refused(&home, install(&home, &["hello.tar", "--digest", "sha256:12"]), 2, &["/digest", "sha256:12"]);
    home.run(&["skills", "install", "--digest", bundle]).expect(2);
    install(&home, &["hello.tar", "--allow-unsigned", "--digest", bundle]).expect(0);
}

#[test]
fn what_is_no_package_is_not_installed() {
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    refused(&home, install(&home, &["nowhere"]), 1, &["can't read", "nowhere", "No such file"]);
    refused(&home, install(&home, &["https://example.com/x.tar"]), 2, &["/source", "expected `oci://"]);
    home.write("x.tar", "not a tar");
    refused(
        &home,
        install(&home, &["x.tar"]),
        2,
        &["x.tar` is no package: it is no tar that can be read", "skills pack"],
    );
    let source = Source::hello().with("skill.toml", "skill_id = 3\n");
    refused(&home, install(&home, &[source.path()]), 2, &["can't be installed: skill.toml:1:"]);
    let source = Source::hello().with("hostile.wasm", "no component");
    refused(&home, install(&home, &[source.path()]), 2, &["can't be installed: `hostile.wasm`"]);
    let source = Source::hello();
    std::os::unix::fs::symlink("/etc/passwd", format!("{}/link", source.path())).unwrap();
    refused(&home, install(&home, &[source.path()]), 2, &["`link` is a symlink"]);
    // Nothing is left behind, wherever it ended.
    assert_eq!(super::content(&placed(&home, "")), []);
    assert!(home.path("data/packages").read_dir().is_ok_and(|mut entries| entries.next().is_none()));
}

#[test]
fn tars_that_attack_whoever_unpacks_them_write_nothing() {
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    let source = Source::hello();
    let tar = |arguments: &[&str]| {
        let out = home.path("x.tar");
        let ran =
            Command::new("tar").arg("-cf").arg(&out).args(["-C", source.path()]).args(arguments).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    std::os::unix::fs::symlink("/tmp", format!("{}/out", source.path())).unwrap();
    fs::hard_link(format!("{}/skill.toml", source.path()), format!("{}/twin.toml", source.path())).unwrap();
    for (arguments, says) in [
        (&["--transform=s#skill.toml#../../skill.toml#", "skill.toml"][..], "has `.` or `..`"),
        (&["-P", "--transform=s#skill.toml#/skill.toml#", "skill.toml"], "is absolute"),
        (&["out"], "is a symlink"),
        (&["skill.toml", "twin.toml"], "is a hard link"),
        (&["--hard-dereference", "skill.toml", "skill.toml"], "stands twice"),
        (&["--format=pax", "skill.toml"], "a pax header"),
        (&["-P", "/dev/null"], "is a device"),
    ] {
        tar(arguments);
        refused(&home, install(&home, &["x.tar"]), 2, &[says]);
    }
    assert!(!home.path("data/packages").exists(), "all of it was refused in memory");
}

#[test]
fn an_installed_skill_is_removed_and_its_grants_stay() {
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    for (version, guest) in [("1.0.0", "hostile"), ("2.0.0", "keeper")] {
        install(&home, &[Source::new("acme/hello", version, guest).path()]).expect(0);
    }
    home.grant("acme/hello@1.0.0", &[]);
    home.prompt("how");
    let nothing = home.run(&["skills", "remove", "acme/hello@3.0.0"]).expect(3);
    assert!(nothing.stderr.contains("`acme/hello 3.0.0` is not installed"), "{}", nothing.stderr);
    home.run(&["skills", "remove", "local/how"]).expect(3);
    home.run(&["skills", "remove", "acme/hello@^1"]).expect(2);
    let gone = home.run(&["skills", "remove", "acme/hello@2.0.0"]).expect(0).stdout;
    assert!(gone.contains("removed acme/hello 2.0.0") && gone.contains("grant revoke acme/hello"), "{gone}");
    assert_eq!(listed(&home).0, ["acme/hello 1.0.0", "local/how 0.0.0"]);
    let gone = home.run(&["--json", "skills", "remove", "acme/hello"]).expect(0).json();
    assert_eq!(gone["removed"][0]["version"], "1.0.0");
    assert_eq!(listed(&home), (vec!["local/how 0.0.0".to_owned()], vec![]));
    assert!(!fs::read_to_string(home.path("bailiwick.lock")).unwrap().contains("[[package]]"));
    assert_eq!(records(&home, "package-removed").len(), 2);
    assert_eq!(home.run(&["--json", "grant", "list"]).expect(0).json().as_array().unwrap().len(), 1);
}

#[test]
fn prompts_travel_too() {
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    home.prompt("how");
    let folder = home.path("skills/how");
    home.run(&["skills", "pack", folder.to_str().unwrap(), "--out", "how.tar"]).expect(0);
    fs::remove_dir_all(folder).unwrap();
    let done = install(&home, &["how.tar"]).expect(0).stdout;
    assert!(done.contains("It is a prompt, which makes no calls and needs no grant."), "{done}");
    assert_eq!(listed(&home), (vec!["local/how 0.0.0".to_owned()], vec![]));
}

#[test]
fn keys_and_signatures_are_those_of_openssl() {
    let (author, source) = (Author::new(), Source::hello());
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let file = pack(&home, &source, Some(&author));
    let path = |name: &str| home.path(name).to_str().unwrap().to_owned();
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl").args(arguments).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    // Ours are read by it.
    let (key, public, raw) = (author.file(), path("public.pem"), path("raw.sig"));
    openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
    assert!(fs::read_to_string(&public).unwrap().contains(&author.public));
    openssl(&["base64", "-d", "-A", "-in", &format!("{file}.sig"), "-out", &raw]);
    openssl(&["pkeyutl", "-verify", "-rawin", "-in", &file, "-pubin", "-inkey", &public, "-sigfile", &raw]);
    // Its own are read by us, the public one as PEM.
    let theirs = path("theirs.pem");
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", &theirs]);
    fs::set_permissions(&theirs, fs::Permissions::from_mode(0o600)).unwrap();
    let pem = openssl(&["pkey", "-in", &theirs, "-pubout"]);
    let trusted = format!("[skills.trusted_keys.theirs]\nnamespaces = [\"acme\"]\npublic_key = \"\"\"\n{pem}\"\"\"\n");
    let config = fs::read_to_string(home.path("bailiwick.toml")).unwrap();
    home.write("bailiwick.toml", config + &trusted);
    openssl(&["pkeyutl", "-sign", "-rawin", "-in", &file, "-inkey", &theirs, "-out", &raw]);
    let signature = openssl(&["base64", "-A", "-in", &raw]);
    fs::write(format!("{file}.sig"), signature).unwrap();
    let done = install(&home, &[&file]).expect(0).stdout;
    assert!(done.contains("signed by the key theirs"), "{done}");
    home.run(&["skills", "pack", source.path(), "--out", &file, "--sign", &theirs]).expect(0);
}

#[test]
fn private_keys_are_kept_private() {
    let (author, source, home) = (Author::new(), Source::hello(), Home::new());
    let key = author.file();
    let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&key), 0o600);
    let ran = home.run(&["skills", "keygen", &key]).expect(2);
    assert!(ran.stderr.contains("no key takes the place of another"), "{}", ran.stderr);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = home.run(&["skills", "pack", source.path(), "--sign", &key]).expect(2);
    assert!(ran.stderr.contains("can be read by others (mode 644)"), "{}", ran.stderr);
    assert!(!home.path("hello-1.0.0.tar").exists());
    home.run(&["skills", "pack", source.path()]).expect(0);
    assert!(home.path("hello-1.0.0.tar").is_file());
    let printed = home.run(&["skills", "keygen", "mine.pem"]).expect(0).stdout;
    assert!(printed.contains("[skills.trusted_keys.NAME]\npublic_key = \"MCowBQYDK2VwAyEA"), "{printed}");
}

#[test]
fn no_grant_lets_a_guest_write_what_decides_which_code_runs() {
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    install(&home, &[Source::hello().path()]).expect(0);
    home.guest("filler", "[permissions]\nfs = [{ root = \"/work\", access = \"read-write\" }]\n");
    let installed = placed(&home, "acme_hello@1.0.0");
    for folder in [home.path("data/packages"), installed] {
        let mount = format!("{}:/work:rw", folder.display());
        let ran = home.run(&["grant", "add", "tests/filler", "--fs", &mount]).expect(2);
        assert!(ran.stderr.contains("packages"), "{}", ran.stderr);
    }
    // The data lies elsewhere, so that nothing but the configuration and the lock is in the way.
    let data = tempfile::tempdir().unwrap();
    let mount = format!("{}:/work:rw", home.path("").display());
    let grant = ["--data-dir", data.path().to_str().unwrap(), "grant", "add", "tests/filler", "--fs", &mount];
    fs::remove_dir_all(home.path("data")).unwrap();
    fs::rename(home.path("skills"), data.path().join("skills")).unwrap();
    let settings = format!("[skills]\ndirectories = [\"{}\"]\n", data.path().join("skills").display());
    fs::write(home.path("bailiwick.toml"), settings).unwrap();
    let ran = home.run(&grant).expect(2);
    assert!(ran.stderr.contains("bailiwick."), "{}", ran.stderr);
}
