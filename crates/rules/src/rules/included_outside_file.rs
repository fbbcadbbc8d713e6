//! Files of the machine that compiles, put into the program.

use cratekeeper_model::facts::{Facts, Include, IncludeKind};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "included-outside-file",
    family: Family::Package,
    title: "The compiler is made to read a file from outside of the package",
    explanation: "\
**Looks at:** the paths of `include!`, `include_str!` and `include_bytes!`.

| path | severity, confidence |
|---|---|
| absolute, or below a directory that a variable names (`HOME`, `USERPROFILE`, `CARGO_HOME`, …), in what is shipped | medium, high |
| the same in tests, benchmarks and examples | low, medium |
| leaves the package by `..` | low, medium |
| below another variable, or put together by another macro | info, low |

`OUT_DIR` and paths inside of the package are silent.

**Why:** what the compiler reads becomes a constant: keys and credentials of whoever compiles leave with the program, although no
function that opens files is ever called.

**Harmless when:** the package was cut out of a repository whose other files it includes, and does not compile alone.

**What to do:** do not compile it where such a file exists.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[7],
    evaluate,
};

/// Variables below which are the files of a person or a machine.
const OUTSIDE: [&str; 14] = [
    "HOME",
    "USERPROFILE",
    "HOMEPATH",
    "APPDATA",
    "LOCALAPPDATA",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "PWD",
    "TMPDIR",
    "TEMP",
    "GITHUB_WORKSPACE",
    "GNUPGHOME",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups = by_weight(&facts.source.includes, |it| weight(facts, it));
        groups
            .into_iter()
            .map(|((severity, confidence), includes)| {
                let message = format!(
                    "the compiler is made to read from outside of the package ({})",
                    count(includes.len(), "place", "places")
                );
                finding(&RULE, severity, confidence, message)
                    .with_evidence(includes.iter().map(|it| evidence(facts, it)))
                    .with_help("do not compile it where the file exists; ask what it is needed for")
                    .pointing_to([7])
            })
            .collect()
    })
}

fn weight(facts: &Facts, include: &Include) -> Option<(Severity, Confidence)> {
    let is_file =
        matches!(include.kind, IncludeKind::Include | IncludeKind::IncludeStr | IncludeKind::IncludeBytes);
    if !is_file {
        return None;
    }
    let outside = if places::ships(facts, include.file) {
        (Severity::Medium, Confidence::High)
    } else {
        (Severity::Low, Confidence::Medium)
    };
    let directory = places::directory(places::path(facts, include.file));
    let variables: Vec<&str> = variables(&include.argument).collect();
    if include.literal {
        return match places::inside_package(directory, &include.argument) {
            Some(_) => None,
            None if is_absolute(&include.argument) => Some(outside),
            None => Some((Severity::Low, Confidence::Medium)),
        };
    }
    if variables.iter().any(|it| OUTSIDE.contains(it)) {
        return Some(outside);
    }
    if variables.contains(&"CARGO_MANIFEST_DIR") {
        let texts: String = texts(&include.argument).filter(|it| *it != "CARGO_MANIFEST_DIR").collect();
        let leaves = places::inside_package("", texts.trim_start_matches('/')).is_none();
        return leaves.then_some((Severity::Low, Confidence::Medium));
    }
    let first = texts(&include.argument).next().unwrap_or("");
    if variables.is_empty() && is_absolute(first) {
        return Some(outside);
    }
    let is_usual =
        variables.contains(&"OUT_DIR") || (variables.is_empty() && !include.argument.contains("concat!"));
    (!is_usual && !variables.is_empty()).then_some((Severity::Info, Confidence::Low))
}

fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '\\', '~']) || path.as_bytes().get(1) == Some(&b':')
}

/// Arguments of `env!` and `option_env!` in an argument.
fn variables(argument: &str) -> impl Iterator<Item = &str> {
    argument.split("env!").skip(1).filter_map(|rest| texts(rest).next())
}

/// String literals in an argument.
fn texts(argument: &str) -> impl Iterator<Item = &str> {
    argument.split('"').skip(1).step_by(2)
}

fn evidence(facts: &Facts, include: &Include) -> Evidence {
    place(places::path(facts, include.file), Some(include.line), Some(printable(&include.argument, EXCERPT)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::IncludeKind::{Env, IncludeStr};
    use cratekeeper_model::facts::{Include, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{include, one, silent, with_rust};

    fn literal(path: &str, target: TargetKind) -> RuleInput {
        with_rust("src/lib.rs", target, |facts| facts.source.includes.push(include(IncludeStr, path)))
    }

    fn computed(argument: &str) -> RuleInput {
        let include = Include { literal: false, ..include(IncludeStr, argument) };
        with_rust("src/lib.rs", TargetKind::Lib, |facts| facts.source.includes.push(include))
    }

    #[test]
    fn files_of_the_machine_are_medium() {
        for path in ["/etc/os-release", "C:\\Users\\a\\.ssh\\id", "~/.netrc"] {
            let finding = one(&RULE, &literal(path, TargetKind::Lib), Severity::Medium, Confidence::High);
            assert_eq!(finding.techniques, [7]);
        }
        for argument in ["concat!(env!(\"HOME\"), \"/.ssh/id_ed25519\")", "concat!(\"/etc/\", \"passwd\")"] {
            one(&RULE, &computed(argument), Severity::Medium, Confidence::High);
        }
        one(&RULE, &literal("/etc/os-release", TargetKind::Test), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn leaving_the_package_is_low() {
        one(&RULE, &literal("../../README.md", TargetKind::Lib), Severity::Low, Confidence::Medium);
        let argument = "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../x.txt\")";
        one(&RULE, &computed(argument), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn other_variables_are_info() {
        one(&RULE, &computed("concat!(env!(\"DEMO_DATA\"), \"/x\")"), Severity::Info, Confidence::Low);
    }

    #[test]
    fn files_of_the_package_are_silent() {
        for path in ["../README.md", "table.bin", "sub/../x"] {
            silent(&RULE, &literal(path, TargetKind::Lib));
        }
        for argument in [
            "concat!(env!(\"OUT_DIR\"), \"/bindings.rs\")",
            "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/templates/../mark.bin\")",
            "$path",
        ] {
            silent(&RULE, &computed(argument));
        }
        let input =
            with_rust("src/lib.rs", TargetKind::Lib, |it| it.source.includes.push(include(Env, "/x")));
        silent(&RULE, &input);
    }
}
