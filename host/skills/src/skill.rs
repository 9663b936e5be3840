//! A skill that is ready to be called: its package, and what its component offers.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use bailiwick_domain::authority::SHELL_RISK;
use bailiwick_domain::component::Inspection;
use bailiwick_domain::digest::Digest;
use bailiwick_domain::manifest::{Kind, SkillManifest, ToolOverride};
use bailiwick_domain::sandbox::{InvokeError, Output};
use bailiwick_domain::wit::ToolSignature;
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::near::quoted;
use crate::package::{Instructions, Package};
use crate::schema::{self, InvalidSchema, NarrowError, Validator};

/// A skill with everything that a call of it needs to know. It doesn't change:
/// a package that is read again gives another one.
#[derive(Debug)]
pub struct Skill {
    /// What the author claims and asks for.
    pub manifest: SkillManifest,
    /// The `SKILL.md`, where there is one; a prompt always has it.
    pub instructions: Option<Instructions>,
    /// What the sandbox read in the component; `None` exactly for prompts.
    pub inspection: Option<Arc<Inspection>>,
    /// What can be called, in the component's order; empty for prompts.
    pub tools: Vec<Tool>,
    /// What the component provides by `bailiwick:skill`, such as `prompts.list`: the host
    /// calls it, on behalf of those who ask for prompts, resources and tools.
    pub provided: Vec<Tool>,
    /// The folder of the package: absolute, without symlinks.
    pub package_root: PathBuf,
    /// sha256 of the component, or of the `SKILL.md` of a prompt.
    pub digest: Digest,
    /// What was forgiven when the package was read.
    pub warnings: Vec<String>,
    /// Counts the calls under way.
    pub(crate) gate: Arc<Gate>,
}

/// One exported function, with what the manifest says of it.
#[derive(Debug)]
pub struct Tool {
    /// How callers name it.
    pub name: String,
    /// Its place in the inspection of the component.
    pub index: usize,
    /// How arguments and output cross to the component.
    pub passing: Passing,
    /// What it does, for models and people; may be empty.
    pub description: String,
    /// JSON Schema of the arguments, the author's narrowing included.
    pub input_schema: Arc<Value>,
    /// JSON Schema of the output when it succeeds, the author's narrowing included.
    pub output_schema: Arc<Value>,
    /// JSON Schema of its own failure; `None` for a tool that can't fail.
    pub failure_schema: Option<Arc<Value>>,
    /// What its calls risk.
    pub risk_tags: BTreeSet<String>,
    /// Whether a call that was cut off may simply be made again.
    pub idempotent: bool,
    /// The author's own schema of the arguments. The types are checked by the sandbox.
    pub input_narrowing: Option<Validator>,
    /// The author's own schema of the output.
    pub output_narrowing: Option<Validator>,
}

/// How arguments and output cross to the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// By the types of the function.
    Types,
    /// As one JSON text each: `workflow.run`.
    Json,
    /// The same beside the tool's name: `tools.call`.
    NamedJson,
}

impl Skill {
    /// What the component provides under this name: `prompts.list`.
    pub fn provided(&self, name: &str) -> Option<&Tool> {
        self.provided.iter().find(|function| function.name == name)
    }

    /// The tool that `name` means: its short name, else `interface.function`.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        let by_name = self.tools.iter().find(|tool| tool.name == name);
        by_name.or_else(|| {
            let (index, _) = self.inspection.as_ref()?.tool(name)?;
            self.tools.get(index)
        })
    }

    /// The tool that its workflow is, where it is one.
    pub fn workflow(&self) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.passing == Passing::Json)
    }

    /// Calls under way.
    pub fn calls_under_way(&self) -> u32 {
        self.gate.count()
    }

    /// Every risk that the manifest names, of the skill or of a single tool.
    pub fn risk_tags(&self) -> BTreeSet<&str> {
        let own = self.tools.iter().chain(&self.provided).flat_map(|tool| &tool.risk_tags);
        self.manifest.risk_tags.iter().chain(own).map(String::as_str).collect()
    }

    /// Whether `other`, read from the same package at another time, says the same.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let same_tools = self.tools.len() == other.tools.len()
            && self.tools.iter().zip(&other.tools).all(|(tool, other)| tool.same_as(other));
        same_tools
            && self.digest == other.digest
            && self.manifest == other.manifest
            && self.instructions == other.instructions
            && self.package_root == other.package_root
            && self.warnings == other.warnings
    }
}

impl Tool {
    /// The arguments as the component gets them.
    pub(crate) fn pass<'a>(&self, arguments: &'a Value) -> Cow<'a, Value> {
        match self.passing {
            Passing::Types => Cow::Borrowed(arguments),
            Passing::Json => Cow::Owned(json!({ "input": arguments.to_string() })),
            Passing::NamedJson => Cow::Owned(json!({ "name": self.name, "arguments": arguments.to_string() })),
        }
    }

    /// The output as callers get it: where it is JSON in a text, that JSON.
    pub(crate) fn unwrap(&self, output: Output) -> Result<Output, InvokeError> {
        let (Output::Success(text), Passing::Json | Passing::NamedJson) = (&output, self.passing) else {
            return Ok(output);
        };
        let invalid = |error: serde_json::Error| {
            InvokeError::InvalidOutput(format!("`{}` must answer with JSON: {error}", self.name))
        };
        let json: String = serde_json::from_str(text).map_err(invalid)?;
        // Read and written anew, so that nobody gets what only looks like JSON.
        let value: Value = serde_json::from_str(&json).map_err(invalid)?;
        Ok(Output::Success(value.to_string()))
    }

    /// The validators are made from the schemas, and the rest from the manifest.
    fn same_as(&self, other: &Self) -> bool {
        self.name == other.name
            && self.description == other.description
            && self.input_schema == other.input_schema
            && self.output_schema == other.output_schema
            && self.failure_schema == other.failure_schema
    }
}

/// What the manifest says and the component doesn't bear out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkillError {
    /// `[tools.X]` for a tool that the component doesn't have.
    #[error("the manifest has `[tools.{name}]`, and the component has no such tool; it has {}", quoted(tools, ", "))]
    UnknownTool {
        /// The name in the manifest.
        name: String,
        /// The names that there are.
        tools: Vec<String>,
    },
    /// Two tables that mean one tool.
    #[error(
        "the manifest has both `[tools.{first}]` and `[tools.{second}]`, which are the same tool; expected one of them"
    )]
    ToolTwice {
        /// The one name.
        first: String,
        /// The other.
        second: String,
    },
    /// The author's schema allows what the types don't.
    #[error("`{file}`, the {direction} schema of the tool `{tool}`, does not narrow its type: {reason}", file = file.display())]
    NotNarrower {
        /// The tool.
        tool: String,
        /// `input` or `output`.
        direction: &'static str,
        /// The schema's file, as the manifest names it.
        file: PathBuf,
        /// Where, and what.
        reason: NarrowError,
    },
    /// The author's schema can't be used.
    #[error("`{file}`, the {direction} schema of the tool `{tool}`, can't be used: {reason}", file = file.display())]
    Schema {
        /// The tool.
        tool: String,
        /// `input` or `output`.
        direction: &'static str,
        /// The schema's file, as the manifest names it.
        file: PathBuf,
        /// Where, and what.
        reason: InvalidSchema,
    },
    /// A schema for a function that the host itself calls, and whose shape is the world's.
    #[error(
        "the manifest has `{direction}_schema` in `[tools.\"{function}\"]`, whose shape `bailiwick:skill` gives; expected none"
    )]
    SchemaOfOurs {
        /// The function, such as `prompts.get`.
        function: String,
        /// `input` or `output`.
        direction: &'static str,
    },
    /// The manifest says that it is a workflow, which the component is not.
    #[error(
        "the manifest has `kind = \"workflow\"`, and the component does not export `bailiwick:skill/workflow`; expected that export, or `kind = \"tool\"`"
    )]
    NoWorkflow,
    /// The component is a workflow, which the manifest doesn't say.
    #[error(
        "the manifest has `kind = \"tool\"`, and the component exports `bailiwick:skill/workflow`; expected `kind = \"workflow\"`, or no such export"
    )]
    UnnamedWorkflow,
}

/// A prompt, whose `SKILL.md` has `digest`.
pub(crate) fn prompt(package: Package, digest: Digest) -> Skill {
    assemble(package, None, digest, Vec::new())
}

/// The skill that `package` and its component make together.
pub(crate) fn with_component(package: Package, inspection: Arc<Inspection>) -> Result<Skill, SkillError> {
    check_kind(package.manifest.kind, &inspection)?;
    let overrides = match_overrides(&package.manifest, &inspection)?;
    let tool = |(index, signature): (usize, &ToolSignature)| {
        let own = overrides.get(&index).copied();
        let tool = build_tool(index, signature, &package, own)?;
        Ok::<_, SkillError>(match index.checked_sub(inspection.tools.len()) {
            None => tool,
            Some(_) => Tool { name: signature.qualified_name(), ..tool },
        })
    };
    let mut tools = inspection.functions().enumerate().map(tool).collect::<Result<Vec<_>, _>>()?;
    let mut provided = tools.split_off(inspection.tools.len());
    // A workflow is a tool like any other to those who call it.
    if let Some(place) = provided.iter().position(|function| function.name == WORKFLOW) {
        let run = provided.remove(place);
        let own = overrides.get(&run.index).copied();
        let name = if tools.iter().any(|tool| tool.name == RUN) { WORKFLOW } else { RUN };
        tools.push(json_tool(run, name, own, &package)?);
    }
    let digest = inspection.digest;
    Ok(Skill { provided, ..assemble(package, Some(inspection), digest, tools) })
}

/// The function of a workflow, and the name that it has as a tool.
const WORKFLOW: &str = "workflow.run";
const RUN: &str = "run";

/// A workflow drives runs, and is found as one: both go by what the manifest calls it.
fn check_kind(kind: Kind, inspection: &Inspection) -> Result<(), SkillError> {
    match (kind, inspection.provides(WORKFLOW)) {
        (Kind::Workflow, None) => Err(SkillError::NoWorkflow),
        (Kind::Tool, Some(_)) => Err(SkillError::UnnamedWorkflow),
        // Reading the manifest has refused a prompt with a component.
        (Kind::Workflow, Some(_)) | (Kind::Tool, None) | (Kind::Prompt, _) => Ok(()),
    }
}

/// The tool that a workflow's function is: any object in and any JSON out, as far as its
/// author's schemas don't say more.
fn json_tool(run: Tool, name: &str, own: Option<&ToolOverride>, package: &Package) -> Result<Tool, SkillError> {
    let schema = |direction, file: Option<&PathBuf>, any: Value| {
        let Some((file, author)) = file.and_then(|file| Some((file, package.schemas.get(file)?))) else {
            return Ok((Arc::new(any), None));
        };
        let invalid = |reason| SkillError::Schema { tool: name.to_owned(), direction, file: file.clone(), reason };
        Ok((Arc::new(author.clone()), Some(Validator::new(author).map_err(invalid)?)))
    };
    let (input_schema, input_narrowing) =
        schema("input", own.and_then(|own| own.input_schema.as_ref()), json!({ "type": "object" }))?;
    let (output_schema, output_narrowing) =
        schema("output", own.and_then(|own| own.output_schema.as_ref()), json!({}))?;
    let (name, passing) = (name.to_owned(), Passing::Json);
    Ok(Tool { name, passing, input_schema, output_schema, input_narrowing, output_narrowing, ..run })
}

fn assemble(package: Package, inspection: Option<Arc<Inspection>>, digest: Digest, tools: Vec<Tool>) -> Skill {
    debug_assert_eq!(inspection.is_none(), package.manifest.kind == Kind::Prompt, "only prompts have no component");
    Skill {
        manifest: package.manifest,
        instructions: package.instructions,
        inspection,
        tools,
        provided: Vec::new(),
        package_root: package.root,
        digest,
        warnings: package.warnings,
        gate: Arc::default(),
    }
}

/// The `[tools.X]` tables by the index of the tool that each means.
fn match_overrides<'m>(
    manifest: &'m SkillManifest,
    inspection: &Inspection,
) -> Result<BTreeMap<usize, &'m ToolOverride>, SkillError> {
    let mut names: BTreeMap<usize, &str> = BTreeMap::new();
    let mut overrides = BTreeMap::new();
    for (name, own) in &manifest.tools {
        let index = inspection.tool(name).map(|(index, _)| index).or_else(|| inspection.provides(name));
        let Some(index) = index.or_else(|| (name == RUN).then(|| inspection.provides(WORKFLOW)).flatten()) else {
            let provided = inspection.provided.iter().map(ToolSignature::qualified_name);
            let tools = inspection.tools.iter().map(|tool| tool.name.clone()).chain(provided).collect();
            return Err(SkillError::UnknownTool { name: name.clone(), tools });
        };
        if let Some(first) = names.insert(index, name) {
            return Err(SkillError::ToolTwice { first: first.to_owned(), second: name.clone() });
        }
        overrides.insert(index, own);
    }
    Ok(overrides)
}

fn build_tool(
    index: usize,
    signature: &ToolSignature,
    package: &Package,
    own: Option<&ToolOverride>,
) -> Result<Tool, SkillError> {
    let manifest = &package.manifest;
    let narrowing = |direction, derived: Value, file: Option<&PathBuf>| match file {
        Some(file) => narrow(&signature.name, direction, derived, file, package),
        None => Ok((derived, None)),
    };
    let input_file = own.and_then(|own| own.input_schema.as_ref());
    let output_file = own.and_then(|own| own.output_schema.as_ref());
    if is_ours(signature) && signature.qualified_name() != WORKFLOW {
        let asked = [("input", input_file), ("output", output_file)];
        if let Some(direction) = asked.into_iter().find_map(|(direction, file)| file.map(|_| direction)) {
            return Err(SkillError::SchemaOfOurs { function: signature.qualified_name(), direction });
        }
    }
    // The types of a workflow say nothing of the JSON which crosses in them: `json_tool`
    // takes the author's schemas.
    let (input_file, output_file) = if is_ours(signature) { (None, None) } else { (input_file, output_file) };
    let (input_schema, input_narrowing) = narrowing("input", schema::input_schema(signature), input_file)?;
    let (output_schema, output_narrowing) = narrowing("output", schema::output_schema(signature), output_file)?;
    let description = own.and_then(|own| own.description.as_ref()).or(signature.docs.as_ref());
    let mut risk_tags = own.and_then(|own| own.risk_tags.as_ref()).unwrap_or(&manifest.risk_tags).clone();
    if !manifest.permissions.shell.is_empty() {
        // No author can leave out what running commands risks.
        risk_tags.insert(SHELL_RISK.to_owned());
    }
    Ok(Tool {
        name: signature.name.clone(),
        index,
        passing: Passing::Types,
        description: description.cloned().unwrap_or_default(),
        input_schema: Arc::new(input_schema),
        output_schema: Arc::new(output_schema),
        failure_schema: schema::failure_schema(signature).map(Arc::new),
        risk_tags,
        idempotent: own.and_then(|own| own.idempotent).unwrap_or(manifest.idempotent),
        input_narrowing,
        output_narrowing,
    })
}

fn is_ours(signature: &ToolSignature) -> bool {
    signature.interface.as_ref().is_some_and(|interface| interface.starts_with("bailiwick:skill/"))
}

/// The schema that callers see and the validator of the author's part of it.
fn narrow(
    tool: &str,
    direction: &'static str,
    derived: Value,
    file: &PathBuf,
    package: &Package,
) -> Result<(Value, Option<Validator>), SkillError> {
    // A package that names a schema holds it: reading it is part of loading the package.
    let Some(author) = package.schemas.get(file) else { return Ok((derived, None)) };
    let named = || (tool.to_owned(), file.clone());
    schema::check(&derived, author).map_err(|reason| {
        let (tool, file) = named();
        SkillError::NotNarrower { tool, direction, file, reason }
    })?;
    let validator = Validator::new(author).map_err(|reason| {
        let (tool, file) = named();
        SkillError::Schema { tool, direction, file, reason }
    })?;
    Ok((published(derived, author), Some(validator)))
}

/// The author's schema where it stands for itself, else the derived one with
/// the author's beside it. The first form is the better one to show to a model,
/// some of which take no `allOf` at the top.
fn published(mut derived: Value, author: &Value) -> Value {
    if says_all(&derived, author) {
        let mut whole = author.clone();
        for key in ["$schema", "description"] {
            if let (Some(value), Value::Object(whole)) = (derived.get(key), &mut whole) {
                whole.entry(key).or_insert_with(|| value.clone());
            }
        }
        return whole;
    }
    if let Value::Object(derived) = &mut derived {
        let all = derived.entry("allOf").or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(all) = all {
            let mut part = author.clone();
            move_references(&mut part, &format!("/allOf/{}", all.len()));
            if let Value::Object(part) = &mut part {
                // These speak of a whole document.
                part.retain(|key, _| key != "$schema" && key != "$id");
            }
            all.push(part);
        }
    }
    derived
}

/// Has the references within a schema lead to the same parts when the schema
/// itself becomes a part, at the JSON Pointer `place`. The depth of the
/// recursion is that of the schema, which its parser has bounded.
fn move_references(schema: &mut Value, place: &str) {
    match schema {
        Value::Array(schemas) => schemas.iter_mut().for_each(|schema| move_references(schema, place)),
        Value::Object(keywords) => {
            for (keyword, value) in keywords {
                match (keyword.as_str(), value) {
                    ("$ref", Value::String(reference)) => {
                        if let Some(pointer) = reference.strip_prefix('#') {
                            *reference = format!("#{place}{pointer}");
                        }
                    }
                    // What stands there is data.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    (_, value) => move_references(value, place),
                }
            }
        }
        _ => {}
    }
}

/// Whether the author's schema names a type, and every property that the type has.
fn says_all(derived: &Value, author: &Value) -> bool {
    let named = |name: &String| author.get("properties").is_some_and(|properties| properties.get(name).is_some());
    let known = derived.get("properties").and_then(Value::as_object);
    author.get("type").is_some() && known.is_none_or(|known| known.keys().all(named))
}
