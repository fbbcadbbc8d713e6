//! What webhooks are told, written by the transaction that it is about: whatever is recorded is told, and nothing else is.
//!
//! `standing` notes each version whose state changes; on commit an event is made of each: a `verdict`, or one `decision` for all that follows
//! from what a person did, and an `exposure` where somebody fetched what may not be had any more. Where no webhook listens, nothing is
//! written or counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
use serde_json::{Value, json};

use crate::entities::{crates, decisions, registries, versions};
use crate::error::During;
use crate::registries::{crate_by_id, registry_by_id};
use crate::versions::version_by_id;
use crate::words::words;
use crate::{RegistryId, Standing, State, StoreError, Transaction, VersionId};

/// Versions that one event lists; a publisher may have thousands, and the event says how many there are.
const LISTED: usize = 100;

/// Fetches that an exposure counts: beyond, it says that there are more. Whoever holds a version does not wait for a count of millions, while
/// all others who act wait for them.
const COUNTED: i64 = 100_000;

/// Fetches that are counted of each version, however many versions there are.
const COUNTED_AT_LEAST: i64 = 1_000;

words! {
    /// What webhooks are told about.
    pub enum Event {
        /// What holds for a version changed without anybody acting.
        Verdict = "verdict",
        /// Somebody decided something.
        Decision = "decision",
        /// Somebody fetched what is held or blocked now.
        Exposure = "exposure",
        /// How far the audit log reaches, signed.
        Checkpoint = "checkpoint",
        /// Nothing: somebody wants to see whether it arrives.
        Ping = "ping",
    }
}

/// A version whose state changed.
struct Transition {
    row: versions::Model,
    before: State,
    now: Standing,
}

/// What a person did.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) act: &'static str,
    pub(crate) reason: &'a str,
    pub(crate) decision: Option<&'a decisions::Model>,
    /// Versions that it is about, where it does not change their state.
    pub(crate) versions: &'a [VersionId],
}

struct Decided {
    act: &'static str,
    reason: String,
    by: String,
    decision: Option<decisions::Model>,
    versions: Vec<VersionId>,
    /// What follows from it, among the transitions.
    followed: std::ops::Range<usize>,
}

/// What a transaction has to tell.
pub(crate) struct Outbox {
    links: Option<Arc<str>>,
    transitions: Vec<Transition>,
    decided: Vec<Decided>,
}

impl Outbox {
    pub(crate) fn new(links: Option<Arc<str>>) -> Outbox {
        Outbox { links, transitions: Vec::new(), decided: Vec::new() }
    }

    /// Notes what holds for a version now. What is the same state for another reason is no news.
    pub(crate) fn note(&mut self, row: &versions::Model, before: State, now: &Standing) {
        if before != now.state {
            self.transitions.push(Transition { row: row.clone(), before, now: now.clone() });
        }
    }

    /// Where what follows from a decision begins.
    pub(crate) fn begin(&self) -> usize {
        self.transitions.len()
    }

    /// Notes that what was noted since `begun` follows from this.
    pub(crate) fn decided(&mut self, begun: usize, by: &str, told: Told<'_>) {
        self.decided.push(Decided {
            act: told.act,
            reason: told.reason.to_owned(),
            by: by.to_owned(),
            decision: told.decision.cloned(),
            versions: told.versions.to_vec(),
            followed: begun..self.transitions.len(),
        });
    }

    /// How many decisions were noted.
    pub(crate) fn count(&self) -> usize {
        self.decided.len()
    }

    /// Forgets decisions that are parts of one that is noted instead; what followed from them stays.
    pub(crate) fn forget(&mut self, all_but: usize) {
        self.decided.truncate(all_but);
    }

    fn link(&self, version: i64) -> Option<String> {
        self.links.as_ref().map(|url| format!("{url}/v/{version}"))
    }
}

impl Transition {
    /// Whether a listener wants to know: what may not be had, and what may be had again. Of what is inspected, released and never was
    /// anything else, there are thousands a day.
    fn is_news(&self) -> bool {
        match self.now.state {
            State::Held | State::Blocked | State::Failed => true,
            State::Released => self.before != State::Pending,
            State::Pending => false,
        }
    }

    /// Whether whoever fetched the version has something to worry about that they had not before.
    fn exposes(&self) -> bool {
        match self.now.state {
            State::Blocked => true,
            State::Held => self.before != State::Blocked,
            State::Pending | State::Released | State::Failed => false,
        }
    }
}

/// Where a version is: its registry and its crate.
struct Place {
    registry: registries::Model,
    krate: crates::Model,
}

/// Who fetched a version.
struct Exposure {
    fetches: i64,
    tokens: i64,
    addresses: i64,
    first: i64,
    last: i64,
}

impl Transaction {
    /// Writes what webhooks are told about this transaction.
    pub(crate) async fn write_outbox(&mut self) -> Result<(), StoreError> {
        let outbox = std::mem::replace(&mut self.outbox, Outbox::new(None));
        if outbox.transitions.is_empty() && outbox.decided.is_empty() || !self.has_webhooks().await? {
            return Ok(());
        }
        for decided in &outbox.decided {
            let body = self.decision_event(&outbox, decided).await?;
            self.tell(Event::Decision, &body).await?;
        }
        let is_decided = |index: &usize| outbox.decided.iter().any(|it| it.followed.contains(index));
        for (index, transition) in outbox.transitions.iter().enumerate() {
            if !is_decided(&index) && transition.is_news() {
                let body = self.verdict_event(&outbox, transition).await?;
                self.tell(Event::Verdict, &body).await?;
            }
        }
        self.tell_exposures(&outbox).await
    }

    async fn place(&self, row: &versions::Model) -> Result<Place, StoreError> {
        let krate = crate_by_id(&self.inner, row.crate_id).await?;
        let registry = registry_by_id(&self.inner, RegistryId(krate.registry_id)).await?;
        Ok(Place { registry, krate })
    }

    async fn verdict_event(&self, outbox: &Outbox, it: &Transition) -> Result<Value, StoreError> {
        let place = self.place(&it.row).await?;
        Ok(json!({
            "event": Event::Verdict,
            "registry": place.registry.name,
            "crate": place.krate.name,
            "version": it.row.number,
            "checksum": it.row.checksum,
            "state": it.now.state,
            "was": it.before,
            "score": it.row.score,
            "verdict": it.row.verdict,
            "clause": it.row.clause,
            "decision": it.now.decision,
            "reason": it.now.reason,
            "link": outbox.link(it.row.id),
            "at": self.at,
        }))
    }

    async fn decision_event(&self, outbox: &Outbox, decided: &Decided) -> Result<Value, StoreError> {
        let followed = &outbox.transitions[decided.followed.clone()];
        let mut listed = Vec::new();
        for it in followed.iter().take(LISTED) {
            listed.push(listing(outbox, &self.place(&it.row).await?, &it.row, it.now.state, it.before));
        }
        for id in decided.versions.iter().take(LISTED.saturating_sub(listed.len())) {
            let row = version_by_id(&self.inner, id.0).await?;
            let state = crate::words::read_word(&row.standing, "standing", row.id)?;
            listed.push(listing(outbox, &self.place(&row).await?, &row, state, state));
        }
        let about = match &decided.decision {
            Some(row) => Some(self.subject_of(row).await?),
            None => None,
        };
        Ok(json!({
            "event": Event::Decision,
            "act": decided.act,
            "by": decided.by,
            "reason": decided.reason,
            "decision": decided.decision.as_ref().map(|it| it.id),
            "about": about,
            "versions": listed,
            "count": followed.len() + decided.versions.len(),
            "at": self.at,
        }))
    }

    async fn subject_of(&self, row: &decisions::Model) -> Result<Value, StoreError> {
        let version = match row.version_id {
            Some(id) => Some(version_by_id(&self.inner, id).await?),
            None => None,
        };
        let krate = match row.crate_id.or(version.as_ref().map(|it| it.crate_id)) {
            Some(id) => Some(crate_by_id(&self.inner, id).await?),
            None => None,
        };
        let registry = registry_by_id(&self.inner, RegistryId(row.registry_id)).await?;
        Ok(json!({
            "registry": registry.name,
            "crate": krate.map(|it| it.name),
            "version": version.map(|it| it.number),
            "publisher": row.publisher,
        }))
    }

    /// Tells who listens that somebody has what is held or blocked now, under this name or, once it is blocked, with the same bytes under
    /// another.
    async fn tell_exposures(&mut self, outbox: &Outbox) -> Result<(), StoreError> {
        let mut told: BTreeSet<i64> = outbox.transitions.iter().map(|it| it.row.id).collect();
        // Everybody who acts waits for this transaction: of many versions at once, fewer fetches of each are counted.
        let exposing = outbox.transitions.iter().filter(|it| it.exposes()).count();
        let counted = (COUNTED / i64::try_from(exposing.max(1)).unwrap_or(COUNTED)).max(COUNTED_AT_LEAST);
        for transition in outbox.transitions.iter().filter(|it| it.exposes()) {
            let place = self.place(&transition.row).await?;
            let body = self.exposure_event(outbox, transition, &place, &transition.row, counted).await?;
            if let Some(body) = body {
                self.tell(Event::Exposure, &body).await?;
            }
            if transition.now.state != State::Blocked {
                continue;
            }
            for row in self.with_the_same_bytes(&transition.row).await? {
                if !told.insert(row.id) {
                    continue;
                }
                let body = self.exposure_event(outbox, transition, &place, &row, counted).await?;
                if let Some(body) = body {
                    self.tell(Event::Exposure, &body).await?;
                }
            }
        }
        Ok(())
    }

    /// Other versions with the same checksum that may still be had: those that may not were told about when that was decided.
    async fn with_the_same_bytes(&self, row: &versions::Model) -> Result<Vec<versions::Model>, StoreError> {
        let query = versions::Entity::find()
            .filter(versions::Column::Checksum.eq(row.checksum.clone()))
            .filter(versions::Column::Id.ne(row.id))
            .filter(versions::Column::Standing.is_not_in([State::Held.as_str(), State::Blocked.as_str()]));
        query.order_by_asc(versions::Column::Id).all(&self.inner).await.during("look for", &row.checksum)
    }

    /// The event about `row`, for the sake of a transition of it or of the same bytes at `place`; `None` if nobody fetched it.
    async fn exposure_event(
        &self,
        outbox: &Outbox,
        transition: &Transition,
        place: &Place,
        row: &versions::Model,
        counted: i64,
    ) -> Result<Option<Value>, StoreError> {
        let Some(exposure) = self.exposure(row.id, counted).await? else { return Ok(None) };
        let is_same = row.id == transition.row.id;
        let own = if is_same { None } else { Some(self.place(row).await?) };
        let Place { registry, krate } = own.as_ref().unwrap_or(place);
        let because = (!is_same).then(|| {
            let Place { registry, krate } = place;
            json!({ "registry": registry.name, "crate": krate.name, "version": transition.row.number })
        });
        Ok(Some(json!({
            "event": Event::Exposure,
            "registry": registry.name,
            "crate": krate.name,
            "version": row.number,
            "checksum": row.checksum,
            "state": if is_same { transition.now.state.as_str() } else { row.standing.as_str() },
            "was": if is_same { transition.before.as_str() } else { row.standing.as_str() },
            "reason": transition.now.reason,
            "decision": transition.now.decision,
            "same_bytes_as": because,
            "fetches": exposure.fetches,
            "tokens": exposure.tokens,
            "addresses": exposure.addresses,
            "complete": exposure.fetches < counted,
            "first": exposure.first,
            "last": exposure.last,
            "link": outbox.link(row.id),
            "recall": format!("cratekeeper gate recall {}@{} --registry {}", krate.name, row.number, registry.name),
            "at": self.at,
        })))
    }

    async fn exposure(&self, version: i64, counted: i64) -> Result<Option<Exposure>, StoreError> {
        // Numbers alone, so nothing can be smuggled in; `sea-orm` has no words for a count of a subquery.
        let sql = format!(
            "SELECT COUNT(*) AS fetches, COUNT(DISTINCT token_id) AS tokens, COUNT(DISTINCT address) AS addresses, \
             MIN(at) AS first_at, MAX(at) AS last_at FROM (SELECT token_id, address, at FROM fetches \
             WHERE version_id = {version} ORDER BY at LIMIT {counted}) AS counted"
        );
        let statement = Statement::from_string(self.inner.get_database_backend(), sql);
        let found =
            self.inner.query_one_raw(statement).await.during("count the fetches of version", version)?;
        let row = found.during("count the fetches of version", version)?;
        let number = |column| row.try_get::<i64>("", column).during("count the fetches of version", version);
        let fetches = number("fetches")?;
        if fetches == 0 {
            return Ok(None);
        }
        let last = if fetches < counted { number("last_at")? } else { self.last_fetch(version).await? };
        let (tokens, addresses) = (number("tokens")?, number("addresses")?);
        Ok(Some(Exposure { fetches, tokens, addresses, first: number("first_at")?, last }))
    }

    async fn last_fetch(&self, version: i64) -> Result<i64, StoreError> {
        let sql = format!("SELECT MAX(at) AS last_at FROM fetches WHERE version_id = {version}");
        let statement = Statement::from_string(self.inner.get_database_backend(), sql);
        let found =
            self.inner.query_one_raw(statement).await.during("look for the last fetch of", version)?;
        let row = found.during("look for the last fetch of", version)?;
        row.try_get("", "last_at").during("look for the last fetch of", version)
    }
}

fn listing(outbox: &Outbox, place: &Place, row: &versions::Model, now: State, before: State) -> Value {
    json!({
        "registry": place.registry.name,
        "crate": place.krate.name,
        "version": row.number,
        "checksum": row.checksum,
        "state": now,
        "was": before,
        "yanked": row.overlay.as_deref().map_or(row.yanked, |it| it != crate::YankOverlay::Available.as_str()),
        "link": outbox.link(row.id),
    })
}
