//! From the wire to the domain and back.

use std::time::Duration;

use bailiwick_domain::authority::{Access, FsRequest, HttpDeny, HttpRule};
use bailiwick_domain::invocation::{Invocation, Principal};
use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::manifest::{Kind, Permissions};
use bailiwick_domain::quota::{QuotaRequest, StateRequest};
use bailiwick_domain::receipt::{Denial, Receipt};
use bailiwick_domain::sandbox::Output;
use bailiwick_domain::trace::TraceContext;
use bailiwick_domain::usage::Usage;
use bailiwick_skills::catalog::Catalog;
use bailiwick_skills::execute::Execution;
use bailiwick_skills::observe::{Observed, ObservedCall};
use bailiwick_skills::skill::{Skill, Tool};
use bailiwick_wire as wire;
use bailiwick_wire::execute::{ExecuteRequest, ExecuteResponse};
use bailiwick_wire::skill::{SkillDetail, SkillSummary, ToolDetail};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::extract::SkillPath;
use crate::page;
use crate::problem::Failure;
use crate::time;

/// The call that a request asks for.
pub(crate) fn invocation(
    path: SkillPath,
    request: ExecuteRequest,
    principal: Principal,
    (trace, trace_state): (TraceContext, Option<String>),
    idempotency_key: Option<String>,
    approval_wait: Duration,
) -> Result<Invocation, Failure> {
    if request.deadline_ms == Some(0) {
        return Err(Failure::invalid_member("/deadline_ms", "0 is no time; expected at least 1"));
    }
    Ok(Invocation {
        skill: path.select(request.version.as_deref())?,
        tool: request.tool,
        arguments: Value::Object(request.arguments),
        principal,
        trace,
        trace_state,
        deadline: request.deadline_ms.map(Duration::from_millis),
        idempotency_key,
        approval_wait,
        caller: None,
        run: None,
    })
}

/// What a call answered: its output, or its failure as a problem.
pub(crate) fn answer(execution: Execution) -> Result<ExecuteResponse, Failure> {
    let receipt = &execution.receipt;
    let raw =
        |text: String| RawValue::from_string(text).map_err(|error| Failure::host_failure(&receipt.trace_id, &error));
    match execution.output {
        Output::Success(text) => Ok(ExecuteResponse {
            skill: receipt.skill.to_string(),
            version: receipt.version.to_string(),
            digest: receipt.digest.to_string(),
            tool: receipt.tool.clone(),
            output: raw(text)?,
            usage: usage(&receipt.usage),
            receipt: wire_receipt(receipt),
            replayed: execution.replayed,
        }),
        Output::Failure(text) => Err(Failure::tool_failed(receipt, raw(text)?, execution.replayed)),
    }
}

/// What was observed.
pub(crate) fn observed(observed: Observed, trace: &TraceContext) -> Result<wire::observe::Observed, Failure> {
    let manifest = &observed.skill.manifest;
    Ok(wire::observe::Observed {
        skill: manifest.id.to_string(),
        version: manifest.version.to_string(),
        digest: observed.skill.digest.to_string(),
        calls: observed.calls.into_iter().map(|call| observed_call(call, trace)).collect::<Result<_, _>>()?,
        touched: observed.touched,
        missing: observed.missing,
        unneeded: observed.unneeded,
        notes: observed.notes,
        permissions: observed.permissions,
        grant: observed.grant,
    })
}

fn observed_call(call: ObservedCall, trace: &TraceContext) -> Result<wire::observe::ObservedCall, Failure> {
    let raw = |text: String| {
        RawValue::from_string(text).map_err(|error| Failure::host_failure(&trace.trace_id_hex(), &error))
    };
    let (output, failure, problem) = match call.result {
        Ok(Output::Success(text)) => (Some(raw(text)?), None, None),
        Ok(Output::Failure(text)) => (None, Some(raw(text)?), None),
        Err(problem) => (None, None, Some(problem)),
    };
    Ok(wire::observe::ObservedCall {
        tool: call.tool,
        outcome: call.outcome.to_owned(),
        output,
        failure,
        problem,
        denials: call.denials.iter().map(denial).collect(),
        usage: usage(&call.usage),
        log: call.log,
    })
}

/// The record of a call, without what was allowed: that names folders of the host.
pub(crate) fn wire_receipt(receipt: &Receipt) -> wire::receipt::Receipt {
    wire::receipt::Receipt {
        id: receipt.id.clone(),
        started_at: time::format_millis(receipt.started_at),
        caller: receipt.caller.clone(),
        run: receipt.run.clone(),
        trace_id: receipt.trace_id.clone(),
        arguments: receipt.arguments.to_string(),
        outcome: receipt.outcome.to_owned(),
        denials: receipt.denials.iter().map(denial).collect(),
    }
}

fn denial(denial: &Denial) -> wire::receipt::Denial {
    wire::receipt::Denial {
        capability: denial.capability.to_owned(),
        request: denial.request.clone(),
        reason: denial.reason.clone(),
    }
}

/// What a call cost.
pub(crate) fn usage(usage: &Usage) -> wire::receipt::Usage {
    wire::receipt::Usage {
        wall_us: u64::try_from(usage.wall.as_micros()).unwrap_or(u64::MAX),
        fuel: usage.fuel,
        memory_bytes: usage.memory_bytes,
        table_elements: usage.table_elements,
        host_calls: usage.host_calls,
        input_bytes: usage.input_bytes,
        output_bytes: usage.output_bytes,
        skill_calls: usage.skill_calls,
        model_calls: usage.model_calls,
        model_input_tokens: usage.model_input_tokens,
        model_output_tokens: usage.model_output_tokens,
        model_usd: usage.model_usd.dollars(),
        http_requests: usage.http_requests,
        http_sent_bytes: usage.http_sent_bytes,
        http_received_bytes: usage.http_received_bytes,
        fs_written_bytes: usage.fs_written_bytes,
        fs_made_files: usage.fs_made_files,
        log_bytes: usage.log_bytes,
        random_bytes: usage.random_bytes,
    }
}

/// How much there is to call.
pub(crate) fn readiness(catalog: &Catalog) -> wire::health::Readiness {
    let newest = page::newest(catalog);
    wire::health::Readiness {
        skills: newest.len(),
        releases: catalog.list().count(),
        tools: newest.values().map(|skill| skill.tools.len()).sum(),
        broken: catalog.broken().len(),
        generation: catalog.generation(),
    }
}

/// A release in short.
pub(crate) fn summary(skill: &Skill) -> SkillSummary {
    SkillSummary {
        id: skill.manifest.id.to_string(),
        version: skill.manifest.version.to_string(),
        kind: kind(skill.manifest.kind),
        description: skill.instructions.as_ref().map(|text| text.description.clone()),
        tools: skill.tools.iter().map(|tool| tool.name.clone()).collect(),
    }
}

/// All that is known of a release, which is one of `catalog`.
pub(crate) fn detail(catalog: &Catalog, skill: &Skill) -> SkillDetail {
    let (manifest, instructions) = (&skill.manifest, skill.instructions.as_ref());
    let versions = catalog.releases(&manifest.id).iter().map(|release| release.manifest.version.to_string());
    SkillDetail {
        id: manifest.id.to_string(),
        version: manifest.version.to_string(),
        kind: kind(manifest.kind),
        versions: versions.collect(),
        digest: skill.digest.to_string(),
        size_bytes: skill.inspection.as_ref().map(|inspection| inspection.size),
        description: instructions.map(|text| text.description.clone()),
        license: instructions.and_then(|text| text.license.clone()),
        compatibility: instructions.and_then(|text| text.compatibility.clone()),
        allowed_tools: instructions.map(|text| text.allowed_tools.clone()).unwrap_or_default(),
        instructions: instructions.map(|text| text.body.clone()),
        tools: skill.tools.iter().map(tool).collect(),
        imports: skill.inspection.as_ref().map(|inspection| inspection.imports.clone()).unwrap_or_default(),
        permissions: permissions(&manifest.permissions),
        limits: limits(&manifest.limits),
        risk_tags: manifest.risk_tags.iter().cloned().collect(),
        model_preferences: manifest.model_preferences.clone(),
        warnings: skill.warnings.clone(),
    }
}

/// A tool with its schemas.
pub(crate) fn tool(tool: &Tool) -> ToolDetail {
    ToolDetail {
        name: tool.name.clone(),
        description: Some(tool.description.clone()).filter(|text| !text.is_empty()),
        input_schema: Value::clone(&tool.input_schema),
        output_schema: Value::clone(&tool.output_schema),
        failure_schema: tool.failure_schema.as_deref().cloned(),
        risk_tags: tool.risk_tags.iter().cloned().collect(),
        idempotent: tool.idempotent,
    }
}

pub(crate) const fn kind(kind: Kind) -> wire::skill::Kind {
    match kind {
        Kind::Tool => wire::skill::Kind::Tool,
        Kind::Prompt => wire::skill::Kind::Prompt,
        Kind::Workflow => wire::skill::Kind::Workflow,
    }
}

fn permissions(asked: &Permissions) -> wire::permission::Permissions {
    wire::permission::Permissions {
        fs: asked.fs.iter().map(fs).collect(),
        http: asked.http.iter().map(http).collect(),
        http_deny: asked.http_deny.iter().map(http_deny).collect(),
        workspace: asked.workspace.map(quota),
        state: asked.state.map(state),
        config: asked.config.iter().cloned().collect(),
        secrets: asked.secrets.iter().cloned().collect(),
        skills: asked.skills.iter().map(ToString::to_string).collect(),
        models: asked.models.clone(),
        shell: asked.shell.iter().map(|rule| rule.words().to_vec()).collect(),
    }
}

fn fs(asked: &FsRequest) -> wire::permission::FsPermission {
    let access = match asked.access {
        Access::Read => wire::permission::FsAccess::Read,
        Access::ReadWrite => wire::permission::FsAccess::ReadWrite,
    };
    let QuotaRequest { max_bytes, max_files } = asked.quota;
    wire::permission::FsPermission { root: asked.root.to_string(), access, max_bytes, max_files }
}

const fn quota(QuotaRequest { max_bytes, max_files }: QuotaRequest) -> wire::permission::QuotaRequest {
    wire::permission::QuotaRequest { max_bytes, max_files }
}

const fn state(StateRequest { max_bytes, max_keys }: StateRequest) -> wire::permission::StateRequest {
    wire::permission::StateRequest { max_bytes, max_keys }
}

fn http(rule: &HttpRule) -> wire::permission::HttpPermission {
    wire::permission::HttpPermission {
        host: rule.host.to_string(),
        schemes: rule.schemes.iter().map(ToString::to_string).collect(),
        ports: rule.ports.clone(),
        methods: rule.methods.clone(),
        paths: rule.paths.iter().map(ToString::to_string).collect(),
    }
}

fn http_deny(rule: &HttpDeny) -> wire::permission::HttpDenial {
    wire::permission::HttpDenial {
        host: rule.host.to_string(),
        schemes: rule.schemes.iter().map(ToString::to_string).collect(),
        ports: rule.ports.clone(),
        methods: rule.methods.clone(),
        paths: rule.paths.iter().map(ToString::to_string).collect(),
    }
}

fn limits(asked: &LimitsRequest) -> wire::permission::LimitsRequest {
    wire::permission::LimitsRequest {
        memory_bytes: asked.memory_bytes,
        table_elements: asked.table_elements,
        instances: asked.instances,
        deadline_ms: asked.deadline.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)),
        fuel: asked.fuel,
        host_calls: asked.host_calls,
        input_bytes: asked.input_bytes,
        output_bytes: asked.output_bytes,
        skill_calls: asked.skill_calls,
        model_calls: asked.model_calls,
        model_tokens: asked.model_tokens,
        http_requests: asked.http_requests,
        http_sent_bytes: asked.http_sent_bytes,
        http_received_bytes: asked.http_received_bytes,
        log_bytes: asked.log_bytes,
        random_bytes: asked.random_bytes,
        concurrency: asked.concurrency,
    }
}
