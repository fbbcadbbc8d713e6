//! Effects of build scripts and procedural macros.

use cratekeeper_model::facts::{FlowSource, OperationKind, Quality};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::behaviour::{Act, Behaviour, Program, Sign, is_secret_variable, signs, with_behaviour};
use crate::rule::{Evaluation, Family, Rule};

pub(super) const RULE: Rule = Rule {
    id: "build-time-effects",
    family: Family::Behaviour,
    title: "Building the package reaches beyond it: networks, programs, files, variables",
    explanation: "\
**Looks at:** what build scripts (technique 1) and procedural macros (5) do while somebody builds.

| what | severity |
|---|---|
| a connection | low |
| a program by a constant name that is no tool of builds, or a shell | low |
| a program whose name is computed, and no variable that names a tool is read | info |
| a macro that reads a file outside of the package, collects variables, or reads one that is not cargo's | info |
| a macro that reads files below its user's package | info |

Compilers, version control, finders of libraries and generators of code are no hit.

**Why:** this code runs with the rights of whoever builds, before anything is tested or called. Nearly all malicious crates of 2022-2026 acted there.

**Harmless when:** it downloads a library that it links, asks a program for its version, or embeds files that its user names. These are many; so it is a sign for other rules, and no more.

**What to do:** read the places. What is sent, and what is started, should follow from the documentation.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[1, 5],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_behaviour(input, |behaviour| {
        let acts = behaviour.acts().filter(|act| behaviour.at_build(*act));
        let seen = acts.filter_map(|act| sign(behaviour, act));
        let says = "building the package does more than to compile it";
        signs(&RULE, seen, says, "read what is sent and started there")
    })
}

fn sign(behaviour: &Behaviour<'_>, act: Act<'_>) -> Option<Sign> {
    let technique = if behaviour.in_build_script(act) { 1 } else { 5 };
    let (severity, confidence) = match act.operation.kind {
        OperationKind::Connect | OperationKind::ResolveName => (Severity::Low, Confidence::Medium),
        OperationKind::StartProcess => match behaviour.program(act) {
            Program::BuildTool => return None,
            Program::Computed => (Severity::Info, Confidence::Medium),
            Program::Shell | Program::Downloader | Program::Other => (Severity::Low, Confidence::Medium),
        },
        OperationKind::LoadLibrary | OperationKind::ListVariables | OperationKind::HostInformation
            if technique == 5 =>
        {
            (Severity::Info, Confidence::High)
        }
        OperationKind::ReadFile | OperationKind::ReadDirectory | OperationKind::WriteFile
            if technique == 5 =>
        {
            let inside = act.is(Quality::InsidePackage);
            (Severity::Info, if inside { Confidence::Low } else { Confidence::Medium })
        }
        OperationKind::ReadVariable if technique == 5 && is_foreign_variable(act) => {
            (Severity::Info, Confidence::Low)
        }
        _ => return None,
    };
    let sends = behaviour.receives(act, &[FlowSource::HostInformation, FlowSource::AllVariables]);
    let confidence = if sends { Confidence::High } else { confidence };
    Some(Sign::new(severity, confidence, behaviour.evidence(act)).pointing_to([technique]))
}

/// Variables that neither cargo nor the compiler sets.
fn is_foreign_variable(act: Act<'_>) -> bool {
    let Some(name) = act.operation.arguments.first() else { return false };
    let own =
        ["CARGO", "RUST", "OUT_DIR", "TARGET", "HOST", "PROFILE", "DEBUG", "OPT_LEVEL", "NUM_JOBS", "DEP_"];
    is_secret_variable(name)
        || (name != "{}" && !name.is_empty() && !own.iter().any(|it| name.starts_with(it)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::Severity;
    use cratekeeper_model::facts::{OperationKind, Quality};

    use super::RULE;
    use crate::test_support::{BUILD, Deeds, LIBRARY, points, silent};

    #[test]
    fn a_build_script_that_connects_is_told() {
        let mut deeds = Deeds::new();
        deeds.act(BUILD, OperationKind::Connect, &["127.0.0.1:9"]);
        let finding = points(&RULE, &deeds, Severity::Low, &[1]);
        assert_eq!(finding.evidence[0].excerpt.as_deref(), Some("example::Connect(\"127[.]0[.]0[.]1:9\")"));
    }

    #[test]
    fn a_macro_that_starts_a_program_is_told() {
        let mut deeds = Deeds::of_macro();
        deeds.act(LIBRARY, OperationKind::StartProcess, &["uname", "-a"]);
        points(&RULE, &deeds, Severity::Low, &[5]);
    }

    #[test]
    fn a_macro_that_embeds_files_is_worth_knowing() {
        let mut deeds = Deeds::of_macro();
        let read = deeds.act(LIBRARY, OperationKind::ReadFile, &["{}/{}"]);
        deeds.quality(read, Quality::InsidePackage);
        points(&RULE, &deeds, Severity::Info, &[5]);
    }

    #[test]
    fn tools_of_builds_are_silent() {
        let mut deeds = Deeds::new();
        for program in [&["git", "rev-parse"][..], &["/usr/bin/clang-17"], &["pkg-config", "--libs", "z"]] {
            deeds.act(BUILD, OperationKind::StartProcess, program);
        }
        deeds.act(BUILD, OperationKind::ReadVariable, &["RUSTC"]);
        deeds.act(BUILD, OperationKind::StartProcess, &["{}", "--version"]);
        silent(&RULE, &deeds.input());
    }

    #[test]
    fn a_library_that_connects_is_no_build() {
        let mut deeds = Deeds::new();
        deeds.act(LIBRARY, OperationKind::Connect, &["127.0.0.1:9"]);
        silent(&RULE, &deeds.input());
    }
}
