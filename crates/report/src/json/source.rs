//! Facts about Rust source and calls.
//!
//! Stored facts refer to files, functions and targets by their position. Documents name them: `file` is a
//! path, a target is its kind and name, `function` is a path with `function_index` beside it, because two
//! functions may share a path.

use cratekeeper_model::facts::{
    AssemblySite, Call, Count, ForeignBlock, ForeignItem, Function, Include, LinkageAttribute, Literal,
    MacroDefinition, Module, SourceFile, Target, UnsafeCounters, UseImport,
};
use serde::{Serialize, Serializer};

use super::object::{Each, object};
use super::words::Word as _;

/// What positions in facts refer to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) targets: &'a [Target],
    pub(super) files: &'a [SourceFile],
    pub(super) functions: &'a [Function],
}

impl<'a> Place<'a> {
    /// An array of `items`, in which positions are replaced by names.
    pub(super) fn each<T>(self, items: &'a [T]) -> Each<'a, T, impl Fn(&'a T) -> In<'a, T>> {
        Each(items, move |it| In { it, place: self })
    }

    /// Stored facts could be damaged, hence `null` instead of a panic for a position outside.
    pub(super) fn file(self, index: u32) -> Option<&'a str> {
        self.files.get(index as usize).map(|file| file.path.as_str())
    }

    pub(super) fn function(self, index: Option<u32>) -> Option<&'a str> {
        self.functions.get(index? as usize).map(|function| function.path.as_str())
    }

    fn target(self, index: u16) -> Option<TargetName<'a>> {
        self.targets.get(usize::from(index)).map(TargetName)
    }

    fn targets(self, indexes: &'a [u16]) -> Each<'a, u16, impl Fn(&'a u16) -> Option<TargetName<'a>>> {
        Each(indexes, move |index: &u16| self.target(*index))
    }
}

/// A fact and what its positions refer to.
pub(super) struct In<'a, T> {
    pub(super) it: &'a T,
    pub(super) place: Place<'a>,
}

struct TargetName<'a>(&'a Target);

impl Serialize for TargetName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, { "kind": self.0.kind.word(), "name": self.0.name })
    }
}

impl Serialize for In<'_, SourceFile> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "path": it.path,
            "size": it.size,
            "status": it.status.word(),
            "errors": it.errors,
            "problem": it.problem,
            "problem_line": it.problem_line,
            "targets": place.targets(&it.targets),
            "unsafe": UnsafeObject(&it.r#unsafe),
            "forbids_unsafe": it.forbids_unsafe,
        })
    }
}

impl Serialize for In<'_, Module> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "target": place.target(it.target),
            "path": it.path,
            "file": place.file(it.file),
            "form": it.form.word(),
            "cfg": it.cfg,
            "line": it.line,
        })
    }
}

impl Serialize for In<'_, Function> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "path": it.path,
            "disambiguator": it.disambiguator,
            "file": place.file(it.file),
            "targets": place.targets(&it.targets),
            "line": it.line,
            "end_line": it.end_line,
            "start": it.start,
            "end": it.end,
            "visibility": it.visibility,
            "container": it.container.word(),
            "unsafe": it.r#unsafe,
            "abi": it.abi,
            "async": it.r#async,
            "const": it.r#const,
            "generic": it.generic,
            "receiver": it.receiver,
            "arity": it.arity,
            "has_body": it.has_body,
            "cfg": it.cfg,
            "counters": UnsafeObject(&it.counters),
        })
    }
}

pub(super) struct UnsafeObject<'a>(pub(super) &'a UnsafeCounters);

impl Serialize for UnsafeObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, {
            "functions": CountObject(it.functions),
            "exprs": CountObject(it.exprs),
            "item_impls": CountObject(it.item_impls),
            "item_traits": CountObject(it.item_traits),
            "methods": CountObject(it.methods),
        })
    }
}

struct CountObject(Count);

impl Serialize for CountObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, { "safe": self.0.safe, "unsafe": self.0.r#unsafe })
    }
}

impl Serialize for In<'_, ForeignBlock> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "abi": it.abi,
            "unsafe": it.r#unsafe,
            "link": it.link,
            "cfg": it.cfg,
            "items": Each(&it.items, ForeignItemObject),
        })
    }
}

struct ForeignItemObject<'a>(&'a ForeignItem);

impl Serialize for ForeignItemObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        object!(serializer, { "name": it.name, "line": it.line, "is_function": it.is_function, "safe": it.safe })
    }
}

impl Serialize for In<'_, LinkageAttribute> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "attribute": it.attribute,
            "value": it.value,
        })
    }
}

impl Serialize for In<'_, AssemblySite> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "macro": it.r#macro,
            "function": place.function(it.function),
            "function_index": it.function,
            "text": it.text,
            "mentions": it.mentions,
        })
    }
}

impl Serialize for In<'_, UseImport> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "module": it.module,
            "path": it.path,
            "alias": it.alias,
            "visibility": it.visibility,
            "extern_crate": it.extern_crate,
            "cfg": it.cfg,
        })
    }
}

impl Serialize for In<'_, Include> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "kind": it.kind.word(),
            "argument": it.argument,
            "literal": it.literal,
        })
    }
}

impl Serialize for In<'_, Literal> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "file": place.file(it.file),
            "line": it.line,
            "function": place.function(it.function),
            "function_index": it.function,
            "kind": it.kind.word(),
            "value": it.value,
            "length": it.length,
        })
    }
}

impl Serialize for In<'_, MacroDefinition> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "name": it.name,
            "file": place.file(it.file),
            "line": it.line,
            "exported": it.exported,
            "unsafe_tokens": it.unsafe_tokens,
        })
    }
}

impl Serialize for In<'_, Call> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let In { it, place } = self;
        object!(serializer, {
            "kind": it.kind.word(),
            "callee": it.callee,
            "arity": it.arity,
            "function": place.function(it.function),
            "function_index": it.function,
            "file": place.file(it.file),
            "line": it.line,
            "in_unsafe": it.in_unsafe,
            "in_macro": it.in_macro,
        })
    }
}
