//! Items to definitions: what stands in modules, blocks, `extern` blocks, traits and implementations.

use std::rc::Rc;

use cratekeeper_syntax::SyntaxKind;

use super::attributes::{Attributes, join_conditions, segments};
use super::bodies::statement_call;
use super::files::Directories;
use super::{Body, Collector, Namespace, SecondClass, Spot};
use crate::definitions::{
    Adt, AdtId, AdtKind, Alias, AliasId, AssociatedType, Configuration, Container, Definition, Function,
    FunctionId, Generics, Implementation, Module, ModuleId, Place, Scope, Trait, TraitId, Value, ValueId,
    Visibility,
};
use crate::sources::{Node, SyntaxReference};
use crate::symbol::Symbol;
use crate::types::TypeId;

/// An item with what its attributes say.
pub(super) struct Item<'a> {
    pub(super) node: Node<'a>,
    pub(super) reference: SyntaxReference,
    pub(super) attributes: Attributes,
    pub(super) configuration: Configuration,
    pub(super) place: Place,
    pub(super) visibility: Visibility,
}

/// Kinds that are items wherever they stand.
pub(super) fn is_item(kind: SyntaxKind) -> bool {
    use SyntaxKind::*;
    matches!(
        kind,
        FN | STRUCT
            | ENUM
            | UNION
            | TRAIT
            | IMPL
            | TYPE_ALIAS
            | CONST
            | STATIC
            | USE
            | EXTERN_CRATE
            | EXTERN_BLOCK
            | MODULE
            | MACRO_RULES
            | MACRO_DEF
    )
}

impl<'a> Collector<'_, 'a> {
    /// Collects the items that are children of a node.
    pub(super) fn collect_items(&mut self, spot: &Spot, list: Node<'a>) {
        for node in list.children() {
            if is_item(node.kind()) || node.kind() == SyntaxKind::MACRO_CALL {
                self.collect_item(spot, node);
            } else if let Some(call) = statement_call(node).filter(|_| spot.function.is_none()) {
                self.collect_item(spot, call);
            }
        }
    }

    fn collect_item(&mut self, spot: &Spot, node: Node<'a>) {
        use SyntaxKind::*;
        let item = self.item(spot, node);
        if !item.attributes.others.is_empty() {
            let reference = item.reference;
            let others = item.attributes.others.iter().map(|path| (reference, path.clone()));
            self.origins.attributes.extend(others);
        }
        match node.kind() {
            FN => self.collect_function(spot, &item),
            STRUCT | ENUM | UNION => self.collect_adt(spot, &item),
            TRAIT => self.collect_trait(spot, &item),
            IMPL => self.collect_implementation(spot, &item),
            TYPE_ALIAS => self.collect_alias(spot, &item),
            CONST | STATIC => self.collect_value(spot, &item),
            USE => self.collect_use(spot, &item),
            EXTERN_CRATE => self.collect_extern_crate(spot, &item),
            EXTERN_BLOCK => {
                let inner = self.inner_spot(spot, &item, Container::Foreign);
                if let Some(list) = node.child(EXTERN_ITEM_LIST) {
                    self.collect_items(&inner, list);
                }
            }
            MODULE => self.collect_module(spot, &item),
            MACRO_RULES | MACRO_DEF => self.collect_macro(spot, &item),
            MACRO_CALL => self.collect_call(spot, &item),
            _ => {}
        }
    }

    fn item(&self, spot: &Spot, node: Node<'a>) -> Item<'a> {
        let attributes = Attributes::of(node, self.judge);
        let configuration = join(&spot.configuration, &attributes);
        let head = node.children().find(|it| it.kind() != SyntaxKind::ATTR);
        let start = head.map_or(node.start(), Node::start);
        let visibility = self.visibility(node, spot.module);
        Item {
            node,
            reference: SyntaxReference { tree: spot.tree, node: node.index },
            attributes,
            configuration,
            place: self.sources.place(spot.tree, start),
            visibility,
        }
    }

    pub(super) fn inner_spot(&self, spot: &Spot, item: &Item<'_>, container: Container) -> Spot {
        let configuration = if item.attributes.conditions.is_none() && !item.attributes.inactive {
            Rc::clone(&spot.configuration)
        } else {
            Rc::new(item.configuration.clone())
        };
        let second_class = spot.second_class || item.attributes.inactive;
        Spot { container, configuration, second_class, ..spot.clone() }
    }

    /// `pub`, `pub(in …)` or nothing, in a module.
    pub(super) fn visibility(&self, node: Node<'_>, module: u32) -> Visibility {
        let Some(written) = node.child(SyntaxKind::VISIBILITY) else { return Visibility::Within(module) };
        let Some(inner) = written.child(SyntaxKind::VISIBILITY_INNER) else { return Visibility::Public };
        let Some(path) = inner.child(SyntaxKind::PATH) else { return Visibility::Public };
        let (path, _) = segments(path);
        let own = self.data.module_of_block(module);
        // A path names one of the modules around: which one, its length tells.
        let mut ancestors = vec![own];
        while let Some(parent) = self.data.modules[ancestors[ancestors.len() - 1] as usize].parent {
            ancestors.push(self.data.module_of_block(parent));
        }
        let above = path.iter().filter(|it| it.as_str() == "super").count();
        let names =
            path.len() - path.iter().filter(|it| matches!(it.as_str(), "crate" | "self" | "super")).count();
        let first = path.first().map_or("", |it| it.as_str());
        let number = match first {
            "self" | "super" => ancestors.get(above.saturating_sub(names)),
            _ => ancestors.len().checked_sub(names + 1).and_then(|at| ancestors.get(at)),
        };
        Visibility::Within(number.copied().unwrap_or(0))
    }

    /// Gives a definition its name in the module.
    pub(super) fn declare(
        &mut self,
        spot: &Spot,
        item: &Item<'_>,
        name: Symbol,
        namespace: Namespace,
        definition: Definition,
    ) {
        self.declare_visibly(spot, item, name, namespace, definition, item.visibility);
    }

    pub(super) fn declare_visibly(
        &mut self,
        spot: &Spot,
        item: &Item<'_>,
        name: Symbol,
        namespace: Namespace,
        definition: Definition,
        visibility: Visibility,
    ) {
        if name.as_str() == "_" {
            return;
        }
        let module = spot.module;
        if item.attributes.inactive || spot.second_class {
            self.second_class.push(SecondClass { module, name, namespace, definition, visibility });
        } else {
            self.declare_name(module, name, namespace, definition, visibility);
        }
    }

    fn collect_function(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.name().map(Symbol::new) else { return };
        let number = self.data.functions.len() as u32;
        let body = item.node.child(SyntaxKind::BLOCK_EXPR);
        self.data.functions.push(function(spot, item, name, body.is_some()));
        self.origins.functions.push(Some(item.reference));
        let id = FunctionId { krate: self.input.index, index: number };
        match spot.container {
            Container::Module | Container::Foreign => {
                self.declare(spot, item, name, Namespace::Values, Definition::Function(id));
                self.collect_procedural_macro(spot, item, name);
            }
            container => self.add_member_function(container, name, number, item),
        }
        if let Some(body) = body {
            let inner = self.inner_spot(spot, item, Container::Module);
            self.queue_body(&Spot { function: Some(number), ..inner }, body);
        }
    }

    pub(super) fn queue_body(&mut self, spot: &Spot, node: Node<'a>) {
        if node.descendants().any(|it| is_item(it.kind()) || it.kind() == SyntaxKind::MACRO_CALL) {
            self.bodies.push_back(Body { spot: spot.clone(), node: node.index });
        }
    }

    fn collect_adt(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.name().map(Symbol::new) else { return };
        let number = self.data.adts.len() as u32;
        let kind = match item.node.kind() {
            SyntaxKind::STRUCT => AdtKind::Struct,
            SyntaxKind::ENUM => AdtKind::Enum,
            _ => AdtKind::Union,
        };
        let variants = self.variants(item.node, kind, name);
        let unnamed =
            variants.first().is_some_and(|it| it.tuple) || !item.node.has(SyntaxKind::RECORD_FIELD_LIST);
        self.data.adts.push(Adt {
            name,
            module: spot.module,
            kind,
            generics: Generics::default(),
            variants,
            place: item.place,
            configuration: item.configuration.clone(),
        });
        self.origins.adts.push(item.reference);
        let derives = item.attributes.derives.iter().map(|path| (number, path.clone()));
        self.origins.derives.extend(derives);
        let definition = Definition::Adt(AdtId { krate: self.input.index, index: number });
        self.declare(spot, item, name, Namespace::Types, definition);
        if kind == AdtKind::Struct && unnamed {
            let visibility = self.constructor_visibility(spot, item);
            self.declare_visibly(spot, item, name, Namespace::Values, definition, visibility);
        }
        if kind == AdtKind::Enum {
            let inner = self.inner_spot(spot, item, Container::Module);
            self.queue_body(&inner, item.node);
        }
    }

    /// Who may call the constructor: whoever sees all fields.
    fn constructor_visibility(&self, spot: &Spot, item: &Item<'_>) -> Visibility {
        let fields = item.node.child(SyntaxKind::TUPLE_FIELD_LIST);
        let fields =
            fields.into_iter().flat_map(Node::children).filter(|it| it.kind() == SyntaxKind::TUPLE_FIELD);
        fields.map(|field| self.visibility(field, spot.module)).fold(item.visibility, narrower)
    }

    fn collect_trait(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.name().map(Symbol::new) else { return };
        let number = self.data.traits.len() as u32;
        self.data.traits.push(Trait {
            name,
            module: spot.module,
            generics: Generics::default(),
            supertraits: Vec::new(),
            functions: rustc_hash::FxHashMap::default(),
            types: Vec::<AssociatedType>::new(),
            constants: Vec::new(),
            place: item.place,
            configuration: item.configuration.clone(),
        });
        self.origins.traits.push(item.reference);
        let id = TraitId { krate: self.input.index, index: number };
        self.declare(spot, item, name, Namespace::Types, Definition::Trait(id));
        let inner = self.inner_spot(spot, item, Container::Trait(number));
        if let Some(list) = item.node.child(SyntaxKind::ASSOC_ITEM_LIST) {
            self.collect_items(&inner, list);
        }
    }

    fn collect_implementation(&mut self, spot: &Spot, item: &Item<'a>) {
        let number = self.data.implementations.len() as u32;
        self.data.implementations.push(Implementation {
            module: spot.module,
            generics: Generics::default(),
            subject: TypeId::UNKNOWN,
            of: None,
            names_trait: item.node.has(SyntaxKind::FOR_KW),
            functions: rustc_hash::FxHashMap::default(),
            types: Vec::new(),
            constants: Vec::new(),
            derived: false,
            place: item.place,
            configuration: item.configuration.clone(),
        });
        self.origins.implementations.push(item.reference);
        let inner = self.inner_spot(spot, item, Container::Implementation(number));
        if let Some(list) = item.node.child(SyntaxKind::ASSOC_ITEM_LIST) {
            self.collect_items(&inner, list);
        }
    }

    fn collect_alias(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.name().map(Symbol::new) else { return };
        if self.is_member(spot, item) {
            return;
        }
        let id = AliasId { krate: self.input.index, index: self.data.aliases.len() as u32 };
        self.data.aliases.push(Alias {
            name,
            module: spot.module,
            generics: Generics::default(),
            target: TypeId::UNKNOWN,
        });
        self.origins.aliases.push(item.reference);
        self.declare(spot, item, name, Namespace::Types, Definition::Alias(id));
    }

    fn collect_value(&mut self, spot: &Spot, item: &Item<'a>) {
        let inner = Spot { function: None, ..self.inner_spot(spot, item, Container::Module) };
        self.queue_body(&inner, item.node);
        if self.is_member(spot, item) {
            return;
        }
        let name = Symbol::new(item.node.name().unwrap_or("_"));
        let id = ValueId { krate: self.input.index, index: self.data.values.len() as u32 };
        self.data.values.push(Value {
            name,
            module: spot.module,
            of_type: TypeId::UNKNOWN,
            is_static: item.node.kind() == SyntaxKind::STATIC,
            place: item.place,
            configuration: item.configuration.clone(),
        });
        self.origins.values.push(item.reference);
        self.declare(spot, item, name, Namespace::Values, Definition::Value(id));
    }

    fn collect_module(&mut self, spot: &Spot, item: &Item<'a>) {
        let Some(name) = item.node.name().map(Symbol::new) else { return };
        if spot.depth >= self.input.limits.depth || self.data.modules.len() >= self.input.limits.modules {
            return self.problem(format!("`mod {name}` and more were left out: too many modules"));
        }
        let number = self.data.modules.len() as u32;
        let path = item.attributes.path.as_deref();
        if let Some(list) = item.node.child(SyntaxKind::ITEM_LIST) {
            let directories = spot.directories.inside(name.as_str(), path);
            let inner = self.add_module(spot, item, name, None, directories);
            self.collect_items(&inner, list);
        } else {
            self.collect_file_module(spot, item, name, path);
        }
        self.close_module(spot, item, number);
    }

    fn collect_file_module(&mut self, spot: &Spot, item: &Item<'a>, name: Symbol, path: Option<&str>) {
        let Some((file, directories)) = self.files.find_module(&spot.directories, name.as_str(), path) else {
            self.add_module(spot, item, name, None, Directories::clone(&spot.directories));
            if item.configuration.active {
                let file = &self.data.files[item.place.file as usize];
                self.problem(format!("`mod {name}` in `{file}` line {} has no file", item.place.line));
            }
            return;
        };
        let (circular, times) = self.files.enter(file);
        if circular || times > self.input.limits.modules_per_file {
            let path = &self.input.files[file].0;
            let why = if circular { "is circular" } else { "stands in too many modules" };
            self.problem(format!("`{path}`, read for `mod {name}`, {why}"));
        } else if let Some(tree) = self.parse_file(file) {
            let inner = self.add_module(spot, item, name, Some(tree), directories);
            self.collect_items(&inner, self.node(tree, 0));
        }
        self.files.leave();
    }

    fn add_module(
        &mut self,
        spot: &Spot,
        item: &Item<'a>,
        name: Symbol,
        tree: Option<u32>,
        directories: Directories,
    ) -> Spot {
        let number = self.data.modules.len() as u32;
        let mut configuration = item.configuration.clone();
        if let Some(tree) = tree {
            let mut inner = Attributes::default();
            inner.add_children(self.node(tree, 0), self.judge);
            configuration = join(&configuration, &inner);
        }
        self.data.modules.push(Module {
            name,
            parent: Some(spot.module),
            block: None,
            scope: Scope::default(),
            place: item.place,
            configuration: configuration.clone(),
        });
        let id = ModuleId { krate: self.input.index, index: number };
        self.declare(spot, item, name, Namespace::Types, Definition::Module(id));
        Spot {
            tree: tree.unwrap_or(spot.tree),
            module: number,
            container: Container::Module,
            depth: spot.depth + 1,
            directories: Rc::new(directories),
            configuration: Rc::new(configuration),
            function: None,
            second_class: false,
        }
    }
}

/// Conditions of a place and of an item in it.
pub(super) fn join(outer: &Configuration, attributes: &Attributes) -> Configuration {
    let text = match &attributes.conditions {
        Some(own) => Some(join_conditions(outer.text.as_deref(), own).into_boxed_str()),
        None => outer.text.clone(),
    };
    Configuration { active: outer.active && !attributes.inactive, test: outer.test || attributes.test, text }
}

/// The module with the larger number is the inner one, if one is inside the other.
fn narrower(one: Visibility, other: Visibility) -> Visibility {
    match (one, other) {
        (Visibility::Within(one), Visibility::Within(other)) => Visibility::Within(one.max(other)),
        (Visibility::Public, other) => other,
        (one, Visibility::Public) => one,
    }
}

fn function(spot: &Spot, item: &Item<'_>, name: Symbol, has_body: bool) -> Function {
    use SyntaxKind::*;
    let foreign = spot.container == Container::Foreign;
    let receiver = item.node.child(PARAM_LIST).is_some_and(|list| list.has(SELF_PARAM));
    Function {
        name,
        module: spot.module,
        container: spot.container,
        visibility: item.visibility,
        generics: Generics::default(),
        parameters: Box::default(),
        result: TypeId::UNKNOWN,
        receiver,
        is_async: item.node.has(ASYNC_KW),
        is_unsafe: item.node.has(UNSAFE_KW) || foreign && !item.node.has(SAFE_KW),
        is_const: item.node.has(CONST_KW),
        exported_to_linker: !foreign && (item.node.has(ABI) || item.attributes.exported_to_linker),
        has_body,
        derived: false,
        place: item.place,
        configuration: item.configuration.clone(),
    }
}
