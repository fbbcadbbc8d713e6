//! Paths, methods, places and values.

use super::{check, check_with, read};
use cratekeeper_model::graph::UnresolvedReason;

#[test]
fn paths_are_exact_and_constructors_are_no_calls() {
    check(
        "pub mod m { pub fn f() {} pub struct T(pub u8); impl T { pub fn new() -> T { T(1) } } }
         use m::T; pub enum E { A(u8) }
         fn a() { m::f(); T::new(); T(2); E::A(1); let f = 1; f; }",
        &["a -> m::T::new call exact", "a -> m::f call exact"],
    );
}

#[test]
fn locals_hide_functions() {
    check("fn f() {} fn a(f: fn()) { f(); } fn b() { let f = || (); f(); }", &[]);
}

#[test]
fn functions_are_taken_as_values() {
    check(
        "fn up(x: u8) -> u8 { x } fn a(x: Option<u8>) { x.map(up); } fn b(up: u8) { up; }",
        &["a -> up reference exact"],
    );
}

#[test]
fn inherent_methods_go_before_those_of_traits() {
    check(
        "pub struct S; impl S { pub fn go(&self) {} } pub trait Go { fn go(&self); fn far(&self); }
         impl Go for S { fn go(&self) {} fn far(&self) {} }
         fn a(s: &&S) { s.go(); s.far(); Go::go(*s); <S as Go>::go(s); }",
        &["a -> S::go call typed", "a -> <S as Go>::far call typed", "a -> <S as Go>::go call typed"],
    );
}

#[test]
fn by_value_goes_before_by_reference() {
    check(
        "pub trait Go { fn go(&self); } pub struct S; impl Go for S { fn go(&self) {} }
         impl<T: Go> Go for &mut T { fn go(&self) {} }
         fn a(s: &mut S) { s.go(); } fn b(s: S) { s.go(); }",
        &["a -> <&mut _ as Go>::go call typed", "b -> <S as Go>::go call typed"],
    );
}

#[test]
fn dereferencing_is_a_call_and_mutable_where_it_is_used_so() {
    check(
        "use core::ops::{Deref, DerefMut}; pub struct In; impl In { fn see(&self) {} fn change(&mut self) {} }
         pub struct Out(In); impl Deref for Out { type Target = In; fn deref(&self) -> &In { &self.0 } }
         impl DerefMut for Out { fn deref_mut(&mut self) -> &mut In { &mut self.0 } }
         fn a(o: Out) { o.see(); } fn b(mut o: Out) { o.change(); } fn c(o: Out) { o.0.see(); }",
        &[
            "a -> <Out as core::ops::Deref>::deref call typed",
            "a -> In::see call typed",
            "b -> <Out as core::ops::DerefMut>::deref_mut call typed",
            "b -> In::change call typed",
            "c -> In::see call typed",
        ],
    );
}

#[test]
fn operators_are_calls_unless_they_are_of_the_language() {
    check(
        "use core::ops::*; pub struct N; impl Add for N { type Output = M; fn add(self, _: N) -> M { M } }
         pub struct M; impl M { fn done(&self) {} } impl Neg for M { type Output = N; fn neg(self) -> N { N } }
         fn a() { let m = N + N; m.done(); -m; 1 + 2; -3; }",
        &[
            "a -> <N as core::ops::Add>::add call typed",
            "a -> M::done call typed",
            "a -> <M as core::ops::Neg>::neg call typed",
        ],
    );
}

#[test]
fn a_number_of_unknown_width_does_not_hide_what_comes_of_it() {
    check(
        "use core::ops::Shl; pub struct N; impl N { fn done(&self) {} }
         impl Shl<u8> for &N { type Output = N; fn shl(self, _: u8) -> N { N } }
         impl Shl<u64> for &N { type Output = N; fn shl(self, _: u64) -> N { N } }
         fn a(n: &N) { let m = n << 1; m.done(); }",
        &["a -> <&N as core::ops::Shl>::shl call typed", "a -> N::done call typed"],
    );
}

#[test]
fn closures_know_their_arguments() {
    check(
        "pub struct S; impl S { fn go(&self) {} }
         fn a(all: Vec<S>) { all.into_iter().map(|s| { s.go(); s }).for_each(|s| s.go()); }
         fn b(one: Option<S>) { one.as_ref().map(|it| it.go()); }",
        &["a -> S::go call typed", "b -> S::go call typed"],
    );
}

#[test]
fn what_is_configured_away_calls_nothing() {
    check(
        "fn f() {} fn g() -> u8 { 1 }
         fn a() { #[cfg(windows)] f(); #[cfg(windows)] { f() } #[cfg(windows)] let x = g(); match 1 { #[cfg(windows)] _ => f(), _ => {} } }
         fn b() { #[cfg(unix)] f(); #[cfg(not(windows))] { g(); } }",
        &["b -> f call exact", "b -> g call exact"],
    );
}

#[test]
fn other_crates_are_called_by_the_path_of_the_definition() {
    check_with(
        &[(
            "base",
            "mod inner { pub struct S; impl S { pub fn new() -> S { S } pub fn go(&self) {} } } pub use inner::S as T;",
        )],
        "use base::T; fn a() { T::new().go(); }",
        &["a -> base::inner::S::new call exact", "a -> base::inner::S::go call typed"],
    );
}

#[test]
fn crates_that_were_not_read_are_named() {
    check("extern crate far; fn a() { far::m::f(); }", &["a -> far::m::f call name"]);
}

#[test]
fn an_unknown_receiver_is_unresolved_and_a_common_name_is_not_guessed() {
    let analysis = read(&[(
        "demo",
        "extern crate far; pub struct S; impl S { fn special(&self) {} fn push(&self) {} } fn a() { let x = far::f(); x.special(); x.push(); }",
    )]);
    let unresolved = &analysis.graph.unresolved;
    assert_eq!(unresolved.iter().map(|it| it.callee.as_str()).collect::<Vec<_>>(), [".special", ".push"]);
    assert!(unresolved.iter().all(|it| it.reason == UnresolvedReason::ReceiverUnknown));
    let edges = super::edges(&analysis.graph);
    assert_eq!(edges, ["a -> S::special call name", "a -> far::f call name"]);
}
