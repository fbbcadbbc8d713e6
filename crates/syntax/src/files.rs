//! The files of a package, each parsed at most once, whoever asks and how often.
//!
//! Facts and call graphs are made from the same trees, and so are a library and the same library with its unit tests. Lexing
//! and parsing are a third of all work, so trees are kept as long as their package is read.

use std::cell::OnceCell;

use ra_ap_parser::{Edition, LexedStr};

use crate::{Tree, guard};

/// Texts of one edition, with the trees of those that somebody asked for.
pub struct ParsedFiles<'t> {
    edition: Edition,
    nesting: u32,
    files: Vec<(&'t str, OnceCell<Result<Tree<'t>, String>>)>,
}

impl<'t> ParsedFiles<'t> {
    /// None of `texts` is parsed yet; `nesting` is the limit of [`guard::check`].
    #[must_use]
    pub fn new(edition: Edition, nesting: u32, texts: impl Iterator<Item = &'t str>) -> ParsedFiles<'t> {
        ParsedFiles { edition, nesting, files: texts.map(|text| (text, OnceCell::new())).collect() }
    }

    /// The text with a number, as they were given.
    #[must_use]
    pub fn text(&self, number: usize) -> &'t str {
        self.files[number].0
    }

    /// Its tree.
    ///
    /// # Errors
    ///
    /// Why there is none: it nests too deep, or the parser gave up.
    pub fn tree(&self, number: usize) -> Result<&Tree<'t>, &str> {
        let (text, tree) = &self.files[number];
        tree.get_or_init(|| {
            let lexed = LexedStr::new(self.edition, text);
            guard::check(&lexed, self.nesting).map_err(|error| error.reason)?;
            Tree::file(&lexed, text, self.edition)
        })
        .as_ref()
        .map_err(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_one_tree_and_a_refused_one_its_reason() {
        let deep = "(".repeat(20);
        let files = ParsedFiles::new(Edition::Edition2024, 10, ["fn f() {}", &deep].into_iter());
        let first: *const Tree<'_> = files.tree(0).unwrap();
        assert!(std::ptr::eq(first, files.tree(0).unwrap()));
        assert!(files.tree(1).err().is_some_and(|reason| reason.contains("deeper than 10")));
    }
}
