//! Proving again who one is, before looking at what was taken down; acts ask for it on their own pages.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{Act, Role};
use serde::Deserialize;

use super::layout::{Frame, page};
use super::provider::Proof;
use super::sign_in::local;
use super::visitor::{Problem, Sent, Visitor};
use crate::gate::Gate;

#[derive(Template)]
#[template(path = "console/prove.html")]
struct ProvePage<'a> {
    frame: Frame,
    back: &'a str,
    proof: Proof,
}

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    back: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    back: Option<String>,
}

/// The form.
pub(super) async fn form(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    visitor.with_role(&[Role::Admin])?;
    let page_data = ProvePage {
        frame: gate.frame(&visitor, "/console/queue", "Prove who you are").await?,
        back: local(asked.back.as_deref()),
        proof: gate.proof(&visitor).await?,
    };
    page(&page_data.frame, &page_data)
}

/// The proof.
pub(super) async fn prove(State(gate): State<Arc<Gate>>, sent: Sent<Given>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&[Role::Admin])?;
    gate.prove_again(&visitor, &form.password, &form.code).await?;
    Ok(Redirect::to(local(form.back.as_deref())).into_response())
}

impl Gate {
    /// Takes somebody's proof of who they are, which counts for a while for all that is grave. Whoever has no password gave it to the identity provider.
    ///
    /// # Errors
    ///
    /// When password or code is wrong.
    pub(super) async fn prove_again(
        &self,
        visitor: &Visitor,
        password: &str,
        code: &str,
    ) -> Result<(), Problem> {
        self.require_proof(visitor, password, code).await?;
        // Nothing was proved just now: what the provider said counts from the moment at which it did.
        if !self.proof(visitor).await?.has_password {
            return Ok(());
        }
        let login = &visitor.user.login;
        let mut transaction = self.store.act(Act::new(login, "session.prove", login, self.now())).await?;
        transaction.note_proof(visitor.session.id).await?;
        Ok(transaction.commit().await?)
    }
}
