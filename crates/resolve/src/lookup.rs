//! Which implementations a crate has, by what they are for.
//!
//! Coherence makes this cheap: an implementation stands in the crate of its trait, of its type, or of a type among the
//! trait's arguments (<https://doc.rust-lang.org/reference/items/implementations.html#trait-implementation-coherence>), so a
//! question looks into a handful of crates, never into all.

use rustc_hash::FxHashMap;

use crate::definitions::{AdtId, CrateData, Primitive, TraitId};
use crate::symbol::Symbol;
use crate::types::{Type, TypeId, TypePool};

/// The outermost part of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Head {
    Adt(AdtId),
    Primitive(Primitive),
    /// With what it refers to: operators on references have hundreds of implementations.
    Reference(bool, Referent),
    Pointer(bool),
    Slice,
    Array,
    Tuple(u32),
    Function,
    Never,
    Dyn(Option<TraitId>),
}

/// What a reference refers to, as far as implementations are found by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Referent {
    /// Every implementation for references.
    All,
    /// Those for any type.
    Any,
    Adt(AdtId),
    Primitive(Primitive),
    Other,
}

/// What the implementation for a reference to a type is found by.
pub(crate) fn referent(pool: &TypePool, id: TypeId) -> Referent {
    match pool.of(id) {
        Type::Adt(id, _) => Referent::Adt(*id),
        Type::Primitive(primitive) => Referent::Primitive(*primitive),
        Type::Unknown | Type::Opaque(_) | Type::Variable(_) => Referent::All,
        Type::Parameter(_) | Type::Projection(..) | Type::Closure(_) | Type::FunctionItem(..) => {
            Referent::Any
        }
        _ => Referent::Other,
    }
}

/// The head of a type; `None` for parameters and whatever else could be anything.
pub(crate) fn head(pool: &TypePool, id: TypeId) -> Option<Head> {
    Some(match pool.of(id) {
        Type::Adt(id, _) => Head::Adt(*id),
        Type::Primitive(primitive) => Head::Primitive(*primitive),
        Type::Reference(mutable, inner) => Head::Reference(*mutable, referent(pool, *inner)),
        Type::Pointer(mutable, _) => Head::Pointer(*mutable),
        Type::Slice(_) => Head::Slice,
        Type::Array(_) => Head::Array,
        Type::Tuple(parts) => Head::Tuple(parts.len() as u32),
        Type::Function(..) => Head::Function,
        Type::Never => Head::Never,
        Type::Dyn(bounds) => Head::Dyn(bounds.first().map(|it| it.id)),
        Type::Unknown
        | Type::Parameter(_)
        | Type::Opaque(_)
        | Type::Projection(..)
        | Type::Variable(_)
        | Type::Closure(_)
        | Type::FunctionItem(..) => return None,
    })
}

/// Implementations of one trait in one crate, by number.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OfTrait {
    pub(crate) by_head: FxHashMap<Head, Vec<u32>>,
    /// For a type parameter, or something else without a head.
    pub(crate) blanket: Vec<u32>,
}

/// Implementations of a crate.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lookup {
    /// Functions of inherent implementations, by number.
    pub(crate) inherent: FxHashMap<(Head, Symbol), Vec<(u32, u32)>>,
    /// Associated constants of inherent implementations.
    pub(crate) constants: FxHashMap<(Head, Symbol), (u32, TypeId)>,
    pub(crate) traits: FxHashMap<TraitId, OfTrait>,
}

impl Lookup {
    pub(crate) fn new(data: &CrateData) -> Lookup {
        let mut lookup = Lookup::default();
        // Active implementations come first: the first that fits is taken.
        let mut order: Vec<usize> = (0..data.implementations.len()).collect();
        order.sort_by_key(|number| !data.implementations[*number].configuration.active);
        for number in order {
            let implementation = &data.implementations[number];
            let head = head(&data.types, implementation.subject);
            let number = number as u32;
            match (&implementation.of, head) {
                (Some(of), head) => {
                    let of_trait = lookup.traits.entry(of.id).or_default();
                    match head {
                        Some(Head::Reference(mutable, referent)) => {
                            let referent = if referent == Referent::All { Referent::Any } else { referent };
                            for referent in [referent, Referent::All] {
                                let head = Head::Reference(mutable, referent);
                                of_trait.by_head.entry(head).or_default().push(number);
                            }
                        }
                        Some(head) => of_trait.by_head.entry(head).or_default().push(number),
                        None => of_trait.blanket.push(number),
                    }
                }
                (None, Some(head)) if !implementation.names_trait => {
                    for (name, function) in &implementation.functions {
                        lookup.inherent.entry((head, *name)).or_default().push((number, *function));
                    }
                    for (name, of_type) in &implementation.constants {
                        lookup.constants.insert((head, *name), (number, *of_type));
                    }
                }
                _ => {}
            }
        }
        lookup
    }
}
