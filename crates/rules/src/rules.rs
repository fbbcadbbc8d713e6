//! All rules, one file each; the file is named like the rule.

use crate::rule::Rule;

mod active_documentation;
mod advisory_notice;
mod anti_analysis;
mod archive_refused;
mod assembly;
mod assistant_instructions;
mod bidi_control_character;
mod build_dependency_exchanged;
mod build_script;
mod build_time_effects;
mod bundled_executable;
mod captured_secret;
mod cargo_configuration;
mod carried_payload;
mod certificate_checks_off;
mod checksum_mismatch;
mod code_before_main;
mod concealed_payload;
mod confusable_name;
mod copied_crate;
mod download_and_execute;
mod drop_service;
mod editor_task;
mod embedded_data;
mod environment_sweep;
mod executable_memory;
mod external_downloader;
mod first_dependency;
mod foreign_dependency_source;
mod gains_first_dependency;
mod gated_effect;
mod gated_payload;
mod hidden_child;
mod hidden_code;
mod hidden_payload;
mod hidden_text;
mod included_outside_file;
mod index_differs_from_manifest;
mod invisible_text;
mod linked_bundle;
mod look_alike_host;
mod malicious_version;
mod manifest_differs_from_original;
mod mass_yank;
mod near_name_campaign;
mod new_publisher;
mod newborn_dependency;
mod non_ascii_name;
mod obeyed_payload;
mod ownership_change;
mod payload_after_clean_start;
pub(crate) mod payload_behind_lure;
pub(crate) mod payload_in_disguise;
pub(crate) mod payload_new_in_version;
mod persistence;
mod proc_macro;
mod publish_command;
mod publisher_look_alike;
mod publishing_method_downgraded;
mod raw_system_access;
mod reached_payload;
mod registry_address_variant;
mod renamed_dependency;
mod replaced_symbol;
mod repository_changed;
mod revived_crate;
mod secret_exfiltration;
mod secret_file;
mod secret_pattern;
mod self_propagation;
mod shell_command;
mod startup_place;
mod stub_library;
mod suspicious_dependency;
mod takeover_pattern;
mod test_effect;
mod toolchain_file;
mod unlinked_rust_file;
mod unmaintained_crate;
mod unparsed_rust_file;
mod unsound_version;
mod unusual_build_script;
mod unusual_module_file;
mod update_gains_build_code;
mod update_gains_capability;
mod update_grows_out_of_proportion;
mod user_source_read;
mod version_control_gap;
mod version_jump;
mod vulnerable_version;
mod webassembly_runtime;
mod writes_outside_package;
mod yanked_version;

pub(crate) use self::cargo_configuration::is_ordinary_build as obeyed_by_ordinary_builds;
pub(crate) use self::editor_task::runs_on_opening;

const ALL: &[Rule] = &[
    active_documentation::RULE,
    advisory_notice::RULE,
    anti_analysis::RULE,
    archive_refused::RULE,
    assembly::RULE,
    assistant_instructions::RULE,
    bidi_control_character::RULE,
    build_dependency_exchanged::RULE,
    build_script::RULE,
    build_time_effects::RULE,
    bundled_executable::RULE,
    captured_secret::RULE,
    cargo_configuration::RULE,
    carried_payload::RULE,
    certificate_checks_off::RULE,
    checksum_mismatch::RULE,
    code_before_main::RULE,
    concealed_payload::RULE,
    confusable_name::RULE,
    copied_crate::RULE,
    download_and_execute::RULE,
    drop_service::RULE,
    editor_task::RULE,
    embedded_data::RULE,
    environment_sweep::RULE,
    executable_memory::RULE,
    external_downloader::RULE,
    first_dependency::RULE,
    foreign_dependency_source::RULE,
    gains_first_dependency::RULE,
    gated_effect::RULE,
    gated_payload::RULE,
    hidden_child::RULE,
    hidden_code::RULE,
    hidden_payload::RULE,
    hidden_text::RULE,
    included_outside_file::RULE,
    index_differs_from_manifest::RULE,
    invisible_text::RULE,
    linked_bundle::RULE,
    look_alike_host::RULE,
    malicious_version::RULE,
    manifest_differs_from_original::RULE,
    mass_yank::RULE,
    near_name_campaign::RULE,
    new_publisher::RULE,
    newborn_dependency::RULE,
    non_ascii_name::RULE,
    obeyed_payload::RULE,
    ownership_change::RULE,
    payload_after_clean_start::RULE,
    payload_behind_lure::RULE,
    payload_in_disguise::RULE,
    payload_new_in_version::RULE,
    persistence::RULE,
    proc_macro::RULE,
    publish_command::RULE,
    publisher_look_alike::RULE,
    publishing_method_downgraded::RULE,
    raw_system_access::RULE,
    reached_payload::RULE,
    registry_address_variant::RULE,
    renamed_dependency::RULE,
    replaced_symbol::RULE,
    repository_changed::RULE,
    revived_crate::RULE,
    secret_exfiltration::RULE,
    secret_file::RULE,
    secret_pattern::RULE,
    self_propagation::RULE,
    shell_command::RULE,
    startup_place::RULE,
    stub_library::RULE,
    suspicious_dependency::RULE,
    takeover_pattern::RULE,
    test_effect::RULE,
    toolchain_file::RULE,
    unlinked_rust_file::RULE,
    unmaintained_crate::RULE,
    unparsed_rust_file::RULE,
    unsound_version::RULE,
    unusual_build_script::RULE,
    unusual_module_file::RULE,
    update_gains_build_code::RULE,
    update_gains_capability::RULE,
    update_grows_out_of_proportion::RULE,
    user_source_read::RULE,
    version_control_gap::RULE,
    version_jump::RULE,
    vulnerable_version::RULE,
    webassembly_runtime::RULE,
    writes_outside_package::RULE,
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
