//! Log lines with colours and a trace of where they come from.

use std::fmt::Arguments;

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    fn colour(self) -> u8 {
        match self {
            Level::Debug => 90,
            Level::Info => 32,
            Level::Warn => 33,
            Level::Error => 31,
        }
    }
}

/// Writes one line.
pub fn line(level: Level, target: &str, text: Arguments<'_>) {
    eprintln!("\x1b[{}m{:?}\x1b[0m {target}: {text}", level.colour(), level);
}

/// Writes where the program is.
pub fn trace(place: &str) {
    line(Level::Debug, place, format_args!("reached"));
}
