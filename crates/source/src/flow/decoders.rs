//! Decoders of base64 and hexadecimal digits that are written by hand.
//!
//! There are too many ways to write one to run them all. What they have in common is arithmetic: the digits of a constant
//! alphabet, or ranges of letters, become numbers that are shifted by six or by four bits. Where a statement does that to
//! constant digits, the text is decoded here, with the alphabet that was found. Encoders shift the other way.

use std::rc::Rc;

use super::ir::{Expression, Id, Ir, Node, Operator, Pattern};

/// Shortest text that is decoded: shorter ones say nothing, and words are digits too.
const SHORTEST: usize = 8;
/// Longest text that is decoded.
const LONGEST: usize = 64 << 10;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// How digits become bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Digits {
    /// Six bits each, by the place in this alphabet.
    Base64(Rc<[u8]>),
    Hexadecimal,
}

/// The places of a body where digits are shifted.
#[derive(Debug, Default)]
pub(super) struct Shifts {
    by_six: Vec<Id>,
    by_four: Vec<Id>,
}

impl Shifts {
    pub(super) fn of(ir: &Ir, first: Id, last: Id) -> Shifts {
        let mut shifts = Shifts::default();
        for id in first..=last {
            match ir.nodes.get(id as usize).and_then(|node| shifted(ir, &node.expression)) {
                Some(6) => shifts.by_six.push(id),
                Some(4) => shifts.by_four.push(id),
                _ => {}
            }
        }
        shifts
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_six.is_empty() && self.by_four.is_empty()
    }

    /// Whether there is one by six, and one by four, between two expressions.
    pub(super) fn between(&self, first: Id, last: Id) -> (bool, bool) {
        let has =
            |list: &[Id]| list.get(list.partition_point(|it| *it < first)).is_some_and(|it| *it <= last);
        (has(&self.by_six), has(&self.by_four))
    }
}

/// Bits that an expression shifts to the left by: `<< 6`, `* 64`.
fn shifted(ir: &Ir, expression: &Expression) -> Option<i64> {
    let (Expression::Binary(operator, _, right) | Expression::Assign(Some(operator), _, right)) = expression
    else {
        return None;
    };
    let by = match &ir.nodes.get(*right as usize)?.expression {
        Expression::Integer(value) => *value,
        Expression::Byte(value) => i64::from(*value),
        _ => return None,
    };
    match (operator, by) {
        (Operator::ShiftLeft, by) => Some(by),
        (Operator::Multiply, 64) => Some(6),
        (Operator::Multiply, 16) => Some(4),
        _ => None,
    }
}

/// What the expressions of a function say about its digits.
#[derive(Debug, Default)]
pub(super) struct Clues {
    ranges: u8,
    asks_for_digits: bool,
    alphabet: Option<Rc<[u8]>>,
}

const LARGE: u8 = 1;
const SMALL: u8 = 2;
const NUMBERS: u8 = 4;
const SMALL_HEXADECIMAL: u8 = 8;

impl Clues {
    pub(super) fn node(&mut self, ir: &Ir, node: &Node) {
        match &node.expression {
            Expression::Text(text) => self.constant(text.as_bytes()),
            Expression::Bytes(bytes) => self.constant(bytes),
            Expression::Method(_, name, arguments) if &**name == "to_digit" => {
                let radix =
                    arguments.first().and_then(|it| ir.nodes.get(*it as usize)).map(|it| &it.expression);
                self.asks_for_digits |= matches!(radix, Some(Expression::Integer(16)));
            }
            Expression::Match(_, arms) => arms.iter().for_each(|arm| self.pattern(&arm.pattern)),
            Expression::Matches(pattern, _) => self.pattern(pattern),
            Expression::Range(Some(start), Some(end), _) => {
                let at = |id: &Id| character(&ir.nodes.get(*id as usize)?.expression);
                if let (Some(start), Some(end)) = (at(start), at(end)) {
                    self.range(start, end);
                }
            }
            Expression::Binary(operator, _, right) if operator.is_comparison() => {
                // `c >= b'a' && c <= b'z'`: the first letter is enough.
                match ir.nodes.get(*right as usize).and_then(|it| character(&it.expression)) {
                    Some(b'A') => self.ranges |= LARGE,
                    Some(b'a') => self.ranges |= SMALL,
                    Some(b'0') => self.ranges |= NUMBERS,
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern) {
        let Pattern::Nothing(text) = pattern else { return };
        for part in text.split('|') {
            let Some((start, end)) = part.split_once("..=") else { continue };
            let character =
                |text: &str| text.trim().trim_start_matches('b').trim_matches('\'').bytes().next();
            if let (Some(start), Some(end)) = (character(start), character(end)) {
                self.range(start, end);
            }
        }
    }

    fn range(&mut self, start: u8, end: u8) {
        self.ranges |= match (start, end) {
            (b'A', b'Z') => LARGE,
            (b'a', b'z') => SMALL,
            (b'0', b'9') => NUMBERS,
            (b'a', b'f') => SMALL_HEXADECIMAL,
            _ => 0,
        };
    }

    /// A constant that may be an alphabet, or the table that is one the other way round.
    pub(super) fn constant(&mut self, bytes: &[u8]) {
        if self.alphabet.is_none() {
            self.alphabet = alphabet(bytes).map(Into::into);
        }
    }

    /// The digits that these clues are of, where numbers are shifted by six or by four bits.
    pub(super) fn digits(&self, by_six: bool, by_four: bool) -> Option<Digits> {
        if by_six {
            if let Some(alphabet) = self.alphabet.as_ref().filter(|it| it.len() == 64) {
                return Some(Digits::Base64(alphabet.clone()));
            }
            if self.ranges & (LARGE | SMALL | NUMBERS) == LARGE | SMALL | NUMBERS {
                return Some(Digits::Base64(BASE64.as_slice().into()));
            }
        }
        let is_hexadecimal = self.asks_for_digits
            || self.ranges & (NUMBERS | SMALL_HEXADECIMAL) == NUMBERS | SMALL_HEXADECIMAL
            || self.alphabet.as_ref().is_some_and(|it| it.len() == 16);
        (by_four && is_hexadecimal).then_some(Digits::Hexadecimal)
    }
}

fn character(expression: &Expression) -> Option<u8> {
    match expression {
        Expression::Byte(byte) => Some(*byte),
        Expression::Text(text) if text.len() == 1 => text.bytes().next(),
        _ => None,
    }
}

/// The alphabet that a constant is: 64 or 16 different signs, perhaps with the one for padding behind, or for each sign its number.
fn alphabet(bytes: &[u8]) -> Option<Vec<u8>> {
    if matches!(bytes.len(), 64 | 65 | 16) {
        let signs = &bytes[..bytes.len() & !1];
        let mut seen = [false; 256];
        let all_differ = signs.iter().all(|sign| !std::mem::replace(&mut seen[usize::from(*sign)], true));
        return (all_differ && signs.iter().all(u8::is_ascii_graphic)).then(|| signs.to_vec());
    }
    if !matches!(bytes.len(), 123..=256) {
        return None;
    }
    let mut signs = vec![0; 64];
    for (sign, number) in bytes.iter().enumerate().take(127).filter(|(sign, _)| *sign > 32) {
        // Zero may stand for all that is no sign; it is that of `A` then.
        if let Some(place) = signs.get_mut(usize::from(*number)).filter(|it| **it == 0 || *number == 0) {
            *place = if *number == 0 { b'A' } else { sign as u8 };
        }
    }
    signs.iter().all(|sign| *sign != 0).then_some(signs)
}

/// The text that digits spell; `None` if it is none.
pub(super) fn decode(digits: &Digits, text: &[u8]) -> Option<String> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let text = &text[..end];
    if !(SHORTEST..=LONGEST).contains(&text.len()) {
        return None;
    }
    let bytes = match digits {
        Digits::Hexadecimal => super::folding::hex(text)?,
        Digits::Base64(alphabet) if text == &**alphabet => return None,
        Digits::Base64(alphabet) => {
            let mut numbers = [u8::MAX; 256];
            for (number, sign) in alphabet.iter().enumerate() {
                numbers[usize::from(*sign)] = number as u8;
            }
            let mut standard = Vec::with_capacity(text.len());
            for byte in text.iter().filter(|byte| !byte.is_ascii_whitespace()) {
                standard.push(*BASE64.get(usize::from(numbers[usize::from(*byte)]))?);
            }
            super::folding::base64(&standard)?
        }
    };
    super::folding::printable(&bytes).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphabets_are_found_as_they_are_and_as_tables() {
        assert_eq!(alphabet(BASE64).as_deref(), Some(BASE64.as_slice()));
        let padded = [BASE64.as_slice(), b"="].concat();
        assert_eq!(alphabet(&padded).as_deref(), Some(BASE64.as_slice()));
        let mut table = vec![255; 256];
        for (number, sign) in BASE64.iter().enumerate() {
            table[usize::from(*sign)] = number as u8;
        }
        assert_eq!(alphabet(&table).as_deref(), Some(BASE64.as_slice()));
        assert_eq!(alphabet(&[7; 64]), None);
        assert_eq!(alphabet(&[7; 256]), None);
        assert_eq!(alphabet(b"abc"), None);
    }

    #[test]
    fn own_alphabets_are_used() {
        let turned: Vec<u8> = BASE64.iter().rev().copied().collect();
        let text: Vec<u8> = b"aHR0cDovLzEyNy4wLjAuMTo5Lw=="
            .iter()
            .map(|byte| BASE64.iter().position(|it| it == byte).map_or(b'=', |at| turned[at]))
            .collect();
        let digits = Digits::Base64(turned.as_slice().into());
        assert_eq!(decode(&digits, &text).as_deref(), Some("http://127.0.0.1:9/"));
        assert_eq!(decode(&digits, &turned), None);
        assert_eq!(decode(&Digits::Hexadecimal, b"686f7374").as_deref(), Some("host"));
        assert_eq!(decode(&Digits::Hexadecimal, b"noon noon"), None);
    }
}
