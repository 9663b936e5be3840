//! The author's documentation, where the component carries it.
//!
//! A component's types have no names for the engine and no documentation for
//! anyone. Toolchains leave the documentation in a custom section,
//! `package-docs`, as JSON by package, interface and item; `wit-parser` knows
//! the names. Both are read here, and neither is trusted: what can't be read
//! is left out, because a tool without documentation still works.

use bailiwick_domain::wit::{Answer, Case, Field, ToolSignature, WitType, short_interface};
use serde_json::Value;
use wit_parser::decoding::{DecodedWasm, decode};
use wit_parser::{Function, Resolve, Type, TypeDefKind, TypeId, TypeOwner, WorldId, WorldItem};

/// The custom section that holds the documentation.
const SECTION: &str = "package-docs";

/// Puts the documentation of `bytes` into `tools`.
pub(super) fn annotate(tools: &mut [ToolSignature], bytes: &[u8]) {
    let Some((docs, stripped)) = section(bytes) else { return };
    let Ok(DecodedWasm::Component(resolve, world)) = decode(&stripped) else { return };
    let names = Names { resolve: &resolve, docs: &docs };
    for tool in tools {
        tool.docs = names.function_docs(tool.interface.as_deref(), &tool.function);
        if let Some(function) = find(&resolve, world, tool) {
            names.annotate_function(tool, function);
        }
    }
}

/// The documentation, and the component without its section: the parser would
/// look for the documented packages, of which a component keeps only parts.
fn section(bytes: &[u8]) -> Option<(Value, Vec<u8>)> {
    let mut found = None;
    let mut depth = 0_u32;
    for payload in wasmparser::Parser::new(0).parse_all(bytes) {
        match payload.ok()? {
            wasmparser::Payload::ModuleSection { .. } | wasmparser::Payload::ComponentSection { .. } => depth += 1,
            wasmparser::Payload::End(_) => depth = depth.saturating_sub(1),
            wasmparser::Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                // One byte of version, then JSON.
                let json = section.data().get(1..)?;
                let header = section_start(bytes, section.range().start)?;
                found = Some((serde_json::from_slice(json).ok()?, header, section.range().end));
            }
            _ => {}
        }
    }
    let (docs, start, end) = found?;
    let mut stripped = bytes.get(..start)?.to_vec();
    stripped.extend_from_slice(bytes.get(end..)?);
    Some((docs, stripped))
}

/// Where the section with this content begins: before its size (LEB128) and its id, 0.
fn section_start(bytes: &[u8], content: usize) -> Option<usize> {
    (1..=5).filter_map(|size| content.checked_sub(size + 1)).find(|start| {
        let size = bytes.get(start + 1..content).unwrap_or_default();
        let continued = |byte: &u8| byte & 0x80 != 0;
        bytes.get(*start) == Some(&0)
            && size.split_last().is_some_and(|(last, rest)| !continued(last) && rest.iter().all(continued))
    })
}

fn find<'a>(resolve: &'a Resolve, world: WorldId, tool: &ToolSignature) -> Option<&'a Function> {
    let world = &resolve.worlds[world];
    world.exports.iter().find_map(|(key, item)| match (item, &tool.interface) {
        (WorldItem::Function(function), None) if function.name == tool.function => Some(function),
        (WorldItem::Interface { id, .. }, Some(interface)) if resolve.name_world_key(key) == *interface => {
            resolve.interfaces[*id].functions.get(&tool.function)
        }
        _ => None,
    })
}

struct Names<'a> {
    resolve: &'a Resolve,
    docs: &'a Value,
}

impl Names<'_> {
    fn function_docs(&self, interface: Option<&str>, function: &str) -> Option<String> {
        match interface {
            Some(interface) => self.interface(short_interface(interface))?.get("funcs")?.get(function).and_then(text),
            None => self.worlds().find_map(|world| {
                ["func_exports", "funcs"].iter().find_map(|key| world.get(key)?.get(function).and_then(text))
            }),
        }
    }

    fn interface(&self, name: &str) -> Option<&Value> {
        let package = self.docs.get("interfaces").and_then(|interfaces| interfaces.get(name));
        package.or_else(|| {
            self.worlds()
                .find_map(|world| ["interface_exports", "interfaces"].iter().find_map(|key| world.get(key)?.get(name)))
        })
    }

    fn worlds(&self) -> impl Iterator<Item = &Value> {
        self.docs.get("worlds").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values)
    }

    fn annotate_function(&self, tool: &mut ToolSignature, function: &Function) {
        for (param, declared) in tool.params.iter_mut().zip(&function.params) {
            self.annotate_type(&mut param.ty, declared.ty);
        }
        let Some(result) = function.result else { return };
        match &mut tool.answer {
            Answer::Value(Some(ty)) => self.annotate_type(ty, result),
            Answer::Fallible { ok, err } => {
                if let TypeDefKind::Result(declared) = self.kind(result).unwrap_or(&TypeDefKind::Unknown) {
                    self.annotate_pair(ok.as_mut(), declared.ok);
                    self.annotate_pair(err.as_mut(), declared.err);
                }
            }
            Answer::Value(None) => {}
        }
    }

    fn annotate_pair(&self, ty: Option<&mut WitType>, declared: Option<Type>) {
        if let (Some(ty), Some(declared)) = (ty, declared) {
            self.annotate_type(ty, declared);
        }
    }

    /// Walks the two forms of one type side by side. They come from the same
    /// bytes; where they should differ, the walk ends.
    fn annotate_type(&self, ty: &mut WitType, declared: Type) {
        let (Some(kind), Type::Id(id)) = (self.kind(declared), declared) else { return };
        let docs = self.type_docs(id);
        match (ty, kind) {
            (WitType::List(inner), TypeDefKind::List(declared))
            | (WitType::Option(inner), TypeDefKind::Option(declared)) => {
                self.annotate_type(inner, *declared);
            }
            (WitType::Tuple(types), TypeDefKind::Tuple(declared)) => {
                types.iter_mut().zip(&declared.types).for_each(|(ty, declared)| self.annotate_type(ty, *declared));
            }
            (WitType::Result { ok, err }, TypeDefKind::Result(declared)) => {
                self.annotate_pair(ok.as_deref_mut(), declared.ok);
                self.annotate_pair(err.as_deref_mut(), declared.err);
            }
            (WitType::Record { docs: own, fields }, TypeDefKind::Record(declared)) => {
                *own = docs.and_then(text);
                self.annotate_fields(fields, docs, &declared.fields);
            }
            (WitType::Variant { docs: own, cases }, TypeDefKind::Variant(declared)) => {
                *own = docs.and_then(text);
                name_cases(cases, docs);
                for (case, declared) in cases.iter_mut().zip(&declared.cases) {
                    self.annotate_pair(case.ty.as_mut(), declared.ty);
                }
            }
            (WitType::Enum { docs: own, cases }, TypeDefKind::Enum(_))
            | (WitType::Flags { docs: own, flags: cases }, TypeDefKind::Flags(_)) => {
                *own = docs.and_then(text);
                name_cases(cases, docs);
            }
            _ => {}
        }
    }

    fn annotate_fields(&self, fields: &mut [Field], docs: Option<&Value>, declared: &[wit_parser::Field]) {
        for (field, declared) in fields.iter_mut().zip(declared) {
            field.docs = docs.and_then(|docs| item(docs, &field.name));
            self.annotate_type(&mut field.ty, declared.ty);
        }
    }

    /// The kind behind aliases.
    fn kind(&self, ty: Type) -> Option<&TypeDefKind> {
        let Type::Id(mut id) = ty else { return None };
        loop {
            match &self.resolve.types[id].kind {
                TypeDefKind::Type(Type::Id(next)) => id = *next,
                kind => return Some(kind),
            }
        }
    }

    /// What is written about a type, or about the one that it is an alias of.
    fn type_docs(&self, mut id: TypeId) -> Option<&Value> {
        loop {
            let ty = &self.resolve.types[id];
            if let (Some(name), TypeOwner::Interface(interface)) = (&ty.name, ty.owner)
                && let Some(interface) = &self.resolve.interfaces[interface].name
                && let Some(docs) = self.interface(interface).and_then(|docs| docs.get("types")?.get(name))
            {
                return Some(docs);
            }
            match ty.kind {
                TypeDefKind::Type(Type::Id(next)) => id = next,
                _ => return None,
            }
        }
    }
}

/// The text of an entry of the section: a string, or an object with `docs` (and `items`).
fn text(value: &Value) -> Option<String> {
    let text = value.as_str().or_else(|| value.get("docs")?.as_str())?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn item(docs: &Value, name: &str) -> Option<String> {
    docs.get("items")?.get(name).and_then(text)
}

fn name_cases(cases: &mut [Case], docs: Option<&Value>) {
    for case in cases {
        case.docs = docs.and_then(|docs| item(docs, &case.name));
    }
}
