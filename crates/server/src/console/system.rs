//! How the gate itself is: jobs, upstreams, disk, webhooks, and which version of what runs.
//!
//! What is heard of upstreams is what this process heard; another replica may know more.

use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use cratekeeper_store::{
    Checkpoint, Delivery, Job, JobCounts, MailCounts, MailState, Role, State as Standing,
};
use serde::Deserialize;

use super::act::{link, notice};
use super::layout::{Frame, ago, filters, page, plain};
use super::visitor::{Problem, Visitor};
use crate::acts::{Change, TRIAGE};
use crate::gate::Gate;

/// Who sees it.
const SEES: [Role; 3] = [Role::Triager, Role::Admin, Role::Auditor];

/// Who sees who is told what, as in the API.
const SEES_WEBHOOKS: [Role; 2] = [Role::Admin, Role::Auditor];

/// Jobs of each list.
const JOBS: u64 = 50;

/// Deliveries that are shown of each webhook.
const DELIVERIES: u64 = 5;

/// Webhooks that are shown.
const WEBHOOKS: usize = 50;

/// For how long counts of versions are remembered.
const COUNTED_EVERY: Duration = Duration::from_secs(60);

/// Mails of each list.
const MAILS: u64 = 20;

/// Where the page is.
const PAGE: &str = "/console/system";

/// Counts that were taken a while ago. Whoever comes while they are taken again waits for them, and does not take them, too.
#[derive(Debug, Default)]
pub(crate) struct Counted(tokio::sync::Mutex<Option<Counts>>);

/// When versions were counted, and how many were in each state.
type Counts = (Instant, Vec<(Standing, u64)>);

#[derive(Template)]
#[template(path = "console/system.html")]
struct SystemPage {
    frame: Frame,
    facts: Vec<(&'static str, String)>,
    versions: Vec<(Standing, u64)>,
    jobs: Vec<JobCounts>,
    running: Vec<Running>,
    dead: Vec<Dead>,
    upstreams: Vec<Front>,
    webhooks: Vec<Told>,
    sees_webhooks: bool,
    mails: MailsShown,
}

/// What became of mails.
struct MailsShown {
    is_set_up: bool,
    counts: MailCounts,
    waiting: Vec<MailRow>,
    given_up: Vec<MailRow>,
}

struct MailRow {
    id: i64,
    kind: String,
    login: String,
    at: i64,
    attempts: u32,
    /// What the server said last, for those who may see addresses: servers repeat them.
    answer: String,
    retry: Option<String>,
}

/// A job that somebody works on.
struct Running {
    id: i64,
    kind: String,
    about: Option<i64>,
    owner: String,
    attempt: String,
    age: String,
}

/// A job that was given up.
struct Dead {
    id: i64,
    kind: String,
    about: Option<i64>,
    at: i64,
    error: String,
    /// The address of the act that tries it again.
    retry: Option<String>,
}

/// An upstream.
struct Front {
    name: String,
    index: String,
    /// Whether it answered when it was asked last, as a word.
    state: &'static str,
    answered: String,
    failed: String,
    /// How old answers may be that are believed.
    believed: u64,
}

/// A webhook, and what became of what it was told.
struct Told {
    origin: String,
    events: String,
    is_over: bool,
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    done: Option<String>,
}

/// How the gate is.
pub(super) async fn system(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    visitor.with_role(&SEES)?;
    let mut frame = gate.frame(&visitor, PAGE, "System").await?;
    frame.notice = notice(asked.done.as_deref());
    let may_retry = visitor.has(&TRIAGE);
    let sees_webhooks = visitor.has(&SEES_WEBHOOKS);
    let running = gate.store.running_jobs(JOBS).await?;
    let dead = gate.store.dead_jobs(None, JOBS).await?;
    let page_data = SystemPage {
        facts: facts(&gate).await?,
        versions: gate.counted_versions().await?,
        jobs: gate.store.job_counts().await?,
        running: running.into_iter().map(|it| begun(it, gate.now())).collect(),
        dead: dead.into_iter().map(|it| given_up(it, may_retry)).collect(),
        upstreams: gate.fronts.values().map(|it| front(&gate, it)).collect(),
        webhooks: if sees_webhooks { webhooks(&gate).await? } else { Vec::new() },
        sees_webhooks,
        mails: mails(&gate, may_retry, sees_webhooks).await?,
        frame,
    };
    page(&page_data.frame, &page_data)
}

impl Gate {
    /// How many versions are in each state, as it was a minute ago at most.
    async fn counted_versions(&self) -> Result<Vec<(Standing, u64)>, Problem> {
        let mut counted = self.counted.0.lock().await;
        if let Some((at, counts)) = counted.as_ref()
            && at.elapsed() < COUNTED_EVERY
        {
            return Ok(counts.clone());
        }
        let counts = self.store.counts_by_state().await?;
        *counted = Some((Instant::now(), counts.clone()));
        Ok(counts)
    }
}

/// The number of the version that a job is about.
fn about(job: &Job) -> Option<i64> {
    job.payload.get("version_id")?.as_i64()
}

fn begun(job: Job, now: i64) -> Running {
    Running {
        id: job.id.0,
        about: about(&job),
        attempt: format!("{} of {}", job.attempts, job.attempts_allowed),
        age: ago(now - job.created_at),
        owner: plain(&job.owner.unwrap_or_default()),
        kind: job.kind,
    }
}

fn given_up(job: Job, may_retry: bool) -> Dead {
    Dead {
        id: job.id.0,
        about: about(&job),
        at: job.dead_at.unwrap_or(job.created_at),
        error: plain(job.last_error.as_deref().unwrap_or("no reason was kept")),
        retry: may_retry.then(|| link(&Change::RetryJob { job: job.id.0 }, PAGE)),
        kind: job.kind,
    }
}

fn since(moment: Option<Instant>) -> String {
    let Some(moment) = moment else { return "not since the start".to_owned() };
    let seconds = i64::try_from(moment.elapsed().as_secs()).unwrap_or(i64::MAX);
    if seconds < 60 { "just now".to_owned() } else { format!("{} ago", ago(seconds)) }
}

fn front(gate: &Gate, front: &crate::gate::Front) -> Front {
    let heard = front.troubles.heard();
    let state = match (heard.answered, heard.failed) {
        (None, None) => "not asked yet",
        (Some(answered), Some(failed)) if failed > answered => "does not answer",
        (None, Some(_)) => "does not answer",
        (Some(_), _) => "answers",
    };
    let index = gate.configuration.upstream.get(&front.registry.name).map(|it| it.index.clone());
    Front {
        name: front.registry.name.clone(),
        index: crate::administration::origin(&index.unwrap_or_default()),
        state,
        answered: since(heard.answered),
        failed: since(heard.failed),
        believed: gate.settings().index_age,
    }
}

async fn webhooks(gate: &Gate) -> Result<Vec<Told>, Problem> {
    let mut told = Vec::new();
    for webhook in gate.store.webhooks().await?.into_iter().rev().take(WEBHOOKS) {
        told.push(Told {
            origin: crate::administration::origin(&webhook.url),
            events: if webhook.events.is_empty() { "all".to_owned() } else { webhook.events.join(", ") },
            is_over: webhook.disabled_at.is_some(),
            deliveries: gate.store.deliveries(webhook.id, None, DELIVERIES).await?,
        });
    }
    Ok(told)
}

async fn mails(gate: &Gate, may_retry: bool, sees_addresses: bool) -> Result<MailsShown, Problem> {
    let rows = async |state: MailState| {
        let mut rows = Vec::new();
        for mail in gate.store.mails(state, MAILS).await? {
            rows.push(MailRow {
                id: mail.id.0,
                login: gate.store.user_by_id(mail.user).await?.login,
                at: mail.finished_at.unwrap_or(mail.created_at),
                attempts: mail.attempts,
                answer: mail.answer.filter(|_| sees_addresses).map(|it| plain(&it)).unwrap_or_default(),
                retry: (may_retry && state == MailState::GivenUp && gate.mailer.is_some())
                    .then(|| link(&Change::RetryMail { mail: mail.id.0 }, PAGE)),
                kind: mail.kind,
            });
        }
        Ok::<_, Problem>(rows)
    };
    Ok(MailsShown {
        is_set_up: gate.mailer.is_some(),
        counts: gate.store.mail_counts().await?,
        waiting: rows(MailState::Waiting).await?,
        given_up: rows(MailState::GivenUp).await?,
    })
}

async fn facts(gate: &Gate) -> Result<Vec<(&'static str, String)>, Problem> {
    let now = gate.now();
    let (with_factor, people) = gate.store.second_factors_of_people().await?;
    let oldest = gate.store.oldest_open_job().await?;
    let checkpoint: Option<Checkpoint> = gate.store.checkpoints(1).await?.into_iter().next();
    let policy = gate.engine.policy();
    Ok(vec![
        ("program", format!("cratekeeper {}", env!("CARGO_PKG_VERSION"))),
        ("analyzer", crate::judging::analyzer()),
        ("policy", policy.digest().to_string()),
        ("runs since", format!("{} ({})", super::layout::moment(gate.opened_at), ago(now - gate.opened_at))),
        ("database", format!("{:?}, {}", gate.store.kind(), bytes(gate.store.size().await?))),
        ("free on the disk of the data directory", free(&gate.directory)),
        ("oldest job that waits", oldest.map_or_else(|| "none".to_owned(), |it| ago(now - it))),
        (
            "newest checkpoint",
            checkpoint.map_or_else(
                || "none".to_owned(),
                |it| format!("entry {}, {}", it.sequence, super::layout::moment(it.at)),
            ),
        ),
        ("second factors", format!("{with_factor} of {people} accounts with roles")),
    ])
}

/// So many bytes, as people read it.
fn bytes(count: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(shift, _)| count >= 1 << shift) {
        // Tenths, without a float.
        Some((shift, unit)) => {
            let tenths = (u128::from(count) * 10) >> shift;
            format!("{}.{} {unit}", tenths / 10, tenths % 10)
        }
        None => format!("{count} bytes"),
    }
}

/// How much room there is for the gate, of how much.
#[cfg(unix)]
fn free(directory: &std::path::Path) -> String {
    match rustix::fs::statvfs(directory) {
        Ok(disk) => {
            let of = |blocks: u64| bytes(blocks.saturating_mul(disk.f_frsize));
            format!("{} of {}", of(disk.f_bavail), of(disk.f_blocks))
        }
        Err(error) => format!("not known: {error}"),
    }
}

#[cfg(not(unix))]
fn free(_: &std::path::Path) -> String {
    "not known on this system".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        let shown = [0, 1_023, 1_024, 1_536, 5 << 30, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 KiB", "5.0 GiB", "17179869183.9 GiB"]);
    }

    #[test]
    fn what_went_wrong_is_shown_without_what_is_invisible() {
        let job = Job {
            id: cratekeeper_store::JobId(7),
            kind: "inspect".to_owned(),
            payload: serde_json::json!({ "version_id": 3 }),
            attempts: 8,
            attempts_allowed: 8,
            run_after: 0,
            owner: None,
            last_error: Some("a\u{202e}b\nc".to_owned()),
            dead_at: Some(9),
            created_at: 1,
        };
        let shown = given_up(job.clone(), true);
        assert_eq!((shown.about, shown.at, shown.error.as_str()), (Some(3), 9, "ab c"));
        assert!(shown.retry.unwrap().contains("retry-job"));
        assert!(given_up(job, false).retry.is_none());
    }

    #[test]
    fn the_disk_says_how_full_it_is() {
        assert!(free(std::path::Path::new("/")).contains(" of "));
    }
}
