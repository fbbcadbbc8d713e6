//! The call graph of one version: its functions, and its calls with *symbolic* targets.
//!
//! A call into another crate names that crate (as the manifest's dependency) and the path of the function in it, never a
//! version: which version is called is a matter of resolution (a lockfile, or an index at a point in time), and
//! is joined when somebody asks. So what is stored about one version never changes when another is published.

use serde::{Deserialize, Serialize};

/// Functions and calls of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallGraph {
    /// Name of the library crate as paths print it: `-` replaced by `_`. Of a package without a library, its name.
    pub crate_name: String,
    /// Targets that were read, in the order in which [`FunctionNode::target`] counts.
    pub targets: Vec<GraphTarget>,
    /// Paths inside the package, in the order in which [`FunctionNode::file`] counts.
    pub files: Vec<String>,
    /// Every function with a place in the source, and those that derive macros make.
    pub functions: Vec<FunctionNode>,
    /// Other crates that are called, in the order in which [`Callee::External`] counts.
    pub externals: Vec<ExternalCrate>,
    /// Paths of functions in other crates, in the order in which [`Callee::External`] counts.
    pub external_paths: Vec<String>,
    /// Calls, by caller.
    pub edges: Vec<CallEdge>,
    /// `(trait method, method of an implementation)`: what a call of the first may run. The trait's method may be in
    /// another crate.
    pub implementations: Vec<(Callee, u32)>,
    /// Calls of which no callee is known.
    pub unresolved: Vec<UnresolvedCall>,
    /// What was left out, as sentence fragments: a limit that was reached, a file that could not be parsed.
    pub problems: Vec<String>,
}

/// A target of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphTarget {
    /// What it is for.
    pub kind: GraphTargetKind,
    /// Crate name as paths print it.
    pub name: String,
}

/// Kinds of [`GraphTarget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GraphTargetKind {
    /// A library.
    Lib,
    /// A procedural macro: runs in the compiler.
    ProcMacro,
    /// A program.
    Bin,
    /// A build script: runs before the package is compiled.
    BuildScript,
    /// A test, an example or a benchmark.
    Test,
}

impl GraphTargetKind {
    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            GraphTargetKind::Lib => "lib",
            GraphTargetKind::ProcMacro => "proc_macro",
            GraphTargetKind::Bin => "bin",
            GraphTargetKind::BuildScript => "build_script",
            GraphTargetKind::Test => "test",
        }
    }
}

/// A crate whose functions are called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExternalCrate {
    /// Name of the package in its registry; `std`, `core` and `alloc` are packages too.
    pub package: String,
    /// Version that the analysis saw signatures of, if any: methods were found by them.
    pub seen: Option<String>,
    /// Name of the library crate as paths print it.
    pub crate_name: String,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionNode {
    /// `crate_name::module::Type::function`, `<crate_name::Type as crate_name::Trait>::function`; generic arguments,
    /// lifetimes and `r#` left out; always the path of the definition. cfg twins, and `From<A>` and `From<B>`, share one.
    pub path: String,
    /// Index in [`CallGraph::targets`].
    pub target: u16,
    /// Index in [`CallGraph::files`].
    pub file: u32,
    /// Line, counted from 1; of functions that macros make, the line of the macro call.
    pub line: u32,
    /// What is known of it.
    pub attributes: FunctionAttributes,
    /// Conditions of all `#[cfg]` in force, as text joined by `, `; `None` when unconditional.
    pub cfg: Option<String>,
}

/// Properties of a [`FunctionNode`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "columns, each with a meaning of its own")]
pub struct FunctionAttributes {
    /// `unsafe fn`.
    pub is_unsafe: bool,
    /// Has an `unsafe` block, or is `unsafe fn` with a body.
    pub uses_unsafe: bool,
    /// Declared in an `extern` block: its code is not in this package.
    pub foreign: bool,
    /// `extern "C" fn` or exported by name: other languages may call it.
    pub exported_to_linker: bool,
    /// Declared in a trait, with or without a body.
    pub in_trait: bool,
    /// In an `impl Trait for Type`.
    pub in_trait_impl: bool,
    /// Has a body.
    pub has_body: bool,
    /// Made by a derive macro.
    pub derived: bool,
    /// A constant or static: what its initialiser calls.
    pub constant: bool,
    /// Reachable from other crates by its visibility, as written.
    pub public: bool,
    /// In the configuration that was asked for: features as resolved, this target, no tests.
    pub active: bool,
    /// Below `#[cfg(test)]`, `#[test]` or in a test target.
    pub test: bool,
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEdge {
    /// Index in [`CallGraph::functions`].
    pub caller: u32,
    /// What is called.
    pub callee: Callee,
    /// How.
    pub kind: EdgeKind,
    /// How sure that is.
    pub certainty: Certainty,
    /// Line of the call, in the caller's file.
    pub line: u32,
    /// Inside an `unsafe` block or the body of an `unsafe fn`.
    pub in_unsafe: bool,
    /// In the configuration that was asked for.
    pub active: bool,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Callee {
    /// Index in [`CallGraph::functions`].
    Local(u32),
    /// A function of another crate.
    External {
        /// Index in [`CallGraph::externals`]: the crate that defines it.
        krate: u32,
        /// Index in [`CallGraph::external_paths`].
        path: u32,
    },
}

/// How a function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// By name, or as a method of a known type.
    Call,
    /// Taken as a value.
    Reference,
    /// A trait's method: on a type parameter, or one that the implementation does not override.
    Trait,
    /// Through `dyn`.
    Dyn,
    /// A value of a type with `Drop` ends.
    Drop,
    /// A function in an `extern` block.
    Ffi,
    /// In what a macro of another place expands to.
    Macro,
}

impl EdgeKind {
    /// All, in the order of their numbers in stores.
    pub const ALL: [EdgeKind; 7] = [
        EdgeKind::Call,
        EdgeKind::Reference,
        EdgeKind::Trait,
        EdgeKind::Dyn,
        EdgeKind::Drop,
        EdgeKind::Ffi,
        EdgeKind::Macro,
    ];

    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EdgeKind::Call => "call",
            EdgeKind::Reference => "reference",
            EdgeKind::Trait => "trait",
            EdgeKind::Dyn => "dyn",
            EdgeKind::Drop => "drop",
            EdgeKind::Ffi => "ffi",
            EdgeKind::Macro => "macro",
        }
    }
}

/// How sure an edge is, from the surest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// Names alone decide.
    Exact,
    /// Names and inferred types decide.
    Typed,
    /// One of several that are possible.
    Candidate,
    /// Nothing but the name agrees.
    Name,
}

impl Certainty {
    /// All, from the surest, in the order of their numbers in stores.
    pub const ALL: [Certainty; 4] =
        [Certainty::Exact, Certainty::Typed, Certainty::Candidate, Certainty::Name];

    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Certainty::Exact => "exact",
            Certainty::Typed => "typed",
            Certainty::Candidate => "candidate",
            Certainty::Name => "name",
        }
    }
}

/// A call of which no callee is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnresolvedCall {
    /// Index in [`CallGraph::functions`].
    pub caller: u32,
    /// Line of the call.
    pub line: u32,
    /// Callee as written: a path, or `.name` for a method.
    pub callee: String,
    /// Why.
    pub reason: UnresolvedReason,
}

/// Why no callee is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnresolvedReason {
    /// The path leads nowhere that was read.
    PathNotFound,
    /// The crate it leads to was not there to be read.
    CrateNotRead,
    /// The receiver's type is not known.
    ReceiverUnknown,
    /// The receiver's type is known and has no such method that was read.
    MethodNotFound,
    /// A value is called: a closure or function pointer that could be anything.
    Value,
    /// The macro is not known, or its expansion was not understood.
    Macro,
    /// A limit was reached.
    Limit,
}

impl UnresolvedReason {
    /// All.
    pub const ALL: [UnresolvedReason; 7] = [
        UnresolvedReason::PathNotFound,
        UnresolvedReason::CrateNotRead,
        UnresolvedReason::ReceiverUnknown,
        UnresolvedReason::MethodNotFound,
        UnresolvedReason::Value,
        UnresolvedReason::Macro,
        UnresolvedReason::Limit,
    ];

    /// Name in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            UnresolvedReason::PathNotFound => "path_not_found",
            UnresolvedReason::CrateNotRead => "crate_not_read",
            UnresolvedReason::ReceiverUnknown => "receiver_unknown",
            UnresolvedReason::MethodNotFound => "method_not_found",
            UnresolvedReason::Value => "value",
            UnresolvedReason::Macro => "macro",
            UnresolvedReason::Limit => "limit",
        }
    }
}
