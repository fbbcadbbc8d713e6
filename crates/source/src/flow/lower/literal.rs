//! Literals: text with escapes resolved, numbers, arrays of bytes.

use std::rc::Rc;

use cratekeeper_syntax::{Node, SyntaxKind};

use super::super::ir::Expression;
use crate::literals;

/// Longest text that is folded. Payloads are longer, but nothing more is to be learnt from their end.
const TEXT_BYTES: usize = 64 << 10;

pub(super) fn lower(node: Node<'_, '_>) -> Expression {
    use SyntaxKind::*;
    let Some(token) = node.children().find(|it| it.is_token()) else { return Expression::Parts(Vec::new()) };
    match token.kind() {
        STRING | C_STRING => Expression::Text(text(token.text()).into()),
        BYTE_STRING => match bytes(token.text()) {
            Some(bytes) if bytes.is_ascii() => Expression::Text(String::from_utf8_lossy(&bytes).into()),
            Some(bytes) => Expression::Bytes(bytes.into()),
            None => Expression::Text(text(token.text()).into()),
        },
        CHAR => {
            let inner = token.text().trim_matches('\'');
            Expression::Text(literals::value(&format!("\"{}\"", inner.replace('"', "\\\""))).into())
        }
        BYTE => byte(token.text()).map_or(Expression::Parts(Vec::new()), Expression::Byte),
        INT_NUMBER => integer(token.text()),
        TRUE_KW => Expression::Boolean(true),
        FALSE_KW => Expression::Boolean(false),
        _ => Expression::Parts(Vec::new()),
    }
}

fn text(token: &str) -> String {
    let mut value = literals::value(token);
    value.truncate(value.floor_char_boundary(TEXT_BYTES));
    value
}

/// `b"…"` with bytes that are not text; plain ones are kept as text.
fn bytes(token: &str) -> Option<Vec<u8>> {
    let body = token.strip_prefix("b\"")?.strip_suffix('"')?;
    if token.len() > TEXT_BYTES {
        return None;
    }
    let mut value = Vec::with_capacity(body.len());
    rustc_literal_escaper::unescape_byte_str(body, |_, byte| {
        if let Ok(byte) = byte {
            value.push(byte);
        }
    });
    Some(value)
}

fn byte(token: &str) -> Option<u8> {
    let body = token.strip_prefix("b'")?.strip_suffix('\'')?;
    match bytes(&format!("b\"{}\"", if body == "\"" { "\\\"" } else { body }))?[..] {
        [byte] => Some(byte),
        _ => None,
    }
}

fn integer(token: &str) -> Expression {
    let is_byte = token.ends_with("u8");
    match number(token) {
        Some(value) if is_byte => Expression::Byte(value as u8),
        Some(value) => Expression::Integer(value),
        None => Expression::Parts(Vec::new()),
    }
}

fn number(token: &str) -> Option<i64> {
    let digits: String = token.chars().filter(|it| *it != '_').collect();
    let (radix, rest) = match digits.get(..2) {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        _ => (10, digits.as_str()),
    };
    let end = rest.find(|it: char| it == 'i' || it == 'u' || !it.is_digit(radix)).unwrap_or(rest.len());
    i128::from_str_radix(&rest[..end], radix).ok().map(|value| value as i64)
}

/// An array of numbers below 256, without evaluating each.
pub(super) fn bytes_of_array(array: Node<'_, '_>, limit: usize) -> Option<Rc<[u8]>> {
    use SyntaxKind::*;
    let mut bytes = Vec::new();
    for child in array.children() {
        match child.kind() {
            L_BRACK | R_BRACK | COMMA => {}
            LITERAL => match lower(child) {
                Expression::Byte(value) => bytes.push(value),
                Expression::Integer(value) => bytes.push(u8::try_from(value).ok()?),
                _ => return None,
            },
            _ => return None,
        }
        if bytes.len() > limit {
            break;
        }
    }
    (!bytes.is_empty()).then(|| bytes.into())
}
