//! Waivers of the gate as pages show them: of what, for what, by whom and why, until when; and where one ends.
//!
//! Those that the policy's file has are shown with the policy, and end by another policy.

use std::collections::BTreeMap;

use cratekeeper_store::{CrateRecord, VersionId, VersionRecord, WaivedKind, WaiverRecord};

use super::act::link;
use super::hit::crate_path;
use super::layout::{moment, plain};
use super::visitor::{Problem, Visitor};
use crate::acts::Change;
use crate::gate::Gate;

/// Waivers that a list shows.
const ROWS: u64 = 100;

/// A waiver.
pub(super) struct Waived {
    pub(super) kind: WaivedKind,
    pub(super) what: String,
    /// What it is for, in words.
    pub(super) scope: String,
    /// The crate's page, where the list is about several.
    pub(super) path: Option<String>,
    pub(super) owner: String,
    pub(super) reason: String,
    pub(super) since: String,
    pub(super) until: String,
    /// When it came to its end.
    pub(super) ended: Option<String>,
    /// Where it is ended.
    pub(super) end: Option<String>,
}

/// Waivers of a crate, newest first; those that count for one version, where there is one. Whoever ends one comes back to `back`.
pub(super) async fn of_crate(
    gate: &Gate,
    visitor: &Visitor,
    (krate, versions): (&CrateRecord, &[VersionRecord]),
    only: Option<VersionId>,
    back: &str,
) -> Result<Vec<Waived>, Problem> {
    let waivers = match only {
        Some(version) => gate.store.waivers_of(krate.id, version, gate.now()).await?,
        None => gate.store.waivers_for(krate.id, ROWS).await?,
    };
    let numbers: BTreeMap<VersionId, String> =
        versions.iter().map(|it| (it.id, it.version.to_string())).collect();
    let may = visitor.has(&crate::acts::TRIAGE);
    let row = |it: WaiverRecord| {
        let scope = match it.version {
            None => "the crate".to_owned(),
            Some(id) => format!("version {}", numbers.get(&id).map_or("that is gone", String::as_str)),
        };
        waived(it, scope, None, gate.now(), may.then_some(back))
    };
    Ok(waivers.into_iter().map(row).collect())
}

/// Waivers that count, soonest to end first. Whoever ends one comes back to `back`.
pub(super) async fn open(gate: &Gate, visitor: &Visitor, back: &str) -> Result<Vec<Waived>, Problem> {
    let found = gate.store.open_waivers(ROWS).await?;
    let ids: Vec<VersionId> = found.iter().filter_map(|(_, it)| it.version).collect();
    let versions = gate.store.versions_by_id(&ids).await?;
    let numbers: BTreeMap<VersionId, String> =
        versions.into_iter().map(|(_, it)| (it.id, it.version.to_string())).collect();
    let may = visitor.has(&crate::acts::TRIAGE);
    let row = |(krate, it): (CrateRecord, WaiverRecord)| {
        let number = it.version.and_then(|id| numbers.get(&id));
        let scope = number.map_or_else(|| krate.name.clone(), |it| format!("{} {it}", krate.name));
        let path = gate.registry_of(&krate).map(|it| crate_path(&it.name, &krate.name));
        waived(it, scope, path, gate.now(), may.then_some(back))
    };
    Ok(found.into_iter().map(row).collect())
}

fn waived(waiver: WaiverRecord, scope: String, path: Option<String>, now: i64, back: Option<&str>) -> Waived {
    let ended = waiver.ended_at.or_else(|| (waiver.expires_at <= now).then_some(waiver.expires_at));
    let change = Change::EndWaiver { waiver: waiver.id.0 };
    Waived {
        kind: waiver.kind,
        what: plain(&waiver.what),
        scope,
        path,
        owner: waiver.owner,
        reason: plain(&waiver.reason),
        since: moment(waiver.at),
        until: moment(waiver.expires_at),
        end: back.filter(|_| ended.is_none()).map(|it| link(&change, it)),
        ended: ended.map(moment),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_store::{CrateId, WaiverId};

    use super::*;

    #[test]
    fn waivers_that_ended_or_expired_cannot_be_ended() {
        let record = |expires_at, ended_at| WaiverRecord {
            id: WaiverId(7),
            crate_id: CrateId(1),
            version: None,
            kind: WaivedKind::Rule,
            what: "network-access".to_owned(),
            reason: "ours".to_owned(),
            owner: "ann".to_owned(),
            at: 100,
            expires_at,
            ended_at,
        };
        let row = |record, back| waived(record, "the crate".to_owned(), None, 200, back);
        assert!(row(record(201, None), Some("/console/policy")).end.is_some());
        assert!(row(record(201, None), None).end.is_none(), "whoever only looks");
        assert!(row(record(200, None), Some("/console/policy")).end.is_none());
        let ended = row(record(300, Some(150)), Some("/console/policy"));
        assert_eq!((ended.end, ended.ended), (None, Some(moment(150))));
    }
}
