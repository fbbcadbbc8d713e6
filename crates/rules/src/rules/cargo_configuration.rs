//! A cargo configuration that travels in the package.

use cratekeeper_model::facts::{Facts, Setting, SpecialFile, SpecialRole};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "cargo-configuration",
    family: Family::Package,
    title: "The package carries a cargo configuration",
    explanation: "\
**Looks at:** `.cargo/config.toml` and `.cargo/config` anywhere in the package, key by key.

| what it sets | severity, confidence |
|---|---|
| a compiler, wrapper, linker, runner or credential provider that is a file of the package | medium, high |
| the same for a target that has to be asked for, WebAssembly or a microcontroller | low, high |
| another compiler, wrapper or credential provider; another source for crates; a registry; a proxy; an included file | low, high |
| a linker, a runner, flags, variables, aliases that run other programs | low, medium |
| anything else | info, high |

**Why:** cargo leaves the configuration of a dependency alone, but obeys it for whoever enters the directory: to look at a
suspicious crate, to run its tests, or because an editor does. `cargo metadata` alone starts a configured wrapper.

**Harmless when:** it holds the aliases, targets and runners of the project's own development, as packages for
microcontrollers do.

**What to do:** do not run cargo in the unpacked package, and open it in an editor that asks before it trusts a directory.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[25],
    evaluate,
};

/// Keys, or last parts of keys, that name a program or an address which takes the place of cargo's own.
const REPLACING: [&str; 16] = [
    "rustc",
    "rustc-wrapper",
    "rustc-workspace-wrapper",
    "rustdoc",
    "credential-provider",
    "global-credential-providers",
    "credential-process",
    "replace-with",
    "registry",
    "index",
    "local-registry",
    "directory",
    "proxy",
    "include",
    "cainfo",
    "default",
];

/// Last parts of keys that name a program which is run on the way.
const RUNNING: [&str; 7] = ["linker", "runner", "rustflags", "rustdocflags", "ar", "git", "path"];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let files = facts.files.special.iter().filter(|it| it.role == SpecialRole::CargoConfiguration);
        let settings: Vec<(&SpecialFile, Option<&Setting>)> = files
            .flat_map(|file| {
                let settings = file.settings.iter().map(move |setting| (file, Some(setting)));
                settings.chain(file.settings.is_empty().then_some((file, None)))
            })
            .collect();
        let groups = by_weight(settings, |(_, setting)| {
            Some(setting.map_or((Severity::Info, Confidence::High), |it| weight(facts, it)))
        });
        groups
            .into_iter()
            .map(|((severity, confidence), settings)| {
                let what = match severity {
                    Severity::Info => "carries a cargo configuration",
                    Severity::Low => "carries a cargo configuration that changes what is run or where crates come from",
                    _ => "carries a cargo configuration that puts a file of the package in the place of cargo's programs",
                };
                let message = format!("the package {what} ({})", count(settings.len(), "setting", "settings"));
                finding(&RULE, severity, confidence, message)
                    .with_evidence(settings.iter().map(|(file, setting)| evidence(file, *setting)))
                    .with_help("do not run cargo, or an editor that does, inside of the unpacked package")
                    .pointing_to([25])
            })
            .collect()
    })
}

fn weight(facts: &Facts, setting: &Setting) -> (Severity, Confidence) {
    let key = setting.key.as_str();
    let last = key.rsplit('.').next().unwrap_or(key);
    let section = key.split('.').next().unwrap_or(key);
    let runs = REPLACING.contains(&last) || RUNNING.contains(&last);
    if runs && names_own_file(facts, &setting.value) {
        return if is_ordinary_build(key) {
            (Severity::Medium, Confidence::High)
        } else {
            (Severity::Low, Confidence::High)
        };
    }
    // A key that cannot be read may be any.
    let replaces = REPLACING.contains(&last) && section != "alias" && section != "term";
    if replaces || matches!(section, "source" | "registries" | "patch" | "paths") || key.is_empty() {
        return (Severity::Low, Confidence::High);
    }
    let is_alias = section == "alias" && (setting.value.contains("--config") || setting.value.contains("-Z"));
    if RUNNING.contains(&last) || section == "env" || is_alias {
        return (Severity::Low, Confidence::Medium);
    }
    (Severity::Info, Confidence::High)
}

/// Whether a build on an ordinary machine obeys the key: a runner for WebAssembly or a microcontroller has to be asked for.
pub(crate) fn is_ordinary_build(key: &str) -> bool {
    match key.strip_prefix("target.") {
        None => true,
        Some(target) => {
            target.starts_with("cfg(")
                || ["linux", "windows", "darwin", "apple"].iter().any(|it| target.contains(it))
        }
    }
}

/// Whether a value begins with the path of a file of the package; a bare name is looked for in `PATH`.
fn names_own_file(facts: &Facts, value: &str) -> bool {
    let program = value.split_whitespace().next().unwrap_or("");
    let path = places::inside_package("", program);
    program.contains('/') && path.is_some_and(|path| places::entry(facts, &path).is_some())
}

fn evidence(file: &SpecialFile, setting: Option<&Setting>) -> Evidence {
    let excerpt = setting.map(|it| format!("{} = {}", quoted(&it.key, NAME), printable(&it.value, EXCERPT)));
    place(&file.path, setting.map(|it| it.line), excerpt)
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::FileKind;
    use cratekeeper_model::facts::SpecialRole::{CargoConfiguration, Toolchain};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{file, one, silent, special, with};

    fn configured(key: &str, value: &str) -> RuleInput {
        with(|facts| {
            facts.files.special.push(special(".cargo/config.toml", CargoConfiguration, &[(key, value)]));
            facts.files.entries.push(file("scripts/rustc-cache", FileKind::Script));
        })
    }

    #[test]
    fn programs_of_the_package_are_medium() {
        for key in ["build.rustc-wrapper", "target.cfg(unix).runner", "build.rustc"] {
            let input = configured(key, "scripts/rustc-cache -v");
            assert_eq!(one(&RULE, &input, Severity::Medium, Confidence::High).techniques, [25]);
        }
    }

    #[test]
    fn runners_of_other_targets_are_low() {
        let input = configured("target.wasm32-wasip1.runner", "./scripts/rustc-cache");
        one(&RULE, &input, Severity::Low, Confidence::High);
    }

    #[test]
    fn what_changes_the_build_is_low() {
        for key in [
            "build.rustc-wrapper",
            "source.crates-io.replace-with",
            "registries.a.index",
            "http.proxy",
            "include",
        ] {
            one(&RULE, &configured(key, "true"), Severity::Low, Confidence::High);
        }
        for (key, value) in [
            ("env.RUSTC_PEER", "x"),
            ("target.thumbv7em-none-eabihf.runner", "probe-rs run"),
            ("build.rustflags", "-C link-arg=-Tlink.x"),
            ("alias.b", "build --config scripts/fast.toml"),
        ] {
            one(&RULE, &configured(key, value), Severity::Low, Confidence::Medium);
        }
    }

    #[test]
    fn settings_of_development_are_info() {
        for (key, value) in
            [("alias.xtask", "run --package xtask --"), ("term.color", "always"), ("net.retry", "5")]
        {
            one(&RULE, &configured(key, value), Severity::Info, Confidence::High);
        }
    }

    #[test]
    fn other_files_are_silent() {
        let input =
            with(|facts| facts.files.special.push(special("rust-toolchain", Toolchain, &[("", "stable")])));
        silent(&RULE, &input);
    }
}
