//! The table of calls that touch the machine, and how a path is found in it.
//!
//! The table is text (`data/operations.txt`), so that it can be read and extended as a list. Its kinds are those of operations and a
//! few more, of calls that touch nothing themselves but give a value a meaning: a home directory, a client, a digest.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use cratekeeper_model::facts::OperationKind;

const TEXT: &str = include_str!("../../data/operations.txt");

/// What a path means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Api {
    pub(super) effect: Effect,
    /// Bits of the arguments that say to what.
    pub(super) arguments: u16,
    /// The text between a macro's delimiters is the argument.
    pub(super) text: bool,
    /// The receiver of a method is.
    pub(super) receiver: bool,
    /// Path of the value's type; empty if it has none that matters.
    pub(super) kind: &'static str,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// An operation, and the call needs no more thought.
    Operation(OperationKind),
    /// Starts a program through a shell.
    Shell,
    /// `OpenOptions`: reads or writes, by what follows.
    OpenOptions,
    /// A number that may make a file executable.
    Mode,
    /// Makes something that connects later.
    Client,
    /// Begins a session, so that a child outlives its parent.
    Session,
    /// A directory that all packages share, by name.
    Place(&'static str),
    /// Sets a variable.
    SetVariable,
    /// Looks at processes.
    Processes,
    /// Disables checks if its argument is this.
    TlsChecks(bool),
    /// Maps or protects memory: what matters is whether it may be executed.
    Memory,
    /// Opens a file for reading or writing, by flags or mode.
    LibcOpen,
    Transmute,
    /// A thread by the system's call, whose start address may be data.
    Thread,
    Chance,
    DecodeBase64,
    DecodeHex,
    /// A value by which things are encoded and decoded.
    Engine,
    LiteralHex,
    LiteralHidden,
    Concat,
    Cipher,
    Digest,
}

struct Table {
    exact: HashMap<&'static str, Api>,
    /// By the name behind the dot.
    methods: HashMap<&'static str, Api>,
    /// By crate and last name.
    ends: HashMap<(&'static str, &'static str), Api>,
    /// By what stands before `*`.
    prefixes: HashMap<&'static str, Api>,
    /// Beginnings of all paths, at the borders of names.
    beginnings: HashSet<&'static str>,
    same: HashMap<&'static str, &'static str>,
    crates: HashSet<&'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::read(TEXT));

/// The entry of a path: `std::fs::read`, `.danger_accept_invalid_certs`, `asm!`.
pub(super) fn find(path: &str) -> Option<Api> {
    TABLE.find(path, 0)
}

/// The entry of a method by its name alone.
pub(super) fn find_method(name: &str) -> Option<Api> {
    TABLE.methods.get(name).copied()
}

/// Whether something is listed at or below this path.
pub(super) fn knows(path: &str) -> bool {
    TABLE.beginnings.contains(path) || find(path).is_some()
}

/// Whether anything of a crate is listed.
pub(super) fn knows_crate(name: &str) -> bool {
    TABLE.crates.contains(name)
}

impl Table {
    fn read(text: &'static str) -> Table {
        let mut table = Table {
            exact: HashMap::new(),
            methods: HashMap::new(),
            ends: HashMap::new(),
            prefixes: HashMap::new(),
            beginnings: HashSet::new(),
            same: HashMap::new(),
            crates: HashSet::new(),
        };
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut columns = line.split('|').map(str::trim);
            let path = columns.next().unwrap_or_default();
            if let Some(alias) = path.strip_prefix("= ") {
                table.same.insert(alias, columns.next().unwrap_or_default());
                table.crates.insert(super::scope::first(alias));
                continue;
            }
            let Some(effect) = columns.next().and_then(effect_of) else { continue };
            let places = columns.next().unwrap_or_default();
            let api = Api {
                effect,
                arguments: places
                    .split(' ')
                    .filter_map(|it| it.parse::<u16>().ok())
                    .fold(0, |bits, it| bits | 1 << it.min(15)),
                text: places == "text",
                receiver: places == "receiver",
                kind: columns.next().unwrap_or_default(),
            };
            table.add(path, api);
        }
        table
    }

    fn add(&mut self, path: &'static str, api: Api) {
        self.crates.insert(super::scope::first(path));
        self.methods.extend(path.strip_prefix('.').map(|name| (name, api)));
        for (at, _) in path.match_indices("::") {
            self.beginnings.insert(&path[..at]);
        }
        if let Some(prefix) = path.strip_suffix("::*") {
            self.prefixes.insert(prefix, api);
        } else if let Some((first, last)) = path.split_once("::*::") {
            self.ends.insert((first, last), api);
        } else {
            self.exact.insert(path, api);
        }
    }

    fn find(&self, path: &str, depth: u32) -> Option<Api> {
        if let Some(api) = self.exact.get(path) {
            return Some(*api);
        }
        let (first, last) = (super::scope::first(path), path.rsplit("::").next().unwrap_or(path));
        if !self.crates.contains(first) {
            return None;
        }
        if let Some(api) = self.ends.get(&(first, last)) {
            return Some(*api);
        }
        let mut end = path.len();
        while let Some(at) = path[..end].rfind("::") {
            if let Some(api) = self.prefixes.get(&path[..at]) {
                return Some(*api);
            }
            end = at;
        }
        if depth < 2 {
            let mut end = path.len();
            loop {
                if let Some(same) = self.same.get(&path[..end]) {
                    return self.find(&format!("{same}{}", &path[end..]), depth + 1);
                }
                match path[..end].rfind("::") {
                    Some(at) => end = at,
                    None => break,
                }
            }
        }
        None
    }
}

fn effect_of(word: &str) -> Option<Effect> {
    use OperationKind::*;
    let operation = match word {
        "read-file" => ReadFile,
        "read-directory" => ReadDirectory,
        "write-file" => WriteFile,
        "set-permissions" => SetPermissions,
        "delete-file" => DeleteFile,
        "connect" => Connect,
        "listen" => Listen,
        "resolve-name" => ResolveName,
        "disable-tls-checks" => DisableTlsChecks,
        "start-process" => StartProcess,
        "read-variable" => ReadVariable,
        "list-variables" => ListVariables,
        "host-information" => HostInformation,
        "load-library" => LoadLibrary,
        "interpret" => Interpret,
        "system-call" => SystemCall,
        "assembly" => Assembly,
        "executable-memory" => ExecutableMemory,
        "call-data" => CallData,
        "before-main" => BeforeMain,
        "sleep" => Sleep,
        "read-clock" => ReadClock,
        "decode" => Decode,
        "encode" => Encode,
        "pattern" => Pattern,
        "user-interface" => UserInterface,
        "system-registry" => SystemRegistry,
        _ => {
            return Some(match word {
                "start-process-shell" => Effect::Shell,
                "open-options" => Effect::OpenOptions,
                "mode" => Effect::Mode,
                "client" => Effect::Client,
                "session" => Effect::Session,
                "home" => Effect::Place("HOME"),
                "cargo-home" => Effect::Place("CARGO_HOME"),
                "temporary" => Effect::Place("TMPDIR"),
                "here" => Effect::Place("PWD"),
                "self" => Effect::Place("EXE"),
                "caller-file" => Effect::Place("file!"),
                "set-variable" => Effect::SetVariable,
                "processes" => Effect::Processes,
                "disable-tls-checks-if-false" => Effect::TlsChecks(false),
                "disable-tls-checks-if-true" => Effect::TlsChecks(true),
                "memory" => Effect::Memory,
                "libc-open" | "libc-fopen" => Effect::LibcOpen,
                "transmute" => Effect::Transmute,
                "call-data-thread" => Effect::Thread,
                "chance" => Effect::Chance,
                "decode-base64" => Effect::DecodeBase64,
                "decode-hex" => Effect::DecodeHex,
                "base64" | "hex" | "base32" => Effect::Engine,
                "literal-hex" => Effect::LiteralHex,
                "literal-hidden" => Effect::LiteralHidden,
                "concat" => Effect::Concat,
                "cipher" => Effect::Cipher,
                "digest" => Effect::Digest,
                _ => return None,
            });
        }
    };
    Some(Effect::Operation(operation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        for line in
            TEXT.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '=']))
        {
            let columns: Vec<&str> = line.split('|').map(str::trim).collect();
            assert!(columns.len() >= 3 && columns.len() <= 4, "{line}");
            assert!(effect_of(columns[1]).is_some(), "{line}");
            for place in columns[2].split(' ').filter(|it| !it.is_empty()) {
                assert!(
                    place.parse::<u16>().is_ok_and(|it| it < 16) || matches!(place, "text" | "receiver"),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn paths_are_found_by_name_by_wildcard_and_by_what_they_stand_for() {
        use OperationKind::*;
        for (path, kind) in [
            ("std::fs::read", ReadFile),
            ("tokio::fs::read", ReadFile),
            ("fs_err::tokio::write", WriteFile),
            ("windows_sys::Win32::System::LibraryLoader::LoadLibraryA", LoadLibrary),
            ("whoami::username", HostInformation),
            (".danger_accept_invalid_certs", DisableTlsChecks),
            ("asm!", Assembly),
        ] {
            assert_eq!(find(path).map(|it| it.effect), Some(Effect::Operation(kind)), "{path}");
        }
        for path in ["std::fs", "std::fs::File", "whoami", "mystd::fs::read", "asm", "windows::LoadLibrary"] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
