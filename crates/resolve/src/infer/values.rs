//! What a path means as a value: a local, a constant, a function, a constructor.

use cratekeeper_model::graph::UnresolvedReason;
use cratekeeper_syntax::SyntaxKind;

use super::Body;
use super::implementations::Answer;
use crate::definitions::{AdtId, AdtKind, Definition, FunctionId, TraitId, TraitReference};
use crate::lookup::Head;
use crate::lowering::{Segment, segments};
use crate::paths::{Namespace, PathOutcome};
use crate::sources::Node;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

/// What a path means.
pub(super) enum PathValue {
    /// Something with a type.
    Value(TypeId),
    Function {
        id: FunctionId,
        arguments: Vec<TypeId>,
        /// `Self`, for functions of traits.
        subject: Option<TypeId>,
        /// Names alone decide.
        exact: bool,
    },
    /// A tuple struct or variant.
    Constructor {
        adt: AdtId,
        variant: u32,
        arguments: Vec<TypeId>,
    },
    /// A path into a crate that was not read.
    Unread(Vec<Symbol>),
    Unknown(UnresolvedReason),
}

impl<'a> Body<'_, 'a> {
    /// What a `PATH` means as a value.
    pub(super) fn path_value(&mut self, path: Node<'a>) -> PathValue {
        let (segments, leading) = segments(path);
        let Some(first) = segments.first() else { return PathValue::Unknown(UnresolvedReason::PathNotFound) };
        if let (Some(name), [_], false) = (first.name, &segments[..], leading) {
            if let Some((_, of)) = self.locals.iter().rev().find(|(it, _)| *it == name) {
                return PathValue::Value(*of);
            }
            if name.as_str() == "Self" {
                return self.constructor_of_self();
            }
        }
        let typed = match first.name {
            None => true,
            Some(name) => {
                !leading
                    && segments.len() > 1
                    && (name.as_str() == "Self" || self.generics.parameters.contains(&name))
            }
        };
        if typed {
            return self.behind_type(&segments, leading);
        }
        let names: Vec<Symbol> = segments.iter().filter_map(|it| it.name).collect();
        match self.resolve(&names, leading, Namespace::Values) {
            PathOutcome::Found(definition, remaining) => self.of_definition(definition, &segments, remaining),
            PathOutcome::Unread(path) => PathValue::Unread(path),
            PathOutcome::NotFound => match crate::lowering::primitive(names[0], leading) {
                Some(primitive) => self.of_definition(primitive, &segments, names.len() - 1),
                None => PathValue::Unknown(UnresolvedReason::PathNotFound),
            },
        }
    }

    fn constructor_of_self(&mut self) -> PathValue {
        let of = self.self_type.unwrap_or(TypeId::UNKNOWN);
        match self.table.of(of).clone() {
            Type::Adt(adt, arguments) => self.constructor(adt, 0, arguments.into()),
            _ => PathValue::Value(TypeId::UNKNOWN),
        }
    }

    /// A tuple constructor, or the value of a unit one.
    fn constructor(&mut self, adt: AdtId, variant: u32, arguments: Vec<TypeId>) -> PathValue {
        let data = self.view().adt(adt);
        let tuple = data.variants.get(variant as usize).is_some_and(|it| it.tuple);
        if tuple {
            return PathValue::Constructor { adt, variant, arguments };
        }
        PathValue::Value(self.table.add(Type::Adt(adt, arguments.into())))
    }

    /// `Self::…`, `T::…`, `<T as Trait>::…`.
    fn behind_type(&mut self, segments: &[Segment<'a>], leading: bool) -> PathValue {
        if let Some(found) = self.behind_trait_anchor(segments) {
            return found;
        }
        // The last segment is the value.
        let Some((last, before)) = segments.split_last() else {
            return PathValue::Unknown(UnresolvedReason::PathNotFound);
        };
        let of = self.with_lowering(|lowering| {
            lowering.defaults = false;
            let (of, used) = lowering.prefix(before, leading)?;
            Some(lowering.associated(of, &before[used..]))
        });
        let Some(of) = of else { return PathValue::Unknown(UnresolvedReason::PathNotFound) };
        let of = self.normalized(of);
        self.associated_value(of, last, false)
    }

    /// `<T as Trait>::f`.
    fn behind_trait_anchor(&mut self, segments: &[Segment<'a>]) -> Option<PathValue> {
        let [anchor, last] = segments else { return None };
        let anchor = anchor.node.child(SyntaxKind::TYPE_ANCHOR)?;
        let mut types = anchor.children().filter(|it| crate::lowering::is_type(it.kind()));
        let (subject, of_trait) = (types.next()?, types.next()?);
        let path = of_trait.child(SyntaxKind::PATH)?;
        let reference = self.with_lowering(|lowering| {
            let subject = lowering.lower(subject);
            lowering.trait_reference(path, subject).map(|it| (subject, it))
        });
        let Some((subject, reference)) = reference else {
            return Some(PathValue::Unknown(UnresolvedReason::PathNotFound));
        };
        let subject = self.normalized(subject);
        Some(self.of_trait(reference.id, subject, &reference.arguments, last))
    }

    /// A trait's function or constant on a type.
    fn of_trait(&mut self, id: TraitId, subject: TypeId, known: &[TypeId], last: &Segment<'a>) -> PathValue {
        let Some(name) = last.name else { return PathValue::Unknown(UnresolvedReason::PathNotFound) };
        let (id, known): (TraitId, Box<[TypeId]>) = match self.declaring(id, name, 0) {
            Some(found) if found == id => (id, known.into()),
            Some(found) => (found, Box::default()),
            None => {
                return match self.constant_of_trait(id, subject, name) {
                    Some(of) => PathValue::Value(of),
                    None => PathValue::Unknown(UnresolvedReason::MethodNotFound),
                };
            }
        };
        let Some(function) = self.declared(id, name) else {
            return PathValue::Unknown(UnresolvedReason::MethodNotFound);
        };
        let mut arguments = self.function_arguments(function, last);
        let reference = TraitReference { id, arguments: known, bindings: Box::default() };
        self.set_trait_arguments(&mut arguments, subject, &reference);
        PathValue::Function { id: function, arguments, subject: Some(subject), exact: false }
    }

    /// The trait, `id` or one above it, that declares the function.
    fn declaring(&self, id: TraitId, name: Symbol, depth: u32) -> Option<TraitId> {
        if self.declared(id, name).is_some() {
            return Some(id);
        }
        if depth > 8 {
            return None;
        }
        let above = &self.view().of_trait(id).supertraits;
        above.iter().find_map(|it| self.declaring(*it, name, depth + 1))
    }

    fn constant_of_trait(&mut self, id: TraitId, subject: TypeId, name: Symbol) -> Option<TypeId> {
        let view = self.view();
        let (_, of_type) = view.of_trait(id).constants.iter().find(|(it, _)| *it == name)?;
        let from = &view.krate(id.krate).types;
        let of = substitute::copy(Some(from), *of_type, &[subject], &mut self.table.pool);
        Some(self.normalized(of))
    }

    /// Type arguments of a function: variables, and what is written behind its name.
    pub(super) fn function_arguments(&mut self, id: FunctionId, last: &Segment<'a>) -> Vec<TypeId> {
        let generics = &self.view().function(id).generics;
        let written = self.with_lowering(|lowering| lowering.arguments(last.node));
        self.arguments_with(generics.parameters.len(), generics.of_container as usize, written)
    }

    pub(super) fn arguments_with(
        &mut self,
        count: usize,
        of_container: usize,
        written: Vec<TypeId>,
    ) -> Vec<TypeId> {
        let mut arguments = self.table.variables(count);
        for (place, written) in arguments.iter_mut().skip(of_container).zip(written) {
            *place = self.normalized(written);
        }
        arguments
    }

    fn of_definition(
        &mut self,
        definition: Definition,
        segments: &[Segment<'a>],
        remaining: usize,
    ) -> PathValue {
        let used = segments.len() - remaining;
        let Some(named) = used.checked_sub(1).and_then(|it| segments.get(it)) else {
            return PathValue::Unknown(UnresolvedReason::PathNotFound);
        };
        if remaining == 0 {
            return self.whole(definition, segments, named);
        }
        if let Definition::Trait(id) = definition {
            let Some(last) = segments.last().filter(|_| remaining == 1) else {
                return PathValue::Unknown(UnresolvedReason::PathNotFound);
            };
            let subject = self.table.variable();
            let known = self.with_lowering(|lowering| lowering.arguments(named.node));
            return self.of_trait(id, subject, &known, last);
        }
        let of = self.with_lowering(|lowering| {
            lowering.defaults = false;
            let of = lowering.definition(definition, named.node)?;
            Some(lowering.associated(of, &segments[used..segments.len() - 1]))
        });
        let Some(of) = of else { return PathValue::Unknown(UnresolvedReason::PathNotFound) };
        let of = self.normalized(of);
        match segments.last() {
            Some(last) => self.associated_value(of, last, remaining == 1),
            None => PathValue::Unknown(UnresolvedReason::PathNotFound),
        }
    }

    /// A path that names a definition to its end.
    fn whole(&mut self, definition: Definition, segments: &[Segment<'a>], named: &Segment<'a>) -> PathValue {
        match definition {
            Definition::Function(id) => {
                let arguments = self.function_arguments(id, named);
                PathValue::Function { id, arguments, subject: None, exact: true }
            }
            Definition::Variant(adt, variant) => {
                let written = self.with_lowering(|lowering| lowering.arguments(named.node));
                let owner = segments.len().checked_sub(2).and_then(|it| segments.get(it));
                let written = match (written.is_empty(), owner) {
                    (true, Some(owner)) => self.with_lowering(|lowering| lowering.arguments(owner.node)),
                    _ => written,
                };
                let count = self.view().adt(adt).generics.parameters.len();
                let arguments = self.arguments_with(count, 0, written);
                self.constructor(adt, variant, arguments)
            }
            Definition::Adt(adt) => {
                let written = self.with_lowering(|lowering| lowering.arguments(named.node));
                let count = self.view().adt(adt).generics.parameters.len();
                let arguments = self.arguments_with(count, 0, written);
                self.constructor(adt, 0, arguments)
            }
            Definition::Alias(_) => {
                let of = self.with_lowering(|lowering| {
                    lowering.defaults = false;
                    lowering.definition(definition, named.node)
                });
                match of.map(|it| self.table.of(it).clone()) {
                    Some(Type::Adt(adt, arguments)) => self.constructor(adt, 0, arguments.into()),
                    _ => PathValue::Unknown(UnresolvedReason::PathNotFound),
                }
            }
            Definition::Value(id) => {
                if id.krate == self.view().index {
                    self.mentions(id.index, named.node);
                }
                let view = self.view();
                let from = &view.krate(id.krate).types;
                let of = view.value(id).of_type;
                let of = substitute::copy(Some(from), of, &[], &mut self.table.pool);
                PathValue::Value(self.normalized(of))
            }
            Definition::Module(_)
            | Definition::Trait(_)
            | Definition::Macro(_)
            | Definition::Primitive(_) => PathValue::Unknown(UnresolvedReason::PathNotFound),
        }
    }

    /// `of::name` as a value. `nominal`: names alone led to `of`.
    pub(super) fn associated_value(&mut self, of: TypeId, last: &Segment<'a>, nominal: bool) -> PathValue {
        let Some(name) = last.name else { return PathValue::Unknown(UnresolvedReason::PathNotFound) };
        let of = self.table.shallow(of);
        if let Type::Adt(adt, arguments) = self.table.of(of).clone() {
            let data = self.view().adt(adt);
            let variant = data.variants.iter().position(|it| it.name == name);
            if let (AdtKind::Enum, Some(variant)) = (data.kind, variant) {
                return self.constructor(adt, variant as u32, arguments.into());
            }
        }
        let assumed = self.assumed(of);
        if let Some(head) = self.head(assumed)
            && let Some(found) = self.inherent_value(assumed, head, last, name, nominal)
        {
            return found;
        }
        for reference in &*self.bounds_on(of) {
            if self.declared(reference.id, name).is_some()
                || self.view().of_trait(reference.id).constants.iter().any(|it| it.0 == name)
            {
                return self.of_trait(reference.id, of, &reference.arguments, last);
            }
        }
        if matches!(self.table.of(of), Type::Unknown) {
            return PathValue::Unknown(UnresolvedReason::ReceiverUnknown);
        }
        self.value_of_traits_in_scope(of, last, name)
    }

    fn inherent_value(
        &mut self,
        of: TypeId,
        head: Head,
        last: &Segment<'a>,
        name: Symbol,
        nominal: bool,
    ) -> Option<PathValue> {
        let found = self.inherent(head, name);
        for (number, id) in found.iter().enumerate() {
            let view = self.view();
            let data = view.function(*id);
            let crate::definitions::Container::Implementation(implementation) = data.container else {
                continue;
            };
            let subject = view.krate(id.krate).implementations[implementation as usize].subject;
            let snapshot = self.table.snapshot();
            let arguments = self.function_arguments(*id, last);
            let from = &view.krate(id.krate).types;
            let subject = substitute::copy(Some(from), subject, &arguments, &mut self.table.pool);
            let subject = self.normalized(subject);
            if self.table.unify(subject, of) || number + 1 == found.len() {
                return Some(PathValue::Function { id: *id, arguments, subject: None, exact: nominal });
            }
            self.table.back_to(snapshot);
        }
        for krate in self.crates_of(head) {
            let view = self.view();
            let data = view.krate(krate);
            let Some((implementation, of_type)) = data.lookup.constants.get(&(head, name)) else { continue };
            let subject = &data.implementations[*implementation as usize];
            let arguments = self.table.variables(subject.generics.parameters.len());
            let pattern =
                substitute::copy(Some(&data.types), subject.subject, &arguments, &mut self.table.pool);
            self.table.try_unify(pattern, of);
            let of = substitute::copy(Some(&data.types), *of_type, &arguments, &mut self.table.pool);
            return Some(PathValue::Value(self.normalized(of)));
        }
        None
    }

    fn value_of_traits_in_scope(&mut self, of: TypeId, last: &Segment<'a>, name: Symbol) -> PathValue {
        let mut perhaps = None;
        let in_scope = self.methods_in_scope(name);
        let around = self.in_trait.and_then(|it| self.declared(it, name)).filter(|it| !in_scope.contains(it));
        let local = self.methods_of_local_uses(name);
        for function in in_scope.iter().copied().chain(around).chain(local) {
            let crate::definitions::Container::Trait(number) = self.view().function(function).container
            else {
                continue;
            };
            let id = TraitId { krate: function.krate, index: number };
            let count = self.view().of_trait(id).generics.parameters.len().saturating_sub(1);
            let arguments = self.table.variables(count).into();
            let reference = TraitReference { id, arguments, bindings: Box::default() };
            match self.implements(of, &reference) {
                Answer::Yes => return self.of_trait(id, of, &reference.arguments, last),
                Answer::Maybe => perhaps = perhaps.or(Some(reference)),
                Answer::No => {}
            }
        }
        if let Some(reference) = perhaps {
            return self.of_trait(reference.id, of, &reference.arguments, last);
        }
        // A constant of a trait that the type implements.
        if let Some(id) = self.in_trait.filter(|_| Some(of) == self.self_type)
            && let Some(of) = self.constant_of_trait(id, of, name)
        {
            return PathValue::Value(of);
        }
        PathValue::Unknown(UnresolvedReason::MethodNotFound)
    }
}
