//! From a bundle to a registry.

use bailiwick_domain::digest::Digest;
use bytes::Bytes;
use http::{Method, StatusCode, Uri};

use super::http::{Ask, Target};
use super::manifest::{
    COMPONENT_TYPE, CONFIG_TYPE, Descriptor, EMPTY, EMPTY_TYPE, FILES_TYPE, MANIFEST_TYPE, Manifest, PAYLOAD_TYPE,
    SIGNATURE, SKILL_TYPE, TITLE, signature_tag,
};
use super::{OciError, Repository};
use crate::bundle::Bundle;
use crate::key::PrivateKey;
use crate::signature;
use crate::source::Pointer;

/// A package that a registry has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The digest of its manifest, for whoever pins it.
    pub manifest: Digest,
}

impl Repository {
    /// Puts a package into the registry. `component` is the path of its component
    /// within it. With a key, its signature is there before anybody hears of it.
    pub async fn publish(
        &self,
        bundle: Bundle,
        component: Option<&str>,
        key: Option<&PrivateKey>,
    ) -> Result<Pushed, OciError> {
        self.patiently("to take a package", self.push(bundle, component, key)).await
    }

    async fn push(
        &self,
        bundle: Bundle,
        component: Option<&str>,
        key: Option<&PrivateKey>,
    ) -> Result<Pushed, OciError> {
        let (bundle, code) = match component {
            Some(path) => bundle.split(path),
            None => (bundle, None),
        };
        let mut layers = Vec::new();
        if let (Some(code), Some(path)) = (code, component) {
            layers.push(self.push_blob(COMPONENT_TYPE, code).await?.with(TITLE, path));
        }
        layers.push(self.push_blob(FILES_TYPE, bundle.to_tar()).await?);
        let config = self.push_blob(EMPTY_TYPE, EMPTY.to_vec()).await?;
        let manifest = Manifest::new(Some(SKILL_TYPE), config, layers).to_bytes();
        let digest = Digest::of(&manifest);
        if let Some(key) = key {
            self.push_signature(&digest, key).await?;
        }
        self.push_manifest(&self.reference.version, manifest).await?;
        Ok(Pushed { manifest: digest })
    }

    /// The one signature of this author; signatures of others over the same manifest are replaced.
    async fn push_signature(&self, digest: &Digest, key: &PrivateKey) -> Result<(), OciError> {
        let payload = signature::payload(&self.reference.name(), digest);
        let signature = key.sign(&payload).to_string();
        // As cosign makes it, for tools that look at it.
        let config = format!(
            "{{\"architecture\":\"\",\"created\":\"0001-01-01T00:00:00Z\",\"history\":[{{\"created\":\"0001-01-01T00:00:00Z\"}}],\"os\":\"\",\"rootfs\":{{\"type\":\"layers\",\"diff_ids\":[\"{}\"]}},\"config\":{{}}}}",
            Digest::of(&payload)
        );
        let layer = self.push_blob(PAYLOAD_TYPE, payload).await?.with(SIGNATURE, &signature);
        let config = self.push_blob(CONFIG_TYPE, config.into_bytes()).await?;
        let manifest = Manifest::new(None, config, vec![layer]).to_bytes();
        self.push_manifest(&Pointer::Tag(signature_tag(digest)), manifest).await
    }

    async fn push_blob(&self, media_type: &str, bytes: Vec<u8>) -> Result<Descriptor, OciError> {
        let descriptor = Descriptor::of(media_type, &bytes);
        let path = self.path(&format!("blobs/{}", descriptor.digest));
        let there = self.ask(Method::HEAD, Target::Path(&path), "a blob", None);
        if self.http.send(&there).await?.status == StatusCode::OK {
            return Ok(descriptor);
        }
        let begin = self.path("blobs/uploads/");
        let begin = self.ask(Method::POST, Target::Path(&begin), "an upload", None);
        let answer = self.http.expect(&begin, StatusCode::ACCEPTED).await?;
        let place = self.http.place(&answer, "an upload")?;
        let place =
            with_digest(&place, &descriptor.digest).ok_or_else(|| self.http.nonsense("upload", "its place is none"))?;
        if place.authority().map(http::uri::Authority::as_str) != Some(self.http.host()) {
            return Err(self.http.nonsense("upload", "it leads to another host"));
        }
        let body = ("application/octet-stream", Bytes::from(bytes));
        let put = self.ask(Method::PUT, Target::Place(place), "an upload", Some(body));
        self.http.expect(&put, StatusCode::CREATED).await.map(|_| descriptor)
    }

    async fn push_manifest(&self, version: &Pointer, manifest: Vec<u8>) -> Result<(), OciError> {
        let path = self.path(&format!("manifests/{version}"));
        let body = (MANIFEST_TYPE, Bytes::from(manifest));
        let put = self.ask(Method::PUT, Target::Path(&path), "a manifest", Some(body));
        self.http.expect(&put, StatusCode::CREATED).await.map(drop)
    }

    fn ask<'a>(&self, method: Method, target: Target<'a>, what: &str, body: Option<(&'static str, Bytes)>) -> Ask<'a> {
        let scope = format!("repository:{}:pull,push", self.reference.repository);
        Ask { method, target, what: what.to_owned(), accept: None, body, scope }
    }
}

/// Where a blob is put, once its digest is known.
fn with_digest(place: &Uri, digest: &Digest) -> Option<Uri> {
    let join = if place.query().is_some() { '&' } else { '?' };
    format!("{place}{join}digest={digest}").parse().ok()
}
