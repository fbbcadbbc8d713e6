//! Verdicts: what policy makes of cases, and why.

use std::io::{self, Write};

use cratekeeper_model::{ClauseAnswer, ClauseOutcome, Outcome, PolicyAnswer, WaivedClause, WaivedRule};
use serde::{Serialize, Serializer};

use super::object::{Displayed, Each, object};
use super::words::Word;
use super::write;
use crate::Tool;

/// The `schema` of [`policy`]'s documents.
pub const POLICY_SCHEMA: &str = "cratekeeper.policy/1";

/// Writes what a policy makes of packages, with what each clause said.
///
/// # Errors
///
/// Fails if `out` does.
pub fn policy(tool: Tool<'_>, file: &str, outcomes: &[&Outcome], out: &mut dyn Write) -> io::Result<()> {
    write(&PolicyDocument(tool, file, outcomes), out)
}

struct PolicyDocument<'a>(Tool<'a>, &'a str, &'a [&'a Outcome]);

impl Serialize for PolicyDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PolicyDocument(tool, file, outcomes) = self;
        object!(serializer, {
            "schema": POLICY_SCHEMA,
            "tool": tool,
            "policy": file,
            "packages": Each(outcomes, Explained),
        })
    }
}

struct Explained<'a>(&'a &'a Outcome);

impl Serialize for Explained<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Outcome { package, status, reason, case, policy, .. } = self.0;
        object!(serializer, {
            "id": package.id.as_str(),
            "name": package.name,
            "version": Displayed(&package.version),
            "status": status.word(),
            "reason": reason,
            "score": case.score,
            "level": case.level.as_str(),
            "verdict": policy.as_ref().map(|it| it.verdict.as_str()),
            "policy": policy.as_ref().map(AnswerObject),
            "clauses": policy.as_ref().map(|it| Each(&it.clauses, ClauseObject)),
        })
    }
}

/// Why a verdict is what it is.
pub(super) struct AnswerObject<'a>(pub(super) &'a PolicyAnswer);

impl Serialize for AnswerObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let PolicyAnswer { verdict: _, clause, line, reason, waived, waived_rules, clauses: _ } = self.0;
        object!(serializer, {
            "clause": clause,
            "line": line,
            "reason": reason,
            "waived": Each(waived, WaivedObject),
            "waived_rules": Each(waived_rules, WaivedRuleObject),
        })
    }
}

struct WaivedObject<'a>(&'a WaivedClause);

impl Serialize for WaivedObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WaivedClause { clause, owner, reason, expires } = self.0;
        object!(serializer, { "clause": clause, "owner": owner, "reason": reason, "expires": expires })
    }
}

struct WaivedRuleObject<'a>(&'a WaivedRule);

impl Serialize for WaivedRuleObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let WaivedRule { rule, owner, reason, expires } = self.0;
        object!(serializer, { "rule": rule, "owner": owner, "reason": reason, "expires": expires })
    }
}

struct ClauseObject<'a>(&'a ClauseAnswer);

impl Serialize for ClauseObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ClauseAnswer { clause, line, verdict, mode, outcome } = self.0;
        let failure = match outcome {
            ClauseOutcome::Failed(reason) => Some(reason),
            _ => None,
        };
        object!(serializer, {
            "clause": clause,
            "line": line,
            "verdict": verdict.as_str(),
            "mode": mode.as_str(),
            "outcome": word(outcome),
            "failure": failure,
        })
    }
}

fn word(outcome: &ClauseOutcome) -> &'static str {
    match outcome {
        ClauseOutcome::Holds => "holds",
        ClauseOutcome::DoesNotHold => "does-not-hold",
        ClauseOutcome::NotAsked => "not-asked",
        ClauseOutcome::Failed(_) => "failed",
        ClauseOutcome::Waived => "waived",
    }
}
