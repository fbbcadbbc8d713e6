//! The queue: cases by score and age, who is on them, campaigns, live.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use cratekeeper_store::{
    Assignee, Campaign, CaseCursor, CaseEntry, CaseFilter, CaseId, CaseOrder, CaseState, State as Standing,
};
use serde::Deserialize;

use super::act::notice;
use super::layout::{Frame, ago, page, plain};
use super::visitor::{Problem, Visitor};
use crate::gate::Gate;

/// Rows of a page.
const ROWS: u64 = 50;

/// Campaigns above the list.
const CAMPAIGNS: u64 = 5;

/// How often somebody looks whether the queue is another one. A look is two counts.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How long a page is kept live before its browser asks again: a session may have ended since.
const LIVE: u32 = 100;

#[derive(Template)]
#[template(path = "console/queue.html")]
struct QueuePage {
    frame: Frame,
    rows: Vec<Row>,
    campaigns: Vec<CampaignRow>,
    asked: Asked,
    registries: Vec<String>,
    total: u64,
    next: Option<String>,
    /// What the queue is like now, for whoever waits for it to be another.
    stamp: String,
}

/// An account with several open cases.
struct CampaignRow {
    registry: String,
    login: String,
    cases: u64,
}

/// A case in the list.
struct Row {
    id: i64,
    score: String,
    level: String,
    name: String,
    version: String,
    registry: String,
    standing: &'static str,
    reason: String,
    publisher: Option<String>,
    of_publisher: u64,
    assignee: Option<String>,
    age: String,
    is_old: bool,
}

/// How long an undecided case may be open before it is shown as late, in seconds: the 86 minutes of the attack of 2026-08-20 are the measure.
const LATE: i64 = 60 * 60;

/// What is asked for. Empty texts mean the same as none: a form sends them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) state: String,
    pub(super) standing: String,
    pub(super) registry: String,
    pub(super) score: String,
    pub(super) who: String,
    pub(super) publisher: String,
    pub(super) name: String,
    pub(super) rule: String,
    pub(super) order: String,
    /// Where the page before ended.
    after: String,
    done: Option<String>,
}

impl Asked {
    fn filter(&self, gate: &Gate, login: &str) -> CaseFilter {
        let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        CaseFilter {
            state: match self.state.as_str() {
                "closed" => Some(CaseState::Closed),
                "all" => None,
                _ => Some(CaseState::Open),
            },
            registry: gate.registry(&self.registry).map(|it| it.id),
            standing: Standing::from_word(&self.standing),
            at_least: self.score.parse().ok(),
            assignee: match self.who.as_str() {
                "nobody" => Some(Assignee::Nobody),
                "me" => Some(Assignee::Login(login.to_owned())),
                _ => None,
            },
            publisher: text(&self.publisher),
            name: text(&self.name),
            rule: text(&self.rule),
        }
    }

    fn order(&self) -> CaseOrder {
        match self.order.as_str() {
            "oldest" => CaseOrder::OldestFirst,
            "newest" => CaseOrder::NewestFirst,
            _ => CaseOrder::WorstFirst,
        }
    }

    fn cursor(&self) -> Option<CaseCursor> {
        let mut parts = self.after.split('.').map(str::parse::<i64>);
        let mut part = || parts.next()?.ok();
        let (rank, opened_at, id) = (part()?, part()?, part()?);
        Some(CaseCursor { rank: i32::try_from(rank).ok()?, opened_at, id: CaseId(id) })
    }

    /// The address of the page that begins behind a case.
    fn behind(&self, cursor: CaseCursor) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("state", &self.state),
            ("standing", &self.standing),
            ("registry", &self.registry),
            ("score", &self.score),
            ("who", &self.who),
            ("publisher", &self.publisher),
            ("name", &self.name),
            ("rule", &self.rule),
            ("order", &self.order),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.append_pair("after", &format!("{}.{}.{}", cursor.rank, cursor.opened_at, cursor.id));
        format!("/console/queue?{}", query.finish())
    }
}

/// Cases.
pub(super) async fn queue(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let filter = asked.filter(&gate, &visitor.user.login);
    let entries = gate.store.cases(&filter, asked.order(), asked.cursor(), ROWS).await?;
    let next =
        (entries.len() as u64 == ROWS).then(|| entries.last().map(|it| asked.behind(it.cursor))).flatten();
    let mut frame = gate.frame(&visitor, "/console/queue", "Queue").await?;
    frame.notice = notice(asked.done.as_deref());
    let page_data = QueuePage {
        rows: entries.into_iter().map(|it| row(&gate, it)).collect(),
        campaigns: campaigns(&gate).await?,
        registries: std::iter::once(&gate.hosted.name).chain(gate.fronts.keys()).cloned().collect(),
        total: gate.store.count_cases(&filter).await?,
        stamp: stamp(&gate).await?,
        next,
        asked,
        frame,
    };
    page(&page_data.frame, &page_data)
}

/// What looks like a campaign, in the registries that are set up.
async fn campaigns(gate: &Gate) -> Result<Vec<CampaignRow>, Problem> {
    let found = gate.store.campaigns(CAMPAIGNS).await?.into_iter();
    let row = |it: Campaign| {
        let registry = gate.registry_by_id(it.registry)?.name.clone();
        Some(CampaignRow { registry, login: it.publisher, cases: it.cases })
    };
    Ok(found.filter_map(row).collect())
}

fn row(gate: &Gate, entry: CaseEntry) -> Row {
    let age = gate.now() - entry.case.opened_at;
    let standing = &entry.version.standing;
    Row {
        id: entry.case.id.0,
        score: entry.version.score.map_or_else(|| "–".to_owned(), |it| it.to_string()),
        level: entry.version.level.map_or_else(|| "unknown".to_owned(), |it| it.to_string()),
        registry: gate.registry_of(&entry.krate).map(|it| it.name.clone()).unwrap_or_default(),
        name: entry.krate.name,
        version: entry.version.version.to_string(),
        standing: standing.state.as_str(),
        reason: plain(&standing.reason),
        publisher: entry.case.publisher,
        of_publisher: entry.of_publisher,
        assignee: entry.case.assignee,
        is_old: entry.case.state == CaseState::Open && age > LATE,
        age: ago(age),
    }
}

/// What the queue is like, in short: another text means that there is something new to see.
async fn stamp(gate: &Gate) -> Result<String, Problem> {
    let open = CaseFilter { state: Some(CaseState::Open), ..CaseFilter::default() };
    let newest = gate.store.cases(&CaseFilter::default(), CaseOrder::NewestFirst, None, 1).await?;
    let newest = newest.first().map_or(0, |it| it.case.id.0);
    let change = gate.store.newest_change().await?;
    Ok(format!(
        "{}.{newest}.{}.{change}",
        gate.store.count_cases(&open).await?,
        gate.store.requests_waiting(gate.now()).await?
    ))
}

/// Tells a page that waits when the queue is another one.
pub(super) async fn events(State(gate): State<Arc<Gate>>, _: Visitor) -> Result<Response, Problem> {
    let first = stamp(&gate).await?;
    let stream = futures_util::stream::unfold((gate, first, 0), |(gate, seen, mut looks)| async move {
        loop {
            if looks >= LIVE {
                return None;
            }
            looks += 1;
            let mut ending = gate.ending.subscribe();
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = ending.wait_for(|it| *it) => return None,
            }
            // A database that is away has nothing new.
            let now = stamp(&gate).await.unwrap_or_else(|_| seen.clone());
            if now != seen {
                let event = Event::default().event("changed").data(&now);
                return Some((Ok::<_, Infallible>(event), (gate, now, looks)));
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_where_the_next_begins() {
        let asked = Asked { name: "a b&c".to_owned(), ..Asked::default() };
        let cursor = CaseCursor { rank: -1, opened_at: 7, id: CaseId(3) };
        let address = asked.behind(cursor);
        assert_eq!(address, "/console/queue?name=a+b%26c&after=-1.7.3");
        let read = Asked { after: "-1.7.3".to_owned(), ..Asked::default() };
        assert_eq!(read.cursor(), Some(cursor));
        for odd in ["", "1", "a.b.c", "1.2", "99999999999.1.1"] {
            assert_eq!(Asked { after: odd.to_owned(), ..Asked::default() }.cursor(), None, "{odd}");
        }
    }
}
