//! Types of everything that a crate defines: fields, parameters, results, bounds, what is implemented for what.
//!
//! Order matters where one needs another: names of type parameters and associated types first, then supertraits, then
//! aliases (again while they name each other, with a limit), then the rest. `T::Item` is looked up among the bounds of
//! `T`, so bounds are read twice: once to know the traits, once with their arguments.

use cratekeeper_syntax::SyntaxKind;

use crate::collect::{BodyMacros, Macros};
use crate::definitions::{
    AssociatedType, Bound, Container, CrateData, CrateIndex, Generics, TraitId, TraitReference, Universe,
};
use crate::lowering::{Holes, ImplTrait, Lowering, TypeMacros, TypeScope, type_child};
use crate::sources::{Arenas, Node, Origins, Sources};
use crate::symbol::Symbol;
use crate::types::{Type, TypeId, TypePool};
use crate::view::View;

/// How often aliases are read anew because they name each other.
const ALIAS_ROUNDS: usize = 4;

/// Fills in all types of `data`.
pub(crate) fn fill<'a>(
    data: &mut CrateData,
    origins: &Origins,
    macros: &Macros,
    sources: &Sources<'a>,
    arenas: &'a Arenas<'a>,
    universe: &Universe,
    index: CrateIndex,
) {
    let pool = std::mem::take(&mut data.types);
    let mut filler = Filler { data, origins, macros, sources, arenas, universe, index, pool };
    filler.names();
    filler.supertraits();
    filler.adt_generics();
    filler.aliases();
    filler.traits();
    filler.implementations();
    filler.fields();
    filler.functions();
    filler.values();
    filler.data.types = filler.pool;
}

struct Filler<'f, 'a> {
    data: &'f mut CrateData,
    origins: &'f Origins,
    macros: &'f Macros,
    sources: &'f Sources<'a>,
    arenas: &'a Arenas<'a>,
    universe: &'f Universe,
    index: CrateIndex,
    pool: TypePool,
}

/// What names mean in some place.
#[derive(Default, Clone)]
struct Around {
    /// Where macros in types are expanded.
    tree: u32,
    module: u32,
    self_type: Option<TypeId>,
    in_trait: Option<TraitId>,
    trait_arguments: Box<[TypeId]>,
}

impl<'a> Filler<'_, 'a> {
    fn lowering<'s>(&'s mut self, around: &'s Around, generics: &'s Generics) -> Lowering<'a, 's, 's> {
        let view = View { universe: self.universe, current: self.data, index: self.index };
        Lowering {
            scope: TypeScope {
                view,
                module: around.module,
                generics,
                self_type: around.self_type,
                in_trait: around.in_trait,
                trait_arguments: &around.trait_arguments,
                uses: &[],
            },
            pool: &mut self.pool,
            holes: Holes::Unknown,
            impl_trait: ImplTrait::Opaque,
            depth: 0,
            defaults: true,
            macros: TypeMacros {
                macros: BodyMacros {
                    universe: self.universe,
                    data: self.data,
                    macros: self.macros,
                    sources: self.sources,
                    arenas: self.arenas,
                },
                tree: around.tree,
            },
        }
    }

    /// Names of all type parameters, associated types and constants.
    fn names(&mut self) {
        for number in 0..self.data.traits.len() {
            let node = self.sources.node(self.origins.traits[number]);
            let mut generics = Generics { parameters: vec![Symbol::new("Self")], ..Generics::default() };
            add_parameters(node, &mut generics);
            self.data.traits[number].generics = generics;
        }
        for (number, reference) in &self.origins.in_traits {
            let node = self.sources.node(*reference);
            let (Some(name), Some(of)) = (node.name(), self.data.traits.get_mut(*number as usize)) else {
                continue;
            };
            let name = Symbol::new(name);
            match node.kind() {
                SyntaxKind::TYPE_ALIAS => {
                    of.types.push(AssociatedType { name, bounds: Vec::new(), default: None });
                }
                SyntaxKind::CONST => of.constants.push((name, TypeId::UNKNOWN)),
                _ => {}
            }
        }
        for number in 0..self.data.adts.len() {
            add_parameters(
                self.sources.node(self.origins.adts[number]),
                &mut self.data.adts[number].generics,
            );
        }
        for number in 0..self.data.aliases.len() {
            add_parameters(
                self.sources.node(self.origins.aliases[number]),
                &mut self.data.aliases[number].generics,
            );
        }
        for number in 0..self.data.implementations.len() {
            let node = self.sources.node(self.origins.implementations[number]);
            add_parameters(node, &mut self.data.implementations[number].generics);
        }
    }

    /// Which traits a trait is above of, without their arguments.
    fn supertraits(&mut self) {
        for number in 0..self.data.traits.len() {
            let node = self.sources.node(self.origins.traits[number]);
            let around = self.around_trait(number);
            let generics = self.data.traits[number].generics.clone();
            let bounds = self.bounds_of(node, &around, &generics);
            let subject = around.self_type;
            let mut above: Vec<TraitId> = Vec::new();
            for bound in bounds.iter().filter(|it| Some(it.subject) == subject) {
                if !above.contains(&bound.by.id) {
                    above.push(bound.by.id);
                }
            }
            self.data.traits[number].supertraits = above;
        }
    }

    fn around_trait(&mut self, number: usize) -> Around {
        let id = TraitId { krate: self.index, index: number as u32 };
        let subject = self.pool.add(Type::Parameter(0));
        Around {
            tree: self.origins.traits[number].tree,
            module: self.data.traits[number].module,
            self_type: Some(subject),
            in_trait: Some(id),
            trait_arguments: self.parameters(1, self.data.traits[number].generics.parameters.len()),
        }
    }

    /// Parameters `from..to` as types.
    fn parameters(&mut self, from: usize, to: usize) -> Box<[TypeId]> {
        (from..to).map(|it| self.pool.add(Type::Parameter(it as u32))).collect()
    }

    fn adt_generics(&mut self) {
        for number in 0..self.data.adts.len() {
            let node = self.sources.node(self.origins.adts[number]);
            let tree = self.origins.adts[number].tree;
            let around = Around { tree, module: self.data.adts[number].module, ..Around::default() };
            let generics = std::mem::take(&mut self.data.adts[number].generics);
            self.data.adts[number].generics = self.complete(node, &around, generics);
        }
        for number in 0..self.data.traits.len() {
            let node = self.sources.node(self.origins.traits[number]);
            let around = self.around_trait(number);
            let generics = self.data.traits[number].generics.clone();
            self.data.traits[number].generics.defaults = self.defaults(node, &around, &generics);
        }
    }

    /// Reads defaults and bounds of parameters whose names are known.
    fn complete(&mut self, node: Node<'a>, around: &Around, mut generics: Generics) -> Generics {
        generics.defaults = self.defaults(node, around, &generics);
        let own = self.bounds_of(node, around, &generics);
        if !own.is_empty() {
            let known = generics.bounds.len();
            generics.bounds.extend(own);
            // Once more, now that `T::Item` can be looked up.
            let own = self.bounds_of(node, around, &generics);
            generics.bounds.truncate(known);
            generics.bounds.extend(own);
        }
        generics
    }

    fn defaults(&mut self, node: Node<'a>, around: &Around, generics: &Generics) -> Vec<(u32, TypeId)> {
        let mut found = Vec::new();
        for parameter in type_parameters(node).filter(|it| it.kind() == SyntaxKind::TYPE_PARAM) {
            let name = parameter.name().map(Symbol::new);
            let number = generics.parameters.iter().rposition(|it| Some(*it) == name);
            if let (Some(number), Some(default)) = (number, type_child(parameter)) {
                found.push((number as u32, self.lowering(around, generics).lower(default)));
            }
        }
        found
    }

    /// Bounds in the parameter list, in the `where` clause, and behind a trait's name.
    fn bounds_of(&mut self, node: Node<'a>, around: &Around, generics: &Generics) -> Vec<Bound> {
        let mut found = Vec::new();
        let mut add = |filler: &mut Self, subject: TypeId, list: Option<Node<'a>>| {
            let bounds = filler.lowering(around, generics).bounds(list, subject);
            found.extend(bounds.into_iter().map(|by| Bound { subject, by }));
        };
        for parameter in type_parameters(node).filter(|it| it.has(SyntaxKind::TYPE_BOUND_LIST)) {
            let name = parameter.name().map(Symbol::new);
            if let Some(number) = generics.parameters.iter().rposition(|it| Some(*it) == name) {
                let subject = self.pool.add(Type::Parameter(number as u32));
                add(self, subject, parameter.child(SyntaxKind::TYPE_BOUND_LIST));
            }
        }
        if node.kind() == SyntaxKind::TRAIT
            && let Some(subject) = around.self_type
        {
            add(self, subject, node.child(SyntaxKind::TYPE_BOUND_LIST));
        }
        let clause = node.child(SyntaxKind::WHERE_CLAUSE);
        for predicate in
            clause.iter().flat_map(|it| it.children()).filter(|it| it.kind() == SyntaxKind::WHERE_PRED)
        {
            if let Some(subject) = type_child(predicate) {
                let subject = self.lowering(around, generics).lower(subject);
                add(self, subject, predicate.child(SyntaxKind::TYPE_BOUND_LIST));
            }
        }
        found
    }

    fn aliases(&mut self) {
        for _ in 0..ALIAS_ROUNDS {
            let mut changed = false;
            for number in 0..self.data.aliases.len() {
                let node = self.sources.node(self.origins.aliases[number]);
                let tree = self.origins.aliases[number].tree;
                let around = Around { tree, module: self.data.aliases[number].module, ..Around::default() };
                let generics = self.data.aliases[number].generics.clone();
                let target = type_child(node);
                let target = target.map_or(TypeId::UNKNOWN, |it| self.lowering(&around, &generics).lower(it));
                let defaults = self.defaults(node, &around, &generics);
                let alias = &mut self.data.aliases[number];
                changed |= alias.target != target;
                alias.target = target;
                alias.generics.defaults = defaults;
            }
            if !changed {
                break;
            }
        }
    }

    fn traits(&mut self) {
        for number in 0..self.data.traits.len() {
            let node = self.sources.node(self.origins.traits[number]);
            let around = self.around_trait(number);
            let generics = self.data.traits[number].generics.clone();
            self.data.traits[number].generics = self.complete(node, &around, generics);
        }
        for (number, reference) in &self.origins.in_traits {
            let number = *number as usize;
            if number >= self.data.traits.len() {
                continue;
            }
            let node = self.sources.node(*reference);
            let around = Around { tree: reference.tree, ..self.around_trait(number) };
            let generics = self.data.traits[number].generics.clone();
            let Some(name) = node.name().map(Symbol::new) else { continue };
            let id = TraitId { krate: self.index, index: number as u32 };
            let subject = around.self_type.unwrap_or(TypeId::UNKNOWN);
            let projection =
                self.pool.add(Type::Projection(subject, id, around.trait_arguments.clone(), name));
            let mut lowering = self.lowering(&around, &generics);
            if node.kind() == SyntaxKind::CONST {
                let of_type = type_child(node).map_or(TypeId::UNKNOWN, |it| lowering.lower(it));
                let constants = &mut self.data.traits[number].constants;
                constants.iter_mut().filter(|it| it.0 == name).for_each(|it| it.1 = of_type);
                continue;
            }
            let bounds = lowering.bounds(node.child(SyntaxKind::TYPE_BOUND_LIST), projection);
            let default = type_child(node).map(|it| lowering.lower(it));
            if let Some(found) = self.data.traits[number].types.iter_mut().find(|it| it.name == name) {
                found.bounds = bounds;
                found.default = default;
            }
        }
    }

    fn implementations(&mut self) {
        for number in 0..self.data.implementations.len() {
            let node = self.sources.node(self.origins.implementations[number]);
            let module = self.data.implementations[number].module;
            let tree = self.origins.implementations[number].tree;
            let mut around = Around { tree, module, ..Around::default() };
            let generics = std::mem::take(&mut self.data.implementations[number].generics);
            let types: Vec<_> = node.children().filter(|it| crate::lowering::is_type(it.kind())).collect();
            let of_trait = node.children().any(|it| it.kind() == SyntaxKind::FOR_KW);
            let (written_trait, written_subject) = match (&types[..], of_trait) {
                ([of, subject, ..], true) => (Some(*of), Some(*subject)),
                ([subject, ..], false) => (None, Some(*subject)),
                _ => (None, None),
            };
            // Bounds first: the subject may be `T::Item`. They may say `Self`, so they are read once more below.
            let first = self.complete(node, &around, generics.clone());
            let subject =
                written_subject.map_or(TypeId::UNKNOWN, |it| self.lowering(&around, &first).lower(it));
            around.self_type = Some(subject);
            let of = written_trait
                .and_then(|it| it.child(SyntaxKind::PATH))
                .and_then(|path| self.lowering(&around, &first).trait_reference(path, subject));
            if let Some(of) = &of {
                around.in_trait = Some(of.id);
                around.trait_arguments = of.arguments.clone();
            }
            let generics = self.complete(node, &around, generics);
            let implementation = &mut self.data.implementations[number];
            implementation.generics = generics;
            implementation.subject = subject;
            implementation.names_trait = of_trait;
            implementation.of = of.map(|of| TraitReference { bindings: Box::default(), ..of });
        }
        for (number, reference) in &self.origins.in_implementations {
            let number = *number as usize;
            let Some(implementation) = self.data.implementations.get(number) else { continue };
            let around = Around { tree: reference.tree, ..around_implementation(implementation) };
            let generics = implementation.generics.clone();
            let node = self.sources.node(*reference);
            let Some(name) = node.name().map(Symbol::new) else { continue };
            let of_type =
                type_child(node).map_or(TypeId::UNKNOWN, |it| self.lowering(&around, &generics).lower(it));
            let implementation = &mut self.data.implementations[number];
            match node.kind() {
                SyntaxKind::TYPE_ALIAS => implementation.types.push((name, of_type)),
                SyntaxKind::CONST => implementation.constants.push((name, of_type)),
                _ => {}
            }
        }
    }

    fn fields(&mut self) {
        for number in 0..self.data.adts.len() {
            let node = self.sources.node(self.origins.adts[number]);
            let generics = self.data.adts[number].generics.clone();
            let arguments = self.parameters(0, generics.parameters.len());
            let id = crate::definitions::AdtId { krate: self.index, index: number as u32 };
            let around = Around {
                tree: self.origins.adts[number].tree,
                module: self.data.adts[number].module,
                self_type: Some(self.pool.add(Type::Adt(id, arguments))),
                ..Around::default()
            };
            let variants: Vec<Node<'a>> = match node.child(SyntaxKind::VARIANT_LIST) {
                Some(list) => list.children().filter(|it| it.kind() == SyntaxKind::VARIANT).collect(),
                None => vec![node],
            };
            for (variant, node) in variants.into_iter().enumerate() {
                let name = node.name().map(Symbol::new);
                let fields = self.fields_of(node, &around, &generics);
                let variants = &mut self.data.adts[number].variants;
                // By name: variants that are configured away may have been left out.
                let place = match variants.iter().position(|it| Some(it.name) == name) {
                    Some(place) => place,
                    None => variant,
                };
                if let Some(variant) = variants.get_mut(place) {
                    variant.fields = fields;
                    variant.tuple = node.has(SyntaxKind::TUPLE_FIELD_LIST);
                }
            }
        }
    }

    fn fields_of(&mut self, node: Node<'a>, around: &Around, generics: &Generics) -> Vec<(Symbol, TypeId)> {
        let mut fields = Vec::new();
        if let Some(list) = node.child(SyntaxKind::RECORD_FIELD_LIST) {
            for field in list.children().filter(|it| it.kind() == SyntaxKind::RECORD_FIELD) {
                let of_type =
                    type_child(field).map_or(TypeId::UNKNOWN, |it| self.lowering(around, generics).lower(it));
                fields.push((Symbol::new(field.name().unwrap_or("_")), of_type));
            }
        }
        if let Some(list) = node.child(SyntaxKind::TUPLE_FIELD_LIST) {
            let written = list.children().filter(|it| it.kind() == SyntaxKind::TUPLE_FIELD);
            for (number, field) in written.enumerate() {
                let of_type =
                    type_child(field).map_or(TypeId::UNKNOWN, |it| self.lowering(around, generics).lower(it));
                fields.push((Symbol::new(&number.to_string()), of_type));
            }
        }
        fields
    }

    fn functions(&mut self) {
        for number in 0..self.data.functions.len() {
            let Some(reference) = self.origins.functions[number] else { continue };
            let node = self.sources.node(reference);
            let function = &self.data.functions[number];
            let (mut around, mut generics) = match function.container {
                Container::Implementation(of) => {
                    let implementation = &self.data.implementations[of as usize];
                    (around_implementation(implementation), implementation.generics.clone())
                }
                Container::Trait(of) => {
                    let generics = self.data.traits[of as usize].generics.clone();
                    (self.around_trait(of as usize), generics)
                }
                Container::Module | Container::Foreign => (Around::default(), Generics::default()),
            };
            around.tree = reference.tree;
            around.module = self.data.functions[number].module;
            generics.of_container = generics.parameters.len() as u32;
            if let Container::Trait(of) = self.data.functions[number].container {
                // `Self` implements the trait that it is in.
                let id = TraitId { krate: self.index, index: of };
                let subject = around.self_type.unwrap_or(TypeId::UNKNOWN);
                let by = TraitReference {
                    id,
                    arguments: around.trait_arguments.clone(),
                    bindings: Box::default(),
                };
                generics.bounds.insert(0, Bound { subject, by });
            }
            add_parameters(node, &mut generics);
            let generics = self.complete(node, &around, generics);
            self.function(number, node, &around, generics);
        }
    }

    fn function(&mut self, number: usize, node: Node<'a>, around: &Around, mut generics: Generics) {
        let list = node.child(SyntaxKind::PARAM_LIST);
        let mut parameters = Vec::new();
        let next = generics.parameters.len() as u32;
        let (result, impl_trait) = {
            let mut lowering = self.lowering(around, &generics);
            lowering.impl_trait = ImplTrait::Parameter(next, Vec::new());
            for parameter in list.iter().flat_map(|it| it.children()) {
                match parameter.kind() {
                    SyntaxKind::SELF_PARAM => parameters.push(self_parameter(parameter, &mut lowering)),
                    SyntaxKind::PARAM => {
                        let of_type = type_child(parameter);
                        parameters.push(of_type.map_or(TypeId::UNKNOWN, |it| lowering.lower(it)));
                    }
                    _ => {}
                }
            }
            let impl_trait = std::mem::replace(&mut lowering.impl_trait, ImplTrait::Opaque);
            (lowering.result(node), impl_trait)
        };
        if let ImplTrait::Parameter(end, bounds) = impl_trait {
            for unnamed in next..end {
                generics.parameters.push(Symbol::new(&format!("impl {unnamed}")));
            }
            generics.bounds.extend(bounds);
        }
        let function = &mut self.data.functions[number];
        function.generics = generics;
        function.parameters = parameters.into();
        function.result = result;
    }

    fn values(&mut self) {
        for number in 0..self.data.values.len() {
            let node = self.sources.node(self.origins.values[number]);
            let tree = self.origins.values[number].tree;
            let around = Around { tree, module: self.data.values[number].module, ..Around::default() };
            let of_type = type_child(node);
            let generics = Generics::default();
            let of_type = of_type
                .map_or(self.data.values[number].of_type, |it| self.lowering(&around, &generics).lower(it));
            self.data.values[number].of_type = of_type;
        }
    }
}

/// In the tree with number 0: whoever reads elsewhere sets it.
fn around_implementation(implementation: &crate::definitions::Implementation) -> Around {
    Around {
        tree: 0,
        module: implementation.module,
        self_type: Some(implementation.subject),
        in_trait: implementation.of.as_ref().map(|it| it.id),
        trait_arguments: implementation.of.as_ref().map(|it| it.arguments.clone()).unwrap_or_default(),
    }
}

/// The type of `self`.
fn self_parameter<'a>(parameter: Node<'a>, lowering: &mut Lowering<'a, '_, '_>) -> TypeId {
    if let Some(written) = type_child(parameter) {
        return lowering.lower(written);
    }
    let subject = lowering.scope.self_type.unwrap_or(TypeId::UNKNOWN);
    if parameter.has(SyntaxKind::AMP) {
        // `&mut self`, but not `mut self`.
        return lowering.pool.add(Type::Reference(parameter.has(SyntaxKind::MUT_KW), subject));
    }
    subject
}

/// Elements of the list of type parameters.
fn type_parameters(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let list = node.child(SyntaxKind::GENERIC_PARAM_LIST);
    list.into_iter()
        .flat_map(|it| it.children())
        .filter(|it| matches!(it.kind(), SyntaxKind::TYPE_PARAM | SyntaxKind::CONST_PARAM))
}

/// Adds names of type and constant parameters; constants keep their place among the arguments.
fn add_parameters(node: Node<'_>, generics: &mut Generics) {
    generics.parameters.extend(type_parameters(node).map(|it| Symbol::new(it.name().unwrap_or("_"))));
}
