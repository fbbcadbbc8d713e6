//! Bytes that are not those that were published.

use cratekeeper_model::facts::RefusedEntry;
use cratekeeper_model::{ArchiveState, Confidence, Finding, Known, PackageSource, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place};
use crate::text::{EXCERPT, PATH, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "checksum-mismatch",
    family: Family::Archive,
    title: "The bytes of this version are not those that were promised",
    explanation: "\
**Looks at:** the SHA-256 of the `.crate` file, the one that the lockfile pins, and the one that the registry's index
promises. All that are known must be the same. For a vendored package, also each file against `.cargo-checksum.json`.
Git and path packages have no such promise and are not compared.

| what differs | severity, confidence |
|---|---|
| the archive, or lockfile and index | critical, high |
| a vendored file that was changed | critical, high |
| a vendored Rust file, manifest or configuration that was added: cargo does not notice, and runs an added `build.rs` | high, medium |
| a vendored file that is missing | medium, high |
| another vendored file that was added | low, high |

**Why:** a published version never changes. Two checksums for one version mean that a mirror, a cache, a registry or the
lockfile hands out something else than what others have reviewed.

**Harmless when:** a download was cut short and left a broken file in cargo's cache, or a private registry let its users
publish the same version twice; the second is worth stopping too. In vendored packages: a patch tool or an editor left
a file behind.

**What to do:** do not build. Keep the file as evidence, remove it from the cache, fetch it again, and ask whoever
runs the registry or mirror when it still differs.",
    severities: &[Severity::Low, Severity::Medium, Severity::High, Severity::Critical],
    techniques: &[],
    evaluate,
};

/// Whether a refusal is this rule's and not that of `archive-refused`.
pub(super) fn is_about(code: &str) -> bool {
    matches!(
        code,
        "checksum-mismatch" | "vendored-file-changed" | "vendored-file-missing" | "vendored-file-added"
    )
}

fn evaluate(input: &RuleInput) -> Evaluation {
    let whole = [archive(&input.archive), lockfile(input)].into_iter().flatten();
    let findings: Vec<Finding> = whole.chain(vendored(input)).collect();
    match not_compared(input) {
        _ if !findings.is_empty() => Evaluation::Findings(findings),
        Some(reason) => Evaluation::NotEvaluated(reason),
        None => Evaluation::silent(),
    }
}

fn archive(archive: &ArchiveState) -> Option<Finding> {
    let (message, help) = match archive {
        ArchiveState::ChecksumMismatch { expected, actual, place } => (
            format!(
                "the archive has the checksum {actual}, but {expected} was promised: these are other bytes"
            ),
            format!("keep {} as evidence, remove it from there, and fetch it again", quoted(place, PATH)),
        ),
        // From a reader that compares while it reads.
        ArchiveState::Refused(refusal) if refusal.code == "checksum-mismatch" => (
            "the archive does not have the checksum that was promised: these are other bytes".to_owned(),
            "keep the archive as evidence, remove it from the cache, and fetch it again".to_owned(),
        ),
        ArchiveState::Read | ArchiveState::Refused(_) | ArchiveState::Unavailable(_) => return None,
    };
    Some(finding(&RULE, Severity::Critical, Confidence::High, message).with_help(help))
}

fn lockfile(input: &RuleInput) -> Option<Finding> {
    let (locked, promised) = (input.package.checksum?, input.index.value()?.checksum);
    let message = || {
        format!(
            "the lockfile pins the checksum {locked}, but the registry promises {promised} for this version"
        )
    };
    let help = "do not build; ask whoever runs the registry which of the two was published, and look at who changed the lockfile";
    (locked != promised)
        .then(|| finding(&RULE, Severity::Critical, Confidence::High, message()).with_help(help))
}

fn vendored(input: &RuleInput) -> Vec<Finding> {
    let Known::Known(facts) = &input.facts else { return Vec::new() };
    let groups = by_weight(&facts.files.refused, |entry| vendored_weight(entry));
    let finding = |((severity, confidence), entries): (_, Vec<&RefusedEntry>)| {
        let message = format!(
            "the package is not what was vendored: {} ({} in all)",
            printable(&entries[0].message, EXCERPT),
            count(entries.len(), "such file", "such files")
        );
        let evidence = entries.iter().filter_map(|entry| {
            Some(place(entry.entry.as_deref()?, None, Some(printable(&entry.message, EXCERPT))))
        });
        finding(&RULE, severity, confidence, message)
            .with_evidence(evidence)
            .with_help("find out who changed it, then vendor the package again with `cargo vendor`")
    };
    groups.into_iter().map(finding).collect()
}

fn vendored_weight(entry: &RefusedEntry) -> Option<(Severity, Confidence)> {
    let path = entry.entry.as_deref().unwrap_or_default();
    match entry.code.as_str() {
        "vendored-file-changed" => Some((Severity::Critical, Confidence::High)),
        "vendored-file-missing" => Some((Severity::Medium, Confidence::High)),
        "vendored-file-added" if path.ends_with(".rs") || path.ends_with(".toml") => {
            Some((Severity::High, Confidence::Medium))
        }
        "vendored-file-added" => Some((Severity::Low, Confidence::High)),
        _ => None,
    }
}

/// Why nothing was compared, if something should have been.
fn not_compared(input: &RuleInput) -> Option<String> {
    if matches!(input.package.source, PackageSource::Git(_) | PackageSource::Path(_)) {
        return None;
    }
    match (&input.archive, input.package.checksum, input.index.as_result()) {
        (ArchiveState::Unavailable(reason), ..) => Some(reason.clone()),
        // The checksum of such a package is its own, not a promise.
        (_, _, Err(reason)) if input.package.source == PackageSource::Unknown => {
            Some(format!("nothing promises a checksum: {reason}"))
        }
        (_, None, Err(reason)) => {
            Some(format!("no lockfile pins a checksum, and the index is unknown: {reason}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::RefusedEntry;
    use cratekeeper_model::{ArchiveState, Checksum, Confidence, Known, PackageSource, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{input, not_evaluated, one, silent, with};

    fn with_archive(archive: ArchiveState) -> RuleInput {
        RuleInput { archive, ..input() }
    }

    #[test]
    fn other_bytes_are_critical() {
        let (expected, actual) = (Checksum::of(b"demo"), Checksum::of(b"other"));
        let place = "/tmp/cache/demo-1.2.3.crate".to_owned();
        let input = with_archive(ArchiveState::ChecksumMismatch { expected, actual, place });
        let finding = one(&RULE, &input, Severity::Critical, Confidence::High);
        assert!(finding.message.contains(&actual.to_string()), "{}", finding.message);
        assert!(finding.help.unwrap().contains("`/tmp/cache/demo-1.2.3.crate`"));
    }

    #[test]
    fn other_bytes_that_the_reader_refused_are_critical() {
        let refusal =
            RefusedEntry { code: "checksum-mismatch".to_owned(), message: String::new(), entry: None };
        one(&RULE, &with_archive(ArchiveState::Refused(refusal)), Severity::Critical, Confidence::High);
    }

    #[test]
    fn a_lockfile_that_disagrees_with_the_index_is_critical() {
        let mut input = with_archive(ArchiveState::Unavailable("offline".to_owned()));
        input.package.checksum = Some(Checksum::of(b"other"));
        one(&RULE, &input, Severity::Critical, Confidence::High);
    }

    #[test]
    fn vendored_files_are_told_by_what_happened_to_them() {
        use Severity::{Critical, High, Low, Medium};
        for (code, path, severity, confidence) in [
            ("vendored-file-changed", "README.md", Critical, Confidence::High),
            ("vendored-file-missing", "src/a.rs", Medium, Confidence::High),
            ("vendored-file-added", "build.rs", High, Confidence::Medium),
            ("vendored-file-added", "src/lib.rs.orig", Low, Confidence::High),
        ] {
            let (code, message) = (code.to_owned(), format!("`{path}` differs"));
            let entry = RefusedEntry { code, message, entry: Some(path.to_owned()) };
            let finding = one(&RULE, &with(|facts| facts.files.refused.push(entry)), severity, confidence);
            assert_eq!(finding.evidence[0].file, path);
        }
    }

    #[test]
    fn agreement_is_silent() {
        silent(&RULE, &input());
        silent(&RULE, &RuleInput { index: Known::Unknown("offline".to_owned()), ..input() });
        let mut unlocked = input();
        unlocked.package.checksum = None;
        silent(&RULE, &unlocked);
    }

    #[test]
    fn another_refusal_is_for_another_rule() {
        let refusal = RefusedEntry { code: "truncated".to_owned(), message: String::new(), entry: None };
        silent(&RULE, &with_archive(ArchiveState::Refused(refusal)));
    }

    #[test]
    fn git_packages_have_no_promise_to_break() {
        let mut input = with_archive(ArchiveState::Unavailable("a git package".to_owned()));
        input.package.source = PackageSource::Git("https://git.example.invalid/a#0".to_owned());
        input.package.checksum = None;
        silent(&RULE, &input);
    }

    #[test]
    fn without_bytes_or_promise_there_is_no_answer() {
        not_evaluated(&RULE, &with_archive(ArchiveState::Unavailable("offline".to_owned())));
        let mut input = RuleInput { index: Known::Unknown("offline".to_owned()), ..input() };
        input.package.checksum = None;
        not_evaluated(&RULE, &input);
        // A lone file whose checksum is its own.
        let mut input =
            RuleInput { index: Known::Unknown("a local file".to_owned()), ..crate::test_support::input() };
        input.package.source = PackageSource::Unknown;
        not_evaluated(&RULE, &input);
    }
}
