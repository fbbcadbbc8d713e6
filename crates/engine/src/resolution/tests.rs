//! Cargo's feature rules one by one, on lockfiles and manifests of a few lines, and on random ones.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::fmt::Write as _;

use cratekeeper_source::read_manifest;
use proptest::prelude::*;

use super::*;

/// A workspace of packages, given as manifests without `[package]`; the first is the only member. Each is locked with every
/// other that its manifest names.
struct Workspace {
    lockfile: Lockfile,
    manifests: Vec<ManifestFacts>,
}

impl Workspace {
    /// By `name version`, and what comes after the `[package]` table.
    fn of(packages: &[(&str, &str)]) -> Workspace {
        let manifests: Vec<ManifestFacts> = packages
            .iter()
            .map(|(package, rest)| {
                let (name, version) = package.split_once(' ').unwrap();
                let text = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\n{rest}");
                let facts = read_manifest(text.as_bytes(), b"", &["build.rs", "src/lib.rs"]);
                assert_eq!(facts.problems, [""; 0]);
                facts
            })
            .collect();
        let mut lockfile = "version = 4\n".to_owned();
        for manifest in &manifests {
            let (name, version) = (manifest.name.as_ref().unwrap(), manifest.version.as_ref().unwrap());
            let locked = manifests.iter().filter(|other| {
                let names = manifest.dependencies.iter().map(|it| it.package.as_ref().unwrap_or(&it.name));
                names.into_iter().any(|name| Some(name) == other.name.as_ref())
            });
            let locked: Vec<String> = locked
                .map(|it| format!("\"{} {}\"", it.name.as_ref().unwrap(), it.version.as_ref().unwrap()))
                .collect();
            let dependencies = locked.join(", ");
            let _ = write!(
                lockfile,
                "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndependencies = [{dependencies}]\n"
            );
        }
        Workspace { lockfile: Lockfile::parse(&lockfile).unwrap(), manifests }
    }

    fn resolve(&self, options: &ResolutionOptions) -> Resolution {
        let manifests: Vec<Option<&ManifestFacts>> = self.manifests.iter().map(Some).collect();
        let members = BTreeSet::from([0]);
        resolve(
            &ResolutionInput { lockfile: &self.lockfile, manifests: &manifests, members: &members },
            options,
        )
    }
}

fn options() -> ResolutionOptions {
    ResolutionOptions {
        resolver: Resolver::Separate,
        target: Platform::of_triple("x86_64-unknown-linux-gnu"),
        host: Platform::of_triple("x86_64-unknown-linux-gnu"),
        features: FeatureSelection::default(),
        dev_dependencies: false,
    }
}

fn with_features(features: &[&str]) -> ResolutionOptions {
    let features = features.iter().map(|it| (*it).to_owned()).collect();
    ResolutionOptions { features: FeatureSelection { features, ..FeatureSelection::default() }, ..options() }
}

/// Each package that is compiled: `name: features`, with `| features` for the host.
fn built(resolution: &Resolution) -> Vec<String> {
    let join = |features: &BTreeSet<String>| features.iter().cloned().collect::<Vec<_>>().join(" ");
    let shown = resolution.packages.iter().filter(|package| !package.kinds.is_empty()).map(|package| {
        let target = package.features.as_ref().map_or("-".to_owned(), join);
        let host = package.host_features.as_ref().map(|it| format!("| {}", join(it))).unwrap_or_default();
        format!("{}: {target}{host}", package.name)
    });
    shown.collect()
}

#[track_caller]
fn check(packages: &[(&str, &str)], options: &ResolutionOptions, expect: &[&str]) {
    let resolution = Workspace::of(packages).resolve(options);
    assert_eq!(resolution.problems, [""; 0]);
    assert_eq!(built(&resolution), expect);
}

const B: &str = "[features]\ndefault = [\"x\"]\nx = []\ny = [\"x\"]\nz = []\n";

#[test]
fn default_features_are_on_unless_every_user_switches_them_off() {
    check(&[("a 1.0.0", "[dependencies]\nb = \"1\""), ("b 1.0.0", B)], &options(), &["a: ", "b: default x"]);
    let without = "[dependencies]\nb = { version = \"1\", default-features = false, features = [\"z\"] }\n";
    check(&[("a 1.0.0", without), ("b 1.0.0", B)], &options(), &["a: ", "b: z"]);
    let both = format!("{without}c = \"1\"\n");
    check(
        &[("a 1.0.0", &both), ("b 1.0.0", B), ("c 1.0.0", "[dependencies]\nb = \"1\"")],
        &options(),
        &["a: ", "b: default x z", "c: "],
    );
}

#[test]
fn features_switch_on_features() {
    let a = "[dependencies]\nb = { version = \"1\", default-features = false, features = [\"y\"] }";
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &options(), &["a: ", "b: x y"]);
}

#[test]
fn an_optional_dependency_is_off_until_the_feature_of_its_name_is_on() {
    let a = "[dependencies]\nb = { version = \"1\", optional = true }\n";
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &options(), &["a: "]);
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &with_features(&["b"]), &["a: b", "b: default x"]);
    let by_default = format!("{a}[features]\ndefault = [\"b\"]\n");
    check(&[("a 1.0.0", &by_default), ("b 1.0.0", B)], &options(), &["a: b default", "b: default x"]);
}

#[test]
fn a_dependency_that_is_named_with_dep_implies_no_feature() {
    let a = "[dependencies]\nb = { version = \"1\", optional = true }\n[features]\non = [\"dep:b\"]\n";
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &with_features(&["b"]), &["a: "]);
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &with_features(&["on"]), &["a: on", "b: default x"]);
}

#[test]
fn a_feature_of_a_dependency_switches_it_on_and_a_weak_one_does_not() {
    let a = |value: &str| {
        format!(
            "[dependencies]\nb = {{ version = \"1\", optional = true, default-features = false }}\n\
             [features]\non = [\"{value}\"]\nalso = [\"b\"]\n"
        )
    };
    check(&[("a 1.0.0", &a("b/z")), ("b 1.0.0", B)], &with_features(&["on"]), &["a: b on", "b: z"]);
    check(&[("a 1.0.0", &a("b?/z")), ("b 1.0.0", B)], &with_features(&["on"]), &["a: on"]);
    // Whichever comes first.
    for features in [["on", "also"], ["also", "on"]] {
        check(
            &[("a 1.0.0", &a("b?/z")), ("b 1.0.0", B)],
            &with_features(&features),
            &["a: also b on", "b: z"],
        );
    }
}

#[test]
fn a_feature_of_a_dependency_that_is_not_optional_is_no_feature_of_the_package() {
    let a = "[dependencies]\nb = { version = \"1\", default-features = false }\n[features]\non = [\"b/z\"]\nweak = [\"b?/y\"]";
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &options(), &["a: ", "b: "]);
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &with_features(&["on", "weak"]), &["a: on weak", "b: x y z"]);
}

#[test]
fn the_command_line_chooses_features_of_members_and_of_their_dependencies() {
    let a = "[dependencies]\nb = { version = \"1\", default-features = false }\n[features]\ndefault = [\"p\"]\np = []\nq = []\n";
    let packages = [("a 1.0.0", a), ("b 1.0.0", B)];
    check(&packages, &with_features(&["b/z", "a/q", "unknown", "c/x"]), &["a: default p q", "b: z"]);
    let features = FeatureSelection { default: false, ..FeatureSelection::default() };
    check(&packages, &ResolutionOptions { features, ..options() }, &["a: ", "b: "]);
    let features = FeatureSelection { all: true, ..FeatureSelection::default() };
    check(&packages, &ResolutionOptions { features, ..options() }, &["a: default p q", "b: "]);
}

#[test]
fn build_dependencies_have_features_of_their_own() {
    let a = "[dependencies]\nb = { version = \"1\", default-features = false }\n\
             [build-dependencies]\nb = { version = \"1\", default-features = false, features = [\"z\"] }\n";
    let packages = [("a 1.0.0", a), ("b 1.0.0", B)];
    check(&packages, &options(), &["a: ", "b: | z"]);
    check(&packages, &ResolutionOptions { resolver: Resolver::Unified, ..options() }, &["a: ", "b: z| z"]);
}

#[test]
fn what_a_procedural_macro_needs_is_for_the_host() {
    let a = "[dependencies]\nm = \"1\"\nb = { version = \"1\", default-features = false }\n";
    let m = "[lib]\nproc-macro = true\n[dependencies]\nb = \"1\"\n";
    check(
        &[("a 1.0.0", a), ("b 1.0.0", B), ("m 1.0.0", m)],
        &options(),
        &["a: ", "b: | default x", "m: -| "],
    );
}

#[test]
fn other_platforms_dependencies_do_not_count() {
    let a = "[dependencies]\nb = { version = \"1\", default-features = false }\n\
             [target.'cfg(windows)'.dependencies]\nb = \"1\"\nc = \"1\"\n\
             [target.x86_64-unknown-linux-gnu.dependencies]\nd = \"1\"\n";
    let packages = [("a 1.0.0", a), ("b 1.0.0", B), ("c 1.0.0", ""), ("d 1.0.0", "")];
    check(&packages, &options(), &["a: ", "b: ", "d: "]);
    let unified = ResolutionOptions { resolver: Resolver::Unified, ..options() };
    check(&packages, &unified, &["a: ", "b: default x", "d: "]);
    let windows = Platform::of_triple("x86_64-pc-windows-msvc");
    check(&packages, &ResolutionOptions { target: windows, ..options() }, &["a: ", "b: default x", "c: "]);
}

#[test]
fn tests_count_for_members_and_only_when_they_are_built() {
    let a = "[dependencies]\nb = { version = \"1\", default-features = false }\n\
             [dev-dependencies]\nb = \"1\"\nc = \"1\"\n";
    let packages =
        [("a 1.0.0", a), ("b 1.0.0", B), ("c 1.0.0", "[dev-dependencies]\nd = \"1\""), ("d 1.0.0", "")];
    check(&packages, &options(), &["a: ", "b: "]);
    let with_tests = ResolutionOptions { dev_dependencies: true, ..options() };
    check(&packages, &with_tests, &["a: ", "b: default x", "c: "]);
    let resolution = Workspace::of(&packages).resolve(&with_tests);
    let kinds: Vec<_> = resolution.packages.iter().map(|package| package.kinds.clone()).collect();
    let (normal, dev) = (DependencyKind::Normal, DependencyKind::Dev);
    assert_eq!(kinds, [vec![normal], vec![normal, dev], vec![dev], vec![]]);
    assert!(resolution.packages[2].dependencies.is_empty(), "tests of dependencies are nobody's concern");
}

#[test]
fn build_dependencies_without_a_build_script_are_not_compiled() {
    let a = "build = false\n[build-dependencies]\nb = \"1\"\n";
    check(&[("a 1.0.0", a), ("b 1.0.0", B)], &options(), &["a: "]);
}

#[test]
fn requirements_and_renames_tell_versions_apart() {
    let a = "[dependencies]\nb = \"1\"\nold = { package = \"b\", version = \"0.3\" }\nmissing = { package = \"b\", version = \"7\", optional = true }\n";
    let b2 = "[lib]\nname = \"other_name\"\n";
    let workspace = Workspace::of(&[("a 1.0.0", a), ("b 0.3.1", ""), ("b 1.2.0", b2)]);
    let resolution = workspace.resolve(&options());
    let found: Vec<_> =
        resolution.packages[0].dependencies.iter().map(|it| (it.crate_name.as_str(), it.package)).collect();
    let mut expect = [("other_name", Some(2)), ("missing", None), ("old", Some(1))];
    expect.sort_unstable();
    let mut found = found;
    found.sort_unstable();
    assert_eq!(found, expect);
    assert!(resolution.packages[0].dependencies.iter().all(|it| it.enabled == it.package.is_some()));
}

#[test]
fn without_a_manifest_everything_locked_counts_as_used() {
    let workspace = Workspace::of(&[
        ("a 1.0.0", "[dependencies]\nb = { version = \"1\", optional = true }"),
        ("b 1.0.0", B),
    ]);
    let members = BTreeSet::from([0, 99]);
    let manifests = [None, Some(&workspace.manifests[1])];
    let input = ResolutionInput { lockfile: &workspace.lockfile, manifests: &manifests, members: &members };
    let resolution = resolve(&input, &options());
    assert_eq!(built(&resolution), ["a: ", "b: default x"]);
    assert!(!resolution.packages[0].has_manifest);
    assert_eq!(resolution.problems.len(), 1);
    let input = ResolutionInput { lockfile: &workspace.lockfile, manifests: &[], members: &members };
    assert_eq!(resolve(&input, &options()).problems.len(), 2);
}

#[test]
fn a_platform_that_cannot_be_read_counts_and_is_a_problem() {
    let a = "[target.'cfg(unix'.dependencies]\nb = \"1\"\n";
    let resolution = Workspace::of(&[("a 1.0.0", a), ("b 1.0.0", B)]).resolve(&options());
    assert_eq!(built(&resolution), ["a: ", "b: default x"]);
    assert_eq!(resolution.problems.len(), 2, "once for the target, once for the host");
}

#[test]
fn the_resolver_follows_from_the_manifest() {
    let table = [
        (Some("1"), Some("2021"), Resolver::Unified),
        (Some("2"), Some("2015"), Resolver::Separate),
        (Some("3"), None, Resolver::Separate),
        (None, Some("2018"), Resolver::Unified),
        (None, Some("2021"), Resolver::Separate),
        (None, None, Resolver::Unified),
    ];
    for (resolver, edition, expected) in table {
        assert_eq!(Resolver::of(resolver, edition), expected, "{resolver:?} {edition:?}");
    }
}

#[test]
fn features_that_refer_to_each_other_come_to_an_end() {
    let a = "[dependencies]\nb = \"1\"\n[features]\ndefault = [\"p\"]\np = [\"q\", \"b/y/x\", \"b/b/b\"]\nq = [\"p\", \"default\", \"p/p\"]\n";
    let b = "[dependencies]\na = \"1\"\n[features]\ny = [\"a/p\"]\n";
    let resolution = Workspace::of(&[("a 1.0.0", a), ("b 1.0.0", b)]).resolve(&options());
    assert_eq!(built(&resolution), ["a: default p q", "b: "]);
    let deep: String = (0..50_000).fold("[features]\ndefault = [\"f0\"]\n".to_owned(), |mut text, at| {
        let _ = writeln!(text, "f{at} = [\"f{}\"]", at + 1);
        text
    });
    let resolution = Workspace::of(&[("a 1.0.0", &deep)]).resolve(&options());
    assert_eq!(resolution.packages[0].features.as_ref().unwrap().len(), 50_001);
}

#[test]
fn a_key_in_very_many_tables_is_a_problem_and_no_standstill() {
    let mut a = String::new();
    for at in 0..6_000 {
        let _ = write!(a, "[target.t{at}.dependencies]\nb = \"1\"\n");
    }
    let values: Vec<String> = (0..6_000).map(|at| format!("\"b/f{at}\"")).collect();
    let _ = write!(a, "[features]\ndefault = [{}]\n", values.join(", "));
    let unified = ResolutionOptions { resolver: Resolver::Unified, ..options() };
    let resolution = Workspace::of(&[("a 1.0.0", &a), ("b 1.0.0", "")]).resolve(&unified);
    assert!(resolution.problems.iter().any(|it| it.contains("too often")), "{:?}", resolution.problems);
}

/// A value of a feature, mostly one that means something.
fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-d]", "dep:[a-d]", "[a-d]\\??/[a-d]", "[a-d/?:]{0,6}", Just("default".to_owned()),]
}

fn package(name: &'static str) -> impl Strategy<Value = (String, String)> {
    let dependency = ("[a-d]", any::<bool>(), any::<bool>(), prop::collection::vec("[a-d]", 0..2));
    let features = prop::collection::btree_map("[a-d]|default", prop::collection::vec(value(), 0..4), 0..4);
    (prop::collection::vec(dependency, 0..4), features).prop_map(move |(dependencies, features)| {
        let mut text = String::new();
        for (at, (key, optional, default, features)) in dependencies.into_iter().enumerate() {
            let table = ["dependencies", "build-dependencies", "target.'cfg(unix)'.dependencies", "dev-dependencies"];
            let _ = writeln!(
                text,
                "[{}.{key}]\nversion = \"1\"\noptional = {optional}\ndefault-features = {default}\nfeatures = {features:?}",
                table[at]
            );
        }
        let _ = writeln!(text, "[features]");
        for (name, values) in features {
            let _ = writeln!(text, "{name} = {values:?}");
        }
        (format!("{name} 1.0.0"), text)
    })
}

proptest! {
    #[test]
    fn any_features_come_to_an_end_and_more_switch_on_no_less(
        packages in (package("a"), package("b"), package("c"), package("d")),
        dev_dependencies: bool,
        unified: bool,
    ) {
        let (a, b, c, d) = &packages;
        let packages: Vec<(&str, &str)> = [a, b, c, d].iter().map(|(it, text)| (it.as_str(), text.as_str())).collect();
        let workspace = Workspace::of(&packages);
        let resolver = if unified { Resolver::Unified } else { Resolver::Separate };
        let fewer = ResolutionOptions { resolver, dev_dependencies, ..options() };
        let features = FeatureSelection { all: true, ..FeatureSelection::default() };
        let more = ResolutionOptions { features, ..fewer.clone() };
        let (fewer, more) = (workspace.resolve(&fewer), workspace.resolve(&more));
        for (fewer, more) in fewer.packages.iter().zip(&more.packages) {
            for (fewer, more) in [(&fewer.features, &more.features), (&fewer.host_features, &more.host_features)] {
                if let Some(fewer) = fewer {
                    prop_assert!(more.as_ref().is_some_and(|more| fewer.is_subset(more)));
                }
            }
            for dependency in &fewer.dependencies {
                prop_assert!(dependency.package.is_some() || !dependency.enabled);
            }
        }
    }
}
