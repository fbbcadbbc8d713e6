//! What calls of the table do: operations with their arguments, and values with a meaning.

use cratekeeper_model::facts::{Decoding, FlowSource, GateKind, OperationKind, Quality};

use super::super::ir::Id;
use super::super::machine;
use super::super::machine::Origin;
use super::super::table::{Api, Effect};
use super::super::value::{Known, Value};
use super::{Frame, Machine, united};

impl<'p> Machine<'p> {
    /// The operation at a node of the current function.
    pub(super) fn operation(
        &mut self,
        frame: &Frame,
        id: Id,
        line: u32,
        kind: OperationKind,
        path: &str,
    ) -> Option<u32> {
        let place = self.place(frame, line);
        let operation = self.found.begin(id, kind, path, place, &frame.gates)?;
        if self.program.node(frame.file, id).is_some_and(|it| it.in_macro) {
            self.found.quality(operation, Quality::InMacro);
        }
        self.mark_thread(frame, operation);
        Some(operation)
    }

    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn effect(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        api: Api,
        arguments: &'p [Id],
        values: &[Value],
        receiver: Option<&Value>,
    ) -> Value {
        match api.effect {
            Effect::Operation(kind) => {
                self.operate(frame, id, line, kind, path, api, arguments, values, receiver)
            }
            Effect::Shell => {
                let value = self.operate(
                    frame,
                    id,
                    line,
                    OperationKind::StartProcess,
                    path,
                    api,
                    arguments,
                    values,
                    receiver,
                );
                if let Some(operation) = value.operation {
                    self.found.quality(operation, Quality::ThroughShell);
                }
                value
            }
            Effect::OpenOptions => Value { kind: Some("std::fs::OpenOptions".into()), ..Value::default() },
            Effect::Mode => self.mode(values.first()),
            Effect::Client => Value {
                kind: Some(api.kind.into()),
                taints: united(values).taints,
                operation: receiver.and_then(|it| it.operation),
                ..Value::default()
            },
            Effect::Engine => Value { kind: Some(api.kind.into()), ..Value::default() },
            Effect::Session => self.session(frame),
            Effect::Place(name) => Value {
                known: Known::Text(format!("{{{name}}}").into(), false),
                ..self.place_origin(frame, line, name)
            },
            Effect::SetVariable => united(values),
            Effect::Processes => {
                let value = self.operate(
                    frame,
                    id,
                    line,
                    OperationKind::HostInformation,
                    path,
                    api,
                    arguments,
                    values,
                    receiver,
                );
                let mut gate = self.gate_origin(frame, line, GateKind::AnalysisTool);
                gate.absorb(&value);
                gate
            }
            Effect::TlsChecks(bad) => match values.first().and_then(Value::boolean) {
                Some(value) if value != bad => receiver.cloned().unwrap_or_default(),
                _ => self.operate(
                    frame,
                    id,
                    line,
                    OperationKind::DisableTlsChecks,
                    path,
                    api,
                    arguments,
                    values,
                    receiver,
                ),
            },
            Effect::Memory => self.memory(frame, id, line, path, api, arguments, values),
            Effect::LibcOpen => self.open_file(frame, id, line, path, api, arguments, values),
            Effect::Transmute => self.transmute(frame, id, line, path, values),
            Effect::Thread => united(values),
            Effect::Chance => self.gate_origin(frame, line, GateKind::Chance),
            Effect::DecodeBase64 => self.decode(frame, id, line, path, values, Decoding::Base64),
            Effect::DecodeHex => self.decode(frame, id, line, path, values, Decoding::Hex),
            Effect::LiteralHex => self.decode(frame, id, line, path, values, Decoding::Hex),
            Effect::LiteralHidden => {
                let value = values.first().cloned().unwrap_or_default().with_step(Decoding::Evaluated);
                self.note(frame, line, &value);
                value
            }
            Effect::Concat => self.found.concatenated(values),
            Effect::Cipher => self.cipher(frame, id, line, path, values, receiver),
            Effect::Digest => {
                let whole = united(values);
                for taint in whole.taints.iter().copied().collect::<Vec<_>>() {
                    if let Some(operation) = self.found.origins[taint.origin as usize].operation {
                        self.found.quality(operation, Quality::Verified);
                    }
                }
                Value::default()
            }
        }
    }

    pub(super) fn place_origin(&mut self, frame: &Frame, line: u32, name: &str) -> Value {
        let place = self.place(frame, line);
        let origin = Origin { source: None, operation: None, gate: None, place, name: Some(name.to_owned()) };
        Value::tainted(self.found.origin(origin))
    }

    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn operate(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        kind: OperationKind,
        path: &str,
        api: Api,
        arguments: &'p [Id],
        values: &[Value],
        receiver: Option<&Value>,
    ) -> Value {
        if kind == OperationKind::DisableTlsChecks && values.first().and_then(Value::boolean) == Some(false) {
            return receiver.cloned().unwrap_or_default();
        }
        let Some(operation) = self.operation(frame, id, line, kind, path) else { return united(values) };
        let is_listed = |at: usize| api.arguments & (1 << at.min(15)) != 0 || api.text;
        let said: Vec<Value> = if api.receiver {
            receiver.into_iter().cloned().collect()
        } else {
            values.iter().enumerate().filter(|(at, _)| is_listed(*at)).map(|it| it.1.clone()).collect()
        };
        for value in &said {
            self.found.argument(operation, value);
        }
        let way = self.way();
        for (at, value) in values.iter().enumerate() {
            let reads = matches!(
                kind,
                OperationKind::StartProcess | OperationKind::LoadLibrary | OperationKind::SetPermissions
            );
            let value = if reads { self.with_content(value) } else { value.clone() };
            self.found.flow(operation, &value, &way, is_listed(at) && at == 0);
        }
        if let Some(receiver) = receiver {
            // What comes back over a connection is not what goes out.
            let sent = Value::tainted(self.found.without(&receiver.taints, receiver.operation));
            self.found.flow(operation, &sent, &way, false);
            // A request is part of what the client does.
            if let Some(of_receiver) = receiver.operation
                && self.found.operations[of_receiver as usize].kind == OperationKind::DisableTlsChecks
                && kind == OperationKind::DisableTlsChecks
            {
                return receiver.clone();
            }
        }
        self.qualities_of(operation, kind, path, &said);
        let _ = arguments;
        self.result(frame, line, operation, kind, api, &said, receiver)
    }

    pub(super) fn qualities_of(&mut self, operation: u32, kind: OperationKind, path: &str, said: &[Value]) {
        match kind {
            OperationKind::StartProcess => self.program_qualities(operation),
            OperationKind::WriteFile
            | OperationKind::ReadFile
            | OperationKind::ReadDirectory
            | OperationKind::DeleteFile => {
                let place = said
                    .get(usize::from(path.ends_with("::copy") || path.ends_with("::rename")))
                    .or(said.first());
                if let Some(place) = place
                    && self.is_inside(place, kind)
                {
                    self.found.quality(operation, Quality::InsidePackage);
                }
            }
            OperationKind::SetPermissions if said.iter().any(makes_executable) => {
                self.found.quality(operation, Quality::Executable);
            }
            _ => {}
        }
    }

    /// A path of a file that the package writes, with what is written to it.
    pub(super) fn with_content(&self, path: &Value) -> Value {
        let mut path = path.clone();
        if let Some((text, _)) = path.as_text()
            && let Some(content) = self.found.content_of(&text)
        {
            path.taints.add(&content.clone());
        }
        path
    }

    /// Whether a path is below `OUT_DIR` or, to be read, below the package.
    pub(super) fn is_inside(&self, path: &Value, kind: OperationKind) -> bool {
        if let Some((text, whole)) = path.as_text() {
            if text.contains("..") {
                return false;
            }
            if text.starts_with("{OUT_DIR}") {
                return true;
            }
            let is_relative =
                !text.starts_with(['/', '~', '{', '\\']) && text.as_bytes().get(1) != Some(&b':');
            if kind != OperationKind::WriteFile
                && (text.starts_with("{CARGO_MANIFEST_DIR}") || whole && is_relative && !text.is_empty())
            {
                return true;
            }
        }
        path.taints.iter().any(|taint| {
            let name = self.found.origins[taint.origin as usize].name.as_deref();
            name == Some("OUT_DIR")
        })
    }

    /// What an operation gives.
    #[allow(clippy::too_many_arguments, reason = "an operation with all that belongs to it")]
    pub(super) fn result(
        &mut self,
        frame: &Frame,
        line: u32,
        operation: u32,
        kind: OperationKind,
        api: Api,
        said: &[Value],
        receiver: Option<&Value>,
    ) -> Value {
        let first = said.first().and_then(Value::as_text);
        let name = first.as_ref().filter(|it| it.1).map(|it| it.0.to_string());
        let shown = first.as_ref().map(|it| &it.0);
        let (source, gate) = match kind {
            OperationKind::ReadVariable => (
                Some(machine::source_of_variable(name.as_deref())),
                Some(machine::gate_of_variable(name.as_deref())),
            ),
            OperationKind::ListVariables => (Some(FlowSource::AllVariables), Some(GateKind::Variable)),
            OperationKind::HostInformation => (Some(FlowSource::HostInformation), Some(GateKind::Host)),
            OperationKind::ReadFile => (Some(self.found.source_of_file(shown)), None),
            OperationKind::ReadDirectory => (Some(self.found.source_of_file(shown)), None),
            OperationKind::Connect | OperationKind::ResolveName | OperationKind::Listen => {
                (Some(FlowSource::Network), None)
            }
            OperationKind::UserInterface => (Some(FlowSource::HostInformation), None),
            OperationKind::ReadClock => (None, Some(GateKind::Time)),
            OperationKind::SystemRegistry => (Some(FlowSource::HostInformation), None),
            _ => (None, None),
        };
        let mut result = Value { operation: Some(operation), ..Value::default() };
        if source.is_some() || gate.is_some() {
            let place = self.place(frame, line);
            result.taints = self.found.origin(Origin {
                source,
                operation: Some(operation),
                gate,
                place,
                name: name.clone(),
            });
        }
        if kind == OperationKind::ReadVariable
            && let Some(name) = name
            && !name.is_empty()
            && name.len() <= 64
        {
            result.known = Known::Text(format!("{{{name}}}").into(), false);
        }
        if matches!(kind, OperationKind::ReadDirectory) {
            // Entries are below the directory; which, nobody knows.
            if let Some((text, _)) = &first {
                result.known = Known::Text(format!("{}/{{}}", text.trim_end_matches('/')).into(), false);
            }
        }
        if matches!(kind, OperationKind::Decode | OperationKind::Encode) {
            for value in said {
                result.taints.add(&value.taints);
            }
            result.operation = None;
        }
        if kind == OperationKind::DisableTlsChecks
            && let Some(receiver) = receiver
        {
            result.kind = receiver.kind.clone();
        }
        if !api.kind.is_empty() {
            result.kind = Some(api.kind.into());
        }
        result
    }

    /// Data that something connected, opened or started gets.
    pub(super) fn data_into(&mut self, frame: &Frame, handle: &Value, data: &Value) {
        let Some(operation) = handle.operation else { return };
        let way = self.way();
        self.found.flow(operation, data, &way, false);
        let _ = frame;
    }

    /// What the program and its arguments say, whenever one is added.
    pub(super) fn program_qualities(&mut self, operation: u32) {
        let said = self.found.operations[operation as usize].said();
        let Some(program) = said.first() else { return };
        let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
        let name = name.strip_suffix(".exe").unwrap_or(name).to_ascii_lowercase();
        let has =
            |words: &[&str]| said.iter().skip(1).any(|it| words.contains(&it.to_ascii_lowercase().as_str()));
        let through = match name.as_str() {
            "sh" | "bash" | "zsh" | "dash" | "ksh" | "fish" | "busybox" => has(&["-c", "-lc", "-ic", "-s"]),
            "cmd" => has(&["/c", "/k", "/r"]),
            "powershell" | "pwsh" | "wscript" | "cscript" | "mshta" | "osascript" => true,
            "python" | "python3" | "python2" => has(&["-c"]),
            "perl" | "ruby" | "node" | "deno" | "lua" => has(&["-e", "--eval", "-p"]),
            "php" => has(&["-r"]),
            _ => false,
        };
        let detaches = matches!(name.as_str(), "nohup" | "setsid" | "start" | "daemonize" | "disown")
            || has(&["-windowstyle", "hidden"])
            || name == "cmd" && has(&["start"]);
        let executable = name == "chmod"
            && said.iter().any(|it| {
                it.contains("+x") || it.starts_with('7') || it == "a+x" || it == "u+x" || it == "0755"
            });
        for (holds, quality) in [
            (through, Quality::ThroughShell),
            (detaches, Quality::Detached),
            (executable, Quality::Executable),
        ] {
            if holds {
                self.found.quality(operation, quality);
            }
        }
    }

    /// A child whose handle nobody keeps.
    pub(super) fn ignored_child(&mut self, operation: u32, value: &Value) {
        if value.kind.as_deref() == Some("std::process::Child") {
            self.found.quality(operation, Quality::Detached);
        }
    }

    pub(super) fn mode(&mut self, mode: Option<&Value>) -> Value {
        let Some(mode) = mode else { return Value::default() };
        mode.clone()
    }

    /// A session of its own, or a daemon: children of this function go on without it.
    pub(super) fn session(&mut self, frame: &Frame) -> Value {
        let function = frame.function;
        for operation in self.found.programs_of(frame.file, function) {
            self.found.quality(operation, Quality::Detached);
        }
        Value { kind: Some("session".into()), ..Value::default() }
    }
}

/// Whether a permission is one to be run: `+x`, or a mode with such a bit.
pub(super) fn makes_executable(value: &Value) -> bool {
    matches!(value.known, Known::Text(ref text, _) if &**text == "+x")
        || value.integer().is_some_and(|mode| mode & 0o111 != 0)
}
