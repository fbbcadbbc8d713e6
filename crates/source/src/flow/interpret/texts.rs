//! Methods of texts, paths and numbers: what can be worked out, and how it was put together.

use std::rc::Rc;

use cratekeeper_model::facts::Decoding;

use super::super::ir::Id;
use super::super::machine::Found;
use super::super::value::{Known, Value};
use super::{Frame, ITERATIONS, Machine, TEXT, joined};

impl<'p> Machine<'p> {
    /// Methods of texts and numbers whose result can be worked out.
    pub(super) fn text_method(
        &mut self,
        frame: &mut Frame,
        receiver: Id,
        target: &Value,
        name: &str,
        values: &[Value],
    ) -> Option<Value> {
        let first = values.first();
        match name {
            "to_string" | "to_owned" | "into" | "as_str" | "as_ref" | "as_mut" | "clone" | "cloned"
            | "copied" | "unwrap" | "expect" | "ok" | "unwrap_or_default" | "iter" | "into_iter"
            | "iter_mut" | "as_bytes" | "into_bytes" | "to_vec" | "as_slice" | "borrow" | "borrow_mut"
            | "to_path_buf" | "as_path" | "as_os_str" | "into_string" | "to_str" | "to_string_lossy"
            | "into_owned" | "into_boxed_str" | "as_deref" | "try_into" | "by_ref" | "as_ptr"
            | "as_mut_ptr" | "to_vec_in" | "into_os_string" | "deref" | "leak" | "display" | "lock"
            | "into_inner" | "peekable" | "fuse" | "into_vec" | "unwrap_unchecked" | "as_c_str"
            | "to_bytes" | "as_mut_slice" | "take" | "ok_or" | "ok_or_else" | "map_err" | "context"
            | "with_context" | "inspect_err" | "flatten" | "flatten_ok" | "filter" | "follow_links"
            | "path" | "into_path" | "min_depth" | "max_depth" | "standard_filters" | "hidden" | "build"
            | "sort" | "sorted"
                if name != "take" || values.is_empty() =>
            {
                return Some(target.clone());
            }
            "unwrap_or" | "or" => {
                let other = first.cloned().unwrap_or_default();
                return Some(if target.is_known() {
                    joined(target.clone(), other.shadow())
                } else {
                    joined(target.clone(), other)
                });
            }
            "unwrap_or_else" | "or_else" | "and_then" | "map" | "map_or" | "map_or_else" | "then"
            | "filter_map" | "inspect" | "get_or_init" | "get_or_insert_with" | "call_once" => {
                let result = values.last().cloned().unwrap_or_default();
                let keeps = matches!(name, "unwrap_or_else" | "or_else" | "inspect");
                let mut value = if keeps {
                    joined(target.clone(), result)
                } else {
                    Value { operation: result.operation.or(target.operation), ..result }
                };
                if !keeps && values.last().is_none_or(|it| !it.is_known()) {
                    value.taints.add(&target.taints);
                }
                return Some(value);
            }
            "join" | "push" | "push_str" | "extend" | "extend_from_slice" | "append" | "insert"
            | "insert_str" | "set_file_name" | "with_extension" | "with_file_name" | "concat"
            | "write_str" | "set_extension" | "push_back" | "write_all" | "put_slice" => {
                return self.put_together(frame, receiver, target, name, values);
            }
            "rev" => return None,
            "to_lowercase" | "to_ascii_lowercase" | "to_uppercase" | "to_ascii_uppercase" | "trim"
            | "trim_end" | "trim_start" => {
                let Some((text, whole)) =
                    target.as_text().filter(|_| matches!(target.known, Known::Text(..)))
                else {
                    return Some(target.clone());
                };
                let changed = match name {
                    "to_lowercase" | "to_ascii_lowercase" => text.to_lowercase(),
                    "to_uppercase" | "to_ascii_uppercase" => text.to_uppercase(),
                    _ => text.trim().to_owned(),
                };
                return Some(target.part(Known::Text(changed.into(), whole)));
            }
            "replace" | "replacen" | "trim_start_matches" | "trim_end_matches" | "trim_matches"
            | "strip_prefix" | "strip_suffix" => {
                return Some(replaced(&mut self.found, target, name, values));
            }
            "repeat" => {
                let (text, whole) = target.as_text()?;
                let count = usize::try_from(first?.integer()?).ok()?;
                if text.len().saturating_mul(count) > 4096 {
                    return None;
                }
                return Some(target.part(Known::Text(text.repeat(count).into(), whole)));
            }
            "len" | "count" => {
                let length = match &target.known {
                    Known::Text(text, true) => text.len(),
                    Known::Bytes(bytes) if !bytes.is_empty() => bytes.len(),
                    Known::List(list) => list.len(),
                    _ => return None,
                };
                return Some(Value::known(Known::Integer(length as i64)));
            }
            "is_empty"
            | "contains"
            | "starts_with"
            | "ends_with"
            | "is_ok"
            | "is_err"
            | "is_some"
            | "is_none"
            | "eq"
            | "ne"
            | "eq_ignore_ascii_case"
            | "any"
            | "all"
            | "is_some_and"
            | "is_ok_and" => {
                let mut value = Value {
                    operation: target.operation,
                    kind: target.kind.clone(),
                    ..Value::tainted(target.taints.clone())
                };
                for argument in values {
                    value.taints.add(&argument.taints);
                }
                return Some(value);
            }
            _ => {}
        }
        number_method(target, name, first)
    }

    /// Puts values together, in place or as a new one.
    pub(super) fn put_together(
        &mut self,
        frame: &mut Frame,
        receiver: Id,
        target: &Value,
        name: &str,
        values: &[Value],
    ) -> Option<Value> {
        let is_path = |text: &str| text.starts_with(['/', '{', '.', '~']) || text.contains('/');
        match name {
            "concat" => Some(self.concat_list(target, "")),
            "join" if matches!(target.known, Known::List(_)) => {
                let separator = values
                    .first()
                    .and_then(Value::as_text)
                    .map_or_else(|| "{}".to_owned(), |it| it.0.to_string());
                Some(self.concat_list(target, &separator))
            }
            "join" | "with_file_name" => {
                let added = values.first()?;
                // Lines and lists are joined by signs, paths by names.
                if name == "join"
                    && added.as_text().is_some_and(|(text, _)| {
                        !text.contains(char::is_alphanumeric) && !text.contains("{}")
                    })
                {
                    return Some(target.clone());
                }
                let mut parts = vec![target.clone()];
                if !matches!(added.as_text(), Some((text, _)) if text.starts_with('/')) {
                    parts.push(Value { visible: 0, ..Value::text("/") });
                } else {
                    parts.clear();
                }
                parts.push(added.clone());
                let mut value = self.found.concatenated(&parts);
                value.taints.add(&target.taints);
                // A path of parts is no secret; only what the parts are may be.
                if target.steps.is_empty() && added.steps.is_empty() {
                    value.steps = Default::default();
                }
                Some(value)
            }
            "with_extension" | "set_extension" => {
                let value = target.shadow();
                Some(match (target.as_text(), values.first().and_then(Value::as_text)) {
                    (Some((text, whole)), Some((extension, _))) => {
                        let stem = text
                            .rfind('.')
                            .filter(|at| !text[*at..].contains('/'))
                            .map_or(&*text, |at| &text[..at]);
                        Value {
                            known: Known::Text(format!("{stem}.{extension}").into(), whole),
                            ..target.clone()
                        }
                    }
                    _ => value,
                })
            }
            "write_all" | "put_slice" if target.operation.is_some() => {
                for value in values {
                    self.data_into(frame, target, value);
                }
                Some(target.shadow())
            }
            _ => {
                let added = values.last().cloned().unwrap_or_default();
                let as_part = matches!(name, "push" | "set_file_name")
                    && matches!(target.known, Known::Text(..))
                    && target.as_text().is_some_and(|(text, _)| is_path(&text))
                    && added.as_text().is_some_and(|(text, _)| text.chars().count() > 1);
                if as_part {
                    let joined = self.put_together(frame, receiver, target, "join", values)?;
                    if let Some(name) = self.variable(frame, receiver) {
                        frame.names.change(name, |variable| *variable = joined);
                    }
                    return Some(Value::default());
                }
                self.append_to(frame, receiver, &added);
                Some(Value::default())
            }
        }
    }

    /// `text.push_str(value)`: the variable holds more now.
    pub(super) fn append_to(&mut self, frame: &mut Frame, place: Id, added: &Value) {
        let uncertain = frame.uncertain > 0;
        let Some(name) = self.variable(frame, place) else {
            self.mix_into(frame, place, added);
            return;
        };
        let found = &mut self.found;
        frame.names.change(name, |variable| append(found, variable, added, uncertain));
    }

    pub(super) fn concat_list(&mut self, target: &Value, separator: &str) -> Value {
        let Known::List(list) = &target.known else {
            return Value { known: target.known.clone(), ..target.clone() };
        };
        let mut parts = Vec::with_capacity(2 * list.len());
        for (at, part) in list.iter().enumerate() {
            if at > 0 && !separator.is_empty() {
                parts.push(Value::text(separator));
            }
            parts.push(part.clone());
        }
        let all_bytes: Option<Vec<_>> = list
            .iter()
            .map(|it| if matches!(it.known, Known::Bytes(_)) { it.as_bytes() } else { None })
            .collect();
        if let Some(all) = all_bytes.filter(|it| !it.is_empty()) {
            let bytes: Vec<u8> = all.iter().flat_map(|it| it.iter().copied()).collect();
            return target.part(Known::Bytes(bytes.into())).with_step(Decoding::Joined);
        }
        let mut value = self.found.concatenated(&parts);
        value.taints.add(&target.taints);
        value
    }
}

/// Lets a variable hold more.
pub(super) fn append(found: &mut Found, variable: &mut Value, added: &Value, uncertain: bool) {
    if uncertain && !added.is_known() {
        variable.taints.add(&added.taints);
        variable.steps = variable.steps.and(added.steps);
        return;
    }
    let operation = variable.operation;
    let kind = variable.kind.clone();
    *variable = match &variable.known {
        Known::List(list) if list.len() < ITERATIONS => {
            let mut list = list.clone();
            let appended = Rc::make_mut(&mut list);
            match &added.known {
                Known::List(more) => appended.extend(more.iter().take(ITERATIONS).cloned()),
                _ => appended.push(added.clone()),
            }
            let mut value = variable.part(Known::List(list));
            value.taints.add(&added.taints);
            value.steps = value.steps.and(added.steps);
            value
        }
        Known::Bytes(bytes) => {
            let mut value = variable.clone();
            value.taints.add(&added.taints);
            value.steps = value.steps.and(added.steps);
            value.known = match (added.integer(), added.as_bytes()) {
                _ if bytes.len() > TEXT => Known::Nothing,
                (Some(byte), _) => Known::Bytes([&bytes[..], &[byte as u8]].concat().into()),
                (None, Some(more)) => Known::Bytes([&bytes[..], &more[..]].concat().into()),
                _ => Known::Nothing,
            };
            value
        }
        Known::Text(text, _) if text.is_empty() && added.is_known() => added.clone(),
        _ => {
            let mut value = found.concatenated(&[variable.clone(), added.clone()]);
            // Characters that come one by one out of a constant are one part.
            if added.as_text().is_some_and(|(text, _)| text.chars().nth(1).is_none() && !text.is_empty())
                && !added.steps.is_empty()
            {
                value.steps = variable.steps.and(added.steps);
            }
            value
        }
    };
    variable.operation = operation.or(variable.operation);
    variable.kind = kind;
}

/// Longest text that a replacement may make, in bytes.
const REPLACED: usize = 64 << 10;

pub(super) fn replaced(found: &mut Found, target: &Value, name: &str, values: &[Value]) -> Value {
    let shadow = || Value { taints: target.taints.transformed(Decoding::Replaced), ..target.shadow() };
    let (Some((text, whole)), Some((from, _))) = (target.as_text(), values.first().and_then(Value::as_text))
    else {
        return shadow();
    };
    if from.is_empty() || !matches!(target.known, Known::Text(..)) {
        return target.clone();
    }
    let changed = match name {
        "replace" | "replacen" => {
            let Some((to, _)) = values.get(1).and_then(Value::as_text) else { return shadow() };
            if text.len() + text.matches(&*from).count().saturating_mul(to.len()) > REPLACED {
                return shadow();
            }
            text.replace(&*from, &to)
        }
        "trim_start_matches" | "strip_prefix" => text.trim_start_matches(&*from).to_owned(),
        "trim_end_matches" | "strip_suffix" => text.trim_end_matches(&*from).to_owned(),
        _ => text.trim_start_matches(&*from).trim_end_matches(&*from).to_owned(),
    };
    if changed == *text {
        return target.clone();
    }
    let visible = target.visible | found.bits(&text);
    Value { visible, ..target.part(Known::Text(changed.into(), whole)) }.with_step(Decoding::Replaced)
}

pub(super) fn number_method(target: &Value, name: &str, first: Option<&Value>) -> Option<Value> {
    let is_byte = matches!(target.known, Known::Byte(_));
    let left = target.integer()?;
    let right = first.and_then(Value::integer);
    let (number, step) = match (name, right) {
        ("wrapping_sub" | "saturating_sub" | "checked_sub" | "overflowing_sub", Some(right)) => {
            (left.wrapping_sub(right), Decoding::Rotated)
        }
        ("wrapping_add" | "saturating_add" | "checked_add" | "overflowing_add", Some(right)) => {
            (left.wrapping_add(right), Decoding::Rotated)
        }
        ("bitxor", Some(right)) => (left ^ right, Decoding::Xor),
        ("wrapping_mul", Some(right)) => (left.wrapping_mul(right), Decoding::Rotated),
        ("rotate_left", Some(right)) if is_byte => {
            (i64::from((left as u8).rotate_left(right as u32 & 7)), Decoding::Rotated)
        }
        ("rotate_right", Some(right)) if is_byte => {
            (i64::from((left as u8).rotate_right(right as u32 & 7)), Decoding::Rotated)
        }
        ("reverse_bits", None) if is_byte => (i64::from((left as u8).reverse_bits()), Decoding::Rotated),
        ("rem_euclid", Some(right)) if right != 0 => (left.rem_euclid(right), Decoding::Rotated),
        _ => return None,
    };
    let mut value = target.part(if is_byte { Known::Byte(number as u8) } else { Known::Integer(number) });
    if is_byte || !target.steps.is_empty() {
        value = value.with_step(step);
    }
    if let Some(first) = first {
        value.taints.add(&first.taints);
    }
    Some(value)
}
