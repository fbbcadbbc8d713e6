//! Calls: of paths, of methods, of values; their arguments, and functions taken as values.

use cratekeeper_model::graph::{Certainty, EdgeKind, UnresolvedReason};
use cratekeeper_syntax::SyntaxKind;

use super::expressions::is_expression;
use super::methods::{Picked, Step};
use super::values::PathValue;
use super::{Body, Target};
use crate::definitions::{Container, FunctionId, TraitId, TraitReference};
use crate::sources::Node;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

impl<'a> Body<'_, 'a> {
    /// `callee(arguments)`
    pub(super) fn call(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let mut callee = node.children().find(|it| is_expression(it.kind()));
        while let Some(inner) = callee.filter(|it| it.kind() == SyntaxKind::PAREN_EXPR) {
            callee = inner.children().find(|it| is_expression(it.kind()));
        }
        let arguments = arguments(node);
        let Some(callee) = callee else { return TypeId::UNKNOWN };
        if callee.kind() != SyntaxKind::PATH_EXPR {
            let of = self.expression(callee, None);
            return self.call_of_value(node, callee, of, &arguments);
        }
        let Some(path) = callee.child(SyntaxKind::PATH) else { return TypeId::UNKNOWN };
        match self.path_value(path) {
            PathValue::Function { id, arguments: generic, subject, exact } => {
                let certainty = if exact { Certainty::Exact } else { Certainty::Typed };
                self.record_function(callee, id, &generic, subject, EdgeKind::Call, certainty);
                self.call_of_function(id, &generic, &arguments, 0, expected)
            }
            PathValue::Constructor { adt, variant, arguments: generic } => {
                let of = self.table.add(Type::Adt(adt, generic.clone().into()));
                self.expect_softly(of, expected);
                let view = self.view();
                let from = &view.krate(adt.krate).types;
                let fields =
                    view.adt(adt).variants.get(variant as usize).map_or(&[][..], |it| &it.fields[..]);
                let fields: Vec<TypeId> = fields
                    .iter()
                    .map(|(_, field)| substitute::copy(Some(from), *field, &generic, &mut self.table.pool))
                    .collect();
                let fields: Vec<TypeId> = fields.into_iter().map(|it| self.normalized(it)).collect();
                self.check_arguments(&fields, &arguments);
                of
            }
            PathValue::Value(of) => self.call_of_value(node, callee, of, &arguments),
            PathValue::Unread(path) => {
                let text = path.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("::");
                self.record(callee, Target::Unread(text), EdgeKind::Call, Certainty::Name);
                self.check_arguments(&[], &arguments);
                TypeId::UNKNOWN
            }
            PathValue::Unknown(reason) => {
                self.unresolved(callee, path.plain_text(), reason);
                self.check_arguments(&[], &arguments);
                TypeId::UNKNOWN
            }
        }
    }

    /// `value(arguments)`: a closure, a function pointer, a type parameter that is `Fn`.
    fn call_of_value(
        &mut self,
        node: Node<'a>,
        callee: Node<'a>,
        of: TypeId,
        arguments: &[Node<'a>],
    ) -> TypeId {
        self.select_pending_if_open(of);
        for step in self.steps(of) {
            if let Some((parameters, result)) = self.callable(step.of) {
                self.check_arguments(&parameters, arguments);
                return self.normalized(result);
            }
            let bounds = self.bounds_on(step.of);
            let bound = bounds.iter().find(|it| self.is_function_trait(it.id));
            if let Some(bound) = bound.cloned() {
                let parameters = match bound.arguments.first().map(|it| self.table.of(*it).clone()) {
                    Some(Type::Tuple(parts)) => parts.to_vec(),
                    _ => Vec::new(),
                };
                self.check_arguments(&parameters, arguments);
                let result = bound.bindings.first().map_or(TypeId::UNKNOWN, |it| it.1);
                return self.normalized(result);
            }
        }
        self.check_arguments(&[], arguments);
        if !matches!(self.table.of(of), Type::Closure(_)) {
            self.unresolved(node, callee.plain_text(), UnresolvedReason::Value);
        }
        TypeId::UNKNOWN
    }

    pub(super) fn select_pending_if_open(&mut self, of: TypeId) {
        if self.table.is_variable(of) {
            self.select_pending();
        }
    }

    /// Keeps that a function is called or taken as a value.
    pub(super) fn record_function(
        &mut self,
        node: Node<'a>,
        id: FunctionId,
        arguments: &[TypeId],
        subject: Option<TypeId>,
        kind: EdgeKind,
        certainty: Certainty,
    ) -> usize {
        let data = self.view().function(id);
        let kind = match (kind, data.container) {
            (EdgeKind::Call, Container::Foreign) => EdgeKind::Ffi,
            _ => kind,
        };
        let target = match (subject, data.container) {
            (Some(subject), Container::Trait(of)) => {
                let of = TraitId { krate: id.krate, index: of };
                let count = self.view().of_trait(of).generics.parameters.len();
                let arguments = arguments.get(1..count.max(1)).unwrap_or_default().into();
                Target::Method { function: id, subject, arguments }
            }
            _ => Target::Function(id),
        };
        self.record(node, target, kind, certainty)
    }

    /// Checks the arguments of a function from parameter `skip` on, and gives its result.
    fn call_of_function(
        &mut self,
        id: FunctionId,
        generic: &[TypeId],
        arguments: &[Node<'a>],
        skip: usize,
        expected: Option<TypeId>,
    ) -> TypeId {
        let view = self.view();
        let data = view.function(id);
        let from = &view.krate(id.krate).types;
        let pool = &mut self.table.pool;
        let parameters: Vec<TypeId> = data
            .parameters
            .iter()
            .skip(skip)
            .map(|it| substitute::copy(Some(from), *it, generic, pool))
            .collect();
        let result = substitute::copy(Some(from), data.result, generic, pool);
        self.register_bounds(id, generic);
        let parameters: Vec<TypeId> = parameters.into_iter().map(|it| self.normalized(it)).collect();
        let result = self.normalized(result);
        if !data.is_async {
            self.expect_softly(result, expected);
        }
        self.check_arguments(&parameters, arguments);
        let result = self.normalized(result);
        self.maybe_future(data.is_async, result)
    }

    /// The bounds of a function have to hold from now on.
    fn register_bounds(&mut self, id: FunctionId, generic: &[TypeId]) {
        let view = self.view();
        let data = view.function(id);
        let from = &view.krate(id.krate).types;
        for bound in &data.generics.bounds {
            // `T: Send` tells nothing.
            if bound.by.arguments.is_empty() && bound.by.bindings.is_empty() {
                continue;
            }
            let pool = &mut self.table.pool;
            let subject = substitute::copy(Some(from), bound.subject, generic, pool);
            let by = substitute::copy_reference(Some(from), &bound.by, generic, pool);
            self.register(subject, &by, 0);
        }
    }

    /// Arguments against parameters; closures last, since what they are given is often known from the others.
    pub(super) fn check_arguments(&mut self, parameters: &[TypeId], arguments: &[Node<'a>]) {
        let is_closure = |node: &Node<'a>| node.kind() == SyntaxKind::CLOSURE_EXPR;
        let any_closure = arguments.iter().any(is_closure);
        for closures in [false, true] {
            if closures {
                if !any_closure {
                    break;
                }
                self.select_pending();
            }
            for (number, argument) in arguments.iter().enumerate() {
                if is_closure(argument) != closures {
                    continue;
                }
                let wanted = parameters.get(number).copied();
                let of = self.expect(*argument, wanted);
                if let Some(wanted) = wanted {
                    self.coerce_at(of, wanted, Some(*argument));
                }
            }
        }
        if !self.pending.is_empty() {
            self.select_pending();
        }
    }

    /// Uses what is expected of a result, as long as it fits.
    pub(super) fn expect_softly(&mut self, of: TypeId, expected: Option<TypeId>) {
        let Some(expected) = expected else { return };
        let expected = self.table.shallow(expected);
        // What is expected may be a type that the result is only coerced to.
        if matches!(self.table.of(expected), Type::Unknown | Type::Dyn(_) | Type::Opaque(_))
            || self.has_dyn(expected, 0)
            || self.table.is_variable(of)
        {
            return;
        }
        self.table.try_unify(of, expected);
    }

    fn has_dyn(&self, id: TypeId, depth: u32) -> bool {
        if depth > 8 {
            return false;
        }
        match self.table.of(id) {
            Type::Dyn(_) => true,
            Type::Reference(_, inner) | Type::Slice(inner) => self.has_dyn(*inner, depth + 1),
            Type::Adt(_, ids) | Type::Tuple(ids) => ids.iter().any(|it| self.has_dyn(*it, depth + 1)),
            _ => false,
        }
    }

    /// `receiver.name(arguments)`
    pub(super) fn method_call(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let receiver = node.children().find(|it| is_expression(it.kind()));
        let name = node.child(SyntaxKind::NAME_REF);
        let (Some(receiver), Some(name)) = (receiver, name) else { return TypeId::UNKNOWN };
        let of = self.expression(receiver, None);
        self.select_pending_if_open(of);
        let arguments = arguments(node);
        let symbol = Symbol::new(name.text());
        let of = self.table.shallow(of);
        let steps = self.steps(of);
        let open = steps
            .last()
            .is_some_and(|it| self.table.is_variable(it.of) || *self.table.of(it.of) == Type::Unknown);
        let picked = if self.table.is_variable(of) { None } else { self.pick(&steps, symbol) };
        let Some(picked) = picked else {
            // A field that holds something that can be called is written `(self.f)(…)`, so this is a method.
            let reason =
                if open { UnresolvedReason::ReceiverUnknown } else { UnresolvedReason::MethodNotFound };
            self.by_name(name, symbol, reason);
            self.check_arguments(&[], &arguments);
            return TypeId::UNKNOWN;
        };
        let data = self.view().function(picked.function);
        self.dereference_implicitly(receiver, &steps[..=picked.steps], self.takes_mutably(&picked));
        let written = self.with_lowering(|lowering| lowering.arguments(node));
        let mut generic = picked.arguments.clone();
        let own = generic.iter().copied().skip(data.generics.of_container as usize).collect::<Vec<_>>();
        for (place, written) in own.into_iter().zip(written) {
            let written = self.normalized(written);
            self.table.unify(place, written);
        }
        self.record_function(
            name,
            picked.function,
            &generic,
            picked.subject,
            EdgeKind::Call,
            Certainty::Typed,
        );
        if let Some(subject) = picked.subject {
            generic[0] = subject;
        }
        self.call_of_function(picked.function, &generic, &arguments, 1, expected)
    }

    /// Whether a method needs its receiver to be mutable.
    fn takes_mutably(&self, picked: &Picked) -> bool {
        if picked.borrowed == Some(true) {
            return true;
        }
        let view = self.view();
        let data = view.function(picked.function);
        let types = &view.krate(picked.function.krate).types;
        data.parameters.first().is_some_and(|it| matches!(types.of(*it), Type::Reference(true, _)))
    }

    /// Keeps the calls of `deref` on the way to a method or field.
    pub(super) fn dereference_implicitly(&mut self, place: Node<'a>, steps: &[Step], mutably: bool) {
        for step in steps.iter().skip(1) {
            if let Some(subject) = step.overloaded {
                self.record_deref(place, subject, mutably);
            }
        }
        if mutably {
            // `&mut` reborrowed at the first step needs nothing of what it was read from to be mutable but itself.
            self.make_mutable(place);
        }
    }

    pub(super) fn record_deref(&mut self, place: Node<'a>, subject: TypeId, mutably: bool) {
        let known = self.context.known;
        let (of_trait, name) = if mutably { (known.deref_mut, "deref_mut") } else { (known.deref, "deref") };
        let Some(function) = of_trait.and_then(|it| self.declared(it, Symbol::new(name))) else { return };
        let target = Target::Method { function, subject, arguments: Box::default() };
        let index = self.record(place, target, EdgeKind::Call, Certainty::Typed);
        self.places.entry((self.tree, place.index)).or_default().push(index);
    }

    /// Nothing but the name is known: own functions of that name, if they are few and the standard library has none.
    fn by_name(&mut self, node: Node<'a>, name: Symbol, reason: UnresolvedReason) {
        self.unresolved(node, format!(".{name}"), reason);
        if reason != UnresolvedReason::ReceiverUnknown || self.is_common(name) {
            return;
        }
        let found = self.context.by_name.get(&name).map_or(&[][..], |it| &it[..]);
        if found.len() > super::CANDIDATES {
            return;
        }
        for index in found.iter().copied() {
            let target = Target::Function(FunctionId { krate: self.view().index, index });
            self.record(node, target, EdgeKind::Call, Certainty::Name);
        }
    }

    /// Whether the standard library's prelude types have a method of that name.
    fn is_common(&self, name: Symbol) -> bool {
        !self.methods_in_scope(name).is_empty() && !self.context.by_name.contains_key(&name)
            || self.context.common.contains(&name)
    }

    /// A closure against what is expected of it.
    pub(super) fn closure(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let expectation = expected.and_then(|it| self.closure_expectation(it));
        let list = node.child(SyntaxKind::PARAM_LIST);
        let written: Vec<Node<'a>> = list
            .map(|it| it.children().filter(|it| it.kind() == SyntaxKind::PARAM).collect())
            .unwrap_or_default();
        let mut parameters = Vec::with_capacity(written.len());
        let scope = self.locals.len();
        for (number, parameter) in written.iter().enumerate() {
            let of = match crate::lowering::type_child(*parameter) {
                Some(written) => self.lower(written),
                None => self.table.variable(),
            };
            let known = expectation.as_ref().and_then(|it| it.0.get(number).copied());
            if let Some(known) = known {
                let known = self.normalized(known);
                self.table.unify(of, known);
            }
            parameters.push(of);
        }
        let result = match node.child(SyntaxKind::RET_TYPE).and_then(crate::lowering::type_child) {
            Some(written) => self.lower(written),
            None => match expectation.as_ref().and_then(|it| it.1) {
                Some(known) => known,
                None => self.table.variable(),
            },
        };
        let number = self.table.closures.len() as u32;
        self.table.closures.push(super::table::ClosureSignature { parameters: parameters.clone(), result });
        let of = self.table.add(Type::Closure(number));
        for (parameter, of) in written.iter().zip(&parameters) {
            if let Some(pattern) = parameter.children().find(|it| super::patterns::is_pattern(it.kind())) {
                self.pattern(pattern, *of);
            }
        }
        let is_async = node.has(SyntaxKind::ASYNC_KW);
        let body = node.children().filter(|it| is_expression(it.kind())).last();
        let breaks = std::mem::take(&mut self.breaks);
        if let Some(body) = body {
            if is_async {
                let inner = self.table.variable();
                self.results.push(inner);
                let found = self.expect(body, None);
                self.table.unify(inner, found);
                let future = self.maybe_future(true, inner);
                self.table.unify(result, future);
            } else {
                self.results.push(result);
                let found = self.expect(body, Some(result));
                self.coerce_at(found, result, Some(body));
            }
            self.results.pop();
        }
        self.breaks = breaks;
        self.locals.truncate(scope);
        of
    }

    /// What is expected of a closure: its parameters, and perhaps its result.
    fn closure_expectation(&mut self, expected: TypeId) -> Option<(Vec<TypeId>, Option<TypeId>)> {
        let expected = self.table.shallow(expected);
        match self.table.of(expected).clone() {
            Type::Variable(_) => {
                let waiting: Vec<TraitReference> = self
                    .pending
                    .iter()
                    .filter(|it| self.table.shallow(it.subject) == expected)
                    .map(|it| it.reference.clone())
                    .collect();
                self.expectation_of(&waiting)
            }
            Type::Function(parameters, result) => Some((parameters.into(), Some(result))),
            Type::Dyn(_) | Type::Opaque(_) | Type::Parameter(_) | Type::Projection(..) => {
                let bounds = self.bounds_on(expected);
                self.expectation_of(&bounds)
            }
            // `Box::new(|x| …)` where `Box<dyn Fn(X)>` is expected.
            Type::Adt(id, arguments) if Some(id) == self.context.known.boxed => {
                let inner = *arguments.first()?;
                matches!(self.table.of(inner), Type::Dyn(_)).then_some(())?;
                self.closure_expectation(inner)
            }
            _ => None,
        }
    }

    fn expectation_of(&mut self, bounds: &[TraitReference]) -> Option<(Vec<TypeId>, Option<TypeId>)> {
        let bound = bounds.iter().find(|it| self.is_function_trait(it.id))?;
        let tuple = self.table.of(*bound.arguments.first()?).clone();
        let Type::Tuple(parameters) = tuple else { return None };
        Some((parameters.into(), bound.bindings.first().map(|it| it.1)))
    }

    /// Makes `of` fit where `wanted` is: references are dereferenced, arrays become slices, types become `dyn`.
    pub(super) fn coerce(&mut self, of: TypeId, wanted: TypeId) {
        self.coerce_at(of, wanted, None);
    }

    pub(super) fn coerce_at(&mut self, of: TypeId, wanted: TypeId, place: Option<Node<'a>>) {
        let (of, wanted) = (self.table.shallow(of), self.table.shallow(wanted));
        if of == wanted {
            return;
        }
        match (self.table.of(of).clone(), self.table.of(wanted).clone()) {
            (Type::Reference(mutable, inner), Type::Reference(_, wanted)) => {
                self.coerce_reference(mutable, inner, wanted, place);
            }
            (Type::Reference(_, inner), Type::Pointer(_, wanted)) => {
                self.table.try_unify(inner, wanted);
            }
            (Type::Adt(a, of_a), Type::Adt(b, of_b)) if a == b => {
                for (from, to) in of_a.iter().zip(&of_b) {
                    if !matches!(self.table.of(*to), Type::Dyn(_)) {
                        self.table.try_unify(*from, *to);
                    }
                }
            }
            _ => {
                self.table.try_unify(of, wanted);
            }
        }
    }

    fn coerce_reference(&mut self, mutable: bool, inner: TypeId, wanted: TypeId, place: Option<Node<'a>>) {
        if matches!(self.table.of(wanted), Type::Dyn(_)) || self.table.try_unify(inner, wanted) {
            return;
        }
        let steps = self.steps(inner);
        for (number, step) in steps.iter().enumerate().skip(1) {
            if self.table.try_unify(step.of, wanted) {
                for step in &steps[1..=number] {
                    if let (Some(subject), Some(place)) = (step.overloaded, place) {
                        self.record_deref(place, subject, mutable);
                    }
                }
                return;
            }
        }
    }
}

/// The arguments of a call.
fn arguments(node: Node<'_>) -> Vec<Node<'_>> {
    let list = node.child(SyntaxKind::ARG_LIST);
    list.map(|it| it.children().filter(|it| is_expression(it.kind())).collect()).unwrap_or_default()
}
