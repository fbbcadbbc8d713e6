//! Search over everything: crates, versions, people, cases, requests, decisions and what the audit log is about.
//!
//! One field takes names, `name@version`, logins, checksums and numbers. What fits exactly comes first; every group has a limit, and says
//! when there is more.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use cratekeeper_store::{
    AuditFilter, CaseId, CrateRecord, DecisionId, PeopleFilter, RequestId, Role, StoreError, StoreErrorKind,
    Subject, VersionRecord,
};
use serde::Deserialize;

use super::layout::{Frame, page, plain};
use super::people::person_path;
use super::publisher::{publisher_path, publishers_path};
use super::visitor::{Problem, Visitor};
use crate::gate::Gate;

/// Hits of a group.
const HITS: u64 = 12;

/// Fewest characters that are looked for inside of names.
const CONTAINED: usize = 3;

/// Longest text that is looked for, in characters: names have 64, checksums as many digits.
const LONGEST: usize = 200;

#[derive(Template)]
#[template(path = "console/search.html")]
struct SearchPage {
    frame: Frame,
    text: String,
    groups: Vec<Group>,
}

/// Hits of one kind.
struct Group {
    name: &'static str,
    hits: Vec<Hit>,
    /// Whether there are more than are shown.
    has_more: bool,
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    path: String,
    shown: String,
    note: String,
    is_exact: bool,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// What a text can mean.
#[derive(Debug, Default, PartialEq, Eq)]
struct Meaning {
    /// A number of something.
    number: Option<i64>,
    /// A crate and one of its versions.
    version: Option<(String, semver::Version)>,
    /// The text itself.
    text: String,
}

fn meaning(text: &str) -> Meaning {
    let text: String = text.trim().chars().take(LONGEST).collect();
    let number = text.strip_prefix('#').unwrap_or(&text).parse().ok().filter(|it| *it > 0);
    let version = text.split_once('@').and_then(|(name, number)| {
        let number = number.strip_prefix('v').unwrap_or(number).parse().ok()?;
        (!name.is_empty()).then(|| (name.to_owned(), number))
    });
    Meaning { number, version, text }
}

/// Where the page about a crate is.
pub(super) fn crate_path(registry: &str, name: &str) -> String {
    format!("/console/crate/{registry}/{name}")
}

/// Everything that fits.
pub(super) async fn search(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let meaning = meaning(&asked.q);
    let mut groups = Vec::new();
    if !meaning.text.is_empty() {
        for (name, hits) in [
            ("By number", numbered(&gate, meaning.number).await?),
            ("Versions", versions(&gate, &meaning).await?),
            ("Crates", crates(&gate, &meaning.text).await?),
            ("People", people(&gate, &visitor, &meaning.text).await?),
            ("Audit log", entries(&gate, &visitor, &meaning.text).await?),
        ] {
            groups.extend(group(name, hits));
        }
    }
    // Stable: groups with something that fits exactly come first, each in its order.
    groups.sort_by_key(|it: &Group| !it.hits.iter().any(|hit| hit.is_exact));
    let page_data = SearchPage {
        frame: gate.frame(&visitor, "/console/search", "Search").await?,
        text: plain(&meaning.text),
        groups,
    };
    page(&page_data.frame, &page_data)
}

fn group(name: &'static str, mut hits: Vec<Hit>) -> Option<Group> {
    if hits.is_empty() {
        return None;
    }
    hits.sort_by_key(|it| !it.is_exact);
    let has_more = hits.len() as u64 > HITS;
    hits.truncate(usize::try_from(HITS).unwrap_or(usize::MAX));
    Some(Group { name, hits, has_more })
}

/// What is there, or nothing.
fn found<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if *error.kind() == StoreErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

async fn numbered(gate: &Gate, number: Option<i64>) -> Result<Vec<Hit>, Problem> {
    let Some(number) = number else { return Ok(Vec::new()) };
    let mut hits = Vec::new();
    let hit = |path: String, shown: String, note: String| Hit { path, shown, note, is_exact: true };
    if let Some(case) = found(gate.store.case(CaseId(number)).await)? {
        let (krate, version) = gate.store.version_by_id(case.version).await?;
        let note = format!("{} {}, {}", krate.name, version.version, case.state);
        hits.push(hit(format!("/console/case/{number}"), format!("Case {number}"), note));
    }
    if let Some(request) = found(gate.store.request(RequestId(number)).await)? {
        let note = format!("{} {}, {}", request.action, request.object, request.state);
        hits.push(hit(format!("/console/requests/{number}"), format!("Request {number}"), plain(&note)));
    }
    if let Some(decision) = found(gate.store.decision(DecisionId(number)).await)? {
        let path = match &decision.subject {
            Subject::Version(id) => format!("/console/version/{id}/case"),
            Subject::Crate(id) => {
                let krate = gate.store.crate_by_id(*id).await?;
                crate_path(&registry_name(gate, &krate), &krate.name)
            }
            // Where the registry is not set up any more, the page says who else has that login.
            Subject::Publisher(id, login) => gate
                .registry_by_id(*id)
                .map_or_else(|| publishers_path(login), |it| publisher_path(&it.name, login)),
        };
        let note =
            format!("{} {}, by {}", decision.action, gate.shown(&decision.subject).await?, decision.actor);
        hits.push(hit(path, format!("Decision {number}"), plain(&note)));
    }
    Ok(hits)
}

fn registry_name(gate: &Gate, krate: &CrateRecord) -> String {
    gate.registry_of(krate).map(|it| it.name.clone()).unwrap_or_default()
}

fn version_hit(gate: &Gate, krate: &CrateRecord, version: &VersionRecord, is_exact: bool) -> Hit {
    let registry = registry_name(gate, krate);
    Hit {
        path: format!("/console/version/{}", version.id),
        shown: format!("{} {}", krate.name, version.version),
        note: format!("{registry}, {}, {}", version.standing.state, version.checksum),
        is_exact,
    }
}

async fn versions(gate: &Gate, meaning: &Meaning) -> Result<Vec<Hit>, Problem> {
    let mut hits = Vec::new();
    if let Some((name, number)) = &meaning.version {
        for krate in gate.store.crates_named(name).await? {
            let Some(registry) = gate.registry_of(&krate) else { continue };
            if let Some((krate, version)) = gate.store.version(registry.id, &krate.name, number).await? {
                hits.push(version_hit(gate, &krate, &version, true));
            }
        }
    }
    for (krate, version) in gate.store.versions_with_checksum_beginning(&meaning.text, HITS + 1).await? {
        let is_exact = version.checksum.to_string() == meaning.text.to_ascii_lowercase();
        hits.push(version_hit(gate, &krate, &version, is_exact));
    }
    Ok(hits)
}

async fn crates(gate: &Gate, text: &str) -> Result<Vec<Hit>, Problem> {
    // Whoever looks for a version that is not there may want its crate.
    let name = text.split('@').next().unwrap_or(text);
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = gate.store.crates_beginning(name, HITS + 1).await?;
    if found.len() as u64 <= HITS && name.chars().count() >= CONTAINED {
        found.extend(gate.store.crates_containing(name, HITS + 1).await?);
    }
    // A name that begins and goes on with the text is found twice.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|it| seen.insert(it.id));
    let canonical = cratekeeper_store::canonical_name(name);
    let hit = |krate: CrateRecord| {
        let registry = registry_name(gate, &krate);
        Hit {
            path: crate_path(&registry, &krate.name),
            is_exact: cratekeeper_store::canonical_name(&krate.name) == canonical,
            shown: krate.name,
            note: registry,
        }
    };
    Ok(found.into_iter().map(hit).collect())
}

async fn people(gate: &Gate, visitor: &Visitor, text: &str) -> Result<Vec<Hit>, Problem> {
    let mut hits = Vec::new();
    let lower = text.to_lowercase();
    for (registry, login) in gate.store.registries_of_publisher(text).await? {
        let Some(registry) = gate.registry_by_id(registry) else { continue };
        let path = publisher_path(&registry.name, &login);
        let note = format!("publishes to {}", registry.name);
        hits.push(Hit { path, shown: plain(&login), note, is_exact: true });
    }
    if visitor.has(&[Role::Admin, Role::Auditor]) {
        let filter = PeopleFilter { login: Some(text.to_owned()), ..PeopleFilter::default() };
        for person in gate.store.people(&filter, None, HITS + 1).await? {
            let login = person.user.login;
            let is_exact = login.to_lowercase() == lower;
            hits.push(Hit { path: person_path(&login), shown: login, note: "account".to_owned(), is_exact });
        }
    }
    Ok(hits)
}

async fn entries(gate: &Gate, visitor: &Visitor, text: &str) -> Result<Vec<Hit>, Problem> {
    if !visitor.has(&[Role::Triager, Role::Admin, Role::Auditor]) {
        return Ok(Vec::new());
    }
    let filter = AuditFilter { object: Some(text.to_owned()), ..AuditFilter::default() };
    let found = gate.store.audit_entries(&filter, None, HITS + 1).await?;
    let hit = |it: cratekeeper_store::AuditEntry| Hit {
        path: format!("/console/audit-log/{}", it.sequence),
        shown: format!("{} {}", it.sequence, it.action),
        note: plain(&format!("{}, by {}", super::layout::moment(it.at), it.actor)),
        // What is done to a thing is not the thing.
        is_exact: false,
    };
    Ok(found.into_iter().map(hit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_can_mean_several_things() {
        assert_eq!(meaning(" #12 ").number, Some(12));
        assert_eq!(meaning("12").number, Some(12));
        assert_eq!(meaning("-1").number, None);
        let version = meaning("serde@v1.0.0").version;
        assert_eq!(version, Some(("serde".to_owned(), semver::Version::new(1, 0, 0))));
        assert_eq!(meaning("@1.0.0").version, None);
        assert_eq!(meaning("serde@latest").version, None);
        assert_eq!(meaning(&"é".repeat(1_000)).text.chars().count(), LONGEST);
    }

    #[test]
    fn what_fits_exactly_comes_first_and_the_rest_is_counted() {
        let hit = |shown: &str, is_exact| Hit {
            path: String::new(),
            shown: shown.to_owned(),
            note: String::new(),
            is_exact,
        };
        let mut hits: Vec<Hit> = (0..20).map(|it| hit(&format!("a{it}"), false)).collect();
        hits.push(hit("a", true));
        let group = group("Crates", hits).unwrap();
        assert_eq!((group.hits[0].shown.as_str(), group.hits.len(), group.has_more), ("a", 12, true));
    }
}
