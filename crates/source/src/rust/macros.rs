//! Macro calls: what their arguments call, and the ones that the compiler itself gives a meaning.
//!
//! Arguments are tokens to the parser. Read as a tuple, an array or a block, with the delimiters that are there, most
//! are Rust; what is not is read group by group (`cfg_if!`), and the rest by the shapes of its tokens. This holds for
//! every macro, well-known or not: a call that only might be one is marked by [`Call::in_macro`](cratekeeper_model::facts::Call).

use cratekeeper_model::facts::{
    AssemblySite, CallKind, Function, FunctionContainer, Include, IncludeKind, MacroDefinition,
};
use cratekeeper_syntax::{LexedStr, SyntaxKind};

use super::attributes::{condition, inside};
use super::items::first_after_attributes;
use super::visitor::{Context, Visit, Visitor};
use super::{IncludedFile, attributes};
use crate::literals;
use crate::text::{PATH_BYTES, cut, excerpt, join_path};
use cratekeeper_syntax::{Node, Tree};

/// The element behind the tuple, array or block that stands for the delimiters; that one is no expression of the program.
const FIRST_INSIDE: u32 = 1;

/// Instructions that leave the program for the kernel, on the architectures that Rust has, and what puts data into sections.
const ASSEMBLY_MENTIONS: [&str; 9] =
    ["syscall", "sysenter", "int 0x80", "int 80h", "svc", "ecall", ".section", ".pushsection", ".init_array"];

impl<'t> Visitor<'t> {
    pub(super) fn macro_call(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        let name = node.child(SyntaxKind::PATH).map(Node::plain_text).unwrap_or_default();
        let name = cut(name, PATH_BYTES);
        let offset = first_after_attributes(node);
        let context = Context { cfg: self.cfg_inside(node, context), ..context };
        let _ = self.add_call(CallKind::Macro, name.clone(), 0, offset, context);
        for attribute in node.children().filter(|child| child.kind() == SyntaxKind::ATTR) {
            self.linkage(attribute);
        }
        if let Some(tree) = node.child(SyntaxKind::TOKEN_TREE) {
            let last = name.rsplit("::").next().unwrap_or(&name);
            self.compiler_macro(last, tree, offset, context);
            let inner =
                Context { in_macro: self.intern(name), macro_depth: context.macro_depth + 1, ..context };
            self.arguments(tree.text(), tree.start(), inner);
        }
        Visit::Skip
    }

    /// Keeps what the compiler reads for a macro in an attribute: `#![doc = include_str!("…")]`.
    pub(super) fn macros_of_attribute(&mut self, attribute: Node<'_, 't>, context: Context) {
        for call in attribute.descendants().filter(|node| node.kind() == SyntaxKind::MACRO_CALL) {
            let name = call.child(SyntaxKind::PATH).map(Node::plain_text).unwrap_or_default();
            if let Some(tree) = call.child(SyntaxKind::TOKEN_TREE) {
                let last = name.rsplit("::").next().unwrap_or(&name);
                self.compiler_macro(last, tree, call.start(), context);
            }
        }
    }

    /// Reads `text`, a group with its delimiters that begins at `offset` of the current tree.
    fn arguments(&mut self, text: &'t str, offset: u32, context: Context) {
        // Names and numbers hold no fact; leaving them out spares the parser a third of all macro calls.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_, \t\r\n".contains(&byte);
        if text.bytes().skip(1).take(text.len().saturating_sub(2)).all(plain) {
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
        // What is not read yet begins at `rest`; the group before ended in front of `behind`.
        let (mut rest, mut behind) = (1, 1);
        for (index, close) in braced_groups(&lexed) {
            let (start, end) = (lexed.text_start(index), lexed.text_start(close) + 1);
            let first = std::mem::replace(&mut behind, close + 1);
            if let Some(tree) = self.items(&text[lexed.text_start(first)..end]) {
                self.scan_range(&lexed, rest..first, context);
                let outer = self.base;
                self.base += lexed.text_start(first) as u32;
                self.walk(&tree, 0, context);
                self.base = outer;
                rest = close + 1;
                continue;
            }
            if let Ok(tree) = Tree::expression(&text[start..end], self.edition)
                && tree.errors.is_empty()
            {
                self.scan_range(&lexed, rest..index, context);
                let inner = self.group_context(&lexed, rest..index, context);
                let inner = self.function_of_group(&lexed, rest..index, end, inner);
                let outer = self.base;
                self.base += start as u32;
                self.walk(&tree, FIRST_INSIDE, inner);
                self.base = outer;
                rest = close + 1;
            }
        }
        self.scan_range(&lexed, rest..lexed.len(), context);
    }

    /// The tree of a text that is items without an error.
    fn items(&self, text: &'t str) -> Option<Tree<'t>> {
        // Only at the beginning of a file are these what the lexer then takes them for, and leaves out.
        if text.trim_start().starts_with(['-', '#']) && !text.trim_start().starts_with("#[") {
            return None;
        }
        let tree = Tree::file(&LexedStr::new(self.edition, text), text, self.edition).ok()?;
        tree.errors.is_empty().then_some(tree)
    }

    /// The context of a group that is the body of a function whose head is no Rust: `fn name(x in 0..9) { … }`.
    fn function_of_group(
        &mut self,
        lexed: &LexedStr<'_>,
        before: std::ops::Range<usize>,
        end: usize,
        context: Context,
    ) -> Context {
        use SyntaxKind::{EQ, FN_KW, IDENT, SEMICOLON, UNSAFE_KW};
        let tokens: Vec<usize> = before.filter(|index| !lexed.kind(*index).is_trivia()).collect();
        let head = tokens.iter().rposition(|index| matches!(lexed.kind(*index), FN_KW | SEMICOLON | EQ));
        let Some(head) = head.filter(|at| lexed.kind(tokens[*at]) == FN_KW) else { return context };
        let Some(name) = tokens.get(head + 1).filter(|index| lexed.kind(**index) == IDENT) else {
            return context;
        };
        let start = self.base + lexed.text_start(tokens[head]) as u32;
        let is_unsafe = tokens[..head].iter().rev().take(3).any(|index| lexed.kind(*index) == UNSAFE_KW);
        let path = join_path(self.text(context.prefix), lexed.text(*name));
        let function = Function {
            end: self.base + end as u32,
            end_line: self.lines.line(self.base + end as u32 - 1),
            container: context.container,
            cfg: self.optional_text(context.cfg),
            ..super::scan::function(path.clone(), start, self.lines.line(start), is_unsafe)
        };
        if !self.afford(&function, 2 * path.len()) {
            return context;
        }
        self.extract.functions.push(function);
        let inner = Context {
            prefix: self.intern(path),
            container: FunctionContainer::Free,
            function: Some(self.extract.functions.len() as u32 - 1),
            in_unsafe: is_unsafe,
            ..context
        };
        let free = context.container == FunctionContainer::Free;
        self.count(inner, |it| if free { it.functions.add(is_unsafe) } else { it.methods.add(is_unsafe) });
        inner
    }

    /// The context of a group: unsafe behind `unsafe`, and under the condition of a `#[cfg(…)]` among the tokens before it.
    fn group_context(
        &mut self,
        lexed: &LexedStr<'_>,
        before: std::ops::Range<usize>,
        context: Context,
    ) -> Context {
        let last = before.clone().rev().map(|index| lexed.kind(index)).find(|kind| !kind.is_trivia());
        let in_unsafe = context.in_unsafe || last == Some(SyntaxKind::UNSAFE_KW);
        let context = Context { in_unsafe, ..context };
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
                    mentions: assembly_mentions(inside(tree)),
                };
                if self.afford(&site, site.text.len()) {
                    self.extract.assembly.push(site);
                }
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
        let argument = match single {
            Some(token) => literals::value(token.text()),
            None => {
                let tokens = tree.descendants().filter(|it| it.is_token()).skip(1);
                literals::spelled(tokens.filter(|it| it.end() < tree.end()).map(Node::text))
            }
        };
        if include == IncludeKind::Include && single.is_none() {
            self.add_unfollowed(offset, format!("`include!({})`", excerpt(&argument)));
        } else if include == IncludeKind::Include {
            let file = IncludedFile {
                module: self.text(context.module).to_owned(),
                path: cut(argument.clone(), PATH_BYTES),
                cfg: self.optional_text(context.cfg),
                line: self.line(offset),
            };
            if self.afford(&file, file.module.len() + file.path.len()) {
                self.extract.included_files.push(file);
            }
        }
        let include = Include {
            file: 0,
            line: self.line(offset),
            kind: include,
            argument: excerpt(&argument),
            literal: single.is_some(),
        };
        if self.afford(&include, include.argument.len()) {
            self.extract.includes.push(include);
        }
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
        if self.afford(&definition, name.len()) {
            self.extract.macros.push(definition);
        }
        let inner = Context {
            in_macro: self.intern(format!("macro_rules! {name}")),
            in_definition: true,
            function: None,
            in_unsafe: false,
            ..context
        };
        for tree in node.children().filter(|child| child.kind() == SyntaxKind::TOKEN_TREE) {
            let outer = self.base;
            self.base += tree.start();
            self.scan(&LexedStr::new(self.edition, tree.text()), inner);
            self.base = outer;
        }
        Visit::Skip
    }
}

/// What of assembly calls the system or defines sections; see [`AssemblySite::mentions`].
fn assembly_mentions(text: &str) -> Vec<String> {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // `int $0x80` is AT&T's way to write `int 0x80`.
            '$' | '#' => {}
            _ if character.is_whitespace() => {
                if !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            _ => folded.push(character.to_ascii_lowercase()),
        }
    }
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let mentions = |words: &&&str| {
        folded.match_indices(**words).any(|(at, found)| {
            let bytes = folded.as_bytes();
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            // `\n` and `\t` of a literal end the word before.
            let escape = before.is_some_and(|it| matches!(it, b'n' | b't'))
                && at.checked_sub(2).is_some_and(|at| bytes[at] == b'\\');
            (escape || !is_word(before)) && !is_word(bytes.get(at + found.len()))
        })
    };
    ASSEMBLY_MENTIONS.iter().filter(mentions).map(|words| (*words).to_owned()).collect()
}

/// The outermost closed `{ … }` behind the first token, as positions of their braces.
fn braced_groups(lexed: &LexedStr<'_>) -> Vec<(usize, usize)> {
    let mut open = Vec::new();
    let mut groups: Vec<(usize, usize)> = Vec::new();
    for index in 1..lexed.len() {
        match lexed.kind(index) {
            SyntaxKind::L_CURLY => open.push(index),
            SyntaxKind::R_CURLY => {
                if let Some(start) = open.pop() {
                    while groups.pop_if(|inner| inner.0 > start).is_some() {}
                    groups.push((start, index));
                }
            }
            _ => {}
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use cratekeeper_syntax::Edition;

    use super::*;

    fn groups(text: &str) -> Vec<&str> {
        let lexed = LexedStr::new(Edition::Edition2024, text);
        let texts = braced_groups(&lexed).into_iter();
        texts.map(|(open, close)| &text[lexed.text_start(open)..=lexed.text_start(close)]).collect()
    }

    #[test]
    fn groups_are_the_outermost_closed_braces() {
        assert_eq!(groups("(a {b {c} d} {e})"), ["{b {c} d}", "{e}"]);
        assert_eq!(groups("({ {a} {b}"), ["{a}", "{b}"]);
        assert_eq!(groups("(} {a}"), ["{a}"]);
    }
}
