//! Rust files that could not be read as Rust.

use cratekeeper_model::facts::{ManifestFacts, SourceFile, SourceFileStatus, TargetKind};
use cratekeeper_model::{Confidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "unparsed-rust-file",
    family: Family::Package,
    title: "Rust source that could not be read as Rust",
    explanation: "\
**Looks at:** Rust files with syntax errors, files that are nested too deeply for a parser, and files that are not UTF-8.
They are scanned all the same, but what stands around the error may have been misread.

| who compiles the file | severity |
|---|---|
| whoever depends on the package: library, program, macro, build script | medium |
| only its developers: tests, examples, benchmarks | low |
| nobody: no target reaches it | info |

Confidence is medium for syntax errors and for other encodings. It is high for files that are read by tokens only,
because the limits on nesting lie at twice what the deepest of 13,361 real files needs.

**Why:** who can write a file that the compiler accepts and our parser does not, can hide anything in it.

**Harmless when:** the syntax is newer than our parser or belongs to a nightly compiler; a file is a piece that a macro
completes; a generated file is larger than the parser is given; test data is wrong on purpose, as for `trybuild`.

**What to do:** read the file at the line that is shown. If it is right, please tell us: our parser is behind.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups = by_weight(&facts.source.rust_files, |file| weight(file, &facts.manifest));
        groups.into_iter().map(found).collect()
    })
}

fn weight(file: &SourceFile, manifest: &ManifestFacts) -> Option<(Severity, Confidence)> {
    let confidence = match file.status {
        SourceFileStatus::Parsed => return None,
        SourceFileStatus::ParsedWithErrors | SourceFileStatus::NotUtf8 => Confidence::Medium,
        SourceFileStatus::TokensOnly => Confidence::High,
    };
    let severity = if file.targets.is_empty() {
        Severity::Info
    } else if file.targets.iter().all(|target| is_for_developers(manifest, *target)) {
        Severity::Low
    } else {
        Severity::Medium
    };
    Some((severity, confidence))
}

/// Whether only the package's own developers build a target. One that does not exist is taken for the worst.
fn is_for_developers(manifest: &ManifestFacts, target: u16) -> bool {
    manifest.targets.get(usize::from(target)).is_some_and(|target| match target.kind {
        TargetKind::Test | TargetKind::Example | TargetKind::Bench => true,
        TargetKind::Lib | TargetKind::ProcMacro | TargetKind::Bin | TargetKind::BuildScript => false,
    })
}

fn found(((severity, confidence), files): ((Severity, Confidence), Vec<&SourceFile>)) -> Finding {
    let who = match severity {
        Severity::Info => "no target reaches this",
        Severity::Low => "only tests, examples or benchmarks reach this",
        _ => "this is compiled wherever the package is built",
    };
    let message = format!(
        "{} could not be read as Rust, so what is in there may have been missed; {who}",
        count(files.len(), "file", "files")
    );
    let evidence = files.iter().map(|file| {
        let problem = file.problem.as_deref().map(|problem| printable(problem, EXCERPT));
        place(&file.path, Some(file.problem_line), problem)
    });
    finding(&RULE, severity, confidence, message)
        .with_evidence(evidence)
        .with_help("read the file at this line, and compare it with the repository")
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{SourceFileStatus, TargetKind};
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, rust_file, silent, target, with};

    /// A package with a library (target 0), a test (1) and one file.
    fn with_file(status: SourceFileStatus, targets: &[u16]) -> RuleInput {
        with(|facts| {
            facts.manifest.targets =
                vec![target(TargetKind::Lib, "src/lib.rs"), target(TargetKind::Test, "tests/a.rs")];
            facts.source.rust_files.push(rust_file("src/odd.rs", status, targets));
        })
    }

    #[test]
    fn who_compiles_it_decides() {
        let status = SourceFileStatus::ParsedWithErrors;
        for (targets, severity) in [
            (&[0][..], Severity::Medium),
            (&[0, 1], Severity::Medium),
            (&[1], Severity::Low),
            (&[], Severity::Info),
            (&[99], Severity::Medium),
        ] {
            let finding = one(&RULE, &with_file(status, targets), severity, Confidence::Medium);
            assert_eq!(
                (finding.evidence[0].file.as_str(), finding.evidence[0].line),
                ("src/odd.rs", Some(7))
            );
        }
    }

    /// 10,000 nested parentheses abort a parser that recurses, and with it the inspector.
    #[test]
    fn the_wild_nesting_attack_is_certain() {
        one(&RULE, &with_file(SourceFileStatus::TokensOnly, &[0]), Severity::Medium, Confidence::High);
    }

    #[test]
    fn another_encoding_is_a_hit() {
        one(&RULE, &with_file(SourceFileStatus::NotUtf8, &[0]), Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn test_data_that_is_wrong_on_purpose_is_one_finding_of_info() {
        let files = (0..200).map(|number| {
            rust_file(&format!("tests/ui/{number}.rs"), SourceFileStatus::ParsedWithErrors, &[])
        });
        let input = with(|facts| facts.source.rust_files = files.collect());
        let finding = one(&RULE, &input, Severity::Info, Confidence::Medium);
        assert!(finding.message.starts_with("200 files"), "{}", finding.message);
        assert_eq!(finding.evidence.len(), 10);
    }

    #[test]
    fn parsed_files_are_silent() {
        silent(&RULE, &with_file(SourceFileStatus::Parsed, &[0]));
        silent(&RULE, &with_file(SourceFileStatus::Parsed, &[]));
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
