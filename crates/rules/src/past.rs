//! What rules about a registry's memory share: the judged version among its siblings.
//!
//! Everything here is about the time *around a release*. A release that has been public for [`RECENT`] has been seen by many,
//! and what stood out then proves nothing now; so rules ask [`Past::is_recent`] first, and old releases cost nothing.

use std::collections::BTreeSet;

use cratekeeper_model::{
    DependencyHistory, History, Known, PublishMethod, PublishedVersion, RegistryAction, RuleInput,
};
use semver::Version;

use crate::rule::Evaluation;

/// Seconds of an hour.
pub(crate) const HOUR: i64 = 3600;
/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * HOUR;
/// How long the circumstances of a release count. Most malicious crates were found within days, the one that lasted longest
/// (`evm-units`, 2025) within 8 months; after three months the code itself has to speak.
pub(crate) const RECENT: i64 = 90 * DAY;
/// From this age on a crate has users who update without looking.
const ESTABLISHED: i64 = 90 * DAY;
/// From this pause on a crate counts as asleep: the catalogue's "dormant for more than a year".
pub(crate) const DORMANT: i64 = 365 * DAY;
/// How long around a release a withdrawal belongs to it. The owner of `arrayref` withdrew five versions minutes before; a
/// maintainer who replaces bad versions does it on the same day.
pub(crate) const AROUND: i64 = DAY;
/// How long before a release a change of owners belongs to it. A handover that waits for weeks is how it is done in the open.
pub(crate) const HANDOVER: i64 = 14 * DAY;
/// From this age on a new dependency is no newborn any more. Three in four malicious crates were gone after a week.
pub(crate) const NEWBORN: i64 = 7 * DAY;
/// Until this age it is still young.
pub(crate) const YOUNG: i64 = 30 * DAY;

/// The judged version among its siblings.
pub(crate) struct Past<'a> {
    pub(crate) history: &'a History,
    pub(crate) own: &'a PublishedVersion,
    /// When the judged version was published.
    pub(crate) published: i64,
    /// Versions that were there before, in order of publication.
    pub(crate) earlier: Vec<&'a PublishedVersion>,
}

/// Runs `look` over a release that is recent enough for its circumstances to count.
pub(crate) fn with_release(input: &RuleInput, look: impl FnOnce(&Past<'_>) -> Evaluation) -> Evaluation {
    match Past::of(input) {
        Err(reason) => Evaluation::NotEvaluated(reason),
        Ok(past) if past.is_recent() => look(&past),
        Ok(_) => Evaluation::silent(),
    }
}

impl<'a> Past<'a> {
    fn of(input: &'a RuleInput) -> Result<Past<'a>, String> {
        let history = input.history.as_result()?;
        let own = history
            .version(&input.package.version)
            .ok_or_else(|| "the registry's history lacks this version".to_owned())?;
        let published = *own.published.as_result()?;
        let before = |other: &&PublishedVersion| match &other.published {
            Known::Known(time) => *time < published,
            // Without a time, the order in which a registry lists them is all there is.
            Known::Unknown(_) => {
                let position = |wanted: &PublishedVersion| {
                    history.versions.iter().position(|it| it.version == wanted.version)
                };
                position(other) < position(own)
            }
        };
        let mut earlier: Vec<_> =
            history.versions.iter().filter(|it| it.version != own.version).filter(before).collect();
        earlier.sort_by_key(|it| it.published.value().copied().unwrap_or(i64::MIN));
        Ok(Past { history, own, published, earlier })
    }

    fn is_recent(&self) -> bool {
        self.history.at.saturating_sub(self.published) <= RECENT
    }

    /// Age of the crate when this version was published; `None` for its first version, or where times are unknown.
    pub(crate) fn crate_age(&self) -> Option<i64> {
        let first = self.earlier.iter().filter_map(|it| it.published.value()).min()?;
        Some(self.published.saturating_sub(*first))
    }

    /// Whether the crate has been there for long enough to be trusted by habit.
    pub(crate) fn is_established(&self) -> bool {
        self.crate_age().is_some_and(|age| age >= ESTABLISHED)
    }

    /// Seconds since the version before it.
    pub(crate) fn pause(&self) -> Option<i64> {
        let last = self.earlier.iter().filter_map(|it| it.published.value()).max()?;
        Some(self.published.saturating_sub(*last))
    }

    /// Whether the publisher published none of the earlier versions; the reason where that is not known.
    pub(crate) fn publisher_is_new(&self) -> Result<bool, &str> {
        if self.earlier.is_empty() {
            return Ok(false);
        }
        let publisher = self.own.publisher.as_result()?;
        let mut unknown = None;
        for version in &self.earlier {
            match version.publisher.as_result() {
                Ok(other) if same_login(other, publisher) => return Ok(false),
                Ok(_) => {}
                Err(reason) => unknown = Some(reason),
            }
        }
        unknown.map_or(Ok(true), Err)
    }

    /// Who the crate's users know: those who published before, and owners who were not added around this release.
    fn familiar(&self) -> BTreeSet<String> {
        let publishers = self.earlier.iter().filter_map(|it| it.publisher.value());
        let added: BTreeSet<String> =
            self.changes_of_owners().map(|(_, who, _)| who.to_lowercase()).collect();
        let owners = self.history.owners.value().into_iter().flatten();
        let mut familiar: BTreeSet<String> = publishers.chain(owners).map(|it| it.to_lowercase()).collect();
        familiar.retain(|login| {
            !added.contains(login)
                || self.earlier.iter().filter_map(|it| it.publisher.value()).any(|it| same_login(it, login))
        });
        if self.earlier.is_empty() {
            familiar.extend(self.own.publisher.value().map(|it| it.to_lowercase()));
        }
        familiar
    }

    /// Whether nobody who stands behind this crate stands behind that one; `None` where that is not known.
    pub(crate) fn is_strangers(&self, dependency: &DependencyHistory) -> Option<bool> {
        let familiar = self.familiar();
        let owners = dependency.owners.value().filter(|it| !it.is_empty())?;
        if familiar.is_empty() {
            return None;
        }
        Some(!owners.iter().any(|owner| familiar.contains(&owner.to_lowercase())))
    }

    /// Whether the publisher was an owner before changes of owners belong to this release.
    pub(crate) fn publisher_was_owner(&self) -> bool {
        self.own.publisher.value().is_some_and(|login| {
            let owners = self.history.owners.value().into_iter().flatten();
            let is_owner = owners.into_iter().any(|it| same_login(it, login));
            let was_added = |(_, who, is_added): (i64, &str, bool)| is_added && same_login(who, login);
            is_owner && !self.changes_of_owners().any(was_added)
        })
    }

    /// Owners who came (`true`) or were removed by others shortly before this release, with the time. Who leaves by themselves
    /// was not locked out.
    pub(crate) fn changes_of_owners(&self) -> impl Iterator<Item = (i64, &'a str, bool)> {
        let (from, to) = (self.published.saturating_sub(HANDOVER), self.published);
        let events = self.history.events.value().into_iter().flatten();
        events.filter(move |it| (from..=to).contains(&it.at)).filter_map(|event| match &event.action {
            RegistryAction::OwnerAdded(who) => Some((event.at, who.as_str(), true)),
            RegistryAction::OwnerRemoved(who) => {
                let left = event.by.value().is_some_and(|by| same_login(by, who));
                (!left).then_some((event.at, who.as_str(), false))
            }
            RegistryAction::Yank(_) | RegistryAction::Unyank(_) => None,
        })
    }

    /// Other versions that were withdrawn around this release: before it, and after it.
    pub(crate) fn yanked_around(&self) -> Result<(BTreeSet<&'a Version>, BTreeSet<&'a Version>), &'a str> {
        let events = self.history.events.as_result()?;
        let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
        for event in
            events.iter().filter(|it| it.at.saturating_sub(self.published).saturating_abs() <= AROUND)
        {
            match &event.action {
                RegistryAction::Yank(version) if *version != self.own.version => {
                    if event.at <= self.published { &mut before } else { &mut after }.insert(version);
                }
                RegistryAction::Unyank(version) => {
                    before.remove(version);
                    after.remove(version);
                }
                _ => {}
            }
        }
        Ok((before, after))
    }

    /// Whether cargo has no other version to give to whoever asks for an earlier compatible one.
    pub(crate) fn is_only_choice(&self) -> bool {
        let mut compatible =
            self.earlier.iter().filter(|it| are_compatible(&it.version, &self.own.version)).peekable();
        compatible.peek().is_some() && compatible.all(|it| it.yanked)
    }

    /// Whether the release before this one came from a build service that the registry trusts, and this one did not: with
    /// whether that was the habit. The reason where it is not known.
    pub(crate) fn method_downgraded(&self) -> Result<Option<Habit>, &'a str> {
        let methods: Vec<PublishMethod> =
            self.earlier.iter().filter_map(|it| it.method.value().copied()).collect();
        if !methods.contains(&PublishMethod::TrustedPublishing) {
            return match (self.earlier.is_empty(), methods.is_empty()) {
                (false, true) => self.earlier[0].method.as_result().map(|_| None),
                _ => Ok(None),
            };
        }
        let own = *self.own.method.as_result()?;
        let first_trusted = methods.iter().position(|it| *it == PublishMethod::TrustedPublishing);
        let since = &methods[first_trusted.unwrap_or(0)..];
        let tokens = since.iter().filter(|it| **it == PublishMethod::Token).count();
        let is_downgrade = own == PublishMethod::Token;
        Ok(is_downgrade.then_some(if tokens == 0 { Habit::Kept } else { Habit::Mixed }))
    }

    /// Whether this is the first version with dependencies after several without; the reason where that is not known.
    pub(crate) fn has_first_dependency(&self) -> Result<bool, &'a str> {
        let own = self.own.dependencies.as_result()?;
        if own.is_empty() || (self.earlier.len() < 3 && !self.is_established()) {
            return Ok(false);
        }
        let mut unknown = None;
        for version in &self.earlier {
            match version.dependencies.as_result() {
                Ok(dependencies) if dependencies.is_empty() => {}
                Ok(_) => return Ok(false),
                Err(reason) => unknown = Some(reason),
            }
        }
        unknown.map_or(Ok(!self.earlier.is_empty()), Err)
    }

    /// Dependencies that the version before did not have, with their age where it is known.
    pub(crate) fn new_dependencies(&self) -> impl Iterator<Item = &'a DependencyHistory> {
        self.history.dependencies.iter().filter(|it| it.in_previous != Some(true))
    }

    /// Whether everything that it newly depends on is by those who stand behind this crate: a part was split off.
    pub(crate) fn adds_its_own_only(&self) -> bool {
        let mut direct = self.new_dependencies().filter(|it| it.through.is_empty()).peekable();
        direct.peek().is_some() && direct.all(|it| self.is_strangers(it) == Some(false))
    }

    /// Age of a dependency when this version was published. One that was published later has age 0.
    pub(crate) fn age_of(&self, dependency: &DependencyHistory) -> Option<i64> {
        dependency.first_published.value().map(|first| self.published.saturating_sub(*first).max(0))
    }
}

/// How a crate's releases came about since it began with trusted publishing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Always by trusted publishing.
    Kept,
    /// Sometimes with a token.
    Mixed,
}

/// Registries take logins for the same whatever their case.
pub(crate) fn same_login(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether cargo updates from the one to the other by itself.
fn are_compatible(older: &Version, newer: &Version) -> bool {
    match (older.major, newer.major) {
        (0, 0) if older.minor == 0 && newer.minor == 0 => older.patch == newer.patch,
        (0, 0) => older.minor == newer.minor,
        (one, other) => one == other,
    }
}

/// `3 hours`, `12 days`, `4 years`.
pub(crate) fn duration(seconds: i64) -> String {
    let (number, unit) = match seconds.max(0) {
        it if it < 2 * HOUR => (it / 60, "minute"),
        it if it < 2 * DAY => (it / HOUR, "hour"),
        it if it < 730 * DAY => (it / DAY, "day"),
        it => (it / (365 * DAY), "year"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_readable() {
        for (seconds, text) in
            [(60, "1 minute"), (5 * HOUR, "5 hours"), (DAY * 400, "400 days"), (DAY * 3660, "10 years")]
        {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn compatibility_is_cargos() {
        let compatible = |a: &str, b: &str| are_compatible(&a.parse().unwrap(), &b.parse().unwrap());
        assert!(
            compatible("0.3.9", "0.3.10") && compatible("1.0.0", "1.9.0") && compatible("0.0.3", "0.0.3")
        );
        assert!(
            !compatible("0.3.9", "0.4.0") && !compatible("0.9.0", "1.0.0") && !compatible("0.0.3", "0.0.4")
        );
    }
}
