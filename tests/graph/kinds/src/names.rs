//! Paths: every form of `use`, re-exports, raw names, shadowing.

use self::tree::{
    branch::{self, leaf, twig as stick},
    trunk,
};
use crate::same_name as of_root;
use distant::deep::{right::*, source as spring};
use near::prelude::*;
use near::{elsewhere, renamed_origin as water};

pub mod tree {
    //! Names to import.
    pub fn trunk() {}
    pub mod branch {
        //! Names below.
        pub fn leaf() {}
        pub fn twig() {}
        pub fn up() {
            super::trunk();
            super::super::local();
            crate::same_name();
        }
    }
    // A private import that children of the module see, and others do not.
    use self::branch::leaf as own_leaf;
    pub fn calls_own() {
        own_leaf();
    }
}

pub fn local() {}

pub fn nested_use() {
    trunk();
    leaf();
    stick();
    branch::up();
}

pub fn renamed_and_glob() -> u32 {
    from_left();
    from_right();
    of_root() + spring()
}

/// Through two crates and three names: `far::deep::deeper::origin` each time.
pub fn reexport_chain() -> u32 {
    twice_renamed()
        + water()
        + near::renamed_origin()
        + elsewhere::deep::source()
        + near::elsewhere::deep::deeper::origin()
}

/// A type under another name, from another crate's facade.
pub fn reexported_type() -> u32 {
    Remote::new(1).inner().doubled() + near::deep::Distant::new(2).into_inner().doubled()
}

pub fn of_facade_itself() -> u32 {
    of_facade()
}

/// The renamed dependency, absolutely.
pub fn absolute() -> u32 {
    ::distant::deep::deeper::origin() + ::old::inner::leaf() + old::r#async()
}

/// The same name in three places.
pub fn same_names() -> u32 {
    same_name() + self::same_name() + crate::same_name() + near::same_name()
}

pub fn same_name() -> u32 {
    1
}

/// Hides the import of the module.
pub fn function_scope_use() {
    use self::tree::branch::twig as leaf;
    leaf();
    {
        use self::tree::trunk as leaf;
        leaf();
    }
}

pub fn r#match() -> u32 {
    2
}

pub fn raw() -> u32 {
    r#match() + self::r#match()
}

/// A local of a function's name: the call is of the local.
pub fn shadowed_by_local() -> u32 {
    let local = || of_root();
    local()
}

pub mod glob_loses {
    //! A name of its own hides one that a glob imports.
    use super::tree::branch::*;
    pub fn leaf() {}
    pub fn calls() {
        leaf();
        twig();
    }
}

pub mod cycle_a {
    //! Globs in a circle within a crate.
    pub use super::cycle_b::*;
    pub fn a() {}
    pub fn calls() {
        a();
        b();
        c();
    }
}
pub mod cycle_b {
    //! The second.
    pub use super::cycle_c::*;
    pub fn b() {}
}
pub mod cycle_c {
    //! The third.
    pub use super::cycle_a::*;
    pub fn c() {}
}
