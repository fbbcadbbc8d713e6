//! Paths to definitions: what `a::b::c` means in a module.
//!
//! The crate at hand is passed apart from the others, because it is asked while it is still being collected. A path is
//! followed through modules and enums; at a type or trait it ends, and what remains is for type inference. Whether a name
//! may be seen is not asked here: code that compiles sees what it names, and macros see more than the module they expand in.

use rustc_hash::FxHashSet;

use crate::definitions::{
    AdtId, AdtKind, CrateData, CrateIndex, Definition, MacroId, ModuleId, Primitive, Scope, TraitId,
    Universe, Visibility,
};
use crate::symbol::Symbol;

/// In front of the number of a crate: what `$crate` becomes when a macro is expanded.
pub(crate) const CRATE_PREFIX: &str = "__crate_";

/// The three kinds of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Namespace {
    Types,
    Values,
    Macros,
}

impl Namespace {
    pub(crate) const ALL: [Namespace; 3] = [Namespace::Types, Namespace::Values, Namespace::Macros];
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PathOutcome {
    /// A definition, and how many segments are left: one of `Type::method`.
    Found(Definition, usize),
    /// Into a crate that was not read: its name, then the rest.
    Unread(Vec<Symbol>),
    /// Nowhere.
    NotFound,
}

/// What `segments` mean in `module`. `Self` and type parameters are not known here.
pub(crate) fn resolve_path(
    universe: &Universe,
    current: &CrateData,
    current_index: CrateIndex,
    module: u32,
    segments: &[Symbol],
    leading_colons: bool,
    namespace: Namespace,
) -> PathOutcome {
    let paths = Paths::new(universe, current, current_index);
    paths.resolve(module, segments, leading_colons, namespace)
}

/// Whether code in module `from` of the crate sees what is visible so.
pub(crate) fn is_visible(current: &CrateData, visibility: Visibility, from: u32) -> bool {
    let Visibility::Within(within) = visibility else { return true };
    let mut module = Some(from);
    while let Some(number) = module {
        if number == within {
            return true;
        }
        // A module is created after the one around it.
        module = current.modules[number as usize].parent.filter(|_| number > within);
    }
    false
}

/// Traits visible in a module by name or as `_`: its own, those of the blocks' surroundings, and the prelude's.
pub(crate) fn traits_in_scope(
    universe: &Universe,
    current: &CrateData,
    current_index: CrateIndex,
    module: u32,
) -> Vec<TraitId> {
    let paths = Paths::new(universe, current, current_index);
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    let mut add = |scope: &Scope| {
        let named = scope.types.values().filter_map(|(definition, _)| match definition {
            Definition::Trait(id) => Some(*id),
            _ => None,
        });
        let mut of_scope: Vec<_> = named.chain(scope.unnamed_traits.iter().copied()).collect();
        of_scope.sort_unstable();
        found.extend(of_scope.into_iter().filter(|id| seen.insert(*id)));
    };
    for number in current.scopes_around(module) {
        add(&current.modules[number as usize].scope);
    }
    if let Some(scope) = current.prelude.and_then(|prelude| paths.scope(prelude)) {
        add(scope);
    }
    found
}

impl CrateData {
    /// The module, and as long as it is a block, the one around it.
    pub(crate) fn scopes_around(&self, module: u32) -> impl Iterator<Item = u32> {
        let mut next = Some(module);
        std::iter::from_fn(move || {
            let number = next?;
            let module = self.modules.get(number as usize)?;
            next = module.parent.filter(|_| module.block.is_some());
            Some(number)
        })
    }

    /// The module that a block belongs to; of other modules, itself.
    pub(crate) fn module_of_block(&self, module: u32) -> u32 {
        self.scopes_around(module).last().unwrap_or(0)
    }
}

/// A name in one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry<'u> {
    Known(Definition, Visibility),
    Unread(&'u [Symbol]),
    Missing,
}

/// What an import under way must not see, and what it wants to be told of.
pub(crate) trait Watcher {
    /// A name was looked up in a module of the crate at hand.
    fn looked_up(&self, module: u32, name: Symbol);
    /// The name there is the import's own.
    fn is_own(&self, module: u32, name: Symbol, namespace: Namespace) -> bool;
}

/// Follows paths in one crate.
#[derive(Clone, Copy)]
pub(crate) struct Paths<'u> {
    pub(crate) universe: &'u Universe,
    pub(crate) current: &'u CrateData,
    pub(crate) index: CrateIndex,
    /// Of the text in which the path stands.
    pub(crate) edition: u8,
    pub(crate) watcher: Option<&'u dyn Watcher>,
}

impl<'u> Paths<'u> {
    pub(crate) fn new(universe: &'u Universe, current: &'u CrateData, index: CrateIndex) -> Paths<'u> {
        Paths { universe, current, index, edition: current.edition, watcher: None }
    }

    fn krate(&self, index: CrateIndex) -> Option<&'u CrateData> {
        if index == self.index { Some(self.current) } else { self.universe.known(index) }
    }

    /// Names of a module of any crate.
    pub(crate) fn scope(&self, id: ModuleId) -> Option<&'u Scope> {
        Some(&self.krate(id.krate)?.modules.get(id.index as usize)?.scope)
    }

    /// What a path in code means: unlike those in `use`, it starts in the module in every edition.
    pub(crate) fn resolve(
        &self,
        module: u32,
        segments: &[Symbol],
        leading_colons: bool,
        namespace: Namespace,
    ) -> PathOutcome {
        let outcome = match self.start(module, segments, leading_colons) {
            Start::At(definition, consumed) => self.follow(definition, &segments[consumed..], namespace),
            Start::Root => self.in_root(segments, namespace),
            Start::ExternPrelude => self.in_extern_prelude(segments, namespace),
            Start::Lexical => self.in_scope(module, segments, namespace),
            Start::Nowhere => PathOutcome::NotFound,
        };
        match (outcome, segments) {
            // `use std::u8;` hides the type, and yet `u8::from_str_radix` means the type's.
            (PathOutcome::NotFound, [first, _]) if !leading_colons => {
                match Primitive::from_name(first.as_str()) {
                    Some(primitive) => PathOutcome::Found(Definition::Primitive(primitive), 1),
                    None => PathOutcome::NotFound,
                }
            }
            (outcome, _) => outcome,
        }
    }

    /// What a path in `use` means.
    pub(crate) fn resolve_use(
        &self,
        module: u32,
        segments: &[Symbol],
        leading_colons: bool,
        namespace: Namespace,
    ) -> PathOutcome {
        match self.start(module, segments, leading_colons) {
            Start::Lexical | Start::Root if self.edition < 18 => self.in_root(segments, namespace),
            _ => self.resolve(module, segments, leading_colons, namespace),
        }
    }

    fn start(&self, module: u32, segments: &[Symbol], leading_colons: bool) -> Start {
        let Some(first) = segments.first() else { return Start::Nowhere };
        if leading_colons {
            return if self.edition < 18 { Start::Root } else { Start::ExternPrelude };
        }
        let here = |index| Definition::Module(ModuleId { krate: self.index, index });
        match first.as_str() {
            "crate" => Start::At(here(0), 1),
            "Self" => Start::Nowhere,
            "self" | "super" => {
                let mut number = self.current.module_of_block(module);
                let mut consumed = usize::from(first.as_str() == "self");
                while segments.get(consumed).is_some_and(|it| it.as_str() == "super") {
                    let Some(parent) = self.current.modules[number as usize].parent else {
                        return Start::Nowhere;
                    };
                    number = self.current.module_of_block(parent);
                    consumed += 1;
                }
                Start::At(here(number), consumed)
            }
            text => match text.strip_prefix(CRATE_PREFIX).and_then(|number| number.parse().ok()) {
                Some(number) => {
                    Start::At(Definition::Module(ModuleId { krate: CrateIndex(number), index: 0 }), 1)
                }
                None => Start::Lexical,
            },
        }
    }

    /// Paths of `use` in edition 2015, and `::a`: names at the root, or else crates.
    fn in_root(&self, segments: &[Symbol], namespace: Namespace) -> PathOutcome {
        let root = Definition::Module(ModuleId { krate: self.index, index: 0 });
        let first = if segments.len() == 1 { namespace } else { Namespace::Types };
        match self.lookup(ModuleId { krate: self.index, index: 0 }, segments[0], first) {
            Entry::Missing => self.in_extern_prelude(segments, namespace),
            _ => self.follow(root, segments, namespace),
        }
    }

    fn in_extern_prelude(&self, segments: &[Symbol], namespace: Namespace) -> PathOutcome {
        match self.current.extern_prelude.get(&segments[0]) {
            Some(krate) if self.krate(*krate).is_some() => {
                let root = Definition::Module(ModuleId { krate: *krate, index: 0 });
                self.follow(root, &segments[1..], namespace)
            }
            _ if namespace != Namespace::Types && segments.len() == 1 => PathOutcome::NotFound,
            _ => PathOutcome::Unread(segments.to_vec()),
        }
    }

    fn in_scope(&self, module: u32, segments: &[Symbol], namespace: Namespace) -> PathOutcome {
        let first = if segments.len() == 1 { namespace } else { Namespace::Types };
        match self.lexical(module, segments[0], first) {
            Entry::Known(definition, _) => self.follow(definition, &segments[1..], namespace),
            Entry::Unread(path) => PathOutcome::Unread([path, &segments[1..]].concat()),
            Entry::Missing if segments.len() > 1 && is_crate_name(segments[0]) => {
                PathOutcome::Unread(segments.to_vec())
            }
            Entry::Missing => {
                let mut scopes = self.current.scopes_around(module);
                let globs = scopes.find_map(|number| self.by_unread_glob(number, segments));
                globs.unwrap_or(PathOutcome::NotFound)
            }
        }
    }

    /// A name that nothing brings may come from an absent crate, if all names of one are imported. Of several, the first is
    /// taken. While imports are under way this is not asked.
    fn by_unread_glob(&self, module: u32, rest: &[Symbol]) -> Option<PathOutcome> {
        let scope = &self.current.modules.get(module as usize)?.scope;
        let glob = scope.unread_globs.first().filter(|_| self.watcher.is_none())?;
        Some(PathOutcome::Unread([glob, rest].concat()))
    }

    /// A name as code in `module` sees it.
    pub(crate) fn lexical(&self, module: u32, name: Symbol, namespace: Namespace) -> Entry<'u> {
        for number in self.current.scopes_around(module) {
            let entry = self.lookup(ModuleId { krate: self.index, index: number }, name, namespace);
            if entry != Entry::Missing {
                return entry;
            }
        }
        if namespace == Namespace::Types
            && let Some(krate) = self.current.extern_prelude.get(&name)
            && self.krate(*krate).is_some()
        {
            let root = ModuleId { krate: *krate, index: 0 };
            return Entry::Known(Definition::Module(root), Visibility::Public);
        }
        if let Some(prelude) = self.current.prelude {
            let entry = self.lookup(prelude, name, namespace);
            if matches!(entry, Entry::Known(..)) {
                return entry;
            }
        }
        match namespace {
            Namespace::Types => Primitive::from_name(name.as_str())
                .map_or(Entry::Missing, |it| Entry::Known(Definition::Primitive(it), Visibility::Public)),
            Namespace::Values => Entry::Missing,
            Namespace::Macros => self
                .prelude_macro(name)
                .map_or(Entry::Missing, |id| Entry::Known(Definition::Macro(id), Visibility::Public)),
        }
    }

    /// Macros that are in scope everywhere: of `#[macro_use] extern crate`, and of the standard library.
    pub(crate) fn prelude_macro(&self, name: Symbol) -> Option<MacroId> {
        if let Some(id) = self.current.exported_macros.get(&name).filter(|id| id.krate != self.index) {
            return Some(*id);
        }
        let standard = self.current.prelude?.krate;
        if standard == self.index {
            return None;
        }
        let krate = self.krate(standard)?;
        let at_root = krate.modules.first().and_then(|root| root.scope.macros.get(&name)).map(|(id, _)| *id);
        at_root.or_else(|| krate.exported_macros.get(&name).copied())
    }

    /// A name in one module.
    pub(crate) fn lookup(&self, module: ModuleId, name: Symbol, namespace: Namespace) -> Entry<'u> {
        if module.krate == self.index
            && let Some(watcher) = self.watcher
        {
            watcher.looked_up(module.index, name);
            if watcher.is_own(module.index, name, namespace) {
                return Entry::Missing;
            }
        }
        let Some(scope) = self.scope(module) else { return Entry::Missing };
        let known = match namespace {
            Namespace::Types => scope.types.get(&name).copied(),
            Namespace::Values => scope.values.get(&name).copied(),
            Namespace::Macros => {
                scope.macros.get(&name).map(|(id, visibility)| (Definition::Macro(*id), *visibility))
            }
        };
        match known {
            Some((definition, visibility)) => Entry::Known(definition, visibility),
            None => scope.unread.get(&name).map_or(Entry::Missing, |path| Entry::Unread(path)),
        }
    }

    /// Goes on from a definition.
    fn follow(&self, from: Definition, segments: &[Symbol], namespace: Namespace) -> PathOutcome {
        let mut at = from;
        for (position, name) in segments.iter().enumerate() {
            let last = position + 1 == segments.len();
            match at {
                Definition::Module(id) => {
                    let wanted = if last { namespace } else { Namespace::Types };
                    match self.lookup(id, *name, wanted) {
                        Entry::Known(definition, _) => at = definition,
                        Entry::Unread(path) => {
                            return PathOutcome::Unread([path, &segments[position + 1..]].concat());
                        }
                        Entry::Missing => return self.missing_in(id, &segments[position..]),
                    }
                }
                Definition::Adt(id) => match self.variant(id, *name) {
                    Some(number) => at = Definition::Variant(id, number),
                    None => return PathOutcome::Found(at, segments.len() - position),
                },
                _ => return PathOutcome::Found(at, segments.len() - position),
            }
        }
        PathOutcome::Found(at, 0)
    }

    /// A crate that is known by name alone has no modules.
    fn missing_in(&self, module: ModuleId, rest: &[Symbol]) -> PathOutcome {
        if let Some(krate) = self.krate(module.krate) {
            let paths = Paths { current: krate, ..*self };
            return paths.by_unread_glob(module.index, rest).unwrap_or(PathOutcome::NotFound);
        }
        let mut names = self.current.extern_prelude.iter().filter(|(_, krate)| **krate == module.krate);
        match names.next() {
            Some((name, _)) => PathOutcome::Unread([&[*name], rest].concat()),
            None => PathOutcome::NotFound,
        }
    }

    fn variant(&self, id: AdtId, name: Symbol) -> Option<u32> {
        let adt = self.krate(id.krate)?.adts.get(id.index as usize)?;
        let variants = adt.variants.iter().filter(|_| adt.kind == AdtKind::Enum);
        variants.zip(0..).find(|(variant, _)| variant.name == name).map(|(_, number)| number)
    }

    /// Variants of an enum of any crate, with their numbers.
    pub(crate) fn variants(&self, id: AdtId) -> impl Iterator<Item = (Symbol, u32)> + use<'u> {
        let adt = self.krate(id.krate).and_then(|krate| krate.adts.get(id.index as usize));
        let variants = adt.filter(|adt| adt.kind == AdtKind::Enum).map_or(&[][..], |adt| &adt.variants);
        variants.iter().zip(0..).map(|(variant, number)| (variant.name, number))
    }
}

/// Where a path begins.
enum Start {
    /// At a module, with that many segments behind it.
    At(Definition, usize),
    Root,
    ExternPrelude,
    Lexical,
    Nowhere,
}

/// Types and traits begin with a capital, so a path that begins otherwise, with a name that nothing here has, begins with
/// a crate.
fn is_crate_name(name: Symbol) -> bool {
    name.as_str().starts_with(|first: char| first.is_ascii_lowercase())
}
