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
    AssemblySite, Call, ConstantText, ForeignBlock, Function, Include, LinkageAttribute, Literal,
    MacroDefinition, SourceFileStatus, UnsafeCounters, UseImport,
};
use cratekeeper_syntax::{Edition, LexedStr};

pub(crate) use attributes::conditions;

use crate::flow::{self, Behaviour, Ir};
use crate::limits::Limits;
use cratekeeper_syntax::{Lines, Tree, guard};

/// How much of a large file is read at a time. Small, because the lexer alone takes six bytes for each byte of `;;;;`.
const PIECE_BYTES: usize = 4 << 20;

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
    /// What names files in a way that cannot be followed, with its line.
    pub(crate) unfollowed: Vec<(u32, String)>,
    /// There was no room for all facts.
    pub(crate) truncated: bool,
    /// Literals that mention something.
    pub(crate) texts: Vec<ConstantText>,
    /// What the analysis of behaviour needs of it.
    pub(crate) flow: Option<Box<Ir>>,
}

/// `mod name;` or `mod name { … }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleDeclaration {
    /// Module path within the file of what it stands in.
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) inline: bool,
    /// Directories that the inline modules around it add, joined by `/`. With a `/` in front they begin at the directory of the
    /// file itself: the outermost has a `#[path]`, which for inline modules names a directory.
    pub(crate) directory: String,
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
            unfollowed: Vec::new(),
            truncated: false,
            texts: Vec::new(),
            flow: None,
        }
    }

    fn problem_at(&mut self, line: u32, problem: String) {
        self.problem = Some(problem);
        self.problem_line = line;
    }
}

/// Reads a Rust text, whatever it is. `room` is how many bytes facts may still take.
pub(crate) fn extract(
    text: &str,
    lexed: &LexedStr<'_>,
    edition: Edition,
    limits: &Limits,
    room: &mut usize,
    behaviour: Behaviour,
) -> FileExtract {
    let lines = Lines::new(text);
    let parsed = if lexed.len() > limits.tree_tokens {
        Err((0, format!("the file has more than {} tokens", limits.tree_tokens)))
    } else {
        guard::check(lexed, limits.nesting)
            .map_err(|refused| (refused.offset, refused.reason))
            .and_then(|()| file_or_expression(lexed, text, edition).map_err(|reason| (0, reason)))
    };
    let status = if parsed.is_ok() { SourceFileStatus::Parsed } else { SourceFileStatus::TokensOnly };
    let mut visitor = visitor::Visitor::new(&lines, edition, limits, *room, status);
    match &parsed {
        Ok(tree) => visitor.walk_file(tree),
        Err(_) => visitor.scan_file(lexed),
    }
    let (mut extract, left) = visitor.finish();
    *room = left;
    match parsed {
        Ok(tree) => {
            extract.flow = flow::keep(text, &tree, &extract, edition, &lines, behaviour);
            if let Some((offset, message)) = tree.errors.first() {
                extract.status = SourceFileStatus::ParsedWithErrors;
                extract.errors = tree.errors.len() as u32;
                extract.problem_at(lines.line(*offset), message.clone());
            }
        }
        Err((offset, reason)) => extract.problem_at(lines.line(offset), reason),
    }
    extract
}

/// [`extract`] of a text whose tree was made before and has no errors.
pub(crate) fn extract_tree(
    text: &str,
    tree: &Tree<'_>,
    edition: Edition,
    limits: &Limits,
    room: &mut usize,
    behaviour: Behaviour,
) -> FileExtract {
    let lines = Lines::new(text);
    let mut visitor = visitor::Visitor::new(&lines, edition, limits, *room, SourceFileStatus::Parsed);
    visitor.walk_file(tree);
    let (mut extract, left) = visitor.finish();
    *room = left;
    extract.flow = flow::keep(text, tree, &extract, edition, &lines, behaviour);
    extract
}

/// Reads a text that is too large for one go: by tokens, piece by piece.
///
/// A piece ends with a line, so a comment or string over several lines may be misread where it is cut.
pub(crate) fn extract_large(
    text: &str,
    edition: Edition,
    limits: &Limits,
    room: &mut usize,
    mut with_piece: impl FnMut(&str, &LexedStr<'_>),
) -> FileExtract {
    let lines = Lines::new(text);
    let mut visitor = visitor::Visitor::new(&lines, edition, limits, *room, SourceFileStatus::TokensOnly);
    let mut offset = 0;
    for piece in pieces(text) {
        // At the beginning of a text the lexer leaves out `#!` lines and front matter, which would hide code here.
        let guarded = if offset == 0 { piece.to_owned() } else { format!(";{piece}") };
        visitor.base = offset + piece.len() as u32 - guarded.len() as u32;
        let lexed = LexedStr::new(edition, &guarded);
        with_piece(&guarded, &lexed);
        visitor.scan_file(&lexed);
        offset += piece.len() as u32;
    }
    let (mut extract, left) = visitor.finish();
    *room = left;
    extract.problem_at(1, format!("the file is larger than {} MiB", limits.tree_bytes >> 20));
    extract
}

/// `text` in pieces of about [`PIECE_BYTES`], cut behind a line if there is one.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.floor_char_boundary(PIECE_BYTES);
        let end = match rest[..end].rfind('\n') {
            Some(line) if end < rest.len() => line + 1,
            _ => end,
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

/// The tree of a file of items or, where that has errors and this has not, of the one expression that `include!` allows too.
fn file_or_expression<'t>(lexed: &LexedStr<'t>, text: &'t str, edition: Edition) -> Result<Tree<'t>, String> {
    let file = Tree::file(lexed, text, edition)?;
    if file.errors.is_empty() {
        return Ok(file);
    }
    Ok(Tree::expression(text, edition).ok().filter(|tree| tree.errors.is_empty()).unwrap_or(file))
}
