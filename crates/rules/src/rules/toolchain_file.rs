//! A toolchain file that travels in the package.

use cratekeeper_model::facts::{Setting, SpecialFile, SpecialRole};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "toolchain-file",
    family: Family::Package,
    title: "The package chooses the toolchain",
    explanation: "\
**Looks at:** `rust-toolchain.toml` and `rust-toolchain`. A `path` is `medium`, a channel that is no release of Rust (a name of its own)
`low`, an ordinary channel `info`.

**Why:** rustup runs `cargo` and `rustc` from the directory that `path` names, for whoever enters the package's directory. A channel
with a name of its own is a directory that somebody linked on this machine.

**Harmless when:** the project fixes the version that it is developed with.

**What to do:** do not run cargo in the unpacked package where `path` is set.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[26],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let files = facts.files.special.iter().filter(|it| it.role == SpecialRole::Toolchain);
        let groups = by_weight(files.map(|file| (file, decisive(file))), |(_, setting)| {
            Some(setting.map_or(QUIET, weight))
        });
        groups
            .into_iter()
            .map(|((severity, confidence), files)| {
                let (file, setting) = files[0];
                let what = match severity {
                    Severity::Info => "chooses the toolchain that it is developed with",
                    Severity::Low => "chooses a toolchain that is no release of Rust",
                    _ => "brings or names a directory as toolchain, whose programs run instead of cargo and rustc",
                };
                let message = format!("{} {what}{}", quoted(&file.path, NAME), setting.map_or(String::new(), |it| format!(": {}", quoted(&it.value, NAME))));
                finding(&RULE, severity, confidence, message)
                    .with_evidence(files.iter().map(|(file, setting)| evidence(file, *setting)))
                    .with_help("do not run cargo inside of the unpacked package")
                    .pointing_to([26])
            })
            .collect()
    })
}

const QUIET: (Severity, Confidence) = (Severity::Info, Confidence::High);

/// The setting that says most: a path before a channel.
fn decisive(file: &SpecialFile) -> Option<&Setting> {
    file.settings.iter().max_by_key(|it| weight(it))
}

fn weight(setting: &Setting) -> (Severity, Confidence) {
    let last = setting.key.rsplit('.').next().unwrap_or("");
    match last {
        "path" => (Severity::Medium, Confidence::High),
        "channel" | "" if setting.value.contains(['/', '\\']) => (Severity::Medium, Confidence::High),
        "channel" | "" if !is_release(&setting.value) => (Severity::Low, Confidence::Medium),
        _ => QUIET,
    }
}

/// `stable`, `nightly-2026-01-01`, `1.82.0-x86_64-unknown-linux-gnu`.
fn is_release(channel: &str) -> bool {
    let first = channel.split('-').next().unwrap_or("");
    matches!(first, "stable" | "beta" | "nightly")
        || (!first.is_empty() && first.chars().all(|it| it.is_ascii_digit() || it == '.'))
}

fn evidence(file: &SpecialFile, setting: Option<&Setting>) -> Evidence {
    place(
        &file.path,
        setting.map(|it| it.line),
        setting.map(|it| printable(&format!("{} {}", it.key, it.value), EXCERPT)),
    )
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::SpecialRole::{CargoConfiguration, Toolchain};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{one, silent, special, with};

    fn toolchain(settings: &[(&str, &str)]) -> RuleInput {
        with(|facts| facts.files.special.push(special("rust-toolchain.toml", Toolchain, settings)))
    }

    #[test]
    fn a_path_is_medium() {
        let input = toolchain(&[("toolchain.channel", "stable"), ("toolchain.path", "tools/toolchain")]);
        assert_eq!(one(&RULE, &input, Severity::Medium, Confidence::High).techniques, [26]);
    }

    #[test]
    fn a_channel_of_its_own_is_low() {
        one(&RULE, &toolchain(&[("toolchain.channel", "acme-fast")]), Severity::Low, Confidence::Medium);
        one(&RULE, &toolchain(&[("", "custom")]), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn releases_are_info() {
        for channel in ["stable", "1.82.0", "nightly-2026-01-01", "beta-x86_64-unknown-linux-gnu"] {
            one(
                &RULE,
                &toolchain(&[("toolchain.channel", channel), ("toolchain.components", "rustfmt")]),
                Severity::Info,
                Confidence::High,
            );
        }
    }

    #[test]
    fn other_files_are_silent() {
        silent(
            &RULE,
            &with(|facts| {
                facts.files.special.push(special(".cargo/config", CargoConfiguration, &[("path", "x")]));
            }),
        );
    }
}
