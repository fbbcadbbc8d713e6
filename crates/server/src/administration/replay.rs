//! Another policy, asked about the past: what would have been held, and who would have been stopped.
//!
//! Every inspection keeps what policy looked at, so nothing is inspected again, and the other policy sees what was known at that moment. Rules
//! and weights stay those of that time: it is the policy that is tried out. What people decided stands above any policy, here as there, for as long as
//! it stood.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use cratekeeper_model::{PolicyAnswer, Verdict};
use cratekeeper_policy::{Circumstances, Policy};
use cratekeeper_store::{
    CrateId, CrateRecord, Decision, DecisionAction, Fetch, RecordedInspection, State as Standing, TokenId,
    VersionId, VersionRecord, WaiverRecord,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AUDIT, Asked};
use crate::error::{Failure, with_sources};
use crate::gate::Gate;
use crate::restraints::waiver;

/// Inspections and fetches that are read in one go.
const PAGE: u64 = 100;

/// Versions in an answer; counts are whole all the same.
const LISTED: usize = 1_000;

/// Those who would have been stopped that are told apart for one version; the fetches of others are counted.
const CLIENTS: usize = 10_000;

/// Those who would have been stopped that are listed for one version.
const LISTED_CLIENTS: usize = 100;

#[derive(Deserialize, ToSchema)]
pub(super) struct ReplayAsked {
    /// Seconds since 1970: what was first seen from then on is decided again.
    since: i64,
    /// Seconds since 1970; now without it.
    #[serde(default)]
    until: Option<i64>,
    /// Text of the policy; without it the one that holds now.
    #[serde(default)]
    policy: Option<String>,
}

/// What another policy would have done.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replayed {
    pub(crate) schema: &'static str,
    pub(crate) tool: serde_json::Value,
    pub(crate) since: i64,
    pub(crate) until: i64,
    /// Versions that were first seen in that time, and inspected.
    pub(crate) versions: usize,
    /// Those of which it is not kept what policy looked at, or that could not be inspected.
    pub(crate) not_replayed: usize,
    /// Versions that were held or blocked, by the policies of then.
    pub(crate) held_before: usize,
    /// Those that the other policy holds or blocks.
    pub(crate) held_after: usize,
    /// Fetches that it would have stopped.
    pub(crate) fetches_stopped: u64,
    /// Distinct accounts, or addresses where nobody signed in, of these.
    pub(crate) clients_stopped: usize,
    /// Versions with another state, or with fetches that would have been stopped; those with most of these first.
    pub(crate) changes: Vec<Change>,
    /// Whether there are more changes.
    pub(crate) truncated: bool,
    /// Waivers of the other policy that have expired or take nothing back.
    pub(crate) stale_waivers: Vec<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Change {
    pub(crate) registry: Option<String>,
    #[serde(rename = "crate")]
    pub(crate) krate: String,
    pub(crate) version: String,
    pub(crate) checksum: String,
    pub(crate) first_seen: i64,
    pub(crate) score: Option<u8>,
    pub(crate) before: Answer,
    pub(crate) after: Answer,
    /// What a person decided, which holds under every policy.
    pub(crate) decided: Option<String>,
    pub(crate) fetches: u64,
    pub(crate) fetches_stopped: u64,
    pub(crate) stopped: Vec<Stopped>,
}

#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Answer {
    pub(crate) state: String,
    pub(crate) clause: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) reason: String,
    pub(crate) at: i64,
}

/// Somebody who would have been stopped.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct Stopped {
    pub(crate) login: Option<String>,
    pub(crate) token: Option<i64>,
    pub(crate) address: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) fetches: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// Asks another policy about recorded publishes and fetches.
#[utoipa::path(post, path = "/admin/v1/replay", request_body = ReplayAsked, responses((status = 200, body = Replayed)))]
pub(super) async fn replay(
    State(gate): State<Arc<Gate>>,
    Asked { caller, body }: Asked<ReplayAsked>,
) -> Result<Json<Replayed>, Failure> {
    caller.with_role(&AUDIT)?;
    let policy = match &body.policy {
        Some(text) => Arc::new(Policy::parse(text).map_err(|problems| {
            let problems: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
            let told = format!("the policy cannot be read: {}", problems.join("; "));
            Failure::Bad(crate::refusal::harmless(&told, 4_000))
        })?),
        None => gate.engine.policy(),
    };
    let until = body.until.unwrap_or_else(|| gate.now().saturating_add(1));
    Ok(Json(gate.replayed(policy, body.since, until).await?))
}

impl Gate {
    /// What another policy would have done in some time. One at a time.
    pub(crate) async fn replayed(
        &self,
        policy: Arc<Policy>,
        since: i64,
        until: i64,
    ) -> Result<Replayed, Failure> {
        if since >= until {
            return Err(Failure::Bad("the time to replay ends before it begins".to_owned()));
        }
        let Ok(_turn) = self.replaying.try_acquire() else {
            return Err(Failure::Unavailable("somebody replays already; try again in a while".to_owned()));
        };
        // What people waived at the gate holds whatever the policy: without it, each of those versions would seem to change.
        let mut waivers: HashMap<CrateId, Vec<WaiverRecord>> = HashMap::new();
        for (krate, waiver) in self.store.waivers_between(since, until).await? {
            waivers.entry(krate.id).or_default().push(waiver);
        }
        let mut replay = Replay { policy, since, until, waivers, past: HashMap::new() };
        replay.read(self).await?;
        replay.answer(self).await
    }
}

/// One inspection under both policies.
struct Decided {
    before: Answer,
    /// Why not, where the other policy cannot be asked.
    after: Result<Answer, &'static str>,
    /// What it took back of what it found.
    waived: PolicyAnswer,
}

struct Replay {
    policy: Arc<Policy>,
    since: i64,
    until: i64,
    /// Of the gate, those that counted at some time between.
    waivers: HashMap<CrateId, Vec<WaiverRecord>>,
    /// By version, oldest first.
    past: HashMap<VersionId, Vec<Decided>>,
}

/// What stops a fetch, if anything does.
fn is_closed(state: &str) -> bool {
    state == Standing::Held.as_str() || state == Standing::Blocked.as_str()
}

impl Replay {
    /// Reads what was inspected, and decides it again.
    async fn read(&mut self, gate: &Gate) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let page = gate.store.inspections_between(self.since, self.until, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some((last.record.at, last.record.id));
            let waivers = self.waivers_of(gate, &page).await?;
            let policy = self.policy.clone();
            // A thousand conditions over as many cases take a moment.
            let decided = tokio::task::spawn_blocking(move || {
                let decide = |it: &RecordedInspection| {
                    let waivers = waivers.get(&it.record.version).map_or(&[][..], Vec::as_slice);
                    (it.record.version, decided(&policy, it, waivers))
                };
                page.iter().map(decide).collect::<Vec<_>>()
            });
            let decided = decided.await.map_err(|_| Failure::Internal("a replay ended".to_owned()))?;
            for (version, decided) in decided {
                self.past.entry(version).or_default().push(decided);
            }
        }
    }

    /// Waivers of the gate for the versions of some inspections.
    async fn waivers_of(
        &self,
        gate: &Gate,
        page: &[RecordedInspection],
    ) -> Result<HashMap<VersionId, Vec<(WaiverRecord, String)>>, Failure> {
        if self.waivers.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<VersionId> = page.iter().map(|it| it.record.version).collect();
        let mut found = HashMap::new();
        for (krate, version) in gate.store.versions_by_id(&ids).await? {
            let Some(waivers) = self.waivers.get(&krate.id) else { continue };
            let of_version = waivers.iter().filter(|it| it.version.is_none_or(|it| it == version.id));
            found.insert(version.id, of_version.map(|it| (it.clone(), krate.name.clone())).collect());
        }
        Ok(found)
    }

    async fn answer(mut self, gate: &Gate) -> Result<Replayed, Failure> {
        let ids: Vec<VersionId> = self.past.keys().copied().collect();
        let mut versions = gate.store.versions_by_id(&ids).await?;
        // What was judged again in that time and seen before is not what this is about.
        versions.retain(|(_, it)| it.first_seen >= self.since);
        let mut replayed = Replayed {
            schema: "cratekeeper.gate-replay/1",
            tool: serde_json::json!({ "name": "cratekeeper", "version": env!("CARGO_PKG_VERSION") }),
            since: self.since,
            until: self.until,
            versions: versions.len(),
            not_replayed: 0,
            held_before: 0,
            held_after: 0,
            fetches_stopped: 0,
            clients_stopped: 0,
            changes: Vec::new(),
            truncated: false,
            stale_waivers: Vec::new(),
        };
        let mut clients = std::collections::BTreeSet::new();
        let mut used = Vec::new();
        for (krate, version) in &versions {
            let Some(past) = self.past.remove(&version.id) else { continue };
            if let Some(registry) = gate.registry_of(krate) {
                let package = gate.package(registry, &krate.name, &version.version, version.checksum);
                let waived = past.iter().map(|it| &it.waived).filter(|it| it.has_waivers());
                used.extend(waived.map(|it| (package.clone(), it.clone())));
            }
            let Some(change) = self.change(gate, krate, version, &past, &mut replayed).await? else {
                continue;
            };
            for it in &change.stopped {
                clients.insert(it.login.clone().or_else(|| it.address.clone()));
            }
            replayed.changes.push(change);
        }
        replayed.clients_stopped = clients.len();
        replayed.changes.sort_by(|a, b| {
            let key = |it: &Change| (std::cmp::Reverse(it.fetches_stopped), std::cmp::Reverse(it.score));
            key(a).cmp(&key(b)).then_with(|| (&a.krate, &a.version).cmp(&(&b.krate, &b.version)))
        });
        replayed.truncated = replayed.changes.len() > LISTED;
        replayed.changes.truncate(LISTED);
        for change in &mut replayed.changes {
            change.stopped.truncate(LISTED_CLIENTS);
        }
        replayed.stale_waivers =
            self.policy.stale_waivers(gate.now(), used.iter().map(|(package, answer)| (package, answer)));
        Ok(replayed)
    }

    /// What becomes of one version; `None` where nothing changes.
    async fn change(
        &self,
        gate: &Gate,
        krate: &CrateRecord,
        version: &VersionRecord,
        past: &[Decided],
        replayed: &mut Replayed,
    ) -> Result<Option<Change>, Failure> {
        let Some(last) = past.last() else { return Ok(None) };
        replayed.held_before += usize::from(is_closed(&last.before.state));
        let Ok(after) = &last.after else {
            replayed.not_replayed += 1;
            return Ok(None);
        };
        replayed.held_after += usize::from(is_closed(&after.state));
        let decision = match version.standing.decision {
            Some(id) => Some(gate.store.decision(id).await?),
            None => None,
        };
        let mut fetched = Fetched::default();
        if past.iter().any(|it| it.after.as_ref().is_ok_and(|after| is_closed(&after.state))) {
            let decided = gate.store.decisions_over_time(version.id).await?;
            fetched = self.fetched(gate, version.id, past, &decided).await?;
        }
        if last.before.state == after.state && fetched.stopped == 0 {
            return Ok(None);
        }
        replayed.fetches_stopped += fetched.stopped;
        Ok(Some(Change {
            registry: gate.registry_of(krate).map(|it| it.name.clone()),
            krate: krate.name.clone(),
            version: version.version.to_string(),
            checksum: version.checksum.to_string(),
            first_seen: version.first_seen,
            score: version.score,
            before: last.before.clone(),
            after: after.clone(),
            decided: decision.map(|it| format!("{} by {}: {}", it.action.as_str(), it.actor, it.reason)),
            fetches: fetched.all,
            fetches_stopped: fetched.stopped,
            stopped: fetched.by,
        }))
    }

    /// Who fetched a version while the other policy would have kept it from them.
    async fn fetched(
        &self,
        gate: &Gate,
        version: VersionId,
        past: &[Decided],
        decided: &[(i64, Option<Decision>)],
    ) -> Result<Fetched, Failure> {
        type Who = (Option<String>, Option<TokenId>, Option<String>, Option<String>);
        let mut by: BTreeMap<Who, Stopped> = BTreeMap::new();
        let mut fetched = Fetched::default();
        let mut after = None;
        loop {
            let page = gate.store.fetches_of(version, self.since, self.until, after.as_ref(), PAGE).await?;
            for record in &page {
                fetched.all += 1;
                let at = record.fetch.at;
                if was_released(decided, at) || !would_be_closed(past, at) {
                    continue;
                }
                fetched.stopped += 1;
                if by.len() >= CLIENTS {
                    continue;
                }
                let Fetch { login, token, address, client, .. } = record.fetch.clone();
                let entry = by.entry((login, token, address, client)).or_insert_with_key(|it| Stopped {
                    login: it.0.clone(),
                    token: it.1.map(|it| it.0),
                    address: it.2.clone(),
                    client: it.3.clone(),
                    fetches: 0,
                    first: at,
                    last: at,
                });
                (entry.fetches, entry.last) = (entry.fetches + 1, at);
            }
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
        fetched.by = by.into_values().collect();
        fetched.by.sort_by_key(|it| std::cmp::Reverse(it.fetches));
        Ok(fetched)
    }
}

/// Fetches of a version.
#[derive(Default)]
struct Fetched {
    all: u64,
    stopped: u64,
    by: Vec<Stopped>,
}

/// Whether it was a person who let the version through at this moment, whatever became of their decision later.
fn was_released(decided: &[(i64, Option<Decision>)], at: i64) -> bool {
    let latest = decided.iter().rev().find(|it| it.0 <= at).and_then(|it| it.1.as_ref());
    latest.is_some_and(|it| it.action == DecisionAction::Release)
}

/// Whether the other policy had the version closed at this moment. Before its first inspection it is the gate that lets it wait, not a policy.
fn would_be_closed(past: &[Decided], at: i64) -> bool {
    let latest = past.iter().rev().find(|it| it.before.at <= at);
    latest.is_some_and(|it| it.after.as_ref().is_ok_and(|after| is_closed(&after.state)))
}

fn decided(policy: &Policy, recorded: &RecordedInspection, waivers: &[(WaiverRecord, String)]) -> Decided {
    let record = &recorded.record;
    let line = record.answer.as_ref().and_then(|it| it.line);
    let before = Answer {
        state: record.state.as_str().to_owned(),
        clause: record.clause.clone(),
        line,
        reason: record.reason.clone(),
        at: record.at,
    };
    let not = |why| Decided { before: before.clone(), after: Err(why), waived: PolicyAnswer::default() };
    // What could not be inspected is no better off under another policy.
    if record.state == Standing::Failed {
        return not("it could not be inspected");
    }
    let (Some(case), Some(text)) = (&record.case, &recorded.circumstances) else {
        return not("what policy looked at was not kept");
    };
    let circumstances = match Circumstances::from_json(text) {
        Ok(circumstances) => circumstances,
        Err(error) => {
            tracing::warn!(inspection = record.id, "{}", with_sources(&error));
            return not("what policy looked at cannot be read");
        }
    };
    let at = record.at;
    let counted =
        |it: &WaiverRecord| it.at <= at && at < it.expires_at && it.ended_at.is_none_or(|ended| at < ended);
    let waivers = waivers.iter().filter(|(it, _)| counted(it));
    let waivers: Vec<_> = waivers.filter_map(|(it, name)| waiver(it.clone(), name)).collect();
    let answer = policy.decide_waiving(&circumstances, case, at, &waivers);
    let state = match answer.verdict {
        Verdict::Allow | Verdict::Warn => Standing::Released,
        Verdict::Quarantine => Standing::Held,
        Verdict::Block => Standing::Blocked,
    };
    let after = Answer {
        state: state.as_str().to_owned(),
        clause: answer.clause.clone(),
        line: answer.line,
        reason: answer.reason.clone(),
        at,
    };
    let waived =
        PolicyAnswer { waived: answer.waived, waived_rules: answer.waived_rules, ..PolicyAnswer::default() };
    Decided { before, after: Ok(after), waived }
}
