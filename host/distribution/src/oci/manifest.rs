//! Manifests of packages and of their signatures.

use std::collections::BTreeMap;

use bailiwick_domain::digest::Digest;
use serde::{Deserialize, Serialize};

/// The media type of an image manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a skill calls itself.
pub(super) const SKILL_TYPE: &str = "application/vnd.bailiwick.skill.v1";

/// The component, as tools for WebAssembly in registries know it.
pub(super) const COMPONENT_TYPE: &str = "application/wasm";

/// The other files of the package.
pub(super) const FILES_TYPE: &str = "application/vnd.bailiwick.skill.files.v1.tar";

/// A configuration that says nothing, as the image specification wants it for artifacts.
pub(super) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
pub(super) const EMPTY: &[u8] = b"{}";

/// The configuration of an image, which cosign gives to signatures.
pub(super) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// What is signed.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

/// Where the signature stands.
pub(super) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// Where the path of the component within the package stands.
pub(super) const TITLE: &str = "org.opencontainers.image.title";

/// Bytes of a manifest: a package's has one, and some room for annotations.
pub(super) const MAX_MANIFEST: u64 = 64 << 10;

/// An image manifest. What else stands in it concerns others, as its specification says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) artifact_type: Option<String>,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

/// What a manifest says of a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Descriptor {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) annotations: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn new(artifact_type: Option<&str>, config: Descriptor, layers: Vec<Descriptor>) -> Self {
        Self {
            schema_version: 2,
            media_type: Some(MANIFEST_TYPE.to_owned()),
            artifact_type: artifact_type.map(str::to_owned),
            config,
            layers,
            annotations: BTreeMap::new(),
        }
    }

    /// Reads a manifest, of whichever artifact.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if manifest.schema_version != 2 {
            return Err(format!("its `schemaVersion` is {}: expected 2", manifest.schema_version));
        }
        match manifest.media_type.as_deref() {
            None | Some(MANIFEST_TYPE) => Ok(manifest),
            Some(other) => Err(format!("its `mediaType` is `{other}`: expected `{MANIFEST_TYPE}`")),
        }
    }

    /// The layers of a skill: its component, where it has one, and its other files.
    pub(super) fn skill(&self) -> Result<(Option<&Descriptor>, &Descriptor), String> {
        match self.artifact_type.as_deref() {
            Some(SKILL_TYPE) => {}
            Some(other) => return Err(format!("its `artifactType` is `{other}`: expected `{SKILL_TYPE}`")),
            None => return Err(format!("it has no `artifactType`: expected `{SKILL_TYPE}`")),
        }
        let (mut component, mut files) = (None, None);
        for layer in &self.layers {
            let place = match layer.media_type.as_str() {
                COMPONENT_TYPE => &mut component,
                FILES_TYPE => &mut files,
                other => return Err(format!("it has a layer of the type `{other}`, which no skill has")),
            };
            if place.replace(layer).is_some() {
                return Err(format!("it has two layers of the type `{}`: expected one", layer.media_type));
            }
        }
        files.map(|files| (component, files)).ok_or_else(|| format!("it has no layer of the type `{FILES_TYPE}`"))
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Its keys are text, so that it can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
        }
    }

    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        self.annotations.insert(key.to_owned(), value.to_owned());
        self
    }
}

/// The tag under which cosign puts the signatures of a manifest.
pub(super) fn signature_tag(digest: &Digest) -> String {
    format!("sha256-{}.sig", digest.hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill() -> Manifest {
        let layers = vec![Descriptor::of(COMPONENT_TYPE, b"c").with(TITLE, "a.wasm"), Descriptor::of(FILES_TYPE, b"f")];
        Manifest::new(Some(SKILL_TYPE), Descriptor::of(EMPTY_TYPE, EMPTY), layers)
    }

    #[test]
    fn a_skill_reads_back_as_it_was_written() {
        let read = Manifest::read(&skill().to_bytes()).expect("a manifest");
        let (component, files) = read.skill().expect("a skill");
        assert_eq!(component.map(|it| it.digest), Some(Digest::of(b"c")));
        assert_eq!(files.digest, Digest::of(b"f"));
    }

    #[test]
    fn what_is_no_skill_says_why() {
        let text = String::from_utf8(skill().to_bytes()).expect("text");
        for (from, to, expected) in [
            ("\"schemaVersion\":2", "\"schemaVersion\":1", "`schemaVersion` is 1"),
            (MANIFEST_TYPE, "application/vnd.oci.image.index.v1+json", "`mediaType` is"),
            (SKILL_TYPE, "application/vnd.example", "`artifactType` is `application/vnd.example`"),
            ("\"artifactType\"", "\"artifact\"", "no `artifactType`"),
            (COMPONENT_TYPE, "text/plain", "a layer of the type `text/plain`"),
            (COMPONENT_TYPE, FILES_TYPE, "two layers"),
            (FILES_TYPE, COMPONENT_TYPE, "two layers"),
            ("\"sha256:", "\"sha512:", "is not a digest"),
            ("\"size\":1", "\"size\":-1", "invalid value"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from}");
            let read = Manifest::read(changed.as_bytes()).and_then(|it| it.skill().map(drop));
            let error = read.expect_err(from);
            assert!(error.contains(expected), "{from}: {error}");
        }
    }
}
