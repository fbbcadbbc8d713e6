//! Conditional compilation: which `cfg` predicates hold in the configuration asked for.
//!
//! Predicates are decided, never kept open: a name that nobody set is false, as it is for the compiler. Facts that build
//! scripts print are not known here, because build scripts are never run.

use cratekeeper_syntax::SyntaxKind;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::sources::Node;

/// Facts that `cfg` predicates are judged by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    names: FxHashSet<String>,
    values: FxHashMap<String, FxHashSet<String>>,
}

/// What holds on `x86_64-unknown-linux-gnu`, from `rustc --print cfg` of 1.95.
const LINUX: [(&str, Option<&str>); 17] = [
    ("debug_assertions", None),
    ("panic", Some("unwind")),
    ("target_abi", Some("")),
    ("target_arch", Some("x86_64")),
    ("target_endian", Some("little")),
    ("target_env", Some("gnu")),
    ("target_family", Some("unix")),
    ("target_feature", Some("fxsr")),
    ("target_feature", Some("sse")),
    ("target_feature", Some("sse2")),
    ("target_has_atomic", Some("8")),
    ("target_has_atomic", Some("64")),
    ("target_has_atomic", Some("ptr")),
    ("target_os", Some("linux")),
    ("target_pointer_width", Some("64")),
    ("target_vendor", Some("unknown")),
    ("unix", None),
];

impl Options {
    /// A build for a platform, of which `platform` says what holds (names, and names with a value), with these Cargo
    /// features.
    #[must_use]
    pub fn new<'f>(
        platform: impl IntoIterator<Item = (&'f str, Option<&'f str>)>,
        features: impl IntoIterator<Item = &'f str>,
    ) -> Options {
        let mut options = Options::default();
        for (name, value) in platform {
            match value {
                None => options.set(name),
                Some(value) => options.set_value(name, value),
            }
        }
        features.into_iter().for_each(|feature| options.set_value("feature", feature));
        options
    }

    /// A debug build for 64-bit Linux with these Cargo features.
    pub fn x86_64_linux<'f>(features: impl IntoIterator<Item = &'f str>) -> Options {
        Options::new(LINUX, features)
    }

    /// Makes `name` hold.
    pub fn set(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    /// Makes `name = "value"` hold.
    pub fn set_value(&mut self, name: &str, value: &str) {
        self.values.entry(name.to_owned()).or_default().insert(value.to_owned());
    }

    fn holds(&self, name: &str, value: Option<&str>) -> bool {
        match value {
            None => self.names.contains(name),
            Some(value) => self.values.get(name).is_some_and(|values| values.contains(value)),
        }
    }
}

/// What a predicate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) holds: bool,
    /// It cannot hold outside of tests.
    pub(crate) needs_test: bool,
}

/// Judges a `CFG_ATOM` or `CFG_COMPOSITE`. It calls itself as often as the predicate nests, which the guard limits.
pub(crate) fn judge(predicate: Node<'_>, options: &Options, test_target: bool) -> Judgement {
    let Some(word) = predicate.children().next() else {
        return Judgement { holds: false, needs_test: false };
    };
    let parts = predicate
        .children()
        .filter(|it| matches!(it.kind(), SyntaxKind::CFG_ATOM | SyntaxKind::CFG_COMPOSITE));
    let mut judged = parts.map(|part| judge(part, options, test_target)).peekable();
    if predicate.kind() == SyntaxKind::CFG_ATOM {
        let value = predicate.child(SyntaxKind::STRING).map(|it| string_value(it.text()));
        return judge_atom(word.text(), value.as_deref(), options, test_target);
    }
    let mut result = Judgement { holds: true, needs_test: false };
    match word.text() {
        "all" => {
            for part in judged {
                result.holds &= part.holds;
                result.needs_test |= part.needs_test;
            }
        }
        "any" => {
            result = Judgement { holds: false, needs_test: judged.peek().is_some() };
            for part in judged {
                result.holds |= part.holds;
                result.needs_test &= part.needs_test;
            }
        }
        "not" => result.holds = judged.next().is_some_and(|part| !part.holds),
        _ => result.holds = false,
    }
    result
}

fn judge_atom(name: &str, value: Option<&str>, options: &Options, test_target: bool) -> Judgement {
    match (name, value) {
        ("true", None) => Judgement { holds: true, needs_test: false },
        ("false", None) => Judgement { holds: false, needs_test: false },
        ("test", None) => Judgement { holds: test_target, needs_test: true },
        _ => Judgement {
            holds: options.holds(name.strip_prefix("r#").unwrap_or(name), value),
            needs_test: false,
        },
    }
}

/// The value of a string literal as far as file names and conditions need it: raw strings, and escapes of quotes and
/// backslashes.
pub(crate) fn string_value(literal: &str) -> String {
    let raw = literal.starts_with('r');
    let inner = literal.trim_start_matches('r').trim_matches('#');
    let inner = inner.strip_prefix('"').unwrap_or(inner);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if raw || !inner.contains('\\') {
        return inner.to_owned();
    }
    inner.replace("\\\\", "\u{0}").replace("\\\"", "\"").replace('\u{0}', "\\")
}
