//! Paths of index files: `1/a`, `2/ab`, `3/a/abc`, `ab/cd/abcdef`.

use super::CrateName;

/// Path of a crate's file below the root of an index, in lower case, as cargo asks for it.
#[must_use]
pub fn index_path(name: &CrateName) -> String {
    let name = name.as_str().to_ascii_lowercase();
    match name.len() {
        1 => format!("1/{name}"),
        2 => format!("2/{name}"),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

/// The crate that a path stands for; `None` if it is the path of none. Case is not looked at: cargo asks in lower case, and the
/// book lets servers answer either.
pub(crate) fn crate_of(path: &str) -> Option<CrateName> {
    let name = CrateName::parse(path.rsplit('/').next()?).ok()?;
    index_path(&name).eq_ignore_ascii_case(path).then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_the_cargo_book() {
        let path = |name: &str| index_path(&CrateName::parse(name).unwrap());
        assert_eq!(
            [path("a"), path("Ab"), path("abc"), path("carg"), path("cargo")],
            ["1/a", "2/ab", "3/a/abc", "ca/rg/carg", "ca/rg/cargo"]
        );
    }

    #[test]
    fn a_path_that_does_not_fit_its_name_is_none() {
        for path in [
            "",
            "/",
            "serde",
            "se/rd",
            "1/ab",
            "3/b/abc",
            "se/rd/other",
            "SE/rd/x",
            "se/rd/../serde",
            "a/b/c/d",
        ] {
            assert_eq!(crate_of(path), None, "{path}");
        }
        assert_eq!(crate_of("se/rd/Serde").unwrap().as_str(), "Serde");
    }

    proptest! {
        #[test]
        fn the_path_of_a_name_stands_for_it(name in "[a-zA-Z][a-zA-Z0-9_-]{0,63}") {
            let name = CrateName::parse(&name).unwrap();
            let found = crate_of(&index_path(&name)).unwrap();
            prop_assert_eq!(found.canonical(), name.canonical());
        }

        #[test]
        fn any_path_is_answered(path in ".*") {
            let _ = crate_of(&path);
        }
    }
}
