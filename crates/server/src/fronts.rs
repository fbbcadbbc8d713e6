//! Standing in front of upstreams: what their indexes say, checked against what was seen before.
//!
//! An upstream's answer is believed for a while and then asked for again. What was seen first is kept: a line that changes under a published
//! version is written into the log and changes nothing here. New versions wait for their inspection, unless they are so old that others
//! have looked at them for long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cratekeeper_registry::{IndexFile, UpstreamError};
use cratekeeper_store::{
    Act, NewYanks, ObservedVersion, Registry, State, StoreError, VersionRecord, canonical_name,
};
use serde::Deserialize;
use tokio::time::timeout;

use crate::callers::sharer;
use crate::error::{Failure, with_sources};
use crate::gate::{Front, GATE, Gate};
use crate::protocol::CrateName;
use crate::troubles::REST;
use crate::turns::{Turn, Turns};
use crate::views::View;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// Versions of a crate that may be withdrawn at once without being asked about: maintainers withdraw a release or two; whoever withdraws more leads
/// everybody to what is left.
const YANKS_PASSED_ON: usize = 2;

/// Days for which a version that may not be had makes withdrawals beside it suspect.
const SUSPECT_DAYS: i64 = 30;

/// Why yanks are held back, as versions' pages say it.
const HELD_BACK: &str = "withdrawn beside a version that is not released, or with many others at once; a person decides whether it is shown so";

/// How long whoever asks waits for an upstream, when there is an older answer and when there is none. Cargo gives up after 30 seconds.
const PATIENCE_WITH_ANSWER: Duration = Duration::from_secs(8);
const PATIENCE: Duration = Duration::from_secs(25);

/// How much of it, or how long before it, others are waited for who ask as well. What is left is enough to say that an upstream does not answer.
const IN_LINE_WITH_ANSWER: Duration = Duration::from_secs(4);
const IN_LINE: Duration = Duration::from_secs(17);

/// Index files that are asked of one upstream at the same time.
const ASKING: usize = 32;

/// Those for one address, or one network of IPv6: half, so that nobody who asks for names that do not exist keeps all others waiting.
const ASKING_FOR_ONE: usize = ASKING / 2;

/// Turns to ask an upstream.
pub(crate) type Asking = Turns<IpAddr>;

pub(crate) fn asking() -> Asking {
    Asking::new(ASKING, ASKING_FOR_ONE)
}

/// Answers of upstreams that are remembered.
const ANSWERS: usize = 100_000;

/// When each crate was asked for last, and with which etag it is asked for again.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    known: Mutex<HashMap<(i64, String), Answer>>,
}

#[derive(Debug, Clone)]
struct Answer {
    believed_since: Instant,
    etag: Option<String>,
}

impl Answers {
    fn get(&self, front: &Front, name: &CrateName) -> Option<Answer> {
        let key = (front.registry.id.0, name.as_str().to_ascii_lowercase());
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    fn put(&self, front: &Front, name: &CrateName, answer: Answer) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ANSWERS {
            known.clear();
        }
        known.insert((front.registry.id.0, name.as_str().to_ascii_lowercase()), answer);
    }
}

/// The fields of a line that the gate needs; the rest is passed on as it is.
#[derive(Deserialize)]
struct Line {
    name: String,
    vers: semver::Version,
    cksum: cratekeeper_model::Checksum,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default)]
    pubtime: Option<String>,
}

impl Front {
    /// Waits until it may be asked for somebody.
    async fn turn(&self, asker: Option<IpAddr>) -> Result<Turn<IpAddr>, Failure> {
        let turn = self.asking.turn(sharer(asker), 1).await;
        turn.map_err(|_| Failure::Unavailable("the gate ends".to_owned()))
    }
}

impl Gate {
    /// The view of an upstream's crate, after the upstream was asked, unless it was asked lately.
    ///
    /// When it cannot be asked, what is known is given out: the gate does not fail with its upstream. What an upstream takes back stays here, for
    /// whoever depends on it.
    pub(crate) async fn refreshed(
        self: &Arc<Gate>,
        front: &Front,
        name: &CrateName,
        asker: Option<IpAddr>,
    ) -> Result<Option<Arc<View>>, Failure> {
        let known = self.answers.get(front, name);
        let view = self.view(&front.registry, name.as_str()).await?;
        let age = Duration::from_secs(self.settings().index_age);
        if known.as_ref().is_some_and(|it| it.believed_since.elapsed() < age) {
            return Ok(view);
        }
        if view.is_some() && front.troubles.rests() {
            self.metrics.upstream_failure();
            return Ok(view);
        }
        let etag = known.and_then(|it| it.etag);
        // The upstream may know the crate by another spelling than whoever asks.
        let spelled = view.as_ref().and_then(|it| CrateName::parse(&it.krate.name).ok());
        let asked = spelled.as_ref().unwrap_or(name);
        let failure = match self.ask_patiently(front, asked, etag.clone(), (asker, view.is_some())).await {
            Ok(etag) => {
                self.answers.put(front, name, Answer { believed_since: Instant::now(), etag });
                return Ok(self.view(&front.registry, name.as_str()).await?);
            }
            Err(failure) => failure,
        };
        let Some(view) = view else { return Err(failure) };
        self.metrics.upstream_failure();
        tracing::warn!(upstream = front.registry.name, crate_name = %name, "an upstream cannot be asked: {failure:?}");
        // Asked again soon, and not by everybody who comes until then.
        let believed_since =
            Instant::now().checked_sub(age.saturating_sub(REST)).unwrap_or_else(Instant::now);
        self.answers.put(front, name, Answer { believed_since, etag });
        Ok(Some(view))
    }

    /// Asks an upstream when it is somebody's turn. Only an upstream that was asked can fail to answer: those who wait for their turn say
    /// nothing about it.
    async fn ask_patiently(
        &self,
        front: &Front,
        name: &CrateName,
        etag: Option<String>,
        (asker, has_answer): (Option<IpAddr>, bool),
    ) -> Result<Option<String>, Failure> {
        let arrived = Instant::now();
        let in_line = if has_answer { IN_LINE_WITH_ANSWER } else { IN_LINE };
        let Ok(turn) = timeout(in_line, front.turn(asker)).await else {
            let upstream = &front.registry.name;
            return Err(Failure::Unavailable(format!(
                "too many others ask the upstream `{upstream}`; try again in a while"
            )));
        };
        let turn = turn?;
        let patience =
            if has_answer { PATIENCE_WITH_ANSWER } else { PATIENCE.saturating_sub(arrived.elapsed()) };
        let Ok(answer) = timeout(patience, self.ask(front, turn, name, etag)).await else {
            front.troubles.failed();
            return Err(Failure::Upstream(format!("the upstream `{}` does not answer", front.registry.name)));
        };
        answer
    }

    /// Whether an upstream has a crate of this name, however `-` and `_` are written in it.
    pub(crate) async fn upstream_has(
        &self,
        front: &Front,
        name: &CrateName,
        asker: Option<IpAddr>,
    ) -> Result<bool, Failure> {
        if self.store.krate(front.registry.id, name.as_str()).await?.is_some() {
            return Ok(true);
        }
        let spellings =
            [name.as_str().to_owned(), name.as_str().replace('_', "-"), name.as_str().replace('-', "_")];
        let spellings: std::collections::BTreeSet<String> = spellings.into_iter().collect();
        for spelling in spellings {
            let turn = front.turn(asker).await?;
            if !matches!(self.index_file(front, turn, spelling, None).await?, IndexFile::NotThere) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks for an index file, in a thread that may block; so many at a time that an upstream that hangs takes no thread from anybody else.
    async fn index_file(
        &self,
        front: &Front,
        turn: Turn<IpAddr>,
        name: String,
        etag: Option<String>,
    ) -> Result<IndexFile, Failure> {
        let upstream = front.upstream.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            upstream.index_file(&name, etag.as_deref())
        });
        match answer.await {
            Ok(Ok(file)) => {
                front.troubles.answered();
                Ok(file)
            }
            Ok(Err(error)) => {
                // One that gives nonsense about a crate may be right about the next.
                if !matches!(error, UpstreamError::Malformed { .. } | UpstreamError::Name) {
                    front.troubles.failed();
                }
                tracing::warn!(
                    upstream = front.registry.name,
                    "an upstream cannot be asked: {}",
                    with_sources(&error)
                );
                Err(Failure::Upstream(format!(
                    "the upstream `{}` cannot be asked; try again in a while",
                    front.registry.name
                )))
            }
            Err(_) => Err(Failure::Internal("a request to an upstream ended".to_owned())),
        }
    }

    /// Asks an upstream, and takes in what it says. Gives what to ask with the next time.
    async fn ask(
        &self,
        front: &Front,
        turn: Turn<IpAddr>,
        name: &CrateName,
        etag: Option<String>,
    ) -> Result<Option<String>, Failure> {
        match self.index_file(front, turn, name.as_str().to_owned(), etag.clone()).await? {
            IndexFile::NotModified => Ok(etag),
            IndexFile::NotThere => Ok(None),
            IndexFile::Lines { text, etag } => {
                self.take_in(front, name, &text).await?;
                Ok(etag)
            }
        }
    }

    async fn take_in(&self, front: &Front, name: &CrateName, text: &str) -> Result<(), Failure> {
        let at = self.now();
        let canonical = name.canonical();
        // Where nobody says when versions were published, those that come with the crate are as old as it, and those that come later are new.
        let is_new_here = self.view(&front.registry, name.as_str()).await?.is_none();
        let mut own_name = None;
        let mut observed = Vec::new();
        let mut unread = 0;
        for line in text.lines().filter(|it| !it.trim().is_empty()) {
            match serde_json::from_str::<Line>(line) {
                Ok(read) if canonical_name(&read.name) == canonical => {
                    own_name.get_or_insert(read.name);
                    let published = read
                        .pubtime
                        .and_then(|it| it.parse::<jiff::Timestamp>().ok())
                        .map(jiff::Timestamp::as_second);
                    let age = i64::from(self.settings().listed_after_days) * DAY;
                    let is_old = published.map_or(is_new_here, |it| at.saturating_sub(it) > age);
                    observed.push(ObservedVersion {
                        version: read.vers,
                        checksum: read.cksum,
                        yanked: read.yanked.unwrap_or(false),
                        index_line: line.to_owned(),
                        published_at: published,
                        listed_while_pending: is_old,
                        job: (!is_old).then(|| self.inspection_job(&front.registry)),
                    });
                }
                _ => unread += 1,
            }
        }
        if unread > 0 {
            tracing::warn!(upstream = front.registry.name, crate_name = %name, lines = unread, "lines of an index cannot be read, and are left out");
        }
        let Some(own_name) = own_name else {
            if unread == 0 {
                return Ok(());
            }
            // A page of a portal, say. That there is no such crate is another answer.
            let upstream = &front.registry.name;
            return Err(Failure::Upstream(format!(
                "what the upstream `{upstream}` gives for `{name}` is no index file"
            )));
        };
        let yanks = self.new_yanks(front, name, &observed).await?;
        let seen = self.store.observe(front.registry.id, &own_name, &observed, &yanks, at).await?;
        for it in &seen.contradicted {
            tracing::error!(upstream = front.registry.name, crate_name = %name, version = it.version.0, first = %it.first, now = %it.now,
                "an index line changed under a published version; what was seen first is kept");
            self.metrics.contradiction();
        }
        // Another replica may have been faster, so that there is nothing new but here.
        if is_new_here || !(seen.added.is_empty() && seen.yanked.is_empty() && seen.unyanked.is_empty()) {
            self.changed(&front.registry, name.as_str());
            self.there_is_work();
        }
        if !(seen.yanked.is_empty() && seen.unyanked.is_empty()) {
            self.judge_again(&front.registry, name.as_str()).await?;
        }
        Ok(())
    }

    /// Yanks that come together with a new version, beside one that nobody may have, or many at once, are not passed on: good versions are withdrawn
    /// so that cargo's own advice leads to the bad one.
    async fn new_yanks(
        &self,
        front: &Front,
        name: &CrateName,
        observed: &[ObservedVersion],
    ) -> Result<NewYanks, Failure> {
        let Some(view) = self.view(&front.registry, name.as_str()).await? else {
            return Ok(NewYanks::PassOn);
        };
        let is_new_yank =
            |it: &&ObservedVersion| it.yanked && view.version(&it.version).is_some_and(|known| !known.yanked);
        let withdrawn = observed.iter().filter(is_new_yank).count();
        let has_new =
            observed.iter().any(|it| view.version(&it.version).is_none() && !it.listed_while_pending);
        if withdrawn == 0 || !(has_new || withdrawn > YANKS_PASSED_ON || self.has_suspects(&view)) {
            return Ok(NewYanks::PassOn);
        }
        Ok(NewYanks::HoldBack(HELD_BACK.to_owned()))
    }

    /// Whether a version that came lately may not be had: held, blocked, or not inspected yet.
    fn has_suspects(&self, view: &View) -> bool {
        let at = self.now();
        let is_recent = |it: &VersionRecord| at.saturating_sub(it.first_seen) <= SUSPECT_DAYS * DAY;
        let may_not_be_had = |it: &VersionRecord| match it.standing.state {
            State::Held | State::Blocked => true,
            State::Pending => !it.standing.listed,
            State::Released | State::Failed => false,
        };
        view.versions.iter().any(|it| is_recent(it) && may_not_be_had(it))
    }

    /// Passes yanks on that were held back while a new version was inspected, once nothing is suspect any more. Many at once wait for a person.
    pub(crate) async fn pass_on_yanks(&self, registry: &Registry, name: &str) -> Result<(), StoreError> {
        let Some(view) = self.view(registry, name).await? else { return Ok(()) };
        let held_back: Vec<&VersionRecord> =
            view.versions.iter().filter(|it| it.overlay_reason.as_deref() == Some(HELD_BACK)).collect();
        if held_back.is_empty() || held_back.len() > YANKS_PASSED_ON || self.has_suspects(&view) {
            return Ok(());
        }
        self.end_overlays(registry, &view, &held_back, GATE, "the version that they came with was released")
            .await
    }

    /// Ends what we say instead of an upstream about some versions being withdrawn.
    pub(crate) async fn end_overlays(
        &self,
        registry: &Registry,
        view: &View,
        versions: &[&VersionRecord],
        actor: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let detail = serde_json::json!({ "reason": reason, "registry": registry.name });
        let act = Act::new(actor, "yanks.pass-on", &view.krate.name, self.now()).with_detail(detail);
        let mut transaction = self.store.act(act).await?;
        for version in versions {
            transaction.set_overlay(version.id, None, reason).await?;
        }
        if actor != GATE {
            let ids: Vec<_> = versions.iter().map(|it| it.id).collect();
            transaction.decided("pass-on-yanks", reason, &ids);
        }
        transaction.commit().await?;
        self.changed(registry, &view.krate.name);
        Ok(())
    }
}
