//! What becomes of a version: what inspection says, what people decided, and which of the two holds.
//!
//! The narrowest decision that is not undone holds: one about the version before one about its crate before
//! one about its publisher; of two about the same, the newer. So whoever releases a single version of a
//! publisher on hold has the last word on it. Without a decision, inspection holds. A version that was taken down is
//! blocked, whatever else holds. The result is kept in the
//! version's row, so that an index is read without looking at decisions; this file is the only one that works
//! it out.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};
use serde::{Deserialize, Serialize};

use crate::changes::ROWS_AT_ONCE;
use crate::entities::{crates, decisions, provenance, versions};
use crate::error::During;
use crate::registries::crate_by_id;
use crate::versions::version_by_id;
use crate::words::{read_word, words};
use crate::{Decision, DecisionId, Store, StoreError, Transaction, VersionId};

words! {
    /// What may be done with a version.
    pub enum State {
        /// It was not inspected yet.
        Pending = "pending",
        /// It may be used.
        Released = "released",
        /// It waits for a person.
        Held = "held",
        /// It may not be used.
        Blocked = "blocked",
        /// It could not be inspected.
        Failed = "failed",
    }
}

words! {
    /// How a version that may not be used is kept from those who ask.
    pub enum Enforcement {
        /// The index has its line, and its download is refused with the reason.
        Deny = "deny",
        /// The index has no line of it.
        Hide = "hide",
    }
}

words! {
    /// What a person decided.
    pub enum DecisionAction {
        /// Nobody gets it until further notice.
        Hold = "hold",
        /// Everybody gets it.
        Release = "release",
        /// Nobody gets it.
        Block = "block",
    }
}

/// What holds for a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What may be done with it.
    pub state: State,
    /// Whether the index has a line of it.
    pub listed: bool,
    /// Why, as a sentence fragment.
    pub reason: String,
    /// The person's decision that holds; `None` when inspection does.
    pub decision: Option<DecisionId>,
}

impl Standing {
    /// Whether whoever asks gets the bytes. A version that is listed and not yet inspected is inspected first.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state == State::Released
    }
}

impl DecisionAction {
    fn state(self) -> State {
        match self {
            DecisionAction::Hold => State::Held,
            DecisionAction::Release => State::Released,
            DecisionAction::Block => State::Blocked,
        }
    }
}

/// What inspection says, as far as it matters here.
pub(crate) struct Automatic<'a> {
    pub(crate) state: State,
    pub(crate) enforcement: Enforcement,
    pub(crate) listed_while_pending: bool,
    pub(crate) reason: &'a str,
    pub(crate) first_seen: i64,
    /// Number of the version; later ones have higher ones.
    pub(crate) id: i64,
    /// Why it was taken down.
    pub(crate) taken_down: Option<&'a str>,
}

impl Automatic<'_> {
    fn of(row: &versions::Model) -> Result<Automatic<'_>, StoreError> {
        Ok(Automatic {
            state: read_word(&row.state, "state", row.id)?,
            enforcement: read_word(&row.enforcement, "enforcement", row.id)?,
            listed_while_pending: row.listed_while_pending,
            reason: &row.reason,
            first_seen: row.first_seen,
            id: row.id,
            taken_down: row.taken_down_reason.as_deref(),
        })
    }
}

/// The decision that holds, of those about this version, its crate and its publisher; `None` where inspection does.
fn deciding<'d>(
    automatic: &Automatic<'_>,
    decisions: &[&'d decisions::Model],
) -> Option<&'d decisions::Model> {
    let narrowness = |row: &decisions::Model| match (row.version_id, row.crate_id) {
        (Some(_), _) => 2,
        (None, Some(_)) => 1,
        (None, None) => 0,
    };
    let latest_about =
        |scope: u8| decisions.iter().filter(|row| narrowness(row) == scope).max_by_key(|row| row.id).copied();
    // Whoever released a crate or a publisher ended what was decided about it before, and had not seen what came later: that is inspected, and
    // stands on its own.
    let speaks_of_it = |row: &&decisions::Model| {
        let is_release = row.action == DecisionAction::Release.as_str();
        // Numbers are given under the lock that acts take; clocks of replicas differ, and a second is long. Older decisions lack the number.
        let is_later =
            row.newest_version.map_or(automatic.first_seen > row.at, |newest| automatic.id > newest);
        let is_unseen = automatic.state == State::Pending || is_later;
        !(is_release && row.version_id.is_none() && is_unseen)
    };
    [2, 1, 0].into_iter().filter_map(latest_about).find(speaks_of_it)
}

/// The decisions that held one after the other, of all that there ever were about a version that was inspected, each from a moment on; `None` where
/// inspection held again.
fn over_time<'d>(
    automatic: &Automatic<'_>,
    decisions: &[&'d decisions::Model],
) -> Vec<(i64, Option<&'d decisions::Model>)> {
    let moments: BTreeSet<i64> =
        decisions.iter().flat_map(|row| [Some(row.at), row.undone_at]).flatten().collect();
    let mut held: Vec<(i64, Option<&decisions::Model>)> = Vec::new();
    for moment in moments {
        let stood = |row: &&decisions::Model| row.at <= moment && row.undone_at.is_none_or(|it| it > moment);
        let standing: Vec<&decisions::Model> = decisions.iter().copied().filter(|row| stood(row)).collect();
        let now = deciding(automatic, &standing);
        if held.last().and_then(|it| it.1).map(|it| it.id) != now.map(|it| it.id) {
            held.push((moment, now));
        }
    }
    held
}

/// What holds, given the decisions about this version, its crate and its publisher that are not undone.
pub(crate) fn standing(
    automatic: &Automatic<'_>,
    decisions: &[&decisions::Model],
) -> Result<Standing, StoreError> {
    if let Some(reason) = automatic.taken_down {
        // Whatever else is decided or found out: there is nothing that could be given out.
        let decision = deciding(automatic, decisions).map(|it| DecisionId(it.id));
        let reason = format!("taken down: {reason}");
        return Ok(Standing { state: State::Blocked, listed: false, reason, decision });
    }
    let Some(decision) = deciding(automatic, decisions) else {
        let listed = match automatic.state {
            State::Pending => automatic.listed_while_pending,
            State::Released => true,
            State::Held | State::Blocked | State::Failed => automatic.enforcement == Enforcement::Deny,
        };
        let reason = automatic.reason.to_owned();
        return Ok(Standing { state: automatic.state, listed, reason, decision: None });
    };
    let state = read_word::<DecisionAction>(&decision.action, "action", decision.id)?.state();
    let enforcement = read_word::<Enforcement>(&decision.enforcement, "enforcement", decision.id)?;
    Ok(Standing {
        state,
        listed: state == State::Released || enforcement == Enforcement::Deny,
        reason: decision.reason.clone(),
        decision: Some(DecisionId(decision.id)),
    })
}

/// Decisions about any of these versions, of crates of one registry.
struct Decisions {
    by_version: BTreeMap<i64, Vec<decisions::Model>>,
    by_crate: BTreeMap<i64, Vec<decisions::Model>>,
    by_publisher: BTreeMap<String, Vec<decisions::Model>>,
}

impl Decisions {
    async fn load(
        connection: &impl ConnectionTrait,
        registry: i64,
        rows: &[versions::Model],
        publishers: &BTreeMap<i64, String>,
        which: Condition,
    ) -> Result<Decisions, StoreError> {
        let crate_ids: BTreeSet<i64> = rows.iter().map(|it| it.crate_id).collect();
        let names: BTreeSet<&String> = publishers.values().collect();
        let of_publisher = decisions::Column::RegistryId
            .eq(registry)
            .and(decisions::Column::PublisherFolded.is_in(names.into_iter().cloned()));
        let about = decisions::Column::VersionId
            .is_in(rows.iter().map(|it| it.id))
            .or(decisions::Column::CrateId.is_in(crate_ids))
            .or(of_publisher);
        let query = decisions::Entity::find().filter(which).filter(about);
        let found = query.order_by_asc(decisions::Column::Id).all(connection).await;
        let mut sorted = Decisions {
            by_version: BTreeMap::new(),
            by_crate: BTreeMap::new(),
            by_publisher: BTreeMap::new(),
        };
        for row in found.during("read", "decisions")? {
            match (row.version_id, row.crate_id, &row.publisher_folded) {
                (Some(id), ..) => sorted.by_version.entry(id).or_default().push(row),
                (None, Some(id), _) => sorted.by_crate.entry(id).or_default().push(row),
                (None, None, Some(login)) => sorted.by_publisher.entry(login.clone()).or_default().push(row),
                (None, None, None) => {}
            }
        }
        Ok(sorted)
    }

    fn about(&self, row: &versions::Model, publisher: Option<&String>) -> Vec<&decisions::Model> {
        let of_version = self.by_version.get(&row.id).into_iter().flatten();
        let of_crate = self.by_crate.get(&row.crate_id).into_iter().flatten();
        let of_publisher = publisher.and_then(|it| self.by_publisher.get(it)).into_iter().flatten();
        of_version.chain(of_crate).chain(of_publisher).collect()
    }
}

/// Works out again what holds for these versions of one registry, and writes what differs. Gives the numbers
/// of those that changed.
pub(crate) async fn restate(
    transaction: &mut Transaction,
    registry: i64,
    rows: Vec<versions::Model>,
) -> Result<Vec<i64>, StoreError> {
    let mut changed = Vec::new();
    for some in rows.chunks(ROWS_AT_ONCE) {
        let publishers = publishers(&transaction.inner, some).await?;
        let standing_only = Condition::all().add(decisions::Column::UndoneAt.is_null());
        let decisions =
            Decisions::load(&transaction.inner, registry, some, &publishers, standing_only).await?;
        for row in some {
            let automatic = Automatic::of(row)?;
            let now = standing(&automatic, &decisions.about(row, publishers.get(&row.id)))?;
            if write(transaction, row, &now).await? {
                changed.push(row.id);
            }
        }
    }
    Ok(changed)
}

impl Store {
    /// The decisions that held for a version that was inspected, one after the other, each from a moment on; `None` where inspection held again, as it
    /// does before the first. Those that were undone since are among them.
    ///
    /// # Errors
    ///
    /// When there is no such version, or the database refuses.
    pub async fn decisions_over_time(
        &self,
        version: VersionId,
    ) -> Result<Vec<(i64, Option<Decision>)>, StoreError> {
        let row = version_by_id(&self.read, version.0).await?;
        let registry = crate_by_id(&self.read, row.crate_id).await?.registry_id;
        let rows = [row];
        let publishers = publishers(&self.read, &rows).await?;
        let decisions = Decisions::load(&self.read, registry, &rows, &publishers, Condition::all()).await?;
        let about = decisions.about(&rows[0], publishers.get(&version.0));
        let held = over_time(&Automatic::of(&rows[0])?, &about).into_iter();
        held.map(|(at, row)| Ok((at, row.cloned().map(Decision::try_from).transpose()?))).collect()
    }
}

/// Writes what holds into a version's row, if it is not there yet.
async fn write(
    transaction: &mut Transaction,
    row: &versions::Model,
    now: &Standing,
) -> Result<bool, StoreError> {
    let decision_id = now.decision.map(|it| it.0);
    let is_shown_alike = row.standing == now.state.as_str() && row.listed == now.listed;
    if is_shown_alike && row.standing_reason == now.reason && row.decision_id == decision_id {
        return Ok(false);
    }
    let mut update: versions::ActiveModel = row.clone().into();
    update.standing = Set(now.state.as_str().to_owned());
    update.standing_reason = Set(now.reason.clone());
    update.listed = Set(now.listed);
    update.decision_id = Set(decision_id);
    update.update(&transaction.inner).await.during("change the standing of version", row.id)?;
    transaction.changed(row.crate_id);
    let before = read_word(&row.standing, "standing", row.id)?;
    transaction.outbox.note(row, before, now);
    Ok(true)
}

async fn publishers(
    connection: &impl ConnectionTrait,
    rows: &[versions::Model],
) -> Result<BTreeMap<i64, String>, StoreError> {
    let query = provenance::Entity::find()
        .select_only()
        .column(provenance::Column::VersionId)
        .column(provenance::Column::PublisherFolded)
        .filter(provenance::Column::VersionId.is_in(rows.iter().map(|it| it.id)))
        .filter(provenance::Column::PublisherFolded.is_not_null());
    let rows: Vec<(i64, String)> = query.into_tuple().all(connection).await.during("read", "provenance")?;
    Ok(rows.into_iter().collect())
}

/// Versions that a decision is about.
pub(crate) async fn versions_about(
    transaction: &Transaction,
    decision: &decisions::Model,
) -> Result<Vec<versions::Model>, StoreError> {
    let query = versions::Entity::find();
    let query = match (decision.version_id, decision.crate_id, &decision.publisher_folded) {
        (Some(id), ..) => query.filter(versions::Column::Id.eq(id)),
        (None, Some(id), _) => query.filter(versions::Column::CrateId.eq(id)),
        (None, None, login) => {
            let of_registry = sea_orm::sea_query::Query::select()
                .column(crates::Column::Id)
                .from(crates::Entity)
                .and_where(crates::Column::RegistryId.eq(decision.registry_id))
                .to_owned();
            let theirs = sea_orm::sea_query::Query::select()
                .column(provenance::Column::VersionId)
                .from(provenance::Entity)
                .and_where(provenance::Column::PublisherFolded.eq(login.clone().unwrap_or_default()))
                .to_owned();
            query
                .filter(versions::Column::Id.in_subquery(theirs))
                .filter(versions::Column::CrateId.in_subquery(of_registry))
        }
    };
    query.order_by_asc(versions::Column::Id).all(&transaction.inner).await.during("read", "versions")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Automatic<'_> = Automatic {
        state: State::Held,
        enforcement: Enforcement::Deny,
        listed_while_pending: false,
        reason: "score",
        first_seen: 0,
        id: 7,
        taken_down: None,
    };

    fn decision(
        id: i64,
        version: Option<i64>,
        krate: Option<i64>,
        action: DecisionAction,
    ) -> decisions::Model {
        decisions::Model {
            id,
            scope: String::new(),
            registry_id: 1,
            crate_id: krate,
            version_id: version,
            publisher: None,
            publisher_folded: None,
            action: action.as_str().to_owned(),
            enforcement: Enforcement::Hide.as_str().to_owned(),
            reason: format!("decision {id}"),
            actor: "triager".to_owned(),
            at: 0,
            undone_by: None,
            undone_at: None,
            undo_reason: None,
            newest_version: None,
            confirmed_by: None,
            confirmed_at: None,
        }
    }

    #[test]
    fn without_a_decision_inspection_holds() {
        let now = standing(&HELD, &[]).unwrap();
        assert_eq!((now.state, now.listed, now.reason.as_str()), (State::Held, true, "score"));
        let hidden = standing(&Automatic { enforcement: Enforcement::Hide, ..HELD }, &[]).unwrap();
        assert!(!hidden.listed);
        let pending = standing(&Automatic { state: State::Pending, ..HELD }, &[]).unwrap();
        assert!(!pending.listed && !pending.is_open());
    }

    #[test]
    fn the_narrower_decision_holds_even_when_it_is_older() {
        let of_version = decision(1, Some(7), None, DecisionAction::Release);
        let of_crate = decision(2, None, Some(3), DecisionAction::Block);
        let of_publisher = decision(3, None, None, DecisionAction::Hold);
        let all = [&of_publisher, &of_crate, &of_version];
        assert_eq!(standing(&HELD, &all).unwrap().decision, Some(DecisionId(1)));
        assert_eq!(standing(&HELD, &all[..2]).unwrap().state, State::Blocked);
        assert_eq!(standing(&HELD, &all[..1]).unwrap().reason, "decision 3");
    }

    #[test]
    fn of_two_about_the_same_the_newer_holds() {
        let older = decision(4, Some(7), None, DecisionAction::Block);
        let newer = decision(5, Some(7), None, DecisionAction::Release);
        let now = standing(&HELD, &[&newer, &older]).unwrap();
        assert!(now.is_open() && now.listed);
    }

    #[test]
    fn releasing_a_crate_releases_nothing_that_comes_later() {
        let of_crate = decision(2, None, Some(3), DecisionAction::Release);
        assert!(standing(&HELD, &[&of_crate]).unwrap().is_open());
        let later = standing(&Automatic { first_seen: 1, ..HELD }, &[&of_crate]).unwrap();
        assert_eq!((later.state, later.decision), (State::Held, None));
        let pending = standing(&Automatic { state: State::Pending, ..HELD }, &[&of_crate]).unwrap();
        assert_eq!(pending.state, State::Pending);
        let counted = decisions::Model { newest_version: Some(7), ..of_crate };
        assert!(
            standing(&Automatic { first_seen: 9, ..HELD }, &[&counted]).unwrap().is_open(),
            "whatever clocks say"
        );
        assert!(!standing(&Automatic { id: 8, ..HELD }, &[&counted]).unwrap().is_open());
        let of_version = decision(3, Some(7), None, DecisionAction::Release);
        assert!(standing(&Automatic { first_seen: 1, ..HELD }, &[&of_version]).unwrap().is_open());
    }

    #[test]
    fn what_was_undone_held_until_then() {
        let row = |id, version, krate, at, undone_at| decisions::Model {
            at,
            undone_at,
            newest_version: Some(7),
            ..decision(id, version, krate, DecisionAction::Release)
        };
        let of_crate = row(1, None, Some(3), 10, Some(40));
        let of_version = row(2, Some(7), None, 20, Some(30));
        let at_once = row(3, Some(7), None, 50, Some(50));
        let held = over_time(&HELD, &[&of_version, &at_once, &of_crate]);
        let held: Vec<_> = held.into_iter().map(|(at, row)| (at, row.map(|it| it.id))).collect();
        assert_eq!(held, [(10, Some(1)), (20, Some(2)), (30, Some(1)), (40, None)]);
        assert!(over_time(&Automatic { id: 8, ..HELD }, &[&of_crate]).is_empty(), "it came later");
    }

    #[test]
    fn a_word_that_is_not_known_is_never_a_release() {
        let mut unknown = decision(1, Some(7), None, DecisionAction::Hold);
        unknown.action = "allow".to_owned();
        assert!(standing(&HELD, &[&unknown]).is_err());
    }
}
