//! The command line: arguments in, text and an exit code out.
//!
//! Everything that knows about terminals, environment variables and arguments is here; what is done is in `engine`, what it
//! looks like in `report`. [`exit`] documents the exit codes.

mod advisories;
mod advisory_lint;
mod arguments;
mod check;
mod diff;
mod error;
mod evaluate;
pub mod exit;
mod explain;
mod gate;
mod graph;
mod inspect;
mod names;
mod output;
mod policy;
mod progress;
mod reachability;
mod replay;
#[cfg(feature = "serve")]
mod serve;
mod setup;
mod similar;
mod survey;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Arguments, Command, Format};
use crate::error::Hinted;
use crate::exit::Exit;

/// Runs the program with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|it| it == cratekeeper_engine::worker::WORKER_ARGUMENT) {
        return worker(arguments.get(2));
    }
    let arguments = match Arguments::try_parse_from(without_cargo(arguments)) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    output::set_color(arguments.global.color);
    log(&arguments);
    match run(&arguments) {
        Ok(exit) => exit.into(),
        Err(error) if output::is_closed_pipe(&error) => Exit::Clean.into(),
        Err(error) => {
            error::print(&error);
            Exit::CouldNotCheck.into()
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let global = &arguments.global;
    let is_about_graphs = matches!(arguments.command, Command::Graph(_) | Command::Survey(_));
    if !is_about_graphs && matches!(global.format, Format::Graph(_)) {
        let message =
            format!("failed to answer as {}: only `graph` and `survey` have that form", global.format.name());
        return Err(Hinted::message(message, "use --format human, json or sarif").into());
    }
    if global.format == Format::Vex && !matches!(arguments.command, Command::Check(_)) {
        let message = "failed to choose a format: only `check` has something to say as VEX".to_owned();
        return Err(Hinted::message(message, "use --format json").into());
    }
    match &arguments.command {
        Command::Check(check) => check::run(check, global),
        Command::Inspect(inspect) => inspect::run(inspect, global),
        Command::Diff(diff) => diff::run(diff, global),
        Command::Similar(similar) => similar::run(similar, global),
        Command::Explain(explain) => explain::run(explain, global),
        Command::Names(names) => names::run(names, global),
        Command::Graph(graph) => graph::run(graph, global),
        Command::Survey(survey) => survey::run(survey, global),
        Command::Evaluate(evaluate) => evaluate::run(evaluate, global),
        Command::Policy(policy) => policy::run(policy, global),
        Command::Replay(replay) => replay::run(replay, global),
        Command::Advisories(advisories) => advisories::run(advisories, global),
        #[cfg(feature = "serve")]
        Command::Serve(arguments) => serve::run(arguments, global),
        #[cfg(feature = "serve")]
        Command::Backup(arguments) => serve::backup(arguments),
        #[cfg(feature = "serve")]
        Command::Recover(arguments) => serve::recover(arguments),
        #[cfg(feature = "serve")]
        Command::AuditLog(arguments) => serve::audit_log(arguments),
        Command::Gate(arguments) => gate::run(arguments, global),
    }
}

/// `cargo cratekeeper check` starts `cargo-cratekeeper cratekeeper check`.
fn without_cargo(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|it| it == "cratekeeper") {
        arguments.remove(1);
    }
    arguments
}

/// Help and version are an answer; anything else about arguments means that nothing was checked.
fn usage(error: &clap::Error) -> ExitCode {
    // Printing can only fail when nobody listens.
    let _ = error.print();
    if error.use_stderr() { Exit::CouldNotCheck.into() } else { Exit::Clean.into() }
}

fn log(arguments: &Arguments) {
    let level = match arguments.global.verbose {
        0 if arguments.global.quiet => "error",
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    // Only our own crates: an HTTP library's debug output may hold headers.
    let filter = std::env::var("CRATEKEEPER_LOG").unwrap_or_else(|_| {
        let crates =
            ["", "_advisories", "_archive", "_engine", "_graph", "_registry", "_server", "_source", "_store"];
        crates.map(|name| format!("cratekeeper{name}={level}")).join(",")
    });
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time();
    // Fails only when there is a subscriber already, as in tests that call this function twice.
    let _ = subscriber.try_init();
}

/// Turns this process into an analysis worker.
fn worker(memory: Option<&OsString>) -> ExitCode {
    let memory = memory.and_then(|it| it.to_str()).and_then(|it| it.parse().ok());
    let Some(memory) = memory else {
        return error::message(
            "failed to start an analysis worker: it is started by cratekeeper itself, not by hand",
        );
    };
    match cratekeeper_engine::worker::run(memory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error::message(&format!("the analysis worker ended: {error}")),
    }
}
