//! What stands on pages in the place of what was taken down; and who may look at its files all the same.

use cratekeeper_store::{Role, Tombstone, TombstoneState, VersionRecord};

use super::layout::plain;
use super::visitor::{Problem, Visitor};
use crate::gate::Gate;

/// A tombstone.
pub(super) struct Shown {
    pub(super) by: String,
    pub(super) agreed: Option<String>,
    pub(super) at: i64,
    pub(super) reason: String,
    /// Where its bytes are.
    pub(super) state: &'static str,
    pub(super) trouble: Option<String>,
    /// Who has it restored, why and when.
    pub(super) restore: Option<(String, String, i64)>,
}

impl From<Tombstone> for Shown {
    fn from(stone: Tombstone) -> Shown {
        Shown {
            by: stone.actor,
            agreed: stone.approved_by,
            at: stone.at,
            reason: plain(&stone.reason),
            state: match stone.state {
                TombstoneState::Sealing => "Its bytes are being sealed. Nobody gets them any more.",
                TombstoneState::Sealed => "The evidence vault has its bytes, sealed, and nothing else has.",
                TombstoneState::Absent => "None of its bytes were here.",
                TombstoneState::Restoring => "Its bytes are being brought back. It is held then.",
                TombstoneState::Restored => "It was restored.",
            },
            trouble: stone.trouble.as_deref().map(plain),
            restore: stone.restore.map(|it| (it.by, plain(&it.reason), it.at)),
        }
    }
}

impl Gate {
    /// The tombstone of a version, while it stands.
    pub(super) async fn tombstone_of(&self, version: &VersionRecord) -> Result<Option<Shown>, Problem> {
        if !version.is_taken_down() {
            return Ok(None);
        }
        Ok(self.store.tombstone(version.id).await?.filter(Tombstone::stands).map(Shown::from))
    }
}

/// Why somebody does not see files of what was taken down, as a sentence; `None` when they do.
pub(super) fn why_not(visitor: &Visitor, now: i64) -> Option<&'static str> {
    if !visitor.has(&[Role::Admin]) {
        return Some("It was taken down. An administrator may look at its files, as evidence.");
    }
    if visitor.is_led {
        // Else any site could have the log say that they looked.
        return Some("It was taken down. Its files are shown to whoever comes from a page of the console.");
    }
    let stale =
        "It was taken down. Prove again who you are to look at its files; the audit log says that you did.";
    (!visitor.is_fresh(now)).then_some(stale)
}

/// Where somebody proves who they are who then may look at evidence at `path`; `None` where that is of no use.
pub(super) fn prove(visitor: &Visitor, now: i64, versions: &[&VersionRecord], path: &str) -> Option<String> {
    let is_asked_for = versions.iter().any(|it| it.is_taken_down());
    if !is_asked_for || !visitor.has(&[Role::Admin]) || visitor.is_fresh(now) {
        return None;
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("back", path).finish();
    Some(format!("/console/prove?{query}"))
}
