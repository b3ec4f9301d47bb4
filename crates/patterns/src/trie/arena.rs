use std::mem;
use std::ops::{Index, IndexMut};

pub(crate) type NodeId = u32;
pub(super) const ROOT: NodeId = 0;

/// Below this many vacant nodes, closing the gaps is not worth its cost. Small under test, so that random trees of
/// a few nodes go through it too.
const COMPACT_FROM: usize = if cfg!(test) { 3 } else { 64 };

/// The nodes of a radix tree, linked by index.
#[derive(Debug)]
pub(super) struct Arena<K> {
    nodes: Vec<Node<K>>,
    vacant: Vec<NodeId>,
}

#[derive(Debug)]
pub(super) struct Node<K> {
    /// Who holds the topic that ends here and how many times, sorted.
    pub(super) holders: Vec<(K, u32)>,
    /// The bytes between the parent and this node; empty at the root only.
    label: Box<[u8]>,
    parent: NodeId,
    /// By the first byte of their labels, sorted.
    children: Vec<(u8, NodeId)>,
}

impl<K> Arena<K> {
    pub(super) fn new() -> Arena<K> {
        Arena { nodes: vec![Node::new(ROOT, &[])], vacant: Vec::new() }
    }

    /// The node of a topic, made if it is not there.
    pub(super) fn reach(&mut self, topic: &[u8]) -> NodeId {
        let mut at = ROOT;
        let mut rest = topic;
        while let Some(&first) = rest.first() {
            let Some(child) = self[at].child(first) else {
                return self.add_leaf(at, first, rest);
            };
            let label = &self[child].label;
            let common = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
            at = if common < label.len() { self.split(child, common) } else { child };
            rest = &rest[common..];
        }
        at
    }

    pub(super) fn find(&self, topic: &[u8]) -> Option<NodeId> {
        let mut at = ROOT;
        let mut rest = topic;
        while let Some(&first) = rest.first() {
            at = self[at].child(first)?;
            rest = rest.strip_prefix(&*self[at].label)?;
        }
        Some(at)
    }

    /// The nodes whose topics `message` begins with, shortest first.
    #[inline]
    pub(super) fn along<'a>(&'a self, message: &'a [u8]) -> impl Iterator<Item = &'a Node<K>> {
        let mut rest = message;
        std::iter::successors(Some(&self[ROOT]), move |node| {
            let next = &self[node.child(*rest.first()?)?];
            rest = rest.strip_prefix(&*next.label)?;
            Some(next)
        })
    }

    /// Their ids.
    #[inline]
    pub(super) fn ids_along<'a>(&'a self, message: &'a [u8]) -> impl Iterator<Item = NodeId> {
        let mut rest = message;
        std::iter::successors(Some(ROOT), move |&at| {
            let next = self[at].child(*rest.first()?)?;
            rest = rest.strip_prefix(&*self[next].label)?;
            Some(next)
        })
    }

    /// The nodes that somebody holds.
    pub(super) fn held(&self) -> impl Iterator<Item = NodeId> + '_ {
        (ROOT..).zip(&self.nodes).filter(|(_, node)| !node.holders.is_empty()).map(|(id, _)| id)
    }

    /// The topic that ends at a node.
    pub(super) fn topic(&self, node: NodeId) -> Vec<u8> {
        let mut path = Vec::new();
        let mut at = node;
        while at != ROOT {
            path.push(&*self[at].label);
            at = self[at].parent;
        }
        path.reverse();
        path.concat()
    }

    /// Takes out a node that nobody holds, unless it is a fork; its parent too if it is no fork any more.
    pub(super) fn prune(&mut self, node: NodeId) {
        if !self[node].is_superfluous(node) {
            return;
        }
        if !self[node].children.is_empty() {
            return self.join_with_child(node);
        }
        let Node { parent, label, .. } = self.vacate(node);
        let place = self[parent].place(label[0]).expect("a node is among its parent's children");
        let siblings = &mut self[parent].children;
        siblings.remove(place);
        if siblings.len() < siblings.capacity() / 4 {
            siblings.shrink_to(siblings.len() * 2);
        }
        if self[parent].is_superfluous(parent) {
            self.join_with_child(parent);
        }
    }

    /// Closes the gaps when most of the arena is vacant, and gives the memory back; then tells where each node went.
    pub(super) fn compact(&mut self) -> Option<Vec<NodeId>> {
        if self.vacant.len() < COMPACT_FROM || self.vacant.len() < self.nodes.len() / 4 * 3 {
            return None;
        }
        let mut moved = vec![ROOT; self.nodes.len()];
        let mut is_vacant = vec![false; self.nodes.len()];
        for node in mem::take(&mut self.vacant) {
            is_vacant[node as usize] = true;
        }
        let mut kept = Vec::new();
        for (old, node) in mem::take(&mut self.nodes).into_iter().enumerate() {
            if !is_vacant[old] {
                moved[old] = kept.len() as NodeId;
                kept.push(node);
            }
        }
        for node in &mut kept {
            node.parent = moved[node.parent as usize];
            node.children.iter_mut().for_each(|(_, child)| *child = moved[*child as usize]);
        }
        self.nodes = kept;
        Some(moved)
    }

    fn add_leaf(&mut self, parent: NodeId, first: u8, label: &[u8]) -> NodeId {
        let leaf = self.occupy(Node::new(parent, label));
        let children = &mut self[parent].children;
        let place = children.partition_point(|&(byte, _)| byte < first);
        children.insert(place, (first, leaf));
        leaf
    }

    /// Puts a node in the middle of `node`'s label. The lower half stays `node`, because its holders know it.
    fn split(&mut self, node: NodeId, at: usize) -> NodeId {
        let label = mem::take(&mut self[node].label);
        let parent = self[node].parent;
        let middle = self.occupy(Node::new(parent, &label[..at]));
        self[middle].children.push((label[at], node));
        self.replace_child(parent, label[0], middle);
        self[node].parent = middle;
        self[node].label = label[at..].into();
        middle
    }

    /// Gives a node's label to its only child and takes it out.
    fn join_with_child(&mut self, node: NodeId) {
        let Node { parent, label, children, .. } = self.vacate(node);
        let &[(_, child)] = &*children else {
            panic!("only a node with exactly one child is joined");
        };
        self.replace_child(parent, label[0], child);
        self[child].parent = parent;
        self[child].label = [&*label, &*self[child].label].concat().into();
    }

    fn replace_child(&mut self, parent: NodeId, first: u8, child: NodeId) {
        let place = self[parent].place(first).expect("a node is among its parent's children");
        self[parent].children[place].1 = child;
    }

    fn occupy(&mut self, node: Node<K>) -> NodeId {
        if let Some(id) = self.vacant.pop() {
            self[id] = node;
            return id;
        }
        let id =
            NodeId::try_from(self.nodes.len()).expect("memory ends long before four thousand million nodes");
        self.nodes.push(node);
        id
    }

    fn vacate(&mut self, node: NodeId) -> Node<K> {
        self.vacant.push(node);
        mem::replace(&mut self[node], Node::new(ROOT, &[]))
    }

    #[cfg(test)]
    pub(super) fn slots(&self) -> (usize, usize) {
        (self.nodes.len() - self.vacant.len(), self.nodes.capacity())
    }
}

impl<K> Node<K> {
    fn new(parent: NodeId, label: &[u8]) -> Node<K> {
        Node { holders: Vec::new(), label: label.into(), parent, children: Vec::new() }
    }

    #[inline]
    fn child(&self, first: u8) -> Option<NodeId> {
        self.place(first).map(|place| self.children[place].1)
    }

    #[inline]
    fn place(&self, first: u8) -> Option<usize> {
        self.children.binary_search_by_key(&first, |&(byte, _)| byte).ok()
    }

    /// Neither the root, nor a topic, nor a fork.
    fn is_superfluous(&self, id: NodeId) -> bool {
        id != ROOT && self.holders.is_empty() && self.children.len() < 2
    }
}

impl<K> Index<NodeId> for Arena<K> {
    type Output = Node<K>;

    #[inline]
    fn index(&self, node: NodeId) -> &Node<K> {
        &self.nodes[node as usize]
    }
}

impl<K> IndexMut<NodeId> for Arena<K> {
    fn index_mut(&mut self, node: NodeId) -> &mut Node<K> {
        &mut self.nodes[node as usize]
    }
}
