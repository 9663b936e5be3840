//! The edges of a graph by the places of their ends.

use std::collections::HashMap;

use super::Graph;

/// For each node what leads to it and what leads away. An edge with an unknown end, which a
/// checked graph doesn't have, is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::run) struct Wiring {
    /// What leads to each node.
    pub(super) incoming: Vec<Vec<Link>>,
    /// What leads away from each node.
    pub(super) outgoing: Vec<Vec<Link>>,
    /// Every node after all that lead to it. Nodes of a cycle, and what is behind them, are
    /// not in it.
    pub(super) order: Vec<usize>,
}

/// One end of an edge, as the other end sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// The edge's place in the graph.
    pub(super) edge: usize,
    /// The place of the node at the far end.
    pub(super) node: usize,
}

/// For each node the set of those before it, as bits: 125 kB for the largest graph, and as
/// fast as 16 words for each edge.
pub(super) struct Ancestors {
    words: usize,
    bits: Vec<u64>,
}

impl Wiring {
    pub(in crate::run) fn of(graph: &Graph) -> Self {
        Self::between(&places(graph), graph)
    }

    /// The same for whoever knows the place of each node by its id.
    pub(super) fn between(places: &HashMap<&str, usize>, graph: &Graph) -> Self {
        let mut incoming: Vec<Vec<Link>> = vec![Vec::new(); graph.nodes.len()];
        let mut outgoing = incoming.clone();
        for (edge, it) in graph.edges.iter().enumerate() {
            if let (Some(from), Some(to)) = (places.get(it.from.as_str()), places.get(it.to.as_str())) {
                incoming[*to].push(Link { edge, node: *from });
                outgoing[*from].push(Link { edge, node: *to });
            }
        }
        let order = order(&incoming, &outgoing);
        Self { incoming, outgoing, order }
    }

    /// A cycle in the order of its edges, from that node of it which the graph names first.
    /// None where the order has every node.
    ///
    /// A node that has no place in the order has a predecessor that has none either. So
    /// whoever walks back from it comes to a node for the second time, and what is between
    /// is a cycle.
    pub(super) fn cycle(&self) -> Option<Vec<usize>> {
        let mut is_left = vec![true; self.incoming.len()];
        for node in &self.order {
            is_left[*node] = false;
        }
        let mut node = is_left.iter().position(|left| *left)?;
        let mut path: Vec<usize> = Vec::new();
        let mut seen: Vec<Option<usize>> = vec![None; is_left.len()];
        while seen[node].is_none() {
            seen[node] = Some(path.len());
            path.push(node);
            node = self.incoming[node].iter().map(|link| link.node).find(|before| is_left[*before])?;
        }
        let mut cycle = path.split_off(seen[node]?);
        cycle.reverse();
        let first = (0..cycle.len()).min_by_key(|place| cycle[*place])?;
        cycle.rotate_left(first);
        Some(cycle)
    }

    /// Who is before whom. The order has every node.
    pub(super) fn ancestors(&self) -> Ancestors {
        let words = self.incoming.len().div_ceil(64);
        let mut bits = vec![0_u64; words * self.incoming.len()];
        for node in &self.order {
            for link in &self.incoming[*node] {
                for word in 0..words {
                    let before = bits[link.node * words + word];
                    bits[node * words + word] |= before;
                }
                bits[node * words + link.node / 64] |= 1 << (link.node % 64);
            }
        }
        Ancestors { words, bits }
    }
}

impl Ancestors {
    /// Whether `before` is before `node`.
    pub(super) fn has(&self, node: usize, before: usize) -> bool {
        self.bits.get(node * self.words + before / 64).is_some_and(|word| (word >> (before % 64)) & 1 == 1)
    }
}

fn order(incoming: &[Vec<Link>], outgoing: &[Vec<Link>]) -> Vec<usize> {
    let mut missing: Vec<usize> = incoming.iter().map(Vec::len).collect();
    let mut order: Vec<usize> = (0..missing.len()).filter(|node| missing[*node] == 0).collect();
    let mut place = 0;
    while let Some(node) = order.get(place).copied() {
        place += 1;
        for link in &outgoing[node] {
            missing[link.node] -= 1;
            if missing[link.node] == 0 {
                order.push(link.node);
            }
        }
    }
    order
}

/// The place of each node by its id.
pub(super) fn places(graph: &Graph) -> HashMap<&str, usize> {
    let mut places = HashMap::with_capacity(graph.nodes.len());
    for (place, node) in graph.nodes.iter().enumerate() {
        places.entry(node.id.as_str()).or_insert(place);
    }
    places
}
