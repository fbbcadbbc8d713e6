//! Many versions are withdrawn around a release.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::with_release;
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::count;

pub(super) const RULE: Rule = Rule {
    id: "mass-yank",
    family: Family::History,
    title: "Many versions are withdrawn around a release",
    explanation: "\
**Looks at:** other versions of the crate that were withdrawn within a day of this one's publication: three or more, or two if
they were all that cargo could have given instead. Withdrawn *before* the release it is `medium` and sure where this version is
the only compatible one that is left; withdrawn after it, as one does with versions that a fix replaces, hardly sure. Releases
older than three months are not looked at.

**Why:** whoever asks for a withdrawn version is told to update. The hijacked owner of `arrayref` withdrew 0.3.5 to 0.3.9
within 40 seconds (2026-08-20), and cargo's own advice then led to the malicious 0.3.10.

**Harmless when:** versions with a vulnerability are withdrawn when the fix is out. An advisory or a changelog says so.

**What to do:** stay on the version that you have: a lockfile keeps it, withdrawn or not. Ask the maintainers elsewhere.",
    severities: &[Severity::Medium],
    techniques: &[33],
    evaluate,
};

/// The catalogue's number: three withdrawals within minutes of a release.
const MANY: usize = 3;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let (before, after) = match past.yanked_around() {
            Ok(yanked) => yanked,
            Err(reason) => return Evaluation::NotEvaluated(reason.to_owned()),
        };
        let number = before.len() + after.len();
        let is_only_choice = past.is_only_choice();
        if number < MANY && !(is_only_choice && number == MANY - 1) {
            return Evaluation::silent();
        }
        let confidence = match (before.len() >= 2, is_only_choice) {
            (true, true) => Confidence::High,
            (true, false) => Confidence::Medium,
            (false, _) => Confidence::Low,
        };
        let when = if before.len() >= 2 {
            "shortly before this version came"
        } else {
            "after this version had come"
        };
        let left = if is_only_choice { ", and it is the only compatible one that is left" } else { "" };
        let message =
            format!("{} withdrawn {when}{left}", count(number, "other version was", "other versions were"));
        let finding = finding(&RULE, Severity::Medium, confidence, message)
            .with_help("stay on the version in your lockfile until the maintainers have said why");
        Evaluation::Findings(vec![finding.pointing_to([33])])
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, Severity};

    use super::RULE;
    use crate::past::{DAY, HOUR};
    use crate::test_support::history::History;
    use crate::test_support::{not_evaluated, one, silent};

    fn versions() -> History {
        History::new().version("1.0.0", 900).version("1.1.0", 800).version("1.2.0", 700).version("1.2.1", 600)
    }

    /// `arrayref` of August 2026.
    #[test]
    fn good_versions_withdrawn_in_favour_of_a_new_one() {
        let all = ["1.0.0", "1.1.0", "1.2.0", "1.2.1"];
        let history = versions().release(&[]).yank(&all, -60);
        let finding = one(&RULE, &history.input(), Severity::Medium, Confidence::High);
        assert_eq!(
            finding.message,
            "4 other versions were withdrawn shortly before this version came, and it is the only compatible one that is left"
        );
        assert_eq!(finding.techniques, [33]);
    }

    #[test]
    fn some_are_left() {
        let history = versions().release(&[]).yank(&["1.0.0", "1.1.0", "1.2.0"], -HOUR);
        one(&RULE, &history.input(), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn a_fix_that_replaces_is_hardly_suspect() {
        let history = versions().release(&[]).yank(&["1.0.0", "1.1.0", "1.2.0"], HOUR);
        one(&RULE, &history.input(), Severity::Medium, Confidence::Low);
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &versions().release(&[]).yank(&["1.2.0", "1.2.1"], -60).input());
        silent(&RULE, &versions().release(&[]).yank(&["1.0.0", "1.1.0", "1.2.0"], -3 * DAY).input());
        let back = versions().release(&[]).yank(&["1.0.0", "1.1.0", "1.2.0"], -60).unyank(&["1.0.0"], -30);
        silent(&RULE, &back.input());
    }

    #[test]
    fn without_events_there_is_no_answer() {
        let history =
            versions().release(&[]).with(|it| it.events = Known::Unknown("an index has none".to_owned()));
        not_evaluated(&RULE, &history.input());
    }
}
