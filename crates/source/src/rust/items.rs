//! Items: functions, implementations, traits, modules, imports, `extern` blocks.

use cratekeeper_model::facts::{
    ForeignBlock, ForeignItem, Function, FunctionContainer, UnsafeCounters, UseImport,
};
use cratekeeper_syntax::SyntaxKind;

use super::ModuleDeclaration;
use super::attributes;
use super::visitor::{Context, TextId, Visit, Visitor};
use crate::text::{PATH_BYTES, cut, excerpt, join_path};
use cratekeeper_syntax::Node;

/// Most `#[path]` of one module that are followed; real ones have one for each platform.
const PATHS: usize = 64;

/// Longest nesting of `use` trees that is followed; the parser's guard refuses deeper ones long before.
const USE_DEPTH: usize = 1000;

impl<'t> Visitor<'t> {
    /// The conditions in force inside `node`, and whether they differ from those around it.
    pub(super) fn cfg_inside(&mut self, node: Node<'_, 't>, context: Context) -> TextId {
        let own = attributes::conditions(node);
        if own.is_empty() {
            return context.cfg;
        }
        let mut cfg = self.text(context.cfg).to_owned();
        for condition in own {
            if !cfg.is_empty() {
                cfg.push_str(", ");
            }
            cfg.push_str(&condition);
        }
        self.intern(cut(cfg, PATH_BYTES))
    }

    pub(super) fn function(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        use SyntaxKind::{ASYNC_KW, BLOCK_EXPR, CONST_KW, EXTERN_ITEM_LIST, SELF_PARAM, UNSAFE_KW};
        if node.parent().kind() == EXTERN_ITEM_LIST {
            self.foreign_item(node, true);
            return Visit::Inside;
        }
        let is_unsafe = node.has(UNSAFE_KW);
        let cfg = self.cfg_inside(node, context);
        let path = join_path(self.text(context.prefix), node.name().unwrap_or("_"));
        let parameters = node.child(SyntaxKind::PARAM_LIST);
        let count =
            |kind| parameters.map_or(0, |list| list.children().filter(|it| it.kind() == kind).count());
        let receiver = count(SELF_PARAM) > 0;
        let head = first_after_attributes(node);
        let function = Function {
            path: path.clone(),
            disambiguator: 0,
            file: 0,
            targets: Vec::new(),
            line: self.line(head),
            end_line: self.line(node.end().saturating_sub(1)),
            start: self.base + node.start(),
            end: self.base + node.end(),
            visibility: visibility(node),
            container: context.container,
            r#unsafe: is_unsafe,
            abi: node.child(SyntaxKind::ABI).map(abi),
            r#async: node.has(ASYNC_KW),
            r#const: node.has(CONST_KW),
            generic: is_generic(node),
            receiver,
            arity: u16::try_from(count(SyntaxKind::PARAM) + usize::from(receiver)).unwrap_or(u16::MAX),
            has_body: node.has(BLOCK_EXPR),
            cfg: self.optional_text(cfg),
            counters: UnsafeCounters::default(),
        };
        if !self.afford(&function, 2 * path.len()) {
            return Visit::Inside;
        }
        let index = self.extract.functions.len() as u32;
        self.extract.functions.push(function);
        let inner = Context {
            prefix: self.intern(path),
            container: FunctionContainer::Free,
            function: Some(index),
            in_unsafe: is_unsafe,
            cfg,
            ..context
        };
        let free = context.container == FunctionContainer::Free;
        self.count(inner, |it| if free { it.functions.add(is_unsafe) } else { it.methods.add(is_unsafe) });
        Visit::Scope(inner)
    }

    pub(super) fn implementation(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let is_unsafe = node.has(SyntaxKind::UNSAFE_KW);
        self.count(context, |it| it.item_impls.add(is_unsafe));
        let types: Vec<Node<'_, 't>> = node.children().filter(|child| is_type(child.kind())).collect();
        let of_trait = node.has(SyntaxKind::FOR_KW);
        let name = match types[..] {
            [named, implementor, ..] if of_trait => {
                format!("<{} as {}>", implementor.plain_text(), named.plain_text())
            }
            [implementor, ..] => implementor.plain_text(),
            [] => "_".to_owned(),
        };
        let container = if of_trait { FunctionContainer::TraitImpl } else { FunctionContainer::Inherent };
        self.item_scope(node, context, &name, container)
    }

    pub(super) fn definition_of_trait(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let is_unsafe = node.has(SyntaxKind::UNSAFE_KW);
        self.count(context, |it| it.item_traits.add(is_unsafe));
        self.item_scope(node, context, node.name().unwrap_or("_"), FunctionContainer::Trait)
    }

    fn item_scope(
        &mut self,
        node: Node<'_, 't>,
        context: Context,
        name: &str,
        container: FunctionContainer,
    ) -> Visit {
        let path = join_path(self.text(context.prefix), name);
        Visit::Scope(Context {
            prefix: self.intern(path),
            cfg: self.cfg_inside(node, context),
            container,
            // `unsafe` around an item does not reach into it.
            in_unsafe: false,
            ..context
        })
    }

    /// Items that only change the conditions, and end `unsafe`.
    pub(super) fn other_item(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        if node.parent().kind() == SyntaxKind::EXTERN_ITEM_LIST {
            self.foreign_item(node, false);
        }
        Visit::Scope(Context { cfg: self.cfg_inside(node, context), in_unsafe: false, ..context })
    }

    pub(super) fn module(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let name = node.name().unwrap_or("_");
        let plain_name = name.strip_prefix("r#").unwrap_or(name);
        let cfg = self.cfg_inside(node, context);
        let inline = node.has(SyntaxKind::ITEM_LIST);
        let paths = attributes::paths(node);
        let directory = self.text(context.directory).to_owned();
        let inner_directory = {
            let attribute = paths.first().map(|(path, _)| path.as_str());
            match (directory.is_empty(), attribute) {
                // Such a directory begins at the file, not at the modules of the file; see `ModuleDeclaration::directory`.
                (true, Some(path)) => format!("/{path}"),
                (true, None) => plain_name.to_owned(),
                (false, _) => format!("{directory}/{}", attribute.unwrap_or(plain_name)),
            }
        };
        let declaration = ModuleDeclaration {
            parent: self.text(context.module).to_owned(),
            name: cut(plain_name.to_owned(), PATH_BYTES),
            inline,
            directory,
            certain: true,
            path_is_certain: paths.iter().any(|(_, certain)| *certain),
            paths: paths.into_iter().map(|(path, _)| path).take(PATHS).collect(),
            cfg: self.optional_text(cfg),
            line: self.line(first_after_attributes(node)),
        };
        let text = declaration.parent.len() + declaration.name.len() + declaration.directory.len();
        if self.afford(&declaration, text) {
            self.extract.modules.push(declaration);
        }
        if !inline {
            return Visit::Inside;
        }
        let module = join_path(self.text(context.module), plain_name);
        let prefix = join_path(self.text(context.prefix), plain_name);
        Visit::Scope(Context {
            prefix: self.intern(prefix),
            module: self.intern(module),
            directory: self.intern(cut(inner_directory, PATH_BYTES)),
            container: FunctionContainer::Free,
            function: None,
            in_unsafe: false,
            cfg,
            ..context
        })
    }

    pub(super) fn foreign_block(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let cfg = self.cfg_inside(node, context);
        let block = ForeignBlock {
            file: 0,
            line: self.line(first_after_attributes(node)),
            abi: node.child(SyntaxKind::ABI).map_or_else(|| "C".to_owned(), abi),
            r#unsafe: node.has(SyntaxKind::UNSAFE_KW),
            link: attributes::link(node).map(|text| excerpt(&text)),
            cfg: self.optional_text(cfg),
            items: Vec::new(),
        };
        if self.afford(&block, 0) {
            self.extract.foreign_blocks.push(block);
        }
        Visit::Scope(Context { cfg, in_unsafe: false, ..context })
    }

    fn foreign_item(&mut self, node: Node<'_, 't>, is_function: bool) {
        let item = ForeignItem {
            name: cut(node.name().unwrap_or("_").to_owned(), PATH_BYTES),
            line: self.line(first_after_attributes(node)),
            is_function,
            safe: node.has(SyntaxKind::SAFE_KW),
        };
        if self.afford(&item, item.name.len())
            && let Some(block) = self.extract.foreign_blocks.last_mut()
        {
            block.items.push(item);
        }
    }

    pub(super) fn extern_crate(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let name = node.child(SyntaxKind::NAME_REF).map_or("_", Node::text);
        let alias = node.child(SyntaxKind::RENAME).and_then(rename);
        let item = UseImport { extern_crate: true, ..self.import(node, context) };
        self.add_import(&item, cut(name.to_owned(), PATH_BYTES), alias);
        Visit::Skip
    }

    pub(super) fn use_declaration(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        if let Some(tree) = node.child(SyntaxKind::USE_TREE) {
            let item = self.import(node, context);
            self.use_tree(&item, tree, "", 0);
        }
        Visit::Skip
    }

    /// What all leaves of an import have in common.
    fn import(&mut self, item: Node<'_, 't>, context: Context) -> UseImport {
        let cfg = self.cfg_inside(item, context);
        UseImport {
            file: 0,
            line: self.line(first_after_attributes(item)),
            module: self.text(context.module).to_owned(),
            path: String::new(),
            alias: None,
            visibility: visibility(item),
            extern_crate: false,
            cfg: self.optional_text(cfg),
        }
    }

    fn use_tree(&mut self, item: &UseImport, tree: Node<'_, 't>, before: &str, depth: usize) {
        let own = tree.child(SyntaxKind::PATH).map(Node::plain_text).unwrap_or_default();
        let own =
            if own.is_empty() && tree.has(SyntaxKind::COLON2) && before.is_empty() { "::" } else { &own };
        let path = if own.is_empty() { before.to_owned() } else { join_path(before, own) };
        if let Some(list) = tree.child(SyntaxKind::USE_TREE_LIST).filter(|_| depth < USE_DEPTH) {
            for child in list.children().filter(|child| child.kind() == SyntaxKind::USE_TREE) {
                self.use_tree(item, child, &path, depth + 1);
            }
        } else if tree.has(SyntaxKind::STAR) {
            self.add_import(item, join_path(&path, "*"), None);
        } else {
            let alias = tree.child(SyntaxKind::RENAME).and_then(rename);
            self.add_import(item, path, alias);
        }
    }

    fn add_import(&mut self, item: &UseImport, path: String, alias: Option<String>) {
        let text = item.module.len() + item.cfg.as_ref().map_or(0, String::len) + path.len();
        if self.afford(item, text) {
            self.extract.uses.push(UseImport { path, alias, ..item.clone() });
        }
    }
}

fn rename(node: Node<'_, '_>) -> Option<String> {
    let name = node.name().or_else(|| node.has(SyntaxKind::UNDERSCORE).then_some("_"));
    name.map(|name| cut(name.to_owned(), PATH_BYTES))
}

fn visibility(node: Node<'_, '_>) -> String {
    let visibility = node.child(SyntaxKind::VISIBILITY).map(Node::plain_text);
    cut(visibility.unwrap_or_default(), PATH_BYTES)
}

/// `extern "C"` is `C`, and so is `extern` alone.
fn abi(node: Node<'_, '_>) -> String {
    let literal = node.children().find(|child| child.text().contains('"'));
    let name = literal.map_or_else(|| "C".to_owned(), |token| crate::literals::value(token.text()));
    cut(name, 64)
}

/// First byte behind the attributes.
pub(super) fn first_after_attributes(node: Node<'_, '_>) -> u32 {
    node.children().find(|child| child.kind() != SyntaxKind::ATTR).map_or(node.start(), Node::start)
}

/// Type or const parameters of its own, or `impl Trait` as an argument.
fn is_generic(function: Node<'_, '_>) -> bool {
    use SyntaxKind::{CONST_PARAM, GENERIC_PARAM_LIST, PARAM_LIST, TYPE_PARAM};
    let parameters = function.child(GENERIC_PARAM_LIST);
    parameters.is_some_and(|list| list.has(TYPE_PARAM) || list.has(CONST_PARAM))
        || function.child(PARAM_LIST).is_some_and(has_impl_trait)
}

/// Whether `impl Trait` stands in a list of parameters; not in functions inside it, of which each is looked at once.
fn has_impl_trait(parameters: Node<'_, '_>) -> bool {
    parameters.descendants_outside(SyntaxKind::BLOCK_EXPR).any(|it| it.kind() == SyntaxKind::IMPL_TRAIT_TYPE)
}

fn is_type(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        ARRAY_TYPE
            | DYN_TRAIT_TYPE
            | FN_PTR_TYPE
            | FOR_TYPE
            | IMPL_TRAIT_TYPE
            | INFER_TYPE
            | MACRO_TYPE
            | NEVER_TYPE
            | PAREN_TYPE
            | PATH_TYPE
            | PTR_TYPE
            | REF_TYPE
            | SLICE_TYPE
            | TUPLE_TYPE
    )
}
