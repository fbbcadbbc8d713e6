//! Facts about behaviour: what code touches, with which constants, under which conditions, and what flows where.
//!
//! Everything here is read from the text alone, one package at a time, with names resolved by the imports in force. A call
//! that goes into another crate stays a path in [`FlowFacts::external_calls`]; whoever has that crate's facts can follow it.
//! The analysis over-approximates on purpose: it says that a value *can* get somewhere, never that it does.

use serde::{Deserialize, Serialize};

/// What the code of a package does to the machine that it runs on.
///
/// `file` fields index [`SourceFacts::rust_files`](super::SourceFacts::rust_files), `function` fields index
/// [`SourceFacts::functions`](super::SourceFacts::functions), `operation` fields index [`FlowFacts::operations`], `gate`
/// fields index [`FlowFacts::gates`]. Lines count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowFacts {
    /// Calls that touch something outside of the program, in file and line order.
    pub operations: Vec<Operation>,
    /// Constant text that matters, or that took decoding to be seen.
    pub texts: Vec<ConstantText>,
    /// Conditions on the environment, the time, the target or a feature.
    pub gates: Vec<Gate>,
    /// Values that get from a source to an operation.
    pub flows: Vec<Flow>,
    /// Functions of other crates that are called or referred to, by the path as resolved by imports.
    pub external_calls: Vec<ExternalCall>,
    /// What could not be followed, as sentence fragments; limits that were met.
    pub problems: Vec<String>,
}

/// What a version can do to a machine. The words of capability systems, with those that matter for Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Reads files or directories.
    FsRead,
    /// Writes, moves or deletes files, or changes their permissions.
    FsWrite,
    /// Opens network connections, or resolves names.
    Net,
    /// Starts programs.
    Process,
    /// Reads environment variables, arguments, or facts about the host.
    Env,
    /// Loads code at run time.
    DynamicLoading,
    /// Calls the operating system's kernel directly, or by assembly.
    RawSyscall,
    /// Makes memory executable, or calls data as code.
    ExecMemory,
    /// `unsafe` code.
    Unsafe,
    /// Declares or calls foreign functions.
    Ffi,
}

impl Capability {
    /// All capabilities, in the order of documents.
    pub const ALL: [Capability; 10] = [
        Capability::FsRead,
        Capability::FsWrite,
        Capability::Net,
        Capability::Process,
        Capability::Env,
        Capability::DynamicLoading,
        Capability::RawSyscall,
        Capability::ExecMemory,
        Capability::Unsafe,
        Capability::Ffi,
    ];

    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Capability::FsRead => "fs-read",
            Capability::FsWrite => "fs-write",
            Capability::Net => "net",
            Capability::Process => "process",
            Capability::Env => "env",
            Capability::DynamicLoading => "dynamic-loading",
            Capability::RawSyscall => "raw-syscall",
            Capability::ExecMemory => "exec-memory",
            Capability::Unsafe => "unsafe",
            Capability::Ffi => "ffi",
        }
    }
}

/// When code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// In a build script, or in a procedural macro: on the machine of whoever builds.
    BuildTime,
    /// Before `main`: constructors of the linker.
    BeforeMain,
    /// When a public function of the library is called, or a program of the package is run.
    RunTime,
    /// In tests, benchmarks and examples.
    Test,
    /// No target reaches it.
    Unreached,
}

impl Phase {
    /// The word in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::BuildTime => "build-time",
            Phase::BeforeMain => "before-main",
            Phase::RunTime => "run-time",
            Phase::Test => "test",
            Phase::Unreached => "unreached",
        }
    }
}

/// What an [`Operation`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OperationKind {
    /// Reads a file.
    ReadFile,
    /// Lists a directory, or walks a tree.
    ReadDirectory,
    /// Writes, copies or moves a file, or makes a directory.
    WriteFile,
    /// Makes a file executable, or changes its permissions or owner.
    SetPermissions,
    /// Deletes files.
    DeleteFile,
    /// Opens a connection, sends or receives: sockets, HTTP clients, WebSockets.
    Connect,
    /// Waits for connections.
    Listen,
    /// Asks the domain name system.
    ResolveName,
    /// Switches the checks of TLS certificates off.
    DisableTlsChecks,
    /// Prepares or starts a program.
    StartProcess,
    /// Reads one environment variable.
    ReadVariable,
    /// Reads all environment variables.
    ListVariables,
    /// Reads facts about the machine: host name, user name, addresses, operating system, running processes.
    HostInformation,
    /// Loads a library or a module, or looks a symbol up in one.
    LoadLibrary,
    /// Runs a WebAssembly or script interpreter.
    Interpret,
    /// A system call by number.
    SystemCall,
    /// Assembly.
    Assembly,
    /// Makes memory executable.
    ExecutableMemory,
    /// Turns data into a function that can be called.
    CallData,
    /// Registers a function that runs before `main`.
    BeforeMain,
    /// Waits.
    Sleep,
    /// Reads the clock.
    ReadClock,
    /// Decodes or decrypts: base64, hex, XOR, ciphers, decompression.
    Decode,
    /// Encodes or encrypts.
    Encode,
    /// Compiles a regular expression.
    Pattern,
    /// Reads or writes the clipboard, keyboard or screen.
    UserInterface,
    /// Reads or writes the registry of Windows.
    SystemRegistry,
    /// Tells cargo something from a build script, by `println!("cargo:…")`.
    CargoDirective,
}

impl OperationKind {
    /// What an operation of this kind proves the version capable of.
    #[must_use]
    pub fn capability(self) -> Option<Capability> {
        use OperationKind::*;
        Some(match self {
            ReadFile | ReadDirectory => Capability::FsRead,
            WriteFile | SetPermissions | DeleteFile => Capability::FsWrite,
            Connect | Listen | ResolveName | DisableTlsChecks => Capability::Net,
            StartProcess => Capability::Process,
            ReadVariable | ListVariables | HostInformation => Capability::Env,
            LoadLibrary | Interpret => Capability::DynamicLoading,
            SystemCall | Assembly => Capability::RawSyscall,
            ExecutableMemory | CallData => Capability::ExecMemory,
            SystemRegistry => Capability::FsWrite,
            BeforeMain | Sleep | ReadClock | Decode | Encode | Pattern | UserInterface | CargoDirective => {
                return None;
            }
        })
    }
}

/// A call that touches something outside of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// Path of the function as resolved by imports (`std::process::Command::new`); for methods of unknown types the name
    /// behind a dot (`.send`).
    pub path: String,
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function; `None` in constants and statics.
    pub function: Option<u32>,
    /// Constant parts of its arguments as they arrive, decoded and joined, in order: the program and its arguments, the
    /// path, the address, the variable's name. What is not constant is `{}`; of environment variables and directories that
    /// all packages share, the name: `{HOME}/.ssh`, `{OUT_DIR}/x`, `{TMPDIR}`, `{PWD}`. Shortened to 200 characters each, at most 16.
    pub arguments: Vec<String>,
    /// Qualities of this call.
    pub qualities: Vec<Quality>,
    /// Conditions in force, from the outermost: numbers into [`FlowFacts::gates`].
    pub gates: Vec<u32>,
    /// When it can run, earliest first: by the targets that its file belongs to, and by calls inside the package.
    pub phases: Vec<Phase>,
    /// Functions from an entry of the first phase to the enclosing one, entry first; empty when it is not reached, or stands
    /// in the entry itself.
    pub chain: Vec<u32>,
}

/// A quality of an [`Operation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Quality {
    /// Its result is thrown away, or its errors are: `let _ =`, `.ok();`.
    ErrorsIgnored,
    /// All its output is thrown away.
    Silent,
    /// It goes on when its parent ends: no window, a session of its own, not waited for.
    Detached,
    /// It goes through a shell or another interpreter, which takes a command as text.
    ThroughShell,
    /// It stands in a macro call's arguments, or in a macro's definition.
    InMacro,
    /// An argument was put together from parts or decoded.
    HiddenArgument,
    /// The path that it writes is below `OUT_DIR`, or the path that it reads below the package.
    InsidePackage,
    /// It runs on a thread of its own.
    OnThread,
    /// It makes executable what it is given.
    Executable,
    /// The data is compared with a digest.
    Verified,
}

/// Constant text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstantText {
    /// The value after decoding, shortened to 200 characters, control characters as `\u{…}`.
    pub value: String,
    /// How it was put together, in order; empty when it stands in the source as it is.
    pub decodings: Vec<Decoding>,
    /// What it mentions.
    pub topics: Vec<Topic>,
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function.
    pub function: Option<u32>,
    /// The operation that it is an argument of, or flows into.
    pub operation: Option<u32>,
}

/// A step in which constant text is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Decoding {
    /// Joined from two or more parts: `concat!`, `format!`, `+`, `push_str`, `join`.
    Joined,
    /// Reversed.
    Reversed,
    /// Base64 of RFC 4648, any alphabet.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// XOR with a constant.
    Xor,
    /// Each byte rotated or shifted by a constant: Caesar, ROT13.
    Rotated,
    /// Given as numbers: an array of bytes or characters.
    Numbers,
    /// Parts of it were replaced or removed.
    Replaced,
    /// Made by a `const fn` or a constant's block.
    Evaluated,
}

/// What a constant text mentions. Lexical: that it is mentioned says nothing about why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Topic {
    /// A URL with a scheme.
    Url,
    /// An IP address, with or without a port.
    IpAddress,
    /// A host name.
    Host,
    /// Files that hold credentials or keys: `.ssh/id_rsa`, `.aws/credentials`, `.cargo/credentials.toml`, `.env`, `.netrc`.
    SecretFile,
    /// Files of a wallet, a browser's profile or a messenger's session.
    WalletFile,
    /// A variable's name that speaks of a secret: `TOKEN`, `SECRET`, `PASSWORD`, `API_KEY`, `PRIVATE_KEY`.
    SecretVariable,
    /// A variable that build services set: `CI`, `GITHUB_ACTIONS`, `GITLAB_CI`, `DOCS_RS`.
    BuildServiceVariable,
    /// A place that starts programs by itself: cron, systemd units, `LaunchAgents`, `Run` keys, shell start files, `authorized_keys`.
    StartupPlace,
    /// Programs that fetch: `curl`, `wget`, `certutil`, `bitsadmin`.
    Downloader,
    /// Shells and script hosts: `sh`, `cmd`, `powershell`, `wscript`, `osascript`.
    Shell,
    /// Anti-virus programs, debuggers, virtual machines, sandboxes.
    AnalysisTool,
    /// Messengers' bots, web hooks, paste and tunnel services.
    DropService,
    /// A pattern that matches keys, seeds or addresses of wallets, or tokens.
    SecretPattern,
    /// Publishing to a registry: `cargo publish`, `api/v1/crates/new`, `npm publish`.
    PublishCommand,
    /// The source of the package that is being compiled, or of its user: `CARGO_MANIFEST_DIR`, `*.rs`, `src/`.
    UserSource,
    /// The home directory, or another place that all packages share: `HOME`, `.cargo/bin`, `.rustup`, the toolchain.
    SharedPlace,
    /// Text that an AI assistant takes as an instruction.
    AssistantInstruction,
    /// A path that hides itself: `/tmp/.x`, `%APPDATA%\…`, `/dev/shm/…`.
    HiddenPlace,
    /// Long, and of high entropy.
    HighEntropy,
}

/// A condition on something outside of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// On what.
    pub kind: GateKind,
    /// As written, shortened.
    pub text: String,
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function; `None` for attributes on items.
    pub function: Option<u32>,
}

/// What a [`Gate`] looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum GateKind {
    /// A variable that build services set.
    BuildService,
    /// Another environment variable.
    Variable,
    /// The clock, against a constant.
    Time,
    /// The host's or user's name, its addresses, its language.
    Host,
    /// Running processes, debuggers, virtual machines.
    AnalysisTool,
    /// `cfg(feature = …)`, of a feature that is not on by default.
    OptionalFeature,
    /// `cfg(feature = …)`, of a feature that is on by default.
    DefaultFeature,
    /// `cfg` of an operating system, architecture or family, and `cfg!` of one; `CARGO_CFG_TARGET_…` in build scripts.
    Target,
    /// `cfg(test)`.
    Test,
    /// `cfg(debug_assertions)`, `PROFILE`.
    Profile,
    /// Chance: random numbers, counters.
    Chance,
    /// Whether a file is there.
    FileExists,
}

/// A value that gets from a source to an operation, inside a function or through calls inside the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Where it comes from.
    pub source: FlowSource,
    /// The operation that reads it, where it is read by one.
    pub from: Option<u32>,
    /// The operation that gets it.
    pub into: u32,
    /// What happens to it on the way.
    pub transformations: Vec<Decoding>,
    /// Places on the way, source first: file, line, enclosing function.
    pub steps: Vec<FlowStep>,
}

/// A place that a value goes through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowStep {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function.
    pub function: Option<u32>,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FlowSource {
    /// One environment variable, whose name speaks of a secret.
    SecretVariable,
    /// Another environment variable.
    Variable,
    /// All environment variables.
    AllVariables,
    /// A file that holds credentials, keys or a wallet.
    SecretFile,
    /// Source text of the package's user.
    UserSource,
    /// Another file or directory.
    File,
    /// Facts about the machine.
    HostInformation,
    /// What came over the network.
    Network,
    /// What a program printed.
    ProcessOutput,
    /// Constant text that took decoding to be seen.
    HiddenConstant,
    /// Bytes that `include_bytes!` and its like embed.
    EmbeddedFile,
}

/// A function of another crate that is called or referred to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExternalCall {
    /// Path as resolved by imports, the crate's name in code first: `reqwest::blocking::get`.
    pub path: String,
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function.
    pub function: Option<u32>,
    /// When it can run, earliest first.
    pub phases: Vec<Phase>,
}
