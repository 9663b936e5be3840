//! Every problem that a client can meet: one table, which `docs/clients/errors.md` repeats.

/// A kind of problem. Its code never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The stable name; `type` is `urn:bailiwick:problem:` and this.
    pub code: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What it is, the same for every occurrence.
    pub title: &'static str,
    /// What the client can do.
    pub advice: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $status:literal $code:literal, $title:literal, $advice:literal;)*) => {
        impl Kind {
            $(
                #[doc = concat!("`", $code, "`: ", $title, ".")]
                pub const $name: Self = Self { code: $code, status: $status, title: $title, advice: $advice };
            )*

            /// The whole table, in the order of statuses.
            pub const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}

kinds! {
    INVALID_JSON = 400 "invalid-json", "The body is not JSON",
        "Correct the JSON at the line and column that `detail` names.";
    INVALID_REQUEST = 400 "invalid-request", "The body is not a request that this route knows",
        "Correct the members that `errors` names.";
    INVALID_QUERY = 400 "invalid-query", "The query is not one that this route knows",
        "Correct the part behind `?`; keys that are unknown are errors.";
    INVALID_PATH = 400 "invalid-path", "The path names no skill",
        "Use `/v1/skills/{namespace}/{name}`, percent-encoded UTF-8.";
    INVALID_VERSION = 400 "invalid-version", "The version is not one, nor a range",
        "Use a version such as `1.2.3` or a range such as `^1.2`, in one place only.";
    INVALID_HEADER = 400 "invalid-header", "A header has a value that it can't have",
        "Correct the header that `detail` names.";
    INCOMPLETE_BODY = 400 "incomplete-body", "The body ended too early",
        "Send as many bytes as announced.";
    UNAUTHENTICATED = 401 "unauthenticated", "An API key is needed",
        "Send `Authorization: Bearer` and a key that is good now.";
    FORBIDDEN_SCOPE = 403 "forbidden-scope", "The API key is not good for this",
        "Use a key that has the scope that `detail` names.";
    WRONG_ORIGIN = 403 "wrong-origin", "Pages of this origin may not call this host",
        "The operator lists the origin, or the page is served from this host.";
    NOT_GRANTED = 403 "not-granted", "The skill was granted nothing",
        "A person grants the skill what it asks for.";
    GRANT_SUSPENDED = 403 "grant-suspended", "The skill has changed since it was granted",
        "A person looks at the difference and grants the new bytes.";
    GRANT_EXPIRED = 403 "grant-expired", "The grant of the skill is over",
        "A person grants it anew.";
    GRANT_REVOKED = 403 "grant-revoked", "The grant was taken back during the call",
        "Find out whether the call took effect; a person grants the skill anew.";
    GRANT_INVALID = 403 "grant-invalid", "The grant of the skill can't be used",
        "The operator corrects the grant; the log says what is wrong with it.";
    GRANT_USED_UP = 403 "grant-used-up", "The grant of the skill was for one call",
        "A person grants it anew.";
    APPROVAL_REQUIRED = 403 "approval-required", "A person has to approve this call",
        "A person answers the approval that `approval` names; then send the same request again, or send it with `Prefer: wait=60` and wait.";
    APPROVAL_DENIED = 403 "approval-denied", "A person denied this call",
        "Don't send it again; `detail` may say why.";
    PACKAGE_REFUSED = 403 "package-refused", "The package may not be installed here",
        "Read `detail`: its author signs it, or the operator trusts the key or says that it may be unsigned.";
    UNKNOWN_ROUTE = 404 "unknown-route", "There is no such route",
        "See `/openapi.json` for those that there are.";
    UNKNOWN_SKILL = 404 "unknown-skill", "There is no such skill",
        "See `GET /v1/skills` for those that there are.";
    UNKNOWN_VERSION = 404 "unknown-version", "No release of the skill fits",
        "See `versions` of `GET /v1/skills/{namespace}/{name}`.";
    UNKNOWN_TOOL = 404 "unknown-tool", "The skill has no such tool",
        "See `tools` of `GET /v1/skills/{namespace}/{name}`.";
    NO_TOOLS = 404 "no-tools", "The skill has no tools",
        "It is a prompt: read `instructions` of `GET /v1/skills/{namespace}/{name}`.";
    UNKNOWN_GRANT = 404 "unknown-grant", "There is no such grant",
        "See `GET /v1/grants` for those that there are.";
    UNKNOWN_APPROVAL = 404 "unknown-approval", "There is no such approval",
        "See `GET /v1/approvals` for those that there are.";
    UNKNOWN_PACKAGE = 404 "unknown-package", "There is no such installed package",
        "See `GET /v1/packages` for those that there are.";
    UNKNOWN_PROMPT = 404 "unknown-prompt", "The skill has no such prompt",
        "See `GET /v1/skills/{namespace}/{name}/prompts` for those that there are.";
    UNKNOWN_RESOURCE = 404 "unknown-resource", "The skill has no such resource",
        "See `GET /v1/skills/{namespace}/{name}/resources` for those that there are.";
    UNKNOWN_RUN = 404 "unknown-run", "There is no such run",
        "See `GET /v1/agents/runs` for those that there are.";
    UNKNOWN_AGENT = 404 "unknown-agent", "There is no such agent",
        "See `GET /v1/agents` for those that there are.";
    METHOD_NOT_ALLOWED = 405 "method-not-allowed", "The route has another method",
        "Use a method that the header `Allow` names.";
    BODY_TIMEOUT = 408 "body-timeout", "The body came too slowly",
        "Send the request again, over a better connection.";
    IDEMPOTENCY_MISMATCH = 409 "idempotency-mismatch", "The idempotency key belongs to another request",
        "Use a new key for a new request.";
    IDEMPOTENCY_IN_PROGRESS = 409 "idempotency-in-progress", "The first request with this idempotency key still runs",
        "Wait as long as `Retry-After` says and send the same request again.";
    IDEMPOTENCY_INTERRUPTED = 409 "idempotency-interrupted", "The first request with this idempotency key was cut off",
        "Find out whether the call took effect, then use a new key.";
    APPROVAL_SETTLED = 409 "approval-settled", "The approval is no longer open",
        "See `GET /v1/approvals/{id}` for how it stands.";
    GRANT_CONFLICT = 409 "grant-conflict", "The grant is for other bytes than the skill has",
        "Look at the difference again, and name the digest that was looked at.";
    PACKAGE_CONFLICT = 409 "package-conflict", "The lock says otherwise",
        "Find out who changed the package; other bytes need another version.";
    ILLEGAL_TRANSITION = 409 "illegal-transition", "That can't happen to the run where it stands",
        "See `status` of `GET /v1/agents/runs/{id}`; `detail` names it and what can't happen.";
    AGENT_IS_A_FILE = 409 "agent-is-a-file", "The agent comes from a file of the host",
        "The operator changes the file, or another name is used.";
    AGENT_PAUSED = 409 "agent-paused", "An agent of the run is paused",
        "Use another agent, or it is resumed; `detail` says who paused it and how it goes on.";
    BODY_TOO_LARGE = 413 "body-too-large", "The body is too large",
        "Send less than the limit that `detail` names.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported-media-type", "The body is not announced as JSON",
        "Send `Content-Type: application/json`, in UTF-8 and without a content coding.";
    WRONG_HOST = 421 "wrong-host", "The request is meant for another host",
        "Use a name of this host, or the operator lists the one that was used.";
    TOOL_NOT_NAMED = 422 "tool-not-named", "The skill has several tools",
        "Put one of those that `detail` names into `tool`.";
    INVALID_GRANT = 422 "invalid-grant", "The grant can't be given",
        "Correct what `detail` names.";
    INVALID_PACKAGE = 422 "invalid-package", "The source holds no package that can be installed",
        "Its author corrects what `detail` names.";
    INVALID_RUN = 422 "invalid-run", "The run can't be taken up as it is asked for",
        "Correct the members that `errors` names.";
    INVALID_AGENT = 422 "invalid-agent", "The definition is not one of an agent",
        "Correct the keys that `errors` names.";
    INVALID_ARGUMENTS = 422 "invalid-arguments", "The arguments don't fit the tool",
        "Correct the arguments that `errors` names; see the tool's `input_schema`.";
    INPUT_TOO_LARGE = 422 "input-too-large", "The arguments are larger than they may be",
        "Send less, or a person grants more.";
    TOOL_FAILED = 422 "tool-failed", "The tool answered with a failure",
        "See `failure`; its form is the tool's `failure_schema`.";
    FUEL_EXHAUSTED = 422 "fuel-exhausted", "The call used up its fuel",
        "Ask for less, or a person grants more.";
    MEMORY_EXHAUSTED = 422 "memory-exhausted", "The call needed more memory than it may have",
        "Ask for less, or a person grants more.";
    LIMIT_EXCEEDED = 422 "limit-exceeded", "The call reached a limit that it can't go beyond",
        "Ask for less, or a person grants more of what `detail` names.";
    OUTPUT_TOO_LARGE = 422 "output-too-large", "The output is larger than it may be",
        "Ask for less, or a person grants more.";
    GUEST_TRAPPED = 422 "guest-trapped", "The skill crashed",
        "Report it to the author of the skill; the host is not affected.";
    GUEST_EXITED = 422 "guest-exited", "The skill ended itself before it answered",
        "Report it to the author of the skill.";
    INVALID_OUTPUT = 422 "invalid-output", "The skill answered what its types or schemas don't allow",
        "Report it to the author of the skill.";
    TOOLS_NOT_LISTED = 422 "tools-not-listed", "The skill did not say what it has",
        "See `detail` for what it said instead; report it to the author of the skill.";
    UPGRADE_REQUIRED = 426 "upgrade-required", "The route speaks WebSocket alone",
        "Ask for an upgrade to a WebSocket of version 13, over HTTP/1.1.";
    BUSY = 429 "busy", "Too many calls at once",
        "Wait as long as `Retry-After` says and try again.";
    RUN_QUEUE_FULL = 429 "run-queue-full", "As many runs wait as may",
        "Wait as long as `Retry-After` says and try again; `size` runs wait, and `capacity` may.";
    TOO_MANY_APPROVALS = 429 "too-many-approvals", "Too many calls wait for approval",
        "Somebody answers some of them first.";
    TOO_MANY_ATTEMPTS = 429 "too-many-attempts", "Too many bad API keys",
        "Wait as long as `Retry-After` says, then use a good key.";
    HOST_FAILURE = 500 "host-failure", "The host failed",
        "Give `instance` to the operator, who finds the reason in the log.";
    RUN_DAMAGED = 500 "run-damaged", "The record of the run is not as it was written",
        "The operator looks at the record, from the event on that `detail` names; nothing of the run goes on by itself.";
    SOURCE_UNAVAILABLE = 502 "source-unavailable", "The source gave no package",
        "See whether the path or the registry is there, and what `detail` says it answered.";
    BROKEN_SKILL = 503 "broken-skill", "The package of the skill can't be used",
        "See `broken` of `GET /v1/skills`; its author or the operator corrects it.";
    PREPARING_SKILL = 503 "skill-preparing", "The skill is not compiled yet",
        "Wait as long as `Retry-After` says and try again.";
    SANDBOX_FULL = 503 "sandbox-full", "Every place of the sandbox is taken",
        "Wait as long as `Retry-After` says and try again.";
    MOUNT_FAILED = 503 "mount-failed", "A folder that the skill was granted can't be opened",
        "The operator looks whether the folder is there.";
    GRANTS_UNAVAILABLE = 503 "grants-unavailable", "Grants can't be checked at the moment",
        "The operator looks at the log, which says what is wrong with them.";
    RUNS_DISABLED = 503 "runs-disabled", "This host runs no agents",
        "The operator sets `agents.enabled`, or another host is used.";
    KEYS_UNAVAILABLE = 503 "keys-unavailable", "API keys can't be checked at the moment",
        "The operator corrects the key file.";
    LOCK_UNAVAILABLE = 503 "lock-unavailable", "The lock of packages can't be used",
        "The operator corrects the file that `detail` names.";
    TOO_MANY_SOCKETS = 503 "too-many-sockets", "As many WebSockets are open as may be",
        "Wait as long as `Retry-After` says and try again.";
    NOT_READY = 503 "not-ready", "The host doesn't take calls yet, or no longer",
        "Wait and try again.";
    DEADLINE_EXCEEDED = 504 "deadline-exceeded", "The call was ended at its deadline",
        "Ask for less or for a later deadline, or a person grants more time.";
}

impl Kind {
    /// The kind that has this code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code == code)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_in_the_order_of_statuses() {
        let codes: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.code).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        assert!(Kind::ALL.is_sorted_by_key(|kind| kind.status));
    }

    #[test]
    fn the_page_for_clients_has_the_same_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/clients/errors.md");
        let page = std::fs::read_to_string(path).expect("the page is there");
        let (_, table) = page.split_once("## All kinds").expect("the page has the section");
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
        for (index, kind) in Kind::ALL.iter().enumerate() {
            let row = format!("| `{}` | {} | {} | {} |", kind.code, kind.status, kind.title, kind.advice);
            assert_eq!(rows.get(index), Some(&row.as_str()), "row {index}");
        }
        assert_eq!(rows.len(), Kind::ALL.len(), "the page has rows of no kind");
    }
}
