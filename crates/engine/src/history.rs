//! What is known of a package's past, out of an index.
//!
//! An index says when versions were published, which are withdrawn now, and what each depends on. Who published them, how, and
//! when what was withdrawn, it does not say: those parts are unknown with that reason. Dependencies are looked at for recent
//! versions alone, because no rule looks at those of older ones; so a check of a settled lockfile asks nothing more than before.

use std::collections::BTreeSet;

use cratekeeper_model::{DependencyHistory, History, Known, Package, PackageId, PublishedVersion};
use cratekeeper_registry::PastVersion;
use semver::Version;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// Age until which rules look at the circumstances of a release.
const RECENT: i64 = 90 * DAY;

/// Age until which a dependency's own dependencies are looked at: rules call older crates no newborns.
const YOUNG: i64 = 30 * DAY;

/// Most crates that are looked up for one version. A new version rarely has more than a handful of new dependencies; a hostile
/// one has any number.
const LOOKUPS: usize = 40;

const NO_PUBLISHERS: &str = "an index does not say who published a version";
const NO_METHODS: &str = "an index does not say how a version was published";
const NO_EVENTS: &str = "an index does not say when something was withdrawn, or who owns a crate";
const NO_TIME: &str = "the index does not say when it was published";

/// The past of `package`, as `past` remembers it at the moment `at`. `look_up` gives the past of another crate of the registry.
pub(crate) fn from_index(
    package: &Package,
    past: &[PastVersion],
    at: i64,
    look_up: &dyn Fn(&Package) -> Result<Vec<PastVersion>, String>,
) -> History {
    let own = past.iter().find(|it| it.version == package.version);
    let is_recent = own.and_then(|it| it.published).is_some_and(|time| at.saturating_sub(time) <= RECENT);
    let dependencies = match own {
        Some(own) if is_recent => {
            Dependencies { package, at, look_up, looked_up: 0 }.of(own, previous(past, own))
        }
        _ => Vec::new(),
    };
    History {
        at,
        versions: past.iter().map(published).collect(),
        events: unknown(NO_EVENTS),
        owners: unknown(NO_EVENTS),
        downloads: unknown("an index does not count downloads"),
        earlier_owner: unknown("an index does not say whether a name was used before"),
        dependencies,
        publisher: unknown(NO_PUBLISHERS),
    }
}

fn unknown<T>(reason: &str) -> Known<T> {
    Known::Unknown(reason.to_owned())
}

fn published(version: &PastVersion) -> PublishedVersion {
    PublishedVersion {
        version: version.version.clone(),
        published: version.published.map_or_else(|| unknown(NO_TIME), Known::Known),
        publisher: unknown(NO_PUBLISHERS),
        method: unknown(NO_METHODS),
        yanked: version.yanked,
        dependencies: Known::Known(version.dependencies.clone()),
    }
}

/// The version before `own`: the highest lower one, which is what its users have.
fn previous<'a>(past: &'a [PastVersion], own: &PastVersion) -> Option<&'a PastVersion> {
    past.iter().filter(|it| is_before(&it.version, &own.version)).max_by(|a, b| a.version.cmp(&b.version))
}

/// Whether users of `version` would update to `later`. A release is not compared with a pre-release.
pub(crate) fn is_before(version: &Version, later: &Version) -> bool {
    version < later && (version.pre.is_empty() || !later.pre.is_empty())
}

struct Dependencies<'a> {
    package: &'a Package,
    at: i64,
    look_up: &'a dyn Fn(&Package) -> Result<Vec<PastVersion>, String>,
    looked_up: usize,
}

impl Dependencies<'_> {
    /// New dependencies, and through those that are young, theirs.
    fn of(mut self, own: &PastVersion, previous: Option<&PastVersion>) -> Vec<DependencyHistory> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next: Vec<(String, Vec<String>)> =
            own.dependencies.iter().map(|name| (name.clone(), Vec::new())).collect();
        while let Some((name, through)) = next.pop() {
            if !seen.insert(name.clone()) {
                continue;
            }
            let in_previous = previous.map(|it| through.is_empty() && it.dependencies.contains(&name));
            if in_previous == Some(true) {
                // What was there before is none of this version's doing.
                found.push(dependency(
                    &name,
                    through,
                    in_previous,
                    Err("the previous version had it too".to_owned()),
                ));
                continue;
            }
            let past = self.past(&name);
            if let Some(young) = past.as_ref().ok().and_then(|it| self.young(it)) {
                let mut further = through.clone();
                further.push(name.clone());
                next.extend(young.dependencies.iter().map(|it| (it.clone(), further.clone())));
            }
            found.push(dependency(&name, through, in_previous, past));
        }
        found
    }

    fn past(&mut self, name: &str) -> Result<Vec<PastVersion>, String> {
        if self.looked_up == LOOKUPS {
            return Err(format!("it has more than {LOOKUPS} new dependencies"));
        }
        self.looked_up += 1;
        let version = Version::new(0, 0, 0);
        (self.look_up)(&Package {
            id: PackageId::new(&self.package.source, name, &version),
            name: name.to_owned(),
            version,
            checksum: None,
            source: self.package.source.clone(),
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        })
    }

    /// The newest version of a crate that is young.
    fn young<'p>(&self, past: &'p [PastVersion]) -> Option<&'p PastVersion> {
        let first = past.iter().filter_map(|it| it.published).min()?;
        if self.at.saturating_sub(first) > YOUNG {
            return None;
        }
        past.iter().max_by(|a, b| a.version.cmp(&b.version))
    }
}

fn dependency(
    name: &str,
    through: Vec<String>,
    in_previous: Option<bool>,
    past: Result<Vec<PastVersion>, String>,
) -> DependencyHistory {
    let (first, latest) = match past {
        Err(reason) => (unknown(&reason), unknown(&reason)),
        Ok(past) => {
            // Where one time is missing, an earlier one could be.
            let times: Option<Vec<i64>> = past.iter().map(|it| it.published).collect();
            let of = |time: Option<i64>| time.map_or_else(|| unknown(NO_TIME), Known::Known);
            (
                of(times.as_ref().and_then(|it| it.iter().min().copied())),
                of(times.and_then(|it| it.into_iter().max())),
            )
        }
    };
    DependencyHistory {
        name: name.to_owned(),
        through,
        first_published: first,
        version_published: latest,
        owners: unknown(NO_EVENTS),
        downloads: unknown("an index does not count downloads"),
        in_previous,
        score: unknown("each package has its own case"),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::PackageSource;

    use super::*;

    const NOW: i64 = 1_750_000_000;

    fn package(version: &str) -> Package {
        let source = PackageSource::Registry("sparse+https://registry.example.invalid/".to_owned());
        let version: Version = version.parse().unwrap();
        Package {
            id: PackageId::new(&source, "demo", &version),
            name: "demo".to_owned(),
            version,
            checksum: None,
            source,
            kinds: Vec::new(),
            platforms: Vec::new(),
            features: None,
        }
    }

    fn version(version: &str, days: i64, dependencies: &[&str]) -> PastVersion {
        PastVersion {
            version: version.parse().unwrap(),
            published: Some(NOW - days * DAY),
            yanked: false,
            dependencies: dependencies.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn registry(package: &Package) -> Result<Vec<PastVersion>, String> {
        match package.name.as_str() {
            "old" => Ok(vec![version("1.0.0", 900, &["deep"])]),
            "newborn" => Ok(vec![version("0.1.0", 1, &["payload"])]),
            "payload" => Ok(vec![version("0.1.0", 1, &[])]),
            _ => Err("offline".to_owned()),
        }
    }

    #[test]
    fn new_dependencies_are_looked_up_and_young_ones_further() {
        let past = [version("1.0.0", 500, &["old"]), version("1.0.1", 2, &["newborn", "old", "gone"])];
        let history = from_index(&package("1.0.1"), &past, NOW, &registry);
        let mut found: Vec<(&str, Option<bool>, bool)> = history
            .dependencies
            .iter()
            .map(|it| (it.name.as_str(), it.in_previous, it.first_published.value().is_some()))
            .collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [
                ("gone", Some(false), false),
                ("newborn", Some(false), true),
                ("old", Some(true), false),
                ("payload", Some(false), true)
            ]
        );
        let deep = history.dependencies.iter().find(|it| it.name == "payload").unwrap();
        assert_eq!(deep.through, ["newborn"]);
    }

    #[test]
    fn what_was_published_long_ago_is_not_followed() {
        let past = [version("1.0.0", 500, &[]), version("1.0.1", 120, &["newborn"])];
        let asked = |_: &Package| -> Result<Vec<PastVersion>, String> { panic!("nothing is asked") };
        let history = from_index(&package("1.0.1"), &past, NOW, &asked);
        assert!(history.dependencies.is_empty() && history.versions.len() == 2);
        assert!(history.events.value().is_none() && history.publisher.value().is_none());
    }

    #[test]
    fn any_number_of_dependencies_costs_a_bounded_number_of_look_ups() {
        let names: Vec<String> = (0..500).map(|it| format!("d{it}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let past = [version("1.0.0", 1, &names)];
        let count = std::cell::Cell::new(0);
        let asked = |_: &Package| {
            count.set(count.get() + 1);
            Ok(Vec::new())
        };
        assert_eq!(from_index(&package("1.0.0"), &past, NOW, &asked).dependencies.len(), 500);
        assert_eq!(count.get(), LOOKUPS);
    }
}
