//! Functions, calls, foreign code, imports and includes of one file.

mod common;

use common::{calls, function, library, package, paths};
use cratekeeper_model::Facts;
use cratekeeper_model::facts::{CallKind, FunctionContainer, IncludeKind};

/// Calls as `kind callee/arity`, with `!` where unsafe and the macro in brackets.
fn call_list(facts: &Facts) -> Vec<String> {
    let line = |it: &cratekeeper_model::facts::Call| {
        let kind = format!("{:?}", it.kind).to_lowercase();
        let r#unsafe = if it.in_unsafe { "!" } else { "" };
        let in_macro = it.in_macro.as_ref().map_or_else(String::new, |it| format!(" [{it}]"));
        format!("{kind} {}/{}{unsafe}{in_macro}", it.callee, it.arity)
    };
    calls(facts).iter().map(line).collect()
}

#[test]
fn functions_have_paths() {
    let facts = library(
        "
fn free() { fn nested() {} mod in_function { fn f() {} } }
mod a { pub mod b { fn f() {} } }
impl Type { fn method(&self) { fn nested() {} } }
impl<T> a::Generic<T> { fn new() {} }
impl<'a, T: A> From<&'a [T]> for crate::b::Type<T> { fn from() {} }
impl Trait for &mut dyn Other<X> { fn f() {} }
impl Trait for fn(u8) -> u8 { fn f() {} }
trait Trait { fn declared(); fn default() {} }
const A: () = { fn in_const() {} };
fn r#raw() {}
",
    );
    assert_eq!(
        paths(&facts),
        [
            "free",
            "free::nested",
            "free::in_function::f",
            "a::b::f",
            "Type::method",
            "Type::method::nested",
            "a::Generic::new",
            "<crate::b::Type as From>::from",
            "<&mut dyn Other as Trait>::f",
            "<fn(u8)->u8 as Trait>::f",
            "Trait::declared",
            "Trait::default",
            "in_const",
            "r#raw",
        ]
    );
}

#[test]
fn functions_have_signatures() {
    let facts = library(
        "
pub(crate) const unsafe extern \"C\" fn a(x: u8, _: u16) {}
pub(in crate::b) async fn b<T>() {}
extern fn c(d: impl Copy) {}
fn e<'a, const N: usize>(&'a self, f: u8) {}
pub fn g(h: fn(impl_: u8)) {}
trait T { fn i(self: Box<Self>); fn j(self) {} }
impl T for S { fn j(mut self, k: u8) {} }
impl S { pub fn l<'a>() {} }
",
    );
    let a = function(&facts, "a");
    assert!(a.r#const && a.r#unsafe && !a.r#async && !a.generic && !a.receiver && a.has_body);
    assert_eq!((a.abi.as_deref(), a.visibility.as_str(), a.arity), (Some("C"), "pub(crate)", 2));
    let b = function(&facts, "b");
    assert!(b.r#async && b.generic);
    assert_eq!((b.visibility.as_str(), b.arity), ("pub(in crate::b)", 0));
    let c = function(&facts, "c");
    assert_eq!((c.abi.as_deref(), c.generic), (Some("C"), true));
    let e = function(&facts, "e");
    assert!(e.generic && e.receiver);
    assert_eq!(e.arity, 2);
    assert!(!function(&facts, "g").generic);
    let i = function(&facts, "T::i");
    assert!(!i.has_body && i.receiver);
    assert_eq!(i.container, FunctionContainer::Trait);
    assert_eq!(function(&facts, "<S as T>::j").container, FunctionContainer::TraitImpl);
    assert_eq!(function(&facts, "<S as T>::j").arity, 2);
    assert_eq!(function(&facts, "S::l").container, FunctionContainer::Inherent);
    assert!(!function(&facts, "S::l").generic, "lifetimes are no parameters of the kind that makes copies");
    assert_eq!(a.container, FunctionContainer::Free);
}

#[test]
fn spans_and_lines_are_those_of_the_text() {
    let text = "// ü\r\n/// Docs.\n#[inline]\n#[cfg(a)]\npub fn f(\n) {\n  g();\n}\n fn h() {} ";
    let facts = library(text);
    let f = function(&facts, "f");
    assert_eq!((f.line, f.end_line), (5, 8));
    let span = &text[f.start as usize..f.end as usize];
    assert!(span.ends_with("g();\n}"), "{span}");
    assert!(span.starts_with("#[inline]") || span.starts_with("///"), "{span}");
    assert_eq!(f.cfg.as_deref(), Some("a"));
    assert_eq!(calls(&facts)[0].line, 7);
    let h = function(&facts, "h");
    assert_eq!(&text[h.start as usize..h.end as usize], "fn h() {}");
}

#[test]
fn twins_are_told_apart() {
    let facts = package(
        "//- src/lib.rs
#[cfg(unix)] fn f() {}
#[cfg(windows)] fn f() {}
impl From<A> for B { fn from() {} }
impl From<C> for B { fn from() {} }
//- src/main.rs
fn f() {}
",
    );
    let found: Vec<_> = facts
        .source
        .functions
        .iter()
        .map(|it| (it.path.as_str(), it.disambiguator, &it.targets[..]))
        .collect();
    assert_eq!(
        found,
        [
            ("f", 0, &[0][..]),
            ("f", 1, &[0]),
            ("<B as From>::from", 0, &[0]),
            ("<B as From>::from", 1, &[0]),
            ("f", 0, &[1]),
        ]
    );
}

#[test]
fn calls_are_as_written() {
    let facts = library(
        "
fn f(self) {
    a(); crate::b::c(1, 2); Vec::<u8>::with_capacity(3); d::e::<T, U>(4,);
    self.g(5).h::<V>(6, 7); i.j.k();
    <Type as Trait<X>>::l(); <[u8]>::m(8); <T>::n();
    (self.o)(9); (p)(10); q()(); r[0](11); (|| s())();
    Some(1); E::V(2);
    t . u ( 1 ) ;
    std :: v :: < w > :: x ( ) ;
}
",
    );
    assert_eq!(
        call_list(&facts),
        [
            "path a/0",
            "path crate::b::c/2",
            "path Vec::with_capacity/1",
            "path d::e/1",
            "method h/2",
            "method g/1",
            "method k/0",
            "path <Type as Trait>::l/0",
            "path <[u8]>::m/1",
            "path <T>::n/0",
            "expression /1",
            "path p/1",
            "expression /0",
            "path q/0",
            "expression /1",
            "expression /0",
            "path s/0",
            "path Some/1",
            "path E::V/1",
            "method u/1",
            "path std::v::x/0",
        ]
    );
    assert!(calls(&facts).iter().all(|call| call.function == Some(0)));
}

#[test]
fn calls_inside_macros_are_found() {
    let facts = library(
        "
fn f() {
    println!(\"{}\", a(1));
    assert_eq!(b(), c.d(2), \"{}\", e());
    vec![g(); h()];
    format!(\"{x}\", x = i());
    matches!(j(), Some(k) if l(k));
    local! { m(); unsafe { n() } };
    std::write!(o, \"{:?}\", p!(q()));
    weird!(r => s(3), @t u.v(4));
    json!({ \"a\": w(5), \"b\": [x()] });
    select! { a = y() => { z() } }
}
",
    );
    let list = call_list(&facts);
    for call in [
        "macro println/0",
        "path a/1 [println]",
        "path b/0 [assert_eq]",
        "method d/1 [assert_eq]",
        "path e/0 [assert_eq]",
        "path g/0 [vec]",
        "path h/0 [vec]",
        "path i/0 [format]",
        "path j/0 [matches]",
        "path l/1 [matches]",
        "path m/0 [local]",
        "path n/0! [local]",
        "macro std::write/0",
        "macro p/0 [std::write]",
        "path q/0 [p]",
        "path s/1 [weird]",
        "method v/1 [weird]",
        "path w/1 [json]",
        "path x/0 [json]",
        "path y/0 [select]",
        "path z/0 [select]",
    ] {
        assert!(list.iter().any(|it| it == call), "{call} in {list:#?}");
    }
}

#[test]
fn calls_inside_macro_definitions_are_marked() {
    let facts = library(
        "
fn f() {
    macro_rules! m { ($a:tt ($b:tt)) => { $crate::g($a, 1); unsafe { h() } self.i(); j!(); #[k(l)] fn n() {} struct S(u8); } }
}
",
    );
    assert_eq!(
        call_list(&facts),
        [
            "path $crate::g/2 [macro_rules! m]",
            "path h/0! [macro_rules! m]",
            "method i/0 [macro_rules! m]",
            "macro j/0 [macro_rules! m]",
        ]
    );
    assert!(calls(&facts).iter().all(|call| call.function.is_none()));
}

#[test]
fn a_call_knows_its_place() {
    let facts = library(
        "
static A: u8 = a();
fn f() { b(); fn g() { c(); } unsafe { d(); } let h = || e(); }
unsafe fn i() { j(); fn k() { l(); } }
",
    );
    let place = |callee: &str| {
        let call = calls(&facts).iter().find(|it| it.callee == callee).unwrap();
        let function = call.function.map(|it| facts.source.functions[it as usize].path.as_str());
        (function, call.line, call.in_unsafe)
    };
    assert_eq!(place("a"), (None, 2, false));
    assert_eq!(place("b"), (Some("f"), 3, false));
    assert_eq!(place("c"), (Some("f::g"), 3, false));
    assert_eq!(place("d"), (Some("f"), 3, true));
    assert_eq!(place("e"), (Some("f"), 3, false));
    assert_eq!(place("j"), (Some("i"), 4, true));
    assert_eq!(place("l"), (Some("i::k"), 4, false));
    assert!(calls(&facts).iter().all(|call| call.kind == CallKind::Path));
}

#[test]
fn foreign_blocks() {
    let facts = library(
        "
#[link(name = \"z\", kind = \"static\")]
#[cfg(unix)]
unsafe extern \"system\" {
    pub safe fn a(x: u8);
    unsafe fn b();
    fn c(...);
    static D: u8;
    type E;
}
extern { fn f(); }
mod m { extern \"C\" {} }
",
    );
    let blocks = &facts.source.foreign_blocks;
    assert_eq!(blocks.len(), 3);
    assert_eq!((blocks[0].abi.as_str(), blocks[0].r#unsafe, blocks[0].line), ("system", true, 4));
    assert_eq!(blocks[0].link.as_deref(), Some("name = \"z\", kind = \"static\""));
    assert_eq!(blocks[0].cfg.as_deref(), Some("unix"));
    let items: Vec<_> =
        blocks[0].items.iter().map(|it| (it.name.as_str(), it.line, it.is_function, it.safe)).collect();
    assert_eq!(
        items,
        [
            ("a", 5, true, true),
            ("b", 6, true, false),
            ("c", 7, true, false),
            ("D", 8, false, false),
            ("E", 9, false, false)
        ]
    );
    assert_eq!((blocks[1].abi.as_str(), blocks[1].r#unsafe, blocks[1].items.len()), ("C", false, 1));
    assert!(paths(&facts).is_empty(), "declarations are no functions of the package");
    let linkage: Vec<_> = facts.source.linkage.iter().map(|it| it.attribute.as_str()).collect();
    assert_eq!(linkage, ["link"]);
}

#[test]
fn linkage_attributes() {
    let facts = library(
        "
#[no_mangle] pub extern \"C\" fn a() {}
#[unsafe(no_mangle)] pub static B: u8 = 0;
#[unsafe(export_name = \"malloc\")] fn c() {}
#[cfg_attr(target_os = \"linux\", link_section = \".init_array\")] #[used] static D: fn() = e;
#[cfg_attr(windows, unsafe(link_section = r\".CRT$XCU\"))] static F: u8 = 0;
extern \"C\" { #[link_name = \"real\"] fn g(); }
#[inline] #[doc = \"no_mangle\"] fn h() {}
m! { #[no_mangle] fn i() {} }
",
    );
    let found: Vec<_> = facts
        .source
        .linkage
        .iter()
        .map(|it| (it.line, it.attribute.as_str(), it.value.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        found,
        [
            (2, "no_mangle", "a"),
            (3, "no_mangle", "B"),
            (4, "export_name", "malloc"),
            (5, "link_section", ".init_array"),
            (5, "used", "D"),
            (6, "link_section", ".CRT$XCU"),
            (7, "link_name", "real"),
            (9, "no_mangle", "i"),
        ]
    );
}

#[test]
fn assembly() {
    let facts = library(
        "
core::arch::global_asm!(\".globl a\");
unsafe fn f() { asm!(\"syscall\", in(\"rax\") 60) }
",
    );
    let found: Vec<_> = facts
        .source
        .assembly
        .iter()
        .map(|it| (it.r#macro.as_str(), it.line, it.function, it.text.as_str()))
        .collect();
    assert_eq!(
        found,
        [("global_asm", 2, None, "\".globl a\""), ("asm", 3, Some(0), "\"syscall\", in(\"rax\") 60"),]
    );
}

#[test]
fn imports_have_one_fact_a_leaf() {
    let facts = library(
        "
use std::{io::{self, Read as _, *}, fs as files};
pub(crate) use ::a::b;
#[cfg(x)] use {c, d::{e}};
extern crate alloc as f;
extern crate self as g;
mod m { use super::*; fn n() { use h::i; } }
use {};
",
    );
    let found: Vec<_> = facts
        .source
        .uses
        .iter()
        .map(|it| {
            let alias = it.alias.as_ref().map_or_else(String::new, |alias| format!(" as {alias}"));
            let cfg = it.cfg.as_ref().map_or_else(String::new, |cfg| format!(" if {cfg}"));
            format!("{} {}|{}{alias}{cfg}|{}|{}", it.line, it.module, it.path, it.visibility, it.extern_crate)
        })
        .collect();
    assert_eq!(
        found,
        [
            "2 |std::io::self||false",
            "2 |std::io::Read as _||false",
            "2 |std::io::*||false",
            "2 |std::fs as files||false",
            "3 |::a::b|pub(crate)|false",
            "4 |c if x||false",
            "4 |d::e if x||false",
            "5 |alloc as f||true",
            "6 |self as g||true",
            "7 m|super::*||false",
            "7 m|h::i||false",
        ]
    );
}

#[test]
fn what_the_compiler_reads() {
    let facts = library(
        "
const A: &str = include_str!(\"../a.txt\");
const B: &[u8] = core::include_bytes!(concat!(\"b\", \".bin\"));
const C: &str = env!(\"SECRET\", \"message\");
fn f() { option_env!(\"D\",); std::env::var(\"E\"); println!(\"{}\", env!(\"F\")); }
",
    );
    let found: Vec<_> =
        facts.source.includes.iter().map(|it| (it.kind, it.argument.as_str(), it.literal)).collect();
    assert_eq!(
        found,
        [
            (IncludeKind::IncludeStr, "../a.txt", true),
            (IncludeKind::IncludeBytes, "concat!(\"b\", \".bin\")", false),
            (IncludeKind::Env, "SECRET", true),
            (IncludeKind::OptionEnv, "D", true),
            (IncludeKind::Env, "F", true),
        ]
    );
}

#[test]
fn macros_that_are_defined() {
    let facts = library("#[macro_export]\nmacro_rules! a { () => {} }\npub macro b($x:expr) { $x }");
    let found: Vec<_> =
        facts.source.macros.iter().map(|it| (it.name.as_str(), it.line, it.exported)).collect();
    assert_eq!(found, [("a", 2, true), ("b", 3, false)]);
}

#[test]
fn errors_are_counted_and_do_not_hide_the_rest() {
    let facts = library("fn a() { b( }\n\nfn c() { d(); }\nstruct");
    let file = &facts.source.rust_files[0];
    assert!(file.errors >= 2);
    assert_eq!(file.problem_line, 1);
    assert!(paths(&facts).contains(&"c") || call_list(&facts).contains(&"path d/0".to_owned()));
}

#[test]
fn windows_line_ends_and_byte_order_marks_are_no_errors() {
    for text in [
        "\u{FEFF}fn a() {}",
        "fn a() {\r\n \"b\\\r\n c\"; }\r\n",
        "#!/usr/bin/env run\nfn a() {}",
        "\u{FEFF}#!/usr/bin/env run\nfn a() {}",
    ] {
        let facts = library(text);
        assert_eq!(facts.source.files_parsed, 1, "{text:?} {:?}", facts.source.rust_files);
        assert_eq!(paths(&facts), ["a"]);
    }
}

#[test]
fn attributes_in_macro_definitions_and_macros_in_attributes_are_read() {
    let text = "
        #![doc = include_str!(\"/etc/x\")]
        macro_rules! early {
            ($f:path) => {
                #[used]
                #[unsafe(link_section = \".init_array\")]
                static START: fn() = $f;
                #[no_mangle]
                pub extern \"C\" fn connect() {}
                const T: Option<&str> = option_env!(\"A_TOKEN\");
                const U: &str = env!(concat!(\"A\", \"_TOKEN\"));
            };
        }
        const V: &str = include_str!(concat!(/* \" */ env! ( /*)*/ \"HOME\"), r#\"/\x22\"#, '\\'', // and
            \"/y\"));";
    let facts = library(text);
    let attributes: Vec<(&str, Option<&str>)> =
        facts.source.linkage.iter().map(|it| (it.attribute.as_str(), it.value.as_deref())).collect();
    assert_eq!(
        attributes,
        [("used", Some("START")), ("link_section", Some(".init_array")), ("no_mangle", Some("connect"))]
    );
    let arguments: Vec<&str> = facts.source.includes.iter().map(|it| it.argument.as_str()).collect();
    assert_eq!(
        arguments,
        [
            "/etc/x",
            "A_TOKEN",
            "concat!(\"A\", \"_TOKEN\")",
            "concat!(env!(\"HOME\"), \"/\\\"\", \"'\", \"/y\")",
            "HOME",
        ]
    );
}

#[test]
fn programs_in_arrays_are_literals_that_matter() {
    let text =
        "const A: [u8; 6] = [0x7f, b'E', 76, 0x46_u8, 2, 1]; const B: [u8; 4] = [0x7f, 0x45, 0x4c, 0x46];";
    let facts = library(text);
    assert_eq!(facts.source.literals.len(), 1);
    assert_eq!(facts.source.literals[0].value, "\\x7fELF\\x02\\x01");
}

#[test]
fn assembly_tells_what_it_calls() {
    let text = "fn a() { unsafe { asm!(\"mov eax, 1\\n\", \"int $0x80\"); asm!(\"nop // asyscalls\"); } }
        global_asm!(\".pushsection .init_array,\\\"aw\\\"\\n.quad f\");";
    let facts = library(text);
    let mentions: Vec<Vec<String>> = facts.source.assembly.iter().map(|it| it.mentions.clone()).collect();
    assert_eq!(mentions[0], ["int 0x80"]);
    assert!(mentions[1].is_empty());
    assert_eq!(mentions[2], [".pushsection", ".init_array"]);
}
