//! The limits of a grant, in the words of a manifest.

use std::num::{NonZeroU32, NonZeroU64};

use bailiwick_domain::limits::LimitsRequest;
use serde::{Deserialize, Serialize};

use super::{Size, Span};

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLimits {
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_elements: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instances: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fuel: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_calls: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skill_calls: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_calls: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_tokens: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_requests: Option<NonZeroU64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_sent: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_received: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    random: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<NonZeroU32>,
}

impl RawLimits {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<RawLimits> for LimitsRequest {
    fn from(raw: RawLimits) -> Self {
        Self {
            memory_bytes: raw.memory.map(|size| size.0),
            table_elements: raw.table_elements.map(NonZeroU64::get),
            instances: raw.instances.map(NonZeroU64::get),
            deadline: raw.deadline.map(|span| span.0),
            fuel: raw.fuel.map(NonZeroU64::get),
            host_calls: raw.host_calls.map(NonZeroU64::get),
            input_bytes: raw.input.map(|size| size.0),
            output_bytes: raw.output.map(|size| size.0),
            skill_calls: raw.skill_calls.map(NonZeroU64::get),
            model_calls: raw.model_calls.map(NonZeroU64::get),
            model_tokens: raw.model_tokens.map(NonZeroU64::get),
            http_requests: raw.http_requests.map(NonZeroU64::get),
            http_sent_bytes: raw.http_sent.map(|size| size.0),
            http_received_bytes: raw.http_received.map(|size| size.0),
            log_bytes: raw.log.map(|size| size.0),
            random_bytes: raw.random.map(|size| size.0),
            concurrency: raw.concurrency.map(NonZeroU32::get),
        }
    }
}

impl From<&LimitsRequest> for RawLimits {
    fn from(limits: &LimitsRequest) -> Self {
        Self {
            memory: limits.memory_bytes.map(Size),
            table_elements: limits.table_elements.and_then(NonZeroU64::new),
            instances: limits.instances.and_then(NonZeroU64::new),
            deadline: limits.deadline.map(Span),
            fuel: limits.fuel.and_then(NonZeroU64::new),
            host_calls: limits.host_calls.and_then(NonZeroU64::new),
            input: limits.input_bytes.map(Size),
            output: limits.output_bytes.map(Size),
            skill_calls: limits.skill_calls.and_then(NonZeroU64::new),
            model_calls: limits.model_calls.and_then(NonZeroU64::new),
            model_tokens: limits.model_tokens.and_then(NonZeroU64::new),
            http_requests: limits.http_requests.and_then(NonZeroU64::new),
            http_sent: limits.http_sent_bytes.map(Size),
            http_received: limits.http_received_bytes.map(Size),
            log: limits.log_bytes.map(Size),
            random: limits.random_bytes.map(Size),
            concurrency: limits.concurrency.and_then(NonZeroU32::new),
        }
    }
}
