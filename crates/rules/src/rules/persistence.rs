//! Something is made to start by itself.

use cratekeeper_model::{RuleInput, Severity};

use crate::behaviour::with_behaviour;
use crate::correlation::{ChainKind, found};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "persistence",
    family: Family::Correlation,
    title: "Something is made to start by itself, or access is kept",
    explanation: "\
**Looks at:** places that start programs by themselves or give access, and what is written to them. What each tie is worth is in the table of [chains](#chains); from 4 points on there is a finding, 10 are an alert by themselves.

**Why:** it outlives the build, the crate and its removal.

**Harmless when:** installing a service is what the crate is for, and its user calls it.

**What to do:** look whether the place was written on machines that built it.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[12, 13, 15, 42, 43, 45, 46, 47, 49, 51, 56],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let help = "look whether the place was written on machines that built it";
        found(&RULE, ChainKind::Persistence.detect(behaviour), help)
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Topic};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    fn writing(function: u32, path: &str, kind: OperationKind) -> Deeds {
        let mut deeds = Deeds::new();
        let write = deeds.act(function, kind, &[path]);
        deeds.text(write, path, Topic::StartupPlace, &[]);
        deeds
    }

    #[test]
    fn a_build_script_that_stays_is_an_alert() {
        let deeds = writing(BUILD, "{}/.config/systemd/user/a.service", OperationKind::WriteFile);
        points(&RULE, &deeds, Severity::High, &[56]);
    }

    #[test]
    fn a_library_that_installs_services_stays_below_review() {
        let deeds = writing(LIBRARY, "{}/Library/LaunchAgents/{}.plist", OperationKind::WriteFile);
        points(&RULE, &deeds, Severity::Low, &[56]);
    }

    #[test]
    fn reading_such_a_place_is_silent() {
        silent(&RULE, &writing(LIBRARY, "{}/.bashrc", OperationKind::ReadFile).input());
    }
}
