//! Build scripts and macros that write elsewhere.

use cratekeeper_model::facts::{OperationKind, Quality, Topic};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Act, Behaviour, Sign, is_shared_place, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "writes-outside-package",
    family: Family::Behaviour,
    title: "Building the package writes outside of its output directory",
    explanation: "\
**Looks at:** what build scripts and procedural macros write, delete or make executable. A path below a home directory, an absolute one, or one in a place that all packages share gives `low`; one in a temporary directory gives `info`. Paths below `OUT_DIR`, and those that nothing is known about, are no hit.

**Why:** cargo promises nothing about other places, and [its reference](https://doc.rust-lang.org/cargo/reference/build-scripts.html) asks build scripts to write nowhere else. What lies in a home directory outlives the build.

**Harmless when:** it keeps a cache of downloads there, or writes generated code beside the source while the crate is developed.

**What to do:** read what is written, and what later reads it.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[2],
    evaluate,
};

const WRITES: &[OperationKind] = &[
    OperationKind::WriteFile,
    OperationKind::SetPermissions,
    OperationKind::DeleteFile,
    OperationKind::SystemRegistry,
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.of_kind(WRITES).filter(|act| behaviour.at_build(*act));
        let seen = acts.filter_map(|act| sign(behaviour, act));
        let says = "building the package writes to places that it does not own";
        signs(&RULE, seen, says, "read what is written there, and what reads it")
    })
}

fn sign(behaviour: &Behaviour<'_>, act: Act<'_>) -> Option<Sign> {
    if act.is(Quality::InsidePackage) {
        return None;
    }
    let severity = match outside(behaviour, act)? {
        Place::Shared => Severity::Low,
        Place::Temporary => Severity::Info,
    };
    Some(Sign::new(severity, Confidence::Medium, behaviour.evidence(act)).pointing_to([2]))
}

enum Place {
    Shared,
    Temporary,
}

fn outside(behaviour: &Behaviour<'_>, act: Act<'_>) -> Option<Place> {
    let topics = [Topic::SharedPlace, Topic::HiddenPlace, Topic::StartupPlace, Topic::SecretFile];
    if act.operation.kind == OperationKind::SystemRegistry || behaviour.mentions(act, &topics) {
        return Some(Place::Shared);
    }
    let variables = behaviour.into(act).iter().filter_map(|flow| behaviour.act(flow.from?));
    let directories = ["home_dir", "config_dir", "data_dir", "cache_dir", "data_local_dir"];
    let from_elsewhere = variables.into_iter().any(|read| {
        read.operation.arguments.first().is_some_and(|name| is_shared_place(name) && !name.starts_with("TMP"))
            || directories.iter().any(|it| read.operation.path.ends_with(it))
    });
    let mut paths = act.operation.arguments.iter();
    if paths.clone().any(|path| path.starts_with("/tmp") || path.contains("temp_dir")) {
        return Some(Place::Temporary);
    }
    (from_elsewhere || paths.any(|path| is_shared_place(path))).then_some(Place::Shared)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{FlowSource, OperationKind, Quality};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn a_file_below_the_home_directory_is_told() {
        let mut deeds = Deeds::new();
        let home = deeds.act(BUILD, OperationKind::ReadVariable, &["HOME"]);
        let write = deeds.act(BUILD, OperationKind::WriteFile, &["{}/.palette/state"]);
        deeds.flow(FlowSource::Variable, Some(home), write);
        points(&RULE, &deeds, Severity::Low, &[2]);
    }

    #[test]
    fn the_output_directory_and_unknown_places_are_silent() {
        let mut deeds = Deeds::new();
        let write = deeds.act(BUILD, OperationKind::WriteFile, &["/nowhere/{}/table.rs"]);
        deeds.quality(write, Quality::InsidePackage);
        deeds.act(BUILD, OperationKind::WriteFile, &["{}/table.rs"]);
        deeds.act(LIBRARY, OperationKind::WriteFile, &["/etc/demo"]);
        silent(&RULE, &deeds.input());
    }
}
