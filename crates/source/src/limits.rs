//! How much of a hostile package `source` is willing to read, and why these numbers.

/// Limits of source analysis.
///
/// What exceeds a limit is not dropped: it is scanned by tokens, cut, or counted, and the facts say so.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Delimiters and prefix operators open at the same time before a file is scanned by tokens instead of
    /// parsed. The parser recurses once per level: *measured*, 10,000 nested `(` overflow an 8 MiB stack.
    /// The deepest of 13,361 files in 300 real crates is a test of the parser itself with 227, the next has 91.
    pub nesting: u32,
    /// Operators and keywords of one statement that are not yet closed, before a file is scanned by tokens.
    /// Long chains are read in a loop, but nest the tree as deep as they are long. The longest in the same
    /// files has 2,059 links, a generated pattern of character ranges; the next has 192.
    pub chain: u32,
    /// Bytes of one Rust file before it is scanned by tokens. A tree needs about 20 times the memory of its text.
    pub tree_bytes: usize,
    /// Macro calls inside macro arguments that are read as Rust; deeper ones are scanned by tokens. Each level
    /// reads the innermost text once more.
    pub macro_depth: u32,
    /// Modules of all targets together. `#[path]` lets `n` files form 2ⁿ modules.
    pub modules: usize,
    /// Facts of one kind from one package (functions, calls, imports …). The largest real crates have below
    /// a million calls.
    pub facts: usize,
    /// Suspicious characters listed one by one; all are counted.
    pub characters: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            nesting: 500,
            chain: 20_000,
            tree_bytes: 32 << 20,
            macro_depth: 8,
            modules: 20_000,
            facts: 4_000_000,
            characters: 200,
        }
    }
}
