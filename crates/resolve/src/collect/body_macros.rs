//! Macro calls in function bodies: expanded one by one, while types are inferred.
//!
//! The crate is complete by then and only borrowed, so a tree that comes out is added to the sources and nothing else: items in it
//! are not collected.

use cratekeeper_syntax::{Edition, LexedStr, SyntaxKind, Tree, guard};

use super::macros::Macros;
use super::{edition, parse};
use crate::definitions::{CrateData, Macro, MacroId, Place, Universe};
use crate::paths::Paths;
use crate::sources::{Arenas, Node, Source, Sources, SyntaxReference};
use crate::symbol::Symbol;

/// What stands in place of a macro call in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An expression. If it is more than one, a block.
    Expression,
    /// A block of statements.
    Statements,
    Pattern,
    Type,
}

/// Expands macros in function bodies.
#[derive(Clone, Copy)]
pub(crate) struct BodyMacros<'c, 'a> {
    pub(crate) universe: &'c Universe,
    pub(crate) data: &'c CrateData,
    pub(crate) macros: &'c Macros,
    pub(crate) sources: &'c Sources<'a>,
    pub(crate) arenas: &'a Arenas<'a>,
}

impl<'a> BodyMacros<'_, 'a> {
    /// What the path of a macro call means that stands in a tree and a module.
    pub(crate) fn resolve_macro(
        &self,
        tree: u32,
        module: u32,
        path: &[Symbol],
        leading_colons: bool,
    ) -> Option<MacroId> {
        let paths = Paths::new(self.universe, self.data, self.macros.index);
        let origin = self.sources.source(tree).macro_crate;
        let found = self.macros.resolve(&paths, module, path, leading_colons, origin);
        found.or_else(|| match path {
            [name] => self.macros.any_of_name(*name),
            _ => None,
        })
    }

    /// The definition of a macro.
    pub(crate) fn definition(&self, id: MacroId) -> Option<&Macro> {
        let krate = if id.krate == self.macros.index { self.data } else { self.universe.known(id.krate)? };
        krate.macros.get(id.index as usize)
    }

    /// The definition that a `MACRO_CALL` in a tree and a module means.
    pub(crate) fn called(&self, module: u32, tree: u32, call: Node<'a>) -> Option<MacroId> {
        let (segments, leading) = crate::lowering::segments(call.child(SyntaxKind::PATH)?);
        let path: Option<Vec<Symbol>> = segments.iter().map(|it| it.name).collect();
        self.resolve_macro(tree, module, &path?, leading)
    }

    /// The element that a `MACRO_CALL` in a tree and a module becomes, in a tree of its own.
    pub(crate) fn expand_call(
        &self,
        module: u32,
        tree: u32,
        call: Node<'a>,
        form: Form,
    ) -> Option<SyntaxReference> {
        let id = self.called(module, tree, call)?;
        let arguments = super::inside(call.child(SyntaxKind::TOKEN_TREE)?.text());
        self.expand_in_body(id, arguments, self.sources.place(tree, call.start()), form)
    }

    /// The element that a call becomes, in a tree of its own. `arguments` are without their delimiters.
    ///
    /// `None` if the macro has no rules, none of them matches, or the limits are used up.
    pub(crate) fn expand_in_body(
        &self,
        id: MacroId,
        arguments: &str,
        call: Place,
        form: Form,
    ) -> Option<SyntaxReference> {
        let definition = self.definition(id)?;
        let text = self.macros.expand_in_body(id, definition, arguments)?;
        let (tree, node) = self.parse(text, form, definition.edition)?;
        let source = Source {
            tree,
            file: call.file,
            lines: None,
            call_line: call.line,
            edition: definition.edition,
            macro_crate: Some(id.krate),
        };
        let tree = self.sources.add(self.arenas.sources.alloc(source));
        Some(SyntaxReference { tree, node })
    }

    pub(crate) fn parse(&self, text: String, form: Form, edition_of_text: u8) -> Option<(&'a Tree<'a>, u32)> {
        let (first, last) = match form {
            Form::Expression => {
                let text: &'a str = self.arenas.texts.alloc(text);
                if let Some(tree) = self.parse_expression(text, edition(edition_of_text)) {
                    return Some((tree, 0));
                }
                return self.parse(text.to_owned(), Form::Statements, edition_of_text);
            }
            Form::Statements => ("{", "}"),
            Form::Pattern => ("match () { ", " => {} }"),
            Form::Type => ("type T = ", ";"),
        };
        let tree = self.parse_wrapped(format!("{first}{text}{last}"), form, edition_of_text)?;
        let wanted = match form {
            Form::Pattern => tree.at(0).descendants().find(|it| it.kind() == SyntaxKind::MATCH_ARM)?,
            Form::Type => tree.at(0).child(SyntaxKind::TYPE_ALIAS)?,
            _ => return Some((tree, 0)),
        };
        let is_wanted = |it: &Node<'_>| !it.is_token() && it.kind() != SyntaxKind::NAME;
        wanted.children().find(is_wanted).map(|it| (tree, it.index))
    }

    /// The tree of what is one expression and nothing else.
    fn parse_expression(&self, text: &'a str, edition: Edition) -> Option<&'a Tree<'a>> {
        let lexed = LexedStr::new(edition, text);
        if are_statements(&lexed) {
            return None;
        }
        guard::check(&lexed, self.macros.nesting).ok()?;
        let tree = Tree::lexed_expression(&lexed, text, edition).ok()?;
        let is_one = tree.errors.is_empty() && tree.at(0).kind() != SyntaxKind::ERROR;
        is_one.then(|| &*self.arenas.trees.alloc(tree))
    }

    fn parse_wrapped(&self, text: String, form: Form, edition_of_text: u8) -> Option<&'a Tree<'a>> {
        let edition = edition(edition_of_text);
        if form == Form::Type {
            return parse(self.arenas, text, edition, self.macros.nesting).ok();
        }
        let text: &'a str = self.arenas.texts.alloc(text);
        let lexed = LexedStr::new(edition, text);
        guard::check(&lexed, self.macros.nesting).ok()?;
        Some(self.arenas.trees.alloc(Tree::lexed_expression(&lexed, text, edition).ok()?))
    }
}

/// Whether a semicolon stands outside of all delimiters: no expression has one, so it need not be parsed to find out.
fn are_statements(lexed: &LexedStr<'_>) -> bool {
    let mut depth = 0;
    (0..lexed.len()).any(|index| {
        match lexed.kind(index) {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => depth += 1,
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => depth -= 1,
            kind => return kind == SyntaxKind::SEMICOLON && depth == 0,
        }
        false
    })
}
