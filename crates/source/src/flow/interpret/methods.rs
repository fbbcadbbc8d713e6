//! Methods: of types that a constructor shows, of operations, of texts and sequences, and of what nobody knows.

use super::super::ir::{Expression, Id, Text};
use super::super::table;
use super::super::value::{Known, Value};
use super::calls::is_spawn;
use super::{Frame, Machine, united};

impl<'p> Machine<'p> {
    pub(super) fn method(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        receiver: Id,
        name: &Text,
        arguments: &'p [Id],
    ) -> Value {
        let target = self.evaluate(frame, receiver);
        if let Some(value) = self.sequence_method(frame, &target, name, arguments) {
            self.note(frame, line, &value);
            return value;
        }
        let spawns = &**name == "spawn"
            && !arguments.is_empty()
            && target.kind.as_deref() != Some("std::process::Command")
            || is_spawn(name);
        let values = self.method_arguments(frame, &target, arguments, spawns);
        let value = self.method_of(frame, id, line, receiver, &target, name, arguments, &values);
        self.note(frame, line, &value);
        value
    }

    /// Arguments of a method: a closure gets what the receiver holds.
    pub(super) fn method_arguments(
        &mut self,
        frame: &mut Frame,
        target: &Value,
        arguments: &'p [Id],
        on_thread: bool,
    ) -> Vec<Value> {
        let before = frame.on_thread;
        frame.on_thread |= on_thread;
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let node = self.program.node(frame.file, *argument);
            let value = match node.map(|it| &it.expression) {
                Some(closure @ Expression::Closure(_, body)) => {
                    let result = self.closure_body(frame, closure, *body, std::slice::from_ref(target));
                    Value { known: result.known, ..result }
                }
                Some(Expression::Path(path)) => {
                    let value = self.evaluate(frame, *argument);
                    match &value.known {
                        Known::Function(function)
                            if target.matters() && path.contains(|it: char| it.is_ascii_lowercase()) =>
                        {
                            let function = function.clone();
                            self.dispatch(
                                frame,
                                *argument,
                                node.map_or(0, |it| it.line),
                                &function,
                                &[],
                                std::slice::from_ref(target),
                            )
                        }
                        _ => value,
                    }
                }
                _ => self.evaluate(frame, *argument),
            };
            values.push(value);
        }
        frame.on_thread = before;
        values
    }

    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn method_of(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        receiver: Id,
        target: &Value,
        name: &Text,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        if let Some(kind) = target.kind.clone() {
            if let Some(local) = kind.strip_prefix("crate::") {
                if let Some(callee) = self.program.method_of(local, name) {
                    let mut all = vec![target.clone()];
                    all.extend_from_slice(values);
                    let value = self.call_functions(frame, line, &[callee], &all);
                    self.take_back(frame, receiver, 0);
                    for (at, argument) in arguments.iter().enumerate() {
                        self.take_back(frame, *argument, at + 1);
                    }
                    return value;
                }
            } else {
                let path = format!("{kind}::{name}");
                if let Some(api) = table::find(&path) {
                    return self.effect(frame, id, line, &path, api, arguments, values, Some(target));
                }
            }
        }
        if let Some(api) = table::find_method(name) {
            let by_name = format!(".{name}");
            return self.effect(frame, id, line, &by_name, api, arguments, values, Some(target));
        }
        if let Some(value) = self.typed_method(frame, id, line, receiver, target, name, arguments, values) {
            return value;
        }
        if let Some(mut value) = self.text_method(frame, receiver, target, name, values) {
            if is_question(name) || matches!(&**name, "any" | "all" | "eq") {
                let compared: Vec<&Value> = std::iter::once(target).chain(values).collect();
                self.ask_for_tools(frame, line, &mut value, &compared);
            }
            return value;
        }
        if target.kind.is_none() && target.operation.is_none() && !is_common(name) {
            let callees = self.program.methods(name).to_vec();
            if !callees.is_empty() {
                let mut all = vec![target.clone()];
                all.extend_from_slice(values);
                return self.call_functions(frame, line, &callees, &all);
            }
        }
        self.other_method(frame, receiver, target, name, arguments, values)
    }

    /// A method of something of which nothing is known.
    pub(super) fn other_method(
        &mut self,
        frame: &mut Frame,
        receiver: Id,
        target: &Value,
        name: &str,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        // `reader.read_to_string(&mut text)`: what is read gets into the argument.
        if name.starts_with("read")
            || name.starts_with("recv")
            || matches!(
                name,
                "copy_to" | "write_to" | "clone_into" | "copy_from_slice" | "peek" | "perform" | "download"
            )
        {
            for (argument, value) in arguments.iter().zip(values) {
                self.mix_into(frame, *argument, &Value::tainted(target.taints.clone()));
                self.data_into(frame, value, target);
            }
        }
        let mut whole = target.shadow();
        for value in values {
            whole.absorb(value);
        }
        // Something may have been put into the receiver.
        if values.iter().any(|it| !it.taints.is_empty()) && !is_question(name) {
            let added = united(values);
            self.mix_into(frame, receiver, &Value::tainted(added.taints));
        }
        whole.kind = target.kind.clone().filter(|kind| !kind.starts_with("crate::"));
        whole
    }
}

/// Methods that change nothing.
pub(super) fn is_question(name: &str) -> bool {
    name.starts_with("is_")
        || name.starts_with("get")
        || matches!(
            name,
            "contains"
                | "find"
                | "position"
                | "len"
                | "cmp"
                | "partial_cmp"
                | "starts_with"
                | "ends_with"
                | "expect"
                | "unwrap_or"
                | "filter"
        )
}

/// Names that say nothing about whose method it is.
pub(in crate::flow) fn is_common(name: &str) -> bool {
    matches!(
        name,
        "new"
            | "get"
            | "set"
            | "len"
            | "next"
            | "iter"
            | "map"
            | "filter"
            | "insert"
            | "remove"
            | "push"
            | "pop"
            | "clone"
            | "into"
            | "from"
            | "as_ref"
            | "to_string"
            | "unwrap"
            | "expect"
            | "write"
            | "read"
            | "flush"
            | "poll"
            | "fmt"
            | "eq"
            | "cmp"
            | "hash"
            | "drop"
            | "deref"
            | "index"
            | "add"
            | "sub"
            | "default"
            | "min"
            | "max"
            | "any"
            | "all"
            | "find"
            | "join"
            | "send"
            | "take"
            | "lock"
    )
}
