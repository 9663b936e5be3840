//! What happened: records of the audit chain.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

/// Which records to list. Whatever is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// `call`, `refusal`, `permit`, `grant-given`, `grant-narrowed`, `grant-revoked`,
    /// `grant-used-up`, `observation-begun`, `observation-ended`, `approval-requested`, `approval-given`, `approval-denied`,
    /// `approval-used`, `approval-withdrawn` or `agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The id of the skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "bailiwick/files")]
    pub skill: Option<String>,
    /// Who asked: `key:ci`, `cli:ada`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The trace that it belongs to: 32 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// How it ended: `succeeded`, `failed`, `completed` (an observation), `cancelled`, or
    /// the code of a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Not before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(example = "2026-11-20T00:00:00Z")]
    pub since: Option<String>,
    /// Before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// How many at the most, 1 to 500; 100 where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Some records, in the order of the chain.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "records": [] })))]
pub struct AuditPage {
    /// The records with their hashes.
    pub records: Vec<AuditRecord>,
    /// For `cursor` of the next request. Left out where the chain was seen to its end;
    /// a page with few records or none can have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// One record.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "hash": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "record": { "seq": 1, "prev": "sha256:0000000000000000000000000000000000000000000000000000000000000000" }
})))]
pub struct AuditRecord {
    /// sha256 of the text of `record`, byte for byte.
    pub hash: String,
    /// What happened. `seq` is its place and `prev` the hash of the record before.
    #[schema(value_type = Object)]
    pub record: Box<RawValue>,
}

/// The key that signs checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({ "key": "ed25519:O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik=" })))]
pub struct AuditKey {
    /// `ed25519:` and the public key in base64.
    pub key: String,
}
