//! What is measured: fixtures by technique, incidents, and real crates, found in directories.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::fixture::{Fixture, FixtureError, TIMELINE};

/// What a fixture is expected to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The technique alone: its number is among those of the case.
    Positive,
    /// Harmless, and as near as possible: below `alert`.
    Twin,
    /// The technique as part of a whole attack: `alert` or above.
    Chain,
}

impl Role {
    /// The word in file names and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Positive => "positive",
            Role::Twin => "twin",
            Role::Chain => "chain",
        }
    }
}

/// A fixture of one technique.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Number of the technique in the catalogue.
    pub technique: u8,
    /// What is expected.
    pub role: Role,
    /// Which of those with the same role, from 1.
    pub number: u8,
    /// Its file, relative to the suite.
    pub path: String,
    /// What is in it.
    pub fixture: Fixture,
}

/// Everything to measure.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// Fixtures, by technique.
    pub fixtures: Vec<Subject>,
    /// Directories with a timeline in which somebody is attacked.
    pub incidents: Vec<PathBuf>,
    /// Directories with a timeline in which nobody is.
    pub harmless: Vec<PathBuf>,
}

/// Why a suite cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// A directory or file.
    #[error("failed to read `{path}`")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A fixture.
    #[error("failed to read the fixture `{path}`")]
    Fixture {
        /// Which.
        path: PathBuf,
        /// Why.
        source: FixtureError,
    },
    /// A name that says nothing.
    #[error("`{0}` is not named `NN-name/positive-1.fixture`, with `positive`, `twin` or `chain`")]
    Name(PathBuf),
}

impl Suite {
    /// Adds the fixtures below `directory`: `NN-name/ROLE-NUMBER.fixture`.
    ///
    /// # Errors
    ///
    /// A directory or fixture that cannot be read, or whose name says nothing: one that is left out would not be missed.
    pub fn add_fixtures(&mut self, directory: &Path) -> Result<(), SuiteError> {
        for technique in sorted(directory)? {
            for path in sorted(&technique)? {
                let subject = subject(directory, &path)?;
                self.fixtures.push(subject);
            }
        }
        Ok(())
    }

    /// Adds the timelines below `directory`; those whose directory begins with `harmless` are no attacks.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn add_incidents(&mut self, directory: &Path) -> Result<(), SuiteError> {
        for path in sorted(directory)?.into_iter().filter(|path| path.join(TIMELINE).is_file()) {
            let is_harmless =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("harmless"));
            if is_harmless { self.harmless.push(path) } else { self.incidents.push(path) }
        }
        Ok(())
    }
}

fn sorted(directory: &Path) -> Result<Vec<PathBuf>, SuiteError> {
    let failed = |source| SuiteError::Read { path: directory.to_owned(), source };
    let mut paths: Vec<PathBuf> = fs::read_dir(directory)
        .map_err(failed)?
        .map(|entry| entry.map(|it| it.path()))
        .collect::<io::Result<_>>()
        .map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn subject(root: &Path, path: &Path) -> Result<Subject, SuiteError> {
    let unclear = || SuiteError::Name(path.to_owned());
    let relative = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let (directory, file) = relative.split_once('/').ok_or_else(unclear)?;
    let technique = directory.split('-').next().and_then(|it| it.parse().ok()).ok_or_else(unclear)?;
    let (role, number) =
        file.strip_suffix(".fixture").and_then(|it| it.split_once('-')).ok_or_else(unclear)?;
    let role = [Role::Positive, Role::Twin, Role::Chain].into_iter().find(|it| it.as_str() == role);
    let text =
        fs::read_to_string(path).map_err(|source| SuiteError::Read { path: path.to_owned(), source })?;
    Ok(Subject {
        technique,
        role: role.ok_or_else(unclear)?,
        number: number.parse().map_err(|_| unclear())?,
        fixture: Fixture::parse(&text)
            .map_err(|source| SuiteError::Fixture { path: path.to_owned(), source })?,
        path: relative,
    })
}
