//! Crates that a version is a copy of.

use serde::{Deserialize, Serialize};

use crate::Evidence;

/// A crate whose content a version shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimilarCrate {
    /// Name of the other crate.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Shared part of the source, in percent of the smaller one; `None` when either has too little to compare.
    pub source: Option<u8>,
    /// Shared part of the README.
    pub readme: Option<u8>,
    /// Shared part of the description.
    pub description: Option<u8>,
    /// Both name the same repository.
    pub same_repository: bool,
    /// Both have an owner in common, as their registry says; `None` when that is not known.
    pub same_owner: Option<bool>,
    /// Whether the other was first; `None` when that is not known.
    pub other_is_older: Option<bool>,
    /// What the judged version has and the other has not: the part that differs.
    pub differing: Vec<Evidence>,
    /// Shared part of the source when all names and literals are taken for equal.
    #[serde(default)]
    pub structure: Option<u8>,
    /// Both name an author in common, for which only they themselves vouch; `None` when either names none.
    #[serde(default)]
    pub same_author: Option<bool>,
    /// Functions of the judged version that the other has too, of all that it has.
    #[serde(default)]
    pub shared_functions: (u32, u32),
}

/// Host, owner and name of a repository, without what spelling and a directory inside of it add.
#[must_use]
pub fn repository_key(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let url = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let url = url.split(['?', '#']).next().unwrap_or(url);
    let url = url.strip_prefix("www.").unwrap_or(url);
    // `host/owner/name/tree/main/directory`; a host that nests groups deeper has no fixed place for the name.
    let before_tree = ["/-/tree/", "/tree/", "/blob/", "/src/branch/"];
    let end = before_tree.iter().filter_map(|it| url.find(it)).min().unwrap_or(url.len());
    let url = url[..end].trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_the_same_in_any_spelling() {
        for url in [
            "https://forge.example.invalid/A/b",
            "http://www.forge.example.invalid/a/b/",
            "https://forge.example.invalid/a/b.git",
            "https://forge.example.invalid/a/b/tree/main/crates/c",
            " https://forge.example.invalid/a/b#readme",
        ] {
            assert_eq!(repository_key(url), "forge.example.invalid/a/b", "{url}");
        }
        assert_eq!(repository_key(""), "");
        assert_ne!(repository_key("https://h/a/b"), repository_key("https://h/a/c"));
    }
}
