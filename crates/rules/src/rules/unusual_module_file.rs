//! Modules that are compiled from files which do not look like code.

use std::collections::BTreeSet;

use cratekeeper_model::facts::{Facts, Module, ModuleForm, TargetKind};
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "unusual-module-file",
    family: Family::Package,
    title: "Code is compiled from a file that does not look like code",
    explanation: "\
**Looks at:** files that `#[path]` and `include!` bring into a target that is shipped, and root files of targets.

| what | severity, confidence |
|---|---|
| a module or target from a file whose name does not end in `.rs` | medium, medium |
| functions included from such a file | low, high |
| code from a directory for assets, tests or documentation, or from a hidden one | low, medium |
| a `#[path]` or `include!` that leaves the package | low, medium |
| a value included from such a file; any other `#[path]` that goes up | info, medium |

**Why:** a reviewer reads `.rs` files, and a tool that looks for code does the same. The compiler takes any file.

**Harmless when:** a table is kept in a file of its own and included as one value, or platforms have a file each.

**What to do:** read the file as code.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[19],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let mut seen = BTreeSet::new();
        let modules = facts.source.modules.iter().filter(|it| seen.insert((it.file, it.form as u8)));
        let places = modules
            .filter_map(|module| Some((weight(facts, module)?, evidence(facts, module))))
            .chain(outside(facts));
        by_weight(places, |(weight, _)| Some(*weight)).into_iter().map(found).collect()
    })
}

type Weighed = ((Severity, Confidence), Evidence);

fn found(((severity, confidence), places): ((Severity, Confidence), Vec<Weighed>)) -> Finding {
    let message = format!(
        "code is compiled from {} ({} in all)",
        quoted(&places[0].1.file, NAME),
        count(places.len(), "place", "places")
    );
    finding(&RULE, severity, confidence, message)
        .with_evidence(places.into_iter().map(|(_, evidence)| evidence))
        .with_help("read the file as code")
        .pointing_to([19])
}

fn weight(facts: &Facts, module: &Module) -> Option<(Severity, Confidence)> {
    let target = facts.manifest.targets.get(usize::from(module.target))?;
    if matches!(target.kind, TargetKind::Test | TargetKind::Bench | TargetKind::Example) {
        return None;
    }
    let path = places::path(facts, module.file);
    let is_rust = places::extension(path).eq_ignore_ascii_case("rs");
    let has_functions = || facts.source.functions.iter().any(|it| it.file == module.file && it.has_body);
    match module.form {
        ModuleForm::Inline | ModuleForm::File => None,
        ModuleForm::Include if !is_rust && has_functions() => Some((Severity::Low, Confidence::High)),
        ModuleForm::Include if !is_rust => Some((Severity::Info, Confidence::Medium)),
        _ if !is_rust => Some((Severity::Medium, Confidence::Medium)),
        // Where a build script stands is another rule's business.
        ModuleForm::Root if target.kind == TargetKind::BuildScript => None,
        _ if places::is_no_place_for_code(path) => Some((Severity::Low, Confidence::Medium)),
        ModuleForm::Path if !shares_top(path, &target.path) => Some((Severity::Info, Confidence::Medium)),
        _ => None,
    }
}

/// Whether two files are below the same directory at the top of the package.
fn shares_top(path: &str, root: &str) -> bool {
    path.split('/').next() == root.split('/').next()
}

/// Modules that could not be followed because they leave the package.
fn outside(facts: &Facts) -> impl Iterator<Item = Weighed> {
    let left = facts.source.problems.iter().filter(|it| it.contains("leaves the package"));
    left.map(|it| {
        ((Severity::Low, Confidence::Medium), place("Cargo.toml", None, Some(printable(it, EXCERPT))))
    })
}

fn evidence(facts: &Facts, module: &Module) -> Evidence {
    let name = if module.path.is_empty() { "the root of a target" } else { &module.path };
    place(places::path(facts, module.file), None, Some(format!("compiled as {}", quoted(name, NAME))))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::ModuleForm::{self, File, Include, Path, Root};
    use cratekeeper_model::facts::{Module, SourceFileStatus, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{one, rust_file, silent, target, with};

    fn module(path: &str, form: ModuleForm, kind: TargetKind) -> RuleInput {
        with(|facts| {
            facts.manifest.targets.push(target(kind, "src/lib.rs"));
            facts.source.rust_files.push(rust_file(path, SourceFileStatus::Parsed, &[0]));
            facts.source.modules.push(Module {
                target: 0,
                path: "a".to_owned(),
                file: 0,
                form,
                cfg: None,
                line: 2,
            });
        })
    }

    #[test]
    fn modules_from_other_extensions_are_medium() {
        for (path, form) in [("assets/logo.txt", Path), ("assets/default.svg", Path), ("src/data.bin", Root)]
        {
            let finding =
                one(&RULE, &module(path, form, TargetKind::Lib), Severity::Medium, Confidence::Medium);
            assert_eq!(finding.techniques, [19]);
        }
    }

    #[test]
    fn odd_directories_are_low() {
        one(&RULE, &module("tests/common/mod.rs", Path, TargetKind::Lib), Severity::Low, Confidence::Medium);
        let problem = "`#[path = \"../../x.rs\"]` leaves the package".to_owned();
        one(&RULE, &with(|facts| facts.source.problems.push(problem)), Severity::Low, Confidence::Medium);
    }

    #[test]
    fn included_values_and_shared_code_are_info() {
        one(&RULE, &module("src/table.in", Include, TargetKind::Lib), Severity::Info, Confidence::Medium);
        one(&RULE, &module("shared/a.rs", Path, TargetKind::Lib), Severity::Info, Confidence::Medium);
    }

    #[test]
    fn ordinary_modules_and_tests_are_silent() {
        silent(&RULE, &module("src/sys/unix.rs", Path, TargetKind::Lib));
        silent(&RULE, &module("src/table.rs", Include, TargetKind::Lib));
        silent(&RULE, &module("src/a.rs", File, TargetKind::Lib));
        silent(&RULE, &module("tests/common/mod.rs", Path, TargetKind::Bench));
        silent(&RULE, &module("src/main.rs", Root, TargetKind::Bin));
    }
}
