//! A component of tests/plain on a server, with the WIT that its author wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};
use wit_parser::{Function, Resolve, Type, TypeDefKind, WorldItem};

use super::values;
use crate::client::Answer;
use crate::host::{Home, Server};

/// What a host may answer a call that it has made.
const MADE: [&str; 4] = ["tool-failed", "guest-trapped", "guest-exited", "memory-exhausted"];

/// One component, ready to be called.
pub(super) struct Stage {
    server: Server,
    skill: String,
    tools: BTreeMap<String, Value>,
    resolve: Resolve,
    functions: BTreeMap<String, Function>,
    _home: Home,
}

impl Stage {
    /// The component of the folder tests/plain/LANGUAGE.
    pub(super) fn new(language: &str) -> Self {
        let home = Home::new();
        home.test_skill(&format!("plain-{language}"));
        let skill = format!("elsewhere/plain-{language}");
        home.grant(&skill, &[]);
        let server = home.serve();
        let detail = server.get(&format!("/v1/skills/{skill}")).ok();
        let tools = detail["tools"].as_array().unwrap().iter();
        let tools = tools.map(|tool| (tool["name"].as_str().unwrap().to_owned(), tool.clone())).collect();
        let (resolve, functions) = exports(&source(language).join("wit"));
        Self { server, skill, tools, resolve, functions, _home: home }
    }

    pub(super) fn call(&self, tool: &str, arguments: &Value) -> Answer {
        self.server.execute(&self.skill, tool, arguments)
    }

    /// What the tool answers.
    #[track_caller]
    pub(super) fn output(&self, tool: &str, arguments: &Value) -> Value {
        self.call(tool, arguments).output()
    }

    /// What the tool itself fails with.
    #[track_caller]
    pub(super) fn failure(&self, tool: &str, arguments: &Value) -> Value {
        self.call(tool, arguments).problem("tool-failed")["failure"].clone()
    }

    /// What the caller is told of a guest that broke down. It is never the engine's
    /// words alone, from which no author can tell what happened.
    #[track_caller]
    pub(super) fn breakdown(&self, code: &str, tool: &str, arguments: &Value) -> String {
        let problem = self.call(tool, arguments).problem(code);
        problem["detail"].as_str().unwrap().to_owned()
    }

    /// One ordinary value of a parameter, to be changed here and there.
    pub(super) fn ordinary(&self, tool: &str) -> Value {
        values::argument_fits(&self.resolve, &self.functions[tool].params).swap_remove(0).given
    }

    /// The component has the tools that its WIT exports, with its author's words.
    pub(super) fn is_described(&self) {
        let (tools, functions): (Vec<_>, Vec<_>) = (self.tools.keys().collect(), self.functions.keys().collect());
        assert_eq!(tools, functions);
        for (name, function) in &self.functions {
            let docs = function.docs.contents.as_deref().unwrap().trim();
            assert_eq!(self.tools[name]["description"], docs, "{name}");
        }
    }

    /// The WIT of the component has every kind of value that JSON can carry, with
    /// some in each other; otherwise what the other checks say is worth less.
    pub(super) fn has_values_of_every_kind(&self) {
        let mut missing = KINDS.to_vec();
        for function in self.functions.values() {
            for ty in function.params.iter().map(|param| &param.ty).chain(&function.result) {
                strike_out(&self.resolve, ty, &mut missing);
            }
        }
        assert!(missing.is_empty(), "no function has a value of these kinds: {missing:?}");
    }

    /// The schemas of all tools are schemas, and those of what comes back say the
    /// same as the WIT.
    pub(super) fn has_schemas_that_say_the_same(&self) {
        for (name, function) in &self.functions {
            let tool = &self.tools[name];
            for key in ["input_schema", "output_schema", "failure_schema"] {
                let schema = &tool[key];
                assert!(schema.is_null() || jsonschema::draft202012::meta::is_valid(schema), "{name}: {schema}");
            }
            let (output, failure) = self.answers(function);
            self.check_schema(name, &tool["output_schema"], output);
            match failure {
                Some(failure) => self.check_schema(name, &tool["failure_schema"], failure),
                None => assert!(tool["failure_schema"].is_null(), "{name} can't fail: {tool}"),
            }
        }
    }

    fn check_schema(&self, name: &str, schema: &Value, ty: Option<&Type>) {
        let validator = validator(schema);
        let Some(ty) = ty else {
            assert!(validator.is_valid(&json!(null)) && !validator.is_valid(&json!(0)), "{name}: {schema}");
            return;
        };
        for fit in values::fits(&self.resolve, ty) {
            let value = &fit.back;
            assert!(validator.is_valid(value), "{name}: the schema refuses {value}: {schema}");
        }
        for misfit in values::misfits(&self.resolve, ty).iter().filter(|misfit| misfit.in_schema) {
            let value = &misfit.given;
            assert!(!validator.is_valid(value), "{name}: the schema takes {value}: {schema}");
        }
    }

    /// Values of every type go to `same` and come back as they were.
    pub(super) fn gives_everything_back(&self) {
        let function = &self.functions["same"];
        let fits = values::argument_fits(&self.resolve, &function.params);
        assert!(fits.len() > 2, "too few values: {fits:?}");
        for fit in fits {
            let back = &fit.back[&function.params[0].name];
            assert_eq!(&self.output("same", &fit.given), back);
        }
    }

    /// Each tool takes what its types allow and refuses what they don't, and its
    /// schema says both beforehand.
    pub(super) fn takes_what_its_types_allow(&self) {
        for (name, function) in &self.functions {
            let input = validator(&self.tools[name]["input_schema"]);
            for fit in values::argument_fits(&self.resolve, &function.params) {
                let arguments = &fit.given;
                assert!(input.is_valid(arguments), "{name}: the schema refuses {arguments}");
                self.check_answer(name, &self.call(name, arguments), arguments);
            }
            for misfit in values::argument_misfits(&self.resolve, &function.params) {
                let arguments = &misfit.given;
                assert_eq!(!input.is_valid(arguments), misfit.in_schema, "{name}: the schema on {arguments}");
                let problem = self.call(name, arguments).problem("invalid-arguments");
                let pointer = problem["errors"][0]["pointer"].as_str().unwrap();
                assert!(pointer.starts_with("/arguments/"), "{name}: {problem}");
            }
        }
    }

    /// What came of a call is described by the schemas too.
    fn check_answer(&self, name: &str, answer: &Answer, arguments: &Value) {
        let answered = answer.json();
        let (schema, value) = match answer.status {
            200 => ("output_schema", &answered["output"]),
            _ if answered["code"] == "tool-failed" => ("failure_schema", &answered["failure"]),
            _ => {
                let made = MADE.iter().any(|code| answered["code"] == *code);
                assert!(made, "{name} was not called with {arguments}: {answered}");
                return;
            }
        };
        let schema = &self.tools[name][schema];
        assert!(validator(schema).is_valid(value), "{name} answers {value}, and the schema is {schema}");
    }

    /// The type of a function's output, and that of its failure if it has one.
    #[expect(clippy::option_option, reason = "a function can fail, and then with a value or without")]
    fn answers<'a>(&'a self, function: &'a Function) -> (Option<&'a Type>, Option<Option<&'a Type>>) {
        if let Some(Type::Id(id)) = &function.result
            && let TypeDefKind::Result(result) = &self.resolve.types[*id].kind
        {
            return (result.ok.as_ref(), Some(result.err.as_ref()));
        }
        (function.result.as_ref(), None)
    }
}

/// What WIT has that JSON can carry, and the nestings that are easy to get wrong.
const KINDS: [&str; 26] = [
    "bool",
    "s8",
    "u8",
    "s16",
    "u16",
    "s32",
    "u32",
    "s64",
    "u64",
    "f32",
    "f64",
    "char",
    "string",
    "record",
    "variant",
    "enum",
    "flags",
    "tuple",
    "result",
    "list",
    "list of list",
    "list of bytes",
    "list of records",
    "option",
    "option of option",
    "result of nothing",
];

/// Takes every kind that is in `ty` off the list.
fn strike_out(resolve: &Resolve, ty: &Type, missing: &mut Vec<&str>) {
    let mut found = |kind: &str| missing.retain(|it| *it != kind);
    let Type::Id(id) = ty else {
        return found(&format!("{ty:?}").to_lowercase());
    };
    let kind = &resolve.types[*id].kind;
    found(kind.as_str());
    let inner: Vec<&Type> = match kind {
        TypeDefKind::Type(ty) => vec![ty],
        TypeDefKind::Record(record) => record.fields.iter().map(|field| &field.ty).collect(),
        TypeDefKind::Tuple(tuple) => tuple.types.iter().collect(),
        TypeDefKind::Variant(variant) => variant.cases.iter().filter_map(|case| case.ty.as_ref()).collect(),
        TypeDefKind::List(item) => {
            if matches!(item, Type::U8) {
                found("list of bytes");
            }
            if is(resolve, item, "list") {
                found("list of list");
            }
            if is(resolve, item, "record") {
                found("list of records");
            }
            vec![item]
        }
        TypeDefKind::Option(inner) => {
            if is(resolve, inner, "option") {
                found("option of option");
            }
            vec![inner]
        }
        TypeDefKind::Result(result) => {
            if result.ok.is_none() && result.err.is_none() {
                found("result of nothing");
            }
            result.ok.iter().chain(&result.err).collect()
        }
        _ => vec![],
    };
    for ty in inner {
        strike_out(resolve, ty, missing);
    }
}

fn is(resolve: &Resolve, ty: &Type, kind: &str) -> bool {
    let Type::Id(id) = ty else { return false };
    match &resolve.types[*id].kind {
        TypeDefKind::Type(ty) => is(resolve, ty, kind),
        other => other.as_str() == kind,
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

/// Every function that the world in `folder` exports, by its name.
fn exports(folder: &Path) -> (Resolve, BTreeMap<String, Function>) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(folder).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut functions = BTreeMap::new();
    for item in resolve.worlds[world].exports.values() {
        match item {
            WorldItem::Function(function) => _ = functions.insert(function.name.clone(), function.clone()),
            WorldItem::Interface { id, .. } => functions.extend(resolve.interfaces[*id].functions.clone()),
            WorldItem::Type { .. } => {}
        }
    }
    (resolve, functions)
}

/// The author's folder.
fn source(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plain").join(language)
}
