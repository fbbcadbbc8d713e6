//! Expressions and their types.

use cratekeeper_model::graph::{Certainty, EdgeKind, UnresolvedReason};
use cratekeeper_syntax::SyntaxKind;

use super::values::PathValue;
use super::{Body, Target};
use crate::definitions::{Container, Definition, FunctionId, Primitive};
use crate::sources::Node;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

/// Whether an element is an expression.
pub(crate) fn is_expression(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        ARRAY_EXPR
            | ASM_EXPR
            | AWAIT_EXPR
            | BECOME_EXPR
            | BIN_EXPR
            | BLOCK_EXPR
            | BREAK_EXPR
            | CALL_EXPR
            | CAST_EXPR
            | CLOSURE_EXPR
            | CONTINUE_EXPR
            | FIELD_EXPR
            | FORMAT_ARGS_EXPR
            | FOR_EXPR
            | IF_EXPR
            | INDEX_EXPR
            | LET_EXPR
            | LITERAL
            | LOOP_EXPR
            | MACRO_EXPR
            | MATCH_EXPR
            | METHOD_CALL_EXPR
            | OFFSET_OF_EXPR
            | PAREN_EXPR
            | PATH_EXPR
            | PREFIX_EXPR
            | RANGE_EXPR
            | RECORD_EXPR
            | REF_EXPR
            | RETURN_EXPR
            | TRY_EXPR
            | TUPLE_EXPR
            | UNDERSCORE_EXPR
            | WHILE_EXPR
            | YEET_EXPR
            | YIELD_EXPR
    )
}

/// Expressions directly inside.
pub(super) fn expressions(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.children().filter(|it| is_expression(it.kind()))
}

impl<'a> Body<'_, 'a> {
    /// The type of an expression of which `expected` is expected: it may be coerced later.
    pub(super) fn expect(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        self.expression(node, expected)
    }

    /// The type of an expression.
    pub(super) fn expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        if self.depth > super::DEPTH || !self.burn(4) {
            self.unresolved(node, String::new(), UnresolvedReason::Limit);
            return TypeId::UNKNOWN;
        }
        self.depth += 1;
        let of = self.expression_inside(node, expected);
        self.depth -= 1;
        self.table.shallow(of)
    }

    fn expression_inside(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        use SyntaxKind::*;
        let never = || Type::Never;
        match node.kind() {
            PATH_EXPR => self.path_expression(node, expected),
            LITERAL => self.literal(node),
            CALL_EXPR => self.call(node, expected),
            METHOD_CALL_EXPR => self.method_call(node, expected),
            FIELD_EXPR => self.field(node),
            INDEX_EXPR => self.index(node),
            BLOCK_EXPR => self.block(node, expected),
            PAREN_EXPR => match expressions(node).next() {
                Some(inner) => self.expression(inner, expected),
                None => TypeId::UNKNOWN,
            },
            REF_EXPR => self.reference(node, expected),
            PREFIX_EXPR => self.prefix(node, expected),
            BIN_EXPR => self.binary(node, expected),
            CLOSURE_EXPR => self.closure(node, expected),
            IF_EXPR => self.if_expression(node, expected),
            MATCH_EXPR => self.match_expression(node, expected),
            LET_EXPR => self.let_expression(node),
            LOOP_EXPR | WHILE_EXPR | FOR_EXPR => self.loop_expression(node, expected),
            TRY_EXPR => self.try_expression(node, expected),
            AWAIT_EXPR => self.await_expression(node),
            RECORD_EXPR => self.record_expression(node, expected),
            TUPLE_EXPR => self.tuple_expression(node, expected),
            ARRAY_EXPR => self.array_expression(node, expected),
            CAST_EXPR => self.cast(node),
            RANGE_EXPR => self.range(node),
            MACRO_EXPR => match node.child(MACRO_CALL) {
                Some(call) => self.macro_call(call, super::Form::Expression, expected),
                None => TypeId::UNKNOWN,
            },
            RETURN_EXPR | BECOME_EXPR | YEET_EXPR => {
                let wanted = self.results.last().copied();
                if let Some(inner) = expressions(node).next() {
                    let of = self.expression(inner, wanted);
                    if let Some(wanted) = wanted {
                        self.coerce_at(of, wanted, Some(inner));
                    }
                }
                self.table.add(never())
            }
            BREAK_EXPR => {
                self.break_expression(node);
                self.table.add(never())
            }
            CONTINUE_EXPR => self.table.add(never()),
            _ => {
                for inner in expressions(node) {
                    self.expression(inner, None);
                }
                TypeId::UNKNOWN
            }
        }
    }

    /// A path that is not called: functions among them are taken as values.
    fn path_expression(&mut self, node: Node<'a>, _expected: Option<TypeId>) -> TypeId {
        let Some(path) = node.child(SyntaxKind::PATH) else { return TypeId::UNKNOWN };
        match self.path_value(path) {
            PathValue::Value(of) => of,
            PathValue::Function { id, mut arguments, subject, exact } => {
                let certainty = match exact {
                    _ if self.is_marker(id) => Certainty::Candidate,
                    true => Certainty::Exact,
                    false => Certainty::Typed,
                };
                self.record_function(node, id, &arguments, subject, EdgeKind::Reference, certainty);
                if let (Some(subject), Some(first)) = (subject, arguments.first_mut()) {
                    *first = subject;
                }
                self.table.add(Type::FunctionItem(id, arguments.into()))
            }
            PathValue::Constructor { adt, variant, arguments } => {
                let of = self.table.add(Type::Adt(adt, arguments.clone().into()));
                let view = self.view();
                let from = &view.krate(adt.krate).types;
                let fields =
                    view.adt(adt).variants.get(variant as usize).map_or(&[][..], |it| &it.fields[..]);
                let pool = &mut self.table.pool;
                let fields: Vec<TypeId> = fields
                    .iter()
                    .map(|(_, field)| substitute::copy(Some(from), *field, &arguments, pool))
                    .collect();
                let fields = fields.into_iter().map(|it| self.normalized(it)).collect();
                self.table.add(Type::Function(fields, of))
            }
            PathValue::Unread(path) => {
                let looks_like_function =
                    path.last().is_some_and(|it| it.as_str().starts_with(|first: char| first.is_lowercase()));
                if looks_like_function {
                    let text = path.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("::");
                    self.record(node, Target::Unread(text), EdgeKind::Reference, Certainty::Name);
                }
                TypeId::UNKNOWN
            }
            PathValue::Unknown(_) => TypeId::UNKNOWN,
        }
    }

    /// Whether a type beside a function has its name: `fn Comma` stands for `struct Comma` where a value is asked for, and
    /// is never called.
    fn is_marker(&self, id: FunctionId) -> bool {
        let data = self.view().krate(id.krate);
        let function = &data.functions[id.index as usize];
        let scope = data.modules.get(function.module as usize).map(|it| &it.scope);
        function.container == Container::Module
            && scope.is_some_and(|it| matches!(it.types.get(&function.name), Some((Definition::Adt(_), _))))
    }

    pub(super) fn literal(&mut self, node: Node<'a>) -> TypeId {
        use SyntaxKind::*;
        let Some(token) = node.children().next() else { return TypeId::UNKNOWN };
        let suffixed = |text: &str| {
            let found = Primitive::ALL.into_iter().filter(|it| text.ends_with(it.as_str()));
            found.max_by_key(|it| it.as_str().len())
        };
        let primitive = |body: &mut Self, of: Primitive| body.table.add(Type::Primitive(of));
        match token.kind() {
            INT_NUMBER => {
                let text = token.text();
                let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
                match suffixed(text).filter(|it| !(hexadecimal && it.is_float())) {
                    Some(of) => primitive(self, of),
                    None => self.table.variable_of(super::table::VariableKind::Integer),
                }
            }
            FLOAT_NUMBER => match suffixed(token.text()).filter(|it| it.is_float()) {
                Some(of) => primitive(self, of),
                None => self.table.variable_of(super::table::VariableKind::Float),
            },
            STRING => {
                let of = primitive(self, Primitive::Str);
                self.table.add(Type::Reference(false, of))
            }
            BYTE_STRING => {
                let byte = primitive(self, Primitive::U8);
                let array = self.table.add(Type::Array(byte));
                self.table.add(Type::Reference(false, array))
            }
            C_STRING => match self.context.known.c_str {
                Some(id) => {
                    let of = self.table.add(Type::Adt(id, Box::default()));
                    self.table.add(Type::Reference(false, of))
                }
                None => TypeId::UNKNOWN,
            },
            CHAR => primitive(self, Primitive::Char),
            BYTE => primitive(self, Primitive::U8),
            TRUE_KW | FALSE_KW => primitive(self, Primitive::Bool),
            _ => TypeId::UNKNOWN,
        }
    }

    /// `&place`, `&mut place`, `&raw …`
    fn reference(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let Some(inner) = expressions(node).next() else { return TypeId::UNKNOWN };
        let mutable = node.has(SyntaxKind::MUT_KW);
        let wanted = expected.and_then(|it| match *self.table.of(it) {
            // `&[…]` where `&[T]` is expected, `&x` where `&dyn T` is.
            Type::Reference(_, inner) => Some(inner),
            _ => None,
        });
        let of = self.expression(inner, wanted);
        if mutable {
            self.make_mutable(inner);
        }
        if node.has(SyntaxKind::RAW_KW) {
            return self.table.add(Type::Pointer(mutable, of));
        }
        self.table.add(Type::Reference(mutable, of))
    }

    /// `Path { field: value, ..base }`
    fn record_expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let named = node.child(SyntaxKind::PATH).and_then(|path| self.named_variant(path));
        let list = node.child(SyntaxKind::RECORD_EXPR_FIELD_LIST);
        let (of, fields) = match named {
            Some((adt, variant)) => {
                let view = self.view();
                let data = view.adt(adt);
                let self_arguments = self.self_type.and_then(|it| match self.table.of(it).clone() {
                    Type::Adt(id, arguments) if id == adt => Some(arguments.to_vec()),
                    _ => None,
                });
                let written_self =
                    node.child(SyntaxKind::PATH).is_some_and(|path| path.text().starts_with("Self"));
                let arguments = match self_arguments.filter(|_| written_self) {
                    Some(arguments) => arguments,
                    None => self.table.variables(data.generics.parameters.len()),
                };
                let of = self.table.add(Type::Adt(adt, arguments.clone().into()));
                self.expect_softly(of, expected);
                let from = &view.krate(adt.krate).types;
                let fields = data.variants.get(variant as usize).map_or(&[][..], |it| &it.fields[..]);
                let pool = &mut self.table.pool;
                let fields: Vec<(Symbol, TypeId)> = fields
                    .iter()
                    .map(|(name, field)| (*name, substitute::copy(Some(from), *field, &arguments, pool)))
                    .collect();
                (of, fields)
            }
            None => (TypeId::UNKNOWN, Vec::new()),
        };
        let Some(list) = list else { return of };
        for field in list.children() {
            if field.kind() == SyntaxKind::RECORD_EXPR_FIELD {
                if !self.is_configured(field) {
                    continue;
                }
                let Some(value) = expressions(field).next() else { continue };
                let name = field.child(SyntaxKind::NAME_REF).map_or(value.text(), Node::text);
                let name = Symbol::new(name);
                let wanted = fields.iter().find(|it| it.0 == name).map(|it| it.1);
                let wanted = wanted.map(|it| self.normalized(it));
                let found = self.expression(value, wanted);
                if let Some(wanted) = wanted {
                    self.coerce_at(found, wanted, Some(value));
                }
            } else if is_expression(field.kind()) {
                let base = self.expression(field, Some(of));
                self.table.try_unify(base, of);
            }
        }
        of
    }

    fn tuple_expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let wanted = match expected.map(|it| self.table.of(it).clone()) {
            Some(Type::Tuple(parts)) => parts.to_vec(),
            _ => Vec::new(),
        };
        let parts: Vec<Node<'a>> = expressions(node).collect();
        let mut types = Vec::with_capacity(parts.len());
        for (number, part) in parts.into_iter().enumerate() {
            let wanted = wanted.get(number).copied();
            let found = self.expression(part, wanted);
            if let Some(wanted) = wanted {
                self.coerce_at(found, wanted, Some(part));
            }
            types.push(found);
        }
        self.table.add(Type::Tuple(types.into()))
    }

    fn array_expression(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let wanted = expected.and_then(|it| match *self.table.of(it) {
            Type::Slice(element) | Type::Array(element) => Some(element),
            _ => None,
        });
        let element = match wanted {
            Some(wanted) => wanted,
            None => self.table.variable(),
        };
        let repeats = node.has(SyntaxKind::SEMICOLON);
        for (number, part) in expressions(node).enumerate() {
            let is_length = repeats && number == 1;
            let found = self.expression(part, if is_length { None } else { Some(element) });
            if !is_length {
                self.coerce_at(found, element, Some(part));
            }
        }
        self.table.add(Type::Array(element))
    }

    fn cast(&mut self, node: Node<'a>) -> TypeId {
        let of = crate::lowering::type_child(node).map_or(TypeId::UNKNOWN, |it| self.lower(it));
        if let Some(inner) = expressions(node).next() {
            let is_pointer = matches!(self.table.of(of), Type::Function(..) | Type::Pointer(..));
            let found = self.expression(inner, Some(of).filter(|_| is_pointer));
            // `x as *const _`
            if is_pointer {
                self.coerce(found, of);
            }
        }
        of
    }

    fn range(&mut self, node: Node<'a>) -> TypeId {
        let known = self.context.known;
        let operator =
            node.children().position(|it| matches!(it.kind(), SyntaxKind::DOT2 | SyntaxKind::DOT2EQ));
        let inclusive = node.has(SyntaxKind::DOT2EQ);
        let first = node.children().position(|it| is_expression(it.kind()));
        let operands: Vec<Node<'a>> = expressions(node).collect();
        let of = self.table.variable();
        for operand in &operands {
            let found = self.expression(*operand, Some(of));
            self.table.try_unify(of, found);
        }
        let starts = first.is_some_and(|first| operator.is_some_and(|operator| first < operator));
        let id = match (operands.len(), starts, inclusive) {
            (0, ..) => known.range_full,
            (1, true, _) => known.range_from,
            (1, false, false) => known.range_to,
            (1, false, true) => known.range_to_inclusive,
            (_, _, false) => known.range,
            (_, _, true) => known.range_inclusive,
        };
        let arguments = if operands.is_empty() { Box::default() } else { [of].into() };
        id.map_or(TypeId::UNKNOWN, |id| self.table.add(Type::Adt(id, arguments)))
    }

    /// A constant or static of this crate is used: what it refers to may be called from here.
    pub(super) fn mentions(&mut self, value: u32, node: Node<'a>) {
        let mentioned: Vec<FunctionId> =
            self.context.mentioned.borrow().get(&value).cloned().unwrap_or_default();
        for id in mentioned {
            self.record(node, Target::Function(id), EdgeKind::Reference, Certainty::Typed);
        }
    }
}

/// The label of a loop or block.
pub(super) fn label_of(node: Node<'_>) -> Option<Symbol> {
    let label = node.child(SyntaxKind::LABEL)?;
    label.child(SyntaxKind::LIFETIME).map(|it| Symbol::new(it.text()))
}
