//! What derive macros implement, as far as it is known without running them.
//!
//! Procedural macros are code of other crates and are never run. Those of the language and of a few crates that nearly
//! everything depends on are known by their names and by what their documentation promises; the implementations that
//! they make have no text, and so no calls of their own.

use crate::definitions::{
    Adt, AdtId, Bound, Container, CrateData, CrateIndex, Definition, Function, Generics, Implementation,
    TraitId, TraitReference, Universe, Visibility,
};
use crate::known::Known;
use crate::paths::{self, Namespace, PathOutcome};
use crate::sources::Origins;
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};

/// Paths of a trait, tried in order, and functions that are defined.
type Implemented = (&'static [&'static str], &'static [&'static str]);

/// Derive macros, by their names; the paths of the traits they implement, tried in order; and the functions that they define.
/// `#` stands for the crate's root.
///
/// The language's own: <https://doc.rust-lang.org/reference/attributes/derive.html>. The others by the documentation of
/// `serde`, `thiserror`, `clap`, `zeroize`, `bytemuck` and `zerocopy`.
const KNOWN: &[(&str, &[Implemented])] = &[
    ("Clone", &[(&["core::clone::Clone"], &["clone"])]),
    ("Copy", &[(&["core::marker::Copy"], &[])]),
    ("Debug", &[(&["core::fmt::Debug"], &["fmt"])]),
    ("Default", &[(&["core::default::Default"], &["default"])]),
    ("PartialEq", &[(&["core::cmp::PartialEq"], &["eq"])]),
    ("Eq", &[(&["core::cmp::Eq"], &[])]),
    ("PartialOrd", &[(&["core::cmp::PartialOrd"], &["partial_cmp"])]),
    ("Ord", &[(&["core::cmp::Ord"], &["cmp"])]),
    ("Hash", &[(&["core::hash::Hash"], &["hash"])]),
    (
        "Serialize",
        &[(&["serde_core::ser::Serialize", "serde::ser::Serialize", "serde::Serialize"], &["serialize"])],
    ),
    (
        "Deserialize",
        &[(
            &["serde_core::de::Deserialize", "serde::de::Deserialize", "serde::Deserialize"],
            &["deserialize"],
        )],
    ),
    ("Error", &[(&["core::error::Error"], &["source"]), (&["core::fmt::Display"], &["fmt"])]),
    (
        "Parser",
        &[
            (&["clap::Parser", "clap_builder::Parser"], &[]),
            (&["clap::CommandFactory"], &["command", "command_for_update"]),
            (&["clap::FromArgMatches"], &["from_arg_matches", "update_from_arg_matches"]),
            (&["clap::Args"], &["augment_args", "augment_args_for_update"]),
        ],
    ),
    (
        "Args",
        &[
            (&["clap::FromArgMatches"], &["from_arg_matches", "update_from_arg_matches"]),
            (&["clap::Args"], &["augment_args", "augment_args_for_update"]),
        ],
    ),
    (
        "Subcommand",
        &[
            (&["clap::FromArgMatches"], &["from_arg_matches", "update_from_arg_matches"]),
            (
                &["clap::Subcommand"],
                &["augment_subcommands", "augment_subcommands_for_update", "has_subcommand"],
            ),
        ],
    ),
    ("ValueEnum", &[(&["clap::ValueEnum"], &["value_variants", "to_possible_value"])]),
    ("Zeroize", &[(&["zeroize::Zeroize"], &["zeroize"])]),
    ("Pod", &[(&["bytemuck::Pod"], &[])]),
    ("Zeroable", &[(&["bytemuck::Zeroable"], &[])]),
];

/// Whether it is known what a derive macro of that name makes.
pub(crate) fn is_known(name: Symbol) -> bool {
    KNOWN.iter().any(|(it, _)| *it == name.as_str())
}

/// Adds the implementations of known derive macros.
pub(crate) fn add(
    data: &mut CrateData,
    origins: &mut Origins,
    universe: &Universe,
    index: CrateIndex,
    known: &Known,
) {
    let derives = std::mem::take(&mut origins.derives);
    for (number, path) in &derives {
        let Some(name) = path.last() else { continue };
        let Some((_, traits)) = KNOWN.iter().find(|(it, _)| *it == name.as_str()) else { continue };
        for (paths, functions) in *traits {
            let module = data.adts[*number as usize].module;
            let found = by_name(known, name.as_str(), paths[0])
                .or_else(|| paths.iter().find_map(|it| find(data, universe, index, it)))
                .or_else(|| beside_macro(data, universe, index, module, path).filter(|_| traits.len() == 1));
            if let Some(id) = found {
                implement(data, origins, universe, index, *number, id, functions);
            }
        }
    }
    origins.derives = derives;
}

fn by_name(known: &Known, name: &str, path: &str) -> Option<TraitId> {
    if !path.starts_with("core::") {
        return None;
    }
    match (name, path) {
        ("Clone", _) => known.clone,
        ("Copy", _) => known.copy,
        ("Debug", _) => known.debug,
        ("Default", _) => known.default,
        ("PartialEq", _) => known.partial_eq,
        ("Eq", _) => known.eq,
        ("PartialOrd", _) => known.partial_ord,
        ("Ord", _) => known.ord,
        ("Hash", _) => known.hash,
        (_, "core::error::Error") => known.error,
        (_, "core::fmt::Display") => known.display,
        _ => None,
    }
}

/// A trait by its path in a dependency.
fn find(data: &CrateData, universe: &Universe, index: CrateIndex, path: &str) -> Option<TraitId> {
    let segments: Vec<Symbol> = path.split("::").map(Symbol::new).collect();
    match paths::resolve_path(universe, data, index, 0, &segments, true, Namespace::Types) {
        PathOutcome::Found(Definition::Trait(id), 0) => Some(id),
        _ => None,
    }
}

/// The trait that is imported with the derive macro: `use serde::Serialize` brings both.
fn beside_macro(
    data: &CrateData,
    universe: &Universe,
    index: CrateIndex,
    module: u32,
    path: &[Symbol],
) -> Option<TraitId> {
    match paths::resolve_path(universe, data, index, module, path, false, Namespace::Types) {
        PathOutcome::Found(Definition::Trait(id), 0) => Some(id),
        _ => None,
    }
}

fn implement(
    data: &mut CrateData,
    origins: &mut Origins,
    universe: &Universe,
    index: CrateIndex,
    number: u32,
    id: TraitId,
    functions: &[&str],
) {
    let adt: &Adt = &data.adts[number as usize];
    let (module, place, configuration) = (adt.module, adt.place, adt.configuration.clone());
    let mut generics = adt.generics.clone();
    let parameters: Vec<TypeId> =
        (0..generics.parameters.len()).map(|it| data.types.add(Type::Parameter(it as u32))).collect();
    let subject = data.types.add(Type::Adt(AdtId { krate: index, index: number }, parameters.clone().into()));
    // `derive` bounds every type parameter by the trait.
    for parameter in &parameters {
        let by = reference(id, *parameter);
        generics.bounds.push(Bound { subject: *parameter, by });
    }
    let of = reference(id, subject);
    // Defaults of the trait's own parameters: `PartialEq<Rhs = Self>`.
    let wanted = if id.krate == index {
        data.traits[id.index as usize].generics.parameters.len()
    } else {
        universe.krate(id.krate).traits[id.index as usize].generics.parameters.len()
    };
    let arguments = vec![subject; wanted.saturating_sub(1)].into();
    let implementation_number = data.implementations.len() as u32;
    let mut by_name = rustc_hash::FxHashMap::default();
    for function in functions {
        let name = Symbol::new(function);
        by_name.insert(name, data.functions.len() as u32);
        data.functions.push(Function {
            name,
            module,
            container: Container::Implementation(implementation_number),
            visibility: Visibility::Public,
            generics: Generics { of_container: generics.parameters.len() as u32, ..generics.clone() },
            parameters: Box::default(),
            result: TypeId::UNKNOWN,
            receiver: true,
            is_async: false,
            is_unsafe: false,
            is_const: false,
            exported_to_linker: false,
            has_body: true,
            derived: true,
            place,
            configuration: configuration.clone(),
        });
        origins.functions.push(None);
    }
    data.implementations.push(Implementation {
        module,
        generics,
        subject,
        of: Some(TraitReference { arguments, ..of }),
        names_trait: true,
        functions: by_name,
        types: Vec::new(),
        constants: Vec::new(),
        derived: true,
        place,
        configuration,
    });
}

fn reference(id: TraitId, _subject: TypeId) -> TraitReference {
    TraitReference { id, arguments: Box::default(), bindings: Box::default() }
}
