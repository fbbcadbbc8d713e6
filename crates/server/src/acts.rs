//! What people do to a gate: previewed, done or asked for, and agreed to by a second person where it loosens or destroys.
//!
//! The admin API, the command line and the console all come here. A preview is the act itself, taken back before it is committed: so it cannot say
//! anything else than what happens. What it shows is bound by a digest; when the same act would change something else by the time a second
//! person agrees, nothing is done and the request lapses. What contains something is done at once by one person, and waits to be
//! confirmed.

mod change;
mod freeze;
mod notify;
mod perform;
mod taking_down;
mod waivers;

use std::sync::Arc;

use cratekeeper_model::{Checksum, Level};
use cratekeeper_store::{
    Act, DecisionId, NewRequest, Request, RequestId, RequestState, Role, State, Transaction, User, UserId,
    VersionId, unfit_as_second,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use change::{Change, TRIAGE, Target};
pub(crate) use notify::TEXT;

use crate::error::Failure;
use crate::gate::Gate;
use crate::in_force::POLICY;

/// Lines of a preview that are kept and shown; all of them are counted and in the digest.
const LINES: usize = 500;

/// Longest text that an act may give as its reason, in bytes.
const REASON: usize = 2_000;

/// For how long after the first account was made others are made, given roles and tokens by one person alone, in seconds: there is nobody else
/// yet.
const SETTING_UP: i64 = 60 * 60;

/// Whether a second person is needed, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "second", content = "because")]
pub(crate) enum Second {
    /// It is done by one person.
    NotNeeded,
    /// It is done at once, and confirmed by a second person.
    Confirms,
    /// It is done when a second person agrees; why.
    Agrees(String),
}

/// Something that an act changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    /// What.
    pub(crate) what: String,
    /// How it is before.
    pub(crate) before: String,
    /// How it is afterwards.
    pub(crate) after: String,
}

/// Exactly what an act changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preview {
    /// What is done, as the audit log calls it.
    pub(crate) action: String,
    /// To what.
    pub(crate) object: String,
    /// What changes, the first of it.
    pub(crate) lines: Vec<Line>,
    /// How many lines there are.
    pub(crate) count: usize,
    /// Whether a second person is needed.
    pub(crate) second: Second,
    /// SHA-256 of the act and all lines.
    pub(crate) digest: String,
}

impl Preview {
    /// Lines that are not shown.
    pub(crate) fn more(&self) -> usize {
        self.count - self.lines.len()
    }
}

/// What an act did.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    pub(crate) object: String,
    pub(crate) lines: Vec<Line>,
    /// Versions of which something changed.
    pub(crate) versions: Vec<VersionId>,
    /// What the API answers.
    pub(crate) answer: Value,
    /// Why a second person has to agree.
    pub(crate) loosens: Option<String>,
    /// Whether there is work for background tasks.
    pub(crate) is_work: bool,
    /// An account of which the answer has the means to act as it.
    pub(crate) keys_of: Option<UserId>,
    /// What the audit log keeps in place of the act as it was asked for; where that is too large, or others read it there.
    pub(crate) log: Option<Value>,
    /// Decisions that whoever agreed beforehand need not confirm.
    pub(crate) decisions: Vec<DecisionId>,
}

/// What became of an act.
#[derive(Debug)]
pub(crate) enum Submitted {
    /// It was done.
    Done { answer: Value, preview: Preview },
    /// It waits for a second person.
    Waiting { request: RequestId, preview: Preview },
}

/// The reason of an act: acts without one cannot be understood later.
pub(crate) fn reason(text: &str) -> Result<String, Failure> {
    let text = text.trim();
    // What is shown to others on a terminal and a page has nothing that cannot be seen.
    let shown = crate::refusal::harmless(text, REASON).trim().to_owned();
    if shown.is_empty() || text.len() > REASON {
        return Err(Failure::Bad(format!("a reason is needed, of {REASON} bytes at most")));
    }
    Ok(shown)
}

fn may(user: &User, roles: &[Role]) -> Result<(), Failure> {
    if roles.is_empty() || roles.iter().any(|role| user.is(*role)) {
        return Ok(());
    }
    let names: Vec<&str> = roles.iter().map(|it| it.as_str()).collect();
    Err(Failure::Forbidden(format!("this needs one of the roles {}", names.join(", "))))
}

impl Gate {
    /// Whether the gate is being set up: one person does what otherwise takes two.
    pub(crate) async fn is_being_set_up(&self) -> Result<bool, Failure> {
        let first = self.store.first_user().await?;
        Ok(first.is_some_and(|it| self.now() < it.created_at.saturating_add(SETTING_UP)))
    }

    /// What an act would change; nothing is changed.
    ///
    /// # Errors
    ///
    /// When `user` may not do it, or it cannot be done.
    pub(crate) async fn preview(self: &Arc<Gate>, user: &User, change: &Change) -> Result<Preview, Failure> {
        may(user, change.roles())?;
        let is_set_up = !self.is_being_set_up().await?;
        let mut transaction = self.store.act(Act::new(&user.login, change.action(), "", self.now())).await?;
        let effect = self.perform(&mut transaction, change, &user.login, "a preview").await;
        transaction.roll_back().await?;
        Ok(preview(change, &effect?, is_set_up))
    }

    /// Does an act, or asks a second person for it. `seen` is the digest of the preview that whoever acts has looked at, if they did.
    ///
    /// # Errors
    ///
    /// When `user` may not do it, it cannot be done, or it would change something else than they saw.
    pub(crate) async fn submit(
        self: &Arc<Gate>,
        user: &User,
        change: &Change,
        why: &str,
        seen: Option<&str>,
    ) -> Result<Submitted, Failure> {
        may(user, change.roles())?;
        freeze::refuse_own(user, change)?;
        let why = &reason(why)?;
        let is_set_up = !self.is_being_set_up().await?;
        let mut transaction = self.store.act(Act::new(&user.login, change.action(), "", self.now())).await?;
        let effect = self.perform(&mut transaction, change, &user.login, why).await?;
        let shown = preview(change, &effect, is_set_up);
        if seen.is_some_and(|it| it != shown.digest) {
            transaction.roll_back().await?;
            return Err(Failure::Conflict(
                "what this changes is not what was shown: look at it again".to_owned(),
            ));
        }
        if let Second::Agrees(_) = &shown.second {
            transaction.roll_back().await?;
            return self.ask_for(user, change, why, shown).await;
        }
        // Whoever gets the answer has the keys.
        if let Some(account) = effect.keys_of {
            transaction.note_keys(account, &user.login).await?;
        }
        transaction.set_object(&effect.object);
        transaction.set_detail(detail(change, &effect, why, &shown, None));
        transaction.commit().await?;
        self.follow(&effect).await?;
        Ok(Submitted::Done { answer: effect.answer, preview: shown })
    }

    async fn ask_for(
        self: &Arc<Gate>,
        user: &User,
        change: &Change,
        why: &str,
        shown: Preview,
    ) -> Result<Submitted, Failure> {
        let act = Act::new(&user.login, "request.create", &shown.object, self.now());
        let mut transaction = self.store.act(act).await?;
        let new = NewRequest {
            action: shown.action.clone(),
            object: shown.object.clone(),
            change: serde_json::to_value(change).map_err(|error| Failure::Internal(error.to_string()))?,
            preview: serde_json::to_value(&shown).map_err(|error| Failure::Internal(error.to_string()))?,
            digest: shown.digest.clone(),
            reason: why.to_owned(),
        };
        let request = transaction.request(&new).await?;
        transaction.set_detail(json!({
            "request": request, "action": shown.action, "digest": shown.digest, "reason": why,
        }));
        transaction.commit().await?;
        Ok(Submitted::Waiting { request, preview: shown })
    }

    /// Whether somebody may agree to a request, as far as who they are goes: why not, as a sentence fragment.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub(crate) async fn why_not_second(
        &self,
        user: &User,
        request: &Request,
    ) -> Result<Option<String>, Failure> {
        let change: Change = read(request)?;
        let may = may(user, change.roles()).and_then(|()| freeze::refuse_own(user, &change));
        if let Err(Failure::Forbidden(reason)) = may {
            return Ok(Some(reason));
        }
        let Some(first) = self.store.user(&request.requester).await? else {
            return Ok(Some("the account that asked is gone".to_owned()));
        };
        Ok(unfit_as_second(user, &first, self.now()).map(str::to_owned))
    }

    /// Agrees to a request as the second person, and does what it asks for.
    ///
    /// # Errors
    ///
    /// When `user` may not, the request does not wait any more, or the act would change something else by now: then it lapses.
    pub(crate) async fn agree(
        self: &Arc<Gate>,
        user: &User,
        id: RequestId,
        why: &str,
        seen: Option<&str>,
    ) -> Result<Value, Failure> {
        let why = &reason(why)?;
        let request = self.store.request(id).await?;
        if seen.is_some_and(|it| it != request.digest) {
            return Err(Failure::Conflict("this is not the request that was shown".to_owned()));
        }
        let change: Change = read(&request)?;
        may(user, change.roles())?;
        freeze::refuse_own(user, &change)?;
        // What is done is the act of whoever asked; that somebody agreed is an entry of its own.
        let act = Act::new(&request.requester, change.action(), &request.object, self.now());
        let mut transaction = self.store.act(act).await?;
        transaction.answer_request(id, RequestState::Done, &user.login, why).await?;
        // Whoever asked may have lost the role since.
        let first = self.store.user(&request.requester).await?;
        let first = first.ok_or_else(|| Failure::Conflict("the account that asked is gone".to_owned()))?;
        may(&first, change.roles())?;
        let effect = self.perform(&mut transaction, &change, &request.requester, &request.reason).await;
        // That a database is away says nothing about the act: whoever agreed tries again.
        let effect = match effect {
            Err(error @ (Failure::Internal(_) | Failure::Unavailable(_))) => {
                transaction.roll_back().await?;
                return Err(error);
            }
            other => other,
        };
        let is_the_same = effect.as_ref().is_ok_and(|it| digest(&change, it) == request.digest);
        if !is_the_same {
            transaction.roll_back().await?;
            let act = Act::new(&user.login, "request.lapse", &request.object, self.now())
                .with_detail(json!({ "request": id }));
            let mut transaction = self.store.act(act).await?;
            let because = "the state had changed";
            transaction.answer_request(id, RequestState::Lapsed, &user.login, because).await?;
            transaction.commit().await?;
            let cause = effect.err().map_or_else(String::new, |it| format!(" ({})", it.told()));
            return Err(Failure::Conflict(format!(
                "what was asked for would change something else by now{cause}: the request has lapsed, and can be made again"
            )));
        }
        let effect = effect?;
        if let Some(account) = effect.keys_of {
            transaction.note_keys(account, &user.login).await?;
        }
        for decision in &effect.decisions {
            transaction.note_agreement(*decision, &user.login).await?;
        }
        let shown = preview(&change, &effect, true);
        transaction.set_object(&effect.object);
        transaction.set_detail(detail(&change, &effect, &request.reason, &shown, Some(&user.login)));
        let approval = json!({ "request": id, "digest": request.digest, "reason": why });
        let act = Act::new(&user.login, "request.approve", &effect.object, self.now());
        transaction.also(act.with_detail(approval));
        transaction.commit().await?;
        self.follow(&effect).await?;
        Ok(effect.answer)
    }

    /// Refuses a request, or withdraws one's own.
    ///
    /// # Errors
    ///
    /// When it does not wait any more, or `user` may not.
    pub(crate) async fn turn_down(&self, user: &User, id: RequestId, why: &str) -> Result<Request, Failure> {
        let why = &reason(why)?;
        let request = self.store.request(id).await?;
        let is_own = request.requester == user.login;
        let (state, action) = if is_own {
            (RequestState::Withdrawn, "request.withdraw")
        } else {
            let change: Change = read(&request)?;
            may(user, change.roles())?;
            (RequestState::Refused, "request.refuse")
        };
        let act = Act::new(&user.login, action, &request.object, self.now())
            .with_detail(json!({ "request": id, "reason": why }));
        let mut transaction = self.store.act(act).await?;
        let answered = transaction.answer_request(id, state, &user.login, why).await?;
        transaction.commit().await?;
        Ok(answered)
    }

    /// Confirms, as a second person, what contained something at once.
    ///
    /// # Errors
    ///
    /// When `user` may not, or there is nothing to confirm.
    pub(crate) async fn confirm(&self, user: &User, id: DecisionId, why: &str) -> Result<(), Failure> {
        may(user, &TRIAGE)?;
        let why = &reason(why)?;
        let act = Act::new(&user.login, "decision.confirm", id.to_string(), self.now())
            .with_detail(json!({ "reason": why }));
        let mut transaction = self.store.act(act).await?;
        transaction.confirm_decision(id).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Drops what is remembered of what an act changed, and has work begun.
    async fn follow(&self, effect: &Effect) -> Result<(), Failure> {
        for (krate, _) in self.store.versions_by_id(&effect.versions).await? {
            if let Some(registry) = self.registry_of(&krate) {
                self.changed(registry, &krate.name);
            }
        }
        if effect.object == POLICY {
            let _turn = self.live.turn().await;
            self.catch_up_with_policy().await?;
        }
        if effect.is_work {
            self.there_is_work();
        }
        Ok(())
    }

    /// What changed for some versions, as lines; whether one may be had again that has a score of `alert` or more, or was never inspected.
    async fn lines_of(
        &self,
        transaction: &Transaction,
        versions: &[VersionId],
    ) -> Result<(Vec<Line>, Option<String>), Failure> {
        let mut lines = Vec::new();
        let mut loosened = 0_usize;
        for (krate, before) in self.store.versions_by_id(versions).await? {
            let after = transaction.version(before.id).await?;
            let word = |state: State, is_yanked: bool| {
                if is_yanked { format!("{state}, yanked") } else { state.to_string() }
            };
            let is_opened = after.standing.is_open() && !before.standing.is_open();
            let is_grave = after.level.is_none_or(|it| it >= Level::Alert);
            loosened += usize::from(is_opened && is_grave);
            lines.push(Line {
                what: format!("{}@{}", krate.name, before.version),
                before: word(before.standing.state, before.is_yanked()),
                after: word(after.standing.state, after.is_yanked()),
            });
        }
        let because = (loosened > 0).then(|| {
            format!(
                "{loosened} version{} of level alert or above, or never inspected, can be had again",
                plural(loosened)
            )
        });
        Ok((lines, because))
    }
}

/// The ending of a word for so many things.
pub(crate) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn read(request: &Request) -> Result<Change, Failure> {
    serde_json::from_value(request.change.clone())
        .map_err(|error| Failure::Internal(format!("request {} cannot be read: {error}", request.id)))
}

fn digest(change: &Change, effect: &Effect) -> String {
    // What is `null` in an act and what is missing mean the same; the form that serde writes is the one.
    let text = json!({ "change": change, "lines": effect.lines }).to_string();
    Checksum::of(text.as_bytes()).to_string()
}

fn preview(change: &Change, effect: &Effect, is_set_up: bool) -> Preview {
    let second = match &effect.loosens {
        Some(because) if is_set_up || !change.is_open_in_set_up() => Second::Agrees(because.clone()),
        _ if change.contains() => Second::Confirms,
        _ => Second::NotNeeded,
    };
    Preview {
        action: change.action(),
        object: effect.object.clone(),
        count: effect.lines.len(),
        lines: effect.lines.iter().take(LINES).cloned().collect(),
        second,
        digest: digest(change, effect),
    }
}

/// What the audit log keeps of an act.
fn detail(change: &Change, effect: &Effect, why: &str, shown: &Preview, second: Option<&str>) -> Value {
    let mut detail = effect
        .log
        .clone()
        .unwrap_or_else(|| json!({ "reason": why, "change": change, "count": shown.count }));
    detail["digest"] = shown.digest.as_str().into();
    detail["approved_by"] = second.into();
    detail
}
