//! A crate that never had a dependency gets one.

use cratekeeper_model::{Confidence, DependencyHistory, RuleInput, Severity};

use crate::past::{DORMANT, Past, duration, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "first-dependency",
    family: Family::History,
    title: "A crate that never had a dependency has one",
    explanation: "\
**Looks at:** whether this is the first version with a dependency that is used or built, after at least three versions or
three months without any. Development dependencies do not count. It is `medium` for a crate of a year and more, `low` for
younger ones and where everything that it now depends on is a year old, or by the same people. Releases older than three months are not
looked at.

**Why:** whoever takes over a small crate needs a place for the payload, and a line in the manifest is the least visible
one. `arrayref` had no dependency for ten years; the hijacked 0.3.10 (2026-08-20) had one, `proc-macro1`, which was hours old.

**Harmless when:** a crate grows. Then the dependency is well known, or by the same people.

**What to do:** look at the dependency, and at who publishes it, before updating.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[31],
    evaluate,
};

/// Downloads from which on a crate is widely used: one in ten crates has more.
const WIDELY_USED: u64 = 100_000;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| match past.has_first_dependency() {
        Err(reason) => Evaluation::NotEvaluated(reason.to_owned()),
        Ok(false) => Evaluation::silent(),
        Ok(true) => {
            let (severity, confidence) = weight(past);
            let names = past.own.dependencies.value().map_or(&[][..], Vec::as_slice);
            let names: Vec<String> = names.iter().take(3).map(|it| quoted(it, NAME)).collect();
            let message = format!(
                "this is the first version with a dependency ({}), after {} without in {}",
                names.join(", "),
                past.earlier.len(),
                duration(past.crate_age().unwrap_or(0))
            );
            let help = "look at the new dependency and its publisher before updating";
            let finding = finding(&RULE, severity, confidence, message).with_help(help);
            Evaluation::Findings(vec![finding.pointing_to((!past.adds_its_own_only()).then_some(31))])
        }
    })
}

fn weight(past: &Past<'_>) -> (Severity, Confidence) {
    if past.adds_its_own_only() {
        return (Severity::Low, Confidence::Low);
    }
    let is_old = |it: &DependencyHistory| past.age_of(it).is_some_and(|age| age >= DORMANT);
    let is_used = |it: &DependencyHistory| it.downloads.value().is_some_and(|it| *it >= WIDELY_USED);
    let direct = past.new_dependencies().filter(|it| it.through.is_empty());
    let direct: Vec<&DependencyHistory> = direct.collect();
    if !direct.is_empty() && direct.iter().all(|it| is_old(it)) {
        // An index does not count downloads; a crate of years is no trap that was laid for this one.
        let is_widely_used = direct.iter().all(|it| is_used(it));
        let confidence = if is_widely_used { Confidence::Low } else { Confidence::Medium };
        return (Severity::Low, confidence);
    }
    if past.crate_age().is_some_and(|age| age >= DORMANT) {
        (Severity::Medium, Confidence::Medium)
    } else {
        (Severity::Low, Confidence::Medium)
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, Severity};

    use super::RULE;
    use crate::past::DAY;
    use crate::test_support::history::{History, dependency};
    use crate::test_support::{input, not_evaluated, one, silent};

    /// `arrayref` of August 2026.
    #[test]
    fn the_first_dependency_in_ten_years_is_medium() {
        let history = History::new().version("0.3.8", 3000).version("0.3.9", 900).release(&["proc-macro1"]);
        let finding = one(&RULE, &history.input(), Severity::Medium, Confidence::Medium);
        assert!(
            finding.message.contains("`proc-macro1`") && finding.techniques == [31],
            "{}",
            finding.message
        );
    }

    #[test]
    fn a_widely_used_dependency_is_low() {
        let libc = dependency("libc", 3000 * DAY, Some(900_000_000));
        let history =
            History::new().version("0.3.9", 900).release(&["libc"]).with(|it| it.dependencies = vec![libc]);
        one(&RULE, &history.input(), Severity::Low, Confidence::Low);
    }

    #[test]
    fn a_part_that_was_split_off_is_low_and_points_to_nothing() {
        let mut part = dependency("demo-core", DAY, None);
        part.owners = Known::Known(vec!["alice".to_owned()]);
        let history = History::new().version("0.3.9", 900).release(&["demo-core"]);
        let finding = one(
            &RULE,
            &history.with(|it| it.dependencies = vec![part]).input(),
            Severity::Low,
            Confidence::Low,
        );
        assert!(finding.techniques.is_empty());
    }

    #[test]
    fn near_misses_are_silent() {
        silent(&RULE, &History::new().version("0.3.9", 900).release(&[]).input());
        let before = History::new().version_with("0.3.9", 900, &["cc"]).release(&["cc", "libc"]);
        silent(&RULE, &before.input());
        silent(&RULE, &History::new().version("0.1.0", 3).release(&["libc"]).input());
        silent(&RULE, &History::new().release(&["libc"]).input());
        let seen_for_long =
            History::new().version("0.3.9", 900).release(&["x"]).with(|it| it.at += 200 * DAY);
        silent(&RULE, &seen_for_long.input());
    }

    #[test]
    fn unknown_parts_give_no_answer() {
        not_evaluated(&RULE, &input());
        let history = History::new().version("0.3.9", 900).release(&["x"]);
        let unknown =
            history.with(|it| it.versions[0].dependencies = Known::Unknown("not listed".to_owned()));
        not_evaluated(&RULE, &unknown.input());
    }
}
