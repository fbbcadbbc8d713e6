//! Finds out what a body calls: names through scopes, methods through the types of what they are called on.
//!
//! One pass in text order, as the compiler does it: types flow from annotations, constructors, fields and signatures into
//! variables; what is expected flows down, into closures above all; bounds wait until their subject is known. A call of a
//! trait's method is kept with the type of its subject and decided at the end of the body, when everything is known that
//! ever will be.
//!
//! Nothing here fails. What is unknown stays unknown, is compatible with everything, and ends as an unresolved call.

mod calls;
mod control;
mod drops;
mod expressions;
mod implementations;
pub(crate) mod local_items;
mod macros;
mod methods;
mod operators;
mod patterns;
mod places;
mod projections;
mod statements;
mod table;
#[cfg(test)]
mod tests;
mod traits;
mod values;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cratekeeper_model::graph::{Certainty, EdgeKind, UnresolvedReason};
use cratekeeper_syntax::SyntaxKind;
use rustc_hash::FxHashMap;

use crate::collect::BodyMacros;
pub(crate) use crate::collect::Form;
use crate::definitions::{Bound, Container, FunctionId, Generics, ImplementationId, TraitId, TraitReference};
use crate::known::Known;
use crate::lowering::{Holes, ImplTrait, Lowering, TypeMacros, TypeScope};
use crate::sources::{Node, Origins, Sources, SyntaxReference};
use crate::substitute;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};
use crate::view::View;
use local_items::LocalUse;
use table::{Snapshot, Table};

/// Deepest expression that is read. The parser refuses deeper nesting; chains of operators and methods can be longer.
const DEPTH: u32 = 500;

/// Steps of inference in one body before the rest of it stays unknown: some tenths of a second. Real ones take some thousands.
const FUEL: u32 = 3_000_000;

/// Methods of traits in scope, by module and name.
type MethodsOfTraits = FxHashMap<(u32, Symbol), Rc<Vec<FunctionId>>>;

/// What is the same for all bodies of a crate.
pub(crate) struct Context<'c, 'a> {
    pub(crate) view: View<'c>,
    pub(crate) sources: &'c Sources<'a>,
    pub(crate) origins: &'c Origins,
    pub(crate) known: &'c Known,
    pub(crate) expand: &'c dyn Expand<'a>,
    pub(crate) macros: BodyMacros<'c, 'a>,
    pub(crate) standard: Option<crate::collect::StandardCrates>,
    /// Traits in scope, by module.
    pub(crate) traits: RefCell<FxHashMap<u32, Rc<Vec<TraitId>>>>,
    /// Traits in scope that have a method of a name, by module and name.
    pub(crate) trait_methods: RefCell<MethodsOfTraits>,
    /// Own functions by name: what is left when a receiver is unknown.
    pub(crate) by_name: FxHashMap<Symbol, Vec<u32>>,
    /// Names of methods that the prelude's types have: too common to tell anything.
    pub(crate) common: rustc_hash::FxHashSet<Symbol>,
    /// Functions that constants and statics mention, by the number of the value.
    pub(crate) mentioned: RefCell<FxHashMap<u32, Vec<FunctionId>>>,
    /// Fuel of all bodies together.
    pub(crate) fuel: Cell<u64>,
}

/// Expands macros in bodies.
pub(crate) trait Expand<'a> {
    /// What a call expands to.
    fn expand(&self, module: u32, tree: u32, call: Node<'a>, form: Form) -> Option<SyntaxReference>;
    /// An expression of text that was put together here, on the line of `at`.
    fn parse(&self, text: String, tree: u32, at: Node<'a>) -> Option<SyntaxReference>;
    /// Whether a macro of that name is defined in a crate that is not the standard library.
    fn is_own(&self, module: u32, tree: u32, call: Node<'a>) -> bool;
    /// Whether the `#[cfg]` in front of an element hold.
    fn is_configured(&self, node: Node<'a>) -> bool;
}

/// A call that was found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) line: u32,
    pub(crate) target: Target,
    pub(crate) kind: EdgeKind,
    pub(crate) certainty: Certainty,
    pub(crate) in_unsafe: bool,
}

/// What is called.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Function(FunctionId),
    /// A path into a crate that was not read, that crate first.
    Unread(String),
    /// A trait's method on some type: to be decided.
    Method {
        function: FunctionId,
        subject: TypeId,
        arguments: Box<[TypeId]>,
    },
    /// Decided: the method of an implementation.
    Nothing,
}

/// A call of which no callee is known.
#[derive(Debug, Clone)]
pub(crate) struct Unresolved {
    pub(crate) line: u32,
    pub(crate) callee: String,
    pub(crate) reason: UnresolvedReason,
}

/// Everything that was found in a body.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) found: Vec<Found>,
    pub(crate) unresolved: Vec<Unresolved>,
    pub(crate) uses_unsafe: bool,
    pub(crate) unsafe_blocks: u32,
}

/// A bound whose subject is not known yet.
#[derive(Debug, Clone)]
struct Pending {
    subject: TypeId,
    reference: TraitReference,
    depth: u32,
}

/// A state of inference to go back to.
#[derive(Clone, Copy)]
struct Mark {
    snapshot: Snapshot,
    /// How many bounds waited.
    pending: usize,
}

/// Inference of one body.
pub(crate) struct Body<'c, 'a> {
    context: &'c Context<'c, 'a>,
    table: Table,
    generics: Generics,
    self_type: Option<TypeId>,
    in_trait: Option<TraitId>,
    trait_arguments: Box<[TypeId]>,
    module: u32,
    tree: u32,
    /// What `return` gives, and `?` leaves with; innermost closure last.
    results: Vec<TypeId>,
    locals: Vec<(Symbol, TypeId)>,
    /// Types of what was bound by value, with the line.
    owned: Vec<(TypeId, u32)>,
    /// What items in expanded macros bring into scope.
    uses: Vec<LocalUse>,
    pending: Vec<Pending>,
    calls: Calls,
    /// Calls that an expression makes implicitly as a place, by tree and element.
    places: FxHashMap<(u32, u32), Vec<usize>>,
    /// Values of `break`, innermost loop last.
    breaks: Vec<(Option<Symbol>, TypeId)>,
    in_unsafe: bool,
    macro_depth: u32,
    depth: u32,
    fuel: u32,
    /// Questions about traits inside each other, and how many implementations may still be tried for the outermost.
    questions: u32,
    question_fuel: u32,
    /// Answers that cannot change.
    fits: FxHashMap<implementations::Question, Rc<[ImplementationId]>>,
    /// No implementations.
    none: Rc<[ImplementationId]>,
    /// Bounds of type parameters, `impl` and `dyn` types.
    bounds: FxHashMap<TypeId, Rc<[TraitReference]>>,
    no_bounds: Rc<[TraitReference]>,
}

impl<'c, 'a> Body<'c, 'a> {
    pub(crate) fn new(context: &'c Context<'c, 'a>) -> Body<'c, 'a> {
        Body {
            context,
            table: Table::default(),
            generics: Generics::default(),
            self_type: None,
            in_trait: None,
            trait_arguments: Box::default(),
            module: 0,
            tree: 0,
            results: Vec::new(),
            locals: Vec::new(),
            owned: Vec::new(),
            uses: Vec::new(),
            pending: Vec::new(),
            calls: Calls::default(),
            places: FxHashMap::default(),
            breaks: Vec::new(),
            in_unsafe: false,
            macro_depth: 0,
            depth: 0,
            fuel: FUEL,
            questions: 0,
            question_fuel: 0,
            fits: FxHashMap::default(),
            none: Rc::default(),
            bounds: FxHashMap::default(),
            no_bounds: Rc::default(),
        }
    }

    fn view(&self) -> View<'c> {
        self.context.view
    }

    fn reset(&mut self) {
        self.table.clear();
        self.generics = Generics::default();
        self.self_type = None;
        self.in_trait = None;
        self.trait_arguments = Box::default();
        self.results.clear();
        self.locals.clear();
        self.owned.clear();
        self.uses.clear();
        self.pending.clear();
        self.places.clear();
        self.breaks.clear();
        self.in_unsafe = false;
        self.macro_depth = 0;
        self.depth = 0;
        self.fuel = FUEL;
        self.fits.clear();
        self.bounds.clear();
    }

    /// What the function with that number calls.
    pub(crate) fn function(&mut self, number: u32) -> Calls {
        self.reset();
        let data = self.view().current;
        let function = &data.functions[number as usize];
        let Some(Some(reference)) = self.context.origins.functions.get(number as usize).copied() else {
            return Calls::default();
        };
        let node = self.context.sources.node(reference);
        self.tree = reference.tree;
        self.module = function.module;
        self.enter(&function.generics);
        match function.container {
            Container::Implementation(of) => {
                let implementation = &data.implementations[of as usize];
                self.self_type = Some(self.import(implementation.subject));
                if let Some(of) = &implementation.of {
                    self.in_trait = Some(of.id);
                    self.trait_arguments = of.arguments.iter().map(|it| self.import(*it)).collect();
                }
            }
            Container::Trait(of) => {
                self.self_type = Some(self.table.add(Type::Parameter(0)));
                self.in_trait = Some(TraitId { krate: self.view().index, index: of });
                let count = data.traits[of as usize].generics.parameters.len();
                self.trait_arguments =
                    (1..count).map(|it| self.table.add(Type::Parameter(it as u32))).collect();
            }
            Container::Module | Container::Foreign => {}
        }
        self.in_unsafe = function.is_unsafe;
        let result = self.import(function.result);
        let result = self.normalized(result);
        self.results.push(result);
        self.parameters(node, &function.parameters);
        if let Some(body) = node.child(SyntaxKind::BLOCK_EXPR) {
            self.calls.uses_unsafe = function.is_unsafe;
            let of = self.expect(body, Some(result));
            self.coerce(of, result);
        }
        self.finish()
    }

    /// What the initialiser of the constant or static with that number calls.
    pub(crate) fn value(&mut self, number: u32) -> Calls {
        self.reset();
        let value = &self.view().current.values[number as usize];
        let reference = self.context.origins.values[number as usize];
        let node = self.context.sources.node(reference);
        self.tree = reference.tree;
        self.module = value.module;
        let of_type = self.import(value.of_type);
        self.results.push(of_type);
        self.initializer(node, of_type);
        self.finish()
    }

    /// What an associated constant's initialiser calls.
    pub(crate) fn associated_constant(&mut self, implementation: u32, reference: SyntaxReference) -> Calls {
        self.reset();
        let implementation = &self.view().current.implementations[implementation as usize];
        let node = self.context.sources.node(reference);
        self.tree = reference.tree;
        self.module = implementation.module;
        self.enter(&implementation.generics);
        self.self_type = Some(self.import(implementation.subject));
        let unknown = self.table.variable();
        self.results.push(unknown);
        self.initializer(node, unknown);
        self.finish()
    }

    fn initializer(&mut self, node: Node<'a>, of_type: TypeId) {
        let written = node.children().skip_while(|it| it.kind() != SyntaxKind::EQ);
        if let Some(initializer) = written.into_iter().find(|it| expressions::is_expression(it.kind())) {
            let of = self.expect(initializer, Some(of_type));
            self.coerce(of, of_type);
        }
    }

    /// Makes the type parameters of what is read known, as themselves.
    fn enter(&mut self, generics: &Generics) {
        let bounds = generics
            .bounds
            .iter()
            .map(|bound| Bound { subject: self.import(bound.subject), by: self.import_reference(&bound.by) });
        let bounds = bounds.collect();
        self.generics = Generics { bounds, ..generics.clone() };
    }

    /// A type of this crate's signatures, parameters as themselves.
    fn import(&mut self, id: TypeId) -> TypeId {
        let parameters = self.table.pool.parameters();
        substitute::copy(Some(&self.view().current.types), id, &parameters, &mut self.table.pool)
    }

    fn import_reference(&mut self, reference: &TraitReference) -> TraitReference {
        let parameters = self.table.pool.parameters();
        let view = self.view();
        substitute::copy_reference(Some(&view.current.types), reference, &parameters, &mut self.table.pool)
    }

    fn parameters(&mut self, node: Node<'a>, types: &[TypeId]) {
        let Some(list) = node.child(SyntaxKind::PARAM_LIST) else { return };
        let written =
            list.children().filter(|it| matches!(it.kind(), SyntaxKind::PARAM | SyntaxKind::SELF_PARAM));
        for (parameter, of_type) in written.zip(types) {
            let of_type = self.import(*of_type);
            let of_type = self.normalized(of_type);
            if parameter.kind() == SyntaxKind::SELF_PARAM {
                self.locals.push((Symbol::new("self"), of_type));
            } else if let Some(pattern) = parameter.children().find(|it| patterns::is_pattern(it.kind())) {
                self.pattern(pattern, of_type);
            }
        }
    }

    /// Reads a written type.
    fn lower(&mut self, node: Node<'a>) -> TypeId {
        let id = self.with_lowering(|lowering| lowering.lower(node));
        self.normalized(id)
    }

    fn with_lowering<T>(&mut self, read: impl FnOnce(&mut Lowering<'a, '_, '_>) -> T) -> T {
        self.table.catch_up();
        let mut lowering = Lowering {
            scope: TypeScope {
                view: self.context.view,
                module: self.module,
                generics: &self.generics,
                self_type: self.self_type,
                in_trait: self.in_trait,
                trait_arguments: &self.trait_arguments,
                uses: &self.uses,
            },
            pool: &mut self.table.pool,
            holes: Holes::Variables(&mut self.table.next),
            impl_trait: ImplTrait::Opaque,
            depth: 0,
            defaults: true,
            macros: TypeMacros { macros: self.context.macros, tree: self.tree },
        };
        let result = read(&mut lowering);
        self.table.catch_up();
        result
    }

    fn line(&self, node: Node<'a>) -> u32 {
        self.context.sources.place(self.tree, node.start()).line
    }

    fn mark(&self) -> Mark {
        Mark { snapshot: self.table.snapshot(), pending: self.pending.len() }
    }

    /// Undoes what trying something has done to variables. Those that were made for it are taken back, unless a bound that
    /// waits may know them.
    fn undo(&mut self, mark: Mark) {
        if self.pending.len() == mark.pending {
            self.table.undo(mark.snapshot);
        } else {
            self.table.back_to(mark.snapshot);
        }
    }

    fn burn(&mut self, amount: u32) -> bool {
        self.fuel = self.fuel.saturating_sub(amount);
        self.fuel > 0
    }

    fn record(&mut self, node: Node<'a>, target: Target, kind: EdgeKind, certainty: Certainty) -> usize {
        let kind = if self.macro_depth > 0 && kind == EdgeKind::Call { EdgeKind::Macro } else { kind };
        let found = Found { line: self.line(node), target, kind, certainty, in_unsafe: self.in_unsafe };
        self.calls.found.push(found);
        self.calls.found.len() - 1
    }

    fn unresolved(&mut self, node: Node<'a>, callee: String, reason: UnresolvedReason) {
        let line = self.line(node);
        self.calls.unresolved.push(Unresolved { line, callee, reason });
    }

    /// Decides what is still open, and gives everything that was found.
    fn finish(&mut self) -> Calls {
        self.select_pending();
        let mut calls = std::mem::take(&mut self.calls);
        let mut more = Vec::new();
        for found in &mut calls.found {
            let Target::Method { function, subject, arguments } = &found.target else { continue };
            let (function, subject, arguments) = (*function, *subject, arguments.clone());
            self.decide(found, function, subject, &arguments, &mut more);
        }
        calls.found.extend(more);
        calls.found.extend(self.drops());
        calls.found.retain(|it| !matches!(it.target, Target::Nothing));
        self.context.fuel.set(self.context.fuel.get().saturating_sub(u64::from(FUEL - self.fuel)));
        calls
    }

    /// Decides which function a trait's method is on a type.
    fn decide(
        &mut self,
        found: &mut Found,
        function: FunctionId,
        subject: TypeId,
        arguments: &[TypeId],
        more: &mut Vec<Found>,
    ) {
        let data = self.view().function(function);
        let Container::Trait(of) = data.container else { return };
        let id = TraitId { krate: function.krate, index: of };
        let subject = self.table.shallow(subject);
        found.target = Target::Function(function);
        let keep_kind = found.kind == EdgeKind::Reference;
        let (kind, certainty) = match self.table.of(subject).clone() {
            Type::Dyn(_) => {
                self.implementors(found, id, data.name, more);
                (EdgeKind::Dyn, found.certainty)
            }
            Type::Unknown | Type::Never => (EdgeKind::Trait, Certainty::Candidate),
            Type::Variable(number) if self.table.kind(number) == table::VariableKind::General => {
                (EdgeKind::Trait, Certainty::Candidate)
            }
            Type::Closure(_) | Type::FunctionItem(..) if self.is_function_trait(id) => {
                found.target = Target::Nothing;
                return;
            }
            _ => {
                let reference = TraitReference { id, arguments: arguments.into(), bindings: Box::default() };
                match self.implementation_of(subject, &reference) {
                    implementations::Choice::One(implementation) => {
                        let known = self.view().implementation(implementation).functions.get(&data.name);
                        if let Some(number) = known {
                            found.target =
                                Target::Function(FunctionId { krate: implementation.krate, index: *number });
                            (found.kind, found.certainty)
                        } else {
                            (EdgeKind::Trait, found.certainty)
                        }
                    }
                    implementations::Choice::Several(implementations) => {
                        self.several(found, &implementations, data.name, more);
                        return;
                    }
                    implementations::Choice::Bound => (EdgeKind::Trait, found.certainty),
                    implementations::Choice::None => (EdgeKind::Trait, found.certainty.max(Certainty::Typed)),
                }
            }
        };
        found.certainty = certainty;
        if !keep_kind {
            found.kind = kind;
        }
    }

    /// Several implementations fit: each is a candidate.
    fn several(
        &mut self,
        found: &mut Found,
        implementations: &[ImplementationId],
        name: Symbol,
        more: &mut Vec<Found>,
    ) {
        let mut targets: Vec<FunctionId> = Vec::new();
        for id in implementations {
            if let Some(number) = self.view().implementation(*id).functions.get(&name) {
                targets.push(FunctionId { krate: id.krate, index: *number });
            }
        }
        // `From<A>` and `From<B>` of one type have one name: then nothing is left open.
        let mut subjects: Vec<_> = implementations
            .iter()
            .map(|it| {
                let data = self.view().implementation(*it);
                crate::names::subject_text(self.view(), it.krate, data.subject)
            })
            .collect();
        subjects.sort();
        subjects.dedup();
        if subjects.len() == 1
            && let Some(first) = targets.first()
        {
            found.target = Target::Function(*first);
            return;
        }
        found.certainty = found.certainty.max(Certainty::Candidate);
        targets.truncate(CANDIDATES);
        if let Some((first, others)) = targets.split_first() {
            found.target = Target::Function(*first);
            for other in others {
                more.push(Found { target: Target::Function(*other), ..found.clone() });
            }
        }
    }

    /// Own implementations of a trait that is called through `dyn`: candidates, if they are few.
    fn implementors(&mut self, found: &Found, id: TraitId, name: Symbol, more: &mut Vec<Found>) {
        let data = self.view().current;
        let Some(of_trait) = data.lookup.traits.get(&id) else { return };
        let numbers = of_trait.by_head.values().flatten().chain(&of_trait.blanket);
        let mut functions: Vec<u32> = numbers
            .filter_map(|it| data.implementations[*it as usize].functions.get(&name).copied())
            .collect();
        functions.sort_unstable();
        functions.dedup();
        if functions.len() > CANDIDATES {
            return;
        }
        for index in functions {
            more.push(Found {
                target: Target::Function(FunctionId { krate: self.view().index, index }),
                kind: EdgeKind::Dyn,
                certainty: Certainty::Candidate,
                ..found.clone()
            });
        }
    }
}

/// Most candidates of one call.
const CANDIDATES: usize = 3;
