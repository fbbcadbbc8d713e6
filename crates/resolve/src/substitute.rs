//! Copies types from one pool to another, with arguments in place of parameters.

use smallvec::SmallVec;

use crate::definitions::TraitReference;
use crate::types::{Type, TypeId, TypePool};

/// Deepest type that is copied; what is deeper is unknown. Real ones stay below 30; a macro can write thousands.
const DEPTH: u32 = 64;

/// Largest type that is copied, in parts. Aliases of aliases of pairs grow without end.
const PARTS: u32 = 4096;

/// A few types, as the arguments of most things are.
pub(crate) type Few = SmallVec<[TypeId; 8]>;

/// Copies types, see [`copy`].
struct Copier<'f, 'p> {
    /// `None` when both pools are the same.
    from: Option<&'f TypePool>,
    into: &'p mut TypePool,
    arguments: &'p [TypeId],
    parts: u32,
}

/// The type `id` of the pool `from` (or of `into` itself) in the pool `into`, with `arguments[n]` in place of parameter
/// `n`. Parameters without an argument become unknown.
pub(crate) fn copy(from: Option<&TypePool>, id: TypeId, arguments: &[TypeId], into: &mut TypePool) -> TypeId {
    Copier { from, into, arguments, parts: 0 }.copy(id, 0)
}

/// The same for a trait with arguments.
pub(crate) fn copy_reference(
    from: Option<&TypePool>,
    reference: &TraitReference,
    arguments: &[TypeId],
    into: &mut TypePool,
) -> TraitReference {
    Copier { from, into, arguments, parts: 0 }.reference(reference, 0)
}

impl Copier<'_, '_> {
    fn copy(&mut self, id: TypeId, depth: u32) -> TypeId {
        self.parts += 1;
        if id == TypeId::UNKNOWN || id == TypeId::UNIT {
            return id;
        }
        if depth > DEPTH || self.parts > PARTS {
            return TypeId::UNKNOWN;
        }
        let copied;
        let of = match self.from {
            Some(from) => from.of(id),
            None => {
                copied = self.into.of(id).clone();
                &copied
            }
        };
        let next = depth + 1;
        let copied = match of {
            Type::Parameter(number) => {
                return self.arguments.get(*number as usize).copied().unwrap_or(TypeId::UNKNOWN);
            }
            Type::Adt(adt, arguments) => {
                let arguments = self.all(arguments, next);
                return self.into.add_adt(*adt, &arguments);
            }
            Type::Tuple(parts) => {
                let parts = self.all(parts, next);
                return self.into.add_tuple(&parts);
            }
            Type::Reference(mutable, inner) => Type::Reference(*mutable, self.copy(*inner, next)),
            Type::Pointer(mutable, inner) => Type::Pointer(*mutable, self.copy(*inner, next)),
            Type::Slice(inner) => Type::Slice(self.copy(*inner, next)),
            Type::Array(inner) => Type::Array(self.copy(*inner, next)),
            Type::Function(parameters, result) => {
                Type::Function(self.boxed(parameters, next), self.copy(*result, next))
            }
            Type::Dyn(bounds) => Type::Dyn(bounds.iter().map(|it| self.reference(it, next)).collect()),
            Type::Opaque(bounds) => Type::Opaque(bounds.iter().map(|it| self.reference(it, next)).collect()),
            Type::Projection(subject, of_trait, arguments, name) => {
                Type::Projection(self.copy(*subject, next), *of_trait, self.boxed(arguments, next), *name)
            }
            Type::FunctionItem(function, arguments) => {
                Type::FunctionItem(*function, self.boxed(arguments, next))
            }
            Type::Unknown | Type::Never | Type::Primitive(_) | Type::Variable(_) | Type::Closure(_) => {
                of.clone()
            }
        };
        self.into.add(copied)
    }

    fn all(&mut self, ids: &[TypeId], depth: u32) -> Few {
        ids.iter().map(|id| self.copy(*id, depth)).collect()
    }

    fn boxed(&mut self, ids: &[TypeId], depth: u32) -> Box<[TypeId]> {
        ids.iter().map(|id| self.copy(*id, depth)).collect()
    }

    fn reference(&mut self, reference: &TraitReference, depth: u32) -> TraitReference {
        TraitReference {
            id: reference.id,
            arguments: self.boxed(&reference.arguments, depth),
            bindings: reference.bindings.iter().map(|(name, id)| (*name, self.copy(*id, depth))).collect(),
        }
    }
}
