//! Names of crates, as a registry accepts them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name that the default registry accepts.
const MAX_LENGTH: usize = 64;

/// Names that no crate can have: Windows has devices of these names, so that no directory can (Naming Files, Paths, and Namespaces).
const DEVICES: [&str; 22] = [
    "nul", "con", "prn", "aux", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Names that belong to the language and its distribution.
const DISTRIBUTED: [&str; 11] =
    ["alloc", "cargo", "core", "proc_macro", "rust", "rustc", "rustdoc", "rustup", "std", "test", "unstable"];

/// A name that a crate can have: letters, digits, `-` and `_` of ASCII, a letter first, 64 at most.
///
/// Two names are *the same crate* if their [canonical forms](CrateName::canonical) agree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CrateName(String);

impl CrateName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// When no crate can have it.
    pub fn parse(text: &str) -> Result<CrateName, InvalidName> {
        let reason = if text.is_empty() {
            "it is empty"
        } else if text.len() > MAX_LENGTH {
            "it has more than 64 characters"
        } else if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            "it does not start with a letter"
        } else if !text.chars().all(|it| it.is_ascii_alphanumeric() || it == '-' || it == '_') {
            "it has characters other than ASCII letters, digits, `-` and `_`"
        } else {
            return Ok(CrateName(text.to_owned()));
        };
        Err(InvalidName { reason })
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which names are compared: lower case, `-` as `_`.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase().replace('-', "_")
    }

    /// Whether nobody may publish under this name, whoever asks.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        let canonical = self.canonical();
        DEVICES.contains(&canonical.as_str()) || DISTRIBUTED.contains(&canonical.as_str())
    }
}

impl fmt::Display for CrateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for CrateName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<CrateName, InvalidName> {
        CrateName::parse(&text)
    }
}

impl From<CrateName> for String {
    fn from(name: CrateName) -> String {
        name.0
    }
}

/// No crate can have this name. The name itself is not in the message: it may be of any length and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid crate name: {reason}")]
pub struct InvalidName {
    reason: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_published_crates_are_accepted() {
        for name in ["serde", "a", "proc-macro2", "Inflector", "futures_util", "x11"] {
            assert_eq!(CrateName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_no_crate_can_be_called_is_refused() {
        let long = "a".repeat(65);
        for name in
            ["", "1a", "-a", "_a", "a.b", "a/b", "..", "a b", "ä", "a\0", "serde\u{430}", long.as_str()]
        {
            assert!(CrateName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn case_and_separators_do_not_make_another_crate() {
        let canonical = |name: &str| CrateName::parse(name).unwrap().canonical();
        assert_eq!(canonical("Foo-Bar_baz"), canonical("foo_bar-BAZ"));
        assert_ne!(canonical("foobar"), canonical("foo_bar"));
    }

    #[test]
    fn names_of_devices_and_of_the_language_are_reserved() {
        let reserved = |name: &str| CrateName::parse(name).unwrap().is_reserved();
        assert!(reserved("NUL") && reserved("lpt9") && reserved("proc-macro") && reserved("std"));
        assert!(!reserved("stdx") && !reserved("proc-macro2") && !reserved("com10"));
    }
}
