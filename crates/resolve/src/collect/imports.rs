//! Imports, resolved until nothing changes.
//!
//! A worklist: an import is looked at when it is new and when a name that it looked up has changed; a new name is handed on to the
//! modules that import all names of its module. Names only ever get better (nothing, then a glob's, then an explicit one), and
//! an import may change what it found only a few times, so this ends on any input.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Collector, SecondClass};
use crate::definitions::{Definition, ModuleId, TraitId, Visibility};
use crate::paths::{Entry, Namespace, PathOutcome, Paths, Watcher, is_visible};
use crate::symbol::Symbol;

/// One name or glob of a `use`.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) module: u32,
    pub(super) path: Box<[Symbol]>,
    pub(super) leading_colons: bool,
    pub(super) kind: ImportKind,
    pub(super) visibility: Visibility,
    pub(super) edition: u8,
    pub(super) active: bool,
    pub(super) state: State,
    /// How often it found something else than before.
    pub(super) changes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportKind {
    /// Whatever the path names, under this name.
    Named(Symbol),
    /// `a::{self}`: only in the namespace of types.
    Module(Symbol),
    /// `as _`
    Unnamed,
    /// `*`
    Glob,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// It found something in a crate that was read.
    Found,
    /// It leads into a crate that was not read.
    Absent,
}

/// Most changes of one import. `use a::a` where a glob brings another `a` needs one; a circle of those has no end.
const CHANGES: u8 = 4;

/// Most globs of absent crates that a module remembers.
const UNREAD_GLOBS: usize = 8;

/// Which of the unresolved imports lead into absent crates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// Those that begin with a name that nothing in the crate has, whatever its conditions.
    NamedNowhere,
    /// All.
    Rest,
}

/// Which import a name comes from.
#[derive(Debug, Clone, Copy)]
struct Owner {
    import: u32,
    glob: bool,
}

type Key = (u32, Symbol, Namespace);

enum Work {
    Import(u32),
    /// A name that importers of all names of its module must get.
    Spread(Key),
    SpreadUnnamed(u32, TraitId),
    SpreadUnread(u32, Symbol),
    SpreadUnreadGlob(u32, Box<[Symbol]>),
}

#[derive(Default)]
pub(super) struct Imports {
    list: Vec<Import>,
    work: VecDeque<Work>,
    waiting: FxHashMap<(u32, Symbol), Vec<u32>>,
    globs: FxHashMap<u32, Vec<u32>>,
    owners: FxHashMap<Key, Owner>,
    /// Imports that are looked at in the second round only.
    inactive: Vec<u32>,
    imported_names: usize,
    reported: bool,
}

impl Imports {
    pub(super) fn add(&mut self, import: Import) {
        let number = self.list.len() as u32;
        if import.active {
            self.work.push_back(Work::Import(number));
        } else {
            self.inactive.push(number);
        }
        self.list.push(import);
    }

    #[cfg(test)]
    pub(super) fn list(&self) -> &[Import] {
        &self.list
    }

    fn wake(&mut self, module: u32, name: Symbol) {
        for import in self.waiting.remove(&(module, name)).unwrap_or_default() {
            self.work.push_back(Work::Import(import));
        }
    }
}

/// Notes what an import looks up.
struct Looking<'o> {
    import: u32,
    module: u32,
    name: Option<Symbol>,
    owners: &'o FxHashMap<Key, Owner>,
    seen: std::cell::RefCell<Vec<(u32, Symbol)>>,
}

impl Watcher for Looking<'_> {
    fn looked_up(&self, module: u32, name: Symbol) {
        let mut seen = self.seen.borrow_mut();
        if !seen.contains(&(module, name)) {
            seen.push((module, name));
        }
    }

    fn is_own(&self, module: u32, name: Symbol, namespace: Namespace) -> bool {
        module == self.module
            && Some(name) == self.name
            && self.owners.get(&(module, name, namespace)).is_some_and(|owner| owner.import == self.import)
    }
}

impl Collector<'_, '_> {
    pub(super) fn resolve_imports(&mut self) {
        while let Some(work) = self.imports.work.pop_front() {
            match work {
                Work::Import(number) => self.resolve_import(number),
                Work::Spread((module, name, namespace)) => self.spread(module, name, namespace),
                Work::SpreadUnnamed(module, id) => self.spread_unnamed(module, id),
                Work::SpreadUnread(module, name) => self.spread_unread(module, name),
                Work::SpreadUnreadGlob(module, path) => {
                    for number in self.importers(module) {
                        self.add_unread_glob(self.imports.list[number as usize].module, path.clone());
                    }
                }
            }
        }
    }

    /// A definition's own name.
    pub(super) fn declare_name(
        &mut self,
        module: u32,
        name: Symbol,
        namespace: Namespace,
        definition: Definition,
        visibility: Visibility,
    ) {
        let key = (module, name, namespace);
        // Of two with one name, the first counts: both would be an error. What was imported gives way.
        if self.entry(key).is_some() && self.imports.owners.remove(&key).is_none() {
            return;
        }
        self.set(key, definition, visibility);
    }

    pub(super) fn declare_unread(&mut self, module: u32, name: Symbol, path: Box<[Symbol]>) {
        let known = &mut self.data.modules[module as usize].scope.unread;
        if known.contains_key(&name) {
            return;
        }
        known.insert(name, path);
        self.imports.wake(module, name);
        self.imports.work.push_back(Work::SpreadUnread(module, name));
    }

    fn entry(&self, (module, name, namespace): Key) -> Option<(Definition, Visibility)> {
        let scope = &self.data.modules[module as usize].scope;
        match namespace {
            Namespace::Types => scope.types.get(&name).copied(),
            Namespace::Values => scope.values.get(&name).copied(),
            Namespace::Macros => {
                scope.macros.get(&name).map(|(id, visible)| (Definition::Macro(*id), *visible))
            }
        }
    }

    fn set(&mut self, key: Key, definition: Definition, visibility: Visibility) {
        let (module, name, namespace) = key;
        let scope = &mut self.data.modules[module as usize].scope;
        match (namespace, definition) {
            (Namespace::Types, _) => drop(scope.types.insert(name, (definition, visibility))),
            (Namespace::Values, _) => drop(scope.values.insert(name, (definition, visibility))),
            (Namespace::Macros, Definition::Macro(id)) => drop(scope.macros.insert(name, (id, visibility))),
            (Namespace::Macros, _) => return,
        }
        self.imports.wake(module, name);
        if self.imports.globs.contains_key(&module) {
            self.imports.work.push_back(Work::Spread(key));
        }
    }

    /// Gives an imported name to a module, if it is better than what is there.
    fn import_name(&mut self, key: Key, definition: Definition, visibility: Visibility, owner: Owner) {
        let Some((known, known_visibility)) = self.entry(key) else {
            if !self.count_imported() {
                return;
            }
            self.imports.owners.insert(key, owner);
            return self.set(key, definition, visibility);
        };
        let Some(known_owner) = self.imports.owners.get(&key).copied() else { return };
        let wider = known == definition && is_wider(visibility, known_visibility);
        let replaces = if known_owner.import == owner.import {
            known != definition
        } else {
            known_owner.glob && !owner.glob
        };
        if replaces || wider {
            self.imports.owners.insert(key, owner);
            if known != definition || visibility != known_visibility {
                self.set(key, definition, visibility);
            }
        }
    }

    fn count_imported(&mut self) -> bool {
        self.imports.imported_names += 1;
        if self.imports.imported_names <= self.input.limits.imported_names {
            return true;
        }
        if !std::mem::replace(&mut self.imports.reported, true) {
            self.problem("imports were left out: they bring too many names into scope".to_owned());
        }
        false
    }

    fn resolve_import(&mut self, number: u32) {
        let import = &self.imports.list[number as usize];
        let (module, kind, visibility) = (import.module, import.kind, import.visibility);
        match kind {
            ImportKind::Glob => self.resolve_glob(number),
            ImportKind::Unnamed => {
                if let PathOutcome::Found(Definition::Trait(id), 0) = self.outcome(number, Namespace::Types) {
                    self.imports.list[number as usize].state = State::Found;
                    self.add_unnamed(module, id);
                }
            }
            ImportKind::Named(name) | ImportKind::Module(name) => {
                let before = self.imports.list[number as usize].changes;
                if before >= CHANGES {
                    return;
                }
                let namespaces = if matches!(kind, ImportKind::Module(_)) { 1 } else { 3 };
                for namespace in &Namespace::ALL[..namespaces] {
                    self.resolve_named(number, (module, name, *namespace), visibility);
                }
            }
        }
    }

    fn resolve_named(&mut self, number: u32, key: Key, visibility: Visibility) {
        match self.outcome(number, key.2) {
            PathOutcome::Found(definition, 0) => {
                let import = &mut self.imports.list[number as usize];
                import.state = State::Found;
                let known = self.entry(key).map(|it| it.0);
                let own = self.imports.owners.get(&key).is_some_and(|owner| owner.import == number);
                if own && known != Some(definition) {
                    self.imports.list[number as usize].changes += 1;
                }
                self.import_name(key, definition, visibility, Owner { import: number, glob: false });
            }
            // A crate that was not read may yet turn out to be a module that was not found so far.
            PathOutcome::Unread(path) if self.is_certainly_absent(number, &path) => {
                let state = &mut self.imports.list[number as usize].state;
                if *state == State::Open {
                    *state = State::Absent;
                }
                self.set_unread(key.0, key.1, path);
            }
            _ => {}
        }
    }

    /// The path of an import leads through a name that is known to be of an absent crate.
    fn is_certainly_absent(&self, number: u32, path: &[Symbol]) -> bool {
        let import = &self.imports.list[number as usize];
        import.path.as_ref() != path || matches!(path[0].as_str(), "std" | "core" | "alloc" | "proc_macro")
    }

    fn set_unread(&mut self, module: u32, name: Symbol, path: Vec<Symbol>) {
        for namespace in Namespace::ALL {
            let key = (module, name, namespace);
            // What a glob brings is hidden by an explicit import, wherever that leads.
            if self.imports.owners.get(&key).is_some_and(|owner| owner.glob) {
                self.imports.owners.remove(&key);
                let scope = &mut self.data.modules[module as usize].scope;
                match namespace {
                    Namespace::Types => drop(scope.types.remove(&name)),
                    Namespace::Values => drop(scope.values.remove(&name)),
                    Namespace::Macros => drop(scope.macros.remove(&name)),
                }
            }
        }
        self.declare_unread(module, name, path.into_boxed_slice());
    }

    /// Where the path of an import leads. What was looked up is noted.
    fn outcome(&mut self, number: u32, namespace: Namespace) -> PathOutcome {
        let import = &self.imports.list[number as usize];
        let name = match import.kind {
            ImportKind::Named(name) | ImportKind::Module(name) => Some(name),
            ImportKind::Unnamed | ImportKind::Glob => None,
        };
        let looking = Looking {
            import: number,
            module: import.module,
            name,
            owners: &self.imports.owners,
            seen: std::cell::RefCell::default(),
        };
        let paths = Paths { watcher: Some(&looking), ..self.paths(import.edition) };
        let mut outcome = if import.path.is_empty() {
            let here = if import.edition < 18 { 0 } else { self.data.module_of_block(import.module) };
            PathOutcome::Found(Definition::Module(ModuleId { krate: self.input.index, index: here }), 0)
        } else {
            paths.resolve_use(import.module, &import.path, import.leading_colons, namespace)
        };
        if let ([name], Namespace::Macros, false) =
            (&*import.path, namespace, matches!(outcome, PathOutcome::Found(_, 0)))
            && let Some(id) = self.macros.textual(&self.data, import.module, *name)
        {
            outcome = PathOutcome::Found(Definition::Macro(id), 0);
        }
        for key in looking.seen.into_inner() {
            let waiting = self.imports.waiting.entry(key).or_default();
            if waiting.last() != Some(&number) {
                waiting.push(number);
            }
        }
        outcome
    }

    fn resolve_glob(&mut self, number: u32) {
        let import = &self.imports.list[number as usize];
        if import.state != State::Open {
            return;
        }
        let module = import.module;
        match self.outcome(number, Namespace::Types) {
            PathOutcome::Found(Definition::Module(id), 0) => {
                self.imports.list[number as usize].state = State::Found;
                if id.krate != self.input.index {
                    self.import_all(number, id);
                } else if id.index != module {
                    self.imports.globs.entry(id.index).or_default().push(number);
                    self.import_all(number, id);
                }
            }
            PathOutcome::Found(Definition::Adt(id), 0) => {
                self.imports.list[number as usize].state = State::Found;
                let variants: Vec<_> = self.paths(self.data.edition).variants(id).collect();
                for (name, variant) in variants {
                    for namespace in [Namespace::Types, Namespace::Values] {
                        self.import_by_glob(
                            number,
                            (module, name, namespace),
                            Definition::Variant(id, variant),
                            Visibility::Public,
                        );
                    }
                }
            }
            PathOutcome::Unread(path) if self.is_certainly_absent(number, &path) => {
                self.imports.list[number as usize].state = State::Absent;
                self.add_unread_glob(module, path.into_boxed_slice());
            }
            _ => {}
        }
    }

    /// Copies what a glob finds in a module of any crate.
    fn import_all(&mut self, number: u32, from: ModuleId) {
        let Some(scope) = self.paths(self.data.edition).scope(from) else { return };
        let types = scope.types.iter().map(|(name, it)| (*name, Namespace::Types, it.0, it.1));
        let values = scope.values.iter().map(|(name, it)| (*name, Namespace::Values, it.0, it.1));
        let macros =
            scope.macros.iter().map(|(name, it)| (*name, Namespace::Macros, Definition::Macro(it.0), it.1));
        let names: Vec<_> = types.chain(values).chain(macros).collect();
        let (unnamed, globs) = (scope.unnamed_traits.clone(), scope.unread_globs.clone());
        let unread: Vec<_> = scope.unread.iter().map(|(name, path)| (*name, path.clone())).collect();
        let module = self.imports.list[number as usize].module;
        for (name, namespace, definition, visibility) in names {
            if from.krate == self.input.index || visibility == Visibility::Public {
                self.import_by_glob(number, (module, name, namespace), definition, visibility);
            }
        }
        unnamed.into_iter().for_each(|id| self.add_unnamed(module, id));
        globs.into_iter().for_each(|path| self.add_unread_glob(module, path));
        for (name, path) in unread {
            self.import_unread(module, name, path);
        }
    }

    fn import_by_glob(&mut self, number: u32, key: Key, definition: Definition, visibility: Visibility) {
        let import = &self.imports.list[number as usize];
        if !is_visible(&self.data, visibility, import.module) {
            return;
        }
        let visibility = if is_wider(import.visibility, visibility) { visibility } else { import.visibility };
        if import.active || self.entry(key).is_none() {
            self.import_name(key, definition, visibility, Owner { import: number, glob: true });
        }
    }

    fn importers(&self, module: u32) -> Vec<u32> {
        self.imports.globs.get(&module).cloned().unwrap_or_default()
    }

    fn spread(&mut self, module: u32, name: Symbol, namespace: Namespace) {
        let Some((definition, visibility)) = self.entry((module, name, namespace)) else { return };
        for number in self.importers(module) {
            let key = (self.imports.list[number as usize].module, name, namespace);
            self.import_by_glob(number, key, definition, visibility);
        }
    }

    fn spread_unnamed(&mut self, module: u32, id: TraitId) {
        for number in self.importers(module) {
            self.add_unnamed(self.imports.list[number as usize].module, id);
        }
    }

    fn spread_unread(&mut self, module: u32, name: Symbol) {
        let Some(path) = self.data.modules[module as usize].scope.unread.get(&name).cloned() else { return };
        for number in self.importers(module) {
            self.import_unread(self.imports.list[number as usize].module, name, path.clone());
        }
    }

    fn import_unread(&mut self, module: u32, name: Symbol, path: Box<[Symbol]>) {
        let known = Namespace::ALL.iter().any(|namespace| self.entry((module, name, *namespace)).is_some());
        if !known && self.count_imported() {
            self.declare_unread(module, name, path);
        }
    }

    fn add_unnamed(&mut self, module: u32, id: TraitId) {
        let unnamed = &mut self.data.modules[module as usize].scope.unnamed_traits;
        if unnamed.contains(&id) {
            return;
        }
        unnamed.push(id);
        if self.count_imported() {
            self.imports.work.push_back(Work::SpreadUnnamed(module, id));
        }
    }

    fn add_unread_glob(&mut self, module: u32, path: Box<[Symbol]>) {
        let known = &mut self.data.modules[module as usize].scope.unread_globs;
        if known.len() < UNREAD_GLOBS && !known.contains(&path) {
            known.push(path.clone());
            self.imports.work.push_back(Work::SpreadUnreadGlob(module, path));
        }
    }

    /// Names and imports whose conditions do not hold: they get the names that are left.
    pub(super) fn add_second_class(&mut self) {
        for it in std::mem::take(&mut self.second_class) {
            let SecondClass { module, name, namespace, definition, visibility } = it;
            if self.entry((module, name, namespace)).is_none() {
                self.set((module, name, namespace), definition, visibility);
            }
        }
        for number in std::mem::take(&mut self.imports.inactive) {
            self.imports.work.push_back(Work::Import(number));
        }
    }

    /// Takes imports that lead nowhere for imports from crates that were not read.
    pub(super) fn resolve_absent_crates(&mut self, absent: Absent) {
        let declared: FxHashSet<Symbol> = self.second_class.iter().map(|it| it.name).collect();
        for number in 0..self.imports.list.len() as u32 {
            let import = &self.imports.list[number as usize];
            let (module, kind) = (import.module, import.kind);
            let first = import.path.first().copied();
            let later = absent == Absent::NamedNowhere
                && (!import.active || first.is_some_and(|first| declared.contains(&first)));
            if import.state != State::Open || later {
                continue;
            }
            let Some(path) = self.absent_path(number) else { continue };
            self.imports.list[number as usize].state = State::Absent;
            match kind {
                ImportKind::Named(name) | ImportKind::Module(name) => self.set_unread(module, name, path),
                ImportKind::Glob => self.add_unread_glob(module, path.into_boxed_slice()),
                ImportKind::Unnamed => {}
            }
        }
    }

    fn absent_path(&mut self, number: u32) -> Option<Vec<Symbol>> {
        // Noted once more, for names that are found later.
        self.outcome(number, Namespace::Types);
        let import = &self.imports.list[number as usize];
        let first = *import.path.first()?;
        let paths = self.paths(import.edition);
        match paths.resolve_use(import.module, &import.path, import.leading_colons, Namespace::Types) {
            PathOutcome::Unread(path) => Some(path),
            PathOutcome::NotFound => {
                let module = if import.edition < 18 { 0 } else { import.module };
                let outside = !matches!(first.as_str(), "crate" | "self" | "super")
                    && paths.lexical(module, first, Namespace::Types) == Entry::Missing;
                (outside && import.path.len() == 1).then(|| import.path.to_vec())
            }
            PathOutcome::Found(..) => None,
        }
    }
}

/// Whether more code sees what is visible as `one` than as `other`: the module with the smaller number is the outer
/// one, if one is inside the other.
fn is_wider(one: Visibility, other: Visibility) -> bool {
    match (one, other) {
        (Visibility::Public, Visibility::Within(_)) => true,
        (Visibility::Within(one), Visibility::Within(other)) => one < other,
        (_, Visibility::Public) => false,
    }
}
