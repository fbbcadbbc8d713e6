//! Which items there are: files, conditions, members, macros.

use super::*;

fn function_names(read: &Read) -> Vec<String> {
    read.data().functions.iter().map(|it| it.name.to_string()).collect()
}

#[test]
fn module_files_are_found() {
    let read = read(
        "//- src/lib.rs
         mod a; mod b; mod inline { mod deep; #[path = \"other.rs\"] mod named; } #[path = \"odd/place.rs\"] mod c; mod absent;
         #[path = \"elsewhere\"] mod moved { mod x; }
         //- src/a.rs
         mod of_a; #[path = \"beside.rs\"] mod beside; mod i { #[path = \"p.rs\"] mod p; }
         //- src/a/of_a.rs
         pub fn of_a() {}
         //- src/beside.rs
         pub fn beside() {}
         //- src/a/i/p.rs
         pub fn p() {}
         //- src/b/mod.rs
         mod of_b;
         //- src/b/of_b.rs
         pub fn of_b() {}
         //- src/inline/deep.rs
         pub fn deep() {}
         //- src/inline/other.rs
         pub fn named() {}
         //- src/odd/place.rs
         mod sibling;
         //- src/odd/sibling.rs
         pub fn sibling() {}
         //- src/elsewhere/x.rs
         pub fn x() {}
         //- src/unused.rs
         pub fn unused() {}",
    );
    let mut names = function_names(&read);
    names.sort();
    assert_eq!(names, ["beside", "deep", "named", "of_a", "of_b", "p", "sibling", "x"]);
    assert_eq!(read.data().problems, ["`mod absent` in `src/lib.rs` line 1 has no file"]);
}

#[test]
fn circular_files_end() {
    let read = read(
        "//- src/lib.rs
         #[path = \"lib.rs\"] mod again; include!(\"part.rs\"); include!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"));
         //- src/part.rs
         include!(\"part.rs\"); fn part() {} mod below;
         //- src/below.rs
         fn below() {}",
    );
    assert_eq!(function_names(&read), ["part", "below"]);
    assert_eq!(read.data().problems.len(), 3, "{:#?}", read.data().problems);
}

#[test]
fn an_active_definition_comes_before_an_inactive_one() {
    let text = "#[cfg(windows)] mod imp { pub fn f() {} pub fn only_windows() {} }
         #[cfg(unix)] mod imp { pub fn f() {} }
         #[cfg(windows)] mod win { pub fn g() { } pub mod inner { use super::g; } }
         #[cfg(feature = \"x\")] use a::f; #[cfg(not(feature = \"x\"))] use b::f;
         mod a { pub fn f() {} } mod b { pub fn f() {} }
         #[cfg(windows)] use a::f as h;
         use win::g;";
    let without = read(text);
    check(
        &without,
        &[
            ": value imp::f = fn demo::imp::f",
            ": value imp::only_windows = nothing",
            ": value f = fn demo::b::f",
            ": value h = fn demo::a::f",
            ": value g = fn demo::win::g",
            "win::inner: value g = fn demo::win::g",
        ],
    );
    let inactive: Vec<_> = without
        .data()
        .functions
        .iter()
        .filter(|it| !it.configuration.active)
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(inactive, ["f", "only_windows", "g"]);
    let with = read_with(text, &Setting { features: &["x"], ..Setting::default() });
    check(&with, &[": value f = fn demo::a::f"]);
}

#[test]
fn conditions_are_decided() {
    let holding = [
        "unix",
        "all()",
        "not(any())",
        "any(windows, target_os = \"linux\")",
        "feature = \"on\"",
        "all(unix, not(feature = \"off\"), target_has_atomic = \"64\")",
        "not(unheard_of)",
        "true",
        "target_pointer_width = \"64\"",
        "panic = \"unwind\"",
        "debug_assertions",
        "not(test)",
    ];
    let failing = [
        "windows",
        "any()",
        "not(unix)",
        "feature = \"off\"",
        "unheard_of",
        "test",
        "all(unix, test)",
        "false",
        "on",
    ];
    for (conditions, expected) in [(&holding[..], true), (&failing[..], false)] {
        for condition in conditions {
            let text = format!("#[cfg({condition})] fn f() {{}}");
            let read = read_with(&text, &Setting { features: &["on"], ..Setting::default() });
            assert_eq!(read.data().functions[0].configuration.active, expected, "{condition}");
        }
    }
}

#[test]
fn tests_are_told_apart() {
    let text = "#[test] fn a() {} #[cfg(test)] mod tests { fn b() {} } #[cfg(any(test, unix))] fn c() {}
         #[cfg(all(test, unix))] fn d() {} #[tokio::test] fn e() {} #[cfg(not(test))] fn f() {}";
    let states = |read: &Read| {
        let functions = read.data().functions.iter();
        functions
            .map(|it| (it.name.to_string(), it.configuration.test, it.configuration.active))
            .collect::<Vec<_>>()
    };
    let expected =
        |rows: [(&str, bool, bool); 6]| rows.map(|(name, test, active)| (name.to_owned(), test, active));
    assert_eq!(
        states(&read(text)),
        expected([
            ("a", true, false),
            ("b", true, false),
            ("c", false, true),
            ("d", true, false),
            ("e", true, false),
            ("f", false, true)
        ])
    );
    let setting = Setting { test_target: true, ..Setting::default() };
    assert_eq!(
        states(&read_with(text, &setting)),
        expected([
            ("a", true, true),
            ("b", true, true),
            ("c", false, true),
            ("d", true, true),
            ("e", true, true),
            ("f", false, false)
        ])
    );
}

#[test]
fn cfg_attr_is_seen_through() {
    let read = read(
        "//- src/lib.rs
         #[cfg_attr(windows, path = \"windows.rs\")] #[cfg_attr(unix, path = \"unix.rs\")] mod imp;
         #[cfg_attr(unix, cfg(windows))] fn inactive() {}
         #[cfg_attr(windows, cfg(windows))] fn active() {}
         //- src/unix.rs
         pub fn of_unix() {}
         //- src/windows.rs
         pub fn of_windows() {}",
    );
    assert_eq!(function_names(&read), ["of_unix", "inactive", "active"]);
    let active: Vec<_> = read.data().functions.iter().map(|it| it.configuration.active).collect();
    assert_eq!(active, [true, false, true]);
}

#[test]
fn conditions_are_kept_as_text() {
    let read = read("#[cfg(unix)] mod a { #[cfg(not(feature = \"x\"))] impl S { fn f() {} } struct S; }");
    let function = &read.data().functions[0];
    assert_eq!(function.configuration.text.as_deref(), Some("unix, not(feature=\"x\")"));
}

#[test]
fn members_belong_to_their_container() {
    let read = read(
        "trait T { type A; const C: u8; fn required(&self); fn provided() {} }
         struct S { #[cfg(windows)] x: u8, #[cfg(unix)] x: u16, y: u8 }
         impl T for S { type A = u8; const C: u8 = 1; fn required(&self) {} }
         impl S { #[cfg(windows)] fn f(self) {} #[cfg(unix)] fn f() {} pub async unsafe fn g() {} }
         extern \"C\" { fn foreign(); static ERRNO: u8; }
         #[no_mangle] pub extern \"C\" fn exported() {}
         union U { a: u8 } enum E { A(u8, #[cfg(windows)] u8, u8), B { z: u8 } }",
    );
    let data = read.data();
    assert_eq!(data.traits[0].functions.len(), 2);
    let [of_trait, inherent] = &data.implementations[..] else { panic!("there are two") };
    assert!(of_trait.names_trait && !inherent.names_trait);
    let f = &data.functions[inherent.functions[&Symbol::new("f")] as usize];
    assert!(f.configuration.active && !f.receiver);
    let named = |name: &str| data.functions.iter().find(|it| it.name.as_str() == name).expect("it is there");
    assert!(named("g").is_async && named("g").is_unsafe && !named("g").is_const);
    assert_eq!(named("foreign").container, Container::Foreign);
    assert!(named("exported").exported_to_linker && !named("foreign").exported_to_linker);
    assert!(!named("required").has_body || named("required").receiver);
    let fields = |number: usize, variant: usize| {
        let fields = &data.adts[number].variants[variant].fields;
        fields.iter().map(|it| it.0.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(fields(0, 0), ["x", "y"]);
    assert_eq!(fields(2, 0), ["0", "1"]);
    assert_eq!(fields(2, 1), ["z"]);
    check(
        &read,
        &[
            ": value ERRNO = const demo::ERRNO",
            ": value foreign = fn demo::foreign",
            ": value required = nothing",
        ],
    );
}

#[test]
fn what_cannot_be_parsed_is_a_problem() {
    let deep = format!("fn f() {{ {} }}", "(".repeat(2000));
    let read = read(&format!("//- src/lib.rs\nmod a; fn g() {{}}\n//- src/a.rs\n{deep}"));
    assert_eq!(function_names(&read), ["g"]);
    assert_eq!(read.data().problems.len(), 1);
    let empty = read_with("//- src/main.rs\nfn main() {}", &Setting::default());
    assert_eq!(empty.data().problems, ["the root `src/lib.rs` is not in the package"]);
}
