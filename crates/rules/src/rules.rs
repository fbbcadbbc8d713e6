//! All rules, one file each; the file is named like the rule.

use crate::rule::Rule;

mod advisory_notice;
mod archive_refused;
mod bidi_control_character;
mod build_script;
mod bundled_executable;
mod checksum_mismatch;
mod confusable_name;
mod malicious_version;
mod manifest_differs_from_original;
mod proc_macro;
mod unlinked_rust_file;
mod unmaintained_crate;
mod unparsed_rust_file;
mod unsound_version;
mod vulnerable_version;
mod yanked_version;

const ALL: &[Rule] = &[
    advisory_notice::RULE,
    archive_refused::RULE,
    bidi_control_character::RULE,
    build_script::RULE,
    bundled_executable::RULE,
    checksum_mismatch::RULE,
    confusable_name::RULE,
    malicious_version::RULE,
    manifest_differs_from_original::RULE,
    proc_macro::RULE,
    unlinked_rust_file::RULE,
    unmaintained_crate::RULE,
    unparsed_rust_file::RULE,
    unsound_version::RULE,
    vulnerable_version::RULE,
    yanked_version::RULE,
];

/// Every rule, sorted by id.
#[must_use]
pub fn all() -> &'static [Rule] {
    ALL
}

/// The rule with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.binary_search_by(|rule| rule.id.cmp(id)).ok().map(|index| &ALL[index])
}
