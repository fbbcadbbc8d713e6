//! What names can be taken for, in the words of the model.
//!
//! Nothing of it is kept with facts: the same name gets another answer when the corpus changes.

use std::path::Path;

use cratekeeper_model::{
    Facts, Known, Level, NameMatch, NameMatches, Package, Suggestion, UnresolvedDependency,
};
use cratekeeper_names::{Candidate, Corpus, Entry, Judgement, Kind, Match};
use cratekeeper_registry::{Lockfile, Lookup, MissingDependency};

/// Most names that are proposed for a mistyped one.
const SUGGESTIONS: usize = 3;

/// What the name of a package can be taken for, or why that is not known.
///
/// The repository that its manifest claims takes part where there are facts. Owners and dates are not known here.
pub(crate) fn matches(package: &Package, facts: &Known<Facts>) -> Known<NameMatches> {
    let mut candidate = match Candidate::new(package.name.as_str()) {
        Ok(candidate) => candidate,
        Err(error) => return Known::Unknown(format!("the name cannot be compared with others: {error}")),
    };
    candidate.repository = facts.value().and_then(|facts| facts.manifest.repository.clone());
    Known::Known(name_matches(Corpus::popular_crates().judge(&candidate)))
}

/// A judgement in the words of the model.
pub(crate) fn name_matches(judgement: Judgement) -> NameMatches {
    let level = match judgement.level {
        cratekeeper_names::Level::None => Level::None,
        cratekeeper_names::Level::Review => Level::Review,
        cratekeeper_names::Level::Alert => Level::Alert,
    };
    let matches = judgement.matches.into_iter().map(name_match).collect();
    NameMatches { in_corpus: judgement.in_corpus, level, matches }
}

fn name_match(found: Match) -> NameMatch {
    NameMatch {
        explanation: found.explanation(),
        target: found.target,
        check: found.check.id().to_owned(),
        score: found.score,
    }
}

/// Dependencies that the manifests of the workspace in `root` name and `lockfile` lacks, with what may have been meant;
/// and what of the manifests could not be read, one sentence fragment each.
///
/// `shown_root` stands in the place of `root` in the manifests' paths.
#[must_use]
pub fn unresolved_dependencies(
    root: &Path,
    shown_root: &Path,
    lockfile: &Lockfile,
) -> (Vec<UnresolvedDependency>, Vec<String>) {
    let missing = lockfile.missing_dependencies(root);
    if missing.dependencies.is_empty() {
        return (Vec::new(), missing.problems);
    }
    let known = KnownNames::of(lockfile);
    let unresolved = missing.dependencies.into_iter().map(|missing| UnresolvedDependency {
        manifest: shown_root.join(&missing.manifest).display().to_string(),
        line: missing.line,
        suggestions: known.suggestions(&missing),
        key: missing.key,
        name: missing.name,
    });
    (unresolved.collect(), missing.problems)
}

/// The names that may have been meant.
struct KnownNames {
    /// `None` when there are more names than an index holds.
    locked: Option<Corpus>,
}

impl KnownNames {
    fn of(lockfile: &Lockfile) -> KnownNames {
        let entries = lockfile.packages.iter().map(|it| Entry::new(it.package.name.as_str())).collect();
        KnownNames { locked: Corpus::new(entries, Kind::Crates).ok() }
    }

    /// The likeliest first; of two that are equally likely, the one that is already there.
    fn suggestions(&self, missing: &MissingDependency) -> Vec<Suggestion> {
        let popular = Corpus::popular_crates();
        let candidate = match (missing.lookup, Candidate::new(missing.name.as_str())) {
            // A popular name is no misspelling, and in a git repository nothing is found by a misspelt one.
            (Lookup::Registry, Ok(candidate)) if !popular.contains(candidate.name()) => candidate,
            _ => return Vec::new(),
        };
        let likely = |corpus: &Corpus, in_lockfile| -> Vec<(bool, Match)> {
            let matches = corpus.judge(&candidate).matches;
            let likely = matches.into_iter().filter(is_likely);
            likely.map(|found| (in_lockfile, found)).collect()
        };
        let mut found = self.locked.as_ref().map_or_else(Vec::new, |locked| likely(locked, true));
        for (in_lockfile, other) in likely(popular, false) {
            match found.iter_mut().find(|(_, known)| known.target == other.target) {
                // Both know it: popularity counts, and that it is there already.
                Some((_, known)) if known.score < other.score => *known = other,
                Some(_) => {}
                None => found.push((in_lockfile, other)),
            }
        }
        found.sort_by_key(|(in_lockfile, found)| std::cmp::Reverse((found.score, *in_lockfile)));
        // Beside a likely one, those that are merely close are noise.
        if let Some(best) = found.first().map(|(_, best)| names_level(best)) {
            found.retain(|(_, other)| names_level(other) == best);
        }
        found.truncate(SUGGESTIONS);
        let suggest = |(in_lockfile, found): (bool, Match)| Suggestion {
            explanation: found.explanation(),
            name: found.target,
            in_lockfile,
        };
        found.into_iter().map(suggest).collect()
    }
}

/// Reserved names are matches too, and nobody means one as a dependency.
fn is_likely(found: &Match) -> bool {
    names_level(found) >= cratekeeper_names::Level::Review
        && found.check != cratekeeper_names::Check::ReservedName
}

fn names_level(found: &Match) -> cratekeeper_names::Level {
    cratekeeper_names::Level::of(found.score)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{PackageId, PackageSource};

    use super::*;

    fn package(name: &str) -> Package {
        let version = semver::Version::new(1, 0, 0);
        Package {
            id: PackageId::new(&PackageSource::Unknown, name, &version),
            name: name.to_owned(),
            version,
            checksum: None,
            source: PackageSource::Unknown,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        }
    }

    fn suggestions(name: &str, locked: &[&str]) -> Vec<(String, bool)> {
        let entry = |name: &&str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        let text = format!("version = 4\n{}", locked.iter().map(entry).collect::<String>());
        let missing = MissingDependency {
            manifest: "Cargo.toml".into(),
            line: 1,
            key: name.to_owned(),
            name: name.to_owned(),
            lookup: Lookup::Registry,
        };
        let found = KnownNames::of(&Lockfile::parse(&text).unwrap()).suggestions(&missing);
        found.into_iter().map(|it| (it.name, it.in_lockfile)).collect()
    }

    #[test]
    fn a_name_like_a_popular_one_has_matches() {
        let facts = Known::Unknown("offline".to_owned());
        let names = matches(&package("oncecell"), &facts);
        let names = names.value().unwrap();
        assert_eq!((names.in_corpus, names.level), (false, Level::Alert));
        assert_eq!(
            (names.matches[0].target.as_str(), names.matches[0].check.as_str()),
            ("once_cell", "separators")
        );
    }

    #[test]
    fn a_popular_name_has_none() {
        let names = matches(&package("once_cell"), &Known::Unknown("offline".to_owned()));
        let names = names.value().unwrap();
        assert!(names.in_corpus && names.matches.is_empty() && names.level == Level::None);
    }

    #[test]
    fn what_is_no_name_is_not_known() {
        for name in ["", "a b", "-"] {
            let names = matches(&package(name), &Known::Unknown("offline".to_owned()));
            assert!(names.as_result().is_err_and(|reason| reason.contains("cannot be compared")), "{name}");
        }
    }

    #[test]
    fn popular_names_and_locked_ones_are_suggested() {
        assert_eq!(suggestions("serde_jsn", &["log"]), [("serde_json".to_owned(), false)]);
        assert_eq!(suggestions("serde_jsn", &["serde_json"])[0], ("serde_json".to_owned(), true));
        assert_eq!(
            suggestions("our-private-helpr", &["our-private-helper"])[0],
            ("our-private-helper".to_owned(), true)
        );
    }

    #[test]
    fn a_popular_name_and_a_strange_one_have_no_suggestions() {
        assert!(suggestions("rand", &["randy", "brand"]).is_empty());
        assert!(suggestions("zqxjkvbwpyfg", &["serde", "log"]).is_empty());
    }

    #[test]
    fn in_git_nothing_is_suggested() {
        let lookup = Lookup::Git;
        let (key, name) = ("serde_jsn".to_owned(), "serde_jsn".to_owned());
        let missing = MissingDependency { manifest: "Cargo.toml".into(), line: 1, key, name, lookup };
        assert!(KnownNames { locked: None }.suggestions(&missing).is_empty());
    }
}
