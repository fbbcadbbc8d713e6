//! `macro_rules`: local, nested, recursive, munching tokens, making items.

pub fn leaf() -> u32 {
    1
}
pub fn other_leaf(number: u32) -> u32 {
    number
}

macro_rules! call_leaf {
    () => {
        $crate::macros::leaf()
    };
    ($number:expr) => {
        $crate::macros::other_leaf($number)
    };
}

/// A macro in a macro.
macro_rules! outer {
    ($($argument:tt)*) => {
        call_leaf!($($argument)*) + inner!(@deep)
    };
}

macro_rules! inner {
    (@deep) => {
        call_leaf!()
    };
}

/// Takes one token after another.
macro_rules! munch {
    ($total:expr;) => { $total };
    ($total:expr; plus $next:ident $($rest:tt)*) => { munch!($total + $next(); $($rest)*) };
    ($total:expr; twice $next:ident $($rest:tt)*) => { munch!($total + $next() * 2; $($rest)*) };
}

macro_rules! sum {
    ($only:expr) => { $only };
    ($first:expr, $($rest:expr),+ $(,)?) => { $first + sum!($($rest),+) };
}

macro_rules! make_functions {
    ($($name:ident => $callee:path),* $(,)?) => {
        $(pub fn $name() -> u32 { $callee() })*
    };
}

macro_rules! make_type {
    ($name:ident { $($method:ident: $value:expr),* }) => {
        pub struct $name;
        impl $name {
            $(pub fn $method(&self) -> u32 { call_leaf!($value) })*
        }
    };
}

macro_rules! implement {
    ($trait:ident for $($type:ty),*) => {
        $(impl $trait for $type {
            fn weight(&self) -> u32 {
                leaf() + std::mem::size_of::<$type>() as u32
            }
        })*
    };
}

pub fn simple() -> u32 {
    call_leaf!() + call_leaf!(2)
}

pub fn nested() -> u32 {
    outer!(3)
}

pub fn munched() -> u32 {
    munch!(0; plus leaf twice simple)
}

pub fn recursive() -> u32 {
    sum!(leaf(), simple(), nested())
}

make_functions! {
    made_one => leaf,
    made_two => crate::macros::simple,
    made_three => distant::deep::source,
}

make_type!(Made { first: 1, second: leaf() });

pub trait Weight {
    fn weight(&self) -> u32;
}

implement!(Weight for u8, Made);

pub fn uses_made() -> u32 {
    made_one() + made_two() + made_three() + Made.first() + Made.second() + 1u8.weight() + Made.weight()
}

distant::far_items!(imported_function, ImportedType);

pub fn imported() -> u32 {
    use near::far_call as reexported;
    distant::far_call!(1) + reexported!(2) + imported_function() + ImportedType.value()
}

/// A name that the macro binds is not the caller's.
macro_rules! hygienic {
    ($value:expr) => {{
        let leaf = 5;
        $value + leaf
    }};
}

pub fn hygiene() -> u32 {
    hygienic!(leaf())
}

pub fn in_standard_macros(numbers: &[u32]) -> u32 {
    assert!(leaf() > 0, "{}", simple());
    assert_eq!(leaf(), other_leaf(1));
    let text = format!("{} {number}", leaf(), number = nested());
    println!("{text} {:?}", vec![leaf(), recursive()]);
    if matches!(other_leaf(1), 1 | 2) { dbg!(munched()) } else { unreachable!("{}", simple()) }
}

pub fn scoped_macro() -> u32 {
    macro_rules! here {
        ($name:ident) => {
            $name()
        };
    }
    here!(leaf) + here!(simple)
}
