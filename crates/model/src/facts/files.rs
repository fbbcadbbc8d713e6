//! Facts about every file of a package, whatever its language.

use serde::{Deserialize, Serialize};

use super::Fingerprint;
use crate::Checksum;

/// All files of a package.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Size of the `.crate` file in bytes; 0 for directories.
    pub compressed_size: u64,
    /// Sum of all file sizes in bytes.
    pub unpacked_size: u64,
    /// Every file that was read, by path.
    pub entries: Vec<FileEntry>,
    /// Entries that were refused; their content is in no other fact.
    pub refused: Vec<RefusedEntry>,
    /// Characters that make text read differently from what it means.
    pub characters: Vec<SuspiciousCharacter>,
    /// How many such characters there are in all; the list above is capped, and bidirectional controls come into it before
    /// all others.
    pub characters_total: u64,
    /// What makes the package's text recognisable in a copy.
    #[serde(default)]
    pub fingerprint: Fingerprint,
    /// Files that cargo, editors, shells, git or AI assistants act on because of their name.
    #[serde(default)]
    pub special: Vec<SpecialFile>,
    /// Places where text hides something, does something where it is shown, or speaks to a machine; capped for each kind.
    #[serde(default)]
    pub remarks: Vec<Remark>,
    /// How many such places there are in all.
    #[serde(default)]
    pub remarks_total: u64,
}

/// A file that a tool acts on because of its name, without being asked about this file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialFile {
    /// Path inside the package.
    pub path: String,
    /// Which tool, and what for.
    pub role: SpecialRole,
    /// What it says, in the file's order: leaves of TOML and JSON by dotted key; lines of other files, comments left out, with an
    /// empty key. At most 100; of a lockfile the distinct `source`s alone; none of instructions in prose.
    pub settings: Vec<Setting>,
    /// Why it could not be read; `None` when it could.
    pub problem: Option<String>,
}

/// One thing that a [`SpecialFile`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Dotted path to it, list positions left out: `build.rustc-wrapper`, `tasks.runOptions.runOn`; empty for lines.
    pub key: String,
    /// Its value as text, shortened to 200 characters.
    pub value: String,
    /// Line on which the last part of the key is first written, counted from 1; 0 when it is not written plainly.
    pub line: u32,
}

/// Who acts on a [`SpecialFile`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpecialRole {
    /// Cargo, in this directory and below: `.cargo/config.toml`.
    CargoConfiguration,
    /// Rustup, in this directory and below: `rust-toolchain.toml`.
    Toolchain,
    /// Cargo, for the versions of dependencies: `Cargo.lock`.
    Lockfile,
    /// An editor that opens the directory: `.vscode`, `.idea`, `.devcontainer`, `.exrc`.
    Editor,
    /// A shell that enters the directory: `.envrc`.
    Shell,
    /// Git, when it is told to use such hooks: `.githooks`, `.husky`.
    GitHook,
    /// An AI assistant, as instructions in prose: `AGENTS.md`, `.cursorrules`.
    AssistantInstructions,
    /// An AI assistant, as programs and permissions: `.mcp.json`, `.claude/settings.json`.
    AssistantConfiguration,
    /// Nobody by itself: a script or a page, in lines, which something else may start or show: `setup.sh`, `header.html`.
    Script,
}

/// A place in text that is not what it looks like, or does more than to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Path inside the package.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Byte within the line, counted from 1.
    pub column: u32,
    /// What it is.
    pub kind: RemarkKind,
    /// The text from there to the end of its line, shortened, with invisible characters as `\u{…}`.
    pub excerpt: String,
}

/// Kinds of [`Remark`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RemarkKind {
    /// Rust code behind 100 or more columns of white space on its line.
    CodeBehindSpace,
    /// Rust code behind 100 or more empty lines.
    CodeBehindLines,
    /// Rust code behind a comment of 100 or more columns on the same line.
    CodeBehindComment,
    /// A Rust statement or item that begins beyond column 200, behind another one.
    CodeBeyondEdge,
    /// HTML that does something when it is shown, in documentation: scripts, frames, event handlers.
    ActiveMarkup,
    /// A sentence that tells an AI assistant to hide something, to drop its instructions, or to touch secrets.
    AssistantInstruction,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path inside the package, with `/`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content.
    pub checksum: Checksum,
    /// What the first bytes say it is; the name is not trusted.
    pub kind: FileKind,
    /// Shannon entropy of the bytes, in bits per byte, 0 to 8. Compressed and encrypted data is above 7.5,
    /// source code near 4.5.
    pub entropy: f32,
    /// Whether the archive marks it executable.
    pub executable: bool,
    /// Whether a directory of its path, or the file itself, begins with a dot.
    pub hidden: bool,
    /// Lines of a text file; 0 for others.
    pub lines: u32,
    /// Length of the longest line in bytes; 0 for files that are not text.
    pub longest_line: u32,
    /// The line that is the longest, counted from 1; 0 when there is none.
    pub longest_line_number: u32,
}

/// What a file is, by its first bytes.
///
/// Magic numbers are those of the formats' specifications (ELF gABI, Microsoft PE format, Mach-O
/// `loader.h`, WebAssembly core specification §5.5, RFC 1952, PKWARE APPNOTE, …).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileKind {
    /// Zero bytes.
    Empty,
    /// UTF-8 without NUL bytes, and none of the kinds below.
    Text,
    /// Text beginning with `#!` and an interpreter (not `#![`).
    Script,
    /// ELF program, library or object.
    Elf,
    /// Windows program or library.
    Pe,
    /// Mach-O program, library or object, also universal.
    MachO,
    /// WebAssembly module.
    Wasm,
    /// Java class or Android DEX.
    Bytecode,
    /// `ar` archive: static or import library.
    StaticLibrary,
    /// zip, gzip, xz, bzip2, zstd, 7z, rar, tar.
    Archive,
    /// PNG, JPEG, GIF, WebP, BMP, ICO, TIFF.
    Image,
    /// TrueType, OpenType, WOFF.
    Font,
    /// PDF.
    Pdf,
    /// Anything else.
    Binary,
}

impl FileKind {
    /// Whether the machine, or a virtual machine, can run such a file directly.
    #[must_use]
    pub fn is_executable_code(self) -> bool {
        matches!(self, FileKind::Elf | FileKind::Pe | FileKind::MachO | FileKind::Wasm | FileKind::Bytecode)
    }

    /// Whether the file is text.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self, FileKind::Text | FileKind::Script)
    }
}

/// An archive, or one entry of it, that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedEntry {
    /// Kind of refusal, for example `symlink`.
    pub code: String,
    /// What was refused and why, as a sentence fragment.
    pub message: String,
    /// Path of the entry; `None` when the archive as a whole was refused.
    pub entry: Option<String>,
}

/// A character that makes text read differently from what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuspiciousCharacter {
    /// Path inside the package.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Character within the line, counted from 1.
    pub column: u32,
    /// Code point.
    pub code_point: u32,
    /// What kind of character it is.
    pub class: CharacterClass,
    /// Where it stands.
    pub context: CharacterContext,
    /// For bidirectional controls: whether what it opens is closed again on the same line, so that text
    /// outside keeps its order.
    pub closed: bool,
    /// The line, shortened, with such characters as `\u{…}`.
    pub excerpt: String,
}

/// Kinds of [`SuspiciousCharacter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CharacterClass {
    /// Embedding, override or isolate of UAX #9 (U+202A–202E, U+2066–2069), and the marks U+200E, U+200F,
    /// U+061C; the controls of CVE-2021-42574.
    BidiControl,
    /// Zero-width or otherwise invisible: U+200B–200D, U+2060–2064, U+FEFF inside text, U+00AD, U+115F,
    /// U+1160, U+3164, U+FFA0, U+180E.
    Invisible,
    /// Tag characters U+E0000–E007F and variation selectors supplement U+E0100–E01EF, which carry hidden text.
    Tag,
    /// An identifier that looks like an ASCII one: its UTS #39 skeleton is ASCII.
    ConfusableIdentifier,
}

/// Where a [`SuspiciousCharacter`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CharacterContext {
    /// Rust code outside literals and comments.
    Code,
    /// A Rust comment.
    Comment,
    /// A Rust string, byte string or character literal.
    Literal,
    /// A text file that is not Rust.
    Text,
}
