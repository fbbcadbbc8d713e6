//! How much of a hostile package `source` is willing to read, and why these numbers.

/// Limits of source analysis.
///
/// What exceeds a limit is scanned by tokens, cut, or left out, and the facts say which.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Delimiters, prefix operators and the like that are open at the same time before a file is scanned by tokens instead
    /// of parsed. The parser calls itself for each: *measured* over several hundred thousand generated texts, at most 2.1 KB of stack a
    /// level. The count is careful rather than exact; of 14,024 files in 303 real crates the highest is 649, in
    /// a macro of symbols, the next 201.
    pub nesting: u32,
    /// Bytes of one Rust file before it is scanned by tokens, piece by piece. The largest real one has 1.4 MB.
    pub tree_bytes: usize,
    /// Tokens of one Rust file before it is scanned by tokens. A tree and what leads to it take about 100 bytes a token. The
    /// largest real file has 360,000.
    pub tree_tokens: usize,
    /// Macro calls inside macro arguments that are read as Rust; deeper ones are scanned by tokens. Each level
    /// reads the innermost text once more.
    pub macro_depth: u32,
    /// Modules of all targets together. `#[path]` lets `n` files form 2ⁿ modules.
    pub modules: usize,
    /// Bytes that all facts about Rust source may take. A call or function takes about 100 to 300, and the path of a
    /// function may be long where the function is short.
    pub fact_bytes: usize,
    /// Suspicious characters listed one by one; all are counted.
    pub characters: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            nesting: 800,
            tree_bytes: 32 << 20,
            tree_tokens: 4_000_000,
            macro_depth: 8,
            modules: 20_000,
            fact_bytes: 512 << 20,
            characters: 200,
        }
    }
}
