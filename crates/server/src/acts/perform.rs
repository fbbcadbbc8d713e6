//! Doing an act inside of a transaction, and saying what it changed. Whether that is kept is for the caller.

use std::sync::Arc;

use cratekeeper_model::PublishMethod;
use cratekeeper_store::{
    By, CaseId, CrateRecord, DecisionId, JobId, NewDecision, NewToken, NewUser, RegistryId, Role, Scope,
    SessionId, Subject, TokenId, Transaction, User, VersionId, WaiverId, YankOverlay, Yanks,
};
use semver::Version;
use serde_json::{Value, json};

use super::waivers::Asked;
use super::{Change, Effect, Line, Target};
use crate::configuration::HOSTED;
use crate::console::join_purpose;
use crate::error::Failure;
use crate::gate::Gate;
use crate::protocol::CrateName;

/// How long whoever was invited has to choose a password, in seconds: three days, a weekend.
const JOINED_WITHIN: i64 = 3 * 86_400;

impl Gate {
    /// Does an act in the name of `actor`.
    pub(super) async fn perform(
        self: &Arc<Gate>,
        transaction: &mut Transaction,
        change: &Change,
        actor: &str,
        why: &str,
    ) -> Result<Effect, Failure> {
        match change {
            Change::Decide { target, action, enforcement } => {
                let (subject, object) = self.subject(target).await?;
                self.refuse_taken_down(&subject, Some(*action)).await?;
                let decision = NewDecision::new(subject, *action, *enforcement, why)?;
                let (id, versions) = transaction.decide(&decision).await?;
                self.of_versions(transaction, object, versions, json!({ "decision": id })).await
            }
            Change::Undo { decision } => {
                let before = self.store.decision(DecisionId(*decision)).await?;
                let object = self.shown(&before.subject).await?;
                self.refuse_taken_down(&before.subject, None).await?;
                let versions = transaction.undo_decision(DecisionId(*decision), why).await?;
                self.of_versions(transaction, object, versions, json!({ "decision": decision })).await
            }
            Change::RollBackYanks { registry, by, krate, from, to } => {
                if from >= to {
                    return Err(Failure::Bad("`from` lies before `to`".to_owned()));
                }
                transaction.refuse_frozen(actor).await?;
                let (yanks, object) = self.yanks(registry, by.as_deref(), krate.as_deref()).await?;
                let by = By { login: Some(actor), token: None };
                let versions = transaction.roll_back_yanks(&yanks, *from, *to, why, by).await?;
                self.of_versions(transaction, object, versions, json!({})).await
            }
            Change::PassOnYanks { registry, krate } => {
                transaction.refuse_frozen(actor).await?;
                let missing = || Failure::NotFound("there is no such crate".to_owned());
                let registry = self.registry(registry).ok_or_else(missing)?;
                let view = self.view(registry, krate).await?.ok_or_else(missing)?;
                let overlaid = view.versions.iter().filter(|it| it.overlay.is_some());
                let versions: Vec<VersionId> = overlaid.map(|it| it.id).collect();
                for version in &versions {
                    transaction.set_overlay(*version, None, why).await?;
                }
                transaction.decided("pass-on-yanks", why, &versions);
                self.of_versions(transaction, view.krate.name.clone(), versions, json!({})).await
            }
            Change::SetYanked { target, yanked } => {
                self.set_yanked(transaction, target, *yanked, (actor, why)).await
            }
            Change::CreateUser { login, name, roles } => {
                let is_founder = self.is_being_set_up().await?;
                let new = NewUser {
                    login: login.clone(),
                    name: name.clone(),
                    roles: roles.clone(),
                    is_founder,
                    ..NewUser::default()
                };
                let user = transaction.create_user(&new).await?;
                let link = self.join_link(transaction, login).await?;
                let line = line(format!("account {login}"), "none", listed(roles));
                let loosens = (!roles.is_empty()).then(|| "it gives roles".to_owned());
                let keys_of = Some(user.id);
                let effect = of_account(login, vec![line], json!({ "user": user, "link": link }), loosens);
                Ok(Effect { keys_of, ..effect })
            }
            Change::SetRoles { login, roles } => {
                let before = self.account(login).await?;
                let user = transaction.set_roles(before.id, roles).await?;
                let line = line(format!("roles of {}", before.login), listed(&before.roles), listed(roles));
                let is_given = roles.iter().any(|it| !before.roles.contains(it));
                let loosens = is_given.then(|| "it gives roles".to_owned());
                Ok(of_account(&before.login, vec![line], json!({ "user": user }), loosens))
            }
            Change::SetDisabled { login, disabled } => {
                let before = self.account(login).await?;
                let user = transaction.set_disabled(before.id, *disabled).await?;
                let was = before.disabled_at.map(|it| format!("locked out (since {it})"));
                let line = line(
                    format!("account {}", before.login),
                    was.unwrap_or_else(|| "may sign in".to_owned()),
                    if *disabled { "locked out" } else { "may sign in" },
                );
                let is_let_in = !disabled && !before.roles.is_empty();
                let loosens = is_let_in.then(|| "it lets an account with roles in again".to_owned());
                if *disabled {
                    transaction.end_sessions_of(before.id).await?;
                    // A link that waits would be a way in once the account is let in again.
                    transaction.end_one_time_secrets(&join_purpose(&before.login)).await?;
                }
                Ok(of_account(&before.login, vec![line], json!({ "user": user }), loosens))
            }
            Change::CreateToken { user, name, scopes, crates, expires_in } => {
                self.create_token(transaction, actor, user, (name, scopes, crates), *expires_in).await
            }
            Change::RevokeAll { login } => {
                let user = self.account(login).await?;
                let open = self.store.tokens(user.id).await?;
                let open = open.iter().filter(|it| it.revoked_at.is_none());
                let mut lines = Vec::new();
                for token in open {
                    transaction.revoke_token(token.id).await?;
                    lines.push(line(format!("token `{}`", token.name), "valid", "revoked"));
                }
                transaction.end_sessions_of(user.id).await?;
                transaction.end_one_time_secrets(&join_purpose(&user.login)).await?;
                lines.push(line(format!("sessions of {}", user.login), "as they are", "ended"));
                Ok(of_account(&user.login, lines, json!({ "user": user.login }), None))
            }
            Change::Lock { .. } | Change::KeepName { .. } | Change::FreeName { .. } => {
                self.restrain(transaction, change, why).await
            }
            Change::Waive { registry, krate, version, clause, rule, days } => {
                let (clause, rule) = (clause.as_deref(), rule.as_deref());
                let asked = Asked { registry, krate, version: version.as_deref(), clause, rule, days: *days };
                self.waive(transaction, &asked, why).await
            }
            Change::EndWaiver { waiver } => self.end_waiver(transaction, WaiverId(*waiver)).await,
            Change::SetPolicy { text } => self.set_policy(transaction, text, why).await,
            Change::Freeze { login, frozen } => self.freeze(transaction, login, *frozen, why).await,
            Change::NotifyOwners { target, template, text } => {
                self.notify_owners(transaction, target, *template, text).await
            }
            Change::RetryMail { mail } => self.retry_mail(transaction, *mail).await,
            Change::ResetPassword { login } => self.reset_password(transaction, login).await,
            Change::RevokeToken { token } => {
                let token = transaction.revoke_token(TokenId(*token)).await?;
                let user = self.store.user_by_id(token.user).await?;
                let lines =
                    vec![line(format!("token `{}` of {}", token.name, user.login), "valid", "revoked")];
                Ok(of_account(&user.login, lines, json!({ "token": token }), None))
            }
            Change::EndSession { session } => {
                let session = transaction.end_session(SessionId(*session)).await?;
                let user = self.store.user_by_id(session.user).await?;
                let lines = vec![line(format!("session {} of {}", session.id, user.login), "open", "ended")];
                Ok(of_account(&user.login, lines, json!({ "session": session.id }), None))
            }
            Change::RetryJob { job } => {
                transaction.retry_job(JobId(*job)).await?;
                let lines = vec![line(format!("job {job}"), "given up", "waits to be tried")];
                let answer = json!({ "job": job });
                Ok(Effect { object: job.to_string(), lines, answer, is_work: true, ..Effect::default() })
            }
            Change::CloseCase { case } => {
                let id = CaseId(*case);
                let before = self.store.case(id).await?;
                let (krate, version) = self.store.version_by_id(before.version).await?;
                transaction.close_case(id, None, why).await?;
                let object = format!("{}@{}", krate.name, version.version);
                let line = line(format!("case of {object}"), before.state.as_str(), "closed");
                Ok(Effect { object, lines: vec![line], answer: json!({ "case": case }), ..Effect::default() })
            }
            Change::TakeDown { target } => self.take_down(transaction, target, why).await,
            Change::Restore { target } => self.restore(transaction, target, why).await,
        }
    }

    /// Locks and names.
    async fn restrain(
        &self,
        transaction: &mut Transaction,
        change: &Change,
        why: &str,
    ) -> Result<Effect, Failure> {
        let of = |object: &str, lines: Vec<Line>, loosens: Option<&str>| Effect {
            object: object.to_owned(),
            lines,
            answer: json!({ "done": object }),
            loosens: loosens.map(str::to_owned),
            ..Effect::default()
        };
        match change {
            Change::Lock { krate, action, locked } => {
                let krate = self.crate_of(HOSTED, krate).await?;
                let locks = self.store.locks(krate.id).await?;
                let before = locks.iter().find(|it| it.action == *action);
                let before = before.map(|it| format!("locked (lock {}: {})", it.id, it.reason));
                transaction.set_lock(krate.id, *action, *locked, why).await?;
                let after = if *locked { "locked" } else { "open" };
                let before = before.unwrap_or_else(|| "open".to_owned());
                let lines = vec![line(format!("{} against {action}", krate.name), before, after)];
                Ok(of(&krate.name, lines, (!locked).then_some("it unlocks a crate")))
            }
            Change::KeepName { name, login } => {
                CrateName::parse(name).map_err(|error| Failure::Bad(error.to_string()))?;
                if let Some(login) = login {
                    self.account(login).await?;
                }
                transaction.keep_name(name, login.as_deref(), why).await?;
                let after = login.as_ref().map_or("prohibited".to_owned(), |it| format!("reserved for {it}"));
                Ok(of(name, vec![line(format!("name `{name}`"), "free", after)], None))
            }
            Change::FreeName { name } => {
                let kept = transaction.free_name(name).await?;
                let before = kept.login.map_or("prohibited".to_owned(), |it| format!("reserved for {it}"));
                let before = format!("{before} (since {}: {})", kept.at, kept.reason);
                let lines = vec![line(format!("name `{}`", kept.name), before, "free")];
                Ok(of(&kept.name, lines, Some("it lets everybody have a name")))
            }
            _ => Err(Failure::Internal("this act restrains nothing".to_owned())),
        }
    }

    pub(super) async fn crate_of(&self, registry: &str, name: &str) -> Result<CrateRecord, Failure> {
        let missing = || Failure::NotFound("there is no such crate".to_owned());
        let registry = self.registry(registry).ok_or_else(missing)?;
        self.store.krate(registry.id, name).await?.ok_or_else(missing)
    }

    /// A link that lets somebody choose a password, once.
    async fn join_link(&self, transaction: &mut Transaction, login: &str) -> Result<String, Failure> {
        // A link that somebody else got earlier is worth nothing any more.
        transaction.end_one_time_secrets(&join_purpose(login)).await?;
        let secret = transaction.create_one_time_secret(&join_purpose(login), JOINED_WITHIN).await?;
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("login", login).finish();
        Ok(format!("{}/console/join/{}?{query}", self.configuration.url(), secret.expose()))
    }

    async fn reset_password(&self, transaction: &mut Transaction, login: &str) -> Result<Effect, Failure> {
        let user = self.account(login).await?;
        let factor = self.store.second_factor(user.id).await?.is_some_and(|it| it.confirmed_at.is_some());
        transaction.set_password_hash(user.id, None).await?;
        transaction.set_second_factor(user.id, None).await?;
        // Whoever took the account over may have linked an identity of their own: it would let them in again.
        let identities = transaction.unlink_identities_of(user.id).await?;
        transaction.end_sessions_of(user.id).await?;
        let link = self.join_link(transaction, &user.login).await?;
        let mut lines = vec![
            line(format!("password of {}", user.login), "as it is", "none until a link is followed"),
            line(format!("sessions of {}", user.login), "as they are", "ended"),
        ];
        if factor {
            lines.push(line(
                format!("second factor of {}", user.login),
                "on",
                "off, and its recovery codes void",
            ));
        }
        if identities > 0 {
            lines.push(line(
                format!("identities of {}", user.login),
                format!("{identities} linked"),
                "none until one is linked again",
            ));
        }
        // Whoever has the link is the account: one person alone could take over any other.
        let loosens = Some("whoever gets the link can act as this account".to_owned());
        let effect = of_account(&user.login, lines, json!({ "user": user.login, "link": link }), loosens);
        Ok(Effect { keys_of: Some(user.id), ..effect })
    }

    async fn create_token(
        &self,
        transaction: &mut Transaction,
        actor: &str,
        login: &str,
        (name, scopes, crates): (&str, &[Scope], &[String]),
        expires_in: Option<i64>,
    ) -> Result<Effect, Failure> {
        if scopes.is_empty() {
            return Err(Failure::Bad("a token has one scope or more".to_owned()));
        }
        let user = self.account(login).await?;
        let new = NewToken {
            user: user.id,
            name: name.to_owned(),
            method: PublishMethod::Token,
            scopes: scopes.to_vec(),
            patterns: crates.to_vec(),
            expires_at: expires_in.map(|it| self.now().saturating_add(it)),
        };
        let (token, text) = transaction.create_token(&new).await?;
        let words: Vec<&str> = scopes.iter().map(|it| it.as_str()).collect();
        let patterns = if crates.is_empty() { "all crates".to_owned() } else { crates.join(", ") };
        let until =
            expires_in.map_or("never ends".to_owned(), |it| format!("ends after {} hours", it / 3_600));
        let shown = |text: &str| crate::refusal::harmless(text, 2_000);
        let lines = vec![
            line(format!("token `{}` of {}", shown(name), user.login), "none", words.join(", ")),
            line("what it is for", "nothing", shown(&patterns)),
            line("how long", "not at all", until),
        ];
        let is_for_another = user.login != actor;
        let loosens = is_for_another.then(|| "it is a token for somebody else".to_owned());
        let answer = json!({ "token": token, "secret": text.expose() });
        let keys_of = (is_for_another && scopes.contains(&Scope::Administer)).then_some(user.id);
        Ok(Effect { keys_of, ..of_account(&user.login, lines, answer, loosens) })
    }

    /// Withdraws a version, or puts it back.
    async fn set_yanked(
        &self,
        transaction: &mut Transaction,
        target: &Target,
        yanked: bool,
        (actor, why): (&str, &str),
    ) -> Result<Effect, Failure> {
        let (Subject::Version(id), object) = self.subject(target).await? else {
            return Err(Failure::Bad("one version is yanked at a time".to_owned()));
        };
        transaction.refuse_frozen(actor).await?;
        let record = transaction.version(id).await?;
        if record.is_taken_down() {
            return Err(Failure::Conflict(format!("`{object}` was taken down: there is nothing to yank")));
        }
        if record.is_yanked() == yanked {
            let word = if yanked { "yanked" } else { "available" };
            return Err(Failure::Conflict(format!("`{object}` is {word} already")));
        }
        if target.registry == HOSTED {
            let by = By { login: Some(actor), token: None };
            // What is kept available by an act of before would stay so.
            transaction.set_overlay(id, None, why).await?;
            transaction.set_yanked(id, yanked, by).await?;
        } else {
            let overlay = if yanked { YankOverlay::Yanked } else { YankOverlay::Available };
            transaction.set_overlay(id, Some(overlay), why).await?;
        }
        transaction.decided(if yanked { "yank" } else { "unyank" }, why, &[id]);
        self.of_versions(transaction, object, vec![id], json!({})).await
    }

    /// The effect of an act on versions, with the rest of the answer.
    async fn of_versions(
        &self,
        transaction: &Transaction,
        object: String,
        versions: Vec<VersionId>,
        mut answer: Value,
    ) -> Result<Effect, Failure> {
        let (lines, loosens) = self.lines_of(transaction, &versions).await?;
        let mut shown = Vec::new();
        for id in &versions {
            let version = transaction.version(*id).await?;
            let (krate, _) = self.store.version_by_id(*id).await?;
            shown.push(json!({
                "crate": krate.name, "version": version.version, "state": version.standing.state, "yanked": version.is_yanked(),
            }));
        }
        answer["versions"] = shown.into();
        Ok(Effect { object, lines, versions, answer, loosens, ..Effect::default() })
    }

    pub(super) async fn account(&self, login: &str) -> Result<User, Failure> {
        let found = self.store.user(login).await?;
        found.ok_or_else(|| Failure::NotFound("there is no such user".to_owned()))
    }

    async fn yanks(
        &self,
        registry: &str,
        by: Option<&str>,
        krate: Option<&str>,
    ) -> Result<(Yanks, String), Failure> {
        let missing = || Failure::NotFound("there is no such registry".to_owned());
        match (by, krate) {
            (Some(login), None) => {
                let registry = self.registry(registry).ok_or_else(missing)?;
                Ok((Yanks::By(registry.id, login.to_owned()), self.shown_publisher(registry.id, login)))
            }
            (None, Some(name)) => {
                let registry = self.registry(registry).ok_or_else(missing)?;
                let found = self.store.krate(registry.id, name).await?;
                let krate = found.ok_or_else(|| Failure::NotFound("there is no such crate".to_owned()))?;
                Ok((Yanks::Of(krate.id), krate.name))
            }
            _ => Err(Failure::Bad("a roll-back names `by` or `crate`".to_owned())),
        }
    }

    /// What a target means, and how it is shown.
    pub(crate) async fn subject(&self, target: &Target) -> Result<(Subject, String), Failure> {
        let registry = self
            .registry(&target.registry)
            .ok_or_else(|| Failure::NotFound("there is no such registry".to_owned()))?;
        match (&target.krate, &target.version, &target.publisher) {
            (None, None, Some(login)) => {
                Ok((Subject::Publisher(registry.id, login.clone()), self.shown_publisher(registry.id, login)))
            }
            (Some(name), None, None) => {
                let found = self.store.krate(registry.id, name).await?;
                let krate = found.ok_or_else(|| Failure::NotFound("there is no such crate".to_owned()))?;
                Ok((Subject::Crate(krate.id), krate.name))
            }
            (Some(name), Some(version), None) => {
                let number: Version =
                    version.parse().map_err(|_| Failure::Bad("invalid version".to_owned()))?;
                let found = self.store.version(registry.id, name, &number).await?;
                let (krate, record) =
                    found.ok_or_else(|| Failure::NotFound("there is no such version".to_owned()))?;
                Ok((Subject::Version(record.id), format!("{}@{}", krate.name, record.version)))
            }
            _ => Err(Failure::Bad(
                "a target is a `crate`, a `crate` and a `version`, or a `publisher`".to_owned(),
            )),
        }
    }

    /// What a decision is about, as it is shown.
    pub(crate) async fn shown(&self, subject: &Subject) -> Result<String, Failure> {
        Ok(match subject {
            Subject::Version(id) => {
                let (krate, version) = self.store.version_by_id(*id).await?;
                format!("{}@{}", krate.name, version.version)
            }
            Subject::Crate(id) => self.store.crate_by_id(*id).await?.name,
            Subject::Publisher(registry, login) => self.shown_publisher(*registry, login),
        })
    }

    /// An account of a registry, as it is shown: the same login elsewhere is somebody else.
    fn shown_publisher(&self, registry: RegistryId, login: &str) -> String {
        let registry = self.registry_by_id(registry).map_or("a registry that is gone", |it| it.name.as_str());
        format!("publisher {login} of {registry}")
    }
}

pub(super) fn line(what: impl Into<String>, before: impl Into<String>, after: impl Into<String>) -> Line {
    Line { what: what.into(), before: before.into(), after: after.into() }
}

fn listed(roles: &[Role]) -> String {
    if roles.is_empty() {
        return "no roles".to_owned();
    }
    roles.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
}

pub(super) fn of_account(login: &str, lines: Vec<Line>, answer: Value, loosens: Option<String>) -> Effect {
    Effect { object: login.to_owned(), lines, answer, loosens, ..Effect::default() }
}
