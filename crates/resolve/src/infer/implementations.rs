//! Which implementations of a trait fit a type.

use std::rc::Rc;

use smallvec::SmallVec;

use super::Body;
use super::traits::DEPTH;
use crate::definitions::{Bound, CrateIndex, ImplementationId, TraitId, TraitReference};
use crate::lookup::{Head, Referent, head, referent};
use crate::substitute::{self, Few};
use crate::types::{Type, TypeId, TypePool};

/// Most implementations of one trait that are tried for one type.
const TRIED: usize = 512;

/// Most implementations that are tried to answer one question, with all that it leads to. Bounds of bounds of blanket
/// implementations branch at each step; honest questions try some dozens.
const QUESTION_FUEL: u32 = 2_000;

/// A trait, the type that may implement it, and the trait's arguments.
pub(super) type Question = (TraitId, SmallVec<[TypeId; 4]>);

/// A trait with arguments.
#[derive(Clone, Copy)]
pub(super) struct AppliedTrait<'r> {
    pub(super) id: TraitId,
    pub(super) arguments: &'r [TypeId],
}

impl<'r> From<&'r TraitReference> for AppliedTrait<'r> {
    fn from(reference: &'r TraitReference) -> AppliedTrait<'r> {
        AppliedTrait { id: reference.id, arguments: &reference.arguments }
    }
}

/// Crates that are looked into for one question.
type Crates = SmallVec<[CrateIndex; 16]>;

/// Which implementation.
pub(super) enum Choice {
    One(ImplementationId),
    Several(Vec<ImplementationId>),
    /// A bound, or the language itself, says that there is one.
    Bound,
    None,
}

/// Whether a type implements a trait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    Maybe,
}

impl Body<'_, '_> {
    /// Crates in which an implementation of a trait for a type may stand.
    fn crates_for(&self, subject: TypeId, reference: AppliedTrait<'_>) -> Crates {
        let mut crates = Crates::from_slice(&[reference.id.krate, self.view().index]);
        self.crates_in(subject, &mut crates, 0);
        for argument in reference.arguments {
            self.crates_in(*argument, &mut crates, 0);
        }
        // The standard library counts as one crate here.
        if let Some(standard) = self.context.standard {
            let all = [standard.core, standard.alloc, standard.std];
            if crates.iter().any(|it| all.contains(it)) {
                crates.extend(all);
            }
        }
        crates.sort_unstable();
        crates.dedup();
        crates
    }

    fn crates_in(&self, id: TypeId, crates: &mut Crates, depth: u32) {
        if depth > 3 {
            return;
        }
        match self.table.of(id) {
            Type::Adt(adt, arguments) => {
                crates.push(adt.krate);
                arguments.iter().for_each(|it| self.crates_in(*it, crates, depth + 1));
            }
            Type::Tuple(parts) => parts.iter().for_each(|it| self.crates_in(*it, crates, depth + 1)),
            Type::Reference(_, inner) | Type::Pointer(_, inner) | Type::Slice(inner) | Type::Array(inner) => {
                self.crates_in(*inner, crates, depth + 1);
            }
            Type::Dyn(bounds) => crates.extend(bounds.iter().map(|it| it.id.krate)),
            _ => {}
        }
    }

    /// Implementations that fit.
    pub(super) fn fitting(
        &mut self,
        subject: TypeId,
        reference: AppliedTrait<'_>,
        depth: u32,
    ) -> Rc<[ImplementationId]> {
        let subject = self.table.shallow(subject);
        if matches!(self.table.of(subject), Type::Variable(_)) {
            return Rc::clone(&self.none);
        }
        let key = self.closed(subject, reference);
        if let Some(known) = key.as_ref().and_then(|key| self.fits.get(key)) {
            return Rc::clone(known);
        }
        if self.questions == 0 {
            self.question_fuel = QUESTION_FUEL;
        }
        self.questions += 1;
        let fits = self.search(subject, reference, depth);
        let fits = if fits.is_empty() { Rc::clone(&self.none) } else { fits.into() };
        self.questions -= 1;
        if let Some(key) = key.filter(|_| depth < DEPTH / 2 && self.question_fuel > 0) {
            self.fits.insert(key, Rc::clone(&fits));
        }
        fits
    }

    /// The question whether a type implements a trait, if nothing in it is open: then its answer stays the same.
    pub(super) fn closed(&self, subject: TypeId, reference: AppliedTrait<'_>) -> Option<Question> {
        let mut types = SmallVec::new();
        for id in std::iter::once(&subject).chain(reference.arguments) {
            let id = self.table.shallow(*id);
            if !self.is_closed(id, 0) {
                return None;
            }
            types.push(id);
        }
        Some((reference.id, types))
    }

    pub(super) fn is_closed(&self, id: TypeId, depth: u32) -> bool {
        let all = |ids: &[TypeId]| ids.iter().all(|it| self.is_closed(*it, depth + 1));
        match self.table.pool.of(id) {
            _ if depth > 8 => false,
            Type::Never | Type::Primitive(_) | Type::Parameter(_) => true,
            Type::Adt(_, ids) | Type::Tuple(ids) => all(ids),
            Type::Reference(_, inner) | Type::Pointer(_, inner) | Type::Slice(inner) | Type::Array(inner) => {
                self.is_closed(*inner, depth + 1)
            }
            _ => false,
        }
    }

    pub(super) fn search(
        &mut self,
        subject: TypeId,
        reference: AppliedTrait<'_>,
        depth: u32,
    ) -> Vec<ImplementationId> {
        let head = self.head(subject);
        // References to whatever type there is.
        let general = match head {
            Some(Head::Reference(mutable, Referent::Adt(_) | Referent::Primitive(_) | Referent::Other)) => {
                Some(Head::Reference(mutable, Referent::Any))
            }
            _ => None,
        };
        let mut fits = Vec::new();
        let mut tried = 0;
        for krate in self.crates_for(subject, reference) {
            let data = self.view().krate(krate);
            let Some(of_trait) = data.lookup.traits.get(&reference.id) else { continue };
            let by_head = [head, general].into_iter().flatten().filter_map(|it| of_trait.by_head.get(&it));
            // An array is looked for by its own head only: unsizing happens before.
            for number in by_head.flatten().chain(&of_trait.blanket) {
                tried += 1;
                self.question_fuel = self.question_fuel.saturating_sub(1);
                if tried > TRIED || self.question_fuel == 0 || !self.burn(16) {
                    return fits;
                }
                let id = ImplementationId { krate, index: *number };
                let mark = self.mark();
                if self.agrees(id, subject, reference, depth).is_some() {
                    fits.push(id);
                }
                self.undo(mark);
            }
        }
        // cfg twins: where an active one fits, inactive ones do not count.
        if fits.len() > 1 {
            let is_active = |it: &ImplementationId| self.view().implementation(*it).configuration.active;
            if fits.iter().any(is_active) {
                fits.retain(is_active);
            }
        }
        fits
    }

    pub(super) fn head(&self, id: TypeId) -> Option<Head> {
        let id = self.table.shallow(id);
        match self.table.of(id) {
            Type::FunctionItem(..) => Some(Head::Function),
            Type::Reference(mutable, inner) => {
                let referent = referent(&self.table.pool, self.table.shallow(*inner));
                Some(Head::Reference(*mutable, referent))
            }
            _ => head(&self.table.pool, id),
        }
    }

    /// Chooses an implementation for a type: its type arguments, if it fits. What that tells about variables is kept, and its
    /// own bounds have to hold from now on.
    pub(super) fn choose(
        &mut self,
        id: ImplementationId,
        subject: TypeId,
        reference: &TraitReference,
        depth: u32,
    ) -> Option<Few> {
        let mark = self.mark();
        let Some(arguments) = self.agrees(id, subject, reference.into(), depth) else {
            self.undo(mark);
            return None;
        };
        let view = self.view();
        let from = &view.krate(id.krate).types;
        for bound in &view.implementation(id).generics.bounds {
            let worth = !bound.by.bindings.is_empty() || !bound.by.arguments.is_empty();
            if worth && depth < DEPTH {
                let subject = substitute::copy(Some(from), bound.subject, &arguments, &mut self.table.pool);
                let by = substitute::copy_reference(Some(from), &bound.by, &arguments, &mut self.table.pool);
                self.register(subject, &by, depth + 1);
            }
        }
        Some(arguments)
    }

    /// Matches an implementation with a type: its type arguments, if it fits. Whoever asks has to [undo](Body::undo) what that does
    /// to variables, or to keep it.
    fn agrees(
        &mut self,
        id: ImplementationId,
        subject: TypeId,
        reference: AppliedTrait<'_>,
        depth: u32,
    ) -> Option<Few> {
        let view = self.view();
        let data = view.implementation(id);
        let of = data.of.as_ref()?;
        let from = &view.krate(id.krate).types;
        let mut arguments = of.arguments.iter().zip(reference.arguments);
        if self.table.differs(from, data.subject, subject)
            || arguments.any(|(known, wanted)| self.table.differs(from, *known, *wanted))
        {
            return None;
        }
        let arguments = self.table.few_variables(data.generics.parameters.len());
        let pattern = substitute::copy(Some(from), data.subject, &arguments, &mut self.table.pool);
        let fits = self.table.unify(pattern, subject)
            && self.agrees_in_arguments(of, reference, from, &arguments)
            && (depth >= DEPTH || self.bounds_hold(&data.generics.bounds, from, &arguments, depth));
        fits.then_some(arguments)
    }

    fn agrees_in_arguments(
        &mut self,
        of: &TraitReference,
        reference: AppliedTrait<'_>,
        from: &TypePool,
        arguments: &[TypeId],
    ) -> bool {
        let pool = &mut self.table.pool;
        let of: Few =
            of.arguments.iter().map(|it| substitute::copy(Some(from), *it, arguments, pool)).collect();
        of.iter().zip(reference.arguments).all(|(known, wanted)| match self.table.of(*known) {
            Type::Projection(..) => true,
            // `impl<T> From<!> for T` is for nothing else.
            Type::Never => *self.table.of(*wanted) == Type::Never,
            _ => self.table.unify(*known, *wanted),
        })
    }

    fn bounds_hold(&mut self, bounds: &[Bound], from: &TypePool, arguments: &[TypeId], depth: u32) -> bool {
        bounds.iter().all(|bound| {
            if self.is_automatic(bound.by.id) {
                return true;
            }
            let subject = substitute::copy(Some(from), bound.subject, arguments, &mut self.table.pool);
            self.holds(subject, &bound.by, from, arguments, depth + 1) != Answer::No
        })
    }

    /// Whether a bound of an implementation holds, as far as it is cheap to tell.
    fn holds(
        &mut self,
        subject: TypeId,
        by: &TraitReference,
        from: &TypePool,
        arguments: &[TypeId],
        depth: u32,
    ) -> Answer {
        if depth > DEPTH {
            return Answer::Yes;
        }
        let subject = match self.table.of(subject) {
            Type::Projection(..) => self.normalized_at(subject, depth + 2),
            _ => self.table.shallow(subject),
        };
        let pool = &mut self.table.pool;
        let arguments: Few =
            by.arguments.iter().map(|it| substitute::copy(Some(from), *it, arguments, pool)).collect();
        self.implements_at(subject, AppliedTrait { id: by.id, arguments: &arguments }, depth)
    }

    pub(super) fn is_automatic(&self, id: TraitId) -> bool {
        let known = self.context.known;
        [
            known.sized,
            known.meta_sized,
            known.pointee_sized,
            known.destruct,
            known.freeze,
            known.send,
            known.sync,
            known.unpin,
            known.unwind_safe,
            known.ref_unwind_safe,
        ]
        .contains(&Some(id))
    }

    /// Whether a type implements a trait.
    pub(super) fn implements(&mut self, subject: TypeId, reference: &TraitReference) -> Answer {
        self.implements_at(subject, reference.into(), 0)
    }

    pub(super) fn implements_at(
        &mut self,
        subject: TypeId,
        reference: AppliedTrait<'_>,
        depth: u32,
    ) -> Answer {
        let subject = self.table.shallow(subject);
        let known = self.context.known;
        let is_copied = || [known.clone, known.copy].contains(&Some(reference.id));
        match self.table.of(subject) {
            Type::Unknown | Type::Never => return Answer::Maybe,
            Type::Variable(number) => {
                return match self.table.kind(*number) {
                    super::table::VariableKind::General => Answer::Maybe,
                    _ => self.numbers_implement(subject, reference, depth),
                };
            }
            Type::Closure(_) | Type::FunctionItem(..) | Type::Function(..)
                if self.is_function_trait(reference.id) || is_copied() =>
            {
                return Answer::Yes;
            }
            Type::Tuple(_) if is_copied() => return Answer::Yes,
            _ => {}
        }
        // Other types have no bounds.
        if self.bounds_on(subject).iter().any(|it| self.answers(it.id, reference.id)) {
            return Answer::Yes;
        }
        if self.is_automatic(reference.id) {
            return Answer::Yes;
        }
        match self.fitting(subject, reference, depth).len() {
            0 => Answer::No,
            _ => Answer::Yes,
        }
    }

    /// `{integer}` implements what `i32` does, as good as always.
    pub(super) fn numbers_implement(
        &mut self,
        subject: TypeId,
        reference: AppliedTrait<'_>,
        depth: u32,
    ) -> Answer {
        let assumed = self.assumed(subject);
        self.implements_at(assumed, reference, depth)
    }

    /// The type, with `i32` for `{integer}` and `f64` for `{float}`.
    pub(super) fn assumed(&mut self, id: TypeId) -> TypeId {
        use crate::definitions::Primitive;
        let id = self.table.shallow(id);
        if let Type::Variable(number) = self.table.of(id) {
            let primitive = match self.table.kind(*number) {
                super::table::VariableKind::General => return id,
                super::table::VariableKind::Integer => Primitive::I32,
                super::table::VariableKind::Float => Primitive::F64,
            };
            return self.table.add(Type::Primitive(primitive));
        }
        id
    }

    /// The implementation of a trait for a type.
    pub(super) fn implementation_of(&mut self, subject: TypeId, reference: &TraitReference) -> Choice {
        let subject = self.assumed(subject);
        if matches!(
            self.table.of(subject),
            Type::Parameter(_) | Type::Projection(..) | Type::Dyn(_) | Type::Opaque(_)
        ) && self.bounds_on(subject).iter().any(|it| self.answers(it.id, reference.id))
        {
            return Choice::Bound;
        }
        let fits = self.fitting(subject, reference.into(), 0);
        match fits.len() {
            0 => Choice::None,
            1 => Choice::One(fits[0]),
            _ => Choice::Several(fits.to_vec()),
        }
    }
}
