//! Exit codes, the same in every output format.

use std::process::ExitCode;

use cratekeeper_model::{Known, Level, Outcome, PackageStatus, Severity, UnresolvedDependency};

use crate::arguments::FailOn;

/// Nothing was found at or above `--fail-on`, and everything was checked; for other commands, they did what they were asked.
pub const CLEAN: u8 = 0;
/// Something was found at or above `--fail-on`; for `names check`, a name at or above `review`.
pub const FINDINGS: u8 = 1;
/// Something could not be checked, or the command itself failed. Takes precedence over [`FINDINGS`].
pub const COULD_NOT_CHECK: u8 = 2;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Clean,
    Findings,
    CouldNotCheck,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Clean => CLEAN,
            Exit::Findings => FINDINGS,
            Exit::CouldNotCheck => COULD_NOT_CHECK,
        })
    }
}

/// Whether packages that could not be checked count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unchecked {
    Fail,
    Allow,
}

/// Whether all manifests were compared with the lockfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manifests {
    Read,
    NotAllRead,
}

/// The exit code of outcomes, and of dependencies that are in no lockfile and so have no outcome.
pub(crate) fn of<T>(
    outcomes: &[Outcome],
    unresolved: &[UnresolvedDependency],
    manifests: Manifests,
    advisories: &Known<T>,
    fail_on: FailOn,
    unchecked: Unchecked,
) -> Exit {
    let could_not_check = outcomes.iter().any(|outcome| outcome.status == PackageStatus::CouldNotCheck);
    let without_advisories = matches!(advisories, Known::Unknown(_));
    let is_incomplete =
        could_not_check || without_advisories || !unresolved.is_empty() || manifests == Manifests::NotAllRead;
    let is_mistyped = |it: &UnresolvedDependency| is_at_least(it.severity(), fail_on);
    if unchecked == Unchecked::Fail && is_incomplete {
        Exit::CouldNotCheck
    } else if outcomes.iter().any(|outcome| fails(outcome, fail_on)) || unresolved.iter().any(is_mistyped) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}

fn fails(outcome: &Outcome, fail_on: FailOn) -> bool {
    let by_severity = is_at_least(outcome.case.worst(), fail_on);
    let by_level =
        fail_on.level.is_some_and(|limit| outcome.case.level >= limit && outcome.case.level > Level::None);
    by_severity || by_level
}

fn is_at_least(severity: Option<Severity>, fail_on: FailOn) -> bool {
    fail_on.severity.is_some_and(|limit| severity.is_some_and(|severity| severity >= limit))
}

#[cfg(test)]
mod tests {
    use cratekeeper_model::{Case, Confidence, Finding, Package, PackageId, PackageSource, Suggestion};

    use super::*;

    fn outcome(status: PackageStatus, severity: Option<Severity>, level: Level) -> Outcome {
        let version = semver::Version::new(1, 0, 0);
        let finding = |severity| Finding {
            rule: "r".to_owned(),
            severity,
            confidence: Confidence::High,
            message: "m".to_owned(),
            evidence: Vec::new(),
            help: None,
            advisory: None,
            reachability: None,
            techniques: Vec::new(),
        };
        let findings = severity.map(finding).into_iter().collect();
        Outcome {
            package: Package {
                id: PackageId::new(&PackageSource::Unknown, "a", &version),
                name: "a".to_owned(),
                version,
                checksum: None,
                source: PackageSource::Unknown,
                kinds: Vec::new(),
                platforms: Vec::new(),
                features: None,
            },
            status,
            reason: None,
            case: Case { level, findings, ..Case::default() },
            lockfile_line: None,
            policy: None,
        }
    }

    #[test]
    fn could_not_check_beats_findings() {
        use PackageStatus::{Checked, CouldNotCheck, Partial};
        let default = FailOn::default();
        let known = Known::Known(());
        let bad = outcome(Checked, Some(Severity::Critical), Level::Block);
        let missing = outcome(CouldNotCheck, None, Level::None);
        let fine = outcome(Partial, Some(Severity::Medium), Level::Review);
        for (outcomes, unchecked, expected) in [
            (vec![], Unchecked::Fail, Exit::Clean),
            (vec![fine.clone()], Unchecked::Fail, Exit::Clean),
            (vec![fine.clone(), bad.clone()], Unchecked::Fail, Exit::Findings),
            (vec![bad.clone(), missing.clone()], Unchecked::Fail, Exit::CouldNotCheck),
            (vec![bad, missing.clone()], Unchecked::Allow, Exit::Findings),
            (vec![missing], Unchecked::Allow, Exit::Clean),
        ] {
            assert_eq!(of(&outcomes, &[], Manifests::Read, &known, default, unchecked), expected);
        }
        let unknown = Known::<()>::Unknown("none".to_owned());
        assert_eq!(
            of(&[fine], &[], Manifests::Read, &unknown, default, Unchecked::Fail),
            Exit::CouldNotCheck
        );
    }

    #[test]
    fn a_manifest_that_was_not_read_is_not_clean() {
        let known = Known::Known(());
        for (unchecked, expected) in [(Unchecked::Fail, Exit::CouldNotCheck), (Unchecked::Allow, Exit::Clean)]
        {
            assert_eq!(of(&[], &[], Manifests::NotAllRead, &known, FailOn::default(), unchecked), expected);
        }
    }

    #[test]
    fn what_is_not_in_the_lockfile_is_not_clean() {
        let known = Known::Known(());
        let suggestion =
            Suggestion { name: "serde".to_owned(), in_lockfile: true, explanation: String::new() };
        let added = UnresolvedDependency {
            manifest: "Cargo.toml".to_owned(),
            line: 1,
            key: "sered".to_owned(),
            name: "sered".to_owned(),
            suggestions: Vec::new(),
        };
        let mistyped = UnresolvedDependency { suggestions: vec![suggestion], ..added.clone() };
        for (dependency, fail_on, unchecked, expected) in [
            (&added, "high", Unchecked::Fail, Exit::CouldNotCheck),
            (&added, "info", Unchecked::Allow, Exit::Clean),
            (&mistyped, "never", Unchecked::Fail, Exit::CouldNotCheck),
            (&mistyped, "high", Unchecked::Allow, Exit::Clean),
            (&mistyped, "medium", Unchecked::Allow, Exit::Findings),
            (&mistyped, "review", Unchecked::Allow, Exit::Clean),
        ] {
            let exit = of(
                &[],
                std::slice::from_ref(dependency),
                Manifests::Read,
                &known,
                fail_on.parse().unwrap(),
                unchecked,
            );
            assert_eq!(exit, expected, "{fail_on}");
        }
    }

    #[test]
    fn fail_on_takes_a_severity_or_a_level() {
        let known = Known::Known(());
        let it = [outcome(PackageStatus::Checked, Some(Severity::Medium), Level::Review)];
        for (text, expected) in [
            ("info", Exit::Findings),
            ("medium", Exit::Findings),
            ("high", Exit::Clean),
            ("review", Exit::Findings),
            ("alert", Exit::Clean),
            ("never", Exit::Clean),
        ] {
            assert_eq!(
                of(&it, &[], Manifests::Read, &known, text.parse().unwrap(), Unchecked::Fail),
                expected,
                "{text}"
            );
        }
    }
}
