//! Machine code that a build script puts into every program.

use cratekeeper_model::facts::{Facts, FileEntry, FileKind, Operation, OperationKind};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::places;
use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, count, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "linked-bundle",
    family: Family::Package,
    title: "A build script links machine code that the package carries or makes",
    explanation: "\
**Looks at:** what build scripts print for the linker (`cargo:rustc-link-lib`, `-search`, `-arg`), and archives, objects and libraries in
the package.

| what | severity, confidence |
|---|---|
| an argument that makes the linker keep or start something: `--init`, `--undefined`, a constructor, `--wrap`, an object by its path | low, high |
| a library that is linked as a whole (`+whole-archive`) | low, medium |
| a library or object of the package by its name, or below a directory that is searched | low, medium |
| link lines beside a library in the package that none of them names | info, medium |

**Why:** what is linked is part of every program that uses the package, and nobody reviews it. An attacker's object needs no call: it
registers itself to run before `main`, or takes the place of a function of the system.

**Harmless when:** the object was just compiled from sources of the package, or is an import library for Windows.

**What to do:** find out what made the object. Ask for a build from source.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[3],
    evaluate,
};

/// Arguments with which the linker keeps, starts or exchanges symbols that nobody asked for.
const FORCING: [&str; 9] = [
    "--init",
    "-init",
    "--undefined",
    "--require-defined",
    "--wrap",
    "--defsym",
    "force_load",
    "/include:",
    "--dynamic-linker",
];

/// A line for the linker, with its value and what it names.
struct Line<'f> {
    operation: &'f Operation,
    text: String,
    weight: (Severity, Confidence),
}

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let libraries: Vec<&FileEntry> = facts.files.entries.iter().filter(|it| is_linkable(it)).collect();
        let lines: Vec<Line<'_>> = places::directives(facts)
            .filter(|(operation, ..)| places::is_at_build_time(operation))
            .filter_map(|(operation, key, value)| {
                let text = format!("cargo:{key}={value}");
                Some(Line { operation, text, weight: weight(facts, &libraries, key, value)? })
            })
            .collect();
        let groups = by_weight(lines, |line| Some(line.weight));
        groups
            .into_iter()
            .map(|((severity, confidence), lines)| {
                let what = match severity {
                    Severity::Info => "a build script links libraries, and the package carries some",
                    _ => "a build script links machine code that nobody compiled from the package's source",
                };
                let message = format!(
                    "{what}: {} ({})",
                    quoted(&lines[0].text, NAME),
                    count(lines.len(), "line", "lines")
                );
                let places = lines.iter().map(|it| evidence(facts, it));
                let carried =
                    libraries.iter().map(|it| place(&it.path, None, Some("part of the package".to_owned())));
                finding(&RULE, severity, confidence, message)
                    .with_evidence(places.take(6).chain(carried))
                    .with_help("find out what made the object, and ask for a build from source")
                    .pointing_to([3])
            })
            .collect()
    })
}

fn weight(facts: &Facts, libraries: &[&FileEntry], key: &str, value: &str) -> Option<(Severity, Confidence)> {
    if !key.starts_with("rustc-link-") && !key.starts_with("rustc-cdylib-link-arg") && key != "rustc-flags" {
        return None;
    }
    let is_object =
        [".o", ".obj", ".a", ".lib", ".so", ".dylib"].iter().any(|it| value.trim_end().ends_with(it));
    let forces = FORCING.iter().any(|it| value.contains(it));
    if key.contains("link-arg") && (is_object || forces) {
        return Some((Severity::Low, Confidence::High));
    }
    if value.contains("+whole-archive") || value.contains("--whole-archive") {
        return Some((Severity::Low, Confidence::Medium));
    }
    let is_named = match key {
        "rustc-link-lib" => libraries.iter().any(|it| is_library_named(places::file_name(&it.path), value)),
        "rustc-link-search" => libraries.iter().any(|it| is_below(&it.path, value)),
        _ => false,
    };
    if is_named || (key == "rustc-link-lib" && writes_library(facts, value)) {
        return Some((Severity::Low, Confidence::Medium));
    }
    (!libraries.is_empty()).then_some((Severity::Info, Confidence::Medium))
}

/// Archives, objects and libraries, also empty ones by their name.
fn is_linkable(file: &FileEntry) -> bool {
    let extension = places::extension(&file.path).to_ascii_lowercase();
    let named = ["a", "lib", "o", "obj", "so", "dylib", "dll"].contains(&extension.as_str());
    file.kind == FileKind::StaticLibrary
        || (named
            && matches!(
                file.kind,
                FileKind::Empty | FileKind::Binary | FileKind::Elf | FileKind::Pe | FileKind::MachO
            ))
}

/// Whether `lib<name>.a` is what `static:+whole-archive=<name>` names.
fn is_library_named(file: &str, value: &str) -> bool {
    let name = value.rsplit('=').next().unwrap_or(value).split(':').next().unwrap_or("").trim();
    let stem = file.split('.').next().unwrap_or(file);
    !name.is_empty() && !name.contains("{}") && (stem == name || stem.strip_prefix("lib") == Some(name))
}

/// Whether a file lies in the directory `native={}/<directory>`.
fn is_below(file: &str, value: &str) -> bool {
    let path = value.rsplit('=').next().unwrap_or(value);
    let path = path.rsplit("{}").next().unwrap_or(path);
    match places::inside_package("", path.trim_start_matches('/')) {
        Some(directory) if !directory.is_empty() => {
            file.strip_prefix(&directory).is_some_and(|rest| rest.starts_with('/'))
        }
        _ => false,
    }
}

/// Whether the build script itself writes a library of that name: it made it out of something else than source.
fn writes_library(facts: &Facts, value: &str) -> bool {
    let writes = facts
        .flow
        .operations
        .iter()
        .filter(|it| it.kind == OperationKind::WriteFile && places::is_at_build_time(it));
    let mut written = writes.flat_map(|it| &it.arguments);
    written.any(|argument| {
        let file = places::file_name(argument);
        let is_library = ["a", "lib", "o", "obj"].contains(&places::extension(file));
        is_library && is_library_named(file, value)
    })
}

fn evidence(facts: &Facts, line: &Line<'_>) -> Evidence {
    let path = places::path(facts, line.operation.file);
    place(path, Some(line.operation.line), Some(printable(&line.text, EXCERPT)))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::{FileKind, OperationKind, TargetKind};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{file, one, operation, silent, with_rust};

    fn printing(lines: &[&str], library: Option<&str>) -> RuleInput {
        with_rust("build.rs", TargetKind::BuildScript, |facts| {
            for line in lines {
                facts.flow.operations.push(operation(OperationKind::CargoDirective, line));
            }
            facts.files.entries.extend(library.map(|path| file(path, FileKind::StaticLibrary)));
        })
    }

    #[test]
    fn libraries_of_the_package_are_low() {
        for line in [
            "cargo:rustc-link-lib=static=frcore",
            "cargo::rustc-link-lib=frcore",
            "cargo:rustc-link-search=native={}/lib",
        ] {
            let input = printing(&[line], Some("lib/libfrcore.a"));
            assert_eq!(one(&RULE, &input, Severity::Low, Confidence::Medium).techniques, [3], "{line}");
        }
    }

    #[test]
    fn forced_symbols_and_objects_are_low_without_a_library() {
        for line in ["cargo:rustc-link-arg=-Wl,--init=start", "cargo:rustc-link-arg={}/stream.o"] {
            one(&RULE, &printing(&[line], None), Severity::Low, Confidence::High);
        }
        one(
            &RULE,
            &printing(&["cargo:rustc-link-lib=static:+whole-archive=x"], None),
            Severity::Low,
            Confidence::Medium,
        );
    }

    #[test]
    fn a_library_that_the_script_writes_is_low() {
        let mut input = printing(&["cargo:rustc-link-lib=static=vectors"], None);
        if let cratekeeper_model::Known::Known(facts) = &mut input.facts {
            facts.flow.operations.push(operation(OperationKind::WriteFile, "{}/libvectors.a"));
        }
        one(&RULE, &input, Severity::Low, Confidence::Medium);
    }

    #[test]
    fn other_libraries_are_info() {
        one(
            &RULE,
            &printing(&["cargo:rustc-link-lib=z"], Some("lib/libother.a")),
            Severity::Info,
            Confidence::Medium,
        );
    }

    #[test]
    fn system_libraries_and_other_lines_are_silent() {
        silent(&RULE, &printing(&["cargo:rustc-link-lib=z", "cargo:rerun-if-changed=build.rs"], None));
        silent(&RULE, &printing(&["cargo:rerun-if-changed=lib"], Some("lib/liba.a")));
        silent(&RULE, &printing(&["cargo:rustc-link-arg=-Wl,-z,now"], None));
    }
}
