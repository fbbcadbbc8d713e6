//! Runs commands: says which, and stops at the first that fails.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail};

use crate::workspace;

/// A cargo command in the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    // The cargo that runs us, so that a toolchain override holds for everything.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(workspace());
    command
}

/// Runs a command with its output shown.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let arguments: Vec<String> = command.get_args().map(|it| it.to_string_lossy().into_owned()).collect();
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let shown = format!("{program} {}", arguments.join(" "));
    println!("\n$ {shown}");
    let start = Instant::now();
    let status = command.status().with_context(|| format!("failed to start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    println!("  done in {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
