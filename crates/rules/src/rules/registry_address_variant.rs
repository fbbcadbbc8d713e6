//! Addresses of registries that differ only by spelling.

use std::collections::BTreeMap;

use cratekeeper_model::facts::{Facts, SpecialRole};
use cratekeeper_model::{Confidence, Evidence, RuleInput, Severity};

use crate::rule::{Complete, Evaluation, Family, Rule, finding, place, with_facts};
use crate::text::{EXCERPT, NAME, printable, quoted};

pub(super) const RULE: Rule = Rule {
    id: "registry-address-variant",
    family: Family::Package,
    title: "Two addresses of registries differ only by spelling",
    explanation: "\
**Looks at:** addresses of registries in dependencies, in a lockfile and in a cargo configuration of the package. Two that become the same
when case, default ports, doubled slashes, dot segments, percent-encoding, user names and endings are evened out are `medium`; a
single address with a user name, a dot segment or a doubled slash in it is `low`.

**Why:** cargo keeps credentials by address, and servers even addresses out by rules of their own. A second spelling makes a token of
one registry go to another, or one name come from two places (CVE-2026-5222).

**Harmless when:** two people wrote the same address with and without a slash at its end.

**What to do:** write the address in one way, and change the token if the other spelling was ever used.",
    severities: &[Severity::Low, Severity::Medium],
    techniques: &[60],
    evaluate,
};

fn evaluate(input: &RuleInput) -> Evaluation {
    with_facts(input, |facts| {
        let mut by_meaning: BTreeMap<String, BTreeMap<&str, Evidence>> = BTreeMap::new();
        for (address, evidence) in addresses(facts) {
            by_meaning.entry(evened(address)).or_default().entry(address).or_insert(evidence);
        }
        let mut findings = Vec::new();
        for spellings in by_meaning.into_values() {
            let first = spellings.keys().next().copied().unwrap_or_default();
            let second = spellings.keys().nth(1);
            let (severity, message) = match second {
                Some(second) => {
                    let (first, second) = (quoted(first, NAME), quoted(second, NAME));
                    (
                        Severity::Medium,
                        format!("two addresses of registries differ only by spelling: {first} and {second}"),
                    )
                }
                None if is_odd(first) => (
                    Severity::Low,
                    format!("the address of a registry is spelled in an odd way: {}", quoted(first, NAME)),
                ),
                None => continue,
            };
            findings.push(
                finding(&RULE, severity, Confidence::Medium, message)
                    .with_evidence(spellings.into_values())
                    .with_help(
                        "write the address in one way, and change the token if the other spelling was used",
                    )
                    .pointing_to([60]),
            );
        }
        findings.truncate(FINDINGS);
        findings
    })
}

/// Most registries that are told about.
const FINDINGS: usize = 5;

/// Every address with its place.
fn addresses(facts: &Facts) -> Vec<(&str, Evidence)> {
    let mut found = Vec::new();
    for dependency in &facts.manifest.dependencies {
        if let Some(address) = dependency.registry.as_deref().filter(|it| it.contains("://")) {
            let excerpt = format!("{}: {}", quoted(&dependency.name, NAME), printable(address, EXCERPT));
            found.push((address, place("Cargo.toml", None, Some(excerpt))));
        }
    }
    let roles = [SpecialRole::Lockfile, SpecialRole::CargoConfiguration];
    for file in facts.files.special.iter().filter(|it| roles.contains(&it.role)) {
        for setting in file.settings.iter().filter(|it| it.value.contains("://")) {
            let key = setting.key.rsplit('.').next().unwrap_or("");
            let is_registry =
                ["source", "index", "registry"].contains(&key) && !setting.value.starts_with("git+");
            if is_registry {
                let excerpt =
                    format!("{} = {}", printable(&setting.key, NAME), printable(&setting.value, EXCERPT));
                found.push((setting.value.as_str(), place(&file.path, Some(setting.line), Some(excerpt))));
            }
        }
    }
    found
}

/// An address as a server may read it. `registry+` and `sparse+` are cargo's own prefixes for how to read it.
fn evened(address: &str) -> String {
    let lower = percent_decoded(address).to_ascii_lowercase();
    let address = lower.trim_start_matches("registry+").trim_start_matches("sparse+");
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    let default = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => "",
    };
    let host = if default.is_empty() { host } else { host.strip_suffix(default).unwrap_or(host) };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let path = parts.join("/");
    format!("{scheme}://{}/{}", host.trim_end_matches('.'), path.strip_suffix(".git").unwrap_or(&path))
}

/// `%2F` as `/`; what is no encoding stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|it| std::str::from_utf8(it).ok());
        let value = digits.filter(|_| *first == b'%').and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether an address alone has what nobody writes by hand.
fn is_odd(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    host.contains('@')
        || host.ends_with('.')
        || format!("/{path}").contains("//")
        || path.split('/').any(|it| it == "." || it == "..")
        || address.contains('%')
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::facts::Dependency;
    use cratekeeper_model::facts::SpecialRole::{CargoConfiguration, Lockfile};
    use cratekeeper_model::{Confidence, RuleInput, Severity};

    use super::RULE;
    use crate::test_support::{dependency, one, silent, special, with};

    const PLAIN: &str = "sparse+https://index.example.invalid/crates/";

    fn using(addresses: &[&str]) -> RuleInput {
        let of = |address: &&str| Dependency { registry: Some((*address).to_owned()), ..dependency("a") };
        let dependencies = addresses.iter().map(of).collect();
        with(|facts| facts.manifest.dependencies = dependencies)
    }

    #[test]
    fn two_spellings_are_medium() {
        for other in [
            "sparse+https://index.example.invalid//crates/./",
            "sparse+https://INDEX.example.invalid/crates/",
            "sparse+https://index.example.invalid:443/crates/",
            "sparse+https://index.example.invalid/x/../crates/",
            "sparse+https://index.example.invalid/%63rates/",
            "sparse+https://index.example.invalid/crates",
            "registry+https://user@index.example.invalid/crates",
        ] {
            let finding = one(&RULE, &using(&[PLAIN, other]), Severity::Medium, Confidence::Medium);
            assert_eq!(finding.techniques, [60], "{other}");
        }
    }

    #[test]
    fn lockfiles_and_configurations_count() {
        let input = with(|facts| {
            facts.files.special.push(special("Cargo.lock", Lockfile, &[("source", PLAIN)]));
            let index = [("registries.a.index", "sparse+https://index.example.invalid/crates//")];
            facts.files.special.push(special(".cargo/config.toml", CargoConfiguration, &index));
        });
        one(&RULE, &input, Severity::Medium, Confidence::Medium);
    }

    #[test]
    fn one_odd_spelling_is_low() {
        let input = using(&["sparse+https://cargo.example.invalid/./index//"]);
        one(&RULE, &input, Severity::Low, Confidence::Medium);
    }

    #[test]
    fn different_registries_and_one_spelling_are_silent() {
        silent(&RULE, &using(&[PLAIN, PLAIN, "sparse+https://other.example.invalid/crates/"]));
        silent(&RULE, &using(&["my-registry", "other"]));
    }
}
