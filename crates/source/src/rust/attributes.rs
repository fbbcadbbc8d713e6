//! Attributes: conditions, `#[path]`, what speaks to the linker, `#![forbid(unsafe_code)]`.

use cratekeeper_model::facts::LinkageAttribute;
use cratekeeper_syntax::SyntaxKind;

use super::visitor::Visitor;
use crate::literals;
use crate::text::{PATH_BYTES, cut, excerpt};
use cratekeeper_syntax::{Node, Tree};

/// Attributes that end up in the object file's symbols or sections.
pub(super) const LINKAGE: [&str; 6] =
    ["no_mangle", "export_name", "link_section", "link", "link_name", "used"];

impl<'t> Visitor<'t> {
    /// Keeps an attribute that speaks to the linker, also below `unsafe(…)` and `cfg_attr(…)`.
    pub(super) fn linkage(&mut self, attribute: Node<'_, 't>) {
        for (name, meta) in metas(attribute) {
            if !LINKAGE.contains(&name) {
                continue;
            }
            let value = match meta.kind() {
                SyntaxKind::KEY_VALUE_META => value_of(meta).map(|value| excerpt(&value)),
                SyntaxKind::TOKEN_TREE_META => {
                    meta.child(SyntaxKind::TOKEN_TREE).map(|tree| excerpt(inside(tree)))
                }
                // The symbol is the name of the item.
                _ => attribute.parent().name().map(|name| cut(name.to_owned(), PATH_BYTES)),
            };
            let found = LinkageAttribute {
                file: 0,
                line: self.line(attribute.start()),
                attribute: name.to_owned(),
                value,
            };
            if self.afford(&found, found.value.as_ref().map_or(0, String::len)) {
                self.extract.linkage.push(found);
            }
        }
    }
}

/// The text between the delimiters of a token tree.
pub(super) fn inside<'t>(tree: Node<'_, 't>) -> &'t str {
    let text = tree.text();
    text.get(1..text.len().saturating_sub(1)).unwrap_or("")
}

/// Attributes that stand directly on `node`.
fn attributes<'a, 't>(node: Node<'a, 't>) -> impl Iterator<Item = Node<'a, 't>> {
    node.children().filter(|child| child.kind() == SyntaxKind::ATTR)
}

/// Every `name`, `name = value` and `name(…)` within an attribute, `cfg_attr` and `unsafe` looked through.
fn metas<'a, 't>(attribute: Node<'a, 't>) -> impl Iterator<Item = (&'t str, Node<'a, 't>)> {
    use SyntaxKind::{KEY_VALUE_META, PATH_META, TOKEN_TREE_META};
    attribute
        .descendants()
        .filter(|node| matches!(node.kind(), KEY_VALUE_META | PATH_META | TOKEN_TREE_META))
        .filter_map(|meta| Some((meta.child(SyntaxKind::PATH)?.text(), meta)))
}

/// The string of `name = "value"`.
fn value_of(meta: Node<'_, '_>) -> Option<String> {
    let literal = meta.descendants().find(|node| node.kind() == SyntaxKind::STRING)?;
    Some(literals::value(literal.text()))
}

/// Conditions of the `#[cfg(…)]` attributes on `node`, as written, white space folded.
pub(crate) fn conditions(node: Node<'_, '_>) -> Vec<String> {
    let metas = attributes(node).filter_map(|attribute| attribute.child(SyntaxKind::CFG_META));
    metas.map(|meta| condition(meta.text())).collect()
}

/// `cfg( a , b )` is `a , b`.
pub(super) fn condition(cfg: &str) -> String {
    let inner = cfg.split_once('(').map_or("", |(_, rest)| rest);
    let inner = inner.trim_end().strip_suffix(')').unwrap_or(inner);
    let mut words = String::with_capacity(inner.len());
    for word in inner.split_whitespace() {
        if !words.is_empty() && !words.ends_with('(') && !word.starts_with(')') {
            words.push(' ');
        }
        words.push_str(word);
    }
    cut(words, PATH_BYTES)
}

/// Values of `#[path = "…"]`, and whether each holds without a condition.
pub(super) fn paths(node: Node<'_, '_>) -> Vec<(String, bool)> {
    let mut paths = Vec::new();
    for attribute in attributes(node) {
        for (name, meta) in metas(attribute) {
            if name == "path"
                && let Some(value) = value_of(meta)
            {
                paths.push((cut(value, PATH_BYTES), meta.parent().kind() != SyntaxKind::CFG_ATTR_META));
            }
        }
    }
    paths
}

/// Arguments of `#[link(…)]` on `node`.
pub(super) fn link(node: Node<'_, '_>) -> Option<String> {
    attributes(node)
        .flat_map(metas)
        .find(|(name, meta)| *name == "link" && meta.kind() == SyntaxKind::TOKEN_TREE_META)
        .and_then(|(_, meta)| meta.child(SyntaxKind::TOKEN_TREE))
        .map(|tree| inside(tree).to_owned())
}

/// Whether `#![forbid(unsafe_code)]` stands at the top.
pub(super) fn forbids_unsafe(tree: &Tree<'_>) -> bool {
    if tree.len() == 0 {
        return false;
    }
    attributes(tree.at(0)).filter(|attribute| attribute.has(SyntaxKind::BANG)).any(|attribute| {
        attribute.child(SyntaxKind::TOKEN_TREE_META).is_some_and(|meta| {
            meta.child(SyntaxKind::PATH).is_some_and(|path| path.text() == "forbid")
                && meta.descendants().any(|node| node.text() == "unsafe_code")
        })
    })
}

/// Whether an attribute of this name stands on `node`.
pub(super) fn has(node: Node<'_, '_>, name: &str) -> bool {
    attributes(node).flat_map(metas).any(|(it, _)| it == name)
}
