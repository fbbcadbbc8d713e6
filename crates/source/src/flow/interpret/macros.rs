//! Calls of macros: those that the compiler gives a meaning, and those of the table.

use std::rc::Rc;

use cratekeeper_model::facts::{FlowSource, OperationKind};

use super::super::ir::{Id, Text};
use super::super::machine::Origin;
use super::super::program::last_name;
use super::super::table;
use super::super::value::{Known, Value};
use super::{Frame, Machine, united};

impl<'p> Machine<'p> {
    pub(super) fn macro_call(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &Text,
        arguments: &'p [Id],
        text: &Text,
    ) -> Value {
        let name = last_name(path);
        match name {
            "format" | "format_args" | "concat" | "concatcp" => {
                let values = self.arguments(frame, arguments, false);
                let value = if name.starts_with("concat") {
                    self.found.concatenated(&values)
                } else {
                    values.last().cloned().unwrap_or_default()
                };
                self.note(frame, line, &value);
                return value;
            }
            "write" | "writeln" => {
                let values = self.arguments(frame, arguments, false);
                if let [writer, written] = &values[..] {
                    self.data_into(frame, writer, written);
                    if let Some(first) = arguments.first() {
                        self.append_to(frame, *first, written);
                    }
                }
                return Value { operation: values.first().and_then(|it| it.operation), ..Value::default() };
            }
            "println" | "print" => {
                let values = self.arguments(frame, arguments, false);
                return self.printed(frame, id, line, values.last());
            }
            "vec" => {
                let mut values = self.arguments(frame, arguments, false);
                if values.len() == 1 && matches!(values[0].known, Known::List(_) | Known::Bytes(_)) {
                    return values.remove(0);
                }
                let whole = united(&values);
                return Value {
                    known: Known::List(Rc::new(values)),
                    taints: whole.taints,
                    operation: whole.operation,
                    ..Value::default()
                };
            }
            "cfg" => {
                let gates = super::super::gates::kinds_of_cfg(text, &self.default_features);
                return match gates.first() {
                    Some((kind, _)) => self.gate_origin(frame, line, *kind),
                    None => Value::default(),
                };
            }
            "include_str" | "include_bytes" | "include" => {
                let values = self.arguments(frame, arguments, false);
                return self.embedded(frame, line, values.first());
            }
            "file" => {
                let place = self.place(frame, line);
                let origin = Origin {
                    source: Some(FlowSource::UserSource),
                    operation: None,
                    gate: None,
                    place,
                    name: None,
                };
                return Value {
                    known: Known::Text("{file!}".into(), false),
                    ..Value::tainted(self.found.origin(origin))
                };
            }
            _ => {}
        }
        let spawns = matches!(name, "spawn" | "thread" | "go");
        let values = self.arguments(frame, arguments, spawns);
        let resolved = if path.contains("::")
            || !matches!(name, "asm" | "global_asm" | "naked_asm" | "env" | "option_env")
        {
            self.resolve(frame, path)
        } else {
            path.clone()
        };
        let full = format!("{resolved}!");
        let full = if full.starts_with("std::env")
            || full.starts_with("std::option_env")
            || full.starts_with("core::")
        {
            format!("{name}!")
        } else {
            full
        };
        if let Some(api) = table::find(&full) {
            let values = if api.text { vec![Value::text(text.clone())] } else { values };
            return self.effect(frame, id, line, &full, api, arguments, &values, None);
        }
        if matches!(name, "panic" | "unreachable" | "todo" | "unimplemented" | "bail") {
            return Value::default();
        }
        united(&values)
    }

    /// `println!` in a build script speaks to cargo.
    pub(super) fn printed(&mut self, frame: &mut Frame, id: Id, line: u32, text: Option<&Value>) -> Value {
        let Some(value) = text else { return Value::default() };
        let Some((text, _)) = value.as_text() else { return Value::default() };
        if !text.starts_with("cargo:") {
            return Value::default();
        }
        let value = value.clone();
        if let Some(operation) = self.operation(frame, id, line, OperationKind::CargoDirective, "println!") {
            self.found.argument(operation, &value);
            let way = self.way();
            self.found.flow(operation, &value, &way, false);
        }
        Value::default()
    }

    pub(super) fn embedded(&mut self, frame: &Frame, line: u32, path: Option<&Value>) -> Value {
        let place = self.place(frame, line);
        let name = path.and_then(Value::as_text).map(|(text, _)| text.to_string());
        let origin =
            Origin { source: Some(FlowSource::EmbeddedFile), operation: None, gate: None, place, name };
        Value::tainted(self.found.origin(origin))
    }
}
