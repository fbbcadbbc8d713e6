//! Versions that their owner has withdrawn.

use cratekeeper_model::{Confidence, IndexEntry, RuleInput, Severity};

use crate::advice;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, when_known};

pub(super) const RULE: Rule = Rule {
    id: "yanked-version",
    family: Family::History,
    title: "The owner has withdrawn this version",
    explanation: "\
**Looks at:** whether the registry's index marks the version as yanked.

**Why:** owners yank versions that are broken or vulnerable. Cargo keeps building a yanked version that a lockfile
names, and selects another one as soon as the lockfile is renewed.

But a yank is also a lure. On 2026-08-20 a hijacked owner of `arrayref` yanked versions 0.3.5 to 0.3.9 within 40 seconds
and then published 0.3.10, which brought malware: cargo's own warning led users there. So the advice of this rule
is to look at the other version before moving to it, above all when it is new or when several were yanked at once.

**Harmless when:** the version was yanked for something that does not concern you, such as a wrong minimum version of
Rust.

**What to do:** find out why it was yanked, inspect the version that the finding names, then move to it.",
    severities: &[Severity::Medium],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    when_known(&input.index, |index: &IndexEntry| {
        if !index.yanked {
            return Vec::new();
        }
        let message = format!(
            "{} was withdrawn by its owner (yanked): it may be broken or vulnerable",
            advice::package(&input.package)
        );
        vec![finding(&RULE, Severity::Medium, Confidence::High, message).with_help(help(input))]
    })
}

fn help(input: &RuleInput) -> String {
    let alternative = advice::newest_compatible(input).and_then(|version| {
        let spec = advice::spec(&input.package, version)?;
        Some((spec, advice::update_command(&input.package, version)?))
    });
    match alternative {
        Some((spec, command)) => format!(
            "find out why and run `cratekeeper inspect {spec}` first, since a yank can be a lure; then `{command}`"
        ),
        None => "find out why it was yanked; the index has no compatible version that was not".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent, with_newest};

    fn yanked(mut input: RuleInput) -> RuleInput {
        if let Known::Known(index) = &mut input.index {
            index.yanked = true;
        }
        input
    }

    /// The lure of 2026-08-20: good versions yanked, so that the newest one looks like the way out.
    #[test]
    fn the_wild_lure_is_not_followed_blindly() {
        let finding = one(&RULE, &yanked(with_newest("1.2.4")), Severity::Medium, Confidence::High);
        let help = finding.help.unwrap();
        let (inspect, update) =
            (help.find("inspect demo@1.2.4").unwrap(), help.find("--precise 1.2.4").unwrap());
        assert!(inspect < update, "{help}");
    }

    #[test]
    fn nothing_is_suggested_where_nothing_is_left() {
        for input in [input(), with_newest("1.2.3")] {
            let finding = one(&RULE, &yanked(input), Severity::Medium, Confidence::High);
            assert!(!finding.help.unwrap().contains("cargo update"));
        }
    }

    #[test]
    fn a_newer_version_is_no_yank() {
        silent(&RULE, &with_newest("1.9.0"));
        silent(&RULE, &input());
    }

    #[test]
    fn without_an_index_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { index: Known::Unknown("offline".to_owned()), ..input() });
    }
}
