//! Small crates written as one string: `//- path` begins a file. What a path means is compared as text.

mod items;
mod macros;
mod names;
mod random;
mod real;

use std::sync::Arc;

use super::*;
use crate::paths::resolve_path;

/// A crate that was read, and those that it depends on.
pub(super) struct Read {
    pub(super) universe: Universe,
    pub(super) index: CrateIndex,
}

/// What a crate is read with, apart from its files.
#[derive(Clone)]
pub(super) struct Setting<'s> {
    pub(super) edition: u8,
    pub(super) features: &'s [&'s str],
    /// Names and texts of crates that it depends on, and that depend on those before them.
    pub(super) dependencies: &'s [(&'s str, &'s str)],
    pub(super) test_target: bool,
    pub(super) standard: Option<StandardCrates>,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Setting { edition: 21, features: &[], dependencies: &[], test_target: false, standard: None }
    }
}

pub(super) fn files_of(text: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.trim_start().strip_prefix("//- ") {
            Some(path) => files.push((path.trim().to_owned(), String::new())),
            None => {
                if files.is_empty() {
                    files.push(("src/lib.rs".to_owned(), String::new()));
                }
                if let Some((_, content)) = files.last_mut() {
                    content.push_str(line);
                    content.push('\n');
                }
            }
        }
    }
    files
}

pub(super) fn read(text: &str) -> Read {
    read_with(text, &Setting::default())
}

pub(super) fn read_with(text: &str, setting: &Setting<'_>) -> Read {
    let universe = Universe::with_room(setting.dependencies.len() + 1);
    let mut known = Vec::new();
    let all = setting.dependencies.iter().copied().chain([("demo", text)]);
    for (number, (name, text)) in all.enumerate() {
        let index = CrateIndex(number as u32);
        let files = files_of(text);
        let data = collect_files(index, name, &files, &known, &universe, setting);
        universe.set(index, Arc::new(data));
        known.push((Symbol::new(name), index));
    }
    Read { universe, index: CrateIndex(setting.dependencies.len() as u32) }
}

fn collect_files(
    index: CrateIndex,
    name: &str,
    files: &[(String, String)],
    dependencies: &[(Symbol, CrateIndex)],
    universe: &Universe,
    setting: &Setting<'_>,
) -> CrateData {
    let arenas = Arenas::default();
    let input = CrateInput {
        index,
        name,
        edition: setting.edition,
        root: "src/lib.rs",
        files,
        configuration: &Options::x86_64_linux(setting.features.iter().copied()),
        dependencies,
        standard: setting.standard,
        test_target: setting.test_target,
        limits: &Limits::default(),
    };
    collect(&input, universe, &arenas, None).data
}

impl Read {
    pub(super) fn data(&self) -> &CrateData {
        self.universe.krate(self.index)
    }

    /// The module with this path; empty for the root, `_` for the first block.
    pub(super) fn module(&self, path: &str) -> u32 {
        let mut at = 0;
        for name in path.split("::").filter(|it| !it.is_empty()) {
            let modules = self.data().modules.iter().zip(0..);
            let mut inner = modules.filter(|(it, _)| it.parent == Some(at) && it.name.as_str() == name);
            at = inner.next().unwrap_or_else(|| panic!("no module `{name}` in `{path}`")).1;
        }
        at
    }

    /// What `path` means in `module`, with the namespace in front: `type a::b`, `value a::b`, `macro a`.
    pub(super) fn meaning(&self, module: &str, path: &str) -> String {
        let (kind, path) = path.split_once(' ').expect("a namespace stands in front");
        let namespace = match kind {
            "type" => Namespace::Types,
            "value" => Namespace::Values,
            _ => Namespace::Macros,
        };
        let leading = path.starts_with("::");
        let segments: Vec<_> = path.trim_start_matches("::").split("::").map(Symbol::new).collect();
        let module = self.module(module);
        match resolve_path(&self.universe, self.data(), self.index, module, &segments, leading, namespace) {
            PathOutcome::Found(definition, 0) => self.describe(definition),
            PathOutcome::Found(definition, rest) => format!("{} + {rest}", self.describe(definition)),
            PathOutcome::Unread(path) => {
                let path: Vec<_> = path.iter().map(|it| it.as_str()).collect();
                format!("unread {}", path.join("::"))
            }
            PathOutcome::NotFound => "nothing".to_owned(),
        }
    }

    fn describe(&self, definition: Definition) -> String {
        let universe = &self.universe;
        let (kind, krate, module, name) = match definition {
            Definition::Module(id) => return self.module_path(id.krate, id.index),
            Definition::Function(id) => {
                ("fn", id.krate, id.data(universe).module, id.data(universe).name.to_string())
            }
            Definition::Adt(id) => {
                ("adt", id.krate, id.data(universe).module, id.data(universe).name.to_string())
            }
            Definition::Variant(id, number) => {
                let data = id.data(universe);
                let name = format!("{}::{}", data.name, data.variants[number as usize].name);
                ("variant", id.krate, data.module, name)
            }
            Definition::Trait(id) => {
                ("trait", id.krate, id.data(universe).module, id.data(universe).name.to_string())
            }
            Definition::Alias(id) => {
                ("alias", id.krate, id.data(universe).module, id.data(universe).name.to_string())
            }
            Definition::Value(id) => {
                ("const", id.krate, id.data(universe).module, id.data(universe).name.to_string())
            }
            Definition::Macro(id) => {
                ("macro", id.krate, id.data(universe).module, id.data(universe).name.to_string())
            }
            Definition::Primitive(it) => return it.as_str().to_owned(),
        };
        format!("{kind} {}::{name}", self.module_path(krate, module))
    }

    fn module_path(&self, krate: CrateIndex, module: u32) -> String {
        let data = self.universe.krate(krate);
        let mut names = Vec::new();
        let mut next = Some(module);
        while let Some(number) = next {
            names.push(data.modules[number as usize].name.as_str());
            next = data.modules[number as usize].parent;
        }
        names.reverse();
        names.join("::")
    }

    /// Names of traits in scope in a module.
    pub(super) fn traits(&self, module: &str) -> Vec<&'static str> {
        let module = self.module(module);
        let found = crate::paths::traits_in_scope(&self.universe, self.data(), self.index, module);
        let mut names: Vec<_> = found.into_iter().map(|id| id.data(&self.universe).name.as_str()).collect();
        names.sort_unstable();
        names
    }
}

/// Checks lines of the form `module: namespace path = meaning` against a crate.
pub(super) fn check(read: &Read, lines: &[&str]) {
    let mut wrong = Vec::new();
    for line in lines {
        let (left, expected) = line.split_once(" = ").expect("a line has a meaning");
        let (module, path) = left.split_once(": ").expect("a line has a module");
        let found = read.meaning(module, path);
        if found != *expected {
            wrong.push(format!("{left} = {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}\n{:#?}", read.data().problems);
}
