//! Methods: of types that a constructor shows, of things that stand for an operation, and of texts and sequences.

use std::rc::Rc;

use cratekeeper_model::facts::{Decoding, FlowSource, GateKind, OperationKind, Quality};

use super::super::ir::{Expression, Id, Text};
use super::super::machine::Origin;
use super::super::table;
use super::super::value::{Known, Value};
use super::calls::is_spawn;
use super::{Frame, ITERATIONS, Machine, concatenated, joined, united};

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
    fn method_arguments(
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
    fn method_of(
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
        let by_name = format!(".{name}");
        if let Some(api) = table::find(&by_name) {
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

    /// Methods of commands, files, connections and paths.
    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    fn typed_method(
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
                if let Some(variable) = self.variable(frame, receiver) {
                    variable.visible |= 1;
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

    fn open_with(&mut self, frame: &mut Frame, id: Id, line: u32, target: &Value, values: &[Value]) -> Value {
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
    fn command_method(
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

    /// Methods of texts and numbers whose result can be worked out.
    fn text_method(
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
            | "strip_prefix" | "strip_suffix" => return Some(replaced(target, name, values)),
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
    fn put_together(
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
                let mut value = concatenated(&parts);
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
                    if let Some(variable) = self.variable(frame, receiver) {
                        *variable = joined;
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
        let Some(variable) = self.variable(frame, place) else {
            self.mix_into(frame, place, added);
            return;
        };
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
                    (Some(byte), _) => Known::Bytes([&bytes[..], &[byte as u8]].concat().into()),
                    (None, Some(more)) => Known::Bytes([&bytes[..], &more[..]].concat().into()),
                    _ => Known::Nothing,
                };
                value
            }
            Known::Text(text, _) if text.is_empty() && added.is_known() => added.clone(),
            _ => {
                let mut value = concatenated(&[variable.clone(), added.clone()]);
                // Characters that come one by one out of a constant are one part.
                if added.as_text().is_some_and(|(text, _)| text.chars().count() == 1)
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
        let mut value = concatenated(&parts);
        value.taints.add(&target.taints);
        value
    }

    /// Methods of sequences whose elements are known; closures are read for each.
    fn sequence_method(
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
            ("chars" | "char_indices", Known::Text(text, true)) if text.len() <= ITERATIONS => {
                let characters: Vec<Value> =
                    text.chars().map(|it| target.part(Known::Text(it.to_string().into(), true))).collect();
                let list = Value { known: Known::List(Rc::new(characters)), ..target.part(Known::Nothing) };
                return Some(if name == "chars" { list } else { enumerated(&list) });
            }
            ("split" | "lines" | "split_whitespace" | "split_ascii_whitespace", Known::Text(text, true))
                if text.len() <= ITERATIONS =>
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
        let elements = || {
            target.elements(ITERATIONS).or_else(|| match (&target.known, name) {
                (Known::Text(text, true), "iter" | "into_iter") => {
                    Some(text.bytes().map(|it| target.part(Known::Byte(it))).collect())
                }
                _ => None,
            })
        };
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
                let mut values = elements()?;
                values.reverse();
                Some(list(values).with_step(Decoding::Reversed))
            }
            "reverse" => {
                // In place: the variable is not known here; the value is good enough.
                None
            }
            "enumerate" => Some(enumerated(&list(elements()?))),
            "map" | "filter_map" | "flat_map" if matches!(target.known, Known::List(_) | Known::Bytes(_)) => {
                let values = elements().filter(|it| !it.is_empty())?;
                let argument = *arguments.first()?;
                let node = self.program.node(frame.file, argument)?;
                let mut results = Vec::with_capacity(values.len());
                for value in values {
                    let result = match &node.expression {
                        closure @ Expression::Closure(_, body) => {
                            if !self.may_repeat() && !results.is_empty() {
                                return Some(target.shadow());
                            }
                            self.closure_body(frame, closure, *body, &[value])
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
                let values = elements().filter(|it| !it.is_empty())?;
                let mut state = self.evaluate(frame, arguments[0]);
                let Expression::Closure(_, body) = &self.program.node(frame.file, arguments[1])?.expression
                else {
                    return None;
                };
                let closure = &self.program.node(frame.file, arguments[1])?.expression;
                for value in values {
                    if !self.may_repeat() {
                        return Some(target.shadow());
                    }
                    state = self.closure_body(frame, closure, *body, &[state, value]);
                }
                Some(state)
            }
            "zip" => {
                let values = elements()?;
                let other = self.evaluate(frame, *arguments.first()?);
                let others = other.elements(ITERATIONS).or_else(|| {
                    other.as_bytes().map(|it| it.iter().map(|it| other.part(Known::Byte(*it))).collect())
                })?;
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
                let values = elements()?;
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
                let values = elements().or_else(|| {
                    target.as_bytes().map(|it| it.iter().map(|it| target.part(Known::Byte(*it))).collect())
                })?;
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

    /// A method of something of which nothing is known.
    fn other_method(
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

fn enumerated(list: &Value) -> Value {
    let Known::List(values) = &list.known else { return list.clone() };
    let pairs = values.iter().enumerate().map(|(at, value)| {
        let mut pair =
            list.part(Known::List(Rc::new(vec![Value::known(Known::Integer(at as i64)), value.clone()])));
        pair.steps = value.steps;
        pair
    });
    list.part(Known::List(Rc::new(pairs.collect())))
}

/// Longest text that a replacement may make, in bytes.
const REPLACED: usize = 64 << 10;

fn replaced(target: &Value, name: &str, values: &[Value]) -> Value {
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
    let visible = target.visible | super::super::topics::bits(&text);
    Value { visible, ..target.part(Known::Text(changed.into(), whole)) }.with_step(Decoding::Replaced)
}

fn number_method(target: &Value, name: &str, first: Option<&Value>) -> Option<Value> {
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

/// Methods that change nothing.
fn is_question(name: &str) -> bool {
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
