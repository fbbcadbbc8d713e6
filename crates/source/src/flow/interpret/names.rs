//! What paths mean where they stand, and the functions and constants that they name.

use std::rc::Rc;

use super::super::ir::{Expression, Id, Text};
use super::super::value::{Known, Value};
use super::{Edge, Frame, Machine};

impl<'p> Machine<'p> {
    /// Path of a type as written; `None` if it is not one that matters.
    pub(super) fn type_path(&mut self, frame: &Frame, written: &str) -> Option<Text> {
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
        let matters = resolved.starts_with("crate::")
            || resolved.contains("::") && super::super::table::knows(&resolved);
        matters.then(|| Rc::from(&*resolved))
    }

    pub(super) fn resolve(&mut self, frame: &Frame, path: &Text) -> Rc<str> {
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

    /// [`resolve`](Machine::resolve) of a path that stands in an expression: mostly it is asked for again.
    pub(super) fn resolve_at(&mut self, frame: &Frame, id: Id, path: &Text) -> Rc<str> {
        let known = self.resolved_at.get(frame.file as usize).and_then(|it| it.get(id as usize));
        if let Some(Some(resolved)) = known {
            return resolved.clone();
        }
        let resolved = self.resolve(frame, path);
        let nodes =
            self.program.irs.get(frame.file as usize).copied().flatten().map_or(0, |it| it.nodes.len());
        if let Some(of_file) = self.resolved_at.get_mut(frame.file as usize) {
            if of_file.is_empty() {
                of_file.resize(nodes, None);
            }
            if let Some(place) = of_file.get_mut(id as usize) {
                *place = Some(resolved.clone());
            }
        }
        resolved
    }

    pub(super) fn path(&mut self, frame: &mut Frame, id: Id, line: u32, path: &Text) -> Value {
        if let Some(value) = frame.names.get(path) {
            return value.clone();
        }
        let resolved = self.resolve_at(frame, id, path);
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
    pub(super) fn constant_in_functions(&self, frame: &Frame, name: &str) -> Option<usize> {
        let function = frame.function?;
        let mut place = self.program.functions[function as usize].path.as_str();
        for _ in 0..4 {
            if let Some(found) = self.program.constant(&crate::text::join_path(place, name)) {
                return Some(found);
            }
            place = super::super::program::split_last(place).0;
            if place.is_empty() {
                break;
            }
        }
        None
    }

    pub(super) fn edge(&mut self, frame: &Frame, callee: u32) {
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

    /// Functions that a static names.
    pub(in crate::flow) fn named_by(&self, file: u32, function: Option<u32>, root: Id) -> Vec<u32> {
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
}
