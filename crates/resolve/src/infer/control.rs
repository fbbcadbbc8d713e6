//! Branches, loops, `?` and `.await`, and the calls that they stand for.

use cratekeeper_model::graph::{Certainty, EdgeKind};
use cratekeeper_syntax::SyntaxKind;

use super::expressions::{expressions, is_expression, label_of};
use super::patterns::is_pattern;
use super::{Body, Target};
use crate::definitions::{Primitive, TraitReference};
use crate::sources::Node;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

impl<'a> Body<'_, 'a> {
    /// Two branches of one expression: what one of them knows, the other knows too.
    pub(super) fn join(&mut self, known: Option<TypeId>, found: TypeId) -> TypeId {
        let Some(known) = known else { return found };
        if matches!(self.table.of(known), Type::Never | Type::Unknown) {
            return found;
        }
        if !matches!(self.table.of(found), Type::Never | Type::Unknown) {
            self.table.try_unify(known, found);
        }
        known
    }

    pub(super) fn if_expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let scope = self.locals.len();
        let mut of = None;
        let mut has_else = false;
        let mut condition = true;
        for child in node.children() {
            if child.kind() == SyntaxKind::ELSE_KW {
                has_else = true;
                self.locals.truncate(scope);
            }
            if !is_expression(child.kind()) {
                continue;
            }
            if condition {
                condition = false;
                self.expression(child, None);
                continue;
            }
            let found = self.expression(child, expected);
            of = Some(self.join(of, found));
            self.locals.truncate(scope);
        }
        self.locals.truncate(scope);
        if has_else { of.unwrap_or(TypeId::UNIT) } else { TypeId::UNIT }
    }

    pub(super) fn let_expression(&mut self, node: Node<'a>) -> TypeId {
        let of = match expressions(node).next() {
            Some(inner) => self.expression(inner, None),
            None => TypeId::UNKNOWN,
        };
        for pattern in node.children().filter(|it| is_pattern(it.kind())) {
            self.pattern(pattern, of);
        }
        self.table.add(Type::Primitive(Primitive::Bool))
    }

    pub(super) fn match_expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let subject = match expressions(node).next() {
            Some(subject) => self.expression(subject, None),
            None => TypeId::UNKNOWN,
        };
        let Some(arms) = node.child(SyntaxKind::MATCH_ARM_LIST) else { return TypeId::UNKNOWN };
        let mut of = None;
        for arm in arms.children().filter(|it| it.kind() == SyntaxKind::MATCH_ARM) {
            if !self.is_configured(arm) {
                continue;
            }
            let scope = self.locals.len();
            for pattern in arm.children().filter(|it| is_pattern(it.kind())) {
                self.pattern(pattern, subject);
            }
            if let Some(guard) = arm.child(SyntaxKind::MATCH_GUARD) {
                expressions(guard).for_each(|it| {
                    self.expression(it, None);
                });
            }
            if let Some(value) = expressions(arm).next() {
                let found = self.expression(value, expected);
                if let Some(expected) = expected {
                    self.coerce_at(found, expected, Some(value));
                }
                of = Some(self.join(of, found));
            }
            self.locals.truncate(scope);
        }
        of.unwrap_or_else(|| self.table.add(Type::Never))
    }

    pub(super) fn loop_expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let scope = self.locals.len();
        let label = label_of(node);
        let value = match (node.kind(), expected) {
            (SyntaxKind::LOOP_EXPR, Some(expected)) => expected,
            (SyntaxKind::LOOP_EXPR, None) => self.table.variable(),
            _ => TypeId::UNIT,
        };
        if node.kind() == SyntaxKind::FOR_EXPR {
            self.for_header(node);
        }
        self.breaks.push((label, value));
        let skip = usize::from(node.kind() == SyntaxKind::FOR_EXPR);
        for inner in expressions(node).skip(skip) {
            self.expression(inner, None);
        }
        self.breaks.pop();
        self.locals.truncate(scope);
        value
    }

    /// `for pattern in iterable`: `into_iter`, then `next` until it ends.
    pub(super) fn for_header(&mut self, node: Node<'a>) {
        let Some(iterable) = expressions(node).next() else { return };
        let of = self.expression(iterable, None);
        self.select_pending_if_open(of);
        let known = self.context.known;
        let mut item = TypeId::UNKNOWN;
        if let Some(id) = known.into_iterator {
            if let Some(function) = self.declared(id, Symbol::new("into_iter")) {
                let target = Target::Method { function, subject: of, arguments: Box::default() };
                self.record(iterable, target, EdgeKind::Call, Certainty::Typed);
            }
            let iterator = self.project(of, id, &[], Symbol::new("IntoIter"), 0);
            item = self.project(of, id, &[], Symbol::new("Item"), 0);
            if let Some(id) = known.iterator {
                if let Some(function) = self.declared(id, Symbol::new("next")) {
                    let target = Target::Method { function, subject: iterator, arguments: Box::default() };
                    self.record(iterable, target, EdgeKind::Call, Certainty::Typed);
                }
                if self.table.is_variable(item) || matches!(self.table.of(item), Type::Projection(..)) {
                    item = self.project(iterator, id, &[], Symbol::new("Item"), 0);
                }
            }
        }
        for pattern in node.children().filter(|it| is_pattern(it.kind())) {
            self.pattern(pattern, item);
        }
    }

    pub(super) fn break_expression(&mut self, node: Node<'a>) {
        let label = node.child(SyntaxKind::LIFETIME).map(|it| Symbol::new(it.text()));
        let of = match label {
            Some(_) => self.breaks.iter().rev().find(|it| it.0 == label),
            None => self.breaks.last(),
        };
        let wanted = of.map(|it| it.1);
        if let Some(inner) = expressions(node).next() {
            let found = self.expression(inner, wanted);
            if let Some(wanted) = wanted {
                self.coerce_at(found, wanted, Some(inner));
            }
        }
    }

    /// `inner?`
    pub(super) fn try_expression(&mut self, node: Node<'a>, _expected: Option<TypeId>) -> TypeId {
        let Some(inner) = expressions(node).next() else { return TypeId::UNKNOWN };
        let of = self.expression(inner, None);
        self.select_pending_if_open(of);
        let known = self.context.known;
        let Type::Adt(id, arguments) = self.table.of(of).clone() else { return TypeId::UNKNOWN };
        if Some(id) == known.result
            && let [_, error] = arguments[..]
        {
            self.convert_error(node, error);
        }
        if Some(id) == known.poll {
            // `Poll<Result<T, E>>` gives `Poll<T>`.
            let Some(inner) = arguments.first().map(|it| self.table.of(*it).clone()) else { return of };
            if let Type::Adt(result, parts) = inner
                && Some(result) == known.result
                && let Some(value) = parts.first()
            {
                return self.table.add(Type::Adt(id, [*value].into()));
            }
            return TypeId::UNKNOWN;
        }
        if [known.option, known.result].contains(&Some(id)) {
            return arguments.first().copied().unwrap_or(TypeId::UNKNOWN);
        }
        if Some(id) == known.control_flow {
            return arguments.get(1).copied().unwrap_or(TypeId::UNKNOWN);
        }
        TypeId::UNKNOWN
    }

    /// `?` converts the error with `From`; the standard library makes the call.
    pub(super) fn convert_error(&mut self, node: Node<'a>, error: TypeId) {
        let known = self.context.known;
        let Some(wanted) = self.results.last().copied() else { return };
        let Type::Adt(id, arguments) = self.table.of(wanted).clone() else { return };
        let (Some(result), Some(id_of_from)) = (known.result, known.from) else { return };
        let [_, wanted] = arguments[..] else { return };
        if id != result {
            return;
        }
        if self.table.is_variable(wanted) {
            return;
        }
        let (error, wanted) = (self.table.shallow(error), self.table.shallow(wanted));
        // `impl<T> From<T> for T`
        if error == wanted || self.head(error).is_some() && self.head(error) == self.head(wanted) {
            return;
        }
        if let Some(function) = self.declared(id_of_from, Symbol::new("from"))
            && matches!(self.table.of(wanted), Type::Adt(..))
        {
            let target = Target::Method { function, subject: wanted, arguments: [error].into() };
            self.record(node, target, EdgeKind::Call, Certainty::Candidate);
        }
    }

    pub(super) fn await_expression(&mut self, node: Node<'a>) -> TypeId {
        let Some(inner) = expressions(node).next() else { return TypeId::UNKNOWN };
        let of = self.expression(inner, None);
        self.select_pending_if_open(of);
        let known = self.context.known;
        if matches!(self.table.of(of), Type::Adt(..) | Type::Parameter(_) | Type::Projection(..))
            && let Some(id) = known.future
        {
            let reference = TraitReference { id, arguments: Box::default(), bindings: Box::default() };
            if self.implements(of, &reference) == super::implementations::Answer::Yes
                && let Some(function) = self.declared(id, Symbol::new("poll"))
            {
                let target = Target::Method { function, subject: of, arguments: Box::default() };
                self.record(node, target, EdgeKind::Call, Certainty::Typed);
            }
        }
        self.awaited(of)
    }

    /// What a future gives.
    pub(super) fn awaited(&mut self, of: TypeId) -> TypeId {
        let of = self.table.shallow(of);
        let known = self.context.known;
        if let (Type::Opaque(bounds), Some(future)) = (self.table.of(of).clone(), known.future)
            && let Some(bound) = bounds.iter().find(|it| it.id == future)
            && let Some((_, output)) = bound.bindings.first()
        {
            return self.normalized(*output);
        }
        match known.into_future.or(known.future) {
            Some(id) => {
                let output = self.project(of, id, &[], Symbol::new("Output"), 0);
                if self.table.is_variable(output)
                    && let Some(future) = known.future
                {
                    return self.project(of, future, &[], Symbol::new("Output"), 0);
                }
                output
            }
            None => TypeId::UNKNOWN,
        }
    }
}
