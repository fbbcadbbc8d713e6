//! The arguments, with their help.

mod evaluate;
mod gate;
mod graph;
mod names;

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use cratekeeper_model::{Level, Severity};

pub(crate) use self::evaluate::Evaluate;
#[cfg(feature = "serve")]
pub(crate) use self::gate::{AuditLog, AuditLogCommand, Backup, Database, Recover, Serve};
pub(crate) use self::gate::{Gate, GateCommand, GatePolicy, Target, Token, User, Versions, Webhook};
pub(crate) use self::graph::{
    EdgesArguments, ExportArguments, Features, GraphArguments, GraphCommand, Source, Survey,
};
pub(crate) use self::names::{Names, NamesCheck, NamesCommand, NamesEvaluate, NamesIndex, kind};

const EXIT_CODES: &str = "\
Exit codes:
  0  nothing found at or above --fail-on
  1  something found
  2  something could not be checked, or the command failed (2 beats 1)";

const POLICY_EXIT_CODES: &str = "\
Exit codes:
  0  it was done
  2  the policy has mistakes, or the command failed";

const REPLAY_EXIT_CODES: &str = "\
Exit codes:
  0  every malicious version was at alert before anybody could fetch it
  1  one was not
  2  a timeline could not be replayed as a whole, or the command failed (2 beats 1)";

/// Says what is in a Rust dependency tree before you build it
#[derive(Debug, Parser)]
#[command(name = "cratekeeper", version, after_help = EXIT_CODES, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check every package of a lockfile
    ///
    /// Reads each package from cargo's caches, or downloads it where they lack it, and inspects it without running any
    /// of it. In a workspace, cargo is asked why each package is there, with everything switched off that the workspace
    /// could make cargo run.
    Check(Check),
    /// Look into one crate: a file, a directory, or a version in a registry
    ///
    /// A directory is read as an unpacked package: every file counts, dot-files included; only .git and target are left
    /// out. Nothing is started inside it.
    Inspect(Inspect),
    /// Say what changed between two versions of a crate, and judge the newer one as an update
    ///
    /// What runs when, what it can touch, what it pulls in, what cannot be read: not every changed line. Each side is a file, a
    /// directory, or a version in a registry.
    Diff(Diff),
    /// Find crates that share another one's source, README or description
    ///
    /// Among all that were seen on this machine, or in an index. Shares are parts of the smaller text, so that an added payload
    /// does not hide a copy.
    Similar(Similar),
    /// Explain a rule: what it looks at, why it matters, what to do
    Explain(Explain),
    /// Find names that can be taken for those of other crates or publishers
    Names(Names),
    /// Ask the call graph of a workspace or an ecosystem: who calls what, in which version
    ///
    /// Questions go to a store that `survey` made, or to the workspace you work in, of which a graph is then made and kept. Answers
    /// come with how sure each call is: exact, typed, candidate, name. docs/graph.md explains all of it.
    Graph(GraphArguments),
    /// Put the call graphs of many packages into a store, and print the figures of the ecosystem
    ///
    /// An interrupted run is continued by the same command. Nothing of what is read is executed.
    Survey(Survey),
    /// Measure how right detection is: on fixtures of attack techniques, on incidents, and on real crates
    ///
    /// Nothing of what is measured is built or run. Advisories are left out, because they name known malware by its name.
    Evaluate(Evaluate),
    /// Say what a policy makes of packages, and which of its lines decided
    Policy(PolicyArguments),
    /// Replay incidents: what would have happened behind Cratekeeper
    ///
    /// A timeline says who published, withdrew and fetched what, and when; docs/replay.md describes it. Crates are packed from the
    /// directories beside it and judged as in a check, with a simulated clock and without advisories. Nothing of them is executed.
    Replay(ReplayArguments),
    /// Keep the advisory database up to date
    Advisories(Advisories),
    /// Run the gate: a registry, and a firewall in front of registries, that inspects versions before anyone can build them
    ///
    /// Without a configuration it keeps everything in one directory, listens on this machine alone, and prints where to go.
    #[cfg(feature = "serve")]
    Serve(Serve),
    /// Ask a running gate: what stands how, who fetched what; hold, release, block, roll back
    Gate(Gate),
    /// Copy the gate's database to a file, while the gate runs
    #[cfg(feature = "serve")]
    Backup(Backup),
    /// Give an account of the gate back to whoever lost every way to sign in
    ///
    /// Ends its sessions, password, second factor and identities, and prints a link that lets whoever opens it first choose a new way. It works on
    /// the gate's database, also while the gate runs, and asks nobody: whoever controls the machine can do everything. The audit log shows it.
    #[cfg(feature = "serve")]
    Recover(Recover),
    /// Verify the gate's audit log, or sign a checkpoint of it
    #[cfg(feature = "serve")]
    AuditLog(AuditLog),
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global")]
pub(crate) struct Global {
    /// Form of the answer: human, json, sarif; of `graph` and `survey` human, json, jsonl, tsv, dot, svg
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human", hide_possible_values = true)]
    pub(crate) format: Format,
    /// Never use the network: what is not on this machine could not be checked
    #[arg(long, global = true, env = "CRATEKEEPER_OFFLINE", hide_env_values = true)]
    #[arg(value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) offline: bool,
    /// Packages to analyse at the same time [default: number of processors]
    #[arg(long, short, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
    /// Print only what fails
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print everything found; twice and more for what the program does
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Colours on a terminal; the variable NO_COLOR switches them off too
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

/// Form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people.
    Human,
    /// One JSON document, as docs/json.md describes it.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// OpenVEX 0.2.0: which advisories concern the workspace; of `check` alone.
    Vex,
    /// A form that only answers about graphs have.
    Graph(GraphFormat),
}

/// Forms of answers about graphs alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GraphFormat {
    /// Tab-separated values.
    Tsv,
    /// A JSON object on each line.
    JsonLines,
    /// A drawing in Graphviz' language.
    Dot,
    /// A drawing.
    Svg,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        use GraphFormat::{Dot, JsonLines, Svg, Tsv};
        &[
            Format::Human,
            Format::Json,
            Format::Sarif,
            Format::Vex,
            Format::Graph(Tsv),
            Format::Graph(JsonLines),
            Format::Graph(Dot),
            Format::Graph(Svg),
        ]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.name()))
    }
}

impl Format {
    /// Name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::Vex => "vex",
            Format::Graph(GraphFormat::Tsv) => "tsv",
            Format::Graph(GraphFormat::JsonLines) => "jsonl",
            Format::Graph(GraphFormat::Dot) => "dot",
            Format::Graph(GraphFormat::Svg) => "svg",
        }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Check {
    /// Manifest of the workspace [default: the nearest Cargo.toml]
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with = "lockfile")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// Check a lockfile alone: no cargo is started, so features and kinds stay unknown
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) lockfile: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) judging: Judging,
    /// Say of each advisory whether the workspace can run what it is about [default: on for vex, else off]
    #[arg(long, value_name = "WHEN", help_heading = "Analysis")]
    pub(crate) reachability: Option<Switch>,
    /// Take tests, examples and benchmarks for something that runs
    #[arg(long, help_heading = "Analysis")]
    pub(crate) include_tests: bool,
    /// What the workspace is built with and for, which decides what can be reached.
    #[command(flatten)]
    pub(crate) features: Features,
    /// Compare each package with the version before it even where that has to be downloaded; otherwise with the
    /// highest earlier one in cargo's cache
    #[arg(long, help_heading = "Analysis")]
    pub(crate) fetch_previous: bool,
    /// Who answers for a VEX document
    #[arg(long, value_name = "NAME", default_value = "cratekeeper", help_heading = "Output")]
    pub(crate) vex_author: String,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// Whether to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Do it.
    On,
    /// Leave it.
    Off,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Inspect {
    /// A `.crate` file, a directory, or a version such as `serde@1.0.219`
    #[arg(value_name = "FILE.crate|DIR|NAME@VERSION")]
    pub(crate) target: String,
    /// Give all facts, not only what rules made of them
    #[arg(long, help_heading = "Analysis")]
    pub(crate) facts: bool,
    #[command(flatten)]
    pub(crate) judging: Judging,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Diff {
    /// The older version: a `.crate` file, a directory, or a version such as `serde@1.0.218`
    #[arg(value_name = "OLD")]
    pub(crate) older: String,
    /// The newer version
    #[arg(value_name = "NEW")]
    pub(crate) newer: String,
    /// Give all facts of the newer version, not only what rules made of them
    #[arg(long, help_heading = "Analysis")]
    pub(crate) facts: bool,
    #[command(flatten)]
    pub(crate) judging: Judging,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// Arguments of `similar`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  nothing shares as much
  1  something does
  2  something could not be read, or the command failed")]
pub(crate) struct Similar {
    /// What to compare; with --build, directories of `.crate` files, as deep as they are
    #[arg(value_name = "FILE.crate|DIR|NAME@VERSION", required = true)]
    pub(crate) targets: Vec<PathBuf>,
    /// Compare with this index, rather than with what was seen on this machine
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    pub(crate) index: Option<PathBuf>,
    /// Make an index of all archives in the directories instead
    #[arg(long, value_name = "FILE", help_heading = "Output", conflicts_with = "index")]
    pub(crate) build: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// What findings are judged with and what they lead to.
#[derive(Debug, Clone, Args)]
pub(crate) struct Judging {
    /// Policy that makes verdicts of findings [default: cratekeeper.toml beside the lockfile, or the built-in one]
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    pub(crate) policy: Option<PathBuf>,
    /// Advisory database, in RustSec's format [default: the one `advisories update` keeps]
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Analysis",
        env = "CRATEKEEPER_ADVISORY_DB",
        hide_env_values = true
    )]
    pub(crate) advisory_db: Option<PathBuf>,
    /// Refuse an advisory database older than this
    #[arg(long, value_name = "DAYS", help_heading = "Analysis")]
    pub(crate) max_advisory_age: Option<u32>,
    /// Severity or level from which findings fail: info, low, medium, high, critical, review, alert, block, never
    /// [default: high or alert]
    #[arg(long, value_name = "LEVEL", help_heading = "Output")]
    pub(crate) fail_on: Option<FailOn>,
    /// Do not fail because something could not be checked, a dependency that the lockfile lacks included
    #[arg(long, help_heading = "Output")]
    pub(crate) allow_unchecked: bool,
}

/// How much one package may cost.
#[derive(Debug, Clone, Args)]
pub(crate) struct AnalysisLimits {
    /// Time for one package; what takes longer could not be checked
    #[arg(long, value_name = "SECONDS", default_value = "60", help_heading = "Analysis", value_parser = seconds)]
    pub(crate) package_timeout: std::time::Duration,
    /// Memory for one package
    #[arg(long, value_name = "MIB", default_value = "3072", help_heading = "Analysis")]
    pub(crate) package_memory: u64,
    /// Analyse everything anew, and keep nothing
    #[arg(long, help_heading = "Analysis")]
    pub(crate) no_cache: bool,
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Arguments of `policy`.
#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Say which line decided about each package of a lockfile, and why
    #[command(after_help = POLICY_EXIT_CODES)]
    Explain(PolicyExplain),
    /// Read a policy, and tell all of its mistakes
    #[command(after_help = POLICY_EXIT_CODES)]
    Check {
        /// The policy
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print the built-in policy, to begin with
    Show,
}

/// Arguments of `policy explain`.
#[derive(Debug, Args)]
pub(crate) struct PolicyExplain {
    /// Packages: names, or versions such as `serde@1.0.219` [default: all that are not simply allowed]
    #[arg(value_name = "PACKAGE")]
    pub(crate) packages: Vec<String>,
    /// Manifest of the workspace [default: the nearest Cargo.toml]
    #[arg(long, value_name = "FILE", help_heading = "Input", conflicts_with = "lockfile")]
    pub(crate) manifest_path: Option<PathBuf>,
    /// A lockfile alone
    #[arg(long, value_name = "FILE", help_heading = "Input")]
    pub(crate) lockfile: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) judging: Judging,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXIT_CODES)]
pub(crate) struct ReplayArguments {
    /// Timelines, or directories with a `timeline.toml`
    #[arg(value_name = "TIMELINE.toml|DIR", required = true)]
    pub(crate) timelines: Vec<PathBuf>,
    /// Policy that decides who gets what [default: the built-in one]
    #[arg(long, value_name = "FILE", help_heading = "Analysis")]
    pub(crate) policy: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: AnalysisLimits,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Id of the rule; without one, all rules are listed
    #[arg(value_name = "RULE")]
    pub(crate) rule: Option<String>,
}

/// Arguments of `advisories`.
#[derive(Debug, Args)]
pub(crate) struct Advisories {
    #[command(subcommand)]
    pub(crate) command: AdvisoriesCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdvisoriesCommand {
    /// Fetch the newest advisories with the system's git
    Update {
        /// Where to keep the database [default: in the data directory of this user]
        #[arg(long, value_name = "DIR", env = "CRATEKEEPER_ADVISORY_DB", hide_env_values = true)]
        advisory_db: Option<PathBuf>,
        /// Repository to fetch from
        #[arg(long, value_name = "URL", default_value = cratekeeper_advisories::RUSTSEC_URL)]
        url: String,
    },
    /// Compare the functions that advisories name with the crates in cargo's cache
    Lint {
        /// The database [default: the one `advisories update` keeps]
        #[arg(long, value_name = "DIR", env = "CRATEKEEPER_ADVISORY_DB", hide_env_values = true)]
        #[arg(visible_alias = "advisory-db")]
        database: Option<PathBuf>,
    },
    /// Say which database is used, and how old it is
    Status {
        /// The database [default: the one `advisories update` keeps]
        #[arg(long, value_name = "DIR", env = "CRATEKEEPER_ADVISORY_DB", hide_env_values = true)]
        advisory_db: Option<PathBuf>,
    },
}

/// From where on findings fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FailOn {
    pub(crate) severity: Option<Severity>,
    pub(crate) level: Option<Level>,
}

impl Default for FailOn {
    fn default() -> FailOn {
        FailOn { severity: Some(Severity::High), level: Some(Level::Alert) }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<FailOn, String> {
        if text == "never" {
            return Ok(FailOn { severity: None, level: None });
        }
        if let Ok(severity) = text.parse() {
            return Ok(FailOn { severity: Some(severity), level: None });
        }
        match text.parse() {
            Ok(level @ (Level::Review | Level::Alert | Level::Block)) => {
                Ok(FailOn { severity: None, level: Some(level) })
            }
            _ => Err("expected info, low, medium, high, critical, review, alert, block or never".to_owned()),
        }
    }
}
