//! What the rules about advisories and yanks share: sentences about one advisory, and which version to go to.

use cratekeeper_model::{Advisory, AdvisoryClass, Confidence, Finding, Package, RuleInput, Severity};
use semver::{Version, VersionReq};

use crate::rule::{Complete, Evaluation, Rule, finding, with_advisories};
use crate::text::{EXCERPT, NAME, printable, quoted};

/// One finding for each advisory of `class`. `judge` gives severity and confidence for an advisory that holds on
/// every platform; `says` continues the sentence "`demo` 1.2.3 …".
pub(crate) fn evaluate(
    rule: &Rule,
    input: &RuleInput,
    class: AdvisoryClass,
    judge: impl Fn(&Advisory) -> (Severity, Confidence),
    says: impl Fn(&Advisory) -> String,
    help: impl Fn(&Advisory) -> String,
) -> Evaluation {
    with_advisories(input, |advisories| {
        let of_class = advisories.iter().filter(|advisory| advisory.class == class);
        let findings = of_class.map(|advisory| {
            let (severity, confidence) = judge(advisory);
            let (confidence, only) = match platforms(advisory) {
                None => (confidence, String::new()),
                Some(platforms) => (confidence.min(Confidence::Medium), format!(", on {platforms} only")),
            };
            let message = format!("{} {}{only}", package(&input.package), says(advisory));
            let finding = finding(rule, severity, confidence, message).with_help(help(advisory));
            let advisory = Some(Box::new(advisory.clone()));
            Finding { advisory, ..finding }
        });
        findings.collect()
    })
}

/// `RUSTSEC-2099-0001 (title)`.
pub(crate) fn named(advisory: &Advisory) -> String {
    format!("{} ({})", printable(&advisory.id, NAME), printable(advisory.title.trim(), EXCERPT))
}

/// Where to read more: the advisory's own address, or its id for those that have none.
pub(crate) fn reference(advisory: &Advisory) -> String {
    printable(advisory.url.as_deref().unwrap_or(&advisory.id), EXCERPT)
}

/// Operating systems and architectures, if the advisory names any.
fn platforms(advisory: &Advisory) -> Option<String> {
    let list = |names: &[String]| names.iter().map(String::as_str).collect::<Vec<_>>().join(" and ");
    let parts: Vec<String> =
        [&advisory.os, &advisory.arch].into_iter().filter(|it| !it.is_empty()).map(|it| list(it)).collect();
    (!parts.is_empty()).then(|| printable(&parts.join(", with "), EXCERPT))
}

/// Requirements that a fixed version meets, as text; `None` when there is no fix.
pub(crate) fn patched(advisory: &Advisory) -> Option<String> {
    let requirements: Vec<String> = advisory.patched.iter().map(|it| quoted(it, NAME)).collect();
    (!requirements.is_empty()).then(|| requirements.into_iter().take(10).collect::<Vec<_>>().join(" or "))
}

/// How to leave a version that has a fixed successor.
pub(crate) fn upgrade(input: &RuleInput, advisory: &Advisory) -> String {
    let Some(patched) = patched(advisory) else {
        let reference = reference(advisory);
        return format!(
            "no fixed version exists: replace the crate, or find out whether you use the affected part ({reference})"
        );
    };
    newest_compatible(input)
        .filter(|version| is_patched(advisory, version))
        .and_then(|version| update_command(&input.package, version))
        .unwrap_or_else(|| format!("upgrade to a version that meets {patched}"))
}

/// The newest version that cargo would select instead, if it is another one.
pub(crate) fn newest_compatible(input: &RuleInput) -> Option<&Version> {
    let version = input.index.value()?.newest_compatible.as_ref()?;
    (*version != input.package.version).then_some(version)
}

fn is_patched(advisory: &Advisory, version: &Version) -> bool {
    let requirements = advisory.patched.iter().filter_map(|it| VersionReq::parse(it).ok());
    requirements.into_iter().any(|requirement| requirement.matches(version))
}

/// The command that moves `package` to `version`, ready to be copied; `None` when its name cannot be given to a
/// shell: names come from lockfiles, which an attacker may have written.
pub(crate) fn update_command(package: &Package, version: &Version) -> Option<String> {
    let spec = spec(package, &package.version)?;
    Some(format!("cargo update -p {spec} --precise {version}"))
}

/// `name@version`, if it can be given to a shell. The version is part of it because a lockfile may hold several,
/// and cargo refuses an ambiguous name.
pub(crate) fn spec(package: &Package, version: &Version) -> Option<String> {
    plain_name(&package.name).map(|name| format!("{name}@{version}"))
}

/// The name, if it can be given to a shell.
pub(crate) fn plain_name(name: &str) -> Option<&str> {
    let plain = !name.is_empty()
        && name.len() <= NAME
        && !name.starts_with('-')
        && name.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_');
    plain.then_some(name)
}

/// The package in a sentence.
pub(crate) fn package(package: &Package) -> String {
    format!("{} {}", quoted(&package.name, NAME), printable(&package.version.to_string(), NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{advisory, input, with_newest};

    fn patched_in(requirements: &[&str]) -> Advisory {
        let patched = requirements.iter().map(|it| (*it).to_owned()).collect();
        Advisory { patched, ..advisory(AdvisoryClass::Vulnerability) }
    }

    #[test]
    fn a_compatible_fix_is_a_command() {
        let help = upgrade(&with_newest("1.4.0"), &patched_in(&[">=1.3.1, <2.0.0", ">=2.1.0"]));
        assert_eq!(help, "cargo update -p demo@1.2.3 --precise 1.4.0");
    }

    #[test]
    fn an_incompatible_fix_is_a_requirement() {
        let advisory = patched_in(&[">=2.0.0"]);
        let expected = "upgrade to a version that meets `>=2.0.0`";
        assert_eq!(upgrade(&with_newest("1.4.0"), &advisory), expected);
        assert_eq!(upgrade(&input(), &advisory), expected);
    }

    #[test]
    fn a_pre_release_is_no_fix() {
        assert!(upgrade(&with_newest("1.4.0-rc.1"), &patched_in(&[">=1.3.1"])).starts_with("upgrade to"));
    }

    #[test]
    fn a_requirement_that_cannot_be_read_proves_no_fix() {
        assert!(upgrade(&with_newest("1.4.0"), &patched_in(&["soon"])).contains("`soon`"));
    }

    #[test]
    fn without_a_fix_the_advisory_is_the_next_thing_to_read() {
        let help = upgrade(&with_newest("1.4.0"), &patched_in(&[]));
        assert!(help.contains("no fixed version") && help.contains("advisories.example.invalid"), "{help}");
    }

    #[test]
    fn names_that_a_shell_would_obey_become_no_command() {
        for name in ["x; echo fixture", "$(echo)", "-p", "", "a b", "s\u{435}rde", &"a".repeat(500)] {
            let package = Package { name: name.to_owned(), ..input().package };
            assert_eq!(update_command(&package, &Version::new(2, 0, 0)), None, "{name}");
        }
    }
}
