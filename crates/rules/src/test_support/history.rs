//! Pasts of `demo` for tests: by `alice`, with a token, released at [`PUBLISHED`] and judged an hour later.

use cratekeeper_model::{
    DependencyHistory, Known, PublishMethod, PublishedVersion, RegistryAction, RegistryEvent, RuleInput,
};

use crate::past::{DAY, HOUR};

/// When the judged version came: some moment.
pub(crate) const PUBLISHED: i64 = 1_700_000_000;

/// Builds a past.
#[derive(Clone)]
pub(crate) struct History(cratekeeper_model::History, semver::Version);

impl History {
    /// Nothing yet.
    pub(crate) fn new() -> History {
        let history = cratekeeper_model::History {
            at: PUBLISHED + HOUR,
            versions: Vec::new(),
            events: Known::Known(Vec::new()),
            owners: Known::Known(vec!["alice".to_owned()]),
            downloads: Known::Known(1000),
            earlier_owner: Known::Known(None),
            dependencies: Vec::new(),
            publisher: Known::Unknown("not needed here".to_owned()),
        };
        History(history, semver::Version::new(1, 2, 3))
    }

    /// An earlier version without dependencies, so many days before the release.
    pub(crate) fn version(self, version: &str, days: i64) -> History {
        self.version_with(version, days, &[])
    }

    /// An earlier version.
    pub(crate) fn version_with(mut self, version: &str, days: i64, dependencies: &[&str]) -> History {
        self.0.versions.push(published(version, PUBLISHED - days * DAY, dependencies));
        self
    }

    /// The judged version, 1.2.3.
    pub(crate) fn release(self, dependencies: &[&str]) -> History {
        self.release_as("1.2.3", dependencies)
    }

    /// The judged version.
    pub(crate) fn release_as(mut self, version: &str, dependencies: &[&str]) -> History {
        self.0.versions.push(published(version, PUBLISHED, dependencies));
        self.1 = version.parse().unwrap();
        self
    }

    /// Another publisher of the judged version.
    pub(crate) fn by(self, login: &str) -> History {
        let login = login.to_owned();
        self.with(|it| it.versions.last_mut().unwrap().publisher = Known::Known(login))
    }

    /// Withdraws versions, so many seconds after the release.
    pub(crate) fn yank(self, versions: &[&str], after: i64) -> History {
        self.set_yanked(versions, after, true)
    }

    /// Puts versions back.
    pub(crate) fn unyank(self, versions: &[&str], after: i64) -> History {
        self.set_yanked(versions, after, false)
    }

    fn set_yanked(mut self, versions: &[&str], after: i64, yanked: bool) -> History {
        self.0.at = self.0.at.max(PUBLISHED + after);
        for version in versions {
            let version: semver::Version = version.parse().unwrap();
            self.0.versions.iter_mut().find(|it| it.version == version).unwrap().yanked = yanked;
            let action = if yanked { RegistryAction::Yank(version) } else { RegistryAction::Unyank(version) };
            self = self.event("alice", after, action);
        }
        self
    }

    /// Makes somebody an owner.
    pub(crate) fn owner_added(self, who: &str, after: i64) -> History {
        self.event("alice", after, RegistryAction::OwnerAdded(who.to_owned())).with(|it| {
            if let Known::Known(owners) = &mut it.owners {
                owners.push(who.to_owned());
            }
        })
    }

    /// Takes it from somebody.
    pub(crate) fn owner_removed(self, who: &str, after: i64) -> History {
        self.event("mallory", after, RegistryAction::OwnerRemoved(who.to_owned()))
    }

    fn event(self, by: &str, after: i64, action: RegistryAction) -> History {
        let event = RegistryEvent { at: PUBLISHED + after, by: Known::Known(by.to_owned()), action };
        self.with(|it| {
            if let Known::Known(events) = &mut it.events {
                events.push(event);
            }
        })
    }

    /// Any other change.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut cratekeeper_model::History)) -> History {
        change(&mut self.0);
        self
    }

    /// What rules are given.
    pub(crate) fn input(self) -> RuleInput {
        let History(history, version) = self;
        let mut input = super::input();
        input.package.version = version;
        RuleInput { history: Known::Known(history), ..input }
    }
}

fn published(version: &str, at: i64, dependencies: &[&str]) -> PublishedVersion {
    PublishedVersion {
        version: version.parse().unwrap(),
        published: Known::Known(at),
        publisher: Known::Known("alice".to_owned()),
        method: Known::Known(PublishMethod::Token),
        yanked: false,
        dependencies: Known::Known(dependencies.iter().map(|it| (*it).to_owned()).collect()),
    }
}

/// A new direct dependency that is so many seconds older than the release, by nobody known.
pub(crate) fn dependency(name: &str, age: i64, downloads: Option<u64>) -> DependencyHistory {
    let unknown = || "not needed here".to_owned();
    DependencyHistory {
        name: name.to_owned(),
        through: Vec::new(),
        first_published: Known::Known(PUBLISHED - age),
        version_published: Known::Known(PUBLISHED - age),
        owners: Known::Unknown(unknown()),
        downloads: downloads.map_or_else(|| Known::Unknown(unknown()), Known::Known),
        in_previous: Some(false),
        score: Known::Unknown(unknown()),
    }
}
