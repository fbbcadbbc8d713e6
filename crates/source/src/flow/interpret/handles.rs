//! Methods of what stands for an operation: commands, files, connections, options.

use cratekeeper_model::facts::{FlowSource, GateKind, OperationKind, Quality};

use super::super::ir::Id;
use super::super::machine::Origin;
use super::super::table;
use super::super::value::{Known, Value};
use super::{Frame, Machine};

impl<'p> Machine<'p> {
    /// Methods of commands, files, connections and paths.
    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn typed_method(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        receiver: Id,
        target: &Value,
        name: &str,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Option<Value> {
        let kind = target.kind.as_deref();
        match (kind, name) {
            (Some("std::fs::OpenOptions"), "open") => {
                return Some(self.open_with(frame, id, line, target, values));
            }
            (Some("std::fs::OpenOptions"), "write" | "append" | "create" | "create_new" | "truncate") => {
                let mut value = target.clone();
                value.visible |= 1;
                if let Some(name) = self.variable(frame, receiver) {
                    frame.names.change(name, |variable| variable.visible |= 1);
                }
                return Some(value);
            }
            (Some("std::fs::OpenOptions"), _) => return Some(target.clone()),
            (_, "exists" | "is_file" | "is_dir" | "try_exists" | "is_symlink") if values.is_empty() => {
                let mut value = self.gate_origin(frame, line, GateKind::FileExists);
                value.taints.add(&target.taints);
                return Some(value);
            }
            (_, "set_mode") => {
                let mode = values.first().cloned().unwrap_or_default();
                if let Some(operation) =
                    self.operation(frame, id, line, OperationKind::SetPermissions, ".set_mode")
                {
                    self.found.argument(operation, &mode);
                    if mode.integer().is_some_and(|it| it & 0o111 != 0) {
                        self.found.quality(operation, Quality::Executable);
                    }
                }
                return Some(Value::default());
            }
            (_, "danger" | "dangerous") => return Some(target.clone()),
            _ => {}
        }
        let operation = target.operation?;
        match self.found.operations[operation as usize].kind {
            OperationKind::StartProcess => {
                self.command_method(frame, receiver, target, operation, name, values, line)
            }
            OperationKind::WriteFile
                if matches!(
                    name,
                    "write_all"
                        | "write"
                        | "write_str"
                        | "write_fmt"
                        | "write_vectored"
                        | "write_all_at"
                        | "persist"
                        | "copy_from_slice"
                ) =>
            {
                let way = self.way();
                for value in values {
                    self.found.flow(operation, value, &way, false);
                }
                Some(target.shadow())
            }
            OperationKind::Connect
            | OperationKind::ResolveName
            | OperationKind::LoadLibrary
            | OperationKind::Interpret
                if !arguments.is_empty()
                    && !name.starts_with("read")
                    && !name.starts_with("map")
                    && !matches!(
                        name,
                        "and_then"
                            | "ok_or"
                            | "unwrap_or"
                            | "expect"
                            | "unwrap_or_else"
                            | "set_read_timeout"
                            | "set_write_timeout"
                            | "timeout"
                            | "recv"
                            | "recv_from"
                            | "copy_to"
                    ) =>
            {
                let way = self.way();
                let is_sending =
                    !matches!(name, "take" | "get" | "split" | "starts_with" | "contains" | "join");
                for value in values.iter().filter(|_| is_sending) {
                    self.found.flow(operation, value, &way, false);
                }
                let mut result = target.clone();
                for value in values {
                    result.taints.add(&value.taints);
                }
                Some(Value { known: Known::Nothing, ..result })
            }
            _ => None,
        }
    }

    pub(super) fn open_with(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        target: &Value,
        values: &[Value],
    ) -> Value {
        let (kind, path) = if target.visible & 1 != 0 {
            (OperationKind::WriteFile, "std::fs::File::create")
        } else {
            (OperationKind::ReadFile, "std::fs::File::open")
        };
        let Some(mut api) = table::find(path) else { return Value::default() };
        api.effect = table::Effect::Operation(kind);
        self.effect(frame, id, line, "std::fs::OpenOptions::open", api, &[], values, None)
    }

    /// Everything that is said to a command belongs to the one operation that it is.
    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn command_method(
        &mut self,
        frame: &mut Frame,
        receiver: Id,
        target: &Value,
        operation: u32,
        name: &str,
        values: &[Value],
        line: u32,
    ) -> Option<Value> {
        let way = self.way();
        match name {
            "arg" | "args" | "raw_arg" | "push" | "program" | "cmd" => {
                for value in values {
                    self.found.argument(operation, value);
                    let value = self.with_content(value);
                    self.found.flow(operation, &value, &way, false);
                }
                self.program_qualities(operation);
                Some(target.clone())
            }
            "env" | "envs" | "current_dir" | "stdin_bytes" | "stdin_path" | "write_all" | "write"
            | "write_fmt" => {
                for value in values {
                    self.found.flow(operation, value, &way, false);
                }
                Some(target.clone())
            }
            "stdin" | "stdout" | "stderr" | "stdout_null" | "stderr_null" => {
                let null = name.ends_with("null")
                    || values
                        .first()
                        .is_some_and(|it| it.kind.as_deref() == Some("std::process::Stdio::null"));
                if values.is_empty() && !name.ends_with("null") {
                    return Some(target.clone());
                }
                let state = &mut self.found.operations[operation as usize];
                if null {
                    state.nulls |= match name {
                        "stdin" => 1,
                        "stdout" | "stdout_null" => 2,
                        _ => 4,
                    };
                }
                if state.nulls & 6 == 6 {
                    self.found.quality(operation, Quality::Silent);
                }
                Some(target.clone())
            }
            "creation_flags" => {
                let flags = values.first();
                let hidden = flags.is_some_and(|it| match it.integer() {
                    Some(bits) => bits & 0x0800_0008 != 0,
                    None => true,
                });
                if hidden {
                    self.found.quality(operation, Quality::Detached);
                    self.found.quality(operation, Quality::Silent);
                }
                Some(target.clone())
            }
            "process_group" | "setsid" | "detached" | "show_window" => {
                self.found.quality(operation, Quality::Detached);
                Some(target.clone())
            }
            "pre_exec" | "before_exec" => {
                if values.iter().any(|it| it.kind.as_deref() == Some("session")) {
                    self.found.quality(operation, Quality::Detached);
                }
                Some(target.clone())
            }
            "spawn" | "start" | "popen" => {
                Some(Value { kind: Some("std::process::Child".into()), ..target.clone() })
            }
            "output" | "wait_with_output" | "read" | "stdout_capture" | "capture" | "communicate"
            | "read_to_string" | "read_to_end" | "run" => {
                let place = self.place(frame, line);
                let origin = Origin {
                    source: Some(FlowSource::ProcessOutput),
                    operation: Some(operation),
                    gate: None,
                    place,
                    name: None,
                };
                let taints = self.found.origin(origin);
                let _ = receiver;
                Some(Value { operation: target.operation, ..Value::tainted(taints) })
            }
            _ => None,
        }
    }
}
