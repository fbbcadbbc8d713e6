//! Facts from Rust source.

use serde::{Deserialize, Serialize};

/// What the Rust source of a package contains.
///
/// `file` fields index [`SourceFacts::rust_files`], `function` fields index [`SourceFacts::functions`], target numbers
/// index [`ManifestFacts::targets`](super::ManifestFacts::targets). Lines count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// Number of `.rs` files, and of files that some module includes as Rust under another extension.
    pub files_total: u32,
    /// Files that parsed without an error.
    pub files_parsed: u32,
    /// Files with syntax errors, too deep for the parser, or not UTF-8. They are scanned all the same, by
    /// tokens where there is no tree.
    pub files_with_errors: u32,
    /// Files that no target reaches by `mod`, `#[path]` or `include!`.
    pub files_unlinked: u32,
    /// Every Rust file.
    pub rust_files: Vec<SourceFile>,
    /// Module tree of each target, roots included.
    pub modules: Vec<Module>,
    /// Every function with its place.
    pub functions: Vec<Function>,
    /// Sum over all files.
    pub r#unsafe: UnsafeCounters,
    /// `extern` blocks.
    pub foreign_blocks: Vec<ForeignBlock>,
    /// `#[no_mangle]`, `#[export_name]`, `#[link_section]`, `#[link]`, `#[link_name]`, `#[used]`.
    pub linkage: Vec<LinkageAttribute>,
    /// `asm!`, `global_asm!`, `naked_asm!`.
    pub assembly: Vec<AssemblySite>,
    /// Imports, one per leaf of each `use` tree, and `extern crate`.
    pub uses: Vec<UseImport>,
    /// Files and environment variables that the compiler reads on behalf of the source.
    pub includes: Vec<Include>,
    /// String and byte literals that matter.
    pub literals: Vec<Literal>,
    /// Macros defined by `macro_rules!` or `macro`.
    pub macros: Vec<MacroDefinition>,
    /// What could not be followed (a `mod` without a file, an `include!` of a computed path), as sentence fragments.
    pub problems: Vec<String>,
}

/// One Rust file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Path inside the package.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// How it was read.
    pub status: SourceFileStatus,
    /// Number of syntax errors; 0 when there is no tree.
    pub errors: u32,
    /// The first error or the reason why there is no tree, with its line; `None` when the file parsed.
    pub problem: Option<String>,
    /// Line of the first error; 0 when the file parsed.
    pub problem_line: u32,
    /// Targets that reach it; empty when it is unlinked.
    pub targets: Vec<u16>,
    /// `unsafe` in this file.
    pub r#unsafe: UnsafeCounters,
    /// Whether `#![forbid(unsafe_code)]` stands at its top.
    pub forbids_unsafe: bool,
}

/// How a [`SourceFile`] was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceFileStatus {
    /// Into a tree, without errors.
    Parsed,
    /// Into a tree with errors: what the errors surround may be misread.
    ParsedWithErrors,
    /// By tokens: nesting or operator chains exceed what the parser survives.
    TokensOnly,
    /// By tokens, after replacing what is not UTF-8.
    NotUtf8,
}

/// A module of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// Target it belongs to.
    pub target: u16,
    /// Path from the crate root, `a::b`; empty for the root.
    pub path: String,
    /// File its items stand in.
    pub file: u32,
    /// How it is attached to its parent.
    pub form: ModuleForm,
    /// Conditions of all `#[cfg]` on the way from the root, as text, joined by `, `; `None` when unconditional.
    pub cfg: Option<String>,
    /// Line of the declaration; 0 for roots.
    pub line: u32,
}

/// How a [`Module`] is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModuleForm {
    /// Root of the target.
    Root,
    /// `mod name;`, found by the usual file names.
    File,
    /// `#[path = "…"] mod name;`.
    Path,
    /// `mod name { … }`.
    Inline,
    /// `include!("…")`: no module of its own, its items belong to the module with this path.
    Include,
}

/// A number of safe and of unsafe things.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Without `unsafe`.
    pub safe: u32,
    /// With `unsafe`.
    pub r#unsafe: u32,
}

impl Count {
    /// Counts one more.
    pub fn add(&mut self, is_unsafe: bool) {
        if is_unsafe {
            self.r#unsafe += 1;
        } else {
            self.safe += 1;
        }
    }

    fn merge(&mut self, other: Count) {
        self.safe += other.safe;
        self.r#unsafe += other.r#unsafe;
    }
}

/// The five classes of cargo-geiger (<https://github.com/geiger-rs/cargo-geiger>, `geiger/src`), each safe and unsafe.
///
/// Three differences, on purpose: arguments of macros are counted where they read as Rust; default bodies in
/// traits are methods; an item inside an unsafe block or function is not unsafe for that reason alone, because
/// `unsafe` does not reach into nested items. Tests are included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsafeCounters {
    /// Free functions, also nested ones; unsafe when declared `unsafe fn`.
    pub functions: Count,
    /// Expressions other than paths and literals; unsafe inside an `unsafe` block or the body of an `unsafe fn`.
    /// The `unsafe` block itself is not counted, nor are the blocks that belong to `fn`, `if`, `loop`, `while`
    /// and `for`.
    pub exprs: Count,
    /// `impl` blocks; unsafe when `unsafe impl`.
    pub item_impls: Count,
    /// Traits; unsafe when `unsafe trait`.
    pub item_traits: Count,
    /// Functions in `impl` blocks and traits; unsafe when declared `unsafe fn`.
    pub methods: Count,
}

impl UnsafeCounters {
    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &UnsafeCounters) {
        self.functions.merge(other.functions);
        self.exprs.merge(other.exprs);
        self.item_impls.merge(other.item_impls);
        self.item_traits.merge(other.item_traits);
        self.methods.merge(other.methods);
    }

    /// Whether anything unsafe was counted.
    #[must_use]
    pub fn any_unsafe(&self) -> bool {
        [self.functions, self.exprs, self.item_impls, self.item_traits, self.methods]
            .iter()
            .any(|count| count.r#unsafe > 0)
    }
}

/// A function with a body, or a trait's declaration of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Path from the crate root, crate name left out: `module::Type::function`,
    /// `module::<Type as Trait>::function`, `module::outer::inner`. Types and traits are as written, without
    /// generic arguments.
    pub path: String,
    /// Counts up from 0 over functions of the same path, target set and file order: cfg twins, `From<A>` and `From<B>`.
    pub disambiguator: u32,
    /// File it stands in.
    pub file: u32,
    /// Targets it belongs to; empty in unlinked files.
    pub targets: Vec<u16>,
    /// First line, attributes left out.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// First byte, attributes included.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
    /// As written: `pub`, `pub(crate)`, …; empty for private.
    pub visibility: String,
    /// What it is declared in.
    pub container: FunctionContainer,
    /// `unsafe fn`.
    pub r#unsafe: bool,
    /// ABI of `extern fn`, `C` when not written; `None` for Rust functions.
    pub abi: Option<String>,
    /// `async fn`.
    pub r#async: bool,
    /// `const fn`.
    pub r#const: bool,
    /// Has type or const parameters, its own or by `impl Trait` in argument position.
    pub generic: bool,
    /// Has a `self` parameter.
    pub receiver: bool,
    /// Number of parameters, `self` included.
    pub arity: u16,
    /// False for declarations in traits.
    pub has_body: bool,
    /// Conditions of all `#[cfg]` in force, as in [`Module::cfg`].
    pub cfg: Option<String>,
    /// `unsafe` in its body, nested functions left out; `functions` and `methods` count the function itself.
    pub counters: UnsafeCounters,
}

/// What a [`Function`] is declared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionContainer {
    /// A module, or another function.
    Free,
    /// `impl Type`.
    Inherent,
    /// `impl Trait for Type`.
    TraitImpl,
    /// `trait`.
    Trait,
}

/// An `extern "…" { … }` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignBlock {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// ABI, `C` when not written.
    pub abi: String,
    /// `unsafe extern`.
    pub r#unsafe: bool,
    /// Arguments of `#[link(…)]` on the block, as written.
    pub link: Option<String>,
    /// Conditions in force.
    pub cfg: Option<String>,
    /// What it declares.
    pub items: Vec<ForeignItem>,
}

/// A declaration in a [`ForeignBlock`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignItem {
    /// Name in Rust.
    pub name: String,
    /// Line.
    pub line: u32,
    /// A function, rather than a static or a type.
    pub is_function: bool,
    /// `safe fn` or `safe static`: callable without `unsafe`.
    pub safe: bool,
}

/// An attribute that speaks to the linker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkageAttribute {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Name: `no_mangle`, `export_name`, `link_section`, `link`, `link_name`, `used`.
    pub attribute: String,
    /// Its value as written, quotes removed; for `no_mangle` the name of the item.
    pub value: Option<String>,
}

/// Inline or global assembly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssemblySite {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Name of the macro.
    pub r#macro: String,
    /// Enclosing function.
    pub function: Option<u32>,
    /// The arguments as written, shortened.
    pub text: String,
    /// What it mentions anywhere, in lower case: instructions that call the system (`syscall`, `int 0x80`, `svc`, `sysenter`,
    /// `ecall`) and directives for sections (`.section`, `.pushsection`, `.init_array`).
    #[serde(default)]
    pub mentions: Vec<String>,
}

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseImport {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Module path within the file that the import stands in; empty at the top.
    pub module: String,
    /// Full path, `std::io::Read`; `std::io::*` for globs; for `extern crate`, the crate's name.
    pub path: String,
    /// Name after `as`; `_` included.
    pub alias: Option<String>,
    /// As written; empty for private.
    pub visibility: String,
    /// `extern crate`.
    pub extern_crate: bool,
    /// Conditions in force within the file.
    pub cfg: Option<String>,
}

/// A file or environment variable that the compiler reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Include {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Which macro.
    pub kind: IncludeKind,
    /// Argument as written, shortened; for a single string literal, its value.
    pub argument: String,
    /// Whether the argument is a single string literal.
    pub literal: bool,
}

/// Kinds of [`Include`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncludeKind {
    /// `include!`.
    Include,
    /// `include_str!`.
    IncludeStr,
    /// `include_bytes!`.
    IncludeBytes,
    /// `env!`.
    Env,
    /// `option_env!`.
    OptionEnv,
}

/// A literal that matters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Literal {
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// Enclosing function.
    pub function: Option<u32>,
    /// Why it matters.
    pub kind: LiteralKind,
    /// Value with escapes resolved, shortened to 200 characters; bytes that are not text as `\x…`.
    pub value: String,
    /// Length of the value in bytes, before shortening.
    pub length: u32,
}

/// Why a [`Literal`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LiteralKind {
    /// A URL with a scheme.
    Url,
    /// An IPv4 or IPv6 address, with or without a port.
    IpAddress,
    /// A host name with a well-formed top-level domain.
    Host,
    /// An absolute path, one below the home directory, or one of a hidden file.
    Path,
    /// Long and of high entropy: at least 40 bytes and 4.5 bits per byte, or base64/hex-like of 64 or more.
    HighEntropy,
    /// Bytes that begin like a program: ELF, Mach-O, WebAssembly, or a Windows program of 32 bytes or more; in a literal or an
    /// array of numbers.
    MachineCode,
}

/// A macro defined in the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MacroDefinition {
    /// Name.
    pub name: String,
    /// File.
    pub file: u32,
    /// Line.
    pub line: u32,
    /// `#[macro_export]`.
    pub exported: bool,
    /// `unsafe` keywords in its body.
    pub unsafe_tokens: u32,
}
