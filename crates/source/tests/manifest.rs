//! What a manifest says, and where it differs from the `Cargo.toml.orig` beside it.

mod common;

use common::package;
use cratekeeper_model::Facts;
use cratekeeper_model::facts::{DependencySection, TargetKind};
use cratekeeper_source::{Limits, PackageFile, analyze};

fn manifest(text: &str) -> Facts {
    package(&format!("//- Cargo.toml\n{text}\n//- src/lib.rs\n"))
}

#[test]
fn every_field() {
    let facts = manifest(
        "[package]
name = \"demo-name\"
version = \"1.2.3-rc.1+build\"
edition = \"2021\"
rust-version = \"1.70\"
license = \"MIT OR Apache-2.0\"
license-file = \"LICENSE\"
description = \"d\"
repository = \"https://r.example\"
homepage = \"https://h.example\"
documentation = \"https://d.example\"
authors = [\"A <a@b.example>\", \"C\"]
keywords = [\"k\"]
categories = [\"c\"]
links = \"z\"
[features]
default = [\"a\"]
a = [\"dep:b\", \"c?/d\"]
",
    )
    .manifest;
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    assert_eq!(text(&facts.name), "demo-name");
    assert_eq!(text(&facts.version), "1.2.3-rc.1+build");
    assert_eq!(text(&facts.edition), "2021");
    assert_eq!(text(&facts.rust_version), "1.70");
    assert_eq!(text(&facts.license), "MIT OR Apache-2.0");
    assert_eq!(text(&facts.license_file), "LICENSE");
    assert_eq!(text(&facts.description), "d");
    assert_eq!(text(&facts.repository), "https://r.example");
    assert_eq!(text(&facts.homepage), "https://h.example");
    assert_eq!(text(&facts.documentation), "https://d.example");
    assert_eq!(facts.authors, ["A <a@b.example>", "C"]);
    assert_eq!((&facts.keywords[..], &facts.categories[..]), (&["k".to_owned()][..], &["c".to_owned()][..]));
    assert_eq!(text(&facts.links), "z");
    assert_eq!(facts.features["a"], ["dep:b", "c?/d"]);
    assert_eq!(facts.targets[0].name, "demo_name");
    assert!(!facts.has_original && facts.problems.is_empty() && facts.version_control.is_none());
}

#[test]
fn dependencies_of_all_kinds() {
    let facts = manifest(
        "[package]
name = \"demo\"
[dependencies]
short = \"1\"
renamed = { package = \"real\", version = \"=2.0\", optional = true, default-features = false, features = [\"f\"] }
elsewhere = { version = \"3\", registry-index = \"https://i.example\", git = \"https://g.example\", path = \"../p\" }
inherited = { workspace = true }
[build-dependencies]
b = \"4\"
[dev-dependencies]
d = {}
[target.'cfg(windows)'.dependencies]
w = \"5\"
[target.x86_64-unknown-linux-gnu.build-dependencies]
l = \"6\"
",
    )
    .manifest;
    let found: Vec<_> = facts
        .dependencies
        .iter()
        .map(|it| (it.name.as_str(), it.section, it.requirement.as_deref(), it.target.as_deref()))
        .collect();
    use DependencySection::{Build, Dev, Normal};
    assert_eq!(
        found,
        [
            ("elsewhere", Normal, Some("3"), None),
            ("inherited", Normal, None, None),
            ("renamed", Normal, Some("=2.0"), None),
            ("short", Normal, Some("1"), None),
            ("b", Build, Some("4"), None),
            ("d", Dev, None, None),
            ("w", Normal, Some("5"), Some("cfg(windows)")),
            ("l", Build, Some("6"), Some("x86_64-unknown-linux-gnu")),
        ]
    );
    let elsewhere = &facts.dependencies[0];
    assert_eq!(elsewhere.registry.as_deref(), Some("https://i.example"));
    assert_eq!(
        (elsewhere.git.as_deref(), elsewhere.path.as_deref()),
        (Some("https://g.example"), Some("../p"))
    );
    assert!(facts.dependencies[1].workspace);
    let renamed = &facts.dependencies[2];
    assert_eq!(renamed.package.as_deref(), Some("real"));
    assert!(renamed.optional && !renamed.default_features);
    assert_eq!(renamed.features, ["f"]);
    assert!(facts.dependencies[3].default_features && !facts.dependencies[3].optional);
    assert_eq!(facts.problems, [""; 0]);
}

#[test]
fn old_spellings() {
    let facts = manifest(
        "[project]
name = \"old\"
[dev_dependencies]
a = { version = \"1\", default_features = false }
[build_dependencies]
b = \"1\"
[lib]
proc_macro = true
",
    )
    .manifest;
    assert_eq!(facts.name.as_deref(), Some("old"));
    assert_eq!(facts.dependencies.len(), 2);
    assert!(!facts.dependencies.iter().find(|it| it.name == "a").unwrap().default_features);
    assert_eq!(facts.targets[0].kind, TargetKind::ProcMacro);
}

#[test]
fn wrong_types_are_problems_and_hide_nothing() {
    let facts = manifest(
        "target = 1
bin = \"x\"
[package]
name = 5
version = \"1.0.0\"
authors = \"me\"
keywords = [1, \"k\"]
edition = { workspace = true }
autobins = \"no\"
[features]
f = true
[dependencies]
a = { version = 1, optional = \"yes\" }
b = 2
",
    )
    .manifest;
    assert_eq!(facts.name, None);
    assert_eq!(facts.version.as_deref(), Some("1.0.0"));
    assert_eq!(facts.keywords, ["k"]);
    for problem in [
        "`package.name` is not a string",
        "`package.authors` is not a list of strings",
        "`package.keywords` is not a list of strings",
        "`package.edition` is inherited from a workspace, which is not in the package",
        "`package.autobins` is not true or false",
        "`features.f` is not a list of strings",
        "`dependencies.a.version` is not a string",
        "`dependencies.a.optional` is not true or false",
        "`dependencies.b.version` is not a string",
        "`target` is not a table",
        "`bin` is not a list of tables",
    ] {
        assert!(facts.problems.iter().any(|it| it == problem), "{problem}: {:#?}", facts.problems);
    }
}

fn targets(facts: &Facts) -> Vec<String> {
    let line = |it: &cratekeeper_model::facts::Target| {
        format!("{:?} {} {}{}", it.kind, it.name, it.path, if it.exists { "" } else { " missing" })
    };
    facts.manifest.targets.iter().map(line).collect()
}

#[test]
fn targets_are_found_by_their_names() {
    let facts = package(
        "//- Cargo.toml
[package]
name = \"my-crate\"
edition = \"2021\"
//- src/lib.rs
//- src/main.rs
//- src/bin/a.rs
//- src/bin/b/main.rs
//- src/bin/b/other.rs
//- examples/e.rs
//- tests/t/main.rs
//- tests/t/helper.rs
//- benches/b.rs
//- build.rs
",
    );
    assert_eq!(
        targets(&facts),
        [
            "Lib my_crate src/lib.rs",
            "Bin my-crate src/main.rs",
            "Bin a src/bin/a.rs",
            "Bin b src/bin/b/main.rs",
            "Example e examples/e.rs",
            "Test t tests/t/main.rs",
            "Bench b benches/b.rs",
            "BuildScript build-script-build build.rs",
        ]
    );
}

#[test]
fn targets_are_declared() {
    let facts = package(
        "//- Cargo.toml
[package]
name = \"my-crate\"
edition = \"2021\"
build = \"./tools/setup.rs\"
autotests = false
[lib]
name = \"other\"
path = \"code/lib.rs\"
crate-type = [\"proc-macro\"]
[[bin]]
name = \"tool\"
required-features = [\"cli\"]
[[bin]]
name = \"elsewhere\"
path = \"../outside.rs\"
//- code/lib.rs
//- src/bin/tool.rs
//- tests/t.rs
//- tools/setup.rs
//- build.rs
",
    );
    assert_eq!(
        targets(&facts),
        [
            "ProcMacro other code/lib.rs",
            "Bin tool src/bin/tool.rs",
            "Bin elsewhere ../outside.rs missing",
            "BuildScript build-script-setup tools/setup.rs",
        ]
    );
    assert_eq!(facts.manifest.targets[1].required_features, ["cli"]);
    let unlinked: Vec<_> = facts.source.rust_files.iter().filter(|it| it.targets.is_empty()).collect();
    assert_eq!(unlinked.len(), 2, "the switched off test, and the build script that is none");
}

#[test]
fn build_scripts_can_be_switched_off() {
    let facts = package("//- Cargo.toml\n[package]\nname = \"a\"\nbuild = false\n//- build.rs\n");
    assert_eq!(targets(&facts), [""; 0]);
}

#[test]
fn in_2015_declared_targets_end_discovery() {
    let text = "//- src/bin/a.rs\n//- src/bin/b.rs\n//- Cargo.toml\n[package]\nname = \"x\"\n[[bin]]\nname = \"a\"\n";
    assert_eq!(targets(&package(text)), ["Bin a src/bin/a.rs"]);
    let text = text.replace("name = \"x\"", "name = \"x\"\nedition = \"2018\"");
    assert_eq!(targets(&package(&text)), ["Bin a src/bin/a.rs", "Bin b src/bin/b.rs"]);
}

#[test]
fn version_control() {
    let facts = package(
        "//- .cargo_vcs_info.json
{ \"git\": { \"sha1\": \"0123abcd\", \"dirty\": true }, \"path_in_vcs\": \"crates/demo\", \"new\": 1 }
",
    );
    let found = facts.manifest.version_control.unwrap();
    assert_eq!(found.commit.as_deref(), Some("0123abcd"));
    assert_eq!((found.dirty, found.path.as_deref()), (true, Some("crates/demo")));
    let broken = package("//- .cargo_vcs_info.json\n{ \"git\": [] }\n");
    assert!(broken.manifest.version_control.is_none());
    assert!(broken.manifest.problems[0].starts_with("`.cargo_vcs_info.json` cannot be read"));
}

#[test]
fn manifests_that_cannot_be_read() {
    let deep = format!("a = {}", "[".repeat(100_000));
    let dotted = format!("{}a = 1", "a.".repeat(100_000));
    let tables = format!("[{}a]\nb = 1", "a.".repeat(100_000));
    let huge = format!("a = \"{}\"", "x".repeat(5 << 20));
    for text in ["[package", "a = 1\na = 2", &deep, &dotted, &tables, &huge, "\u{0}", "a = \"\\uD800\""] {
        let facts = package(&format!("//- Cargo.toml\n{text}\n//- src/lib.rs\nfn f() {{}}\n"));
        let problems = &facts.manifest.problems;
        assert_eq!(problems.len(), 1, "{}", &text[..text.len().min(20)]);
        assert!(problems[0].starts_with("`Cargo.toml` cannot be read: "), "{problems:?}");
        assert!(problems[0].len() < 5000);
        assert_eq!(facts.source.functions.len(), 1);
    }
    let none = analyze(&[PackageFile::new("src/lib.rs", b"")], &Limits::default());
    assert_eq!(none.manifest.problems, ["the package has no `Cargo.toml`"]);
    let binary = analyze(&[PackageFile::new("Cargo.toml", b"\xff")], &Limits::default());
    assert_eq!(binary.manifest.problems, ["`Cargo.toml` cannot be read: it is not UTF-8"]);
}

#[test]
fn a_byte_order_mark_is_no_problem() {
    let facts = manifest("\u{FEFF}[package]\nname = \"a\"");
    assert_eq!(facts.manifest.name.as_deref(), Some("a"));
}

const ORIGINAL: &str = "[package]
name = \"demo\"
version.workspace = true
license = { workspace = true }
repository = \"https://r.example\"
[dependencies]
a = { version = \"1\", path = \"../a\" }
b = { workspace = true, features = [\"x\"] }
c = { version = \"2\", git = \"https://g.example\", optional = true }
[dev-dependencies]
helper = { path = \"../helper\" }
inherited.workspace = true
[target.\"cfg( unix )\".dependencies]
u = \"3\"
[features]
f = [\"c\", \"helper/x\"]
";

const PUBLISHED: &str = "[package]
edition = \"2015\"
name = \"demo\"
version = \"1.0.0\"
license = \"MIT\"
build = false
autobins = false
repository = \"https://r.example\"
[lib]
name = \"demo\"
path = \"src/lib.rs\"
[dependencies.a]
version = \"1\"
[dependencies.b]
version = \"1.5\"
features = [\"x\"]
[dependencies.c]
version = \"2\"
optional = true
[target.\"cfg(unix)\".dependencies.u]
version = \"3\"
[features]
f = [\"c\"]
";

fn differences(published: &str, original: &str) -> Vec<String> {
    let text = format!(
        "//- Cargo.toml\n{published}\n//- Cargo.toml.orig\n{original}\n//- src/lib.rs\n//- src/x.rs\n"
    );
    let facts = package(&text);
    assert!(facts.manifest.has_original);
    let show = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
    let found = facts.manifest.differences.iter();
    found.map(|it| format!("{}: {} was {}", it.field, show(&it.published), show(&it.original))).collect()
}

#[test]
fn what_cargo_does_itself_is_no_difference() {
    assert_eq!(differences(PUBLISHED, ORIGINAL), [""; 0]);
}

#[test]
fn each_change_is_a_difference() {
    for (from, to, expected) in [
        ("name = \"demo\"\nversion", "name = \"demo2\"\nversion", "package.name: demo2 was demo"),
        ("r.example", "evil.example", "package.repository: https://evil.example was https://r.example"),
        ("edition = \"2015\"", "edition = \"2021\"", "package.edition: 2021 was -"),
        ("build = false", "links = \"z\"", "package.links: z was -"),
        (
            "[dependencies.b]",
            "[dependencies.evil]\nversion = \"9\"\n[dependencies.b]",
            "dependencies.evil: 9 was -",
        ),
        (
            "[dependencies.b]",
            "[build-dependencies.evil]\nversion = \"9\"\n[dependencies.b]",
            "build-dependencies.evil: 9 was -",
        ),
        (
            "[dependencies.a]\nversion = \"1\"",
            "[dependencies.a]\nversion = \"1.1\"",
            "dependencies.a.version: 1.1 was 1",
        ),
        (
            "[dependencies.a]\nversion = \"1\"",
            "[dependencies.a]\nversion = \"1\"\npackage = \"evil\"",
            "dependencies.a.package: evil was -",
        ),
        ("optional = true", "optional = false", "dependencies.c.optional: false was true"),
        ("[dependencies.a]\nversion = \"1\"", "", "dependencies.a: - was 1"),
        ("f = [\"c\"]", "f = [\"c\", \"evil\"]", "features.f: evil was -"),
        ("f = [\"c\"]", "f = [\"c\"]\ndefault = [\"f\"]", "features.default: {\"f\"} was -"),
        ("build = false", "build = \"src/x.rs\"", "build: src/x.rs was -"),
        ("[lib]", "[lib]\nproc-macro = true", "lib.proc-macro: src/lib.rs was -"),
        ("path = \"src/lib.rs\"", "path = \"src/x.rs\"", "lib: src/x.rs was src/lib.rs"),
        (
            "[target.\"cfg(unix)\".dependencies.u]",
            "[target.\"cfg(windows)\".dependencies.u]",
            "target.cfg(windows).dependencies.u: 3 was -",
        ),
    ] {
        let changed = PUBLISHED.replacen(from, to, 1);
        assert_ne!(changed, PUBLISHED, "{from}");
        let found = differences(&changed, ORIGINAL);
        assert!(found.iter().any(|it| it == expected), "{expected}: {found:#?}");
    }
}

#[test]
fn other_sources_and_switched_features_are_differences() {
    let original = "[package]\nname = \"d\"\n[dependencies]\na = { version = \"1\", features = [\"x\"] }\n";
    for (line, expected) in [
        ("a = { version = \"1\", features = [\"x\", \"y\"] }", "dependencies.a.features: y was -"),
        (
            "a = { version = \"1\", features = [\"x\"], registry-index = \"https://i.example\" }",
            "dependencies.a.registry: https://i.example was -",
        ),
        (
            "a = { version = \"1\", features = [\"x\"], default-features = false }",
            "dependencies.a.default-features: false was true",
        ),
    ] {
        let published = format!("[package]\nname = \"d\"\n[dependencies]\n{line}\n");
        assert_eq!(differences(&published, original), [expected]);
    }
}
