//! Which method `receiver.name(…)` is, by the rules of the language
//! (<https://doc.rust-lang.org/reference/expressions/method-call-expr.html>): the receiver is dereferenced step by step; at
//! each step it is tried by value, by `&` and by `&mut`; inherent methods and those of bounds go before those of
//! traits in scope.

use std::rc::Rc;

use smallvec::SmallVec;

use super::Body;
use super::implementations::Answer;
use crate::definitions::{Container, CrateIndex, FunctionId, TraitId, TraitReference, Visibility};
use crate::lookup::Head;
use crate::paths;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

/// Most steps of dereferencing; the compiler allows 128, but `Deref` of `Deref` ends long before.
const STEPS: usize = 12;

/// A receiver, some steps dereferenced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) of: TypeId,
    /// The type whose `Deref` leads here, unless the language does it.
    pub(super) overloaded: Option<TypeId>,
}

/// A method that was found.
pub(super) struct Picked {
    pub(super) function: FunctionId,
    /// All type arguments, those of the container first.
    pub(super) arguments: Vec<TypeId>,
    /// `Self`, for methods of traits.
    pub(super) subject: Option<TypeId>,
    /// How many steps were taken.
    pub(super) steps: usize,
    /// `&`, or `&mut` when true.
    pub(super) borrowed: Option<bool>,
}

/// A function that fits, its type arguments, and `Self` if it is a trait's.
type Fitting = (FunctionId, Vec<TypeId>, Option<TypeId>);

/// A method that may fit.
#[derive(Clone)]
enum Candidate {
    Inherent(FunctionId),
    /// Of a bound, with the type that is bounded.
    Bound(FunctionId, TypeId, TraitReference),
    InScope(FunctionId),
}

impl Body<'_, '_> {
    /// What a type dereferences to, and whether that takes a call of `deref`.
    pub(super) fn dereferenced(&mut self, of: TypeId) -> Option<(TypeId, bool)> {
        let of = self.table.shallow(of);
        match self.table.of(of) {
            Type::Reference(_, inner) => return Some((self.table.shallow(*inner), false)),
            Type::Adt(id, arguments) if Some(*id) == self.context.known.boxed => {
                return arguments.first().map(|it| (self.table.shallow(*it), false));
            }
            Type::Adt(..) | Type::Parameter(_) | Type::Projection(..) | Type::Opaque(_) => {}
            _ => return None,
        }
        let deref = self.context.known.deref?;
        let reference = TraitReference { id: deref, arguments: Box::default(), bindings: Box::default() };
        if self.implements(of, &reference) != Answer::Yes {
            return None;
        }
        let target = self.project(of, deref, &[], Symbol::new("Target"), 0);
        Some((self.table.shallow(target), true))
    }

    /// The receiver and everything that it dereferences to.
    pub(super) fn steps(&mut self, of: TypeId) -> Vec<Step> {
        let mut steps = vec![Step { of: self.table.shallow(of), overloaded: None }];
        while steps.len() < STEPS {
            let Some(last) = steps.last().copied() else { break };
            let Some((next, overloaded)) = self.dereferenced(last.of) else { break };
            if steps.iter().any(|it| it.of == next) {
                break;
            }
            steps.push(Step { of: next, overloaded: overloaded.then_some(last.of) });
        }
        if let Some(Type::Array(element)) = steps.last().map(|it| self.table.of(it.of).clone()) {
            let slice = self.table.add(Type::Slice(element));
            steps.push(Step { of: slice, overloaded: None });
        }
        steps
    }

    /// Finds the method `name`.
    pub(super) fn pick(&mut self, steps: &[Step], name: Symbol) -> Option<Picked> {
        let first = self.first_candidates(steps, name);
        let in_scope = self.methods_in_scope(name);
        // In an implementation its trait is in scope, imported or not.
        let around = self.in_trait.and_then(|it| self.declared(it, name)).filter(|it| !in_scope.contains(it));
        let local = self.methods_of_local_uses(name);
        let in_scope: Vec<Candidate> =
            in_scope.iter().copied().chain(around).chain(local).map(Candidate::InScope).collect();
        for (number, step) in steps.iter().enumerate() {
            if matches!(self.table.of(step.of), Type::Unknown) {
                return None;
            }
            for borrowed in [None, Some(false), Some(true)] {
                let receiver = match borrowed {
                    None => step.of,
                    Some(mutable) => self.table.add(Type::Reference(mutable, step.of)),
                };
                for candidates in [&first, &in_scope] {
                    if let Some((function, arguments, subject)) = self.fitting_method(candidates, receiver) {
                        return Some(Picked { function, arguments, subject, steps: number, borrowed });
                    }
                }
            }
        }
        None
    }

    /// Inherent methods and those of bounds, of all steps.
    fn first_candidates(&mut self, steps: &[Step], name: Symbol) -> Vec<Candidate> {
        let mut found = Vec::new();
        for step in steps {
            let assumed = self.assumed(step.of);
            if let Some(head) = self.head(assumed) {
                found.extend(self.inherent(head, name).into_iter().map(Candidate::Inherent));
            }
            for reference in &*self.bounds_on(step.of) {
                if let Some(function) = self.declared(reference.id, name) {
                    found.push(Candidate::Bound(function, step.of, reference.clone()));
                }
            }
        }
        found
    }

    /// The method that a trait declares.
    pub(super) fn declared(&self, id: TraitId, name: Symbol) -> Option<FunctionId> {
        let number = self.view().of_trait(id).functions.get(&name)?;
        Some(FunctionId { krate: id.krate, index: *number })
    }

    /// Inherent functions of a type.
    pub(super) fn inherent(&self, head: Head, name: Symbol) -> Vec<FunctionId> {
        let mut found = Vec::new();
        for krate in self.crates_of(head) {
            let data = self.view().krate(krate);
            for (_, function) in data.lookup.inherent.get(&(head, name)).into_iter().flatten() {
                let visibility = data.functions[*function as usize].visibility;
                if krate == self.view().index || visibility == Visibility::Public {
                    found.push(FunctionId { krate, index: *function });
                }
            }
        }
        found
    }

    /// Crates that may have inherent implementations for a type.
    pub(super) fn crates_of(&self, head: Head) -> SmallVec<[CrateIndex; 4]> {
        let standard = self.context.standard.map(|it| [it.core, it.alloc, it.std]);
        let own = match head {
            Head::Adt(id) => Some(id.krate),
            Head::Dyn(id) => id.map(|it| it.krate),
            _ => None,
        };
        match (own, standard) {
            (Some(own), Some(standard)) if standard.contains(&own) => SmallVec::from_slice(&standard),
            (Some(own), _) => SmallVec::from_slice(&[own]),
            // The standard library's crates may implement what they like for the language's types.
            (None, Some(standard)) if standard.contains(&self.view().index) => {
                SmallVec::from_slice(&standard)
            }
            (None, Some(standard)) => SmallVec::from_slice(&standard),
            (None, None) => SmallVec::from_slice(&[self.view().index]),
        }
    }

    /// Methods called `name` of the traits in scope.
    pub(super) fn methods_in_scope(&self, name: Symbol) -> Rc<Vec<FunctionId>> {
        let key = (self.module, name);
        if let Some(known) = self.context.trait_methods.borrow().get(&key) {
            return Rc::clone(known);
        }
        let traits = self.traits_in_scope();
        let found: Vec<FunctionId> = traits.iter().filter_map(|id| self.declared(*id, name)).collect();
        let found = Rc::new(found);
        self.context.trait_methods.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    fn traits_in_scope(&self) -> Rc<Vec<TraitId>> {
        if let Some(known) = self.context.traits.borrow().get(&self.module) {
            return Rc::clone(known);
        }
        let view = self.view();
        let found = Rc::new(paths::traits_in_scope(view.universe, view.current, view.index, self.module));
        self.context.traits.borrow_mut().insert(self.module, Rc::clone(&found));
        found
    }

    fn fitting_method(&mut self, candidates: &[Candidate], receiver: TypeId) -> Option<Fitting> {
        let mut perhaps = None;
        for candidate in candidates {
            if !self.burn(16) {
                return None;
            }
            let mark = self.mark();
            match self.fits(candidate, receiver) {
                Some((found, Answer::Yes)) => return Some(found),
                Some((_, Answer::Maybe)) if perhaps.is_none() => perhaps = Some(candidate.clone()),
                _ => {}
            }
            self.undo(mark);
        }
        self.fits(&perhaps?, receiver).map(|(found, _)| found)
    }

    fn fits(&mut self, candidate: &Candidate, receiver: TypeId) -> Option<(Fitting, Answer)> {
        let (Candidate::Inherent(function) | Candidate::Bound(function, ..) | Candidate::InScope(function)) =
            *candidate;
        let view = self.view();
        let data = view.function(function);
        if !data.receiver {
            return None;
        }
        let mut arguments = self.table.variables(data.generics.parameters.len());
        if let Candidate::Bound(_, subject, reference) = candidate {
            self.set_trait_arguments(&mut arguments, *subject, reference);
        }
        let from = &view.krate(function.krate).types;
        let wanted = *data.parameters.first()?;
        let wanted = substitute::copy(Some(from), wanted, &arguments, &mut self.table.pool);
        // An inherent implementation is for exactly what it says: `Self` must be its subject.
        let wanted = self.normalized(wanted);
        if !self.table.unify(wanted, receiver) {
            return None;
        }
        let Container::Trait(of) = data.container else {
            let answer = self.inherent_bounds(function, &arguments);
            return (answer != Answer::No).then_some(((function, arguments, None), Answer::Yes));
        };
        let subject = arguments[0];
        if matches!(candidate, Candidate::Bound(..)) {
            return Some(((function, arguments, Some(subject)), Answer::Yes));
        }
        if self.table.is_variable(subject) {
            return None;
        }
        let count = view.krate(function.krate).traits[of as usize].generics.parameters.len();
        let id = TraitId { krate: function.krate, index: of };
        let reference = TraitReference {
            id,
            arguments: arguments.get(1..count).unwrap_or_default().into(),
            bindings: Box::default(),
        };
        let answer = self.implements(subject, &reference);
        (answer != Answer::No).then_some(((function, arguments, Some(subject)), answer))
    }

    /// Whether the bounds of an inherent implementation hold: `impl<T: Read> Reader<T>` beside `impl<T: Write> …`.
    fn inherent_bounds(&mut self, function: FunctionId, arguments: &[TypeId]) -> Answer {
        let view = self.view();
        let data = view.function(function);
        let Container::Implementation(of) = data.container else { return Answer::Yes };
        let implementation = &view.krate(function.krate).implementations[of as usize];
        let from = &view.krate(function.krate).types;
        for bound in &implementation.generics.bounds {
            let subject = substitute::copy(Some(from), bound.subject, arguments, &mut self.table.pool);
            if self.table.is_variable(subject) {
                continue;
            }
            let subject = self.normalized(subject);
            let by = substitute::copy_reference(Some(from), &bound.by, arguments, &mut self.table.pool);
            if self.implements(subject, &by) == Answer::No {
                return Answer::Maybe;
            }
        }
        Answer::Yes
    }

    /// `Self` and the trait's arguments, in front of a method's own.
    pub(super) fn set_trait_arguments(
        &mut self,
        arguments: &mut [TypeId],
        subject: TypeId,
        reference: &TraitReference,
    ) {
        for (place, known) in arguments.iter_mut().zip(std::iter::once(&subject).chain(&reference.arguments))
        {
            if *known != TypeId::UNKNOWN {
                *place = *known;
            }
        }
    }
}
