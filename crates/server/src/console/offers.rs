//! What can be done about a version, a crate and a publisher: links to the page before each act.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::{Case, ClauseMode};
use cratekeeper_store::{
    CaseId, CrateEvent, CrateRecord, DecisionAction, Enforcement, EventKind, Lock, LockedAction, Registry,
    RegistryKind, State as Standing, VersionRecord,
};

use super::act::link;
use crate::acts::{Change, Target};
use crate::gate::Gate;

/// Seconds before a version's arrival from which on yanks of its crate are offered to be rolled back: two days, as attackers take good
/// versions away first.
const YANKS_BEFORE: i64 = 2 * 86_400;

/// Days that a waiver counts which is offered: a quarter, after which somebody looks again.
const WAIVED: u32 = 90;

/// Something that can be done.
pub(super) struct Offer {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) is_grave: bool,
}

/// Offers, with where each comes back to.
struct Offers<'a> {
    registry: &'a str,
    back: &'a str,
    offers: Vec<Offer>,
}

impl Offers<'_> {
    fn add(&mut self, name: &str, change: &Change, is_grave: bool) {
        self.offers.push(Offer { name: name.to_owned(), path: link(change, self.back), is_grave });
    }

    fn decide(&mut self, name: &str, target: Target, action: DecisionAction) {
        let change = Change::Decide { target, action, enforcement: Enforcement::Deny };
        self.add(name, &change, action == DecisionAction::Block);
    }

    fn roll_back_yanks(&mut self, krate: Option<&str>, by: Option<&str>, from: i64, now: i64) {
        let change = Change::RollBackYanks {
            registry: self.registry.to_owned(),
            by: by.map(str::to_owned),
            krate: krate.map(str::to_owned),
            from,
            to: now + 1,
        };
        self.add("Roll back yanks", &change, false);
    }
}

/// What there is to know about a version before something is done about it.
pub(super) struct About<'a> {
    pub(super) registry: &'a Registry,
    pub(super) krate: &'a CrateRecord,
    pub(super) version: &'a VersionRecord,
    pub(super) publisher: Option<&'a str>,
    /// What happened to the crate.
    pub(super) events: &'a [CrateEvent],
    /// Its case, while that is open.
    pub(super) open_case: Option<CaseId>,
    pub(super) now: i64,
    /// Whether whoever looks may take it down.
    pub(super) is_admin: bool,
    /// Where whoever did something comes back to.
    pub(super) back: &'a str,
}

/// What can be done about a version.
pub(super) fn of_version(about: &About<'_>) -> Vec<Offer> {
    let About { registry, krate, version, publisher, back, .. } = about;
    let mut offers = Offers { registry: &registry.name, back, offers: Vec::new() };
    let of_crate = || Target { krate: Some(krate.name.clone()), ..target(registry) };
    let of_version = || Target { version: Some(version.version.to_string()), ..of_crate() };
    let of_publisher = |it: &str| Target { publisher: Some(it.to_owned()), ..target(registry) };
    if version.is_taken_down() {
        offers.decide("Quarantine the crate", of_crate(), DecisionAction::Hold);
        if about.is_admin {
            offers.add("Restore this version", &Change::Restore { target: of_version() }, true);
        }
        return offers.offers;
    }
    let is_decided = version.standing.decision.is_some();
    let state = version.standing.state;
    if state != Standing::Held || !is_decided {
        offers.decide("Quarantine this version", of_version(), DecisionAction::Hold);
    }
    offers.decide("Quarantine the crate", of_crate(), DecisionAction::Hold);
    if let Some(login) = publisher {
        offers.decide("Quarantine everything of the publisher", of_publisher(login), DecisionAction::Hold);
    }
    let from = version.first_seen - YANKS_BEFORE;
    if about.events.iter().any(|it| it.kind == EventKind::Yank && it.at >= from) {
        offers.roll_back_yanks(Some(&krate.name), None, from, about.now);
    }
    if state != Standing::Blocked || !is_decided {
        offers.decide("Block this version", of_version(), DecisionAction::Block);
    }
    if let Some(login) = publisher {
        offers.decide("Block everything of the publisher", of_publisher(login), DecisionAction::Block);
    }
    let yanked = !version.is_yanked();
    let name = if yanked { "Yank this version" } else { "Unyank this version" };
    offers.add(name, &Change::SetYanked { target: of_version(), yanked }, false);
    if about.is_admin {
        offers.add("Take down this version", &Change::TakeDown { target: of_version() }, true);
    }
    if state != Standing::Released {
        offers.decide("Release this version", of_version(), DecisionAction::Release);
    }
    if let Some(clause) = version.clause.clone().filter(|_| !version.automatic_is_open()) {
        let change = Change::Waive {
            registry: registry.name.clone(),
            krate: krate.name.clone(),
            version: Some(version.version.to_string()),
            clause: Some(clause),
            rule: None,
            days: WAIVED,
        };
        offers.add("Waive its clause for 90 days", &change, false);
    }
    if let Some(case) = about.open_case.filter(|_| state == Standing::Released) {
        offers.add("Close: nothing to do", &Change::CloseCase { case: case.0 }, false);
    }
    offers.offers
}

fn target(registry: &Registry) -> Target {
    Target { registry: registry.name.clone(), krate: None, version: None, publisher: None }
}

/// Where each rule can be waived that found something in a version and counts.
pub(super) fn waivable(
    gate: &Gate,
    (registry, krate, version): (&Registry, &CrateRecord, &VersionRecord),
    found: &Case,
    back: &str,
) -> BTreeMap<String, String> {
    let policy = gate.engine.policy();
    let counts = |rule: &str| policy.mode_of(rule) == ClauseMode::Enforce;
    let rules: BTreeSet<&str> = found.findings.iter().map(|it| it.rule.as_str()).collect();
    let path = |rule: &str| {
        let change = Change::Waive {
            registry: registry.name.clone(),
            krate: krate.name.clone(),
            version: Some(version.version.to_string()),
            clause: None,
            rule: Some(rule.to_owned()),
            days: WAIVED,
        };
        (rule.to_owned(), link(&change, back))
    };
    rules.into_iter().filter(|it| counts(it)).map(path).collect()
}

/// How many versions of a crate were taken down.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TakenDown {
    None,
    Some,
    All,
}

/// Freezing an account, or ending that.
pub(super) fn freeze(login: &str, frozen: bool, back: &str) -> Offer {
    let name = if frozen { "Freeze" } else { "Let publish again" };
    let change = Change::Freeze { login: login.to_owned(), frozen };
    Offer { name: name.to_owned(), path: link(&change, back), is_grave: frozen }
}

/// What can be done about a crate. `yanked_since` is the moment of its first yank that still holds; `taken_down` is for those who may take down
/// alone.
pub(super) fn of_crate(
    registry: &Registry,
    name: &str,
    locks: &[Lock],
    (yanked_since, now): (Option<i64>, i64),
    (taken_down, back): (Option<TakenDown>, &str),
) -> Vec<Offer> {
    let mut offers = Offers { registry: &registry.name, back, offers: Vec::new() };
    let of_crate = || Target { krate: Some(name.to_owned()), ..target(registry) };
    offers.decide("Quarantine the crate", of_crate(), DecisionAction::Hold);
    offers.decide("Block the crate", of_crate(), DecisionAction::Block);
    offers.decide("Release the crate", of_crate(), DecisionAction::Release);
    if matches!(taken_down, Some(TakenDown::None | TakenDown::Some)) {
        offers.add("Take down all versions", &Change::TakeDown { target: of_crate() }, true);
    }
    if matches!(taken_down, Some(TakenDown::All | TakenDown::Some)) {
        offers.add("Restore what was taken down", &Change::Restore { target: of_crate() }, true);
    }
    if let Some(from) = yanked_since {
        offers.roll_back_yanks(Some(name), None, from, now);
    }
    // Owners of upstreams' crates do nothing here that could be locked.
    if registry.kind == RegistryKind::Hosted {
        for (action, what) in [
            (LockedAction::Publish, "publishing"),
            (LockedAction::Yank, "yanks"),
            (LockedAction::Owners, "new owners"),
        ] {
            let locked = !locks.iter().any(|it| it.action == action);
            let word = if locked { "Lock" } else { "Unlock" };
            let change = Change::Lock { krate: name.to_owned(), action, locked };
            offers.add(&format!("{word} against {what}"), &change, false);
        }
    }
    offers.offers
}

/// What can be done about a publisher. `account` says whether they have an account here, and whether it is locked out; `yanked_since` is the
/// moment of the first of their yanks that may be rolled back.
pub(super) fn of_publisher(
    registry: &Registry,
    login: &str,
    account: Option<bool>,
    is_admin: bool,
    (yanked_since, now): (Option<i64>, i64),
    back: &str,
) -> Vec<Offer> {
    let mut offers = Offers { registry: &registry.name, back, offers: Vec::new() };
    let all = || Target { publisher: Some(login.to_owned()), ..target(registry) };
    offers.decide("Quarantine everything", all(), DecisionAction::Hold);
    offers.decide("Block everything", all(), DecisionAction::Block);
    if let Some(from) = yanked_since {
        offers.roll_back_yanks(None, Some(login), from, now);
    }
    if let Some(is_locked_out) = account {
        offers.add("Revoke tokens and sessions", &Change::RevokeAll { login: login.to_owned() }, true);
        if is_admin {
            let name = if is_locked_out { "Let in again" } else { "Lock out" };
            let change = Change::SetDisabled { login: login.to_owned(), disabled: !is_locked_out };
            offers.add(name, &change, !is_locked_out);
        }
    }
    offers.offers
}
