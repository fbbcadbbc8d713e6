//! `use` and `extern crate` to imports.

use cratekeeper_syntax::SyntaxKind;

use super::attributes::segments;
use super::imports::{Import, ImportKind, State};
use super::items::Item;
use super::{Collector, Spot};
use crate::definitions::{CrateIndex, Definition, ModuleId, Visibility};
use crate::paths::Namespace;
use crate::sources::Node;
use crate::symbol::Symbol;

/// Longest path of a `use`, in segments. Real ones have at most a dozen.
const SEGMENTS: usize = 100;

/// A `use` with what its trees share.
struct Declaration {
    module: u32,
    visibility: Visibility,
    edition: u8,
    active: bool,
    prelude: bool,
}

impl<'a> Collector<'_, 'a> {
    pub(super) fn collect_use(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(tree) = item.node.child(SyntaxKind::USE_TREE) else { return };
        let declaration = Declaration {
            module: spot.module,
            visibility: item.visibility,
            edition: self.sources.source(spot.tree).edition,
            active: !item.attributes.inactive && !spot.second_class,
            prelude: item.attributes.prelude_import,
        };
        for Imported { path, leading_colons, kind } in imported(tree) {
            self.add_import(&declaration, path, leading_colons, kind);
        }
    }

    fn add_import(
        &mut self,
        declaration: &Declaration,
        path: Vec<Symbol>,
        leading_colons: bool,
        kind: ImportKind,
    ) {
        if declaration.prelude && kind == ImportKind::Glob {
            self.prelude_import = Some((declaration.module, path.into_boxed_slice()));
            return;
        }
        self.imports.add(Import {
            module: declaration.module,
            path: path.into_boxed_slice(),
            leading_colons,
            kind,
            visibility: declaration.visibility,
            edition: declaration.edition,
            active: declaration.active,
            state: State::Open,
            changes: 0,
        });
    }

    pub(super) fn collect_extern_crate(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.child(SyntaxKind::NAME_REF).map(|it| Symbol::new(it.text())) else {
            return;
        };
        let rename = item.node.child(SyntaxKind::RENAME);
        let own = name.as_str() == "self";
        let known = if own { Some(self.input.index) } else { self.crate_named(name) };
        let new_name = match rename {
            Some(rename) => rename.name().map(Symbol::new),
            None => Some(name).filter(|_| !own),
        };
        if let Some(krate) = known.filter(|_| item.attributes.macro_use && !item.attributes.inactive) {
            self.use_macros_of(krate);
        }
        let Some(new_name) = new_name else { return };
        match known {
            Some(krate) => {
                let root = Definition::Module(ModuleId { krate, index: 0 });
                self.declare(spot, item, new_name, Namespace::Types, root);
                if spot.module == 0 && !item.attributes.inactive {
                    self.data.extern_prelude.entry(new_name).or_insert(krate);
                }
            }
            None if !item.attributes.inactive => self.declare_unread(spot.module, new_name, Box::new([name])),
            None => {}
        }
    }

    /// The crate that `extern crate name` means.
    fn crate_named(&self, name: Symbol) -> Option<CrateIndex> {
        let dependency =
            self.input.dependencies.iter().find(|(known, _)| *known == name).map(|(_, krate)| *krate);
        let standard = self.input.standard;
        let found = dependency.or_else(|| match name.as_str() {
            "core" => standard.map(|it| it.core),
            "alloc" => standard.map(|it| it.alloc),
            "std" => standard.map(|it| it.std),
            _ => None,
        });
        found.filter(|krate| *krate == self.input.index || self.universe.known(*krate).is_some())
    }

    /// `#[macro_use] extern crate`
    fn use_macros_of(&mut self, krate: CrateIndex) {
        let Some(data) = self.universe.known(krate) else { return };
        let at_root = data.modules.first().into_iter().flat_map(|root| &root.scope.macros);
        let public = at_root.filter(|(_, (_, visibility))| *visibility == Visibility::Public);
        let exported = data.exported_macros.iter().filter(|(_, id)| id.krate == krate);
        let all = public.map(|(name, (id, _))| (*name, *id)).chain(exported.map(|(name, id)| (*name, *id)));
        for (name, id) in all {
            self.data.exported_macros.entry(name).or_insert(id);
        }
    }
}

/// One path of a `use`.
pub(crate) struct Imported {
    pub(crate) path: Vec<Symbol>,
    pub(crate) leading_colons: bool,
    pub(crate) kind: ImportKind,
}

/// All paths of a `USE_TREE`.
pub(crate) fn imported(tree: Node<'_>) -> Vec<Imported> {
    let mut found = Vec::new();
    // Trees nest: those still to be looked at, with the path before them.
    let mut open: Vec<(Node<'_>, Vec<Symbol>, bool)> = vec![(tree, Vec::new(), false)];
    while let Some((tree, mut path, mut leading_colons)) = open.pop() {
        let outer = path.len();
        if let Some(own) = tree.child(SyntaxKind::PATH) {
            let (own, own_colons) = segments(own);
            leading_colons |= own_colons && path.is_empty();
            path.extend(own);
        } else if path.is_empty() {
            leading_colons |= tree.children().next().is_some_and(|it| it.kind() == SyntaxKind::COLON2);
        }
        if path.len() > SEGMENTS {
            continue;
        }
        if let Some(list) = tree.child(SyntaxKind::USE_TREE_LIST) {
            let trees = list.children().filter(|it| it.kind() == SyntaxKind::USE_TREE);
            open.extend(trees.map(|it| (it, path.clone(), leading_colons)));
        } else if tree.has(SyntaxKind::STAR) {
            found.push(Imported { path, leading_colons, kind: ImportKind::Glob });
        } else {
            let of_self = outer > 0 && path.len() == outer + 1 && path[outer].as_str() == "self";
            if of_self {
                path.pop();
            }
            let kind = named(tree, &path, of_self);
            found.push(Imported { path, leading_colons, kind });
        }
    }
    found
}

/// What a tree without `*` and `{` imports.
fn named(tree: Node<'_>, path: &[Symbol], of_self: bool) -> ImportKind {
    let name = match tree.child(SyntaxKind::RENAME) {
        Some(rename) => match rename.name() {
            Some(name) => Symbol::new(name),
            None => return ImportKind::Unnamed,
        },
        None => match path.last() {
            Some(name) => *name,
            None => return ImportKind::Unnamed,
        },
    };
    if of_self { ImportKind::Module(name) } else { ImportKind::Named(name) }
}
