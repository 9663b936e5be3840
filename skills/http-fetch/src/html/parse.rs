//! HTML text to a [`Document`], by html5ever.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::time::{Duration, Instant};

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilderOpts, TreeSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, Parser, QualName, local_name, ns, parse_document};

use super::dom::{DOCUMENT, Document, Element, Kind, NodeId};

/// A parsed document, and whether the parser had to stop before its end.
pub struct Parsed {
    pub document: Document,
    pub truncated: bool,
}

/// Browsers stop nesting here too; each tag costs time by the depth it is at.
const MAX_DEPTH: u32 = 512;

/// Several times what the largest pages for people have, in about 30 MiB.
const MAX_NODES: usize = 200_000;

/// How much is parsed between two looks at the limits. A few bytes can make as
/// many nodes as the document is deep, so this must be small.
const CHUNK_BYTES: usize = 1024;

/// A tag with very many attributes takes time by their square and makes no node
/// before it ends; only the clock shows it.
const MAX_PARSE_TIME: Duration = Duration::from_secs(5);

/// Parses a document. Any text is HTML; one that goes beyond the limits is cut
/// where it does.
pub fn parse(html: &str) -> Parsed {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            // Scripts do not run here, so the content for that case counts.
            scripting_enabled: false,
            drop_doctype: true,
            ..TreeBuilderOpts::default()
        },
        ..ParseOpts::default()
    };
    let mut parser = parse_document(Sink::new(), options);
    let began = Instant::now();
    let mut truncated = false;
    for chunk in chunks(html) {
        parser.process(StrTendril::from_slice(chunk));
        if beyond_limits(&parser) || began.elapsed() > MAX_PARSE_TIME {
            truncated = true;
            break;
        }
    }
    Parsed { document: parser.finish(), truncated }
}

fn beyond_limits(parser: &Parser<Sink>) -> bool {
    let document = parser.tokenizer.sink.sink.document.borrow();
    document.len() > MAX_NODES || document.deepest() > MAX_DEPTH
}

fn chunks(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (chunk, rest) = text.split_at(text.floor_char_boundary(CHUNK_BYTES));
        text = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Builds the document from what the parser finds.
struct Sink {
    document: RefCell<Document>,
}

/// A node as the parser knows it: it asks often for the name of an element.
#[derive(Clone)]
struct Handle {
    id: NodeId,
    name: QualName,
}

impl Handle {
    fn unnamed(id: NodeId) -> Self {
        Self { id, name: QualName::new(None, ns!(), local_name!("")) }
    }
}

impl Sink {
    fn new() -> Self {
        Self { document: RefCell::new(Document::new()) }
    }

    fn hidden(&self) -> Handle {
        Handle::unnamed(self.document.borrow_mut().add(Kind::Hidden))
    }

    fn has_parent(&self, handle: &Handle) -> bool {
        let document: Ref<'_, Document> = self.document.borrow();
        document.parent(handle.id).is_some()
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Document;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Document {
        self.document.into_inner()
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle::unnamed(DOCUMENT)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _flags: ElementFlags) -> Handle {
        let mut element = Element { name: name.clone(), attributes: Vec::new() };
        for attribute in attributes {
            element.keep_attribute(attribute.name.local, attribute.value);
        }
        let id = self.document.borrow_mut().add(Kind::Element(element));
        Handle { id, name }
    }

    fn create_comment(&self, _text: StrTendril) -> Handle {
        self.hidden()
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Handle {
        self.hidden()
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let mut document = self.document.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => document.append(parent.id, child.id),
            NodeOrText::AppendText(text) => document.append_text(parent.id, &text),
        }
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        if self.has_parent(element) {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    /// The contents stay below the template itself: nothing here reads them.
    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let mut document = self.document.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => document.insert_before(sibling.id, child.id),
            NodeOrText::AppendText(text) => document.insert_text_before(sibling.id, &text),
        }
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        let mut document = self.document.borrow_mut();
        if let Some(element) = document.element_mut(target.id) {
            for attribute in attributes {
                if element.attribute(&attribute.name.local).is_none() {
                    element.keep_attribute(attribute.name.local, attribute.value);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.document.borrow_mut().detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.document.borrow_mut().reparent_children(node.id, new_parent.id);
    }
}
