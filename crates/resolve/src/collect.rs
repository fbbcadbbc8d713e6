//! Reads one crate: parses its files, collects what they define, and resolves what they import.
//!
//! Items are collected in text order, because `macro_rules!` are in scope from their definition on. Function bodies are looked
//! through afterwards, for blocks with items in them. Imports are a fixpoint with a worklist: whatever looked up a name is
//! asked again when that name changes. Macros whose definition must be imported are expanded between two fixpoints.
//!
//! Nothing fails: what cannot be read is a sentence in [`CrateData::problems`].

mod attributes;
mod bodies;
mod body_macros;
mod expander;
mod files;
mod imports;
mod items;
mod macros;
mod members;
mod uses;

use std::collections::VecDeque;
use std::rc::Rc;

use cratekeeper_syntax::{Edition, LexedStr, Lines, Tree, guard};

use self::attributes::{Attributes, Judge};
use self::imports::Imports;
use self::macros::PendingCall;
use crate::configuration::Options;
use crate::definitions::{
    Configuration, Container, CrateData, CrateIndex, Definition, Module, ModuleId, Place, Universe,
    Visibility,
};
use crate::paths::{Namespace, PathOutcome, Paths};
use crate::sources::{Arenas, Node, Origins, Source, Sources, SyntaxReference};
use crate::symbol::Symbol;

pub(crate) use self::bodies::statement_call;
pub(crate) use self::body_macros::{BodyMacros, Form};
pub(crate) use self::imports::ImportKind;
pub(crate) use self::macros::{Macros, inside};
pub(crate) use self::uses::{Imported, imported};

/// A crate to read: one target of a package.
#[derive(Debug, Clone, Copy)]
pub struct CrateInput<'i> {
    /// Its number.
    pub index: CrateIndex,
    /// As paths print it.
    pub name: &'i str,
    /// Two digits.
    pub edition: u8,
    /// Path of the root file in the package.
    pub root: &'i str,
    /// Paths in the package, with `/`, and texts.
    pub files: &'i [(String, String)],
    /// What `cfg` predicates are judged by.
    pub configuration: &'i Options,
    /// Dependencies that were read, by their names in code.
    pub dependencies: &'i [(Symbol, CrateIndex)],
    /// The standard library, if it was read.
    pub standard: Option<StandardCrates>,
    /// Tests are part of it.
    pub test_target: bool,
    /// What it may cost.
    pub limits: &'i Limits,
}

/// The crates of the standard library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandardCrates {
    /// `core`
    pub core: CrateIndex,
    /// `alloc`
    pub alloc: CrateIndex,
    /// `std`
    pub std: CrateIndex,
}

/// What reading one crate may cost. Beyond a limit the rest is left out, and a problem says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Modules and blocks with items. `windows` has 700 modules; code generators write thousands of blocks.
    pub modules: usize,
    /// Modules, macro calls and blocks inside each other: each is a call of the collector to itself. The compiler's own limit
    /// for macros is 128; 128 of these fit a stack of 2 MiB in a debug build.
    pub depth: u32,
    /// Modules that one file may stand in: `#[path]` lets `n` files form 2ⁿ modules.
    pub modules_per_file: u32,
    /// How deep syntax may nest, for [`guard::check`].
    pub nesting: u32,
    /// Bytes of all files that are parsed, each counted as often as it is included.
    pub source_bytes: usize,
    /// Names that imports put into scopes: globs of globs multiply. `windows-sys` needs 60,000.
    pub imported_names: usize,
    /// Bytes that macros may expand to while items are collected. The largest honest crates need 8 MiB.
    pub expansion_bytes: usize,
    /// The same while function bodies are read.
    pub body_expansion_bytes: usize,
    /// Macro calls that are expanded, in items and in bodies together.
    pub macro_calls: usize,
    /// Steps of one expansion, see the expander's own limits.
    pub expansion_steps: usize,
    /// Steps of all of them. `libc` and `winapi` take some ten millions; a release build does as many in a second.
    pub all_expansion_steps: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            modules: 100_000,
            depth: 128,
            modules_per_file: 20,
            nesting: 800,
            source_bytes: 256 << 20,
            imported_names: 2_000_000,
            expansion_bytes: 64 << 20,
            body_expansion_bytes: 64 << 20,
            macro_calls: 500_000,
            expansion_steps: 2_000_000,
            all_expansion_steps: 200_000_000,
        }
    }
}

/// Most problems that are listed.
const PROBLEMS: usize = 200;

/// What was read of a crate. Types in it are not filled in yet.
pub(crate) struct Collected<'a> {
    pub(crate) data: CrateData,
    pub(crate) origins: Origins,
    pub(crate) sources: Sources<'a>,
    pub(crate) macros: Macros,
}

/// The trees of a crate's files by their number, or why there is none: for callers that have parsed them before.
pub type Trees<'t> = dyn Fn(usize) -> Result<&'t Tree<'t>, &'t str> + 't;

/// Reads a crate. Those that it depends on are complete in the universe, or absent.
pub(crate) fn collect<'a>(
    input: &CrateInput<'_>,
    universe: &Universe,
    arenas: &'a Arenas<'a>,
    trees: Option<&Trees<'a>>,
) -> Collected<'a> {
    let mut collector = Collector::new(*input, universe, arenas, trees);
    collector.run();
    collector.finish()
}

/// Where items are being collected.
#[derive(Clone)]
struct Spot {
    tree: u32,
    module: u32,
    container: Container,
    /// How many modules, macro calls and blocks are around.
    depth: u32,
    directories: Rc<files::Directories>,
    /// Conditions in force, and the line of the call if a macro made this.
    configuration: Rc<Configuration>,
    /// The function in whose body this is.
    function: Option<u32>,
    /// Below a condition that does not hold, in the scope of the module around it: what stands here gets the names that
    /// are left.
    second_class: bool,
}

/// A function body or constant to be looked through for items.
struct Body {
    spot: Spot,
    node: u32,
}

/// A name of something whose conditions do not hold.
struct SecondClass {
    module: u32,
    name: Symbol,
    namespace: Namespace,
    definition: Definition,
    visibility: Visibility,
}

struct Collector<'i, 'a> {
    input: CrateInput<'i>,
    universe: &'i Universe,
    arenas: &'a Arenas<'a>,
    trees: Option<&'i Trees<'a>>,
    judge: Judge<'i>,
    data: CrateData,
    origins: Origins,
    sources: Sources<'a>,
    files: files::Files<'i>,
    imports: Imports,
    macros: Macros,
    bodies: VecDeque<Body>,
    pending_calls: Vec<PendingCall>,
    second_class: Vec<SecondClass>,
    prelude_import: Option<(u32, Box<[Symbol]>)>,
}

impl<'i, 'a> Collector<'i, 'a> {
    fn new(
        input: CrateInput<'i>,
        universe: &'i Universe,
        arenas: &'a Arenas<'a>,
        trees: Option<&'i Trees<'a>>,
    ) -> Collector<'i, 'a> {
        let data =
            CrateData { name: Some(Symbol::new(input.name)), edition: input.edition, ..CrateData::default() };
        Collector {
            input,
            universe,
            arenas,
            trees,
            judge: Judge { options: input.configuration, test_target: input.test_target },
            data,
            origins: Origins::default(),
            sources: Sources::default(),
            files: files::Files::new(input.files),
            imports: Imports::default(),
            macros: Macros::new(input.index, input.limits),
            bodies: VecDeque::new(),
            pending_calls: Vec::new(),
            second_class: Vec::new(),
            prelude_import: None,
        }
    }

    fn run(&mut self) {
        self.add_root();
        self.settle();
        self.resolve_absent_crates(imports::Absent::NamedNowhere);
        self.settle();
        self.add_second_class();
        self.settle();
        self.resolve_absent_crates(imports::Absent::Rest);
        self.settle();
    }

    /// Resolves imports, expands macros and looks through bodies until none of it brings anything new.
    fn settle(&mut self) {
        loop {
            self.collect_bodies();
            self.resolve_imports();
            let expanded =
                self.expand_pending(macros::Effort::Path) || self.expand_pending(macros::Effort::Any);
            if !expanded && self.bodies.is_empty() && !self.collect_arguments() {
                return;
            }
        }
    }

    fn finish(mut self) -> Collected<'a> {
        self.report_unexpanded();
        self.data.problems.extend(self.macros.take_problems());
        self.data.problems.truncate(PROBLEMS);
        if let Some((module, path)) = self.prelude_import.take() {
            let outcome = self.paths(self.data.edition).resolve_use(module, &path, false, Namespace::Types);
            if let PathOutcome::Found(Definition::Module(id), 0) = outcome {
                self.data.prelude = Some(id);
            }
        }
        Collected { data: self.data, origins: self.origins, sources: self.sources, macros: self.macros }
    }

    fn paths(&self, edition: u8) -> Paths<'_> {
        Paths { edition, ..Paths::new(self.universe, &self.data, self.input.index) }
    }

    fn problem(&mut self, problem: String) {
        if self.data.problems.len() < PROBLEMS && !self.data.problems.contains(&problem) {
            self.data.problems.push(problem);
        }
    }

    fn add_root(&mut self) {
        let root = self.input.root;
        let open = Configuration { active: true, test: false, text: None };
        self.data.modules.push(Module {
            name: Symbol::new(self.input.name),
            parent: None,
            block: None,
            scope: crate::definitions::Scope::default(),
            place: Place { file: 0, line: 1 },
            configuration: open.clone(),
        });
        let Some(number) = self.files.find(root) else {
            return self.problem(format!("the root `{root}` is not in the package"));
        };
        let Some(tree) = self.parse_file(number) else { return };
        let mut attributes = Attributes::default();
        attributes.add_children(self.sources.source(tree).tree.at(0), self.judge);
        self.add_extern_prelude(attributes.no_std);
        let spot = Spot {
            tree,
            module: 0,
            container: Container::Module,
            depth: 0,
            directories: Rc::new(files::Directories::of_root(root)),
            configuration: Rc::new(open),
            function: None,
            second_class: false,
        };
        self.files.enter(number);
        self.collect_items(&spot, self.node(tree, 0));
        self.files.leave();
    }

    fn add_extern_prelude(&mut self, no_std: bool) {
        self.data.extern_prelude.extend(self.input.dependencies.iter().copied());
        let Some(standard) = self.input.standard else { return };
        let first = if no_std { standard.core } else { standard.std };
        let mut named = vec![("core", standard.core)];
        if !no_std {
            named.push(("std", standard.std));
        }
        for (name, krate) in named {
            if krate != self.input.index {
                self.data.extern_prelude.entry(Symbol::new(name)).or_insert(krate);
            }
        }
        if first != self.input.index {
            self.data.prelude = self.find_prelude(first);
        }
    }

    fn find_prelude(&self, standard: CrateIndex) -> Option<ModuleId> {
        let edition = match self.input.edition {
            15 => "rust_2015",
            18 => "rust_2018",
            21 => "rust_2021",
            _ => "rust_2024",
        };
        let prefix = Symbol::new(&format!("{}{}", crate::paths::CRATE_PREFIX, standard.0));
        [edition, "v1"].into_iter().find_map(|name| {
            let path = [prefix, Symbol::new("prelude"), Symbol::new(name)];
            match self.paths(21).resolve(0, &path, false, Namespace::Types) {
                PathOutcome::Found(Definition::Module(id), 0) => Some(id),
                _ => None,
            }
        })
    }

    fn node(&self, tree: u32, node: u32) -> Node<'a> {
        self.sources.node(SyntaxReference { tree, node })
    }

    /// The tree of a file, parsed on first use.
    fn parse_file(&mut self, number: usize) -> Option<u32> {
        if let Some(known) = self.files.tree(number) {
            return known;
        }
        let (path, text) = &self.input.files[number];
        let tree = self.parse_text(number, path, text);
        self.files.set_tree(number, tree);
        tree
    }

    fn parse_text(&mut self, number: usize, path: &str, text: &str) -> Option<u32> {
        if !self.files.take_bytes(text.len(), self.input.limits.source_bytes) {
            self.problem(format!("`{path}` was not read: all files are larger than the limit"));
            return None;
        }
        let edition = edition(self.input.edition);
        let parsed = match self.trees {
            Some(trees) => trees(number).map_err(str::to_owned),
            None => parse(self.arenas, text.to_owned(), edition, self.input.limits.nesting),
        };
        let tree = match parsed {
            Ok(tree) => tree,
            Err(reason) => {
                self.problem(format!("`{path}` was not read: {reason}"));
                return None;
            }
        };
        let file = self.data.files.len() as u32;
        self.data.files.push(path.to_owned());
        let lines = Some(Lines::new(text));
        let source =
            Source { tree, file, lines, call_line: 1, edition: self.input.edition, macro_crate: None };
        Some(self.sources.add(self.arenas.sources.alloc(source)))
    }
}

/// Whether the conditions in front of a statement, arm or field hold.
pub(crate) fn is_configured(node: Node<'_>, options: &Options, test_target: bool) -> bool {
    let mut attributes = Attributes::default();
    attributes.add_children(node, Judge { options, test_target });
    !attributes.inactive
}

/// Parses items into the arenas.
fn parse<'a>(
    arenas: &'a Arenas<'a>,
    text: String,
    edition: Edition,
    nesting: u32,
) -> Result<&'a Tree<'a>, String> {
    let text: &'a str = arenas.texts.alloc(text);
    let lexed = LexedStr::new(edition, text);
    guard::check(&lexed, nesting).map_err(|error| error.reason)?;
    Ok(arenas.trees.alloc(Tree::file(&lexed, text, edition)?))
}

/// The parser's edition of two digits.
pub(crate) fn edition(digits: u8) -> Edition {
    match digits {
        15 => Edition::Edition2015,
        18 => Edition::Edition2018,
        21 => Edition::Edition2021,
        _ => Edition::Edition2024,
    }
}

#[cfg(test)]
mod tests;
