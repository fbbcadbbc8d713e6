//! What names mean: imports, globs, re-exports, editions, preludes.

use super::*;

#[test]
fn imports_are_nested_and_renamed() {
    let read = read(
        "mod a { pub mod b { pub fn f() {} pub struct S(u8); pub trait T {} } pub fn g() {} }
         use a::{self as aa, b::{f as ff, S, T as _}, g};
         use a::b::{self};
         mod c { use super::{aa::g as gg, *}; }",
    );
    check(
        &read,
        &[
            ": value ff = fn demo::a::b::f",
            ": type aa = demo::a",
            ": type b = demo::a::b",
            ": type S = adt demo::a::b::S",
            ": value f = nothing",
            ": type T = nothing",
            "c: value gg = fn demo::a::g",
            "c: type S = adt demo::a::b::S",
            "c: value aa::b::f = fn demo::a::b::f",
            "c: type S::new = adt demo::a::b::S + 1",
        ],
    );
    assert_eq!(read.traits(""), ["T"]);
    assert_eq!(read.traits("c"), ["T"]);
    assert!(read.traits("a").is_empty());
}

#[test]
fn a_constructor_is_as_visible_as_its_fields() {
    let read = read("mod a { pub struct Open(pub u8); pub struct Closed(u8); pub struct Unit; } use a::*;");
    check(
        &read,
        &[
            ": value Open = adt demo::a::Open",
            ": value Unit = adt demo::a::Unit",
            ": value Closed = nothing",
            ": type Closed = adt demo::a::Closed",
        ],
    );
}

#[test]
fn globs_in_circles_end() {
    let read = read(
        "pub mod a { pub use crate::b::*; pub fn of_a() {} }
         pub mod b { pub use crate::c::*; pub fn of_b() {} }
         pub mod c { pub use crate::a::*; pub use self::*; pub fn of_c() {} }",
    );
    check(
        &read,
        &[
            "a: value of_c = fn demo::c::of_c",
            "b: value of_a = fn demo::a::of_a",
            "c: value of_b = fn demo::b::of_b",
        ],
    );
}

#[test]
fn explicit_names_hide_those_of_globs() {
    let read = read(
        "mod a { pub fn f() {} pub fn g() {} pub fn h() {} }
         mod b { pub fn f() {} }
         mod c { pub use crate::a::*; pub use crate::b::f; pub fn g() {} }
         mod d { pub use crate::c::*; }",
    );
    check(
        &read,
        &[
            "c: value f = fn demo::b::f",
            "c: value g = fn demo::c::g",
            "d: value f = fn demo::b::f",
            "d: value g = fn demo::c::g",
            "d: value h = fn demo::a::h",
        ],
    );
}

#[test]
fn globs_bring_what_is_visible() {
    let read = read(
        "pub mod a { fn private() {} pub(crate) fn of_crate() {} pub(super) fn above() {} pub fn public() {}
             pub mod inner { pub(in crate::a) fn inside() {} pub(super) fn up() {} pub(self) fn own() {} }
             pub mod sibling { use super::inner::*; use super::*; }
         }
         use a::*; use a::inner::*;",
    );
    check(
        &read,
        &[
            ": value private = nothing",
            ": value of_crate = fn demo::a::of_crate",
            ": value above = fn demo::a::above",
            ": value inside = nothing",
            "a::sibling: value inside = fn demo::a::inner::inside",
            "a::sibling: value up = fn demo::a::inner::up",
            "a::sibling: value own = nothing",
            "a::sibling: value private = fn demo::a::private",
        ],
    );
}

#[test]
fn enums_are_followed_and_globbed() {
    let read = read(
        "pub enum E { A, B(u8), C { x: u8 } }
         mod inner { use super::E::*; use super::E::B as Bee; type Alias = super::E; }",
    );
    check(
        &read,
        &[
            "inner: value A = variant demo::E::A",
            "inner: value Bee = variant demo::E::B",
            "inner: type C = variant demo::E::C",
            ": value E::B = variant demo::E::B",
            ": value E::new = adt demo::E + 1",
            "inner: value Alias::A = alias demo::inner::Alias + 1",
            ": value E::A::x = variant demo::E::A + 1",
        ],
    );
}

#[test]
fn editions_read_paths_differently() {
    let text = "pub fn f() {} mod a { pub mod f {} pub mod deep { use f; use a::g; use super::g as h; fn t() { ::f(); } } pub fn g() {} }";
    let old = read_with(text, &Setting { edition: 15, ..Setting::default() });
    check(
        &old,
        &[
            "a::deep: value f = fn demo::f",
            "a::deep: value g = fn demo::a::g",
            "a::deep: value h = fn demo::a::g",
            "a::deep: value ::f = fn demo::f",
            "a::deep: value ::a::g = fn demo::a::g",
        ],
    );
    let new = read(text);
    check(
        &new,
        &[
            "a::deep: value f = unread f",
            "a::deep: value ::a::g = unread a::g",
            "a::deep: value h = fn demo::a::g",
        ],
    );
}

#[test]
fn other_crates_are_named_and_re_exported() {
    let dependencies = [
        ("base", "pub mod m { pub fn f() {} fn hidden() {} pub(crate) fn own() {} }"),
        ("middle", "pub use base::m; pub use base::m::*; pub extern crate base as floor;"),
    ];
    let setting = Setting { dependencies: &dependencies, ..Setting::default() };
    let read = read_with(
        "use middle::f; use middle::floor::m::f as ff; mod log { use log::x; } mod a { use base::m::*; } use middle::m as base;",
        &setting,
    );
    check(
        &read,
        &[
            ": value f = fn base::m::f",
            ": value ff = fn base::m::f",
            "a: value f = fn base::m::f",
            "a: value hidden = nothing",
            "a: value own = nothing",
            ": value middle::m::f = fn base::m::f",
            ": type base = base::m",
            ": type ::base = base",
            ": value ::middle::f = fn base::m::f",
            "a: type base = base",
        ],
    );
}

#[test]
fn an_import_is_not_its_own_source() {
    let dependencies = [("log", "pub fn info() {} pub mod log { pub fn deep() {} }")];
    let setting = Setting { dependencies: &dependencies, ..Setting::default() };
    let read = read_with("mod a { pub use log::{self, info}; } mod b { use log::log; }", &setting);
    check(
        &read,
        &["a: type log = log", "a: value log::info = fn log::info", "b: value log::deep = fn log::log::deep"],
    );
}

#[test]
fn circular_imports_mean_nothing() {
    let read = read(
        "use self::a as b; use self::b as a; use c::c; mod c { pub use super::d as c; } use c as d;
         mod x { pub use super::y::thing; } mod y { pub use super::x::thing; }",
    );
    check(&read, &[": value a = nothing", "x: value thing = nothing"]);
}

#[test]
fn what_was_not_read_keeps_its_path() {
    let read = read(
        "use serde::{Serialize, de::Deserializer as D}; use std::fmt; extern crate regex as re;
         pub mod sync { pub use std::sync::*; pub use std::sync::Mutex; }
         mod a { use super::fmt::Result; use super::sync::Mutex; use super::*; use re::Regex; }
         mod b { pub fn f() {} pub struct Mutex; } mod c { use super::b::*; use std::sync::Mutex; }",
    );
    check(
        &read,
        &[
            ": type Serialize = unread serde::Serialize",
            ": type D = unread serde::de::Deserializer",
            ": value D::new = unread serde::de::Deserializer::new",
            ": type fmt::Display = unread std::fmt::Display",
            "a: type Result = unread std::fmt::Result",
            "a: type Mutex = unread std::sync::Mutex",
            "a: type Serialize = unread serde::Serialize",
            "a: value Regex::new = unread regex::Regex::new",
            "a: value serde_json::to_string = unread serde_json::to_string",
            "a: value Generic::to_string = nothing",
            "c: type Mutex = unread std::sync::Mutex",
            "c: value f = fn demo::b::f",
        ],
    );
    let module = &read.data().modules[read.module("sync") as usize];
    assert_eq!(module.scope.unread_globs.len(), 1);
}

#[test]
fn primitives_come_last() {
    let read = read("mod a { pub struct str; } mod b { use super::a::str; } mod u8 { pub fn inner() {} }");
    check(
        &read,
        &[
            ": type str = str",
            "b: type str = adt demo::a::str",
            ": value u8::inner = fn demo::u8::inner",
            ": value u8::from_str_radix = u8 + 1",
            ": value u16::from_str_radix = u16 + 1",
        ],
    );
}

#[test]
fn the_prelude_is_that_of_the_edition() {
    let core = "pub mod prelude { pub mod rust_2021 { pub use crate::Some_ as Some; pub trait TryInto {} } pub mod rust_2018 { pub use crate::Some_; } }
         pub struct Some_(pub u8); #[macro_export] macro_rules! vec { () => {} }";
    let dependencies = [("core", core)];
    let standard = StandardCrates { core: CrateIndex(0), alloc: CrateIndex(0), std: CrateIndex(0) };
    let setting = Setting { dependencies: &dependencies, standard: Some(standard), ..Setting::default() };
    let new = read_with("mod a {}", &setting);
    check(
        &new,
        &["a: value Some = adt core::Some_", "a: macro vec = macro core::vec", "a: type core = core"],
    );
    assert_eq!(new.traits("a"), ["TryInto"]);
    let old = read_with("mod a {}", &Setting { edition: 18, ..setting });
    check(&old, &["a: value Some = nothing", "a: value Some_ = adt core::Some_"]);
}

#[test]
fn dollar_crate_is_the_crate_of_the_macro() {
    let dependencies = [("base", "pub mod m { pub fn f() {} }")];
    let read = read_with(
        "mod a { use __crate_0::m::f; fn g() {} }",
        &Setting { dependencies: &dependencies, ..Setting::default() },
    );
    check(
        &read,
        &[
            "a: value f = fn base::m::f",
            "a: value __crate_1::a::g = fn demo::a::g",
            "a: value __crate_7::x = nothing",
        ],
    );
}

#[test]
fn names_in_blocks_are_found_from_the_inside() {
    let read = read(
        "fn outer() { use m::inner as renamed; fn nested() { struct Deep; } if true { const C: u8 = { fn in_const() {} 1 }; } }
         mod m { pub fn inner() {} }",
    );
    check(
        &read,
        &[
            "_: value renamed = fn demo::m::inner",
            "_: value nested = fn demo::_::nested",
            "_: value outer = fn demo::outer",
            ": value nested = nothing",
        ],
    );
    let blocks: Vec<_> = read.data().modules.iter().filter_map(|it| it.block).collect();
    assert_eq!(blocks.len(), 4, "{:#?}", read.data().modules);
}

#[test]
fn self_and_super_skip_blocks() {
    let read = read(
        "pub fn f() {} mod m { pub fn f() {} fn g() { use self::f as own; use super::f as above; struct S; } }",
    );
    check(
        &read,
        &[
            "m::_: value own = fn demo::m::f",
            "m::_: value above = fn demo::f",
            "m::_: value super::super::f = nothing",
        ],
    );
}
