//! Pages that people read in a browser: how to use the gate, why a version is refused, and the one that makes the first account.
//!
//! They work without scripts, load nothing, and show what publishers wrote as text only.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use cratekeeper_store::{InspectionRecord, Provenance, SignInMethod, State as Standing, VersionRecord};
use semver::Version;

use crate::callers::{Caller, RequestKind};
use crate::configuration::HOSTED;
use crate::error::{Failure, with_sources};
use crate::gate::Gate;

/// Nothing is loaded but our own style, nothing is sent elsewhere, nobody may frame it.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style of all pages.
pub(crate) async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("pages/style.css")).into_response()
}

/// A page as an answer, with the headers that every page has.
pub(crate) fn page<T: Template>(status: StatusCode, template: &T) -> Response {
    match template.render() {
        Ok(text) => {
            let mut response = (status, Html(text)).into_response();
            let headers = response.headers_mut();
            headers
                .insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            response
        }
        Err(error) => Failure::Internal(error.to_string()).into_response(),
    }
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    url: &'a str,
    fronts: Vec<(&'a str, &'a str)>,
    is_set_up: bool,
}

/// How to use the gate.
pub(crate) async fn home(State(gate): State<Arc<Gate>>) -> Result<Response, Failure> {
    let is_set_up = gate.store.has_users().await?;
    Ok(page(StatusCode::OK, &instructions(&gate, &gate.configuration.url(), is_set_up)))
}

fn instructions<'a>(gate: &'a Gate, url: &'a str, is_set_up: bool) -> Home<'a> {
    let fronts =
        gate.configuration.upstream.iter().map(|(name, it)| (name.as_str(), it.replaces.as_str())).collect();
    Home { url, fronts, is_set_up }
}

/// Where `cargo login` sends people for a token.
pub(crate) async fn me(State(gate): State<Arc<Gate>>) -> Response {
    let text = format!(
        "Tokens are made by an administrator: cratekeeper gate token create --user LOGIN --reason TEXT --url {}\n",
        gate.configuration.url()
    );
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[derive(Template)]
#[template(path = "version.html")]
struct VersionPage<'a> {
    registry: &'a str,
    name: &'a str,
    version: &'a VersionRecord,
    state: &'static str,
    is_ours: bool,
    provenance: Vec<(&'static str, String)>,
    inspection: Option<&'a InspectionRecord>,
    findings: Vec<Finding<'a>>,
    story: Vec<String>,
    alternative: Option<String>,
}

/// A finding, ready to be shown.
struct Finding<'a> {
    rule: &'a str,
    grade: String,
    message: String,
    evidence: Vec<(String, String)>,
}

/// Most findings of a page; a hostile crate has thousands.
const FINDINGS: usize = 50;

/// Leads from the short address that refusals give to a version's page.
pub(crate) async fn version_by_number(
    State(gate): State<Arc<Gate>>,
    Path(id): Path<i64>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    Caller::of(&parts, &gate, RequestKind::Read).await?.may_read(&gate)?;
    let missing = || Failure::NotFound("there is no such version".to_owned());
    let (krate, version) =
        gate.store.version_by_id(cratekeeper_store::VersionId(id)).await.map_err(|_| missing())?;
    let registry = gate.registry_of(&krate).ok_or_else(missing)?;
    let page = gate.version_page(registry, &krate.name, &version.version);
    Ok(axum::response::Redirect::temporary(&page).into_response())
}

/// What is known about a version, and why it stands as it does.
pub(crate) async fn version(
    State(gate): State<Arc<Gate>>,
    Path((registry, name, version)): Path<(String, String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, _) = request.into_parts();
    Caller::of(&parts, &gate, RequestKind::Read).await?.may_read(&gate)?;
    let missing = || Failure::NotFound("there is no such version".to_owned());
    let of_registry = gate.registry(&registry).ok_or_else(missing)?;
    let number: Version = version.parse().map_err(|_| missing())?;
    let view = gate.view(of_registry, &name).await?.ok_or_else(missing)?;
    let record = view.version(&number).ok_or_else(missing)?;
    let inspections = gate.store.inspections(record.id, 1).await?;
    let inspection = inspections.first();
    let case = inspection.and_then(|it| it.case.as_ref());
    let findings = case.map_or_else(Vec::new, |case| {
        let shown = case.findings.iter().take(FINDINGS).map(|it| Finding {
            rule: it.rule.as_str(),
            grade: format!("{} ({} confidence)", it.severity, it.confidence),
            message: plain(&it.message),
            evidence: it
                .evidence
                .iter()
                .take(3)
                .map(|it| {
                    (
                        plain(&format!("{}:{}", it.file, it.line.unwrap_or(0))),
                        plain(it.excerpt.as_deref().unwrap_or_default()),
                    )
                })
                .collect(),
        });
        shown.collect()
    });
    let story = case.map_or_else(Vec::new, |case| case.chain.iter().map(|it| plain(&it.text)).collect());
    let published = gate.store.provenance(record.id).await?;
    let page_data = VersionPage {
        registry: &of_registry.name,
        name: &view.krate.name,
        version: record,
        state: word(record.standing.state),
        is_ours: of_registry.name == HOSTED,
        provenance: rows(record, &published),
        inspection,
        findings,
        story,
        alternative: view.alternative(&record.version).map(ToString::to_string),
    };
    Ok(page(StatusCode::OK, &page_data))
}

fn word(state: Standing) -> &'static str {
    match state {
        Standing::Pending => "waiting for its inspection",
        Standing::Released => "released",
        Standing::Held => "held until a person has looked",
        Standing::Blocked => "blocked",
        Standing::Failed => "not inspected",
    }
}

/// Text that a publisher wrote, without what is invisible or turns direction; escaping is the template's.
fn plain(text: &str) -> String {
    crate::refusal::harmless(text, 2_000)
}

/// How a version was published, in words; what is not known says so.
pub(crate) fn rows(version: &VersionRecord, how: &Provenance) -> Vec<(&'static str, String)> {
    let unknown = || "not known".to_owned();
    let time = |at: Option<i64>| {
        at.and_then(|it| jiff::Timestamp::from_second(it).ok()).map_or_else(unknown, |it| it.to_string())
    };
    let text = |text: Option<&String>| text.map_or_else(unknown, |it| plain(it));
    vec![
        ("published", time(version.published_at)),
        ("first seen here", time(Some(version.first_seen))),
        ("by", text(how.publisher.as_ref())),
        ("method", how.method.map_or_else(unknown, |it| format!("{it:?}").to_lowercase())),
        ("token", text(how.token_name.as_ref())),
        ("client", text(how.client.as_ref())),
        ("owners then", how.owners.as_ref().map_or_else(unknown, |it| plain(&it.join(", ")))),
        ("first verdict", how.verdict.map_or_else(unknown, |it| it.to_string())),
        ("checksum", version.checksum.to_string()),
    ]
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage<'a> {
    secret: &'a str,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct Welcome<'a> {
    url: &'a str,
    login: &'a str,
    token: &'a str,
}

/// The form that makes the first account. Looking at it uses nothing up.
pub(crate) async fn setup_form(State(_): State<Arc<Gate>>, Path(secret): Path<String>) -> Response {
    let secret = crate::refusal::harmless(&secret, 200);
    page(StatusCode::OK, &SetupPage { secret: &secret, problem: None })
}

/// Makes the first account, shows its token once, and signs it in.
pub(crate) async fn setup(
    State(gate): State<Arc<Gate>>,
    Path(secret): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let caller = match Caller::of(&parts, &gate, RequestKind::Write).await {
        Ok(caller) => caller,
        Err(failure) => return failure.into_response(),
    };
    let request = Request::from_parts(parts, body);
    let form = match axum::Form::<crate::setup::FirstAccount>::from_request(request, &gate).await {
        Ok(axum::Form(form)) => form,
        Err(_) => return Failure::Bad("the form is not what this page sends".to_owned()).into_response(),
    };
    match crate::setup::first_account(&gate, &secret, &form, caller.address).await {
        Ok((user, token)) => {
            let url = gate.configuration.url();
            let welcome = Welcome { url: &url, login: &user.login, token: token.expose() };
            let mut response = page(StatusCode::OK, &welcome);
            let begun = gate.begin_session(&user, SignInMethod::SetUp, caller.address, caller.client).await;
            match begun {
                Ok(text) => {
                    response.headers_mut().insert(header::SET_COOKIE, crate::console::cookie(&gate, &text));
                }
                // The account is there: whoever made it signs in.
                Err(failure) => tracing::warn!("no session was begun: {}", failure.told()),
            }
            response
        }
        Err(crate::setup::SetupError::Refused(problem)) => {
            page(StatusCode::BAD_REQUEST, &SetupPage { secret: &secret, problem: Some(&problem) })
        }
        Err(crate::setup::SetupError::Store(error)) => {
            Failure::Internal(with_sources(&error)).into_response()
        }
    }
}
