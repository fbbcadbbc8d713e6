//! Types as signatures spell them, once names are resolved.
//!
//! Each crate has one pool; equal types are one entry, so that ids compare. Lifetimes and constants are left out: no call
//! depends on them. What inference does to types happens in a pool of its own (`infer`).

use std::hash::BuildHasher;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::definitions::{AdtId, FunctionId, Primitive, TraitId, TraitReference};
use crate::symbol::Symbol;

/// Number of a type in a [`TypePool`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TypeId(pub u32);

impl TypeId {
    /// [`Type::Unknown`] in every pool.
    pub const UNKNOWN: TypeId = TypeId(0);
    /// `()` in every pool.
    pub const UNIT: TypeId = TypeId(1);
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Type {
    /// Could not be resolved, or is not written.
    Unknown,
    /// `!`
    Never,
    /// `u8`, `str`, …
    Primitive(Primitive),
    /// A struct, enum or union with its arguments. Those left out are filled in: defaults, or [`Type::Unknown`].
    Adt(AdtId, Box<[TypeId]>),
    /// A type parameter, by its number in the [`Generics`](crate::definitions::Generics) around it.
    Parameter(u32),
    /// `&T`, or `&mut T` when true.
    Reference(bool, TypeId),
    /// `*const T`, or `*mut T` when true.
    Pointer(bool, TypeId),
    /// `[T]`
    Slice(TypeId),
    /// `[T; N]`
    Array(TypeId),
    /// `(A, B)`
    Tuple(Box<[TypeId]>),
    /// `fn(A, B) -> C`
    Function(Box<[TypeId]>, TypeId),
    /// `dyn A + B`, the principal trait first.
    Dyn(Box<[TraitReference]>),
    /// `impl A + B` as a result.
    Opaque(Box<[TraitReference]>),
    /// `<subject as Trait<arguments>>::name`
    Projection(TypeId, TraitId, Box<[TypeId]>, Symbol),
    /// In bodies only: to be found out, by its number in the body.
    Variable(u32),
    /// In bodies only: a closure, by its number in the body.
    Closure(u32),
    /// In bodies only: a function taken as a value, with its type arguments.
    FunctionItem(FunctionId, Box<[TypeId]>),
}

/// Most type parameters, those of containers included, that one function is read with: more than anybody writes.
pub(crate) const PARAMETERS: u32 = 64;

/// A type to be looked for: its parts need not be in a box for that.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key<'t> {
    Adt(AdtId, &'t [TypeId]),
    Tuple(&'t [TypeId]),
    Other(&'t Type),
}

impl Key<'_> {
    fn of(of: &Type) -> Key<'_> {
        match of {
            Type::Adt(id, arguments) => Key::Adt(*id, arguments),
            Type::Tuple(parts) => Key::Tuple(parts),
            other => Key::Other(other),
        }
    }
}

/// Distinct types.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TypePool {
    types: Vec<Type>,
    /// Numbers of the types by their hash: empty once [`TypePool::finish`] was called.
    #[serde(skip)]
    numbers: HashTable<TypeId>,
    /// Hashes of the types, by number: clearing and growing need them again.
    #[serde(skip)]
    hashes: Vec<u64>,
    /// How many types stay when it is cleared.
    #[serde(skip)]
    kept: usize,
}

impl PartialEq for TypePool {
    fn eq(&self, other: &TypePool) -> bool {
        self.types == other.types
    }
}

impl Default for TypePool {
    fn default() -> TypePool {
        let mut pool = TypePool { types: Vec::new(), numbers: HashTable::new(), hashes: Vec::new(), kept: 2 };
        pool.add(Type::Unknown);
        pool.add(Type::Tuple(Box::default()));
        pool
    }
}

impl TypePool {
    /// A pool that always has the type parameters as themselves.
    pub(crate) fn with_parameters() -> TypePool {
        let mut pool = TypePool::default();
        for number in 0..PARAMETERS {
            pool.add(Type::Parameter(number));
        }
        pool.kept = pool.types.len();
        pool
    }

    /// The type parameters of [`TypePool::with_parameters`], by number.
    pub(crate) fn parameters(&self) -> [TypeId; PARAMETERS as usize] {
        std::array::from_fn(|number| TypeId(number as u32 + 2))
    }

    /// The number of a type.
    pub fn add(&mut self, of: Type) -> TypeId {
        match self.find(Key::of(&of)) {
            Ok(known) => known,
            Err(hash) => self.insert(hash, of),
        }
    }

    /// The number of [`Type::Adt`]. Most are there already, and then nothing is allocated.
    pub(crate) fn add_adt(&mut self, id: AdtId, arguments: &[TypeId]) -> TypeId {
        match self.find(Key::Adt(id, arguments)) {
            Ok(known) => known,
            Err(hash) => self.insert(hash, Type::Adt(id, arguments.into())),
        }
    }

    /// The number of [`Type::Tuple`], as [`TypePool::add_adt`].
    pub(crate) fn add_tuple(&mut self, parts: &[TypeId]) -> TypeId {
        match self.find(Key::Tuple(parts)) {
            Ok(known) => known,
            Err(hash) => self.insert(hash, Type::Tuple(parts.into())),
        }
    }

    /// The number of a type that is there already; otherwise its hash.
    fn find(&self, key: Key<'_>) -> Result<TypeId, u64> {
        let hash = FxBuildHasher.hash_one(key);
        let is_same = |id: &TypeId| {
            let number = id.0 as usize;
            self.hashes[number] == hash && Key::of(&self.types[number]) == key
        };
        self.numbers.find(hash, is_same).copied().ok_or(hash)
    }

    fn insert(&mut self, hash: u64, of: Type) -> TypeId {
        let id = TypeId(self.types.len() as u32);
        self.numbers.insert_unique(hash, id, |id| self.hashes[id.0 as usize]);
        self.types.push(of);
        self.hashes.push(hash);
        id
    }

    /// The type with a number; [`Type::Unknown`] if there is none.
    #[must_use]
    pub fn of(&self, id: TypeId) -> &Type {
        self.types.get(id.0 as usize).unwrap_or(&Type::Unknown)
    }

    /// Arguments, parts or parameters of a type, if it has a list of them.
    pub(crate) fn parts(&self, id: TypeId) -> &[TypeId] {
        match self.of(id) {
            Type::Adt(_, parts)
            | Type::Tuple(parts)
            | Type::Function(parts, _)
            | Type::FunctionItem(_, parts) => parts,
            _ => &[],
        }
    }

    /// Number of distinct types.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "two types are always there")]
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Back to the types that were there from the beginning.
    pub fn clear(&mut self) {
        let (kept, types) = (self.kept, &self.types);
        // One large body must not make each small one behind it pay for the room that it took.
        if (types.len() - kept) * 8 < self.numbers.capacity() {
            for (number, hash) in self.hashes.iter().enumerate().skip(kept) {
                if let Ok(entry) = self.numbers.find_entry(*hash, |id| id.0 as usize == number) {
                    entry.remove();
                }
            }
        } else {
            self.numbers.retain(|id| (id.0 as usize) < kept);
        }
        self.types.truncate(kept);
        self.hashes.truncate(kept);
    }

    /// Frees what only adding needs.
    pub fn finish(&mut self) {
        self.numbers = HashTable::new();
        self.hashes = Vec::new();
        self.types.shrink_to_fit();
    }
}
