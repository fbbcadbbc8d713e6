//! Macro calls: formats, the macros that the compiler gives a meaning, and the arguments of all others read as Rust.

use std::borrow::Cow;
use std::rc::Rc;

use cratekeeper_syntax::{LexedStr, Node as TreeNode, SyntaxKind, Tree};

use super::super::ir::{Expression, Id, Piece, PieceFormat};
use super::{Lower, is_expression};
use crate::text::excerpt;

/// Macro calls inside macro arguments that are read.
const MACRO_DEPTH: u32 = 6;
/// Largest arguments of a macro whose format is looked at.
const FORMAT_BYTES: usize = 64 << 10;

impl Lower<'_> {
    /// A macro call among items: it may hold items, or groups of items.
    pub(super) fn item_macro(&mut self, node: TreeNode<'_, '_>) {
        let name: Rc<str> = node.child(SyntaxKind::PATH).map(TreeNode::plain_text).unwrap_or_default().into();
        if let Some(tree) = node.child(SyntaxKind::TOKEN_TREE) {
            if matches!(last(&name), "submit" | "register_ctor") && name.starts_with("inventory") {
                self.early(node, name.to_string(), None, None);
            }
            self.inside_items(tree.text(), tree.start());
        }
    }

    /// Reads what stands between the delimiters as items, or as the groups that `cfg_if!` has.
    fn inside_items(&mut self, text: &str, offset: u32) {
        // In broken code the closing delimiter may be missing, and another character stand in its place.
        let inner = text.len().checked_sub(1).and_then(|end| text.get(1..end));
        let Some(inner) = inner.filter(|_| self.in_macro < MACRO_DEPTH) else { return };
        // Bodies have braces, constants a value and what the loader calls an attribute: tables of declarations have none of them.
        if !inner.bytes().any(|byte| matches!(byte, b'{' | b'=' | b'#')) {
            return;
        }
        self.in_macro += 1;
        let outer = self.base;
        let items = inner.trim_start();
        if items.starts_with("if #") {
            for (start, end) in groups(text) {
                self.base = outer + offset;
                self.in_macro -= 1;
                self.inside_items(&text[start..end], offset_of(start));
                self.in_macro += 1;
            }
            // The base that the groups were read with already holds `offset`.
        } else if !items.starts_with(['-', '#']) || items.starts_with("#[") {
            // `static ref NAME: T = …;` of `lazy_static!` reads as an item without `ref`, byte for byte.
            let plain = if inner.contains("static ref ") {
                Cow::Owned(inner.replace("static ref ", "static     "))
            } else {
                Cow::Borrowed(inner)
            };
            let lexed = LexedStr::new(self.edition, &plain);
            if let Ok(tree) = Tree::file(&lexed, &plain, self.edition)
                && tree.errors.is_empty()
            {
                self.base = outer + offset + 1;
                self.items(&tree, 0);
            }
        }
        self.base = outer;
        self.in_macro -= 1;
    }

    /// A macro call as an expression or statement.
    pub(super) fn macro_call(&mut self, node: TreeNode<'_, '_>) -> Id {
        let path = node.child(SyntaxKind::PATH).map(TreeNode::plain_text).unwrap_or_default();
        let line = self.line(node.child(SyntaxKind::PATH).map_or(node.start(), TreeNode::start));
        let Some(tree) = node.child(SyntaxKind::TOKEN_TREE) else { return self.nothing(node) };
        let text = tree.text();
        let arguments = match last(&path) {
            "quote" | "quote_spanned" | "parse_quote" | "html" | "view" | "stringify" | "macro_rules"
            | "asm" | "global_asm" => Vec::new(),
            _ => self.macro_arguments(text, tree.start(), line),
        };
        let format_at = match last(&path) {
            "format" | "println" | "print" | "eprintln" | "eprint" | "panic" | "format_args" | "anyhow"
            | "bail" | "cmd" => Some(0),
            "write" | "writeln" => Some(1),
            _ => None,
        };
        if let Some(at) = format_at
            && let Some(format) = self.format(&arguments, at, line)
        {
            let mut parts: Vec<Id> = arguments[..at].to_vec();
            parts.push(format);
            return self.push(line, Expression::Macro(path.into(), parts, "".into()));
        }
        let shown = match last(&path) {
            "cfg" | "asm" | "global_asm" | "naked_asm" | "run_cmd" | "run_fun" | "spawn" => {
                excerpt(&text[1..text.len().max(2) - 1])
            }
            _ => String::new(),
        };
        self.push(line, Expression::Macro(path.into(), arguments, shown.into()))
    }

    /// Arguments read as a tuple, an array or a block.
    fn macro_arguments(&mut self, text: &str, offset: u32, line: u32) -> Vec<Id> {
        if self.in_macro >= MACRO_DEPTH || text.len() <= 2 {
            return Vec::new();
        }
        // A single name is the commonest argument, and the parser need not be asked for it.
        if text.bytes().skip(1).take(text.len() - 2).all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            let name = &text[1..text.len() - 1];
            if name.starts_with(|it: char| it.is_alphabetic() || it == '_') {
                let id = self.push(line, Expression::Path(name.into()));
                return vec![id];
            }
        }
        let Ok(tree) = Tree::expression(text, self.edition) else { return Vec::new() };
        if !tree.errors.is_empty() || tree.len() < 1 {
            self.inside_items(text, offset);
            let parts = self.groups_inside(text, offset);
            return if parts.is_empty() { self.names_inside(text, line) } else { parts };
        }
        let outer = self.base;
        self.base += offset;
        let detached = std::mem::take(&mut self.detached);
        self.in_macro += 1;
        let root = tree.at(0);
        let arguments = match root.kind() {
            SyntaxKind::TUPLE_EXPR | SyntaxKind::ARRAY_EXPR | SyntaxKind::PAREN_EXPR => root
                .children()
                .filter(|it| is_expression(it.kind()))
                .map(|it| self.macro_argument(it))
                .collect(),
            _ => vec![self.macro_argument(root)],
        };
        self.items(&tree, 1);
        self.in_macro -= 1;
        self.detached = detached;
        self.base = outer;
        arguments
    }

    fn macro_argument(&mut self, node: TreeNode<'_, '_>) -> Id {
        // `name = value` of a format.
        self.expression(node)
    }

    /// Braced groups of arguments that are no Rust, each read as a block.
    fn groups_inside(&mut self, text: &str, offset: u32) -> Vec<Id> {
        let mut parts = Vec::new();
        for (start, end) in groups(text).into_iter().take(64) {
            let group = &text[start..end];
            if let Ok(tree) = Tree::expression(group, self.edition)
                && tree.errors.is_empty()
            {
                let outer = self.base;
                self.base += offset + offset_of(start);
                let detached = std::mem::take(&mut self.detached);
                self.in_macro += 1;
                parts.push(self.expression(tree.at(0)));
                self.in_macro -= 1;
                self.detached = detached;
                self.base = outer;
            }
        }
        parts
    }

    /// Names and texts among arguments that are no Rust: `json!({ "key": value })`.
    fn names_inside(&mut self, text: &str, line: u32) -> Vec<Id> {
        let lexed = LexedStr::new(self.edition, text);
        let mut parts = Vec::new();
        for index in 0..lexed.len() {
            let next = (index + 1..lexed.len()).map(|it| lexed.kind(it)).find(|it| !it.is_trivia());
            let is_name = lexed.kind(index) == SyntaxKind::IDENT
                && !matches!(next, Some(SyntaxKind::BANG | SyntaxKind::L_PAREN | SyntaxKind::COLON));
            if is_name && parts.len() < 64 {
                parts.push(self.push(line, Expression::Path(lexed.text(index).into())));
            }
        }
        parts
    }

    /// The pieces of a format whose text is argument `at`.
    fn format(&mut self, arguments: &[Id], at: usize, line: u32) -> Option<Id> {
        let Expression::Text(text) = &self.ir.nodes[*arguments.get(at)? as usize].expression else {
            return None;
        };
        if text.len() > FORMAT_BYTES {
            return None;
        }
        let text = text.clone();
        let mut positional = Vec::new();
        let mut named: Vec<(Rc<str>, Id)> = Vec::new();
        for id in &arguments[at + 1..] {
            match &self.ir.nodes[*id as usize].expression {
                Expression::Assign(None, place, value) => {
                    if let Expression::Path(name) = &self.ir.nodes[*place as usize].expression {
                        named.push((name.clone(), *value));
                        positional.push(*value);
                    }
                }
                _ => positional.push(*id),
            }
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut next = 0;
        let mut rest: &str = &text;
        while let Some(brace) = rest.find(['{', '}']) {
            literal.push_str(&rest[..brace]);
            let behind = &rest[brace + 1..];
            if behind.starts_with(&rest[brace..=brace]) {
                literal.push_str(&rest[brace..=brace]);
                rest = &behind[1..];
                continue;
            }
            let Some(end) = behind.find('}').filter(|_| rest[brace..].starts_with('{')) else {
                rest = behind;
                continue;
            };
            let (name, spec) = behind[..end].split_once(':').unwrap_or((&behind[..end], ""));
            let value = match name.trim() {
                "" => {
                    next += 1;
                    positional.get(next - 1).copied()
                }
                number if number.bytes().all(|it| it.is_ascii_digit()) => {
                    number.parse::<usize>().ok().and_then(|number| positional.get(number).copied())
                }
                name => {
                    let known = named.iter().find(|it| &*it.0 == name).map(|it| it.1);
                    Some(known.unwrap_or_else(|| self.push(line, Expression::Path(name.into()))))
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal).into()));
            }
            let format =
                if spec.ends_with(['x', 'X']) { PieceFormat::Hexadecimal } else { PieceFormat::Plain };
            match value {
                Some(value) => pieces.push(Piece::Value(value, format)),
                None => literal.push_str("{}"),
            }
            rest = &behind[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(literal.into()));
        }
        Some(self.push(line, Expression::Format(pieces)))
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

fn offset_of(start: usize) -> u32 {
    u32::try_from(start).unwrap_or(u32::MAX)
}

/// The outermost braced groups behind the first character, as ranges.
fn groups(text: &str) -> Vec<(usize, usize)> {
    let lexed = LexedStr::new(cratekeeper_syntax::Edition::Edition2021, text);
    let mut open: Vec<usize> = Vec::new();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for index in 1..lexed.len() {
        match lexed.kind(index) {
            SyntaxKind::L_CURLY => open.push(lexed.text_start(index)),
            SyntaxKind::R_CURLY => {
                if let Some(start) = open.pop() {
                    while found.pop_if(|inner| inner.0 > start).is_some() {}
                    found.push((start, lexed.text_start(index) + 1));
                }
            }
            _ => {}
        }
    }
    found
}
