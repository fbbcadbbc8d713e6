//! A release by token, where releases came from a trusted build service.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::{Habit, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};

pub(super) const RULE: Rule = Rule {
    id: "publishing-method-downgraded",
    family: Family::History,
    title: "Published with a token, where trusted publishing was the habit",
    explanation: "\
**Looks at:** how the versions of a crate were published. Where every version since the first one by trusted publishing came that
way, and this one came with a token, it is `medium` and sure; where both were used, `low`. The way from tokens to trusted
publishing is nothing. Releases older than three months are not looked at.

**Why:** with trusted publishing there is no secret that could be stolen: a release is made by the project's own build service. A
token can be stolen, and who has one needs no repository. Hijacked npm packages of 2025 gave themselves away by this.

**Harmless when:** the build service was down, or the project changed its host.

**What to do:** look whether the repository has the commit and the tag of this version.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[40],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let (severity, confidence, habit) = match past.method_downgraded() {
            Err(reason) => return Evaluation::NotEvaluated(reason.to_owned()),
            Ok(None) => return Evaluation::silent(),
            Ok(Some(Habit::Kept)) => (Severity::Medium, Confidence::High, "always"),
            Ok(Some(Habit::Mixed)) => (Severity::Low, Confidence::Medium, "sometimes"),
        };
        let message =
            format!("published with a token, where earlier versions {habit} came by trusted publishing");
        let finding = finding(&RULE, severity, confidence, message)
            .with_help("look whether the repository has the commit and the tag of this version");
        Evaluation::Findings(vec![finding.pointing_to([40])])
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::PublishMethod::{Token, TrustedPublishing};
    use cratekeeper_model::{Confidence, Known, PublishMethod, Severity};

    use super::RULE;
    use crate::test_support::history::History;
    use crate::test_support::{not_evaluated, one, silent};

    fn methods(methods: &[PublishMethod]) -> History {
        let mut history = History::new();
        for (number, _) in methods[1..].iter().enumerate() {
            history = history.version(&format!("1.0.{number}"), 900 - number as i64);
        }
        let methods: Vec<_> = methods.iter().map(|it| Known::Known(*it)).collect();
        history.release(&[]).with(|it| {
            for (version, method) in it.versions.iter_mut().zip(methods) {
                version.method = method;
            }
        })
    }

    #[test]
    fn back_to_a_token_is_medium() {
        let history = methods(&[Token, TrustedPublishing, TrustedPublishing, Token]);
        assert_eq!(one(&RULE, &history.input(), Severity::Medium, Confidence::High).techniques, [40]);
    }

    #[test]
    fn mixed_habits_are_low() {
        let history = methods(&[TrustedPublishing, Token, TrustedPublishing, Token]);
        one(&RULE, &history.input(), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &methods(&[Token, Token, TrustedPublishing]).input());
        silent(&RULE, &methods(&[TrustedPublishing, TrustedPublishing]).input());
        silent(&RULE, &methods(&[Token, Token]).input());
        silent(&RULE, &methods(&[Token]).input());
    }

    #[test]
    fn unknown_methods_give_no_answer() {
        let unknown = || Known::Unknown("an index does not tell".to_owned());
        let history = methods(&[TrustedPublishing, Token]).with(|it| it.versions[1].method = unknown());
        not_evaluated(&RULE, &history.input());
        let history = methods(&[Token, Token]).with(|it| it.versions[0].method = unknown());
        not_evaluated(&RULE, &history.input());
    }
}
