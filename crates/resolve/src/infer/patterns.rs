//! Patterns: which names they bind, and to what types.

use cratekeeper_syntax::SyntaxKind;

use super::{Body, Form};
use crate::definitions::{AdtId, Definition};
use crate::lowering::segments;
use crate::paths::{self, Namespace, PathOutcome};
use crate::sources::Node;
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

/// Whether an element is a pattern.
pub(crate) fn is_pattern(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        IDENT_PAT
            | BOX_PAT
            | REST_PAT
            | LITERAL_PAT
            | MACRO_PAT
            | OR_PAT
            | PAREN_PAT
            | PATH_PAT
            | WILDCARD_PAT
            | RANGE_PAT
            | RECORD_PAT
            | REF_PAT
            | SLICE_PAT
            | TUPLE_PAT
            | TUPLE_STRUCT_PAT
            | CONST_BLOCK_PAT
    )
}

/// How names are bound: by value, or by `&` (`&mut` when true) since a reference was looked through.
type Mode = Option<bool>;

impl<'a> Body<'_, 'a> {
    /// Binds the names of a pattern that is matched with `of`.
    pub(super) fn pattern(&mut self, node: Node<'a>, of: TypeId) {
        self.pattern_in(node, of, None);
    }

    fn pattern_in(&mut self, node: Node<'a>, of: TypeId, mode: Mode) {
        use SyntaxKind::*;
        if !self.burn(1) || self.depth > super::DEPTH {
            return;
        }
        self.depth += 1;
        match node.kind() {
            IDENT_PAT => self.identifier(node, of, mode),
            OR_PAT | PAREN_PAT => {
                let scope = self.locals.len();
                for inner in patterns(node) {
                    // Alternatives bind the same names; the first gives their types.
                    let before = self.locals.len();
                    self.pattern_in(inner, of, mode);
                    if node.kind() == OR_PAT && before > scope {
                        self.locals.truncate(before);
                    }
                }
            }
            REF_PAT => {
                let inner = match self.table.of(of).clone() {
                    Type::Reference(_, inner) => inner,
                    Type::Variable(_) => {
                        let inner = self.table.variable();
                        let reference = self.table.add(Type::Reference(node.has(MUT_KW), inner));
                        self.table.unify(of, reference);
                        inner
                    }
                    _ => of,
                };
                patterns(node).for_each(|it| self.pattern_in(it, inner, None));
            }
            BOX_PAT => {
                let inner = self.dereferenced(of).map_or(TypeId::UNKNOWN, |it| it.0);
                patterns(node).for_each(|it| self.pattern_in(it, inner, mode));
            }
            TUPLE_PAT => {
                let (of, mode) = self.looked_through(of, mode);
                self.tuple(node, of, mode);
            }
            SLICE_PAT => {
                let (of, mode) = self.looked_through(of, mode);
                self.slice(node, of, mode);
            }
            TUPLE_STRUCT_PAT | RECORD_PAT => {
                let (of, mode) = self.looked_through(of, mode);
                self.fields_of(node, of, mode);
            }
            PATH_PAT => {
                let (of, _) = self.looked_through(of, mode);
                if let Some(path) = node.child(PATH)
                    && let super::values::PathValue::Value(known) = self.path_value(path)
                {
                    self.table.try_unify(of, known);
                }
            }
            LITERAL_PAT | RANGE_PAT => {
                if let Some(literal) = node.descendants().find(|it| it.kind() == LITERAL)
                    && self.table.is_variable(of)
                {
                    let known = self.literal(literal);
                    self.table.try_unify(of, known);
                }
            }
            MACRO_PAT => {
                if let Some(call) = node.child(MACRO_CALL)
                    && let Some(tree) =
                        self.context.expand.expand(self.module, self.tree, call, Form::Pattern)
                {
                    self.inside(tree, |body, root| body.pattern_in(root, of, mode));
                }
            }
            _ => {}
        }
        self.depth -= 1;
    }

    /// References are looked through, and what is bound inside is bound by reference.
    fn looked_through(&mut self, of: TypeId, mode: Mode) -> (TypeId, Mode) {
        let mut of = self.table.shallow(of);
        if self.table.is_variable(of) {
            self.select_pending();
            of = self.table.shallow(of);
        }
        let mut mode = mode;
        for _ in 0..8 {
            let Type::Reference(mutable, inner) = *self.table.of(of) else { break };
            mode = Some(mutable && mode != Some(false));
            of = self.table.shallow(inner);
        }
        (of, mode)
    }

    fn identifier(&mut self, node: Node<'a>, of: TypeId, mode: Mode) {
        let Some(name) = node.name().map(Symbol::new) else { return };
        let inner = patterns(node).next();
        let plain = inner.is_none() && !node.has(SyntaxKind::REF_KW) && !node.has(SyntaxKind::MUT_KW);
        if plain && self.is_constant(name, of) {
            return;
        }
        let bound = match (node.has(SyntaxKind::REF_KW), mode) {
            (true, _) => self.table.add(Type::Reference(node.has(SyntaxKind::MUT_KW), of)),
            (false, Some(mutable)) if !matches!(inner.map(|it| it.kind()), Some(SyntaxKind::REST_PAT)) => {
                self.table.add(Type::Reference(mutable, of))
            }
            (false, Some(mutable)) => self.table.add(Type::Reference(mutable, of)),
            (false, None) => of,
        };
        if let Some(inner) = inner {
            self.pattern_in(inner, of, mode);
        }
        if mode.is_none() && !node.has(SyntaxKind::REF_KW) {
            let line = self.line(node);
            self.bound_by_value(bound, line);
        }
        self.locals.push((name, bound));
    }

    /// Whether a name alone is a unit variant, unit struct or constant rather than a new name.
    fn is_constant(&mut self, name: Symbol, of: TypeId) -> bool {
        let view = self.view();
        let found = paths::resolve_path(
            view.universe,
            view.current,
            view.index,
            self.module,
            &[name],
            false,
            Namespace::Values,
        );
        let PathOutcome::Found(definition, 0) = found else { return false };
        match definition {
            Definition::Variant(adt, _) => {
                self.know_adt(adt, of);
                true
            }
            Definition::Adt(adt) => {
                let is_unit =
                    view.adt(adt).variants.first().is_some_and(|it| !it.tuple && it.fields.is_empty());
                if is_unit {
                    self.know_adt(adt, of);
                }
                is_unit
            }
            Definition::Value(id) => !view.value(id).is_static,
            _ => false,
        }
    }

    fn know_adt(&mut self, adt: AdtId, of: TypeId) -> Vec<TypeId> {
        if let Type::Adt(known, arguments) = self.table.of(of).clone()
            && known == adt
        {
            return arguments.into();
        }
        let arguments = self.table.variables(self.view().adt(adt).generics.parameters.len());
        let known = self.table.add(Type::Adt(adt, arguments.clone().into()));
        self.table.try_unify(of, known);
        arguments
    }

    fn tuple(&mut self, node: Node<'a>, of: TypeId, mode: Mode) {
        let parts: Vec<Node<'a>> = patterns(node).collect();
        let rest = parts.iter().position(|it| it.kind() == SyntaxKind::REST_PAT);
        if self.table.is_variable(of) && rest.is_none() {
            let fresh = self.table.variables(parts.len());
            let tuple = self.table.add(Type::Tuple(fresh.into()));
            self.table.unify(of, tuple);
        }
        let types = match self.table.of(of).clone() {
            Type::Tuple(types) => types.to_vec(),
            _ => Vec::new(),
        };
        self.in_order(&parts, rest, &types, mode);
    }

    /// Patterns against types in order; those behind `..` count from the end.
    fn in_order(&mut self, parts: &[Node<'a>], rest: Option<usize>, types: &[TypeId], mode: Mode) {
        for (number, part) in parts.iter().enumerate() {
            let place = match rest {
                Some(rest) if number == rest => continue,
                Some(rest) if number > rest => (types.len() + number).checked_sub(parts.len()),
                _ => Some(number),
            };
            let of = place.and_then(|it| types.get(it)).copied().unwrap_or(TypeId::UNKNOWN);
            self.pattern_in(*part, of, mode);
        }
    }

    fn slice(&mut self, node: Node<'a>, of: TypeId, mode: Mode) {
        let element = match self.table.of(of).clone() {
            Type::Slice(element) | Type::Array(element) => element,
            _ => TypeId::UNKNOWN,
        };
        let slice = self.table.add(Type::Slice(element));
        for part in patterns(node) {
            let is_rest = part.kind() == SyntaxKind::IDENT_PAT
                && patterns(part).next().is_some_and(|it| it.kind() == SyntaxKind::REST_PAT);
            self.pattern_in(part, if is_rest { slice } else { element }, mode);
        }
    }

    /// `Path(…)` and `Path { … }`.
    fn fields_of(&mut self, node: Node<'a>, of: TypeId, mode: Mode) {
        let named = node.child(SyntaxKind::PATH).and_then(|path| self.named_variant(path));
        let (fields, arguments, krate) = match named {
            Some((adt, variant)) => {
                let arguments = self.know_adt(adt, of);
                let data = self.view().adt(adt);
                let fields =
                    data.variants.get(variant as usize).map(|it| it.fields.clone()).unwrap_or_default();
                (fields, arguments, Some(adt.krate))
            }
            None => (Vec::new(), Vec::new(), None),
        };
        let types: Vec<(Symbol, TypeId)> = fields
            .iter()
            .map(|(name, field)| {
                let from = krate.map(|it| &self.view().krate(it).types);
                let copied = match from {
                    Some(from) => substitute::copy(Some(from), *field, &arguments, &mut self.table.pool),
                    None => TypeId::UNKNOWN,
                };
                (*name, self.normalized(copied))
            })
            .collect();
        if node.kind() == SyntaxKind::TUPLE_STRUCT_PAT {
            let parts: Vec<Node<'a>> = patterns(node).collect();
            let rest = parts.iter().position(|it| it.kind() == SyntaxKind::REST_PAT);
            let types: Vec<TypeId> = types.iter().map(|it| it.1).collect();
            return self.in_order(&parts, rest, &types, mode);
        }
        let Some(list) = node.child(SyntaxKind::RECORD_PAT_FIELD_LIST) else { return };
        for field in list.children().filter(|it| it.kind() == SyntaxKind::RECORD_PAT_FIELD) {
            let Some(pattern) = patterns(field).next() else { continue };
            let name = match field.child(SyntaxKind::NAME_REF) {
                Some(name) => Some(Symbol::new(name.text())),
                None => pattern.name().map(Symbol::new),
            };
            let of = types.iter().find(|(it, _)| Some(*it) == name).map_or(TypeId::UNKNOWN, |it| it.1);
            if field.has(SyntaxKind::NAME_REF) {
                self.pattern_in(pattern, of, mode);
            } else if let Some(name) = name {
                // `Path { name }` binds, whatever else has that name.
                let bound = match (pattern.has(SyntaxKind::REF_KW), mode) {
                    (true, _) => self.table.add(Type::Reference(pattern.has(SyntaxKind::MUT_KW), of)),
                    (false, Some(mutable)) => self.table.add(Type::Reference(mutable, of)),
                    (false, None) => of,
                };
                self.locals.push((name, bound));
            }
        }
    }

    /// The struct or variant that a path in a pattern or a struct expression names.
    pub(super) fn named_variant(&mut self, path: Node<'a>) -> Option<(AdtId, u32)> {
        let (segments, leading) = segments(path);
        let first = segments.first()?;
        let is_self = first.name.is_some_and(|it| it.as_str() == "Self");
        if !is_self && first.name.is_some() {
            let names: Vec<Symbol> = segments.iter().filter_map(|it| it.name).collect();
            for namespace in [Namespace::Types, Namespace::Values] {
                match self.resolve(&names, leading, namespace) {
                    PathOutcome::Found(Definition::Adt(adt), 0) => return Some((adt, 0)),
                    PathOutcome::Found(Definition::Variant(adt, variant), 0) => return Some((adt, variant)),
                    _ => {}
                }
            }
        }
        // `Self`, `Self::Variant`, an alias, `Alias::Variant`.
        for behind in [0, 1] {
            let (before, last) = segments.split_at(segments.len().checked_sub(behind)?);
            let of = self.with_lowering(|lowering| {
                let (of, used) = lowering.prefix(before, leading)?;
                (used == before.len()).then_some(of)
            });
            let Some(of) = of else { continue };
            let of = self.normalized(of);
            let Type::Adt(adt, _) = *self.table.of(of) else { continue };
            let data = self.view().adt(adt);
            let name = match last.first() {
                Some(last) => last.name?,
                None => return Some((adt, 0)),
            };
            let variant = data.variants.iter().position(|it| it.name == name)?;
            return Some((adt, variant as u32));
        }
        None
    }
}

/// Patterns directly inside.
pub(super) fn patterns(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.children().filter(|it| is_pattern(it.kind()))
}
