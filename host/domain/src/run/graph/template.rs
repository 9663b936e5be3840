//! What a node is asked: a template with references to outputs.

use std::collections::BTreeSet;

use super::{Graph, MAX_RENDERED, Node};

/// The reference to what the run was asked.
pub(super) const INPUT: &str = "input";

/// Bytes of a few short outputs: with room for them, most texts are never moved while they grow.
const FEW_OUTPUTS: usize = 512;

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// Words.
    Text(&'t str),
    /// What stands between `{{` and `}}`.
    Reference(&'t str),
    /// A `{{` that nothing closes, with all that follows.
    Unclosed(&'t str),
}

impl Graph {
    /// What the node at place `node` is asked, in at most [`MAX_RENDERED`] bytes and a line
    /// that says what is missing. `outputs` gives the output of a node by its id; a node that
    /// has none (it failed, was skipped, or is not done) gives an empty text. Outputs are
    /// not templates: what looks like a reference in them is plain text.
    pub fn render(&self, node: usize, run_input: &str, outputs: &dyn Fn(&str) -> Option<String>) -> String {
        self.render_by(node, run_input, outputs)
    }

    /// The same of outputs that somebody else keeps.
    pub(in crate::run) fn render_by<S: AsRef<str>>(
        &self,
        node: usize,
        run_input: &str,
        outputs: &dyn Fn(&str) -> Option<S>,
    ) -> String {
        let Some(node) = self.nodes.get(node) else { return String::new() };
        if is_blank(&node.input) {
            return self.all_before(node, run_input, outputs);
        }
        let mut rendered = Rendered::after(node.input.len());
        for piece in pieces(&node.input) {
            match piece {
                Piece::Text(text) | Piece::Unclosed(text) => rendered.push(text),
                Piece::Reference(INPUT) => rendered.push(run_input),
                Piece::Reference(id) => rendered.push(outputs(id).as_ref().map_or("", AsRef::as_ref)),
            }
        }
        rendered.finish()
    }

    /// What the run was asked, and below it the output of each node that leads here and has
    /// one, in the order of the edges.
    fn all_before<S: AsRef<str>>(&self, node: &Node, run_input: &str, outputs: &dyn Fn(&str) -> Option<S>) -> String {
        let mut rendered = Rendered::after(run_input.len());
        rendered.push(run_input);
        let mut seen = BTreeSet::new();
        for edge in self.edges.iter().filter(|edge| edge.to == node.id) {
            if seen.insert(edge.from.as_str())
                && let Some(output) = outputs(&edge.from)
            {
                for piece in ["\n\nThe output of `", edge.from.as_str(), "`:\n", output.as_ref()] {
                    rendered.push(piece);
                }
            }
        }
        rendered.finish()
    }
}

/// Whether the template is that of a node which says nothing.
fn is_blank(template: &str) -> bool {
    template.trim().is_empty()
}

/// The parts of a template, in order. There is no way to write `{{` as plain text.
pub(super) fn pieces(template: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = match rest.find("{{") {
            None => (Piece::Text(rest), ""),
            Some(0) => reference(rest),
            Some(start) => (Piece::Text(&rest[..start]), &rest[start..]),
        };
        rest = after;
        Some(piece)
    })
}

/// The reference that the text begins with, and what follows it.
fn reference(text: &str) -> (Piece<'_>, &str) {
    let inside = text.strip_prefix("{{").unwrap_or(text);
    match inside.split_once("}}") {
        Some((reference, after)) => (Piece::Reference(reference), after),
        None => (Piece::Unclosed(text), ""),
    }
}

/// A text that grows up to a limit, and then only counts.
struct Rendered {
    text: String,
    whole: usize,
}

impl Rendered {
    /// Nothing yet, with room for so many bytes and for outputs behind them.
    fn after(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes.saturating_add(FEW_OUTPUTS).min(MAX_RENDERED)), whole: 0 }
    }

    fn push(&mut self, piece: &str) {
        let is_cut = self.text.len() < self.whole;
        let room = if is_cut { 0 } else { MAX_RENDERED.saturating_sub(self.text.len()) };
        self.whole = self.whole.saturating_add(piece.len());
        self.text.push_str(&piece[..piece.floor_char_boundary(room)]);
    }

    fn finish(self) -> String {
        let Self { text, whole } = self;
        if text.len() < whole { format!("{text}\n(the first {} of {whole} bytes)", text.len()) } else { text }
    }
}
