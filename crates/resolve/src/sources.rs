//! The text of the crate being read, and which definition came from where in it.
//!
//! Files and what macros expand to are trees in arenas that live as long as the crate is read. Definitions are numbered in
//! [`CrateData`](crate::definitions::CrateData); the lists here are parallel to its lists.

use std::cell::RefCell;

use cratekeeper_syntax::{Lines, Tree};
use rustc_hash::FxHashMap;
use typed_arena::Arena;

use crate::definitions::{CrateIndex, Place};
use crate::symbol::Symbol;

/// An element of a tree.
pub(crate) type Node<'a> = cratekeeper_syntax::Node<'a, 'a>;

/// What trees and texts are kept in.
#[derive(Default)]
pub(crate) struct Arenas<'a> {
    pub(crate) texts: Arena<String>,
    pub(crate) trees: Arena<Tree<'a>>,
    pub(crate) sources: Arena<Source<'a>>,
}

/// Where an element stands: number of the tree, number of the element in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SyntaxReference {
    pub(crate) tree: u32,
    pub(crate) node: u32,
}

/// A tree and where it comes from.
pub(crate) struct Source<'a> {
    pub(crate) tree: &'a Tree<'a>,
    /// Index in `CrateData::files`.
    pub(crate) file: u32,
    /// Of a file, its lines. An expansion stands wholly on the line of its call.
    pub(crate) lines: Option<Lines>,
    pub(crate) call_line: u32,
    /// Two digits; of an expansion, that of the macro's crate.
    pub(crate) edition: u8,
    /// Of an expansion, the crate of the macro: `local_inner_macros` are looked for there.
    pub(crate) macro_crate: Option<CrateIndex>,
}

/// All trees. More are added while bodies are read, as macros are expanded: hence the cell.
#[derive(Default)]
pub(crate) struct Sources<'a> {
    list: RefCell<Vec<&'a Source<'a>>>,
}

impl<'a> Sources<'a> {
    pub(crate) fn add(&self, source: &'a Source<'a>) -> u32 {
        let mut list = self.list.borrow_mut();
        list.push(source);
        list.len() as u32 - 1
    }

    pub(crate) fn source(&self, tree: u32) -> &'a Source<'a> {
        self.list.borrow()[tree as usize]
    }

    pub(crate) fn node(&self, reference: SyntaxReference) -> Node<'a> {
        self.source(reference.tree).tree.at(reference.node)
    }

    /// File and line of an offset in a tree.
    pub(crate) fn place(&self, tree: u32, offset: u32) -> Place {
        let source = self.source(tree);
        let line = source.lines.as_ref().map_or(source.call_line, |lines| lines.line(offset));
        Place { file: source.file, line }
    }
}

/// Which definition came from where; parallel to the lists of [`CrateData`](crate::definitions::CrateData).
#[derive(Debug, Default)]
pub(crate) struct Origins {
    pub(crate) functions: Vec<Option<SyntaxReference>>,
    pub(crate) adts: Vec<SyntaxReference>,
    pub(crate) traits: Vec<SyntaxReference>,
    pub(crate) implementations: Vec<SyntaxReference>,
    pub(crate) aliases: Vec<SyntaxReference>,
    pub(crate) values: Vec<SyntaxReference>,
    /// Associated types and constants: `TYPE_ALIAS` and `CONST` elements in implementations and traits, macro-made ones included,
    /// by the number of the implementation or trait.
    pub(crate) in_implementations: Vec<(u32, SyntaxReference)>,
    pub(crate) in_traits: Vec<(u32, SyntaxReference)>,
    /// Paths in `#[derive(…)]`, `cfg_attr` seen through, by the number of the type.
    pub(crate) derives: Vec<(u32, Box<[Symbol]>)>,
    /// Other attributes that are no built-in ones, by what they stand on: attribute macros.
    pub(crate) attributes: Vec<(SyntaxReference, Box<[Symbol]>)>,
    /// The module of a block with items in it, by its `BLOCK_EXPR`/`STMT_LIST` owner element.
    pub(crate) blocks: FxHashMap<SyntaxReference, u32>,
}
