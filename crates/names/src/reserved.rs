//! Names that belong to the language, its toolchain, or an operating system.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::name::{Name, OwnedName};

/// One row of `data/reserved.csv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reserved {
    pub(crate) name: &'static str,
    kind: &'static str,
}

impl Reserved {
    pub(crate) fn explanation(self, candidate: &str) -> String {
        let Reserved { name, kind } = self;
        match kind {
            "library" => format!("`{candidate}` is taken for `{name}`, a crate of Rust's own library"),
            "toolchain" => format!("`{candidate}` is taken for `{name}`, a part of Rust itself"),
            "keyword" => format!("`{candidate}` is the keyword `{name}` of Rust"),
            _ => format!("`{candidate}` is the device `{name}` on Windows, where no file can have that name"),
        }
    }
}

/// The table. Keywords are those of the Rust Reference (chapter 2.1, 2024 edition), devices those that Windows reserves
/// (Naming Files, Paths, and Namespaces).
const TABLE: &str = include_str!("../data/reserved.csv");

/// The reserved name that this one is, apart from case and separators.
pub(crate) fn find(name: Name<'_>) -> Option<Reserved> {
    static BY_LETTERS: LazyLock<BTreeMap<Vec<char>, Reserved>> =
        LazyLock::new(|| rows().map(|it| (OwnedName::new(it.name).as_name().letters.to_vec(), it)).collect());
    BY_LETTERS.get(name.letters).copied()
}

fn rows() -> impl Iterator<Item = Reserved> {
    TABLE.lines().skip(1).filter_map(|line| line.split_once(',')).map(|(name, kind)| Reserved { name, kind })
}

#[cfg(test)]
mod tests {
    use super::{TABLE, find, rows};
    use crate::name::OwnedName;

    #[test]
    fn every_row_is_read_and_of_a_known_kind() {
        assert_eq!(rows().count(), TABLE.lines().count() - 1);
        assert!(rows().all(|it| ["library", "toolchain", "keyword", "device"].contains(&it.kind)));
    }

    #[test]
    fn case_and_separators_do_not_matter() {
        for text in ["proc-macro", "PROC_MACRO", "procmacro", "nul", "fn"] {
            assert!(find(OwnedName::new(text).as_name()).is_some(), "{text}");
        }
        assert_eq!(find(OwnedName::new("proc-macro2").as_name()), None);
    }
}
