//! Types of one body while they are being found out: variables, and what makes two types equal.
//!
//! Unification is lenient on purpose: a type that is unknown equals every other, because an error in one place must not
//! hide the calls in the next. The compiler has checked the program; this only has to follow it.

use crate::types::{Type, TypeId, TypePool};

/// Deepest pair of types that is compared; deeper ones count as equal.
const DEPTH: u32 = 48;

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
            closures: Vec::new(),
            next: 0,
        }
    }
}

/// A state to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot(usize);

impl Table {
    pub(crate) fn clear(&mut self) {
        self.pool.clear();
        self.bindings.clear();
        self.kinds.clear();
        self.trail.clear();
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
        self.pool.add(Type::Variable(number))
    }

    pub(crate) fn variables(&mut self, count: usize) -> Vec<TypeId> {
        (0..count).map(|_| self.variable()).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot(self.trail.len())
    }

    pub(crate) fn back_to(&mut self, snapshot: Snapshot) {
        for number in self.trail.drain(snapshot.0..) {
            self.bindings[number as usize] = None;
        }
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
        match (self.pool.of(left).clone(), self.pool.of(right).clone()) {
            (Type::Variable(a), Type::Variable(b)) => {
                let (kind_a, kind_b) = (self.kind(a), self.kind(b));
                match (kind_a, kind_b) {
                    (VariableKind::General, _) => self.bind(a, right),
                    (_, VariableKind::General) => self.bind(b, left),
                    _ if kind_a == kind_b => self.bind(a, right),
                    _ => return false,
                }
                true
            }
            (Type::Variable(number), of) => self.bind_checked(number, right, &of),
            (of, Type::Variable(number)) => self.bind_checked(number, left, &of),
            (Type::Unknown | Type::Never, _) | (_, Type::Unknown | Type::Never) => true,
            (Type::Opaque(_), _) | (_, Type::Opaque(_)) => true,
            (Type::Primitive(a), Type::Primitive(b)) => a == b,
            (Type::Adt(a, of_a), Type::Adt(b, of_b)) => a == b && self.unify_all(&of_a, &of_b, next),
            (Type::Reference(a, of_a), Type::Reference(b, of_b))
            | (Type::Pointer(a, of_a), Type::Pointer(b, of_b)) => a == b && self.unify_at(of_a, of_b, next),
            (Type::Slice(a), Type::Slice(b)) | (Type::Array(a), Type::Array(b)) => self.unify_at(a, b, next),
            (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && self.unify_all(&a, &b, next),
            (Type::Function(a, of_a), Type::Function(b, of_b)) => {
                a.len() == b.len() && self.unify_all(&a, &b, next) && self.unify_at(of_a, of_b, next)
            }
            (Type::Dyn(a), Type::Dyn(b)) => {
                let (Some(a), Some(b)) = (a.first(), b.first()) else { return true };
                a.id == b.id && self.unify_all(&a.arguments, &b.arguments, next)
            }
            (Type::Projection(a, trait_a, _, name_a), Type::Projection(b, trait_b, _, name_b)) => {
                trait_a == trait_b && name_a == name_b && self.unify_at(a, b, next)
            }
            (Type::FunctionItem(a, of_a), Type::FunctionItem(b, of_b)) => {
                a == b && self.unify_all(&of_a, &of_b, next)
            }
            (Type::FunctionItem(..) | Type::Closure(_), Type::Function(..))
            | (Type::Function(..), Type::FunctionItem(..) | Type::Closure(_)) => true,
            _ => false,
        }
    }

    fn unify_all(&mut self, left: &[TypeId], right: &[TypeId], depth: u32) -> bool {
        left.iter().zip(right).all(|(left, right)| self.unify_at(*left, *right, depth))
    }

    fn bind_checked(&mut self, number: u32, to: TypeId, of: &Type) -> bool {
        let fits = match (self.kind(number), of) {
            (_, Type::Unknown | Type::Never) => true,
            (VariableKind::General, _) => !self.occurs(number, to, 0),
            (VariableKind::Integer, Type::Primitive(primitive)) => primitive.is_integer(),
            (VariableKind::Float, Type::Primitive(primitive)) => primitive.is_float(),
            _ => false,
        };
        if fits && !matches!(of, Type::Never) {
            self.bind(number, to);
        }
        fits
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
