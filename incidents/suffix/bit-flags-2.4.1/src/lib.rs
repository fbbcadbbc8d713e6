//! Sets of flags as plain integers.
//!
//! `bitflags! { struct Flags: u32 { const A = 1; } }` makes a type with the set operations below.

#[doc(hidden)]
pub use core as _core;

/// Makes a structure of flags over an unsigned integer.
#[macro_export]
macro_rules! bitflags {
    (
        $(#[$outer:meta])*
        $visibility:vis struct $Name:ident: $Bits:ty {
            $( $(#[$inner:meta])* const $Flag:ident = $value:expr; )*
        }
    ) => {
        $(#[$outer])*
        #[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        $visibility struct $Name { bits: $Bits }

        impl $Name {
            $( $(#[$inner])* pub const $Flag: Self = Self { bits: $value }; )*

            /// No flag.
            pub const fn empty() -> Self { Self { bits: 0 } }
            /// All flags.
            pub const fn all() -> Self { Self { bits: 0 $( | $value )* } }
            pub const fn bits(&self) -> $Bits { self.bits }
            pub const fn from_bits_truncate(bits: $Bits) -> Self { Self { bits: bits & Self::all().bits } }
            pub const fn is_empty(&self) -> bool { self.bits == 0 }
            pub const fn contains(&self, other: Self) -> bool { self.bits & other.bits == other.bits }
            pub const fn intersects(&self, other: Self) -> bool { self.bits & other.bits != 0 }
            pub fn insert(&mut self, other: Self) { self.bits |= other.bits; }
            pub fn remove(&mut self, other: Self) { self.bits &= !other.bits; }
            pub fn toggle(&mut self, other: Self) { self.bits ^= other.bits; }
        }

        impl $crate::_core::ops::BitOr for $Name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self { Self { bits: self.bits | other.bits } }
        }

        impl $crate::_core::ops::BitAnd for $Name {
            type Output = Self;
            fn bitand(self, other: Self) -> Self { Self { bits: self.bits & other.bits } }
        }

        impl $crate::_core::ops::Not for $Name {
            type Output = Self;
            fn not(self) -> Self { Self::from_bits_truncate(!self.bits) }
        }
    };
}
