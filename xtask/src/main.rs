//! The project's own tasks: everything that CI does is a command here.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to whoever runs it")]

mod bench;
mod evaluate;
mod run;
mod standard_library;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own tasks
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run all tests and checks, as CI does
    Test,
    /// Measure speed and memory, and print ratios
    Bench {
        /// Measure this alone
        subject: Option<bench::Subject>,
        /// Leave out what takes minutes: the criterion benchmarks, and typomania
        #[arg(long)]
        quick: bool,
    },
    /// Measure how right our answers are
    Evaluate {
        #[command(subcommand)]
        subject: evaluate::Subject,
    },
    /// Replay the incidents live: publish each step over HTTP into a running gate, with victims' real `cargo fetch`
    Incidents {
        /// These alone, by the names of their directories
        names: Vec<String>,
    },
    /// Make the index of core, alloc and std anew from what the toolchain ships
    StandardLibrary {
        /// Write out the sources instead, as below `library/`: `core/src/lib.rs`
        #[arg(long, value_name = "DIR")]
        sources_to: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().task {
        Task::Test => test::test(),
        Task::Bench { subject, quick } => bench::bench(subject, quick),
        Task::Evaluate { subject } => evaluate::evaluate(&subject),
        Task::Incidents { names } => incidents(&names),
        Task::StandardLibrary { sources_to } => standard_library::standard_library(sources_to.as_deref()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn incidents(names: &[String]) -> anyhow::Result<()> {
    let mut arguments =
        vec!["test", "--package", "cratekeeper-server", "--test", "live", "--locked", "--", "incidents_live"];
    arguments.extend(names.iter().map(String::as_str));
    run::run(&mut run::cargo(&arguments))
}

/// The workspace's directory.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies inside the workspace").to_owned()
}
