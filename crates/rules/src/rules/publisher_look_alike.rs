//! A publisher whose login can be taken for that of a well-known one.

use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::past::with_release;
use crate::rule::{Complete, Evaluation, Family, Rule, finding};
use crate::text::{NAME, quoted};

pub(super) const RULE: Rule = Rule {
    id: "publisher-look-alike",
    family: Family::History,
    title: "The publisher's login looks like that of a well-known publisher",
    explanation: "\
**Looks at:** whether the publisher's login is nearly that of a publisher of many popular crates: a letter exchanged, left out or
doubled, letters that look alike. The logins compared with are those that companies name when they say whose releases they trust
([`names.md`](names.md)), and whoever else the registry's history shows to be one. Releases older than three months are not
looked at.

**Why:** `proc-macro1` (2026) was published by `dtolney`, twenty squats of 2023 by `alexrichton`. A page of a registry shows the
login beside the name, and who knows the right one reads what they expect.

**Harmless when:** two people have similar names. The crate then does not pretend to be by the other one.

**What to do:** open the publisher's page, and compare since when the account exists and what else it published.",
    severities: &[Severity::Medium],
    techniques: &[36],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_release(input, |past| match past.history.publisher.as_result() {
        Err(reason) => Evaluation::NotEvaluated(reason.to_owned()),
        Ok(publisher) => Evaluation::Findings(
            publisher
                .look_alikes
                .first()
                .map(|known| {
                    let message = format!(
                        "the publisher {} can be taken for {}",
                        quoted(&publisher.login, NAME),
                        quoted(known, NAME)
                    );
                    finding(&RULE, Severity::Medium, Confidence::High, message)
                        .with_help("compare both publishers' pages: since when, and what else they published")
                        .pointing_to([36])
                })
                .into_iter()
                .collect(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Confidence, Known, PublisherHistory, Severity};

    use super::RULE;
    use crate::test_support::history::History;
    use crate::test_support::{not_evaluated, one, silent};

    fn by(login: &str, look_alikes: &[&str]) -> History {
        let look_alikes = look_alikes.iter().map(|it| (*it).to_owned()).collect();
        let publisher =
            PublisherHistory { login: login.to_owned(), look_alikes, ..PublisherHistory::default() };
        History::new().release(&[]).with(|it| it.publisher = Known::Known(publisher))
    }

    /// The publisher of `proc-macro1`, August 2026.
    #[test]
    fn dtolney_is_taken_for_dtolnay() {
        let finding = one(&RULE, &by("dtolney", &["dtolnay"]).input(), Severity::Medium, Confidence::High);
        assert_eq!(finding.message, "the publisher `dtolney` can be taken for `dtolnay`");
        assert_eq!(finding.techniques, [36]);
    }

    #[test]
    fn others_are_silent_and_unknown_ones_give_no_answer() {
        silent(&RULE, &by("alice", &[]).input());
        not_evaluated(&RULE, &History::new().release(&[]).input());
    }
}
