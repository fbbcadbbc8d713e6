//! Programs in WebAssembly, and what runs them.

use cratekeeper_model::facts::{Dependency, DependencySection, Facts, FileEntry, FileKind, OperationKind};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{NAME, count, quoted};

pub(super) const RULE: Rule = Rule {
    id: "webassembly-runtime",
    family: Family::Package,
    title: "The package carries or runs WebAssembly",
    explanation: "\
**Looks at:** WebAssembly modules, as bytes or as text (`.wat`), and dependencies that run such modules (`wasmtime`, `wasmer`, `wasmi`,
`watt`, …). A package that carries a module and can run it, or runs one at build time, is `low`; one of both is `info`. Test data and
development dependencies are left out.

**Why:** a module is a program that no reviewer of Rust reads, and behaves alike on every platform. What its host lends it, it can use.

**Harmless when:** the crate is a runtime or a tool for WebAssembly, plugins are its purpose, or a macro is shipped compiled to be fast.

**What to do:** find out what made the module, and what its host hands in: files, variables, the network.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[61],
    evaluate,
};

/// Crates that run modules.
const RUNTIMES: [&str; 14] = [
    "wasmtime",
    "wasmtime-wasi",
    "wasmer",
    "wasmer-wasix",
    "wasmi",
    "watt",
    "wasm3",
    "wasmedge-sdk",
    "tinywasm",
    "wain-exec",
    "extism",
    "wasmtime-runtime",
    "stitch",
    "wasm-interpreter",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let modules: Vec<&FileEntry> = facts.files.entries.iter().filter(|it| is_module(it)).collect();
        let runtimes: Vec<&Dependency> =
            facts.manifest.dependencies.iter().filter(|it| is_runtime(it)).collect();
        if modules.is_empty() && runtimes.is_empty() {
            return Vec::new();
        }
        let runs_at_build = runtimes.iter().any(|it| it.section == DependencySection::Build)
            || (!runtimes.is_empty() && facts.manifest.targets.iter().any(|it| it.kind.runs_at_build_time()))
            || interprets_at_build(facts);
        let is_whole = runs_at_build || !(modules.is_empty() || runtimes.is_empty());
        let severity = if is_whole { Severity::Low } else { Severity::Info };
        let message = match (modules.first(), runtimes.first()) {
            (Some(module), Some(runtime)) => {
                format!(
                    "the package carries {} and runs WebAssembly by {}",
                    quoted(&module.path, NAME),
                    quoted(&runtime.name, NAME)
                )
            }
            (Some(_), None) => format!(
                "the package carries {}",
                count(modules.len(), "WebAssembly module", "WebAssembly modules")
            ),
            (None, first) => {
                format!("the package runs WebAssembly by {}", quoted(first.map_or("", |it| &it.name), NAME))
            }
        };
        let carried = modules.iter().map(|it| place(&it.path, None, Some("WebAssembly module".to_owned())));
        vec![
            finding(&RULE, severity, Confidence::Medium, message)
                .with_evidence(carried.take(6).chain(runtimes.iter().map(|it| evidence(it))))
                .with_help("find out what made the module, and what its host hands in")
                .pointing_to([61]),
        ]
    })
}

fn is_module(file: &FileEntry) -> bool {
    let is_text = places::extension(&file.path).eq_ignore_ascii_case("wat") && file.kind.is_text();
    (file.kind == FileKind::Wasm || is_text) && !places::is_test_data(&file.path)
}

fn is_runtime(dependency: &Dependency) -> bool {
    let name = dependency.package.as_deref().unwrap_or(&dependency.name).replace('_', "-");
    dependency.section != DependencySection::Dev && RUNTIMES.contains(&name.as_str())
}

fn interprets_at_build(facts: &Facts) -> bool {
    let mut operations = facts.flow.operations.iter();
    operations.any(|it| it.kind == OperationKind::Interpret && places::is_at_build_time(it))
}

fn evidence(dependency: &Dependency) -> Evidence {
    place("Cargo.toml", None, Some(format!("depends on {}", quoted(&dependency.name, NAME))))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Dependency, DependencySection, FileKind, TargetKind};
    use cratekeeper_model::{Confidence, Severity};

    use super::RULE;
    use crate::test_support::{dependency, file, one, silent, target, with};

    #[test]
    fn a_module_or_a_runtime_is_info() {
        let input = with(|facts| facts.files.entries.push(file("assets/curve.bin", FileKind::Wasm)));
        assert_eq!(one(&RULE, &input, Severity::Info, Confidence::Medium).techniques, [61]);
        one(
            &RULE,
            &with(|facts| facts.manifest.dependencies.push(dependency("wasmi"))),
            Severity::Info,
            Confidence::Medium,
        );
    }

    #[test]
    fn both_and_build_time_are_low() {
        let input = with(|facts| {
            facts.manifest.dependencies.push(dependency("wasmtime"));
            facts.files.entries.push(file("assets/a.wat", FileKind::Text));
        });
        one(&RULE, &input, Severity::Low, Confidence::Medium);
        let input = with(|facts| {
            facts.manifest.dependencies.push(dependency("watt"));
            facts.manifest.targets.push(target(TargetKind::ProcMacro, "src/lib.rs"));
        });
        one(&RULE, &input, Severity::Low, Confidence::Medium);
    }

    #[test]
    fn test_data_and_targets_for_it_are_silent() {
        silent(&RULE, &with(|facts| facts.files.entries.push(file("tests/a.wasm", FileKind::Wasm))));
        let development = Dependency { section: DependencySection::Dev, ..dependency("wasmtime") };
        silent(
            &RULE,
            &with(|facts| facts.manifest.dependencies.extend([development, dependency("wasm-bindgen")])),
        );
    }
}
