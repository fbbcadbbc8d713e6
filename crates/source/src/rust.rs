//! One Rust file: everything that can be said without knowing the other files.
//!
//! [`extract`] parses a text and walks the tree once. Paths in its result begin at the file; `modules` puts them in
//! their place. File numbers are 0 until then.

mod attributes;
mod items;
mod macros;
mod scan;
mod visitor;

use cratekeeper_model::facts::{
    AssemblySite, Call, ForeignBlock, Function, Include, LinkageAttribute, Literal, MacroDefinition,
    SourceFileStatus, UnsafeCounters, UseImport,
};
use ra_ap_parser::{Edition, LexedStr};

use crate::guard;
use crate::limits::Limits;
use crate::syntax::{Lines, Tree};

/// What one file contains.
#[derive(Debug)]
pub(crate) struct FileExtract {
    pub(crate) status: SourceFileStatus,
    pub(crate) errors: u32,
    pub(crate) problem: Option<String>,
    pub(crate) problem_line: u32,
    pub(crate) forbids_unsafe: bool,
    pub(crate) counters: UnsafeCounters,
    pub(crate) functions: Vec<Function>,
    pub(crate) calls: Vec<Call>,
    pub(crate) foreign_blocks: Vec<ForeignBlock>,
    pub(crate) linkage: Vec<LinkageAttribute>,
    pub(crate) assembly: Vec<AssemblySite>,
    pub(crate) uses: Vec<UseImport>,
    pub(crate) includes: Vec<Include>,
    pub(crate) literals: Vec<Literal>,
    pub(crate) macros: Vec<MacroDefinition>,
    pub(crate) modules: Vec<ModuleDeclaration>,
    pub(crate) included_files: Vec<IncludedFile>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleDeclaration {
    /// Module path within the file of what it stands in.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) inline: bool,
    /// Directories that the inline modules around it add.
    pub(crate) directory: Vec<String>,
    /// Values of `#[path]`, also below `#[cfg_attr]`.
    pub(crate) paths: Vec<String>,
    /// Whether the place is known; not in macro definitions, which declare a module wherever they are called.
    pub(crate) certain: bool,
    /// Whether a `#[path]` is in force whatever the configuration.
    pub(crate) path_is_certain: bool,
    pub(crate) cfg: Option<String>,
    pub(crate) line: u32,
}

/// `include!("…")` of a literal path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IncludedFile {
    /// Module path within the file.
    pub(crate) module: String,
    /// As written.
    pub(crate) path: String,
    pub(crate) cfg: Option<String>,
    pub(crate) line: u32,
}

impl FileExtract {
    fn new(status: SourceFileStatus) -> FileExtract {
        FileExtract {
            status,
            errors: 0,
            problem: None,
            problem_line: 0,
            forbids_unsafe: false,
            counters: UnsafeCounters::default(),
            functions: Vec::new(),
            calls: Vec::new(),
            foreign_blocks: Vec::new(),
            linkage: Vec::new(),
            assembly: Vec::new(),
            uses: Vec::new(),
            includes: Vec::new(),
            literals: Vec::new(),
            macros: Vec::new(),
            modules: Vec::new(),
            included_files: Vec::new(),
        }
    }

    fn problem_at(&mut self, line: u32, problem: String) {
        self.problem = Some(problem);
        self.problem_line = line;
    }
}

/// Reads a Rust text, whatever it is.
pub(crate) fn extract(text: &str, lexed: &LexedStr<'_>, edition: Edition, limits: &Limits) -> FileExtract {
    let lines = Lines::new(text);
    let unparsed = if text.len() > limits.tree_bytes {
        Some((0, format!("the file is larger than {} MiB", limits.tree_bytes >> 20)))
    } else {
        guard::check(lexed, limits).err().map(|refused| (refused.offset, refused.reason))
    };
    let parsed = match unparsed {
        Some(refused) => Err(refused),
        None => file_or_expression(lexed, text, edition).map_err(|reason| (0, reason)),
    };
    match parsed {
        Ok(tree) => {
            let mut visitor = visitor::Visitor::new(&lines, edition, limits, SourceFileStatus::Parsed);
            visitor.walk_file(&tree);
            let mut extract = visitor.finish();
            if let Some((offset, message)) = tree.errors.first() {
                extract.status = SourceFileStatus::ParsedWithErrors;
                extract.errors = tree.errors.len() as u32;
                extract.problem_at(lines.line(*offset), message.clone());
            }
            extract
        }
        Err((offset, reason)) => {
            let mut visitor = visitor::Visitor::new(&lines, edition, limits, SourceFileStatus::TokensOnly);
            visitor.scan_file(lexed);
            let mut extract = visitor.finish();
            extract.problem_at(lines.line(offset), reason);
            extract
        }
    }
}

/// The tree of a file of items or, where that has errors and this has not, of the one expression that `include!` allows too.
fn file_or_expression<'t>(lexed: &LexedStr<'t>, text: &'t str, edition: Edition) -> Result<Tree<'t>, String> {
    let file = Tree::file(lexed, text, edition)?;
    if file.errors.is_empty() {
        return Ok(file);
    }
    Ok(Tree::expression(text, edition).ok().filter(|tree| tree.errors.is_empty()).unwrap_or(file))
}
