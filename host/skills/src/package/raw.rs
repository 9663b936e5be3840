//! `skill.toml` as it is written, before anything in it has been believed.
//!
//! These structs say once which keys there are, of which type and within which
//! bounds. The published JSON Schema is made from them, and reading goes by that
//! schema, so that both refuse the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, DeserializeOwned};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::document::Document;
use super::findings::Findings;
use super::shape;

/// Most entries of one list or table: ten times what a skill with a reason has.
const MAX_ENTRIES: u64 = 256;

/// Longest string where no other bound is named.
const MAX_TEXT: u64 = 4096;

/// The manifest of a skill: who it is, where its component lies, and what it
/// asks for. Nothing that is asked for is given without a grant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("if" = is_prompt(), "then" = without_calls(), "else" = json!({ "required": ["component"] })))]
pub(super) struct RawManifest {
    /// Who the skill is: `namespace/name`, each 1 to 64 lowercase letters, digits and single hyphens.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub(super) skill_id: String,
    /// Which release it is: a semantic version such as `1.2.3`.
    #[schemars(regex(pattern = SEMVER))]
    pub(super) version: String,
    /// What the skill is.
    pub(super) kind: RawKind,
    /// The component's file inside the package, such as `skill.wasm`; required except for a prompt.
    #[schemars(regex(pattern = r"^([A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*\.wasm$"))]
    pub(super) component: Option<String>,
    /// Whether a call that was cut off may simply be made again; not where absent.
    #[serde(default)]
    pub(super) idempotent: bool,
    /// What the calls risk, such as `destructive`; a grant or an approval must accept each.
    #[serde(default)]
    #[schemars(inner(length(max = 64), regex(pattern = TAG)), extend("uniqueItems" = true))]
    pub(super) risk_tags: Vec<String>,
    /// Models that the skill works best with, best first.
    #[serde(default)]
    #[schemars(inner(length(max = 256), regex(pattern = "^[!-~]+$")), extend("uniqueItems" = true))]
    pub(super) model_preferences: Vec<String>,
    /// What is to be said of single tools, by their name: the exported function's, or `interface.function`.
    #[serde(default)]
    #[schemars(extend("propertyNames" = json!({ "pattern": TOOL_NAME, "maxLength": 256 })))]
    pub(super) tools: BTreeMap<String, RawTool>,
    /// What the skill asks for.
    #[serde(default)]
    pub(super) permissions: RawPermissions,
    /// What one call needs; what is absent is left to the host.
    #[serde(default)]
    pub(super) limits: RawLimits,
    /// How `bailiwick build` makes the component; a host doesn't look at it.
    pub(super) build: Option<RawBuild>,
}

/// What a skill is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawKind {
    /// A component whose exported functions are tools.
    Tool,
    /// Instructions alone, without a component.
    Prompt,
    /// A component that drives other skills.
    Workflow,
}

/// How the component is made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBuild {
    /// The language that the skill is written in.
    pub(super) language: RawLanguage,
    /// The file that the build begins with, inside the package; `Cargo.toml`, `skill.py`, `skill.js` or
    /// `Makefile` where absent, by the language.
    #[schemars(regex(pattern = FILE))]
    pub(super) source: Option<String>,
}

/// A language that skills can be written in.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawLanguage {
    /// Rust, by cargo.
    Rust,
    /// Python, by componentize-py.
    Python,
    /// JavaScript or TypeScript, by componentize-js.
    JavaScript,
    /// C, by make and clang.
    C,
}

/// What is to be said of one tool beyond the component's own types.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTool {
    /// What the tool does, in place of the component's own documentation.
    #[schemars(length(min = 1))]
    pub(super) description: Option<String>,
    /// A JSON Schema file inside the package that narrows the arguments further than their types do.
    #[schemars(regex(pattern = JSON_FILE))]
    pub(super) input_schema: Option<String>,
    /// A JSON Schema file inside the package that narrows the output further than its type does.
    #[schemars(regex(pattern = JSON_FILE))]
    pub(super) output_schema: Option<String>,
    /// What this tool's calls risk, in place of the skill's own tags.
    #[schemars(inner(length(max = 64), regex(pattern = TAG)), extend("uniqueItems" = true))]
    pub(super) risk_tags: Option<Vec<String>>,
    /// Whether a call of this tool may be made again, in place of the skill's own word.
    pub(super) idempotent: Option<bool>,
}

/// What a skill asks for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPermissions {
    /// Folders; no two may overlap.
    #[serde(default)]
    pub(super) fs: Vec<RawFs>,
    /// Outgoing HTTP requests; every host that isn't listed is refused.
    #[serde(default)]
    pub(super) http: Vec<RawHttp>,
    /// Requests that the skill promises not to send, whatever is granted; these win over all others.
    #[serde(default)]
    pub(super) http_deny: Vec<RawHttpDeny>,
    /// A folder of its own at `/workspace`, fresh for each call, or for each task of a run: `true`, or
    /// the most that is written there.
    #[serde(default)]
    pub(super) workspace: RawAsked<RawQuota>,
    /// Durable state of the skill's own: `true`, or the most that it keeps.
    #[serde(default)]
    pub(super) state: RawAsked<RawStateQuota>,
    /// Configuration keys that the skill reads.
    #[serde(default)]
    #[schemars(inner(regex(pattern = NAME)), extend("uniqueItems" = true))]
    pub(super) config: Vec<String>,
    /// Secrets that the skill has put into the headers of its requests, by their name.
    #[serde(default)]
    #[schemars(inner(regex(pattern = NAME)), extend("uniqueItems" = true))]
    pub(super) secrets: Vec<String>,
    /// Models that the skill calls.
    #[serde(default)]
    #[schemars(inner(length(max = 256), regex(pattern = "^[!-~]+$")), extend("uniqueItems" = true))]
    pub(super) models: Vec<String>,
    /// Skills that the skill calls; each once.
    #[serde(default)]
    pub(super) skills: Vec<RawSkill>,
    /// Commands that the skill would run on the host; refused unless the host allows shells.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub(super) shell: Vec<RawShell>,
}

/// A folder that a skill asks for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFs {
    /// Where the skill sees the folder: an absolute path such as `/work`.
    #[schemars(regex(pattern = r"^(/[^/\\\x00]+)+$"))]
    pub(super) root: String,
    /// The most that the skill does below it.
    pub(super) access: RawAccess,
    /// The most that one call writes below it: a whole number and B, KiB, MiB or GiB, such as `10 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) max_bytes: Option<String>,
    /// The most files, folders and links that one call makes below it.
    #[schemars(range(min = 1))]
    pub(super) max_files: Option<i64>,
}

/// How much a call writes below a folder.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuota {
    /// The most bytes: a whole number and B, KiB, MiB or GiB, such as `10 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) max_bytes: Option<String>,
    /// The most files, folders and links that are made.
    #[schemars(range(min = 1))]
    pub(super) max_files: Option<i64>,
}

/// How much a skill keeps in its state.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStateQuota {
    /// The most bytes of all keys and values: a whole number and B, KiB, MiB or GiB, such as `1 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) max_bytes: Option<String>,
    /// The most keys.
    #[schemars(range(min = 1))]
    pub(super) max_keys: Option<i64>,
}

/// How much may be done below a folder.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RawAccess {
    /// List and read.
    Read,
    /// Also create, change and remove.
    ReadWrite,
}

/// What is asked for by `true`, or by a table that says how much of it.
#[derive(Debug, Default)]
pub(super) struct RawAsked<T>(pub(super) Option<T>);

impl<'de, T: Default + DeserializeOwned> Deserialize<'de> for RawAsked<T> {
    /// Manifests are read from JSON values, which know what they are.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(false) => Ok(Self(None)),
            Value::Bool(true) => Ok(Self(Some(T::default()))),
            table => serde_json::from_value(table).map(Some).map(Self).map_err(de::Error::custom),
        }
    }
}

impl<T: JsonSchema> JsonSchema for RawAsked<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Asked{}", T::schema_name()).into()
    }

    /// The keywords of a table say nothing of a boolean, so that one schema fits both.
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("type".to_owned(), json!(["boolean", "object"]));
        schema
    }
}

/// Requests that a skill asks to send.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    /// To which host: a name, `*.example.com` for one label below it, an IP address, a block of addresses such as `10.0.0.0/8`, or `*` for every public host.
    #[schemars(regex(pattern = HOST))]
    pub(super) host: String,
    /// Over which schemes; `https` alone where absent.
    #[serde(default = "https")]
    #[schemars(extend("uniqueItems" = true, "minItems" = 1))]
    pub(super) schemes: Vec<RawScheme>,
    /// To which ports. Where absent, the scheme's own; for the host `*`, whichever the grant names.
    #[serde(default)]
    #[schemars(inner(range(min = 1, max = 65535)), extend("uniqueItems" = true))]
    pub(super) ports: Vec<i64>,
    /// With which methods, in upper case, such as `GET`.
    #[schemars(inner(length(max = 32), regex(pattern = METHOD)), extend("uniqueItems" = true, "minItems" = 1))]
    pub(super) methods: Vec<String>,
    /// To which paths: prefixes by whole segments such as `/v1`, or globs such as `/v1/*/items` and `/v1/**`; every path where absent.
    #[serde(default)]
    #[schemars(inner(regex(pattern = URL_PATH)), extend("uniqueItems" = true))]
    pub(super) paths: Vec<String>,
}

/// Requests that a skill promises not to send. What is absent means each.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttpDeny {
    /// To which host: a name, `*.example.com` for every name below it, an IP address, a block of addresses such as `10.0.0.0/8`, or `*`. Addresses are also those that a name leads to.
    #[schemars(regex(pattern = HOST))]
    pub(super) host: String,
    /// Over which schemes.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    pub(super) schemes: Vec<RawScheme>,
    /// To which ports.
    #[serde(default)]
    #[schemars(inner(range(min = 1, max = 65535)), extend("uniqueItems" = true))]
    pub(super) ports: Vec<i64>,
    /// With which methods, in upper case, such as `DELETE`.
    #[serde(default)]
    #[schemars(inner(length(max = 32), regex(pattern = METHOD)), extend("uniqueItems" = true))]
    pub(super) methods: Vec<String>,
    /// To which paths: prefixes or globs, in every form in which a server may read them.
    #[serde(default)]
    #[schemars(inner(regex(pattern = URL_PATH)), extend("uniqueItems" = true))]
    pub(super) paths: Vec<String>,
}

/// A scheme.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawScheme {
    /// Plain text.
    Http,
    /// TLS.
    Https,
}

/// A skill that a skill calls.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSkill {
    /// Which skill: `namespace/name`.
    #[schemars(regex(pattern = "^[a-z0-9]+(-[a-z0-9]+)*/[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub(super) id: String,
    /// Which of its versions: a range such as `^1.2`, or one version; every release where absent.
    pub(super) version: Option<String>,
}

/// A command that a skill would run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawShell {
    /// The program and the arguments that the command begins with, such as `["git", "status"]`.
    #[schemars(inner(length(min = 1), regex(pattern = r"^[^\x00]*$")), extend("minItems" = 1))]
    pub(super) command: Vec<String>,
}

/// What one call needs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    /// Linear memory: a whole number and B, KiB, MiB or GiB, such as `64 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) memory: Option<String>,
    /// Wall time, the host's calls included: a whole number and ms, s, min or h, such as `5 s`.
    #[schemars(regex(pattern = r"^\s*0*[1-9][0-9]*\s*(ms|s|min|h)\s*$"))]
    pub(super) deadline: Option<String>,
    /// Units of fuel. Only where it is set is fuel counted, because counting costs speed.
    #[schemars(range(min = 1))]
    pub(super) fuel: Option<i64>,
    /// The output as JSON: a whole number and B, KiB, MiB or GiB, such as `1 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) output: Option<String>,
    /// Elements of each table, such as pointers to functions.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) table_elements: Option<i64>,
    /// Core instances that the component is made of.
    #[schemars(range(min = 1, max = 64))]
    pub(super) instances: Option<i64>,
    /// Requests over HTTP, operations on files, folders and state, settings, commands, calls of skills and models, questions, reports, and random bytes.
    #[schemars(range(min = 1))]
    pub(super) host_calls: Option<i64>,
    /// The arguments as JSON: a whole number and B, KiB, MiB or GiB, such as `1 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) input: Option<String>,
    /// Calls of other skills, those that they make in turn included.
    #[schemars(range(min = 1))]
    pub(super) skill_calls: Option<i64>,
    /// Requests to models, those of called skills included.
    #[schemars(range(min = 1))]
    pub(super) model_calls: Option<i64>,
    /// Tokens of requests to models and their answers together, those of called skills included.
    #[schemars(range(min = 1))]
    pub(super) model_tokens: Option<i64>,
    /// Requests over HTTP.
    #[schemars(range(min = 1))]
    pub(super) http_requests: Option<i64>,
    /// What is sent over HTTP: a whole number and B, KiB, MiB or GiB, such as `1 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) http_sent: Option<String>,
    /// What is received over HTTP: a whole number and B, KiB, MiB or GiB, such as `1 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) http_received: Option<String>,
    /// What is written to stdout and stderr: a whole number and B, KiB, MiB or GiB, such as `1 MiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) log: Option<String>,
    /// Random bytes: a whole number and B, KiB, MiB or GiB, such as `64 KiB`.
    #[schemars(regex(pattern = SIZE))]
    pub(super) random: Option<String>,
    /// Calls of the skill at the same time.
    #[schemars(range(min = 1, max = 1024))]
    pub(super) concurrency: Option<i64>,
}

/// The front matter of a `SKILL.md`, as the Agent Skills format has it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawFrontMatter {
    /// The skill's name, the same as behind the slash of its id.
    pub(super) name: String,
    /// What the skill does and when to use it.
    #[schemars(length(min = 1, max = 1024))]
    pub(super) description: String,
    /// The license, or the file that holds it.
    #[schemars(length(min = 1))]
    pub(super) license: Option<String>,
    /// What the skill needs of its surroundings.
    #[schemars(length(min = 1, max = 500))]
    pub(super) compatibility: Option<String>,
    /// Whatever else is to be said, as strings by name.
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, String>,
    /// Tools that the instructions may use without asking, with spaces between.
    pub(super) allowed_tools: Option<String>,
}

/// The keys that say something of calls, which a prompt doesn't make.
pub(super) const KEYS_OF_CALLS: [&str; 5] = ["idempotent", "limits", "permissions", "risk_tags", "tools"];

/// From <https://semver.org>, without the groups.
const SEMVER: &str = r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$";
const TAG: &str = "^[a-z][a-z0-9]*([_-][a-z0-9]+)*$";
const NAME: &str = "^[A-Za-z0-9_][A-Za-z0-9_.:/-]{0,127}$";
const HOST: &str = r"^(\*|(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]+(/[0-9]{1,3})?)$";
const URL_PATH: &str = r"^/[^?#\s\\]*$";
const METHOD: &str = "^[A-Z0-9!#$%&'*+.^_`|~-]+$";
const TOOL_NAME: &str = r"^[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*(\.[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*)?$";
const FILE: &str = r"^([A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*$";
const JSON_FILE: &str = r"^([A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*\.json$";
const SIZE: &str = r"^\s*0*[1-9][0-9]*\s*(B|KiB|MiB|GiB)\s*$";

fn is_prompt() -> Value {
    json!({ "properties": { "kind": { "const": "prompt" } }, "required": ["kind"] })
}

/// A prompt has no key that speaks of a component or its calls.
fn without_calls() -> Value {
    let none = KEYS_OF_CALLS.iter().chain(&["component", "build"]).map(|key| ((*key).to_owned(), Value::Bool(false)));
    let none: Map<String, Value> = none.collect();
    json!({ "properties": none })
}

fn https() -> Vec<RawScheme> {
    vec![RawScheme::Https]
}

/// The JSON Schema of `skill.toml`, for editors and for those who make manifests.
///
/// It can't say everything that is checked when a package is read: that roots
/// don't overlap, that named files exist, and so on.
pub fn manifest_schema() -> Value {
    let mut published = Map::new();
    published.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    published.insert("$id".to_owned(), json!("urn:bailiwick:schema:skill-manifest:1"));
    published.insert("title".to_owned(), json!("Manifest of a Bailiwick skill (skill.toml)"));
    if let Value::Object(schema) = schema_of::<RawManifest>() {
        // Those above are already in their places, so that only their values are written again.
        published.extend(schema.into_iter().filter(|(keyword, _)| keyword != "title"));
    }
    Value::Object(published)
}

/// Making a schema takes longer than reading the rest of a package, so that each is made once.
static MANIFEST: LazyLock<Value> = LazyLock::new(schema_of::<RawManifest>);
static FRONT_MATTER: LazyLock<Value> = LazyLock::new(schema_of::<RawFrontMatter>);

/// Reads a document of the right shape; `findings` says what is wrong with any other.
pub(super) fn read_manifest(document: &Document, findings: &mut Findings) -> Option<RawManifest> {
    shape::read(document, &MANIFEST, findings)
}

/// The same for the front matter of a `SKILL.md`.
pub(super) fn read_front_matter(document: &Document, findings: &mut Findings) -> Option<RawFrontMatter> {
    shape::read(document, &FRONT_MATTER, findings)
}

fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(tighten).transform(&mut schema);
    schema.to_value()
}

/// Gives each list, table and string a bound, and takes away what TOML doesn't have.
fn tighten(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    // An optional key is left out: neither TOML nor this YAML has a null.
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|ty| ty != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    for noise in ["default", "format"] {
        object.shift_remove(noise);
    }
    if let Some(Value::String(description)) = object.get_mut("description") {
        *description = description.replace('\n', " ");
    }
    let bound = match object.get("type").and_then(Value::as_str) {
        Some("array") => Some(("maxItems", MAX_ENTRIES)),
        Some("object") if !object.contains_key("properties") => Some(("maxProperties", MAX_ENTRIES)),
        Some("string") if !object.contains_key("enum") && !object.contains_key("const") => {
            Some(("maxLength", MAX_TEXT))
        }
        _ => None,
    };
    if let Some((keyword, bound)) = bound {
        object.entry(keyword).or_insert_with(|| json!(bound));
    }
}
