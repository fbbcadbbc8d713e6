//! Reads functions as they would run, as far as constants allow, and all branches where they do not.
//!
//! Every body and constant is read once with unknown parameters, so nothing is missed; a call with arguments that matter reads
//! the called function again with them. Repetition (loops over constants, called functions) has a budget, the first reading has
//! none: it is linear in the size of the package.

mod arithmetic;
mod branches;
mod budget;
mod calls;
mod decoding;
mod effects;
mod functions;
mod handles;
mod macros;
mod memory;
mod methods;
mod names;
mod sequences;
mod statements;
mod texts;
mod variables;

pub(super) use methods::is_common as methods_of_no_one;

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use cratekeeper_model::facts::Decoding;

use super::decoders::{Clues, Shifts};
use super::ir::{Expression, Id, Text};
use super::machine::{Found, Place};
use super::program::Program;
use super::relevance::Relevance;
use super::slice::Slice;
use super::value::{Known, Taints, Value};
use arithmetic::{cast, indexed, range};
use budget::STEPS;
use statements::bind;
use variables::Variables;

/// Values that were noted last.
const NOTED: usize = 4;
/// Iterations of one loop over constants.
const ITERATIONS: usize = 4096;

/// Expressions that are open at the same time; each takes about 1 KB of stack in a debug build.
const DEPTH: u32 = 400;
/// Longest text that is put together.
const TEXT: usize = 64 << 10;

/// A call between functions of the package.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    pub(super) caller: Option<u32>,
    pub(super) callee: u32,
    pub(super) gates: Vec<u32>,
    pub(super) on_thread: bool,
}

/// What a function returns, and what it leaves in its parameters.
type Outcome = (Value, Rc<Vec<Taints>>);

pub(super) struct Machine<'p> {
    pub(super) program: &'p Program<'p>,
    pub(super) found: Found,
    pub(super) edges: Vec<Edge>,
    seen_edges: HashSet<(Option<u32>, u32, u32, bool, usize)>,
    memory: HashMap<(usize, u64), Outcome>,
    /// Where the parameters of the function that was called last got their values from, when it was left.
    left_behind: Rc<Vec<Taints>>,
    constants: Vec<Option<Value>>,
    open_constants: Vec<usize>,
    /// Bodies that are being read, and where they were called.
    calls: Vec<(usize, Place)>,
    /// Functions that were read.
    pub(super) read: HashSet<u32>,
    depth: u32,
    steps: u64,
    root_steps: u64,
    /// Loops and closures whose body may be read again.
    repeating: u32,
    /// Those of them that are past their first time.
    again: u32,
    /// Statements that nothing depends on, and whose loops are read once.
    once: u32,
    /// Elements that were taken apart.
    elements: usize,
    relevance: Relevance,
    slices: HashMap<usize, Rc<Slice>>,
    /// What bodies that decode digits say about them.
    clues: HashMap<usize, Rc<Clues>>,
    /// Shifts of the bodies that have some.
    shifts: HashMap<usize, Option<Rc<Shifts>>>,
    /// What was noted last, with file and function: mostly the next statement has the same value again.
    noted: VecDeque<(Value, u32, Option<u32>)>,
    /// Branches that were read although their condition does not hold.
    read_branches: HashSet<(u32, Id)>,
    resolved: HashMap<(Rc<str>, Text), Rc<str>>,
    /// The same by file and expression, where the path stands in one.
    resolved_at: Vec<Vec<Option<Rc<str>>>>,
    default_features: HashSet<String>,
}

pub(super) struct Frame {
    pub(super) file: u32,
    pub(super) function: Option<u32>,
    pub(super) module: Rc<str>,
    pub(super) self_type: Rc<str>,
    names: Variables,
    pub(super) gates: Vec<u32>,
    control: Control,
    returned: Value,
    on_thread: bool,
    /// Depth of branches that may not be taken.
    uncertain: u32,
    /// The first reading, with unknown parameters.
    first: bool,
    /// Conditions of the `if` that was read last.
    last_gates: Vec<u32>,
    /// The body that is read, unless it is that of a constant.
    body: Option<usize>,
    /// What may be left out of it, once that matters.
    slice: Option<Rc<Slice>>,
    /// Where digits may be decoded in it.
    shifts: Option<Rc<Shifts>>,
    /// The first expression of the statement that is read.
    statement: Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Control {
    On,
    Break,
    Continue,
    Return,
}

impl<'p> Machine<'p> {
    pub(super) fn new(program: &'p Program<'p>) -> Machine<'p> {
        Machine {
            program,
            found: Found::default(),
            edges: Vec::new(),
            seen_edges: HashSet::new(),
            memory: HashMap::new(),
            left_behind: Rc::new(Vec::new()),
            constants: vec![None; program.constants.len()],
            open_constants: Vec::new(),
            calls: Vec::new(),
            read: HashSet::new(),
            depth: 0,
            steps: 0,
            root_steps: 0,
            repeating: 0,
            again: 0,
            once: 0,
            elements: 0,
            relevance: Relevance::new(program),
            slices: HashMap::new(),
            clues: HashMap::new(),
            shifts: HashMap::new(),
            noted: VecDeque::new(),
            resolved_at: vec![Vec::new(); program.irs.len()],
            read_branches: HashSet::new(),
            resolved: HashMap::new(),
            default_features: super::gates::default_features(&program.manifest.features),
        }
    }

    /// Reads everything.
    pub(super) fn run(&mut self) {
        for number in 0..self.program.constants.len() {
            if self.relevance.constants[number] {
                self.root_steps = 0;
                let _ = self.constant(number);
            }
        }
        // What runs when somebody builds comes first, so that nothing else uses up what may be read again.
        let mut order: Vec<usize> =
            (0..self.program.bodies.len()).filter(|it| self.relevance.bodies[*it]).collect();
        order.sort_by_key(|it| !self.program.runs_at_build_time(&self.program.bodies[*it]));
        for number in order {
            self.root_steps = 0;
            let _ = self.call_body(number, Vec::new(), None, true);
        }
        if self.steps >= STEPS {
            self.found.truncated.insert("steps");
        }
    }

    fn frame(
        &self,
        file: u32,
        function: Option<u32>,
        module: Rc<str>,
        self_type: Rc<str>,
        first: bool,
    ) -> Frame {
        Frame {
            file,
            function,
            module,
            self_type,
            names: Variables::default(),
            gates: Vec::new(),
            control: Control::On,
            returned: Value::default(),
            on_thread: false,
            uncertain: 0,
            first,
            last_gates: Vec::new(),
            body: None,
            slice: None,
            shifts: None,
            statement: 0,
        }
    }

    pub(super) fn place(&self, frame: &Frame, line: u32) -> Place {
        Place { file: frame.file, line, function: frame.function }
    }

    /// Keeps a text that took decoding.
    fn note(&mut self, frame: &Frame, line: u32, value: &Value) {
        if value.steps.is_empty() || self.was_noted(frame, value) {
            return;
        }
        if let Some((text, _)) = value.as_text()
            && self.found.is_hidden(&text, value)
        {
            let place = self.place(frame, line);
            self.found.text(&text, value, place, None);
        }
    }

    /// Whether the same value was noted just before.
    fn was_noted(&mut self, frame: &Frame, value: &Value) -> bool {
        let same = |it: &(Value, u32, Option<u32>)| {
            let is_same = match (&it.0.known, &value.known) {
                (Known::Text(left, _), Known::Text(right, _)) => Rc::ptr_eq(left, right),
                (Known::Bytes(left), Known::Bytes(right)) => Rc::ptr_eq(left, right),
                (Known::List(left), Known::List(right)) => Rc::ptr_eq(left, right),
                _ => false,
            };
            is_same
                && it.0.steps == value.steps
                && it.0.visible == value.visible
                && (it.1, it.2) == (frame.file, frame.function)
        };
        if self.noted.iter().any(same) {
            return true;
        }
        if self.noted.len() >= NOTED {
            self.noted.pop_front();
        }
        let kept = Value {
            known: value.known.clone(),
            steps: value.steps,
            visible: value.visible,
            ..Value::default()
        };
        self.noted.push_back((kept, frame.file, frame.function));
        false
    }

    pub(super) fn evaluate(&mut self, frame: &mut Frame, id: Id) -> Value {
        let Some(node) = self.program.node(frame.file, id) else { return Value::default() };
        if self.depth >= DEPTH {
            self.found.truncated.insert("depth");
            return Value::default();
        }
        self.depth += 1;
        // Reading everything once has no budget; only what is read again has.
        let again = u64::from(!frame.first || self.repeating > 0);
        self.steps += again;
        self.root_steps += again;
        let value = self.evaluate_inside(frame, id, node.line, &node.expression);
        self.depth -= 1;
        value
    }

    fn evaluate_inside(&mut self, frame: &mut Frame, id: Id, line: u32, expression: &'p Expression) -> Value {
        match expression {
            Expression::Text(text) => Value::text(text.clone()),
            Expression::Bytes(bytes) => Value::known(Known::Bytes(bytes.clone()))
                .with_step_if(is_array_of_text(bytes), Decoding::Numbers),
            Expression::Integer(value) => Value::known(Known::Integer(*value)),
            Expression::Byte(value) => Value::known(Known::Byte(*value)),
            Expression::Boolean(value) => Value::known(Known::Boolean(*value)),
            Expression::Path(path) => self.path(frame, id, line, path),
            Expression::Call(callee, arguments) => self.call(frame, id, line, *callee, arguments),
            Expression::Method(receiver, name, arguments) => {
                self.method(frame, id, line, *receiver, name, arguments)
            }
            Expression::Field(base, name) => self.field(frame, *base, name),
            Expression::Block(statements, has_value) => self.block(frame, statements, *has_value),
            Expression::Let { .. } => self.let_statement(frame, id, line, expression),
            Expression::If { condition, then, otherwise } => {
                self.condition(frame, *condition, *then, *otherwise)
            }
            Expression::Match(scrutinee, arms) => self.match_expression(frame, *scrutinee, arms),
            Expression::Loop(condition, body) => self.repeat(frame, id, *condition, *body),
            Expression::For(pattern, iterated, body) => self.for_loop(frame, id, pattern, *iterated, *body),
            Expression::Binary(operator, left, right) => self.binary(frame, line, *operator, *left, *right),
            Expression::Assign(operator, left, right) => self.assign(frame, line, *operator, *left, *right),
            Expression::Format(pieces) => self.format(frame, pieces),
            Expression::Macro(path, arguments, text) => {
                self.macro_call(frame, id, line, path, arguments, text)
            }
            other => self.evaluate_simple(frame, id, line, other),
        }
    }

    fn evaluate_simple(&mut self, frame: &mut Frame, id: Id, line: u32, expression: &'p Expression) -> Value {
        match expression {
            Expression::Parts(parts) => self.parts(frame, parts),
            Expression::Condition(inner, _) => self.evaluate(frame, *inner),
            Expression::Conditional(text, inner) => self.conditional(frame, line, text, *inner),
            Expression::Matches(pattern, value) => {
                let value = self.evaluate(frame, *value);
                let compared = Value::tainted(value.taints.clone());
                bind(frame, pattern, value);
                compared
            }
            Expression::Index(base, index) => {
                let base = self.evaluate(frame, *base);
                let index = self.evaluate(frame, *index);
                indexed(&base, &index)
            }
            Expression::Negate(inner) => {
                let value = self.evaluate(frame, *inner);
                match value.integer() {
                    Some(number) => value.part(Known::Integer(number.wrapping_neg())),
                    None => value.shadow(),
                }
            }
            Expression::Array(elements) | Expression::Tuple(elements) => {
                let mut list = Vec::with_capacity(elements.len());
                for element in elements {
                    list.push(self.evaluate(frame, *element));
                }
                let whole = united(&list);
                Value {
                    known: Known::List(Rc::new(list)),
                    taints: whole.taints,
                    operation: whole.operation,
                    ..Value::default()
                }
            }
            Expression::Repeat(value, count) => {
                let value = self.evaluate(frame, *value);
                let count = self.evaluate(frame, *count);
                match (
                    value.integer().and_then(|it| u8::try_from(it).ok()),
                    count.integer().and_then(|it| usize::try_from(it).ok()),
                ) {
                    (Some(byte), Some(count)) if count <= ITERATIONS => {
                        Value::known(Known::Bytes(vec![byte; count].into()))
                    }
                    // A buffer of a length that the arguments of the call decide.
                    (Some(0), None) => Value::known(Known::Bytes(Rc::from([]))),
                    _ => value.shadow(),
                }
            }
            Expression::Record(path, fields) => {
                let mut whole = Value::default();
                let mut known = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    let value = self.evaluate(frame, *field);
                    whole.absorb(&value);
                    known.push((name.clone(), value));
                }
                whole.known = Known::Record(Rc::new(known));
                whole.kind = self.type_path(frame, path);
                whole
            }
            Expression::Closure(_, body) => {
                let known = Known::Closure(frame.file, id);
                // Read once as it stands, in case nobody seems to call it.
                let result = self.closure_body(frame, expression, *body, &[]);
                Value { known, taints: result.taints, operation: result.operation, ..Value::default() }
            }
            Expression::Return(value) => {
                let value = value.map(|it| self.evaluate(frame, it)).unwrap_or_default();
                let before = std::mem::take(&mut frame.returned);
                frame.returned = joined(value, before);
                frame.control = Control::Return;
                Value::default()
            }
            Expression::Break(value) => {
                let value = value.map(|it| self.evaluate(frame, it)).unwrap_or_default();
                frame.control = Control::Break;
                value
            }
            Expression::Continue => {
                frame.control = Control::Continue;
                Value::default()
            }
            Expression::Cast(inner, kind) => {
                let value = self.evaluate(frame, *inner);
                cast(value, kind)
            }
            Expression::Range(start, end, inclusive) => {
                let start = start.map(|it| self.evaluate(frame, it));
                let end = end.map(|it| self.evaluate(frame, it));
                range(start.as_ref(), end.as_ref(), *inclusive)
            }
            _ => Value::default(),
        }
    }

    fn parts(&mut self, frame: &mut Frame, parts: &[Id]) -> Value {
        let mut whole = Value::default();
        for part in parts {
            let value = self.evaluate(frame, *part);
            whole.absorb(&value);
        }
        whole
    }

    fn field(&mut self, frame: &mut Frame, base: Id, name: &str) -> Value {
        let value = self.evaluate(frame, base);
        if let (Known::List(list), Ok(number)) = (&value.known, name.parse::<usize>())
            && let Some(part) = list.get(number)
        {
            return part.clone();
        }
        if let Known::Record(fields) = &value.known
            && let Some((_, part)) = fields.iter().find(|it| *it.0 == *name)
        {
            return part.clone();
        }
        Value { kind: None, ..value.shadow() }
    }

    /// Places of the calls that led here.
    fn way(&self) -> Vec<Place> {
        self.calls.iter().skip(1).map(|it| it.1).collect()
    }
}

impl Value {
    fn with_step_if(self, condition: bool, step: Decoding) -> Value {
        if condition { self.with_step(step) } else { self }
    }
}

/// A value that is one or the other: what is known is taken from the first that knows something.
fn joined(first: Value, second: Value) -> Value {
    let mut value = if first.is_known() || !second.is_known() { first.clone() } else { second.clone() };
    value.absorb(&first);
    value.absorb(&second);
    value.kind = value.kind.or(first.kind).or(second.kind);
    value
}

fn united(values: &[Value]) -> Value {
    let mut whole = Value::default();
    for value in values {
        whole.absorb(value);
    }
    whole
}

/// An array of numbers that spells a text.
fn is_array_of_text(bytes: &[u8]) -> bool {
    bytes.len() >= 4
}
