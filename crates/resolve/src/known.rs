//! Items that the language knows: the traits behind operators, `for`, `?` and `await`, and a few types.
//!
//! They are found by their paths in `core` and `alloc`, as stable code writes them.

use crate::collect::StandardCrates;
use crate::definitions::{AdtId, Definition, TraitId};
use crate::symbol::Symbol;
use crate::view::View;

macro_rules! known {
    (traits { $($of_trait:ident: $trait_path:literal,)* } types { $($adt:ident: $adt_path:literal,)* }) => {
        /// See the module. What is `None` was not found: then nothing is known of what depends on it.
        #[derive(Debug, Clone, Default)]
        pub(crate) struct Known {
            $(pub(crate) $of_trait: Option<TraitId>,)*
            $(pub(crate) $adt: Option<AdtId>,)*
        }

        impl Known {
            pub(crate) fn find(view: View<'_>, standard: Option<StandardCrates>) -> Known {
                Known {
                    $($of_trait: standard.and_then(|it| find_trait(view, it, $trait_path)),)*
                    $($adt: standard.and_then(|it| find_adt(view, it, $adt_path)),)*
                }
            }
        }
    };
}

known! {
    traits {
        add: "core::ops::Add", sub: "core::ops::Sub", mul: "core::ops::Mul", div: "core::ops::Div",
        rem: "core::ops::Rem", bit_and: "core::ops::BitAnd", bit_or: "core::ops::BitOr",
        bit_xor: "core::ops::BitXor", shl: "core::ops::Shl", shr: "core::ops::Shr",
        add_assign: "core::ops::AddAssign", sub_assign: "core::ops::SubAssign",
        mul_assign: "core::ops::MulAssign", div_assign: "core::ops::DivAssign",
        rem_assign: "core::ops::RemAssign", bit_and_assign: "core::ops::BitAndAssign",
        bit_or_assign: "core::ops::BitOrAssign", bit_xor_assign: "core::ops::BitXorAssign",
        shl_assign: "core::ops::ShlAssign", shr_assign: "core::ops::ShrAssign",
        neg: "core::ops::Neg", not: "core::ops::Not", index: "core::ops::Index",
        index_mut: "core::ops::IndexMut", deref: "core::ops::Deref", deref_mut: "core::ops::DerefMut", drop: "core::ops::Drop",
        fn_once: "core::ops::FnOnce", fn_mut: "core::ops::FnMut",
        fn_ref: "core::ops::Fn", async_fn_once: "core::ops::AsyncFnOnce", async_fn_mut: "core::ops::AsyncFnMut",
        async_fn: "core::ops::AsyncFn", partial_eq: "core::cmp::PartialEq", partial_ord: "core::cmp::PartialOrd",
        eq: "core::cmp::Eq", ord: "core::cmp::Ord", hash: "core::hash::Hash", debug: "core::fmt::Debug",
        clone: "core::clone::Clone", copy: "core::marker::Copy", default: "core::default::Default",
        sized: "core::marker::Sized", meta_sized: "core::marker::MetaSized",
        pointee_sized: "core::marker::PointeeSized", destruct: "core::marker::Destruct",
        freeze: "core::marker::Freeze", send: "core::marker::Send", sync: "core::marker::Sync",
        unpin: "core::marker::Unpin", unwind_safe: "core::panic::UnwindSafe",
        ref_unwind_safe: "core::panic::RefUnwindSafe",
        iterator: "core::iter::Iterator", into_iterator: "core::iter::IntoIterator",
        future: "core::future::Future", into_future: "core::future::IntoFuture",
        from: "core::convert::From", display: "core::fmt::Display",
        error: "core::error::Error",
    }
    types {
        option: "core::option::Option", result: "core::result::Result", range: "core::ops::Range",
        range_from: "core::ops::RangeFrom", range_to: "core::ops::RangeTo", range_full: "core::ops::RangeFull",
        range_inclusive: "core::ops::RangeInclusive", range_to_inclusive: "core::ops::RangeToInclusive",
        arguments: "core::fmt::Arguments", c_str: "core::ffi::CStr", poll: "core::task::Poll",
        control_flow: "core::ops::ControlFlow", string: "alloc::string::String", vec: "alloc::vec::Vec",
        boxed: "alloc::boxed::Box",
    }
}

fn find_trait(view: View<'_>, standard: StandardCrates, path: &str) -> Option<TraitId> {
    match find(view, standard, path)? {
        Definition::Trait(id) => Some(id),
        _ => None,
    }
}

fn find_adt(view: View<'_>, standard: StandardCrates, path: &str) -> Option<AdtId> {
    match find(view, standard, path)? {
        Definition::Adt(id) => Some(id),
        _ => None,
    }
}

fn find(view: View<'_>, standard: StandardCrates, path: &str) -> Option<Definition> {
    let mut segments = path.split("::");
    let mut krate = match segments.next()? {
        "core" => standard.core,
        "alloc" => standard.alloc,
        _ => standard.std,
    };
    let mut module = 0;
    let mut found = None;
    for segment in segments {
        let data = view.krate(krate);
        let scope = &data.modules.get(module as usize)?.scope;
        let (definition, _) = scope.types.get(&Symbol::new(segment))?;
        if let Definition::Module(id) = definition {
            (krate, module) = (id.krate, id.index);
        }
        found = Some(*definition);
    }
    found
}
