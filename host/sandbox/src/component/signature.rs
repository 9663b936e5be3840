//! From the engine's types to the domain's.

use bailiwick_domain::component::ComponentError;
use bailiwick_domain::wit::{Answer, Case, Field, ToolSignature, WitType};
use wasmtime::Engine;
use wasmtime::component::types::{Component, ComponentFunc, ComponentInstance, ComponentItem, Type};

/// Tools that one component may have: a list that a person or a model can read.
const MAX_TOOLS: usize = 256;

/// Interfaces of ours that a skill can export, with the functions that each has.
const PROVIDED: [(&str, &[&str]); 4] = [
    ("prompts", &["list", "get"]),
    ("resources", &["list", "templates", "read"]),
    ("tools", &["list", "call"]),
    ("workflow", &["run"]),
];

/// The package of these interfaces, and the versions of it that this host speaks.
const OURS: &str = "bailiwick:skill/";
const LINE: &str = "0.1.";

/// What a component offers.
pub(super) struct Exports {
    /// Functions of the author's own.
    pub(super) tools: Vec<ToolSignature>,
    /// Functions of the interfaces of ours.
    pub(super) provided: Vec<ToolSignature>,
}

/// Every exported function: those of our interfaces by themselves, all others as tools.
pub(super) fn exports(ty: &Component, engine: &Engine) -> Result<Exports, ComponentError> {
    let mut tools = Vec::new();
    let mut provided = Vec::new();
    for (name, export) in ty.exports(engine) {
        match &export.ty {
            ComponentItem::ComponentFunc(func) => tools.push(signature(None, name, func)?),
            ComponentItem::ComponentInstance(instance) if name.starts_with(OURS) => {
                let functions: Vec<_> = instance.exports(engine).collect();
                for function in known_functions(name)? {
                    let found = functions.iter().find_map(|(name, export)| match &export.ty {
                        ComponentItem::ComponentFunc(func) if name == function => Some(func),
                        _ => None,
                    });
                    let missing = || {
                        unknown(name, format!("which must have a function `{function}`: build it from this host's WIT"))
                    };
                    provided.push(signature(Some(name), function, found.ok_or_else(missing)?)?);
                }
            }
            ComponentItem::ComponentInstance(instance) if is_start_of_python(name, instance, engine) => {}
            ComponentItem::ComponentInstance(instance) => {
                for (function, export) in instance.exports(engine) {
                    if let ComponentItem::ComponentFunc(func) = &export.ty {
                        tools.push(signature(Some(name), function, func)?);
                    }
                }
            }
            // Types, and modules that some toolchains export, are nothing to call.
            _ => {}
        }
    }
    if tools.is_empty() && provided.is_empty() {
        return Err(ComponentError::NoTools);
    }
    if tools.len() > MAX_TOOLS {
        return Err(ComponentError::Invalid(format!(
            "{} exported functions; at most {MAX_TOOLS} can be tools",
            tools.len()
        )));
    }
    Ok(Exports { tools: name_apart(tools)?, provided })
}

/// Whether this is what componentize-py leaves in each component: the function by which
/// it started the interpreter when the component was built, and which nobody can call.
fn is_start_of_python(name: &str, instance: &ComponentInstance, engine: &Engine) -> bool {
    let parameters = |func: &ComponentFunc| func.params().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
    name == "exports"
        && instance.exports(engine).all(|(name, export)| match &export.ty {
            ComponentItem::ComponentFunc(func) => {
                name == "init" && parameters(func) == ["app-name", "symbols", "stub-wasi"]
            }
            _ => true,
        })
}

/// The functions of an interface of ours, if this host knows it.
fn known_functions(interface: &str) -> Result<&'static [&'static str], ComponentError> {
    let rest = interface.strip_prefix(OURS).unwrap_or(interface);
    let (name, version) = rest.split_once('@').unwrap_or((rest, ""));
    if !version.starts_with(LINE) {
        let reason = format!(
            "and this host speaks bailiwick:skill {LINE}x: build the skill for that version, or run a newer host"
        );
        return Err(unknown(interface, reason));
    }
    let names = || PROVIDED.map(|(name, _)| name).join(", ");
    let known = PROVIDED.iter().find(|(known, _)| *known == name);
    let reason = || format!("which this host doesn't know: of bailiwick:skill {LINE}x a skill exports {}", names());
    known.map(|(_, functions)| *functions).ok_or_else(|| unknown(interface, reason()))
}

fn unknown(interface: &str, reason: String) -> ComponentError {
    ComponentError::UnknownExport { interface: interface.to_owned(), reason }
}

/// Gives functions that share a name their interface's name too.
fn name_apart(mut tools: Vec<ToolSignature>) -> Result<Vec<ToolSignature>, ComponentError> {
    let names: Vec<String> = tools.iter().map(|tool| tool.function.clone()).collect();
    for tool in &mut tools {
        let shared = names.iter().filter(|name| **name == tool.function).count() > 1;
        tool.name = if shared { tool.qualified_name() } else { tool.function.clone() };
    }
    for (i, tool) in tools.iter().enumerate() {
        if tools[..i].iter().any(|earlier| earlier.name == tool.name) {
            return Err(ComponentError::UnsupportedFunction {
                function: tool.name.clone(),
                reason: "another exported function has the same name; rename one of the two interfaces".to_owned(),
            });
        }
    }
    Ok(tools)
}

fn signature(interface: Option<&str>, function: &str, func: &ComponentFunc) -> Result<ToolSignature, ComponentError> {
    let unsupported = |reason: String| ComponentError::UnsupportedFunction {
        function: interface.map_or_else(|| function.to_owned(), |interface| format!("{interface}.{function}")),
        reason,
    };
    if func.async_() {
        return Err(unsupported("it is async, and this host calls plain functions only".to_owned()));
    }
    let mut params = Vec::new();
    for (name, ty) in func.params() {
        let ty = convert(&ty).map_err(|reason| unsupported(format!("its parameter `{name}` {reason}")))?;
        params.push(Field { name: name.to_owned(), ty, docs: None });
    }
    let answer = answer(func.results().next()).map_err(|reason| unsupported(format!("its result {reason}")))?;
    Ok(ToolSignature {
        name: function.to_owned(),
        interface: interface.map(str::to_owned),
        function: function.to_owned(),
        docs: None,
        params,
        answer,
    })
}

fn answer(result: Option<Type>) -> Result<Answer, String> {
    match result {
        None => Ok(Answer::Value(None)),
        Some(Type::Result(result)) => Ok(Answer::Fallible {
            ok: result.ok().map(|ty| convert(&ty)).transpose()?,
            err: result.err().map(|ty| convert(&ty)).transpose()?,
        }),
        Some(ty) => convert(&ty).map(|ty| Answer::Value(Some(ty))),
    }
}

/// The domain's form of a type, or why JSON can't carry it.
fn convert(ty: &Type) -> Result<WitType, String> {
    Ok(match ty {
        Type::Bool => WitType::Bool,
        Type::S8 => WitType::S8,
        Type::U8 => WitType::U8,
        Type::S16 => WitType::S16,
        Type::U16 => WitType::U16,
        Type::S32 => WitType::S32,
        Type::U32 => WitType::U32,
        Type::S64 => WitType::S64,
        Type::U64 => WitType::U64,
        Type::Float32 => WitType::F32,
        Type::Float64 => WitType::F64,
        Type::Char => WitType::Char,
        Type::String => WitType::String,
        Type::List(list) => WitType::List(Box::new(convert(&list.ty())?)),
        Type::Option(option) => WitType::Option(Box::new(convert(&option.ty())?)),
        Type::Tuple(tuple) => WitType::Tuple(tuple.types().map(|ty| convert(&ty)).collect::<Result<_, _>>()?),
        Type::Result(result) => WitType::Result {
            ok: result.ok().map(|ty| convert(&ty).map(Box::new)).transpose()?,
            err: result.err().map(|ty| convert(&ty).map(Box::new)).transpose()?,
        },
        Type::Record(record) => {
            let field = |field: wasmtime::component::types::Field<'_>| {
                convert(&field.ty).map(|ty| Field { name: field.name.to_owned(), ty, docs: None })
            };
            WitType::Record { docs: None, fields: record.fields().map(field).collect::<Result<_, _>>()? }
        }
        Type::Variant(variant) => {
            let case = |case: wasmtime::component::types::Case<'_>| {
                let ty = case.ty.as_ref().map(convert).transpose()?;
                Ok::<_, String>(Case { name: case.name.to_owned(), ty, docs: None })
            };
            WitType::Variant { docs: None, cases: variant.cases().map(case).collect::<Result<_, _>>()? }
        }
        Type::Enum(names) => WitType::Enum { docs: None, cases: names.names().map(plain_case).collect() },
        Type::Flags(names) => WitType::Flags { docs: None, flags: names.names().map(plain_case).collect() },
        Type::Own(_) | Type::Borrow(_) => return Err(refused("a resource", "pass a record or an id that names it")),
        Type::Stream(_) => return Err(refused("a stream", "pass a list")),
        Type::Future(_) => return Err(refused("a future", "return the value itself")),
        Type::ErrorContext => return Err(refused("an error-context", "return a string or a variant")),
        Type::Map(_) => return Err(refused("a map", "pass a list of tuples")),
        Type::FixedLengthList(_) => return Err(refused("a list of fixed length", "pass a list or a tuple")),
    })
}

fn plain_case(name: &str) -> Case {
    Case { name: name.to_owned(), ty: None, docs: None }
}

fn refused(what: &str, instead: &str) -> String {
    format!("holds {what}, which JSON can't carry; {instead}")
}
