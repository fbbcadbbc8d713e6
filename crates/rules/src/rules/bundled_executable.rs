//! Machine code in a source package.

use cratekeeper_model::facts::{FileEntry, FileKind};
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::rule::{Complete, EVIDENCE, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{NAME, count, quoted};

pub(super) const RULE: Rule = Rule {
    id: "bundled-executable",
    family: Family::Package,
    title: "The package carries machine code or bytecode",
    explanation: "\
**Looks at:** the first bytes of every file, whatever its name. ELF, PE, Mach-O, Java and DEX files give `medium` with
high confidence, WebAssembly modules with medium confidence, because many packages carry one on purpose; static and
import libraries give `low`. A script is source and no hit, whether or not it is marked executable. Test data counts
too: nothing stops a build script from reading it.

**Why:** nobody can review it, and nothing proves which source it was made from. In CVE-2024-3094 (xz) the payload lay
among test files. In August 2023 `serde_derive` 1.0.172 shipped a program that ran in every build: harmless, and exactly what
an attack would look like.

**Harmless when:** it is test data of a crate that reads such formats (`object`, `goblin`), an import library for
Windows, or a prebuilt helper whose source and build are public.

**What to do:** find out what uses the file, by searching the package for its name. If a build script, a macro or
`include_bytes!` does, ask for a build that others can repeat, or choose a version without it.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[9, 10, 11, 61],
    evaluate,
};

/// Directories where reviewers expect opaque files.
const TEST_DIRECTORIES: [&str; 8] =
    ["tests", "test", "testdata", "test-data", "test_data", "fixtures", "fixture", "benches"];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        by_weight(&facts.files.entries, |file| weight(file)).into_iter().map(found).collect()
    })
}

fn weight(file: &FileEntry) -> Option<(Severity, Confidence)> {
    match file.kind {
        FileKind::Elf | FileKind::Pe | FileKind::MachO | FileKind::Bytecode => {
            Some((Severity::Medium, Confidence::High))
        }
        FileKind::Wasm => Some((Severity::Medium, Confidence::Medium)),
        FileKind::StaticLibrary => Some((Severity::Low, Confidence::Medium)),
        FileKind::Empty
        | FileKind::Text
        | FileKind::Script
        | FileKind::Archive
        | FileKind::Image
        | FileKind::Font
        | FileKind::Pdf
        | FileKind::Binary => None,
    }
}

fn found(((severity, confidence), files): ((Severity, Confidence), Vec<&FileEntry>)) -> Finding {
    let message = format!(
        "the package carries {} that cannot be reviewed as source, for example {} ({})",
        count(files.len(), "file of compiled code", "files of compiled code"),
        quoted(&files[0].path, NAME),
        describe(files[0].kind)
    );
    let (in_tests, elsewhere): (Vec<&FileEntry>, Vec<&FileEntry>) =
        files.iter().partition(|file| is_test_data(&file.path));
    // Up to half of the places for test data, so that neither hides the other.
    let places_for_tests = (EVIDENCE / 2).max(EVIDENCE.saturating_sub(elsewhere.len()));
    let shown = in_tests.into_iter().take(places_for_tests).chain(elsewhere);
    let finding = finding(&RULE, severity, confidence, message).with_evidence(shown.map(evidence)).with_help(
        "search the package for the file's name: what a build script or a macro reads is part of the build",
    );
    let techniques = techniques(&finding);
    finding.pointing_to(techniques)
}

fn evidence(file: &FileEntry) -> Evidence {
    let size = count(usize::try_from(file.size).unwrap_or(usize::MAX), "byte", "bytes");
    place(&file.path, None, Some(format!("{}, {size}", describe(file.kind))))
}

fn describe(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Elf => "ELF program, library or object",
        FileKind::Pe => "Windows program or library",
        FileKind::MachO => "Mach-O program, library or object",
        FileKind::Wasm => "WebAssembly module",
        FileKind::Bytecode => "Java or DEX bytecode",
        FileKind::StaticLibrary => "static or import library",
        _ => "compiled code",
    }
}

fn is_test_data(path: &str) -> bool {
    let mut directories = path.split('/');
    directories.next_back();
    directories.any(|directory| TEST_DIRECTORIES.contains(&directory))
}

/// By where the code lies; import libraries point to nothing.
fn techniques(finding: &Finding) -> Vec<u8> {
    let in_tests = |evidence: &Evidence| is_test_data(&evidence.file);
    let mut techniques = Vec::new();
    if finding.severity >= Severity::Medium {
        if !finding.evidence.iter().all(in_tests) {
            techniques.extend([9, 11]);
        }
        if finding.evidence.iter().any(in_tests) {
            techniques.push(10);
        }
        if finding.confidence == Confidence::Medium {
            techniques.push(61);
        }
    }
    techniques
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{FileEntry, FileKind};
    use cratekeeper_model::{Confidence, Known, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{file, input, not_evaluated, one, silent, weights, with};

    fn with_files(files: &[(&str, FileKind)]) -> RuleInput {
        let entries = files.iter().map(|(path, kind)| file(path, *kind)).collect();
        with(|facts| facts.files.entries = entries)
    }

    #[test]
    fn machine_code_is_a_hit_under_any_name() {
        for kind in [FileKind::Elf, FileKind::Pe, FileKind::MachO, FileKind::Bytecode] {
            let input = with_files(&[("assets/logo.png", kind)]);
            let finding = one(&RULE, &input, Severity::Medium, Confidence::High);
            assert_eq!(finding.evidence[0].file, "assets/logo.png");
            assert!(finding.evidence[0].excerpt.as_deref().unwrap().ends_with(", 64 bytes"));
            assert_eq!(finding.techniques, [9, 11]);
        }
    }

    #[test]
    fn wasm_is_less_certain_and_libraries_are_low() {
        one(&RULE, &with_files(&[("a.wasm", FileKind::Wasm)]), Severity::Medium, Confidence::Medium);
        let finding =
            one(&RULE, &with_files(&[("a.lib", FileKind::StaticLibrary)]), Severity::Low, Confidence::Medium);
        assert!(finding.techniques.is_empty());
    }

    #[test]
    fn each_weight_is_one_finding() {
        let files = [
            ("a", FileKind::Elf),
            ("b", FileKind::Pe),
            ("c", FileKind::Wasm),
            ("d", FileKind::StaticLibrary),
        ];
        assert_eq!(weights(&RULE, &with_files(&files)).len(), 3);
    }

    /// xz (CVE-2024-3094): what a build reads lies among test data.
    #[test]
    fn the_wild_payload_among_tests_is_a_hit() {
        let finding = one(
            &RULE,
            &with_files(&[("tests/files/bad.o", FileKind::Elf)]),
            Severity::Medium,
            Confidence::High,
        );
        assert_eq!(finding.techniques, [10]);
    }

    #[test]
    fn places_in_and_outside_of_tests_are_both_shown() {
        let mut files: Vec<FileEntry> =
            (0..50).map(|number| file(&format!("lib/{number}.so"), FileKind::Elf)).collect();
        files.push(file("tests/a.so", FileKind::Elf));
        let input = with(|facts| facts.files.entries = files);
        let finding = one(&RULE, &input, Severity::Medium, Confidence::High);
        assert_eq!(finding.evidence.len(), 10);
        assert_eq!(finding.techniques, [9, 10, 11]);
    }

    #[test]
    fn scripts_and_other_binaries_are_silent() {
        let kinds = [
            FileKind::Script,
            FileKind::Text,
            FileKind::Binary,
            FileKind::Archive,
            FileKind::Image,
            FileKind::Empty,
        ];
        for kind in kinds {
            let entry = FileEntry { executable: true, ..file("tests/run.exe", kind) };
            silent(&RULE, &with(|facts| facts.files.entries.push(entry)));
        }
        silent(&RULE, &input());
    }

    #[test]
    fn without_facts_there_is_no_answer() {
        not_evaluated(&RULE, &RuleInput { facts: Known::Unknown("offline".to_owned()), ..input() });
    }
}
