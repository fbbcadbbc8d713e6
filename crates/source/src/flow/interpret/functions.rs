//! Bodies of functions, constants and closures, read with the values that they get.
//!
//! What a body gives is remembered by its arguments; nothing is read inside of itself.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::super::ir::{Expression, Id, Pattern, Text};
use super::super::machine::Place;
use super::super::value::{Known, Taints, Value};
use super::statements::bind;
use super::{Control, Frame, Machine, joined, united};

/// Calls inside of calls that are read with their arguments.
const CALLS: usize = 24;
/// Depth from which on no called function is read: its own expressions must fit.
const DEPTH_OF_CALLS: u32 = 200;

impl<'p> Machine<'p> {
    /// The value of a constant.
    pub(super) fn constant(&mut self, number: usize) -> Value {
        if let Some(value) = &self.constants[number] {
            return value.clone();
        }
        if self.open_constants.contains(&number) || self.depth > DEPTH_OF_CALLS {
            return Value::default();
        }
        let place = self.program.constants[number].clone();
        let Some(constant) = self.program.ir_constant(&place) else { return Value::default() };
        self.open_constants.push(number);
        let mut frame = self.frame(place.file, place.function, place.module, "".into(), true);
        let value = self.evaluate(&mut frame, constant.root);
        for part in &constant.detached {
            let _ = self.evaluate(&mut frame, *part);
        }
        self.open_constants.pop();
        self.note(&frame, constant.line, &value);
        self.constants[number] = Some(value.clone());
        value
    }

    /// The value that a function returns for these arguments; all arguments unknown in the first reading.
    pub(super) fn call_body(
        &mut self,
        number: usize,
        arguments: Vec<Value>,
        from: Option<Place>,
        first: bool,
    ) -> Value {
        let key = (number, if first { 0 } else { fingerprint(&arguments) });
        if let Some((value, left_behind)) = self.memory.get(&key) {
            self.left_behind = left_behind.clone();
            return value.clone();
        }
        self.left_behind = Rc::new(Vec::new());
        let place = self.program.bodies[number].clone();
        let Some(body) = self.program.ir_body(&place) else { return Value::default() };
        let is_nested = from.is_some() && (self.calls.len() >= CALLS || self.depth > DEPTH_OF_CALLS);
        if is_nested {
            self.found.truncated.insert("nested calls");
        }
        if is_nested
            || !first && (self.once > 0 || !self.may_repeat())
            || self.calls.iter().any(|it| it.0 == number)
        {
            // Everything is read once from the outside in any case.
            return united(&arguments);
        }
        let place_function = place.function;
        let mut frame = self.frame(place.file, place.function, place.module, place.self_type, first);
        self.read.extend(place_function);
        frame.body = Some(number);
        frame.shifts = self.shifts(number);
        frame.statement = body.first;
        if body.last.saturating_sub(body.first) > super::super::slice::LARGE {
            frame.slice = self.slice(number);
        }
        let mut arguments = arguments.into_iter();
        let mut places = Vec::with_capacity(body.parameters.len());
        for (pattern, kind) in &body.parameters {
            let mut value = arguments.next().unwrap_or_default();
            if value.kind.is_none() {
                value.kind = self.type_path(&frame, kind);
            }
            if let (Some(name), Some(length)) = (length_of_array(kind), value.as_bytes().map(|it| it.len())) {
                frame.names.push(name.into(), Value::known(Known::Integer(length as i64)));
            }
            places.push(frame.names.len());
            bind(&mut frame, pattern, value);
        }
        if let Some(from) = from {
            self.calls.push((number, from));
        } else {
            self.calls.push((number, Place { file: place.file, line: 0, function: None }));
        }
        let mut value = self.evaluate(&mut frame, body.root);
        for part in &body.detached {
            frame.control = Control::On;
            let _ = self.evaluate(&mut frame, *part);
        }
        self.calls.pop();
        value = joined(value, std::mem::take(&mut frame.returned));
        let of_parameter = |((pattern, _), place): (&(Pattern, Text), usize)| match pattern {
            Pattern::Name(_) => frame.names.at(place).map(|it| it.taints.clone()).unwrap_or_default(),
            _ => Taints::default(),
        };
        let left_behind: Vec<Taints> = body.parameters.iter().zip(places).map(of_parameter).collect();
        self.left_behind = Rc::new(left_behind);
        self.memory.insert(key, (value.clone(), self.left_behind.clone()));
        value
    }

    /// Reads the body of a closure with these arguments.
    pub(super) fn closure_body(
        &mut self,
        frame: &mut Frame,
        closure: &'p Expression,
        body: Id,
        arguments: &[Value],
    ) -> Value {
        let Expression::Closure(parameters, _) = closure else { return Value::default() };
        let names = frame.names.len();
        let rest = united(arguments);
        for (at, pattern) in parameters.iter().enumerate() {
            let value = match arguments.get(at) {
                Some(value) => value.clone(),
                None => rest.shadow(),
            };
            bind(frame, pattern, value);
        }
        let control = frame.control;
        let returned = std::mem::take(&mut frame.returned);
        let value = self.evaluate(frame, body);
        let value = joined(value, std::mem::replace(&mut frame.returned, returned));
        frame.control = control;
        frame.names.truncate(names);
        value
    }

    pub(super) fn call_closure(
        &mut self,
        frame: &mut Frame,
        file: u32,
        id: Id,
        arguments: &[Value],
    ) -> Value {
        if file != frame.file {
            return united(arguments);
        }
        let Some(node) = self.program.node(file, id) else { return Value::default() };
        let Expression::Closure(_, body) = &node.expression else { return Value::default() };
        if !self.may_repeat() {
            return united(arguments);
        }
        self.repeating += 1;
        let value = self.closure_body(frame, &node.expression, *body, arguments);
        self.repeating -= 1;
        value
    }
}

pub(super) fn fingerprint(arguments: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for argument in arguments {
        hash_value(argument, &mut hasher, 0);
    }
    hasher.finish() | 1
}

pub(super) fn hash_value(value: &Value, hasher: &mut DefaultHasher, depth: u32) {
    match &value.known {
        Known::Nothing => 0.hash(hasher),
        Known::Integer(value) => (1, value).hash(hasher),
        Known::Byte(value) => (2, value).hash(hasher),
        Known::Boolean(value) => (3, value).hash(hasher),
        Known::Text(value, whole) => (4, value, whole).hash(hasher),
        Known::Bytes(value) => (5, value).hash(hasher),
        Known::List(list) if depth < 3 => {
            (6, list.len()).hash(hasher);
            list.iter().for_each(|it| hash_value(it, hasher, depth + 1));
        }
        Known::Record(fields) if depth < 3 => {
            (9, fields.len()).hash(hasher);
            fields.iter().for_each(|it| hash_value(&it.1, hasher, depth + 1));
        }
        // Deeper ones only by their length: hostile code nests them without end.
        Known::List(list) => (6, list.len()).hash(hasher),
        Known::Record(fields) => (9, fields.len()).hash(hasher),
        Known::Function(path) => (7, path).hash(hasher),
        Known::Closure(file, id) => (8, file, id).hash(hasher),
    }
    value.operation.hash(hasher);
    value.kind.hash(hasher);
    value.taints.iter().for_each(|it| it.hash(hasher));
}

/// `N` of the type `[u8;N]`.
pub(super) fn length_of_array(kind: &str) -> Option<&str> {
    let (_, length) = kind.strip_prefix('[')?.strip_suffix(']')?.rsplit_once(';')?;
    let length = length.trim();
    length.starts_with(|it: char| it.is_ascii_uppercase()).then_some(length)
}
