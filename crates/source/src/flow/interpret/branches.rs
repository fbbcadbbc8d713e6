//! Conditions, loops and arms: what is taken, what may be, and what stands under which condition.

use cratekeeper_model::facts::GateKind;

use super::super::ir::{Arm, Expression, Id, Pattern};
use super::super::machine::Place;
use super::super::topics;
use super::super::value::{Known, Value};
use super::statements::bind;
use super::{Control, Frame, ITERATIONS, Machine, joined};

impl<'p> Machine<'p> {
    pub(super) fn conditional(&mut self, frame: &mut Frame, line: u32, text: &str, inner: Id) -> Value {
        let gates = self.cfg_gates(frame, line, text);
        let before = frame.gates.len();
        frame.gates.extend(gates);
        let value = self.evaluate(frame, inner);
        frame.gates.truncate(before);
        value
    }

    pub(in crate::flow) fn cfg_gates(&mut self, frame: &Frame, line: u32, text: &str) -> Vec<u32> {
        let place = self.place(frame, line);
        let kinds = super::super::gates::kinds_of_cfg(text, &self.default_features);
        kinds.into_iter().filter_map(|(kind, text)| self.found.gate(kind, &text, place)).collect()
    }

    /// Conditions of items, which have no place of their own in a body.
    pub(in crate::flow) fn item_gates(&mut self, place: Place, text: &str) -> Vec<u32> {
        let kinds = super::super::gates::kinds_of_cfg(text, &self.default_features);
        kinds.into_iter().filter_map(|(kind, text)| self.found.gate(kind, &text, place)).collect()
    }

    pub(super) fn gate_origin(&mut self, frame: &Frame, line: u32, kind: GateKind) -> Value {
        let place = self.place(frame, line);
        let origin = super::super::machine::Origin {
            source: None,
            operation: None,
            gate: Some(kind),
            place,
            name: None,
        };
        Value::tainted(self.found.origin(origin))
    }

    /// A comparison with the name of a program that looks at programs asks for it.
    pub(in crate::flow) fn ask_for_tools(
        &mut self,
        frame: &Frame,
        line: u32,
        value: &mut Value,
        compared: &[&Value],
    ) {
        let tool = topics::bit(cratekeeper_model::facts::Topic::AnalysisTool);
        let asked =
            compared.iter().any(|it| it.texts().iter().any(|text| self.found.words(text) & tool != 0));
        if asked {
            let gate = self.gate_origin(frame, line, GateKind::AnalysisTool);
            value.taints.add(&gate.taints);
        }
    }

    /// Reads something that may not happen.
    pub(super) fn uncertainly(&mut self, frame: &mut Frame, id: Id, gates: &[u32]) -> Value {
        let before = frame.gates.len();
        frame.gates.extend_from_slice(gates);
        frame.uncertain += 1;
        let value = self.evaluate(frame, id);
        frame.uncertain -= 1;
        frame.control = Control::On;
        frame.gates.truncate(before);
        value
    }

    /// Conditions that the value of a condition depends on.
    pub(super) fn gates_of(&mut self, frame: &Frame, condition: Id, value: &Value) -> Vec<u32> {
        if value.taints.is_empty() {
            return Vec::new();
        }
        let Some(node) = self.program.node(frame.file, condition) else { return Vec::new() };
        let Expression::Condition(_, text) = &node.expression else { return Vec::new() };
        let compares =
            text.contains(['<', '>']) || text.contains("==") || text.contains("!=") || text.contains("cmp");
        let place = self.place(frame, node.line);
        self.found.gates_of(value, text, place, compares)
    }

    pub(super) fn condition(
        &mut self,
        frame: &mut Frame,
        condition: Id,
        then: Id,
        otherwise: Option<Id>,
    ) -> Value {
        let names = frame.names.len();
        let value = self.evaluate(frame, condition);
        let gates = self.gates_of(frame, condition, &value);
        let result = match value.boolean() {
            Some(truth) => {
                let (taken, other) = if truth { (Some(then), otherwise) } else { (otherwise, Some(then)) };
                if frame.first
                    && let Some(other) = other
                    && self.read_branches.insert((frame.file, other))
                {
                    // Not taken as far as is known; what it does is read all the same, and forgotten.
                    let before = frame.names.remember();
                    let _ = self.uncertainly(frame, other, &gates);
                    frame.names.forget(&before);
                }
                taken.map(|it| self.evaluate(frame, it)).unwrap_or_default()
            }
            None => {
                let first = self.uncertainly(frame, then, &gates);
                let second = otherwise.map(|it| self.uncertainly(frame, it, &gates)).unwrap_or_default();
                joined(first, second)
            }
        };
        frame.names.truncate(names);
        frame.last_gates = gates;
        result
    }

    pub(super) fn match_expression(&mut self, frame: &mut Frame, scrutinee: Id, arms: &'p [Arm]) -> Value {
        let value = self.evaluate(frame, scrutinee);
        let gates = self.gates_of(frame, scrutinee, &value);
        let mut result = Value::default();
        let chosen = value.as_text().filter(|it| it.1 && value.is_known()).map(|it| it.0);
        for arm in arms {
            let names = frame.names.len();
            if let (Some(chosen), Pattern::Nothing(text), false) = (&chosen, &arm.pattern, frame.first)
                && !text.contains(&**chosen)
            {
                continue;
            }
            bind(frame, &arm.pattern, value.clone());
            if let Some(guard) = arm.guard {
                let _ = self.evaluate(frame, guard);
            }
            let of_arm = self.uncertainly(frame, arm.value, &gates);
            result = joined(result, of_arm);
            frame.names.truncate(names);
        }
        frame.last_gates = gates;
        result
    }

    pub(super) fn repeat(&mut self, frame: &mut Frame, id: Id, condition: Option<Id>, body: Id) -> Value {
        let mut value = Value::default();
        let names = frame.names.len();
        let began = self.root_steps;
        self.repeating += 1;
        let mut again = false;
        for iteration in 0..ITERATIONS {
            if iteration > 0 && self.is_idle(frame, id, began) {
                break;
            }
            if iteration > 0 && !again {
                self.again += 1;
                again = true;
            }
            let gates = match condition {
                Some(condition) => {
                    let holds = self.evaluate(frame, condition);
                    let gates = self.gates_of(frame, condition, &holds);
                    match holds.boolean() {
                        Some(true)
                            if self.once == 0 && self.may_go_on(began) && frame.names.has_constants() =>
                        {
                            value = self.evaluate(frame, body);
                            frame.names.truncate(names);
                            match frame.control {
                                Control::Break => {
                                    frame.control = Control::On;
                                    break;
                                }
                                Control::Return => break,
                                _ => frame.control = Control::On,
                            }
                            continue;
                        }
                        Some(false) if iteration > 0 => break,
                        _ => gates,
                    }
                }
                None => Vec::new(),
            };
            value = joined(value, self.uncertainly(frame, body, &gates));
            break;
        }
        self.repeating -= 1;
        self.again -= u32::from(again);
        frame.names.truncate(names);
        value
    }

    pub(super) fn for_loop(
        &mut self,
        frame: &mut Frame,
        id: Id,
        pattern: &'p Pattern,
        iterated: Id,
        body: Id,
    ) -> Value {
        let iterated = self.evaluate(frame, iterated);
        let names = frame.names.len();
        if let Some(elements) = self
            .elements(&iterated)
            .filter(|it| !it.is_empty() && works_on_constants(frame, it) && self.once == 0)
        {
            let began = self.root_steps;
            for (number, element) in elements.into_iter().enumerate() {
                if number > 0 && (!self.may_go_on(began) || self.is_idle(frame, id, began)) {
                    break;
                }
                bind(frame, pattern, element);
                self.repeating += u32::from(number > 0);
                self.again += u32::from(number > 0);
                let _ = self.evaluate(frame, body);
                self.repeating -= u32::from(number > 0);
                self.again -= u32::from(number > 0);
                frame.names.truncate(names);
                let control = std::mem::replace(&mut frame.control, Control::On);
                if control == Control::Break {
                    break;
                }
                if control == Control::Return {
                    frame.control = Control::Return;
                    break;
                }
            }
        } else {
            let element = match &iterated.known {
                Known::Text(_, false) => iterated.clone(),
                _ => iterated.shadow(),
            };
            bind(frame, pattern, element);
            let _ = self.uncertainly(frame, body, &[]);
        }
        frame.names.truncate(names);
        Value::default()
    }
}

/// Whether a loop over these may put a text together: over numbers, only with the help of a constant.
pub(super) fn works_on_constants(frame: &Frame, elements: &[Value]) -> bool {
    !matches!(elements.first().map(|it| &it.known), Some(Known::Integer(_))) || frame.names.has_constants()
}
