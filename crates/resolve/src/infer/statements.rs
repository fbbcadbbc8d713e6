//! Blocks and statements.

use cratekeeper_syntax::SyntaxKind;

use super::Body;
use super::expressions::{expressions, is_expression, label_of};
use super::patterns::is_pattern;
use crate::collect::statement_call;
use crate::sources::{Node, SyntaxReference};
use crate::types::{Type, TypeId};

impl<'a> Body<'_, 'a> {
    /// `{ … }`, with whatever keyword stands in front.
    pub(super) fn block(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        use SyntaxKind::*;
        let (outer_unsafe, outer_module, scope) = (self.in_unsafe, self.module, self.locals.len());
        let uses = self.uses.len();
        if node.has(UNSAFE_KW) {
            self.in_unsafe = true;
            self.calls.uses_unsafe = true;
            self.calls.unsafe_blocks += 1;
        }
        let key = SyntaxReference { tree: self.tree, node: node.index };
        if let Some(module) = self.context.origins.blocks.get(&key) {
            self.module = *module;
        }
        let is_async = node.has(ASYNC_KW);
        let label = label_of(node);
        let of = if is_async {
            let result = self.table.variable();
            self.results.push(result);
            let breaks = std::mem::take(&mut self.breaks);
            let wanted = expected.and_then(|it| self.future_output(it));
            let found = self.statements(node, wanted);
            self.breaks = breaks;
            self.results.pop();
            self.table.try_unify(result, found);
            self.maybe_future(true, result)
        } else if label.is_some() {
            let value = expected.unwrap_or_else(|| self.table.variable());
            self.breaks.push((label, value));
            let found = self.statements(node, Some(value));
            self.breaks.pop();
            self.table.try_unify(value, found);
            value
        } else {
            self.statements(node, expected)
        };
        self.locals.truncate(scope);
        self.uses.truncate(uses);
        self.in_unsafe = outer_unsafe;
        self.module = outer_module;
        of
    }

    fn future_output(&mut self, expected: TypeId) -> Option<TypeId> {
        let Type::Opaque(bounds) = self.table.of(expected).clone() else { return None };
        bounds.iter().find(|it| Some(it.id) == self.context.known.future)?.bindings.first().map(|it| it.1)
    }

    fn statements(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let Some(list) = node.child(SyntaxKind::STMT_LIST) else { return TypeId::UNIT };
        self.statement_list(list, expected)
    }

    /// Statements, and the expression at the end.
    pub(super) fn statement_list(&mut self, list: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let last = list.children().filter(|it| !it.is_token() && it.kind() != SyntaxKind::ATTR).last();
        self.local_items(list);
        let mut of = TypeId::UNIT;
        let mut diverges = false;
        for child in list.children() {
            if !self.is_configured(child) {
                continue;
            }
            let is_last = last.is_some_and(|it| it.index == child.index);
            // What is behind a macro belongs to the expression: `vec![1].len();`
            if let Some(call) = statement_call(child) {
                let found = self.macro_call(call, super::Form::Statements, expected.filter(|_| is_last));
                let ends = child.has(SyntaxKind::SEMICOLON) || call.has(SyntaxKind::SEMICOLON);
                // A macro at the end without `;` is the block's value.
                if is_last && !ends {
                    of = found;
                } else {
                    diverges |= *self.table.of(found) == Type::Never;
                }
                continue;
            }
            match child.kind() {
                SyntaxKind::LET_STMT => self.let_statement(child),
                SyntaxKind::CONST | SyntaxKind::STATIC => self.local_value(child),
                SyntaxKind::EXPR_STMT => {
                    for inner in expressions(child) {
                        let found = self.expression(inner, None);
                        diverges |= *self.table.of(found) == Type::Never;
                    }
                }
                kind if is_expression(kind) => {
                    let found = self.expression(child, expected.filter(|_| is_last));
                    if is_last {
                        if let Some(expected) = expected {
                            self.coerce_at(found, expected, Some(child));
                        }
                        of = found;
                    }
                }
                _ => {}
            }
            if !self.pending.is_empty() && self.pending.len() > 64 {
                self.select_pending();
            }
        }
        if diverges && of == TypeId::UNIT {
            return self.table.add(Type::Never);
        }
        of
    }

    fn let_statement(&mut self, node: Node<'a>) {
        let written = crate::lowering::type_child(node);
        let written = written.map(|it| self.lower(it));
        let initializer = expressions(node).next();
        let found = initializer.map(|it| {
            let found = self.expression(it, written);
            if let Some(written) = written {
                self.coerce_at(found, written, Some(it));
            }
            found
        });
        if let Some(otherwise) = node.child(SyntaxKind::LET_ELSE) {
            let scope = self.locals.len();
            for inner in expressions(otherwise) {
                self.expression(inner, None);
            }
            self.locals.truncate(scope);
        }
        let of = match (written, found) {
            (Some(written), _) => written,
            (None, Some(found)) => found,
            (None, None) => self.table.variable(),
        };
        let of = match self.table.of(of) {
            Type::Never => TypeId::UNKNOWN,
            _ => of,
        };
        for pattern in node.children().filter(|it| is_pattern(it.kind())) {
            self.pattern(pattern, of);
        }
    }

    /// Whether `#[cfg]` in front of a statement, arm or field leaves it in.
    pub(super) fn is_configured(&self, node: Node<'a>) -> bool {
        // In front of an expression, attributes are part of its leftmost operand.
        let mut node = node;
        loop {
            let Some(first) = node.children().next() else { return true };
            if first.kind() == SyntaxKind::ATTR {
                return self.context.expand.is_configured(node);
            }
            let has_operand = matches!(node.kind(), SyntaxKind::EXPR_STMT | SyntaxKind::BIN_EXPR);
            if !has_operand || !is_expression(first.kind()) {
                return true;
            }
            node = first;
        }
    }
}
