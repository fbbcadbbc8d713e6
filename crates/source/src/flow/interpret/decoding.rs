//! Decoding: by libraries, by ciphers, and of constant digits by own code.
//!
//! Of own code, only what is a statement of its own is looked at: a loop, whose result is in the variables that it fills, or an
//! expression that is bound, assigned or returned. What the interpreter finds by itself, it finds all the same.

use std::collections::HashSet;
use std::rc::Rc;

use cratekeeper_model::facts::{Decoding, OperationKind};

use super::super::decoders;
use super::super::decoders::{Clues, Digits, Shifts};
use super::super::folding;
use super::super::ir::{Expression, Id, Pattern, Text};
use super::super::machine;
use super::super::program::last_name;
use super::super::value::{Known, Value};
use super::{Frame, Machine, united};

/// Expressions of a statement that are looked at.
const LARGEST: Id = 4_000;
/// Called functions that are looked into for an alphabet.
const HELPERS: usize = 8;

impl<'p> Machine<'p> {
    /// Shifts of the body that is read.
    pub(super) fn shifts(&mut self, number: usize) -> Option<Rc<Shifts>> {
        if let Some(shifts) = self.shifts.get(&number) {
            return shifts.clone();
        }
        let place = &self.program.bodies[number];
        let shifts = match (self.program.ir_body(place), self.program.irs[place.file as usize]) {
            (Some(body), Some(ir)) => Some(Shifts::of(ir, body.first, body.last)),
            _ => None,
        };
        let shifts = shifts.filter(|it| !it.is_empty()).map(Rc::new);
        self.shifts.insert(number, shifts.clone());
        shifts
    }

    /// What a statement decodes: its expressions are those from `first` to `statement`.
    pub(super) fn decoded_by_hand(&mut self, frame: &mut Frame, first: Id, statement: Id) -> Option<Value> {
        let shifts = frame.shifts.clone()?;
        let (by_six, by_four) = shifts.between(first, statement);
        if !(by_six || by_four) || statement - first.min(statement) > LARGEST {
            return None;
        }
        let node = self.program.node(frame.file, statement)?;
        let decodes = match &node.expression {
            Expression::For(..) | Expression::Loop(..) | Expression::Method(..) => true,
            Expression::Let { value: Some(value), .. }
            | Expression::Assign(None, _, value)
            | Expression::Return(Some(value)) => matches!(
                self.program.node(frame.file, *value).map(|it| &it.expression),
                Some(Expression::Method(..) | Expression::Call(..))
            ),
            _ => false,
        };
        if !decodes {
            return None;
        }
        let digits = self.clues(frame)?.digits(by_six, by_four)?;
        let (source, text) = self.digits_in(frame, &digits, first, statement)?;
        let step = match digits {
            Digits::Base64(_) => Decoding::Base64,
            Digits::Hexadecimal => Decoding::Hex,
        };
        let taints = source.taints.transformed(step);
        Some(Value { taints, ..source.part(Known::Text(text.into(), true)) }.with_step(step))
    }

    /// What the body that is read, and the functions that it calls, say about digits.
    pub(super) fn clues(&mut self, frame: &Frame) -> Option<Rc<Clues>> {
        let body = frame.body?;
        if let Some(clues) = self.clues.get(&body) {
            return Some(clues.clone());
        }
        let mut clues = Clues::default();
        let mut helpers = Vec::new();
        self.look_for_clues(frame, body, &mut clues, Some(&mut helpers));
        for helper in helpers {
            self.look_for_clues(frame, helper, &mut clues, None);
        }
        let clues = Rc::new(clues);
        self.clues.insert(body, clues.clone());
        Some(clues)
    }

    pub(super) fn look_for_clues(
        &mut self,
        frame: &Frame,
        number: usize,
        clues: &mut Clues,
        mut helpers: Option<&mut Vec<usize>>,
    ) {
        let place = &self.program.bodies[number];
        let (Some(body), Some(ir)) = (self.program.ir_body(place), self.program.irs[place.file as usize])
        else {
            return;
        };
        for id in (body.first..=body.last).take(LARGEST as usize) {
            let Some(node) = ir.nodes.get(id as usize) else { return };
            clues.node(ir, node);
            let Expression::Path(path) = &node.expression else { continue };
            if path.starts_with(|it: char| it.is_ascii_lowercase())
                && !path.contains("::")
                && helpers.is_none()
            {
                continue;
            }
            if let Some(value) = self.constant_at(frame, path) {
                if let Some(bytes) = value.as_bytes() {
                    clues.constant(&bytes);
                }
                continue;
            }
            let resolved = self.program.resolve(&place.module, path);
            if let (Some(local), Some(helpers)) = (resolved.strip_prefix("crate::"), helpers.as_deref_mut()) {
                let bodies = self.program.functions_at(local).iter().filter_map(|it| self.program.body(*it));
                helpers.extend(bodies.take(HELPERS.saturating_sub(helpers.len())));
            }
        }
    }

    /// The constant of the package that a path names.
    fn constant_at(&mut self, frame: &Frame, path: &Text) -> Option<Value> {
        let resolved = self.resolve(frame, path);
        let constant = resolved.strip_prefix("crate::").and_then(|local| self.program.constant(local));
        let number = constant.or_else(|| self.constant_in_functions(frame, path))?;
        Some(self.constant(number))
    }

    /// The longest constant that a statement names and that such digits make up, with what they spell.
    pub(super) fn digits_in(
        &mut self,
        frame: &mut Frame,
        digits: &Digits,
        first: Id,
        statement: Id,
    ) -> Option<(Value, String)> {
        let mut longest: Option<(Value, String)> = None;
        let mut seen: HashSet<&str> = HashSet::new();
        for id in first..=statement {
            let value = match self.program.node(frame.file, id).map(|it| &it.expression) {
                Some(Expression::Path(path)) if seen.insert(path) => {
                    match frame.names.get(path).cloned().or_else(|| self.constant_at(frame, path)) {
                        Some(value) => value,
                        None => continue,
                    }
                }
                Some(Expression::Text(text)) => Value::text(text.clone()),
                Some(Expression::Bytes(bytes)) => Value::known(Known::Bytes(bytes.clone())),
                _ => continue,
            };
            let length = match &value.known {
                Known::Text(text, true) => text.len(),
                Known::Bytes(bytes) => bytes.len(),
                Known::List(list) => list.len(),
                _ => continue,
            };
            let Some(bytes) = self.may_expand(length).then(|| value.as_bytes()).flatten() else { continue };
            if let Some(text) = decoders::decode(digits, &bytes)
                && longest.as_ref().is_none_or(|(_, before)| before.len() < text.len())
            {
                longest = Some((value, text));
            }
        }
        longest
    }

    /// Lets the variables that a statement fills hold what it decodes. What it gives as a value is given back.
    pub(super) fn put_decoded(&mut self, frame: &mut Frame, first: Id, statement: Id, value: Value) -> Value {
        let line = self.program.node(frame.file, statement).map_or(0, |it| it.line);
        self.note(frame, line, &value);
        match self.program.node(frame.file, statement).map(|it| &it.expression) {
            Some(Expression::Let { pattern: Pattern::Name(name), .. }) => {
                frame.names.change(name, |variable| *variable = value.clone());
                Value::default()
            }
            Some(Expression::Assign(_, place, _)) => {
                self.store(frame, *place, value);
                Value::default()
            }
            Some(Expression::For(..) | Expression::Loop(..)) => {
                for name in self.filled(frame, first, statement) {
                    frame.names.change(&name, |variable| *variable = value.clone());
                }
                Value::default()
            }
            Some(Expression::Return(_)) => {
                frame.returned = value;
                Value::default()
            }
            _ => value,
        }
    }

    /// Variables from outside of a loop that something is put into.
    pub(super) fn filled(&self, frame: &mut Frame, first: Id, statement: Id) -> Vec<Text> {
        let mut found: Vec<Text> = Vec::new();
        for id in first..=statement {
            let place = match self.program.node(frame.file, id).map(|it| &it.expression) {
                Some(Expression::Method(receiver, name, _))
                    if matches!(&**name, "push" | "push_str" | "extend" | "extend_from_slice" | "insert") =>
                {
                    *receiver
                }
                Some(Expression::Assign(_, place, _)) => {
                    match self.program.node(frame.file, *place).map(|it| &it.expression) {
                        Some(Expression::Index(base, _)) => *base,
                        _ => continue,
                    }
                }
                _ => continue,
            };
            if let Some(name) = self.variable(frame, place)
                && !found.contains(name)
            {
                found.push(name.clone());
            }
        }
        found
    }

    /// Base64 or hexadecimal digits, of a constant or of what is not known.
    pub(super) fn decode(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        values: &[Value],
        step: Decoding,
    ) -> Value {
        let Some(value) = values.first() else { return Value::default() };
        let bytes = value.as_bytes();
        let decoded = bytes.as_ref().and_then(|bytes| {
            if step == Decoding::Base64 { folding::base64(bytes) } else { folding::hex(bytes) }
        });
        if let Some(operation) = self.operation(frame, id, line, OperationKind::Decode, path) {
            self.found.argument(operation, &Value { steps: Default::default(), ..value.clone() });
        }
        let mut result = machine::decoded(value, step);
        result.operation = None;
        result.steps = value.steps.with(step);
        if let Some(decoded) = decoded {
            result.known = match folding::printable(&decoded) {
                Some(text) => Known::Text(text.into(), true),
                None => Known::Bytes(decoded.into()),
            };
        }
        self.note(frame, line, &result);
        result
    }

    pub(super) fn cipher(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        values: &[Value],
        receiver: Option<&Value>,
    ) -> Value {
        let name = last_name(path);
        let kind = if name.contains("encrypt") { OperationKind::Encode } else { OperationKind::Decode };
        if matches!(
            name,
            "new"
                | "new_from_slice"
                | "new_from_slices"
                | "decrypt"
                | "encrypt"
                | "apply_keystream"
                | "decrypt_in_place"
                | "new_magic_crypt"
        ) {
            let _ = self.operation(frame, id, line, kind, path);
        }
        let mut whole = united(values);
        if let Some(receiver) = receiver {
            whole.absorb(receiver);
        }
        Value {
            kind: Some(Rc::from(path.rsplit_once("::").map_or(path, |it| it.0))),
            ..Value::tainted(whole.taints)
        }
    }
}
