//! The draft of a case's advisory: begun from what is known, edited by people, exported in the two formats that others read.
//!
//! The format is that of the RustSec database: Markdown behind a front matter in TOML. OSV (schema 1.7) is made from it. Its list of ecosystems has
//! one for cargo: that of the public registry. A crate of any other registry gets none, because whoever reads the record would take it for the public
//! crate of the same name; what it is instead stands where the format leaves room.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_model::Case;
use cratekeeper_registry::is_public_registry;
use cratekeeper_store::{Act, CaseId, CaseRecord, State as Standing, VersionRecord};
use semver::{Comparator, Op, Version, VersionReq};
use serde::Deserialize;
use serde_json::{Value, json};

use super::layout::{Frame, filters, page, plain};
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::TRIAGE;
use crate::error::Failure;
use crate::gate::Gate;
use crate::views::View;

/// Longest draft, in bytes.
const LONGEST: usize = 100_000;

/// What OSV calls the packages of the public registry (its list of defined ecosystems).
const ECOSYSTEM: &str = "crates.io";

/// What an advisory has before it is given an id.
const NO_ID: &str = "RUSTSEC-0000-0000";

#[derive(Template)]
#[template(path = "console/advisory.html")]
struct AdvisoryPage {
    frame: Frame,
    case: CaseRecord,
    name: String,
    text: String,
    saved: Option<(String, i64)>,
    /// What is wrong with it.
    problem: Option<String>,
    /// The registry, where OSV has no name for its packages.
    nameless: Option<String>,
    may_act: bool,
}

/// The front matter of an advisory.
#[derive(Debug, Deserialize)]
struct FrontMatter {
    advisory: Described,
    versions: Ranges,
}

#[derive(Debug, Deserialize)]
struct Described {
    id: String,
    package: String,
    date: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    aliases: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Ranges {
    patched: Vec<String>,
    #[serde(default)]
    unaffected: Vec<String>,
}

/// An advisory that makes sense.
#[derive(Debug)]
struct Advisory {
    front: FrontMatter,
    patched: Vec<VersionReq>,
    unaffected: Vec<VersionReq>,
    title: String,
    description: String,
}

/// Reads a draft; a sentence about the first thing that is wrong.
fn read(text: &str) -> Result<Advisory, String> {
    let rest = text.trim_start().strip_prefix("```toml").ok_or("it does not begin with a line ```toml")?;
    let (front, rest) = rest.split_once("\n```").ok_or("the part in TOML has no end: a line ```")?;
    let front: FrontMatter = toml::from_str(front).map_err(|error| plain(error.message()))?;
    let date: Result<jiff::civil::Date, _> = front.advisory.date.parse();
    let is_id = |it: char| it.is_ascii_alphanumeric() || it == '-';
    if front.advisory.id.is_empty() || !front.advisory.id.chars().all(is_id) {
        return Err(format!("`{}` is no id: letters, digits and `-`", plain(&front.advisory.id)));
    }
    date.map_err(|_| format!("`{}` is no date: write it like 2026-08-20", plain(&front.advisory.date)))?;
    let requirement = |text: &String| {
        text.parse::<VersionReq>()
            .map_err(|error| format!("`{}` is no range of versions: {error}", plain(text)))
    };
    let patched = front.versions.patched.iter().map(requirement).collect::<Result<_, _>>()?;
    let unaffected = front.versions.unaffected.iter().map(requirement).collect::<Result<_, _>>()?;
    let rest = rest.trim_start();
    let title =
        rest.lines().next().and_then(|it| it.strip_prefix("# ")).ok_or("it has no title: a line `# …`")?;
    let description = rest.split_once('\n').map_or("", |it| it.1).trim().to_owned();
    Ok(Advisory { title: title.trim().to_owned(), patched, unaffected, front, description })
}

/// Whose package an advisory is about.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// The public registry's.
    Public,
    /// Another registry's.
    Other {
        /// What the registry is called here.
        name: String,
        /// Where its index is, if others can reach it there.
        index: Option<String>,
    },
}

impl Origin {
    fn of(name: &str, index: &str) -> Origin {
        if is_public_registry(index) {
            return Origin::Public;
        }
        // A directory of ours, or a password in an address, is nobody's business.
        let url = url::Url::parse(index.trim_start_matches("sparse+")).ok();
        let url = url.filter(|it| matches!(it.scheme(), "http" | "https")).and_then(|mut it| {
            it.set_username("").ok()?;
            it.set_password(None).ok()?;
            (it.query().is_none() && it.fragment().is_none()).then(|| it.to_string())
        });
        Origin::Other { name: name.to_owned(), index: url }
    }

    /// The package URL: one without an address means the public registry.
    fn purl(&self, package: &str) -> Option<String> {
        let part = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
        };
        match self {
            Origin::Public => Some(format!("pkg:cargo/{}", part(package))),
            Origin::Other { index, .. } => {
                let index = index.as_ref()?;
                Some(format!("pkg:cargo/{}?repository_url={}", part(package), part(index)))
            }
        }
    }
}

impl Advisory {
    fn affects(&self, version: &Version) -> bool {
        !self.patched.iter().chain(&self.unaffected).any(|it| contains(it, version))
    }

    /// In the format OSV, over the versions that there are.
    fn to_osv(&self, origin: &Origin, versions: &[Version], modified: &str) -> Value {
        let affected: Vec<String> =
            versions.iter().filter(|it| self.affects(it)).map(ToString::to_string).collect();
        let mut ordered: Vec<&Version> = versions.iter().collect();
        ordered.sort();
        let mut events = Vec::new();
        let mut was_affected = false;
        for version in ordered {
            let is_affected = self.affects(version);
            if is_affected && !was_affected {
                events.push(json!({ "introduced": version.to_string() }));
            } else if !is_affected && was_affected {
                events.push(json!({ "fixed": version.to_string() }));
            }
            was_affected = is_affected;
        }
        let references = self.front.advisory.url.as_ref().map(|it| json!({ "type": "WEB", "url": it }));
        let mut affected = json!({
            "ranges": [{ "type": "SEMVER", "events": events }],
            "versions": affected,
            "database_specific": { "categories": self.front.advisory.categories },
        });
        let name = &self.front.advisory.package;
        match origin {
            Origin::Public => {
                let purl = origin.purl(name);
                affected["package"] = json!({ "ecosystem": ECOSYSTEM, "name": name, "purl": purl });
            }
            Origin::Other { name: registry, index } => {
                affected["database_specific"]["package"] = json!({
                    "registry": registry, "index": index, "name": name, "purl": origin.purl(name),
                });
            }
        }
        json!({
            "schema_version": "1.7.0",
            "id": self.front.advisory.id,
            "modified": modified,
            "published": format!("{}T00:00:00Z", self.front.advisory.date),
            "aliases": self.front.advisory.aliases,
            "summary": self.title,
            "details": self.description,
            "affected": [affected],
            "references": references.into_iter().collect::<Vec<_>>(),
        })
    }
}

/// Whether a version lies in a range, by the order of versions: an advisory's ranges are about pre-releases, too, which a requirement of a
/// manifest passes over (RustSec's `versions`).
fn contains(range: &VersionReq, version: &Version) -> bool {
    let by_order = |it: &Comparator| {
        let (Some(minor), Some(patch)) = (it.minor, it.patch) else { return false };
        let bound = Version { pre: it.pre.clone(), ..Version::new(it.major, minor, patch) };
        match it.op {
            Op::Exact => *version == bound,
            Op::Greater => *version > bound,
            Op::GreaterEq => *version >= bound,
            Op::Less => *version < bound,
            Op::LessEq => *version <= bound,
            _ => false,
        }
    };
    range.matches(version) || !version.pre.is_empty() && range.comparators.iter().all(by_order)
}

/// What a publisher wrote, in a text in Markdown: no links, pictures or elements.
fn in_markdown(text: &str) -> String {
    plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('[', "\\[")
}

/// Ranges of the versions that a draft is not about: those before the first and behind the last bad one, and good ones in between.
fn good_ranges(view: &View, version: &Version) -> (String, String) {
    let is_bad = |standing: Standing| matches!(standing, Standing::Held | Standing::Blocked);
    let about = |it: &&VersionRecord| is_bad(it.standing.state) || it.version == *version;
    let (bad, good): (Vec<_>, Vec<_>) = view.versions.iter().partition(about);
    let first = bad.iter().map(|it| &it.version).min();
    let last = bad.iter().map(|it| &it.version).max();
    let mut unaffected = Vec::new();
    let below = good.iter().map(|it| &it.version).filter(|it| Some(*it) < first).max();
    unaffected.extend(below.map(|it| format!("\"<= {it}\"")));
    let mut between: Vec<&Version> = good.iter().map(|it| &it.version).collect();
    between.retain(|it| Some(*it) > first && Some(*it) < last);
    between.sort();
    unaffected.extend(between.iter().map(|it| format!("\"= {it}\"")));
    let patched = good.iter().map(|it| &it.version).filter(|it| Some(*it) > last).min();
    (unaffected.join(", "), patched.map_or(String::new(), |it| format!("\">= {it}\"")))
}

/// A draft from what is known: the versions that are kept back are those that it is about.
fn begin(
    (view, version, origin): (&View, &Version, &Origin),
    case: Option<&Case>,
    at: i64,
    url: &str,
) -> String {
    let day = super::layout::moment(at)[..10].to_owned();
    let name = &view.krate.name;
    let (unaffected, patched) = good_ranges(view, version);
    // Without one, a reader takes the public registry's.
    let source = match origin {
        Origin::Other { index: Some(index), .. } => format!("source = \"sparse+{index}\"\n"),
        Origin::Other { index: None, .. } | Origin::Public => String::new(),
    };
    let mut text = format!(
        "```toml\n[advisory]\nid = \"{NO_ID}\"\npackage = \"{name}\"\n{source}date = \"{day}\"\nurl = \"{url}\"\ncategories = [\"malicious\"]\n\n\
         [versions]\nunaffected = [{unaffected}]\npatched = [{patched}]\n```\n\n# `{name}` {version} was removed because it is malicious\n\n"
    );
    match case {
        Some(case) if !case.chain.is_empty() => {
            text.push_str("What it does:\n\n");
            for step in &case.chain {
                let _ = writeln!(text, "- {}", in_markdown(&step.text));
            }
        }
        Some(case) => {
            text.push_str("What was found in it:\n\n");
            for finding in case.findings.iter().take(5) {
                let _ = writeln!(text, "- {}", in_markdown(&finding.message));
            }
        }
        None => text.push_str("Describe what it does, who is affected and what they have to do.\n"),
    }
    text
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// What a case is about.
struct About {
    case: CaseRecord,
    view: Arc<View>,
    version: Version,
    id: cratekeeper_store::VersionId,
    origin: Origin,
}

async fn about(gate: &Gate, id: i64) -> Result<About, Problem> {
    let case = gate.store.case(CaseId(id)).await?;
    let (krate, version) = gate.store.version_by_id(case.version).await?;
    let missing = || Failure::NotFound("its registry is not set up any more".to_owned());
    let registry = gate.registry_of(&krate).ok_or_else(missing)?;
    let view = gate.view(registry, &krate.name).await?.ok_or_else(missing)?;
    let origin = Origin::of(&registry.name, gate.index_of(registry));
    Ok(About { case, view, version: version.version, id: version.id, origin })
}

async fn text_of(gate: &Gate, about: &About) -> Result<(String, Option<(String, i64)>), Problem> {
    if let Some(draft) = gate.store.advisory_draft(about.case.id).await? {
        return Ok((draft.text, Some((draft.author, draft.at))));
    }
    let inspections = gate.store.inspections(about.id, 1).await?;
    let case = inspections.first().and_then(|it| it.case.as_ref());
    let url = format!("{}/v/{}", gate.configuration.url(), about.id);
    Ok((begin((&about.view, &about.version, &about.origin), case, gate.now(), &url), None))
}

/// The draft.
pub(super) async fn advisory(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(id): Path<i64>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    let about = about(&gate, id).await?;
    let (text, saved) = text_of(&gate, &about).await?;
    let name = about.view.krate.name.clone();
    let mut frame = gate.frame(&visitor, "/console/queue", format!("Advisory for {name}")).await?;
    frame.notice = told.done.map(|_| "The draft is kept.".to_owned());
    let page_data = AdvisoryPage {
        may_act: visitor.has(&TRIAGE),
        problem: read(&text).err(),
        nameless: match about.origin {
            Origin::Public => None,
            Origin::Other { name, .. } => Some(name),
        },
        name,
        case: about.case,
        text,
        saved,
        frame,
    };
    page(&page_data.frame, &page_data)
}

#[derive(Deserialize)]
pub(super) struct Draft {
    text: String,
}

/// Keeps the draft, with its mistakes: they are told, and it cannot be exported as OSV until they are gone.
pub(super) async fn save(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    sent: Sent<Draft>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&TRIAGE)?;
    if form.text.len() > LONGEST {
        return Err(Failure::Bad(format!("an advisory has {LONGEST} bytes at most")).into());
    }
    let text = form.text.replace("\r\n", "\n");
    let act = Act::new(&visitor.user.login, "advisory.save", id.to_string(), gate.now());
    let mut transaction = gate.store.act(act).await?;
    transaction.draft_advisory(CaseId(id), &text).await?;
    transaction.commit().await?;
    Ok(Redirect::to(&format!("/console/case/{id}/advisory?done=saved")).into_response())
}

fn attachment(kind: &'static str, file: &str, text: String) -> Response {
    let disposition = format!("attachment; filename=\"{file}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, text).into_response()
}

/// The draft as a file of the advisory database.
pub(super) async fn markdown(
    State(gate): State<Arc<Gate>>,
    _: Visitor,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let about = about(&gate, id).await?;
    let (text, _) = text_of(&gate, &about).await?;
    Ok(attachment("text/markdown; charset=utf-8", &format!("{NO_ID}.md"), text))
}

/// The draft in the format OSV.
pub(super) async fn osv(
    State(gate): State<Arc<Gate>>,
    _: Visitor,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let about = about(&gate, id).await?;
    let (text, _) = text_of(&gate, &about).await?;
    let advisory =
        read(&text).map_err(|problem| Failure::Bad(format!("the draft cannot be exported: {problem}")))?;
    let versions: Vec<Version> = about.view.versions.iter().map(|it| it.version.clone()).collect();
    if !versions.iter().any(|it| advisory.affects(it)) {
        let problem =
            "the draft cannot be exported: by its ranges it is about none of the versions that there are";
        return Err(Failure::Bad(problem.to_owned()).into());
    }
    let modified = jiff::Timestamp::from_second(gate.now()).unwrap_or_default().to_string();
    let osv = advisory.to_osv(&about.origin, &versions, &modified);
    let text = serde_json::to_string_pretty(&osv).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(attachment(
        "application/json",
        &format!("{}.json", advisory.front.advisory.id.replace(['/', '"'], "")),
        text,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT: &str = "```toml\n[advisory]\nid = \"RUSTSEC-0000-0000\"\npackage = \"thing\"\ndate = \"2026-08-20\"\n\n[versions]\nunaffected = [\"<= 0.3.9\"]\npatched = [\">= 0.3.12\"]\n```\n\n# Title\n\nText.\n";

    #[test]
    fn a_draft_becomes_osv_over_the_versions_that_there_are() {
        let advisory = read(DRAFT).unwrap();
        let versions = ["0.3.12", "0.3.9", "0.3.10", "0.3.11"].map(|it| it.parse().unwrap());
        let osv = advisory.to_osv(&Origin::Public, &versions, "2026-08-21T00:00:00Z");
        let package = &osv["affected"][0]["package"];
        assert_eq!((&package["ecosystem"], &package["purl"]), (&json!(ECOSYSTEM), &json!("pkg:cargo/thing")));
        assert_eq!(osv["affected"][0]["versions"], json!(["0.3.10", "0.3.11"]));
        let events = &osv["affected"][0]["ranges"][0]["events"];
        assert_eq!(*events, json!([{ "introduced": "0.3.10" }, { "fixed": "0.3.12" }]));
        assert_eq!((&osv["summary"], &osv["details"]), (&json!("Title"), &json!("Text.")));
    }

    #[test]
    fn no_other_registrys_crate_is_called_the_public_one() {
        let advisory = read(DRAFT).unwrap();
        let versions = ["0.3.10".parse().unwrap()];
        let public = Origin::of("mirror", &format!("sparse+https://index.{ECOSYSTEM}/"));
        assert_eq!(public, Origin::Public);
        for (name, index, purl) in [
            (
                "hosted",
                "sparse+https://name:secret@gate.example.invalid/index/",
                json!("pkg:cargo/thing?repository_url=https%3A%2F%2Fgate.example.invalid%2Findex%2F"),
            ),
            ("mirror", "/srv/registry", Value::Null),
            ("mirror", "https://registry.example.invalid/?token=secret", Value::Null),
            (
                "mirror",
                &format!("https://index.{ECOSYSTEM}.example.invalid/"),
                json!(format!(
                    "pkg:cargo/thing?repository_url=https%3A%2F%2Findex.{ECOSYSTEM}.example.invalid%2F"
                )),
            ),
        ] {
            let osv = advisory.to_osv(&Origin::of(name, index), &versions, "2026-08-21T00:00:00Z");
            let affected = &osv["affected"][0];
            assert!(affected["package"].is_null() && !osv.to_string().contains("secret"), "{index}: {osv}");
            let package = &affected["database_specific"]["package"];
            assert_eq!(
                (&package["registry"], &package["name"], &package["purl"]),
                (&json!(name), &json!("thing"), &purl)
            );
            assert_eq!(affected["versions"], json!(["0.3.10"]));
        }
    }

    #[test]
    fn pre_releases_lie_where_their_order_puts_them() {
        let advisory = read(DRAFT).unwrap();
        let affects = |it: &str| advisory.affects(&it.parse().unwrap());
        assert!(!affects("0.3.0-alpha.1") && !affects("0.4.0-beta"), "before and behind");
        assert!(affects("0.3.10-rc.1") && affects("0.3.12-rc.1"), "in between");
    }

    #[test]
    fn what_is_wrong_with_a_draft_is_told() {
        for (odd, expected) in [
            ("", "```toml"),
            ("```toml\n[advisory]\n", "no end"),
            (&*DRAFT.replace("2026-08-20", "yesterday"), "no date"),
            (&*DRAFT.replace(">= 0.3.12", "newer"), "no range"),
            (&*DRAFT.replace("# Title", "Title"), "no title"),
            (&*DRAFT.replace("RUSTSEC-0000-0000", "RUSTSEC 1"), "no id"),
            (&*DRAFT.replace("package = \"thing\"\n", ""), "package"),
        ] {
            let problem = read(odd).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
