//! Workspaces of a few lines against lockfiles of a few names.

use fs_err as fs;
use tempfile::TempDir;

use super::*;

fn lockfile(names: &[&str]) -> Lockfile {
    let entry = |name: &&str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
    Lockfile::parse(&format!("version = 4\n{}", names.iter().map(entry).collect::<String>())).unwrap()
}

fn workspace(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = directory.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// `manifest:line key name` of everything that is missing; nothing may be wrong with the manifests.
#[track_caller]
fn missing(files: &[(&str, &str)], locked: &[&str]) -> Vec<String> {
    let directory = workspace(files);
    let found = lockfile(locked).missing_dependencies(directory.path());
    assert_eq!(found.problems, [""; 0]);
    let shown = found.dependencies.iter().map(|it| {
        format!("{}:{} {} {}", it.manifest.display().to_string().replace('\\', "/"), it.line, it.key, it.name)
    });
    shown.collect()
}

#[test]
fn a_name_that_is_not_locked_is_missing_in_every_table() {
    let manifest = "\
[package]
name = \"a\"
[dependencies]
serde_jsn = \"1\"
log = \"0.4\"
[dependencies.tokoi]
version = \"1\"
[dev-dependencies]
instaa = { version = \"1\", optional = true }
[build_dependencies]
ccc.version = \"1\"
[target.'cfg(windows)'.dependencies]
winapii = { registry = \"own\", version = \"1\" }
";
    let found = missing(&[("Cargo.toml", manifest)], &["a", "log"]);
    assert_eq!(
        found,
        [
            "Cargo.toml:4 serde_jsn serde_jsn",
            "Cargo.toml:6 tokoi tokoi",
            "Cargo.toml:9 instaa instaa",
            "Cargo.toml:11 ccc ccc",
            "Cargo.toml:13 winapii winapii",
        ]
    );
}

#[test]
fn the_name_counts_and_not_the_key() {
    let manifest = "\
[dependencies]
json = { package = \"serde_json\", version = \"1\" }
serde_json = { package = \"serde_jsn\", version = \"1\" }
";
    assert_eq!(missing(&[("Cargo.toml", manifest)], &["serde_json"]), ["Cargo.toml:3 serde_json serde_jsn"]);
}

#[test]
fn separators_are_part_of_a_name() {
    let found = missing(&[("Cargo.toml", "[dependencies]\nserde-json = \"1\"\n")], &["serde_json"]);
    assert_eq!(found, ["Cargo.toml:2 serde-json serde-json"]);
}

#[test]
fn patches_and_paths_are_not_looked_up_by_name() {
    let manifest = "\
[dependencies]
beside = { path = \"../beside\", version = \"1\" }
[patch.crates-io]
patched = { git = \"https://git.example.invalid/\" }
[replace]
\"old:1.0.0\" = { path = \"old\" }
[features]
x = []
";
    assert!(missing(&[("Cargo.toml", manifest)], &["a"]).is_empty());
}

#[test]
fn a_git_dependency_is_missing_and_says_so() {
    let directory =
        workspace(&[("Cargo.toml", "[dependencies]\nforked = { git = \"https://git.example.invalid/\" }\n")]);
    let found = lockfile(&["a"]).missing_dependencies(directory.path()).dependencies;
    assert_eq!((found.len(), found[0].lookup), (1, Lookup::Git));
}

#[test]
fn members_are_found_as_cargo_finds_them() {
    let typo = |name: &str| format!("[dependencies]\n{name} = \"1\"\n");
    let with_path = format!("{}near = {{ path = \"../../near\" }}\n[dev-dependencies]\n", typo("x-a"))
        + "out = { path = \"../../../out\" }\nskipped = { path = \"../../skipped/deep\" }\n";
    let files = [
        (
            "Cargo.toml",
            "[workspace]\nmembers = [\"crates/*\", \"tool\", \"skipped/kept\"]\nexclude = [\"crates/c\", \"skipped\"]\n",
        ),
        ("crates/a/Cargo.toml", with_path.as_str()),
        ("crates/b/Cargo.toml", &typo("x-b")),
        ("crates/c/Cargo.toml", &typo("excluded")),
        ("crates/no-manifest/README.md", ""),
        ("near/Cargo.toml", &typo("x-near")),
        ("tool/Cargo.toml", &typo("x-tool")),
        ("skipped/deep/Cargo.toml", &typo("excluded")),
        ("skipped/kept/Cargo.toml", &typo("x-kept")),
        ("elsewhere/Cargo.toml", &typo("no-member")),
    ];
    let found = missing(&files, &[]);
    assert_eq!(
        found,
        [
            "crates/a/Cargo.toml:2 x-a x-a",
            "crates/b/Cargo.toml:2 x-b x-b",
            "near/Cargo.toml:2 x-near x-near",
            "skipped/kept/Cargo.toml:2 x-kept x-kept",
            "tool/Cargo.toml:2 x-tool x-tool",
        ]
    );
}

#[test]
fn without_a_workspace_path_dependencies_are_no_members() {
    let files = [
        ("Cargo.toml", "[dependencies]\nnear = { path = \"near\" }\nelsewhere.workspace = true\n"),
        ("near/Cargo.toml", "[dev-dependencies]\nnot-locked = \"1\"\n"),
    ];
    assert!(missing(&files, &[]).is_empty());
}

#[test]
fn what_members_inherit_is_missing_where_it_is_written() {
    let root = "\
[workspace]
members = [\"a\", \"b\"]
[workspace.dependencies]
unused = \"1\"
serde_jsn = \"1\"
json = { package = \"jsno\", version = \"1\" }
near = { path = \"near\" }
";
    let files = [
        ("Cargo.toml", root),
        ("a/Cargo.toml", "[dependencies]\nserde_jsn.workspace = true\njson = { workspace = true }\n"),
        (
            "b/Cargo.toml",
            "[dev-dependencies]\nserde_jsn = { workspace = true, features = [] }\nnear.workspace = true\n\
             serde_jso.workspace = true\n",
        ),
        ("near/Cargo.toml", "[dependencies]\nx-near = \"1\"\n"),
    ];
    let found = missing(&files, &["a", "b"]);
    assert_eq!(
        found,
        [
            "Cargo.toml:5 serde_jsn serde_jsn",
            "Cargo.toml:6 json jsno",
            "b/Cargo.toml:4 serde_jso serde_jso",
            "near/Cargo.toml:2 x-near x-near",
        ]
    );
}

#[test]
fn a_manifest_that_cannot_be_read_hides_nothing_of_the_others() {
    let directory = workspace(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\", \"gone\"]\n"),
        ("a/Cargo.toml", "[dependencies]\nbroken = \n"),
        ("b/Cargo.toml", "[dependencies]\ntypo = \"1\"\n"),
    ]);
    let mut found = lockfile(&[]).missing_dependencies(directory.path());
    found.problems.sort();
    assert_eq!(found.dependencies.len(), 1);
    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
    assert!(found.problems[0].contains("a/Cargo.toml") && found.problems[0].contains("line 2"));
    assert!(found.problems[1].contains("gone/Cargo.toml"));
}

#[test]
fn values_of_wrong_types_are_passed_over() {
    let manifest = "dependencies = 3\nworkspace = \"x\"\n[target]\nx = 1\n[build-dependencies]\nodd = 7\n";
    assert_eq!(missing(&[("Cargo.toml", manifest)], &[]), ["Cargo.toml:6 odd odd"]);
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let names: String = (0..MAX_LISTED + 5).map(|number| format!("x{number} = \"1\"\n")).collect();
    let directory = workspace(&[("Cargo.toml", &format!("[dependencies]\n{names}"))]);
    let found = lockfile(&[]).missing_dependencies(directory.path());
    assert_eq!(found.dependencies.len(), MAX_LISTED);
    assert_eq!(found.problems.len(), 1);
}

#[test]
fn members_and_other_packages_are_told_apart() {
    let directory = workspace(&[
        (
            "w/Cargo.toml",
            "[workspace]\nresolver = \"2\"\nmembers = [\"crates/*\"]\nexclude = [\"crates/out\"]\n\
             [workspace.dependencies]\nbeside = { path = \"../beside\" }\n",
        ),
        (
            "w/crates/a/Cargo.toml",
            "[package]\nname = \"a\"\n[dependencies]\nb = { path = \"../../b\" }\nbeside.workspace = true\nout = { path = \"../out\" }\n",
        ),
        ("w/crates/out/Cargo.toml", "[package]\nname = \"out\"\n"),
        ("w/b/Cargo.toml", "[package]\nname = \"b\"\n"),
        ("w/unrelated/Cargo.toml", "[package]\nname = \"unrelated\"\n"),
        ("beside/Cargo.toml", "[package]\nname = \"beside\"\n"),
    ]);
    let root = directory.path().join("w");
    let found = LocalPackages::find(&root);
    assert_eq!(found.members, [root.clone(), root.join("b"), root.join("crates/a")]);
    assert_eq!(found.others, [directory.path().join("beside"), root.join("crates/out")]);
    assert_eq!((found.resolver.as_deref(), found.problems), (Some("2"), Vec::new()));
    let found = LocalPackages::find(&root.join("unrelated"));
    assert_eq!((found.members.len(), found.others.len(), found.resolver), (1, 0, None));
    assert_eq!(LocalPackages::find(&root.join("nowhere")).problems.len(), 1);
}
