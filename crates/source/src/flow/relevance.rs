//! Which functions are worth reading: those that touch the machine or decode, and those that lead to them by name.
//!
//! Most functions of most crates do neither, and reading them would find nothing. A function that is left out is still
//! read when one that matters calls it.

use std::collections::HashMap;

use super::ir::{Expression, Id, Ir, Operator};
use super::methods_of_no_one;
use super::program::{Program, last_name, split_last};
use super::table::{self, Effect};

/// For each body and each constant of a program, whether it matters.
pub(super) struct Relevance {
    pub(super) bodies: Vec<bool>,
    pub(super) constants: Vec<bool>,
}

impl Relevance {
    pub(super) fn new(program: &Program<'_>) -> Relevance {
        let mut resolved: HashMap<(&str, &str), bool> = HashMap::new();
        let mut callers: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut bodies = Vec::with_capacity(program.bodies.len());
        for (number, place) in program.bodies.iter().enumerate() {
            let (Some(body), Some(ir)) = (program.ir_body(place), program.irs[place.file as usize]) else {
                bodies.push(false);
                continue;
            };
            let mut look = Look { program, ir, module: &place.module, resolved: &mut resolved };
            let mut matters = false;
            for id in body.first..=body.last {
                matters |= look.matters(id);
                if let Some(name) = name_of(ir, id) {
                    let known = callers.entry(name).or_default();
                    if known.last() != Some(&number) {
                        known.push(number);
                    }
                }
            }
            bodies.push(matters);
        }
        let mut constants = Vec::with_capacity(program.constants.len());
        for place in &program.constants {
            let (Some(constant), Some(ir)) = (program.ir_constant(place), program.irs[place.file as usize])
            else {
                constants.push(false);
                continue;
            };
            let mut look = Look { program, ir, module: &place.module, resolved: &mut resolved };
            constants.push((constant.first..=constant.last).any(|id| look.matters(id)));
        }
        follow(program, &callers, &mut bodies);
        Relevance { bodies, constants }
    }
}

/// Lets the callers of what matters matter.
fn follow(program: &Program<'_>, callers: &HashMap<&str, Vec<usize>>, bodies: &mut [bool]) {
    let mut open: Vec<usize> = (0..bodies.len()).filter(|it| bodies[*it]).collect();
    while let Some(number) = open.pop() {
        let Some(function) = program.bodies[number].function else { continue };
        let name = key(&program.functions[function as usize].path);
        for caller in callers.get(name).into_iter().flatten() {
            if !std::mem::replace(&mut bodies[*caller], true) {
                open.push(*caller);
            }
        }
    }
}

/// The last name of a path, or the last two where the last says nothing.
fn key(path: &str) -> &str {
    let (parent, name) = split_last(path);
    if !methods_of_no_one(name) || parent.is_empty() {
        return name;
    }
    let length = last_name(parent).len() + 2 + name.len();
    &path[path.len() - length..]
}

fn name_of(ir: &Ir, id: Id) -> Option<&str> {
    match &ir.nodes[id as usize].expression {
        Expression::Path(path) => Some(key(path)),
        Expression::Method(_, name, _) if !methods_of_no_one(name) => Some(name),
        _ => None,
    }
}

struct Look<'l, 'p> {
    program: &'l Program<'p>,
    ir: &'p Ir,
    module: &'p str,
    resolved: &'l mut HashMap<(&'p str, &'p str), bool>,
}

impl<'p> Look<'_, 'p> {
    /// Whether an expression itself touches something or decodes.
    fn matters(&mut self, id: Id) -> bool {
        match &self.ir.nodes[id as usize].expression {
            Expression::Path(path) if path.contains("::") => self.is_listed(path),
            Expression::Call(callee, _) => match &self.ir.nodes[*callee as usize].expression {
                Expression::Path(path) if !path.contains("::") => self.is_listed(path),
                _ => false,
            },
            Expression::Method(_, name, _) => {
                matches!(&**name, "set_mode" | "pre_exec" | "creation_flags" | "rev" | "to_socket_addrs")
                    || name.starts_with("danger")
                    || name.starts_with("tls_")
                    || name.starts_with("processes_by")
                    || name.ends_with("certificate_verifier")
            }
            Expression::Macro(path, ..) => {
                let name = last_name(path);
                matches!(
                    name,
                    "env"
                        | "option_env"
                        | "asm"
                        | "global_asm"
                        | "naked_asm"
                        | "println"
                        | "print"
                        | "include_bytes"
                ) || path.contains("::") && self.is_listed(path)
                    || matches!(name, "cmd" | "run_cmd" | "run_fun" | "obfstr" | "hex" | "submit" | "lc")
            }
            Expression::Binary(Operator::Xor, ..) | Expression::Assign(Some(Operator::Xor), ..) => true,
            Expression::Cast(_, kind) => &**kind == "char",
            _ => false,
        }
    }

    fn is_listed(&mut self, path: &'p str) -> bool {
        if let Some(known) = self.resolved.get(&(self.module, path)) {
            return *known;
        }
        let full = self.program.resolve(self.module, path);
        let listed = !full.starts_with("crate::")
            && (table::find(&full).or_else(|| table::find(&format!("{full}!"))))
                .is_some_and(|it| !matches!(it.effect, Effect::Digest | Effect::Chance))
            || full.starts_with("std::env::consts");
        self.resolved.insert((self.module, path), listed);
        listed
    }
}
