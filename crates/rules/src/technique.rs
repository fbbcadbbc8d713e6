//! Attack techniques: how an attack works, whichever rule notices it.

/// A way to attack through a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Technique {
    /// Its number in the catalogue: in cases, policies and threat models.
    pub number: u8,
    /// What it is, as one line.
    pub title: &'static str,
}

/// The catalogue, sorted by number. A number keeps its meaning for good.
pub const TECHNIQUES: &[Technique] = &[
    Technique { number: 1, title: "A build script reaches the network or starts programs" },
    Technique { number: 2, title: "A build script writes outside of its output directory" },
    Technique { number: 3, title: "A build script links a library or object that the package carries" },
    Technique { number: 4, title: "A build script stands in an unusual place, or pulls code from one" },
    Technique { number: 5, title: "A procedural macro reaches files, environment, network or programs" },
    Technique { number: 6, title: "A macro or build script reads its user's source" },
    Technique { number: 7, title: "The compiler is made to capture a file from outside of the package" },
    Technique { number: 8, title: "The compiler is made to capture a secret environment variable" },
    Technique {
        number: 9,
        title: "Machine code, bytecode or encrypted data travels inside a source package",
    },
    Technique { number: 10, title: "A payload is kept among test data, where reviewers expect opaque files" },
    Technique { number: 11, title: "A prebuilt program is shipped instead of its source" },
    Technique { number: 12, title: "Text is hidden as a byte array or by XOR" },
    Technique { number: 13, title: "Text is split, reversed, or encoded in base64 or hex" },
    Technique {
        number: 14,
        title: "An address differs by one letter from a known one, or is put together by `format!`",
    },
    Technique { number: 15, title: "Text is hidden in a `const fn` that the compiler evaluates" },
    Technique {
        number: 16,
        title: "Bidirectional control characters make code read differently from what is compiled (Trojan Source)",
    },
    Technique { number: 17, title: "Identifiers look like others, or contain invisible characters" },
    Technique { number: 18, title: "Code is hidden by white space or in very long lines" },
    Technique { number: 19, title: "Modules are loaded from unusual files by `#[path]` or `include!`" },
    Technique { number: 20, title: "Code runs before `main`" },
    Technique { number: 21, title: "A well-known symbol of the system is replaced" },
    Technique { number: 22, title: "Assembly makes system calls or defines sections" },
    Technique { number: 23, title: "System calls by number, or libraries loaded at run time" },
    Technique { number: 24, title: "Memory is made executable, and data called as code" },
    Technique { number: 25, title: "A cargo configuration travels in the package" },
    Technique { number: 26, title: "A toolchain file travels in the package" },
    Technique { number: 27, title: "Files that an editor or shell runs by itself travel in the package" },
    Technique { number: 28, title: "Instructions for AI assistants travel in the package" },
    Technique {
        number: 29,
        title: "The manifest that cargo obeys says something else than the one that people read",
    },
    Technique { number: 30, title: "A dependency is renamed to a popular name" },
    Technique { number: 31, title: "An update depends on a crate that was just born" },
    Technique { number: 32, title: "A build dependency is exchanged in an update" },
    Technique { number: 33, title: "Many versions are withdrawn around a release" },
    Technique { number: 34, title: "A public crate takes the name of an internal one" },
    Technique {
        number: 35,
        title: "A crate is published under a name that is taken for another one's: a typo, a variant, a look-alike",
    },
    Technique { number: 36, title: "A publisher imitates another one" },
    Technique { number: 37, title: "A crate is a copy of another one's source, README or description" },
    Technique { number: 38, title: "The package does not match its repository" },
    Technique { number: 39, title: "A dead version, crate or name comes back" },
    Technique { number: 40, title: "The owners or the way of publishing change around a release" },
    Technique { number: 41, title: "A dependency comes from git, a path or another registry" },
    Technique { number: 42, title: "Behaviour is hidden behind a feature" },
    Technique { number: 43, title: "Behaviour is hidden behind a target" },
    Technique { number: 44, title: "Behaviour is hidden in tests, benchmarks or examples" },
    Technique { number: 45, title: "Behaviour depends on a build service or on who runs it" },
    Technique { number: 46, title: "Behaviour begins at a date" },
    Technique {
        number: 47,
        title: "Behaviour avoids analysis: anti-virus, debuggers, virtual machines, long waits",
    },
    Technique { number: 48, title: "Code is downloaded and run" },
    Technique { number: 49, title: "A program is started silently or detached" },
    Technique { number: 50, title: "A program is started to download" },
    Technique { number: 51, title: "The checks of TLS certificates are switched off" },
    Technique { number: 52, title: "Files with secrets are named or read" },
    Technique { number: 53, title: "All environment variables are collected" },
    Technique { number: 54, title: "Files are searched for keys or wallets by pattern" },
    Technique { number: 55, title: "Data is sent to a messenger, a paste service or a tunnel" },
    Technique { number: 56, title: "Something is made to start by itself, or access is kept" },
    Technique { number: 57, title: "The crate publishes itself or others" },
    Technique { number: 58, title: "Documentation carries active content" },
    Technique {
        number: 59,
        title: "An archive that different tools unpack to different files, or outside of their directory",
    },
    Technique {
        number: 60,
        title: "Registry addresses differ only by spelling, so that credentials go astray",
    },
    Technique { number: 61, title: "A payload is a WebAssembly module" },
    Technique { number: 62, title: "The library is a stub, and the build script is large" },
    Technique { number: 63, title: "A package's name is not ASCII" },
    Technique { number: 64, title: "A maintainer's account is taken over by phishing" },
];
