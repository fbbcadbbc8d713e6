//! Macro calls in bodies: expanded where their rules are known, and read by their name where the compiler builds them in.

use cratekeeper_model::graph::UnresolvedReason;
use cratekeeper_syntax::SyntaxKind;

use super::expressions::expressions;
use super::{Body, Form};
use crate::definitions::Primitive;
use crate::sources::{Node, SyntaxReference};
use crate::types::{Type, TypeId};

/// Deepest macro in macro that is expanded; the compiler's own limit is 128.
const DEPTH: u32 = 48;

/// Macros that are read by their name, unless another crate defines one called so.
const BUILT_IN: [&str; 35] = [
    "format",
    "format_args",
    "const_format_args",
    "format_args_nl",
    "print",
    "println",
    "eprint",
    "eprintln",
    "assert",
    "debug_assert",
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "vec",
    "concat",
    "stringify",
    "env",
    "include_str",
    "file",
    "module_path",
    "option_env",
    "include_bytes",
    "line",
    "column",
    "cfg",
    "compile_error",
    "asm",
    "global_asm",
    "naked_asm",
    "offset_of",
    "addr_of",
    "addr_of_mut",
    "raw_mut",
    "dbg",
];

impl<'a> Body<'_, 'a> {
    /// Reads another tree as if it stood here.
    pub(super) fn inside<T>(
        &mut self,
        at: SyntaxReference,
        read: impl FnOnce(&mut Self, Node<'a>) -> T,
    ) -> T {
        let outer = std::mem::replace(&mut self.tree, at.tree);
        self.macro_depth += 1;
        let root = self.context.sources.node(at);
        let result = read(self, root);
        self.macro_depth -= 1;
        self.tree = outer;
        result
    }

    /// `path!(…)` as an expression or, with what it binds left in scope, a statement.
    pub(super) fn macro_call(&mut self, call: Node<'a>, form: Form, expected: Option<TypeId>) -> TypeId {
        let name = call.child(SyntaxKind::PATH).map(Node::plain_text).unwrap_or_default();
        if self.macro_depth > DEPTH || !self.burn(64) {
            self.unresolved(call, format!("{name}!"), UnresolvedReason::Limit);
            return TypeId::UNKNOWN;
        }
        let short = name.rsplit("::").next().unwrap_or(&name);
        if let Some(of) = self.built_in(call, short, expected) {
            return of;
        }
        let Some(tree) = self.context.expand.expand(self.module, self.tree, call, form) else {
            self.unresolved(call, format!("{name}!"), UnresolvedReason::Macro);
            self.read_arguments(call);
            return TypeId::UNKNOWN;
        };
        self.inside(tree, |body, root| body.expansion(root, form, expected))
    }

    /// Statements or an expression that a macro expanded to. Names that it binds stay bound: `let` in a macro is seen by
    /// what follows, as far as hygiene allows it.
    fn expansion(&mut self, root: Node<'a>, form: Form, expected: Option<TypeId>) -> TypeId {
        match (form, root.child(SyntaxKind::STMT_LIST)) {
            (Form::Statements, Some(list)) if root.kind() == SyntaxKind::BLOCK_EXPR => {
                self.statement_list(list, expected)
            }
            _ if !self.is_configured(root) => TypeId::UNIT,
            _ => self.expression(root, expected),
        }
    }

    /// The arguments of a macro of which nothing else is known, where they read as expressions.
    fn read_arguments(&mut self, call: Node<'a>) -> Vec<TypeId> {
        self.arguments_as(call, '(', ')')
    }

    fn arguments_as(&mut self, call: Node<'a>, open: char, close: char) -> Vec<TypeId> {
        let Some(text) = arguments_text(call) else { return Vec::new() };
        let text = match (open, text.trim_end().ends_with(',')) {
            ('(', false) if !text.trim().is_empty() => format!("({text},)"),
            _ => format!("{open}{text}{close}"),
        };
        let Some(tree) = self.context.expand.parse(text, self.tree, call) else {
            return Vec::new();
        };
        // The arguments are written where the call is.
        let depth = self.macro_depth;

        self.inside(tree, |body, root| {
            body.macro_depth = depth;
            let is_list = matches!(root.kind(), SyntaxKind::TUPLE_EXPR | SyntaxKind::PAREN_EXPR);
            let inner: Vec<Node<'a>> = if is_list { expressions(root).collect() } else { Vec::new() };
            let mut types = Vec::new();
            for argument in inner {
                // `name = value` of `format!`.
                let named = argument.kind() == SyntaxKind::BIN_EXPR && argument.has(SyntaxKind::EQ);
                let value = if named { expressions(argument).nth(1) } else { Some(argument) };
                types.extend(value.map(|it| body.expression(it, None)));
            }
            body.macro_depth = depth + 1;
            types
        })
    }

    /// Macros that the compiler builds in, and those of std that are read more simply than expanded.
    fn built_in(&mut self, call: Node<'a>, name: &str, expected: Option<TypeId>) -> Option<TypeId> {
        let known = self.context.known;
        let adt = |body: &mut Self, id: Option<crate::definitions::AdtId>| {
            id.map_or(TypeId::UNKNOWN, |id| body.table.add(Type::Adt(id, Box::default())))
        };
        let primitive = |body: &mut Self, of: Primitive| body.table.add(Type::Primitive(of));
        let text = |body: &mut Self| {
            let of = body.table.add(Type::Primitive(Primitive::Str));
            body.table.add(Type::Reference(false, of))
        };
        if !BUILT_IN.contains(&name) || self.context.expand.is_own(self.module, self.tree, call) {
            return None;
        }
        Some(match name {
            "format" => {
                self.read_arguments(call);
                adt(self, known.string)
            }
            "format_args" | "const_format_args" | "format_args_nl" => {
                self.read_arguments(call);
                adt(self, known.arguments)
            }
            "print" | "println" | "eprint" | "eprintln" => {
                self.read_arguments(call);
                TypeId::UNIT
            }
            "assert" | "debug_assert" => {
                self.read_arguments(call);
                TypeId::UNIT
            }
            "panic" | "unreachable" | "todo" | "unimplemented" => {
                self.read_arguments(call);
                self.table.add(Type::Never)
            }
            "vec" => {
                let wanted = expected.and_then(|it| match self.table.of(it) {
                    Type::Adt(id, arguments) if Some(*id) == known.vec => arguments.first().copied(),
                    _ => None,
                });
                let element = self.vector(call, wanted);
                let id = known.vec?;
                let rest = self.view().adt(id).generics.parameters.len().saturating_sub(1);
                let mut arguments = vec![element];
                arguments.extend(self.table.variables(rest));
                self.table.add(Type::Adt(id, arguments.into()))
            }
            "concat" | "stringify" | "env" | "include_str" | "file" | "module_path" => text(self),
            "option_env" => {
                let inner = text(self);
                let id = known.option?;
                self.table.add(Type::Adt(id, [inner].into()))
            }
            "include_bytes" => {
                let byte = primitive(self, Primitive::U8);
                let array = self.table.add(Type::Array(byte));
                self.table.add(Type::Reference(false, array))
            }
            "line" | "column" => primitive(self, Primitive::U32),
            "cfg" => primitive(self, Primitive::Bool),
            "compile_error" => self.table.add(Type::Never),
            "asm" | "global_asm" | "naked_asm" | "offset_of" => {
                self.calls.uses_unsafe |= self.in_unsafe;
                TypeId::UNKNOWN
            }
            "addr_of" | "addr_of_mut" | "raw_mut" => {
                let of = self.read_arguments(call).first().copied().unwrap_or(TypeId::UNKNOWN);
                self.table.add(Type::Pointer(name == "addr_of_mut", of))
            }
            "dbg" => {
                let types = self.read_arguments(call);
                match types[..] {
                    [one] => one,
                    _ => self.table.add(Type::Tuple(types.into())),
                }
            }
            _ => return None,
        })
    }

    /// The element type of `vec![…]`.
    fn vector(&mut self, call: Node<'a>, wanted: Option<TypeId>) -> TypeId {
        let element = wanted.unwrap_or_else(|| self.table.variable());
        let Some(text) = arguments_text(call) else { return element };
        let parsed = self.context.expand.parse(format!("[{text}]"), self.tree, call);
        let Some(tree) = parsed else { return element };
        let depth = self.macro_depth;
        self.inside(tree, |body, root| {
            body.macro_depth = depth;
            let slice = body.table.add(Type::Slice(element));
            let array = std::iter::once(root)
                .chain(root.descendants())
                .find(|it| it.kind() == SyntaxKind::ARRAY_EXPR);
            if let Some(array) = array {
                body.expression(array, Some(slice));
            }
            body.macro_depth = depth + 1;
        });
        element
    }
}

/// What stands between the delimiters of a macro call.
pub(crate) fn arguments_text<'a>(call: Node<'a>) -> Option<&'a str> {
    let tokens = call.child(SyntaxKind::TOKEN_TREE)?.text();
    let mut inner = tokens.chars();
    inner.next()?;
    inner.next_back()?;
    Some(inner.as_str())
}
