//! Rust files that cargo compiles nothing of.

use cratekeeper_model::facts::SourceFile;
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::count;

pub(super) const RULE: Rule = Rule {
    id: "unlinked-rust-file",
    family: Family::Package,
    title: "Rust source that no target reaches",
    explanation: "\
**Looks at:** Rust files that no target reaches by `mod`, `#[path]` or `include!`, so that cargo compiles none of them.
Files below a directory called `tests`, `examples`, `benches` or `fuzz` are left out: data for tests and packages of
their own are ordinary there. No other name is excused.

**Why:** such a file is reviewed less, and yet a build script, or a macro that builds a path, can bring it in: the
places where other findings stand may be compiled after all. It may also be what is left of an attack, or of a
clean-up.

**Harmless when:** nearly always: templates, generated code that a build script includes, forgotten files.

**What to do:** nothing, unless another finding names the same file. Then look for what includes it.",
    severities: &[Severity::Info],
    techniques: &[],
    evaluate,
};

/// Directories that hold other things than the package's own code: cargo's names, and that of `cargo fuzz`.
const OTHER_CODE: [&str; 4] = ["tests", "examples", "benches", "fuzz"];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let files: Vec<&SourceFile> = facts.source.rust_files.iter().filter(|it| is_unlinked(it)).collect();
        if files.is_empty() {
            return Vec::new();
        }
        let message = format!(
            "no target reaches {}: only a macro or a build script can bring that into the build",
            count(files.len(), "Rust file", "Rust files")
        );
        vec![
            finding(&RULE, Severity::Info, Confidence::High, message)
                .with_evidence(files.iter().map(|file| place(&file.path, None, None)))
                .with_help("look for what includes such a file when another finding names it"),
        ]
    })
}

fn is_unlinked(file: &SourceFile) -> bool {
    let mut directories = file.path.split('/');
    directories.next_back();
    file.targets.is_empty() && !directories.any(|directory| OTHER_CODE.contains(&directory))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::SourceFileStatus;
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, rust_file, silent, with};

    fn with_files(files: &[(&str, &[u16])]) -> RuleInput {
        let files = files.iter().map(|(path, targets)| rust_file(path, SourceFileStatus::Parsed, targets));
        let files = files.collect();
        with(|facts| facts.source.rust_files = files)
    }

    #[test]
    fn unreached_files_are_one_finding() {
        let input = with_files(&[("src/lib.rs", &[0]), ("src/old.rs", &[]), ("tests.rs", &[])]);
        let finding = one(&RULE, &input, Severity::Info, Confidence::High);
        let places: Vec<&str> = finding.evidence.iter().map(|it| it.file.as_str()).collect();
        assert_eq!(places, ["src/old.rs", "tests.rs"]);
        assert!(finding.message.contains("2 Rust files"), "{}", finding.message);
    }

    #[test]
    fn a_name_that_only_resembles_tests_is_no_excuse() {
        for path in ["testing/a.rs", "tests-old/a.rs", "src/examples.rs", "data/a.rs"] {
            one(&RULE, &with_files(&[(path, &[])]), Severity::Info, Confidence::High);
        }
    }

    #[test]
    fn test_data_and_fuzzers_are_silent() {
        silent(
            &RULE,
            &with_files(&[("tests/ui/a.rs", &[]), ("fuzz/fuzz_targets/a.rs", &[]), ("a/benches/b.rs", &[])]),
        );
        silent(&RULE, &with_files(&[("src/lib.rs", &[0])]));
        silent(&RULE, &input());
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
