//! Macros: which one a call means, and the items that it makes.
//!
//! `macro_rules!` are in scope by order of text, so calls are expanded as they are met. Those whose macro is not known by then wait for
//! imports; whatever is left takes any macro of that name in the crate, which is right more often than giving up. A few
//! macros of the standard library are known by name, because their expansion is made for the compiler.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cratekeeper_syntax::{LexedStr, SyntaxKind, Tree, guard};
use rustc_hash::FxHashMap;

use super::attributes::segments;
use super::expander::{self, Rules};
use super::files::{Directories, normalize};
use super::items::{Item, is_item};
use super::{Collector, Limits, Spot, edition, parse};
use crate::configuration::string_value;
use crate::definitions::{CrateData, CrateIndex, Definition, Macro, MacroId, MacroKind, Place, Visibility};
use crate::paths::{CRATE_PREFIX, Namespace, PathOutcome, Paths};
use crate::sources::{Node, Source};
use crate::symbol::Symbol;

/// A call that waits for its macro.
pub(super) struct PendingCall {
    spot: Spot,
    node: u32,
    path: Box<[Symbol]>,
    leading_colons: bool,
    place: Place,
    /// Its arguments are no items.
    hopeless: bool,
}

/// How hard to look for a macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Where its path leads.
    Path,
    /// Any of its name.
    Any,
}

/// The macros of a crate, as calls see them, and what is left of the limits.
#[derive(Debug)]
pub(crate) struct Macros {
    pub(super) index: CrateIndex,
    /// By module and name: number, and whether its conditions hold.
    textual: FxHashMap<u32, FxHashMap<Symbol, (u32, bool)>>,
    by_name: FxHashMap<Symbol, u32>,
    parsed: RefCell<FxHashMap<MacroId, Option<Rc<Rules>>>>,
    item_bytes: Cell<usize>,
    body_bytes: Cell<usize>,
    calls: Cell<usize>,
    /// Steps that expansions may take, of one and of all that are left.
    steps_each: usize,
    steps: Cell<usize>,
    pub(super) nesting: u32,
    problems: RefCell<Vec<String>>,
}

impl Macros {
    pub(super) fn new(index: CrateIndex, limits: &Limits) -> Macros {
        Macros {
            index,
            textual: FxHashMap::default(),
            by_name: FxHashMap::default(),
            parsed: RefCell::default(),
            item_bytes: Cell::new(limits.expansion_bytes),
            body_bytes: Cell::new(limits.body_expansion_bytes),
            calls: Cell::new(limits.macro_calls),
            steps_each: limits.expansion_steps,
            steps: Cell::new(limits.all_expansion_steps),
            nesting: limits.nesting,
            problems: RefCell::default(),
        }
    }

    /// The `macro_rules!` of this name that is in scope in a module by its place in the text.
    pub(super) fn textual(&self, data: &CrateData, module: u32, name: Symbol) -> Option<MacroId> {
        let mut next = Some(module);
        while let Some(number) = next {
            if let Some((index, _)) = self.textual.get(&number).and_then(|names| names.get(&name)) {
                return Some(MacroId { krate: self.index, index: *index });
            }
            next = data.modules.get(number as usize)?.parent;
        }
        None
    }

    fn add_textual(&mut self, module: u32, name: Symbol, index: u32, active: bool) {
        let names = self.textual.entry(module).or_default();
        if active || names.get(&name).is_none_or(|(_, known)| !known) {
            names.insert(name, (index, active));
        }
    }

    /// `#[macro_use] mod`: what the module defined stays in scope behind it.
    fn keep_textual(&mut self, inner: u32, outer: u32) {
        let names = self.textual.get(&inner).cloned().unwrap_or_default();
        for (name, (index, active)) in names {
            self.add_textual(outer, name, index, active);
        }
    }

    /// What a call means in a module; `origin` is the crate of the macro that made the call, if one did.
    pub(super) fn resolve(
        &self,
        paths: &Paths<'_>,
        module: u32,
        path: &[Symbol],
        leading_colons: bool,
        origin: Option<CrateIndex>,
    ) -> Option<MacroId> {
        let [.., name] = path else { return None };
        if path.len() == 1
            && let Some(id) = self.textual(paths.current, module, *name)
        {
            return Some(id);
        }
        match paths.resolve(module, path, leading_colons, Namespace::Macros) {
            PathOutcome::Found(Definition::Macro(id), 0) => Some(id),
            // `#[macro_export(local_inner_macros)]`
            _ if path.len() == 1 => {
                let krate = paths.universe.known(origin.filter(|it| *it != self.index)?)?;
                krate.exported_macros.get(name).copied()
            }
            _ => None,
        }
    }

    pub(super) fn any_of_name(&self, name: Symbol) -> Option<MacroId> {
        Some(MacroId { krate: self.index, index: *self.by_name.get(&name)? })
    }

    /// The text that a call in a body becomes.
    pub(super) fn expand_in_body(&self, id: MacroId, definition: &Macro, arguments: &str) -> Option<String> {
        self.expand(id, definition, arguments, &self.body_bytes).ok()
    }

    /// The text that a call becomes, if the macro has rules, one of them matches, and `bytes` lasts.
    fn expand(
        &self,
        id: MacroId,
        definition: &Macro,
        arguments: &str,
        bytes: &Cell<usize>,
    ) -> Result<String, String> {
        let MacroKind::Rules(text) = &definition.kind else { return Err("it has no rules".to_owned()) };
        let calls = self.calls.get().checked_sub(1).ok_or("too many macro calls")?;
        self.calls.set(calls);
        if bytes.get() == 0 {
            return Err("macros make too much text".to_owned());
        }
        let known = self.parsed.borrow().get(&id).cloned();
        let rules = known.unwrap_or_else(|| {
            let parsed = Rules::parse(text, edition(definition.edition)).map(Rc::new);
            self.parsed.borrow_mut().insert(id, parsed.clone());
            parsed
        });
        let rules = rules.ok_or("its rules cannot be read")?;
        let root = format!("{CRATE_PREFIX}{}", id.krate.0);
        let allowed = self.steps_each.min(self.steps.get());
        let limits = expander::Limits { bytes: bytes.get(), steps: allowed, nesting: self.nesting };
        let mut steps = allowed;
        let expanded = rules.expand(arguments, &root, &limits, &mut steps);
        self.steps.set(self.steps.get() - (allowed - steps.min(allowed)));
        let text = expanded?;
        bytes.set(bytes.get().saturating_sub(text.len()));
        Ok(text)
    }

    #[cfg(test)]
    pub(super) fn expanded_bytes(&self, limits: &Limits) -> usize {
        limits.expansion_bytes - self.item_bytes.get()
    }

    pub(super) fn take_problems(&mut self) -> Vec<String> {
        std::mem::take(self.problems.get_mut())
    }
}

impl<'a> Collector<'_, 'a> {
    pub(super) fn collect_macro(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.name().map(Symbol::new) else { return };
        let by_rules = item.node.kind() == SyntaxKind::MACRO_RULES;
        let trees = item.node.children().filter(|it| it.kind() == SyntaxKind::TOKEN_TREE);
        let texts: Vec<_> = trees.map(Node::text).collect();
        let kind = match texts[..] {
            _ if item.attributes.built_in_macro => MacroKind::BuiltIn,
            [rules] => MacroKind::Rules(inside(rules).into()),
            [parameters, body] => MacroKind::Rules(format!("{parameters} {body}").into_boxed_str()),
            _ => return,
        };
        let id = self.add_macro(spot, item, name, kind);
        let active = !item.attributes.inactive && !spot.second_class;
        if active {
            self.macros.by_name.insert(name, id.index);
        } else {
            self.macros.by_name.entry(name).or_insert(id.index);
        }
        if !by_rules {
            return self.declare(spot, item, name, Namespace::Macros, Definition::Macro(id));
        }
        self.macros.add_textual(spot.module, name, id.index, active);
        if item.attributes.macro_export {
            if active {
                self.data.exported_macros.insert(name, id);
            } else {
                self.data.exported_macros.entry(name).or_insert(id);
            }
            let root = Spot { module: 0, ..spot.clone() };
            let definition = Definition::Macro(id);
            self.declare_visibly(&root, item, name, Namespace::Macros, definition, Visibility::Public);
        }
    }

    /// After the inside of a module.
    pub(super) fn close_module(&mut self, spot: &Spot, item: &Item<'_>, inner: u32) {
        if item.attributes.macro_use && self.data.modules.len() as u32 > inner {
            self.macros.keep_textual(inner, spot.module);
        }
    }

    /// A macro call where an item may stand.
    pub(super) fn collect_call(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(path) = item.node.child(SyntaxKind::PATH) else { return };
        let (path, leading_colons) = segments(path);
        let spot = self.inner_spot(spot, item, spot.container);
        let call = PendingCall {
            spot,
            node: item.node.index,
            path,
            leading_colons,
            place: item.place,
            hopeless: false,
        };
        let known = match *call.path {
            [name] => self.macros.textual(&self.data, call.spot.module, name),
            _ => None,
        };
        match known {
            Some(id) => self.expand_call(&call, id),
            None if self.is_known_by_name(&call) => self.expand_by_name(&call),
            None => self.pending_calls.push(call),
        }
    }

    /// Expands the waiting calls whose macro is known by now. Whether there were any.
    pub(super) fn expand_pending(&mut self, effort: Effort) -> bool {
        let mut any = false;
        for call in std::mem::take(&mut self.pending_calls) {
            let source = self.sources.source(call.spot.tree);
            let (paths, module) = (self.paths(source.edition), call.spot.module);
            let origin = source.macro_crate;
            let mut id = self.macros.resolve(&paths, module, &call.path, call.leading_colons, origin);
            if let (None, Effort::Any, [name]) = (id, effort, &*call.path) {
                id = self.macros.any_of_name(*name);
            }
            match id {
                Some(id) => {
                    any = true;
                    self.expand_call(&call, id);
                }
                None => self.pending_calls.push(call),
            }
        }
        any
    }

    /// What is left was not read with the crate. `pin_project!` and many others pass on items that stand in their arguments, so
    /// arguments that are nothing but items are taken for what the call makes. Whether there were any.
    pub(super) fn collect_arguments(&mut self) -> bool {
        let mut any = false;
        for mut call in std::mem::take(&mut self.pending_calls) {
            match self.parse_arguments(&call) {
                Some((tree, edition_of_text)) => {
                    any = true;
                    self.collect_tree(&call, tree, edition_of_text, None);
                }
                None => {
                    call.hopeless = true;
                    self.pending_calls.push(call);
                }
            }
        }
        any
    }

    /// The arguments of a call, if they are items and have not been tried before.
    fn parse_arguments(&self, call: &PendingCall) -> Option<(&'a Tree<'a>, u8)> {
        if call.hopeless || call.spot.depth >= self.input.limits.depth {
            return None;
        }
        let node = self.node(call.spot.tree, call.node);
        let arguments = inside(node.child(SyntaxKind::TOKEN_TREE)?.text());
        let edition_of_text = self.sources.source(call.spot.tree).edition;
        let tree =
            parse(self.arenas, arguments.to_owned(), edition(edition_of_text), self.macros.nesting).ok()?;
        let are_items = tree.errors.is_empty() && tree.at(0).children().any(|it| is_item(it.kind()));
        are_items.then_some((tree, edition_of_text))
    }

    #[cfg(test)]
    pub(super) fn has_pending_calls(&self, module: u32) -> bool {
        self.pending_calls.iter().any(|call| call.spot.module == module)
    }

    /// One line for each macro that was called and not found.
    pub(super) fn report_unexpanded(&mut self) {
        let mut calls: Vec<(String, u32, Place)> = Vec::new();
        let mut positions = FxHashMap::default();
        for call in std::mem::take(&mut self.pending_calls) {
            let position = *positions.entry(call.path.clone()).or_insert(calls.len());
            match calls.get_mut(position) {
                Some(known) => known.1 += 1,
                None => calls.push((spelled(&call.path), 1, call.place)),
            }
        }
        for (path, times, place) in calls {
            let file = &self.data.files[place.file as usize];
            let more = if times > 1 { format!(", and {} more times", times - 1) } else { String::new() };
            let line = place.line;
            self.problem(format!("`{path}!` in `{file}` line {line}{more} was not expanded: no such macro"));
        }
    }

    fn expand_call(&mut self, call: &PendingCall, id: MacroId) {
        let definition = if id.krate == self.input.index {
            &self.data.macros[id.index as usize]
        } else {
            match self.universe.known(id.krate).and_then(|krate| krate.macros.get(id.index as usize)) {
                Some(definition) => definition,
                None => return,
            }
        };
        if definition.kind == MacroKind::BuiltIn || definition.kind == MacroKind::Procedural {
            return;
        }
        let edition_of_macro = definition.edition;
        let node = self.node(call.spot.tree, call.node);
        let arguments = node.child(SyntaxKind::TOKEN_TREE).map_or("", |it| inside(it.text()));
        let expanded = if call.spot.depth < self.input.limits.depth {
            self.macros.expand(id, definition, arguments, &self.macros.item_bytes)
        } else {
            Err("macros call each other too deeply".to_owned())
        };
        match expanded {
            Ok(text) => self.collect_text(call, text, edition_of_macro, Some(id.krate)),
            Err(reason) => self.report_call(call, &reason),
        }
    }

    fn report_call(&mut self, call: &PendingCall, reason: &str) {
        let path = spelled(&call.path);
        let file = &self.data.files[call.place.file as usize];
        self.problem(format!("`{path}!` in `{file}` line {} was not expanded: {reason}", call.place.line));
    }

    /// Collects the items that a call became.
    fn collect_text(
        &mut self,
        call: &PendingCall,
        text: String,
        edition_of_text: u8,
        origin: Option<CrateIndex>,
    ) {
        match parse(self.arenas, text, edition(edition_of_text), self.input.limits.nesting) {
            Ok(tree) => self.collect_tree(call, tree, edition_of_text, origin),
            Err(reason) => self.report_call(call, &reason),
        }
    }

    fn collect_tree(
        &mut self,
        call: &PendingCall,
        tree: &'a Tree<'a>,
        edition_of_text: u8,
        macro_crate: Option<CrateIndex>,
    ) {
        let source = Source {
            tree,
            file: call.place.file,
            lines: None,
            call_line: call.place.line,
            edition: edition_of_text,
            macro_crate,
        };
        let tree = self.sources.add(self.arenas.sources.alloc(source));
        let inner = Spot { tree, depth: call.spot.depth + 1, ..call.spot.clone() };
        self.collect_items(&inner, self.node(tree, 0));
    }

    fn is_known_by_name(&self, call: &PendingCall) -> bool {
        let first = call.path[0].as_str();
        let of_standard = call.path.len() == 1 || call.path.len() == 2 && matches!(first, "std" | "core");
        let name = call.path[call.path.len() - 1];
        of_standard && matches!(name.as_str(), "include" | "thread_local" | "compile_error" | "global_asm")
    }

    fn expand_by_name(&mut self, call: &PendingCall) {
        let node = self.node(call.spot.tree, call.node);
        let Some(arguments) = node.child(SyntaxKind::TOKEN_TREE) else { return };
        match call.path[call.path.len() - 1].as_str() {
            "include" => self.collect_include(call, arguments),
            "thread_local" => {
                let edition_of_text = self.sources.source(call.spot.tree).edition;
                match self.thread_locals(inside(arguments.text()), edition_of_text) {
                    Ok(text) => self.collect_text(call, text, edition_of_text, None),
                    Err(reason) => self.report_call(call, &reason),
                }
            }
            _ => {}
        }
    }

    /// `static NAME: T = e;` in `thread_local!` is a constant key with a function that makes the first value.
    fn thread_locals(&self, arguments: &str, edition_of_text: u8) -> Result<String, String> {
        let lexed = LexedStr::new(edition(edition_of_text), arguments);
        guard::check(&lexed, self.input.limits.nesting).map_err(|error| error.reason)?;
        let tree = Tree::file(&lexed, arguments, edition(edition_of_text))?;
        let standard = match self.input.standard {
            Some(standard) => format!("{CRATE_PREFIX}{}", standard.std.0),
            None => "::std".to_owned(),
        };
        let mut text = String::new();
        for item in tree.at(0).children().filter(|it| it.kind() == SyntaxKind::STATIC) {
            let of_kind = |kind| item.child(kind).map_or(arguments.len(), |it| it.start() as usize);
            let (colon, equals) = (of_kind(SyntaxKind::COLON), of_kind(SyntaxKind::EQ));
            let end = item.end() as usize;
            let (Some(head), Some(type_text), Some(value)) = (
                arguments.get(item.start() as usize..colon),
                arguments.get(colon + 1..equals),
                arguments.get(equals + 1..end),
            ) else {
                continue;
            };
            let value = value.trim().trim_end_matches(';');
            text.push_str(&format!(
                "{head}: {standard}::thread::LocalKey<{type_text}> = \
                 {standard}::thread::LocalKey::new(|| -> {type_text} {{ {value} }});\n"
            ));
        }
        Ok(text)
    }

    fn collect_include(&mut self, call: &PendingCall, arguments: Node<'a>) {
        let mut tokens = arguments.children().skip(1).filter(|it| it.kind() != SyntaxKind::COMMA);
        let (first, second) = (tokens.next(), tokens.next());
        let literal =
            first.filter(|it| it.kind() == SyntaxKind::STRING && second.is_none_or(|it| it.is_token()));
        let Some(literal) = literal else {
            return self.report_call(call, "the file is made by a build script");
        };
        let own = &self.data.files[call.place.file as usize];
        let directory = own.rsplit_once('/').map_or("", |(directory, _)| directory);
        let path = normalize(directory, &string_value(literal.text()));
        let Some((path, file)) = path.and_then(|path| Some((path.clone(), self.files.find(&path)?))) else {
            return self.report_call(call, "the file is not in the package");
        };
        let (circular, times) = self.files.enter(file);
        if circular
            || times > self.input.limits.modules_per_file
            || call.spot.depth >= self.input.limits.depth
        {
            self.report_call(call, "the file is included in a circle, or too often");
        } else if let Some(tree) = self.parse_file(file) {
            let directories = Rc::new(Directories::beside(&path));
            let inner = Spot { tree, directories, depth: call.spot.depth + 1, ..call.spot.clone() };
            self.collect_items(&inner, self.node(tree, 0));
        }
        self.files.leave();
    }
}

fn spelled(path: &[Symbol]) -> String {
    path.iter().map(|it| it.as_str()).collect::<Vec<_>>().join("::")
}

/// A token tree without its delimiters.
pub(crate) fn inside(tree: &str) -> &str {
    let inner = tree.strip_prefix(['(', '[', '{']).unwrap_or(tree);
    inner.strip_suffix([')', ']', '}']).unwrap_or(inner)
}
