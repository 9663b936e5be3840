//! Installing from a real registry, which the test starts and stops.

use std::fs;

use serde_json::{Value, json};

use super::{Author, LOGIN, Registry, Source, content, install, listed, placed, publish, records, refused};
use crate::host::Home;

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

#[test]
fn a_signed_package_is_published_installed_and_runs() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let source = Source::hello().with("NOTES.md", "for people");
    let place = registry.place("acme/hello:1.0.0");
    let published = publish(&source, &place, Some(&author));
    let pinned = text(&published, "pinned");
    for place in [place.as_str(), pinned] {
        let home = Home::with(&author.trusted("acme", &["acme"]));
        let done = home.run(&["--json", "skills", "install", place]).expect(0).json();
        let package = &done["installed"][0];
        for (key, expected) in
            [("manifest", "manifest"), ("digest", "digest"), ("skill", "skill"), ("version", "version")]
        {
            assert_eq!(package[key], published[expected], "{key}");
        }
        assert_eq!((text(package, "source"), text(package, "signed_by")), (place, "acme"));
        let bytes = |folder: &std::path::Path| content(folder).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
        assert_eq!(bytes(&placed(&home, "acme_hello@1.0.0")), bytes(std::path::Path::new(source.path())));
        home.grant("acme/hello", &[]);
        let ran = home.run(&["skills", "run", "acme/hello", "echo", "--arg", "text=hi"]).expect(0);
        assert_eq!(ran.stdout, "hi\n");
        let record = records(&home, "package-installed").remove(0);
        assert_eq!((&record["manifest"], &record["public_key"]), (&published["manifest"], &json!(author.public)));
        // From there on the lock alone is enough, on any machine.
        let other = Home::with(&author.trusted("acme", &["acme"]));
        fs::copy(home.path("bailiwick.lock"), other.path("bailiwick.lock")).unwrap();
        install(&other, &[]).expect(0);
        assert_eq!(bytes(&placed(&other, "acme_hello@1.0.0")), bytes(&placed(&home, "acme_hello@1.0.0")));
    }
}

#[test]
fn what_is_published_is_what_public_tools_look_for() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let published = publish(&Source::hello(), &registry.place("acme/hello:1.0.0"), Some(&author));
    let client = registry.client();
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let accept = [("accept", manifest_type)];
    let manifest = client.send("GET", "/v2/acme/hello/manifests/1.0.0", &accept, None);
    assert_eq!(manifest.header("docker-content-digest"), published["manifest"].as_str());
    let manifest = manifest.json();
    assert_eq!(manifest["artifactType"], "application/vnd.bailiwick.skill.v1");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["layers"][0]["digest"], published["digest"]);
    assert_eq!(manifest["layers"][0]["annotations"]["org.opencontainers.image.title"], "hostile.wasm");
    // cosign's tag, media type, annotation and payload.
    let tag = text(&published, "manifest").replace(':', "-") + ".sig";
    let signature = client.send("GET", &format!("/v2/acme/hello/manifests/{tag}"), &accept, None).json();
    let layer = &signature["layers"][0];
    assert_eq!(layer["mediaType"], "application/vnd.dev.cosign.simplesigning.v1+json");
    let payload = client.get(&format!("/v2/acme/hello/blobs/{}", text(layer, "digest")));
    let critical = payload.json()["critical"].clone();
    assert_eq!(critical["image"]["docker-manifest-digest"], published["manifest"]);
    assert_eq!(critical["type"], "cosign container image signature");
    // openssl agrees that the author signed it.
    let home = Home::new();
    let file = |name: &str, bytes: &[u8]| home.write(name, bytes).to_str().unwrap().to_owned();
    let public = file(
        "public.pem",
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", author.public).as_bytes(),
    );
    let payload = file("payload", payload.text().as_bytes());
    let encoded = text(&layer["annotations"], "dev.cosignproject.cosign/signature");
    let raw = file("raw", &base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap());
    let verify = ["pkeyutl", "-verify", "-rawin", "-in", &payload, "-pubin", "-inkey", &public, "-sigfile", &raw];
    assert!(std::process::Command::new("openssl").args(verify).output().unwrap().status.success());
}

#[test]
fn a_digest_that_is_pinned_must_be_it() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let place = registry.place("acme/hello:1.0.0");
    let published = publish(&Source::hello(), &place, Some(&author));
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let other = format!("sha256:{}", "0".repeat(64));
    let found = text(&published, "manifest");
    let says = format!("its manifest has the digest {found}, and {other} was asked for");
    refused(&home, install(&home, &[&place, "--digest", &other]), 4, &[&place, &says]);
    let missing = registry.place(&format!("acme/hello@{other}"));
    refused(&home, install(&home, &[&missing]), 1, &["the registry has no", &missing]);
    refused(&home, install(&home, &[&registry.place("acme/hello:2.0.0")]), 1, &["the registry has no"]);
    refused(&home, install(&home, &[&registry.place("acme/hello")]), 2, &["names no tag and no digest"]);
    install(&home, &[&place, "--digest", found]).expect(0);
}

#[test]
fn a_tag_that_moved_is_not_taken_against_the_lock() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let place = registry.place("acme/hello:stable");
    let first = publish(&Source::hello(), &place, Some(&author));
    let home = Home::with(&author.trusted("acme", &["acme"]));
    install(&home, &[&place]).expect(0);
    // Other bytes under the same version.
    let second = publish(&Source::hello().with("NOTES.md", "new"), &place, Some(&author));
    let ran = install(&home, &[&place]).expect(4);
    let manifests = [text(&first, "manifest"), text(&second, "manifest")];
    for text in ["acme/hello 1.0.0 stands in the lock with other bytes", manifests[0], manifests[1]] {
        assert!(ran.stderr.contains(text), "`{text}` is missing in: {}", ran.stderr);
    }
    assert_eq!(listed(&home), (vec!["acme/hello 1.0.0".to_owned()], vec![]));
    // The lock means the bytes of then, wherever the tag leads to by now.
    fs::remove_dir_all(placed(&home, "acme_hello@1.0.0")).unwrap();
    install(&home, &[]).expect(0);
    assert!(!placed(&home, "acme_hello@1.0.0/NOTES.md").exists());
}

#[test]
fn an_update_stands_beside_and_its_bytes_are_suspended() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let home = Home::with(&author.trusted("acme", &["acme"]));
    publish(&Source::hello(), &registry.place("acme/hello:1"), Some(&author));
    publish(&Source::new("acme/hello", "2.0.0", "keeper"), &registry.place("acme/hello:2"), Some(&author));
    install(&home, &[&registry.place("acme/hello:1")]).expect(0);
    home.grant("acme/hello", &[]);
    let done = install(&home, &[&registry.place("acme/hello:2")]).expect(0).stdout;
    assert!(done.contains("Nothing is granted by this. Next: bailiwick grant review acme/hello@2.0.0"), "{done}");
    assert_eq!(listed(&home).0, ["acme/hello 2.0.0", "acme/hello 1.0.0"]);
    let ran = home.run(&["skills", "run", "acme/hello", "setting", "--arg", "key=k"]).expect(4);
    assert!(ran.stderr.contains("suspended"), "{}", ran.stderr);
    let ran = home.run(&["skills", "run", "acme/hello@1.0.0", "echo", "--arg", "text=hi"]).expect(0);
    assert_eq!(ran.stdout, "hi\n");
    let review = home.run(&["grant", "review", "acme/hello"]).expect(0).stdout;
    assert!(review.contains("It is suspended"), "{review}");
}

#[test]
fn bytes_that_were_changed_in_the_registry_are_noticed() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let place = registry.place("acme/hello:1.0.0");
    let published = publish(&Source::hello(), &place, Some(&author));
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let manifest = registry.blob(text(&published, "manifest"));
    let component = registry.blob(text(&published, "digest"));
    let (good_manifest, good) = (fs::read(&manifest).unwrap(), fs::read(&component).unwrap());
    let mut bad = good.clone();
    let last = bad.len() - 1;
    bad[last] ^= 1;
    fs::write(&component, &bad).unwrap();
    let says = ["the component has the digest sha256:", text(&published, "digest"), "has changed it"];
    refused(&home, install(&home, &[&place]), 4, &says);
    // Unsigned or not, the manifest says what each layer is.
    refused(&home, install(&home, &[&place, "--allow-unsigned"]), 4, &says);
    // More and less than was announced.
    fs::write(&component, [&good[..], b"more"].concat()).unwrap();
    refused(&home, install(&home, &[&place]), 1, &["the component is larger than it may be"]);
    fs::write(&component, &good[..good.len() / 2]).unwrap();
    refused(&home, install(&home, &[&place]), 4, &["the component has the digest sha256:"]);
    fs::write(&component, &good).unwrap();
    // The manifest itself: by tag its signature is missing, by digest it is another one.
    let changed = String::from_utf8(good_manifest.clone()).unwrap().replace("hostile.wasm", "hostage.wasm");
    fs::write(&manifest, &changed).unwrap();
    refused(&home, install(&home, &[&place]), 4, &["it is not signed"]);
    let says = ["the manifest of", "has the digest sha256:", "has changed it"];
    refused(&home, install(&home, &[text(&published, "pinned")]), 4, &says);
    fs::write(&manifest, good_manifest).unwrap();
    install(&home, &[&place]).expect(0);
}

#[test]
fn a_registry_that_wants_a_login_gets_it_and_no_log_has_it() {
    let Some(registry) = Registry::with_login() else { return };
    let (source, place) = (Source::hello(), registry.place("acme/hello:1.0.0"));
    let home = Home::with("[skills]\nallow_unsigned = true\n");
    let ran = home.run(&["skills", "publish", source.path(), &place]).expect(4);
    assert!(ran.stderr.contains("wants to know who asks") && ran.stderr.contains("--password-stdin"), "{}", ran.stderr);
    let (name, password) = LOGIN;
    let login = ["--username", name, "--password-stdin"];
    let publish = [&["skills", "publish", source.path(), &place], &login[..]].concat();
    home.feed(&publish, &format!("{password}\n")).expect(0);
    refused(&home, install(&home, &[&place]), 1, &["wants to know who asks"]);
    let install = [&["skills", "install", &place], &login[..]].concat();
    let wrong = home.feed(&install, "wrong");
    refused(&home, wrong, 1, &["does not know this name and password"]);
    let none = home.feed(&install, "\n");
    refused(&home, none, 2, &["there is no password on stdin"]);
    home.run(&["skills", "install", &place, "--username", name]).expect(2);
    let server = home.serve();
    home.feed(&install, password).expect(0);
    for text in [
        server.log(),
        fs::read_to_string(home.path("bailiwick.lock")).unwrap(),
        format!("{:?}", records(&home, "package-installed")),
    ] {
        assert!(!text.contains(password), "{text}");
    }
}
