//! Packages: what is installed, and installing more.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is to be installed. Without a source, what the lock says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({ "source": "oci://registry.example.com/acme/hello:1.0.0" })))]
pub struct InstallRequest {
    /// A folder or a tar of the host, or `oci://host[:port]/repository:tag`, or `@sha256:…` in
    /// place of the tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What it must be: the digest of the manifest in a registry, else of the bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    pub digest: Option<String>,
    /// Whether it may come without a signature of a trusted key.
    pub allow_unsigned: bool,
    /// Whether a registry on another machine may be asked without encryption.
    pub plain_http: bool,
    /// Who asks the registry, where it wants to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// A name and a password for a registry. They are used for this request, and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "username": "ada", "password": "…" })))]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password, or what the registry takes for one.
    pub password: String,
}

impl fmt::Debug for Credentials {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

/// What is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "packages": [] })))]
pub struct Packages {
    /// By skill and version.
    pub packages: Vec<InstalledPackage>,
}

/// A package that the lock names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "skill": "acme/hello",
    "version": "1.0.0",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "bundle": "sha256:9c5e0cb9f3a5a1b3a7a2d1f2a7f0f8a5a0c9c5c1e8e3f3f1c6e6c6b6a6d6e6f6",
    "source": "oci://registry.example.com/acme/hello:1.0.0",
    "manifest": "sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "signed_by": "acme",
    "public_key": "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
    "intact": true
})))]
pub struct InstalledPackage {
    /// The skill.
    pub skill: String,
    /// Its version.
    pub version: String,
    /// What grants are bound to.
    pub digest: String,
    /// The digest of all its files.
    pub bundle: String,
    /// Where it comes from.
    pub source: String,
    /// The digest of its manifest, where that is a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// The trusted key that signed it. Where there is none, it was let in unsigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// That key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Whether it is there with all its bytes.
    pub intact: bool,
}

/// What an installation did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "installed": [], "unchanged": [], "removed": [] })))]
pub struct Installation {
    /// Packages that were put in place. None was granted anything.
    pub installed: Vec<InstalledPackage>,
    /// Packages that were there before, with the same bytes.
    pub unchanged: Vec<InstalledPackage>,
    /// Packages that were there and not in the lock.
    pub removed: Vec<RemovedPackage>,
}

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "removed": [{ "skill": "acme/hello", "version": "1.0.0" }] })))]
pub struct Removal {
    /// Each version that was there.
    pub removed: Vec<RemovedPackage>,
}

/// One version of a skill that was removed. Its grants stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "skill": "acme/hello", "version": "1.0.0" })))]
pub struct RemovedPackage {
    /// The skill.
    pub skill: String,
    /// Its version.
    pub version: String,
}
