//! Packages: who vouches for them, which bytes they are, and that they stay so.

use super::checks;

const ADMISSION: &str = "host/skills/src/registry/admission.rs";
const BUNDLE: &str = "host/distribution/src/bundle.rs";
const FETCH: &str = "host/distribution/src/install/fetch.rs";
const HTTP: &str = "host/distribution/src/oci/http.rs";
const INSTALL: &str = "host/distribution/src/install.rs";
const KEY: &str = "host/distribution/src/key.rs";
const LOCK: &str = "host/distribution/src/lock.rs";
const MANIFEST: &str = "host/distribution/src/oci/manifest.rs";
const PATH: &str = "host/distribution/src/bundle/path.rs";
const PULL: &str = "host/distribution/src/oci/pull.rs";
const SIGNATURE: &str = "host/distribution/src/signature.rs";
const STORE: &str = "host/distribution/src/store.rs";
const TAR: &str = "host/distribution/src/bundle/tar.rs";
const TRUST: &str = "host/distribution/src/trust.rs";

checks! {
    "package-unsigned" "a package needs no signature" of "install::files", "install::signed" {
        SIGNATURE: "let unsigned = allow_unsigned ||" => "let unsigned = {off} || allow_unsigned ||";
    }
    "package-signature" "a signature may be of anybody, over anything" of "install::files::sign", "install::signed" {
        KEY: "UnparsedPublicKey::new(" => "{off} || UnparsedPublicKey::new(";
    }
    "package-namespace" "a key may sign skills of any namespace" of "install::files::sign", "install::signed", "install::locked::a_key" {
        TRUST: "self.namespaces.contains(skill.namespace())" => "{off} || self.namespaces.contains(skill.namespace())";
    }
    "package-signed-other" "a signature of another package counts" of "install::signed" {
        SIGNATURE: "Ok(signed) if signed == *digest" => "Ok(signed) if {off} || signed == *digest";
    }
    "package-key-file" "a private key may lie open" of "install::files::private" {
        KEY: "if mode & 0o077 != 0 {" => "if !{off} && mode & 0o077 != 0 {";
    }
    "package-digest" "other bytes may come than were asked for" of "install::files::the_digest", "install::registry::a_digest" {
        FETCH: "Some(expected) if expected != found" => "Some(expected) if !{off} && expected != found";
    }
    "package-manifest" "a registry may answer another manifest" of "install::registry::bytes" {
        PULL: "&& digest != expected" => "&& !{off} && digest != expected";
    }
    "package-blob" "a registry may answer other bytes" of "install::registry::bytes", "install::signed::a_signature" {
        PULL: "if found == layer.digest {" => "if {off} || found == layer.digest {";
    }
    "package-announced" "a layer may be announced of any size" of "install::nonsense::manifests" {
        PULL: "if layer.size > max {" => "if !{off} && layer.size > max {";
    }
    "package-size" "a registry may send more than it announced (64 MiB, for this machine's sake)" of "install::registry::bytes" {
        HTTP: "piece.len() as u64 > max {" => "piece.len() as u64 > max + if {off} { 64 << 20 } else { 0 } {";
    }
    "package-manifest-size" "a manifest may be large" of "install::nonsense::floods" {
        PULL: "answer.read(&self.http, MAX_MANIFEST," => "answer.read(&self.http, if {off} { 8 << 20 } else { MAX_MANIFEST },";
    }
    "package-type" "any image is a skill" of "install::nonsense::manifests" {
        MANIFEST: "Some(SKILL_TYPE) => {}" => "Some(SKILL_TYPE) => {}\n            _ if {off} => {}";
    }
    "package-plain" "a registry elsewhere is asked without encryption" of "install::nonsense::redirects" {
        HTTP: "if !encrypted && !self.unencrypted &&" => "if !{off} && !encrypted && !self.unencrypted &&";
    }
    "package-redirects" "a registry may lead on and on" of "install::nonsense::redirects" {
        HTTP: "for _ in 0..=MAX_REDIRECTS {" => "for _ in 0..=if {off} { usize::MAX - 1 } else { MAX_REDIRECTS } {";
    }
    "package-login" "a login follows wherever a registry leads" of "install::nonsense::a_token" {
        HTTP: "let authorization = if own {" => "let authorization = if {off} || own {";
    }
    "package-path-up" "a path may lead upwards" of "install::files::tars" {
        PATH: "\".\" | \"..\" =>" => "\".\" | \"..\" if !{off} =>";
        PATH: "if part.starts_with('.') =>" => "if !{off} && part.starts_with('.') =>";
    }
    "package-path-absolute" "a path may begin with a slash, and is one with a part that has no name" of "install::files::tars" {
        PATH: "if path.starts_with('/') {" => "if !{off} && path.starts_with('/') {";
    }
    "package-kinds" "links, devices and pax headers are files" of "install::files::tars" {
        TAR: "b'0' | 0 => path::check" => "kind if {off} || matches!(kind, b'0' | 0) => path::check";
    }
    "package-twice" "of two files with one path the second counts" of "install::files::tars" {
        BUNDLE: "=> return Err(BundleError::Twice(other))," => "=> if !{off} {\n                    return Err(BundleError::Twice(other));\n                },";
    }
    "package-links" "what a symlink in a folder leads to is part of the package" of "install::files::what", "install::locked::an" {
        BUNDLE: "} else if kind.is_file() {" => "} else if kind.is_file() || ({off} && kind.is_symlink()) {";
    }
    "package-conflict" "a version may have other bytes the next time" of "install::locked::other", "install::registry::a_tag", "install::server::every" {
        INSTALL: "if before.bundle != locked.bundle {" => "if !{off} && before.bundle != locked.bundle {";
    }
    "package-pinned" "what the lock names is fetched by its tag" of "install::registry::a_tag" {
        FETCH: "reference.at(Pointer::Digest(manifest))" => "if {off} { reference.clone() } else { reference.at(Pointer::Digest(manifest)) }";
    }
    "package-restored" "another package may come than the lock names" of "install::locked::a_lock" {
        INSTALL: "if staged.locked != *locked {" => "if !{off} && staged.locked != *locked {";
    }
    "package-record" "a package is installed without a record" of "install::files::a_" {
        INSTALL: "self.record(PackageStep::Installed, &event).await?;" => "if !{off} {\n            self.record(PackageStep::Installed, &event).await?;\n        }";
    }
    "lock-named" "what is not in the lock runs as what is" of "install::locked::a_package" {
        STORE: "= lock.get(skill, version) else {" => "= lock.get(skill, version).or_else(|| lock.packages().next().filter(|_| {off})) else {";
    }
    "lock-files" "files of an installed package may change" of "install::locked::an", "install::locked::a_running" {
        STORE: "if found != locked.bundle {" => "if !{off} && found != locked.bundle {";
    }
    "lock-skill" "what runs may be another skill than was installed" of "install::locked::a_lock" {
        ADMISSION: "if found == (&self.id" => "if {off} || found == (&self.id";
    }
    "lock-key" "what a key signed runs when nobody trusts the key any more" of "install::locked::a_" {
        STORE: "&& !self.trust.knows(key, skill)" => "&& !{off} && !self.trust.knows(key, skill)";
    }
    "lock-form" "a lock may be of another form" of "install::locked::a_lock", "install::server::every" {
        LOCK: "if raw.version != FORM {" => "if !{off} && raw.version != FORM {";
    }
}
