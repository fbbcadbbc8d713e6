//! Has everything judged, and counts.

use std::fs;
use std::path::{Path, PathBuf};

use cratekeeper_model::{Case, DetectionEvaluation, DetectionTotals, Level, Measured};

use crate::fixture::FixtureError;
use crate::suite::{Role, Subject, Suite};

/// A version that was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedVersion {
    /// Crate.
    pub name: String,
    /// Version.
    pub version: String,
    /// Its timeline says that it is malicious.
    pub malicious: bool,
    /// What was found.
    pub case: Case,
    /// Why it could not be checked wholly; `None` when it was.
    pub unchecked: Option<String>,
}

/// A course of events that was played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedIncident {
    /// Its id.
    pub id: String,
    /// Every malicious version was at `alert` or above before anybody could get it.
    pub caught: bool,
    /// Malicious versions that a victim got.
    pub exposed: usize,
    /// Every version that was published in it.
    pub versions: Vec<JudgedVersion>,
}

/// Judges.
pub trait Judge: Sync {
    /// Judges a `.crate` file alone.
    fn archive(&self, path: &Path) -> JudgedVersion;
    /// Plays the timeline in a directory.
    ///
    /// # Errors
    ///
    /// Why it cannot be played.
    fn timeline(&self, directory: &Path) -> Result<JudgedIncident, String>;
    /// Judges real crates that are taken to be harmless; `step` is told of each.
    fn benign(&self, step: &(dyn Fn(&str) + Sync)) -> Vec<JudgedVersion>;
}

/// Whether a real crate is one of those that are not looked at while rules are written: FNV-1a (64 bit,
/// draft-eastlake-fnv) of its name is odd.
#[must_use]
pub fn is_held_out(name: &str) -> bool {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash % 2 == 1
}

/// Has `suite` judged, and the real crates that `judge` has. `step` is told of everything that was measured.
///
/// # Errors
///
/// When a fixture cannot be packed or written down.
pub fn measure(
    suite: &Suite,
    judge: &dyn Judge,
    step: &(dyn Fn(&str) + Sync),
) -> Result<DetectionEvaluation, FixtureError> {
    let directory = tempfile::tempdir()?;
    let mut evaluation = DetectionEvaluation::default();
    for (number, subject) in suite.fixtures.iter().enumerate() {
        let place = lay_out(subject, &directory.path().join(number.to_string()))?;
        step(&subject.path);
        let measured = fixture(subject, &place, judge);
        let shares = evaluation.techniques.entry(subject.technique).or_default();
        shares[subject.role as usize].add(measured.right);
        evaluation.fixtures.push(measured);
    }
    let incidents = suite.incidents.iter().map(|path| (path, false));
    for (path, is_harmless) in incidents.chain(suite.harmless.iter().map(|path| (path, true))) {
        step(&path.display().to_string());
        evaluation.incidents.push(incident(path, is_harmless, judge));
    }
    for judged in judge.benign(step) {
        let held_out = is_held_out(&judged.name);
        let name = format!("{} {}", judged.name, judged.version);
        evaluation.benign.push(measured(name, judged.case.level < Level::Review, held_out, &[judged]));
    }
    evaluation.totals = totals(suite, &evaluation);
    Ok(evaluation)
}

/// Packs a fixture, or writes down its timeline.
fn lay_out(subject: &Subject, place: &Path) -> Result<PathBuf, FixtureError> {
    fs::create_dir_all(place)?;
    if subject.fixture.is_timeline() {
        subject.fixture.unpack(place)?;
        return Ok(place.to_owned());
    }
    let archive = place.join("package.crate");
    fs::write(&archive, subject.fixture.pack()?)?;
    Ok(archive)
}

fn fixture(subject: &Subject, place: &Path, judge: &dyn Judge) -> Measured {
    let versions = if subject.fixture.is_timeline() {
        judge.timeline(place).map(|incident| incident.versions)
    } else {
        Ok(vec![judge.archive(place)])
    };
    let held_out = subject.number == 2;
    let versions = match versions {
        Ok(versions) => versions,
        Err(problem) => return unmeasured(subject.path.clone(), held_out, problem),
    };
    // What an attack is expected of in a timeline is its malicious version; a single package is judged itself.
    let is_meant = |it: &JudgedVersion| !subject.fixture.is_timeline() || it.malicious;
    let names = |it: &JudgedVersion| it.case.techniques.contains(&subject.technique);
    let right = match subject.role {
        Role::Positive => versions.iter().any(|it| is_meant(it) && names(it)),
        Role::Chain => versions.iter().any(|it| is_meant(it) && it.case.level >= Level::Alert),
        Role::Twin => versions.iter().all(|it| it.case.level < Level::Alert),
    };
    let shown: Vec<JudgedVersion> = match subject.role {
        Role::Twin => versions,
        _ => versions.into_iter().filter(|it| is_meant(it)).collect(),
    };
    measured(subject.path.clone(), right, held_out, &shown)
}

fn incident(path: &Path, is_harmless: bool, judge: &dyn Judge) -> Measured {
    let name = path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
    match judge.timeline(path) {
        Err(problem) => unmeasured(name, false, problem),
        Ok(incident) => {
            let right = if is_harmless {
                incident.versions.iter().all(|it| it.case.level < Level::Alert)
            } else {
                incident.caught
            };
            let meant: Vec<JudgedVersion> =
                incident.versions.into_iter().filter(|it| is_harmless || it.malicious).collect();
            measured(name, right, false, &meant)
        }
    }
}

fn measured(name: String, right: bool, held_out: bool, versions: &[JudgedVersion]) -> Measured {
    let worst = versions.iter().max_by_key(|it| (it.case.level, it.case.score));
    let case = worst.map(|it| it.case.clone()).unwrap_or_default();
    let mut rules: Vec<String> = Vec::new();
    for finding in &case.findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule.clone());
        }
    }
    Measured {
        name,
        right,
        held_out,
        score: case.score,
        level: case.level,
        techniques: case.techniques,
        rules,
        problem: versions.iter().find_map(|it| it.unchecked.clone()),
    }
}

fn unmeasured(name: String, held_out: bool, problem: String) -> Measured {
    Measured {
        name,
        right: false,
        held_out,
        score: 0,
        level: Level::None,
        techniques: Vec::new(),
        rules: Vec::new(),
        problem: Some(problem),
    }
}

fn totals(suite: &Suite, evaluation: &DetectionEvaluation) -> DetectionTotals {
    let mut totals = DetectionTotals::default();
    for (subject, measured) in suite.fixtures.iter().zip(&evaluation.fixtures) {
        let half = usize::from(measured.held_out);
        match subject.role {
            Role::Positive => totals.positives[half].add(measured.right),
            Role::Twin => totals.twins[half].add(!measured.right),
            Role::Chain => totals.chains.add(measured.right),
        }
    }
    let (attacks, harmless) = evaluation.incidents.split_at(suite.incidents.len());
    attacks.iter().for_each(|it| totals.incidents.add(it.right));
    harmless.iter().for_each(|it| totals.harmless.add(!it.right));
    evaluation.benign.iter().for_each(|it| totals.benign[usize::from(it.held_out)].add(it));
    totals
}
