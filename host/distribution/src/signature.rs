//! Signatures in the formats of sigstore's `cosign`, so that its tools check them too.
//!
//! For a file, `NAME.sig` holds a signature over the file's bytes. In a registry,
//! what is signed is a small document, the "simple signing" payload, that names
//! the digest of the manifest.

use bailiwick_domain::digest::Digest;
use bailiwick_domain::skill_id::SkillId;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::key::{PublicKey, Signature};
use crate::trust::{Signer, Trust, TrustedKey};

/// What the payload calls itself.
const PAYLOAD_TYPE: &str = "cosign container image signature";

/// Bytes of a payload; cosign's own have some 250.
pub const MAX_PAYLOAD: u64 = 16 << 10;

/// Signatures of one package that are looked at: one for each of many maintainers.
pub const MAX_SIGNATURES: usize = 32;

/// The signatures of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// Payloads, each with its signature.
    pub readable: Vec<(Vec<u8>, Signature)>,
    /// How many there are of other kinds, such as of keys that are not ed25519.
    pub others: usize,
}

/// What was found beside a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed<'t> {
    /// No signature at all.
    No,
    /// Signatures, and none of them by a key of the operator's over these bytes.
    ByOthers(usize),
    /// These keys did.
    By(Vec<&'t TrustedKey>),
}

/// Why nobody vouches for a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// It has no signature.
    #[error(
        "it is not signed, and this host takes no unsigned packages: have its author sign it, or look at it and say `--allow-unsigned`"
    )]
    Unsigned,
    /// It has signatures of others.
    #[error(
        "none of its {0} signatures was made by a key that this host trusts: put its author's key into `skills.trusted_keys`, or look at the package and say `--allow-unsigned`"
    )]
    Unknown(usize),
    /// A trusted key signed something else than this.
    #[error(
        "the trusted key `{key}` signed the manifest {other} and not this one: the signature was copied from another package"
    )]
    OtherManifest {
        /// The key.
        key: String,
        /// What it signed.
        other: Digest,
    },
    /// A trusted key signed what is not understood.
    #[error("the trusted key `{key}` signed a payload that can't be read: {problem}")]
    Payload {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Only keys of other namespaces signed it.
    #[error(
        "the trusted key `{key}` signed it, and may sign only skills of {scope}: `{skill}` needs a key that has its namespace among `namespaces`"
    )]
    Namespace {
        /// The key.
        key: String,
        /// What it may sign.
        scope: String,
        /// The skill.
        skill: SkillId,
    },
}

/// The payload, member by member. cosign writes no more than these.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    critical: Critical,
    #[serde(default, skip_serializing)]
    #[expect(dead_code, reason = "whatever an author adds here, nothing follows from it")]
    optional: Option<IgnoredAny>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    /// Where the author put it. Mirrors have other names, and the digest says it all.
    #[serde(rename = "docker-reference")]
    reference: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

/// The payload for the manifest with `digest`, which `reference` names.
pub fn payload(reference: &str, digest: &Digest) -> Vec<u8> {
    let critical = Critical {
        identity: Identity { reference: reference.to_owned() },
        image: Image { digest: digest.to_string() },
        kind: PAYLOAD_TYPE.to_owned(),
    };
    // Text alone, which can always be written.
    serde_json::to_vec(&Payload { critical, optional: None }).unwrap_or_default()
}

/// The digest that a payload names.
pub fn signed_digest(payload: &[u8]) -> Result<Digest, String> {
    let payload: Payload = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
    if payload.critical.kind != PAYLOAD_TYPE {
        return Err(format!("its type is `{}`: expected `{PAYLOAD_TYPE}`", payload.critical.kind));
    }
    payload.critical.image.digest.parse().map_err(|error: bailiwick_domain::digest::InvalidDigest| error.to_string())
}

impl Trust {
    /// Who signed `bytes`, of the signature that lies beside them.
    pub fn of_file(&self, bytes: &[u8], signature: Option<&Signature>) -> Signed<'_> {
        let Some(signature) = signature else { return Signed::No };
        match self.signers(bytes, signature) {
            keys if keys.is_empty() => Signed::ByOthers(1),
            keys => Signed::By(keys),
        }
    }

    /// Who signed the manifest with `digest`, of payloads with their signatures.
    ///
    /// # Errors
    ///
    /// When a trusted key signed, and something else.
    pub fn of_manifest(&self, digest: &Digest, signatures: &Signatures) -> Result<Signed<'_>, Untrusted> {
        let (mut by, mut amiss) = (Vec::new(), None);
        for (payload, signature) in &signatures.readable {
            for key in self.signers(payload, signature) {
                match signed_digest(payload) {
                    Ok(signed) if signed == *digest => by.push(key),
                    Ok(other) => amiss = Some(Untrusted::OtherManifest { key: key.name.clone(), other }),
                    Err(problem) => amiss = Some(Untrusted::Payload { key: key.name.clone(), problem }),
                }
            }
        }
        match (by.is_empty(), amiss, signatures.readable.len() + signatures.others) {
            (false, _, _) => Ok(Signed::By(by)),
            (true, Some(amiss), _) => Err(amiss),
            (true, None, 0) => Ok(Signed::No),
            (true, None, count) => Ok(Signed::ByOthers(count)),
        }
    }

    /// Whether what was found is enough to go on, before it is known which skill it is.
    pub fn admits(&self, signed: &Signed<'_>, allow_unsigned: bool) -> Result<(), Untrusted> {
        let unsigned = allow_unsigned || self.allow_unsigned;
        match signed {
            Signed::By(_) => Ok(()),
            Signed::No | Signed::ByOthers(_) if unsigned => Ok(()),
            Signed::No => Err(Untrusted::Unsigned),
            Signed::ByOthers(count) => Err(Untrusted::Unknown(*count)),
        }
    }

    /// Who vouches for `skill`. A key that may not sign it is refused even where
    /// unsigned packages are let in: it is a sign that something is wrong.
    pub fn vouch(&self, skill: &SkillId, signed: &Signed<'_>, allow_unsigned: bool) -> Result<Signer, Untrusted> {
        self.admits(signed, allow_unsigned)?;
        let Signed::By(keys) = signed else { return Ok(Signer::Unsigned) };
        if let Some(key) = keys.iter().find(|key| key.covers(skill)) {
            Ok(Signer::Key { name: key.name.clone(), key: key.key })
        } else {
            let (key, scope) = keys.first().map(|key| (key.name.clone(), key.scope())).unwrap_or_default();
            Err(Untrusted::Namespace { key, scope, skill: skill.clone() })
        }
    }

    /// Whether `key` is one that may sign `skill`, now.
    pub fn knows(&self, key: &PublicKey, skill: &SkillId) -> bool {
        self.keys.iter().any(|trusted| trusted.key == *key && trusted.covers(skill))
    }

    fn signers(&self, bytes: &[u8], signature: &Signature) -> Vec<&TrustedKey> {
        self.keys.iter().filter(|trusted| trusted.key.verifies(bytes, signature)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::key::PrivateKey;

    struct Author {
        _folder: tempfile::TempDir,
        key: PrivateKey,
    }

    fn author() -> Author {
        let folder = tempfile::tempdir().expect("a folder");
        let key = PrivateKey::generate(&folder.path().join("key")).expect("a key");
        Author { _folder: folder, key }
    }

    fn trust(keys: &[(&str, &Author, &[&str])]) -> Trust {
        let key = |(name, author, namespaces): &(&str, &Author, &[&str])| TrustedKey {
            name: (*name).to_owned(),
            key: author.key.public(),
            namespaces: namespaces.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>(),
        };
        Trust { keys: keys.iter().map(key).collect(), allow_unsigned: false }
    }

    fn skill(id: &str) -> SkillId {
        id.parse().expect("an id")
    }

    #[test]
    fn a_payload_is_byte_for_byte_as_cosign_writes_it() {
        let digest = Digest::of(b"manifest");
        let text = format!(
            "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"r.example/a/b\"}},\"image\":{{\"docker-manifest-digest\":\"{digest}\"}},\"type\":\"cosign container image signature\"}}}}"
        );
        assert_eq!(String::from_utf8(payload("r.example/a/b", &digest)).expect("text"), text);
        // Its own ends with this.
        let cosigns = text.strip_suffix('}').map(|text| format!("{text},\"optional\":null}}")).expect("an object");
        assert_eq!(signed_digest(cosigns.as_bytes()), Ok(digest));
        let with = text.strip_suffix('}').map(|text| format!("{text},\"optional\":{{\"creator\":\"x\"}}}}"));
        assert_eq!(signed_digest(with.expect("an object").as_bytes()), Ok(digest));
    }

    #[test]
    fn a_payload_that_says_something_else_is_refused() {
        let good = String::from_utf8(payload("r/a", &Digest::of(b"m"))).expect("text");
        for (from, to, expected) in [
            ("cosign container image signature", "atomic container signature", "its type is"),
            ("\"critical\":", "\"extra\":1,\"critical\":", "unknown field `extra`"),
            ("\"image\":{", "\"image\":{\"x\":1,", "unknown field `x`"),
            ("sha256:", "md5:", "is not a digest"),
            ("docker-manifest-digest", "digest", "unknown field `digest`"),
        ] {
            let error = signed_digest(good.replace(from, to).as_bytes()).expect_err(from);
            assert!(error.contains(expected), "{from}: {error}");
        }
        assert!(signed_digest(b"").is_err());
    }

    #[test]
    fn only_a_trusted_key_of_the_namespace_vouches() {
        let (ours, theirs, stranger) = (author(), author(), author());
        let trust = trust(&[("ours", &ours, &["acme"]), ("theirs", &theirs, &["other"])]);
        let id = skill("acme/a");
        let by = |author: &Author| Some(author.key.sign(b"tar"));
        let vouch = |signature: Option<Signature>, allow: bool| {
            trust.vouch(&id, &trust.of_file(b"tar", signature.as_ref()), allow)
        };
        assert_eq!(vouch(by(&ours), false), Ok(Signer::Key { name: "ours".to_owned(), key: ours.key.public() }));
        assert_eq!(vouch(None, false), Err(Untrusted::Unsigned));
        assert_eq!(vouch(by(&stranger), false), Err(Untrusted::Unknown(1)));
        for allow in [false, true] {
            assert!(matches!(vouch(by(&theirs), allow), Err(Untrusted::Namespace { .. })));
        }
        assert_eq!(vouch(None, true), Ok(Signer::Unsigned));
        assert_eq!(vouch(by(&stranger), true), Ok(Signer::Unsigned));
        // A signature over other bytes is no signature.
        assert_eq!(trust.of_file(b"tbr", by(&ours).as_ref()), Signed::ByOthers(1));
        assert!(trust.knows(&ours.key.public(), &id) && !trust.knows(&theirs.key.public(), &id));
    }

    #[test]
    fn a_signature_of_another_manifest_is_never_taken() {
        let (ours, stranger) = (author(), author());
        let trust = trust(&[("ours", &ours, &["acme"])]);
        let (this, other) = (Digest::of(b"this"), Digest::of(b"other"));
        let signed = |author: &Author, digest: &Digest| {
            let payload = payload("r/a", digest);
            let signature = author.key.sign(&payload);
            (payload, signature)
        };
        let found =
            |readable: Vec<(Vec<u8>, Signature)>, others| trust.of_manifest(&this, &Signatures { readable, others });
        assert!(matches!(found(vec![signed(&ours, &this)], 0), Ok(Signed::By(_))));
        let copied = Untrusted::OtherManifest { key: "ours".to_owned(), other };
        assert_eq!(found(vec![signed(&ours, &other)], 0), Err(copied));
        // One that is right is enough, whatever lies beside it.
        assert!(matches!(found(vec![signed(&ours, &other), signed(&ours, &this)], 0), Ok(Signed::By(_))));
        assert_eq!(found(vec![signed(&stranger, &this)], 2), Ok(Signed::ByOthers(3)));
        assert_eq!(found(vec![], 0), Ok(Signed::No));
        // A payload that was changed after it was signed.
        let (mut payload, signature) = signed(&ours, &other);
        let end = payload.len() - 1;
        payload[end] = b' ';
        assert_eq!(found(vec![(payload, signature)], 0), Ok(Signed::ByOthers(1)));
        let garbage = b"garbage".to_vec();
        let signature = ours.key.sign(&garbage);
        assert!(matches!(found(vec![(garbage, signature)], 0), Err(Untrusted::Payload { .. })));
    }
}
