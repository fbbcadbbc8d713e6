//! A library that is a stub beside a large build script.

use cratekeeper_model::facts::{Facts, TargetKind};
use cratekeeper_model::{Confidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::count;

pub(super) const RULE: Rule = Rule {
    id: "stub-library",
    family: Family::Package,
    title: "The library is a stub, and what runs at build time is large",
    explanation: "\
**Looks at:** the lines of the files that the library and the programs are made of, and of those that the build script is made of. A library
of fewer than 30 lines beside a build script of 30 or more that is at least three times as long is a hit: `low` when it is at
least ten times, or eight times with fewer than 12 lines, and `info` otherwise or when the library is bindings (`links`, a file from `OUT_DIR`).

**Why:** packages that were made for their build script alone have a library only because cargo asks for one. Campaigns of 2026
did not bother to write more than a version number.

**Harmless when:** the package binds a native library, and the build script finds it or makes the bindings.

**What to do:** compare the description with the library: does anything of what is promised exist?",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[62],
    evaluate,
};

/// Most lines of a library that is looked at; fewest of a build script.
const STUB: u64 = 30;
const SCRIPT: u64 = 30;

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let scripts = lines(facts, |kind| kind == TargetKind::BuildScript);
        let shipped =
            lines(facts, |kind| matches!(kind, TargetKind::Lib | TargetKind::Bin | TargetKind::ProcMacro));
        if shipped == 0 || shipped >= STUB || scripts < SCRIPT || scripts < 3 * shipped {
            return Vec::new();
        }
        let is_extreme = scripts >= 10 * shipped || (shipped < 12 && scripts >= 8 * shipped);
        let severity = if is_extreme && !is_binding(facts) { Severity::Low } else { Severity::Info };
        let message = format!(
            "what is shipped has {}, the build script {}",
            count(shipped as usize, "line", "lines"),
            count(scripts as usize, "line", "lines")
        );
        let roots = facts
            .manifest
            .targets
            .iter()
            .filter(|it| matches!(it.kind, TargetKind::BuildScript | TargetKind::Lib));
        vec![
            finding(&RULE, severity, Confidence::Medium, message)
                .with_evidence(roots.map(|it| place(&it.path, None, None)))
                .with_help("compare the description with the library, and read the build script")
                .pointing_to([62]),
        ]
    })
}

/// Lines of all files that targets of such kinds reach.
fn lines(facts: &Facts, is_wanted: impl Fn(TargetKind) -> bool) -> u64 {
    let files = facts.source.rust_files.iter().enumerate();
    let reached = files.filter(|(number, _)| places::kinds(facts, *number as u32).any(&is_wanted));
    reached.filter_map(|(_, file)| places::entry(facts, &file.path)).map(|entry| u64::from(entry.lines)).sum()
}

fn is_binding(facts: &Facts) -> bool {
    facts.manifest.links.is_some() || facts.source.includes.iter().any(|it| it.argument.contains("OUT_DIR"))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{FileEntry, FileKind, SourceFileStatus, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{file, input, one, rust_file, silent, target, with};

    fn package(library: u32, script: u32, links: Option<&str>) -> RuleInput {
        with(|facts| {
            facts.manifest.links = links.map(str::to_owned);
            for (number, (kind, path, lines)) in
                [(TargetKind::Lib, "src/lib.rs", library), (TargetKind::BuildScript, "build.rs", script)]
                    .into_iter()
                    .enumerate()
            {
                facts.manifest.targets.push(target(kind, path));
                facts.source.rust_files.push(rust_file(path, SourceFileStatus::Parsed, &[number as u16]));
                facts.files.entries.push(FileEntry { lines, ..file(path, FileKind::Text) });
            }
        })
    }

    /// TrapDoor (2026): a function that returns a version, and a build script that does the rest.
    #[test]
    fn the_wild_stub_is_low() {
        let finding = one(&RULE, &package(3, 70, None), Severity::Low, Confidence::Medium);
        assert_eq!(finding.techniques, [62]);
    }

    #[test]
    fn bindings_and_milder_ratios_are_info() {
        one(&RULE, &package(3, 70, Some("z")), Severity::Info, Confidence::Medium);
        one(&RULE, &package(20, 70, None), Severity::Info, Confidence::Medium);
    }

    #[test]
    fn libraries_and_short_scripts_are_silent() {
        silent(&RULE, &package(300, 3_000, None));
        silent(&RULE, &package(2, 25, None));
        silent(&RULE, &package(25, 40, None));
        silent(&RULE, &input());
    }
}
