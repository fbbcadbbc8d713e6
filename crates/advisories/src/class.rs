//! What kind of statement an advisory makes.
//!
//! RustSec has a field for informational advisories and, since 2022, the category `malicious`; but not
//! every advisory about a malicious crate carries it. Three signals are used, in this order:
//!
//! 1. the category `malicious`;
//! 2. an alias `MAL-…`: the OpenSSF list of malicious packages describes the same event;
//! 3. no category at all, and the title says that it was taken off the registry because of malicious code
//!    or malware.
//!
//! The third needs the registry's action as well as the word, since "malicious" alone usually describes
//! the *input* ("overflow on malicious certificates"): of the 15 titles with the word and without the
//! category, 11 are such vulnerabilities. An empty `patched` list is no signal: 78 vulnerabilities without
//! a fix have it as well.
//!
//! Measured on the database of 2026-08-21 (1,205 advisories about crates) against a list of malicious
//! crates that was collected by hand: it names 79 advisories, of which 77 are in that copy. All 77 are
//! classified as malicious, 73 by category and 4 by title (the two with a `MAL-` alias have the category
//! too). None of the other 1,128 is.

use cratekeeper_model::{AdvisoryClass, Severity};
use rustsec::advisory::{Category, Informational, Metadata};

/// Prefix of ids in the OpenSSF list of malicious packages: <https://github.com/ossf/malicious-packages>.
const MALICIOUS_PACKAGES_PREFIX: &str = "MAL-";

/// What titles call a thing that was published to do harm, rather than input to something harmless.
const HARMFUL_THINGS: [&str; 7] = [
    "malicious code",
    "malicious crate",
    "malicious dependency",
    "malicious package",
    "malicious release",
    "malicious version",
    "malware",
];

/// The class of an advisory.
pub(crate) fn classify(metadata: &Metadata) -> AdvisoryClass {
    if is_malicious(metadata) {
        return AdvisoryClass::Malicious;
    }
    match &metadata.informational {
        None => AdvisoryClass::Vulnerability,
        Some(Informational::Unsound) => AdvisoryClass::Unsound,
        Some(Informational::Unmaintained) => AdvisoryClass::Unmaintained,
        // `Informational` is open-ended: a kind newer than this program is at least worth knowing.
        Some(_) => AdvisoryClass::Notice,
    }
}

fn is_malicious(metadata: &Metadata) -> bool {
    metadata.categories.contains(&Category::Malicious)
        || metadata.aliases.iter().any(|alias| alias.as_str().starts_with(MALICIOUS_PACKAGES_PREFIX))
        || (metadata.categories.is_empty()
            && metadata.informational.is_none()
            && says_removed_as_malicious(metadata))
}

/// Whether the title names something harmful, and it or the metadata says that the registry took it down.
fn says_removed_as_malicious(metadata: &Metadata) -> bool {
    let title = metadata.title.to_lowercase();
    let removed = metadata.expect_deleted || title.contains("removed from");
    removed && HARMFUL_THINGS.iter().any(|thing| title.contains(thing))
}

/// The severity of an advisory's CVSS vector; `None` when there is no vector.
///
/// The bands are those of the CVSS specification, the same in 3.x and 4.0: from 0.1 low, 4.0 medium, 7.0
/// high, 9.0 critical. A score of 0.0 is a statement as well ("no impact"), and becomes `Info`.
pub(crate) fn severity(metadata: &Metadata) -> Option<Severity> {
    use rustsec::advisory::Severity as Cvss;
    metadata.cvss.as_ref().map(|cvss| match cvss.severity() {
        Cvss::None => Severity::Info,
        Cvss::Low => Severity::Low,
        Cvss::Medium => Severity::Medium,
        Cvss::High => Severity::High,
        Cvss::Critical => Severity::Critical,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(fields: &str, title: &str) -> Metadata {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2026-9001\"\npackage = \"mill-wheel\"\ndate = \"2026-01-02\"\n\
             {fields}\n[versions]\npatched = []\n```\n\n# {title}\n\nText.\n"
        );
        text.parse::<rustsec::Advisory>().unwrap().metadata
    }

    fn check(fields: &str, title: &str, expected: AdvisoryClass) {
        assert_eq!(classify(&metadata(fields, title)), expected, "{fields} {title}");
    }

    #[test]
    fn category_and_alias_say_malicious() {
        check("categories = [\"malicious\"]", "`mill-wheel` took tokens", AdvisoryClass::Malicious);
        check("aliases = [\"MAL-2026-1\"]", "`mill-wheel` took tokens", AdvisoryClass::Malicious);
        check(
            "categories = [\"malicious\"]\ninformational = \"notice\"",
            "`mill-wheel` took tokens",
            AdvisoryClass::Malicious,
        );
    }

    #[test]
    fn title_counts_with_the_removal_and_without_a_category() {
        let title = "`mill-wheel` contained malicious code";
        check("expect-deleted = true", title, AdvisoryClass::Malicious);
        check("", "`mill-wheel` 1.2.3 was removed from the registry as Malware", AdvisoryClass::Malicious);
        check("", title, AdvisoryClass::Vulnerability);
        check("expect-deleted = true\ninformational = \"notice\"", title, AdvisoryClass::Notice);
        check(
            "expect-deleted = true\ncategories = [\"denial-of-service\"]",
            title,
            AdvisoryClass::Vulnerability,
        );
    }

    #[test]
    fn malicious_input_is_a_vulnerability() {
        check("", "Overflow on malicious input", AdvisoryClass::Vulnerability);
        check("expect-deleted = true", "Malicious peer can stop the wheel", AdvisoryClass::Vulnerability);
    }

    #[test]
    fn informational_kinds_have_their_class() {
        check("informational = \"unsound\"", "a", AdvisoryClass::Unsound);
        check("informational = \"unmaintained\"", "a", AdvisoryClass::Unmaintained);
        check("informational = \"notice\"", "a", AdvisoryClass::Notice);
        check("informational = \"haunted\"", "a", AdvisoryClass::Notice);
    }

    #[test]
    fn severity_follows_the_cvss_bands() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Severity::Info),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L", Severity::Low),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", Severity::Medium),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Severity::High),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Severity::Critical),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Severity::Critical),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", Severity::Info),
        ] {
            assert_eq!(severity(&metadata(&format!("cvss = \"{vector}\""), "a")), Some(expected), "{vector}");
        }
        assert_eq!(severity(&metadata("", "a")), None);
    }
}
