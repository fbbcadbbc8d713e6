//! How errors reach people: what failed, why, and what to do.

use std::process::ExitCode;

use crate::exit::Exit;

/// An error with something to do about it.
#[derive(Debug)]
pub(crate) struct Hinted {
    source: anyhow::Error,
    hint: Option<String>,
}

impl Hinted {
    /// An error of a library, with the hint that it gives.
    pub(crate) fn new(source: impl Into<anyhow::Error>, hint: Option<String>) -> Hinted {
        Hinted { source: source.into(), hint }
    }

    /// A message of our own with a hint.
    pub(crate) fn message(message: String, hint: &str) -> Hinted {
        Hinted { source: anyhow::Error::msg(message), hint: Some(hint.to_owned()) }
    }
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.source.fmt(f)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

/// Prints an error, its causes and its hint on standard error.
pub(crate) fn print(error: &anyhow::Error) {
    let mut lines = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Some libraries repeat their cause in their own message.
        if !lines.iter().any(|line: &String| line.contains(&text)) {
            lines.push(text);
        }
    }
    let mut text = format!("error: {}\n", lines.first().map_or("unknown", String::as_str));
    for cause in lines.iter().skip(1) {
        text.push_str(&format!("  {}\n", cause.replace('\n', "\n  ")));
    }
    let hint = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>().and_then(|it| it.hint.clone()));
    if let Some(hint) = hint {
        text.push_str(&format!("\nhint: {hint}\n"));
    }
    // Line by line: names and values in messages come from files that anyone may have written.
    let harmless: Vec<_> = text.split('\n').map(cratekeeper_report::sanitize).collect();
    crate::output::to_stderr(&harmless.join("\n"));
}

/// Prints a message, and gives the exit code for it.
pub(crate) fn message(text: &str) -> ExitCode {
    crate::output::to_stderr(&format!("error: {text}\n"));
    Exit::CouldNotCheck.into()
}
