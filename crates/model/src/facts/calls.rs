//! Facts about call sites, as written: nothing is resolved here.

use serde::{Deserialize, Serialize};

/// Every call site of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallFacts {
    /// In file order.
    pub calls: Vec<Call>,
}

/// One call site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// What kind of call it is.
    pub kind: CallKind,
    /// Callee as written, white space and generic arguments removed: a path, a method's name, or a macro's path
    /// without `!`. Empty when the callee is an expression (`(self.handler)(x)`).
    pub callee: String,
    /// Number of arguments, receiver not counted; 0 for macros.
    pub arity: u16,
    /// Index of the enclosing function in [`SourceFacts::functions`](super::SourceFacts::functions); `None` in constants,
    /// statics and macro definitions. In a file that belongs to several module paths, the first of its functions.
    pub function: Option<u32>,
    /// Index in [`SourceFacts::rust_files`](super::SourceFacts::rust_files).
    pub file: u32,
    /// Line, counted from 1.
    pub line: u32,
    /// Inside an `unsafe` block or the body of an `unsafe fn`.
    pub in_unsafe: bool,
    /// Innermost macro whose arguments, or definition (`macro_rules! name`), it stands in.
    pub in_macro: Option<String>,
}

/// Kinds of [`Call`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallKind {
    /// `path::to(…)`, tuple structs and enum variants included.
    Path,
    /// `receiver.name(…)`.
    Method,
    /// `name!(…)`.
    Macro,
    /// `(expression)(…)`.
    Expression,
}
