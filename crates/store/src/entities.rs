//! The tables as types: one module per table, in the order in which they are made.
//!
//! They stay inside this crate; what others get are types with words for states. They follow
//! `migrations/tables.sql`, column by column; the tests of every operation show where they do not.

use std::fmt;

use sea_orm::DeriveValueType;

/// A value that must not be shown, not even in the debug form of a row.
#[derive(Clone, PartialEq, Eq, DeriveValueType)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// A table: its name, and its columns.
macro_rules! table {
    ($module:ident, $table:literal { $($(#[$attribute:meta])* $column:ident: $type:ty,)* }) => {
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;
            #[allow(unused_imports, reason = "few tables have such a column")]
            use super::Hidden;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub(crate) struct Model {
                $($(#[$attribute])* pub(crate) $column: $type,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub(crate) enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

table!(migrations, "migrations" {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
});

table!(registries, "registries" {
    #[sea_orm(primary_key)]
    id: i64,
    name: String,
    kind: String,
    url: Option<String>,
    created_at: i64,
});

table!(users, "users" {
    #[sea_orm(primary_key)]
    id: i64,
    login: String,
    folded: String,
    name: Option<String>,
    email: Option<String>,
    password_hash: Option<Hidden>,
    roles: String,
    created_at: i64,
    created_by: Option<String>,
    disabled_at: Option<i64>,
    roles_since: Option<i64>,
    is_founder: bool,
    email_confirmed_at: Option<i64>,
    email_wanted: Option<String>,
    keys_given_to: Option<String>,
});

table!(tokens, "tokens" {
    #[sea_orm(primary_key)]
    id: i64,
    user_id: i64,
    name: String,
    hash: Hidden,
    method: String,
    scopes: String,
    patterns: String,
    created_at: i64,
    created_by: String,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
});

table!(one_time_secrets, "one_time_secrets" {
    #[sea_orm(primary_key)]
    id: i64,
    purpose: String,
    hash: Hidden,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
});

table!(crates, "crates" {
    #[sea_orm(primary_key)]
    id: i64,
    registry_id: i64,
    name: String,
    canonical: String,
    first_seen: i64,
    newest_id: Option<i64>,
});

table!(versions, "versions" {
    #[sea_orm(primary_key)]
    id: i64,
    crate_id: i64,
    number: String,
    identity: String,
    checksum: String,
    size: Option<i64>,
    index_line: String,
    first_seen: i64,
    published_at: Option<i64>,
    yanked: bool,
    overlay: Option<String>,
    overlay_reason: Option<String>,
    overlay_by: Option<String>,
    overlay_at: Option<i64>,
    state: String,
    enforcement: String,
    listed_while_pending: bool,
    reason: String,
    clause: Option<String>,
    level: Option<String>,
    score: Option<i32>,
    verdict: Option<String>,
    inspected_at: Option<i64>,
    standing: String,
    standing_reason: String,
    listed: bool,
    decision_id: Option<i64>,
    rank: i32,
    description: Option<String>,
    taken_down_reason: Option<String>,
});

table!(provenance, "provenance" {
    #[sea_orm(primary_key, auto_increment = false)]
    version_id: i64,
    publisher: Option<String>,
    publisher_folded: Option<String>,
    user_id: Option<i64>,
    token_id: Option<i64>,
    token_name: Option<String>,
    method: Option<String>,
    client: Option<String>,
    address: Option<String>,
    owners: Option<String>,
    verdict: Option<String>,
    score: Option<i32>,
    published_at: Option<i64>,
    claimed_json: Option<String>,
});

table!(inspections, "inspections" {
    #[sea_orm(primary_key)]
    id: i64,
    version_id: i64,
    at: i64,
    state: String,
    enforcement: String,
    reason: String,
    clause: Option<String>,
    level: Option<String>,
    score: Option<i32>,
    verdict: Option<String>,
    case_json: Option<String>,
    answer_json: Option<String>,
    analyzer: String,
    circumstances_json: Option<String>,
});

table!(decisions, "decisions" {
    #[sea_orm(primary_key)]
    id: i64,
    scope: String,
    registry_id: i64,
    crate_id: Option<i64>,
    version_id: Option<i64>,
    publisher: Option<String>,
    publisher_folded: Option<String>,
    action: String,
    enforcement: String,
    reason: String,
    actor: String,
    at: i64,
    undone_by: Option<String>,
    undone_at: Option<i64>,
    undo_reason: Option<String>,
    newest_version: Option<i64>,
    confirmed_by: Option<String>,
    confirmed_at: Option<i64>,
});

table!(owners, "owners" {
    #[sea_orm(primary_key, auto_increment = false)]
    crate_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    folded: String,
    login: String,
    added_at: i64,
    added_by: Option<String>,
});

table!(invitations, "invitations" {
    #[sea_orm(primary_key)]
    id: i64,
    crate_id: i64,
    folded: String,
    login: String,
    invited_by: String,
    at: i64,
    expires_at: i64,
    state: String,
    answered_at: Option<i64>,
});

table!(events, "events" {
    #[sea_orm(primary_key)]
    id: i64,
    crate_id: i64,
    version_id: Option<i64>,
    kind: String,
    actor: Option<String>,
    actor_folded: Option<String>,
    token_id: Option<i64>,
    subject: Option<String>,
    at: i64,
});

table!(fetches, "fetches" {
    #[sea_orm(primary_key)]
    id: i64,
    version_id: i64,
    token_id: Option<i64>,
    login: Option<String>,
    address: Option<String>,
    client: Option<String>,
    at: i64,
});

table!(jobs, "jobs" {
    #[sea_orm(primary_key)]
    id: i64,
    kind: String,
    payload: String,
    once: Option<String>,
    attempts: i32,
    attempts_allowed: i32,
    run_after: i64,
    lease_owner: Option<String>,
    last_error: Option<String>,
    dead_at: Option<i64>,
    created_at: i64,
});

table!(audit_log, "audit_log" {
    #[sea_orm(primary_key, auto_increment = false)]
    sequence: i64,
    at: i64,
    actor: String,
    action: String,
    object: String,
    detail: String,
    previous: String,
    hash: String,
});

table!(checkpoints, "checkpoints" {
    #[sea_orm(primary_key)]
    id: i64,
    sequence: i64,
    hash: String,
    at: i64,
    signer: String,
    signature: String,
});

table!(webhooks, "webhooks" {
    #[sea_orm(primary_key)]
    id: i64,
    url: String,
    secret: Hidden,
    events: String,
    created_at: i64,
    created_by: String,
    disabled_at: Option<i64>,
});

table!(deliveries, "deliveries" {
    #[sea_orm(primary_key)]
    id: i64,
    webhook_id: i64,
    event: String,
    body: String,
    state: String,
    attempts: i32,
    created_at: i64,
    finished_at: Option<i64>,
});

table!(delivery_attempts, "delivery_attempts" {
    #[sea_orm(primary_key)]
    id: i64,
    delivery_id: i64,
    at: i64,
    status: Option<i32>,
    answer: String,
});

table!(changes, "changes" {
    #[sea_orm(primary_key, auto_increment = false)]
    sequence: i64,
    crate_id: i64,
    at: i64,
});

table!(cases, "cases" {
    #[sea_orm(primary_key)]
    id: i64,
    version_id: i64,
    opened_at: i64,
    opened_by: String,
    state: String,
    rank: i32,
    publisher: Option<String>,
    publisher_folded: Option<String>,
    assignee: Option<String>,
    assigned_at: Option<i64>,
    outcome: Option<String>,
    closed_at: Option<i64>,
    closed_by: Option<String>,
    closing_reason: Option<String>,
});

table!(comments, "comments" {
    #[sea_orm(primary_key)]
    id: i64,
    case_id: i64,
    author: String,
    text: String,
    at: i64,
});

table!(policies, "policies" {
    #[sea_orm(primary_key, auto_increment = false)]
    digest: String,
    text: String,
    first_seen: i64,
});

table!(requests, "requests" {
    #[sea_orm(primary_key)]
    id: i64,
    action: String,
    object: String,
    change_json: String,
    preview_json: String,
    digest: String,
    reason: String,
    requester: String,
    requester_folded: String,
    at: i64,
    expires_at: i64,
    state: String,
    answered_by: Option<String>,
    answered_at: Option<i64>,
    answer_reason: Option<String>,
});

table!(sessions, "sessions" {
    #[sea_orm(primary_key)]
    id: i64,
    user_id: i64,
    hash: Hidden,
    method: String,
    address: Option<String>,
    client: Option<String>,
    created_at: i64,
    last_used_at: i64,
    proved_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
});

table!(second_factors, "second_factors" {
    #[sea_orm(primary_key, auto_increment = false)]
    user_id: i64,
    sealed: Hidden,
    created_at: i64,
    confirmed_at: Option<i64>,
    last_step: i64,
    wrong_codes: i64,
    wrong_code_at: Option<i64>,
});

table!(identities, "identities" {
    #[sea_orm(primary_key)]
    id: i64,
    user_id: i64,
    issuer: String,
    subject: String,
    created_at: i64,
    last_used_at: Option<i64>,
});

table!(used_returns, "used_returns" {
    #[sea_orm(primary_key, auto_increment = false)]
    hash: String,
    expires_at: i64,
});

table!(recovery_codes, "recovery_codes" {
    #[sea_orm(primary_key)]
    id: i64,
    user_id: i64,
    hash: Hidden,
    created_at: i64,
    used_at: Option<i64>,
});

table!(waivers, "waivers" {
    #[sea_orm(primary_key)]
    id: i64,
    crate_id: i64,
    version_id: Option<i64>,
    kind: String,
    #[sea_orm(column_name = "clause")]
    what: String,
    reason: String,
    owner: String,
    at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    ended_by: Option<String>,
});

table!(locks, "locks" {
    #[sea_orm(primary_key)]
    id: i64,
    crate_id: i64,
    action: String,
    reason: String,
    actor: String,
    at: i64,
    ended_at: Option<i64>,
    ended_by: Option<String>,
});

table!(kept_names, "kept_names" {
    #[sea_orm(primary_key, auto_increment = false)]
    canonical: String,
    name: String,
    login: Option<String>,
    login_folded: Option<String>,
    reason: String,
    actor: String,
    at: i64,
});

table!(advisory_drafts, "advisory_drafts" {
    #[sea_orm(primary_key, auto_increment = false)]
    case_id: i64,
    text: String,
    author: String,
    at: i64,
});

table!(reports, "reports" {
    #[sea_orm(primary_key)]
    id: i64,
    crate_id: i64,
    version_id: Option<i64>,
    kind: String,
    text: String,
    reporter: Option<String>,
    reporter_folded: Option<String>,
    contact: Option<String>,
    address: Option<String>,
    at: i64,
    state: String,
});

table!(dependencies, "dependencies" {
    #[sea_orm(primary_key, auto_increment = false)]
    crate_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    canonical: String,
    #[sea_orm(primary_key, auto_increment = false)]
    kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    requirement: String,
    #[sea_orm(primary_key, auto_increment = false)]
    elsewhere: bool,
    number: String,
});

table!(case_rules, "case_rules" {
    #[sea_orm(primary_key, auto_increment = false)]
    case_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    rule: String,
});

table!(tombstones, "tombstones" {
    #[sea_orm(primary_key)]
    id: i64,
    version_id: i64,
    checksum: String,
    state: String,
    reason: String,
    actor: String,
    at: i64,
    decision_id: i64,
    trouble: Option<String>,
    restore_reason: Option<String>,
    restored_by: Option<String>,
    restore_asked_at: Option<i64>,
    ended_at: Option<i64>,
});

table!(freezes, "freezes" {
    #[sea_orm(primary_key)]
    id: i64,
    user_id: i64,
    login: String,
    reason: String,
    actor: String,
    at: i64,
    confirmed_by: Option<String>,
    confirmed_at: Option<i64>,
    ended_at: Option<i64>,
    ended_by: Option<String>,
});

table!(mails, "mails" {
    #[sea_orm(primary_key)]
    id: i64,
    user_id: i64,
    address: String,
    address_folded: String,
    kind: String,
    subject: String,
    body: String,
    sealed: bool,
    state: String,
    attempts: i32,
    answer: Option<String>,
    actor: String,
    created_at: i64,
    finished_at: Option<i64>,
});
