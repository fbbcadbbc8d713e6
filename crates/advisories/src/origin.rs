//! Which packages an advisory can be about, by where cargo takes them from.

use cratekeeper_model::PackageSource;
use rustsec::SourceId;
use rustsec::cargo_lock::package::GitReference;
use rustsec::cargo_lock::package::SourceKind;

/// Where the package that is asked about comes from.
///
/// A name means something only within one source: the private crate `auth` is not the public crate
/// `auth`, and the public one's advisories say nothing about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin<'a> {
    /// The registry that advisories are about unless they name another source.
    DefaultRegistry,
    /// Somewhere else: only advisories that name this very source apply.
    Other(&'a PackageSource),
}

impl<'a> Origin<'a> {
    /// The origin of a package, by the source in its lockfile.
    ///
    /// Cargo writes the default registry there even where another one replaces or mirrors it. Which
    /// registry that is `cargo-lock` knows, so that no host name stands here.
    ///
    /// A `.crate` file from nowhere ([`PackageSource::Unknown`]) is taken for one of the default
    /// registry's: a private crate of the same name then gets an advisory that a reader can dismiss,
    /// while the other choice would keep silent about a malicious file.
    #[must_use]
    pub fn of(source: &'a PackageSource) -> Origin<'a> {
        let default = match source {
            PackageSource::Unknown => true,
            PackageSource::Registry(index) => {
                SourceId::from_url(index).is_ok_and(|id| id.is_default_registry())
            }
            PackageSource::Git(_) | PackageSource::Path(_) => false,
        };
        if default { Origin::DefaultRegistry } else { Origin::Other(source) }
    }

    /// Whether an advisory could ever be about a package from here.
    ///
    /// Directories on this machine have no name that an advisory could use.
    pub(crate) fn can_have_advisories(self) -> bool {
        !matches!(self, Origin::Other(PackageSource::Path(_)))
    }

    /// Whether an advisory with this `source` field is about packages from here.
    ///
    /// The branch, tag and commit of a git source do not count: which revisions are affected is said in
    /// versions. Nor do a registry's two protocols: they serve the same crates under different addresses,
    /// but never different crates under one address.
    pub(crate) fn matches(self, advisory: Option<&SourceId>) -> bool {
        let advisory = advisory.filter(|source| !source.is_default_registry());
        match (self, advisory) {
            (Origin::DefaultRegistry, None) => true,
            (Origin::DefaultRegistry, Some(_)) | (Origin::Other(_), None) => false,
            (Origin::Other(package), Some(advisory)) => SourceId::from_url(&package.to_string())
                .is_ok_and(|package| same_kind(&package, advisory) && same_place(&package, advisory)),
        }
    }
}

/// Whether both are registries, or both git repositories.
fn same_kind(left: &SourceId, right: &SourceId) -> bool {
    let kind = |source: &SourceId| match source.kind() {
        SourceKind::Git(_) => SourceKind::Git(GitReference::DefaultBranch),
        SourceKind::SparseRegistry => SourceKind::Registry,
        other => other.clone(),
    };
    kind(left) == kind(right)
}

/// Whether both have the same address, whatever stands behind `?` and `#`, and with or without a `/` or
/// `.git` at the end, which servers and people add as they like.
fn same_place(left: &SourceId, right: &SourceId) -> bool {
    let address = |source: &SourceId| {
        let mut url = source.url().clone();
        url.set_query(None);
        url.set_fragment(None);
        let text = url.as_str().trim_end_matches('/');
        text.strip_suffix(".git").unwrap_or(text).to_owned()
    };
    address(left) == address(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(index: &str) -> PackageSource {
        PackageSource::Registry(index.to_owned())
    }

    fn source(url: &str) -> SourceId {
        url.parse().unwrap()
    }

    #[test]
    fn default_registry_is_recognised_as_cargo_writes_it() {
        let default = registry(&SourceId::default().to_string());
        assert_eq!(Origin::of(&default), Origin::DefaultRegistry);
        let other = registry("registry+https://registry.example.invalid/index");
        assert_eq!(Origin::of(&other), Origin::Other(&other));
        let nonsense = registry("nonsense");
        assert_eq!(Origin::of(&nonsense), Origin::Other(&nonsense));
    }

    #[test]
    fn file_of_unknown_source_is_taken_for_public() {
        assert_eq!(Origin::of(&PackageSource::Unknown), Origin::DefaultRegistry);
    }

    #[test]
    fn advisory_without_source_is_about_the_default_registry() {
        let other = registry("registry+https://registry.example.invalid/index");
        assert!(Origin::DefaultRegistry.matches(None));
        assert!(Origin::DefaultRegistry.matches(Some(&SourceId::default())));
        assert!(!Origin::Other(&other).matches(None));
        assert!(!Origin::Other(&other).matches(Some(&SourceId::default())));
    }

    #[test]
    fn advisory_with_source_is_about_that_source_alone() {
        let advisory = source("registry+https://registry.example.invalid/index");
        for (package, expected) in [
            ("registry+https://registry.example.invalid/index", true),
            ("registry+https://registry.example.invalid/index/", true),
            ("sparse+https://registry.example.invalid/index/", true),
            ("registry+https://other.example.invalid/index", false),
        ] {
            assert_eq!(Origin::Other(&registry(package)).matches(Some(&advisory)), expected, "{package}");
        }
        assert!(!Origin::DefaultRegistry.matches(Some(&advisory)));
        let git = PackageSource::Git("https://registry.example.invalid/index".to_owned());
        assert!(!Origin::Other(&git).matches(Some(&advisory)));
    }

    #[test]
    fn git_source_matches_at_any_revision() {
        let advisory = source("git+https://git.example.invalid/tools");
        let package = PackageSource::Git("https://git.example.invalid/tools.git?branch=main#0123".to_owned());
        assert!(Origin::Other(&package).matches(Some(&advisory)));
    }

    #[test]
    fn directory_has_no_advisories() {
        let path = PackageSource::Path("/tmp/a".to_owned());
        assert!(!Origin::of(&path).can_have_advisories());
    }
}
