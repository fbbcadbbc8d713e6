//! Arguments of `evaluate`.

use std::path::PathBuf;

use clap::Args;

use super::AnalysisLimits;

/// Arguments of `evaluate`.
#[derive(Debug, Args)]
pub(crate) struct Evaluate {
    /// Fixtures of attack techniques: `NN-name/positive-1.fixture`, with `positive`, `twin` or `chain`
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Directories with a `timeline.toml`; those whose name begins with `harmless` are no attacks
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) incidents: Option<PathBuf>,
    /// `.crate` files that are taken to be harmless; may be repeated
    #[arg(long, value_name = "DIR", help_heading = "Input")]
    pub(crate) benign: Vec<PathBuf>,
    /// A lockfile whose packages are taken to be harmless [default: Cargo.lock]
    #[arg(long, value_name = "FILE", help_heading = "Input", num_args = 0..=1, require_equals = true)]
    pub(crate) lockfile: Option<Option<PathBuf>>,
    /// Measure once more without each family of rules, to see what it contributes
    #[arg(long, help_heading = "Analysis")]
    pub(crate) ablation: bool,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}
