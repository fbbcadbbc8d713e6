//! What a lint of advisories found, as text and JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::{Tool, sanitize};

/// What a lint found.
#[derive(Debug, Clone, Serialize)]
pub struct LintReport<'a> {
    /// Advisories that name functions.
    pub advisories: usize,
    /// Those that were compared with a crate.
    pub compared: usize,
    /// Everything that is wrong.
    pub remarks: Vec<LintRemark<'a>>,
}

/// A remark about one function of an advisory.
#[derive(Debug, Clone, Serialize)]
pub struct LintRemark<'a> {
    /// Id of the advisory.
    pub advisory: &'a str,
    /// Its package.
    pub package: &'a str,
    /// The path as written.
    pub path: &'a str,
    /// What kind of mistake it is, as one word.
    pub fault: &'static str,
    /// The mistake as a sentence fragment.
    pub message: String,
    /// What to change, as a sentence fragment.
    pub hint: String,
}

/// Writes a lint's remarks as text.
///
/// # Errors
///
/// Fails if `out` does.
pub fn lint(report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    for LintRemark { advisory, package, path, message, hint, .. } in &report.remarks {
        writeln!(out, "{}", sanitize(&format!("{advisory} ({package}): `{path}` {message}")))?;
        writeln!(out, "  hint: {}", sanitize(hint))?;
    }
    let LintReport { advisories, compared, remarks } = report;
    writeln!(
        out,
        "{advisories} advisories name functions, {compared} were compared with a crate; {} remarks",
        remarks.len()
    )
}

/// Writes a lint's remarks as a JSON document.
///
/// # Errors
///
/// Fails if `out` does.
pub fn lint_json(tool: Tool<'_>, report: &LintReport<'_>, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'a> {
        schema: &'static str,
        tool: Tool<'a>,
        #[serde(flatten)]
        report: &'a LintReport<'a>,
    }
    crate::json::write(&Document { schema: "cratekeeper.advisories-lint/1", tool, report }, out)
}
