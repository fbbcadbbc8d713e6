//! One publisher, many names that can be taken for others.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::{YOUNG, with_release};
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, count, quoted};

pub(super) const RULE: Rule = Rule {
    id: "near-name-campaign",
    family: Family::History,
    title: "The publisher has published several names that can be taken for others",
    explanation: "\
**Looks at:** the other crates that this version's publisher first published within a month of it, and how many of their names,
this one included, can be taken for names of crates by others. From three on it is `high`, because it is one campaign and not
many coincidences; two are `low`. Crates whose owners also own the crate that they are like do not count.

**Why:** squatting is done in series: eight names in five days (2023, `postgress` to `postgresderive`), twenty by `alexrichton`
(2023), nine of a whole dependency chain (2026, `polymarket-clients-sdk`).

**Harmless when:** somebody publishes a family of companions, `x-derive` and `x-macros`, to a crate of somebody else.

**What to do:** look at all of them as one case: what one does, the others will.",
    severities: &[Severity::Low, Severity::Medium, Severity::High],
    techniques: &[35],
    evaluate,
};

/// Most names in a message.
const SHOWN: usize = 6;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| {
        let publisher = match past.history.publisher.as_result() {
            Ok(publisher) => publisher,
            Err(reason) => return Evaluation::NotEvaluated(reason.to_owned()),
        };
        let is_recent = |name: &str| {
            let first = publisher.crates.iter().find(|(other, _)| other == name);
            first.is_none_or(|(_, time)| past.published.saturating_sub(*time).saturating_abs() <= YOUNG)
        };
        let names: Vec<&(String, String)> =
            publisher.near_names.iter().filter(|(name, _)| is_recent(name)).collect();
        let is_one_of_them = names.iter().any(|(name, _)| *name == input.package.name);
        let (severity, confidence) = match (names.len(), is_one_of_them) {
            (3.., true) => (Severity::High, Confidence::Medium),
            (3.., false) => (Severity::Medium, Confidence::Medium),
            (2, true) => (Severity::Low, Confidence::Medium),
            _ => return Evaluation::silent(),
        };
        let shown = names.iter().take(SHOWN);
        let shown: Vec<String> = shown
            .map(|(name, other)| format!("{} like {}", quoted(name, NAME), quoted(other, NAME)))
            .collect();
        let more = match names.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {}", count(more, "other", "others")),
        };
        let message = format!(
            "{} published {} within a month that can be taken for others: {}{more}",
            quoted(&publisher.login, NAME),
            count(names.len(), "name", "names"),
            shown.join(", ")
        );
        let finding = finding(&RULE, severity, confidence, message)
            .with_help("look at all of them as one case: what one does, the others will");
        Evaluation::Findings(vec![finding.pointing_to([35])])
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, PublisherHistory, Severity};

    use super::RULE;
    use crate::past::DAY;
    use crate::test_support::history::{History, PUBLISHED};
    use crate::test_support::{not_evaluated, one, silent};

    /// The judged crate is called `demo`.
    fn published(names: &[(&str, &str, i64)]) -> History {
        let near_names =
            names.iter().map(|(name, other, _)| ((*name).to_owned(), (*other).to_owned())).collect();
        let crates =
            names.iter().map(|(name, _, days)| ((*name).to_owned(), PUBLISHED - days * DAY)).collect();
        let login = "alice".to_owned();
        let publisher = PublisherHistory { login, near_names, crates, ..PublisherHistory::default() };
        History::new().release(&[]).with(|it| it.publisher = Known::Known(publisher))
    }

    /// The messenger squats of August 2023.
    #[test]
    fn three_names_are_a_campaign() {
        let history = published(&[("serd", "serde", 1), ("oncecell", "once_cell", 2), ("demo", "demos", 0)]);
        let finding = one(&RULE, &history.input(), Severity::High, Confidence::Medium);
        assert!(finding.message.contains("3 names within a month"), "{}", finding.message);
        assert_eq!(finding.techniques, [35]);
    }

    #[test]
    fn a_publisher_of_squats_is_suspect_with_any_crate() {
        let history =
            published(&[("serd", "serde", 1), ("oncecell", "once_cell", 2), ("envlogger", "env_logger", 0)]);
        one(&RULE, &history.input(), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn near_misses_are_silent_or_low() {
        one(
            &RULE,
            &published(&[("serd", "serde", 1), ("demo", "demos", 0)]).input(),
            Severity::Low,
            Confidence::Medium,
        );
        silent(&RULE, &published(&[("demo", "demos", 0)]).input());
        silent(
            &RULE,
            &published(&[("serd", "serde", 400), ("oncecell", "once_cell", 500), ("demo", "demos", 0)])
                .input(),
        );
        silent(&RULE, &published(&[]).input());
        not_evaluated(&RULE, &History::new().release(&[]).input());
    }
}
