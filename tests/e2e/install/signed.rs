//! Signatures in a registry, and keys that don't count.

use super::{Author, Registry, Source, install, listed, publish, records, refused};
use crate::host::Home;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Puts the signatures of one published package beside another.
fn copy_signature(registry: &Registry, from: &serde_json::Value, to: &serde_json::Value) {
    let client = registry.client();
    let path = |published: &serde_json::Value| {
        let digest = published["manifest"].as_str().unwrap().replace(':', "-");
        format!("/v2/acme/hello/manifests/{digest}.sig")
    };
    let manifest = client.send("GET", &path(from), &[("accept", MANIFEST)], None);
    let put = client.send("PUT", &path(to), &[("content-type", MANIFEST)], Some(manifest.text().as_bytes()));
    assert_eq!(put.status, 201, "{}", put.text());
}

#[test]
fn an_unsigned_package_is_refused_unless_the_operator_says_so() {
    let Some(registry) = Registry::start() else { return };
    let place = registry.place("acme/hello:1.0.0");
    publish(&Source::hello(), &place, None);
    let home = Home::with(&Author::new().trusted("acme", &["acme"]));
    let says = [
        &format!("`{place}` is refused: it is not signed, and this host takes no unsigned packages"),
        "--allow-unsigned",
    ];
    refused(&home, install(&home, &[&place]), 4, &says);
    let record = records(&home, "package-refused").remove(0);
    assert_eq!(record["source"], place);
    assert!(record["reason"].as_str().unwrap().contains("it is not signed"), "{record}");
    let done = install(&home, &[&place, "--allow-unsigned"]).expect(0).stdout;
    assert!(done.contains("unsigned: nobody vouches for it"), "{done}");
    assert!(std::fs::read_to_string(home.path("bailiwick.lock")).unwrap().contains("\nunsigned = true\n"));
    let told = Home::with("[skills]\nallow_unsigned = true\n");
    install(&told, &[&place]).expect(0);
}

#[test]
fn only_a_trusted_key_of_the_namespace_counts() {
    let Some(registry) = Registry::start() else { return };
    let (author, stranger) = (Author::new(), Author::new());
    let place = registry.place("acme/hello:1.0.0");
    publish(&Source::hello(), &place, Some(&stranger));
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let says = ["none of its 1 signatures was made by a key that this host trusts", "skills.trusted_keys"];
    refused(&home, install(&home, &[&place]), 4, &says);
    let home = Home::with(&stranger.trusted("other", &["other"]));
    let says = ["the trusted key `other` signed it, and may sign only skills of `other`: `acme/hello` needs a key"];
    refused(&home, install(&home, &[&place]), 4, &says);
    refused(&home, install(&home, &[&place, "--allow-unsigned"]), 4, &says);
    let home = Home::with(&stranger.trusted("acme", &["acme"]));
    install(&home, &[&place]).expect(0);
}

#[test]
fn a_signature_that_was_copied_from_another_package_is_none() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let good = publish(&Source::hello(), &registry.place("acme/hello:good"), Some(&author));
    let evil = publish(&Source::new("acme/hello", "1.0.1", "keeper"), &registry.place("acme/hello:evil"), None);
    copy_signature(&registry, &good, &evil);
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let signed =
        format!("the trusted key `acme` signed the manifest {} and not this one", good["manifest"].as_str().unwrap());
    let says = [signed.as_str(), "the signature was copied from another package"];
    refused(&home, install(&home, &[&registry.place("acme/hello:evil")]), 4, &says);
    // It is a sign that something is wrong, whatever else is let in.
    refused(&home, install(&home, &[&registry.place("acme/hello:evil"), "--allow-unsigned"]), 4, &says);
    install(&home, &[&registry.place("acme/hello:good")]).expect(0);
    assert_eq!(listed(&home).0, ["acme/hello 1.0.0"]);
}

#[test]
fn a_signature_or_its_payload_that_was_changed_is_none() {
    let Some(registry) = Registry::start() else { return };
    let author = Author::new();
    let place = registry.place("acme/hello:1.0.0");
    let published = publish(&Source::hello(), &place, Some(&author));
    let home = Home::with(&author.trusted("acme", &["acme"]));
    let client = registry.client();
    let path = format!("/v2/acme/hello/manifests/{}.sig", published["manifest"].as_str().unwrap().replace(':', "-"));
    let good = client.send("GET", &path, &[("accept", MANIFEST)], None).json();
    let put = |manifest: &serde_json::Value| {
        let put = client.send("PUT", &path, &[("content-type", MANIFEST)], Some(manifest.to_string().as_bytes()));
        assert_eq!(put.status, 201, "{}", put.text());
    };
    let annotation = "dev.cosignproject.cosign/signature";
    let signature = good["layers"][0]["annotations"][annotation].as_str().unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    for changed in [format!("{first}{}", &signature[1..]), "AAAA".to_owned(), String::new()] {
        let mut bad = good.clone();
        bad["layers"][0]["annotations"][annotation] = changed.into();
        put(&bad);
        refused(&home, install(&home, &[&place]), 4, &["none of its 1 signatures was made by a key"]);
    }
    // A good one beside bad ones is enough.
    let mut both = good.clone();
    let mut bad = good["layers"][0].clone();
    bad["annotations"][annotation] = "AAAA".into();
    both["layers"].as_array_mut().unwrap().insert(0, bad);
    put(&both);
    install(&home, &[&place]).expect(0);
    // The payload is held against its digest like everything else.
    put(&good);
    let payload = registry.blob(good["layers"][0]["digest"].as_str().unwrap());
    let text = std::fs::read_to_string(&payload).unwrap();
    std::fs::write(&payload, text.replace("cosign container", "cosigm container")).unwrap();
    let other = Home::with(&author.trusted("acme", &["acme"]));
    refused(&other, install(&other, &[&place]), 4, &["the payload of a signature has the digest sha256:"]);
}
