//! Counters of `unsafe`, against numbers that were counted by hand.
//!
//! In a fixture each line ends with what it adds: `f` functions, `e` expressions, `i` impl blocks, `t` traits, `m`
//! methods, each safe/unsafe; zeros are left out. `e2/1` is two safe expressions and an unsafe one.

mod common;

use common::{function, library};
use cratekeeper_model::facts::{Count, UnsafeCounters};

/// Sums what the comments of `text` promise.
fn promised(text: &str) -> UnsafeCounters {
    let mut sum = UnsafeCounters::default();
    let words = text.lines().filter_map(|line| line.rsplit_once("// ")).flat_map(|(_, it)| it.split(' '));
    for word in words {
        let (class, numbers) = word.split_at(1);
        let count = match class {
            "f" => &mut sum.functions,
            "e" => &mut sum.exprs,
            "i" => &mut sum.item_impls,
            "t" => &mut sum.item_traits,
            "m" => &mut sum.methods,
            _ => continue,
        };
        let Some((safe, not_safe)) = numbers.split_once('/') else { continue };
        let (Ok(safe), Ok(not_safe)) = (safe.parse::<u32>(), not_safe.parse::<u32>()) else { continue };
        count.safe += safe;
        count.r#unsafe += not_safe;
    }
    sum
}

#[track_caller]
fn check(text: &str) {
    for (number, line) in text.lines().enumerate() {
        // Lines that stand alone are checked alone, to say which one is wrong.
        if line.starts_with("fn ") && line.contains("} // ")
            || line.starts_with("unsafe fn ") && line.contains("} // ")
        {
            assert_eq!(library(line).source.r#unsafe, promised(line), "line {number}: {line}");
        }
    }
    let facts = library(text);
    assert_eq!(facts.source.files_with_errors, 0, "{:?}", facts.source.rust_files);
    assert_eq!(facts.source.r#unsafe, promised(text));
    assert_eq!(facts.source.rust_files[0].r#unsafe, promised(text));
}

#[test]
fn items() {
    check(
        "
fn a() {} // f1/0
unsafe fn b() {} // f0/1
const unsafe extern \"C\" fn c() {} // f0/1
async fn d() {} // f1/0
impl S { // i1/0
    fn e(&self) {} // m1/0
    unsafe fn f() {} // m0/1
}
unsafe impl Send for S {} // i0/1
impl T for S { // i1/0
    unsafe fn g() {} // m0/1
}
trait T { // t1/0
    fn h(&self); // m1/0
    unsafe fn i(&self) {} // m0/1
}
unsafe trait U {} // t0/1
pub unsafe auto trait V {} // t0/1
unsafe extern \"C\" { // in a foreign block nothing is counted
    safe fn j();
    unsafe fn k();
    static L: u8;
}
",
    );
}

#[test]
fn expressions() {
    check(
        "
fn a() { b(); } // f1/0 e1/0
fn c() { d(1, e).f(g()); } // f1/0 e3/0
fn h() { 1; \"s\"; i; j::k; } // f1/0
fn l() { m + n * 2; -o; &p; *q; !r; } // f1/0 e6/0
fn s() { (t); (u, v); [1, 2]; [1; 2]; w[0]; x.y; z as u8; } // f1/0 e7/0
fn a1() { b = 1; c += 2; d..e; f?; return; S { g: 1 }; } // f1/0 e6/0
unsafe fn b1() { c(); d + e; } // f0/1 e0/2
fn c1() { unsafe { d(); *e } f(); } // f1/0 e1/2
fn d1() { let a = unsafe { b }; } // f1/0
fn e1() { unsafe { unsafe { f() } } g(); } // f1/0 e1/1
",
    );
}

#[test]
fn blocks() {
    check(
        "
fn a() { { b(); } } // f1/0 e2/0
fn c() { if d { e(); } else { f(); } } // f1/0 e4/0
fn g() { if a { } else if b { } } // f1/0 e2/0
fn h() { loop { i(); } } // f1/0 e2/0
fn j() { while k() { l(); } } // f1/0 e3/0
fn m() { for n in o() { p(); } } // f1/0 e3/0
fn q() { match r { s => t(), _ => {} } } // f1/0 e3/0
fn u() { async { v().await }; } // f1/0 e3/0
fn w() { const { x() }; } // f1/0 e2/0
fn y() { let z = || a(); } // f1/0 e2/0
fn b1() { if let c = d() {} } // f1/0 e3/0
fn e1() { let f = g() else { return }; } // f1/0 e3/0
",
    );
}

#[test]
fn unsafe_reaches_closures_and_not_items() {
    check(
        "
fn a() { unsafe { let b = || c(); } } // f1/0 e0/2
fn d() { unsafe { fn e() { f(); } g(); } } // f2/0 e1/1
unsafe fn h() { fn i() { j(); } k(); } // f1/1 e1/1
unsafe fn l() { mod m { fn n() { o(); } } } // f1/1 e1/0
unsafe fn p() { const Q: u8 = r(); static S: u8 = t(); u(); } // f0/1 e2/1
unsafe fn v() { struct W([u8; x()]); } // f0/1 e1/0
unsafe fn z() { impl A { fn b() { c(); } } } // f0/1 i1/0 m1/0 e1/0
",
    );
}

#[test]
fn macros() {
    // A call of a macro is an expression; its arguments count where they read as Rust.
    check(
        "
fn a() { println!(\"{}\", unsafe { b() }); } // f1/0 e1/1
fn c() { assert!(unsafe { *d } == 1); } // f1/0 e2/1
fn e() { vec![unsafe { f() }, g()]; } // f1/0 e2/1
fn h() { vec![i + j; k()]; } // f1/0 e3/0
fn l() { local! { unsafe { m() } } } // f1/0 e1/1
fn n() { unsafe { o!(p()) } } // f1/0 e0/2
fn q() { outer!(inner!(unsafe { r() })); } // f1/0 e2/1
unsafe fn s() { t!(); } // f0/1 e0/1
",
    );
    // Not Rust: calls are told by their shape, and so is the brace behind `unsafe`.
    check("fn a() { odd!(x => unsafe { b() } => c()); } // f1/0 e2/1");
}

#[test]
fn items_in_macros_are_counted() {
    check(
        "
cfg_if::cfg_if! {
    if #[cfg(unix)] {
        fn a() { b(); } // f1/0 e1/0
        unsafe impl Send for S {} // i0/1
    } else {
        unsafe fn c() { d(); } // f0/1 e0/1
    }
}
lazy! {
    unsafe fn e() { f(); } // f0/1 e0/1
}
",
    );
}

#[test]
fn items_in_macros_with_a_syntax_of_their_own_are_counted() {
    check(
        "
f! {
    pub unsafe fn a(b: *const u8) -> u8 { c(*b) } // f0/1 e0/2
    pub safe fn d(x in 0..9) { e(); } // f1/0 e1/0
    pub {const} unsafe fn g(h: u8) -> u8 { i() } // f0/1 e0/1
}
",
    );
    let hidden = library("m! { ? {}---\nfn a() { b() }\n---\n {} }");
    assert!(common::calls(&hidden).iter().any(|it| it.callee == "b"), "it is no front matter here");
    let facts = library("props! { fn a(x in 0..9) { b(x); fn c() { d() } } }");
    let callers: Vec<_> = common::calls(&facts)
        .iter()
        .map(|it| it.function.map_or("-", |index| facts.source.functions[index as usize].path.as_str()))
        .collect();
    assert_eq!(callers, ["-", "a", "a::c"]);
}

#[test]
fn counters_of_a_function_are_its_own() {
    let facts =
        library("fn a() { unsafe { b(); } fn inner() { c(); } } impl S { unsafe fn d() { e(); f(); } }");
    let of = |path: &str| function(&facts, path).counters;
    assert_eq!(of("a").exprs, Count { safe: 0, r#unsafe: 1 });
    assert_eq!(of("a").functions, Count { safe: 1, r#unsafe: 0 });
    assert_eq!(of("a::inner").exprs, Count { safe: 1, r#unsafe: 0 });
    assert_eq!(of("S::d").exprs, Count { safe: 0, r#unsafe: 2 });
    assert_eq!(of("S::d").methods, Count { safe: 0, r#unsafe: 1 });
}

#[test]
fn unsafe_in_macro_definitions_is_counted_by_keyword() {
    let facts =
        library("macro_rules! m { () => { unsafe { a() } unsafe fn b() {} } }\npub macro n() { c() }");
    let found: Vec<_> = facts.source.macros.iter().map(|it| (it.name.as_str(), it.unsafe_tokens)).collect();
    assert_eq!(found, [("m", 2), ("n", 0)]);
}

#[test]
fn forbidding_unsafe_is_seen_only_at_the_top() {
    for (text, forbids) in [
        ("#![forbid(unsafe_code)]", true),
        ("//! docs\n#![no_std]\n#![forbid(missing_docs, unsafe_code)]", true),
        ("#![deny(unsafe_code)]", false),
        ("mod a { #![forbid(unsafe_code)] }", false),
        ("#[forbid(unsafe_code)] mod a {}", false),
        ("#![cfg_attr(not(test), forbid(unsafe_code))]", false),
    ] {
        assert_eq!(library(text).source.rust_files[0].forbids_unsafe, forbids, "{text}");
    }
}
