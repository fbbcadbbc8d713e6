//! Reads functions as they would run, as far as constants allow, and all branches where they do not.
//!
//! Every body and constant is read once with unknown parameters, so nothing is missed; a call with arguments that matter reads
//! the called function again with them. Repetition (loops over constants, called functions) has a budget, the first reading has
//! none: it is linear in the size of the package.

mod calls;
mod effects;
mod methods;

pub(super) use methods::is_common as methods_of_no_one;

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use cratekeeper_model::facts::{Decoding, GateKind, Quality};

use super::ir::{Arm, Expression, Id, Operator, Pattern, Piece, PieceFormat, Text};
use super::machine::{Found, Place};
use super::program::Program;
use super::relevance::Relevance;
use super::topics;
use super::value::{Known, Steps, Taints, Value};

/// Expressions that may be read again in one package: about 50 ms.
const STEPS: u64 = 250_000;
/// Expressions that one function may read again.
const STEPS_OF_ROOT: u64 = 20_000;
/// Iterations of one loop over constants.
const ITERATIONS: usize = 4096;
/// Calls inside of calls that are read with their arguments.
const CALLS: usize = 24;

/// Conditions that are kept of a place; those that came first say most.
const GATES: usize = 16;

/// Steps that one loop may take of those of its root: enough for a thousand bytes of a decoder.
const STEPS_OF_LOOP: u64 = 8_000;
/// Expressions that are open at the same time; each takes about 1 KB of stack in a debug build.
const DEPTH: u32 = 400;
/// Depth from which on no called function is read: its own expressions must fit.
const DEPTH_OF_CALLS: u32 = 200;
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
    /// Loops whose body is being read again.
    repeating: u32,
    /// Branches that were read although their condition does not hold.
    read_branches: HashSet<(u32, Id)>,
    resolved: HashMap<(Rc<str>, Text), Rc<str>>,
    default_features: HashSet<String>,
}

pub(super) struct Frame {
    pub(super) file: u32,
    pub(super) function: Option<u32>,
    pub(super) module: Rc<str>,
    pub(super) self_type: Rc<str>,
    names: Vec<(Text, Value)>,
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
            read_branches: HashSet::new(),
            resolved: HashMap::new(),
            default_features: super::gates::default_features(&program.manifest.features),
        }
    }

    /// Reads everything.
    pub(super) fn run(&mut self) {
        let relevance = Relevance::new(self.program);
        for number in (0..self.program.constants.len()).filter(|it| relevance.constants[*it]) {
            self.root_steps = 0;
            let _ = self.constant(number);
        }
        // What runs when somebody builds comes first, so that nothing else uses up what may be read again.
        let mut order: Vec<usize> =
            (0..self.program.bodies.len()).filter(|it| relevance.bodies[*it]).collect();
        order.sort_by_key(|it| !self.program.runs_at_build_time(&self.program.bodies[*it]));
        for number in order {
            self.root_steps = 0;
            let _ = self.call_body(number, Vec::new(), None, true);
        }
        if self.steps >= STEPS {
            self.found.truncated.insert("steps");
        }
    }

    fn may_repeat(&mut self) -> bool {
        let may = self.steps < STEPS && self.root_steps < STEPS_OF_ROOT;
        if !may {
            self.found.truncated.insert("repetitions");
        }
        may
    }

    /// Whether a loop that began at this many steps may go on: one loop must not use up what is left for the rest.
    fn may_go_on(&mut self, began: u64) -> bool {
        let may = self.root_steps - began < STEPS_OF_LOOP;
        if !may {
            self.found.truncated.insert("repetitions");
        }
        may && self.may_repeat()
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
            names: Vec::new(),
            gates: Vec::new(),
            control: Control::On,
            returned: Value::default(),
            on_thread: false,
            uncertain: 0,
            first,
            last_gates: Vec::new(),
        }
    }

    /// The value of a constant.
    fn constant(&mut self, number: usize) -> Value {
        if let Some(value) = &self.constants[number] {
            return value.clone();
        }
        if self.open_constants.contains(&number) || self.depth > DEPTH_OF_CALLS {
            return Value::default();
        }
        let place = self.program.constants[number].clone();
        let Some(constant) = self.program.ir_constant(&place) else { return Value::default() };
        self.open_constants.push(number);
        let mut frame = self.frame(place.file, place.function, place.module, "".into(), true);
        let value = self.evaluate(&mut frame, constant.root);
        for part in &constant.detached {
            let _ = self.evaluate(&mut frame, *part);
        }
        self.open_constants.pop();
        self.note(&frame, constant.line, &value);
        self.constants[number] = Some(value.clone());
        value
    }

    /// The value that a function returns for these arguments; all arguments unknown in the first reading.
    fn call_body(&mut self, number: usize, arguments: Vec<Value>, from: Option<Place>, first: bool) -> Value {
        let key = (number, if first { 0 } else { fingerprint(&arguments) });
        if let Some((value, left_behind)) = self.memory.get(&key) {
            self.left_behind = left_behind.clone();
            return value.clone();
        }
        self.left_behind = Rc::new(Vec::new());
        let place = self.program.bodies[number].clone();
        let Some(body) = self.program.ir_body(&place) else { return Value::default() };
        let is_nested = from.is_some() && (self.calls.len() >= CALLS || self.depth > DEPTH_OF_CALLS);
        if is_nested {
            self.found.truncated.insert("nested calls");
        }
        if is_nested || !first && !self.may_repeat() || self.calls.iter().any(|it| it.0 == number) {
            // Everything is read once from the outside in any case.
            return united(&arguments);
        }
        let place_function = place.function;
        let mut frame = self.frame(place.file, place.function, place.module, place.self_type, first);
        self.read.extend(place_function);
        let mut arguments = arguments.into_iter();
        for (pattern, kind) in &body.parameters {
            let mut value = arguments.next().unwrap_or_default();
            if value.kind.is_none() {
                value.kind = self.type_path(&frame, kind);
            }
            if let (Some(name), Some(length)) = (length_of_array(kind), value.as_bytes().map(|it| it.len())) {
                frame.names.push((name.into(), Value::known(Known::Integer(length as i64))));
            }
            bind(&mut frame, pattern, value);
        }
        if let Some(from) = from {
            self.calls.push((number, from));
        } else {
            self.calls.push((number, Place { file: place.file, line: 0, function: None }));
        }
        let mut value = self.evaluate(&mut frame, body.root);
        for part in &body.detached {
            frame.control = Control::On;
            let _ = self.evaluate(&mut frame, *part);
        }
        self.calls.pop();
        value = joined(value, std::mem::take(&mut frame.returned));
        let left_behind: Vec<Taints> =
            body.parameters.iter().map(|(pattern, _)| taints_of(&frame, pattern)).collect();
        self.left_behind = Rc::new(left_behind);
        self.memory.insert(key, (value.clone(), self.left_behind.clone()));
        value
    }

    /// Path of a type as written; `None` if it is not one that matters.
    fn type_path(&mut self, frame: &Frame, written: &str) -> Option<Text> {
        if written.is_empty()
            || written.len() > 200
            || !written.starts_with(|it: char| it.is_alphabetic() || it == '_' || it == ':')
        {
            return None;
        }
        if written == "Self" {
            return (!frame.self_type.is_empty()).then(|| format!("crate::{}", frame.self_type).into());
        }
        let resolved = self.resolve(frame, &written.into());
        let matters =
            resolved.starts_with("crate::") || resolved.contains("::") && super::table::knows(&resolved);
        matters.then(|| Rc::from(&*resolved))
    }

    fn resolve(&mut self, frame: &Frame, path: &Text) -> Rc<str> {
        let path: Text = match path.strip_prefix("Self") {
            Some(rest) if !frame.self_type.is_empty() && (rest.is_empty() || rest.starts_with("::")) => {
                return format!("crate::{}{rest}", frame.self_type).into();
            }
            _ => path.clone(),
        };
        let key = (frame.module.clone(), path.clone());
        if let Some(found) = self.resolved.get(&key) {
            return found.clone();
        }
        // `<Type as Trait>::name`: the type says more.
        let plain = match path.strip_prefix('<').and_then(|it| it.split_once(" as ")) {
            Some((kind, rest)) => format!("{kind}{}", rest.split_once('>').map_or("", |(_, rest)| rest)),
            None => path.to_string(),
        };
        let resolved: Rc<str> = self.program.resolve(&frame.module, &plain).into();
        self.resolved.insert(key, resolved.clone());
        resolved
    }

    pub(super) fn place(&self, frame: &Frame, line: u32) -> Place {
        Place { file: frame.file, line, function: frame.function }
    }

    /// Keeps a text that took decoding.
    fn note(&mut self, frame: &Frame, line: u32, value: &Value) {
        if value.steps.is_empty() {
            return;
        }
        if let Some((text, _)) = value.as_text()
            && self.found.is_hidden(&text, value)
        {
            let place = self.place(frame, line);
            self.found.text(&text, value, place, None);
        }
    }

    pub(super) fn evaluate(&mut self, frame: &mut Frame, id: Id) -> Value {
        let Some(node) = self.program.node(frame.file, id) else { return Value::default() };
        if self.depth >= DEPTH {
            self.found.truncated.insert("depth");
            return Value::default();
        }
        self.depth += 1;
        self.steps += 1;
        // Reading everything once has no budget; only what is read again has.
        self.root_steps += u64::from(!frame.first || self.repeating > 0);
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
            Expression::Loop(condition, body) => self.repeat(frame, *condition, *body),
            Expression::For(pattern, iterated, body) => self.for_loop(frame, pattern, *iterated, *body),
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

    fn conditional(&mut self, frame: &mut Frame, line: u32, text: &str, inner: Id) -> Value {
        let gates = self.cfg_gates(frame, line, text);
        let before = frame.gates.len();
        frame.gates.extend(gates);
        let value = self.evaluate(frame, inner);
        frame.gates.truncate(before);
        value
    }

    pub(super) fn cfg_gates(&mut self, frame: &Frame, line: u32, text: &str) -> Vec<u32> {
        let place = self.place(frame, line);
        let kinds = super::gates::kinds_of_cfg(text, &self.default_features);
        kinds.into_iter().filter_map(|(kind, text)| self.found.gate(kind, &text, place)).collect()
    }

    /// Conditions of items, which have no place of their own in a body.
    pub(super) fn item_gates(&mut self, place: Place, text: &str) -> Vec<u32> {
        let kinds = super::gates::kinds_of_cfg(text, &self.default_features);
        kinds.into_iter().filter_map(|(kind, text)| self.found.gate(kind, &text, place)).collect()
    }

    fn path(&mut self, frame: &mut Frame, id: Id, line: u32, path: &Text) -> Value {
        if let Some((_, value)) = frame.names.iter().rev().find(|(name, _)| *name == *path) {
            return value.clone();
        }
        let resolved = self.resolve(frame, path);
        if let Some(local) = resolved.strip_prefix("crate::") {
            if let Some(number) = self.program.constant(local) {
                return self.constant(number);
            }
            let callees = self.program.functions_at(local).to_vec();
            for callee in &callees {
                self.edge(frame, *callee);
            }
            if !callees.is_empty() {
                return Value::known(Known::Function(resolved));
            }
        } else if let Some(number) = self.constant_in_functions(frame, path) {
            return self.constant(number);
        } else if resolved.contains("::") {
            return self.path_outside(frame, id, line, &resolved);
        }
        Value::default()
    }

    /// A constant that is declared in the function, or in the type, that a name stands in.
    fn constant_in_functions(&self, frame: &Frame, name: &str) -> Option<usize> {
        let function = frame.function?;
        let mut place = self.program.functions[function as usize].path.as_str();
        for _ in 0..4 {
            if let Some(found) = self.program.constant(&crate::text::join_path(place, name)) {
                return Some(found);
            }
            place = super::program::split_last(place).0;
            if place.is_empty() {
                break;
            }
        }
        None
    }

    fn edge(&mut self, frame: &Frame, callee: u32) {
        let key = (frame.function, frame.file, callee, frame.on_thread, frame.gates.len());
        if self.edges.len() < 200_000 && self.seen_edges.insert(key) {
            self.edges.push(Edge {
                caller: frame.function,
                callee,
                gates: frame.gates.clone(),
                on_thread: frame.on_thread,
            });
        }
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

    fn block(&mut self, frame: &mut Frame, statements: &[Id], has_value: bool) -> Value {
        let (names, gates) = (frame.names.len(), frame.gates.len());
        let mut value = Value::default();
        for (at, statement) in statements.iter().enumerate() {
            frame.last_gates.clear();
            value = self.evaluate(frame, *statement);
            let is_last = at + 1 == statements.len();
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
        value
    }

    /// A result that nobody looks at: `let _ = …;`, `….ok();`.
    fn thrown_away(&mut self, frame: &Frame, statement: Id, value: &Value) {
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
    fn leaves(&self, frame: &Frame, statement: Id) -> bool {
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

    fn diverges(&self, frame: &Frame, id: Id, depth: u32) -> bool {
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

    fn let_statement(&mut self, frame: &mut Frame, id: Id, line: u32, expression: &'p Expression) -> Value {
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

    /// Reads something that may not happen.
    fn uncertainly(&mut self, frame: &mut Frame, id: Id, gates: &[u32]) -> Value {
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
    fn gates_of(&mut self, frame: &Frame, condition: Id, value: &Value) -> Vec<u32> {
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

    fn condition(&mut self, frame: &mut Frame, condition: Id, then: Id, otherwise: Option<Id>) -> Value {
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
                    let kept = frame.names.clone();
                    let _ = self.uncertainly(frame, other, &gates);
                    frame.names = kept;
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

    fn match_expression(&mut self, frame: &mut Frame, scrutinee: Id, arms: &'p [Arm]) -> Value {
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

    fn repeat(&mut self, frame: &mut Frame, condition: Option<Id>, body: Id) -> Value {
        let mut value = Value::default();
        let names = frame.names.len();
        let began = self.root_steps;
        self.repeating += 1;
        for iteration in 0..ITERATIONS {
            let gates = match condition {
                Some(condition) => {
                    let holds = self.evaluate(frame, condition);
                    let gates = self.gates_of(frame, condition, &holds);
                    match holds.boolean() {
                        Some(true) if self.may_go_on(began) && has_constants(frame) => {
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
        frame.names.truncate(names);
        value
    }

    fn for_loop(&mut self, frame: &mut Frame, pattern: &'p Pattern, iterated: Id, body: Id) -> Value {
        let iterated = self.evaluate(frame, iterated);
        let names = frame.names.len();
        if let Some(elements) =
            iterated.elements(ITERATIONS).filter(|it| !it.is_empty() && works_on_constants(frame, it))
        {
            let began = self.root_steps;
            for (number, element) in elements.into_iter().enumerate() {
                if number > 0 && !self.may_go_on(began) {
                    break;
                }
                bind(frame, pattern, element);
                self.repeating += u32::from(number > 0);
                let _ = self.evaluate(frame, body);
                self.repeating -= u32::from(number > 0);
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

    fn binary(&mut self, frame: &mut Frame, line: u32, operator: Operator, left: Id, right: Id) -> Value {
        let first = self.evaluate(frame, left);
        let second = self.evaluate(frame, right);
        let mut value = combined(operator, &first, &second);
        if operator.is_comparison() {
            self.ask_for_tools(frame, line, &mut value, &[&first, &second]);
        }
        if operator == Operator::Add {
            self.note(frame, line, &value);
        }
        value
    }

    fn assign(
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
            value = combined(operator, &before, &value);
        }
        self.note(frame, line, &value);
        self.store(frame, left, value);
        Value::default()
    }

    /// Puts a value where an expression says.
    fn store(&mut self, frame: &mut Frame, place: Id, value: Value) {
        match self.program.node(frame.file, place).map(|it| &it.expression) {
            Some(Expression::Path(name)) => {
                let uncertain = frame.uncertain > 0;
                if &**name == "_" {
                    if let Some(operation) = value.operation {
                        self.found.quality(operation, Quality::ErrorsIgnored);
                    }
                } else if let Some((_, variable)) = frame.names.iter_mut().rev().find(|(it, _)| it == name) {
                    let before = std::mem::replace(variable, value);
                    if uncertain {
                        variable.absorb(&before);
                    }
                }
            }
            Some(Expression::Index(base, index)) => {
                let index = self.evaluate(frame, *index);
                if let Some(Expression::Path(name)) =
                    self.program.node(frame.file, *base).map(|it| &it.expression)
                    && let Some((_, variable)) = frame.names.iter_mut().rev().find(|(it, _)| it == name)
                {
                    store_at(variable, &index, &value);
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
    pub(super) fn mix_into(&mut self, frame: &mut Frame, place: Id, value: &Value) {
        let mut place = place;
        for _ in 0..16 {
            match self.program.node(frame.file, place).map(|it| &it.expression) {
                Some(Expression::Path(name)) => {
                    if let Some((_, variable)) = frame.names.iter_mut().rev().find(|(it, _)| it == name) {
                        variable.taints.add(&value.taints);
                        if variable.operation.is_none() {
                            variable.operation = value.operation;
                        }
                    }
                    return;
                }
                Some(
                    Expression::Field(base, _) | Expression::Index(base, _) | Expression::Method(base, _, _),
                ) => place = *base,
                _ => return,
            }
        }
    }

    /// The variable that an expression names.
    fn variable<'f>(&self, frame: &'f mut Frame, place: Id) -> Option<&'f mut Value> {
        match self.program.node(frame.file, place).map(|it| &it.expression) {
            Some(Expression::Path(name)) => {
                frame.names.iter_mut().rev().find(|(it, _)| it == name).map(|it| &mut it.1)
            }
            _ => None,
        }
    }

    fn format(&mut self, frame: &mut Frame, pieces: &'p [Piece]) -> Value {
        let mut text = String::new();
        let mut whole = true;
        let mut result = Value::default();
        let mut parts = 0;
        for piece in pieces {
            match piece {
                Piece::Text(piece) => {
                    text.push_str(piece);
                    result.visible |= topics::bits(piece);
                    parts += 1;
                }
                Piece::Value(id, format) => {
                    let value = self.evaluate(frame, *id);
                    result.taints.add(&value.taints);
                    result.operation = result.operation.or(value.operation);
                    result.steps = result.steps.and(value.steps);
                    if *format == PieceFormat::Hexadecimal {
                        result.taints = result.taints.transformed(Decoding::Hex);
                    }
                    match value.as_text().filter(|_| *format == PieceFormat::Plain) {
                        Some((piece, piece_whole)) => {
                            result.visible |=
                                if value.steps.is_empty() { topics::bits(&piece) } else { value.visible };
                            text.push_str(&piece);
                            whole &= piece_whole;
                            parts += 1;
                        }
                        None => {
                            text.push_str("{}");
                            whole = false;
                        }
                    }
                }
            }
            if text.len() > TEXT {
                return Value { known: Known::Nothing, ..result };
            }
        }
        if parts > 1 {
            result.steps = result.steps.with(Decoding::Joined);
        }
        result.known = Known::Text(text.into(), whole);
        // The result of a format is a text, not the thing that was written into it.
        result.operation = None;
        result
    }

    /// Reads the body of a closure with these arguments.
    fn closure_body(
        &mut self,
        frame: &mut Frame,
        closure: &'p Expression,
        body: Id,
        arguments: &[Value],
    ) -> Value {
        let Expression::Closure(parameters, _) = closure else { return Value::default() };
        let names = frame.names.len();
        let rest = united(arguments);
        for (at, pattern) in parameters.iter().enumerate() {
            let value = match arguments.get(at) {
                Some(value) => value.clone(),
                None => rest.shadow(),
            };
            bind(frame, pattern, value);
        }
        let control = frame.control;
        let returned = std::mem::take(&mut frame.returned);
        let value = self.evaluate(frame, body);
        let value = joined(value, std::mem::replace(&mut frame.returned, returned));
        frame.control = control;
        frame.names.truncate(names);
        value
    }

    fn call_closure(&mut self, frame: &mut Frame, file: u32, id: Id, arguments: &[Value]) -> Value {
        if file != frame.file {
            return united(arguments);
        }
        let Some(node) = self.program.node(file, id) else { return Value::default() };
        let Expression::Closure(_, body) = &node.expression else { return Value::default() };
        if !self.may_repeat() {
            return united(arguments);
        }
        self.closure_body(frame, &node.expression, *body, arguments)
    }

    /// A comparison with the name of a program that looks at programs asks for it.
    pub(super) fn ask_for_tools(&mut self, frame: &Frame, line: u32, value: &mut Value, compared: &[&Value]) {
        let tool = topics::bit(cratekeeper_model::facts::Topic::AnalysisTool);
        let asked = compared.iter().any(|it| it.texts().iter().any(|text| topics::words(text) & tool != 0));
        if asked {
            let gate = self.gate_origin(frame, line, GateKind::AnalysisTool);
            value.taints.add(&gate.taints);
        }
    }

    /// Functions that a static names.
    pub(super) fn named_by(&self, file: u32, function: Option<u32>, root: Id) -> Vec<u32> {
        let module = match function {
            Some(function) => self.program.module_of(&self.program.functions[function as usize].path),
            None => &self.program.file_modules[file as usize],
        };
        let mut found = Vec::new();
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            match self.program.node(file, id).map(|it| &it.expression) {
                Some(Expression::Path(path)) => {
                    let resolved = self.program.resolve(module, path);
                    found.extend(
                        self.program.functions_at(resolved.strip_prefix("crate::").unwrap_or(&resolved)),
                    );
                    // Declared inside of the block that is the static's value, or of the function around it.
                    found.extend(self.program.functions_below(file, path));
                }
                Some(
                    Expression::Parts(parts)
                    | Expression::Array(parts)
                    | Expression::Tuple(parts)
                    | Expression::Block(parts, _),
                ) => open.extend(parts),
                Some(Expression::Cast(inner, _)) => open.push(*inner),
                Some(Expression::Closure(_, body)) => open.push(*body),
                Some(Expression::Call(callee, arguments)) => {
                    open.push(*callee);
                    open.extend(arguments);
                }
                _ => {}
            }
            if open.len() > 1000 || found.len() > 1000 {
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Places of the calls that led here.
    fn way(&self) -> Vec<Place> {
        self.calls.iter().skip(1).map(|it| it.1).collect()
    }

    fn gate_origin(&mut self, frame: &Frame, line: u32, kind: GateKind) -> Value {
        let place = self.place(frame, line);
        let origin =
            super::machine::Origin { source: None, operation: None, gate: Some(kind), place, name: None };
        Value::tainted(self.found.origin(origin))
    }
}

/// Whether a loop over these may put a text together: over numbers, only with the help of a constant.
fn works_on_constants(frame: &Frame, elements: &[Value]) -> bool {
    !matches!(elements.first().map(|it| &it.known), Some(Known::Integer(_))) || has_constants(frame)
}

/// Whether any variable holds constant data.
fn has_constants(frame: &Frame) -> bool {
    let of_constant =
        |value: &Value| matches!(value.known, Known::Text(..) | Known::Bytes(_) | Known::List(_));
    frame.names.iter().any(|(_, value)| of_constant(value))
}

fn bind(frame: &mut Frame, pattern: &Pattern, value: Value) {
    match pattern {
        Pattern::Wildcard | Pattern::Nothing(_) => {}
        Pattern::Name(name) => frame.names.push((name.clone(), value)),
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
                frame.names.push((name.clone(), value.shadow()));
            }
        }
    }
}

/// Where the variable of a parameter got its value from.
fn taints_of(frame: &Frame, pattern: &Pattern) -> Taints {
    let Pattern::Name(name) = pattern else { return Taints::default() };
    frame.names.iter().find(|(it, _)| it == name).map(|it| it.1.taints.clone()).unwrap_or_default()
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

fn indexed(base: &Value, index: &Value) -> Value {
    let at = index.integer().and_then(|it| usize::try_from(it).ok());
    match (&base.known, at) {
        (Known::Bytes(bytes), Some(at)) if at < bytes.len() => base.part(Known::Byte(bytes[at])),
        (Known::Text(text, true), Some(at)) if at < text.len() => base.part(Known::Byte(text.as_bytes()[at])),
        (Known::List(list), Some(at)) if at < list.len() => list[at].clone(),
        (Known::Text(..) | Known::Bytes(_), None) => match &index.known {
            // `text[..]`
            Known::List(range) if range.is_empty() => base.clone(),
            _ => base.shadow(),
        },
        _ => base.shadow(),
    }
}

fn store_at(variable: &mut Value, index: &Value, value: &Value) {
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

fn cast(value: Value, kind: &str) -> Value {
    let Some(number) = value.integer() else { return value };
    let known = match kind {
        "u8" => Known::Byte(number as u8),
        "char" => match char::from_u32(number as u32) {
            Some(character) => Known::Text(character.to_string().into(), true),
            None => return value.shadow(),
        },
        "u32" | "i32" | "u64" | "i64" | "usize" | "isize" | "u16" | "i16" | "i8" => Known::Integer(number),
        _ => return value,
    };
    value.part(known)
}

fn range(start: Option<&Value>, end: Option<&Value>, inclusive: bool) -> Value {
    if start.is_none() && end.is_none() {
        return Value::known(Known::List(Rc::new(Vec::new())));
    }
    let bounds = (start.map_or(Some(0), Value::integer), end.and_then(Value::integer));
    let mut taints = Taints::default();
    for bound in [start, end].into_iter().flatten() {
        taints.add(&bound.taints);
    }
    match bounds {
        (Some(first), Some(last)) => {
            let last = if inclusive { last.saturating_add(1) } else { last };
            let length = usize::try_from(last.saturating_sub(first)).unwrap_or(0);
            if length > ITERATIONS || length == 0 {
                return Value::tainted(taints);
            }
            let numbers = (first..last).map(|it| Value::known(Known::Integer(it))).collect();
            Value { known: Known::List(Rc::new(numbers)), taints, ..Value::default() }
        }
        _ => Value::tainted(taints),
    }
}

/// The value of a binary expression.
fn combined(operator: Operator, first: &Value, second: &Value) -> Value {
    let mut result = Value::default();
    result.taints.add(&first.taints);
    result.taints.add(&second.taints);
    result.steps = first.steps.and(second.steps);
    if operator == Operator::Xor {
        result.taints = result.taints.transformed(Decoding::Xor);
    }
    if operator.is_comparison() {
        result.known = compared(operator, first, second).map_or(Known::Nothing, Known::Boolean);
        result.steps = Steps::default();
        return result;
    }
    if let (Operator::BothTrue | Operator::EitherTrue, Some(left), Some(right)) =
        (operator, first.boolean(), second.boolean())
    {
        result.known =
            Known::Boolean(if operator == Operator::BothTrue { left && right } else { left || right });
        return result;
    }
    let is_text = |value: &Value| matches!(value.known, Known::Text(..));
    if operator == Operator::Add && (is_text(first) || is_text(second)) {
        return concatenated(&[first.clone(), second.clone()]);
    }
    if operator == Operator::Or && (is_text(first) || is_text(second)) {
        let flags: Vec<Text> =
            [first, second].iter().filter(|it| is_text(it)).flat_map(|it| it.texts()).collect();
        result.known = Known::Text(flags.join("|").into(), true);
        return result;
    }
    let (Some(left), Some(right)) = (first.integer(), second.integer()) else { return result };
    let number = match operator {
        Operator::Add => left.wrapping_add(right),
        Operator::Subtract => left.wrapping_sub(right),
        Operator::Multiply => left.wrapping_mul(right),
        Operator::Divide if right != 0 => left.wrapping_div(right),
        Operator::Remainder if right != 0 => left.wrapping_rem(right),
        Operator::Xor => left ^ right,
        Operator::And => left & right,
        Operator::Or => left | right,
        Operator::ShiftLeft => left.wrapping_shl(right as u32),
        Operator::ShiftRight => left.wrapping_shr(right as u32),
        _ => return result,
    };
    let is_byte = |value: &Value| matches!(value.known, Known::Byte(_));
    let bytes = is_byte(first) || is_byte(second);
    // Only what is done to parts of a constant puts a text together; counters are numbers.
    let of_constant = !first.steps.is_empty() || !second.steps.is_empty() || bytes;
    if of_constant {
        result.steps = match operator {
            Operator::Xor => result.steps.with(Decoding::Xor),
            Operator::Add | Operator::Subtract if bytes => result.steps.with(Decoding::Rotated),
            _ => result.steps,
        };
    }
    result.known = if bytes { Known::Byte(number as u8) } else { Known::Integer(number) };
    result
}

fn compared(operator: Operator, first: &Value, second: &Value) -> Option<bool> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = match (first.integer(), second.integer()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => {
            let (left, left_whole) = first.as_text()?;
            let (right, right_whole) = second.as_text()?;
            if !left_whole || !right_whole {
                return None;
            }
            left.cmp(&right)
        }
    };
    Some(match operator {
        Operator::Equal => order == Equal,
        Operator::NotEqual => order != Equal,
        Operator::Less => order == Less,
        Operator::LessEqual => order != Greater,
        Operator::Greater => order == Greater,
        _ => order != Less,
    })
}

/// Texts one behind the other; what is not known is `{}`.
fn concatenated(parts: &[Value]) -> Value {
    let mut text = String::new();
    let mut whole = true;
    let mut result = Value::default();
    for part in parts {
        result.taints.add(&part.taints);
        result.steps = result.steps.and(part.steps);
        match part.as_text() {
            Some((piece, piece_whole)) => {
                result.visible |= if part.steps.is_empty() { topics::bits(&piece) } else { part.visible };
                text.push_str(&piece);
                whole &= piece_whole;
            }
            None => {
                text.push_str("{}");
                whole = false;
            }
        }
        if text.len() > TEXT {
            return Value { known: Known::Nothing, ..result };
        }
    }
    let known_parts =
        parts.iter().filter(|part| part.as_text().is_some_and(|(text, _)| !text.is_empty())).count();
    if known_parts > 1 {
        result.steps = result.steps.with(Decoding::Joined);
    }
    result.known = if known_parts == 0 { Known::Nothing } else { Known::Text(text.into(), whole) };
    result
}

fn fingerprint(arguments: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for argument in arguments {
        hash_value(argument, &mut hasher, 0);
    }
    hasher.finish() | 1
}

fn hash_value(value: &Value, hasher: &mut DefaultHasher, depth: u32) {
    match &value.known {
        Known::Nothing => 0.hash(hasher),
        Known::Integer(value) => (1, value).hash(hasher),
        Known::Byte(value) => (2, value).hash(hasher),
        Known::Boolean(value) => (3, value).hash(hasher),
        Known::Text(value, whole) => (4, value, whole).hash(hasher),
        Known::Bytes(value) => (5, value).hash(hasher),
        Known::List(list) if depth < 3 => {
            (6, list.len()).hash(hasher);
            list.iter().for_each(|it| hash_value(it, hasher, depth + 1));
        }
        Known::Record(fields) if depth < 3 => {
            (9, fields.len()).hash(hasher);
            fields.iter().for_each(|it| hash_value(&it.1, hasher, depth + 1));
        }
        // Deeper ones only by their length: hostile code nests them without end.
        Known::List(list) => (6, list.len()).hash(hasher),
        Known::Record(fields) => (9, fields.len()).hash(hasher),
        Known::Function(path) => (7, path).hash(hasher),
        Known::Closure(file, id) => (8, file, id).hash(hasher),
    }
    value.operation.hash(hasher);
    value.kind.hash(hasher);
    value.taints.iter().for_each(|it| it.hash(hasher));
}

/// `N` of the type `[u8;N]`.
fn length_of_array(kind: &str) -> Option<&str> {
    let (_, length) = kind.strip_prefix('[')?.strip_suffix(']')?.rsplit_once(';')?;
    let length = length.trim();
    length.starts_with(|it: char| it.is_ascii_uppercase()).then_some(length)
}

/// An array of numbers that spells a text.
fn is_array_of_text(bytes: &[u8]) -> bool {
    bytes.len() >= 4
}

impl Value {
    fn with_step_if(self, condition: bool, step: Decoding) -> Value {
        if condition { self.with_step(step) } else { self }
    }
}
