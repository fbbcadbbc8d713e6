//! Dependencies that code knows by another crate's name.

use cratekeeper_model::facts::Dependency;
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, by_weight, finding, place, with_facts};
use crate::text::{NAME, count, quoted};

pub(super) const RULE: Rule = Rule {
    id: "renamed-dependency",
    family: Family::Package,
    title: "A dependency is renamed so that code calls it by another crate's name",
    explanation: "\
**Looks at:** dependencies with `package`. A crate that code calls by the name of one that everybody knows, without being it, is `low`; a
new name that has nothing of the crate's own is `info`. A name that only adds to the crate's own (`rand_09`, `serde_crate`) is silent.

**Why:** `use serde::…` reads as what everybody knows, and the manifest, which few read, makes another crate of it.

**Harmless when:** a fork stands in for the original, crates of the standard library's workspace are called `core` and `alloc`, or two
libraries offer the same functions.

**What to do:** look at the crate that the manifest names, not at the one that the code does.",
    severities: &[Severity::Info, Severity::Low],
    techniques: &[30],
    evaluate,
};

/// Crates that a reader takes for granted: among the most used of the ecosystem, and the standard library's own.
const KNOWN: [&str; 60] = [
    "anyhow",
    "async-trait",
    "axum",
    "base64",
    "bitflags",
    "bytes",
    "cc",
    "cfg-if",
    "chrono",
    "clap",
    "crossbeam",
    "dirs",
    "either",
    "env-logger",
    "futures",
    "getrandom",
    "hashbrown",
    "hex",
    "http",
    "hyper",
    "indexmap",
    "itertools",
    "itoa",
    "lazy-static",
    "libc",
    "log",
    "memchr",
    "mio",
    "nix",
    "num-traits",
    "once-cell",
    "openssl",
    "parking-lot",
    "proc-macro2",
    "quote",
    "rand",
    "rayon",
    "regex",
    "reqwest",
    "ring",
    "rustls",
    "semver",
    "serde",
    "serde-derive",
    "serde-json",
    "sha2",
    "smallvec",
    "socket2",
    "syn",
    "tempfile",
    "thiserror",
    "time",
    "tokio",
    "toml",
    "tracing",
    "unicode-ident",
    "url",
    "uuid",
    "walkdir",
    "winapi",
];

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let groups = by_weight(&facts.manifest.dependencies, |it| weight(it));
        groups
            .into_iter()
            .map(|((severity, confidence), dependencies)| {
                let first = dependencies[0];
                let message = format!(
                    "{} renamed, for example {} is called {}",
                    count(dependencies.len(), "dependency is", "dependencies are"),
                    quoted(first.package.as_deref().unwrap_or(""), NAME),
                    quoted(&first.name, NAME)
                );
                finding(&RULE, severity, confidence, message)
                    .with_evidence(dependencies.iter().map(|it| evidence(it)))
                    .with_help("look at the crate that the manifest names, not at the one that the code does")
                    .pointing_to([30])
            })
            .collect()
    })
}

fn weight(dependency: &Dependency) -> Option<(Severity, Confidence)> {
    let package = plain(dependency.package.as_deref()?);
    let name = plain(&dependency.name);
    // `rand_09` and `serde_crate` still say what they are.
    let adds = format!("-{name}-").contains(&format!("-{package}-"))
        || name.strip_prefix(&package).is_some_and(is_number);
    if adds {
        return None;
    }
    let is_known = KNOWN.contains(&name.as_str()) && !KNOWN.contains(&package.as_str());
    if is_known {
        return Some((Severity::Low, Confidence::Medium));
    }
    let words: Vec<&str> = name.split('-').filter(|it| it.len() > 2).collect();
    let shares_a_word = words.iter().any(|word| package.split('-').any(|it| it == *word));
    (!shares_a_word).then_some((Severity::Info, Confidence::Medium))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|it| it.is_ascii_digit() || it == '-')
}

/// Registries take `-` and `_` for the same.
fn plain(name: &str) -> String {
    name.to_lowercase().replace('_', "-")
}

fn evidence(dependency: &Dependency) -> Evidence {
    let package = quoted(dependency.package.as_deref().unwrap_or(""), NAME);
    place("Cargo.toml", None, Some(format!("{} = {{ package = {package} }}", quoted(&dependency.name, NAME))))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::Dependency;
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{dependency, one, silent, with};

    fn renamed(name: &str, package: &str) -> RuleInput {
        let package = Some(package.to_owned());
        with(|facts| facts.manifest.dependencies.push(Dependency { package, ..dependency(name) }))
    }

    #[test]
    fn a_known_name_for_another_crate_is_low() {
        for (name, package) in [("serde", "serd"), ("log", "demo-log-facade"), ("serde_json", "serde-jsom")] {
            let finding = one(&RULE, &renamed(name, package), Severity::Low, Confidence::Medium);
            assert_eq!(finding.techniques, [30]);
        }
    }

    #[test]
    fn an_unrelated_name_is_info() {
        one(&RULE, &renamed("helper", "tinyreq"), Severity::Info, Confidence::Medium);
    }

    #[test]
    fn names_that_say_what_they_are_are_silent() {
        for (name, package) in [
            ("rand_09", "rand"),
            ("rand08", "rand"),
            ("serde_crate", "serde"),
            ("tokio_rustls", "tokio-rustls"),
            ("core", "rustc-std-workspace-core"),
            ("parking_lot", "parking_lot"),
        ] {
            silent(&RULE, &renamed(name, package));
        }
        silent(&RULE, &with(|facts| facts.manifest.dependencies.push(dependency("serde"))));
    }
}
