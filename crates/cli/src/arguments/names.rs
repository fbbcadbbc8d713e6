//! The arguments of `names`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use cratekeeper_names::{Kind, Level};

const CHECK_EXIT_CODES: &str = "\
Exit codes, whatever --min-level shows:
  0  every name was judged, and none is at review or alert
  1  a name is at review or alert
  2  a name could not be judged, or the command failed (2 beats 1)";

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  2  the command failed";

/// Arguments of `names`.
#[derive(Debug, Args)]
pub(crate) struct Names {
    #[command(subcommand)]
    pub(crate) command: NamesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NamesCommand {
    /// Say which names can be taken for others
    ///
    /// Compares names with a corpus: the most downloaded crates, or the names of a file. Nothing is asked of any registry.
    /// A name that is in the corpus is what others are taken for, and is judged with --leave-one-out only.
    Check(NamesCheck),
    /// Make a snapshot of a corpus, so that `names check` starts at once
    ///
    /// The names of a whole registry take seconds to index and a fraction of a second to load. A snapshot belongs to the
    /// version of cratekeeper that made it.
    Index(NamesIndex),
    /// Measure how good the answers are, on names of which the truth is known
    ///
    /// Each name is judged as if it were not in the corpus, and as if nothing but the name were known of it. Shares are given
    /// with Wilson's 95 % interval.
    Evaluate(NamesEvaluate),
}

/// Arguments of `names check`.
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXIT_CODES)]
pub(crate) struct NamesCheck {
    /// Names to judge
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// File with names to judge: one per line, or CSV with the column `name` and any of created, owners and repository;
    /// `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) corpus: ChosenCorpus,
    /// Judge names that are in the corpus as if they were not
    #[arg(long, help_heading = "Analysis")]
    pub(crate) leave_one_out: bool,
    /// Names that may be taken for others, each with a reason and an end: TOML with `[[allow]]` name, target, reason,
    /// expires
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    pub(crate) allow: Option<PathBuf>,
    /// Leave out names below this level
    #[arg(long, value_name = "LEVEL", default_value = "none", help_heading = "Output")]
    pub(crate) min_level: MinLevel,
}

/// What names are compared with.
#[derive(Debug, Args)]
pub(crate) struct ChosenCorpus {
    /// Names to compare with: one per line, CSV with the column `name` and any of rank, downloads, created, owners and
    /// repository, or a snapshot [default: the most downloaded crates, or well-known publishers]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) corpus: Option<PathBuf>,
    /// The names are logins of publishers; of a table with the column `owners`, its owners
    #[arg(long, help_heading = "Input")]
    pub(crate) publishers: bool,
}

/// Arguments of `names index`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct NamesIndex {
    /// Names: one per line, or CSV with the column `name` and any of rank, downloads, created, owners and repository
    #[arg(value_name = "CORPUS")]
    pub(crate) corpus: PathBuf,
    /// The names are logins of publishers; of a table with the column `owners`, its owners
    #[arg(long, help_heading = "Input")]
    pub(crate) publishers: bool,
    /// File to write; one that is there is replaced, whole or not at all
    #[arg(long, short, value_name = "SNAPSHOT", help_heading = "Output")]
    pub(crate) output: PathBuf,
}

/// Arguments of `names evaluate`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct NamesEvaluate {
    /// Known pairs: CSV with the columns `name` or `typo`, `target`, and any of ecosystem, class and label (malicious or
    /// benign); may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) pairs: Vec<PathBuf>,
    /// Harmless names: one per line, or CSV with the column `name`; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) benign: Vec<PathBuf>,
    /// Names to compare with, as for `names check` [default: the most downloaded crates]
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) corpus: Option<PathBuf>,
    /// Names to make of each class from names of the corpus; 0 makes none
    #[arg(long, value_name = "N", default_value = "200", help_heading = "Analysis")]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub(crate) mutants: u32,
    /// Start of the random choice of those: the same seed makes the same names
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Analysis")]
    pub(crate) seed: u64,
}

/// The lowest level that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MinLevel {
    /// All names.
    None,
    /// What a person should look at.
    Review,
    /// What is likely to be taken for another name.
    Alert,
}

impl From<MinLevel> for Level {
    fn from(level: MinLevel) -> Level {
        match level {
            MinLevel::None => Level::None,
            MinLevel::Review => Level::Review,
            MinLevel::Alert => Level::Alert,
        }
    }
}

/// What the names of a corpus are, as `--publishers` says.
pub(crate) fn kind(publishers: bool) -> Kind {
    if publishers { Kind::Publishers } else { Kind::Crates }
}
