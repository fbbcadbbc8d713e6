//! What bounds tell about variables: used at once where their subject is known, and kept until it is.

use super::Body;
use crate::definitions::{ImplementationId, TraitId, TraitReference};
use crate::substitute;
use crate::types::{Type, TypeId};

/// Deepest chain of bounds that is followed.
pub(super) const DEPTH: u32 = 6;

/// Most implementations that are asked whether they agree: there are twelve types of integers.
const ALIKE: usize = 16;

/// Most bounds that wait at a time.
const WAITING: usize = 512;

impl Body<'_, '_> {
    pub(super) fn wait(&mut self, subject: TypeId, reference: TraitReference, depth: u32) {
        if depth <= DEPTH * 2 && self.pending.len() < WAITING {
            self.pending.push(super::Pending { subject, reference, depth });
        }
    }

    /// A bound that has to hold: what it tells about variables is used, now or later.
    pub(super) fn register(&mut self, subject: TypeId, reference: &TraitReference, depth: u32) {
        let subject = self.normalized(subject);
        let reference = self.normalized_reference(reference, 0);
        if !self.solve(subject, &reference, depth) {
            self.wait(subject, reference, depth);
        }
    }

    /// Tries again what waits.
    pub(super) fn select_pending(&mut self) {
        for _ in 0..4 {
            let waiting = std::mem::take(&mut self.pending);
            if waiting.is_empty() {
                return;
            }
            let before = waiting.len();
            let mut kept = Vec::with_capacity(before);
            for pending in waiting {
                if !self.burn(4) || !self.solve(pending.subject, &pending.reference, pending.depth) {
                    kept.push(pending);
                }
            }
            let added = self.pending.len();
            let progress = kept.len() < before;
            kept.append(&mut self.pending);
            self.pending = kept;
            self.pending.truncate(WAITING);
            if !progress && added == 0 {
                return;
            }
        }
    }

    pub(super) fn is_function_trait(&self, id: TraitId) -> bool {
        let known = self.context.known;
        [known.fn_once, known.fn_mut, known.fn_ref, known.async_fn_once, known.async_fn_mut, known.async_fn]
            .contains(&Some(id))
    }

    pub(super) fn is_async_function_trait(&self, id: TraitId) -> bool {
        let known = self.context.known;
        [known.async_fn_once, known.async_fn_mut, known.async_fn].contains(&Some(id))
    }

    /// Uses a bound. False when it has to wait.
    pub(super) fn solve(&mut self, subject: TypeId, reference: &TraitReference, depth: u32) -> bool {
        if depth > DEPTH * 2 || !self.burn(8) {
            return true;
        }
        let subject = self.table.shallow(subject);
        match self.table.of(subject) {
            Type::Variable(number) => {
                if self.table.kind(*number) == super::table::VariableKind::General {
                    return false;
                }
                // `impl From<u8> for Mine` says nothing about `{integer}: Into<Mine>`.
                return reference.bindings.is_empty();
            }
            Type::Unknown | Type::Never => {
                for (_, binding) in &reference.bindings {
                    self.table.unify(*binding, TypeId::UNKNOWN);
                }
                return true;
            }
            _ => {}
        }
        if self.is_function_trait(reference.id)
            && let Some((parameters, result)) = self.callable(subject)
        {
            if let Some(tuple) = reference.arguments.first() {
                let parameters = self.table.add(Type::Tuple(parameters.into()));
                self.table.unify(*tuple, parameters);
            }
            let result = match self.is_async_function_trait(reference.id) {
                true => self.awaited(result),
                false => result,
            };
            for (_, binding) in &reference.bindings {
                self.table.unify(*binding, result);
            }
            return true;
        }
        if self.solve_by_bounds(subject, reference, depth) {
            return true;
        }
        self.solve_by_implementation(subject, reference, depth)
    }

    fn solve_by_bounds(&mut self, subject: TypeId, reference: &TraitReference, _depth: u32) -> bool {
        if !matches!(
            self.table.of(subject),
            Type::Parameter(_) | Type::Projection(..) | Type::Dyn(_) | Type::Opaque(_)
        ) {
            return false;
        }
        let bounds = self.bounds_on(subject);
        let fits: Vec<&TraitReference> =
            bounds.iter().filter(|it| self.answers(it.id, reference.id)).collect();
        let Some(first) = fits.first() else { return false };
        let chosen = match fits.len() {
            1 => *first,
            _ => {
                let found = fits.iter().find(|it| {
                    let snapshot = self.table.snapshot();
                    let equal =
                        it.arguments.iter().zip(&reference.arguments).all(|(a, b)| self.table.unify(*a, *b));
                    self.table.back_to(snapshot);
                    equal
                });
                found.copied().unwrap_or(first)
            }
        };
        let chosen = chosen.clone();
        for (known, wanted) in chosen.arguments.iter().zip(&reference.arguments) {
            self.table.unify(*known, *wanted);
        }
        for (name, wanted) in &reference.bindings {
            let known =
                bounds.iter().flat_map(|it| &it.bindings).find(|(it, _)| it == name).map(|(_, known)| *known);
            let known = match known {
                Some(known) => known,
                None => self.table.add(Type::Projection(
                    subject,
                    reference.id,
                    reference.arguments.clone(),
                    *name,
                )),
            };
            if self.table.shallow(known) != self.table.shallow(*wanted) {
                self.table.unify(*wanted, known);
            }
        }
        true
    }

    /// Whether a bound by one trait answers a question about another: `Fn` implies `FnMut` and `FnOnce`.
    pub(super) fn answers(&self, known: TraitId, wanted: TraitId) -> bool {
        known == wanted || self.is_function_trait(known) && self.is_function_trait(wanted)
    }

    fn solve_by_implementation(&mut self, subject: TypeId, reference: &TraitReference, depth: u32) -> bool {
        let fits = self.fitting(subject, reference.into(), depth);
        let chosen = match &fits[..] {
            [] => {
                for (_, binding) in &reference.bindings {
                    if self.table.is_variable(*binding) {
                        self.table.unify(*binding, TypeId::UNKNOWN);
                    }
                }
                return true;
            }
            [one] => *one,
            [first, ..] => {
                // Several fit because something is unknown. If nothing here is, the first active one is as good.
                if self.is_open(subject, 0) || reference.arguments.iter().any(|it| self.is_open(*it, 0)) {
                    self.bind_what_all_say(&fits, reference);
                    return false;
                }
                *first
            }
        };
        let Some(arguments) = self.choose(chosen, subject, reference, depth) else { return true };
        self.bind_associated(chosen, &arguments, subject, reference, depth);
        true
    }

    /// `&number << 1` is a number, whichever implementation it will be.
    fn bind_what_all_say(&mut self, fits: &[ImplementationId], reference: &TraitReference) {
        let view = self.view();
        for (name, wanted) in &reference.bindings {
            if fits.len() > ALIKE || !self.table.is_variable(*wanted) {
                continue;
            }
            let mut said = None;
            for id in fits {
                let of = view.implementation(*id).types.iter().find(|(it, _)| it == name).map(|it| it.1);
                let from = &view.krate(id.krate).types;
                // Type parameters become unknown, and that is never the same.
                let of = of.map(|it| substitute::copy(Some(from), it, &[], &mut self.table.pool));
                match of.filter(|it| self.is_closed(*it, 0) && said.is_none_or(|said| said == *it)) {
                    Some(of) => said = Some(of),
                    None => return,
                }
            }
            if let Some(said) = said {
                self.table.unify(*wanted, said);
            }
        }
    }

    fn bind_associated(
        &mut self,
        chosen: ImplementationId,
        arguments: &[TypeId],
        subject: TypeId,
        reference: &TraitReference,
        depth: u32,
    ) {
        let view = self.view();
        let data = view.implementation(chosen);
        let from = &view.krate(chosen.krate).types;
        for (name, wanted) in &reference.bindings {
            let known = data.types.iter().find(|(it, _)| it == name);
            let known = match known {
                Some((_, known)) => substitute::copy(Some(from), *known, arguments, &mut self.table.pool),
                None => {
                    let of_trait = view.of_trait(reference.id);
                    let default = of_trait.types.iter().find(|it| it.name == *name).and_then(|it| it.default);
                    let Some(default) = default else { continue };
                    let all: Vec<TypeId> =
                        std::iter::once(subject).chain(reference.arguments.iter().copied()).collect();
                    let from = &view.krate(reference.id.krate).types;
                    substitute::copy(Some(from), default, &all, &mut self.table.pool)
                }
            };
            let known = self.normalized_at(known, depth);
            self.table.unify(*wanted, known);
        }
    }

    /// Whether a type has variables or unknown parts.
    pub(super) fn is_open(&self, id: TypeId, depth: u32) -> bool {
        if depth > 16 {
            return false;
        }
        let any = |ids: &[TypeId]| ids.iter().any(|it| self.is_open(*it, depth + 1));
        match self.table.of(id) {
            Type::Variable(_) | Type::Unknown => true,
            Type::Adt(_, ids) | Type::Tuple(ids) => any(ids),
            Type::Reference(_, inner) | Type::Pointer(_, inner) | Type::Slice(inner) | Type::Array(inner) => {
                self.is_open(*inner, depth + 1)
            }
            _ => false,
        }
    }
}
