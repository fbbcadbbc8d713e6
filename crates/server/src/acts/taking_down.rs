//! Taking versions down, and restoring them: what a preview says, and what of the bytes others still need.
//!
//! The act ends downloads. Bytes are moved by a job afterwards, which is `vault`'s: an act must not wait for a disk while it keeps all others out.

use std::collections::BTreeSet;
use std::sync::Arc;

use cratekeeper_store::{
    CrateRecord, DecisionAction, Subject, Tombstone, TombstoneState, Transaction, VersionId, VersionRecord,
};
use serde_json::json;

use super::{Effect, Line, Target, plural};
use crate::error::Failure;
use crate::gate::Gate;

/// Versions that one act takes down or restores: few crates have more. While it is done, nobody else can act; a thousand take two to five seconds
/// (measured, on either database).
const AT_ONCE: usize = 1_000;

impl Gate {
    /// Takes a version down, or all of a crate that there are.
    pub(super) async fn take_down(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        target: &Target,
        why: &str,
    ) -> Result<Effect, Failure> {
        let (krate, object, versions) = self.versions_of(target).await?;
        let versions: Vec<VersionRecord> = versions.into_iter().filter(|it| !it.is_taken_down()).collect();
        let mut effect = begun(object, &versions, "nothing is left to take down")?;
        effect.decisions = transaction.take_down(&effect.versions, why).await?;
        for version in &versions {
            effect.lines.push(Line {
                what: format!("{}@{}", krate.name, version.version),
                before: version.standing.state.to_string(),
                after: "taken down: blocked, out of the index, its bytes sealed in the vault".to_owned(),
            });
        }
        effect.lines.extend(self.others_with_the_same_bytes(&versions).await?);
        let count = versions.len();
        effect.loosens = Some(format!("it destroys the plain bytes of {count} version{}", plural(count)));
        effect.answer = json!({ "versions": shown(&krate, &versions, "blocked") });
        Ok(effect)
    }

    /// Has a version brought back that was taken down, or all of a crate.
    pub(super) async fn restore(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        target: &Target,
        why: &str,
    ) -> Result<Effect, Failure> {
        let (krate, object, versions) = self.versions_of(target).await?;
        let mut standing = Vec::new();
        for version in versions.into_iter().filter(VersionRecord::is_taken_down) {
            let tombstone = self.store.tombstone(version.id).await?;
            let is_begun = |it: &Tombstone| it.state == TombstoneState::Restoring;
            if !tombstone.as_ref().is_some_and(is_begun) {
                standing.push(version);
            }
        }
        let mut effect =
            begun(object, &standing, "nothing of it was taken down that is not restored already")?;
        effect.decisions = transaction.restore(&effect.versions, why).await?;
        for version in &standing {
            effect.lines.push(Line {
                what: format!("{}@{}", krate.name, version.version),
                before: "taken down".to_owned(),
                after: "held, once its bytes are back from the vault".to_owned(),
            });
        }
        let count = standing.len();
        effect.loosens =
            Some(format!("it brings back {count} version{} that two people took down", plural(count)));
        effect.answer = json!({ "versions": shown(&krate, &standing, "restoring") });
        Ok(effect)
    }

    /// Refuses what would have no effect until a version is restored, and would surprise everybody then.
    pub(super) async fn refuse_taken_down(
        &self,
        subject: &Subject,
        action: Option<DecisionAction>,
    ) -> Result<(), Failure> {
        let Subject::Version(id) = subject else { return Ok(()) };
        let loosens = action.is_none_or(|it| it == DecisionAction::Release);
        if loosens && self.was_taken_down(*id).await? {
            return Err(Failure::Conflict("it was taken down: restore it first".to_owned()));
        }
        Ok(())
    }

    /// The versions that a target means, with their crate.
    async fn versions_of(
        &self,
        target: &Target,
    ) -> Result<(CrateRecord, String, Vec<VersionRecord>), Failure> {
        let (subject, object) = self.subject(target).await?;
        match subject {
            Subject::Version(id) => {
                let (krate, version) = self.store.version_by_id(id).await?;
                Ok((krate, object, vec![version]))
            }
            Subject::Crate(id) => {
                let krate = self.store.crate_by_id(id).await?;
                let found = self.store.crate_versions(krate.registry, &krate.name).await?;
                Ok((krate, object, found.map_or_else(Vec::new, |it| it.1)))
            }
            Subject::Publisher(..) => {
                Err(Failure::Bad("what is taken down or restored is a version, or a crate".to_owned()))
            }
        }
    }

    /// Versions elsewhere that have the same bytes: those stay, and whoever takes something down has to know of it.
    async fn others_with_the_same_bytes(&self, own: &[VersionRecord]) -> Result<Vec<Line>, Failure> {
        let ids: BTreeSet<VersionId> = own.iter().map(|it| it.id).collect();
        let mut lines = Vec::new();
        for version in own {
            let others = self.store.versions_with_checksum(version.checksum).await?;
            for (krate, other) in others.into_iter().filter(|it| !ids.contains(&it.1.id)) {
                if other.is_taken_down() {
                    continue;
                }
                let registry =
                    self.registry_of(&krate).map_or("a registry that is gone", |it| it.name.as_str());
                lines.push(Line {
                    what: format!("the same bytes as {}@{} of {registry}", krate.name, other.version),
                    before: other.standing.state.to_string(),
                    after: format!("{}, and kept until it is taken down as well", other.standing.state),
                });
            }
        }
        Ok(lines)
    }
}

fn begun(object: String, versions: &[VersionRecord], nothing: &str) -> Result<Effect, Failure> {
    if versions.is_empty() {
        return Err(Failure::Conflict(nothing.to_owned()));
    }
    if versions.len() > AT_ONCE {
        let count = versions.len();
        return Err(Failure::Bad(format!("these are {count} versions; one act is about {AT_ONCE} at most")));
    }
    let ids = versions.iter().map(|it| it.id).collect();
    Ok(Effect { object, versions: ids, is_work: true, ..Effect::default() })
}

fn shown(krate: &CrateRecord, versions: &[VersionRecord], state: &str) -> Vec<serde_json::Value> {
    let one = |it: &VersionRecord| json!({ "crate": krate.name, "version": it.version, "state": state });
    versions.iter().map(one).collect()
}
