//! Memory that may be executed, data that becomes a function, and files that are opened by the system's calls.

use cratekeeper_model::facts::OperationKind;

use super::super::ir::Id;
use super::super::table::Api;
use super::super::value::{Known, Value};
use super::{Frame, Machine, united};

impl<'p> Machine<'p> {
    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn memory(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        api: Api,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        let executable = values.iter().any(|value| match &value.known {
            Known::Text(text, _) => text.contains("EXEC"),
            Known::Integer(bits) => {
                path.contains("Virtual") && bits & 0xf0 != 0
                    || !path.contains("Virtual") && *bits > 3 && bits & 4 != 0 && *bits < 8
            }
            _ => false,
        });
        if !executable {
            return united(values);
        }
        let mut value = self.operate(
            frame,
            id,
            line,
            OperationKind::ExecutableMemory,
            path,
            api,
            arguments,
            values,
            None,
        );
        value.kind = Some("executable".into());
        value
    }

    #[allow(clippy::too_many_arguments, reason = "a call with all that belongs to it")]
    pub(super) fn open_file(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        api: Api,
        arguments: &'p [Id],
        values: &[Value],
    ) -> Value {
        let writes = values.get(1).is_some_and(|it| {
            it.as_text().is_some_and(|(text, _)| {
                text.contains(['w', 'a'])
                    || text.starts_with("O_W")
                    || text.starts_with("O_R")
                    || text.starts_with("O_C")
            }) || it.integer().is_some_and(|it| it & 3 != 0)
        });
        let kind = if writes { OperationKind::WriteFile } else { OperationKind::ReadFile };
        let api = Api { arguments: api.arguments & !2, ..api };
        self.operate(frame, id, line, kind, path, api, arguments, values, None)
    }

    /// `transmute` turns data into a function only where its value is called, or its type says so; the type is not known here.
    pub(super) fn transmute(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        path: &str,
        values: &[Value],
    ) -> Value {
        let value = values.first().cloned().unwrap_or_default();
        let of_memory = value.kind.as_deref() == Some("executable")
            || value
                .operation
                .is_some_and(|it| self.found.operations[it as usize].kind == OperationKind::ExecutableMemory);
        let of_constant = value.as_bytes().is_some() && !matches!(value.known, Known::Text(..));
        if of_memory || of_constant || path.ends_with("_to_function") {
            self.call_data(frame, id, line, &value);
        }
        Value { kind: Some("transmuted".into()), ..value }
    }

    /// Data becomes a function.
    pub(super) fn call_data(&mut self, frame: &Frame, id: Id, line: u32, value: &Value) {
        if let Some(operation) =
            self.operation(frame, id, line, OperationKind::CallData, "std::mem::transmute")
        {
            let way = self.way();
            self.found.flow(operation, value, &way, false);
        }
    }
}
