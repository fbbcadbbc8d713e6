//! Runs all rules over one version.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use cratekeeper_model::{Case, Confidence, Finding, Known, Level, NotEvaluated, RuleInput, Severity};

use crate::behaviour::Behaviour;
use crate::correlation::{in_other_crates, story};
use crate::rule::{Evaluation, Family, Rule};
use crate::rules::{payload_behind_lure, payload_in_disguise, payload_new_in_version};
use crate::score::{contributions, score};
use crate::text::{EXCERPT, printable};

/// Runs every rule over `input` and sums up what they say.
///
/// Findings come worst first: by severity, confidence, rule. A rule that could not look at everything is in
/// [`Case::not_evaluated`], even when it found something.
#[must_use]
pub fn judge(input: &RuleInput) -> Case {
    judge_without(&[], input)
}

/// As [`judge`], with the rules of some families switched off: what they contribute is the difference.
#[must_use]
pub fn judge_without(families: &[Family], input: &RuleInput) -> Case {
    let rules: Vec<&Rule> = crate::all().iter().filter(|rule| !families.contains(&rule.family)).collect();
    judge_by(&rules, input)
}

fn judge_by(rules: &[&Rule], input: &RuleInput) -> Case {
    let mut case = Case::default();
    for rule in rules {
        let (findings, missing) = match (rule.evaluate)(input) {
            Evaluation::Findings(findings) => (findings, None),
            Evaluation::Partial(findings, reason) => (findings, Some(reason)),
            Evaluation::NotEvaluated(reason) => (Vec::new(), Some(reason)),
        };
        case.findings.extend(findings);
        case.not_evaluated.extend(
            missing
                .map(|reason| NotEvaluated { rule: rule.id.to_owned(), reason: printable(&reason, EXCERPT) }),
        );
    }
    let correlates = rules.iter().any(|rule| rule.family == Family::Correlation);
    if correlates {
        let lured = payload_behind_lure::found(&case.findings);
        let disguised = payload_in_disguise::found(&case.findings);
        let new = payload_new_in_version::found(&case.findings);
        case.findings.extend(lured.into_iter().chain(disguised).chain(new));
    }
    add_up(&mut case);
    let behaviour = input.facts.value().filter(|_| correlates).map(Behaviour::new);
    let reached = match (&input.facts, &input.reach) {
        (Known::Known(facts), Known::Known(reach)) if correlates => in_other_crates(facts, reach),
        _ => None,
    };
    (case.chain, case.harmless_if) = story(behaviour.as_ref(), reached, &case.findings, case.level);
    case
}

/// The case as if some rules were not there: without what they found and lacked, and with what is left of score, level and techniques. What
/// other rules concluded from their findings stays, and so does the story.
#[must_use]
pub fn without(case: &Case, rules: &[&str]) -> Case {
    let mut left = case.clone();
    left.findings.retain(|it| !rules.contains(&it.rule.as_str()));
    left.not_evaluated.retain(|it| !rules.contains(&it.rule.as_str()));
    // What nothing was taken from is as it was judged, also by rules and weights of another time.
    if left.findings.len() < case.findings.len() {
        add_up(&mut left);
        left.harmless_if = left.harmless_if.filter(|_| left.level >= Level::Review);
    }
    left
}

/// Puts findings in order, and makes of them what is said of them all.
fn add_up(case: &mut Case) {
    case.findings.sort_by(|a, b| order(a).cmp(&order(b)));
    let techniques: BTreeSet<u8> =
        case.findings.iter().flat_map(|finding| finding.techniques.iter().copied()).collect();
    case.techniques = techniques.into_iter().collect();
    case.score = score(&case.findings);
    if Level::of_score(case.score) < Level::Alert {
        lower_chains(&mut case.findings);
        case.findings.sort_by(|a, b| order(a).cmp(&order(b)));
        case.score = score(&case.findings);
    }
    case.contributions = contributions(&case.findings);
    case.level = if case.findings.is_empty() { Level::None } else { Level::of_score(case.score) };
}

/// Chains are guesses about purpose: what two signs say together may have a harmless reason that neither shows. So one may be
/// grave only in a case that is an alert as a whole, or whoever fails on severity `high` would fail on what is to be reviewed.
fn lower_chains(findings: &mut [Finding]) {
    let is_chain =
        |finding: &Finding| crate::find(&finding.rule).is_some_and(|rule| rule.family == Family::Correlation);
    for finding in findings.iter_mut().filter(|it| it.severity > Severity::Medium && is_chain(it)) {
        finding.severity = Severity::Medium;
        finding.confidence = match finding.confidence {
            Confidence::Low => Confidence::Medium,
            Confidence::Medium | Confidence::High => Confidence::High,
        };
    }
}

/// Worst first. Findings of one rule and weight stay in the rule's order.
fn order(finding: &Finding) -> (Reverse<(Severity, Confidence)>, &str) {
    (Reverse((finding.severity, finding.confidence)), &finding.rule)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Complete, finding};
    use crate::test_support::input;

    const QUIET: Rule = Rule {
        id: "quiet",
        family: Family::Package,
        title: "",
        explanation: "",
        severities: &Severity::ALL,
        techniques: &[59],
        evaluate: |_| Evaluation::silent(),
    };
    const BLIND: Rule =
        Rule { id: "blind", evaluate: |_| Evaluation::NotEvaluated("no\u{7} facts".to_owned()), ..QUIET };
    const MILD: Rule = Rule {
        id: "mild",
        evaluate: |_| {
            let found = finding(&MILD, Severity::Info, Confidence::High, "mild");
            Evaluation::Partial(vec![found], "half".to_owned())
        },
        ..QUIET
    };
    const WORSE: Rule = Rule {
        id: "worse",
        evaluate: |_| {
            let with = |confidence| finding(&WORSE, Severity::High, confidence, "worse").pointing_to([59]);
            Evaluation::Findings(vec![with(Confidence::Low), with(Confidence::High)])
        },
        ..QUIET
    };

    #[test]
    fn silence_is_score_zero_and_level_none() {
        assert_eq!(judge_by(&[&QUIET], &input()), Case::default());
    }

    #[test]
    fn without_a_rule_a_case_is_what_the_others_make_of_it() {
        let all = judge_by(&[&BLIND, &MILD, &WORSE], &input());
        assert_eq!(without(&all, &[]), all);
        assert_eq!(without(&all, &["worse"]), judge_by(&[&BLIND, &MILD], &input()));
        assert_eq!(without(&all, &["blind", "worse", "mild"]), Case::default());
    }

    #[test]
    fn what_was_not_looked_at_is_listed() {
        let case = judge_by(&[&BLIND, &MILD, &QUIET], &input());
        let listed: Vec<(&str, &str)> =
            case.not_evaluated.iter().map(|it| (it.rule.as_str(), it.reason.as_str())).collect();
        assert_eq!(listed, [("blind", "no\\u{7} facts"), ("mild", "half")]);
        assert_eq!((case.score, case.level), (2, Level::Info));
    }

    #[test]
    fn findings_come_worst_first() {
        let case = judge_by(&[&MILD, &WORSE], &input());
        let order: Vec<(&str, Confidence)> =
            case.findings.iter().map(|it| (it.rule.as_str(), it.confidence)).collect();
        use Confidence::{High, Low};
        assert_eq!(order, [("worse", High), ("worse", Low), ("mild", High)]);
    }

    #[test]
    fn a_chain_is_grave_only_in_a_case_that_alerts() {
        const CHAIN: Rule = Rule {
            id: "carried-payload",
            family: Family::Correlation,
            evaluate: |_| {
                let chain = finding(&CHAIN, Severity::High, Confidence::Medium, "a chain");
                Evaluation::Findings(vec![chain])
            },
            ..QUIET
        };
        let of = |rules: &[&Rule]| {
            let case = judge_by(rules, &input());
            let chain = case.findings.iter().find(|it| it.rule == CHAIN.id).map(|it| it.severity);
            (case.level, chain)
        };
        assert_eq!(of(&[&CHAIN]), (Level::Review, Some(Severity::Medium)));
        assert_eq!(of(&[&CHAIN, &MILD]), (Level::Review, Some(Severity::Medium)));
        assert_eq!(of(&[&CHAIN, &WORSE]), (Level::Alert, Some(Severity::High)));
        let lone = judge_by(&[&WORSE], &input());
        assert_eq!(lone.findings[0].severity, Severity::High, "other families say what they saw");
    }

    #[test]
    fn techniques_are_those_that_findings_point_to() {
        assert_eq!(judge_by(&[&WORSE, &WORSE], &input()).techniques, [59]);
        assert!(judge_by(&[&MILD], &input()).techniques.is_empty());
    }
}
