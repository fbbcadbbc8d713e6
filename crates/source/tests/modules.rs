//! Where files belong: `mod`, `#[path]`, `include!`, inline modules, macros, conditions.

mod common;

use common::{function, library, package, paths};
use cratekeeper_model::Facts;
use cratekeeper_model::facts::ModuleForm;

/// Modules as `path file form`, targets left out.
fn tree(facts: &Facts) -> Vec<String> {
    let file = |index: u32| facts.source.rust_files[index as usize].path.as_str();
    let line = |it: &cratekeeper_model::facts::Module| format!("{} {} {:?}", it.path, file(it.file), it.form);
    facts.source.modules.iter().map(line).collect()
}

fn unlinked(facts: &Facts) -> Vec<&str> {
    let files = facts.source.rust_files.iter().filter(|it| it.targets.is_empty());
    files.map(|it| it.path.as_str()).collect()
}

#[test]
fn files_and_directories() {
    let facts = package(
        "//- src/lib.rs
mod a;
mod b;
//- src/a.rs
mod inner;
//- src/a/inner.rs
fn f() {}
//- src/b/mod.rs
mod inner;
mod r#type;
//- src/b/inner.rs
//- src/b/type.rs
fn g() {}
//- src/stray.rs
",
    );
    assert_eq!(
        tree(&facts),
        [
            " src/lib.rs Root",
            "a src/a.rs File",
            "b src/b/mod.rs File",
            "a::inner src/a/inner.rs File",
            "b::inner src/b/inner.rs File",
            "b::type src/b/type.rs File",
        ]
    );
    assert_eq!(paths(&facts), ["a::inner::f", "b::type::g"]);
    assert_eq!(unlinked(&facts), ["src/stray.rs"]);
    assert_eq!(facts.source.files_unlinked, 1);
    assert!(facts.source.problems.is_empty(), "{:?}", facts.source.problems);
}

#[test]
fn inline_modules_add_directories() {
    let facts = package(
        "//- src/lib.rs
mod outer { mod inner { mod leaf; } mod beside; }
mod file;
//- src/outer/inner/leaf.rs
//- src/outer/beside.rs
//- src/file.rs
mod deep { mod leaf; }
//- src/file/deep/leaf.rs
",
    );
    assert_eq!(unlinked(&facts), [""; 0]);
    assert!(tree(&facts).contains(&"outer::inner::leaf src/outer/inner/leaf.rs File".to_owned()));
    assert!(tree(&facts).contains(&"file::deep::leaf src/file/deep/leaf.rs File".to_owned()));
}

#[test]
fn path_attributes() {
    let facts = package(
        "//- src/lib.rs
#[path = \"other/name.rs\"] mod a;
#[path = \"../shared/b.inc\"] mod b;
#[cfg_attr(unix, path = \"unix.rs\")] #[cfg_attr(windows, path = \"windows.rs\")] mod system;
mod inline { #[path = \"in_inline.rs\"] mod c; }
#[path = \"thread\"] mod renamed { mod local; }
#[path = \"../../outside.rs\"] mod d;
//- src/other/name.rs
mod beside;
//- src/other/beside.rs
//- shared/b.inc
fn in_b() { call() }
//- src/unix.rs
//- src/windows.rs
//- src/system.rs
//- src/inline/in_inline.rs
//- src/thread/local.rs
",
    );
    assert_eq!(unlinked(&facts), [""; 0]);
    let has = |line: &str| tree(&facts).contains(&line.to_owned());
    assert!(has("a src/other/name.rs Path"));
    assert!(has("a::beside src/other/beside.rs File"));
    assert!(has("b shared/b.inc Path"));
    assert!(
        has("system src/unix.rs Path")
            && has("system src/windows.rs Path")
            && has("system src/system.rs File")
    );
    assert!(has("inline::c src/inline/in_inline.rs Path"));
    assert!(has("renamed::local src/thread/local.rs File"));
    assert_eq!(paths(&facts), ["b::in_b"], "a file under another extension is Rust when a module says so");
    assert_eq!(facts.source.files_total, 9);
    let problems = &facts.source.problems;
    assert!(problems[0].contains("leaves the package"), "{problems:?}");
    assert!(problems[1].contains("`mod d` in `src/lib.rs` line 6 has no file"), "{problems:?}");
}

#[test]
fn the_directory_of_an_inline_module_begins_at_the_file() {
    let facts = package(
        "//- src/lib.rs
mod a;
//- src/a.rs
#[path = \".\"] mod tests { mod shared; }
#[path = \"other\"] mod more { mod deep { mod leaf; } }
//- src/shared.rs
//- src/other/deep/leaf.rs
",
    );
    assert_eq!(unlinked(&facts), [""; 0], "{:?}", facts.source.problems);
}

#[test]
fn included_files_belong_to_the_module_that_includes_them() {
    let facts = package(
        "//- src/lib.rs
mod a { include!(\"items.in\"); }
static TABLE: &[u8] = include!(\"table.in\");
include!(concat!(env!(\"OUT_DIR\"), \"/generated.rs\"));
include!(\"missing.rs\");
//- src/items.in
fn included() { called() }
mod beside;
//- src/beside.rs
//- src/table.in
[f(1), 2]
",
    );
    assert_eq!(paths(&facts), ["a::included"]);
    assert!(tree(&facts).contains(&"a src/items.in Include".to_owned()));
    assert!(tree(&facts).contains(&"a::beside src/beside.rs File".to_owned()));
    let callees: Vec<_> = common::calls(&facts).iter().map(|it| it.callee.as_str()).collect();
    assert!(callees.contains(&"f") && callees.contains(&"called"));
    assert_eq!(facts.source.files_with_errors, 0, "a file may be one expression");
    assert_eq!(
        facts.source.problems,
        [
            "`include!(concat!(env!(\"OUT_DIR\"), \"/generated.rs\"))` in `src/lib.rs` line 3 cannot be followed",
            "`src/missing.rs`, included by `src/lib.rs`, is not in the package",
        ]
    );
    let computed = facts.source.includes.iter().find(|it| !it.literal).unwrap();
    assert_eq!(computed.argument, "concat!(env!(\"OUT_DIR\"), \"/generated.rs\")");
}

#[test]
fn conditions_are_kept_and_joined() {
    let facts = package(
        "//- src/lib.rs
#[cfg(unix)]
mod a;
cfg_if::cfg_if! {
    if #[cfg(windows)] { mod b; #[cfg(c)] fn inline() {} } else { mod d; }
}
//- src/a.rs
#![cfg(test)]
#[cfg(feature = \"x\")]
mod inner { #[cfg(all(y,
    z))] fn f() {} }
#[cfg(one)] #[cfg(two)] fn g() {}
//- src/b.rs
fn h() {}
//- src/d.rs
fn i() {}
",
    );
    let cfg = |path: &str| function(&facts, path).cfg.clone().unwrap_or_default();
    assert_eq!(cfg("a::inner::f"), "unix, test, feature = \"x\", all(y, z)");
    assert_eq!(cfg("a::g"), "unix, test, one, two");
    assert_eq!(cfg("b::h"), "windows");
    assert_eq!(cfg("inline"), "windows, c");
    assert_eq!(cfg("d::i"), "", "an `else` has no condition of its own");
    assert_eq!(unlinked(&facts), [""; 0]);
}

#[test]
fn macros_declare_modules() {
    let facts = package(
        "//- src/lib.rs
items! { mod a; pub mod b { mod c; } }
macro_rules! platform { () => { mod d; mod not_there; } }
//- src/a.rs
//- src/b/c.rs
//- src/d.rs
",
    );
    assert_eq!(unlinked(&facts), [""; 0]);
    assert!(facts.source.problems.is_empty(), "a macro may never be called: {:?}", facts.source.problems);
}

#[test]
fn modules_named_by_the_arguments_of_a_macro_are_a_problem() {
    let facts = package(
        "//- src/lib.rs
macro_rules! platforms { ($($name:ident),*) => { $(mod $name;)* } }
platforms! { a, b }
//- src/a.rs
",
    );
    assert_eq!(facts.source.problems, ["`mod $name` of a macro in `src/lib.rs` line 1 cannot be followed"]);
    assert_eq!(unlinked(&facts), ["src/a.rs"]);
}

#[test]
fn circles_end() {
    let facts = package(
        "//- src/lib.rs
mod a;
include!(\"lib.rs\");
//- src/a.rs
#[path = \"a.rs\"] mod again;
#[path = \"lib.rs\"] mod top;
",
    );
    assert_eq!(tree(&facts), [" src/lib.rs Root", "a src/a.rs File"]);
    assert_eq!(facts.source.problems.len(), 3);
    assert!(facts.source.problems.iter().all(|it| it.contains("circular")), "{:?}", facts.source.problems);
}

#[test]
fn a_missing_file_is_a_problem_with_its_place() {
    let facts = library("\n#[cfg(windows)]\nmod missing;");
    assert_eq!(facts.source.problems, ["`mod missing` in `src/lib.rs` line 3 has no file"]);
}

#[test]
fn several_targets_share_a_file() {
    let facts = package(
        "//- src/lib.rs
pub mod shared;
//- src/main.rs
mod shared;
//- src/shared.rs
fn f() {}
//- tests/one.rs
#[path = \"../src/shared.rs\"] mod other_name;
//- build.rs
fn main() {}
",
    );
    let kinds: Vec<_> = facts.manifest.targets.iter().map(|it| (it.kind, it.path.as_str())).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    let shared = facts.source.rust_files.iter().find(|it| it.path == "src/shared.rs").unwrap();
    assert_eq!(shared.targets, [0, 1, 2]);
    assert_eq!(function(&facts, "shared::f").targets, [0, 1]);
    assert_eq!(function(&facts, "other_name::f").targets, [2]);
    assert_eq!(function(&facts, "main").targets, [3]);
    let roots: Vec<_> = facts.source.modules.iter().filter(|it| it.form == ModuleForm::Root).collect();
    assert_eq!(roots.len(), 4);
}

#[test]
fn only_calls_of_the_first_place_are_numbered() {
    let facts = package(
        "//- src/lib.rs
#[path = \"x.rs\"] mod a;
#[path = \"x.rs\"] mod b;
//- src/x.rs
fn f() { g() }
",
    );
    assert_eq!(paths(&facts), ["a::f", "b::f"]);
    assert_eq!(common::calls(&facts)[0].function, Some(0));
}
