//! Build scripts that stand in unusual places, or pull code from there.

use cratekeeper_model::facts::{Facts, Include, IncludeKind, Module, ModuleForm, TargetKind};
use cratekeeper_model::{Confidence, Evidence, Finding, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "unusual-build-script",
    family: Family::Package,
    title: "The build script stands in an unusual place, or pulls code from one",
    explanation: "\
**Looks at:** the file that the manifest names as build script, and files that the script pulls in by `#[path]` or `include!`.

| what | severity, confidence |
|---|---|
| a build script that is no `.rs` file | medium, medium |
| a build script, or code for it, in a directory for documentation, assets, tests, examples, or one that is hidden | low, high |
| a build script under another name than `build.rs`; code for it from elsewhere in the package | info, high |

**Why:** reviewers open `build.rs` first. A script in another place is read later, or never.

**Harmless when:** a large script has its own directory (`build/main.rs`, silent here), or shares a file with the library.

**What to do:** read that file as you would read `build.rs`.",
    severities: &[Severity::Info, Severity::Low, Severity::Medium],
    techniques: &[4],
    evaluate,
};

/// Usual names of the directory that a build script has to itself, and of the script.
const DIRECTORIES: [&str; 6] = ["", "build", "builder", "build_script", "build-script", "buildscript"];
const NAMES: [&str; 4] = ["build.rs", "main.rs", "mod.rs", "lib.rs"];

/// What the build script is or pulls in.
struct Piece<'f> {
    path: String,
    weight: (Severity, Confidence),
    evidence: Evidence,
    facts: &'f Facts,
}

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let pieces = scripts(facts).chain(modules(facts)).chain(includes(facts));
        by_weight(pieces, |piece| Some(piece.weight)).into_iter().map(found).collect()
    })
}

fn found(((severity, confidence), pieces): ((Severity, Confidence), Vec<Piece<'_>>)) -> Finding {
    let first = &pieces[0];
    let is_script = first
        .facts
        .manifest
        .targets
        .iter()
        .any(|it| it.kind == TargetKind::BuildScript && it.path == first.path);
    let what = if is_script { "the build script is" } else { "the build script pulls code from" };
    let message =
        format!("{what} {} ({} in all)", quoted(&first.path, NAME), count(pieces.len(), "file", "files"));
    finding(&RULE, severity, confidence, message)
        .with_evidence(pieces.into_iter().map(|it| it.evidence))
        .with_help("read that file as you would read `build.rs`")
        .pointing_to([4])
}

fn scripts(facts: &Facts) -> impl Iterator<Item = Piece<'_>> {
    let scripts = facts.manifest.targets.iter().filter(|it| it.kind == TargetKind::BuildScript);
    scripts.filter_map(|script| {
        let directory = places::directory(&script.path);
        let is_usual = DIRECTORIES.contains(&directory) && NAMES.contains(&places::file_name(&script.path));
        let weight = if !is_rust(&script.path) {
            (Severity::Medium, Confidence::Medium)
        } else if places::is_no_place_for_code(&script.path) {
            (Severity::Low, Confidence::High)
        } else {
            (Severity::Info, Confidence::High)
        };
        let evidence = place(&script.path, None, None);
        (!is_usual).then(|| Piece { path: script.path.clone(), weight, evidence, facts })
    })
}

fn is_rust(path: &str) -> bool {
    places::extension(path).eq_ignore_ascii_case("rs")
}

fn is_script(facts: &Facts, module: &Module) -> bool {
    facts
        .manifest
        .targets
        .get(usize::from(module.target))
        .is_some_and(|it| it.kind == TargetKind::BuildScript)
}

fn modules(facts: &Facts) -> impl Iterator<Item = Piece<'_>> {
    let pulled =
        facts.source.modules.iter().filter(|it| matches!(it.form, ModuleForm::Path | ModuleForm::Include));
    pulled.filter(|it| is_script(facts, it)).map(|module| {
        let path = places::path(facts, module.file);
        Piece { path: path.to_owned(), weight: pulled_weight(path), evidence: place(path, None, None), facts }
    })
}

fn pulled_weight(path: &str) -> (Severity, Confidence) {
    if places::is_no_place_for_code(path) || !is_rust(path) {
        (Severity::Low, Confidence::High)
    } else {
        (Severity::Info, Confidence::High)
    }
}

/// What cannot be followed: computed paths, except for what the script itself generates.
fn includes(facts: &Facts) -> impl Iterator<Item = Piece<'_>> {
    let is_script = |it: &&Include| places::kinds(facts, it.file).any(|kind| kind == TargetKind::BuildScript);
    let computed = facts.source.includes.iter().filter(|it| it.kind == IncludeKind::Include && !it.literal);
    computed.filter(is_script).filter(|it| !it.argument.contains("OUT_DIR")).map(|it| {
        let path = places::path(facts, it.file);
        let evidence = place(path, Some(it.line), Some(printable(&it.argument, EXCERPT)));
        let place_weight = pulled_weight(it.argument.rsplit('"').nth(1).unwrap_or("x.rs"));
        Piece { path: it.argument.clone(), weight: place_weight, evidence, facts }
    })
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{Module, ModuleForm, SourceFileStatus, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{one, rust_file, silent, target, with};

    fn script(path: &str) -> RuleInput {
        with(|facts| facts.manifest.targets.push(target(TargetKind::BuildScript, path)))
    }

    fn pulling(path: &str, form: ModuleForm) -> RuleInput {
        with(|facts| {
            facts.manifest.targets.push(target(TargetKind::BuildScript, "build.rs"));
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
    fn a_script_that_is_no_rust_file_is_medium() {
        let finding = one(&RULE, &script("benches/corpus/small.in"), Severity::Medium, Confidence::Medium);
        assert_eq!(finding.techniques, [4]);
    }

    #[test]
    fn odd_directories_are_low_and_other_names_info() {
        one(&RULE, &script("docs/examples/overview.rs"), Severity::Low, Confidence::High);
        one(&RULE, &script("tools/gen.rs"), Severity::Info, Confidence::High);
        one(&RULE, &pulling("tests/data/a.rs", ModuleForm::Include), Severity::Low, Confidence::High);
        one(&RULE, &pulling("src/shared.rs", ModuleForm::Path), Severity::Info, Confidence::High);
    }

    #[test]
    fn usual_places_are_silent() {
        for path in ["build.rs", "build/main.rs", "build/build.rs"] {
            silent(&RULE, &script(path));
        }
        silent(&RULE, &pulling("build/system.rs", ModuleForm::File));
    }
}
