//! What all pages have around them, and the answers that they are.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use cratekeeper_store::{CaseFilter, CaseState, Role};

use super::unread::Unread;
use super::visitor::{Problem, Visitor};
use crate::error::Failure;
use crate::gate::Gate;

/// What every page has around it.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// What belongs to the page's own script and style alone.
    pub(crate) nonce: String,
    pub(crate) form_token: String,
    pub(crate) login: String,
    pub(crate) title: String,
    /// Path of the section that the page belongs to.
    pub(crate) section: &'static str,
    pub(crate) sections: Vec<Section>,
    /// What was just done.
    pub(crate) notice: Option<String>,
    /// Something that whoever is signed in should do.
    pub(crate) advice: Option<&'static str>,
}

/// A section of the console.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    /// Things in it that wait; `None` where nothing does.
    pub(crate) waiting: Option<u64>,
}

/// Path, name, and the roles that see it; everybody when empty.
const SECTIONS: &[(&str, &str, &[Role])] = &[
    ("/console/queue", "Queue", &[]),
    ("/console/requests", "Approvals", &[]),
    ("/console/names", "Names", &[]),
    ("/console/insights", "Insights", &[]),
    ("/console/rules", "Rules", &[]),
    ("/console/policy", "Policy", &[]),
    ("/console/people", "People", &[Role::Admin, Role::Auditor]),
    ("/console/audit-log", "Audit log", &[Role::Triager, Role::Admin, Role::Auditor]),
    ("/console/system", "System", &[Role::Triager, Role::Admin, Role::Auditor]),
];

impl Gate {
    /// What a page has around it.
    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        section: &'static str,
        title: impl Into<String>,
    ) -> Result<Frame, Problem> {
        let open = CaseFilter { state: Some(CaseState::Open), ..CaseFilter::default() };
        let cases = self.store.count_cases(&open).await?;
        let waiting = self.store.requests_waiting(self.now()).await?
            + self.store.decisions_unconfirmed().await?
            + self.store.freezes_unconfirmed().await?;
        let sections = SECTIONS
            .iter()
            .filter(|(_, _, roles)| roles.is_empty() || visitor.has(roles))
            .map(|(path, name, _)| {
                let waiting = match *path {
                    "/console/queue" => Some(cases),
                    "/console/requests" => Some(waiting),
                    _ => None,
                };
                Section { path, name, waiting: waiting.filter(|it| *it > 0) }
            })
            .collect();
        let has_factor =
            self.store.second_factor(visitor.user.id).await?.is_some_and(|it| it.confirmed_at.is_some());
        Ok(Frame {
            nonce: nonce(),
            form_token: visitor.form_token.clone(),
            login: visitor.user.login.clone(),
            title: title.into(),
            section,
            sections,
            notice: None,
            advice: (!has_factor).then_some("Your account has no second factor."),
        })
    }
}

/// A text that nobody can guess.
fn nonce() -> String {
    // ChaCha would be no better: a nonce that is guessed helps only who can already write into the page, which is escaped.
    format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..))
}

/// A page of the console as an answer.
pub(crate) fn page<T: Template>(frame: &Frame, template: &T) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(answer(StatusCode::OK, text, &frame.nonce))
}

/// A page with a filter: a bad request where it cannot be read.
pub(super) fn page_of<T: Template>(
    frame: &Frame,
    template: &T,
    unread: &Unread,
) -> Result<Response, Problem> {
    let mut response = page(frame, template)?;
    if !unread.is_empty() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(response)
}

/// HTML with the headers that every page has.
pub(crate) fn answer(status: StatusCode, text: String, nonce: &str) -> Response {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, Html(text)).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[derive(Template)]
#[template(path = "console/problem.html")]
struct ProblemPage<'a> {
    nonce: &'a str,
    status: u16,
    text: &'a str,
}

/// What whoever asks is told when something cannot be shown or done.
pub(crate) fn problem(failure: &Failure) -> Response {
    let nonce = nonce();
    let (status, text) = (failure.code(), failure.told());
    let page = ProblemPage { nonce: &nonce, status: status.as_u16(), text: &text };
    let mut response = match page.render() {
        Ok(html) => answer(status, html, &nonce),
        Err(_) => (status, text).into_response(),
    };
    if let Failure::TooMany(seconds) = failure {
        response.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
    }
    response
}

/// A page for somebody who is not signed in.
pub(crate) fn bare<T: Template>(status: StatusCode, template: &T, nonce: &str) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(answer(status, text, nonce))
}

/// A text for a bare page's script and style.
pub(crate) fn new_nonce() -> String {
    nonce()
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        // It changes with the program: a minute late is early enough.
        (header::CACHE_CONTROL, "max-age=60"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, text).into_response()
}

/// The style of all pages.
pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("console.css"))
}

/// The script of all pages.
pub(crate) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("console.js"))
}

/// Text that a publisher wrote, without what is invisible or turns direction; escaping is the template's.
pub(crate) fn plain(text: &str) -> String {
    crate::refusal::harmless(text, 2_000)
}

/// Text of several lines that somebody wrote, without what is invisible or turns direction.
pub(crate) fn lines(text: &str, limit: usize) -> String {
    let lines: Vec<String> = text.lines().map(|it| crate::refusal::harmless(it, limit)).collect();
    lines.join("\n")
}

/// A moment as people read it, to the minute, in UTC.
pub(crate) fn moment(seconds: i64) -> String {
    let Ok(moment) = jiff::Timestamp::from_second(seconds) else { return "not known".to_owned() };
    moment.strftime("%Y-%m-%d %H:%M").to_string()
}

/// What templates write values with.
#[allow(unreachable_pub, reason = "the macro makes functions public")]
pub(crate) mod filters {
    /// A moment as people read it.
    #[askama::filter_fn]
    pub(crate) fn moment(seconds: &i64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(super::moment(*seconds))
    }
}

/// How long ago something was, in one word and a unit.
pub(crate) fn ago(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (count, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "d"),
    };
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let shown = [0, 61, 7_200, 200_000, -5].map(ago);
        assert_eq!(shown, ["just now", "1 min", "2 h", "2 d", "just now"]);
        assert_eq!(moment(1_790_000_000), "2026-09-21 14:13");
    }

    #[test]
    fn nothing_but_our_own_script_runs() {
        let response = answer(StatusCode::OK, String::new(), "abc");
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'nonce-abc';"), "{policy}");
        assert!(!policy.contains("unsafe"));
    }
}
