//! Code that runs before `main`.

use cratekeeper_model::facts::{Dependency, DependencySection, Facts, OperationKind};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "code-before-main",
    family: Family::Package,
    title: "Code runs before `main`, in every program that links the package",
    explanation: "\
**Looks at:** statics in the linker's sections of constructors (`.init_array`, `.ctors`, `.CRT$XC…`, `__mod_init_func`), entry points of
libraries (`DllMain`), functions that are registered as constructors, and dependencies that do the same (`ctor`, `inventory`,
`linkme`). The package's own code is `low`, a dependency alone `info`. Development dependencies are left out.

**Why:** it is enough to be linked: no function of the package has to be called. A reader of `main` sees nothing.

**Harmless when:** plugins register themselves, a log starts early, or a library for C has to set itself up.

**What to do:** read the functions that are registered. They should do little, and nothing with files or the network.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[20],
    evaluate,
};

/// Sections whose pointers the loader calls, by the formats' specifications: ELF gABI, Microsoft's C runtime, Mach-O `loader.h`.
const SECTIONS: [&str; 9] = [
    ".init_array",
    ".preinit_array",
    ".fini_array",
    ".ctors",
    ".dtors",
    ".CRT$X",
    "__mod_init_func",
    "__mod_term_func",
    ".init",
];

/// Symbols that a loader calls by name.
const ENTRY_POINTS: [&str; 4] = ["DllMain", "_init", "_DllMainCRTStartup", "JNI_OnLoad"];

/// Crates that exist to do this.
const CRATES: [&str; 8] =
    ["ctor", "inventory", "linkme", "startup", "static_init", "ctor-lite", "small_ctor", "rust-ctor"];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let own = own(facts);
        let dependencies: Vec<Evidence> =
            facts.manifest.dependencies.iter().filter(|it| registers(it)).map(dependency).collect();
        [
            (own, Severity::Low, Confidence::High, "the package registers code that runs before `main`"),
            (
                dependencies,
                Severity::Info,
                Confidence::Medium,
                "the package depends on a crate that runs code before `main`",
            ),
        ]
        .into_iter()
        .filter(|(places, ..)| !places.is_empty())
        .map(|(places, severity, confidence, what)| {
            let message = format!("{what} ({})", count(places.len(), "place", "places"));
            finding(&RULE, severity, confidence, message)
                .with_evidence(places)
                .with_help("read the registered functions: they run in every program that links the package")
                .pointing_to([20])
        })
        .collect()
    })
}

fn own(facts: &Facts) -> Vec<Evidence> {
    let attributes = facts.source.linkage.iter().filter(|it| {
        let value = it.value.as_deref().unwrap_or("");
        match it.attribute.as_str() {
            "link_section" => SECTIONS.iter().any(|section| value.contains(section)),
            "no_mangle" | "export_name" => ENTRY_POINTS.contains(&value),
            _ => false,
        }
    });
    let attributes = attributes.map(|it| (it.file, it.line, it.value.clone().unwrap_or_default()));
    let registered = facts.flow.operations.iter().filter(|it| it.kind == OperationKind::BeforeMain);
    let registered = registered.map(|it| (it.file, it.line, it.path.clone()));
    let assembly = facts.source.assembly.iter().filter(|it| it.mentions.iter().any(|it| it == ".init_array"));
    let assembly = assembly.map(|it| (it.file, it.line, it.text.clone()));
    let mut places: Vec<(u32, u32, String)> = attributes.chain(registered).chain(assembly).collect();
    places.retain(|(file, ..)| places::ships(facts, *file));
    places.sort();
    places.dedup_by_key(|it| (it.0, it.1));
    places
        .into_iter()
        .map(|(file, line, text)| {
            place(places::path(facts, file), Some(line), Some(printable(&text, EXCERPT)))
        })
        .collect()
}

fn registers(dependency: &Dependency) -> bool {
    let name = dependency.package.as_deref().unwrap_or(&dependency.name).replace('_', "-");
    dependency.section != DependencySection::Dev && CRATES.iter().any(|it| it.replace('_', "-") == name)
}

fn dependency(dependency: &Dependency) -> Evidence {
    place("Cargo.toml", None, Some(format!("depends on {}", quoted(&dependency.name, NAME))))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Dependency, DependencySection, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{dependency, linkage, one, silent, with, with_rust};

    fn exporting(attribute: &str, value: &str, target: TargetKind) -> RuleInput {
        with_rust("src/lib.rs", target, |facts| facts.source.linkage.push(linkage(attribute, value)))
    }

    #[test]
    fn own_constructors_are_low() {
        for section in [".init_array", ".CRT$XCU", "__DATA,__mod_init_func", ".ctors", ".init_array.00099"] {
            let input = exporting("link_section", section, TargetKind::Lib);
            assert_eq!(one(&RULE, &input, Severity::Low, Confidence::High).techniques, [20], "{section}");
        }
        one(&RULE, &exporting("no_mangle", "DllMain", TargetKind::Lib), Severity::Low, Confidence::High);
    }

    #[test]
    fn dependencies_are_info_unless_for_tests() {
        let of = |section| {
            with(|facts| facts.manifest.dependencies.push(Dependency { section, ..dependency("ctor") }))
        };
        one(&RULE, &of(DependencySection::Normal), Severity::Info, Confidence::Medium);
        silent(&RULE, &of(DependencySection::Dev));
    }

    #[test]
    fn other_sections_symbols_and_tests_are_silent() {
        silent(&RULE, &exporting("link_section", ".text.hot", TargetKind::Lib));
        silent(&RULE, &exporting("no_mangle", "demo_init", TargetKind::Lib));
        silent(&RULE, &exporting("link_section", ".init_array", TargetKind::Test));
        silent(&RULE, &with(|facts| facts.manifest.dependencies.push(dependency("constructor"))));
    }
}
