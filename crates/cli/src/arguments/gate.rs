//! Arguments of `serve`, `gate`, `backup`, `recover` and `audit-log`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Directory of the gate unless it is named.
#[cfg(feature = "serve")]
const DIRECTORY: &str = "cratekeeper-data";

/// Arguments of `serve`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  it was told to end, and did
  2  it could not be started, or failed")]
pub(crate) struct Serve {
    /// Directory for database, archives and configuration (gate.toml)
    #[arg(long, value_name = "DIR", default_value = DIRECTORY, env = "CRATEKEEPER_DATA", hide_env_values = true)]
    pub(crate) data: PathBuf,
    /// Address to listen on; port 0 for any that is free [default: 127.0.0.1:8420]
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    pub(crate) listen: Option<std::net::SocketAddr>,
    /// URL under which others reach the gate [default: that of the address]
    #[arg(long, value_name = "URL", help_heading = "Network")]
    pub(crate) public_url: Option<String>,
    /// Stand in front of a registry: a name for it, and its sparse index or a directory
    #[arg(long, value_name = "NAME=INDEX", help_heading = "Network")]
    pub(crate) upstream: Vec<String>,
    /// Database: sqlite:PATH or postgres://… [default: a file in the data directory]
    #[arg(
        long,
        value_name = "URL",
        help_heading = "Storage",
        env = "CRATEKEEPER_DATABASE",
        hide_env_values = true
    )]
    pub(crate) database: Option<String>,
    /// Archives: a directory, or s3://… [default: in the data directory]
    #[arg(long, value_name = "PLACE", help_heading = "Storage")]
    pub(crate) archives: Option<String>,
    /// Policy that makes verdicts [default: cratekeeper.toml in the data directory, or the built-in one]
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
    #[command(flatten)]
    pub(crate) limits: super::AnalysisLimits,
}

/// Arguments of `backup`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write; it must not be there yet
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) database: Database,
}

/// Arguments of `recover`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub(crate) struct Recover {
    /// The account
    #[arg(value_name = "LOGIN")]
    pub(crate) login: String,
    /// Why; the audit log keeps it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Make it an admin, if it is none
    #[arg(long)]
    pub(crate) admin: bool,
    /// Let it in again, if it was locked out
    #[arg(long)]
    pub(crate) enable: bool,
    /// URL under which people reach the gate [default: as gate.toml says]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    #[command(flatten)]
    pub(crate) database: Database,
}

/// Which database.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// Directory of the gate
    #[arg(long, value_name = "DIR", default_value = DIRECTORY, env = "CRATEKEEPER_DATA", hide_env_values = true)]
    pub(crate) data: PathBuf,
    /// Database: sqlite:PATH or postgres://… [default: a file in the data directory]
    #[arg(long, value_name = "URL", env = "CRATEKEEPER_DATABASE", hide_env_values = true)]
    pub(crate) database: Option<String>,
}

/// Arguments of `audit-log`.
#[cfg(feature = "serve")]
#[derive(Debug, Args)]
pub(crate) struct AuditLog {
    #[command(subcommand)]
    pub(crate) command: AuditLogCommand,
}

/// What to do with the audit log.
#[cfg(feature = "serve")]
#[derive(Debug, Subcommand)]
pub(crate) enum AuditLogCommand {
    /// Verify the chain, against checkpoints that were kept elsewhere
    ///
    /// Exit code 1 if anything was rewritten, left out or cut off. Without --key, a checkpoint is held to the key that it names itself: that
    /// shows that it was not changed, and not who made it.
    Verify {
        /// File with checkpoints that were kept elsewhere; may be given several times
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Public key that checkpoints have to be signed by, as `audit-log key` prints it; may be given several times
        #[arg(long, value_name = "HEX")]
        key: Vec<String>,
        #[command(flatten)]
        database: Database,
    },
    /// Sign what the log says now, to keep it elsewhere
    Checkpoint {
        /// File to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Print the public key that checkpoints are signed by, to note it where the gate cannot change it
    Key {
        /// Directory of the gate
        #[arg(long, value_name = "DIR", default_value = DIRECTORY, env = "CRATEKEEPER_DATA", hide_env_values = true)]
        data: PathBuf,
    },
}

/// Arguments of `gate`.
#[derive(Debug, Args)]
pub(crate) struct Gate {
    /// URL of the gate
    #[arg(
        long,
        global = true,
        value_name = "URL",
        default_value = "http://127.0.0.1:8420",
        env = "CRATEKEEPER_GATE",
        hide_env_values = true
    )]
    pub(crate) url: String,
    #[command(subcommand)]
    pub(crate) command: GateCommand,
}

/// What to ask a gate. The token comes from CRATEKEEPER_TOKEN alone: arguments are seen by everybody on the machine.
#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// How many versions stand how; or everything that is known about one
    Status {
        /// A version such as `serde@1.0.219`
        #[arg(value_name = "CRATE@VERSION")]
        version: Option<String>,
        /// Registry of the version: hosted, or the name of an upstream
        #[arg(long, value_name = "NAME", default_value = "hosted")]
        registry: String,
    },
    /// Versions that somebody should look at, worst first
    Queue,
    /// Keep something from builds until further notice
    Hold(Target),
    /// Let builds have something
    Release(Target),
    /// Keep something from builds for good
    Block(Target),
    /// Take a version down, or all of a crate: nobody gets it, and its bytes are kept sealed as evidence
    ///
    /// A second person agrees first. Downloads are answered with 410 and the reason, the index has no line of it, and its number stays taken.
    TakeDown(Versions),
    /// Bring back what was taken down; it is held until somebody releases it
    Restore(Versions),
    /// Write the archive of a version that was taken down to a file; the audit log says who looked
    Evidence {
        /// A version such as `serde@1.0.219`
        #[arg(value_name = "CRATE@VERSION")]
        version: String,
        /// Registry of the version
        #[arg(long, value_name = "NAME", default_value = "hosted")]
        registry: String,
        /// File to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Undo a decision
    Undo {
        /// Its number
        decision: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Acts that wait for a second person
    ///
    /// What loosens or destroys is done once somebody else agrees: neither whoever asks, nor whoever made their account, nor anybody who was given a
    /// role within the last day.
    Requests {
        /// Number of a request: all of what it changes
        request: Option<i64>,
    },
    /// Agree, as the second person, to an act that waits; it is done
    Approve {
        /// Number of the request
        request: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Refuse an act that waits, or withdraw your own
    Refuse {
        /// Number of the request
        request: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Confirm, as a second person, a hold or a block
    Confirm {
        /// Number of the decision
        decision: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Who fetched a version
    Recall {
        /// A version such as `serde@1.0.219`
        #[arg(value_name = "CRATE@VERSION")]
        version: String,
        /// Registry of the version
        #[arg(long, value_name = "NAME", default_value = "hosted")]
        registry: String,
        /// Two moments, such as 2026-08-20T17:00:00Z..2026-08-20T19:00:00Z
        #[arg(long, value_name = "FROM..TO")]
        between: Option<String>,
    },
    /// Ask another policy about the past: what it would have held, and who would have been stopped
    ///
    /// Nothing is inspected again: the policy sees what was known at that time. Nothing changes.
    Replay {
        /// Since when: a time ago such as 30d or 12h, a day, or a moment such as 2026-08-20T17:00:00Z
        #[arg(long, value_name = "WHEN", default_value = "30d")]
        since: String,
        /// Until when [default: now]
        #[arg(long, value_name = "WHEN")]
        until: Option<String>,
        /// Policy to ask [default: the one that the gate has now]
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
    /// Take back yanks that somebody made
    RollbackYanks {
        /// Login of whoever made them
        #[arg(long, value_name = "LOGIN", conflicts_with = "krate", required_unless_present = "krate")]
        by: Option<String>,
        /// Crate whose yanks to take back, whoever made them
        #[arg(long = "crate", value_name = "NAME")]
        krate: Option<String>,
        /// Registry of the crate
        #[arg(long, value_name = "NAME", default_value = "hosted")]
        registry: String,
        /// Two moments, such as 2026-08-20T17:00:00Z..2026-08-20T19:00:00Z
        #[arg(long, value_name = "FROM..TO")]
        between: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Do any act, written as the audit log keeps it: locks, names and waivers, too
    ///
    /// For example '{"act":"lock","krate":"serde","action":"publish","locked":true}'. With --preview it is only shown what it would change.
    Act {
        /// The act, as JSON
        #[arg(value_name = "JSON")]
        change: String,
        /// Show what it would change, and whether a second person is needed
        #[arg(long)]
        preview: bool,
        /// Why
        #[arg(long, value_name = "TEXT", required_unless_present = "preview")]
        reason: Option<String>,
    },
    /// Withdraw a version: resolution does not choose it any more
    Yank(Versions),
    /// Put a version back that was withdrawn; what holds or blocks it stays
    Unyank(Versions),
    /// Pass on what an upstream says about versions being withdrawn, where the gate shows something else
    PassOnYanks {
        /// Name of the crate
        krate: String,
        /// Name of the upstream
        #[arg(long, value_name = "NAME")]
        registry: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Tell the owners of a hosted crate something by mail
    ///
    /// Only owners who confirmed an address are told. The answer names the others.
    NotifyOwners {
        /// A crate, or a version such as `serde@1.0.219`
        #[arg(value_name = "CRATE[@VERSION]")]
        target: String,
        /// What they are told: held, blocked, released, yanked-back, taken-down, advisory, free
        #[arg(long, value_name = "TEMPLATE")]
        template: String,
        /// Your own words, besides the template or alone
        #[arg(long, value_name = "TEXT", default_value = "")]
        text: String,
        /// Why; owners do not read it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Mails that wait and that were given up
    Mails,
    /// Send a mail again that was given up
    RetryMail {
        /// Its number
        mail: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Accept an invitation to own a crate
    Accept {
        /// Name of the crate
        krate: String,
    },
    /// Accounts
    #[command(subcommand)]
    User(User),
    /// Tokens
    #[command(subcommand)]
    Token(Token),
    /// Who is told about verdicts, decisions, exposures and checkpoints
    #[command(subcommand)]
    Webhook(Webhook),
    /// The policy that is in force
    #[command(subcommand)]
    Policy(GatePolicy),
    /// Read policy, configuration and certificates again
    ///
    /// A mistake anywhere leaves everything as it is. Of several replicas, the one that is asked does it.
    Reload {
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// What is done with the policy that is in force.
#[derive(Debug, Subcommand)]
pub(crate) enum GatePolicy {
    /// Print its text
    Show,
    /// Decide by another one from now on
    ///
    /// What may let more through waits for a second person. A file of the gate that says something new replaces it.
    Set {
        /// The policy's file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Have a clause or a rule count, only be shown, or be off
    Mode {
        /// Id of a clause
        #[arg(long, value_name = "ID", required_unless_present = "rule", conflicts_with = "rule")]
        clause: Option<String>,
        /// Id of a rule
        #[arg(long, value_name = "ID")]
        rule: Option<String>,
        /// The mode
        #[arg(value_parser = ["enforce", "audit", "off"])]
        mode: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// What a decision is about.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// A crate, or a version such as `serde@1.0.219`
    #[arg(
        value_name = "CRATE[@VERSION]",
        required_unless_present = "publisher",
        conflicts_with = "publisher"
    )]
    pub(crate) target: Option<String>,
    /// Everything that somebody published
    #[arg(long, value_name = "LOGIN")]
    pub(crate) publisher: Option<String>,
    /// Registry: hosted, or the name of an upstream
    #[arg(long, value_name = "NAME", default_value = "hosted")]
    pub(crate) registry: String,
    /// Take it out of the index, too
    #[arg(long)]
    pub(crate) hide: bool,
    /// Why; whoever is refused reads it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Versions that are taken down, restored, yanked or put back.
#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// A version such as `serde@1.0.219`, or a crate for all of its versions
    #[arg(value_name = "CRATE[@VERSION]")]
    pub(crate) target: String,
    /// Registry: hosted, or the name of an upstream
    #[arg(long, value_name = "NAME", default_value = "hosted")]
    pub(crate) registry: String,
    /// Why; whoever asks for it reads it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Make one
    Create {
        /// Login
        login: String,
        /// Roles: viewer, triager, admin, auditor; none for somebody who publishes alone
        #[arg(long, value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Give and take roles; a second person agrees to what gives some
    Roles {
        /// Login
        login: String,
        /// All roles that it has from then on: viewer, triager, admin, auditor
        #[arg(long, value_name = "ROLE", value_delimiter = ',')]
        roles: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Let one in again that was locked out
    Enable {
        /// Login
        login: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Accept nothing that it publishes, withdraws or shares; a second person confirms it
    Freeze {
        /// Login
        login: String,
        /// Why; whoever is refused reads it
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Accept again what a frozen account does; a second person agrees
    Unfreeze {
        /// Login
        login: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Accounts that are frozen
    Frozen,
    /// Confirm, as a second person, that an account was frozen
    ConfirmFreeze {
        /// Number of the freeze
        freeze: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Lock one out
    Disable {
        /// Login
        login: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make one, which is printed once
    Create {
        /// Whose it is [default: yours]
        #[arg(long, value_name = "LOGIN")]
        user: Option<String>,
        /// What it is called
        #[arg(long, value_name = "NAME", default_value = "command line")]
        name: String,
        /// What it may be used for: publish-new, publish-update, yank, change-owners, read, administer
        #[arg(
            long,
            value_name = "SCOPE",
            value_delimiter = ',',
            default_value = "publish-new,publish-update,yank,change-owners,read"
        )]
        scopes: Vec<String>,
        /// Names of crates, or beginnings of names with `*` behind [default: all]
        #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
        crates: Vec<String>,
        /// Days until it is worth nothing [default: never]
        #[arg(long, value_name = "DAYS")]
        expires: Option<i64>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make one worth nothing
    Revoke {
        /// Its number
        id: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub(crate) enum Webhook {
    /// Add one; CRATEKEEPER_WEBHOOK_SECRET has the secret that signs what it is sent
    Create {
        /// Address; the log shows its scheme and host alone
        #[arg(value_name = "URL")]
        address: String,
        /// What it is told about: verdict, decision, exposure, checkpoint [default: everything]
        #[arg(long, value_name = "EVENT", value_delimiter = ',')]
        events: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// All there are
    List,
    /// End one; what it was told stays readable
    Disable {
        /// Its number
        id: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Send one something, to see whether it arrives
    Test {
        /// Its number
        id: i64,
        /// Why
        #[arg(long, value_name = "TEXT", default_value = "to see whether it arrives")]
        reason: String,
    },
    /// What one was told, newest first, and what became of it
    Deliveries {
        /// Its number
        id: i64,
    },
    /// Send a delivery once more that was given up
    Retry {
        /// Number of the delivery
        delivery: i64,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
