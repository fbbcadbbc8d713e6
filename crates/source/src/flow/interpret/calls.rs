//! Calls by path and of macros: functions of the package, of the table, and those of the standard library that only
//! pass text on.

use std::rc::Rc;

use cratekeeper_model::facts::{Decoding, GateKind, OperationKind, Quality};

use super::super::ir::{Expression, Id};
use super::super::program::{last_name, split_last};
use super::super::table;
use super::super::value::{Known, Value};
use super::{Frame, Machine, united};

impl<'p> Machine<'p> {
    pub(super) fn call(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        callee: Id,
        arguments: &'p [Id],
    ) -> Value {
        let Some(node) = self.program.node(frame.file, callee) else { return Value::default() };
        let Expression::Path(path) = &node.expression else {
            let function = self.evaluate(frame, callee);
            let values = self.arguments(frame, arguments, false);
            return self.call_value(frame, id, line, &function, arguments, &values);
        };
        if let Some(variable) = frame.names.get(path) {
            let variable = variable.clone();
            let values = self.arguments(frame, arguments, false);
            return self.call_value(frame, id, line, &variable, arguments, &values);
        }
        let resolved = self.resolve_at(frame, callee, path);
        let spawns = is_spawn(&resolved);
        let values = self.arguments(frame, arguments, spawns);
        self.dispatch(frame, id, line, &resolved, arguments, &values)
    }

    pub(super) fn call_value(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        function: &Value,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        match &function.known {
            Known::Function(path) => {
                let path = path.clone();
                self.dispatch(frame, id, line, &path, arguments, values)
            }
            Known::Closure(file, closure) => self.call_closure(frame, *file, *closure, values),
            _ => {
                if function.kind.as_deref() == Some("transmuted") {
                    self.call_data(frame, id, line, function);
                }
                let mut whole = united(values);
                whole.absorb(function);
                whole
            }
        }
    }

    /// Values of arguments; closures are read where they stand, on a thread of their own if the callee starts one.
    pub(super) fn arguments(
        &mut self,
        frame: &mut Frame,
        arguments: &'p [Id],
        on_thread: bool,
    ) -> Vec<Value> {
        let before = frame.on_thread;
        frame.on_thread |= on_thread;
        let values = arguments.iter().map(|it| self.evaluate(frame, *it)).collect();
        frame.on_thread = before;
        values
    }

    pub(super) fn dispatch(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &Rc<str>,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        if let Some(local) = path.strip_prefix("crate::") {
            return self.call_local(frame, line, local, arguments, values);
        }
        if let Some(api) = table::find(path) {
            return self.effect(frame, id, line, path, api, arguments, values, None);
        }
        // `Type::method(receiver, …)`.
        if let Some(kind) = values.first().and_then(|it| it.kind.clone())
            && let Some(api) = table::find(&format!("{kind}::{}", last_name(path)))
        {
            return self.effect(frame, id, line, path, api, arguments, &values[1..], values.first());
        }
        self.builtin(frame, id, line, path, arguments, values)
    }

    pub(super) fn call_local(
        &mut self,
        frame: &mut Frame,
        line: u32,
        local: &str,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        let mut callees = self.program.functions_at(local).to_vec();
        if callees.is_empty() {
            let (kind, name) = split_last(local);
            callees.extend(self.program.method_of(kind, name));
        }
        let value = self.call_functions(frame, line, &callees, values);
        if !callees.is_empty() {
            for (at, argument) in arguments.iter().enumerate() {
                self.take_back(frame, *argument, at);
            }
            return value;
        }
        // A tuple struct, a variant, or something that a macro makes.
        let mut whole = united(values);
        if let [only] = values {
            whole.known = only.known.clone();
            whole.steps = only.steps;
        }
        whole.kind = Some(format!("crate::{local}").into());
        whole
    }

    /// What a called function put into an argument: `fill(&mut buffer)`.
    pub(super) fn take_back(&mut self, frame: &mut Frame, argument: Id, at: usize) {
        if let Some(taints) = self.left_behind.get(at).filter(|it| !it.is_empty()).cloned() {
            self.mix_into(frame, argument, &Value::tainted(taints));
        }
    }

    pub(super) fn call_functions(
        &mut self,
        frame: &mut Frame,
        line: u32,
        callees: &[u32],
        values: &[Value],
    ) -> Value {
        let mut result = Value::default();
        let place = self.place(frame, line);
        for callee in callees.iter().take(4) {
            self.edge(frame, *callee);
            let Some(body) = self.program.body(*callee) else {
                result.absorb(&united(values));
                continue;
            };
            let matters = values.iter().any(Value::matters);
            let value = self.call_body(
                body,
                if matters { values.to_vec() } else { Vec::new() },
                Some(place),
                !matters,
            );
            result = super::joined(result, value);
            let function = &self.program.functions[*callee as usize];
            if result.kind.is_none()
                && !function.receiver
                && function.container != cratekeeper_model::facts::FunctionContainer::Free
            {
                let kind = &self.program.bodies[body].self_type;
                result.kind = (!kind.is_empty()).then(|| format!("crate::{kind}").into());
            }
        }
        self.note(frame, line, &result);
        result
    }

    /// Functions of the standard library and others that give their arguments back in another form.
    pub(super) fn builtin(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        let name = last_name(path);
        let first = values.first();
        match name {
            "new" | "with_capacity" | "default"
                if matches!(last_name(split_last(path).0), "String" | "Vec" | "PathBuf" | "OsString")
                    && first.is_none_or(|it| it.integer().is_some()) =>
            {
                let empty = if path.contains("Vec") {
                    Known::List(Rc::new(Vec::new()))
                } else {
                    Known::Text("".into(), true)
                };
                return Value::known(empty);
            }
            "from_utf8" | "from_utf8_unchecked" | "from_utf8_lossy" | "from_utf8_lossy_owned" => {
                return first.map(|it| self.as_text(it)).unwrap_or_default();
            }
            "from" | "from_str" | "new" | "from_bytes" | "from_vec" | "from_static" | "from_u32"
            | "from_digit" | "identity" | "black_box" | "CString" | "OsString"
                if values.len() == 1
                    && (first.is_some_and(Value::is_known)
                        || super::super::scope::is_standard(super::super::scope::first(path))
                        || !path.contains("::")
                        || path.starts_with("PathBuf")
                        || path.starts_with("String")) =>
            {
                let mut value = first.cloned().unwrap_or_default();
                if path.contains("char")
                    && let Some(number) = value.integer().and_then(|it| char::from_u32(it as u32))
                {
                    value.known = Known::Text(number.to_string().into(), true);
                }
                return value;
            }
            "from_str_radix" => {
                let parsed = first.and_then(Value::as_text).and_then(|(text, _)| {
                    let radix = values
                        .get(1)
                        .and_then(Value::integer)
                        .and_then(|it| u32::try_from(it).ok())
                        .filter(|it| (2..=36).contains(it))?;
                    i64::from_str_radix(&text, radix).ok()
                });
                if let (Some(number), Some(first)) = (parsed, first) {
                    let known =
                        if path.contains("u8") { Known::Byte(number as u8) } else { Known::Integer(number) };
                    return first.part(known).with_step(Decoding::Hex);
                }
            }
            "copy" if path.ends_with("io::copy") || path.ends_with("copy_buf") => {
                if let [reader, writer, ..] = values {
                    self.data_into(frame, writer, reader);
                }
                return united(values);
            }
            "swap" | "drop" | "forget" => return first.cloned().unwrap_or_default(),
            _ => {}
        }
        let mut whole = united(values);
        // What a function of another crate gives for a handle may be anything; the handle stays reachable by it.
        if values.len() > 1 {
            self.pass_between(frame, arguments, values);
        }
        let _ = (id, line);
        whole.kind = None;
        whole
    }

    /// `copy(&mut reader, &mut writer)`, `read_into(stream, &mut buffer)`: what one argument holds, another may get.
    pub(super) fn pass_between(&mut self, frame: &mut Frame, arguments: &'p [Id], values: &[Value]) {
        for (at, argument) in arguments.iter().enumerate() {
            for (other, value) in values.iter().enumerate() {
                if at != other && !value.taints.is_empty() && self.variable(frame, *argument).is_some() {
                    self.mix_into(frame, *argument, &Value::tainted(value.taints.clone()));
                }
            }
        }
    }

    /// Bytes or characters as the text that they spell.
    pub(super) fn as_text(&mut self, value: &Value) -> Value {
        match value.as_text() {
            Some((text, whole)) => {
                let numbers = matches!(value.known, Known::List(_)) && value.steps.is_empty();
                let result = Value { known: Known::Text(text, whole), ..value.clone() };
                if numbers { result.with_step(Decoding::Numbers) } else { result }
            }
            None => Value { known: Known::Nothing, ..value.clone() },
        }
    }

    /// A path as a value, of something that is not in the package.
    pub(super) fn path_outside(&mut self, frame: &mut Frame, id: Id, line: u32, path: &Rc<str>) -> Value {
        if let Some(rest) = path.strip_prefix("std::env::consts::") {
            let mut value = self.gate_origin(frame, line, GateKind::Target);
            value.known = Known::Text(format!("{{{rest}}}").into(), false);
            return value;
        }
        if let Some(api) = table::find(path) {
            let uses = matches!(
                api.effect,
                table::Effect::Engine
                    | table::Effect::Operation(
                        OperationKind::DisableTlsChecks | OperationKind::SystemRegistry
                    )
            );
            if uses {
                return self.effect(frame, id, line, path, api, &[], &[], None);
            }
            return Value::known(Known::Function(path.clone()));
        }
        match last_name(path) {
            "PROT_EXEC"
            | "PAGE_EXECUTE"
            | "PAGE_EXECUTE_READ"
            | "PAGE_EXECUTE_READWRITE"
            | "EXEC"
            | "READ_WRITE_EXECUTE"
            | "READ_EXECUTE"
            | "READ_EXEC"
            | "MAP_JIT"
            | "CREATE_NO_WINDOW"
            | "DETACHED_PROCESS"
            | "O_WRONLY"
            | "O_RDWR"
            | "O_CREAT" => Value::known(Known::Text(last_name(path).into(), true)),
            _ if last_name(path).starts_with(|it: char| it.is_ascii_lowercase()) => {
                Value::known(Known::Function(path.clone()))
            }
            _ => Value::default(),
        }
    }

    pub(super) fn mark_thread(&mut self, frame: &Frame, operation: u32) {
        if frame.on_thread {
            self.found.quality(operation, Quality::OnThread);
        }
    }
}

/// Functions that run a closure on a thread or task of its own.
pub(super) fn is_spawn(path: &str) -> bool {
    let (parent, name) = split_last(path);
    matches!(name, "spawn" | "spawn_blocking" | "spawn_local" | "spawn_unchecked" | "spawn_scoped")
        && !parent.contains("process")
        && (parent.contains("thread")
            || parent.contains("tokio")
            || parent.contains("task")
            || parent.contains("rayon")
            || parent.contains("smol")
            || parent.contains("rt")
            || parent.contains("executor"))
}
