//! Finding records.

use bailiwick_journal::{Entry, JournalError};
use serde_json::Value;

use super::Audit;

/// Records that one question looks at, so that none keeps the host busy for long.
const MAX_SCANNED: u64 = 20_000;

/// Records that are read at once.
const PAGE: usize = 1000;

/// Which records are wanted. Whatever is left out does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// `call`, `refusal`, `permit`, `grant-given` and so on.
    pub kind: Option<String>,
    /// The skill's id.
    pub skill: Option<String>,
    /// Who asked.
    pub principal: Option<String>,
    /// The trace, 32 hex digits.
    pub trace_id: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Not before this moment: RFC 3339 in UTC.
    pub since: Option<String>,
    /// Before this moment.
    pub until: Option<String>,
}

/// Some of the records that were asked for.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// In the order of the chain.
    pub entries: Vec<Entry>,
    /// Where to go on; nothing where the chain was seen to its end. A page can be
    /// empty and yet not the last one.
    pub next: Option<u64>,
}

impl AuditQuery {
    fn matches(&self, record: &Value) -> bool {
        let is = |key: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| record.get(key).and_then(Value::as_str) == Some(wanted))
        };
        // Moments of one form and zone sort as their texts do.
        let at = record.get("at").and_then(Value::as_str).unwrap_or_default();
        is("kind", &self.kind)
            && is("skill", &self.skill)
            && is("principal", &self.principal)
            && is("trace_id", &self.trace_id)
            && is("outcome", &self.outcome)
            && self.since.as_deref().is_none_or(|since| at >= since)
            && self.until.as_deref().is_none_or(|until| at < until)
    }
}

impl Audit {
    /// Up to `limit` records behind the place `after` that `query` wants.
    pub fn query(&self, query: &AuditQuery, after: u64, limit: usize) -> Result<AuditPage, JournalError> {
        let (mut entries, mut place) = (Vec::new(), after);
        while place - after < MAX_SCANNED {
            let read = self.chain(place, PAGE)?;
            let last = read.len() < PAGE;
            for entry in read {
                place = entry.link.seq;
                let record = serde_json::from_str(&entry.record).unwrap_or_default();
                if query.matches(&record) {
                    entries.push(entry);
                    if entries.len() == limit {
                        return Ok(AuditPage { entries, next: Some(place) });
                    }
                }
            }
            if last {
                return Ok(AuditPage { entries, next: None });
            }
        }
        Ok(AuditPage { entries, next: Some(place) })
    }
}
