//! Standard output and standard error: colours, widths, closed pipes.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::LazyLock;

use cratekeeper_report::human::{Detail, Terminal, Threshold, View};
use cratekeeper_report::{RuleDescription, Tool, UNRESOLVED_DEPENDENCY};

use crate::arguments::{Color, FailOn, Global};

/// This program, as documents name it.
pub(crate) const TOOL: Tool<'static> = Tool { name: "cratekeeper", version: env!("CARGO_PKG_VERSION") };

/// What readers are told about each rule, and about what `check` says beside the rules.
pub(crate) fn rules() -> Vec<RuleDescription<'static>> {
    let describe = |rule: &cratekeeper_rules::Rule| RuleDescription {
        id: rule.id,
        title: rule.title,
        explanation: rule.explanation,
        help_uri: None,
    };
    let mut rules: Vec<_> = cratekeeper_rules::all().iter().map(describe).collect();
    rules.push(UNRESOLVED_DEPENDENCY);
    rules.sort_by_key(|rule| rule.id);
    rules
}

/// Titles of the attack techniques that findings point to.
static TECHNIQUES: LazyLock<Vec<(u8, &str)>> =
    LazyLock::new(|| cratekeeper_rules::TECHNIQUES.iter().map(|it| (it.number, it.title)).collect());

/// How people want to see an answer.
pub(crate) fn view<'a>(global: &Global, fail_on: FailOn, rules: &'a [RuleDescription<'a>]) -> View<'a> {
    let threshold = Threshold { severity: fail_on.severity, level: fail_on.level };
    View { terminal: terminal(), detail: detail(global), threshold, rules, techniques: &TECHNIQUES }
}

/// How much `--quiet` and `--verbose` ask for.
pub(crate) fn detail(global: &Global) -> Detail {
    match global {
        Global { quiet: true, .. } => Detail::Quiet,
        Global { verbose: 0, .. } => Detail::Normal,
        _ => Detail::Verbose,
    }
}

/// Where human text goes.
pub(crate) fn terminal() -> Terminal {
    Terminal { color: has_color(), width: width() }
}

/// Applies `--color`; `auto` follows the terminal, `NO_COLOR` and `CLICOLOR_FORCE`.
pub(crate) fn set_color(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// Whether standard output takes colours.
fn has_color() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Columns of the terminal; 100 when there is none.
fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)).clamp(40, 140)
}

/// Whether a person watches standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Writes the answer to standard output, all at once.
pub(crate) fn write(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut output = BufWriter::new(io::stdout().lock());
    render(&mut output)?;
    output.flush()?;
    Ok(())
}

/// Writes to standard error; when nobody listens there, nothing can be done about it.
pub(crate) fn to_stderr(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Whether the reader of our output went away, as `head` does: no error of ours.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_closed = |it: &io::Error| it.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_closed))
}
