//! Choosing what owners are told, before the page that shows every word of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{Registry, RegistryKind, State as Standing, VersionRecord};
use serde::Deserialize;

use super::act::link;
use super::layout::{Frame, lines, page, plain};
use super::offers::Offer;
use super::sign_in::local;
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::{Change, TEXT, TRIAGE, Target};
use crate::error::Failure;
use crate::gate::Gate;
use crate::letters::Template as Kind;

#[derive(Template)]
#[template(path = "console/notify.html")]
struct NotifyPage {
    frame: Frame,
    about: String,
    asked: About,
    choices: Vec<(&'static str, &'static str, bool)>,
    can_mail: bool,
    longest: usize,
}

/// Which crate or version, what is told, and where whoever tells it comes back to.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct About {
    registry: String,
    #[serde(rename = "crate")]
    krate: String,
    version: String,
    template: String,
    back: String,
    text: String,
}

/// What each template is called.
fn called(kind: Kind) -> &'static str {
    match kind {
        Kind::Held => "it is held",
        Kind::Blocked => "it is blocked",
        Kind::Released => "it is released",
        Kind::YankedBack => "what was withdrawn is available again",
        Kind::TakenDown => "it was taken down",
        Kind::Advisory => "it has a security advisory",
        Kind::Free => "something else: your own words",
    }
}

/// The link to this page, where owners can be told something.
pub(super) fn offer(
    gate: &Gate,
    registry: &Registry,
    krate: &str,
    version: Option<&VersionRecord>,
    back: &str,
) -> Option<Offer> {
    if gate.mailer.is_none() || registry.kind != RegistryKind::Hosted {
        return None;
    }
    let number = version.map(|it| it.version.to_string()).unwrap_or_default();
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("registry", &registry.name)
        .append_pair("crate", krate)
        .append_pair("version", &number)
        .append_pair("template", fitting(version).as_str())
        .append_pair("back", back)
        .finish();
    Some(Offer {
        name: "Tell the owners".to_owned(),
        path: format!("/console/notify?{query}"),
        is_grave: false,
    })
}

/// What there is to tell about a version as it stands.
fn fitting(version: Option<&VersionRecord>) -> Kind {
    match version {
        Some(it) if it.standing.state == Standing::Held => Kind::Held,
        Some(it) if it.standing.state == Standing::Blocked => Kind::Blocked,
        Some(it) if it.standing.state == Standing::Released && it.standing.decision.is_some() => {
            Kind::Released
        }
        _ => Kind::Free,
    }
}

/// The form.
pub(super) async fn form(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<About>,
) -> Result<Response, Problem> {
    visitor.with_role(&TRIAGE)?;
    let chosen = Kind::from_word(&asked.template).unwrap_or(Kind::Free);
    let mut about = plain(&asked.krate);
    if !asked.version.is_empty() {
        about = format!("{about} {}", plain(&asked.version));
    }
    let page_data = NotifyPage {
        frame: gate.frame(&visitor, "/console/queue", "Tell the owners").await?,
        about,
        choices: Kind::ALL.iter().map(|it| (it.as_str(), called(*it), *it == chosen)).collect(),
        can_mail: gate.mailer.is_some(),
        longest: TEXT,
        asked: About {
            registry: plain(&asked.registry),
            krate: plain(&asked.krate),
            version: plain(&asked.version),
            back: local(Some(&asked.back)).to_owned(),
            ..asked
        },
    };
    page(&page_data.frame, &page_data)
}

/// Leads to the page that shows the mail, and who gets it.
pub(super) async fn choose(sent: Sent<About>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&TRIAGE)?;
    let template = Kind::from_word(&form.template)
        .ok_or_else(|| Failure::Bad("there is no such template".to_owned()))?;
    let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let target = Target {
        registry: form.registry.trim().to_owned(),
        krate: given(&form.krate),
        version: given(&form.version),
        publisher: None,
    };
    let text = lines(form.text.trim(), TEXT);
    let change = Change::NotifyOwners { target, template, text };
    Ok(Redirect::to(&link(&change, local(Some(&form.back)))).into_response())
}
