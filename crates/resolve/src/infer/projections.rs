//! Associated types, and the bounds that are known of a type.

use std::rc::Rc;

use super::Body;
use crate::definitions::{TraitId, TraitReference};
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

impl Body<'_, '_> {
    /// The type with its projections replaced, as far as they are known.
    pub(super) fn normalized(&mut self, id: TypeId) -> TypeId {
        self.normalized_at(id, 0)
    }

    pub(super) fn normalized_at(&mut self, id: TypeId, depth: u32) -> TypeId {
        let id = self.table.shallow(id);
        if depth > 16 || !self.burn(1) || !self.has_projection(id, 0) {
            return id;
        }
        let next = depth + 1;
        let all = |body: &mut Self, ids: &[TypeId]| -> Box<[TypeId]> {
            ids.iter().map(|it| body.normalized_at(*it, next)).collect()
        };
        let of = match self.table.of(id).clone() {
            Type::Projection(subject, of_trait, arguments, name) => {
                let subject = self.normalized_at(subject, next);
                let arguments = all(self, &arguments);
                return self.project(subject, of_trait, &arguments, name, depth);
            }
            Type::Adt(adt, arguments) => Type::Adt(adt, all(self, &arguments)),
            Type::Reference(mutable, inner) => Type::Reference(mutable, self.normalized_at(inner, next)),
            Type::Pointer(mutable, inner) => Type::Pointer(mutable, self.normalized_at(inner, next)),
            Type::Slice(inner) => Type::Slice(self.normalized_at(inner, next)),
            Type::Array(inner) => Type::Array(self.normalized_at(inner, next)),
            Type::Tuple(parts) => Type::Tuple(all(self, &parts)),
            Type::Function(parameters, result) => {
                Type::Function(all(self, &parameters), self.normalized_at(result, next))
            }
            Type::Opaque(bounds) => {
                let bounds = bounds.iter().map(|it| self.normalized_reference(it, next)).collect();
                Type::Opaque(bounds)
            }
            Type::Dyn(bounds) => {
                let bounds = bounds.iter().map(|it| self.normalized_reference(it, next)).collect();
                Type::Dyn(bounds)
            }
            other => other,
        };
        self.table.add(of)
    }

    pub(super) fn normalized_reference(&mut self, reference: &TraitReference, depth: u32) -> TraitReference {
        TraitReference {
            id: reference.id,
            arguments: reference.arguments.iter().map(|it| self.normalized_at(*it, depth)).collect(),
            bindings: reference
                .bindings
                .iter()
                .map(|(name, it)| (*name, self.normalized_at(*it, depth)))
                .collect(),
        }
    }

    pub(super) fn has_projection(&self, id: TypeId, depth: u32) -> bool {
        if depth > 16 {
            return false;
        }
        let any = |ids: &[TypeId]| ids.iter().any(|it| self.has_projection(*it, depth + 1));
        match self.table.of(id) {
            Type::Projection(..) => true,
            Type::Adt(_, ids) | Type::Tuple(ids) => any(ids),
            Type::Reference(_, inner) | Type::Pointer(_, inner) | Type::Slice(inner) | Type::Array(inner) => {
                self.has_projection(*inner, depth + 1)
            }
            Type::Function(ids, result) => any(ids) || self.has_projection(*result, depth + 1),
            Type::Opaque(bounds) | Type::Dyn(bounds) => bounds.iter().any(|it| {
                any(&it.arguments) || it.bindings.iter().any(|it| self.has_projection(it.1, depth + 1))
            }),
            _ => false,
        }
    }

    /// `<subject as of_trait<arguments>>::name`.
    pub(super) fn project(
        &mut self,
        subject: TypeId,
        of_trait: TraitId,
        arguments: &[TypeId],
        name: Symbol,
        depth: u32,
    ) -> TypeId {
        let subject = self.table.shallow(subject);
        match self.table.of(subject).clone() {
            Type::Unknown => return TypeId::UNKNOWN,
            Type::Variable(_) => {
                let result = self.table.variable();
                let reference = TraitReference {
                    id: of_trait,
                    arguments: arguments.into(),
                    bindings: [(name, result)].into(),
                };
                self.wait(subject, reference, depth + 1);
                return result;
            }
            _ => {}
        }
        let result = self.table.variable();
        let reference =
            TraitReference { id: of_trait, arguments: arguments.into(), bindings: [(name, result)].into() };
        if self.solve(subject, &reference, depth + 1) && !self.table.is_variable(result) {
            return self.table.shallow(result);
        }
        match self.table.of(subject) {
            Type::Parameter(_) | Type::Projection(..) => {
                self.table.add(Type::Projection(subject, of_trait, arguments.into(), name))
            }
            // A bound may still tell: `F: FnMut() -> B`.
            _ => self.table.shallow(result),
        }
    }

    /// Parameters and result of what can be called without an implementation.
    pub(super) fn callable(&mut self, of: TypeId) -> Option<(Vec<TypeId>, TypeId)> {
        match self.table.of(of).clone() {
            Type::Closure(number) => {
                let signature = self.table.closures.get(number as usize)?.clone();
                Some((signature.parameters, signature.result))
            }
            Type::Function(parameters, result) => Some((parameters.into(), result)),
            Type::FunctionItem(function, arguments) => {
                let data = self.view().function(function);
                let from = &self.view().krate(function.krate).types;
                let pool = &mut self.table.pool;
                let parameters: Vec<TypeId> = data
                    .parameters
                    .iter()
                    .map(|it| substitute::copy(Some(from), *it, &arguments, pool))
                    .collect();
                let result = substitute::copy(Some(from), data.result, &arguments, pool);
                let result = self.maybe_future(data.is_async, result);
                let parameters = parameters.into_iter().map(|it| self.normalized(it)).collect();
                let result = self.normalized(result);
                Some((parameters, result))
            }
            _ => None,
        }
    }

    /// `impl Future<Output = of>`, if `is_async`.
    pub(super) fn maybe_future(&mut self, is_async: bool, of: TypeId) -> TypeId {
        match (is_async, self.context.known.future) {
            (true, Some(id)) => {
                let bindings = [(Symbol::new("Output"), of)].into();
                let reference = TraitReference { id, arguments: Box::default(), bindings };
                self.table.add(Type::Opaque([reference].into()))
            }
            _ => of,
        }
    }

    /// Bounds of the type itself: of parameters where it is read, of `impl` and `dyn` types, of associated types.
    pub(super) fn bounds_on(&mut self, subject: TypeId) -> Rc<[TraitReference]> {
        let subject = self.table.shallow(subject);
        match self.table.of(subject) {
            Type::Dyn(_) | Type::Opaque(_) | Type::Parameter(_) => {}
            // What is in place of variables may tell more later.
            Type::Projection(..) => return self.find_bounds(subject).into(),
            _ => return Rc::clone(&self.no_bounds),
        }
        if let Some(known) = self.bounds.get(&subject) {
            return Rc::clone(known);
        }
        let found: Rc<[TraitReference]> = self.find_bounds(subject).into();
        self.bounds.insert(subject, Rc::clone(&found));
        found
    }

    fn find_bounds(&mut self, subject: TypeId) -> Vec<TraitReference> {
        let mut found: Vec<TraitReference> = Vec::new();
        match self.table.of(subject).clone() {
            Type::Dyn(bounds) | Type::Opaque(bounds) => found.extend(bounds.iter().cloned()),
            Type::Parameter(_) | Type::Projection(..) => {
                for bound in &self.generics.bounds {
                    if self.same(bound.subject, subject, 0) {
                        found.push(bound.by.clone());
                    }
                }
                if let Type::Projection(of, id, arguments, name) = self.table.of(subject).clone() {
                    let view = self.view();
                    let of_trait = view.of_trait(id);
                    if let Some(item) = of_trait.types.iter().find(|it| it.name == name) {
                        let all: Vec<TypeId> = std::iter::once(of).chain(arguments.iter().copied()).collect();
                        let from = &view.krate(id.krate).types;
                        for bound in &item.bounds {
                            let pool = &mut self.table.pool;
                            found.push(substitute::copy_reference(Some(from), bound, &all, pool));
                        }
                    }
                }
            }
            _ => {}
        }
        self.with_supertraits(subject, found)
    }

    /// Whether two rigid types are the same.
    pub(super) fn same(&self, left: TypeId, right: TypeId, depth: u32) -> bool {
        let (left, right) = (self.table.shallow(left), self.table.shallow(right));
        if left == right {
            return true;
        }
        if depth > 8 {
            return false;
        }
        match (self.table.of(left), self.table.of(right)) {
            (Type::Projection(a, _, _, name_a), Type::Projection(b, _, _, name_b)) => {
                name_a == name_b && self.same(*a, *b, depth + 1)
            }
            (Type::Reference(a, of_a), Type::Reference(b, of_b)) => {
                a == b && self.same(*of_a, *of_b, depth + 1)
            }
            _ => false,
        }
    }

    /// Adds the traits above those in the list.
    pub(super) fn with_supertraits(
        &mut self,
        subject: TypeId,
        mut found: Vec<TraitReference>,
    ) -> Vec<TraitReference> {
        let mut next = 0;
        while next < found.len() && found.len() < 64 {
            let reference = found[next].clone();
            next += 1;
            let view = self.view();
            let of_trait = view.of_trait(reference.id);
            if of_trait.supertraits.is_empty() {
                continue;
            }
            let all: Vec<TypeId> =
                std::iter::once(subject).chain(reference.arguments.iter().copied()).collect();
            let from = &view.krate(reference.id.krate).types;
            for bound in &of_trait.generics.bounds {
                if !matches!(from.of(bound.subject), Type::Parameter(0)) {
                    continue;
                }
                let mut above = substitute::copy_reference(Some(from), &bound.by, &all, &mut self.table.pool);
                // `dyn Sub<Item = T>` tells about the trait above that declares `Item`.
                if above.bindings.is_empty() {
                    let declared = &view.of_trait(above.id).types;
                    let passed = reference
                        .bindings
                        .iter()
                        .filter(|(name, _)| declared.iter().any(|it| it.name == *name));
                    above.bindings = passed.copied().collect();
                }
                if !found.iter().any(|it| it.id == above.id && it.arguments == above.arguments) {
                    found.push(above);
                }
            }
        }
        found
    }
}
