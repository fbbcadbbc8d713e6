//! Where things are defined that other crates re-export.

pub mod deep {
    //! Reached under other paths only.

    pub mod deeper {
        //! One level more.

        pub fn origin() -> u32 {
            1
        }

        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        pub struct Distant {
            pub number: u32,
            pub inner: Inner,
        }

        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        pub struct Inner(pub u32);

        impl Inner {
            pub fn doubled(&self) -> u32 {
                self.0 * 2
            }
        }

        impl Distant {
            pub fn new(number: u32) -> Self {
                Distant { number, inner: Inner(number) }
            }

            pub fn inner(&self) -> &Inner {
                &self.inner
            }

            pub fn into_inner(self) -> Inner {
                self.inner
            }

            pub fn parse(text: &str) -> Result<Distant, Failure> {
                text.parse().map(Distant::new).map_err(Failure::from)
            }
        }

        #[derive(Debug)]
        pub struct Failure(pub String);

        impl From<std::num::ParseIntError> for Failure {
            fn from(error: std::num::ParseIntError) -> Failure {
                Failure(error.to_string())
            }
        }
    }

    pub use self::deeper::{origin as source, Distant};

    // A cycle of globs: each sees the other's names, and its own through the other.
    pub mod left {
        //! Half of a cycle.
        pub use super::right::*;
        pub fn from_left() {}
    }
    pub mod right {
        //! The other half.
        pub use super::left::*;
        pub fn from_right() {}
    }
}

pub mod shape {
    //! Traits for others to implement.

    pub trait Named {
        fn name(&self) -> String;

        /// Not overridden by most.
        fn greeting(&self) -> String {
            format!("hello {}", self.name())
        }
    }

    pub trait Shape: Named {
        const SIDES: u32;
        type Unit: Default + Named;

        fn area(&self) -> f64;

        fn unit(&self) -> Self::Unit {
            Self::Unit::default()
        }

        fn describe(&self) -> String {
            self.greeting() + &helper(self.area())
        }
    }

    fn helper(area: f64) -> String {
        area.to_string()
    }

    /// For every type with a name.
    pub trait Shout {
        fn shout(&self) -> String;
    }

    impl<T: Named + ?Sized> Shout for T {
        fn shout(&self) -> String {
            self.name().to_uppercase()
        }
    }
}

pub use deep::left::*;
pub use shape::Named;

/// Calls a function of this crate from wherever it is used.
#[macro_export]
macro_rules! far_call {
    ($number:expr) => {
        $crate::__called_by_macro($number)
    };
}

#[doc(hidden)]
pub fn __called_by_macro(number: u32) -> u32 {
    number
}

/// Makes a function and a type with a method where it is used.
#[macro_export]
macro_rules! far_items {
    ($function:ident, $type:ident) => {
        pub fn $function() -> u32 {
            $type.value()
        }

        pub struct $type;

        impl $type {
            pub fn value(&self) -> u32 {
                $crate::deep::source()
            }
        }
    };
}
