//! Walks one tree in text order and keeps what encloses the current place.
//!
//! The walk is a loop over the flat tree with a stack of scopes, so that its depth costs no machine stack. Everything
//! that encloses a place is in [`Context`]: copied when a scope opens, put back when it ends.

use cratekeeper_model::facts::{
    Call, CallKind, Function, FunctionContainer, Literal, LiteralKind, SourceFileStatus, UnsafeCounters,
};
use cratekeeper_syntax::{Edition, SyntaxKind};

use super::FileExtract;
use crate::flow::topics;
use crate::limits::Limits;
use crate::literals;
use crate::text::{cut, excerpt};
use cratekeeper_syntax::{Lines, Node, Tree};

/// What encloses a place. Texts are kept in [`Visitor::texts`]; 0 is the empty one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    /// Path that items here get in front.
    pub(super) prefix: TextId,
    /// Module path within the file.
    pub(super) module: TextId,
    /// Directories that the inline modules around it add.
    pub(super) directory: TextId,
    pub(super) container: FunctionContainer,
    pub(super) function: Option<u32>,
    pub(super) in_unsafe: bool,
    /// Conditions joined by `, `.
    pub(super) cfg: TextId,
    /// Innermost macro.
    pub(super) in_macro: TextId,
    /// In the body of a macro definition.
    pub(super) in_definition: bool,
    /// How many macro calls deep.
    pub(super) macro_depth: u32,
}

/// Numbers at the beginning of an array that are looked at; a table has any number of them.
const MAGIC_BYTES: usize = 64;

/// Index into [`Visitor::texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextId(u32);

/// What to do with the inside of an element.
pub(super) enum Visit {
    /// Go on; nothing changes inside.
    Inside,
    /// Go on, with another context inside.
    Scope(Context),
    /// Leave the inside out.
    Skip,
}

pub(super) struct Visitor<'t> {
    pub(super) lines: &'t Lines,
    pub(super) edition: Edition,
    pub(super) limits: &'t Limits,
    pub(super) extract: FileExtract,
    texts: Vec<String>,
    /// Bytes that facts may still take.
    room: usize,
    /// Offset of the tree being walked in the file: trees of macro arguments begin in the middle.
    pub(super) base: u32,
}

impl<'t> Visitor<'t> {
    pub(super) fn new(
        lines: &'t Lines,
        edition: Edition,
        limits: &'t Limits,
        room: usize,
        status: SourceFileStatus,
    ) -> Visitor<'t> {
        Visitor {
            lines,
            edition,
            limits,
            extract: FileExtract::new(status),
            texts: vec![String::new()],
            room,
            base: 0,
        }
    }

    /// What was found, and how many bytes of facts there is still room for.
    pub(super) fn finish(self) -> (FileExtract, usize) {
        (self.extract, self.room)
    }

    /// The context at the top of a file.
    pub(super) fn top() -> Context {
        Context {
            prefix: TextId(0),
            module: TextId(0),
            directory: TextId(0),
            container: FunctionContainer::Free,
            function: None,
            in_unsafe: false,
            cfg: TextId(0),
            in_macro: TextId(0),
            in_definition: false,
            macro_depth: 0,
        }
    }

    pub(super) fn intern(&mut self, text: String) -> TextId {
        if text.is_empty() || !self.afford(&text, text.len()) {
            return TextId(0);
        }
        self.texts.push(text);
        TextId(self.texts.len() as u32 - 1)
    }

    pub(super) fn text(&self, id: TextId) -> &str {
        &self.texts[id.0 as usize]
    }

    /// The text, or `None` when it is empty.
    pub(super) fn optional_text(&self, id: TextId) -> Option<String> {
        Some(self.text(id)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Line in the file of an offset in the current tree.
    pub(super) fn line(&self, offset: u32) -> u32 {
        self.lines.line(self.base + offset)
    }

    pub(super) fn walk_file(&mut self, tree: &Tree<'t>) {
        self.extract.forbids_unsafe = super::attributes::forbids_unsafe(tree);
        // `#![cfg(…)]` at the top holds for everything in the file.
        let top = Visitor::top();
        let cfg = if tree.len() > 0 { self.cfg_inside(tree.at(0), top) } else { top.cfg };
        self.walk(tree, 0, Context { cfg, ..top });
    }

    /// Visits the elements of `tree` from `first` on.
    pub(super) fn walk(&mut self, tree: &Tree<'t>, first: u32, mut context: Context) {
        let mut scopes: Vec<(u32, Context)> = Vec::with_capacity(32);
        let mut index = first;
        while index < tree.len() {
            while let Some((_, outer)) = scopes.pop_if(|(after, _)| *after <= index) {
                context = outer;
            }
            let node = tree.at(index);
            index = match self.visit(node, context) {
                Visit::Inside => index + 1,
                Visit::Skip => node.after(),
                Visit::Scope(inner) => {
                    scopes.push((node.after(), context));
                    context = inner;
                    index + 1
                }
            };
        }
    }

    fn visit(&mut self, node: Node<'_, 't>, context: Context) -> Visit {
        use SyntaxKind::*;
        let kind = node.kind();
        if is_counted_expression(node, kind) {
            self.count_expression(context);
        }
        match kind {
            STRING | BYTE_STRING | C_STRING => self.literal(node.text(), node.start(), context),
            CALL_EXPR => self.call(node, context),
            METHOD_CALL_EXPR => self.method_call(node, context),
            ARRAY_EXPR => self.array(node, context),
            BLOCK_EXPR if node.has(UNSAFE_KW) => return Visit::Scope(Context { in_unsafe: true, ..context }),
            ATTR => {
                self.linkage(node);
                self.macros_of_attribute(node, context);
                return Visit::Skip;
            }
            FN => return self.function(node, context),
            IMPL => return self.implementation(node, context),
            TRAIT => return self.definition_of_trait(node, context),
            MODULE => return self.module(node, context),
            EXTERN_BLOCK => return self.foreign_block(node, context),
            EXTERN_CRATE => return self.extern_crate(node, context),
            USE => return self.use_declaration(node, context),
            CONST | STATIC | STRUCT | ENUM | UNION | TYPE_ALIAS => return self.other_item(node, context),
            MACRO_CALL => return self.macro_call(node, context),
            MACRO_RULES | MACRO_DEF => return self.macro_definition(node, context),
            _ => {}
        }
        Visit::Inside
    }

    /// Keeps that something names a file in a way that cannot be followed.
    pub(super) fn add_unfollowed(&mut self, offset: u32, what: String) {
        if self.afford(&what, what.len()) {
            self.extract.unfollowed.push((self.line(offset), what));
        }
    }

    /// Whether there is room for one more fact with so much text; if not, the file says so.
    pub(super) fn afford<T>(&mut self, _fact: &T, text: usize) -> bool {
        let bytes = size_of::<T>() + text;
        self.extract.truncated |= bytes > self.room;
        if self.extract.truncated {
            return false;
        }
        self.room -= bytes;
        true
    }

    pub(super) fn count_expression(&mut self, context: Context) {
        self.extract.counters.exprs.add(context.in_unsafe);
        if let Some(function) = self.enclosing(context) {
            function.counters.exprs.add(context.in_unsafe);
        }
    }

    pub(super) fn enclosing(&mut self, context: Context) -> Option<&mut Function> {
        context.function.and_then(|index| self.extract.functions.get_mut(index as usize))
    }

    fn call(&mut self, node: Node<'_, 't>, context: Context) {
        let mut callee = node.children().find(|child| !child.is_token() && child.kind() != SyntaxKind::ATTR);
        while let Some(inner) = callee.filter(|it| it.kind() == SyntaxKind::PAREN_EXPR) {
            callee = inner.children().find(|child| !child.is_token());
        }
        let arity = arguments(node);
        match callee {
            Some(path) if path.kind() == SyntaxKind::PATH_EXPR => {
                let _ = self.add_call(CallKind::Path, path.plain_text(), arity, node.start(), context);
            }
            _ => {
                let _ = self.add_call(CallKind::Expression, String::new(), arity, node.start(), context);
            }
        }
    }

    fn method_call(&mut self, node: Node<'_, 't>, context: Context) {
        if let Some(name) = node.child(SyntaxKind::NAME_REF) {
            // The line of the name: chains are written one call a line.
            let _ = self.add_call(
                CallKind::Method,
                name.text().to_owned(),
                arguments(node),
                name.start(),
                context,
            );
        }
    }

    /// Whether there was room for it.
    pub(super) fn add_call(
        &mut self,
        kind: CallKind,
        callee: String,
        arity: u16,
        offset: u32,
        context: Context,
    ) -> bool {
        let call = Call {
            kind,
            callee: cut(callee, crate::text::PATH_BYTES),
            arity,
            function: context.function,
            file: 0,
            line: self.line(offset),
            in_unsafe: context.in_unsafe,
            in_macro: self.optional_text(context.in_macro),
        };
        let text = call.callee.len() + call.in_macro.as_ref().map_or(0, String::len);
        let affordable = self.afford(&call, text);
        if affordable {
            self.extract.calls.push(call);
        }
        affordable
    }

    /// Keeps a literal if its value matters. `token` is the literal as written.
    pub(super) fn literal(&mut self, token: &str, offset: u32, context: Context) {
        // Two quotes and one character matter to nobody.
        if token.len() < 4 {
            return;
        }
        let value = literals::value(token);
        let kind = literals::classify(&value);
        let topics = topics::of_literal(&value, kind);
        if topics != 0 {
            let text = crate::flow::literal_text(&value, topics, self.line(offset), context.function);
            if self.afford(&text, text.value.len()) {
                self.extract.texts.push(text);
            }
        }
        if let Some(kind) = kind {
            self.add_literal(kind, &value, offset, context);
        }
    }

    /// Keeps an array of numbers that begins like a program.
    fn array(&mut self, node: Node<'_, 't>, context: Context) {
        let elements = node.children().filter(|child| !child.is_token());
        let mut bytes = Vec::new();
        for element in elements.take(MAGIC_BYTES) {
            let Some(byte) = literals::byte(element.text()) else { break };
            bytes.push(byte);
        }
        if literals::is_machine_code(&bytes) {
            let value: String =
                bytes.iter().flat_map(|byte| std::ascii::escape_default(*byte)).map(char::from).collect();
            self.add_literal(LiteralKind::MachineCode, &value, node.start(), context);
        }
    }

    fn add_literal(&mut self, kind: LiteralKind, value: &str, offset: u32, context: Context) {
        let literal = Literal {
            file: 0,
            line: self.line(offset),
            function: context.function,
            kind,
            value: excerpt(value),
            length: value.len() as u32,
        };
        if self.afford(&literal, literal.value.len()) {
            self.extract.literals.push(literal);
        }
    }

    /// The counters of the file and of the enclosing function, both to be counted in.
    pub(super) fn count(&mut self, context: Context, count: impl Fn(&mut UnsafeCounters)) {
        count(&mut self.extract.counters);
        if let Some(function) = self.enclosing(context) {
            count(&mut function.counters);
        }
    }
}

/// Number of arguments of a call.
fn arguments(call: Node<'_, '_>) -> u16 {
    let list = call.child(SyntaxKind::ARG_LIST);
    let count = list.map_or(0, |list| list.children().filter(|child| !child.is_token()).count());
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// Whether cargo-geiger's "expressions" count this element; see [`UnsafeCounters::exprs`].
fn is_counted_expression(node: Node<'_, '_>, kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    match kind {
        ARRAY_EXPR | ASM_EXPR | AWAIT_EXPR | BECOME_EXPR | BIN_EXPR | BREAK_EXPR | CALL_EXPR | CAST_EXPR
        | CLOSURE_EXPR | CONTINUE_EXPR | FIELD_EXPR | FORMAT_ARGS_EXPR | FOR_EXPR | IF_EXPR | INDEX_EXPR
        | LET_EXPR | LOOP_EXPR | MACRO_EXPR | MATCH_EXPR | METHOD_CALL_EXPR | OFFSET_OF_EXPR | PAREN_EXPR
        | PREFIX_EXPR | RANGE_EXPR | RECORD_EXPR | REF_EXPR | RETURN_EXPR | TRY_EXPR | TUPLE_EXPR
        | UNDERSCORE_EXPR | WHILE_EXPR | YEET_EXPR | YIELD_EXPR => true,
        BLOCK_EXPR => is_counted_block(node),
        _ => false,
    }
}

/// Blocks that are an expression of their own, rather than part of `fn`, `if`, `loop`, `while`, `for` or `unsafe`.
fn is_counted_block(block: Node<'_, '_>) -> bool {
    use SyntaxKind::*;
    if block.has(UNSAFE_KW) {
        return false;
    }
    match block.parent().kind() {
        FN | LOOP_EXPR | WHILE_EXPR | FOR_EXPR => false,
        IF_EXPR => {
            // The block behind `else` is an expression; the one behind the condition is not.
            let else_before = |it: &Node<'_, '_>| it.kind() == ELSE_KW && it.index < block.index;
            block.parent().children().any(|it| else_before(&it))
        }
        _ => true,
    }
}
