//! From the raw structs to the domain's manifest: the checks that need more than a shape.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use bailiwick_domain::limits::LimitsRequest;
use bailiwick_domain::manifest::{Build, Kind, Language, SkillManifest, ToolOverride};
use bailiwick_domain::units;
use semver::Version;

use super::document::{Document, excerpt};
use super::findings::Findings;
use super::key_path::KeyPath;
use super::names;
use super::permissions;
use super::raw::{KEYS_OF_CALLS, RawBuild, RawKind, RawLanguage, RawLimits, RawManifest, RawTool};

/// The domain's manifest, or `None` with all problems in `findings`.
pub(super) fn validate(
    raw: RawManifest,
    document: &Document,
    allow_shell: bool,
    findings: &mut Findings,
) -> Option<SkillManifest> {
    let mut checker = Checker { document, findings };
    let root = KeyPath::root();
    check_kind(&raw, &mut checker);
    let id = checker.parse(&root.key("skill_id"), &raw.skill_id, str::parse);
    let version = checker.parse(&root.key("version"), &raw.version, parse_version);
    let component = raw.component.map(|path| checker.package_file(&root.key("component"), path, ".wasm"));
    let risk_tags = checker.set(&root.key("risk_tags"), raw.risk_tags, names::tag);
    let model_preferences = checker.list(&root.key("model_preferences"), raw.model_preferences, names::model);
    let tools = validate_tools(raw.tools, &mut checker);
    let permissions = permissions::validate(raw.permissions, allow_shell, &mut checker);
    let limits = validate_limits(&raw.limits, &mut checker);
    let build = raw.build.map(|build| validate_build(build, &mut checker));
    if findings.failed() {
        return None;
    }
    Some(SkillManifest {
        id: id?,
        version: version?,
        kind: kind(raw.kind),
        component,
        tools,
        permissions: permissions?,
        risk_tags,
        idempotent: raw.idempotent,
        limits,
        model_preferences,
        build,
    })
}

/// Gathers what is wrong with single values.
pub(super) struct Checker<'a> {
    document: &'a Document,
    findings: &'a mut Findings,
}

impl Checker<'_> {
    /// Something is wrong with the value at `path`.
    pub(super) fn report(&mut self, path: &KeyPath, message: impl AsRef<str>) {
        if !self.findings.full() {
            self.findings.problem(self.document.problem(path, message));
        }
    }

    /// The value of `text`, or `None` after a report. The domain's errors name
    /// the whole text; a long one is cut here, so that it can't fill a log.
    pub(super) fn parse<T, E: Display>(
        &mut self,
        path: &KeyPath,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let error = match parse(text) {
            Ok(value) => return Some(value),
            Err(error) => error.to_string(),
        };
        let (whole, short) = (format!("`{text}`"), excerpt(text));
        let error = if whole == short { error } else { error.replace(&whole, &short) };
        self.report(path, error);
        None
    }

    /// Reports `text` unless it is as `check` expects.
    fn check<E: Display>(&mut self, path: &KeyPath, text: &str, check: impl FnOnce(&str) -> Result<(), E>) {
        if let Err(expected) = check(text) {
            self.report(path, format!("found {}, {expected}", excerpt(text)));
        }
    }

    /// A list whose entries are as `check` expects.
    pub(super) fn list(
        &mut self,
        path: &KeyPath,
        entries: Vec<String>,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> Vec<String> {
        for (index, entry) in entries.iter().enumerate() {
            self.check(&path.index(index), entry, check);
        }
        entries
    }

    /// The same where the order says nothing; that no entry stands twice is checked with the shape.
    pub(super) fn set(
        &mut self,
        path: &KeyPath,
        entries: Vec<String>,
        check: fn(&str) -> Result<(), &'static str>,
    ) -> BTreeSet<String> {
        self.list(path, entries, check).into_iter().collect()
    }

    fn package_file(&mut self, path: &KeyPath, text: String, extension: &str) -> PathBuf {
        self.check(path, &text, |text| names::package_file(text, extension));
        PathBuf::from(text)
    }
}

const fn kind(raw: RawKind) -> Kind {
    match raw {
        RawKind::Tool => Kind::Tool,
        RawKind::Prompt => Kind::Prompt,
        RawKind::Workflow => Kind::Workflow,
    }
}

/// A component is there exactly where there is something to run, and so is all that speaks of its calls.
fn check_kind(raw: &RawManifest, checker: &mut Checker<'_>) {
    let root = KeyPath::root();
    match (raw.kind, &raw.component) {
        (RawKind::Tool | RawKind::Workflow, None) => {
            let message =
                "found nothing, expected the component's file, such as `skill.wasm`; only a `prompt` has none";
            checker.report(&root.key("component"), message);
        }
        (RawKind::Prompt, Some(component)) => {
            let message =
                format!("found {}, expected no component: a prompt is its SKILL.md alone", excerpt(component));
            checker.report(&root.key("component"), message);
        }
        _ => {}
    }
    if matches!(raw.kind, RawKind::Prompt) {
        if raw.build.is_some() {
            let message = "found `build` for a prompt, expected none: a prompt has no component to build";
            checker.report(&root.key("build"), message);
        }
        for key in KEYS_OF_CALLS {
            if checker.document.root.get(key).is_some() {
                checker.report(
                    &root.key(key),
                    format!("found `{key}` for a prompt, expected none: a prompt makes no calls of its own"),
                );
            }
        }
    }
}

fn parse_version(text: &str) -> Result<Version, String> {
    Version::parse(text)
        .map_err(|error| format!("`{text}` is not a version: expected three numbers, such as `1.2.3` ({error})"))
}

fn validate_tools(raw: BTreeMap<String, RawTool>, checker: &mut Checker<'_>) -> BTreeMap<String, ToolOverride> {
    let mut tools = BTreeMap::new();
    for (name, raw) in raw {
        let path = KeyPath::root().key("tools").key(&name);
        checker.check(&path, &name, names::tool);
        tools.insert(name, validate_tool(raw, &path, checker));
    }
    tools
}

fn validate_tool(raw: RawTool, path: &KeyPath, checker: &mut Checker<'_>) -> ToolOverride {
    let mut schema =
        |key: &str, file: Option<String>| file.map(|file| checker.package_file(&path.key(key), file, ".json"));
    let input_schema = schema("input_schema", raw.input_schema);
    let output_schema = schema("output_schema", raw.output_schema);
    ToolOverride {
        description: raw.description,
        input_schema,
        output_schema,
        risk_tags: raw.risk_tags.map(|tags| checker.set(&path.key("risk_tags"), tags, names::tag)),
        idempotent: raw.idempotent,
    }
}

/// Where no source is named, the build knows the usual one.
fn validate_build(raw: RawBuild, checker: &mut Checker<'_>) -> Build {
    let language = match raw.language {
        RawLanguage::Rust => Language::Rust,
        RawLanguage::Python => Language::Python,
        RawLanguage::JavaScript => Language::JavaScript,
        RawLanguage::C => Language::C,
    };
    let path = KeyPath::root().key("build").key("source");
    let source = raw.source.map(|source| checker.package_file(&path, source, ""));
    Build { language, source }
}

fn validate_limits(raw: &RawLimits, checker: &mut Checker<'_>) -> LimitsRequest {
    let path = KeyPath::root().key("limits");
    let mut size = |key: &str, text: &Option<String>| {
        let text = text.as_ref()?;
        checker.parse(&path.key(key), text, positive_size)
    };
    let memory_bytes = size("memory", &raw.memory);
    let input_bytes = size("input", &raw.input);
    let output_bytes = size("output", &raw.output);
    let http_sent_bytes = size("http_sent", &raw.http_sent);
    let http_received_bytes = size("http_received", &raw.http_received);
    let log_bytes = size("log", &raw.log);
    let random_bytes = size("random", &raw.random);
    let deadline = raw.deadline.as_ref().and_then(|text| checker.parse(&path.key("deadline"), text, positive_duration));
    LimitsRequest {
        memory_bytes,
        table_elements: raw.table_elements.and_then(number),
        instances: raw.instances.and_then(number),
        deadline,
        fuel: raw.fuel.and_then(number),
        host_calls: raw.host_calls.and_then(number),
        input_bytes,
        output_bytes,
        skill_calls: raw.skill_calls.and_then(number),
        model_calls: raw.model_calls.and_then(number),
        model_tokens: raw.model_tokens.and_then(number),
        http_requests: raw.http_requests.and_then(number),
        http_sent_bytes,
        http_received_bytes,
        log_bytes,
        random_bytes,
        concurrency: raw.concurrency.and_then(|calls| u32::try_from(calls).ok()),
    }
}

/// The number of an integer, of which the shape allows none that doesn't fit.
pub(super) fn number(integer: i64) -> Option<u64> {
    u64::try_from(integer).ok()
}

pub(super) fn positive_size(text: &str) -> Result<u64, String> {
    match units::parse_size(text) {
        Ok(0) => Err(format!("`{text}` would leave nothing: expected at least `1 B`")),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(error.to_string()),
    }
}

fn positive_duration(text: &str) -> Result<Duration, String> {
    match units::parse_duration(text) {
        Ok(Duration::ZERO) => Err(format!("`{text}` would leave no time: expected at least `1 ms`")),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}
