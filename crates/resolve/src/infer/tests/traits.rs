//! Bounds, associated types, `dyn`, blanket implementations, futures.

use super::{check, check_with};

#[test]
fn bounds_lead_to_the_trait_that_declares() {
    check(
        "pub trait Up { fn up(&self); } pub trait Go: Up { fn go(&self); }
         fn a<T: Go>(t: T) { t.go(); t.up(); } fn b(t: impl Go) { t.go(); } fn c(t: &dyn Go) { t.up(); }",
        &[
            "a -> Go::go trait typed",
            "a -> Up::up trait typed",
            "b -> Go::go trait typed",
            "c -> Up::up dyn typed",
        ],
    );
}

#[test]
fn implementors_of_a_trait_object_are_candidates() {
    check(
        "pub trait Go { fn go(&self); } pub struct S; impl Go for S { fn go(&self) {} }
         fn a(t: Box<dyn Go>) { t.go(); }",
        &["a -> Go::go dyn typed", "a -> <S as Go>::go dyn candidate"],
    );
}

#[test]
fn a_body_that_is_inherited_is_that_of_the_trait() {
    check(
        "pub trait Go { fn go(&self) {} fn new() -> Self; } pub struct S; impl Go for S { fn new() -> S { S } }
         fn a() { let s = S::new(); s.go(); }",
        &["a -> <S as Go>::new call typed", "a -> Go::go trait typed"],
    );
}

#[test]
fn associated_types_are_followed_through_layers() {
    check(
        "pub trait One { type A: Two; fn a(&self) -> Self::A; } pub trait Two { type B; fn b(&self) -> Self::B; }
         pub struct X; pub struct Y; pub struct Z; impl Z { fn end(&self) {} }
         impl One for X { type A = Y; fn a(&self) -> Y { Y } } impl Two for Y { type B = Z; fn b(&self) -> Z { Z } }
         fn f(x: X) { x.a().b().end(); }
         fn g<T: One>(t: T) where <T::A as Two>::B: Two { t.a().b().b(); }",
        &[
            "f -> <X as One>::a call typed",
            "f -> <Y as Two>::b call typed",
            "f -> Z::end call typed",
            "g -> One::a trait typed",
            "g -> Two::b trait typed",
        ],
    );
}

#[test]
fn blanket_implementations_hold_where_their_bounds_do() {
    check(
        "pub trait Base {} pub trait More { fn more(&self); } impl<T: Base> More for T { fn more(&self) {} }
         pub struct Yes; impl Base for Yes {} pub struct No; impl No { fn other(&self) {} }
         fn a(y: Yes) { y.more(); } fn b(n: No) { n.more(); }",
        &["a -> <_ as More>::more call typed"],
    );
}

#[test]
fn bounds_that_go_round_in_circles_end() {
    check(
        "pub trait A { fn a(&self) {} } pub trait B {} pub trait C {}
         impl<T: B> A for T {} impl<T: C> B for T {} impl<T: A> C for T {} impl<T: A, U: A> A for (T, U) {}
         pub struct S; fn f(s: S) { s.a(); }",
        &["f -> A::a trait typed"],
    );
}

#[test]
fn the_error_of_a_question_mark_is_a_candidate_conversion() {
    check(
        "pub struct Mine; pub struct Other; impl From<Other> for Mine { fn from(_: Other) -> Mine { Mine } }
         fn g() -> Result<u8, Other> { loop {} } fn a() -> Result<u8, Mine> { let x = g()?; Ok(x) } fn b() -> Result<u8, Other> { g() }",
        &[
            "a -> g call exact",
            "a -> <Mine as core::convert::From>::from call candidate",
            "b -> g call exact",
        ],
    );
}

#[test]
fn loops_call_the_iterator() {
    check(
        "pub struct I; pub struct E; impl E { fn go(&self) {} }
         impl Iterator for I { type Item = E; fn next(&mut self) -> Option<E> { None } }
         fn a() { for e in I { e.go(); } }",
        &["a -> <I as core::iter::Iterator>::next call typed", "a -> E::go call typed"],
    );
}

#[test]
fn awaiting_polls_and_gives_the_output() {
    check(
        "use core::{future::Future, pin::Pin, task::{Context, Poll}}; pub struct F; pub struct S; impl S { fn go(&self) {} }
         impl Future for F { type Output = S; fn poll(self: Pin<&mut Self>, c: &mut Context) -> Poll<S> { loop {} } }
         async fn g() -> S { S } async fn a() { F.await.go(); } async fn b() { g().await.go(); }",
        &[
            "a -> <F as core::future::Future>::poll call typed",
            "a -> S::go call typed",
            "b -> g call exact",
            "b -> S::go call typed",
        ],
    );
}

#[test]
fn methods_of_a_pinned_self_are_found() {
    check(
        "use core::pin::Pin; pub struct S { field: T } pub struct T; impl T { fn go(&self) {} }
         impl S { fn project(self: Pin<&mut Self>) -> P<'_> { loop {} } fn a(mut self: Pin<&mut Self>) { self.as_mut().project().field.go(); } }
         pub struct P<'a> { field: &'a mut T }",
        &["S::a -> S::project call typed", "S::a -> T::go call typed"],
    );
}

#[test]
fn implementations_of_the_type_are_found_in_its_crate() {
    check_with(
        &[
            ("api", "pub trait Go { fn go(&self); }"),
            ("thing", "pub struct S; impl api::Go for S { fn go(&self) {} } pub fn make() -> S { S }"),
        ],
        "use api::Go; fn a() { thing::make().go(); }",
        &["a -> thing::make call exact", "a -> <thing::S as api::Go>::go call typed"],
    );
}
