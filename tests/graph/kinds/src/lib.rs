//! Every kind of call. Each function's comment says what makes it hard; `truth/` holds what the compiler saw.

#![allow(dead_code, unused, clippy::all)]

#[macro_use]
pub mod macros;

pub mod closures;
pub mod conditional;
pub mod foreign;
pub mod generics;
pub mod inference;
pub mod items;
pub mod methods;
pub mod names;
pub mod operators;
pub mod patterns;
pub mod suspended;
pub mod traits;
pub mod values;

/// A name that modules have too.
pub fn same_name() -> u32 {
    0
}
