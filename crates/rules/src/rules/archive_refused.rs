//! Archives and entries that were not read.
//!
//! The codes are those of `cratekeeper-archive`'s refusals; a test compares the two lists.

use cratekeeper_model::facts::RefusedEntry;
use cratekeeper_model::{ArchiveState, Confidence, Finding, Known, PackageSource, RuleInput, Severity};

use super::checksum_mismatch;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, place};
use crate::text::{EXCERPT, count, printable};

pub(super) const RULE: Rule = Rule {
    id: "archive-refused",
    family: Family::Archive,
    title: "The archive, or a part of it, could not be read safely",
    explanation: "\
**Looks at:** what the reader of `.crate` files refused, the archive as a whole or single entries. What was refused has
not been inspected by any other rule.

| what | severity, confidence | codes |
|---|---|---|
| a trick: tools that unpack it see different files, or write outside of the package | critical, high | `parent-directory` `absolute-path` `symlink` `hardlink` `device` `unknown-entry-type` `duplicate-path` `case-colliding-path` `wrong-case-manifest` `several-manifests` `ambiguous-tar` `pax-size-mismatch` `sparse` `trailing-gzip-member` `trailing-data` |
| a path that platforms read differently, or an entry where none belongs | high, high | `forbidden-character` `non-utf8-path` `not-normalized-path` `other-root` `wrong-name-or-version` |
| broken, so cargo cannot build it either | high, high | `not-gzip` `corrupt-gzip` `truncated` `not-tar` `corrupt-tar` `no-manifest`, and any code that is newer than this rule |
| beyond a limit | high, medium | `too-large-compressed` `too-large-unpacked` `too-large-entry` `too-large-extension` `too-many-entries` `expansion-ratio` `path-too-long` |
| a trick's shape in a directory that cargo builds in place and never unpacks (git and path packages) | medium, low | as in the first row |

**Why:** an inspector that reads other files than the build does can be shown anything. Sources: CVE-2022-36113 (a
symbolic link in a crate let cargo write outside of it), CVE-2022-36114 (an archive that unpacks to any size),
CVE-2026-33055 (a pax record and a header that disagree about a size hide entries from one of two readers).

**Harmless when:** an archive was packed by hand or by an old tool, a download was cut short, or a package is
honestly larger than the limits. In a git checkout, symbolic links to a shared licence file are ordinary.

**What to do:** do not build what is refused for a trick; report it to the registry. Fetch a broken one again. Raise
the limit that a message names if you trust the package that much.",
    severities: &[Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[59],
    evaluate,
};

/// What a refusal says about the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Tools that unpack it see different files.
    Trick,
    /// Platforms read a path differently, or it is not where it belongs.
    Misplaced,
    /// Nobody can read it.
    Broken,
    /// It may be honest; it was not looked at.
    Limit,
}

fn class(code: &str) -> Class {
    match code {
        "parent-directory"
        | "absolute-path"
        | "symlink"
        | "hardlink"
        | "device"
        | "unknown-entry-type"
        | "duplicate-path"
        | "case-colliding-path"
        | "wrong-case-manifest"
        | "several-manifests"
        | "ambiguous-tar"
        | "pax-size-mismatch"
        | "sparse"
        | "trailing-gzip-member"
        | "trailing-data" => Class::Trick,
        "forbidden-character"
        | "non-utf8-path"
        | "not-normalized-path"
        | "other-root"
        | "wrong-name-or-version" => Class::Misplaced,
        "too-large-compressed"
        | "too-large-unpacked"
        | "too-large-entry"
        | "too-large-extension"
        | "too-many-entries"
        | "expansion-ratio"
        | "path-too-long" => Class::Limit,
        // `not-gzip`, `corrupt-gzip`, `truncated`, `not-tar`, `corrupt-tar`, `no-manifest`, and what we do not know.
        _ => Class::Broken,
    }
}

impl Class {
    fn weight(self) -> (Severity, Confidence) {
        match self {
            Class::Trick => (Severity::Critical, Confidence::High),
            Class::Misplaced | Class::Broken => (Severity::High, Confidence::High),
            Class::Limit => (Severity::High, Confidence::Medium),
        }
    }

    fn techniques(self) -> Option<u8> {
        (self == Class::Trick).then_some(59)
    }

    fn reason(self) -> &'static str {
        match self {
            Class::Trick => "tools that unpack it may see different files, or write outside of the package",
            Class::Misplaced => "it means different files on different platforms, or does not belong here",
            Class::Broken => "nobody can tell what it holds",
            Class::Limit => "what it holds was not inspected",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Class::Trick => "do not build or unpack it, and report it to the registry",
            Class::Misplaced => "do not unpack it by hand, and ask its publisher how it was packed",
            Class::Broken => "fetch it again; if it stays like this, report it to the registry",
            Class::Limit => "inspect it by hand, or raise the limit if you trust this package",
        }
    }
}

fn evaluate(input: &RuleInput) -> Evaluation {
    match (&input.archive, &input.facts) {
        (ArchiveState::Refused(refusal), _) if checksum_mismatch::is_about(&refusal.code) => {
            Evaluation::NotEvaluated("the archive is not the one that was promised".to_owned())
        }
        (ArchiveState::Refused(refusal), _) => Evaluation::Findings(vec![archive(refusal)]),
        (_, Known::Known(facts)) => Evaluation::Findings(entries(
            &facts.files.refused,
            is_directory(input, facts.files.compressed_size),
        )),
        (_, Known::Unknown(reason)) => Evaluation::NotEvaluated(reason.clone()),
    }
}

/// Whether the package is built where it lies. There a link is followed by whoever put it there, and no tool
/// unpacks it into other files. A lone file's source is unknown, but it has a size.
fn is_directory(input: &RuleInput, compressed_size: u64) -> bool {
    match input.package.source {
        PackageSource::Git(_) | PackageSource::Path(_) => true,
        PackageSource::Unknown => compressed_size == 0,
        PackageSource::Registry(_) => false,
    }
}

fn archive(refusal: &RefusedEntry) -> Finding {
    let class = class(&refusal.code);
    let (severity, confidence) = class.weight();
    let message = format!("the archive was refused: {}; {}", shown(refusal), class.reason());
    let evidence = refusal.entry.as_deref().map(|path| place(path, None, Some(shown(refusal))));
    finding(&RULE, severity, confidence, message)
        .with_evidence(evidence)
        .with_help(class.help())
        .pointing_to(class.techniques())
}

/// One finding for each code.
fn entries(refused: &[RefusedEntry], is_directory: bool) -> Vec<Finding> {
    let mut by_code: Vec<(&str, Vec<&RefusedEntry>)> = Vec::new();
    for entry in refused.iter().filter(|entry| !checksum_mismatch::is_about(&entry.code)) {
        match by_code.iter_mut().find(|(code, _)| *code == entry.code) {
            Some((_, entries)) => entries.push(entry),
            None => by_code.push((&entry.code, vec![entry])),
        }
    }
    by_code.into_iter().map(|(code, entries)| of_code(class(code), &entries, is_directory)).collect()
}

fn of_code(class: Class, entries: &[&RefusedEntry], is_directory: bool) -> Finding {
    let evidence = entries.iter().filter_map(|it| Some(place(it.entry.as_deref()?, None, Some(shown(it)))));
    let refused = format!("{} refused: {}", count(entries.len(), "entry", "entries"), shown(entries[0]));
    if is_directory && class == Class::Trick {
        let message = format!("{refused}; what a build finds there was not inspected");
        return finding(&RULE, Severity::Medium, Confidence::Low, message)
            .with_evidence(evidence)
            .with_help("look where it leads, and whether that is part of the same repository");
    }
    let (severity, confidence) = class.weight();
    finding(&RULE, severity, confidence, format!("{refused}; {}", class.reason()))
        .with_evidence(evidence)
        .with_help(class.help())
        .pointing_to(class.techniques())
}

fn shown(refusal: &RefusedEntry) -> String {
    printable(&refusal.message, EXCERPT)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::RefusedEntry;
    use cratekeeper_model::{ArchiveState, Confidence, Known, PackageSource, RuleInput, Severity};

    use super::{Class, RULE, class};
    use crate::test_support::{findings, input, not_evaluated, one, silent, with};

    fn refusal(code: &str, entry: Option<&str>) -> RefusedEntry {
        let message = format!("entry `{}` is refused", entry.unwrap_or("?"));
        RefusedEntry { code: code.to_owned(), message, entry: entry.map(str::to_owned) }
    }

    fn archive(code: &str) -> RuleInput {
        let archive = ArchiveState::Refused(refusal(code, None));
        RuleInput { archive, facts: Known::Unknown("refused".to_owned()), ..input() }
    }

    fn entry(code: &str) -> RuleInput {
        with(|facts| facts.files.refused.push(refusal(code, Some("src/a"))))
    }

    /// Every code of `cratekeeper-archive`, read from its source: rules know the model alone.
    fn codes() -> Vec<String> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../archive/src/refusal.rs");
        let source = std::fs::read_to_string(path).unwrap();
        let arms = source.lines().filter(|line| line.trim_start().starts_with("Refusal::"));
        arms.filter_map(|line| line.split_once("=> \"")?.1.split_once('"'))
            .map(|it| it.0.to_owned())
            .collect()
    }

    #[test]
    fn every_code_is_explained() {
        let codes = codes();
        assert!(codes.len() > 30, "{codes:?}");
        for code in codes.iter().filter(|code| *code != "checksum-mismatch") {
            assert!(RULE.explanation.contains(&format!("`{code}`")), "`{code}` is not in the table");
        }
    }

    #[test]
    fn the_table_agrees_with_the_code() {
        for (row, class_of_row) in [
            ("| critical, high |", Class::Trick),
            ("belongs | high, high |", Class::Misplaced),
            ("either | high, high |", Class::Broken),
            ("| high, medium |", Class::Limit),
        ] {
            let row = RULE.explanation.lines().find(|line| line.contains(row)).unwrap();
            for code in row.split('`').skip(1).step_by(2) {
                assert_eq!(class(code), class_of_row, "{code}");
            }
        }
    }

    #[test]
    fn tricks_are_critical_for_archives_and_entries() {
        for code in ["parent-directory", "symlink", "duplicate-path", "pax-size-mismatch", "trailing-data"] {
            one(&RULE, &archive(code), Severity::Critical, Confidence::High);
            let finding = one(&RULE, &entry(code), Severity::Critical, Confidence::High);
            assert!(finding.techniques.contains(&59));
            assert_eq!(finding.evidence[0].file, "src/a");
        }
    }

    #[test]
    fn broken_and_too_large_are_no_tricks() {
        for (code, confidence) in [
            ("truncated", Confidence::High),
            ("expansion-ratio", Confidence::Medium),
            ("new", Confidence::High),
        ] {
            let finding = one(&RULE, &archive(code), Severity::High, confidence);
            assert!(!finding.techniques.contains(&59));
        }
    }

    /// CVE-2022-36113: a link, then a file that is written through it.
    #[test]
    fn the_wild_link_and_file_are_one_finding_each() {
        let refused = [refusal("symlink", Some("x")), refusal("duplicate-path", Some("x"))];
        assert_eq!(findings(&RULE, &with(|facts| facts.files.refused.extend(refused))).len(), 2);
    }

    #[test]
    fn entries_of_one_code_are_one_finding() {
        let many = (0..50).map(|number| refusal("hardlink", Some(&format!("a/{number}"))));
        let input = with(|facts| facts.files.refused.extend(many));
        let finding = one(&RULE, &input, Severity::Critical, Confidence::High);
        assert!(finding.message.starts_with("50 entries refused"), "{}", finding.message);
        assert_eq!(finding.evidence.len(), 10);
    }

    #[test]
    fn a_link_in_a_checkout_is_not_an_attack() {
        let sources = [
            PackageSource::Git("https://git.example.invalid/a#0".to_owned()),
            PackageSource::Path("/tmp/a".to_owned()),
            PackageSource::Unknown,
        ];
        for source in sources {
            let mut input = entry("symlink");
            input.package.source = source;
            one(&RULE, &input, Severity::Medium, Confidence::Low);
        }
    }

    #[test]
    fn a_link_in_a_lone_archive_is_an_attack() {
        let mut input = entry("symlink");
        input.package.source = PackageSource::Unknown;
        if let Known::Known(facts) = &mut input.facts {
            facts.files.compressed_size = 100;
        }
        one(&RULE, &input, Severity::Critical, Confidence::High);
    }

    #[test]
    fn what_was_read_or_is_another_rules_is_silent() {
        silent(&RULE, &input());
        silent(&RULE, &entry("vendored-file-changed"));
    }

    #[test]
    fn without_the_archive_there_is_no_answer() {
        let facts = || Known::Unknown("offline".to_owned());
        let archive = ArchiveState::Unavailable("offline".to_owned());
        not_evaluated(&RULE, &RuleInput { archive, facts: facts(), ..input() });
        not_evaluated(&RULE, &RuleInput { facts: facts(), ..input() });
        not_evaluated(&RULE, &self::archive("checksum-mismatch"));
    }
}
