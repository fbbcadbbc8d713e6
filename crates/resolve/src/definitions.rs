//! What a crate defines: modules and their scopes, functions, types, traits, implementations, macros.
//!
//! A *crate* here is what the compiler means: one target of a package. All crates that refer to each other live in one
//! [`Universe`], and ids name the crate and a number in it, so that two versions of a package are never mixed up.
//! Everything here can be kept without the text it came from; what points into the text is in `sources`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lookup::Lookup;
use crate::symbol::Symbol;
use crate::types::{TypeId, TypePool};

/// Number of a crate in its [`Universe`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrateIndex(pub u32);

impl Serialize for CrateIndex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::encoding::crate_number(self.0)
            .ok_or_else(|| serde::ser::Error::custom("a crate is not in the list"))?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CrateIndex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CrateIndex, D::Error> {
        let number = u32::deserialize(deserializer)?;
        let index = crate::encoding::crate_number(number);
        index.map(CrateIndex).ok_or_else(|| serde::de::Error::custom("a crate is missing"))
    }
}

macro_rules! ids {
    ($($(#[$documentation:meta])* $name:ident -> $list:ident: $data:ident),* $(,)?) => {$(
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name {
            /// Where it is defined.
            pub krate: CrateIndex,
            /// Number in that crate.
            pub index: u32,
        }

        impl $name {
            /// What it stands for.
            #[must_use]
            pub fn data(self, universe: &Universe) -> &$data {
                &universe.krate(self.krate).$list[self.index as usize]
            }
        }
    )*};
}

ids! {
    /// A module.
    ModuleId -> modules: Module,
    /// A function, with or without a body.
    FunctionId -> functions: Function,
    /// A struct, enum or union.
    AdtId -> adts: Adt,
    /// A trait.
    TraitId -> traits: Trait,
    /// An `impl`.
    ImplementationId -> implementations: Implementation,
    /// A type alias outside of traits and implementations.
    AliasId -> aliases: Alias,
    /// A constant or static.
    ValueId -> values: Value,
    /// A macro.
    MacroId -> macros: Macro,
}

/// What a name can stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Definition {
    /// A module or, as its root, a crate.
    Module(ModuleId),
    /// A function.
    Function(FunctionId),
    /// A struct, enum or union; in the value namespace, the constructor of a tuple or unit struct.
    Adt(AdtId),
    /// A variant, by its number.
    Variant(AdtId, u32),
    /// A trait.
    Trait(TraitId),
    /// A type alias.
    Alias(AliasId),
    /// A constant or static.
    Value(ValueId),
    /// A macro.
    Macro(MacroId),
    /// `u8`, `str`, …
    Primitive(Primitive),
}

/// A type of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Primitive {
    /// `bool`
    Bool,
    /// `char`
    Char,
    /// `str`
    Str,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `usize`
    Usize,
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `i128`
    I128,
    /// `isize`
    Isize,
    /// `f16`
    F16,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `f128`
    F128,
}

impl Primitive {
    /// All of them.
    pub const ALL: [Primitive; 19] = [
        Primitive::Bool,
        Primitive::Char,
        Primitive::Str,
        Primitive::U8,
        Primitive::U16,
        Primitive::U32,
        Primitive::U64,
        Primitive::U128,
        Primitive::Usize,
        Primitive::I8,
        Primitive::I16,
        Primitive::I32,
        Primitive::I64,
        Primitive::I128,
        Primitive::Isize,
        Primitive::F16,
        Primitive::F32,
        Primitive::F64,
        Primitive::F128,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        const NAMES: [&str; 19] = [
            "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
            "i128", "isize", "f16", "f32", "f64", "f128",
        ];
        NAMES[self as usize]
    }

    /// `u8` to `isize`.
    #[must_use]
    pub fn is_integer(self) -> bool {
        (Primitive::U8..=Primitive::Isize).contains(&self)
    }

    /// `f16` to `f128`.
    #[must_use]
    pub fn is_float(self) -> bool {
        self >= Primitive::F16
    }

    /// The type called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Primitive> {
        Primitive::ALL.into_iter().find(|it| it.as_str() == name)
    }
}

/// Finds what is known of a crate that was not added.
pub type Loader = Box<dyn Fn(CrateIndex) -> Option<Arc<CrateData>> + Send + Sync>;

/// Crates that refer to each other. Crates are added, each once, and never changed.
#[derive(Default)]
pub struct Universe {
    crates: Vec<OnceLock<Arc<CrateData>>>,
    loader: Option<Loader>,
}

impl fmt::Debug for Universe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.crates.iter().filter(|it| it.get().is_some()).count();
        write!(f, "Universe({known} of {} crates)", self.crates.len())
    }
}

impl Universe {
    /// Room for `crates` crates, all of them still to be [set](Universe::set).
    #[must_use]
    pub fn with_room(crates: usize) -> Universe {
        Universe { crates: (0..crates).map(|_| OnceLock::new()).collect(), loader: None }
    }

    /// The same, with something that is asked for a crate when it is needed and was not added. It must not look into the
    /// universe itself.
    #[must_use]
    pub fn with_loader(crates: usize, loader: Loader) -> Universe {
        Universe { loader: Some(loader), ..Universe::with_room(crates) }
    }

    /// Adds what is known of a crate. The first that is added stays.
    pub fn set(&self, index: CrateIndex, data: Arc<CrateData>) {
        if let Some(place) = self.crates.get(index.0 as usize) {
            let _ = place.set(data);
        }
    }

    /// What is known of a crate.
    ///
    /// # Panics
    ///
    /// When it was not added: crates are resolved after all those that they depend on.
    #[must_use]
    pub fn krate(&self, index: CrateIndex) -> &CrateData {
        self.known(index).expect("crates are resolved after those that they depend on")
    }

    /// What is known of a crate, if it was added.
    #[must_use]
    pub fn known(&self, index: CrateIndex) -> Option<&CrateData> {
        let place = self.crates.get(index.0 as usize)?;
        match (place.get(), &self.loader) {
            (Some(known), _) => Some(known),
            (None, None) => None,
            // Several may load it at once; the first stays.
            (None, Some(loader)) => {
                let _ = place.set(loader(index)?);
                place.get().map(|it| &**it)
            }
        }
    }
}

/// What is known of a crate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CrateData {
    /// As paths print it.
    pub name: Option<Symbol>,
    /// Two digits: 15, 18, 21, 24.
    pub edition: u8,
    /// Names of the extern prelude, with the crates they stand for. A crate that was not read is not among them.
    pub extern_prelude: FxHashMap<Symbol, CrateIndex>,
    /// The module whose names are in scope everywhere, if `std` or `core` was read.
    pub prelude: Option<ModuleId>,
    /// The root is number 0. Blocks with items in them are modules too.
    pub modules: Vec<Module>,
    /// See [`FunctionId`].
    pub functions: Vec<Function>,
    /// See [`AdtId`].
    pub adts: Vec<Adt>,
    /// See [`TraitId`].
    pub traits: Vec<Trait>,
    /// See [`ImplementationId`].
    pub implementations: Vec<Implementation>,
    /// See [`AliasId`].
    pub aliases: Vec<Alias>,
    /// See [`ValueId`].
    pub values: Vec<Value>,
    /// See [`MacroId`].
    pub macros: Vec<Macro>,
    /// Types in signatures.
    pub types: TypePool,
    /// Macros that `#[macro_export]` puts at the root, and those a `#[macro_use] extern crate` brings into scope.
    pub exported_macros: FxHashMap<Symbol, MacroId>,
    /// Names of the files that places refer to.
    pub files: Vec<String>,
    /// What was left out, as sentence fragments.
    pub problems: Vec<String>,
    #[serde(skip)]
    pub(crate) lookup: Lookup,
}

impl CrateData {
    /// Makes what look-ups need; to be called once all types are filled in, and after decoding.
    pub fn index(&mut self) {
        self.lookup = Lookup::new(self);
    }
}

/// Who may see a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Visibility {
    /// Everyone.
    Public,
    /// A module of the same crate, by number, and all below it: 0 is the whole crate.
    Within(u32),
}

/// Names in a module, in the three namespaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Modules, types, traits.
    pub types: FxHashMap<Symbol, (Definition, Visibility)>,
    /// Functions, constants, statics, constructors.
    pub values: FxHashMap<Symbol, (Definition, Visibility)>,
    /// Macros that paths lead to.
    pub macros: FxHashMap<Symbol, (MacroId, Visibility)>,
    /// Traits imported as `_`, and so without a name.
    pub unnamed_traits: Vec<TraitId>,
    /// Names that lead out of what was read, with the path that they stand for (`use absent::a::b` gives `b`).
    pub unread: FxHashMap<Symbol, Box<[Symbol]>>,
    /// Paths of modules that were not read and whose names are all imported here.
    pub unread_globs: Vec<Box<[Symbol]>>,
}

/// A module, or a block with items in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Module {
    /// Name; of the root, the crate's; `_` for blocks.
    pub name: Symbol,
    /// Number of the module around it in the same crate; `None` for the root.
    pub parent: Option<u32>,
    /// A block in the body of a function (its number) or, without one, in a constant. Names that are not found in a
    /// block are looked for in the module around it.
    pub block: Option<Option<u32>>,
    /// What it holds.
    pub scope: Scope,
    /// Where it is declared.
    pub place: Place,
    /// Conditions in force.
    pub configuration: Configuration,
}

/// Where something stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Index in [`CrateData::files`].
    pub file: u32,
    /// Counted from 1. Of what a macro made, the line of the macro call.
    pub line: u32,
}

/// Conditional compilation of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// Whether all conditions hold in the configuration asked for.
    pub active: bool,
    /// Below `#[cfg(test)]` or in a `#[test]`.
    pub test: bool,
    /// Conditions as text, joined by `, `.
    pub text: Option<Box<str>>,
}

/// What something is declared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Container {
    /// A module or block.
    Module,
    /// An `extern` block.
    Foreign,
    /// An implementation, by its number.
    Implementation(u32),
    /// A trait, by its number.
    Trait(u32),
}

/// A function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Name.
    pub name: Symbol,
    /// Number of the module or block in whose scope it is written.
    pub module: u32,
    /// What it is declared in.
    pub container: Container,
    /// Who may see it.
    pub visibility: Visibility,
    /// Type parameters: first those of the container, then its own, then one for each `impl Trait` parameter.
    pub generics: Generics,
    /// Types of the parameters, `self` first.
    pub parameters: Box<[TypeId]>,
    /// What it returns; of an `async fn`, the output.
    pub result: TypeId,
    /// Has a `self`.
    pub receiver: bool,
    /// `async fn`.
    pub is_async: bool,
    /// `unsafe fn`.
    pub is_unsafe: bool,
    /// `const fn`.
    pub is_const: bool,
    /// `extern fn`, or exported by name.
    pub exported_to_linker: bool,
    /// Has a body.
    pub has_body: bool,
    /// Made by a derive macro: there is no text.
    pub derived: bool,
    /// Where.
    pub place: Place,
    /// Conditions in force.
    pub configuration: Configuration,
}

/// Type parameters and what is known of them. Lifetimes are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generics {
    /// Names in order. Of a trait and all in it, the first is `Self`.
    pub parameters: Vec<Symbol>,
    /// How many of them belong to the container.
    pub of_container: u32,
    /// Defaults, where given.
    pub defaults: Vec<(u32, TypeId)>,
    /// Bounds, those of the container included.
    pub bounds: Vec<Bound>,
}

/// `subject: Trait<arguments, Name = Type>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bound {
    /// What is bounded.
    pub subject: TypeId,
    /// By what.
    pub by: TraitReference,
}

/// `Trait<arguments, Name = Type>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TraitReference {
    /// Which trait.
    pub id: TraitId,
    /// Arguments without `Self`. Of `Fn(A, B) -> C`: the tuple `(A, B)`, with `Output = C`.
    pub arguments: Box<[TypeId]>,
    /// Associated types that are given.
    pub bindings: Box<[(Symbol, TypeId)]>,
}

/// A struct, enum or union.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adt {
    /// Name.
    pub name: Symbol,
    /// Number of the module or block.
    pub module: u32,
    /// Which of the three.
    pub kind: AdtKind,
    /// Type parameters.
    pub generics: Generics,
    /// One for structs and unions.
    pub variants: Vec<Variant>,
    /// Where.
    pub place: Place,
    /// Conditions in force.
    pub configuration: Configuration,
}

/// Kinds of [`Adt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AdtKind {
    /// `struct`
    Struct,
    /// `enum`
    Enum,
    /// `union`
    Union,
}

/// A variant of an enum, or the fields of a struct.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Name; of structs, that of the struct.
    pub name: Symbol,
    /// `Name(…)`: fields are called `0`, `1`, ….
    pub tuple: bool,
    /// Names and types.
    pub fields: Vec<(Symbol, TypeId)>,
}

/// A trait, or a trait alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trait {
    /// Name.
    pub name: Symbol,
    /// Number of the module or block.
    pub module: u32,
    /// `Self` first. Bounds of `Self` are the supertraits.
    pub generics: Generics,
    /// Traits that whoever implements it must implement too.
    pub supertraits: Vec<TraitId>,
    /// Numbers of its functions, by name.
    pub functions: FxHashMap<Symbol, u32>,
    /// Associated types, with their bounds (whose subject is the projection) and their default.
    pub types: Vec<AssociatedType>,
    /// Associated constants.
    pub constants: Vec<(Symbol, TypeId)>,
    /// Where.
    pub place: Place,
    /// Conditions in force.
    pub configuration: Configuration,
}

/// An associated type of a trait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociatedType {
    /// Name.
    pub name: Symbol,
    /// What it must implement.
    pub bounds: Vec<TraitReference>,
    /// Default.
    pub default: Option<TypeId>,
}

/// An `impl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Implementation {
    /// Number of the module or block in which it stands.
    pub module: u32,
    /// Type parameters.
    pub generics: Generics,
    /// For what.
    pub subject: TypeId,
    /// Of which trait; its bindings are empty.
    pub of: Option<TraitReference>,
    /// The `impl` names a trait, whether it was found or not.
    pub names_trait: bool,
    /// Numbers of its functions, by name.
    pub functions: FxHashMap<Symbol, u32>,
    /// Associated types.
    pub types: Vec<(Symbol, TypeId)>,
    /// Associated constants.
    pub constants: Vec<(Symbol, TypeId)>,
    /// Made by a derive macro.
    pub derived: bool,
    /// Where.
    pub place: Place,
    /// Conditions in force.
    pub configuration: Configuration,
}

/// A type alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alias {
    /// Name.
    pub name: Symbol,
    /// Number of the module or block.
    pub module: u32,
    /// Type parameters.
    pub generics: Generics,
    /// What it stands for.
    pub target: TypeId,
}

/// A constant or static.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Name.
    pub name: Symbol,
    /// Number of the module or block.
    pub module: u32,
    /// Its type.
    pub of_type: TypeId,
    /// A `static`.
    pub is_static: bool,
    /// Where.
    pub place: Place,
    /// Conditions in force.
    pub configuration: Configuration,
}

/// A macro.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Macro {
    /// Name.
    pub name: Symbol,
    /// Number of the module or block in which it is defined.
    pub module: u32,
    /// What it does.
    pub kind: MacroKind,
    /// Edition of its text, two digits.
    pub edition: u8,
    /// Where.
    pub place: Place,
}

/// Kinds of [`Macro`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MacroKind {
    /// `macro_rules!` or `macro`: the text of its rules.
    Rules(Box<str>),
    /// Built into the compiler: known by its name.
    BuiltIn,
    /// A procedural macro that is called like a function, an attribute or a derive: known by its name, if at all.
    Procedural,
}
