//! Which statements of a body may be left out when it is read again: those on which no call that may touch something, and no early
//! return, depends, directly or through variables.
//!
//! Padding costs as much as a decoder, so a budget alone would be spent on whatever stands first. A statement counts as plain when it
//! only works on variables; plain statements are kept when a variable that they change is named by what is not plain, or by one that is
//! kept, wherever that stands: too many are kept rather than too few.

use std::collections::HashMap;

use super::ir::{Body, Expression, Id, Ir, Node, Pattern, Piece};

/// Bodies above this number of expressions are always read by slices; smaller ones when much was read again before. The facts of
/// 360 real crates are the same as without.
pub(super) const LARGE: u32 = 2_000;

/// The statements of one body that nothing depends on.
#[derive(Debug, Default)]
pub(super) struct Slice {
    first: Id,
    left_out: Vec<bool>,
}

impl Slice {
    /// `is_harmless` says of a function's path that calling it does nothing but give a value.
    pub(super) fn of(ir: &Ir, body: &Body, is_harmless: &mut dyn FnMut(&str) -> bool) -> Slice {
        let nodes = ir.nodes.get(body.first as usize..=body.last as usize).unwrap_or_default();
        let mut look = Look { nodes, first: body.first, starts: Vec::new(), plain: Vec::new() };
        look.classify(is_harmless);
        let units = look.units();
        let needed = look.needed(&units);
        let mut left_out = vec![false; nodes.len()];
        for (unit, is_needed) in units.iter().zip(needed) {
            left_out[unit.end] = !is_needed;
        }
        Slice { first: body.first, left_out }
    }

    /// Whether a statement may be left out.
    pub(super) fn leaves_out(&self, statement: Id) -> bool {
        let at = statement.checked_sub(self.first);
        at.and_then(|at| self.left_out.get(at as usize)).copied().unwrap_or(false)
    }
}

/// A plain statement: its expressions from the first to the last.
struct Unit {
    start: usize,
    end: usize,
    /// The plain statement that it is part of.
    parent: Option<usize>,
}

struct Look<'i> {
    nodes: &'i [Node],
    first: Id,
    /// The first expression that belongs to each; what belongs to it lies between the two.
    starts: Vec<usize>,
    plain: Vec<bool>,
}

/// Whether the value of an expression at the end of a block is none.
fn gives_nothing(node: &Node) -> bool {
    matches!(
        node.expression,
        Expression::For(..)
            | Expression::Loop(Some(_), _)
            | Expression::Assign(..)
            | Expression::If { otherwise: None, .. }
    )
}

/// Functions of the standard library that padding is made of.
pub(super) fn makes_value(path: &str) -> bool {
    matches!(
        path,
        "String::new"
            | "String::from"
            | "String::with_capacity"
            | "Vec::new"
            | "Vec::with_capacity"
            | "u8::from"
            | "u32::from"
            | "u64::from"
            | "i64::from"
            | "char::from"
            | "std::hint::black_box"
            | "black_box"
    )
}

impl<'i> Look<'i> {
    fn classify(&mut self, is_harmless: &mut dyn FnMut(&str) -> bool) {
        let mut children = Vec::new();
        let mut known: HashMap<&str, bool> = HashMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            children.clear();
            let mut is_plain = children_of(&node.expression, &mut children);
            if let Expression::Call(callee, _) = &node.expression
                && let Some(Expression::Path(path)) = self.expression(*callee)
            {
                is_plain = *known.entry(path).or_insert_with(|| is_harmless(path));
            }
            let inside = |id: &Id| id.checked_sub(self.first).map(|it| it as usize).filter(|it| *it < at);
            let start = children.iter().filter_map(inside).map(|it| self.starts[it]).min().unwrap_or(at);
            let parts_are_plain = children.iter().all(|it| inside(it).is_some_and(|it| self.plain[it]));
            self.starts.push(start.min(at));
            self.plain.push(is_plain && parts_are_plain);
        }
    }

    /// The plain statements, each before those inside of it.
    fn units(&self) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::new();
        for node in self.nodes {
            let Expression::Block(statements, has_value) = &node.expression else { continue };
            for (at, statement) in statements.iter().enumerate() {
                let is_value = *has_value && at + 1 == statements.len();
                let Some(end) = statement.checked_sub(self.first).map(|it| it as usize) else { continue };
                if self.plain.get(end) == Some(&true) && (!is_value || gives_nothing(&self.nodes[end])) {
                    units.push(Unit { start: self.starts[end], end, parent: None });
                }
            }
        }
        units.sort_unstable_by_key(|it| (it.start, usize::MAX - it.end));
        let mut open: Vec<usize> = Vec::new();
        for number in 0..units.len() {
            while open.pop_if(|it| units[*it].end < units[number].start).is_some() {}
            units[number].parent = open.last().copied();
            open.push(number);
        }
        units
    }

    /// Blocks from the first of their expressions to the last, the outer ones first, with the pattern of the loop that they are of.
    fn scopes(&self) -> Vec<(usize, usize, Option<&'i Pattern>)> {
        let mut patterns: HashMap<usize, &Pattern> = HashMap::new();
        let mut found = Vec::new();
        for node in self.nodes {
            if let Expression::For(pattern, _, body) = &node.expression {
                patterns.extend(body.checked_sub(self.first).map(|body| (body as usize, pattern)));
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if let Expression::Block(..) = &node.expression {
                found.push((self.starts[at], at, patterns.get(&at).copied()));
            }
        }
        found.sort_unstable_by_key(|(start, end, _)| (*start, usize::MAX - end));
        found
    }

    /// For each unit, whether what stays depends on it.
    fn needed(&self, units: &[Unit]) -> Vec<bool> {
        let mut names = Names::default();
        let mut open: Vec<u32> = Vec::new();
        let mut uses: Vec<Vec<u32>> = vec![Vec::new(); units.len()];
        let mut changed_by: Vec<Vec<usize>> = Vec::new();
        // The units that are open at an expression, the innermost last: to that it belongs.
        let (mut inside, mut next) = (Vec::new(), 0);
        let scopes = self.scopes();
        let mut scopes = scopes.iter().peekable();
        for (at, node) in self.nodes.iter().enumerate() {
            while let Some((_, end, pattern)) = scopes.next_if(|it| it.0 <= at) {
                names.scopes.push((*end, Vec::new()));
                if let Some(pattern) = pattern {
                    names_of(pattern, &mut |name| names.bind(name));
                }
            }
            while next < units.len() && units[next].start <= at {
                inside.push(next);
                next += 1;
            }
            let owner: Option<usize> = inside.last().copied();
            names.of(node, owner.map_or(&mut open, |owner| &mut uses[owner]));
            if let Some(owner) = owner {
                let mut changes = Vec::new();
                self.changes(node, &mut names, &mut changes);
                changed_by.resize(names.count as usize, Vec::new());
                for name in changes {
                    if changed_by[name as usize].last() != Some(&owner) {
                        changed_by[name as usize].push(owner);
                    }
                }
            }
            while inside.pop_if(|it| units[*it].end <= at).is_some() {}
            names.close(at);
        }
        changed_by.resize(names.count as usize, Vec::new());
        let mut needed = vec![false; units.len()];
        while let Some(name) = open.pop() {
            for unit in std::mem::take(&mut changed_by[name as usize]) {
                // What a statement stands in decides whether it runs.
                let mut unit = Some(unit);
                while let Some(number) = unit.filter(|it| !needed[*it]) {
                    needed[number] = true;
                    open.append(&mut uses[number]);
                    unit = units[number].parent;
                }
            }
        }
        needed
    }

    /// Variables that an expression binds or changes: a method may change its receiver, and a function what it gets.
    fn changes(&self, node: &'i Node, names: &mut Names<'i>, changes: &mut Vec<u32>) {
        match &node.expression {
            // `of` has bound them by now.
            Expression::Let { pattern, .. } => {
                names_of(pattern, &mut |name| changes.push(names.number(name)));
            }
            Expression::Matches(pattern, _) => {
                names_of(pattern, &mut |name| changes.push(names.number(name)));
            }
            Expression::Match(_, arms) => {
                for arm in arms {
                    names_of(&arm.pattern, &mut |name| changes.push(names.number(name)));
                }
            }
            Expression::Assign(_, place, _) | Expression::Method(place, ..) => {
                changes.extend(self.root(*place).map(|name| names.number(name)));
            }
            Expression::Call(_, arguments) => {
                for name in arguments.iter().filter_map(|argument| self.root(*argument)) {
                    changes.push(names.number(name));
                }
            }
            _ => {}
        }
    }

    fn expression(&self, id: Id) -> Option<&'i Expression> {
        self.nodes.get(id.checked_sub(self.first)? as usize).map(|it| &it.expression)
    }

    /// The variable that a place begins with.
    fn root(&self, place: Id) -> Option<&'i str> {
        let mut place = place;
        for _ in 0..64 {
            match self.expression(place)? {
                Expression::Path(name) => return Some(name),
                Expression::Field(base, _) | Expression::Index(base, _) | Expression::Method(base, ..) => {
                    place = *base;
                }
                _ => return None,
            }
        }
        None
    }
}

/// Variables by name and scope: of `let` and `for`; other patterns are taken for the variable that has the name already.
#[derive(Default)]
struct Names<'i> {
    by_text: HashMap<&'i str, usize>,
    /// Numbers of the variables of each name that are in scope; the first is what is bound elsewhere.
    in_scope: Vec<Vec<u32>>,
    /// The last expression of each open scope, and the names that are bound in it.
    scopes: Vec<(usize, Vec<usize>)>,
    count: u32,
}

impl<'i> Names<'i> {
    fn name(&mut self, text: &'i str) -> usize {
        let next = self.in_scope.len();
        let name = *self.by_text.entry(text).or_insert(next);
        if name == next {
            self.in_scope.push(vec![self.count]);
            self.count += 1;
        }
        name
    }

    /// The variable that a name means.
    fn number(&mut self, text: &'i str) -> u32 {
        let name = self.name(text);
        self.in_scope[name].last().copied().unwrap_or_default()
    }

    fn bind(&mut self, text: &'i str) {
        let name = self.name(text);
        if let Some((_, bound)) = self.scopes.last_mut() {
            bound.push(name);
            self.in_scope[name].push(self.count);
            self.count += 1;
        }
    }

    fn close(&mut self, at: usize) {
        while let Some((_, bound)) = self.scopes.pop_if(|scope| scope.0 <= at) {
            for name in bound {
                self.in_scope[name].pop();
            }
        }
    }

    /// Names that an expression itself has.
    fn of(&mut self, node: &'i Node, found: &mut Vec<u32>) {
        match &node.expression {
            Expression::Path(name) if !name.contains("::") => found.push(self.number(name)),
            Expression::Let { pattern, .. } => names_of(pattern, &mut |name| self.bind(name)),
            Expression::Matches(pattern, _) => names_of(pattern, &mut |name| found.push(self.number(name))),
            Expression::Match(_, arms) => {
                for arm in arms {
                    names_of(&arm.pattern, &mut |name| found.push(self.number(name)));
                }
            }
            Expression::Closure(patterns, _) => {
                for pattern in patterns.iter() {
                    names_of(pattern, &mut |name| found.push(self.number(name)));
                }
            }
            _ => {}
        }
    }
}

fn names_of<'i>(pattern: &'i Pattern, found: &mut dyn FnMut(&'i str)) {
    match pattern {
        Pattern::Nothing(_) | Pattern::Wildcard => {}
        Pattern::Name(name) => found(name),
        Pattern::Tuple(parts) => parts.iter().for_each(|part| names_of(part, found)),
        Pattern::Names(names) => names.iter().for_each(|name| found(name)),
    }
}

/// The parts of an expression; whether it does nothing but work on them and on variables.
fn children_of(expression: &Expression, children: &mut Vec<Id>) -> bool {
    match expression {
        Expression::Parts(parts)
        | Expression::Array(parts)
        | Expression::Tuple(parts)
        | Expression::Block(parts, _) => children.extend(parts),
        Expression::Text(_)
        | Expression::Bytes(_)
        | Expression::Integer(_)
        | Expression::Byte(_)
        | Expression::Boolean(_)
        | Expression::Path(_) => {}
        Expression::Field(inner, _)
        | Expression::Negate(inner)
        | Expression::Cast(inner, _)
        | Expression::Condition(inner, _)
        | Expression::Matches(_, inner)
        | Expression::Conditional(_, inner) => children.push(*inner),
        Expression::Index(first, second)
        | Expression::Binary(_, first, second)
        | Expression::Assign(_, first, second)
        | Expression::Repeat(first, second)
        | Expression::For(_, first, second) => children.extend([*first, *second]),
        Expression::Record(_, fields) => children.extend(fields.iter().map(|it| it.1)),
        Expression::Let { value, otherwise, .. } => {
            children.extend(value.iter().chain(otherwise));
            return otherwise.is_none();
        }
        Expression::If { condition, then, otherwise } => {
            children.extend([*condition, *then]);
            children.extend(otherwise);
        }
        Expression::Match(scrutinee, arms) => {
            children.push(*scrutinee);
            for arm in arms {
                children.extend(arm.guard);
                children.push(arm.value);
            }
        }
        Expression::Loop(condition, body) => {
            children.extend(condition);
            children.push(*body);
        }
        Expression::Range(start, end, _) => children.extend(start.iter().chain(end)),
        Expression::Format(pieces) => children.extend(pieces.iter().filter_map(|piece| match piece {
            Piece::Value(id, _) => Some(*id),
            Piece::Text(_) => None,
        })),
        Expression::Macro(path, arguments, _) => {
            children.extend(arguments);
            return matches!(&**path, "format" | "vec" | "concat" | "assert" | "debug_assert");
        }
        Expression::Method(receiver, name, arguments) => {
            children.push(*receiver);
            children.extend(arguments);
            return works_on_values(name);
        }
        Expression::Call(callee, arguments) => {
            children.push(*callee);
            children.extend(arguments);
            return false;
        }
        Expression::Closure(_, body) => {
            children.push(*body);
            return false;
        }
        Expression::Return(value) | Expression::Break(value) => {
            children.extend(value);
            return false;
        }
        Expression::Continue => return false,
    }
    true
}

/// Methods of numbers, texts and sequences that do nothing else.
fn works_on_values(name: &str) -> bool {
    matches!(
        name,
        "to_string"
            | "to_owned"
            | "into"
            | "as_str"
            | "clone"
            | "cloned"
            | "copied"
            | "iter"
            | "into_iter"
            | "as_bytes"
            | "into_bytes"
            | "to_vec"
            | "as_slice"
            | "chars"
            | "bytes"
            | "rev"
            | "collect"
            | "enumerate"
            | "skip"
            | "step_by"
            | "len"
            | "is_empty"
            | "push"
            | "push_str"
            | "to_lowercase"
            | "to_uppercase"
            | "trim"
            | "replace"
            | "repeat"
            | "pow"
            | "abs"
            | "min"
            | "max"
            | "sum"
            | "count"
            | "last"
            | "first"
            | "unwrap_or"
            | "rotate_left"
            | "rotate_right"
            | "count_ones"
    ) || name.starts_with("wrapping_")
        || name.starts_with("saturating_")
        || name.starts_with("checked_")
        || name.starts_with("overflowing_")
}
