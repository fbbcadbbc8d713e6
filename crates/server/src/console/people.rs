//! People: accounts, their roles, tokens and sessions, and what is done about them.
//!
//! The forms here change nothing: each leads to the page before an act, which shows exactly what it does. They are forms all the same, because what
//! is typed into them becomes an act, and an act is no form.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use cratekeeper_store::{
    AuditEntry, AuditFilter, Identity, PeopleFilter, Person, Role, Scope, SecondFactor, Session, Token, User,
};
use serde::Deserialize;

use super::act::{link, notice};
use super::layout::{Frame, filters, moment, page, page_of, plain};
use super::unread::Unread;
use super::visitor::{Problem, Sent, Visitor};
use crate::acts::Change;
use crate::error::Failure;
use crate::gate::Gate;

/// Who sees accounts.
const SEES: [Role; 2] = [Role::Admin, Role::Auditor];

/// Rows of a page.
const ROWS: u64 = 50;

/// Sessions, and entries of the audit log, that are shown of one account.
const SHOWN: u64 = 20;

/// Days until a token is worth nothing, at most: a year.
const TOKEN_DAYS: i64 = 366;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Where the list is.
const LIST: &str = "/console/people";

#[derive(Template)]
#[template(path = "console/people.html")]
struct PeoplePage {
    frame: Frame,
    people: Vec<Row>,
    asked: Asked,
    unread: Unread,
    next: Option<String>,
    is_admin: bool,
}

/// An account in the list.
struct Row {
    path: String,
    roles: String,
    person: Person,
}

/// Which accounts are asked for. Empty texts mean the same as none: a form sends them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    login: String,
    role: String,
    disabled: String,
    /// The login that the page before ended with.
    after: String,
    done: Option<String>,
}

impl Asked {
    fn filter(&self) -> (PeopleFilter, Unread) {
        let mut unread = Unread::default();
        let yes = |text: &str| (text == "yes").then_some(());
        let filter = PeopleFilter {
            login: Some(self.login.trim().to_owned()).filter(|it| !it.is_empty()),
            role: unread.read(
                "role",
                &self.role,
                Role::from_word,
                "roles are viewer, triager, admin and auditor",
            ),
            disabled_only: unread.read("disabled", &self.disabled, yes, "it is yes or nothing").is_some(),
        };
        (filter, unread)
    }

    /// The address of the page that begins behind a login.
    fn behind(&self, login: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("login", &self.login), ("role", &self.role), ("disabled", &self.disabled)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        query.append_pair("after", login);
        format!("{LIST}?{}", query.finish())
    }
}

/// Where the page about an account is.
pub(super) fn person_path(login: &str) -> String {
    let escaped: String = url::form_urlencoded::byte_serialize(login.as_bytes()).collect();
    format!("{LIST}/{escaped}")
}

fn listed(roles: &[Role]) -> String {
    if roles.is_empty() {
        return "none".to_owned();
    }
    roles.iter().map(|it| it.as_str()).collect::<Vec<_>>().join(", ")
}

/// All accounts.
pub(super) async fn list(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    visitor.with_role(&SEES)?;
    let after = Some(asked.after.as_str()).filter(|it| !it.is_empty());
    let (filter, unread) = asked.filter();
    let people = match unread.is_empty() {
        true => gate.store.people(&filter, after, ROWS).await?,
        false => Vec::new(),
    };
    let next =
        (people.len() as u64 == ROWS).then(|| people.last().map(|it| asked.behind(&it.user.login))).flatten();
    let mut frame = gate.frame(&visitor, LIST, "People").await?;
    frame.notice = notice(asked.done.as_deref());
    let row = |person: Person| Row {
        path: person_path(&person.user.login),
        roles: listed(&person.user.roles),
        person,
    };
    let page_data = PeoplePage {
        people: people.into_iter().map(row).collect(),
        is_admin: visitor.has(&[Role::Admin]),
        asked,
        unread,
        next,
        frame,
    };
    page_of(&page_data.frame, &page_data, &page_data.unread)
}

#[derive(Template)]
#[template(path = "console/person.html")]
struct PersonPage {
    frame: Frame,
    user: User,
    roles: String,
    /// Each role, and whether the account has it.
    choices: Vec<(&'static str, bool)>,
    scopes: &'static [Scope],
    has_factor: bool,
    /// Wrong codes in a row, where they have become many, and until when none is looked at.
    wrong_codes: Option<(i64, String)>,
    codes_left: u64,
    sessions: Vec<(Session, String)>,
    tokens: Vec<(Token, String)>,
    identities: Vec<Identity>,
    has_password: bool,
    entries: Vec<AuditEntry>,
    /// What can be done: name, address, and whether it is grave.
    offers: Vec<(&'static str, String, bool)>,
    is_admin: bool,
    path: String,
}

#[derive(Deserialize)]
pub(super) struct Told {
    #[serde(default)]
    done: Option<String>,
}

/// One account.
pub(super) async fn person(
    State(gate): State<Arc<Gate>>,
    visitor: Visitor,
    Path(login): Path<String>,
    Query(told): Query<Told>,
) -> Result<Response, Problem> {
    visitor.with_role(&SEES)?;
    let user = gate.store.user(&login).await?;
    let user = user.ok_or_else(|| Failure::NotFound("there is no such account".to_owned()))?;
    let path = person_path(&user.login);
    let at = gate.now();
    let sessions = gate.store.sessions_of(user.id, SHOWN).await?.into_iter().filter(|it| it.is_open(at));
    let end = |it: &Session| link(&Change::EndSession { session: it.id.0 }, &path);
    let tokens = gate.store.tokens(user.id).await?.into_iter().filter(|it| it.revoked_at.is_none());
    let revoke = |it: &Token| link(&Change::RevokeToken { token: it.id.0 }, &path);
    let by = AuditFilter { actor: Some(user.login.clone()), ..AuditFilter::default() };
    let factor = gate.store.second_factor(user.id).await?;
    let mut frame = gate.frame(&visitor, LIST, user.login.clone()).await?;
    frame.notice = notice(told.done.as_deref());
    let page_data = PersonPage {
        roles: listed(&user.roles),
        choices: Role::ALL.iter().map(|it| (it.as_str(), user.roles.contains(it))).collect(),
        scopes: Scope::ALL,
        wrong_codes: factor.as_ref().and_then(waits),
        has_factor: factor.is_some_and(|it| it.confirmed_at.is_some()),
        codes_left: gate.store.recovery_codes_left(user.id).await?,
        sessions: sessions.map(|it| (end(&it), it)).map(|(end, it)| (it, end)).collect(),
        tokens: tokens.map(|it| (revoke(&it), it)).map(|(revoke, it)| (it, revoke)).collect(),
        identities: gate.store.identities_of(user.id).await?,
        has_password: gate.store.password_hash(&user.login).await?.is_some(),
        entries: gate.store.audit_entries(&by, None, SHOWN).await?,
        offers: offers(&user, &path),
        is_admin: visitor.has(&[Role::Admin]),
        path,
        user,
        frame,
    };
    page(&page_data.frame, &page_data)
}

/// How many codes were wrong in a row, and until when none is looked at.
fn waits(factor: &SecondFactor) -> Option<(i64, String)> {
    let until = match factor.waits_until()? {
        i64::MAX => "a recovery code is right or the factor is a new one".to_owned(),
        at => moment(at),
    };
    Some((factor.wrong_codes, until))
}

fn offers(user: &User, path: &str) -> Vec<(&'static str, String, bool)> {
    let login = || user.login.clone();
    let is_disabled = user.disabled_at.is_some();
    let lock = Change::SetDisabled { login: login(), disabled: !is_disabled };
    vec![
        (if is_disabled { "Let in again" } else { "Lock out" }, link(&lock, path), !is_disabled),
        ("Revoke tokens and sessions", link(&Change::RevokeAll { login: login() }, path), true),
        ("New password", link(&Change::ResetPassword { login: login() }, path), true),
    ]
}

/// Roles as a form has them: one field for each.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Roles {
    viewer: Option<String>,
    triager: Option<String>,
    admin: Option<String>,
    auditor: Option<String>,
}

impl Roles {
    fn chosen(&self) -> Vec<Role> {
        let fields = [
            (Role::Viewer, &self.viewer),
            (Role::Triager, &self.triager),
            (Role::Admin, &self.admin),
            (Role::Auditor, &self.auditor),
        ];
        fields.into_iter().filter(|(_, field)| field.is_some()).map(|(role, _)| role).collect()
    }
}

#[derive(Deserialize)]
pub(super) struct NewPerson {
    login: String,
    #[serde(default)]
    name: String,
    #[serde(flatten)]
    roles: Roles,
}

/// Leads to the act that makes an account.
pub(super) async fn create(sent: Sent<NewPerson>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&[Role::Admin])?;
    let name = Some(plain(form.name.trim())).filter(|it| !it.is_empty());
    let login = form.login.trim().to_owned();
    lead(&Change::CreateUser { login, name, roles: form.roles.chosen() }, LIST)
}

/// Leads to the act that gives and takes roles.
pub(super) async fn set_roles(Path(login): Path<String>, sent: Sent<Roles>) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&[Role::Admin])?;
    let path = person_path(&login);
    lead(&Change::SetRoles { login, roles: form.chosen() }, &path)
}

/// A token as a form has it: one field for each scope.
#[derive(Debug, Deserialize)]
pub(super) struct TokenForm {
    name: String,
    #[serde(default)]
    crates: String,
    days: i64,
    #[serde(default, rename = "publish-new")]
    publish_new: Option<String>,
    #[serde(default, rename = "publish-update")]
    publish_update: Option<String>,
    #[serde(default)]
    yank: Option<String>,
    #[serde(default, rename = "change-owners")]
    change_owners: Option<String>,
    #[serde(default)]
    read: Option<String>,
    #[serde(default)]
    administer: Option<String>,
}

impl TokenForm {
    fn scopes(&self) -> Vec<Scope> {
        let fields = [
            (Scope::PublishNew, &self.publish_new),
            (Scope::PublishUpdate, &self.publish_update),
            (Scope::Yank, &self.yank),
            (Scope::ChangeOwners, &self.change_owners),
            (Scope::Read, &self.read),
            (Scope::Administer, &self.administer),
        ];
        fields.into_iter().filter(|(_, field)| field.is_some()).map(|(scope, _)| scope).collect()
    }

    fn change(&self, user: String) -> Result<Change, Failure> {
        if self.name.trim().is_empty() || !(1..=TOKEN_DAYS).contains(&self.days) {
            let reason = format!("a token has a name, and is valid for 1 to {TOKEN_DAYS} days");
            return Err(Failure::Bad(reason));
        }
        let crates = self.crates.split([',', ' ']).filter(|it| !it.is_empty()).map(str::to_owned);
        Ok(Change::CreateToken {
            user,
            name: plain(self.name.trim()),
            scopes: self.scopes(),
            crates: crates.collect(),
            expires_in: Some(self.days * DAY),
        })
    }
}

/// Leads to the act that makes a token for an account.
pub(super) async fn create_token(
    Path(login): Path<String>,
    sent: Sent<TokenForm>,
) -> Result<Response, Problem> {
    let Sent { visitor, form } = sent;
    visitor.with_role(&[Role::Admin])?;
    let path = person_path(&login);
    lead(&form.change(login)?, &path)
}

fn lead(change: &Change, back: &str) -> Result<Response, Problem> {
    Ok(Redirect::to(&link(change, back)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_wait_for_their_codes_is_shown() {
        let factor = |wrong_codes| SecondFactor {
            sealed: String::new(),
            confirmed_at: Some(0),
            last_step: 0,
            wrong_codes,
            wrong_code_at: Some(1_790_000_000),
        };
        assert_eq!(waits(&factor(4)), None);
        assert_eq!(waits(&factor(12)), Some((12, "2026-09-21 15:13".to_owned())));
        assert!(waits(&factor(cratekeeper_store::WRONG_CODES)).unwrap().1.contains("recovery code"));
    }

    #[test]
    fn a_page_ends_where_the_next_begins() {
        let asked = Asked { login: "a".to_owned(), role: "admin".to_owned(), ..Asked::default() };
        assert_eq!(asked.behind("a&b"), "/console/people?login=a&role=admin&after=a%26b");
        assert_eq!(asked.filter().0.role, Some(Role::Admin));
        assert!(Asked::default().filter().0.login.is_none());
    }

    #[test]
    fn any_login_has_a_page() {
        assert_eq!(person_path("a?b#c%d"), "/console/people/a%3Fb%23c%25d");
    }

    #[test]
    fn boxes_that_are_ticked_are_roles_and_scopes() {
        let form = Roles { admin: Some("yes".to_owned()), viewer: Some(String::new()), ..Roles::default() };
        assert_eq!(form.chosen(), [Role::Viewer, Role::Admin]);
        let text = "name=ci&days=30&crates=a,+b*&yank=yes&read=yes";
        let fields: serde_json::Map<String, serde_json::Value> = url::form_urlencoded::parse(text.as_bytes())
            .map(|(name, value)| {
                let number = value.parse::<i64>().map(Into::into);
                (name.into_owned(), number.unwrap_or_else(|_| value.into_owned().into()))
            })
            .collect();
        let form: TokenForm = serde_json::from_value(fields.into()).unwrap();
        let Change::CreateToken { scopes, crates, expires_in, .. } = form.change("x".to_owned()).unwrap()
        else {
            panic!("another act");
        };
        assert_eq!((scopes, crates), (vec![Scope::Yank, Scope::Read], vec!["a".to_owned(), "b*".to_owned()]));
        assert_eq!(expires_in, Some(30 * DAY));
        assert!(TokenForm { days: 0, ..form }.change("x".to_owned()).is_err());
    }
}
