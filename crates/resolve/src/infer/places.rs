//! Fields, indices and dereferencing: expressions that name a place, and the calls that they make on the way.
//!
//! Whether `deref` or `deref_mut` is called is only known once the place is used. So the calls of a place are kept by its
//! expression, and changed when something mutable is made of it.

use cratekeeper_model::graph::{Certainty, EdgeKind};
use cratekeeper_syntax::SyntaxKind;

use super::expressions::is_expression;
use super::{Body, Target};
use crate::definitions::{AdtKind, TraitReference};
use crate::sources::Node;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

impl<'a> Body<'_, 'a> {
    /// `base.name`
    pub(super) fn field(&mut self, node: Node<'a>) -> TypeId {
        let base = node.children().find(|it| is_expression(it.kind()));
        let (Some(base), Some(name)) = (base, node.child(SyntaxKind::NAME_REF)) else {
            return TypeId::UNKNOWN;
        };
        let of = self.expression(base, None);
        self.select_pending_if_open(of);
        let name = Symbol::new(name.text());
        let steps = self.steps(of);
        for (number, step) in steps.iter().enumerate() {
            if let Some(found) = self.field_of(step.of, name) {
                self.dereference_implicitly(base, &steps[..=number], false);
                return found;
            }
        }
        TypeId::UNKNOWN
    }

    /// The type of a field.
    pub(super) fn field_of(&mut self, of: TypeId, name: Symbol) -> Option<TypeId> {
        match self.table.of(of).clone() {
            Type::Tuple(parts) => parts.get(name.as_str().parse::<usize>().ok()?).copied(),
            Type::Adt(adt, arguments) => {
                let view = self.view();
                let data = view.adt(adt);
                if data.kind == AdtKind::Enum {
                    return None;
                }
                let (_, field) = data.variants.first()?.fields.iter().find(|(it, _)| *it == name)?;
                let from = &view.krate(adt.krate).types;
                let field = substitute::copy(Some(from), *field, &arguments, &mut self.table.pool);
                Some(self.normalized(field))
            }
            _ => None,
        }
    }

    /// `base[index]`
    pub(super) fn index(&mut self, node: Node<'a>) -> TypeId {
        let mut parts = node.children().filter(|it| is_expression(it.kind()));
        let (Some(base), Some(index)) = (parts.next(), parts.next()) else { return TypeId::UNKNOWN };
        let of = self.expression(base, None);
        let index_type = self.expression(index, None);
        self.select_pending_if_open(of);
        let steps = self.steps(of);
        let by_range = self.is_range(index_type);
        for (number, step) in steps.iter().enumerate() {
            if let Type::Slice(element) | Type::Array(element) = *self.table.of(step.of) {
                self.dereference_implicitly(base, &steps[..=number], false);
                if by_range {
                    return self.table.add(Type::Slice(element));
                }
                return self.table.shallow(element);
            }
            let Some(id) = self.context.known.index else { continue };
            let output = self.table.variable();
            let reference = TraitReference { id, arguments: [index_type].into(), bindings: Box::default() };
            if self.implements(step.of, &reference) == super::implementations::Answer::Yes {
                self.dereference_implicitly(base, &steps[..=number], false);
                let bound = TraitReference {
                    bindings: [(Symbol::new("Output"), output)].into(),
                    ..reference.clone()
                };
                self.register(step.of, &bound, 0);
                if let Some(function) = self.declared(id, Symbol::new("index")) {
                    let target =
                        Target::Method { function, subject: step.of, arguments: reference.arguments };
                    let record = self.record(node, target, EdgeKind::Call, Certainty::Typed);
                    self.places.entry((self.tree, node.index)).or_default().push(record);
                }
                return self.table.shallow(output);
            }
        }
        TypeId::UNKNOWN
    }

    fn is_range(&self, of: TypeId) -> bool {
        let known = self.context.known;
        let ranges = [
            known.range,
            known.range_from,
            known.range_to,
            known.range_full,
            known.range_inclusive,
            known.range_to_inclusive,
        ];
        matches!(self.table.of(of), Type::Adt(id, _) if ranges.contains(&Some(*id)))
    }

    /// `*inner`
    pub(super) fn dereference(&mut self, node: Node<'a>, inner: Node<'a>) -> TypeId {
        let of = self.expression(inner, None);
        self.select_pending_if_open(of);
        if let Type::Pointer(_, inner) = *self.table.of(of) {
            return self.table.shallow(inner);
        }
        match self.dereferenced(of) {
            Some((target, overloaded)) => {
                if overloaded {
                    self.record_deref(node, of, false);
                }
                target
            }
            None => TypeId::UNKNOWN,
        }
    }

    /// Something mutable is made of the place: its calls are those of `DerefMut` and `IndexMut`.
    pub(super) fn make_mutable(&mut self, place: Node<'a>) {
        use SyntaxKind::*;
        let mut place = place;
        loop {
            if let Some(records) = self.places.get(&(self.tree, place.index)).cloned() {
                for record in records {
                    self.make_record_mutable(record);
                }
            }
            let inner = match place.kind() {
                FIELD_EXPR | INDEX_EXPR | PAREN_EXPR => place.children().find(|it| is_expression(it.kind())),
                PREFIX_EXPR if place.has(STAR) => place.children().find(|it| is_expression(it.kind())),
                _ => None,
            };
            let Some(inner) = inner else { return };
            // `*p` of a `&mut` does not need `p` itself to be a mutable place; of an overloaded one it does.
            place = inner;
        }
    }

    fn make_record_mutable(&mut self, record: usize) {
        let known = self.context.known;
        let Some(Target::Method { function, .. }) = self.calls.found.get(record).map(|it| it.target.clone())
        else {
            return;
        };
        let pairs = [
            (known.deref, known.deref_mut, "deref", "deref_mut"),
            (known.index, known.index_mut, "index", "index_mut"),
        ];
        for (shared, mutable, shared_name, mutable_name) in pairs {
            let is_shared =
                shared.and_then(|it| self.declared(it, Symbol::new(shared_name))) == Some(function);
            let replacement = mutable.and_then(|it| self.declared(it, Symbol::new(mutable_name)));
            if let (true, Some(replacement), Target::Method { function, .. }) =
                (is_shared, replacement, &mut self.calls.found[record].target)
            {
                *function = replacement;
            }
        }
    }
}
