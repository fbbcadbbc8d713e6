//! From findings to one number between 0 and 100.
//!
//! A finding's weight is what it scores alone. Several are combined like independent doubts: what is left of the
//! trust in a version is the product of what each leaves. So more findings never lower the score, each adds less, and
//! none brings it above 100.
//!
//! Never lowering it takes two properties of the table: weights are between 0 and 100, and any weight of a severity
//! above low is larger than all weights up to low. Then one more finding of a rule leaves no earlier place in the
//! rule's order with a smaller weight than before, also where it pushes a mild finding out of its place.

use std::collections::BTreeMap;

use cratekeeper_model::{Confidence, Contribution, Finding, Severity};

/// One row of the score table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Severity of the finding.
    pub severity: Severity,
    /// Score of one such finding with low, medium and high confidence.
    pub scores: [u8; 3],
    /// Why these numbers.
    pub reason: &'static str,
}

/// The score table, worst severity first.
pub const WEIGHTS: [Weight; 5] = [
    Weight {
        severity: Severity::Critical,
        scores: [50, 75, 90],
        reason: "known malicious, or not the published bytes: one suffices to block; when unsure, to hold",
    },
    Weight {
        severity: Severity::High,
        scores: [25, 45, 65],
        reason: "one that was observed directly alerts; two different ones block; a likely one is reviewed",
    },
    Weight {
        severity: Severity::Medium,
        scores: [14, 22, 35],
        reason: "one that was observed directly is reviewed; harmless crates have them, so it takes three to alert",
    },
    Weight {
        severity: Severity::Low,
        scores: [4, 8, 12],
        reason: "worth a look some day: raises the score of worse findings, never asks for a review by itself",
    },
    Weight { severity: Severity::Info, scores: [0, 1, 2], reason: "most crates have some: only breaks ties" },
];

/// Most that findings of severity low and info add up to together: just below `review`, because a pile of things
/// that do not matter does not begin to matter.
pub(crate) const MILD_LIMIT: f64 = 29.0;

/// Share of its weight that the second finding of the same rule keeps; the third keeps the share of the share. Ten
/// vulnerabilities are one neglected crate, ten different rules are a pattern. With one half, any number of high
/// findings of one rule stays below `block`, and of medium ones below `alert`.
pub(crate) const REPETITION: f64 = 0.5;

/// The score of one version's findings: 0 when there are none, never above 100.
///
/// One more finding never lowers it.
#[must_use]
pub fn score(findings: &[Finding]) -> u8 {
    let mut trust = Trust::default();
    for (_, share) in shares(findings) {
        trust.lose(&share);
    }
    trust.score()
}

/// What the score is the sum of: what each rule adds to those before it, the heaviest first.
#[must_use]
pub fn contributions(findings: &[Finding]) -> Vec<Contribution> {
    let mut shares: Vec<(&str, Share)> = shares(findings).into_iter().collect();
    shares.sort_by(|(a, one), (b, other)| other.alone().total_cmp(&one.alone()).then_with(|| a.cmp(b)));
    let mut trust = Trust::default();
    let mut before = 0;
    let mut contributions = Vec::new();
    for (rule, share) in shares {
        trust.lose(&share);
        let after = trust.score();
        if after > before {
            let (points, reason) = (after - before, share.reason());
            contributions.push(Contribution { rule: rule.to_owned(), points, reason });
        }
        before = after;
    }
    contributions.sort_by_key(|it| std::cmp::Reverse(it.points));
    contributions
}

/// What is left of the trust in a version, 1 being all of it, after grave and after mild findings.
struct Trust {
    grave: f64,
    mild: f64,
}

impl Default for Trust {
    fn default() -> Trust {
        Trust { grave: 1.0, mild: 1.0 }
    }
}

impl Trust {
    fn lose(&mut self, share: &Share) {
        self.grave *= share.grave;
        self.mild *= share.mild;
    }

    fn score(&self) -> u8 {
        let left = self.grave * f64::max(self.mild, 1.0 - MILD_LIMIT / 100.0);
        (100.0 * (1.0 - left)).round() as u8
    }
}

/// What the findings of one rule leave of the trust.
struct Share {
    grave: f64,
    mild: f64,
    /// The heaviest finding's weight.
    worst: (Severity, Confidence),
    findings: usize,
}

impl Share {
    fn of(findings: &[&Finding]) -> Share {
        let mut weights: Vec<(u8, Severity, Confidence)> = findings
            .iter()
            .map(|it| (weight(it.severity, it.confidence), it.severity, it.confidence))
            .collect();
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let (_, severity, confidence) =
            weights.first().copied().unwrap_or((0, Severity::Info, Confidence::Low));
        let mut shares =
            Share { grave: 1.0, mild: 1.0, worst: (severity, confidence), findings: findings.len() };
        let mut share = 1.0;
        for (weight, severity, _) in weights {
            let left = if severity <= Severity::Low { &mut shares.mild } else { &mut shares.grave };
            *left *= 1.0 - share * f64::from(weight) / 100.0;
            share *= REPETITION;
        }
        shares
    }

    /// What they would score alone.
    fn alone(&self) -> f64 {
        1.0 - self.grave * f64::max(self.mild, 1.0 - MILD_LIMIT / 100.0)
    }

    fn reason(&self) -> String {
        let (severity, confidence) = self.worst;
        match self.findings {
            0 | 1 => format!("{severity} severity, {confidence} confidence"),
            number => {
                format!("{number} findings, the worst of {severity} severity and {confidence} confidence")
            }
        }
    }
}

fn shares(findings: &[Finding]) -> BTreeMap<&str, Share> {
    let mut by_rule: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
    by_rule.into_iter().map(|(rule, findings)| (rule, Share::of(&findings))).collect()
}

/// Score of one finding alone.
fn weight(severity: Severity, confidence: Confidence) -> u8 {
    let column = match confidence {
        Confidence::Low => 0,
        Confidence::Medium => 1,
        Confidence::High => 2,
    };
    WEIGHTS.iter().find(|row| row.severity == severity).map_or(0, |row| row.scores[column])
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Level;
    use proptest::prelude::*;

    use super::*;

    fn finding(rule: &str, severity: Severity, confidence: Confidence) -> Finding {
        let rule = rule.to_owned();
        Finding {
            rule,
            severity,
            confidence,
            message: String::new(),
            evidence: vec![],
            help: None,
            advisory: None,
            reachability: None,
            techniques: Vec::new(),
        }
    }

    fn level(findings: &[Finding]) -> Level {
        Level::of_score(score(findings))
    }

    #[test]
    fn every_severity_has_one_row() {
        let severities: Vec<Severity> = WEIGHTS.iter().rev().map(|row| row.severity).collect();
        assert_eq!(severities, Severity::ALL);
    }

    #[test]
    fn grave_findings_weigh_more_than_mild_ones() {
        let weights = |mild| {
            let rows = WEIGHTS.iter().filter(move |row| (row.severity <= Severity::Low) == mild);
            rows.flat_map(|row| row.scores)
        };
        assert!(weights(false).min() > weights(true).max());
        assert!(WEIGHTS.iter().all(|row| row.scores.is_sorted() && row.scores[2] < 100));
    }

    #[test]
    fn one_finding_scores_its_weight() {
        for row in WEIGHTS {
            for (confidence, expected) in
                [Confidence::Low, Confidence::Medium, Confidence::High].into_iter().zip(row.scores)
            {
                assert_eq!(score(&[finding("a", row.severity, confidence)]), expected);
            }
        }
        assert_eq!(score(&[]), 0);
    }

    #[test]
    fn one_sure_finding_reaches_the_level_of_its_severity() {
        let expected = [Level::Info, Level::Info, Level::Review, Level::Alert, Level::Block];
        for (severity, expected) in Severity::ALL.into_iter().zip(expected) {
            assert_eq!(level(&[finding("a", severity, Confidence::High)]), expected);
        }
    }

    #[test]
    fn any_number_of_mild_findings_stays_below_review() {
        let many: Vec<Finding> = (0..500)
            .map(|number| {
                let severity = if number % 2 == 0 { Severity::Low } else { Severity::Info };
                finding(&format!("rule-{number}"), severity, Confidence::High)
            })
            .collect();
        assert_eq!(score(&many), 29);
    }

    #[test]
    fn repetition_of_one_rule_does_not_climb_a_level() {
        let expected = [Level::Info, Level::Info, Level::Review, Level::Alert, Level::Block];
        for (severity, expected) in Severity::ALL.into_iter().zip(expected) {
            assert_eq!(level(&vec![finding("a", severity, Confidence::High); 200]), expected);
        }
    }

    #[test]
    fn different_rules_count_more_than_one_rule_twice() {
        let medium = |rule| finding(rule, Severity::Medium, Confidence::High);
        assert!(score(&[medium("a"), medium("b")]) > score(&[medium("a"), medium("a")]));
        let high = |rule| finding(rule, Severity::High, Confidence::High);
        assert_eq!(level(&[high("a"), high("b")]), Level::Block);
    }

    fn any_finding() -> impl Strategy<Value = Finding> {
        let confidences = [Confidence::Low, Confidence::Medium, Confidence::High];
        ("[a-c]", prop::sample::select(&Severity::ALL[..]), prop::sample::select(confidences.to_vec()))
            .prop_map(|(rule, severity, confidence)| finding(&rule, severity, confidence))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn one_more_finding_never_lowers_the_score(
            mut findings in prop::collection::vec(any_finding(), 0..30),
            more in any_finding(),
            at in any::<prop::sample::Index>(),
        ) {
            let before = score(&findings);
            findings.insert(at.index(findings.len() + 1), more);
            prop_assert!(score(&findings) >= before);
            prop_assert!(score(&findings) <= 100);
        }

        #[test]
        fn order_does_not_matter(findings in prop::collection::vec(any_finding(), 0..30)) {
            let mut reversed = findings.clone();
            reversed.reverse();
            prop_assert_eq!(score(&findings), score(&reversed));
        }
    }
}
