//! Type parameters: bounds, `where`, associated types, `impl Trait`, constants.

use near::{Named, Shape};

use crate::traits::{Base, Maker, Metre, Square};

pub fn bound<T: Named>(value: &T) -> String {
    value.name() + &value.greeting()
}

pub fn bounded_where<T, U>(value: T, other: &U) -> String
where
    T: Shape,
    U: ?Sized + Named,
{
    value.describe() + &other.name() + &value.name()
}

/// The type of a method's result is the associated type's bound.
pub fn associated_type<S: Shape>(shape: &S) -> String {
    shape.unit().name() + &S::Unit::default().greeting()
}

pub fn path_of_parameter<T: Maker + Base>() -> u32 {
    T::make(1).base() + <T as Maker>::standard().base() + T::NUMBER
}

pub fn argument(value: impl Named, reference: &impl Base) -> String {
    reference.base();
    value.name()
}

pub fn result() -> impl Named {
    Metre
}

pub fn boxed_result() -> Box<dyn Named> {
    Box::new(Metre)
}

pub fn of_results() -> String {
    result().name() + &boxed_result().name() + &argument(result(), &Metre)
}

pub struct Holder<T> {
    pub value: T,
}

impl<T> Holder<T> {
    pub fn new(value: T) -> Self {
        Self { value }
    }
    pub fn get(&self) -> &T {
        &self.value
    }
    pub fn map<U>(self, action: impl FnOnce(T) -> U) -> Holder<U> {
        Holder::new(action(self.value))
    }
}

impl<T: Named> Holder<T> {
    pub fn held_name(&self) -> String {
        self.value.name() + &self.get().greeting()
    }
}

impl Holder<u32> {
    pub fn only_of_numbers(&self) -> u32 {
        self.value
    }
}

pub fn of_holder() -> String {
    let holder = Holder::new(Square(1.0));
    holder.get().area();
    holder.held_name() + &holder.map(|square| Metre).get().name()
}

pub fn of_specialised() -> u32 {
    Holder { value: 3 }.only_of_numbers()
}

/// Recursion, also through another function.
pub fn countdown(number: u32) -> u32 {
    if number == 0 { 0 } else { bounce(number - 1) }
}

fn bounce(number: u32) -> u32 {
    if number > 10 { bounce(number / 2) } else { countdown(number) }
}

pub fn iterated<I>(items: I) -> u32
where
    I: IntoIterator,
    I::Item: Base,
{
    items.into_iter().map(|it| it.base()).sum()
}

pub fn of_iterated() -> u32 {
    iterated([Metre, Metre]) + iterated::<Vec<Metre>>(Vec::new())
}

/// A bound on a method's own parameter, and one on the trait's.
pub trait Visitor {
    type Out: Named;
    fn visit<T: Base>(&mut self, value: T) -> Self::Out;
}

pub struct Counting(u32);

impl Visitor for Counting {
    type Out = Metre;
    fn visit<T: Base>(&mut self, value: T) -> Metre {
        self.0 += value.base();
        Metre
    }
}

pub fn visited<V: Visitor>(mut visitor: V) -> String {
    visitor.visit(Metre).name()
}

pub fn of_visited() -> String {
    Counting(0).visit(Metre).name() + &visited(Counting(1))
}
