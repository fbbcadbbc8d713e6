//! Operators: those of the language on numbers, and calls of `core::ops` and `core::cmp` on everything else.

use cratekeeper_model::graph::{Certainty, EdgeKind};
use cratekeeper_syntax::SyntaxKind;

use super::expressions::expressions;
use super::{Body, Target};
use crate::definitions::{Primitive, TraitId, TraitReference};
use crate::sources::Node;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

impl<'a> Body<'_, 'a> {
    pub(super) fn prefix(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        let Some(inner) = expressions(node).next() else { return TypeId::UNKNOWN };
        if node.has(SyntaxKind::STAR) {
            return self.dereference(node, inner);
        }
        let of = self.expression(inner, expected);
        let known = self.context.known;
        let (of_trait, name) =
            if node.has(SyntaxKind::MINUS) { (known.neg, "neg") } else { (known.not, "not") };
        self.operator(node, of_trait, name, of, &[]).unwrap_or(of)
    }

    /// An operator on a type that is not the language's: its result, if there is an implementation.
    pub(super) fn operator(
        &mut self,
        node: Node<'a>,
        of_trait: Option<TraitId>,
        name: &str,
        subject: TypeId,
        arguments: &[TypeId],
    ) -> Option<TypeId> {
        let id = of_trait?;
        self.select_pending_if_open(subject);
        let subject = self.table.shallow(subject);
        let of_the_language = |body: &Self, it: TypeId| {
            matches!(body.table.of(it), Type::Primitive(_) | Type::Pointer(..) | Type::Never)
                || matches!(body.table.of(it), Type::Variable(number)
                    if body.table.kind(*number) != super::table::VariableKind::General)
        };
        if of_the_language(self, subject)
            && arguments.iter().all(|it| of_the_language(self, *it) || self.table.is_variable(*it))
        {
            return None;
        }
        if self.table.is_variable(subject) || matches!(self.table.of(subject), Type::Unknown) {
            return None;
        }
        let function = self.declared(id, Symbol::new(name))?;
        let target = Target::Method { function, subject, arguments: arguments.into() };
        self.record(node, target, EdgeKind::Call, Certainty::Typed);
        let output = self.table.variable();
        let declares_output = self.view().of_trait(id).types.iter().any(|it| it.name.as_str() == "Output");
        if !declares_output {
            return None;
        }
        let reference = TraitReference {
            id,
            arguments: arguments.into(),
            bindings: [(Symbol::new("Output"), output)].into(),
        };
        self.register(subject, &reference, 0);
        Some(self.table.shallow(output))
    }

    pub(super) fn binary(&mut self, node: Node<'a>, expected: Option<TypeId>) -> TypeId {
        use SyntaxKind::*;
        let mut operands = expressions(node);
        let (left, right) = (operands.next(), operands.next());
        let Some(left) = left else { return TypeId::UNKNOWN };
        let operator = node.children().find(|it| it.is_token() && it.kind() != POUND).map(Node::kind);
        let boolean = self.table.add(Type::Primitive(Primitive::Bool));
        let known = self.context.known;
        match operator {
            Some(EQ) => {
                let of = self.expression(left, None);
                self.make_mutable(left);
                if let Some(right) = right {
                    let found = self.expression(right, Some(of));
                    self.coerce_at(found, of, Some(right));
                }
                TypeId::UNIT
            }
            Some(AMP2 | PIPE2) => {
                self.expression(left, Some(boolean));
                if let Some(right) = right {
                    self.expression(right, Some(boolean));
                }
                boolean
            }
            Some(EQ2 | NEQ | L_ANGLE | R_ANGLE | LTEQ | GTEQ) => {
                let of = self.expression(left, None);
                let Some(right) = right else { return boolean };
                let other = self.expression(right, Some(of));
                self.table_numbers(of, other);
                let (of_trait, name) = match operator {
                    Some(EQ2) => (known.partial_eq, "eq"),
                    Some(NEQ) => (known.partial_eq, "ne"),
                    Some(L_ANGLE) => (known.partial_ord, "lt"),
                    Some(R_ANGLE) => (known.partial_ord, "gt"),
                    Some(LTEQ) => (known.partial_ord, "le"),
                    _ => (known.partial_ord, "ge"),
                };
                self.operator(node, of_trait, name, of, &[other]);
                boolean
            }
            Some(operator) => {
                let Some((of_trait, name, assigns)) = self.arithmetic(operator) else {
                    for operand in [Some(left), right].into_iter().flatten() {
                        self.expression(operand, None);
                    }
                    return TypeId::UNKNOWN;
                };
                let shifts = matches!(operator, SHL | SHR | SHLEQ | SHREQ);
                let of = self.expression(left, expected.filter(|_| !assigns && !shifts));
                if assigns {
                    self.make_mutable(left);
                }
                let Some(right) = right else { return of };
                let other = self.expression(right, Some(of).filter(|_| !shifts));
                if !shifts {
                    self.table_numbers(of, other);
                }
                let result = self.operator(node, of_trait, name, of, &[other]);
                if assigns {
                    return TypeId::UNIT;
                }
                match result {
                    Some(result) => result,
                    None => self.without_reference(of),
                }
            }
            None => {
                self.expression(left, None);
                TypeId::UNKNOWN
            }
        }
    }

    /// `{integer}` beside `u8` is `u8`.
    pub(super) fn table_numbers(&mut self, left: TypeId, right: TypeId) {
        let (left, right) = (self.without_reference(left), self.without_reference(right));
        let is_number = |it: &Type| matches!(it, Type::Primitive(_) | Type::Variable(_));
        if is_number(self.table.of(left)) && is_number(self.table.of(right)) {
            self.table.try_unify(left, right);
        }
    }

    pub(super) fn without_reference(&self, of: TypeId) -> TypeId {
        match *self.table.of(of) {
            Type::Reference(_, inner) => self.table.shallow(inner),
            _ => self.table.shallow(of),
        }
    }

    pub(super) fn arithmetic(&self, operator: SyntaxKind) -> Option<(Option<TraitId>, &'static str, bool)> {
        use SyntaxKind::*;
        let known = self.context.known;
        Some(match operator {
            PLUS => (known.add, "add", false),
            MINUS => (known.sub, "sub", false),
            STAR => (known.mul, "mul", false),
            SLASH => (known.div, "div", false),
            PERCENT => (known.rem, "rem", false),
            AMP => (known.bit_and, "bitand", false),
            PIPE => (known.bit_or, "bitor", false),
            CARET => (known.bit_xor, "bitxor", false),
            SHL => (known.shl, "shl", false),
            SHR => (known.shr, "shr", false),
            PLUSEQ => (known.add_assign, "add_assign", true),
            MINUSEQ => (known.sub_assign, "sub_assign", true),
            STAREQ => (known.mul_assign, "mul_assign", true),
            SLASHEQ => (known.div_assign, "div_assign", true),
            PERCENTEQ => (known.rem_assign, "rem_assign", true),
            AMPEQ => (known.bit_and_assign, "bitand_assign", true),
            PIPEEQ => (known.bit_or_assign, "bitor_assign", true),
            CARETEQ => (known.bit_xor_assign, "bitxor_assign", true),
            SHLEQ => (known.shl_assign, "shl_assign", true),
            SHREQ => (known.shr_assign, "shr_assign", true),
            _ => return None,
        })
    }
}
