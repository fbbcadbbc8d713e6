//! Data that cannot be read by people, and that code reads.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{Facts, FileEntry, FileKind, IncludeKind, LiteralKind, OperationKind, Phase};
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "embedded-data",
    family: Family::Package,
    title: "Code embeds or reads data that cannot be reviewed",
    explanation: "\
**Looks at:** files that `include_bytes!` and its like embed outside of tests, and those that build scripts, macros and the library open by
a constant path.

| what | severity, confidence |
|---|---|
| a file whose name says picture, font or text and whose content is neither | low, high |
| a file among test data that is no text, read by what is shipped or run at build time | low, medium |
| a file that is marked executable, machine code, or of high entropy | low, medium |
| bytes in the source itself that begin like a program and go on | low, medium |
| text among test data that is read when the package is built | info, medium |
| other data without a known format | info, medium |

**Why:** a payload travels best where nobody can read it: masked as a picture, or among the broken samples of a compressor's tests, as in
CVE-2024-3094 (xz). What matters is that code reads it.

**Harmless when:** it is a table, a dictionary, a model, a sample. Most are.

**What to do:** find out what is done with the bytes: decoded and used as data, or written, linked, loaded or run.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[9, 10],
    evaluate,
};

/// Compressed and encrypted data has more; source, tables and machine code less. Below this size entropy says nothing.
const HIGH_ENTROPY: f32 = 7.2;
const ENTROPY_BYTES: u64 = 1024;

/// Extensions that promise a picture, a font or a document, whose first bytes are known.
const PICTURES: [&str; 13] =
    ["png", "jpg", "jpeg", "gif", "webp", "bmp", "ico", "tiff", "ttf", "otf", "woff", "woff2", "pdf"];

/// Extensions that promise text.
const TEXTS: [&str; 9] = ["txt", "md", "json", "toml", "svg", "html", "css", "csv", "xml"];

/// A file that code reads, and the first place that does.
struct Read<'f> {
    file: &'f FileEntry,
    by: Evidence,
    at_build_time: bool,
}

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let mut groups: BTreeMap<(Severity, Confidence, &str, u8), Vec<Read<'_>>> = BTreeMap::new();
        for read in embedded(facts).into_iter().chain(opened(facts)) {
            if let Some(key) = judge(&read) {
                let group = groups.entry(key).or_default();
                if group.iter().all(|it| it.file.path != read.file.path) {
                    group.push(read);
                }
            }
        }
        let files = groups.into_iter().map(|((severity, confidence, what, technique), reads)| {
            let first = quoted(&reads[0].file.path, NAME);
            let message = format!("{what}: {first} ({} in all)", count(reads.len(), "file", "files"));
            let evidence = reads.into_iter().flat_map(|it| [it.by, place(&it.file.path, None, None)]);
            finding(&RULE, severity, confidence, message)
                .with_evidence(evidence)
                .with_help(
                    "find out what is done with the bytes: used as data, or written, linked, loaded or run",
                )
                .pointing_to([technique])
        });
        files.chain(in_source(facts)).collect()
    })
}

/// Programs that stand in the source itself, as text or numbers.
fn in_source(facts: &Facts) -> Option<Finding> {
    let literals = facts.source.literals.iter().filter(|it| it.kind == LiteralKind::MachineCode);
    let mut places: Vec<(u32, u32)> = literals.map(|it| (it.file, it.line)).collect();
    let texts = facts
        .flow
        .texts
        .iter()
        .filter(|it| it.value.starts_with("\\u{7f}ELF") || it.value.starts_with("\\u{0}asm"));
    places.extend(texts.filter(|it| it.value.len() > 12).map(|it| (it.file, it.line)));
    places.retain(|(file, _)| places::ships(facts, *file));
    places.sort_unstable();
    places.dedup();
    let (file, _) = places.first()?;
    let message = format!(
        "bytes in the source begin like a program, for example in {} ({})",
        quoted(places::path(facts, *file), NAME),
        count(places.len(), "place", "places")
    );
    let evidence = places.iter().map(|(file, line)| place(places::path(facts, *file), Some(*line), None));
    Some(
        finding(&RULE, Severity::Low, Confidence::Medium, message)
            .with_evidence(evidence)
            .with_help("find out what is done with the bytes: compared, or written and run")
            .pointing_to([9]),
    )
}

fn judge(read: &Read<'_>) -> Option<(Severity, Confidence, &'static str, u8)> {
    let file = read.file;
    let is_opaque = !file.kind.is_text()
        && !matches!(file.kind, FileKind::Empty | FileKind::Image | FileKind::Font | FileKind::Pdf);
    let is_random =
        file.entropy > HIGH_ENTROPY && file.size >= ENTROPY_BYTES && file.kind == FileKind::Binary;
    Some(if breaks_promise(file) {
        (Severity::Low, Confidence::High, "code reads a file whose name promises another content", 9)
    } else if places::is_test_data(&file.path) && is_opaque {
        (Severity::Low, Confidence::Medium, "what is shipped or built reads opaque test data", 10)
    } else if places::is_test_data(&file.path) && read.at_build_time {
        (Severity::Info, Confidence::Medium, "the build reads test data", 10)
    } else if file.kind.is_executable_code() || is_random || (file.executable && is_opaque) {
        (Severity::Low, Confidence::Medium, "code reads a file that is machine code, executable or random", 9)
    } else if file.kind == FileKind::Binary {
        (Severity::Info, Confidence::Medium, "code reads data without a known format", 9)
    } else {
        return None;
    })
}

/// Whether the name says picture or text, and the content is neither.
fn breaks_promise(file: &FileEntry) -> bool {
    let extension = places::extension(&file.path).to_ascii_lowercase();
    let is_picture = matches!(file.kind, FileKind::Image | FileKind::Font | FileKind::Pdf | FileKind::Empty);
    let is_text = file.kind.is_text() || file.kind == FileKind::Empty;
    (PICTURES.contains(&extension.as_str()) && !is_picture)
        || (TEXTS.contains(&extension.as_str()) && !is_text)
}

/// What the compiler embeds.
fn embedded(facts: &Facts) -> Vec<Read<'_>> {
    let includes = facts.source.includes.iter().filter(|it| {
        matches!(it.kind, IncludeKind::IncludeBytes | IncludeKind::IncludeStr)
            && places::ships(facts, it.file)
    });
    includes
        .filter_map(|it| {
            let from = places::path(facts, it.file);
            let path = if it.literal {
                places::inside_package(places::directory(from), &it.argument)?
            } else {
                places::inside_package(
                    "",
                    last_text(it.argument.split_once("CARGO_MANIFEST_DIR")?.1)?.trim_start_matches('/'),
                )?
            };
            let by = place(from, Some(it.line), Some(printable(&it.argument, EXCERPT)));
            let at_build_time = places::runs_at_build_time(facts, it.file);
            Some(Read { file: places::entry(facts, &path)?, by, at_build_time })
        })
        .collect()
}

/// The last string literal in an argument.
fn last_text(argument: &str) -> Option<&str> {
    let (rest, _) = argument.rsplit_once('"')?;
    let (_, text) = rest.rsplit_once('"')?;
    Some(text).filter(|text| !text.is_empty())
}

/// What is opened by a constant path, whatever the directory: build scripts begin at the package's root.
fn opened(facts: &Facts) -> Vec<Read<'_>> {
    let operations = facts.flow.operations.iter().filter(|it| {
        matches!(it.kind, OperationKind::ReadFile | OperationKind::ReadDirectory | OperationKind::WriteFile)
            && it
                .phases
                .iter()
                .any(|phase| matches!(phase, Phase::BuildTime | Phase::BeforeMain | Phase::RunTime))
            && places::ships(facts, it.file)
    });
    operations
        .flat_map(|it| {
            let from = places::path(facts, it.file);
            let at_build_time = places::is_at_build_time(it);
            it.arguments.iter().filter_map(move |argument| {
                // Behind the root of the package, which is not constant.
                let path = argument.rsplit("{}").next().unwrap_or(argument).trim_start_matches('/');
                let path = places::inside_package("", path)?;
                let by = place(from, Some(it.line), Some(printable(argument, EXCERPT)));
                Some(Read { file: places::entry(facts, &path)?, by, at_build_time })
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::IncludeKind::IncludeBytes;
    use cratekeeper_model::facts::{FileEntry, FileKind, Include, OperationKind, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{file, include, one, operation, silent, with_rust};

    fn embedding(file: FileEntry, target: TargetKind) -> RuleInput {
        with_rust("src/lib.rs", target, |facts| {
            facts.source.includes.push(include(IncludeBytes, &format!("../{}", file.path)));
            facts.files.entries.push(file);
        })
    }

    #[test]
    fn a_picture_that_is_none_is_low() {
        let input = embedding(file("assets/noise.png", FileKind::Binary), TargetKind::BuildScript);
        assert_eq!(one(&RULE, &input, Severity::Low, Confidence::High).techniques, [9]);
    }

    #[test]
    fn a_masked_picture_may_read_as_text() {
        let input = embedding(file("assets/noise.png", FileKind::Text), TargetKind::BuildScript);
        one(&RULE, &input, Severity::Low, Confidence::High);
    }

    #[test]
    fn opaque_test_data_in_what_is_shipped_is_low() {
        let input = embedding(file("tests/files/bad.lz", FileKind::Binary), TargetKind::Lib);
        assert_eq!(one(&RULE, &input, Severity::Low, Confidence::Medium).techniques, [10]);
    }

    /// xz (CVE-2024-3094).
    #[test]
    fn the_wild_build_that_reads_test_data_is_low() {
        let input = with_rust("build.rs", TargetKind::BuildScript, |facts| {
            facts.files.entries.push(file("tests/files/bad.lz", FileKind::Binary));
            facts.flow.operations.push(operation(OperationKind::ReadFile, "{}/tests/files/bad.lz"));
        });
        assert_eq!(one(&RULE, &input, Severity::Low, Confidence::Medium).techniques, [10]);
    }

    #[test]
    fn machine_code_and_random_data_are_low_and_tables_info() {
        one(
            &RULE,
            &embedding(file("data/a.bin", FileKind::Elf), TargetKind::Lib),
            Severity::Low,
            Confidence::Medium,
        );
        let random = FileEntry { entropy: 7.9, size: 5_000, ..file("data/a.bin", FileKind::Binary) };
        one(&RULE, &embedding(random, TargetKind::Lib), Severity::Low, Confidence::Medium);
        one(
            &RULE,
            &embedding(file("data/a.bin", FileKind::Binary), TargetKind::Lib),
            Severity::Info,
            Confidence::Medium,
        );
    }

    #[test]
    fn paths_behind_the_manifest_directory_are_followed() {
        let argument = "concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/data/a.png\")".to_owned();
        let input = with_rust("src/lib.rs", TargetKind::Lib, |facts| {
            facts.source.includes.push(Include { argument, literal: false, ..include(IncludeBytes, "") });
            facts.files.entries.push(file("data/a.png", FileKind::Binary));
        });
        one(&RULE, &input, Severity::Low, Confidence::High);
    }

    #[test]
    fn pictures_texts_tests_and_unread_files_are_silent() {
        silent(&RULE, &embedding(file("assets/a.png", FileKind::Image), TargetKind::Lib));
        silent(&RULE, &embedding(file("src/a.txt", FileKind::Text), TargetKind::Lib));
        silent(&RULE, &embedding(file("tests/a.bin", FileKind::Elf), TargetKind::Test));
        silent(
            &RULE,
            &with_rust("src/lib.rs", TargetKind::Lib, |it| {
                it.files.entries.push(file("a.bin", FileKind::Binary));
            }),
        );
    }
}
