//! The acts, as data: how they are asked for over JSON, kept while they wait, and written into the audit log.

use cratekeeper_store::{DecisionAction, Enforcement, LockedAction, Role, Scope};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::configuration::HOSTED;
use crate::in_force::CHANGED;
use crate::letters::Template;

/// Who may hold, release and block.
pub(crate) const TRIAGE: [Role; 2] = [Role::Triager, Role::Admin];

/// Who may give roles and tokens, and take versions down.
const ADMINISTER: [Role; 1] = [Role::Admin];

/// What an act is about: a version, a crate, or a publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// Name of the registry: `hosted`, or that of an upstream.
    #[serde(default = "hosted")]
    pub(crate) registry: String,
    /// Name of the crate; not with `publisher`.
    #[serde(default, rename = "crate")]
    pub(crate) krate: Option<String>,
    /// The version; without it, all of the crate.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// Login: everything that they published.
    #[serde(default)]
    pub(crate) publisher: Option<String>,
}

pub(crate) fn hosted() -> String {
    HOSTED.to_owned()
}

/// An act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Change {
    /// Hold, release or block.
    Decide { target: Target, action: DecisionAction, enforcement: Enforcement },
    /// Undo a decision.
    Undo { decision: i64 },
    /// Take yanks back that were made from `from` until before `to`.
    RollBackYanks { registry: String, by: Option<String>, krate: Option<String>, from: i64, to: i64 },
    /// Say about yanks what an upstream says.
    PassOnYanks { registry: String, krate: String },
    /// Withdraw a version, or put it back: of the hosted registry as its owners do, of an upstream's by saying otherwise here.
    SetYanked { target: Target, yanked: bool },
    /// Make an account.
    CreateUser { login: String, name: Option<String>, roles: Vec<Role> },
    /// Give and take roles.
    SetRoles { login: String, roles: Vec<Role> },
    /// Lock an account out, or let it in again.
    SetDisabled { login: String, disabled: bool },
    /// Make a token for somebody else.
    CreateToken {
        user: String,
        name: String,
        scopes: Vec<Scope>,
        crates: Vec<String>,
        expires_in: Option<i64>,
    },
    /// End all tokens and sessions of an account.
    RevokeAll { login: String },
    /// Have somebody choose a new password: ends sessions and the second factor.
    ResetPassword { login: String },
    /// End one token.
    RevokeToken { token: i64 },
    /// End one session.
    EndSession { session: i64 },
    /// Try a job again that was given up.
    RetryJob { job: i64 },
    /// Close a case without a decision: there is nothing to do.
    CloseCase { case: i64 },
    /// Lock a crate against something that its owners do, or unlock it.
    Lock { krate: String, action: LockedAction, locked: bool },
    /// Keep a name from everybody, or for one account.
    KeepName { name: String, login: Option<String> },
    /// Let everybody have a name that was kept.
    FreeName { name: String },
    /// Have a clause of the policy, or a rule, not count for a crate, or one of its versions, for so many days.
    Waive {
        registry: String,
        krate: String,
        version: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clause: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rule: Option<String>,
        days: u32,
    },
    /// End a waiver.
    EndWaiver { waiver: i64 },
    /// Decide by another policy.
    SetPolicy { text: String },
    /// Take a version down, or all of a crate: nobody gets it, and its bytes go into the vault.
    TakeDown { target: Target },
    /// Bring back what was taken down; it is held then.
    Restore { target: Target },
    /// Accept nothing of an account, or accept it again.
    Freeze { login: String, frozen: bool },
    /// Tell the owners of a hosted crate something by mail.
    NotifyOwners {
        target: Target,
        template: Template,
        #[serde(default)]
        text: String,
    },
    /// Send a mail again that was given up.
    RetryMail { mail: i64 },
}

impl Change {
    /// What it is called in the audit log.
    pub(crate) fn action(&self) -> String {
        match self {
            Change::Decide { action, .. } => return format!("decision.{action}"),
            Change::Undo { .. } => "decision.undo",
            Change::RollBackYanks { .. } => "yanks.roll-back",
            Change::PassOnYanks { .. } => "yanks.pass-on",
            Change::SetYanked { yanked: true, .. } => "version.yank",
            Change::SetYanked { yanked: false, .. } => "version.unyank",
            Change::CreateUser { .. } => "user.create",
            Change::SetRoles { .. } => "user.roles",
            Change::SetDisabled { disabled: true, .. } => "user.disable",
            Change::SetDisabled { disabled: false, .. } => "user.enable",
            Change::CreateToken { .. } => "token.create",
            Change::RevokeAll { .. } => "user.revoke-all",
            Change::ResetPassword { .. } => "user.reset-password",
            Change::RevokeToken { .. } => "token.revoke",
            Change::EndSession { .. } => "session.end",
            Change::RetryJob { .. } => "job.retry",
            Change::CloseCase { .. } => "case.close",
            Change::Lock { locked: true, .. } => "crate.lock",
            Change::Lock { locked: false, .. } => "crate.unlock",
            Change::KeepName { .. } => "name.keep",
            Change::FreeName { .. } => "name.free",
            Change::Waive { .. } => "waiver.create",
            Change::EndWaiver { .. } => "waiver.end",
            Change::SetPolicy { .. } => CHANGED,
            Change::TakeDown { .. } => "version.take-down",
            Change::Restore { .. } => "version.restore",
            Change::Freeze { frozen: true, .. } => "user.freeze",
            Change::Freeze { frozen: false, .. } => "user.unfreeze",
            Change::NotifyOwners { .. } => "owners.notify",
            Change::RetryMail { .. } => "mail.retry",
        }
        .to_owned()
    }

    /// Who may do it, and agree to it.
    pub(crate) fn roles(&self) -> &'static [Role] {
        match self {
            Change::Decide { .. }
            | Change::Undo { .. }
            | Change::RollBackYanks { .. }
            | Change::PassOnYanks { .. }
            | Change::SetYanked { .. }
            | Change::RevokeAll { .. }
            | Change::RetryJob { .. }
            | Change::CloseCase { .. }
            | Change::Lock { .. }
            | Change::KeepName { .. }
            | Change::FreeName { .. }
            | Change::Waive { .. }
            | Change::EndWaiver { .. }
            | Change::Freeze { .. }
            | Change::NotifyOwners { .. }
            | Change::RetryMail { .. } => &TRIAGE,
            Change::SetPolicy { .. }
            | Change::CreateUser { .. }
            | Change::SetRoles { .. }
            | Change::SetDisabled { .. }
            | Change::ResetPassword { .. }
            | Change::RevokeToken { .. }
            | Change::EndSession { .. }
            | Change::TakeDown { .. }
            | Change::Restore { .. }
            | Change::CreateToken { .. } => &ADMINISTER,
        }
    }

    /// Whether it contains something at once, and a second person confirms it.
    pub(crate) fn contains(&self) -> bool {
        let keeps_back = |action: &DecisionAction| *action != DecisionAction::Release;
        matches!(self, Change::Decide { action, .. } if keeps_back(action))
            || matches!(self, Change::Freeze { frozen: true, .. })
    }

    /// Whether one person does it alone while the gate is set up.
    pub(crate) fn is_open_in_set_up(&self) -> bool {
        matches!(self, Change::CreateUser { .. } | Change::SetRoles { .. } | Change::CreateToken { .. })
    }

    /// Whether whoever does it in a browser has to prove again who they are.
    pub(crate) fn needs_fresh_proof(&self) -> bool {
        matches!(
            self,
            Change::CreateUser { .. }
                | Change::SetRoles { .. }
                | Change::SetDisabled { .. }
                | Change::CreateToken { .. }
                | Change::RevokeAll { .. }
                | Change::ResetPassword { .. }
                | Change::RevokeToken { .. }
                | Change::EndSession { .. }
                | Change::SetPolicy { .. }
                | Change::TakeDown { .. }
                | Change::Restore { .. }
        ) || matches!(
            self,
            Change::Freeze { frozen: false, .. }
                | Change::Undo { .. }
                | Change::Waive { .. }
                | Change::FreeName { .. }
                | Change::Lock { locked: false, .. }
                | Change::Decide { action: DecisionAction::Block | DecisionAction::Release, .. }
        )
    }
}
