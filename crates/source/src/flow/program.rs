//! A package as the interpreter sees it: bodies and constants by path, modules of functions, imports.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use cratekeeper_model::facts::{Function, FunctionContainer, ManifestFacts, Module, TargetKind};

use super::ir::{Body, Constant, Id, Ir, Node};
use super::scope::Scopes;
use crate::text::join_path;

/// Functions of one name that are looked at when only the name is known.
const SAME_NAME: usize = 4;

pub(super) struct Program<'p> {
    pub(super) functions: &'p [Function],
    pub(super) manifest: &'p ManifestFacts,
    pub(super) irs: Vec<Option<&'p Ir>>,
    pub(super) bodies: Vec<BodyPlace>,
    pub(super) constants: Vec<ConstantPlace>,
    pub(super) scopes: Scopes,
    /// Module path of each file.
    pub(super) file_modules: Vec<String>,
    first_function: Vec<Option<u32>>,
    by_path: HashMap<&'p str, Vec<u32>>,
    body_of: HashMap<u32, usize>,
    by_method: HashMap<&'p str, Vec<u32>>,
    constant_by_path: HashMap<String, usize>,
    modules: HashSet<&'p str>,
    /// Every path that something is declared at or below.
    known: HashSet<&'p str>,
}

#[derive(Debug, Clone)]
pub(super) struct BodyPlace {
    pub(super) file: u32,
    pub(super) body: u32,
    pub(super) function: Option<u32>,
    pub(super) module: Rc<str>,
    pub(super) self_type: Rc<str>,
}

#[derive(Debug, Clone)]
pub(super) struct ConstantPlace {
    pub(super) file: u32,
    pub(super) constant: u32,
    pub(super) function: Option<u32>,
    pub(super) module: Rc<str>,
}

impl<'p> Program<'p> {
    pub(super) fn new(
        manifest: &'p ManifestFacts,
        functions: &'p [Function],
        modules: &'p [Module],
        irs: Vec<Option<&'p Ir>>,
        file_modules: Vec<String>,
        scopes: Scopes,
    ) -> Program<'p> {
        let mut program = Program {
            functions,
            manifest,
            first_function: vec![None; irs.len()],
            irs,
            bodies: Vec::new(),
            constants: Vec::new(),
            scopes,
            file_modules,
            by_path: HashMap::new(),
            body_of: HashMap::new(),
            by_method: HashMap::new(),
            constant_by_path: HashMap::new(),
            modules: modules.iter().map(|module| module.path.as_str()).collect(),
            known: HashSet::new(),
        };
        program.index_functions();
        program.index_bodies();
        program
    }

    fn index_functions(&mut self) {
        for (number, function) in self.functions.iter().enumerate() {
            let number = number as u32;
            if let Some(first) = self.first_function.get_mut(function.file as usize) {
                first.get_or_insert(number);
            }
            let path = function.path.as_str();
            self.by_path.entry(path).or_default().push(number);
            if function.receiver || function.container != FunctionContainer::Free {
                self.by_method.entry(last_name(path)).or_default().push(number);
            }
            let mut end = path.len();
            while self.known.insert(&path[..end]) {
                match split_last(&path[..end]).0 {
                    "" => break,
                    parent => end = parent.len(),
                }
            }
        }
        let modules: Vec<&str> = self.modules.iter().copied().collect();
        self.known.extend(modules);
    }

    fn index_bodies(&mut self) {
        for file in 0..self.irs.len() {
            let Some(ir) = self.irs[file] else { continue };
            for (number, body) in ir.bodies.iter().enumerate() {
                let function = self.in_package(file as u32, body.function);
                let (module, self_type) = match function {
                    Some(function) => self.place_of(function),
                    None => (self.file_modules[file].as_str().into(), "".into()),
                };
                if let Some(function) = function {
                    self.body_of.insert(function, self.bodies.len());
                }
                self.bodies.push(BodyPlace {
                    file: file as u32,
                    body: number as u32,
                    function,
                    module,
                    self_type,
                });
            }
            for (number, constant) in ir.constants.iter().enumerate() {
                let function = self.in_package(file as u32, constant.function);
                let path = join_path(&self.file_modules[file], &constant.path);
                let module = self.module_of(&path).into();
                self.constant_by_path.entry(path).or_insert(self.constants.len());
                self.constants.push(ConstantPlace {
                    file: file as u32,
                    constant: number as u32,
                    function,
                    module,
                });
            }
        }
    }

    /// A function of a file, by its number in the package.
    pub(super) fn in_package(&self, file: u32, local: Option<u32>) -> Option<u32> {
        let number = self.first_function.get(file as usize).copied().flatten()? + local?;
        self.functions.get(number as usize).filter(|it| it.file == file).map(|_| number)
    }

    /// Module of a function, and the type that `Self` is in it.
    fn place_of(&self, function: u32) -> (Rc<str>, Rc<str>) {
        let function = &self.functions[function as usize];
        let parent = split_last(&function.path).0;
        let module = self.module_of(&function.path);
        let self_type = match function.container {
            FunctionContainer::Free => String::new(),
            FunctionContainer::TraitImpl => {
                let inner = split_last(parent).1;
                let name = inner
                    .strip_prefix('<')
                    .and_then(|it| it.split_once(" as "))
                    .map_or(inner, |(name, _)| name);
                join_path(module, name)
            }
            _ => parent.to_owned(),
        };
        (module.into(), self_type.into())
    }

    /// The module that a path from the crate root stands in.
    pub(super) fn module_of<'a>(&self, path: &'a str) -> &'a str {
        let mut rest = split_last(path).0;
        while !rest.is_empty() && !self.modules.contains(rest) {
            rest = split_last(rest).0;
        }
        rest
    }

    pub(super) fn is_local(&self, path: &str) -> bool {
        self.known.contains(path) || self.constant_by_path.contains_key(path)
    }

    pub(super) fn resolve(&self, module: &str, path: &str) -> String {
        self.scopes.resolve(module, path, &|path| self.is_local(path))
    }

    pub(super) fn constant(&self, path: &str) -> Option<usize> {
        self.constant_by_path.get(path).copied()
    }

    /// Functions at a path from the crate root; those of `Type::name` also where a trait gives them.
    pub(super) fn functions_at(&self, path: &str) -> &[u32] {
        if let Some(found) = self.by_path.get(path) {
            return found;
        }
        &[]
    }

    /// Functions of a file whose last name this is.
    pub(super) fn functions_below(&self, file: u32, name: &str) -> Vec<u32> {
        let all = self
            .functions
            .iter()
            .enumerate()
            .filter(|(_, it)| it.file == file && last_name(&it.path) == name);
        all.map(|(number, _)| number as u32).take(4).collect()
    }

    /// Methods of a name, if there are few.
    pub(super) fn methods(&self, name: &str) -> &[u32] {
        match self.by_method.get(name) {
            Some(found) if found.len() <= SAME_NAME => found,
            _ => &[],
        }
    }

    /// A method of a type by the names of both.
    pub(super) fn method_of(&self, kind: &str, name: &str) -> Option<u32> {
        let type_name = last_name(kind);
        let found = self.by_method.get(name)?;
        let of_type = |function: &&u32| {
            let parent = split_last(&self.functions[**function as usize].path).0;
            let inner = split_last(parent).1;
            inner == type_name
                || inner.strip_prefix('<').is_some_and(|it| it.split(" as ").next() == Some(type_name))
        };
        found.iter().take(64).find(of_type).copied()
    }

    pub(super) fn body(&self, function: u32) -> Option<usize> {
        self.body_of.get(&function).copied()
    }

    pub(super) fn ir_body(&self, place: &BodyPlace) -> Option<&'p Body> {
        self.irs[place.file as usize]?.bodies.get(place.body as usize)
    }

    pub(super) fn ir_constant(&self, place: &ConstantPlace) -> Option<&'p Constant> {
        self.irs[place.file as usize]?.constants.get(place.constant as usize)
    }

    pub(super) fn node(&self, file: u32, id: Id) -> Option<&'p Node> {
        self.irs.get(file as usize).copied().flatten()?.nodes.get(id as usize)
    }

    /// Whether a body belongs to a build script or a procedural macro.
    pub(super) fn runs_at_build_time(&self, place: &BodyPlace) -> bool {
        let Some(function) = place.function else { return false };
        let targets = &self.functions[function as usize].targets;
        self.has_target(targets, TargetKind::BuildScript) || self.has_target(targets, TargetKind::ProcMacro)
    }

    /// Whether one of the targets is of a kind.
    pub(super) fn has_target(&self, targets: &[u16], kind: TargetKind) -> bool {
        targets.iter().any(|it| self.manifest.targets.get(usize::from(*it)).is_some_and(|it| it.kind == kind))
    }
}

/// File and function of a call.
type CallPlace = (u32, Option<u32>);

/// Modules of functions and files, numbered as they are asked for: calls come function by function.
pub(super) struct Modules<'a> {
    program: &'a Program<'a>,
    numbers: HashMap<&'a str, usize>,
    last: Option<(CallPlace, (usize, &'a str))>,
}

impl<'a> Modules<'a> {
    pub(super) fn new(program: &'a Program<'a>) -> Modules<'a> {
        Modules { program, numbers: HashMap::new(), last: None }
    }

    /// Number and path of the module that a function, or what stands outside of functions in a file, belongs to.
    pub(super) fn of(&mut self, file: u32, function: Option<u32>) -> (usize, &'a str) {
        if let Some((_, module)) = self.last.filter(|it| it.0 == (file, function)) {
            return module;
        }
        let program = self.program;
        let path = match function.and_then(|it| program.functions.get(it as usize)) {
            Some(function) => program.module_of(&function.path),
            None => &program.file_modules[file as usize],
        };
        let next = self.numbers.len();
        let module = (*self.numbers.entry(path).or_insert(next), path);
        self.last = Some(((file, function), module));
        module
    }
}

/// A path without its last name, and that name; `::` inside of `<…>` does not count.
pub(super) fn split_last(path: &str) -> (&str, &str) {
    let bytes = path.as_bytes();
    let mut depth = 0_u32;
    let mut at = bytes.len();
    while at > 0 {
        at -= 1;
        match bytes[at] {
            b'>' => depth += 1,
            b'<' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && at > 0 && bytes[at - 1] == b':' => {
                return (&path[..at - 1], &path[at + 1..]);
            }
            _ => {}
        }
    }
    ("", path)
}

pub(super) fn last_name(path: &str) -> &str {
    split_last(path).1
}
