//! What one policy does otherwise than another, and whether any of it lets more through.
//!
//! Conditions are compared as text: whether one of two conditions holds wherever the other does cannot be decided in general, so another
//! text of a condition that decides counts as weaker. Whoever asks because of it is asked for a second opinion too often, never too seldom.

use std::collections::{BTreeMap, BTreeSet};

use cratekeeper_model::{ClauseMode, Verdict};

use crate::policy::{Clause, Enforcement, Policy, Waived, Waiver};

/// Something that another policy does otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// What: a clause, a rule, a waiver, or what becomes of errors.
    pub what: String,
    /// How it was; `none` where it was not there.
    pub before: String,
    /// How it is; `none` where it is gone.
    pub after: String,
    /// Whether more may be let through by it.
    pub weakens: bool,
}

const NONE: &str = "none";

impl Policy {
    /// What this policy does otherwise than `before`.
    #[must_use]
    pub fn changes_from(&self, before: &Policy) -> Vec<PolicyChange> {
        let mut changes = Vec::new();
        if self.on_error != before.on_error {
            changes.push(PolicyChange {
                what: "what cannot be decided".to_owned(),
                before: before.on_error.to_string(),
                after: self.on_error.to_string(),
                weakens: self.on_error < before.on_error,
            });
        }
        changes.extend(self.clauses_from(before));
        changes.extend(self.rules_from(before));
        changes.extend(self.waivers_from(before));
        changes
    }

    fn clauses_from(&self, before: &Policy) -> Vec<PolicyChange> {
        let by_id = |policy: &Policy| -> BTreeMap<String, Clause> {
            policy.clauses.iter().map(|it| (it.id.clone(), it.clone())).collect()
        };
        let (olds, news) = (by_id(before), by_id(self));
        let ids: BTreeSet<&String> = olds.keys().chain(news.keys()).collect();
        let mut changes = Vec::new();
        for id in ids {
            let (old, new) = (olds.get(id), news.get(id));
            // By what they are, and not by how they are shown: texts could be made to look alike.
            if old.map(parts) != new.map(parts) {
                let described = |it: Option<&Clause>| it.map_or_else(|| NONE.to_owned(), describe);
                changes.push(PolicyChange {
                    what: format!("clause `{id}`"),
                    before: described(old),
                    after: described(new),
                    weakens: old.is_some_and(|old| new.is_none_or(|new| is_weaker(new, old))),
                });
            }
        }
        changes
    }

    fn rules_from(&self, before: &Policy) -> Vec<PolicyChange> {
        let named = before.rules.iter().chain(&self.rules);
        let rules: BTreeSet<&str> = named.map(|it| it.rule.as_str()).collect();
        let modes = rules.into_iter().map(|it| (it, before.mode_of(it), self.mode_of(it)));
        modes
            .filter(|(_, was, is)| was != is)
            .map(|(rule, was, is)| PolicyChange {
                what: format!("rule `{rule}`"),
                before: was.as_str().to_owned(),
                after: is.as_str().to_owned(),
                weakens: strength(is) < strength(was),
            })
            .collect()
    }

    fn waivers_from(&self, before: &Policy) -> Vec<PolicyChange> {
        let by_key = |policy: &Policy| -> BTreeMap<(Waived, String), Waiver> {
            // Of several for the same, the last to end is what counts.
            let mut waivers: Vec<&Waiver> = policy.waivers.iter().collect();
            waivers.sort_by_key(|it| it.expires);
            waivers.into_iter().map(|it| ((it.what.clone(), it.package()), it.clone())).collect()
        };
        let (old, new) = (by_key(before), by_key(self));
        let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        let until = |it: Option<&Waiver>| {
            let described = |it: &Waiver| format!("until {}, by {}: {}", it.expires, it.owner, it.reason);
            it.map_or_else(|| NONE.to_owned(), described)
        };
        let parts = |it: &Waiver| (it.expires, it.owner.clone(), it.reason.clone());
        keys.into_iter()
            .map(|key| (key, old.get(key), new.get(key)))
            .filter(|(_, was, is)| was.map(parts) != is.map(parts))
            .map(|((waived, package), was, is)| PolicyChange {
                what: format!("waiver of {waived} for {package}"),
                before: until(was),
                after: until(is),
                weakens: is.is_some_and(|is| was.is_none_or(|was| is.expires > was.expires)),
            })
            .collect()
    }
}

/// Later ones decide more.
fn strength(mode: ClauseMode) -> u8 {
    match mode {
        ClauseMode::Off => 0,
        ClauseMode::Audit => 1,
        ClauseMode::Enforce => 2,
    }
}

/// All that makes a clause what it is.
fn parts(clause: &Clause) -> (&str, Verdict, u8, bool, &str) {
    let hides = clause.enforcement == Enforcement::Hide;
    (&clause.when, clause.verdict, strength(clause.mode), hides, &clause.reason)
}

fn describe(clause: &Clause) -> String {
    let hides = if clause.enforcement == Enforcement::Hide { ", hidden" } else { "" };
    format!("{} ({}{hides}): {} [{}]", clause.verdict, clause.mode.as_str(), clause.when, clause.reason)
}

/// Whether `new` lets through what `old` kept back, or may. A clause that decided nothing kept nothing back; one that allows may still have kept
/// something back, where it could not be decided.
fn is_weaker(new: &Clause, old: &Clause) -> bool {
    if old.mode != ClauseMode::Enforce {
        return strength(new.mode) < strength(old.mode);
    }
    new.when != old.when
        || new.verdict < old.verdict
        || new.mode != ClauseMode::Enforce
        || old.enforcement == Enforcement::Hide && new.enforcement == Enforcement::Deny
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Policy {
        Policy::parse(text).map_err(|it| it.to_string()).unwrap()
    }

    fn clause(id: &str, more: &str) -> String {
        let verdict = if more.contains("verdict") { "" } else { "verdict = 'quarantine'\n" };
        let when = if more.contains("when") { "" } else { "when = 'case.score > 10'\n" };
        format!("[[clause]]\nid = '{id}'\nreason = 'r'\n{when}{verdict}{more}\n")
    }

    fn weakens(before: &str, after: &str) -> Option<bool> {
        let changes = with(after).changes_from(&with(before));
        (!changes.is_empty()).then(|| changes.iter().any(|it| it.weakens))
    }

    #[test]
    fn the_same_policy_in_another_order_changes_nothing() {
        let (a, b) = (clause("a", ""), clause("b", ""));
        assert_eq!(weakens(&format!("{a}{b}"), &format!("# moved\n{b}{a}")), None);
    }

    #[test]
    fn what_keeps_more_back_is_no_weakening() {
        let a = clause("a", "");
        for stricter in [
            format!("{a}{}", clause("b", "")),
            clause("a", "verdict = 'block'"),
            clause("a", "enforce = 'hide'"),
            format!("on-error = 'block'\n{a}"),
        ] {
            assert_eq!(weakens(&a, &stricter), Some(false), "{stricter}");
            assert_eq!(weakens(&stricter, &a), Some(true), "back from {stricter}");
        }
    }

    #[test]
    fn another_condition_counts_as_weaker_where_it_decides() {
        let narrow = "when = 'case.score > 90'";
        assert_eq!(weakens(&clause("a", ""), &clause("a", narrow)), Some(true));
        let audit = |more: &str| clause("a", &format!("mode = 'audit'\n{more}"));
        assert_eq!(weakens(&audit(""), &audit(narrow)), Some(false));
        assert_eq!(weakens(&audit(""), &clause("a", narrow)), Some(false));
        assert_eq!(weakens(&clause("a", ""), &audit("")), Some(true));
    }

    #[test]
    fn texts_that_look_alike_are_not_the_same() {
        let one = "[[clause]]\nid = 'a'\nverdict = 'block'\nwhen = 'case.score > 1 // all'\nreason = \"\\n&& false [x\"\n";
        let other = "[[clause]]\nid = 'a'\nverdict = 'block'\nwhen = \"case.score > 1 // all [\\n&& false\"\nreason = 'x'\n";
        if let (Ok(before), Ok(after)) = (Policy::parse(one), Policy::parse(other)) {
            assert!(after.changes_from(&before).iter().any(|it| it.weakens));
        }
        let allowing = |when: &str| clause("a", &format!("verdict = 'allow'\nwhen = '{when}'"));
        let unknown = allowing("history.age_days > 1");
        assert_eq!(weakens(&unknown, &allowing("true")), Some(true), "it asked for what may be unknown");
    }

    #[test]
    fn rules_and_waivers_weaken_when_less_counts() {
        let a = clause("a", "");
        let rule = |mode: &str| format!("{a}[[rule]]\nid = 'bundled-executable'\nmode = '{mode}'\n");
        assert_eq!(weakens(&a, &rule("audit")), Some(true));
        assert_eq!(weakens(&rule("off"), &rule("audit")), Some(false));
        assert_eq!(weakens(&a, &rule("enforce")), None);
        let waiver = |day: &str| {
            format!(
                "{a}[[waiver]]\nclause = 'a'\npackage = 'demo'\nowner = 'o'\nreason = 'r'\nexpires = '{day}'\n"
            )
        };
        assert_eq!(weakens(&a, &waiver("2027-01-01")), Some(true));
        assert_eq!(weakens(&waiver("2027-01-01"), &waiver("2027-01-02")), Some(true));
        assert_eq!(weakens(&waiver("2027-01-01"), &waiver("2026-12-31")), Some(false));
        assert_eq!(weakens(&waiver("2027-01-01"), &a), Some(false));
    }
}
