//! Function bodies and constants: blocks with items in them become modules.
//!
//! Bodies are scanned element by element, not walked: expressions nest deeper than a stack likes.

use std::rc::Rc;

use cratekeeper_syntax::SyntaxKind;

use super::items::is_item;
use super::{Collector, Spot};
use crate::definitions::{Configuration, Module, Scope};
use crate::sources::{Node, SyntaxReference};
use crate::symbol::Symbol;

impl<'a> Collector<'_, 'a> {
    pub(super) fn collect_bodies(&mut self) {
        while let Some(body) = self.bodies.pop_front() {
            let node = self.node(body.spot.tree, body.node);
            self.scan(&body.spot, node);
        }
    }

    /// Collects what stands in the blocks of an expression.
    fn scan(&mut self, spot: &Spot, root: Node<'a>) {
        // Blocks around the current element: where they end, and their spot.
        let mut open: Vec<(u32, Spot)> = Vec::new();
        let mut index = root.index;
        while index < root.after() {
            let node = self.node(spot.tree, index);
            while open.pop_if(|(after, _)| *after <= index).is_some() {}
            let around = open.last().map_or(spot, |(_, spot)| spot);
            // `const _: () = { macro!(…); };` is how macros define items unseen.
            let has_items =
                |it: Node<'a>| is_item(it.kind()) || spot.function.is_none() && statement_call(it).is_some();
            if node.kind() == SyntaxKind::STMT_LIST && node.children().any(has_items) {
                let around = around.clone();
                let Some(inner) = self.add_block(&around, node) else { return };
                self.collect_items(&inner, node);
                open.push((node.after(), inner));
            }
            let nested = index != root.index && is_item(node.kind());
            index = if nested { node.after() } else { index + 1 };
        }
    }

    fn add_block(&mut self, spot: &Spot, list: Node<'a>) -> Option<Spot> {
        if self.data.modules.len() >= self.input.limits.modules || spot.depth >= self.input.limits.depth {
            self.problem("items in blocks were left out: too many modules".to_owned());
            return None;
        }
        let number = self.data.modules.len() as u32;
        self.data.modules.push(Module {
            name: Symbol::new("_"),
            parent: Some(spot.module),
            block: Some(spot.function),
            scope: Scope::default(),
            place: self.sources.place(spot.tree, list.start()),
            configuration: Configuration::clone(&spot.configuration),
        });
        for node in [list, list.parent()] {
            self.origins.blocks.insert(SyntaxReference { tree: spot.tree, node: node.index }, number);
        }
        // Depth bounds calls of the collector to itself; bodies wait in a queue, but the chain of scopes grows.
        let depth = spot.depth + 1;
        let directories = Rc::clone(&spot.directories);
        Some(Spot { module: number, depth, directories, second_class: false, ..spot.clone() })
    }
}

/// The `MACRO_CALL` that is a whole statement.
pub(crate) fn statement_call(node: Node<'_>) -> Option<Node<'_>> {
    match node.kind() {
        SyntaxKind::MACRO_CALL => Some(node),
        SyntaxKind::MACRO_EXPR => node.child(SyntaxKind::MACRO_CALL),
        SyntaxKind::EXPR_STMT => node.child(SyntaxKind::MACRO_EXPR)?.child(SyntaxKind::MACRO_CALL),
        _ => None,
    }
}
