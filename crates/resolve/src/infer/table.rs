//! Types of one body while they are being found out: variables, and what makes two types equal.
//!
//! Unification is lenient on purpose: a type that is unknown equals every other, because an error in one place must not
//! hide the calls in the next. The compiler has checked the program; this only has to follow it.

use crate::substitute::Few;
use crate::types::{Type, TypeId, TypePool};

/// Deepest pair of types that is compared; deeper ones count as equal.
const DEPTH: u32 = 48;

/// How deep, and how many parts of a list, [`Table::differs`] looks. Implementations of one trait differ near the root.
const GLANCE: (u32, usize) = (3, 4);

/// What a variable can become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VariableKind {
    General,
    Integer,
    Float,
}

/// Parameters and result of a closure.
#[derive(Debug, Clone)]
pub(crate) struct ClosureSignature {
    pub(crate) parameters: Vec<TypeId>,
    pub(crate) result: TypeId,
}

pub(crate) struct Table {
    pub(crate) pool: TypePool,
    bindings: Vec<Option<TypeId>>,
    kinds: Vec<VariableKind>,
    trail: Vec<u32>,
    /// Types of variables by number, of those that there were since the pool was cleared: what is undone makes the same again.
    variables: Vec<TypeId>,
    pub(crate) closures: Vec<ClosureSignature>,
    /// For [`Lowering`](crate::lowering::Lowering): the number of the next variable.
    pub(crate) next: u32,
}

impl Default for Table {
    fn default() -> Table {
        Table {
            pool: TypePool::with_parameters(),
            bindings: Vec::new(),
            kinds: Vec::new(),
            trail: Vec::new(),
            variables: Vec::new(),
            closures: Vec::new(),
            next: 0,
        }
    }
}

/// A state to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot {
    trail: usize,
    next: u32,
}

impl Table {
    pub(crate) fn clear(&mut self) {
        self.pool.clear();
        self.bindings.clear();
        self.kinds.clear();
        self.trail.clear();
        self.variables.clear();
        self.closures.clear();
        self.next = 0;
    }

    /// Knows the variables that [`Table::next`] was raised for.
    pub(crate) fn catch_up(&mut self) {
        self.bindings.resize(self.next as usize, None);
        self.kinds.resize(self.next as usize, VariableKind::General);
    }

    pub(crate) fn variable(&mut self) -> TypeId {
        self.variable_of(VariableKind::General)
    }

    pub(crate) fn variable_of(&mut self, kind: VariableKind) -> TypeId {
        self.catch_up();
        let number = self.next;
        self.next += 1;
        self.bindings.push(None);
        self.kinds.push(kind);
        // Lowering makes variables by itself, so several may be missing.
        while self.variables.len() <= number as usize {
            let id = self.pool.add(Type::Variable(self.variables.len() as u32));
            self.variables.push(id);
        }
        self.variables[number as usize]
    }

    pub(crate) fn variables(&mut self, count: usize) -> Vec<TypeId> {
        (0..count).map(|_| self.variable()).collect()
    }

    /// The same for those that are gone soon.
    pub(crate) fn few_variables(&mut self, count: usize) -> Few {
        (0..count).map(|_| self.variable()).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot { trail: self.trail.len(), next: self.next }
    }

    pub(crate) fn back_to(&mut self, snapshot: Snapshot) {
        for number in self.trail.drain(snapshot.trail..) {
            self.bindings[number as usize] = None;
        }
    }

    /// Goes back, and takes back the variables that were made since. Nobody may know them any more: the next ones are the same.
    pub(crate) fn undo(&mut self, snapshot: Snapshot) {
        self.back_to(snapshot);
        self.next = snapshot.next;
        self.bindings.truncate(self.next as usize);
        self.kinds.truncate(self.next as usize);
    }

    /// The type, with variables at the top followed.
    pub(crate) fn shallow(&self, id: TypeId) -> TypeId {
        let mut id = id;
        while let Type::Variable(number) = self.pool.of(id) {
            match self.bindings.get(*number as usize).copied().flatten() {
                Some(bound) => id = bound,
                None => break,
            }
        }
        id
    }

    pub(crate) fn of(&self, id: TypeId) -> &Type {
        self.pool.of(self.shallow(id))
    }

    pub(crate) fn kind(&self, number: u32) -> VariableKind {
        self.kinds.get(number as usize).copied().unwrap_or(VariableKind::General)
    }

    pub(crate) fn is_variable(&self, id: TypeId) -> bool {
        matches!(self.of(id), Type::Variable(number) if self.kind(*number) == VariableKind::General)
    }

    pub(crate) fn add(&mut self, of: Type) -> TypeId {
        self.pool.add(of)
    }

    fn bind(&mut self, number: u32, to: TypeId) {
        self.catch_up();
        self.bindings[number as usize] = Some(to);
        self.trail.push(number);
    }

    /// Makes two types equal, if they can be; otherwise some of their variables may stay bound.
    pub(crate) fn unify(&mut self, left: TypeId, right: TypeId) -> bool {
        self.unify_at(left, right, 0)
    }

    /// [`Table::unify`] that leaves nothing behind when it fails.
    pub(crate) fn try_unify(&mut self, left: TypeId, right: TypeId) -> bool {
        let snapshot = self.snapshot();
        let equal = self.unify(left, right);
        if !equal {
            self.back_to(snapshot);
        }
        equal
    }

    fn unify_at(&mut self, left: TypeId, right: TypeId, depth: u32) -> bool {
        let (left, right) = (self.shallow(left), self.shallow(right));
        if left == right || depth > DEPTH {
            return true;
        }
        let next = depth + 1;
        // What is most often asked needs no copy of the types.
        match (self.pool.of(left), self.pool.of(right)) {
            (Type::Primitive(a), Type::Primitive(b)) => return a == b,
            (Type::Adt(a, _), Type::Adt(b, _)) if a != b => return false,
            (Type::Reference(a, of_a), Type::Reference(b, of_b)) => {
                let (equal, of_a, of_b) = (a == b, *of_a, *of_b);
                return equal && self.unify_at(of_a, of_b, next);
            }
            (Type::Adt(..), Type::Reference(..) | Type::Primitive(_) | Type::Slice(_) | Type::Tuple(_))
            | (Type::Reference(..) | Type::Primitive(_) | Type::Slice(_) | Type::Tuple(_), Type::Adt(..))
            | (Type::Reference(..), Type::Primitive(_))
            | (Type::Primitive(_), Type::Reference(..)) => return false,
            _ => {}
        }
        match (self.pool.of(left), self.pool.of(right)) {
            (&Type::Variable(a), &Type::Variable(b)) => {
                let (kind_a, kind_b) = (self.kind(a), self.kind(b));
                match (kind_a, kind_b) {
                    (VariableKind::General, _) => self.bind(a, right),
                    (_, VariableKind::General) => self.bind(b, left),
                    _ if kind_a == kind_b => self.bind(a, right),
                    _ => return false,
                }
                true
            }
            (&Type::Variable(number), _) => self.bind_checked(number, right),
            (_, &Type::Variable(number)) => self.bind_checked(number, left),
            (Type::Unknown | Type::Never, _) | (_, Type::Unknown | Type::Never) => true,
            (Type::Opaque(_), _) | (_, Type::Opaque(_)) => true,
            (Type::Adt(a, _), Type::Adt(b, _)) => a == b && self.unify_parts(left, right, next),
            (&Type::Pointer(a, of_a), &Type::Pointer(b, of_b)) => a == b && self.unify_at(of_a, of_b, next),
            (&Type::Slice(a), &Type::Slice(b)) | (&Type::Array(a), &Type::Array(b)) => {
                self.unify_at(a, b, next)
            }
            (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && self.unify_parts(left, right, next),
            (&Type::Function(ref a, of_a), &Type::Function(ref b, of_b)) => {
                a.len() == b.len() && self.unify_parts(left, right, next) && self.unify_at(of_a, of_b, next)
            }
            (Type::Dyn(a), Type::Dyn(b)) => {
                let (Some(a), Some(b)) = (a.first(), b.first()) else { return true };
                let (equal, of_a, of_b) = (a.id == b.id, a.arguments.clone(), b.arguments.clone());
                equal && self.unify_all(&of_a, &of_b, next)
            }
            (&Type::Projection(a, trait_a, _, name_a), &Type::Projection(b, trait_b, _, name_b)) => {
                trait_a == trait_b && name_a == name_b && self.unify_at(a, b, next)
            }
            (Type::FunctionItem(a, _), Type::FunctionItem(b, _)) => {
                a == b && self.unify_parts(left, right, next)
            }
            (Type::FunctionItem(..) | Type::Closure(_), Type::Function(..))
            | (Type::Function(..), Type::FunctionItem(..) | Type::Closure(_)) => true,
            _ => false,
        }
    }

    /// Lists of two types. They are looked up part by part: the pool grows meanwhile, but what is in it stays.
    fn unify_parts(&mut self, left: TypeId, right: TypeId, depth: u32) -> bool {
        let count = self.pool.parts(left).len().min(self.pool.parts(right).len());
        (0..count).all(|it| self.unify_at(self.pool.parts(left)[it], self.pool.parts(right)[it], depth))
    }

    fn unify_all(&mut self, left: &[TypeId], right: &[TypeId], depth: u32) -> bool {
        left.iter().zip(right).all(|(left, right)| self.unify_at(*left, *right, depth))
    }

    fn bind_checked(&mut self, number: u32, to: TypeId) -> bool {
        let of = self.pool.of(to);
        let is_never = matches!(of, Type::Never);
        let fits = match (self.kind(number), of) {
            (_, Type::Unknown | Type::Never) => true,
            (VariableKind::General, _) => !self.occurs(number, to, 0),
            (VariableKind::Integer, Type::Primitive(primitive)) => primitive.is_integer(),
            (VariableKind::Float, Type::Primitive(primitive)) => primitive.is_float(),
            _ => false,
        };
        if fits && !is_never {
            self.bind(number, to);
        }
        fits
    }

    /// Whether a type of another pool, with anything in place of its parameters, cannot equal one of this table. That two types
    /// may be equal is not for this to say; but of the implementations of a trait nearly all end here, without a copy.
    pub(crate) fn differs(&self, from: &TypePool, pattern: TypeId, id: TypeId) -> bool {
        self.differs_at(from, pattern, id, 0)
    }

    fn differs_at(&self, from: &TypePool, pattern: TypeId, id: TypeId, depth: u32) -> bool {
        let (deepest, most) = GLANCE;
        if depth >= deepest {
            return false;
        }
        let inner = |a: TypeId, b: TypeId| self.differs_at(from, a, b, depth + 1);
        let any = |a: &[TypeId], b: &[TypeId]| a.iter().zip(b).take(most).any(|(a, b)| inner(*a, *b));
        match (from.of(pattern), self.of(id)) {
            (Type::Adt(a, of_a), Type::Adt(b, of_b)) => a != b || any(of_a, of_b),
            (Type::Primitive(a), Type::Primitive(b)) => a != b,
            (Type::Reference(a, of_a), Type::Reference(b, of_b))
            | (Type::Pointer(a, of_a), Type::Pointer(b, of_b)) => a != b || inner(*of_a, *of_b),
            (Type::Slice(a), Type::Slice(b)) | (Type::Array(a), Type::Array(b)) => inner(*a, *b),
            (Type::Tuple(a), Type::Tuple(b)) => a.len() != b.len() || any(a, b),
            (a, b) => is_rigid(a) && is_rigid(b),
        }
    }

    /// Whether a variable is part of a type: it cannot be equal to it then.
    fn occurs(&self, number: u32, id: TypeId, depth: u32) -> bool {
        if depth > DEPTH {
            return true;
        }
        let next = depth + 1;
        let any = |ids: &[TypeId]| ids.iter().any(|it| self.occurs(number, *it, next));
        match self.of(id) {
            Type::Variable(other) => *other == number,
            Type::Adt(_, ids) | Type::Tuple(ids) | Type::FunctionItem(_, ids) => any(ids),
            Type::Reference(_, inner) | Type::Pointer(_, inner) | Type::Slice(inner) | Type::Array(inner) => {
                self.occurs(number, *inner, next)
            }
            Type::Function(ids, result) => any(ids) || self.occurs(number, *result, next),
            Type::Projection(subject, _, ids, _) => self.occurs(number, *subject, next) || any(ids),
            _ => false,
        }
    }
}

/// Whether a type equals none that is made in another way.
fn is_rigid(of: &Type) -> bool {
    use Type::{Adt, Array, Pointer, Primitive, Reference, Slice, Tuple};
    matches!(of, Adt(..) | Primitive(_) | Reference(..) | Pointer(..) | Slice(_) | Array(_) | Tuple(_))
}
