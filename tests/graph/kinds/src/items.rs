//! Items in functions, and derived implementations.

use std::collections::HashMap;
use std::hash::Hash;

pub fn helper() -> u32 {
    1
}

/// The inner function hides the outer one, before and after it is written.
pub fn nested() -> u32 {
    let first = helper();
    fn helper() -> u32 {
        deeper()
    }
    fn deeper() -> u32 {
        fn helper() -> u32 {
            crate::items::helper()
        }
        helper()
    }
    first + self::helper()
}

pub struct Outer;

impl Outer {
    pub fn method(&self) -> u32 {
        fn inner(outer: &Outer) -> u32 {
            outer.other()
        }
        inner(self)
    }
    fn other(&self) -> u32 {
        2
    }
}

/// A type with an implementation in the body of a function.
pub fn local_type() -> u32 {
    struct Local(u32);
    impl Local {
        fn new() -> Local {
            Local(helper())
        }
        fn value(&self) -> u32 {
            self.0
        }
    }
    impl super::macros::Weight for Local {
        fn weight(&self) -> u32 {
            self.value()
        }
    }
    use super::macros::Weight;
    let local = Local::new();
    local.value() + local.weight()
}

/// An implementation for a type of the module, in the body of a function.
pub fn local_implementation(outer: &Outer) -> u32 {
    trait Hidden {
        fn hidden(&self) -> u32;
    }
    impl Hidden for Outer {
        fn hidden(&self) -> u32 {
            self.other()
        }
    }
    outer.hidden()
}

pub fn local_module() -> u32 {
    mod inside {
        pub fn value() -> u32 {
            super::helper()
        }
    }
    inside::value()
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Key {
    pub number: u32,
    pub part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Part {
    #[default]
    Small,
    Large(u32),
}

pub fn derived(key: &Key, other: Key) -> bool {
    let copy = key.clone();
    let default = Key::default();
    let mut map: HashMap<Key, Part> = HashMap::new();
    map.insert(copy, key.part);
    format!("{default:?}");
    *key == other || key.part < other.part || key.cmp(&other).is_eq()
}

pub fn constant_in_function() -> u32 {
    const VALUE: u32 = part();
    const fn part() -> u32 {
        7
    }
    static TABLE: &[fn() -> u32] = &[helper];
    VALUE + TABLE[0]()
}

const _: () = {
    fn unnamed() -> u32 {
        helper()
    }
    impl Outer {
        pub fn from_unnamed(&self) -> u32 {
            unnamed() + self.other()
        }
    }
};

pub fn of_unnamed(outer: &Outer) -> u32 {
    outer.from_unnamed()
}

pub fn hashed<K: Hash + Eq>(key: K, map: &mut HashMap<K, u32>) {
    map.insert(key, helper());
}
