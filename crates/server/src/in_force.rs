//! Which policy is in force, and how it becomes another one.
//!
//! The audit log says it: the newest entry about the policy names the one that decides, for every replica. A policy comes from a file, written by whoever
//! controls the machine, or from people at the console, the API and the command line, who need a second person when it weakens. The last
//! word counts: a file that says what it said when people set another policy does not take it back, neither at a start nor at a
//! reload; one that says something new does.

use std::sync::Arc;
use std::time::Duration;

use cratekeeper_model::{Checksum, ClauseMode};
use cratekeeper_policy::{Moded, Policy, PolicyChange, PolicyProblem};
use cratekeeper_store::{Act, AuditFilter, Store, StoreError, Transaction};
use serde_json::{Value, json};

use crate::acts::{Change, Effect, Line};
use crate::error::{Failure, with_sources};
use crate::gate::Gate;

/// What entries about policies are called and about.
pub(crate) const CHANGED: &str = "policy.change";
pub(crate) const POLICY: &str = "policy";

/// How often another replica's change is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Largest policy that people set by an act, in bytes: it is kept with the request that waits, and shown on a page. Files may be larger.
pub(crate) const LARGEST: usize = 256 << 10;

/// Weakenings that are named where one sentence says why a second person has to agree.
const NAMED: usize = 3;

/// What the log said last about the policy.
struct Last {
    now: Checksum,
    /// What the file said then.
    file: Checksum,
}

impl Last {
    /// Whether people set it, and no file.
    fn is_of_people(&self) -> bool {
        self.now != self.file
    }
}

/// The policy that is in force is not known.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The database refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// People set it, and this program cannot read it. Nothing milder takes its place by itself.
    #[error("the policy `{digest}`, which people set and which is in force, cannot be used: {reason}")]
    Unreadable {
        /// SHA-256 of its text.
        digest: Checksum,
        /// Why.
        reason: String,
    },
}

async fn last(store: &Store) -> Result<Option<Last>, StoreError> {
    let filter = AuditFilter {
        object: Some(POLICY.to_owned()),
        action: Some(CHANGED.to_owned()),
        ..AuditFilter::default()
    };
    let entries = store.audit_entries(&filter, None, 1).await?;
    let Some(entry) = entries.first() else { return Ok(None) };
    let digest = |name: &str| entry.detail.get(name).and_then(Value::as_str)?.parse::<Checksum>().ok();
    // Entries of before people could set a policy are about files alone.
    Ok(digest("now").map(|now| Last { now, file: digest("file").unwrap_or(now) }))
}

/// The policy that decides when the file says `file`, and what is to be written into the log if it is another than the log says.
///
/// # Errors
///
/// When the database refuses, or what people set cannot be read.
pub(crate) async fn policy_in_force(
    store: &Store,
    file: Policy,
    (by, reason, at): (&str, Option<&str>, i64),
) -> Result<(Policy, Option<Act>), PolicyError> {
    let digest = file.digest();
    // First: what the log names can be read then.
    store.keep_policy(digest, file.text(), at).await?;
    let last = last(store).await?;
    if let Some(last) = &last {
        if last.now == digest {
            return Ok((file, None));
        }
        // The built-in policy is no file: a file that is not there today, or another release of this program, says nothing new.
        let says_nothing_new = last.file == digest || digest == Policy::built_in().digest();
        if last.is_of_people() && says_nothing_new {
            let policy = kept(store, last.now).await?;
            let unreadable = |reason| PolicyError::Unreadable { digest: last.now, reason };
            return Ok((policy.map_err(unreadable)?, None));
        }
    }
    let detail = json!({
        "before": last.map(|it| it.now), "now": digest, "file": digest, "clauses": file.clauses().len(),
        "waivers": file.waivers().len(), "reason": reason,
    });
    let act = Act::new(by, CHANGED, POLICY, at).with_detail(detail);
    Ok((file, Some(act)))
}

/// A policy whose text was kept, or why it cannot be read.
async fn kept(store: &Store, digest: Checksum) -> Result<Result<Policy, String>, StoreError> {
    let Some(text) = store.policy_text(digest).await? else {
        return Ok(Err(format!("the text of {digest} was not kept")));
    };
    Ok(Policy::parse(&text).map_err(|problems| problems.to_string()))
}

impl Gate {
    /// Takes the policy into use that the log says is in force, if it is another.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub(crate) async fn catch_up_with_policy(&self) -> Result<(), StoreError> {
        let Some(last) = last(&self.store).await? else { return Ok(()) };
        if last.now == self.engine.policy().digest() {
            return Ok(());
        }
        match kept(&self.store, last.now).await? {
            Ok(policy) => {
                tracing::info!(policy = %last.now, "another policy is in force");
                self.engine.replace_policy(policy);
            }
            // What another release wrote decides nothing here; the one that did goes on. It is told once.
            Err(why) => {
                if self.live.is_news(last.now) {
                    tracing::error!("the policy `{}`, which is in force, cannot be used: {why}", last.now);
                }
            }
        }
        Ok(())
    }

    /// Follows what other replicas and people do to the policy, until the gate ends.
    pub(crate) async fn follow_policy(self: Arc<Gate>) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let _turn = self.live.turn().await;
            if let Err(error) = self.catch_up_with_policy().await {
                tracing::warn!("failed to look for another policy: {}", with_sources(&error));
            }
        }
    }

    /// Sets a policy, as an act.
    pub(crate) async fn set_policy(
        &self,
        transaction: &mut Transaction,
        text: &str,
        why: &str,
    ) -> Result<Effect, Failure> {
        if text.len() > LARGEST {
            return Err(Failure::Bad(format!("a policy that is set here has {} KiB at most", LARGEST >> 10)));
        }
        let policy = Policy::parse(text).map_err(|problems| Failure::Bad(told(&problems.0)))?;
        // Acts wait for each other: nobody sets another policy between this look and the end.
        self.catch_up_with_policy().await?;
        let before = self.engine.policy();
        let (was, digest) = (before.digest(), policy.digest());
        let last = last(&self.store).await?;
        if last.as_ref().is_some_and(|it| it.now != was) {
            // What it does otherwise cannot be told here, so neither can whether it is weaker.
            let reason = "this process cannot read the policy that is in force: ask one that can";
            return Err(Failure::Conflict(reason.to_owned()));
        }
        if was == digest {
            return Err(Failure::Conflict("this policy is in force already".to_owned()));
        }
        let mut changes = policy.changes_from(&before);
        // What somebody has to agree to comes first: of many lines not all are shown.
        changes.sort_by_key(|it| !it.weakens);
        let weaker: Vec<&str> = changes.iter().filter(|it| it.weakens).map(|it| it.what.as_str()).collect();
        let loosens = (!weaker.is_empty()).then(|| weakening(&weaker));
        let mut lines =
            vec![Line { what: "policy".to_owned(), before: was.to_string(), after: digest.to_string() }];
        lines.extend(changes.iter().map(shown));
        transaction.keep_policy(digest, text).await?;
        let file = last.map_or(was, |it| it.file);
        let log = json!({
            "before": was, "now": digest, "file": file, "clauses": policy.clauses().len(),
            "waivers": policy.waivers().len(), "reason": why,
        });
        Ok(Effect {
            object: POLICY.to_owned(),
            lines,
            answer: json!({ "policy": digest, "before": was }),
            loosens,
            log: Some(log),
            ..Effect::default()
        })
    }

    /// The act that gives a clause or a rule another mode.
    ///
    /// # Errors
    ///
    /// When there is no such clause or rule.
    pub(crate) async fn with_mode(&self, what: Moded, id: &str, mode: ClauseMode) -> Result<Change, Failure> {
        self.catch_up_with_policy().await?;
        let text = self.engine.policy().with_mode(what, id, mode);
        let text = text.ok_or_else(|| Failure::NotFound("there is no such clause or rule".to_owned()))?;
        Ok(Change::SetPolicy { text })
    }
}

/// A difference as a line of a preview: whole, because whoever agrees has to see all of it. The end of a line is shown, since what stands behind a
/// comment ends there.
fn shown(change: &PolicyChange) -> Line {
    let mark = if change.weakens { " (weaker)" } else { "" };
    let whole = |text: &str| crate::refusal::harmless(&text.replace('\n', " ⏎ "), LARGEST);
    Line { what: whole(&change.what), before: whole(&change.before), after: whole(&change.after) + mark }
}

/// Mistakes in one line: where each is, and what.
pub(crate) fn told(problems: &[PolicyProblem]) -> String {
    let shown: Vec<String> =
        problems.iter().take(5).map(|it| crate::refusal::harmless(&it.to_string(), 300)).collect();
    format!("the policy cannot be read: {}", shown.join("; "))
}

fn weakening(weaker: &[&str]) -> String {
    let named = weaker.iter().take(NAMED).map(|it| crate::refusal::harmless(it, 100)).collect::<Vec<_>>();
    let more = weaker.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("it may let more through: {}{more}", named.join(", "))
}
