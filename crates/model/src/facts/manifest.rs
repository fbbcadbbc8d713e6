//! Facts from `Cargo.toml`, `Cargo.toml.orig` and `.cargo_vcs_info.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the manifest says.
///
/// Field meanings are cargo's: <https://doc.rust-lang.org/cargo/reference/manifest.html>. A field whose value
/// has the wrong type, or is inherited from a workspace that is not part of the package, is absent here and
/// named in [`problems`](ManifestFacts::problems).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestFacts {
    /// `package.name`.
    pub name: Option<String>,
    /// `package.version`, as written.
    pub version: Option<String>,
    /// `package.edition`; `None` means 2015.
    pub edition: Option<String>,
    /// `package.rust-version`.
    pub rust_version: Option<String>,
    /// `package.license`, an SPDX expression as written.
    pub license: Option<String>,
    /// `package.license-file`.
    pub license_file: Option<String>,
    /// `package.description`.
    pub description: Option<String>,
    /// `package.repository`.
    pub repository: Option<String>,
    /// `package.homepage`.
    pub homepage: Option<String>,
    /// `package.documentation`.
    pub documentation: Option<String>,
    /// `package.authors`.
    pub authors: Vec<String>,
    /// `package.keywords`.
    pub keywords: Vec<String>,
    /// `package.categories`.
    pub categories: Vec<String>,
    /// `package.links`: the native library that the build script links.
    pub links: Option<String>,
    /// Everything cargo would build, declared or found by cargo's naming rules.
    pub targets: Vec<Target>,
    /// `[features]`, by name.
    pub features: BTreeMap<String, Vec<String>>,
    /// All dependencies of all sections, in the manifest's order.
    pub dependencies: Vec<Dependency>,
    /// `.cargo_vcs_info.json`; `None` when the package has none.
    pub version_control: Option<VersionControl>,
    /// Whether the package carries `Cargo.toml.orig`.
    pub has_original: bool,
    /// Where `Cargo.toml` says something else than `Cargo.toml.orig` would normalise to.
    pub differences: Vec<ManifestDifference>,
    /// What could not be read, one sentence fragment each.
    pub problems: Vec<String>,
    /// `rustdoc-args`, `rustc-args` and `cargo-args` of `[package.metadata.docs.rs]`, with which documentation is built.
    #[serde(default)]
    pub documentation_arguments: Vec<String>,
}

/// Something that cargo builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Kind of target.
    pub kind: TargetKind,
    /// Name; for libraries with `_` for `-`, as code refers to it.
    pub name: String,
    /// Root file, relative to the package, normalised (`src/lib.rs`).
    pub path: String,
    /// Whether the root file is part of the package.
    pub exists: bool,
    /// `required-features`.
    pub required_features: Vec<String>,
}

/// Kinds of [`Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// A library.
    Lib,
    /// A library of procedural macros: it runs inside the compiler.
    ProcMacro,
    /// A program.
    Bin,
    /// An example.
    Example,
    /// An integration test.
    Test,
    /// A benchmark.
    Bench,
    /// A build script under any name: it runs before the package is compiled.
    BuildScript,
}

impl TargetKind {
    /// Whether code of this target runs on the machine of whoever builds the package.
    #[must_use]
    pub fn runs_at_build_time(self) -> bool {
        matches!(self, TargetKind::BuildScript | TargetKind::ProcMacro)
    }
}

/// One dependency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Key in the manifest: the name that code uses.
    pub name: String,
    /// `package`, when the crate's own name is another one.
    pub package: Option<String>,
    /// Version requirement, as written; `None` when there is none.
    pub requirement: Option<String>,
    /// Which table it stands in.
    pub section: DependencySection,
    /// `cfg(…)` or triple of `[target.….dependencies]`, as written.
    pub target: Option<String>,
    /// `optional = true`.
    pub optional: bool,
    /// `default-features`, unless switched off.
    pub default_features: bool,
    /// `features`.
    pub features: Vec<String>,
    /// `registry` or `registry-index`, as written.
    pub registry: Option<String>,
    /// `git`, as written.
    pub git: Option<String>,
    /// `path`, as written.
    pub path: Option<String>,
    /// `workspace = true`: the rest is not in this package.
    pub workspace: bool,
}

/// The table a [`Dependency`] stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencySection {
    /// `[dependencies]`.
    Normal,
    /// `[build-dependencies]`.
    Build,
    /// `[dev-dependencies]`.
    Dev,
}

/// `.cargo_vcs_info.json`, which cargo writes when it packs a crate out of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionControl {
    /// `git.sha1`: the commit it was packed from. Only the publisher vouches for it.
    pub commit: Option<String>,
    /// `git.dirty`: whether files differed from that commit.
    pub dirty: bool,
    /// `path_in_vcs`: directory of the package in the repository.
    pub path: Option<String>,
}

/// A place where `Cargo.toml` says something else than `Cargo.toml.orig`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestDifference {
    /// Dotted path, for example `dependencies.serde`.
    pub field: String,
    /// What `Cargo.toml` says; `None` when it says nothing.
    pub published: Option<String>,
    /// What `Cargo.toml.orig` says; `None` when it says nothing.
    pub original: Option<String>,
}
