//! What people allow: grants.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Every grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "grants": [] })))]
pub struct Grants {
    /// By skill and digest. Each has the keys of a file of grants, with its
    /// `fingerprint`, and its `problem` where it can't be given effect.
    #[schema(value_type = Vec<Object>)]
    pub grants: Vec<Value>,
}

/// Which grants are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GrantQuery {
    /// Only the grant for these bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")]
    pub digest: Option<String>,
}

/// Which bytes were looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a" })))]
pub struct AcceptRequest {
    /// The digest of the new bytes, as the review showed it.
    pub digest: String,
}

/// A file of grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({ "toml": "version = 1\n" })))]
pub struct GrantFile {
    /// Its text.
    pub toml: String,
}
