//! One package as calls are followed through it: functions by name, who calls whom, and what each touches.
//!
//! Names alone decide. A path leads to the function of that path, of that type, or to what is exported under its last name; a
//! method to the methods of that name, those of the caller's own type before others. Where several fit, all do, up to a limit.

use std::collections::{BTreeSet, HashMap};

use cratekeeper_model::facts::{
    Call, CallKind, Dependency, Facts, Flow, Operation, OperationKind, TargetKind, UseImport,
};
use cratekeeper_model::{PackageId, ReachedOperation};

/// Functions of one name that a call may mean; with more, the name says nothing.
const CANDIDATES: usize = 4;

/// Operations by which a package can harm whoever builds with it: without any, nobody has to follow calls into it.
const HARMFUL: &[OperationKind] = &[
    OperationKind::Connect,
    OperationKind::StartProcess,
    OperationKind::LoadLibrary,
    OperationKind::Interpret,
    OperationKind::SystemCall,
    OperationKind::CallData,
    OperationKind::ExecutableMemory,
];

/// An operation in a library.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Its number in the package's facts.
    pub(super) number: u32,
    pub(super) kind: OperationKind,
    pub(super) seen: ReachedOperation,
    /// As [`ReachedOperation::receives`], by numbers of the package.
    pub(super) flows: Vec<Flow>,
}

/// A package, without what following calls does not need.
pub(super) struct Package {
    pub(super) id: PackageId,
    pub(super) name: String,
    pub(super) dependencies: Vec<Dependency>,
    /// Whether anything in its library can do harm.
    pub(super) is_harmful: bool,
    functions: Vec<Function>,
    by_path: HashMap<String, Vec<u32>>,
    by_name: HashMap<String, Vec<u32>>,
    /// By the name under which something is exported: the path of what it is.
    exports: HashMap<String, Vec<String>>,
    operations: HashMap<u32, Vec<Found>>,
    external: HashMap<u32, Vec<String>>,
    /// First names of the paths that the library calls or hands on.
    roots: BTreeSet<String>,
}

struct Function {
    path: String,
    is_method: bool,
    in_library: bool,
}

impl Package {
    pub(super) fn new(id: &PackageId, name: &str, facts: &Facts) -> Package {
        let functions: Vec<Function> = facts
            .source
            .functions
            .iter()
            .map(|it| Function {
                path: plain(&it.path),
                is_method: it.receiver,
                in_library: is_in_library(facts, &it.targets),
            })
            .collect();
        let (mut by_path, mut by_name) = (HashMap::<_, Vec<u32>>::new(), HashMap::<_, Vec<u32>>::new());
        for (number, function) in (0..).zip(&functions).filter(|(_, it)| it.in_library) {
            by_path.entry(function.path.clone()).or_default().push(number);
            by_name.entry(last(&function.path).to_owned()).or_default().push(number);
        }
        let operations = operations(facts, &functions);
        let mut external: HashMap<u32, Vec<String>> = HashMap::new();
        for call in &facts.flow.external_calls {
            let in_library = |it: &u32| functions.get(*it as usize).is_some_and(|it| it.in_library);
            if let Some(function) = call.function.filter(in_library) {
                external.entry(function).or_default().push(call.path.clone());
            }
        }
        let exports = exports(&facts.source.uses);
        let leads_out = external.values().chain(exports.values()).flatten();
        let roots = leads_out.filter_map(|it| it.split("::").next()).map(str::to_owned).collect();
        let is_harmful = operations.values().flatten().any(|it| HARMFUL.contains(&it.kind));
        Package {
            id: id.clone(),
            name: name.to_owned(),
            dependencies: facts.manifest.dependencies.clone(),
            is_harmful,
            functions,
            by_path,
            by_name,
            exports,
            operations,
            external,
            roots,
        }
    }

    /// Path of a function, the package's name in front.
    pub(super) fn shown(&self, function: u32) -> String {
        format!("{}::{}", self.name, self.functions[function as usize].path)
    }

    /// What a function touches.
    pub(super) fn operations(&self, function: u32) -> &[Found] {
        self.operations.get(&function).map_or(&[], Vec::as_slice)
    }

    /// Paths into other crates that a function calls.
    pub(super) fn external(&self, function: u32) -> &[String] {
        self.external.get(&function).map_or(&[], Vec::as_slice)
    }

    /// Names of other crates that the library calls or hands on; some are modules of its own.
    pub(super) fn roots(&self) -> impl Iterator<Item = &str> {
        self.roots.iter().map(String::as_str)
    }

    /// Functions that a path means, the crate's name left out.
    pub(super) fn named(&self, path: &str) -> Vec<u32> {
        let path = plain(path);
        if let Some(exact) = self.by_path.get(&path) {
            return exact.clone();
        }
        let name = last(&path);
        let Some(all) = self.by_name.get(name) else { return Vec::new() };
        if let Some(of_type) = type_of(&path) {
            let of_type =
                all.iter().filter(|it| type_of(&self.functions[**it as usize].path) == Some(of_type));
            return few(of_type.copied());
        }
        few(all.iter().copied().filter(|it| !self.functions[*it as usize].is_method))
    }

    /// Paths that a path into this package stands for by re-exports: of the name, or of the module or type before it.
    pub(super) fn exported(&self, path: &str) -> Vec<String> {
        let name = last(path);
        let whole = self.exports.get(name).into_iter().flatten().cloned();
        let before = path.rsplit("::").nth(1).and_then(|it| self.exports.get(it)).into_iter().flatten();
        let all = self.exports.get("*").into_iter().flatten();
        whole.chain(before.chain(all).map(|it| format!("{it}::{name}"))).take(2 * CANDIDATES).collect()
    }

    /// Methods of this name of a type.
    pub(super) fn methods_of(&self, of_type: &str, name: &str) -> Vec<u32> {
        let all = self.by_name.get(name).into_iter().flatten().copied();
        few(all.filter(|it| type_of(&self.functions[*it as usize].path) == Some(of_type)))
    }

    /// By function: those of the same library that it calls.
    pub(super) fn callees(&self, calls: &[Call]) -> HashMap<u32, Vec<u32>> {
        let mut callees: HashMap<u32, Vec<u32>> = HashMap::new();
        for call in calls {
            let Some(caller) = call.function else { continue };
            let Some(function) = self.functions.get(caller as usize).filter(|it| it.in_library) else {
                continue;
            };
            let found = match call.kind {
                CallKind::Path => self.called(&function.path, &call.callee),
                CallKind::Method => self.method_called(&function.path, &call.callee),
                _ => continue,
            };
            let known = callees.entry(caller).or_default();
            known.extend(found);
            known.sort_unstable();
            known.dedup();
        }
        callees
    }

    fn called(&self, caller: &str, callee: &str) -> Vec<u32> {
        let own_type = type_of(caller).unwrap_or_default();
        let callee = match callee.strip_prefix("Self::") {
            Some(rest) => format!("{own_type}::{rest}"),
            None => callee.trim_start_matches("self::").trim_start_matches("super::").to_owned(),
        };
        let callee = callee.trim_start_matches("super::").trim_start_matches("crate::");
        let module = module_of(caller);
        let beside = if module.is_empty() { callee.to_owned() } else { format!("{module}::{callee}") };
        match self.by_path.get(&beside) {
            Some(beside) => beside.clone(),
            None => self.named(callee),
        }
    }

    fn method_called(&self, caller: &str, name: &str) -> Vec<u32> {
        let all = self.by_name.get(name).into_iter().flatten().copied();
        let methods: Vec<u32> = all.filter(|it| self.functions[*it as usize].is_method).collect();
        let own_type = type_of(caller);
        let own = |it: &u32| own_type.is_some() && type_of(&self.functions[*it as usize].path) == own_type;
        let own: Vec<u32> = methods.iter().copied().filter(own).collect();
        if own.is_empty() { few(methods.into_iter()) } else { own }
    }
}

/// All of them, unless there are too many to mean anything.
fn few(found: impl Iterator<Item = u32>) -> Vec<u32> {
    let found: Vec<u32> = found.take(CANDIDATES + 1).collect();
    if found.len() > CANDIDATES { Vec::new() } else { found }
}

/// `module::<Type as Trait>::function` as `module::Type::function`.
fn plain(path: &str) -> String {
    let Some((before, rest)) = path.split_once('<') else { return path.to_owned() };
    match rest.split_once(" as ").and_then(|(of, rest)| Some((of, rest.rsplit_once('>')?.1))) {
        Some((of, after)) => format!("{before}{of}{after}"),
        None => path.to_owned(),
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or_default()
}

/// The type that a path's function belongs to: types begin with a capital letter.
pub(super) fn type_of(path: &str) -> Option<&str> {
    path.rsplit("::").nth(1).filter(|it| it.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// The module of a function, its type left out.
fn module_of(path: &str) -> &str {
    let without_name = path.rsplit_once("::").map_or("", |(before, _)| before);
    match type_of(path) {
        Some(_) => without_name.rsplit_once("::").map_or("", |(before, _)| before),
        None => without_name,
    }
}

fn is_in_library(facts: &Facts, targets: &[u16]) -> bool {
    targets.iter().any(|number| {
        facts
            .manifest
            .targets
            .get(usize::from(*number))
            .is_some_and(|it| matches!(it.kind, TargetKind::Lib | TargetKind::ProcMacro))
    })
}

fn exports(uses: &[UseImport]) -> HashMap<String, Vec<String>> {
    let mut exports: HashMap<String, Vec<String>> = HashMap::new();
    for import in uses.iter().filter(|it| !it.visibility.is_empty()) {
        let mut path = import.path.as_str();
        while let Some(rest) =
            ["crate::", "self::", "super::", "::"].iter().find_map(|it| path.strip_prefix(it))
        {
            path = rest;
        }
        let (name, path) = match path.strip_suffix("::*") {
            Some(module) => ("*", module),
            None => (import.alias.as_deref().unwrap_or(last(path)), path),
        };
        exports.entry(name.to_owned()).or_default().push(path.to_owned());
    }
    exports
}

fn operations(facts: &Facts, functions: &[Function]) -> HashMap<u32, Vec<Found>> {
    let mut texts: HashMap<u32, Vec<_>> = HashMap::new();
    for text in &facts.flow.texts {
        if let Some(operation) = text.operation {
            let text = (text.value.clone(), text.decodings.clone(), text.topics.clone());
            texts.entry(operation).or_default().push(text);
        }
    }
    let mut flows: HashMap<u32, Vec<&Flow>> = HashMap::new();
    for flow in &facts.flow.flows {
        flows.entry(flow.into).or_default().push(flow);
    }
    let mut operations: HashMap<u32, Vec<Found>> = HashMap::new();
    for (number, operation) in (0..).zip(&facts.flow.operations) {
        let Some(function) = operation.function else { continue };
        if functions.get(function as usize).is_none_or(|it| !it.in_library) {
            continue;
        }
        let flows = flows.get(&number).into_iter().flatten().map(|it| (*it).clone()).collect();
        let seen = seen(facts, operation, texts.remove(&number).unwrap_or_default());
        operations.entry(function).or_default().push(Found { number, kind: operation.kind, seen, flows });
    }
    operations
}

fn seen(
    facts: &Facts,
    operation: &Operation,
    texts: Vec<(String, Vec<cratekeeper_model::facts::Decoding>, Vec<cratekeeper_model::facts::Topic>)>,
) -> ReachedOperation {
    let file = facts.source.rust_files.get(operation.file as usize);
    ReachedOperation {
        path: operation.path.clone(),
        file: file.map(|it| it.path.clone()).unwrap_or_default(),
        line: operation.line,
        arguments: operation.arguments.clone(),
        qualities: operation.qualities.clone(),
        texts,
        receives: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_modules_are_told_apart() {
        assert_eq!(plain("a::<Type as Trait>::f"), "a::Type::f");
        assert_eq!(type_of("a::Type::f"), Some("Type"));
        assert_eq!(type_of("a::b::f"), None);
        assert_eq!((module_of("a::Type::f"), module_of("a::b::f"), module_of("f")), ("a", "a::b", ""));
    }

    #[test]
    fn a_name_that_many_have_says_nothing() {
        assert_eq!(few(0..4), [0, 1, 2, 3]);
        assert!(few(0..5).is_empty());
    }
}
