//! Methods of sequences whose elements are known; closures are read for each element.

use std::rc::Rc;

use cratekeeper_model::facts::Decoding;

use super::super::ir::{Expression, Id};
use super::super::value::{Known, Value};
use super::{Frame, ITERATIONS, Machine, united};

impl<'p> Machine<'p> {
    /// Methods of sequences whose elements are known; closures are read for each.
    pub(super) fn sequence_method(
        &mut self,
        frame: &mut Frame,
        target: &Value,
        name: &str,
        arguments: &'p [Id],
    ) -> Option<Value> {
        match (name, &target.known) {
            ("bytes" | "as_bytes" | "into_bytes" | "to_vec", Known::Text(text, true)) if name == "bytes" => {
                return Some(target.part(Known::Bytes(text.as_bytes().into())));
            }
            ("chars" | "char_indices", Known::Text(text, true))
                if text.len() <= ITERATIONS && self.may_expand(text.len()) =>
            {
                let characters: Vec<Value> =
                    text.chars().map(|it| target.part(Known::Text(it.to_string().into(), true))).collect();
                let list = Value { known: Known::List(Rc::new(characters)), ..target.part(Known::Nothing) };
                return Some(if name == "chars" { list } else { enumerated(&list) });
            }
            ("split" | "lines" | "split_whitespace" | "split_ascii_whitespace", Known::Text(text, true))
                if text.len() <= ITERATIONS && self.may_expand(text.len()) =>
            {
                let separator = arguments
                    .first()
                    .map(|it| self.evaluate(frame, *it))
                    .and_then(|it| it.as_text())
                    .map(|it| it.0);
                let pieces: Vec<&str> = match (name, &separator) {
                    ("split", Some(separator)) if !separator.is_empty() => text.split(&**separator).collect(),
                    ("lines", _) => text.lines().collect(),
                    ("split", _) => return None,
                    _ => text.split_whitespace().collect(),
                };
                let list = pieces.into_iter().map(|it| target.part(Known::Text(it.into(), true))).collect();
                return Some(target.part(Known::List(Rc::new(list))));
            }
            _ => {}
        }
        let list = |values: Vec<Value>| {
            let steps = values.iter().fold(target.steps, |steps, it| steps.and(it.steps));
            let mut value = target.part(Known::List(Rc::new(values)));
            value.steps = steps;
            value
        };
        match name {
            "iter" | "into_iter" => match &target.known {
                Known::Text(text, true) => Some(target.part(Known::Bytes(text.as_bytes().into()))),
                _ => None,
            },
            "rev" => {
                let mut values = self.elements(target)?;
                values.reverse();
                Some(list(values).with_step(Decoding::Reversed))
            }
            "reverse" => {
                // In place: the variable is not known here; the value is good enough.
                None
            }
            "enumerate" => Some(enumerated(&list(self.elements(target)?))),
            "map" | "filter_map" | "flat_map" if matches!(target.known, Known::List(_) | Known::Bytes(_)) => {
                let values = self.elements(target).filter(|it| !it.is_empty())?;
                let argument = *arguments.first()?;
                let node = self.program.node(frame.file, argument)?;
                let mut results = Vec::with_capacity(values.len());
                for value in values {
                    let result = match &node.expression {
                        closure @ Expression::Closure(_, body) => {
                            if !self.may_repeat() && !results.is_empty() {
                                return Some(target.shadow());
                            }
                            self.closure_again(!results.is_empty(), frame, closure, *body, &[value])
                        }
                        _ => {
                            let function = self.evaluate(frame, argument);
                            match &function.known {
                                Known::Function(path) => {
                                    let path = path.clone();
                                    self.dispatch(frame, argument, node.line, &path, &[], &[value])
                                }
                                _ => value,
                            }
                        }
                    };
                    results.push(result);
                }
                let whole = united(&results);
                let mut value = list(results);
                value.taints.add(&whole.taints);
                Some(value)
            }
            "fold" if arguments.len() == 2 => {
                let values = self.elements(target).filter(|it| !it.is_empty())?;
                let mut state = self.evaluate(frame, arguments[0]);
                let Expression::Closure(_, body) = &self.program.node(frame.file, arguments[1])?.expression
                else {
                    return None;
                };
                let closure = &self.program.node(frame.file, arguments[1])?.expression;
                for (number, value) in values.into_iter().enumerate() {
                    if !self.may_repeat() {
                        return Some(target.shadow());
                    }
                    state = self.closure_again(number > 0, frame, closure, *body, &[state, value]);
                }
                Some(state)
            }
            "zip" => {
                let values = self.elements(target)?;
                let other = self.evaluate(frame, *arguments.first()?);
                let others = self.elements(&other).or_else(|| self.bytes_of(&other))?;
                let cycles = other.kind.as_deref() == Some("cycle");
                if others.is_empty() {
                    return None;
                }
                let pairs =
                    values.into_iter().enumerate().filter(|(at, _)| cycles || *at < others.len()).map(
                        |(at, value)| {
                            Value::known(Known::List(Rc::new(vec![value, others[at % others.len()].clone()])))
                        },
                    );
                Some(list(pairs.collect()))
            }
            "cycle" => Some(Value { kind: Some("cycle".into()), ..target.clone() }),
            "step_by" | "skip" | "take"
                if arguments.len() == 1 && matches!(target.known, Known::List(_) | Known::Bytes(_)) =>
            {
                let values = self.elements(target)?;
                let count = usize::try_from(self.evaluate(frame, arguments[0]).integer()?).ok()?;
                let picked = match name {
                    "skip" => values.into_iter().skip(count).collect(),
                    "take" => values.into_iter().take(count).collect(),
                    _ if count > 0 => values.into_iter().step_by(count).collect(),
                    _ => return None,
                };
                Some(list(picked))
            }
            "chunks" | "chunks_exact" if arguments.len() == 1 => {
                let values = self.elements(target).or_else(|| self.bytes_of(target))?;
                let count = usize::try_from(self.evaluate(frame, arguments[0]).integer()?)
                    .ok()
                    .filter(|it| *it > 0)?;
                let chunks = values
                    .chunks(count)
                    .map(|chunk| target.part(Known::List(Rc::new(chunk.to_vec()))))
                    .collect();
                Some(list(chunks))
            }
            "collect" | "concat" if name == "collect" => match &target.known {
                Known::List(values) if !values.is_empty() => {
                    let is_text = values
                        .iter()
                        .all(|it| matches!(&it.known, Known::Text(text, _) if text.chars().count() == 1));
                    let is_bytes = values.iter().all(|it| matches!(it.known, Known::Byte(_)));
                    let is_strings = values.iter().all(|it| matches!(it.known, Known::Text(..)));
                    if is_text || is_bytes {
                        let (text, whole) = target.as_text()?;
                        let steps = values.iter().fold(target.steps, |steps, it| steps.and(it.steps));
                        return Some(Value { known: Known::Text(text, whole), steps, ..target.clone() });
                    }
                    let _ = is_strings;
                    Some(target.clone())
                }
                _ => Some(Value { kind: None, ..target.clone() }),
            },
            _ => None,
        }
    }

    /// The bytes of a text, one by one.
    pub(super) fn bytes_of(&mut self, text: &Value) -> Option<Vec<Value>> {
        let bytes = text.as_bytes().filter(|it| it.len() <= ITERATIONS)?;
        self.may_expand(bytes.len()).then(|| bytes.iter().map(|it| text.part(Known::Byte(*it))).collect())
    }

    /// Reads a closure for one of several elements.
    pub(super) fn closure_again(
        &mut self,
        is_again: bool,
        frame: &mut Frame,
        closure: &'p Expression,
        body: Id,
        arguments: &[Value],
    ) -> Value {
        self.repeating += u32::from(is_again);
        self.again += u32::from(is_again);
        let value = self.closure_body(frame, closure, body, arguments);
        self.repeating -= u32::from(is_again);
        self.again -= u32::from(is_again);
        value
    }
}

pub(super) fn enumerated(list: &Value) -> Value {
    let Known::List(values) = &list.known else { return list.clone() };
    let pairs = values.iter().enumerate().map(|(at, value)| {
        let mut pair =
            list.part(Known::List(Rc::new(vec![Value::known(Known::Integer(at as i64)), value.clone()])));
        pair.steps = value.steps;
        pair
    });
    list.part(Known::List(Rc::new(pairs.collect())))
}
