//! Updates that are many times as large as the version before.

use cratekeeper_model::{ChangeKind, Confidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, Family, Rule, finding};
use crate::update::{Step, Update, places, with_update};

pub(super) const RULE: Rule = Rule {
    id: "update-grows-out-of-proportion",
    family: Family::Difference,
    title: "A small update brings several times the code of the version before",
    explanation: "\
**Looks at:** lines of Rust in a patch or minor release: three times as many in a patch, six times in a minor release, and at
least 500 more. `low`.

**Why:** repairs are small. A crate that was published as a stub to be trusted, and filled later, grows like this.

**Harmless when:** generated code was added, or the first versions only reserved the name.

**What to do:** look at the largest new files, which are shown.",
    severities: &[Severity::Low],
    techniques: &[],
    evaluate: |input: &RuleInput| with_update(input, |update| found(update).into_iter().collect()),
};

/// Lines below which any factor is an accident.
const LEAST: u64 = 500;

fn found(update: Update<'_>) -> Option<Finding> {
    let (before, after) = update.difference.rust_lines;
    let (factor, confidence) = match update.step {
        Step::Patch => (3, Confidence::Medium),
        Step::Minor => (6, Confidence::Low),
        Step::Major => return None,
    };
    if after.saturating_sub(before) < LEAST || after < before.saturating_mul(factor) {
        return None;
    }
    let message = format!("{} had {before} lines of Rust and this version has {after}", update.since);
    let volume = update.difference.changes.iter().filter(|it| it.kind == ChangeKind::CodeVolume);
    Some(
        finding(&RULE, Severity::Low, confidence, message)
            .with_evidence(places(volume))
            .with_help("look at what was added: new files are shown with their lines"),
    )
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{one, silent, updated};

    fn growing(since: &str, before: u64, after: u64) -> RuleInput {
        let mut input = updated(since, Vec::new());
        if let Known::Known(previous) = &mut input.previous {
            previous.difference.rust_lines = (before, after);
        }
        input
    }

    #[test]
    fn several_times_the_code_is_told() {
        one(&RULE, &growing("1.2.2", 300, 1_200), Severity::Low, Confidence::Medium);
        one(&RULE, &growing("1.1.0", 100, 1_200), Severity::Low, Confidence::Low);
    }

    #[test]
    fn ordinary_growth_is_silent() {
        silent(&RULE, &growing("1.2.2", 10, 400));
        silent(&RULE, &growing("1.2.2", 5_000, 9_000));
        silent(&RULE, &growing("1.1.0", 300, 1_200));
        silent(&RULE, &growing("0.9.0", 10, 90_000));
        silent(&RULE, &growing("1.2.2", 9_000, 10));
    }
}
