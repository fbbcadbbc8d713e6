//! Trait methods: defaults, overridden ones, supertraits, `dyn`, blanket implementations, equal names.

use near::{Named, Shape, Shout};

#[derive(Default)]
pub struct Metre;

impl Named for Metre {
    fn name(&self) -> String {
        String::new()
    }
}

pub struct Square(pub f64);

impl Named for Square {
    fn name(&self) -> String {
        "square".to_owned()
    }
    fn greeting(&self) -> String {
        self.name()
    }
}

impl Shape for Square {
    const SIDES: u32 = sides();
    type Unit = Metre;
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

const fn sides() -> u32 {
    4
}

pub struct Circle;

impl Named for Circle {
    fn name(&self) -> String {
        "circle".to_owned()
    }
}

impl Shape for Circle {
    const SIDES: u32 = 0;
    type Unit = Metre;
    fn area(&self) -> f64 {
        3.0
    }
    fn describe(&self) -> String {
        self.greeting()
    }
}

/// Overridden: the implementation. Not overridden: the trait.
pub fn of_concrete(square: &Square, circle: &Circle) -> String {
    square.area();
    circle.area();
    square.name()
        + &circle.name()
        + &square.greeting()
        + &circle.greeting()
        + &square.describe()
        + &circle.describe()
}

pub fn associated(square: &Square) -> String {
    let unit = square.unit();
    unit.name() + &square.unit().greeting()
}

pub fn blanket(square: &Square) -> String {
    square.shout() + &Shout::shout(&Metre)
}

/// Objects: methods of the trait and of its supertrait.
pub fn of_object(named: &dyn Named, boxed: Box<dyn Named>, many: &[Box<dyn Named>]) -> String {
    named.name() + &boxed.greeting() + &many[0].name() + &many.iter().map(|it| it.name()).collect::<String>()
}

pub trait Base {
    fn base(&self) -> u32;
}

pub trait Derived: Base {
    fn derived(&self) -> u32 {
        self.base()
    }
}

impl Base for Metre {
    fn base(&self) -> u32 {
        1
    }
}
impl Derived for Metre {}

pub fn supertrait_of_object(object: &dyn Derived) -> u32 {
    object.base() + object.derived()
}

pub fn into_object() -> u32 {
    let object: Box<dyn Derived> = Box::new(Metre);
    supertrait_of_object(&*object) + supertrait_of_object(&Metre)
}

/// Methods that an object type itself has.
impl dyn Derived + '_ {
    pub fn of_type(&self) -> u32 {
        self.derived()
    }
}

pub fn method_of_object_type(object: &dyn Derived) -> u32 {
    object.of_type()
}

/// Two traits with a method of the same name, and an inherent one that goes first.
pub trait First {
    fn act(&self) -> u32;
}
pub trait Second {
    fn act(&self) -> u32;
}

pub struct Both;

impl First for Both {
    fn act(&self) -> u32 {
        1
    }
}
impl Second for Both {
    fn act(&self) -> u32 {
        2
    }
}
impl Both {
    pub fn act(&self) -> u32 {
        First::act(self) + <Self as Second>::act(self)
    }
}

pub fn of_same_name(both: &Both) -> u32 {
    both.act() + First::act(both) + <Both as Second>::act(both)
}

pub struct OnlySecond;

impl Second for OnlySecond {
    fn act(&self) -> u32 {
        3
    }
}

pub fn of_the_other_trait(only: &OnlySecond) -> u32 {
    only.act()
}

/// For references, slices, tuples, arrays, primitive types and functions.
pub trait Measure {
    fn measure(&self) -> u32;
}

impl Measure for str {
    fn measure(&self) -> u32 {
        self.len() as u32
    }
}
impl Measure for u32 {
    fn measure(&self) -> u32 {
        *self
    }
}
impl<T: Measure> Measure for [T] {
    fn measure(&self) -> u32 {
        self.iter().map(|it| it.measure()).sum()
    }
}
impl<T: Measure, const N: usize> Measure for [T; N] {
    fn measure(&self) -> u32 {
        self.as_slice().measure()
    }
}
impl<A: Measure, B: Measure> Measure for (A, B) {
    fn measure(&self) -> u32 {
        self.0.measure() + self.1.measure()
    }
}
impl<T: Measure> Measure for Option<T> {
    fn measure(&self) -> u32 {
        self.as_ref().map_or(0, T::measure)
    }
}
impl<T: Measure + ?Sized> Measure for Box<T> {
    fn measure(&self) -> u32 {
        (**self).measure()
    }
}
impl Measure for dyn Base + '_ {
    fn measure(&self) -> u32 {
        self.base()
    }
}

pub fn of_builtin_types(object: &dyn Base, boxed: Box<u32>) -> u32 {
    let values = [1u32, 2];
    "text".measure()
        + 1u32.measure()
        + values.measure()
        + values[..].measure()
        + (1u32, 2u32).measure()
        + Some(3u32).measure()
        + object.measure()
        + boxed.measure()
}

/// `impl Trait` for a reference: the receiver is taken by value.
pub trait Take {
    fn take_it(self) -> u32;
}
impl Take for &Square {
    fn take_it(self) -> u32 {
        self.area() as u32
    }
}
impl Take for Square {
    fn take_it(self) -> u32 {
        (&self).take_it()
    }
}

pub fn by_reference(square: Square) -> u32 {
    let reference = &square;
    reference.take_it() + square.take_it()
}

/// Associated functions and constants through `Self` of a trait.
pub trait Maker: Sized {
    const NUMBER: u32;
    const ACTION: fn(u32) -> u32;
    fn make(number: u32) -> Self;
    fn standard() -> Self {
        Self::make((Self::ACTION)(Self::NUMBER))
    }
}

impl Maker for Square {
    const NUMBER: u32 = 2;
    const ACTION: fn(u32) -> u32 = Square::action;
    fn make(number: u32) -> Square {
        Square(number.into())
    }
}

impl Square {
    fn action(number: u32) -> u32 {
        number
    }
}

pub fn made() -> f64 {
    Square::standard().area() + <Square as Maker>::make(1).area() + Square::area(&Maker::make(2))
}

trait IntoSquare {
    fn into_square(self) -> Square;
}

impl IntoSquare for u32 {
    fn into_square(self) -> Square {
        Maker::make(self)
    }
}

/// `From` gives `Into`: the conversion is called by the standard library.
impl From<Circle> for Square {
    fn from(circle: Circle) -> Square {
        Square(circle.area())
    }
}

pub fn converted(circle: Circle, other: Circle) -> f64 {
    let square: Square = circle.into();
    square.area() + Square::from(other).area()
}

impl std::fmt::Display for Square {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.name())
    }
}

pub fn formatted(square: &Square) -> String {
    format!("{square} {}", square.to_string())
}
