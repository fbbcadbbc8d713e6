//! Decisions as pages show them: what was decided about a version, a crate and a publisher, by whom, and what can be done about it.

use cratekeeper_store::{Decision, DecisionAction, DecisionFilter, Subject};

use super::act::link;
use super::layout::moment;
use super::visitor::{Problem, Visitor};
use crate::acts::Change;
use crate::gate::Gate;

/// Decisions about one subject that are shown.
const ROWS: u64 = 100;

/// A decision.
pub(super) struct Decided {
    pub(super) id: i64,
    /// What it is about, in words.
    pub(super) scope: String,
    pub(super) action: String,
    pub(super) actor: String,
    pub(super) reason: String,
    pub(super) at: String,
    pub(super) undone: Option<String>,
    pub(super) confirmed: Option<String>,
    pub(super) can_confirm: bool,
    pub(super) undo: Option<String>,
}

/// Decisions about some subjects, which are called so, newest first. Whoever undoes one comes back to `back`.
pub(super) async fn decisions(
    gate: &Gate,
    visitor: &Visitor,
    subjects: Vec<(Subject, String)>,
    back: &str,
) -> Result<Vec<Decided>, Problem> {
    let mut found: Vec<(Decision, String)> = Vec::new();
    for (subject, called) in subjects {
        let filter = DecisionFilter { subject: Some(subject), ..DecisionFilter::default() };
        let decisions = gate.store.decisions(&filter, None, ROWS).await?;
        found.extend(decisions.into_iter().map(|it| (it, called.clone())));
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.0.id));
    let may = visitor.has(&crate::acts::TRIAGE);
    Ok(found.into_iter().map(|it| shown(it, may, &visitor.user.login, back)).collect())
}

fn shown((decision, scope): (Decision, String), may: bool, login: &str, back: &str) -> Decided {
    let stands = decision.undone.is_none();
    let needs_confirmation =
        stands && decision.confirmed.is_none() && decision.action != DecisionAction::Release;
    Decided {
        id: decision.id.0,
        scope,
        action: decision.action.to_string(),
        can_confirm: may && needs_confirmation && decision.actor != login,
        undo: (may && stands).then(|| link(&Change::Undo { decision: decision.id.0 }, back)),
        confirmed: if needs_confirmation {
            Some("not confirmed yet".to_owned())
        } else {
            decision.confirmed.map(|(by, at)| format!("confirmed by {by}, {}", moment(at)))
        },
        actor: decision.actor,
        reason: decision.reason,
        at: moment(decision.at),
        undone: decision.undone.map(|it| format!("undone by {}, {}: {}", it.by, moment(it.at), it.reason)),
    }
}
