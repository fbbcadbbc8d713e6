//! Operators, indices, ranges, casts and formats: values of values.

use std::rc::Rc;

use cratekeeper_model::facts::Decoding;

use super::super::ir::{Id, Operator, Piece, PieceFormat, Text};
use super::super::machine::Found;
use super::super::value::{Known, Steps, Taints, Value};
use super::{Frame, ITERATIONS, Machine, TEXT};

impl<'p> Machine<'p> {
    pub(super) fn binary(
        &mut self,
        frame: &mut Frame,
        line: u32,
        operator: Operator,
        left: Id,
        right: Id,
    ) -> Value {
        let first = self.evaluate(frame, left);
        let second = self.evaluate(frame, right);
        let mut value = self.found.combined(operator, &first, &second);
        if operator.is_comparison() {
            self.ask_for_tools(frame, line, &mut value, &[&first, &second]);
        }
        if operator == Operator::Add {
            self.note(frame, line, &value);
        }
        value
    }

    pub(super) fn format(&mut self, frame: &mut Frame, pieces: &'p [Piece]) -> Value {
        let mut text = String::new();
        let mut whole = true;
        let mut result = Value::default();
        let mut parts = 0;
        let mut template = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(piece) => {
                    text.push_str(piece);
                    template.push_str(piece);
                    parts += 1;
                }
                Piece::Value(id, format) => {
                    template.push_str("{}");
                    let value = self.evaluate(frame, *id);
                    result.taints.add(&value.taints);
                    result.operation = result.operation.or(value.operation);
                    result.steps = result.steps.and(value.steps);
                    if *format == PieceFormat::Hexadecimal {
                        result.taints = result.taints.transformed(Decoding::Hex);
                    }
                    match value.as_text().filter(|_| *format == PieceFormat::Plain) {
                        Some((piece, piece_whole)) => {
                            result.visible |=
                                if value.steps.is_empty() { self.found.bits(&piece) } else { value.visible };
                            text.push_str(&piece);
                            whole &= piece_whole;
                            parts += 1;
                        }
                        None => {
                            text.push_str("{}");
                            whole = false;
                        }
                    }
                }
            }
            if text.len() > TEXT {
                return Value { known: Known::Nothing, ..result };
            }
        }
        // Whoever reads `http://{}` sees an address, whatever is written into it.
        result.visible |= self.found.bits(&template.into());
        if parts > 1 {
            result.steps = result.steps.with(Decoding::Joined);
        }
        result.known = Known::Text(text.into(), whole);
        // The result of a format is a text, not the thing that was written into it.
        result.operation = None;
        result
    }
}

impl Found {
    /// The value of a binary expression.
    pub(in crate::flow) fn combined(&mut self, operator: Operator, first: &Value, second: &Value) -> Value {
        let mut result = Value::default();
        result.taints.add(&first.taints);
        result.taints.add(&second.taints);
        result.steps = first.steps.and(second.steps);
        if operator == Operator::Xor {
            result.taints = result.taints.transformed(Decoding::Xor);
        }
        if operator.is_comparison() {
            result.known = compared(operator, first, second).map_or(Known::Nothing, Known::Boolean);
            result.steps = Steps::default();
            return result;
        }
        if let (Operator::BothTrue | Operator::EitherTrue, Some(left), Some(right)) =
            (operator, first.boolean(), second.boolean())
        {
            result.known =
                Known::Boolean(if operator == Operator::BothTrue { left && right } else { left || right });
            return result;
        }
        let is_text = |value: &Value| matches!(value.known, Known::Text(..));
        if operator == Operator::Add && (is_text(first) || is_text(second)) {
            return self.concatenated(&[first.clone(), second.clone()]);
        }
        if operator == Operator::Or && (is_text(first) || is_text(second)) {
            let flags: Vec<Text> =
                [first, second].iter().filter(|it| is_text(it)).flat_map(|it| it.texts()).collect();
            result.known = Known::Text(flags.join("|").into(), true);
            return result;
        }
        let (Some(left), Some(right)) = (first.integer(), second.integer()) else { return result };
        let number = match operator {
            Operator::Add => left.wrapping_add(right),
            Operator::Subtract => left.wrapping_sub(right),
            Operator::Multiply => left.wrapping_mul(right),
            Operator::Divide if right != 0 => left.wrapping_div(right),
            Operator::Remainder if right != 0 => left.wrapping_rem(right),
            Operator::Xor => left ^ right,
            Operator::And => left & right,
            Operator::Or => left | right,
            Operator::ShiftLeft => left.wrapping_shl(right as u32),
            Operator::ShiftRight => left.wrapping_shr(right as u32),
            _ => return result,
        };
        let is_byte = |value: &Value| matches!(value.known, Known::Byte(_));
        let bytes = is_byte(first) || is_byte(second);
        // Only what is done to parts of a constant puts a text together; counters are numbers.
        let of_constant = !first.steps.is_empty() || !second.steps.is_empty() || bytes;
        if of_constant {
            result.steps = match operator {
                Operator::Xor => result.steps.with(Decoding::Xor),
                Operator::Add | Operator::Subtract if bytes => result.steps.with(Decoding::Rotated),
                _ => result.steps,
            };
        }
        result.known = if bytes { Known::Byte(number as u8) } else { Known::Integer(number) };
        result
    }

    /// Texts one behind the other; what is not known is `{}`.
    pub(in crate::flow) fn concatenated(&mut self, parts: &[Value]) -> Value {
        let mut text = String::new();
        let mut whole = true;
        let mut result = Value::default();
        for (index, part) in parts.iter().enumerate() {
            result.taints.add(&part.taints);
            result.steps = result.steps.and(part.steps);
            // Before something that is not known, a literal tells as much as it does in a template.
            let is_open = parts.get(index + 1).is_some_and(|next| next.as_text().is_none());
            match part.as_text() {
                Some((piece, piece_whole)) => {
                    result.visible |= match (part.steps.is_empty(), is_open) {
                        (true, false) => self.bits(&piece),
                        (true, true) => self.bits(&format!("{piece}{{}}").into()),
                        (false, _) => part.visible,
                    };
                    text.push_str(&piece);
                    whole &= piece_whole;
                }
                None => {
                    text.push_str("{}");
                    whole = false;
                }
            }
            if text.len() > TEXT {
                return Value { known: Known::Nothing, ..result };
            }
        }
        let known_parts =
            parts.iter().filter(|part| part.as_text().is_some_and(|(text, _)| !text.is_empty())).count();
        if known_parts > 1 {
            result.steps = result.steps.with(Decoding::Joined);
        }
        result.known = if known_parts == 0 { Known::Nothing } else { Known::Text(text.into(), whole) };
        result
    }
}

pub(super) fn compared(operator: Operator, first: &Value, second: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (first.integer(), second.integer()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => {
            let (left, left_whole) = first.as_text()?;
            let (right, right_whole) = second.as_text()?;
            if !left_whole || !right_whole {
                return None;
            }
            left.cmp(&right)
        }
    };
    Some(match operator {
        Operator::Equal => order == Equal,
        Operator::NotEqual => order != Equal,
        Operator::Less => order == Less,
        Operator::LessEqual => order != Greater,
        Operator::Greater => order == Greater,
        _ => order != Less,
    })
}

pub(super) fn indexed(base: &Value, index: &Value) -> Value {
    let at = index.integer().and_then(|it| usize::try_from(it).ok());
    match (&base.known, at) {
        (Known::Bytes(bytes), Some(at)) if at < bytes.len() => base.part(Known::Byte(bytes[at])),
        (Known::Text(text, true), Some(at)) if at < text.len() => base.part(Known::Byte(text.as_bytes()[at])),
        (Known::List(list), Some(at)) if at < list.len() => list[at].clone(),
        (Known::Text(..) | Known::Bytes(_), None) => match &index.known {
            // `text[..]`
            Known::List(range) if range.is_empty() => base.clone(),
            _ => base.shadow(),
        },
        _ => base.shadow(),
    }
}

pub(super) fn cast(value: Value, kind: &str) -> Value {
    let Some(number) = value.integer() else { return value };
    let known = match kind {
        "u8" => Known::Byte(number as u8),
        "char" => match char::from_u32(number as u32) {
            Some(character) => Known::Text(character.to_string().into(), true),
            None => return value.shadow(),
        },
        "u32" | "i32" | "u64" | "i64" | "usize" | "isize" | "u16" | "i16" | "i8" => Known::Integer(number),
        _ => return value,
    };
    value.part(known)
}

pub(super) fn range(start: Option<&Value>, end: Option<&Value>, inclusive: bool) -> Value {
    if start.is_none() && end.is_none() {
        return Value::known(Known::List(Rc::new(Vec::new())));
    }
    let bounds = (start.map_or(Some(0), Value::integer), end.and_then(Value::integer));
    let mut taints = Taints::default();
    for bound in [start, end].into_iter().flatten() {
        taints.add(&bound.taints);
    }
    match bounds {
        (Some(first), Some(last)) => {
            let last = if inclusive { last.saturating_add(1) } else { last };
            let length = usize::try_from(last.saturating_sub(first)).unwrap_or(0);
            if length > ITERATIONS || length == 0 {
                return Value::tainted(taints);
            }
            let numbers = (first..last).map(|it| Value::known(Known::Integer(it))).collect();
            Value { known: Known::List(Rc::new(numbers)), taints, ..Value::default() }
        }
        _ => Value::tainted(taints),
    }
}
