//! Blocks and what stands in them: variables that are bound and changed, results that are thrown away, early returns.

use std::rc::Rc;

use cratekeeper_model::facts::Quality;

use super::super::ir::{Expression, Id, Operator, Pattern, Text};
use super::super::value::{Known, Value};
use super::{Control, Frame, Machine};

/// Conditions that are kept of a place; those that came first say most.
const GATES: usize = 16;

impl<'p> Machine<'p> {
    pub(super) fn block(&mut self, frame: &mut Frame, statements: &[Id], has_value: bool) -> Value {
        let (names, gates, first) = (frame.names.len(), frame.gates.len(), frame.statement);
        let mut value = Value::default();
        for (at, statement) in statements.iter().enumerate() {
            frame.last_gates.clear();
            let is_last = at + 1 == statements.len();
            let is_padding = self.is_padding(frame, *statement);
            if is_padding && (!frame.first || self.again > 0) {
                value = Value::default();
                continue;
            }
            if at > 0 {
                frame.statement = statements[at - 1] + 1;
            }
            let first = frame.statement;
            let decoded = self.decoded_by_hand(frame, first, *statement);
            let once = u32::from(is_padding || decoded.is_some());
            self.once += once;
            value = self.evaluate(frame, *statement);
            self.once -= once;
            if let Some(decoded) = decoded {
                value = self.put_decoded(frame, first, *statement, decoded);
            }
            if !(is_last && has_value) {
                self.thrown_away(frame, *statement, &value);
                value = Value::default();
            }
            if self.leaves(frame, *statement) {
                let behind = std::mem::take(&mut frame.last_gates);
                frame.gates.extend(behind);
                frame.gates.truncate(GATES);
            }
            if frame.control != Control::On {
                if frame.uncertain == 0 && !frame.first {
                    break;
                }
                // What follows is read all the same in the first reading.
                if frame.first && frame.uncertain == 0 && !is_last {
                    let control = std::mem::replace(&mut frame.control, Control::On);
                    if control != Control::Return {
                        frame.control = control;
                        break;
                    }
                }
            }
        }
        frame.names.truncate(names);
        frame.gates.truncate(gates);
        frame.statement = first;
        value
    }

    /// A result that nobody looks at: `let _ = …;`, `….ok();`.
    pub(super) fn thrown_away(&mut self, frame: &Frame, statement: Id, value: &Value) {
        let Some(operation) = value.operation else { return };
        let expression = |id| self.program.node(frame.file, id).map(|it| &it.expression);
        let (ignored, dropped) = match expression(statement) {
            Some(Expression::Method(_, name, _)) => {
                (matches!(&**name, "ok" | "unwrap_or_default" | "unwrap_or" | "is_ok" | "is_err"), true)
            }
            Some(Expression::Let { pattern: Pattern::Wildcard, .. }) => (true, true),
            Some(Expression::Call(callee, arguments)) => {
                let drops = matches!(expression(*callee), Some(Expression::Path(path)) if &**path == "drop" || path.ends_with("::drop"));
                let at_once = arguments.first().and_then(|it| expression(*it));
                let of_call = matches!(at_once, Some(Expression::Call(..) | Expression::Method(..)));
                (drops && of_call, drops)
            }
            _ => (false, false),
        };
        if ignored {
            self.found.quality(operation, Quality::ErrorsIgnored);
        }
        if dropped {
            self.ignored_child(operation, value);
        }
    }

    /// Whether a statement leaves the block under a condition: `if … { return }`, `let … else { return }`.
    pub(super) fn leaves(&self, frame: &Frame, statement: Id) -> bool {
        match self.program.node(frame.file, statement).map(|it| &it.expression) {
            Some(Expression::If { then, otherwise: None, .. }) => self.diverges(frame, *then, 0),
            Some(Expression::If { then, otherwise: Some(otherwise), .. }) => {
                self.diverges(frame, *then, 0) || self.diverges(frame, *otherwise, 0)
            }
            Some(Expression::Let { otherwise: Some(_), .. }) => true,
            Some(Expression::Match(_, arms)) => arms.iter().any(|arm| self.diverges(frame, arm.value, 0)),
            Some(Expression::Let { value: Some(value), .. }) => {
                match self.program.node(frame.file, *value).map(|it| &it.expression) {
                    Some(Expression::Match(_, arms)) => {
                        arms.iter().any(|arm| self.diverges(frame, arm.value, 0))
                    }
                    _ => false,
                }
            }
            _ => false,
        }
    }

    pub(super) fn diverges(&self, frame: &Frame, id: Id, depth: u32) -> bool {
        match self.program.node(frame.file, id).map(|it| &it.expression) {
            Some(Expression::Return(_) | Expression::Break(_) | Expression::Continue) => true,
            Some(Expression::Block(statements, _)) if depth < 8 => {
                statements.last().is_some_and(|it| self.diverges(frame, *it, depth + 1))
            }
            Some(Expression::Macro(path, ..)) => matches!(&**path, "panic" | "unreachable" | "bail" | "todo"),
            Some(Expression::Call(callee, _)) => {
                matches!(self.program.node(frame.file, *callee).map(|it| &it.expression), Some(Expression::Path(path)) if path.ends_with("exit") || path.ends_with("abort"))
            }
            _ => false,
        }
    }

    pub(super) fn let_statement(
        &mut self,
        frame: &mut Frame,
        id: Id,
        line: u32,
        expression: &'p Expression,
    ) -> Value {
        let Expression::Let { pattern, kind, value, otherwise } = expression else { return Value::default() };
        let mut result = Value::default();
        let mut gates = Vec::new();
        if let Some(id) = value {
            result = self.evaluate(frame, *id);
            self.note(frame, line, &result);
            if otherwise.is_some() {
                gates = self.gates_of(frame, *id, &result);
            }
        }
        if &**kind == "String" && matches!(result.known, Known::List(_)) && result.as_text().is_none() {
            result = self.concat_list(&result, "");
        }
        if kind.contains("fn(") && result.kind.as_deref() == Some("transmuted") {
            self.call_data(frame, id, line, &result);
        }
        if result.kind.is_none() {
            result.kind = self.type_path(frame, kind);
        }
        if let Some(otherwise) = otherwise {
            self.uncertainly(frame, *otherwise, &[]);
        }
        if matches!(pattern, Pattern::Wildcard) {
            frame.last_gates = gates;
            return result;
        }
        bind(frame, pattern, result);
        if otherwise.is_some() || frame.last_gates.is_empty() {
            frame.last_gates = gates;
        }
        Value::default()
    }

    pub(super) fn assign(
        &mut self,
        frame: &mut Frame,
        line: u32,
        operator: Option<Operator>,
        left: Id,
        right: Id,
    ) -> Value {
        let mut value = self.evaluate(frame, right);
        if let Some(operator) = operator {
            let before = self.evaluate(frame, left);
            value = self.found.combined(operator, &before, &value);
        }
        self.note(frame, line, &value);
        self.store(frame, left, value);
        Value::default()
    }

    /// Puts a value where an expression says.
    pub(super) fn store(&mut self, frame: &mut Frame, place: Id, value: Value) {
        match self.program.node(frame.file, place).map(|it| &it.expression) {
            Some(Expression::Path(name)) => {
                let uncertain = frame.uncertain > 0;
                if &**name == "_" {
                    if let Some(operation) = value.operation {
                        self.found.quality(operation, Quality::ErrorsIgnored);
                    }
                } else {
                    frame.names.change(name, |variable| {
                        let before = std::mem::replace(variable, value);
                        if uncertain {
                            variable.absorb(&before);
                        }
                    });
                }
            }
            Some(Expression::Index(base, index)) => {
                let index = self.evaluate(frame, *index);
                if let Some(Expression::Path(name)) =
                    self.program.node(frame.file, *base).map(|it| &it.expression)
                {
                    frame.names.change(name, |variable| store_at(variable, &index, &value));
                }
            }
            Some(Expression::Field(base, _) | Expression::Method(base, _, _)) => {
                let base = *base;
                self.mix_into(frame, base, &value);
            }
            _ => {}
        }
    }

    /// Lets the variable that an expression begins with know of a value.
    pub(in crate::flow) fn mix_into(&mut self, frame: &mut Frame, place: Id, value: &Value) {
        let mut place = place;
        for _ in 0..16 {
            match self.program.node(frame.file, place).map(|it| &it.expression) {
                Some(Expression::Path(name)) => {
                    frame.names.change(name, |variable| variable.absorb(value));
                    return;
                }
                Some(
                    Expression::Field(base, _) | Expression::Index(base, _) | Expression::Method(base, _, _),
                ) => place = *base,
                _ => return,
            }
        }
    }

    /// The name of the variable that an expression is.
    pub(super) fn variable(&self, frame: &mut Frame, place: Id) -> Option<&'p Text> {
        match self.program.node(frame.file, place).map(|it| &it.expression) {
            Some(Expression::Path(name)) => frame.names.get(name).is_some().then_some(name),
            _ => None,
        }
    }
}

pub(super) fn bind(frame: &mut Frame, pattern: &Pattern, value: Value) {
    match pattern {
        Pattern::Wildcard | Pattern::Nothing(_) => {}
        Pattern::Name(name) => frame.names.push(name.clone(), value),
        Pattern::Tuple(parts) => {
            let elements = match &value.known {
                Known::List(list) if list.len() == parts.len() => Some(list.clone()),
                _ => None,
            };
            for (at, part) in parts.iter().enumerate() {
                let element =
                    elements.as_ref().and_then(|it| it.get(at)).cloned().unwrap_or_else(|| value.shadow());
                bind(frame, part, element);
            }
        }
        Pattern::Names(names) => {
            for name in names {
                frame.names.push(name.clone(), value.shadow());
            }
        }
    }
}

pub(super) fn store_at(variable: &mut Value, index: &Value, value: &Value) {
    variable.taints.add(&value.taints);
    variable.steps = variable.steps.and(value.steps);
    let at = index.integer().and_then(|it| usize::try_from(it).ok());
    let (Known::Bytes(bytes), Some(at), Some(number)) = (&mut variable.known, at, value.integer()) else {
        variable.known = Known::Nothing;
        return;
    };
    // The length of such a buffer was not known when it was made.
    if bytes.is_empty() && at == 0 || at == bytes.len() {
        let mut longer = bytes.to_vec();
        longer.push(number as u8);
        *bytes = longer.into();
        return;
    }
    if let Some(place) = Rc::make_mut(bytes).get_mut(at) {
        *place = number as u8;
    }
}
