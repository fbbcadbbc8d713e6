//! What the attributes of an item say, `cfg_attr` seen through.
//!
//! Only what name resolution depends on is kept. Attributes that the language does not know are attribute macros; they are
//! listed by path, for whoever knows what they do.

use cratekeeper_syntax::SyntaxKind;

use crate::configuration::{Options, judge, string_value};
use crate::sources::Node;
use crate::symbol::Symbol;

/// Attributes of one item.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    /// Some condition does not hold.
    pub(crate) inactive: bool,
    pub(crate) test: bool,
    /// Conditions, joined by `, `.
    pub(crate) conditions: Option<String>,
    /// `#[path = "…"]`
    pub(crate) path: Option<String>,
    pub(crate) derives: Vec<Box<[Symbol]>>,
    pub(crate) macro_use: bool,
    pub(crate) macro_export: bool,
    /// `#[no_mangle]` or `#[export_name]`
    pub(crate) exported_to_linker: bool,
    pub(crate) built_in_macro: bool,
    /// `#[proc_macro]` and `#[proc_macro_attribute]`: `Some(None)`. `#[proc_macro_derive(Name)]`: `Some(Some(Name))`.
    pub(crate) procedural: Option<Option<Symbol>>,
    pub(crate) no_std: bool,
    pub(crate) prelude_import: bool,
    /// Paths of attributes that the language does not know.
    pub(crate) others: Vec<Box<[Symbol]>>,
}

/// What attributes are judged by.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'o> {
    pub(crate) options: &'o Options,
    pub(crate) test_target: bool,
}

/// Most bytes of conditions that are kept as text. Real ones stay below 400.
const CONDITION_BYTES: usize = 1024;

/// Attributes of the language that stand alone. Names beginning with `rustc_` are too.
const BUILT_IN: [&str; 78] = [
    "allow",
    "allow_internal_unsafe",
    "allow_internal_unstable",
    "automatically_derived",
    "bench",
    "cfg",
    "cfg_accessible",
    "cfg_attr",
    "cfg_eval",
    "cold",
    "collapse_debuginfo",
    "compiler_builtins",
    "const_trait",
    "coverage",
    "crate_name",
    "crate_type",
    "debugger_visualizer",
    "default",
    "default_lib_allocator",
    "deny",
    "deprecated",
    "deprecated_safe",
    "derive",
    "derive_const",
    "do_not_recommend",
    "doc",
    "expect",
    "export_name",
    "feature",
    "ffi_const",
    "ffi_pure",
    "forbid",
    "fundamental",
    "global_allocator",
    "ignore",
    "inline",
    "instruction_set",
    "lang",
    "link",
    "link_args",
    "link_name",
    "link_ordinal",
    "link_section",
    "linkage",
    "macro_escape",
    "macro_export",
    "macro_use",
    "marker",
    "may_dangle",
    "must_not_suspend",
    "must_use",
    "needs_allocator",
    "needs_panic_runtime",
    "no_builtins",
    "no_core",
    "no_implicit_prelude",
    "no_link",
    "no_main",
    "no_mangle",
    "no_std",
    "non_exhaustive",
    "naked",
    "optimize",
    "panic_handler",
    "panic_runtime",
    "path",
    "pointee",
    "prelude_import",
    "proc_macro",
    "proc_macro_attribute",
    "proc_macro_derive",
    "recursion_limit",
    "repr",
    "should_panic",
    "stable",
    "target_feature",
    "test",
    "test_case",
];

/// More of them; two lists only because one is long enough.
const BUILT_IN_TOO: [&str; 17] = [
    "test_runner",
    "thread_local",
    "track_caller",
    "type_const",
    "type_length_limit",
    "unsafe_op_in_unsafe_fn",
    "unstable",
    "unstable_feature_bound",
    "used",
    "warn",
    "windows_subsystem",
    "profiler_runtime",
    "reexport_test_harness_main",
    "start",
    "main",
    "plugin",
    "plugin_registrar",
];

/// First segments that belong to tools.
const TOOLS: [&str; 5] = ["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

impl Attributes {
    /// Attributes in front of an item, and those that a module or file has inside.
    pub(crate) fn of(item: Node<'_>, judge: Judge<'_>) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.add_children(item, judge);
        if item.kind() == SyntaxKind::MODULE
            && let Some(list) = item.child(SyntaxKind::ITEM_LIST)
        {
            attributes.add_children(list, judge);
        }
        attributes
    }

    /// Adds the attributes inside a file.
    pub(crate) fn add_children(&mut self, node: Node<'_>, judge: Judge<'_>) {
        for attribute in node.children() {
            match attribute.kind() {
                SyntaxKind::ATTR => {
                    attribute.children().filter(|it| !it.is_token()).for_each(|meta| self.add(meta, judge));
                }
                SyntaxKind::L_CURLY | SyntaxKind::SHEBANG => {}
                _ => break,
            }
        }
    }

    fn add(&mut self, meta: Node<'_>, judge_by: Judge<'_>) {
        match meta.kind() {
            SyntaxKind::CFG_META => {
                if let Some(predicate) = predicate(meta) {
                    self.add_condition(predicate, judge_by);
                }
            }
            SyntaxKind::CFG_ATTR_META => {
                let holds =
                    predicate(meta).is_some_and(|it| judge(it, judge_by.options, judge_by.test_target).holds);
                if holds {
                    meta.children().filter(|it| is_meta(it.kind())).for_each(|it| self.add(it, judge_by));
                }
            }
            SyntaxKind::UNSAFE_META => {
                meta.children().filter(|it| is_meta(it.kind())).for_each(|it| self.add(it, judge_by));
            }
            SyntaxKind::PATH_META | SyntaxKind::TOKEN_TREE_META | SyntaxKind::KEY_VALUE_META => {
                self.add_named(meta, judge_by);
            }
            _ => {}
        }
    }

    fn add_condition(&mut self, predicate: Node<'_>, judge_by: Judge<'_>) {
        let judgement = judge(predicate, judge_by.options, judge_by.test_target);
        self.inactive |= !judgement.holds;
        self.test |= judgement.needs_test;
        let text = predicate.plain_text();
        self.conditions = Some(join_conditions(self.conditions.as_deref(), &text));
    }

    fn add_named(&mut self, meta: Node<'_>, judge_by: Judge<'_>) {
        let Some(path) = meta.child(SyntaxKind::PATH) else { return };
        let path = segments(path).0;
        let name = path.last().map_or("", |it| it.as_str());
        if path.len() > 1 {
            self.add_foreign(path, name == "test", judge_by);
            return;
        }
        match name {
            "path" => self.path = literal(meta).or(self.path.take()),
            "derive" => self.derives.extend(meta.child(SyntaxKind::TOKEN_TREE).into_iter().flat_map(derives)),
            "macro_use" | "macro_escape" => self.macro_use = true,
            "macro_export" => self.macro_export = true,
            "no_mangle" | "export_name" => self.exported_to_linker = true,
            "rustc_builtin_macro" => self.built_in_macro = true,
            "no_std" | "no_core" => self.no_std = true,
            "prelude_import" => self.prelude_import = true,
            "proc_macro" | "proc_macro_attribute" => self.procedural = Some(None),
            "proc_macro_derive" => {
                let tokens = meta.child(SyntaxKind::TOKEN_TREE);
                let name = tokens.and_then(|it| it.child(SyntaxKind::IDENT)).map(|it| Symbol::new(it.text()));
                self.procedural = name.map(Some);
            }
            "test" | "bench" => {
                self.test = true;
                self.inactive |= !judge_by.test_target;
            }
            _ if BUILT_IN.contains(&name) || BUILT_IN_TOO.contains(&name) || name.starts_with("rustc_") => {}
            _ => self.add_foreign(path, false, judge_by),
        }
    }

    /// An attribute macro. Those called `…::test` make tests.
    fn add_foreign(&mut self, path: Box<[Symbol]>, test: bool, judge_by: Judge<'_>) {
        if TOOLS.contains(&path[0].as_str()) {
            return;
        }
        self.test |= test;
        self.inactive |= test && !judge_by.test_target;
        self.others.push(path);
    }
}

/// Conditions of an outer and an inner place.
pub(crate) fn join_conditions(outer: Option<&str>, inner: &str) -> String {
    let mut text = outer.map_or_else(|| inner.to_owned(), |outer| format!("{outer}, {inner}"));
    if text.len() > CONDITION_BYTES {
        text.truncate(text.floor_char_boundary(CONDITION_BYTES));
    }
    text
}

fn predicate(meta: Node<'_>) -> Option<Node<'_>> {
    meta.children().find(|it| matches!(it.kind(), SyntaxKind::CFG_ATOM | SyntaxKind::CFG_COMPOSITE))
}

fn is_meta(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(kind, CFG_META | CFG_ATTR_META | UNSAFE_META | PATH_META | TOKEN_TREE_META | KEY_VALUE_META)
}

fn literal(meta: Node<'_>) -> Option<String> {
    let string = meta.descendants().find(|it| it.kind() == SyntaxKind::STRING)?;
    Some(string_value(string.text()))
}

/// The segments of a path without generic arguments, and whether it begins with `::`.
pub(crate) fn segments(path: Node<'_>) -> (Box<[Symbol]>, bool) {
    let mut tokens =
        path.descendants_outside(SyntaxKind::GENERIC_ARG_LIST).filter(|it| it.is_token()).peekable();
    let leading_colons = tokens.peek().is_some_and(|it| it.kind() == SyntaxKind::COLON2);
    let names = tokens.filter(|it| it.kind() != SyntaxKind::COLON2).map(|it| Symbol::new(it.text()));
    (names.collect(), leading_colons)
}

/// Paths in the parentheses of `derive(…)`.
fn derives(tokens: Node<'_>) -> Vec<Box<[Symbol]>> {
    let mut paths = Vec::new();
    let mut path = Vec::new();
    for token in tokens.children().skip(1) {
        match token.kind() {
            SyntaxKind::COMMA | SyntaxKind::R_PAREN if !path.is_empty() => {
                paths.push(std::mem::take(&mut path).into_boxed_slice());
            }
            kind if kind == SyntaxKind::IDENT || token.text().starts_with(char::is_alphabetic) => {
                path.push(Symbol::new(token.text()));
            }
            _ => {}
        }
    }
    paths
}
