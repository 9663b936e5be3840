//! A document as a tree in one vector. Nodes name each other by index, so that
//! neither walking nor dropping a deep tree takes a deep stack.

use html5ever::tendril::StrTendril;
use html5ever::{LocalName, QualName, ns};

/// The index of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeId(u32);

/// The root of every document.
pub const DOCUMENT: NodeId = NodeId(0);

pub enum Kind {
    Document,
    Element(Element),
    Text(String),
    /// A comment or a processing instruction, of which nothing is kept.
    Hidden,
}

pub struct Element {
    pub name: QualName,
    pub attributes: Vec<(LocalName, StrTendril)>,
}

/// What a walk through a tree meets: each node once before its children, and
/// once after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    Enter(NodeId),
    Leave(NodeId),
}

pub struct Document {
    nodes: Vec<Node>,
    deepest: u32,
}

struct Node {
    kind: Kind,
    depth: u32,
    parent: Option<NodeId>,
    previous: Option<NodeId>,
    next: Option<NodeId>,
    first_child: Option<NodeId>,
    last_child: Option<NodeId>,
}

/// The attributes that anything here reads. Others are not kept, because scripts
/// and styles make up most of some pages.
const KEPT_ATTRIBUTES: [&str; 15] = [
    "alt",
    "aria-hidden",
    "class",
    "content",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "property",
    "role",
    "start",
    "style",
    "title",
];

impl Element {
    /// The name of an HTML element; empty for SVG and MathML, whose elements
    /// mean something else by the same names.
    pub fn html_name(&self) -> &str {
        if self.name.ns == ns!(html) { &self.name.local } else { "" }
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(candidate, _)| &**candidate == name).map(|(_, value)| &**value)
    }

    pub fn keep_attribute(&mut self, name: LocalName, value: StrTendril) {
        if KEPT_ATTRIBUTES.contains(&&*name) {
            self.attributes.push((name, value));
        }
    }
}

impl Document {
    pub fn new() -> Self {
        let mut document = Self { nodes: Vec::new(), deepest: 0 };
        document.add(Kind::Document);
        document
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The depth of the deepest node so far.
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    pub fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    pub fn element(&self, id: NodeId) -> Option<&Element> {
        match self.kind(id) {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    pub fn element_mut(&mut self, id: NodeId) -> Option<&mut Element> {
        match &mut self.node_mut(id).kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    /// The name of an HTML element; empty for every other node.
    pub fn name(&self, id: NodeId) -> &str {
        self.element(id).map_or("", Element::html_name)
    }

    pub fn attribute(&self, id: NodeId, name: &str) -> Option<&str> {
        self.element(id)?.attribute(name)
    }

    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        self.node(id).parent
    }

    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(self.node(id).first_child, |child| self.node(*child).next)
    }

    /// Walks the tree below and with `root`. The callback may answer that the
    /// children of a node it just entered are to be left out.
    pub fn walk(&self, root: NodeId, mut visit: impl FnMut(Visit) -> Descend) {
        let mut at = root;
        loop {
            if visit(Visit::Enter(at)) == Descend::Yes
                && let Some(child) = self.node(at).first_child
            {
                at = child;
                continue;
            }
            loop {
                visit(Visit::Leave(at));
                if at == root {
                    return;
                }
                if let Some(next) = self.node(at).next {
                    at = next;
                    break;
                }
                match self.node(at).parent {
                    Some(parent) => at = parent,
                    None => return,
                }
            }
        }
    }

    pub fn add(&mut self, kind: Kind) -> NodeId {
        // The limit on nodes is far below what a u32 can count.
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            kind,
            depth: 0,
            parent: None,
            previous: None,
            next: None,
            first_child: None,
            last_child: None,
        });
        id
    }

    pub fn append(&mut self, parent: NodeId, child: NodeId) {
        self.detach(child);
        let last = self.node(parent).last_child;
        self.link(parent, last, child, None);
    }

    pub fn append_text(&mut self, parent: NodeId, text: &str) {
        let last = self.node(parent).last_child;
        if !last.is_some_and(|last| self.extend_text(last, text)) {
            let child = self.add(Kind::Text(text.to_owned()));
            self.append(parent, child);
        }
    }

    pub fn insert_before(&mut self, sibling: NodeId, child: NodeId) {
        self.detach(child);
        if let Some(parent) = self.node(sibling).parent {
            let previous = self.node(sibling).previous;
            self.link(parent, previous, child, Some(sibling));
        }
    }

    pub fn insert_text_before(&mut self, sibling: NodeId, text: &str) {
        let previous = self.node(sibling).previous;
        if !previous.is_some_and(|previous| self.extend_text(previous, text)) {
            let child = self.add(Kind::Text(text.to_owned()));
            self.insert_before(sibling, child);
        }
    }

    pub fn detach(&mut self, id: NodeId) {
        let node = self.node_mut(id);
        let (parent, previous, next) = (node.parent.take(), node.previous.take(), node.next.take());
        match previous {
            Some(previous) => self.node_mut(previous).next = next,
            None => {
                if let Some(parent) = parent {
                    self.node_mut(parent).first_child = next;
                }
            }
        }
        match next {
            Some(next) => self.node_mut(next).previous = previous,
            None => {
                if let Some(parent) = parent {
                    self.node_mut(parent).last_child = previous;
                }
            }
        }
    }

    pub fn reparent_children(&mut self, from: NodeId, to: NodeId) {
        while let Some(child) = self.node(from).first_child {
            self.append(to, child);
        }
    }

    fn link(&mut self, parent: NodeId, previous: Option<NodeId>, child: NodeId, next: Option<NodeId>) {
        let depth = self.node(parent).depth + 1;
        self.deepest = self.deepest.max(depth);
        let node = self.node_mut(child);
        node.depth = depth;
        node.parent = Some(parent);
        node.previous = previous;
        node.next = next;
        match previous {
            Some(previous) => self.node_mut(previous).next = Some(child),
            None => self.node_mut(parent).first_child = Some(child),
        }
        match next {
            Some(next) => self.node_mut(next).previous = Some(child),
            None => self.node_mut(parent).last_child = Some(child),
        }
    }

    fn extend_text(&mut self, id: NodeId, text: &str) -> bool {
        match &mut self.node_mut(id).kind {
            Kind::Text(existing) => {
                existing.push_str(text);
                true
            }
            _ => false,
        }
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }
}

/// Whether a walk goes on to the children of the node it just entered. What a
/// callback answers to [`Visit::Leave`] does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Descend {
    Yes,
    No,
}

/// One value for every node of a document.
pub struct PerNode<T>(Vec<T>);

impl<T: Clone> PerNode<T> {
    pub fn new(document: &Document, initial: T) -> Self {
        Self(vec![initial; document.len()])
    }
}

impl<T> std::ops::Index<NodeId> for PerNode<T> {
    type Output = T;

    fn index(&self, id: NodeId) -> &T {
        &self.0[id.0 as usize]
    }
}

impl<T> std::ops::IndexMut<NodeId> for PerNode<T> {
    fn index_mut(&mut self, id: NodeId) -> &mut T {
        &mut self.0[id.0 as usize]
    }
}
