//! Sets up a bundle: asks questions, fills in secrets and writes the result.

pub mod bundle;

pub use bundle::{Bundle, Pack};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What was answered, by the name of the question.
pub type Answers = BTreeMap<String, String>;

/// A question that a pack asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub name: String,
    pub text: String,
    pub default: Option<String>,
    pub secret: bool,
}

/// Why a setup could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no answer to `{0}`")]
    Unanswered(String),
    #[error("failed to write `{path}`")]
    Write { path: PathBuf, source: std::io::Error },
}

/// Checks answers against questions and fills in defaults.
pub fn complete(questions: &[Question], mut given: Answers) -> Result<Answers, Error> {
    for question in questions {
        if !given.contains_key(&question.name) {
            let default = question.default.clone().ok_or_else(|| Error::Unanswered(question.name.clone()))?;
            given.insert(question.name.clone(), default);
        }
    }
    Ok(given)
}

/// Writes a bundle below a directory. Secrets are left out.
pub fn write(bundle: &Bundle, questions: &[Question], answers: &Answers, directory: &Path) -> Result<(), Error> {
    let secret = |name: &str| questions.iter().any(|it| it.secret && it.name == name);
    let lines: String = answers.iter().filter(|(name, _)| !secret(name)).map(|(name, value)| format!("{name} = {value:?}\n")).collect();
    let path = directory.join(&bundle.name).with_extension("answers.toml");
    std::fs::write(&path, lines).map_err(|source| Error::Write { path, source })
}
