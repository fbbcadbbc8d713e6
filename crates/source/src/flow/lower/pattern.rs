//! Patterns: which names get the value, or parts of it.

use cratekeeper_syntax::{Node, SyntaxKind};

use super::super::ir::Pattern;

/// Deepest nesting of patterns that is told apart; names that stand deeper get all of the value.
const DEPTH: u32 = 16;

pub(super) fn is_pattern(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        BOX_PAT
            | CONST_BLOCK_PAT
            | DEREF_PAT
            | IDENT_PAT
            | LITERAL_PAT
            | MACRO_PAT
            | OR_PAT
            | PAREN_PAT
            | PATH_PAT
            | RANGE_PAT
            | RECORD_PAT
            | REF_PAT
            | REST_PAT
            | SLICE_PAT
            | TUPLE_PAT
            | TUPLE_STRUCT_PAT
            | WILDCARD_PAT
    )
}

pub(super) fn lower(node: Node<'_, '_>) -> Pattern {
    lower_at(node, 0)
}

fn lower_at(node: Node<'_, '_>, depth: u32) -> Pattern {
    use SyntaxKind::*;
    let inner = || node.children().filter(|it| is_pattern(it.kind()));
    match node.kind() {
        WILDCARD_PAT | REST_PAT => Pattern::Wildcard,
        IDENT_PAT => {
            let name = node.name().unwrap_or("_");
            // `None` and constants cannot be told from names; they are written differently.
            if name.starts_with(|it: char| it.is_ascii_uppercase()) {
                Pattern::Nothing(name.into())
            } else {
                Pattern::Name(name.into())
            }
        }
        LITERAL_PAT | PATH_PAT | RANGE_PAT | CONST_BLOCK_PAT | MACRO_PAT => {
            Pattern::Nothing(node.plain_text().into())
        }
        _ if depth >= DEPTH => names(node),
        REF_PAT | PAREN_PAT | BOX_PAT | DEREF_PAT => {
            inner().next().map_or(Pattern::Wildcard, |it| lower_at(it, depth + 1))
        }
        TUPLE_PAT => Pattern::Tuple(inner().map(|it| lower_at(it, depth + 1)).collect()),
        TUPLE_STRUCT_PAT => {
            let parts: Vec<_> = inner().collect();
            match parts[..] {
                [part] if node.child(PATH).is_some_and(|it| matches!(it.text(), "Some" | "Ok" | "Err")) => {
                    lower_at(part, depth + 1)
                }
                _ => names(node),
            }
        }
        OR_PAT => {
            let parts: Vec<_> = inner().map(|it| lower_at(it, depth + 1)).collect();
            if parts.iter().all(|it| matches!(it, Pattern::Nothing(_))) {
                Pattern::Nothing(node.plain_text().into())
            } else {
                names(node)
            }
        }
        _ => names(node),
    }
}

fn names(node: Node<'_, '_>) -> Pattern {
    let found = node.descendants().filter(|it| it.kind() == SyntaxKind::IDENT_PAT).filter_map(Node::name);
    // `Config { token, .. }` binds by shorthand: its names are name references in some positions.
    Pattern::Names(
        found
            .filter(|it| !it.starts_with(|first: char| first.is_ascii_uppercase()))
            .take(64)
            .map(Into::into)
            .collect(),
    )
}
