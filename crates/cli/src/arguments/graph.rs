//! The arguments of `graph` and `survey`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use cratekeeper_graph::answer::Ranking;
use cratekeeper_model::graph::Certainty;

use super::AnalysisLimits;

const EXIT_CODES: &str = "\
Exit codes:
  0  the question was answered, also by an empty list
  1  path: there is no way; search: nothing was found; diff: there are differences
  2  a pattern stands for nothing, a package of the workspace could not be read, or the command failed (2 beats 1)";

const SURVEY_EXIT_CODES: &str = "\
Exit codes:
  0  every package was read, perhaps some only in part
  2  a package was refused, or the command failed";

/// Arguments of `graph`.
#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    #[command(subcommand)]
    pub(crate) command: GraphCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GraphCommand {
    /// Say who calls a function
    #[command(override_usage = "cratekeeper graph callers [OPTIONS] <STORE|--workspace> <PATTERN>")]
    Callers(Neighbours),
    /// Say what a function calls
    #[command(override_usage = "cratekeeper graph callees [OPTIONS] <STORE|--workspace> <PATTERN>")]
    Callees(Neighbours),
    /// Show how one function comes to call another, the shortest ways first
    #[command(override_usage = "cratekeeper graph path [OPTIONS] <STORE|--workspace> <FROM> <TO>")]
    Path(PathArguments),
    /// Say what a function may run, all the way down
    #[command(override_usage = "cratekeeper graph reach [OPTIONS] <STORE|--workspace> <FROM>")]
    Reach(Plain),
    /// Say who is hit when a crate, some of its versions or a function of it is bad
    #[command(override_usage = "cratekeeper graph blast [OPTIONS] <STORE|--workspace> <CRATE[@REQ][::PATH]>")]
    Blast(Plain),
    /// Say which versions use unsafe code, and which get there by calls
    #[command(override_usage = "cratekeeper graph unsafe [OPTIONS] <STORE|--workspace>")]
    Unsafe(Plain),
    /// List functions in other languages with their callers, and native libraries
    #[command(override_usage = "cratekeeper graph ffi [OPTIONS] <STORE|--workspace>")]
    Ffi(Plain),
    /// Find functions by a part of their path
    #[command(override_usage = "cratekeeper graph search [OPTIONS] <STORE|--workspace> <TEXT>")]
    Search(SearchArguments),
    /// Give figures of the graph and of each version
    #[command(override_usage = "cratekeeper graph stats [OPTIONS] <STORE|--workspace>")]
    Stats(Plain),
    /// List functions and calls gained and lost between two versions
    #[command(override_usage = "cratekeeper graph diff [OPTIONS] <STORE|--workspace> <NAME@OLD> <NAME@NEW>")]
    Diff(Plain),
    /// Write every call, one on each line: caller, callee, kind, certainty, file:line
    #[command(override_usage = "cratekeeper graph edges [OPTIONS] <STORE|--workspace>")]
    Edges(EdgesArguments),
    /// Say who depends on a crate
    #[command(override_usage = "cratekeeper graph dependents [OPTIONS] <STORE|--workspace> <CRATE[@REQ]>")]
    Dependents(Dependence),
    /// Say what a crate depends on
    #[command(override_usage = "cratekeeper graph dependencies [OPTIONS] <STORE|--workspace> <CRATE[@REQ]>")]
    Dependencies(Dependence),
    /// Rank packages by their dependents or their unsafe code
    #[command(override_usage = "cratekeeper graph top [OPTIONS] <STORE|--workspace>")]
    Top(TopArguments),
    /// List the latest version of each package
    #[command(override_usage = "cratekeeper graph latest [OPTIONS] <STORE|--workspace>")]
    Latest(Plain),
    /// List packages of which there are several versions
    #[command(override_usage = "cratekeeper graph duplicates [OPTIONS] <STORE|--workspace>")]
    Duplicates(Plain),
    /// Write the graph as files for another program
    #[command(override_usage = "cratekeeper graph export [OPTIONS] --neo4j <DIR> <STORE|--workspace>")]
    Export(ExportArguments),
}

/// Which graph, and which calls of it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Source {
    /// Directory of a store, left out with --workspace; then what is asked for: `crate::path`, `crate@REQ::path`, `::ending`,
    /// `with*wildcards`, `/regular expression/`
    #[arg(value_name = "STORE PATTERN")]
    pub(crate) words: Vec<String>,
    /// Ask the workspace in this directory instead of a store [default: where you are]
    #[arg(long, value_name = "DIR", help_heading = "Input", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = ".")]
    pub(crate) workspace: Option<PathBuf>,
    /// Resolution table of the store: a lockfile or a point in time [default: the only one]
    #[arg(long, value_name = "NAME", help_heading = "Input", conflicts_with = "workspace")]
    pub(crate) table: Option<String>,
    #[command(flatten)]
    pub(crate) features: Features,
    /// Do not fail because a package of the workspace could not be read
    #[arg(long, help_heading = "Output")]
    pub(crate) allow_unchecked: bool,
    /// The least sure calls that are followed
    #[arg(long, value_name = "CERTAINTY", default_value = "name", help_heading = "Analysis")]
    pub(crate) weakest: Weakest,
    /// Follow calls of tests, too, and those that features or platforms switch off
    #[arg(long, help_heading = "Analysis")]
    pub(crate) all_configurations: bool,
    /// Rows of each list
    #[arg(long, value_name = "N", default_value = "1000", help_heading = "Output")]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// Features of a workspace's members, and what it is built for.
#[derive(Debug, Clone, Args)]
pub(crate) struct Features {
    /// Features of the workspace's members, as for cargo
    #[arg(long, value_name = "FEATURES", help_heading = "Input", value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// All features of the workspace's members
    #[arg(long, help_heading = "Input")]
    pub(crate) all_features: bool,
    /// No default features of the workspace's members
    #[arg(long, help_heading = "Input")]
    pub(crate) no_default_features: bool,
    /// Platform that the workspace is built for [default: this one]
    #[arg(long, value_name = "TRIPLE", help_heading = "Input")]
    pub(crate) target: Option<String>,
}

/// A question that needs nothing else.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Plain {
    #[command(flatten)]
    pub(crate) source: Source,
}

/// Arguments of `graph callers` and `graph callees`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Neighbours {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Calls to follow, one after the other
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Analysis")]
    pub(crate) depth: u32,
}

/// Arguments of `graph path`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct PathArguments {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Ways to show
    #[arg(short = 'k', long = "ways", value_name = "N", default_value = "1", help_heading = "Analysis")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) ways: u32,
    /// Longest way, in calls
    #[arg(long, value_name = "N", default_value = "50", help_heading = "Analysis")]
    pub(crate) depth: u32,
}

/// Arguments of `graph search`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct SearchArguments {
    #[command(flatten)]
    pub(crate) source: Source,
    /// The text is a regular expression
    #[arg(long, help_heading = "Analysis", conflicts_with = "prefix")]
    pub(crate) regex: bool,
    /// The text is the beginning of paths
    #[arg(long, help_heading = "Analysis")]
    pub(crate) prefix: bool,
}

/// Arguments of `graph edges`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct EdgesArguments {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Only calls by functions of this crate, or these versions of it
    #[arg(long = "crate", value_name = "NAME[@REQ]", help_heading = "Analysis")]
    pub(crate) of: Option<String>,
    /// Write `@version` behind crate names
    #[arg(long, help_heading = "Output")]
    pub(crate) with_versions: bool,
}

/// Arguments of `graph dependents` and `graph dependencies`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Dependence {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Not only directly
    #[arg(long, help_heading = "Analysis")]
    pub(crate) transitive: bool,
}

/// Arguments of `graph top`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct TopArguments {
    #[command(flatten)]
    pub(crate) source: Source,
    /// What is counted
    #[arg(long, value_name = "WHAT", default_value = "direct", help_heading = "Analysis")]
    pub(crate) by: By,
}

/// Arguments of `graph export`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Write CSV files for Neo4j's importer into this directory; files of these names are replaced
    #[arg(long, value_name = "DIR", help_heading = "Output", required_unless_present = "parquet")]
    pub(crate) neo4j: Option<PathBuf>,
    /// Write Parquet files into this directory: versions, functions and calls (needs a program built with `--features parquet`)
    #[arg(long, value_name = "DIR", help_heading = "Output", conflicts_with = "neo4j")]
    pub(crate) parquet: Option<PathBuf>,
    /// Add what queries for Painter look for: versions depend on crates and invoke versions
    #[arg(long, help_heading = "Output")]
    pub(crate) painter_labels: bool,
}

/// Arguments of `survey`.
#[derive(Debug, Args)]
#[command(after_help = SURVEY_EXIT_CODES)]
pub(crate) struct Survey {
    /// Directory of `.crate` files, at any depth; with --lockfile, the lockfile
    #[arg(value_name = "DIR", required_unless_present = "lockfile")]
    pub(crate) directory: Option<PathBuf>,
    /// Read what a lockfile names, and the packages of its workspace [default: Cargo.lock]
    #[arg(long, value_name = "FILE", help_heading = "Input", num_args = 0..=1, require_equals = true)]
    pub(crate) lockfile: Option<Option<PathBuf>>,
    /// Resolve as of then, `2026-08-20` or `2026-08-20T12:00:00Z`: what the index of the mirror in DIR says was published later takes
    /// no part. The table has that time as its name
    #[arg(long, value_name = "TIME", help_heading = "Input", conflicts_with = "lockfile")]
    pub(crate) at: Option<PointInTime>,
    #[command(flatten)]
    pub(crate) features: Features,
    /// Store to write or to continue
    #[arg(long, short, value_name = "STORE", help_heading = "Output")]
    pub(crate) output: PathBuf,
    /// Do not fail because a package was refused
    #[arg(long, help_heading = "Output")]
    pub(crate) allow_unchecked: bool,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// A time, or the end of a day in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PointInTime(pub(crate) jiff::Timestamp);

impl std::str::FromStr for PointInTime {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<PointInTime, jiff::Error> {
        if let Ok(date) = text.parse::<jiff::civil::Date>() {
            return Ok(PointInTime(date.at(23, 59, 59, 0).to_zoned(jiff::tz::TimeZone::UTC)?.timestamp()));
        }
        text.parse().map(PointInTime)
    }
}

/// The least sure calls that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Weakest {
    /// The path leads there.
    Exact,
    /// Types that were inferred lead there.
    Typed,
    /// One of several that it may be.
    Candidate,
    /// Nothing but the name agrees.
    Name,
}

impl From<Weakest> for Certainty {
    fn from(weakest: Weakest) -> Certainty {
        match weakest {
            Weakest::Exact => Certainty::Exact,
            Weakest::Typed => Certainty::Typed,
            Weakest::Candidate => Certainty::Candidate,
            Weakest::Name => Certainty::Name,
        }
    }
}

/// What a ranking counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// Versions that depend on a package directly.
    Direct,
    /// Versions that depend on a package at all.
    Transitive,
    /// Unsafe items of a package's latest version.
    Unsafe,
}

impl From<By> for Ranking {
    fn from(by: By) -> Ranking {
        match by {
            By::Direct => Ranking::Direct,
            By::Transitive => Ranking::Transitive,
            By::Unsafe => Ranking::Unsafe,
        }
    }
}
