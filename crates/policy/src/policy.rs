//! Policies: clauses, waivers, and what they make of a case.

use std::collections::BTreeSet;
use std::fmt;

use cratekeeper_model::{
    Case, Checksum, ClauseAnswer, ClauseMode, ClauseOutcome, Package, PolicyAnswer, RuleInput, Verdict,
    WaivedClause, WaivedRule,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::circumstances::Circumstances;
use crate::evaluate::{self, Value};
use crate::expression::Node;
use crate::variables;

/// The policy that is used where none is written.
const BUILT_IN: &str = include_str!("default.toml");

/// What is to be done with which versions.
#[derive(Debug, Clone)]
pub struct Policy {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) waivers: Vec<Waiver>,
    pub(crate) rules: Vec<RuleMode>,
    pub(crate) on_error: Verdict,
    pub(crate) digest: Checksum,
    pub(crate) text: String,
}

/// A condition, and what is to be done where it holds.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Its name.
    pub id: String,
    /// Line in its file, counted from 1.
    pub line: u32,
    /// The condition, as it was written.
    pub when: String,
    /// What is to be done.
    pub verdict: Verdict,
    /// Why, as a sentence fragment.
    pub reason: String,
    /// Whether it decides.
    pub mode: ClauseMode,
    /// How a registry carries it out.
    pub enforcement: Enforcement,
    pub(crate) condition: Node,
}

/// How a registry carries a verdict out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// The version is there and refused, with the reason.
    Deny,
    /// The version is not there.
    Hide,
}

/// A clause or a rule is taken back for one crate or version, until a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// What is taken back.
    pub what: Waived,
    /// Name of the crate.
    pub name: String,
    /// The version; `None` for all.
    pub version: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Last day on which it holds, in UTC.
    pub expires: Date,
    /// Line in its file, counted from 1; 0 for one that is in no file.
    pub line: u32,
}

/// What a waiver takes back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waived {
    /// A clause, by its id: it does not decide.
    Clause(String),
    /// A rule, by its id: clauses see the case without what it found, as if its mode were `audit`.
    Rule(String),
}

impl fmt::Display for Waived {
    /// `clause` or `rule`, and its id in backticks.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Waived::Clause(id) => write!(out, "clause `{id}`"),
            Waived::Rule(id) => write!(out, "rule `{id}`"),
        }
    }
}

/// How seriously a rule is meant. Rules that a policy does not name are enforced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleMode {
    /// Id of the rule.
    pub rule: String,
    /// `enforce`: what it finds counts. `audit`: it is shown, and clauses see the case without it. `off`: it is not even shown.
    pub mode: ClauseMode,
    /// Line in its file, counted from 1.
    pub line: u32,
}

impl Waiver {
    fn is_for(&self, name: &str, version: &str) -> bool {
        self.name == name && self.version.as_deref().is_none_or(|it| it == version)
    }

    fn rule(&self) -> Option<&str> {
        match &self.what {
            Waived::Rule(id) => Some(id),
            Waived::Clause(_) => None,
        }
    }

    /// Whether it took something back when an answer was made.
    fn is_used_in(&self, answer: &PolicyAnswer) -> bool {
        match &self.what {
            Waived::Clause(id) => answer.waived.iter().any(|it| it.clause == *id),
            Waived::Rule(id) => answer.waived_rules.iter().any(|it| it.rule == *id),
        }
    }

    pub(crate) fn package(&self) -> String {
        match &self.version {
            Some(version) => format!("{}@{version}", self.name),
            None => self.name.clone(),
        }
    }
}

impl Policy {
    /// The policy that is used where none is written.
    ///
    /// # Panics
    ///
    /// Never: that it can be read is tested.
    #[must_use]
    pub fn built_in() -> Policy {
        Policy::parse(BUILT_IN).expect("a test reads it")
    }

    /// The text of [`Policy::built_in`].
    #[must_use]
    pub fn built_in_text() -> &'static str {
        BUILT_IN
    }

    pub(crate) fn empty() -> Policy {
        Policy {
            clauses: Vec::new(),
            waivers: Vec::new(),
            rules: Vec::new(),
            on_error: Verdict::Quarantine,
            digest: Checksum::of(b""),
            text: String::new(),
        }
    }

    /// Its clauses, in the order of the file.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Its waivers, in the order of the file.
    #[must_use]
    pub fn waivers(&self) -> &[Waiver] {
        &self.waivers
    }

    /// The rules that it says something about, in the order of the file.
    #[must_use]
    pub fn rules(&self) -> &[RuleMode] {
        &self.rules
    }

    /// How seriously a rule is meant.
    #[must_use]
    pub fn mode_of(&self, rule: &str) -> ClauseMode {
        self.rules.iter().find(|it| it.rule == rule).map_or(ClauseMode::Enforce, |it| it.mode)
    }

    /// A case without what rules found that are switched off.
    #[must_use]
    pub fn shown(&self, case: Case) -> Case {
        let off = self.rules.iter().filter(|it| it.mode == ClauseMode::Off);
        let off: Vec<&str> = off.map(|it| it.rule.as_str()).collect();
        if off.is_empty() { case } else { cratekeeper_rules::without(&case, &off) }
    }

    /// A case as clauses see it: without what rules found that are not enforced, or that are waived.
    fn counted(&self, case: &Case, waivers: &[&Waiver]) -> Case {
        let others = self.rules.iter().filter(|it| it.mode != ClauseMode::Enforce);
        let waived = waivers.iter().filter_map(|it| it.rule());
        let left_out: Vec<&str> = others.map(|it| it.rule.as_str()).chain(waived).collect();
        cratekeeper_rules::without(case, &left_out)
    }

    /// The waivers of rules that take something back: of several for the same rule the first.
    fn waived_rules(&self, case: &Case, waivers: &[&Waiver]) -> Vec<WaivedRule> {
        let mut seen = BTreeSet::new();
        let found = |rule: &str| {
            case.findings.iter().any(|it| it.rule == rule)
                || case.not_evaluated.iter().any(|it| it.rule == rule)
        };
        let counts = |rule: &str| self.mode_of(rule) == ClauseMode::Enforce && found(rule);
        let taking = waivers.iter().filter_map(|it| Some((it.rule()?, it)));
        let taking = taking.filter(|(rule, _)| counts(rule) && seen.insert(*rule));
        let waived = taking.map(|(rule, it)| WaivedRule {
            rule: rule.to_owned(),
            owner: it.owner.clone(),
            reason: it.reason.clone(),
            expires: it.expires.to_string(),
        });
        waived.collect()
    }

    /// What becomes of a version whose clauses cannot be decided.
    #[must_use]
    pub fn on_error(&self) -> Verdict {
        self.on_error
    }

    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the text that it was read from: two policies with the same digest decide alike.
    #[must_use]
    pub fn digest(&self) -> Checksum {
        self.digest
    }

    /// What is to be done with a version: the strictest clause that holds and is not waived. `at` is the moment of deciding, in
    /// seconds since 1970, for the waivers.
    #[must_use]
    pub fn decide(&self, input: &RuleInput, case: &Case, at: i64) -> PolicyAnswer {
        self.decide_under(&Circumstances::of(input), case, at)
    }

    /// Like [`Policy::decide`], by circumstances that were kept.
    #[must_use]
    pub fn decide_under(&self, circumstances: &Circumstances, case: &Case, at: i64) -> PolicyAnswer {
        self.decide_waiving(circumstances, case, at, &[])
    }

    /// Like [`Policy::decide_under`], with waivers besides those of the file.
    #[must_use]
    pub fn decide_waiving(
        &self,
        circumstances: &Circumstances,
        case: &Case,
        at: i64,
        more: &[Waiver],
    ) -> PolicyAnswer {
        let (name, number) = (circumstances.text("name"), circumstances.text("number"));
        let today = day(at);
        let is_on = |it: &&Waiver| today.is_some_and(|day| day <= it.expires);
        let waivers = self.waivers.iter().chain(more).filter(|it| it.is_for(&name, &number)).filter(is_on);
        let waivers: Vec<&Waiver> = waivers.collect();
        let values = variables::values(&circumstances.values, &self.counted(case, &waivers));
        let mut answer = PolicyAnswer { reason: "no clause applies".to_owned(), ..PolicyAnswer::default() };
        // What nobody could look into is not clean: clauses about findings would let it pass.
        if let Some(reason) = &circumstances.unchecked {
            answer.verdict = self.on_error;
            answer.reason = format!("it could not be checked: {reason}");
        }
        answer.waived_rules = self.waived_rules(case, &waivers);
        for clause in &self.clauses {
            let mut outcome = clause.outcome(&values);
            let verdict = self.verdict_of(clause, &outcome);
            let decides = clause.mode == ClauseMode::Enforce && verdict.is_some();
            let waiver = waivers.iter().find(|it| it.what == Waived::Clause(clause.id.clone()));
            match (decides, waiver, verdict) {
                (true, Some(waiver), _) => {
                    outcome = ClauseOutcome::Waived;
                    answer.waived.push(waived(&clause.id, waiver));
                }
                (true, None, Some(verdict)) => answer.take(clause, verdict, &outcome),
                _ => {}
            }
            answer.clauses.push(ClauseAnswer {
                clause: clause.id.clone(),
                line: clause.line,
                verdict: clause.verdict,
                mode: clause.mode,
                outcome,
            });
        }
        answer
    }

    /// What a clause asks for; one that could not be decided never asks to allow.
    fn verdict_of(&self, clause: &Clause, outcome: &ClauseOutcome) -> Option<Verdict> {
        match outcome {
            ClauseOutcome::Holds => Some(clause.verdict),
            ClauseOutcome::Failed(_) => Some(self.on_error),
            _ => None,
        }
    }

    /// Waivers that have expired at a moment, and those that took nothing back in a run: one sentence each.
    #[must_use]
    pub fn stale_waivers<'a>(
        &self,
        at: i64,
        answers: impl IntoIterator<Item = (&'a Package, &'a PolicyAnswer)>,
    ) -> Vec<String> {
        let today = day(at);
        let answers: Vec<_> = answers.into_iter().collect();
        let used: BTreeSet<usize> = (0..self.waivers.len())
            .filter(|index| {
                let waiver = &self.waivers[*index];
                let is_used = |(package, answer): &(&Package, &PolicyAnswer)| {
                    waiver.is_for(&package.name, &package.version.to_string()) && waiver.is_used_in(answer)
                };
                answers.iter().any(is_used)
            })
            .collect();
        let sentence = |(index, waiver): (usize, &Waiver)| {
            let of =
                format!("the waiver of {} for `{}` (line {})", waiver.what, waiver.package(), waiver.line);
            if today.is_none_or(|day| day > waiver.expires) {
                Some(format!(
                    "{of} expired on {}: {} has to renew or remove it",
                    waiver.expires, waiver.owner
                ))
            } else if !used.contains(&index) {
                Some(format!("{of} takes nothing back: remove it"))
            } else {
                None
            }
        };
        self.waivers.iter().enumerate().filter_map(sentence).collect()
    }
}

impl Clause {
    fn outcome(&self, values: &Value) -> ClauseOutcome {
        if self.mode == ClauseMode::Off {
            return ClauseOutcome::NotAsked;
        }
        match evaluate::condition(&self.condition, values) {
            Ok(Ok(true)) => ClauseOutcome::Holds,
            Ok(Ok(false)) => ClauseOutcome::DoesNotHold,
            Ok(Err(reason)) => ClauseOutcome::Failed(format!("it depends on what is not known: {reason}")),
            Err(error) => ClauseOutcome::Failed(error.to_string()),
        }
    }
}

/// Takes a clause's verdict if it is stricter than what is there; the first of equally strict ones stays.
trait Take {
    fn take(&mut self, clause: &Clause, verdict: Verdict, outcome: &ClauseOutcome);
}

impl Take for PolicyAnswer {
    fn take(&mut self, clause: &Clause, verdict: Verdict, outcome: &ClauseOutcome) {
        if verdict < self.verdict || self.clause.is_some() && verdict == self.verdict {
            return;
        }
        self.verdict = verdict;
        self.clause = Some(clause.id.clone());
        self.line = Some(clause.line);
        self.reason = match outcome {
            ClauseOutcome::Failed(why) => format!("clause `{}` could not be decided: {why}", clause.id),
            _ => clause.reason.clone(),
        };
    }
}

fn waived(clause: &str, waiver: &Waiver) -> WaivedClause {
    WaivedClause {
        clause: clause.to_owned(),
        owner: waiver.owner.clone(),
        reason: waiver.reason.clone(),
        expires: waiver.expires.to_string(),
    }
}

/// The day of a moment, in UTC.
fn day(at: i64) -> Option<Date> {
    Timestamp::from_second(at).ok().map(|it| it.to_zoned(TimeZone::UTC).date())
}
