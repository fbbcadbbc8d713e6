//! Functions as paths print them.
//!
//! Always the path of the definition: `crate::module::Type::function`; `<crate::Type as crate::Trait>::function` for what an
//! implementation of a trait defines; `crate::Trait::function` for what a trait declares. Type parameters are `_`; generic
//! arguments, lifetimes and `r#` are left out. A function in a function stands behind it.

use crate::definitions::{
    AdtId, Container, CrateIndex, FunctionId, ImplementationId, TraitId, TraitReference, ValueId,
};
use crate::symbol::Symbol;
use crate::types::{Type, TypeId};
use crate::view::View;

/// Deepest module or function in function that is printed; deeper ones begin with `…`.
const DEPTH: u32 = 64;

/// The path of a function.
pub(crate) fn function_path(view: View<'_>, id: FunctionId) -> String {
    let mut out = String::with_capacity(64);
    write_function(view, id, &mut out, 0);
    out
}

/// The path of a constant or static.
pub(crate) fn value_path(view: View<'_>, id: ValueId) -> String {
    let mut out = String::with_capacity(64);
    let value = view.value(id);
    write_module(view, id.krate, value.module, &mut out, 0, true);
    push(&mut out, value.name);
    out
}

/// `<Type as Trait>::name` or `Type::name`.
pub(crate) fn in_implementation(view: View<'_>, id: ImplementationId, name: Symbol) -> String {
    let mut out = String::with_capacity(64);
    write_owner(view, id.krate, id.index, &mut out, 0);
    push(&mut out, name);
    out
}

/// The type that an implementation is for.
pub(crate) fn subject_text(view: View<'_>, krate: CrateIndex, subject: TypeId) -> String {
    let mut out = String::with_capacity(32);
    write_type(view, krate, subject, &mut out, 0);
    out
}

fn push(out: &mut String, name: Symbol) {
    // Behind `<`, `&`, ` as ` and the like a path begins.
    if !out.is_empty() && !out.ends_with(['<', ' ', '&', '[']) {
        out.push_str("::");
    }
    out.push_str(name.as_str());
}

fn write_function(view: View<'_>, id: FunctionId, out: &mut String, depth: u32) {
    if depth > DEPTH {
        out.push('…');
        return;
    }
    let function = view.function(id);
    match function.container {
        Container::Implementation(number) => write_owner(view, id.krate, number, out, depth + 1),
        Container::Trait(number) => {
            write_trait(view, TraitId { krate: id.krate, index: number }, out, depth + 1);
        }
        Container::Module | Container::Foreign => {
            write_module(view, id.krate, function.module, out, depth + 1, true);
        }
    }
    push(out, function.name);
}

fn write_owner(view: View<'_>, krate: CrateIndex, number: u32, out: &mut String, depth: u32) {
    let implementation = &view.krate(krate).implementations[number as usize];
    match &implementation.of {
        Some(TraitReference { id, .. }) => {
            out.push('<');
            write_type(view, krate, implementation.subject, out, depth);
            out.push_str(" as ");
            write_trait(view, *id, out, depth);
            out.push('>');
        }
        None if implementation.names_trait => {
            out.push('<');
            write_type(view, krate, implementation.subject, out, depth);
            out.push_str(" as _>");
        }
        None => {
            let named =
                matches!(view.krate(krate).types.of(implementation.subject), Type::Adt(..) | Type::Dyn(_));
            if named {
                return write_type(view, krate, implementation.subject, out, depth);
            }
            // Only the standard library has those.
            write_module(view, krate, implementation.module, out, depth + 1, false);
            out.push_str("::<impl ");
            write_type(view, krate, implementation.subject, out, depth);
            out.push('>');
        }
    }
}

fn write_trait(view: View<'_>, id: TraitId, out: &mut String, depth: u32) {
    let of = view.of_trait(id);
    write_module(view, id.krate, of.module, out, depth + 1, false);
    push(out, of.name);
}

fn write_adt(view: View<'_>, id: AdtId, out: &mut String, depth: u32) {
    let adt = view.adt(id);
    write_module(view, id.krate, adt.module, out, depth + 1, false);
    push(out, adt.name);
}

/// The path of a module. `owners`: whether a function around is printed with its implementation; of types in functions,
/// only the function's name is.
fn write_module(view: View<'_>, krate: CrateIndex, number: u32, out: &mut String, depth: u32, owners: bool) {
    let data = view.krate(krate);
    if depth > DEPTH {
        out.push('…');
        return;
    }
    let Some(module) = data.modules.get(number as usize) else { return };
    match module.block {
        Some(Some(function)) if owners => {
            write_function(view, FunctionId { krate, index: function }, out, depth + 1);
        }
        Some(Some(function)) => {
            let function = &data.functions[function as usize];
            write_module(view, krate, function.module, out, depth + 1, owners);
            push(out, function.name);
        }
        Some(None) => {
            if let Some(parent) = module.parent {
                write_module(view, krate, parent, out, depth + 1, owners);
            }
        }
        None => match module.parent {
            Some(parent) => {
                write_module(view, krate, parent, out, depth + 1, owners);
                push(out, module.name);
            }
            None => push(out, data.name.unwrap_or(module.name)),
        },
    }
}

fn write_type(view: View<'_>, krate: CrateIndex, id: TypeId, out: &mut String, depth: u32) {
    if depth > DEPTH {
        out.push('_');
        return;
    }
    let next = depth + 1;
    match view.krate(krate).types.of(id) {
        Type::Adt(adt, _) => write_adt(view, *adt, out, next),
        Type::Primitive(primitive) => out.push_str(primitive.as_str()),
        Type::Reference(mutable, inner) => {
            out.push_str(if *mutable { "&mut " } else { "&" });
            write_type(view, krate, *inner, out, next);
        }
        Type::Pointer(mutable, inner) => {
            out.push_str(if *mutable { "*mut " } else { "*const " });
            write_type(view, krate, *inner, out, next);
        }
        Type::Slice(inner) => {
            out.push('[');
            write_type(view, krate, *inner, out, next);
            out.push(']');
        }
        Type::Array(inner) => {
            out.push('[');
            write_type(view, krate, *inner, out, next);
            out.push_str("; _]");
        }
        Type::Tuple(_) => out.push_str("(_)"),
        Type::Function(..) | Type::FunctionItem(..) => out.push_str("fn"),
        Type::Never => out.push('!'),
        Type::Dyn(bounds) => {
            out.push_str("dyn ");
            match bounds.first() {
                Some(first) => write_trait(view, first.id, out, next),
                None => out.push('_'),
            }
        }
        Type::Unknown
        | Type::Parameter(_)
        | Type::Opaque(_)
        | Type::Projection(..)
        | Type::Variable(_)
        | Type::Closure(_) => out.push('_'),
    }
}
