//! Types and bounds as they are written, turned into types of a pool.
//!
//! Used twice: for signatures, where what is left out stays unknown, and in bodies, where it becomes a variable. The
//! difference is [`Holes`].

use cratekeeper_syntax::SyntaxKind;
use smallvec::SmallVec;

use crate::collect::{BodyMacros, Form};
use crate::definitions::{Bound, Definition, Generics, TraitId, TraitReference};
use crate::infer::local_items::{self, LocalUse};
use crate::paths::{Namespace, PathOutcome};
use crate::sources::Node;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId, TypePool};
use crate::view::View;

/// Deepest type that is read.
const DEPTH: u32 = 64;

/// What stands for a type that is not written.
pub(crate) enum Holes<'h> {
    /// Unknown.
    Unknown,
    /// A new variable each; the count goes up.
    Variables(&'h mut u32),
}

/// What `impl Trait` means.
pub(crate) enum ImplTrait {
    /// A type that only its bounds are known of.
    Opaque,
    /// One more type parameter: the number of the next, and bounds of those before.
    Parameter(u32, Vec<Bound>),
}

/// What names mean where a type is written.
#[derive(Clone, Copy)]
pub(crate) struct TypeScope<'s> {
    pub(crate) view: View<'s>,
    pub(crate) module: u32,
    pub(crate) generics: &'s Generics,
    /// `Self`.
    pub(crate) self_type: Option<TypeId>,
    /// The trait around, or the one that the implementation around is of.
    pub(crate) in_trait: Option<TraitId>,
    /// The arguments of the trait that the implementation around is of.
    pub(crate) trait_arguments: &'s [TypeId],
    /// What macros imported around it.
    pub(crate) uses: &'s [LocalUse],
}

/// Reads types into a pool.
pub(crate) struct Lowering<'a, 's, 'p> {
    pub(crate) scope: TypeScope<'s>,
    pub(crate) pool: &'p mut TypePool,
    pub(crate) holes: Holes<'p>,
    pub(crate) impl_trait: ImplTrait,
    pub(crate) depth: u32,
    /// Whether type arguments that are not written take their default; in expressions they are found out.
    pub(crate) defaults: bool,
    /// Expands macros in type position.
    pub(crate) macros: TypeMacros<'a, 's>,
}

/// Expands macros in type position.
#[derive(Clone, Copy)]
pub(crate) struct TypeMacros<'a, 's> {
    pub(crate) macros: BodyMacros<'s, 'a>,
    /// The tree that is read.
    pub(crate) tree: u32,
}

/// A segment of a path.
pub(crate) struct Segment<'a> {
    /// `None` for `<T as Trait>`.
    pub(crate) name: Option<Symbol>,
    pub(crate) node: Node<'a>,
}

/// The type of the language with that name.
pub(crate) fn primitive(name: Symbol, leading: bool) -> Option<Definition> {
    crate::definitions::Primitive::from_name(name.as_str()).filter(|_| !leading).map(Definition::Primitive)
}

/// The segments of a path. Nearly all have few.
pub(crate) type Segments<'a> = SmallVec<[Segment<'a>; 4]>;

/// The segments of a `PATH`, and whether `::` stands in front.
pub(crate) fn segments(path: Node<'_>) -> (Segments<'_>, bool) {
    let mut found = Segments::new();
    let mut leading = false;
    let mut current = Some(path);
    while let Some(path) = current {
        current = None;
        let mut colons = false;
        for child in path.children() {
            match child.kind() {
                SyntaxKind::PATH => current = Some(child),
                SyntaxKind::COLON2 => colons = true,
                SyntaxKind::PATH_SEGMENT => {
                    let anchored = child.has(SyntaxKind::TYPE_ANCHOR);
                    // `::a` may also stand inside the segment.
                    leading |= child.has(SyntaxKind::COLON2) && current.is_none();
                    let name = child.child(SyntaxKind::NAME_REF).filter(|_| !anchored);
                    found.push(Segment { name: name.map(|it| Symbol::new(it.text())), node: child });
                }
                _ => {}
            }
        }
        leading |= colons && current.is_none();
    }
    found.reverse();
    (found, leading)
}

/// The first child that is a type.
pub(crate) fn type_child(node: Node<'_>) -> Option<Node<'_>> {
    node.children().find(|child| is_type(child.kind()))
}

pub(crate) fn is_type(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        PATH_TYPE
            | REF_TYPE
            | PTR_TYPE
            | SLICE_TYPE
            | ARRAY_TYPE
            | TUPLE_TYPE
            | NEVER_TYPE
            | FN_PTR_TYPE
            | DYN_TRAIT_TYPE
            | IMPL_TRAIT_TYPE
            | PAREN_TYPE
            | FOR_TYPE
            | INFER_TYPE
            | MACRO_TYPE
    )
}

impl<'a, 's> Lowering<'a, 's, '_> {
    fn hole(&mut self) -> TypeId {
        match &mut self.holes {
            Holes::Unknown => TypeId::UNKNOWN,
            Holes::Variables(next) => {
                let number = **next;
                **next += 1;
                self.pool.add(Type::Variable(number))
            }
        }
    }

    /// The type that `node` writes.
    pub(crate) fn lower(&mut self, node: Node<'a>) -> TypeId {
        use SyntaxKind::*;
        if self.depth > DEPTH {
            return TypeId::UNKNOWN;
        }
        self.depth += 1;
        let of = match node.kind() {
            PATH_TYPE => node.child(PATH).map_or(TypeId::UNKNOWN, |path| self.path(path)),
            REF_TYPE => {
                let inner = self.inner(node);
                self.pool.add(Type::Reference(node.has(MUT_KW), inner))
            }
            PTR_TYPE => {
                let inner = self.inner(node);
                self.pool.add(Type::Pointer(node.has(MUT_KW), inner))
            }
            SLICE_TYPE => {
                let inner = self.inner(node);
                self.pool.add(Type::Slice(inner))
            }
            ARRAY_TYPE => {
                let inner = self.inner(node);
                self.pool.add(Type::Array(inner))
            }
            TUPLE_TYPE => {
                let parts = node.children().filter(|it| is_type(it.kind())).collect::<Vec<_>>();
                let parts = parts.into_iter().map(|it| self.lower(it)).collect();
                self.pool.add(Type::Tuple(parts))
            }
            NEVER_TYPE => self.pool.add(Type::Never),
            FN_PTR_TYPE => self.function_pointer(node),
            PAREN_TYPE | FOR_TYPE => self.inner(node),
            INFER_TYPE => self.hole(),
            DYN_TRAIT_TYPE => {
                let bounds = self.bounds(node.child(TYPE_BOUND_LIST), TypeId::UNKNOWN);
                self.pool.add(Type::Dyn(bounds.into()))
            }
            IMPL_TRAIT_TYPE => self.impl_trait(node),
            MACRO_TYPE => self.macro_type(node),
            _ => TypeId::UNKNOWN,
        };
        self.depth -= 1;
        of
    }

    fn inner(&mut self, node: Node<'a>) -> TypeId {
        type_child(node).map_or(TypeId::UNKNOWN, |inner| self.lower(inner))
    }

    fn macro_type(&mut self, node: Node<'a>) -> TypeId {
        let outer = self.macros;
        let expanded = node
            .child(SyntaxKind::MACRO_CALL)
            .and_then(|call| outer.macros.expand_call(self.scope.module, outer.tree, call, Form::Type));
        let Some(expanded) = expanded else { return TypeId::UNKNOWN };
        self.macros.tree = expanded.tree;
        let of = self.lower(outer.macros.sources.node(expanded));
        self.macros = outer;
        of
    }

    fn function_pointer(&mut self, node: Node<'a>) -> TypeId {
        let parameters = node.child(SyntaxKind::PARAM_LIST);
        let parameters: Vec<_> = parameters
            .map(|list| list.children().filter(|it| it.kind() == SyntaxKind::PARAM).collect())
            .unwrap_or_default();
        let parameters = parameters.into_iter().map(|it| self.inner(it)).collect();
        let result = self.result(node);
        self.pool.add(Type::Function(parameters, result))
    }

    /// What stands behind `->`; without it, `()`.
    pub(crate) fn result(&mut self, node: Node<'a>) -> TypeId {
        match node.child(SyntaxKind::RET_TYPE) {
            Some(result) => self.inner(result),
            None => TypeId::UNIT,
        }
    }

    fn impl_trait(&mut self, node: Node<'a>) -> TypeId {
        let list = node.child(SyntaxKind::TYPE_BOUND_LIST);
        if let ImplTrait::Parameter(next, _) = &mut self.impl_trait {
            let subject = self.pool.add(Type::Parameter(*next));
            *next += 1;
            let bounds = self.bounds(list, subject);
            if let ImplTrait::Parameter(_, known) = &mut self.impl_trait {
                known.extend(bounds.into_iter().map(|by| Bound { subject, by }));
            }
            return subject;
        }
        let bounds = self.bounds(list, TypeId::UNKNOWN);
        self.pool.add(Type::Opaque(bounds.into()))
    }

    /// The traits in a `TYPE_BOUND_LIST`, as bounds of `subject`.
    pub(crate) fn bounds(&mut self, list: Option<Node<'a>>, subject: TypeId) -> Vec<TraitReference> {
        let Some(list) = list else { return Vec::new() };
        let mut found = Vec::new();
        for bound in list.children().filter(|it| it.kind() == SyntaxKind::TYPE_BOUND) {
            if bound.has(SyntaxKind::QUESTION) {
                continue;
            }
            let Some(mut written) = type_child(bound) else { continue };
            while matches!(written.kind(), SyntaxKind::PAREN_TYPE | SyntaxKind::FOR_TYPE) {
                let Some(inner) = type_child(written) else { break };
                written = inner;
            }
            let path = written.child(SyntaxKind::PATH);
            found.extend(path.and_then(|path| self.trait_reference(path, subject)));
        }
        found
    }

    /// The trait that a path names, with its arguments.
    pub(crate) fn trait_reference(&mut self, path: Node<'a>, subject: TypeId) -> Option<TraitReference> {
        let (segments, leading) = segments(path);
        let names: Option<Vec<Symbol>> = segments.iter().map(|it| it.name).collect();
        let id = match self.resolve(&names?, leading)? {
            (Definition::Trait(id), 0) => id,
            _ => return None,
        };
        let (arguments, bindings) = self.trait_arguments(id, subject, segments.last()?.node);
        Some(TraitReference { id, arguments: arguments.into(), bindings: bindings.into() })
    }

    fn resolve(&self, names: &[Symbol], leading: bool) -> Option<(Definition, usize)> {
        let TypeScope { view, module, uses, .. } = self.scope;
        match local_items::resolve(view, uses, module, names, leading, Namespace::Types) {
            PathOutcome::Found(definition, remaining) => Some((definition, remaining)),
            PathOutcome::Unread(_) | PathOutcome::NotFound => None,
        }
    }

    /// Arguments and bindings behind a trait's name, defaults filled in.
    fn trait_arguments(
        &mut self,
        id: TraitId,
        subject: TypeId,
        segment: Node<'a>,
    ) -> (Vec<TypeId>, Vec<(Symbol, TypeId)>) {
        let mut arguments = Vec::new();
        let mut bindings = Vec::new();
        if let Some(list) = segment.child(SyntaxKind::PARENTHESIZED_ARG_LIST) {
            let written: Vec<_> = list.children().filter(|it| it.kind() == SyntaxKind::TYPE_ARG).collect();
            let parts = written.into_iter().map(|it| self.inner(it)).collect();
            arguments.push(self.pool.add(Type::Tuple(parts)));
            bindings.push((Symbol::new("Output"), self.result(segment)));
        }
        if let Some(list) = segment.child(SyntaxKind::GENERIC_ARG_LIST) {
            for argument in list.children() {
                match argument.kind() {
                    SyntaxKind::TYPE_ARG => arguments.push(self.inner(argument)),
                    SyntaxKind::CONST_ARG => arguments.push(TypeId::UNKNOWN),
                    SyntaxKind::ASSOC_TYPE_ARG => {
                        let name = argument.child(SyntaxKind::NAME_REF);
                        let written = type_child(argument);
                        if let (Some(name), Some(written)) = (name, written) {
                            bindings.push((Symbol::new(name.text()), self.lower(written)));
                        }
                    }
                    _ => {}
                }
            }
        }
        let generics = &self.scope.view.of_trait(id).generics;
        let wanted = generics.parameters.len().saturating_sub(1);
        self.fill(
            &mut arguments,
            wanted,
            Some(subject),
            generics,
            id.krate == self.scope.view.index,
            id.krate,
        );
        (arguments, bindings)
    }

    /// Fills in arguments that are not written: defaults, or holes.
    fn fill(
        &mut self,
        arguments: &mut Vec<TypeId>,
        wanted: usize,
        subject: Option<TypeId>,
        generics: &Generics,
        own: bool,
        krate: crate::definitions::CrateIndex,
    ) {
        arguments.truncate(wanted);
        let offset = usize::from(subject.is_some());
        while arguments.len() < wanted {
            let number = (arguments.len() + offset) as u32;
            let default = generics.defaults.iter().find(|(it, _)| *it == number).map(|(_, default)| *default);
            let filled = match default {
                Some(default) if self.defaults => {
                    let all: Vec<TypeId> = subject.iter().chain(arguments.iter()).copied().collect();
                    let same_pool = own && matches!(self.holes, Holes::Unknown);
                    let from = (!same_pool).then(|| &self.scope.view.krate(krate).types);
                    substitute::copy(from, default, &all, self.pool)
                }
                _ => self.hole(),
            };
            arguments.push(filled);
        }
    }

    /// Type arguments in a `GENERIC_ARG_LIST`, as written.
    pub(crate) fn arguments(&mut self, segment: Node<'a>) -> Vec<TypeId> {
        let Some(list) = segment.child(SyntaxKind::GENERIC_ARG_LIST) else { return Vec::new() };
        let written: Vec<_> = list.children().collect();
        written
            .into_iter()
            .filter_map(|argument| match argument.kind() {
                SyntaxKind::TYPE_ARG => Some(self.inner(argument)),
                SyntaxKind::CONST_ARG => Some(TypeId::UNKNOWN),
                _ => None,
            })
            .collect()
    }

    /// The type that a `PATH` names.
    pub(crate) fn path(&mut self, path: Node<'a>) -> TypeId {
        let (segments, leading) = segments(path);
        match self.prefix(&segments, leading) {
            Some((of, used)) => self.associated(of, &segments[used..]),
            None => TypeId::UNKNOWN,
        }
    }

    /// The type that the beginning of a path names, and how many segments that took.
    pub(crate) fn prefix(&mut self, segments: &[Segment<'a>], leading: bool) -> Option<(TypeId, usize)> {
        let first = segments.first()?;
        let Some(name) = first.name else {
            return self.anchor(first.node, segments.get(1));
        };
        if !leading {
            if name.as_str() == "Self" {
                return self.scope.self_type.map(|it| (it, 1));
            }
            if let Some(number) = self.scope.generics.parameters.iter().rposition(|it| *it == name) {
                return Some((self.pool.add(Type::Parameter(number as u32)), 1));
            }
        }
        let names: Vec<Symbol> = segments.iter().map_while(|it| it.name).collect();
        let (definition, remaining) = match self.resolve(&names, leading) {
            // `use std::str;` does not hide the type: the module is meant only where a path goes on inside it.
            Some((Definition::Module(_), _)) | None => (primitive(name, leading)?, names.len() - 1),
            Some(found) => found,
        };
        let used = names.len() - remaining;
        let of = self.definition(definition, segments.get(used.checked_sub(1)?)?.node)?;
        Some((of, used))
    }

    /// `<T>` or `<T as Trait>::Name`.
    fn anchor(&mut self, segment: Node<'a>, name: Option<&Segment<'a>>) -> Option<(TypeId, usize)> {
        let anchor = segment.child(SyntaxKind::TYPE_ANCHOR)?;
        let mut types = anchor.children().filter(|it| is_type(it.kind()));
        let (subject, of_trait) = (types.next()?, types.next());
        let subject = self.lower(subject);
        let Some(of_trait) = of_trait else { return Some((subject, 1)) };
        let reference = self.trait_reference(of_trait.child(SyntaxKind::PATH)?, subject)?;
        let name = name?.name?;
        Some((self.pool.add(Type::Projection(subject, reference.id, reference.arguments, name)), 2))
    }

    /// The type that a definition stands for, with the arguments behind its name.
    pub(crate) fn definition(&mut self, definition: Definition, segment: Node<'a>) -> Option<TypeId> {
        let view = self.scope.view;
        match definition {
            Definition::Primitive(primitive) => Some(self.pool.add(Type::Primitive(primitive))),
            Definition::Adt(id) | Definition::Variant(id, _) => {
                let mut arguments = self.arguments(segment);
                let generics = &view.adt(id).generics;
                self.fill(
                    &mut arguments,
                    generics.parameters.len(),
                    None,
                    generics,
                    id.krate == view.index,
                    id.krate,
                );
                Some(self.pool.add(Type::Adt(id, arguments.into())))
            }
            Definition::Alias(id) => {
                let mut arguments = self.arguments(segment);
                let alias = &view.krate(id.krate).aliases[id.index as usize];
                let own = id.krate == view.index;
                self.fill(
                    &mut arguments,
                    alias.generics.parameters.len(),
                    None,
                    &alias.generics,
                    own,
                    id.krate,
                );
                let same_pool = own && matches!(self.holes, Holes::Unknown);
                let from = (!same_pool).then(|| &view.krate(id.krate).types);
                Some(substitute::copy(from, alias.target, &arguments, self.pool))
            }
            // Before the 2021 edition, a trait's name alone is a trait object.
            Definition::Trait(id) => {
                let (arguments, bindings) = self.trait_arguments(id, TypeId::UNKNOWN, segment);
                let reference = TraitReference { id, arguments: arguments.into(), bindings: bindings.into() };
                Some(self.pool.add(Type::Dyn([reference].into())))
            }
            Definition::Module(_) | Definition::Function(_) | Definition::Value(_) | Definition::Macro(_) => {
                None
            }
        }
    }

    /// `of::Name::…`: associated types.
    pub(crate) fn associated(&mut self, of: TypeId, names: &[Segment<'a>]) -> TypeId {
        let mut of = of;
        for segment in names {
            let found = segment.name.and_then(|name| self.projection(of, name));
            of = found.unwrap_or(TypeId::UNKNOWN);
        }
        of
    }

    /// `subject::name`, by the bounds of `subject`.
    pub(crate) fn projection(&mut self, subject: TypeId, name: Symbol) -> Option<TypeId> {
        if Some(subject) == self.scope.self_type
            && let Some(id) = self.scope.in_trait
            && let Some(found) = self.declares_type(id, name, 0)
        {
            let arguments: Box<[TypeId]> = if found == id && !self.scope.trait_arguments.is_empty() {
                self.scope.trait_arguments.into()
            } else {
                self.own_arguments(found)
            };
            return Some(self.pool.add(Type::Projection(subject, found, arguments, name)));
        }
        let direct = self.scope.generics.bounds.iter().filter(|it| it.subject == subject).map(|it| &it.by);
        let mut fallback = None;
        for reference in direct {
            let declares = self.declares_type(reference.id, name, 0);
            if declares == Some(reference.id) {
                let arguments = reference.arguments.clone();
                return Some(self.pool.add(Type::Projection(subject, reference.id, arguments, name)));
            }
            fallback = fallback.or(declares);
        }
        if let Some(found) = fallback {
            let arguments = self.own_arguments(found);
            return Some(self.pool.add(Type::Projection(subject, found, arguments, name)));
        }
        self.of_projection(subject, name)
    }

    /// `T::Item::Name`: by the bounds that the trait declares for `Item`.
    fn of_projection(&mut self, subject: TypeId, name: Symbol) -> Option<TypeId> {
        let Type::Projection(_, of_trait, _, item) = self.pool.of(subject).clone() else { return None };
        let view = self.scope.view;
        let item = view.of_trait(of_trait).types.iter().find(|it| it.name == item)?;
        let found = item.bounds.iter().find_map(|bound| self.declares_type(bound.id, name, 0))?;
        let arguments = self.own_arguments(found);
        Some(self.pool.add(Type::Projection(subject, found, arguments, name)))
    }

    fn own_arguments(&mut self, id: TraitId) -> Box<[TypeId]> {
        let wanted = self.scope.view.of_trait(id).generics.parameters.len().saturating_sub(1);
        vec![TypeId::UNKNOWN; wanted].into()
    }

    /// The trait, `id` or one above it, that declares the type `name`.
    fn declares_type(&self, id: TraitId, name: Symbol, depth: u32) -> Option<TraitId> {
        let data = self.scope.view.of_trait(id);
        if data.types.iter().any(|it| it.name == name) {
            return Some(id);
        }
        if depth > 16 {
            return None;
        }
        data.supertraits.iter().find_map(|above| self.declares_type(*above, name, depth + 1))
    }
}
