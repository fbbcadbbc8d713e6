//! Code that stands where nobody looks.

use std::collections::HashMap;

use cratekeeper_model::facts::{Facts, FileEntry, Remark, RemarkKind};
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "hidden-code",
    family: Family::Package,
    title: "Code stands where nobody sees it: behind white space, or far to the right",
    explanation: "\
**Looks at:** Rust files, token by token.

| what | severity, confidence |
|---|---|
| code behind 100 columns of white space, or of a comment on the same line, in a file that is compiled | medium, medium |
| code behind 100 empty lines; either in files that no target reaches, or in tests | low, medium |
| a statement that begins beyond column 200; a whole file on a few long lines | info, medium |

**Why:** editors and pages that show differences end at the right edge. A statement that begins behind it is compiled and not reviewed.

**Harmless when:** a program wrote the file without line breaks, or tests are about white space.

**What to do:** format the file (`rustfmt`) and read it again.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[18],
    evaluate,
};

/// A Rust file with lines of this length, and few of them, is no text for people.
const LINE_BYTES: u32 = 1_500;
const FEW_LINES: u32 = 5;

/// Places in one file that a generator explains better than an attacker.
const CROWD: usize = 10;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let mut per_file: HashMap<&str, usize> = HashMap::new();
        for remark in remarks(facts) {
            *per_file.entry(&remark.file).or_default() += 1;
        }
        let weight =
            |it: &&Remark| Some(weight(facts, it, per_file.get(it.file.as_str()).copied().unwrap_or(0)));
        let groups = by_weight(remarks(facts), weight);
        let mut findings: Vec<Finding> = groups
            .into_iter()
            .map(|((severity, confidence), remarks)| {
                let what = match severity {
                    Severity::Info => "statements begin beyond the right edge",
                    _ => "code stands where nobody looks, behind white space or a comment",
                };
                let message = format!("{what} ({})", count(remarks.len(), "place", "places"));
                complete(
                    finding(&RULE, severity, confidence, message),
                    remarks.iter().map(|it| evidence(it)).collect(),
                )
            })
            .collect();
        let long: Vec<&FileEntry> = facts.files.entries.iter().filter(|it| is_one_line(it)).collect();
        if let Some(first) = long.first() {
            let message = format!(
                "{} on a few long lines, for example {}",
                count(long.len(), "Rust file is", "Rust files are"),
                quoted(&first.path, NAME)
            );
            let places = long.iter().map(|it| place(&it.path, Some(it.longest_line_number), None)).collect();
            findings.push(complete(finding(&RULE, Severity::Info, Confidence::Medium, message), places));
        }
        findings
    })
}

fn complete(finding: Finding, places: Vec<Evidence>) -> Finding {
    finding.with_evidence(places).with_help("format the file and read it again").pointing_to([18])
}

fn remarks(facts: &Facts) -> impl Iterator<Item = &Remark> {
    use RemarkKind::{CodeBehindComment, CodeBehindLines, CodeBehindSpace, CodeBeyondEdge};
    let kinds = [CodeBehindSpace, CodeBehindLines, CodeBehindComment, CodeBeyondEdge];
    facts.files.remarks.iter().filter(move |it| kinds.contains(&it.kind))
}

fn weight(facts: &Facts, remark: &Remark, in_file: usize) -> (Severity, Confidence) {
    let number = facts.source.rust_files.iter().position(|it| it.path == remark.file);
    let is_compiled = number.is_some_and(|it| places::ships(facts, it as u32));
    match remark.kind {
        RemarkKind::CodeBeyondEdge => (Severity::Info, Confidence::Medium),
        RemarkKind::CodeBehindLines => (Severity::Low, Confidence::Medium),
        _ if !is_compiled || in_file > CROWD => (Severity::Low, Confidence::Medium),
        _ => (Severity::Medium, Confidence::Medium),
    }
}

fn is_one_line(file: &FileEntry) -> bool {
    let is_rust = places::extension(&file.path).eq_ignore_ascii_case("rs");
    is_rust && file.longest_line >= LINE_BYTES && file.lines <= FEW_LINES
}

fn evidence(remark: &Remark) -> Evidence {
    let excerpt = format!("in column {}: {}", remark.column, printable(&remark.excerpt, 2 * EXCERPT));
    place(&remark.file, Some(remark.line), Some(excerpt))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::RemarkKind::{
        self, ActiveMarkup, CodeBehindComment, CodeBehindLines, CodeBehindSpace, CodeBeyondEdge,
    };
    use cratekeeper_model::facts::{FileEntry, FileKind, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{file, one, remark, silent, with, with_rust};

    fn remarked(kind: RemarkKind, target: TargetKind) -> RuleInput {
        with_rust("src/lib.rs", target, |facts| facts.files.remarks.push(remark("src/lib.rs", kind)))
    }

    #[test]
    fn compiled_code_behind_space_is_medium() {
        for kind in [CodeBehindSpace, CodeBehindComment] {
            let finding =
                one(&RULE, &remarked(kind, TargetKind::BuildScript), Severity::Medium, Confidence::Medium);
            assert_eq!(finding.techniques, [18]);
            assert_eq!(finding.evidence[0].excerpt.as_deref(), Some("in column 9: text"));
        }
    }

    #[test]
    fn tests_lines_and_crowds_are_low() {
        one(&RULE, &remarked(CodeBehindSpace, TargetKind::Test), Severity::Low, Confidence::Medium);
        one(&RULE, &remarked(CodeBehindLines, TargetKind::Lib), Severity::Low, Confidence::Medium);
        let input = with_rust("src/lib.rs", TargetKind::Lib, |facts| {
            facts.files.remarks = vec![remark("src/lib.rs", CodeBehindSpace); 20];
        });
        one(&RULE, &input, Severity::Low, Confidence::Medium);
    }

    #[test]
    fn long_lines_are_info() {
        one(&RULE, &remarked(CodeBeyondEdge, TargetKind::Lib), Severity::Info, Confidence::Medium);
        let entry = FileEntry { lines: 1, longest_line: 9_000, ..file("src/lib.rs", FileKind::Text) };
        one(&RULE, &with(|facts| facts.files.entries.push(entry)), Severity::Info, Confidence::Medium);
    }

    #[test]
    fn other_remarks_and_long_tables_are_silent() {
        silent(&RULE, &remarked(ActiveMarkup, TargetKind::Lib));
        let table = FileEntry { lines: 400, longest_line: 9_000, ..file("src/table.rs", FileKind::Text) };
        silent(&RULE, &with(|facts| facts.files.entries.push(table)));
    }
}
