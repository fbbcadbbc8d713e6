//! Reports: whoever sees something says so, over JSON or on a page.
//!
//! A report opens a case and decides nothing by itself; a policy may ask how many people who were right before call a version malware, so its
//! version is judged again. Whoever sends one with a token earns a reputation by what their reports turn out to be; without one,
//! their address alone is kept, and counts as much as spam does: a case at the end of the queue.

use std::sync::Arc;

use askama::Template;
use axum::extract::{FromRequest as _, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::{Form, Json};
use cratekeeper_policy::{Reporters, Reports};
use cratekeeper_store::{
    Act, CrateRecord, NewJob, NewReport, ReportKind, StoreError, StoreErrorKind, VersionId, VersionRecord,
};
use semver::Version;
use serde::Deserialize;
use serde_json::json;

use crate::callers::{Caller, RequestKind, small};
use crate::configuration::HOSTED;
use crate::console::is_from_elsewhere;
use crate::error::Failure;
use crate::gate::Gate;
use crate::pages::page;
use crate::refusal::harmless;

/// Largest report, as it is sent.
const BODY: usize = 64 << 10;

/// Most characters of how a reporter can be reached.
const CONTACT: usize = 200;

/// Who signs a report of somebody without an account in the audit log.
const STRANGER: &str = "(reporter)";

/// A report.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Reported {
    /// `hosted`, or the name of an upstream; `hosted` when empty.
    registry: String,
    #[serde(rename = "crate")]
    krate: String,
    /// The newest one when empty.
    version: String,
    /// `malware`, `impersonation`, `spam` or `other`.
    kind: String,
    text: String,
    contact: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    registry: String,
    name: String,
    version: String,
    problem: Option<String>,
    is_done: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct About {
    registry: String,
    #[serde(rename = "crate")]
    krate: String,
    version: String,
}

/// The form.
pub(crate) async fn form(Query(about): Query<About>) -> Response {
    let shown = ReportPage {
        registry: harmless(&about.registry, 80),
        name: harmless(&about.krate, 80),
        version: harmless(&about.version, 80),
        problem: None,
        is_done: false,
    };
    page(StatusCode::OK, &shown)
}

/// A report on the page.
pub(crate) async fn by_form(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if is_from_elsewhere(&parts.headers, &gate) {
        return Failure::Forbidden("this form was sent by another site".to_owned()).into_response();
    }
    let read = async {
        let caller = Caller::of(&parts, &gate, RequestKind::Write).await?;
        let bytes = small(body, BODY).await?;
        let mut request = Request::new(axum::body::Body::from(bytes));
        (*request.method_mut(), *request.headers_mut()) = (parts.method.clone(), parts.headers.clone());
        let form = Form::<Reported>::from_request(request, &gate).await;
        let form = form.map_err(|_| Failure::Bad("the form is not what this page sends".to_owned()))?.0;
        Ok::<_, Failure>((caller, form))
    };
    let (caller, reported) = match read.await {
        Ok(read) => read,
        Err(failure) => return failure.into_response(),
    };
    let mut shown = ReportPage {
        registry: harmless(&reported.registry, 80),
        name: harmless(&reported.krate, 80),
        version: harmless(&reported.version, 80),
        problem: None,
        is_done: true,
    };
    match gate.reported(&caller, &reported).await {
        Ok(()) => page(StatusCode::OK, &shown),
        Err(failure @ (Failure::Bad(_) | Failure::NotFound(_) | Failure::Conflict(_))) => {
            (shown.problem, shown.is_done) = (Some(failure.told()), false);
            page(failure.code(), &shown)
        }
        Err(failure) => failure.into_response(),
    }
}

/// Report a version: `{"crate", "version", "kind", "text"}`, and if you like `"registry"` and `"contact"`.
#[utoipa::path(post, path = "/api/reports", responses((status = 202)))]
pub(crate) async fn by_api(State(gate): State<Arc<Gate>>, request: Request) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let caller = Caller::of(&parts, &gate, RequestKind::Write).await?;
    let bytes = small(body, BODY).await?;
    let reported: Reported = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::Bad(format!("the body is no report: {}", harmless(&error.to_string(), 300)))
    })?;
    gate.reported(&caller, &reported).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "accepted": true }))).into_response())
}

impl Gate {
    async fn reported(&self, caller: &Caller, reported: &Reported) -> Result<(), Failure> {
        self.rates.count_report(caller.address, &self.settings())?;
        caller.may_read(self)?;
        let kind = ReportKind::from_word(&reported.kind)
            .ok_or_else(|| Failure::Bad("a kind is malware, impersonation, spam or other".to_owned()))?;
        let missing = || Failure::NotFound("there is no such crate or version".to_owned());
        let name = if reported.registry.is_empty() { HOSTED } else { &reported.registry };
        let registry = self.registry(name).ok_or_else(missing)?;
        let view = self.view(registry, reported.krate.trim()).await?.ok_or_else(missing)?;
        let version: &VersionRecord = if reported.version.trim().is_empty() {
            view.versions.iter().max_by(|a, b| a.version.cmp(&b.version)).ok_or_else(missing)?
        } else {
            let number: Version = reported.version.trim().parse().map_err(|_| missing())?;
            view.version(&number).ok_or_else(missing)?
        };
        let reporter = caller.account.as_ref().map(|(_, user)| user.login.clone());
        let object = format!("{}@{}", view.krate.name, version.version);
        let act = Act::new(reporter.as_deref().unwrap_or(STRANGER), "report.create", object, self.now())
            .with_detail(json!({ "kind": kind, "address": caller.address }));
        let contact =
            (!reported.contact.trim().is_empty()).then(|| harmless(reported.contact.trim(), CONTACT));
        let new = NewReport {
            krate: view.krate.id,
            version: Some(version.id),
            kind,
            text: reported.text.clone(),
            reporter,
            contact,
            address: caller.address,
        };
        let mut transaction = self.store.act(act).await?;
        match transaction.report(&new).await {
            Err(error) if *error.kind() == StoreErrorKind::AlreadyExists => {
                return Err(Failure::Conflict("you have reported it before".to_owned()));
            }
            result => result?,
        };
        // What somebody has decided stays decided: reports are on its page. What was closed without a decision is opened again by somebody with
        // a name, who has one to lose.
        let is_closed_for_them = match self.store.case_of(version.id).await? {
            None => false,
            Some(_) => new.reporter.is_none() || kind != ReportKind::Malware,
        };
        if version.standing.decision.is_none() && !is_closed_for_them {
            transaction.open_case(version.id).await?;
        }
        // What policies ask of reports may be another answer now. Somebody without an account changes nothing by themselves; whoever has one
        // reports a version once, ten a minute. What is new goes first: its jobs are due since ever.
        let may_count = matches!(kind, ReportKind::Malware | ReportKind::Impersonation);
        let is_judged_again = new.reporter.is_some() && may_count && version.standing.decision.is_none();
        if is_judged_again {
            let job = self.inspection_of(registry, version.id);
            transaction.enqueue(&NewJob { run_after: self.now(), ..job }).await?;
        }
        transaction.commit().await?;
        if is_judged_again {
            self.there_is_work();
        }
        Ok(())
    }

    /// Who reports a version, as policies see it.
    pub(crate) async fn reports_about(
        &self,
        krate: &CrateRecord,
        version: VersionId,
    ) -> Result<Reports, StoreError> {
        let counts = self.store.report_counts(krate.id, version).await?;
        let of = |it: cratekeeper_store::Reporters| Reporters {
            trusted: it.trusted,
            known: it.known,
            anonymous: it.anonymous,
        };
        Ok(Reports { malware: of(counts.malware), impersonation: of(counts.impersonation) })
    }
}
