//! A new dependency whose own case is grave.

use cratekeeper_model::{Confidence, DependencyHistory, Finding, RuleInput, Severity};

use crate::past::with_release;
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "suspicious-dependency",
    family: Family::History,
    title: "A new dependency is itself at alert",
    explanation: "\
**Looks at:** dependencies that the previous version did not have, or those of a first version: what does the version that
would be built score by itself? From `alert` (60) on it is `high`. A dependency that was there before is not counted, because
whoever depends on it did not choose its bad version. Where dependencies were not judged, as in `check`, which shows each
package's own case, the rule looks at nothing.

**Why:** a facade with clean code and a payload in a second crate is how `finch-rust` (2025, payload in `sha-rust`),
`uniswap-utils` (2025, payload in `evm-units`) and `arrayref` (2026, payload in `proc-macro1`) were made.

**Harmless when:** the dependency's case is a false alarm. Then so is this one.

**What to do:** look at the dependency's case: `cratekeeper inspect` shows it.",
    severities: &[Severity::High],
    techniques: &[31],
    evaluate,
};

/// Score of `alert`.
const ALERT: u8 = 60;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let worst = past.new_dependencies().filter(|it| score(it) >= ALERT).max_by_key(|it| score(it));
        Evaluation::Findings(worst.map(found).into_iter().collect())
    })
}

fn score(dependency: &DependencyHistory) -> u8 {
    dependency.score.value().copied().unwrap_or(0)
}

fn found(dependency: &DependencyHistory) -> Finding {
    let name = quoted(&dependency.name, NAME);
    let message = format!(
        "depends on {name}, which the previous version did not, and which scores {} by itself",
        score(dependency)
    );
    let help = format!("`cratekeeper inspect` the version of {name} that would be built");
    finding(&RULE, Severity::High, Confidence::High, message).with_help(help).pointing_to([31])
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, DependencyHistory, Known, Severity};

    use super::RULE;
    use crate::past::DAY;
    use crate::test_support::history::{History, dependency};
    use crate::test_support::{one, silent};

    fn scoring(score: u8, in_previous: Option<bool>) -> History {
        let it = DependencyHistory {
            score: Known::Known(score),
            in_previous,
            ..dependency("sha-rust", DAY, None)
        };
        History::new().release(&["sha-rust"]).with(|history| history.dependencies = vec![it])
    }

    #[test]
    fn a_facade_of_a_payload_crate_is_high() {
        for in_previous in [None, Some(false)] {
            let finding = one(&RULE, &scoring(88, in_previous).input(), Severity::High, Confidence::High);
            assert!(finding.message.contains("`sha-rust`") && finding.techniques == [31]);
        }
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &scoring(59, Some(false)).input());
        silent(&RULE, &scoring(99, Some(true)).input());
    }
}
