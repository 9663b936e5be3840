//! From a registry to a bundle.

use bailiwick_domain::digest::Digest;
use http::{Method, StatusCode};

use super::http::{Ask, Target};
use super::manifest::{
    Descriptor, MANIFEST_TYPE, MAX_MANIFEST, Manifest, PAYLOAD_TYPE, SIGNATURE, TITLE, signature_tag,
};
use super::{OciError, Repository};
use crate::bundle::{Bundle, MAX_BYTES, MAX_TAR_BYTES};
use crate::key::Signature;
use crate::signature::{MAX_PAYLOAD, MAX_SIGNATURES, Signatures};
use crate::source::Pointer;

/// A package that a registry has.
#[derive(Debug)]
pub struct Found {
    /// The digest of its manifest, which names the digests of all the rest.
    pub digest: Digest,
    manifest: Manifest,
}

impl Repository {
    /// The manifest that the reference means. It is a skill's, and has the digest
    /// that the reference names, where it names one.
    pub async fn find(&self) -> Result<Found, OciError> {
        let what = format!("`{}`", self.reference);
        let bytes = self.patiently("for a manifest", self.manifest(&self.reference.version, &what)).await?;
        let digest = Digest::of(&bytes);
        if let Pointer::Digest(expected) = self.reference.version
            && digest != expected
        {
            return Err(OciError::Digest { what: format!("the manifest of {what}"), expected, found: digest });
        }
        let manifest = Manifest::read(&bytes).map_err(|problem| self.http.nonsense("manifest", problem))?;
        manifest.skill().map_err(|problem| self.not_a_skill(problem))?;
        Ok(Found { digest, manifest })
    }

    /// The signatures of the manifest with `digest`, where cosign puts them.
    pub async fn signatures(&self, digest: &Digest) -> Result<Signatures, OciError> {
        self.patiently("for signatures", self.signatures_of(digest)).await
    }

    /// Fetches the files of the package.
    pub async fn fetch(&self, found: &Found) -> Result<Bundle, OciError> {
        self.patiently("for a package", self.files_of(found)).await
    }

    async fn signatures_of(&self, digest: &Digest) -> Result<Signatures, OciError> {
        let tag = Pointer::Tag(signature_tag(digest));
        let bytes = match self.manifest(&tag, "signatures").await {
            Err(OciError::Missing { .. }) => return Ok(Signatures::default()),
            bytes => bytes?,
        };
        let manifest =
            Manifest::read(&bytes).map_err(|problem| self.http.nonsense("manifest of signatures", problem))?;
        let mut found = Signatures::default();
        if manifest.layers.len() > MAX_SIGNATURES {
            let problem = format!("it has {} layers: expected at most {MAX_SIGNATURES}", manifest.layers.len());
            return Err(self.http.nonsense("manifest of signatures", problem));
        }
        for layer in &manifest.layers {
            let signature = layer.annotations.get(SIGNATURE).and_then(|text| text.parse::<Signature>().ok());
            match signature.filter(|_| layer.media_type == PAYLOAD_TYPE) {
                None => found.others += 1,
                Some(signature) => {
                    found
                        .readable
                        .push((self.blob(layer, MAX_PAYLOAD, "the payload of a signature").await?, signature));
                }
            }
        }
        Ok(found)
    }

    async fn files_of(&self, found: &Found) -> Result<Bundle, OciError> {
        let (component, files) = found.manifest.skill().map_err(|problem| self.not_a_skill(problem))?;
        let wrong = |error| OciError::Bundle { reference: self.reference.to_string(), error };
        let tar = self.blob(files, MAX_TAR_BYTES, "the layer of files").await?;
        let mut all: Vec<(String, Vec<u8>)> = match Bundle::read(&tar) {
            Ok(bundle) => bundle.into_files().collect(),
            Err(error) => return Err(wrong(error)),
        };
        if let Some(layer) = component {
            let path = layer.annotations.get(TITLE);
            let path = path.ok_or_else(|| self.not_a_skill(format!("its component has no `{TITLE}`")))?;
            all.push((path.clone(), self.blob(layer, MAX_BYTES, "the component").await?));
        }
        Bundle::of_files(all).map_err(wrong)
    }

    async fn manifest(&self, version: &Pointer, what: &str) -> Result<Vec<u8>, OciError> {
        let path = self.path(&format!("manifests/{version}"));
        let ask = self.get(&path, what, Some(MANIFEST_TYPE));
        let answer = self.http.expect(&ask, StatusCode::OK).await?;
        match answer.media_type() {
            Some(MANIFEST_TYPE) => answer.read(&self.http, MAX_MANIFEST, &format!("the manifest of {what}")).await,
            other => {
                let problem =
                    format!("its media type is `{}`: expected `{MANIFEST_TYPE}`", shown(other.unwrap_or("none")));
                Err(self.http.nonsense("manifest", problem))
            }
        }
    }

    /// The bytes that `layer` describes, no more and no others.
    async fn blob(&self, layer: &Descriptor, max: u64, what: &str) -> Result<Vec<u8>, OciError> {
        if layer.size > max {
            return Err(OciError::TooLarge { what: what.to_owned(), max });
        }
        let path = self.path(&format!("blobs/{}", layer.digest));
        let answer = self.http.expect(&self.get(&path, what, None), StatusCode::OK).await?;
        let bytes = answer.read(&self.http, layer.size, what).await?;
        let found = Digest::of(&bytes);
        if found == layer.digest {
            return Ok(bytes);
        }
        Err(OciError::Digest { what: what.to_owned(), expected: layer.digest, found })
    }

    fn get<'a>(&self, path: &'a str, what: &str, accept: Option<&'static str>) -> Ask<'a> {
        Ask {
            method: Method::GET,
            target: Target::Path(path),
            what: what.to_owned(),
            accept,
            body: None,
            scope: format!("repository:{}:pull", self.reference.repository),
        }
    }

    fn not_a_skill(&self, problem: String) -> OciError {
        OciError::NotASkill { reference: self.reference.to_string(), problem }
    }
}

/// Text of a registry in a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
