//! Items that macros make, and which macro a call means.

use super::*;
use crate::definitions::MacroId;

fn function_names(read: &Read) -> Vec<&'static str> {
    read.data().functions.iter().map(|it| it.name.as_str()).collect()
}

#[test]
fn calls_expand_to_items() {
    let read = read(
        "macro_rules! make { ($($name:ident),*) => { $(pub fn $name() {} pub struct Unit;)* pub mod inner { pub fn deep() {} } } }
         make!(a);
         mod m { make! { b } pub fn own() {} }
         macro_rules! call_make { ($n:ident) => { mod $n { make!(c); } use $n::c; } }

         call_make!(n);",
    );
    check(
        &read,
        &[
            ": value a = fn demo::a",
            ": value inner::deep = fn demo::inner::deep",
            "m: value b = fn demo::m::b",
            ": value c = fn demo::n::c",
        ],
    );
    let c = read.data().functions.iter().find(|it| it.name.as_str() == "c").expect("it is there");
    assert_eq!((c.place.line, read.data().problems.len()), (6, 0));
}

#[test]
fn the_nearest_definition_before_the_call_counts() {
    let read = read(
        "macro_rules! m { () => { fn first() {} } }
         mod a { m!(); macro_rules! m { () => { fn second() {} } } m!(); }
         m!();
         macro_rules! m { () => { fn third() {} } }
         m!();",
    );
    assert_eq!(function_names(&read), ["first", "second", "first", "third"]);
}

#[test]
fn macro_use_modules_keep_their_macros_in_scope() {
    let read = read(
        "//- src/lib.rs
         #[macro_use] mod macros;
         mod a { make!(one); }
         //- src/macros.rs
         macro_rules! make { ($n:ident) => { pub fn $n() {} } }",
    );
    assert_eq!(function_names(&read), ["one"]);
}

#[test]
fn macros_are_found_by_path() {
    let base = "#[macro_export] macro_rules! make { ($n:ident) => { pub fn $n() -> $crate::S { $crate::S } pub use $crate::S as T; } } pub struct S;
         pub mod inner { #[macro_export] macro_rules! other { () => { fn of_other() {} } } pub use make as renamed; }
         macro_rules! private { () => { fn of_private() {} } }";
    let dependencies = [("base", base)];
    let setting = Setting { dependencies: &dependencies, ..Setting::default() };
    let read = read_with(
        "base::make!(a); use base::other; other!(); mod m { base::inner::renamed!(b); crate::own!(); c!(); }
         mod n { macro_rules! local { () => { pub fn of_local() {} } } pub(crate) use local; pub(crate) use local as c; }
         use n::c; mod o { use crate::n::*; local!(); }
         mod p { #[macro_export] macro_rules! own { () => { fn of_own() {} } } }
         private!();",
        &setting,
    );
    let mut names = function_names(&read);
    names.sort_unstable();
    assert_eq!(names, ["a", "b", "of_local", "of_other", "of_own"]);
    check(&read, &[": type T = adt base::S", "m: type T = adt base::S"]);
    // `c!()` in `m` and `private!()` mean nothing.
    assert_eq!(read.data().problems.len(), 2, "{:#?}", read.data().problems);
}

#[test]
fn macro_use_of_a_crate_brings_its_macros() {
    let base = "#[macro_export] macro_rules! make { ($n:ident) => { pub fn $n() {} } }";
    let dependencies = [("base", base)];
    let setting = Setting { dependencies: &dependencies, ..Setting::default() };
    let read = read_with("#[macro_use] extern crate base; mod m { make!(a); }", &setting);
    assert_eq!(function_names(&read), ["a"]);
    let without = read_with("mod m { make!(a); }", &setting);
    assert!(function_names(&without).is_empty());
}

#[test]
fn inner_macros_are_those_of_the_macros_crate() {
    let base = "#[macro_export(local_inner_macros)] macro_rules! outer { ($n:ident) => { inner!($n); } }
         #[macro_export] macro_rules! inner { ($n:ident) => { pub fn $n() {} } }";
    let dependencies = [("base", base)];
    let setting = Setting { dependencies: &dependencies, ..Setting::default() };
    let read = read_with("base::outer!(a); inner!(b);", &setting);
    assert_eq!(function_names(&read), ["a"]);
}

#[test]
fn members_come_from_macros() {
    let read = read(
        "macro_rules! getter { ($n:ident) => { pub fn $n(&self) {} } }
         struct S; impl S { getter!(a); getter! { b } } trait T { getter!(c); } extern \"C\" { foreign!{} }
         macro_rules! foreign { () => { fn d(); } }",
    );
    let data = read.data();
    assert_eq!(function_names(&read), ["a", "b", "c", "d"]);
    assert_eq!(data.implementations[0].functions.len(), 2);
    assert!(data.functions[..3].iter().all(|it| it.receiver));
    assert_eq!(data.functions[3].container, Container::Foreign);
}

#[test]
fn conditions_of_a_call_hold_for_what_it_makes() {
    let read = read(
        "macro_rules! make { ($n:ident, $t:ty) => { pub fn $n() -> $t {} } }
         #[cfg(windows)] make!(f, u8);
         #[cfg(unix)] make!(f, u16);
         macro_rules! cfg_unix { ($($i:item)*) => { $( #[cfg(unix)] $i )* } }
         cfg_unix! { mod a { pub fn g() {} } }",
    );
    let active: Vec<_> = read.data().functions.iter().map(|it| it.configuration.active).collect();
    assert_eq!(active, [false, true, true]);
    check(&read, &[": value a::g = fn demo::a::g"]);
}

#[test]
fn endless_macros_end() {
    let read = read(
        "macro_rules! again { ($($t:tt)*) => { again!($($t)* x); } } again!();
         macro_rules! twice { ($($t:tt)*) => { mod m { twice!($($t)* $($t)* x); } } } twice!(x);",
    );
    assert!(!read.data().problems.is_empty());
}

/// Test threads have 2 MiB of stack: the collector's own depth and the parser's must fit together.
#[test]
fn the_deepest_calls_leave_room_for_the_parser() {
    let deep = format!("const A: u8 = {}1{};", "(".repeat(700), ")".repeat(700));
    let read = read(&format!(
        "macro_rules! down {{ ($x:tt $($t:tt)*) => {{ mod m {{ down!($($t)*); }} }}; () => {{ {deep} }} }} down!({});",
        "x ".repeat(62)
    ));
    assert_eq!(read.data().problems, Vec::<String>::new());
    assert_eq!(read.data().values.len(), 1);
}

#[test]
fn items_in_the_arguments_of_unknown_macros_are_taken_as_they_stand() {
    let read = read(
        "pin_project_lite::pin_project! { #[derive(Debug)] pub struct S<T> { #[pin] pub field: T } }
         sql! { select a from b } mod m { wrap!(pub fn f() {}); }",
    );
    check(&read, &[": type S = adt demo::S", "m: value f = fn demo::m::f"]);
    assert_eq!(read.data().problems, ["`sql!` in `src/lib.rs` line 2 was not expanded: no such macro"]);
}

#[test]
fn thread_locals_are_keys() {
    let read = read("thread_local! { pub static A: Vec<u8> = Vec::new(); static B: u8 = const { 1 } }");
    check(&read, &[": value A = const demo::A", ": value B = const demo::B"]);
}

#[test]
fn procedural_macros_are_macros() {
    let read = read(
        "#[proc_macro_derive(Builder, attributes(x))] pub fn derive_builder(i: u8) -> u8 { i }
         #[proc_macro] pub fn sql(i: u8) -> u8 { i } #[proc_macro_attribute] pub fn main(a: u8, i: u8) -> u8 { i }",
    );
    check(
        &read,
        &[
            ": macro Builder = macro demo::Builder",
            ": macro sql = macro demo::sql",
            ": macro main = macro demo::main",
            ": macro derive_builder = nothing",
            ": value derive_builder = fn demo::derive_builder",
        ],
    );
}

#[test]
fn macros_are_expanded_in_bodies() {
    let text = "fn f() { macro_rules! local { ($e:expr) => { g($e) + 1 } } local!(2); }
         macro_rules! block { () => { let a = 1; a.b(); } }
         macro_rules! pattern { ($p:pat) => { Some($p) } } macro_rules! kind { () => { Vec<u8> } }";
    let files = files_of(text);
    let universe = Universe::with_room(1);
    let arenas = Arenas::default();
    let input = CrateInput {
        index: CrateIndex(0),
        name: "demo",
        edition: 21,
        root: "src/lib.rs",
        files: &files,
        configuration: &Options::x86_64_linux([]),
        dependencies: &[],
        standard: None,
        test_target: false,
        limits: &Limits::default(),
    };
    let collected = collect(&input, &universe, &arenas, None);
    let macros = BodyMacros {
        universe: &universe,
        data: &collected.data,
        macros: &collected.macros,
        sources: &collected.sources,
        arenas: &arenas,
    };
    let block = collected.data.modules.iter().position(|it| it.block.is_some()).expect("`f` has one") as u32;
    let resolve = |module, name| macros.resolve_macro(0, module, &[Symbol::new(name)], false);
    let expand = |id: Option<MacroId>, arguments: &str, form| {
        let place = Place { file: 0, line: 7 };
        let made = macros.expand_in_body(id?, arguments, place, form)?;
        assert_eq!(collected.sources.place(made.tree, 0).line, 7);
        let node = collected.sources.node(made);
        Some(format!("{:?} {}", node.kind(), node.text()))
    };
    assert_eq!(expand(resolve(block, "local"), "2", Form::Expression).as_deref(), Some("BIN_EXPR g(2)+1"));
    let block_text = expand(resolve(block, "block"), "", Form::Statements).expect("it expands");
    assert!(block_text.starts_with("BLOCK_EXPR {"), "{block_text}");
    let as_expression = expand(resolve(0, "block"), "", Form::Expression).expect("it expands");
    assert_ne!(resolve(0, "block"), None);
    assert!(as_expression.starts_with("BLOCK_EXPR {"), "{as_expression}");
    let pattern = expand(resolve(0, "pattern"), "x", Form::Pattern).expect("it expands");
    assert!(pattern.starts_with("TUPLE_STRUCT_PAT Some("), "{pattern}");
    assert_eq!(expand(resolve(0, "kind"), "", Form::Type).as_deref(), Some("PATH_TYPE Vec<u8>"));
    assert_eq!(expand(resolve(0, "kind"), "unexpected", Form::Type), None);
    assert_eq!(resolve(0, "unknown"), None);
}
