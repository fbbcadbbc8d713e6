//! Names of functions, as the two sides of a comparison spell them.
//!
//! Strict comparison compares text, with one exception: paths of the standard library are cut to their last segment, because
//! the same type is reachable under several. Lenient comparison keeps the crate and the last two segments.

/// Crates of the toolchain: calls into these are not judged.
const STANDARD: [&str; 5] = ["std", "core", "alloc", "proc_macro", "test"];

/// Whether a path (not a bare word) lies in a crate of the toolchain.
fn is_standard(path: &str) -> bool {
    path.split_once("::").is_some_and(|(first, _)| STANDARD.contains(&first))
}

/// A name with every path of the standard library cut to `std::` and its last segment.
pub(crate) fn plain(name: &str) -> String {
    let is_path = |it: char| it.is_alphanumeric() || matches!(it, '_' | ':' | '#');
    let mut result = String::with_capacity(name.len());
    let mut path = String::new();
    // The closing character only ends the last path; it is taken off again.
    for character in name.chars().chain(['\n']) {
        if is_path(character) {
            path.push(character);
            continue;
        }
        match path.rsplit("::").next() {
            Some(last) if is_standard(&path) && !last.is_empty() => {
                result.push_str("std::");
                result.push_str(last);
            }
            _ => result.push_str(&path),
        }
        path.clear();
        result.push(character);
    }
    result.pop();
    result
}

/// `<Type as Trait>::method`, taken apart.
struct TraitMethod<'a> {
    implementor: &'a str,
    of: &'a str,
    method: &'a str,
}

impl TraitMethod<'_> {
    fn parse(name: &str) -> Option<TraitMethod<'_>> {
        let (head, method) = name.strip_prefix('<')?.split_once(">::")?;
        let (implementor, of) = head.split_once(" as ")?;
        Some(TraitMethod { implementor, of, method })
    }
}

/// What stands before the first `::`, without `<`, `&`, `mut` and `dyn`: the crate of names that begin with a path.
///
/// Of others, as `<_ as a::Trait>::f`, it is no crate at all; [`owner`] finds theirs. This is kept because
/// the figures of the project's requirements are defined by it.
pub(crate) fn first_segment(name: &str) -> &str {
    let name = name.trim_start_matches(|it: char| !it.is_alphanumeric() && it != '_');
    let name = ["mut ", "dyn "].iter().find_map(|it| name.strip_prefix(it)).unwrap_or(name);
    name.split("::").next().unwrap_or(name)
}

/// The crate that a function belongs to: of an implementation for a type without a crate (`_`, `str`, a standard one), the trait's.
pub(crate) fn owner(name: &str) -> &str {
    match TraitMethod::parse(name) {
        Some(parts) if is_standard_type(parts.implementor) => first_segment(parts.of),
        Some(parts) => first_segment(parts.implementor),
        None => first_segment(name),
    }
}

/// Whether a type has no crate, or one of the toolchain.
fn is_standard_type(name: &str) -> bool {
    !name.contains("::") || STANDARD.contains(&first_segment(name))
}

/// Whether a function cannot be told from one of the standard library: its own functions, and implementations of its traits
/// for its types, which several crates may have under the same name.
pub(crate) fn is_standard_function(name: &str) -> bool {
    match TraitMethod::parse(name) {
        Some(TraitMethod { implementor, of, .. }) => {
            is_standard(of) && (is_standard(implementor) || !implementor.contains("::"))
        }
        None => is_standard(name),
    }
}

/// A name as the lenient comparison sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lenient {
    /// Crate and the last two segments; of `<a::Type as b::Trait>::f`, `a` and `Type::f`.
    pub own: String,
    /// Of `<a::Type as b::Trait>::f` also `b` and `Trait::f`: what the trait's own method is called.
    pub of_trait: Option<String>,
}

impl Lenient {
    pub(crate) fn new(name: &str) -> Lenient {
        let Some(TraitMethod { implementor, of, method }) = TraitMethod::parse(name) else {
            let start = name.rmatch_indices("::").nth(1).map_or(0, |(at, separator)| at + separator.len());
            return Lenient { own: format!("{}|{}", first_segment(name), &name[start..]), of_trait: None };
        };
        let last = |path: &str| path.rsplit("::").next().unwrap_or(path).trim_end_matches(']').to_owned();
        let key = |path: &str| format!("{}|{}::{}", first_segment(path), last(path), last_segment(method));
        Lenient { own: key(implementor), of_trait: Some(key(of)) }
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// A name without the `@version` behind crate names.
pub(crate) fn without_versions(name: &str) -> String {
    let mut pieces = name.split('@');
    let mut result = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        result.push_str(&piece[version_length(piece)..]);
    }
    result
}

/// Whether a name carries a version for this crate, and another one than this.
pub(crate) fn has_other_version(name: &str, crate_name: &str, version: &str) -> bool {
    name.match_indices('@').any(|(at, _)| {
        let stated = &name[at + 1..];
        let before = name[..at].strip_suffix(crate_name);
        let is_whole = before.is_some_and(|it| !it.ends_with(|it: char| it.is_alphanumeric() || it == '_'));
        is_whole && stated[..version_length(stated)] != *version
    })
}

/// Bytes of the version that a text begins with.
fn version_length(text: &str) -> usize {
    text.find(|it: char| !it.is_ascii_alphanumeric() && !matches!(it, '.' | '-' | '+')).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_standard_library_are_cut() {
        assert_eq!(plain("<a::T as core::fmt::Display>::fmt"), "<a::T as std::Display>::fmt");
        assert_eq!(plain("<&mut [alloc::vec::Vec] as b::Tr>::f"), "<&mut [std::Vec] as b::Tr>::f");
        assert_eq!(plain("core::mem::swap"), "std::swap");
        assert_eq!(plain("a::std::f"), "a::std::f", "a module of that name is not the library");
        assert_eq!(plain("std"), "std");
        assert_eq!(plain("std::"), "std::");
    }

    #[test]
    fn lenient_names_keep_crate_type_and_function() {
        let lenient = |own: &str, of_trait: Option<&str>| Lenient {
            own: own.to_owned(),
            of_trait: of_trait.map(str::to_owned),
        };
        assert_eq!(Lenient::new("a::m::T::f"), lenient("a|T::f", None));
        assert_eq!(Lenient::new("a::f"), lenient("a|a::f", None));
        assert_eq!(Lenient::new("<&a::m::T as b::n::Tr>::f"), lenient("a|T::f", Some("b|Tr::f")));
        assert_eq!(Lenient::new("<[a::T] as b::Tr>::f::inner"), lenient("a|T::inner", Some("b|Tr::inner")));
    }

    #[test]
    fn functions_have_owners() {
        assert_eq!(owner("a::m::f"), "a");
        assert_eq!(owner("<&mut a::T as b::Tr>::f"), "a");
        assert_eq!(owner("<&mut _ as b::Tr>::f"), "b");
        assert_eq!(owner("<str as b::Tr>::f"), "b");
        assert_eq!(owner("<[core::mem::MaybeUninit] as b::Tr>::f"), "b");
        assert_eq!(first_segment("<&mut _ as b::Tr>::f"), "_ as b", "no crate, and kept so");
    }

    #[test]
    fn only_the_standard_library_is_standard() {
        assert!(is_standard_function("core::mem::swap"));
        assert!(is_standard_function("<alloc::vec::Vec as core::convert::From>::from"));
        assert!(is_standard_function("<str as core::cmp::PartialEq>::eq"));
        assert!(!is_standard_function("<a::T as core::convert::From>::from"));
        assert!(!is_standard_function("<str as a::Tr>::f"));
    }

    #[test]
    fn versions_are_taken_off() {
        assert_eq!(without_versions("a@1.0.0::m::f"), "a::m::f");
        assert_eq!(
            without_versions("<a@1.0.0+b-2::T as core::fmt::Debug>::f"),
            "<a::T as core::fmt::Debug>::f"
        );
        assert_eq!(without_versions("a::f"), "a::f");
        assert!(has_other_version("<&a@1.0.0::T as b@2.0.0::U>::f", "a", "1.1.0"));
        assert!(!has_other_version("<&a@1.0.0::T as b@2.0.0::U>::f", "a", "1.0.0"));
        assert!(!has_other_version("ba@1.0.0::f", "a", "1.1.0"), "another crate");
        assert!(!has_other_version("a::f", "a", "1.1.0"));
    }
}
