//! Macros in bodies, in types and around items.

use super::{check, check_with};

#[test]
fn arguments_of_formatting_macros_are_read() {
    check(
        "fn f() -> u8 { 1 } fn g() -> u8 { 2 } fn n() -> bool { true }
         fn a(to: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { write!(to, \"{} {x}\", f(), x = g()) }
         fn b() { assert!(n(), \"{}\", f()); } fn c() { matches!(f(), 1); }",
        &[
            "a -> f macro exact",
            "a -> g macro exact",
            "b -> f call exact",
            "b -> n call exact",
            "c -> f macro exact",
        ],
    );
}

#[test]
fn what_a_macro_binds_is_seen_behind_it() {
    check(
        "pub struct S; impl S { fn go(&self) {} } macro_rules! bind { ($name:ident) => { let $name = S; } }
         fn a() { bind!(s); s.go(); }",
        &["a -> S::go call typed"],
    );
}

#[test]
fn statics_and_imports_that_a_macro_makes_are_known_in_it() {
    // What the initialiser calls, the compiler runs: a candidate.
    check_with(
        &[(
            "log",
            "pub trait Site { fn ask(&self) -> bool; } pub struct S; impl S { pub const fn new() -> S { S } } impl Site for S { fn ask(&self) -> bool { true } }
             #[macro_export] macro_rules! note { () => {{ use $crate::Site as _; static SITE: $crate::S = $crate::S::new(); SITE.ask() }} }",
        )],
        "fn a() { log::note!(); } fn b(s: log::S) { s.ask(); }",
        &["a -> log::S::new macro candidate", "a -> <log::S as log::Site>::ask macro typed"],
    );
}

#[test]
fn items_that_a_macro_makes_in_a_nameless_constant_are_collected() {
    check(
        "pub struct S(T); pub struct T; impl T { fn go(&self) {} }
         macro_rules! ty { ($name:ident) => { pub struct $name<'a> { field: field!(T) } } }
         macro_rules! field { ($of:ty) => { &'a mut $of } }
         const _: () = { ty! { P } impl S { fn project(&mut self) -> P<'_> { loop {} } } };
         fn a(mut s: S) { s.project().field.go(); }",
        &["a -> S::project call typed", "a -> T::go call typed"],
    );
}

#[test]
fn configured_expansions_are_left_out() {
    check(
        "fn f() {} macro_rules! if_windows { ($($t:tt)*) => { #[cfg(windows)] { $($t)* } } }
         fn a() { if_windows!(f()); match 1 { _ => if_windows!(f()) } }",
        &[],
    );
}

#[test]
fn macros_without_end_do_end() {
    check(
        "macro_rules! again { ($($t:tt)*) => { again!($($t)* x) } } fn f() {} fn a() { again!(); f(); }",
        &["a -> f call exact"],
    );
}
