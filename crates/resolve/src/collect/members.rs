//! What stands inside types, traits and implementations: variants, fields, associated items.

use cratekeeper_syntax::SyntaxKind;

use super::Collector;
use super::Spot;
use super::attributes::Attributes;
use super::items::Item;
use crate::definitions::{AdtKind, Container, Definition, MacroId, MacroKind, Variant, Visibility};
use crate::paths::Namespace;
use crate::sources::Node;
use crate::symbol::Symbol;
use crate::types::TypeId;

impl<'a> Collector<'_, 'a> {
    /// Variants of an enum; of a struct or union, itself.
    pub(super) fn variants(&self, node: Node<'a>, kind: AdtKind, name: Symbol) -> Vec<Variant> {
        if kind != AdtKind::Enum {
            return vec![self.variant(node, name)];
        }
        let list = node.child(SyntaxKind::VARIANT_LIST);
        let nodes = list.into_iter().flat_map(Node::children).filter(|it| it.kind() == SyntaxKind::VARIANT);
        nodes.map(|it| self.variant(it, Symbol::new(it.name().unwrap_or("_")))).collect()
    }

    fn variant(&self, node: Node<'a>, name: Symbol) -> Variant {
        let tuple = node.has(SyntaxKind::TUPLE_FIELD_LIST);
        let fields = self.fields(node).into_iter().map(|(name, _)| (name, TypeId::UNKNOWN)).collect();
        Variant { name, tuple, fields }
    }

    /// Fields of a struct, union or variant with their elements, in the order of [`Variant::fields`]: of two with the same
    /// name, the first whose conditions hold. Tuple fields are counted without those whose conditions do not hold.
    pub(crate) fn fields(&self, node: Node<'a>) -> Vec<(Symbol, Node<'a>)> {
        fields(node, |field| !Attributes::of(field, self.judge).inactive)
    }

    /// Whether an alias or constant belongs to a trait or implementation, which is noted.
    pub(super) fn is_member(&mut self, spot: &Spot, item: &Item<'a>) -> bool {
        match spot.container {
            Container::Implementation(number) => {
                self.origins.in_implementations.push((number, item.reference));
                true
            }
            Container::Trait(number) => {
                self.origins.in_traits.push((number, item.reference));
                true
            }
            Container::Module | Container::Foreign => false,
        }
    }

    /// A function of a trait or implementation. Of several with one name, the first whose conditions hold is the one.
    pub(super) fn add_member_function(
        &mut self,
        container: Container,
        name: Symbol,
        number: u32,
        item: &Item<'_>,
    ) {
        let names_trait;
        let functions = match container {
            Container::Implementation(index) => {
                let implementation = &mut self.data.implementations[index as usize];
                names_trait = implementation.names_trait;
                &mut implementation.functions
            }
            Container::Trait(index) => {
                names_trait = true;
                &mut self.data.traits[index as usize].functions
            }
            Container::Module | Container::Foreign => return,
        };
        let known = functions.get(&name).copied();
        let replaces = known.is_none_or(|known| {
            item.configuration.active && !self.data.functions[known as usize].configuration.active
        });
        if replaces {
            functions.insert(name, number);
        }
        if names_trait {
            self.data.functions[number as usize].visibility = Visibility::Public;
        }
    }

    /// Functions that are procedural macros.
    pub(super) fn collect_procedural_macro(&mut self, spot: &Spot, item: &Item<'_>, name: Symbol) {
        let Some(derive) = item.attributes.procedural else { return };
        let macro_name = derive.unwrap_or(name);
        let id = self.add_macro(spot, item, macro_name, MacroKind::Procedural);
        self.declare_name(0, macro_name, Namespace::Macros, Definition::Macro(id), Visibility::Public);
    }

    pub(super) fn add_macro(
        &mut self,
        spot: &Spot,
        item: &Item<'_>,
        name: Symbol,
        kind: MacroKind,
    ) -> MacroId {
        let index = self.data.macros.len() as u32;
        let edition = self.sources.source(spot.tree).edition;
        let place = item.place;
        self.data.macros.push(crate::definitions::Macro { name, module: spot.module, kind, edition, place });
        MacroId { krate: self.input.index, index }
    }
}

/// See [`Collector::fields`].
pub(crate) fn fields<'a>(node: Node<'a>, is_active: impl Fn(Node<'a>) -> bool) -> Vec<(Symbol, Node<'a>)> {
    let mut found: Vec<(Symbol, Node<'a>, bool)> = Vec::new();
    if let Some(list) = node.child(SyntaxKind::TUPLE_FIELD_LIST) {
        let nodes = list.children().filter(|it| it.kind() == SyntaxKind::TUPLE_FIELD && is_active(*it));
        return nodes.enumerate().map(|(number, it)| (Symbol::new(&number.to_string()), it)).collect();
    }
    let list = node.child(SyntaxKind::RECORD_FIELD_LIST);
    let mut positions = rustc_hash::FxHashMap::default();
    for field in list.into_iter().flat_map(Node::children).filter(|it| it.kind() == SyntaxKind::RECORD_FIELD)
    {
        let Some(name) = field.name().map(Symbol::new) else { continue };
        let active = is_active(field);
        let position = *positions.entry(name).or_insert(found.len());
        match found.get_mut(position) {
            Some(known) if active && !known.2 => *known = (name, field, active),
            Some(_) => {}
            None => found.push((name, field, active)),
        }
    }
    found.into_iter().map(|(name, field, _)| (name, field)).collect()
}
