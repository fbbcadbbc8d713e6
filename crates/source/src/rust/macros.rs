//! Macro calls: what their arguments call, and the ones that the compiler itself gives a meaning.
//!
//! Arguments are tokens to the parser. Read as a tuple, an array or a block, with the delimiters that are there, most
//! are Rust; what is not is read group by group (`cfg_if!`), and the rest by the shapes of its tokens. This holds for
//! every macro, well-known or not: a call that only might be one is marked by [`Call::in_macro`](cratekeeper_model::facts::Call).

use cratekeeper_model::facts::{AssemblySite, CallKind, Include, IncludeKind, MacroDefinition};
use ra_ap_parser::{LexedStr, SyntaxKind};

use super::attributes::{condition, inside};
use super::items::first_after_attributes;
use super::visitor::{Context, Visit, Visitor};
use super::{IncludedFile, attributes};
use crate::literals;
use crate::syntax::{Node, Tree};
use crate::text::{PATH_BYTES, cut, excerpt};

/// The element behind the tuple, array or block that stands for the delimiters; that one is no expression of the program.
const FIRST_INSIDE: u32 = 1;

impl<'t> Visitor<'t> {
    pub(super) fn macro_call(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let name = node.child(SyntaxKind::PATH).map(Node::plain_text).unwrap_or_default();
        let name = cut(name, PATH_BYTES);
        let offset = first_after_attributes(node);
        let context = Context { cfg: self.cfg_inside(node, context), ..context };
        self.add_call(CallKind::Macro, name.clone(), 0, offset, context);
        for attribute in node.children().filter(|child| child.kind() == SyntaxKind::ATTR) {
            self.linkage(attribute);
        }
        if let Some(tree) = node.child(SyntaxKind::TOKEN_TREE) {
            let last = name.rsplit("::").next().unwrap_or(&name);
            self.compiler_macro(last, tree, offset, context);
            if context.macro_depth == 0 {
                self.literals_in(tree, context);
            }
            let inner =
                Context { in_macro: self.intern(name), macro_depth: context.macro_depth + 1, ..context };
            self.arguments(tree.text(), tree.start(), inner);
        }
        Visit::Skip
    }

    /// String literals of all macro arguments; done once, at the outermost call.
    fn literals_in(&mut self, tree: Node<'_, 't>, context: Context) {
        use SyntaxKind::{BYTE_STRING, C_STRING, STRING};
        for token in tree.descendants().filter(|it| matches!(it.kind(), STRING | BYTE_STRING | C_STRING)) {
            self.literal(token.text(), token.start(), context);
        }
    }

    /// Reads `text`, a group with its delimiters that begins at `offset` of the current tree.
    fn arguments(&mut self, text: &'t str, offset: u32, context: Context) {
        // Nothing to read in `()`; skipping it here spares the parser a third of all macro calls.
        if !text.bytes().any(|byte| matches!(byte, b'(' | b'{' | b'!') && text.len() > 2) {
            return;
        }
        let outer = self.base;
        self.base += offset;
        if context.macro_depth > self.limits.macro_depth {
            self.scan(&LexedStr::new(self.edition, text), context);
        } else {
            match Tree::expression(text, self.edition) {
                Ok(tree) if tree.errors.is_empty() => self.walk(&tree, FIRST_INSIDE, context),
                _ => self.groups(text, context),
            }
        }
        self.base = outer;
    }

    /// Reads the braced groups inside `text` one by one, and the rest by tokens: `cfg_if! { if #[cfg(a)] { … } }`.
    fn groups(&mut self, text: &'t str, context: Context) {
        let lexed = LexedStr::new(self.edition, text);
        let mut rest = 1;
        let mut index = 1;
        while index < lexed.len() {
            let group = (lexed.kind(index) == SyntaxKind::L_CURLY).then(|| closing(&lexed, index)).flatten();
            let Some(close) = group else {
                index += 1;
                continue;
            };
            let (start, end) = (lexed.text_start(index), lexed.text_start(close) + 1);
            if let Ok(tree) = Tree::expression(&text[start..end], self.edition)
                && tree.errors.is_empty()
            {
                self.scan_range(&lexed, rest..index, context);
                let inner = self.group_context(&lexed, rest..index, context);
                let outer = self.base;
                self.base += start as u32;
                self.walk(&tree, FIRST_INSIDE, inner);
                self.base = outer;
                rest = close + 1;
            }
            index = close + 1;
        }
        self.scan_range(&lexed, rest..lexed.len(), context);
    }

    /// The context of a group: under the condition of a `#[cfg(…)]` among the tokens before it.
    fn group_context(
        &mut self,
        lexed: &LexedStr<'_>,
        before: std::ops::Range<usize>,
        context: Context,
    ) -> Context {
        let before = &lexed.as_str()[lexed.text_start(before.start)..lexed.text_start(before.end)];
        let Some(at) = before.rfind("#[cfg(") else { return context };
        let attribute = &before[at + 2..];
        let Some(end) = attribute.find(")]") else { return context };
        let own = condition(&attribute[..=end]);
        let outer = self.text(context.cfg);
        let joined = if outer.is_empty() { own } else { format!("{outer}, {own}") };
        Context { cfg: self.intern(cut(joined, PATH_BYTES)), ..context }
    }

    /// Macros that the compiler gives a meaning.
    fn compiler_macro(&mut self, name: &str, tree: Node<'_, 't>, offset: u32, context: Context) {
        let include = match name {
            "asm" | "global_asm" | "naked_asm" | "llvm_asm" => {
                let site = AssemblySite {
                    file: 0,
                    line: self.line(offset),
                    r#macro: name.to_owned(),
                    function: context.function,
                    text: excerpt(inside(tree)),
                };
                self.extract.assembly.push(site);
                return;
            }
            "include" => IncludeKind::Include,
            "include_str" => IncludeKind::IncludeStr,
            "include_bytes" => IncludeKind::IncludeBytes,
            "env" => IncludeKind::Env,
            "option_env" => IncludeKind::OptionEnv,
            _ => return,
        };
        let mut tokens = tree.descendants().filter(|it| it.is_token());
        let (_open, first, next) = (tokens.next(), tokens.next(), tokens.next());
        let single = first.filter(|token| {
            token.kind() == SyntaxKind::STRING
                && next.is_some_and(|next| next.text() == "," || next.text().len() == 1)
        });
        let argument = single.map_or_else(|| inside(tree).to_owned(), |token| literals::value(token.text()));
        if include == IncludeKind::Include && single.is_some() {
            let file = IncludedFile {
                module: self.text(context.module).to_owned(),
                path: cut(argument.clone(), PATH_BYTES),
                cfg: self.optional_text(context.cfg),
                line: self.line(offset),
            };
            self.extract.included_files.push(file);
        }
        let include = Include {
            file: 0,
            line: self.line(offset),
            kind: include,
            argument: excerpt(&argument),
            literal: single.is_some(),
        };
        self.extract.includes.push(include);
    }

    pub(super) fn macro_definition(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let name = cut(node.name().unwrap_or("_").to_owned(), PATH_BYTES);
        let unsafe_tokens = node.descendants().filter(|it| it.kind() == SyntaxKind::UNSAFE_KW).count();
        let definition = MacroDefinition {
            name: name.clone(),
            file: 0,
            line: self.line(first_after_attributes(node)),
            exported: attributes::has(node, "macro_export"),
            unsafe_tokens: unsafe_tokens as u32,
        };
        self.extract.macros.push(definition);
        let inner = Context {
            in_macro: self.intern(format!("macro_rules! {name}")),
            in_definition: true,
            function: None,
            in_unsafe: false,
            ..context
        };
        if context.macro_depth == 0 {
            self.literals_in(node, inner);
        }
        for tree in node.children().filter(|child| child.kind() == SyntaxKind::TOKEN_TREE) {
            let outer = self.base;
            self.base += tree.start();
            self.scan(&LexedStr::new(self.edition, tree.text()), inner);
            self.base = outer;
        }
        Visit::Skip
    }
}

/// The token that closes the brace at `open`.
fn closing(lexed: &LexedStr<'_>, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for index in open..lexed.len() {
        match lexed.kind(index) {
            SyntaxKind::L_CURLY => depth += 1,
            SyntaxKind::R_CURLY => {
                depth -= 1;
                if depth == 0 {
                    return Some(index);
                }
            }
            _ => {}
        }
    }
    None
}
