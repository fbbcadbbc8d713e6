//! Why the logger could not be installed.

use std::fmt;

#[derive(Debug)]
pub enum LogError {
    AlreadyInstalled,
    Thread(std::io::Error),
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::AlreadyInstalled => f.write_str("a logger is installed already"),
            LogError::Thread(error) => write!(f, "failed to start the logging thread: {error}"),
        }
    }
}

impl std::error::Error for LogError {}
