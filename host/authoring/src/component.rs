//! What the bytes of a component say of themselves, whether or not a host can run it.

use std::collections::BTreeMap;

use serde::Serialize;
use wasmparser::{BinaryReader, ComponentExternalKind, Encoding, Parser, Payload, ProducersSectionReader};

/// Names of one kind of producer that are kept: toolchains write a handful.
const MAX_PRODUCERS: usize = 64;

/// The first bytes of WebAssembly.
const MAGIC: &[u8] = b"\0asm";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A component, which a host can run.
    Component,
    /// A module, which has to be made a component first.
    CoreModule,
}

/// A component as its sections describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Component or module.
    pub form: Form,
    /// Bytes in all.
    pub size: u64,
    /// What it imports, by its name in the component.
    pub imports: Vec<String>,
    /// What it exports.
    pub exports: Vec<Export>,
    /// The core modules within, in their order; the module itself where it is one.
    pub modules: Vec<Module>,
    /// Bytes of custom sections by their name: debug information, names, documentation.
    pub custom: BTreeMap<String, u64>,
    /// Who made it: `language`, `processed-by` and `sdk`, each with versions.
    pub producers: BTreeMap<String, BTreeMap<String, String>>,
}

/// One thing that is exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Export {
    /// Its name, such as `demo:calc/calc@1.0.0` or `add`.
    pub name: String,
    /// `function`, `interface`, `type`, …
    pub kind: &'static str,
}

/// A core module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Module {
    /// Bytes of the module.
    pub size: u64,
    /// Bytes of its code.
    pub code: u64,
    /// Bytes of its data segments.
    pub data: u64,
    /// Functions that it defines.
    pub functions: u64,
}

/// Why bytes can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not WebAssembly that can be read: {0}")]
pub struct Unreadable(String);

impl Facts {
    /// Reads `bytes`.
    pub fn of(bytes: &[u8]) -> Result<Self, Unreadable> {
        if !bytes.starts_with(MAGIC) {
            let found: Vec<_> = bytes.iter().take(MAGIC.len()).map(|byte| format!("{byte:02x}")).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(" ") };
            return Err(Unreadable(format!("the file begins with {found}, expected `00 61 73 6d`")));
        }
        let mut reader = Reader::default();
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload.map_err(|error| Unreadable(error.to_string()))?;
            reader.take(&payload)?;
        }
        reader.finish(bytes.len() as u64)
    }

    /// Whether a toolchain of this name had a part in it, in whatever letters it is written.
    pub fn made_by(&self, name: &str) -> bool {
        self.producers.values().flat_map(BTreeMap::keys).any(|it| it.to_lowercase().contains(name))
    }

    /// Whether it holds an interpreter, whose own library imports what the skill needn't use.
    pub fn is_interpreted(&self) -> bool {
        ["componentize-py", "componentize-js", "componentizejs", "starlingmonkey", "cpython", "javascript", "python"]
            .iter()
            .any(|name| self.made_by(name))
            // componentize-py and componentize-js leave no producer of their own; an interpreter is large.
            || self.modules.iter().any(|module| module.code >= INTERPRETER_CODE)
    }

    /// Whether an interface of `package/name` is exported, in whatever version.
    pub fn exports_interface(&self, name: &str) -> bool {
        self.exports.iter().any(|export| export.name.split('@').next() == Some(name))
    }
}

/// Bytes of code of the smallest interpreter with its library: those of Python and
/// JavaScript have more than twice as much, and a large skill of compiled code less.
const INTERPRETER_CODE: u64 = 2 << 20;

#[derive(Default)]
struct Reader {
    form: Option<Form>,
    imports: Vec<String>,
    exports: Vec<Export>,
    modules: Vec<Module>,
    custom: BTreeMap<String, u64>,
    producers: BTreeMap<String, BTreeMap<String, String>>,
    /// For each part that is open, the place of its module in `modules`, if it is one.
    open: Vec<Option<usize>>,
    /// What the next header belongs to.
    next: Option<usize>,
}

impl Reader {
    fn take(&mut self, payload: &Payload<'_>) -> Result<(), Unreadable> {
        let unreadable = |error: wasmparser::BinaryReaderError| Unreadable(error.to_string());
        match payload {
            Payload::Version { encoding, .. } => self.begin(*encoding),
            Payload::End(_) => drop(self.open.pop()),
            Payload::ModuleSection { unchecked_range, .. } => {
                self.next = Some(self.modules.len());
                self.modules.push(Module { size: unchecked_range.len() as u64, ..Module::default() });
            }
            Payload::CodeSectionStart { count, range, .. } => {
                if let Some(module) = self.module() {
                    module.functions = u64::from(*count);
                    module.code = range.len() as u64;
                }
            }
            Payload::DataSection(section) => {
                let bytes = section.range().len() as u64;
                if let Some(module) = self.module() {
                    module.data = bytes;
                }
            }
            Payload::CustomSection(section) => self.custom_section(section.name(), section.data()),
            Payload::ComponentImportSection(section) if self.open.len() == 1 => {
                for import in section.clone() {
                    self.imports.push(import.map_err(unreadable)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if self.open.len() == 1 => {
                for export in section.clone() {
                    let export = export.map_err(unreadable)?;
                    self.exports.push(Export { name: export.name.name.to_owned(), kind: kind(export.kind) });
                }
            }
            Payload::ImportSection(section) if self.form == Some(Form::CoreModule) => {
                for import in section.clone().into_imports() {
                    let import = import.map_err(unreadable)?;
                    self.imports.push(format!("{}.{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) if self.form == Some(Form::CoreModule) => {
                for export in section.clone() {
                    let export = export.map_err(unreadable)?;
                    self.exports.push(Export { name: export.name.to_owned(), kind: "core" });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A header: of the file itself, or of a part of it.
    fn begin(&mut self, encoding: Encoding) {
        if self.form.is_none() {
            self.form = Some(if encoding == Encoding::Component { Form::Component } else { Form::CoreModule });
            if encoding == Encoding::Module {
                self.next = Some(0);
                self.modules.push(Module::default());
            }
        }
        self.open.push(self.next.take());
    }

    fn module(&mut self) -> Option<&mut Module> {
        let index = self.open.last().copied().flatten()?;
        self.modules.get_mut(index)
    }

    fn custom_section(&mut self, name: &str, data: &[u8]) {
        *self.custom.entry(name.to_owned()).or_default() += data.len() as u64;
        if name != "producers" {
            return;
        }
        // What can't be read is left out: nobody depends on it.
        let Ok(fields) = ProducersSectionReader::new(BinaryReader::new(data, 0)) else { return };
        for field in fields.into_iter().flatten() {
            let names = self.producers.entry(field.name.to_owned()).or_default();
            for value in field.values.into_iter().flatten() {
                if names.len() < MAX_PRODUCERS {
                    names.insert(value.name.to_owned(), value.version.to_owned());
                }
            }
        }
    }

    fn finish(self, size: u64) -> Result<Facts, Unreadable> {
        let form = self.form.ok_or_else(|| Unreadable("there is nothing in it".to_owned()))?;
        let Self { imports, exports, mut modules, custom, producers, .. } = self;
        if let (Form::CoreModule, Some(module)) = (form, modules.first_mut()) {
            module.size = size;
        }
        Ok(Facts { form, size, imports, exports, modules, custom, producers })
    }
}

const fn kind(kind: ComponentExternalKind) -> &'static str {
    match kind {
        ComponentExternalKind::Module => "module",
        ComponentExternalKind::Func => "function",
        ComponentExternalKind::Value => "value",
        ComponentExternalKind::Type => "type",
        ComponentExternalKind::Instance => "interface",
        ComponentExternalKind::Component => "component",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        Facts::of(&wat::parse_str(text).expect(text)).expect(text)
    }

    #[test]
    fn a_component_tells_what_it_is_made_of() {
        let facts = facts(
            r#"(component
                (import "wasi:clocks/monotonic-clock@0.2.0" (instance))
                (core module $m (memory 1) (data (i32.const 0) "twelve bytes")
                    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
                (core instance $i (instantiate $m))
                (func (export "add") (param "a" u32) (param "b" u32) (result u32)
                    (canon lift (core func $i "add"))))"#,
        );
        assert_eq!(facts.form, Form::Component);
        assert_eq!(facts.imports, ["wasi:clocks/monotonic-clock@0.2.0"]);
        assert_eq!(facts.exports, [Export { name: "add".to_owned(), kind: "function" }]);
        let module = &facts.modules[0];
        assert_eq!((facts.modules.len(), module.functions), (1, 1));
        assert!(module.data >= 12 && module.size > module.code + module.data && facts.size > module.size);
        assert!(!facts.is_interpreted());
    }

    #[test]
    fn a_module_is_told_from_a_component() {
        let facts = facts(r#"(module (import "env" "log" (func)) (func (export "run")))"#);
        assert_eq!((facts.form, facts.imports.as_slice()), (Form::CoreModule, &["env.log".to_owned()][..]));
        assert_eq!((facts.modules.len(), facts.modules[0].size), (1, facts.size));
        assert!(Facts::of(b"MZ\x90\0").is_err() && Facts::of(b"").is_err());
    }
}
