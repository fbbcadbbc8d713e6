//! Reads one crate from beginning to end: definitions, types, bodies; and gives what others need of it and its calls.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use cratekeeper_model::graph::{
    CallEdge, CallGraph, Callee, EdgeKind, ExternalCrate, FunctionAttributes, FunctionNode, GraphTarget,
    GraphTargetKind, UnresolvedCall, UnresolvedReason,
};
use cratekeeper_syntax::{SyntaxKind, Tree};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::collect::{self, BodyMacros, CrateInput, Form, Trees, collect};
use crate::definitions::{
    Container, CrateData, CrateIndex, Definition, FunctionId, ImplementationId, MacroId, MacroKind, Universe,
    ValueId, Visibility,
};
use crate::derives;
use crate::infer::{Body, Calls, Context, Expand, Found, Target};
use crate::known::Known;
use crate::lookup::Head;
use crate::names;
use crate::paths::{self, Namespace, PathOutcome};
use crate::signatures;
use crate::sources::{Arenas, Node, Source, SyntaxReference};
use crate::symbol::Symbol;
use crate::view::View;

/// Names of types whose methods are so common that a method's name alone tells nothing.
const COMMON_TYPES: [&str; 6] = ["Option", "Result", "Vec", "String", "Box", "Iterator"];

/// Fuel of all bodies of a crate together, in steps of inference: some seconds. Of 346 crates the most is 62 million, the next 44.
const FUEL: u64 = 100_000_000;

/// A crate that was read.
pub struct Analysis {
    /// What crates that use it need to know; to be [set](Universe::set) in the universe.
    pub data: Arc<CrateData>,
    /// Its functions and calls.
    pub graph: CallGraph,
    /// Number of calls that were looked at, resolved or not.
    pub call_sites: u64,
    /// `unsafe { … }` in functions outside of tests.
    pub unsafe_blocks: u32,
    /// `unsafe impl` outside of tests.
    pub unsafe_implementations: u32,
    /// `unsafe trait` outside of tests.
    pub unsafe_traits: u32,
}

/// Reads a crate. Those that it depends on have been set in `universe`, or are absent.
///
/// Nothing is an error: what cannot be read is among [`CallGraph::problems`]. It takes a stack of some 64 MiB for hostile
/// input; honest crates stay below 2 MiB.
#[must_use]
pub fn analyze(input: &CrateInput<'_>, kind: GraphTargetKind, universe: &Universe) -> Analysis {
    read(input, kind, universe, None)
}

/// [`analyze`] with trees of the input's files that were made before, by the rules of its limits.
#[must_use]
pub fn analyze_parsed<'t>(
    input: &CrateInput<'_>,
    kind: GraphTargetKind,
    universe: &Universe,
    trees: &Trees<'t>,
) -> Analysis {
    read(input, kind, universe, Some(trees))
}

fn read<'t>(
    input: &CrateInput<'_>,
    kind: GraphTargetKind,
    universe: &Universe,
    trees: Option<&Trees<'t>>,
) -> Analysis {
    // Trees that live longer, among those that are made here.
    let known = |number| trees.map_or(Err(""), |trees| trees(number).map(|tree: &Tree<'_>| tree));
    let arenas = Arenas::default();
    let mut collected = collect(input, universe, &arenas, trees.is_some().then_some(&known));
    let known = Known::find(View { universe, current: &collected.data, index: input.index }, input.standard);
    let origins = &collected.origins;
    signatures::fill(
        &mut collected.data,
        origins,
        &collected.macros,
        &collected.sources,
        &arenas,
        universe,
        input.index,
    );
    derives::add(&mut collected.data, &mut collected.origins, universe, input.index, &known);
    collected.data.index();
    let data = &collected.data;
    let view = View { universe, current: data, index: input.index };
    let macros = BodyMacros {
        universe,
        data,
        macros: &collected.macros,
        sources: &collected.sources,
        arenas: &arenas,
    };
    let expander = Expander { macros, judge: input };
    let context = Context {
        view,
        sources: &collected.sources,
        origins: &collected.origins,
        known: &known,
        expand: &expander,
        macros,
        standard: input.standard,
        traits: RefCell::default(),
        trait_methods: RefCell::default(),
        by_name: methods_by_name(data),
        common: common_methods(view, input),
        mentioned: RefCell::default(),
        fuel: Cell::new(FUEL),
    };
    let mut assembler = Assembler::new(view, kind, input);
    read_bodies(&context, &mut assembler);
    assembler.procedural_macros(&context);
    let unsafe_blocks = assembler.unsafe_blocks;
    let is_unsafe = |it: &SyntaxReference| context.sources.node(*it).has(SyntaxKind::UNSAFE_KW);
    let implementations = context.origins.implementations.iter().zip(&data.implementations);
    let implementations = implementations.filter(|(at, it)| !it.configuration.test && is_unsafe(at)).count();
    let traits = context.origins.traits.iter().zip(&data.traits);
    let traits = traits.filter(|(at, it)| !it.configuration.test && is_unsafe(at)).count();
    let (graph, call_sites) = assembler.finish();
    let mut data = collected.data;
    data.types.finish();
    Analysis {
        data: Arc::new(data),
        graph,
        call_sites,
        unsafe_blocks,
        unsafe_implementations: implementations as u32,
        unsafe_traits: traits as u32,
    }
}

/// Constants and statics first, since functions that mention them may call what they hold.
fn read_bodies(context: &Context<'_, '_>, assembler: &mut Assembler<'_>) {
    let data = context.view.current;
    let mut body = Body::new(context);
    for number in 0..data.values.len() as u32 {
        let calls = body.value(number);
        let functions: Vec<FunctionId> = calls
            .found
            .iter()
            .filter(|it| it.kind == EdgeKind::Reference)
            .filter_map(|it| match it.target {
                Target::Function(id) => Some(id),
                _ => None,
            })
            .collect();
        if !functions.is_empty() {
            context.mentioned.borrow_mut().insert(number, functions);
        }
        assembler.value(number, calls);
    }
    for (implementation, reference) in &context.origins.in_implementations {
        let node = context.sources.node(*reference);
        if node.kind() == SyntaxKind::CONST {
            let calls = body.associated_constant(*implementation, *reference);
            let place = context.sources.place(reference.tree, node.start());
            assembler.associated_constant(*implementation, node.name().unwrap_or("_"), place, calls);
        }
    }
    for number in 0..data.functions.len() as u32 {
        if data.functions[number as usize].has_body && !data.functions[number as usize].derived {
            if context.fuel.get() == 0 {
                assembler.problem("the rest of the functions was not read: the limit of steps was reached");
                break;
            }
            let calls = body.function(number);
            assembler.function(number, calls);
        }
    }
}

fn methods_by_name(data: &CrateData) -> FxHashMap<Symbol, Vec<u32>> {
    let mut found: FxHashMap<Symbol, Vec<u32>> = FxHashMap::default();
    for (number, function) in data.functions.iter().enumerate() {
        if function.receiver && function.configuration.active && !function.derived {
            found.entry(function.name).or_default().push(number as u32);
        }
    }
    found
}

fn common_methods(view: View<'_>, input: &CrateInput<'_>) -> FxHashSet<Symbol> {
    let mut found = FxHashSet::default();
    let Some(standard) = input.standard else { return found };
    for krate in [standard.core, standard.alloc, standard.std] {
        if krate == input.index {
            continue;
        }
        let Some(data) = view.universe.known(krate) else { continue };
        let is_common = |name: Symbol| COMMON_TYPES.contains(&name.as_str());
        for (head, name) in data.lookup.inherent.keys() {
            let common = match head {
                Head::Adt(id) => is_common(view.adt(*id).name),
                Head::Primitive(_) | Head::Slice => true,
                _ => false,
            };
            if common {
                found.insert(*name);
            }
        }
        for of_trait in data.traits.iter().filter(|it| is_common(it.name)) {
            found.extend(of_trait.functions.keys().copied());
        }
    }
    found
}

/// Expands macros in bodies with what the collector knows.
struct Expander<'c, 'a> {
    macros: BodyMacros<'c, 'a>,
    judge: &'c CrateInput<'c>,
}

impl<'a> Expand<'a> for Expander<'_, 'a> {
    fn expand(&self, module: u32, tree: u32, call: Node<'a>, form: Form) -> Option<SyntaxReference> {
        self.macros.expand_call(module, tree, call, form)
    }

    fn parse(&self, text: String, tree: u32, at: Node<'a>) -> Option<SyntaxReference> {
        let place = self.macros.sources.place(tree, at.start());
        let edition = self.macros.sources.source(tree).edition;
        let (parsed, node) = self.macros.parse(text, Form::Expression, edition)?;
        let macro_crate = self.macros.sources.source(tree).macro_crate;
        let source = Source {
            tree: parsed,
            file: place.file,
            lines: None,
            call_line: place.line,
            edition,
            macro_crate,
        };
        let tree = self.macros.sources.add(self.macros.arenas.sources.alloc(source));
        Some(SyntaxReference { tree, node })
    }

    fn is_own(&self, module: u32, tree: u32, call: Node<'a>) -> bool {
        let Some(id) = self.macros.called(module, tree, call) else { return false };
        let standard = self.judge.standard.map(|it| [it.core, it.alloc, it.std]);
        let of_standard = standard.is_some_and(|it| it.contains(&id.krate));
        let has_rules = self.macros.definition(id).is_some_and(|it| matches!(it.kind, MacroKind::Rules(_)));
        !of_standard && has_rules
    }

    fn is_configured(&self, node: Node<'a>) -> bool {
        collect::is_configured(node, self.judge.configuration, self.judge.test_target)
    }
}

/// Puts the graph together.
struct Assembler<'u> {
    view: View<'u>,
    graph: CallGraph,
    externals: FxHashMap<CrateIndex, u32>,
    unread: FxHashMap<String, u32>,
    paths: FxHashMap<(u32, String), u32>,
    functions: FxHashMap<FunctionId, Callee>,
    call_sites: u64,
    unsafe_blocks: u32,
}

impl<'u> Assembler<'u> {
    fn new(view: View<'u>, kind: GraphTargetKind, input: &CrateInput<'_>) -> Assembler<'u> {
        let mut graph = CallGraph {
            crate_name: input.name.to_owned(),
            targets: vec![GraphTarget { kind, name: input.name.to_owned() }],
            files: view.current.files.clone(),
            problems: view.current.problems.clone(),
            ..CallGraph::default()
        };
        let index = view.index;
        for number in 0..view.current.functions.len() {
            graph.functions.push(function_node(view, FunctionId { krate: index, index: number as u32 }));
        }
        let mut assembler = Assembler {
            view,
            graph,
            externals: FxHashMap::default(),
            unread: FxHashMap::default(),
            paths: FxHashMap::default(),
            functions: FxHashMap::default(),
            call_sites: 0,
            unsafe_blocks: 0,
        };
        assembler.implementations();
        assembler
    }

    fn problem(&mut self, text: &str) {
        self.graph.problems.push(text.to_owned());
    }

    /// Which method of which trait a method implements.
    fn implementations(&mut self) {
        let data = self.view.current;
        for implementation in &data.implementations {
            let Some(of) = &implementation.of else { continue };
            for (name, number) in &implementation.functions {
                let declared = self.view.of_trait(of.id).functions.get(name);
                if let Some(declared) = declared {
                    let id = FunctionId { krate: of.id.krate, index: *declared };
                    let callee = self.callee(id);
                    self.graph.implementations.push((callee, *number));
                }
            }
        }
        self.graph.implementations.sort_unstable();
    }

    fn callee(&mut self, id: FunctionId) -> Callee {
        if id.krate == self.view.index {
            return Callee::Local(id.index);
        }
        if let Some(known) = self.functions.get(&id) {
            return *known;
        }
        let path = names::function_path(self.view, id);
        let krate = match self.externals.get(&id.krate) {
            Some(known) => *known,
            None => {
                let name = self.view.krate(id.krate).name.map_or("_", Symbol::as_str).to_owned();
                let number = self.graph.externals.len() as u32;
                // The package is filled in by whoever knows which package that crate belongs to.
                self.graph.externals.push(ExternalCrate {
                    package: format!("{}", id.krate.0),
                    seen: None,
                    crate_name: name,
                });
                self.externals.insert(id.krate, number);
                number
            }
        };
        let callee = self.external(krate, path);
        self.functions.insert(id, callee);
        callee
    }

    fn external(&mut self, krate: u32, path: String) -> Callee {
        if let Some(path) = self.paths.get(&(krate, path.clone())) {
            return Callee::External { krate, path: *path };
        }
        let number = self.graph.external_paths.len() as u32;
        self.graph.external_paths.push(path.clone());
        self.paths.insert((krate, path), number);
        Callee::External { krate, path: number }
    }

    fn unread(&mut self, path: String) -> Callee {
        let name = path.split("::").next().unwrap_or_default().to_owned();
        let krate = match self.unread.get(&name) {
            Some(known) => *known,
            None => {
                let number = self.graph.externals.len() as u32;
                let external = ExternalCrate { package: String::new(), seen: None, crate_name: name.clone() };
                self.graph.externals.push(external);
                self.unread.insert(name, number);
                number
            }
        };
        self.external(krate, path)
    }

    fn function(&mut self, number: u32, calls: Calls) {
        self.graph.functions[number as usize].attributes.uses_unsafe |= calls.uses_unsafe;
        let FunctionAttributes { active, test, .. } = self.graph.functions[number as usize].attributes;
        self.unsafe_blocks += if test { 0 } else { calls.unsafe_blocks };
        self.add(number, active, calls);
    }

    /// Attribute and derive macros that are not known make what nobody has read. What it calls may be called by anyone, so it
    /// is counted as calls without callee, of a constant that stands for all of them.
    fn procedural_macros(&mut self, context: &Context<'_, '_>) {
        let origins = context.origins;
        let text = |path: &[Symbol]| path.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("::");
        let mut written: Vec<(u32, String)> = Vec::new();
        for (number, path) in &origins.derives {
            if path.last().is_some_and(|name| !derives::is_known(*name)) {
                let line = self.view.current.adts[*number as usize].place.line;
                written.push((line, format!("#[derive({})]", text(path))));
            }
        }
        for (reference, path) in &origins.attributes {
            if self.is_procedural(path) {
                let line =
                    context.sources.place(reference.tree, context.sources.node(*reference).start()).line;
                written.push((line, format!("#[{}]", text(path))));
            }
        }
        if written.is_empty() {
            return;
        }
        self.graph.functions.push(FunctionNode {
            path: format!("{}::{{macros}}", self.graph.crate_name),
            target: 0,
            file: 0,
            line: 1,
            attributes: FunctionAttributes { constant: true, active: true, ..FunctionAttributes::default() },
            cfg: None,
        });
        let caller = self.graph.functions.len() as u32 - 1;
        for (line, callee) in written {
            let reason = UnresolvedReason::Macro;
            self.graph.unresolved.push(UnresolvedCall { caller, line, callee, reason });
        }
    }

    /// Whether an attribute is a procedural macro. Others are of tools, or belong to derive macros.
    fn is_procedural(&self, path: &[Symbol]) -> bool {
        let View { universe, current, index } = self.view;
        let is_one = |id: MacroId| {
            let data = self.view.krate(id.krate);
            data.macros.get(id.index as usize).is_some_and(|it| it.kind == MacroKind::Procedural)
        };
        if let [name] = path {
            // Where it is written is not known, so any module's import of that name counts.
            return current
                .modules
                .iter()
                .any(|it| it.scope.macros.get(name).is_some_and(|(id, _)| is_one(*id)));
        }
        match paths::resolve_path(universe, current, index, 0, path, false, Namespace::Macros) {
            PathOutcome::Found(Definition::Macro(id), 0) => is_one(id),
            PathOutcome::Unread(_) => true,
            _ => false,
        }
    }

    /// A constant or static is a node if it calls anything.
    fn value(&mut self, number: u32, calls: Calls) {
        if calls.found.is_empty() && calls.unresolved.is_empty() {
            return;
        }
        let value = &self.view.current.values[number as usize];
        let id = ValueId { krate: self.view.index, index: number };
        let node = FunctionNode {
            path: names::value_path(self.view, id),
            target: 0,
            file: value.place.file,
            line: value.place.line,
            attributes: FunctionAttributes {
                constant: true,
                uses_unsafe: calls.uses_unsafe,
                active: value.configuration.active,
                test: value.configuration.test,
                ..FunctionAttributes::default()
            },
            cfg: value.configuration.text.as_deref().map(str::to_owned),
        };
        self.graph.functions.push(node);
        let caller = self.graph.functions.len() as u32 - 1;
        self.add(caller, value.configuration.active, calls);
    }

    fn associated_constant(
        &mut self,
        implementation: u32,
        name: &str,
        place: crate::definitions::Place,
        calls: Calls,
    ) {
        if calls.found.is_empty() && calls.unresolved.is_empty() {
            return;
        }
        let id = ImplementationId { krate: self.view.index, index: implementation };
        let configuration = &self.view.implementation(id).configuration;
        let node = FunctionNode {
            path: names::in_implementation(self.view, id, Symbol::new(name)),
            target: 0,
            file: place.file,
            line: place.line,
            attributes: FunctionAttributes {
                constant: true,
                uses_unsafe: calls.uses_unsafe,
                active: configuration.active,
                test: configuration.test,
                ..FunctionAttributes::default()
            },
            cfg: configuration.text.as_deref().map(str::to_owned),
        };
        self.graph.functions.push(node);
        let caller = self.graph.functions.len() as u32 - 1;
        self.add(caller, configuration.active, calls);
    }

    fn add(&mut self, caller: u32, active: bool, calls: Calls) {
        self.call_sites += calls.found.len() as u64 + calls.unresolved.len() as u64;
        let mut seen: FxHashSet<(Callee, EdgeKind, u32)> = FxHashSet::default();
        for Found { line, target, kind, certainty, in_unsafe } in calls.found {
            let callee = match target {
                Target::Function(id) => self.callee(id),
                Target::Unread(path) => self.unread(path),
                Target::Method { .. } | Target::Nothing => continue,
            };
            if seen.insert((callee, kind, line)) {
                self.graph.edges.push(CallEdge { caller, callee, kind, certainty, line, in_unsafe, active });
            }
        }
        for unresolved in calls.unresolved {
            self.graph.unresolved.push(UnresolvedCall {
                caller,
                line: unresolved.line,
                callee: unresolved.callee,
                reason: unresolved.reason,
            });
        }
    }

    fn finish(mut self) -> (CallGraph, u64) {
        self.graph.edges.sort_by_key(|it| (it.caller, it.line));
        let limited = self.graph.unresolved.iter().filter(|it| it.reason == UnresolvedReason::Limit).count();
        if limited > 0 {
            self.problem("some calls were not read: a limit was reached");
        }
        (self.graph, self.call_sites)
    }
}

fn function_node(view: View<'_>, id: FunctionId) -> FunctionNode {
    let function = view.function(id);
    FunctionNode {
        path: names::function_path(view, id),
        target: 0,
        file: function.place.file,
        line: function.place.line,
        attributes: FunctionAttributes {
            is_unsafe: function.is_unsafe,
            uses_unsafe: function.is_unsafe && function.has_body,
            foreign: function.container == Container::Foreign,
            exported_to_linker: function.exported_to_linker,
            in_trait: matches!(function.container, Container::Trait(_)),
            in_trait_impl: match function.container {
                Container::Implementation(of) => {
                    view.krate(id.krate).implementations[of as usize].names_trait
                }
                _ => false,
            },
            has_body: function.has_body,
            derived: function.derived,
            constant: false,
            public: function.visibility == Visibility::Public,
            active: function.configuration.active,
            test: function.configuration.test,
        },
        cfg: function.configuration.text.as_deref().map(str::to_owned),
    }
}
