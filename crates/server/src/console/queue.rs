//! The queue: cases by score and age, who is on them, campaigns, live.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use cratekeeper_store::{
    Assignee, Campaign, CaseCursor, CaseEntry, CaseFilter, CaseId, CaseOrder, CaseState, RegistryId,
    State as Standing,
};
use serde::Deserialize;

use super::act::notice;
use super::layout::{Frame, ago, page_of, plain};
use super::unread::Unread;
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
    unread: Unread,
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
    fn filter(
        &self,
        registry: impl FnOnce(&str) -> Option<RegistryId>,
        login: &str,
        unread: &mut Unread,
    ) -> CaseFilter {
        let text = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let state = |word: &str| match word {
            "open" => Some(Some(CaseState::Open)),
            "closed" => Some(Some(CaseState::Closed)),
            "all" => Some(None),
            _ => None,
        };
        let assignee = |word: &str| match word {
            "nobody" => Some(Assignee::Nobody),
            "me" => Some(Assignee::Login(login.to_owned())),
            _ => None,
        };
        let score = |text: &str| text.parse().ok().filter(|it: &u8| *it <= 100);
        CaseFilter {
            state: unread
                .read("state", &self.state, state, "cases are open, closed or all")
                .unwrap_or(Some(CaseState::Open)),
            registry: unread.read("registry", &self.registry, registry, "no registry here is called that"),
            standing: unread.read(
                "standing",
                &self.standing,
                Standing::from_word,
                "a version is pending, released, held, blocked or failed",
            ),
            at_least: unread.read("score", &self.score, score, "a score is a number from 0 to 100"),
            assignee: unread.read("who", &self.who, assignee, "it is me or nobody"),
            publisher: text(&self.publisher),
            name: text(&self.name),
            rule: text(&self.rule),
        }
    }

    fn order(&self, unread: &mut Unread) -> CaseOrder {
        let order = |word: &str| match word {
            "worst" => Some(CaseOrder::WorstFirst),
            "oldest" => Some(CaseOrder::OldestFirst),
            "newest" => Some(CaseOrder::NewestFirst),
            _ => None,
        };
        unread.read("order", &self.order, order, "it is worst, oldest or newest").unwrap_or_default()
    }

    fn cursor(&self, unread: &mut Unread) -> Option<CaseCursor> {
        let cursor = |text: &str| {
            let mut parts = text.split('.').map(str::parse::<i64>);
            let mut part = || parts.next()?.ok();
            let (rank, opened_at, id) = (part()?, part()?, part()?);
            Some(CaseCursor { rank: i32::try_from(rank).ok()?, opened_at, id: CaseId(id) })
        };
        unread.read("after", &self.after, cursor, "it is no place in the list")
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
    let mut unread = Unread::default();
    let registry = |name: &str| gate.registry(name).map(|it| it.id);
    let filter = asked.filter(registry, &visitor.user.login, &mut unread);
    let (order, cursor) = (asked.order(&mut unread), asked.cursor(&mut unread));
    let (entries, total) = match unread.is_empty() {
        true => {
            (gate.store.cases(&filter, order, cursor, ROWS).await?, gate.store.count_cases(&filter).await?)
        }
        false => (Vec::new(), 0),
    };
    let next =
        (entries.len() as u64 == ROWS).then(|| entries.last().map(|it| asked.behind(it.cursor))).flatten();
    let mut frame = gate.frame(&visitor, "/console/queue", "Queue").await?;
    frame.notice = notice(asked.done.as_deref());
    let page_data = QueuePage {
        rows: entries.into_iter().map(|it| row(&gate, it)).collect(),
        campaigns: campaigns(&gate).await?,
        registries: std::iter::once(&gate.hosted.name).chain(gate.fronts.keys()).cloned().collect(),
        total,
        stamp: stamp(&gate).await?,
        next,
        asked,
        unread,
        frame,
    };
    page_of(&page_data.frame, &page_data, &page_data.unread)
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
        let mut unread = Unread::default();
        assert_eq!(read.cursor(&mut unread), Some(cursor));
        assert_eq!(Asked::default().cursor(&mut unread), None);
        assert!(unread.is_empty());
        for odd in ["1", "a.b.c", "1.2", "99999999999.1.1"] {
            let mut unread = Unread::default();
            let asked = Asked { after: odd.to_owned(), ..Asked::default() };
            assert_eq!((asked.cursor(&mut unread), unread.is_empty()), (None, false), "{odd}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_no_wider_filter() {
        let registry = |name: &str| (name == "hosted").then_some(RegistryId(7));
        let read = |asked: &Asked| {
            let mut unread = Unread::default();
            let filter = asked.filter(registry, "alice", &mut unread);
            asked.order(&mut unread);
            (filter, unread)
        };
        let (filter, unread) =
            read(&Asked { registry: "hosted".to_owned(), score: "70".to_owned(), ..Asked::default() });
        assert_eq!((filter.registry, filter.at_least), (Some(RegistryId(7)), Some(70)));
        assert!(unread.is_empty() && filter.state == Some(CaseState::Open));
        let odd = |field: &str| {
            let of = |name: &str| if name == field { "odd".to_owned() } else { String::new() };
            Asked {
                state: of("state"),
                standing: of("standing"),
                registry: of("registry"),
                score: of("score"),
                who: of("who"),
                order: of("order"),
                ..Asked::default()
            }
        };
        for field in ["state", "standing", "registry", "score", "who", "order"] {
            assert!(read(&odd(field)).1.of(field).is_some(), "{field}");
        }
        assert!(read(&Asked { score: "101".to_owned(), ..Asked::default() }).1.of("score").is_some());
    }
}
