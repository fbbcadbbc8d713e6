//! Runs all rules over one version.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use cratekeeper_model::{Case, Confidence, Finding, Level, NotEvaluated, RuleInput, Severity};

use crate::rule::{Evaluation, Rule};
use crate::score::score;
use crate::text::{EXCERPT, printable};

/// Runs every rule over `input` and sums up what they say.
///
/// Findings come worst first: by severity, confidence, rule. A rule that could not look at everything is in
/// [`Case::not_evaluated`], even when it found something.
#[must_use]
pub fn judge(input: &RuleInput) -> Case {
    judge_by(crate::all(), input)
}

fn judge_by(rules: &[Rule], input: &RuleInput) -> Case {
    let mut case = Case::default();
    let mut techniques = BTreeSet::new();
    for rule in rules {
        let (findings, missing) = match (rule.evaluate)(input) {
            Evaluation::Findings(findings) => (findings, None),
            Evaluation::Partial(findings, reason) => (findings, Some(reason)),
            Evaluation::NotEvaluated(reason) => (Vec::new(), Some(reason)),
        };
        techniques.extend(findings.iter().flat_map(|finding| techniques_of(rule, finding)));
        case.findings.extend(findings);
        case.not_evaluated.extend(
            missing
                .map(|reason| NotEvaluated { rule: rule.id.to_owned(), reason: printable(&reason, EXCERPT) }),
        );
    }
    case.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    case.techniques = techniques.into_iter().map(str::to_owned).collect();
    case.score = score(&case.findings);
    case.level = if case.findings.is_empty() { Level::None } else { Level::of_score(case.score) };
    case
}

/// Worst first. Findings of one rule and weight stay in the rule's order.
fn order(finding: &Finding) -> (Reverse<(Severity, Confidence)>, &str) {
    (Reverse((finding.severity, finding.confidence)), &finding.rule)
}

fn techniques_of(rule: &Rule, finding: &Finding) -> impl Iterator<Item = &'static str> {
    rule.techniques.iter().copied().filter(|technique| (rule.points_to)(finding, technique))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{always, finding};
    use crate::test_support::input;

    const QUIET: Rule = Rule {
        id: "quiet",
        title: "",
        explanation: "",
        severities: &Severity::ALL,
        techniques: &["archive-tricks"],
        points_to: always,
        evaluate: |_| Evaluation::silent(),
    };
    const BLIND: Rule =
        Rule { id: "blind", evaluate: |_| Evaluation::NotEvaluated("no\u{7} facts".to_owned()), ..QUIET };
    const MILD: Rule = Rule {
        id: "mild",
        points_to: |finding, _| finding.severity > Severity::Info,
        evaluate: |_| {
            let found = finding(&MILD, Severity::Info, Confidence::High, "mild");
            Evaluation::Partial(vec![found], "half".to_owned())
        },
        ..QUIET
    };
    const WORSE: Rule = Rule {
        id: "worse",
        evaluate: |_| {
            let with = |confidence| finding(&WORSE, Severity::High, confidence, "worse");
            Evaluation::Findings(vec![with(Confidence::Low), with(Confidence::High)])
        },
        ..QUIET
    };

    #[test]
    fn silence_is_score_zero_and_level_none() {
        assert_eq!(judge_by(&[QUIET], &input()), Case::default());
    }

    #[test]
    fn what_was_not_looked_at_is_listed() {
        let case = judge_by(&[BLIND, MILD, QUIET], &input());
        let listed: Vec<(&str, &str)> =
            case.not_evaluated.iter().map(|it| (it.rule.as_str(), it.reason.as_str())).collect();
        assert_eq!(listed, [("blind", "no\\u{7} facts"), ("mild", "half")]);
        assert_eq!((case.score, case.level), (2, Level::Info));
    }

    #[test]
    fn findings_come_worst_first() {
        let case = judge_by(&[MILD, WORSE], &input());
        let order: Vec<(&str, Confidence)> =
            case.findings.iter().map(|it| (it.rule.as_str(), it.confidence)).collect();
        use Confidence::{High, Low};
        assert_eq!(order, [("worse", High), ("worse", Low), ("mild", High)]);
    }

    #[test]
    fn techniques_are_those_that_findings_point_to() {
        assert_eq!(judge_by(&[WORSE, WORSE], &input()).techniques, ["archive-tricks"]);
        assert!(judge_by(&[MILD], &input()).techniques.is_empty());
    }
}
