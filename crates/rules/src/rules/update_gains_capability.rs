//! Updates that can do more than the version before.

use cratekeeper_model::facts::{Capability, Phase};
use cratekeeper_model::{Change, ChangeKind, Confidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, Family, Rule, by_weight, finding};
use crate::update::{Step, Update, places, with_update};

pub(super) const RULE: Rule = Rule {
    id: "update-gains-capability",
    family: Family::Difference,
    title: "An update can reach something that the version before could not",
    explanation: "\
**Looks at:** capabilities that are new in a patch or minor release: network, processes, loading code at run time, executable
memory, system calls by number. `medium` if the new code runs at build time or before `main`, otherwise `low`; less
in a minor release than in a patch. What a new build script brings is told by `update-gains-build-code`.

**Why:** cargo takes such releases by itself. A payload in a taken-over crate is mostly one release old when it is found, and
what it adds is the reaching out.

**Harmless when:** the change log names the feature that needs it. Minor releases gain features.

**What to do:** look at the places shown: there are mostly few, and all of them are new.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[1],
    evaluate: |input: &RuleInput| with_update(input, found),
};

const WATCHED: [Capability; 5] = [
    Capability::Net,
    Capability::Process,
    Capability::DynamicLoading,
    Capability::ExecMemory,
    Capability::RawSyscall,
];

fn found(update: Update<'_>) -> Vec<Finding> {
    let begins_to_build = [ChangeKind::BuildScript, ChangeKind::ProcMacro]
        .into_iter()
        .any(|kind| update.added(kind).next().is_some());
    let is_told_elsewhere = |change: &&Change| {
        begins_to_build && change.capability.is_some_and(|(_, phase)| phase == Phase::BuildTime)
    };
    let gained = update.added(ChangeKind::Capability).filter(|change| !is_told_elsewhere(change));
    by_weight(gained, |change| weight(change, update.step))
        .into_iter()
        .map(|(weight, changes)| told(weight, &changes, update))
        .collect()
}

fn weight(change: &Change, step: Step) -> Option<(Severity, Confidence)> {
    let (capability, phase) = change.capability.filter(|(capability, _)| WATCHED.contains(capability))?;
    // Starting a program is ordinary for a build script that has one already: compilers, `pkg-config`.
    let severity = match phase {
        Phase::BuildTime if capability == Capability::Process => Severity::Low,
        Phase::BuildTime | Phase::BeforeMain => Severity::Medium,
        Phase::RunTime => Severity::Low,
        Phase::Test | Phase::Unreached => return None,
    };
    match step {
        Step::Patch => Some((severity, Confidence::Medium)),
        Step::Minor => Some((severity, Confidence::Low)),
        Step::Major => None,
    }
}

fn told((severity, confidence): (Severity, Confidence), changes: &[&Change], update: Update<'_>) -> Finding {
    let gained: Vec<String> = changes
        .iter()
        .filter_map(|it| it.capability)
        .map(|(capability, phase)| format!("{} at {}", capability.as_str(), phase.as_str()))
        .collect();
    let release = if update.step == Step::Patch { "patch" } else { "minor" };
    let message = format!("since {} this {release} release can use {}", update.since, gained.join(", "));
    let at_build = changes
        .iter()
        .any(|it| matches!(it.capability, Some((Capability::Net | Capability::Process, Phase::BuildTime))));
    finding(&RULE, severity, confidence, message)
        .with_evidence(places(changes.iter().copied()))
        .with_help("read the places shown, and what the change log says about them")
        .pointing_to(at_build.then_some(1))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Capability, Phase};
    use cratekeeper_model::{ChangeKind, Confidence, Severity};

    use super::RULE;
    use crate::test_support::{added, capability, one, silent, updated, weights};

    #[test]
    fn a_patch_that_begins_to_use_the_network_is_told() {
        let net = capability(Capability::Net, Phase::RunTime);
        one(&RULE, &updated("1.2.2", vec![net.clone()]), Severity::Low, Confidence::Medium);
        one(&RULE, &updated("1.1.0", vec![net]), Severity::Low, Confidence::Low);
        let early = capability(Capability::ExecMemory, Phase::BeforeMain);
        one(&RULE, &updated("1.2.2", vec![early]), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn each_weight_is_one_finding() {
        let gained = [
            capability(Capability::Net, Phase::BuildTime),
            capability(Capability::Process, Phase::BuildTime),
            capability(Capability::Net, Phase::RunTime),
        ];
        assert_eq!(weights(&RULE, &updated("1.2.2", gained.to_vec())).len(), 2);
    }

    #[test]
    fn files_variables_tests_and_major_versions_are_silent() {
        for (capability_, phase) in [
            (Capability::FsRead, Phase::RunTime),
            (Capability::Env, Phase::BuildTime),
            (Capability::Net, Phase::Test),
            (Capability::Net, Phase::Unreached),
        ] {
            silent(&RULE, &updated("1.2.2", vec![capability(capability_, phase)]));
        }
        silent(&RULE, &updated("0.9.0", vec![capability(Capability::Net, Phase::RunTime)]));
    }

    #[test]
    fn what_a_new_build_script_brings_is_told_elsewhere() {
        let changes =
            vec![added(ChangeKind::BuildScript, "build.rs"), capability(Capability::Net, Phase::BuildTime)];
        silent(&RULE, &updated("1.2.2", changes));
    }
}
