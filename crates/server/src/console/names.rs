//! Names that are kept: reserved for an account, or prohibited for everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::KeptName;
use serde::Deserialize;

use super::act::{link, notice};
use super::layout::{Frame, filters, page};
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::{Change, TRIAGE};
use crate::gate::Gate;

/// Rows of a page.
const ROWS: u64 = 100;

#[derive(Template)]
#[template(path = "console/names.html")]
struct NamesPage {
    frame: Frame,
    rows: Vec<(KeptName, String)>,
    may_act: bool,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
    #[serde(default)]
    done: Option<String>,
}

/// Names that are kept.
pub(super) async fn names(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let mut frame = gate.frame(&visitor, "/console/names", "Names").await?;
    frame.notice = notice(asked.done.as_deref());
    let kept = gate.store.kept_names(&asked.after, ROWS).await?;
    let last = kept.last().filter(|_| kept.len() as u64 == ROWS);
    let next = last.map(|it| {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("after", &it.name).finish();
        format!("/console/names?{query}")
    });
    let free = |it: &KeptName| link(&Change::FreeName { name: it.name.clone() }, "/console/names");
    let rows = kept.into_iter().map(|it| (free(&it), it)).map(|(path, it)| (it, path)).collect();
    let page_data = NamesPage { frame, rows, may_act: visitor.has(&TRIAGE), next };
    page(&page_data.frame, &page_data)
}

#[derive(Deserialize)]
pub(super) struct Keep {
    name: String,
    #[serde(default)]
    login: String,
}

/// Leads to the preview of keeping a name.
pub(super) async fn keep(sent: Sent<Keep>) -> Result<Response, Problem> {
    let Keep { name, login } = sent.form;
    let login = (!login.trim().is_empty()).then(|| login.trim().to_owned());
    let change = Change::KeepName { name: name.trim().to_owned(), login };
    Ok(Redirect::to(&link(&change, "/console/names")).into_response())
}
