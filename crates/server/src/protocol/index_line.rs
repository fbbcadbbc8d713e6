//! The line that an index has for a version, made from the `Cargo.toml` inside of its archive.
//!
//! Cargo resolves by the line and builds by the manifest. If a client could say what the line holds, it could show the resolver one
//! thing and the compiler another, which is technique 29 of the attack catalogue: so nothing that a client claims gets into the line,
//! and where the two differ the difference is told.

use std::collections::BTreeMap;

use cratekeeper_model::Checksum;
use cratekeeper_model::facts::{Dependency, DependencySection, ManifestFacts};
use serde::{Deserialize, Serialize};

use super::publication::{ClaimedDependency, Metadata};

/// Version of the format that has `features2`.
const WITH_FEATURES2: u32 = 2;

/// One line of an index: the fields of the Cargo book's chapter "Registry Index".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexLine {
    /// Name of the crate.
    pub name: String,
    /// Version.
    pub vers: String,
    /// Dependencies, development included.
    #[serde(default)]
    pub deps: Vec<IndexDependency>,
    /// SHA-256 of the archive.
    pub cksum: Checksum,
    /// Features that any cargo understands.
    #[serde(default)]
    pub features: BTreeMap<String, Vec<String>>,
    /// Features with `dep:` or `?/`, which cargo understands since 1.60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub features2: Option<BTreeMap<String, Vec<String>>>,
    /// Whether it is withdrawn.
    #[serde(default)]
    pub yanked: bool,
    /// Native library that it links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<String>,
    /// Oldest compiler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rust_version: Option<String>,
    /// When it was published, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pubtime: Option<String>,
    /// Version of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub v: Option<u32>,
}

/// A dependency in an [`IndexLine`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexDependency {
    /// Name in the manifest.
    pub name: String,
    /// Requirement.
    pub req: String,
    /// Features that are asked for.
    #[serde(default)]
    pub features: Vec<String>,
    /// Whether it is optional.
    #[serde(default)]
    pub optional: bool,
    /// Whether its default features are on.
    #[serde(default)]
    pub default_features: bool,
    /// Platform.
    #[serde(default)]
    pub target: Option<String>,
    /// `normal`, `build` or `dev`.
    #[serde(default)]
    pub kind: Option<String>,
    /// Index of the registry that it comes from; `None` if that is this one.
    #[serde(default)]
    pub registry: Option<String>,
    /// Name of the crate, where the manifest uses another.
    #[serde(default)]
    pub package: Option<String>,
}

/// How this registry is called by others, to tell dependencies in it from those elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicRegistry {
    /// URL of its index, with cargo's `sparse+`.
    pub index: String,
    /// URL of the index that manifests mean where they name none; `None` if that is this one.
    pub default_index: Option<String>,
}

impl PublicRegistry {
    /// What an index line says for what a manifest says.
    fn of(&self, named: Option<&str>) -> Option<String> {
        match named {
            None => self.default_index.clone(),
            Some(index) if same_index(index, &self.index) => None,
            Some(index) => Some(index.to_owned()),
        }
    }
}

fn same_index(one: &str, other: &str) -> bool {
    let bare = |url: &str| url.trim_start_matches("sparse+").trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

impl IndexLine {
    /// The line of the version with this manifest.
    ///
    /// Name and version are those that the archive was read with: they name its root directory, too.
    #[must_use]
    pub fn of_manifest(
        name: &str,
        version: &semver::Version,
        manifest: &ManifestFacts,
        checksum: Checksum,
        registry: &PublicRegistry,
    ) -> IndexLine {
        let mut deps: Vec<IndexDependency> =
            manifest.dependencies.iter().map(|it| dependency(it, registry)).collect();
        deps.sort();
        let (newer, features): (BTreeMap<_, _>, BTreeMap<_, _>) = manifest
            .features
            .clone()
            .into_iter()
            .partition(|(_, values)| values.iter().any(|it| is_newer(it)));
        let features2 = (!newer.is_empty()).then_some(newer);
        IndexLine {
            name: name.to_owned(),
            vers: version.to_string(),
            deps,
            cksum: checksum,
            features,
            v: features2.is_some().then_some(WITH_FEATURES2),
            features2,
            yanked: false,
            links: manifest.links.clone(),
            rust_version: manifest.rust_version.clone(),
            pubtime: None,
        }
    }

    /// What a client claims that the manifest does not say, one sentence fragment each.
    #[must_use]
    pub fn differences(&self, claimed: &Metadata) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, claimed: &str, actual: &str| {
            if claimed != actual {
                found.push(format!("{what}: the request says {claimed}, its `Cargo.toml` {actual}"));
            }
        };
        let quoted = |text: Option<&str>| text.map_or_else(|| "nothing".to_owned(), |it| format!("`{it}`"));
        differ("the name", &quoted(Some(&claimed.name)), &quoted(Some(&self.name)));
        differ("the version", &quoted(Some(&claimed.vers)), &quoted(Some(&self.vers)));
        differ("`links`", &quoted(claimed.links.as_deref()), &quoted(self.links.as_deref()));
        differ(
            "`rust-version`",
            &quoted(claimed.rust_version.as_deref()),
            &quoted(self.rust_version.as_deref()),
        );
        let mut theirs: Vec<String> = claimed.deps.iter().map(claimed_dependency).collect();
        let mut ours: Vec<String> = self.deps.iter().map(comparable).collect();
        theirs.sort();
        ours.sort();
        for extra in theirs.iter().filter(|it| !ours.contains(it)) {
            found.push(format!("the request has the dependency {extra}, its `Cargo.toml` has not"));
        }
        for missing in ours.iter().filter(|it| !theirs.contains(it)) {
            found.push(format!("`Cargo.toml` has the dependency {missing}, the request has not"));
        }
        let features = self.features.iter().chain(self.features2.iter().flatten());
        let ours: BTreeMap<&String, &Vec<String>> = features.collect();
        let theirs: BTreeMap<&String, &Vec<String>> = claimed.features.iter().collect();
        for name in ours.keys().chain(theirs.keys()).collect::<std::collections::BTreeSet<_>>() {
            if ours.get(*name) != theirs.get(*name) {
                found
                    .push(format!("the feature `{name}` is not the same in the request and in `Cargo.toml`"));
            }
        }
        found
    }

    /// The line as text, without an end of line.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("names, numbers and text have a form in JSON")
    }
}

/// Syntax that cargo understands since 1.60 alone.
fn is_newer(value: &str) -> bool {
    value.starts_with("dep:") || value.contains("?/")
}

fn dependency(dependency: &Dependency, registry: &PublicRegistry) -> IndexDependency {
    let kind = match dependency.section {
        DependencySection::Normal => "normal",
        DependencySection::Build => "build",
        DependencySection::Dev => "dev",
    };
    IndexDependency {
        name: dependency.name.clone(),
        req: normalized(dependency.requirement.as_deref()),
        features: dependency.features.clone(),
        optional: dependency.optional,
        default_features: dependency.default_features,
        target: dependency.target.clone(),
        kind: Some(kind.to_owned()),
        registry: registry.of(dependency.registry.as_deref()),
        package: dependency.package.clone(),
    }
}

/// The requirement as cargo writes it into indexes: `1.0` is `^1.0`.
fn normalized(requirement: Option<&str>) -> String {
    let text = requirement.unwrap_or("*");
    text.parse::<semver::VersionReq>().map_or_else(|_| text.to_owned(), |it| it.to_string())
}

/// A dependency in a form that a request's can be compared with. Where it comes from is left out: cargo writes the registry from the
/// view of whoever publishes.
fn comparable(dependency: &IndexDependency) -> String {
    let krate = dependency.package.as_deref().unwrap_or(&dependency.name);
    let renamed = Some(dependency.name.as_str()).filter(|it| *it != krate);
    shown(
        krate,
        renamed,
        &dependency.req,
        dependency.kind.as_deref(),
        dependency.target.as_deref(),
        &dependency.features,
        [dependency.optional, dependency.default_features],
    )
}

fn claimed_dependency(dependency: &ClaimedDependency) -> String {
    let requirement = normalized(Some(&dependency.version_req));
    let renamed = dependency.explicit_name_in_toml.as_deref().filter(|it| *it != dependency.name);
    shown(
        &dependency.name,
        renamed,
        &requirement,
        dependency.kind.as_deref(),
        dependency.target.as_deref(),
        &dependency.features,
        [dependency.optional, dependency.default_features],
    )
}

fn shown(
    krate: &str,
    renamed: Option<&str>,
    requirement: &str,
    kind: Option<&str>,
    target: Option<&str>,
    features: &[String],
    [optional, default_features]: [bool; 2],
) -> String {
    let mut text = format!("`{krate} {requirement}` ({}", kind.unwrap_or("normal"));
    if let Some(name) = renamed {
        text.push_str(&format!(", as `{name}`"));
    }
    if let Some(target) = target {
        // Cargo writes conditions anew when it sends them, with other spaces.
        let target: String = target.chars().filter(|it| !it.is_whitespace()).collect();
        text.push_str(&format!(", for `{target}`"));
    }
    if optional {
        text.push_str(", optional");
    }
    if !default_features {
        text.push_str(", without default features");
    }
    let mut features: Vec<&str> = features.iter().map(String::as_str).collect();
    features.sort_unstable();
    if !features.is_empty() {
        text.push_str(&format!(", with {}", features.join(" ")));
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry() -> PublicRegistry {
        PublicRegistry {
            index: "sparse+http://gate.example.invalid/index/".to_owned(),
            default_index: Some("https://default.example.invalid/index".to_owned()),
        }
    }

    fn dependency(name: &str, requirement: &str, registry: Option<&str>) -> Dependency {
        Dependency {
            name: name.to_owned(),
            package: None,
            requirement: Some(requirement.to_owned()),
            section: DependencySection::Normal,
            target: None,
            optional: false,
            default_features: true,
            features: Vec::new(),
            registry: registry.map(str::to_owned),
            git: None,
            path: None,
            workspace: false,
        }
    }

    fn line(dependencies: Vec<Dependency>) -> IndexLine {
        let features = BTreeMap::from([
            ("default".to_owned(), vec!["std".to_owned()]),
            ("json".to_owned(), vec!["dep:serde".to_owned()]),
        ]);
        let manifest = ManifestFacts { dependencies, features, ..ManifestFacts::default() };
        let version = semver::Version::new(1, 2, 3);
        IndexLine::of_manifest("demo", &version, &manifest, Checksum::of(b"demo"), &registry())
    }

    #[test]
    fn a_dependency_says_where_it_comes_from() {
        let own = "sparse+http://GATE.example.invalid/index";
        let other = "sparse+https://other.example.invalid/";
        let line = line(vec![
            dependency("a", "1", None),
            dependency("b", "1.2", Some(own)),
            dependency("c", "=1.2.3", Some(other)),
        ]);
        let found: Vec<(&str, Option<&str>)> =
            line.deps.iter().map(|it| (it.req.as_str(), it.registry.as_deref())).collect();
        assert_eq!(
            found,
            [("^1", Some("https://default.example.invalid/index")), ("^1.2", None), ("=1.2.3", Some(other))]
        );
    }

    #[test]
    fn features_that_old_cargo_cannot_read_stand_apart() {
        let line = line(Vec::new());
        assert_eq!(line.features.keys().collect::<Vec<_>>(), ["default"]);
        assert_eq!(line.features2.as_ref().unwrap().keys().collect::<Vec<_>>(), ["json"]);
        assert_eq!(line.v, Some(2));
        assert_eq!(serde_json::from_str::<IndexLine>(&line.to_json()).unwrap(), line);
    }

    #[test]
    fn a_claim_that_the_manifest_does_not_bear_out_is_told() {
        let line = line(vec![dependency("a", "1", None)]);
        let honest = Metadata {
            name: "demo".to_owned(),
            vers: "1.2.3".to_owned(),
            deps: vec![ClaimedDependency {
                name: "a".to_owned(),
                version_req: "^1".to_owned(),
                default_features: true,
                kind: Some("normal".to_owned()),
                ..ClaimedDependency::default()
            }],
            features: line.features.clone().into_iter().chain(line.features2.clone().unwrap()).collect(),
            ..Metadata::default()
        };
        assert_eq!(line.differences(&honest), Vec::<String>::new());
        let mut hidden = honest.clone();
        hidden.deps.clear();
        assert_eq!(
            line.differences(&hidden),
            ["`Cargo.toml` has the dependency `a ^1` (normal), the request has not"]
        );
        let mut other = honest;
        (other.vers, other.links) = ("1.2.4".to_owned(), Some("z".to_owned()));
        assert_eq!(line.differences(&other).len(), 2);
    }
}
