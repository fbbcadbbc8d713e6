//! Items in macros that expand in a body: `static CALLSITE: … = …;` and `use … as _;` of logging macros.
//!
//! Items that are written in a body are collected before. Those that come out of a macro there are not: the crate is
//! complete by then. Their functions stay unknown; constants, statics and imports are treated like `let`.

use cratekeeper_model::graph::{Certainty, EdgeKind};
use cratekeeper_syntax::SyntaxKind;

use super::{Body, expressions};
use crate::collect::{ImportKind, Imported, imported};
use crate::definitions::{Definition, FunctionId, TraitId};
use crate::paths::{self, Namespace, PathOutcome};
use crate::sources::{Node, SyntaxReference};
use crate::symbol::Symbol;
use crate::view::View;

/// A name that stands for a path, or a trait whose methods are in scope.
#[derive(Debug)]
pub(crate) struct LocalUse {
    pub(crate) name: Option<Symbol>,
    pub(crate) path: Vec<Symbol>,
    pub(crate) leading_colons: bool,
    pub(crate) of_trait: Option<TraitId>,
}

/// What a path means, with names that macros imported around it seen through.
pub(crate) fn resolve(
    view: View<'_>,
    uses: &[LocalUse],
    module: u32,
    names: &[Symbol],
    leading_colons: bool,
    namespace: Namespace,
) -> PathOutcome {
    let View { universe, current, index } = view;
    if !leading_colons && let Some((first, rest)) = names.split_first() {
        for local in uses.iter().rev().filter(|it| it.name == Some(*first)) {
            let path: Vec<Symbol> = local.path.iter().chain(rest).copied().collect();
            let leading_colons = local.leading_colons;
            match paths::resolve_path(universe, current, index, module, &path, leading_colons, namespace) {
                PathOutcome::NotFound => {}
                found => return found,
            }
        }
    }
    paths::resolve_path(universe, current, index, module, names, leading_colons, namespace)
}

impl<'a> Body<'_, 'a> {
    /// What a path means here.
    pub(super) fn resolve(
        &self,
        names: &[Symbol],
        leading_colons: bool,
        namespace: Namespace,
    ) -> PathOutcome {
        resolve(self.view(), &self.uses, self.module, names, leading_colons, namespace)
    }

    /// Makes constants, statics and imports of a list of statements known, unless the collector did.
    pub(super) fn local_items(&mut self, list: Node<'a>) {
        let key = SyntaxReference { tree: self.tree, node: list.index };
        if self.macro_depth == 0 || self.context.origins.blocks.contains_key(&key) {
            return;
        }
        for item in list.children() {
            match item.kind() {
                SyntaxKind::USE => {
                    let paths = item.child(SyntaxKind::USE_TREE).map(imported).unwrap_or_default();
                    paths.into_iter().for_each(|it| self.local_use(it));
                }
                SyntaxKind::CONST | SyntaxKind::STATIC => {
                    let of_type = crate::lowering::type_child(item);
                    let of_type = of_type.map(|it| self.lower(it));
                    if let (Some(name), Some(of_type)) = (item.name().map(Symbol::new), of_type) {
                        self.locals.push((name, of_type));
                    }
                }
                _ => {}
            }
        }
    }

    /// The initialiser of a constant or static that [`Body::local_items`] made known.
    pub(super) fn local_value(&mut self, item: Node<'a>) {
        if self.macro_depth == 0 {
            return;
        }
        let of_type = crate::lowering::type_child(item).map(|it| self.lower(it));
        let written = item.children().skip_while(|it| it.kind() != SyntaxKind::EQ);
        if let Some(value) = written.into_iter().find(|it| expressions::is_expression(it.kind())) {
            let before = self.calls.found.len();
            self.expression(value, of_type);
            // The compiler runs the initialiser, not the function: only what it refers to may be called from here.
            for found in &mut self.calls.found[before..] {
                if found.kind != EdgeKind::Reference {
                    found.certainty = found.certainty.max(Certainty::Candidate);
                }
            }
        }
    }

    fn local_use(&mut self, imported: Imported) {
        let Imported { path, leading_colons, kind } = imported;
        let outcome = self.resolve(&path, leading_colons, Namespace::Types);
        let of_trait = match outcome {
            PathOutcome::Found(Definition::Trait(id), 0) => Some(id),
            _ => None,
        };
        let name = match kind {
            ImportKind::Named(name) | ImportKind::Module(name) => Some(name),
            _ => None,
        };
        if name.is_some() || of_trait.is_some() {
            self.uses.push(LocalUse { name, path, leading_colons, of_trait });
        }
    }

    /// Methods of traits that macros imported around here.
    pub(super) fn methods_of_local_uses(&self, name: Symbol) -> Vec<FunctionId> {
        self.uses.iter().filter_map(|it| self.declared(it.of_trait?, name)).collect()
    }
}
